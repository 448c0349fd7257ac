"""The command `keras-gans`."""

import argparse
import ast
import functools
import inspect
import logging as standard_logging
import os
import re
import sys

from absl import app
from absl import flags
from absl import logging
from absl.flags import argparse_flags

from keras_gans import cli_evaluate
from keras_gans import cli_translate
from keras_gans.names import hint


def value(text):
    """A flag's text as a number, tuple, bool, None, or else a string."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


TRAIN_FLAGS = {
    "data": (str, "an embedded set, tfds:NAME or a folder"),
    "data_dir": (str, "where tensorflow-datasets keeps its files"),
    "epochs": (int, "passes over the data, or times --steps_per_epoch"),
    "steps_per_epoch": (int, "steps an epoch; one pass over the data if unset"),
    "batch_size": (int, "images a batch"),
    "seed": (int, "of every random draw"),
    "d_learning_rate": (float, "of the discriminator's optimizer"),
    "g_learning_rate": (float, "of the generator's optimizer"),
    "global_clipnorm": (float, "largest norm of each network's gradient"),
    "accumulate": (int, "parts that a batch is cut into, to need less memory"),
    "checkpoint_every": (int, "steps between two checkpoints"),
    "sample_every": (int, "steps between two sample grids"),
    "evaluate_every": (int, "steps between two evaluations, which are slow"),
    "log_every": (int, "steps between two lines of metrics.jsonl"),
    "dtype_policy": (str, "float32, mixed_bfloat16 or mixed_float16"),
    "strategy": (str, "auto, none, mirrored, multi_worker or data_parallel"),
    # of recipes whose data has them
    "direction": (str, "ab, or ba to learn to translate from B to A"),
    "kind": (str, "of holes: rectangle, free_form or mixed"),
    "share": (value, "least and largest share of an image that is a hole"),
    "jitter": (value, "pixels or ratio to enlarge by before a random crop"),
}

SWITCHES = {
    "deterministic": "exact resume on a GPU too, at a price in speed",
    "rematerialize": "compute maps again for gradients, to need less memory",
}


class Parser(argparse_flags.ArgumentParser):
    """An argument parser that names the nearest choice when it refuses."""

    def __init__(self, **kwargs):
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(**kwargs)

    def error(self, message):
        wrong = re.search(
            r"invalid choice: '([^']*)' \(choose from (.*)\)", message
        )
        if wrong:
            choices = re.findall(r"[\w:.-]+", wrong[2])
            message += "." + hint(wrong[1], choices)
        super().error(message)


def model_arguments(model):
    """The constructor arguments of a GAN that a flag can give."""
    from keras_gans.base import BaseGAN

    own = {}
    for cls in (model, BaseGAN):
        for name, parameter in inspect.signature(cls).parameters.items():
            if parameter.kind is not parameter.VAR_KEYWORD:
                own.setdefault(name, parameter.default)
    networks = ("generator", "discriminator", "name", "seed")
    return {name: v for name, v in own.items() if name not in networks}


def make_parser():
    """The parser of all sub-commands."""
    from keras_gans import recipes

    parser = Parser(
        prog="keras-gans",
        description="Train, sample and export generative adversarial networks.",
    )
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND"
    )

    def command(parent, name, run, summary):
        sub = parent.add_parser(
            name, help=summary, description=summary, inherited_absl_flags=None
        )
        sub.set_defaults(run=run, parser=sub)
        return sub

    command(commands, "list", list_recipes, "List what can be trained.")
    train = commands.add_parser(
        "train",
        help="Train a recipe into a run directory.",
        description="Train a recipe into a run directory.",
        epilog="keras-gans train RECIPE --help lists the flags of a recipe.",
        inherited_absl_flags=None,
    )
    names = train.add_subparsers(dest="recipe", required=True, metavar="RECIPE")
    for name, recipe in recipes.RECIPES.items():
        _add_train_flags(
            command(names, name, train_run, recipe.summary), recipe
        )
    sample = command(commands, "sample", sample_run, "Write a grid of samples.")
    sample.add_argument("run_dir", metavar="RUN", help="a run directory")
    sample.add_argument(
        "--n", type=int, help="images (64, or as many as --labels)"
    )
    sample.add_argument("--seed", type=int, default=0, help="seed (0)")
    sample.add_argument(
        "--labels",
        type=value,
        help="class of all images, or of each: 3 or 0,0,1,1 (all in turn)",
    )
    best = {"action": "store_true", "help": "take the checkpoint in best/"}
    sample.add_argument("--best", **best)
    sample.add_argument("--out", required=True, help="PNG file to write")
    sample.add_argument("--overwrite", action="store_true")
    export = command(commands, "export", export_run, "Write a SavedModel.")
    export.add_argument("run_dir", metavar="RUN", help="a run directory")
    export.add_argument("--best", **best)
    export.add_argument(
        "--to", required=True, metavar="DIR", help="directory to make"
    )
    export.add_argument("--overwrite", action="store_true")
    cli_evaluate.add_to(functools.partial(command, commands))
    cli_translate.add_to(functools.partial(command, commands))
    return parser


def _add_train_flags(sub, recipe):
    from keras_gans import runs

    defaults = runs.new_config(_name_of(recipe))
    for flag, (kind, text) in TRAIN_FLAGS.items():
        if flag in defaults:
            sub.add_argument(
                f"--{flag}", type=kind, help=f"{text} ({defaults[flag]})"
            )
    sub.add_argument(
        "--flip",
        action=argparse.BooleanOptionalAction,
        help=f"mirror half of the images ({defaults['flip']})",
    )
    for flag, text in SWITCHES.items():
        sub.add_argument(
            f"--{flag}", action="store_true", default=None, help=text
        )
    sub.add_argument(
        "--workers",
        type=int,
        default=1,
        help="processes on this machine that train together, to try it (1)",
    )
    sub.add_argument(
        "--run_dir", help=f"where all of the run goes (runs/{_name_of(recipe)})"
    )
    sub.add_argument(
        "--resume",
        action="store_true",
        help="go on from the latest checkpoint in --run_dir",
    )
    sub.add_argument(
        "--overwrite",
        action="store_true",
        help="remove the run in --run_dir first",
    )
    group = sub.add_argument_group(
        f"{recipe.model.__name__}",
        f"constructor arguments, see keras_gans.{recipe.model.__name__}",
    )
    for name, default in model_arguments(recipe.model).items():
        default = recipe.arguments.get(name, default)
        group.add_argument(
            f"--{name}",
            type=value,
            default=argparse.SUPPRESS,  # None is a value
            help=f"({default})",
            metavar="VALUE",
        )


def _name_of(recipe):
    from keras_gans import recipes

    return next(k for k, v in recipes.RECIPES.items() if v is recipe)


def list_recipes(args):
    """keras-gans list"""
    from keras_gans import recipes

    for name, recipe in recipes.RECIPES.items():
        print(
            f"{name:12}{recipe.summary}\n{'':12}data {recipe.data}, "
            f"{recipe.epochs} epochs, batch {recipe.batch_size}"
        )


def train_run(args):
    """keras-gans train RECIPE"""
    from keras_gans import recipes
    from keras_gans import runs

    if args.workers != 1:
        return _launch(args)
    run_dir = args.run_dir or f"runs/{args.recipe}"
    given = {
        name: getattr(args, name)
        for name in (*TRAIN_FLAGS, "flip", *SWITCHES)
        if getattr(args, name, None) is not None
    }
    model = recipes.get(args.recipe).model
    arguments = {
        name: vars(args)[name]
        for name in model_arguments(model)
        if name in vars(args)
    }
    if args.resume and runs.is_run(run_dir):
        config = runs.changed(run_dir, args.recipe, arguments, given)
    else:
        config = runs.new_config(args.recipe, arguments, **given)
    runs.train(run_dir, config, args.resume, args.overwrite)


def _launch(args):
    """Runs the command in several processes of one training."""
    from keras_gans import distribution

    # argparse lets the last of a flag win.
    words = [*args.argv, "--workers=1"]
    command = [sys.executable, "-m", "keras_gans", *words]
    return distribution.launch(args.workers, command)


def sample_run(args):
    """keras-gans sample RUN"""
    from keras_gans import files
    from keras_gans import images
    from keras_gans import runs

    files.check_free(args.out, args.overwrite)
    gan, position = runs.open_run(args.run_dir, args.best)
    n, given = args.n, {}
    if args.labels is not None:
        if not gan.conditions:
            raise ValueError(
                f"{type(gan).__name__} has no classes. Received: --labels="
                f"{args.labels}. Drop it."
            )
        given["labels"] = args.labels
        if n is None and isinstance(args.labels, tuple):
            n = len(args.labels)
    n = 64 if n is None else n
    samples = gan.sample(n, seed=args.seed, **given)
    images.save_grid(
        args.out, samples, gan.grid_columns, overwrite=args.overwrite
    )
    print(f"{n} samples of step {position.step}, seed {args.seed}: {args.out}")


def export_run(args):
    """keras-gans export RUN"""
    from keras_gans import files
    from keras_gans import runs

    files.check_free(args.to, args.overwrite)
    gan, position = runs.open_run(args.run_dir, args.best)
    gan.export(args.to, overwrite=args.overwrite)
    print(f"SavedModel of step {position.step}: {args.to}")


def parse(argv):
    """Parses a command line, `argv[0]` being the program."""
    parser = make_parser()
    args, unknown = parser.parse_known_args(argv[1:])
    args.argv = argv[1:]
    if unknown:
        word = unknown[0].split("=")[0]
        known = [
            option
            for action in args.parser._actions
            for option in action.option_strings
        ]
        args.parser.error(f"unknown flag {word}.{hint(word, known)}")
    return args


def main(args):
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
    from keras_gans import distribution

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


def run():
    """The console script."""
    app.run(_main_and_leave, flags_parser=parse)


def _main_and_leave(args):
    if not flags.FLAGS["verbosity"].present:  # --verbosity=0 shows them
        logging.set_verbosity(logging.WARNING)
        standard_logging.getLogger("tensorflow").setLevel("WARNING")
    status = main(args)
    sys.stdout.flush()
    sys.stderr.flush()
    # Input threads that wait for Python would hold up an orderly exit.
    os._exit(status)
