"""The command `keras-gans`: its parser, and how errors end it."""

import argparse
import atexit
from collections.abc import Callable
import importlib
import os
import re
import signal
import sys
import traceback
import warnings

from keras_gans_cli import recipes, values, words

# One file each, with `SUMMARY`, `add_flags(parser, words)`, `run(args)`, and perhaps
# `refuse(args)`: what can be told to be wrong before a backend is imported.
COMMANDS = (
    "list",
    "check",
    "train",
    "sample",
    "generate",
    "walk",
    "mix",
    "directions",
    "project",
    "nearest",
    "demo",
    "export",
    "serve",
    "evaluate",
    "translate",
    "upscale",
    "vocode",
    "predict",
    "align",
    "say",
    "synthesize",
    "convert",
    "doctor",
)

# What other programs call a flag that no spelling is near to.
ELSEWHERE = {
    "lr": ("d_learning_rate", "g_learning_rate"),
    "learning_rate": ("d_learning_rate", "g_learning_rate"),
    "batch": ("batch_size",),
    "size": ("image_shape",),
    "image_size": ("image_shape",),
    "resolution": ("image_shape",),
}


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Lists flags in one column, with N for a whole number, X for another."""

    def __init__(self, prog, **kwargs):
        super().__init__(prog, **{**kwargs, "max_help_position": 32})

    def _get_default_metavar_for_optional(self, action):
        usual = super()._get_default_metavar_for_optional(action)
        return {int: "N", float: "X"}.get(action.type, usual)


class Parser(argparse.ArgumentParser):
    """An argument parser that names the nearest choice when it refuses.

    Attributes:
        words: list of str, the command line.
        others: dict of names that messages of the library have for what the
            command calls otherwise.
    """

    words = ()
    others = {}

    def __init__(self, **kwargs):
        kwargs.setdefault("allow_abbrev", False)
        kwargs.setdefault("formatter_class", Formatter)
        super().__init__(**kwargs)
        self.add_argument(
            "--verbose",
            action="store_true",
            default=argparse.SUPPRESS,  # it may stand before a command
            help="show TensorFlow's log, and the whole traceback of an error",
        )

    def flags(self):
        """The flags that help shows."""
        return [
            option
            for action in self._actions
            if action.help is not argparse.SUPPRESS
            for option in action.option_strings
        ]

    def typed(self, args=None):
        """How the arguments that messages name are typed, by their names.

        Args:
            args: the parsed command line, if there is one.
        """
        spellings = {}
        for flag in self.flags():
            spellings[flag.lstrip("-")] = flag
        texts = getattr(args, "set", ())  # of `convert`
        settings = {text.partition("=")[0] for text in texts}
        spellings |= {name: f"--set {name}" for name in settings - spellings.keys()}
        return {**spellings, **self.others}

    def shorten_usage(self):
        """Leaves optional flags out of the usage that each error begins with."""
        needed = [
            action.metavar or action.dest
            for action in self._actions
            if not action.option_strings
        ]
        needed += [
            f"{action.option_strings[0]}={action.metavar or 'VALUE'}"
            for action in self._actions
            if action.option_strings and action.required
        ]
        self.usage = " ".join([self.prog, *needed, "[--FLAG=VALUE ...]"])

    def refuse_unknown(self, word):
        word = word.split("=")[0]
        known = self.flags()
        meant = [f"--{name}" for name in ELSEWHERE.get(word.lstrip("-"), ())]
        meant = [flag for flag in meant if flag in known]
        near = recipes.did_you_mean(meant) or recipes.hint(word, known)
        if not near and f"--{word.lstrip('-')}" in known:
            near = f" Did you mean --{word.lstrip('-')}?"
        super().error(f"unknown flag {word}.{near}")

    def error(self, message):
        wrong = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
        if wrong:
            choices = re.findall(r"[\w:.-]+", wrong[2])
            message += "." + recipes.hint(wrong[1], choices)
        number = re.search(
            r"argument (\S+): invalid (int|float) value: '(.*)'", message
        )
        if number:
            what = {"int": "a whole number", "float": "a number"}[number[2]]
            message = f"{number[1]} is {what}. Received: {number[1]}={number[3]}."
        if message.startswith("the following arguments are required"):
            # Perhaps they are there, and mistyped.
            for word in self.words:
                if word[:2] == "--" and word.split("=")[0] not in self.flags():
                    self.refuse_unknown(word)
            message += f". {self.prog} --help tells what they are."
        super().error(message)


class Version(argparse.Action):
    """Prints the version, which is looked up only then."""

    def __call__(self, parser, *args):
        version = recipes.load_file("version.py").__version__
        print(f"keras-gans {version}")
        parser.exit()


def make_parser(words: list | None = None) -> Parser:
    """The parser of all commands.

    Args:
        words: list of str, the command line: flags of recipes that it does not
            name are left out. `None` leaves nothing out.
    """
    known = {
        name: importlib.import_module(f"keras_gans_cli.{name}") for name in COMMANDS
    }
    rows = [(name, command.SUMMARY) for name, command in known.items()]
    parser = Parser(
        prog="keras-gans",
        description="Train, sample and export generative adversarial networks.",
        epilog=f"commands:\n{values.indented(rows)}\n\n"
        "keras-gans COMMAND --help lists the flags of a command.\n"
        "keras-gans train dcgan trains on 1,570 emoji that come with the package.\n"
        "Exit status: 0: done. 1: refused or failed; the last line says why. 2: the\n"
        "command line is not understood. 130, 143, 129: by Ctrl-C, SIGTERM, SIGHUP.",
    )
    parser.add_argument(
        "--version", action=Version, nargs=0, help="print the version and exit"
    )
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", help="see below"
    )
    for name, command in known.items():
        sub = commands.add_parser(name, description=command.SUMMARY)
        sub.set_defaults(
            run=command.run, parser=sub, refuse=getattr(command, "refuse", None)
        )
        sub.words = words or ()
        sub.others = getattr(command, "CALLED", {})
        command.add_flags(sub, words)
        sub.shorten_usage()
    return parser


def parse(argv: list) -> argparse.Namespace:
    """Parses a command line, `argv[0]` being the program."""
    line = argv[1:] or ["--help"]
    args, unknown = make_parser(line).parse_known_args(line)
    args.argv = line
    if unknown:
        args.parser.refuse_unknown(unknown[0])
    return args


def main(args: argparse.Namespace, prepare: Callable | None = None) -> int:
    """Runs a parsed command; errors of its input end it with status 1.

    Args:
        args: see `parse`.
        prepare: function that imports the backend, called once the command has
            found nothing wrong by itself.
    """
    try:
        if args.refuse is not None:
            args.refuse(args)
        if prepare is not None:
            prepare()
        return args.run(args) or 0
    except KeyboardInterrupt as stop:
        if not isinstance(stop, SystemExit):  # else training has said so
            print("keras-gans: interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    except SystemExit as stop:  # of a signal
        return stop.code
    except Exception as error:
        message = _message(error)
        if message is None:
            raise
        if "verbose" in args:
            traceback.print_exc()
        told = words.spoken(message, args.parser.typed(args))
        print(f"keras-gans: {told}", file=sys.stderr)
        return 1


def _message(error):
    """What to tell of an error; None where it is not one of the user's."""
    if isinstance(error, ImportError):
        return _missing(error)
    if isinstance(error, (ValueError, FloatingPointError, OSError)):
        return str(error)
    from keras_gans.training import distribution

    if lost := distribution.lost_worker(error):
        return (
            "another worker of this training is gone, so this one ends. What "
            f"is written stays: start all of them again with --resume. ({lost})"
        )
    # A broken image surfaces in the data pipeline as TensorFlow's error.
    if not type(error).__module__.startswith("tensorflow."):
        return None
    text = str(getattr(error, "message", error))
    match = re.search(r"ValueError: (.*)", text)
    return match[1] if match else text


def _missing(error):
    """What to type where a package is missing; None of one of our own."""
    own = (error.name or "").startswith("keras_gans")
    return None if own else str(error)


def show_warning(typed: dict) -> Callable:
    """What shows a warning in one line, without the place in the code it is from.

    Args:
        typed: see `words.spoken`.
    """

    def show(message, *args, **kwargs):
        text = words.spoken(" ".join(str(message).split()), typed)
        print(f"keras-gans: note: {text}", file=sys.stderr)

    return show


def _end(number, _):
    """Ends the command by a signal, in order: what is half written goes."""
    raise SystemExit(128 + number)


def _take_signals():
    # A shell lets its background jobs ignore SIGINT: `kill -INT` means it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:  # `nohup` ignores one
            signal.signal(number, _end)


def _prepare():
    recipes.load_file("utils/startup.py").prepare(sys.argv)


def run() -> None:
    """The console script."""
    _take_signals()
    try:
        args = parse(sys.argv)
        if "verbose" not in args:
            warnings.showwarning = show_warning(args.parser.typed(args))
        status = main(args, None if args.command == "list" else _prepare)
    except KeyboardInterrupt:  # before a command has begun
        print("keras-gans: interrupted", file=sys.stderr)
        status = 128 + signal.SIGINT
    # TensorFlow's temporary files are removed here.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    # Input threads that wait for Python would hold up an orderly exit.
    os._exit(status)
