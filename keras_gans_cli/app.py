"""The command `keras-gans`: its parser, and how errors end it."""

import argparse
import importlib
import os
import re
import sys

from keras_gans_cli import recipes, values

# One file each, with `SUMMARY`, `add_flags(parser, words)` and `run(args)`.
COMMANDS = ("list", "train", "sample", "export", "evaluate", "translate", "convert")


def _formatter(prog):
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=32)


class Parser(argparse.ArgumentParser):
    """An argument parser that names the nearest choice when it refuses."""

    def __init__(self, **kwargs):
        kwargs.setdefault("allow_abbrev", False)
        kwargs.setdefault("formatter_class", _formatter)
        super().__init__(**kwargs)

    def error(self, message):
        wrong = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
        if wrong:
            choices = re.findall(r"[\w:.-]+", wrong[2])
            message += "." + recipes.hint(wrong[1], choices)
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
        "keras-gans COMMAND --help lists the flags of a command.",
    )
    parser.add_argument(
        "--version", action=Version, nargs=0, help="print the version and exit"
    )
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", help="see below"
    )
    for name, command in known.items():
        sub = commands.add_parser(name, description=command.SUMMARY)
        sub.set_defaults(run=command.run, parser=sub)
        command.add_flags(sub, words)
    return parser


def parse(argv: list) -> argparse.Namespace:
    """Parses a command line, `argv[0]` being the program."""
    args, unknown = make_parser(argv[1:]).parse_known_args(argv[1:])
    args.argv = argv[1:]
    if unknown:
        word = unknown[0].split("=")[0]
        known = [
            option
            for action in args.parser._actions
            if action.help is not argparse.SUPPRESS
            for option in action.option_strings
        ]
        args.parser.error(f"unknown flag {word}.{recipes.hint(word, known)}")
    return args


def main(args: argparse.Namespace) -> int:
    """Runs a parsed command; errors of its input end it with status 1."""
    try:
        return args.run(args) or 0
    except (ValueError, FloatingPointError, OSError) as error:
        print(f"keras-gans: {error}", file=sys.stderr)
        return 1
    except Exception as error:
        message = _message(error)
        if message is None:
            raise
        print(f"keras-gans: {message}", file=sys.stderr)
        return 1


def _message(error):
    """What to tell of an error; None where it is not one of the user's."""
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
    found = re.search(r"ValueError: (.*)", text)
    return found[1] if found else text


def run() -> None:
    """The console script."""
    status = main(parse(sys.argv))
    sys.stdout.flush()
    sys.stderr.flush()
    # Input threads that wait for Python would hold up an orderly exit.
    os._exit(status)
