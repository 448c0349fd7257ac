"""The commands `keras-gans translate` and `keras-gans convert`."""

import ast
import sys

MAX_LISTED = 20


def add_to(command):
    """Adds the commands to a parser.

    Args:
        command: function of `(name, run, summary)` that gives a sub-parser.
    """
    add = command(
        "translate", translate_run, "Translate pictures by Pix2Pix or CycleGAN."
    ).add_argument
    add("model", metavar="MODEL", help="a run directory or a .keras file")
    add(
        "inputs",
        metavar="INPUT",
        nargs="+",
        help="pictures, folders of them, or patterns such as 'photos/*.jpg'",
    )
    add("--out", required=True, metavar="DIR", help="folder of the results")
    add(
        "--direction",
        choices=("ab", "ba"),
        default="ab",
        help="of a CycleGAN (ab)",
    )
    add(
        "--evaluation",
        action="store_true",
        help="moving statistics and no dropout; else as the paper tests",
    )
    add("--seed", type=int, default=0, help="of dropout (0)")
    add("--size", type=_literal, help="pixels that a colourisation works at")
    add("--masks", metavar="DIR", help="masks of an inpainting, white: hole")
    add(
        "--max_pixels", type=int, help="of a picture, to bound memory (4194304)"
    )
    add("--overwrite", action="store_true", help="write into a folder in use")
    add = command(
        "convert", convert_run, "Make a .keras file of a PyTorch checkpoint."
    ).add_argument
    add("file", metavar="FILE", help="a .pth, .pt or .safetensors file")
    add("--to", required=True, metavar="DIR", help="folder of the .keras file")
    add(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="what weights do not tell, such as dropout=0 or n_layers=3",
    )
    add("--overwrite", action="store_true")


def translate_run(args):
    """keras-gans translate MODEL INPUT..."""
    from keras_gans import translation_files

    limit = args.max_pixels
    report = translation_files.translate_files(
        args.model,
        args.inputs,
        args.out,
        direction=args.direction,
        evaluation=args.evaluation,
        seed=args.seed,
        size=args.size,
        masks=args.masks,
        max_pixels=translation_files.MAX_PIXELS if limit is None else limit,
        overwrite=args.overwrite,
    )
    for note, count in report.notes.items():
        print(f"{note}: {count}", file=sys.stderr)
    failed = report.failed
    total = len(report.written) + len(failed)
    print(f"{len(report.written)} of {total} pictures translated: {args.out}")
    if failed:
        lines = [f"{path}: {why}" for path, why in failed.items()]
        more = [f"and {len(lines) - MAX_LISTED} more"]
        more = more if len(lines) > MAX_LISTED else []
        raise ValueError(
            f"{len(failed)} of {total} pictures were not translated:\n"
            + "\n".join(lines[:MAX_LISTED] + more)
        )


def convert_run(args):
    """keras-gans convert FILE"""
    from keras_gans.convert.files import convert_file

    config = dict(map(_setting, args.set))
    target, text = convert_file(args.file, args.to, args.overwrite, **config)
    print(f"{text}\n{target}")


def _setting(text):
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise ValueError(f"--set takes NAME=VALUE. Received: --set={text}.")
    return name, _literal(value)


def _literal(text):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
