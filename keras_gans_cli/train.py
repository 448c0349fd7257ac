"""The command `keras-gans train`."""

import argparse
import sys

from keras_gans_cli import flags, recipes, values
from keras_gans_cli import words as said

SUMMARY = "Train a recipe into a run directory."


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the recipes, and the flags of those that are named in `words`."""
    known = recipes.recipes()
    rows = [(name, recipe.summary) for name, recipe in known.items()]
    parser.epilog = (
        f"recipes:\n{values.indented(rows)}\n\n"
        "keras-gans train RECIPE --help lists the flags of a recipe."
    )
    names = parser.add_subparsers(
        dest="recipe", required=True, metavar="RECIPE", help="see below"
    )
    for name, recipe in known.items():
        sub = names.add_parser(
            name,
            description=f"{recipe.summary}.",
            usage=f"keras-gans train {name} [--FLAG=VALUE ...]",
        )
        sub.set_defaults(run=run, parser=sub, refuse=refuse)
        if words is None or name in words:
            _add_run_flags(sub, recipe)
            _add_options(sub, recipe)
            _add_arguments(sub, recipe)


def _add_run_flags(sub, recipe):
    add = sub.add_argument_group("run directory").add_argument
    add(
        "--run_dir",
        metavar="DIR",
        help=f"where all of the run goes (default: {_run_dir(recipe.name)})",
    )
    add(
        "--resume",
        nargs="?",
        const=True,
        default=False,
        choices=("auto",),
        metavar="auto",
        help="go on from the latest checkpoint in --run_dir; --resume=auto also "
        "starts a run where there is none, for jobs that a scheduler restarts",
    )
    add(
        "--from_checkpoint",
        metavar="NAME",
        help="with --resume, go back to a checkpoint: previous, or its name; later "
        "ones are removed",
    )
    add("--overwrite", action="store_true", help="remove the run in --run_dir")
    if recipe.paper:
        changed = ", ".join(f"{k}={flags.typed(v)}" for k, v in recipe.paper.items())
        add(
            "--recipe",
            choices=("paper",),
            dest="variant",  # `recipe` is its name
            help=f"the paper's recipe, of hours on a GPU: {changed}; by default one of "
            "minutes on two cores",
        )
    add(
        "--workers",
        type=int,
        default=1,
        metavar="N",
        help="processes on this machine that train together, to try it (default: 1)",
    )


def _run_dir(name):
    return f"runs/{name}"


def _add_options(sub, recipe):
    groups = {}
    for name, option in recipes.options(recipe).items():
        if option.group not in groups:
            groups[option.group] = sub.add_argument_group(option.group)
        if option.type is bool:
            how = {"action": argparse.BooleanOptionalAction}
        else:
            kind = values.value if option.type is object else option.type
            how = {"type": kind, "metavar": flags.metavar(option.help, option.type())}
        groups[option.group].add_argument(
            f"--{name}",
            default=None,  # what is not given, a resumed run knows
            help=_help(recipe, name, option),
            **how,
        )


def _add_arguments(sub, recipe):
    groups = {}
    for name, argument in recipes.model_arguments(recipe).items():
        if argument.owner not in groups:
            shared = argument.owner == "BaseGAN"
            title = "every GAN" if shared else argument.owner
            groups[argument.owner] = sub.add_argument_group(title)
        groups[argument.owner].add_argument(
            f"--{name}",
            type=values.word if argument.is_text else values.value,
            default=argparse.SUPPRESS,  # None is a value
            help=_help(recipe, name, argument),
            metavar=flags.metavar(argument.help, argument.default),
            **({"nargs": "?", "const": True} if argument.default is False else {}),
        )


def _help(recipe, name, known):
    """The help of a flag, with its default where the text has none."""
    if name in recipe.without:
        return argparse.SUPPRESS
    return flags.sentence(known.help, known.default)


def refuse(args: argparse.Namespace) -> None:
    """Finds that there is no run to resume."""
    nearby = recipes.load_file("training/nearby.py")
    suggestions = recipes.load_file("utils/suggestions.py")
    nearby.check_resume(
        args.run_dir or _run_dir(args.recipe),
        args.resume,
        lambda path: nearby.near(path, suggestions),
    )


def run(args: argparse.Namespace) -> int | None:
    """keras-gans train RECIPE"""
    from keras_gans.training import distribution, runs
    from keras_gans.training.lengths import LENGTHS

    if args.workers != 1:
        return _launch(args)
    run_dir = args.run_dir or _run_dir(args.recipe)
    recipe = recipes.recipes()[args.recipe]
    options = recipes.options(recipe)
    paper = recipe.paper if getattr(args, "variant", None) else {}
    flags = {k: v for k, v in vars(args).items() if v is not None or k not in options}
    if any(flags.get(name) is not None for name in LENGTHS):
        paper = {k: v for k, v in paper.items() if k not in LENGTHS}
    told = {**paper, **flags}
    run_options = {name: told[name] for name in options if name in told}
    arguments = {
        name: told[name] for name in recipes.model_arguments(recipe) if name in told
    }
    if args.resume and runs.is_run(run_dir):
        config = runs.changed(run_dir, args.recipe, arguments, run_options)
    else:
        if run_options.get("from_preset"):
            preset = run_options["from_preset"]
            arguments = runs.fine_tuned(args.recipe, preset, arguments)
        config = runs.new_config(args.recipe, arguments, **run_options)
    runs.train(run_dir, config, args.resume, args.overwrite, args.from_checkpoint)
    if distribution.is_chief():
        said.after_training(run_dir, recipe.task, recipe.model)


def _launch(args):
    """Runs the command in several processes of one training."""
    from keras_gans.training import distribution

    # argparse lets the last of a flag win.
    words = [*args.argv, "--workers=1"]
    command = [sys.executable, "-m", "keras_gans_cli", *words]
    return distribution.launch(args.workers, command)
