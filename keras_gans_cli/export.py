"""The command `keras-gans export`."""

import argparse

from keras_gans_cli import words as said

SUMMARY = "Write a model for TF Serving, ONNX or LiteRT."
FORMATS = ("saved_model", "onnx", "litert")
PRECISIONS = ("float32", "float16", "int8")


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    add = parser.add_argument
    add("run_dir", metavar="MODEL", help="a run, a preset or a .keras file")
    add(
        "--to",
        required=True,
        metavar="PATH",
        help="models/NAME writes its next version, models/NAME/3 that one; of "
        "other formats a file, NAME.onnx or NAME.tflite",
    )
    add("--best", action="store_true", help="take the checkpoint in best/")
    add("--overwrite", action="store_true", help="replace the version or file")
    add(
        "--format",
        choices=FORMATS,
        default="saved_model",
        help="(default: %(default)s)",
    )
    add(
        "--precision",
        choices=PRECISIONS,
        default="float32",
        help="of LiteRT's weights (default: float32)",
    )
    add("--direction", metavar="WAY", help="of CycleGAN's ONNX or LiteRT: ab or ba")
    add(
        "--serving_files",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="write what TF Serving, Docker, Kubernetes and clients need beside the "
        "model's folder (default: on)",
    )


def run(args: argparse.Namespace) -> None:
    """keras-gans export RUN"""
    if args.format == "saved_model":
        _saved_model(args)
    else:
        _converted(args)


def _saved_model(args):
    from keras_gans.inference import opening
    from keras_gans.serving import deployment, publishing

    for name, plain in (("precision", "float32"), ("direction", None)):
        if getattr(args, name) != plain:
            raise ValueError(
                f"A SavedModel holds all of a model in float32. Received: {name}="
                f"{getattr(args, name)}. Leave it out, or choose another --format."
            )
    publishing.check(args.to, args.overwrite)
    gan, step = opening.open_gan(args.run_dir, args.best)
    names = opening.class_names_of(args.run_dir)
    target = publishing.write(gan, args.to, args.overwrite, names)
    print(f"SavedModel{said.of_step(step)}: {target}")
    if args.serving_files:
        deployment.write(gan, target.parent, print)
    said.after_export(target)


def _converted(args):
    from keras_gans.inference import opening
    from keras_gans.serving import converting

    converting.check(args.to, args.format, args.precision, args.overwrite)
    gan, step = opening.open_gan(args.run_dir, args.best)
    converted = converting.convert(
        gan, args.to, args.format, args.precision, args.overwrite, args.direction
    )
    print(f"{args.format}{said.of_step(step)}: {args.to}\n{converted}")
