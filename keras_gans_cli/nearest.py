"""The command `keras-gans nearest`."""

import argparse

from keras_gans_cli import sample, values
from keras_gans_cli import words as said

SUMMARY = "Show samples beside their nearest training pictures."
COMPARED = 100  # training pictures whose distance to others is a yardstick
MEASURES = {
    "pixels": "mean squared differences of pixels in [-1, 1], summed over a picture "
    "and its halvings",
    "lite0": "mean squared differences of EfficientNet-Lite0's features, summed over "
    "maps of five sizes",
}


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    add = parser.add_argument
    add("run_dir", metavar="MODEL", help="a run, a preset or a .keras file")
    add("--out", default="nearest.png", metavar="PATH", help="PNG file to write")
    add("--n", type=int, help="samples, of the seeds 0 to N-1 (default: 16)")
    add("--seeds", metavar="LIST", help="samples of these seeds, such as 3,8 or 0-35")
    add(
        "--features",
        choices=("pixels", "lite0"),
        default="pixels",
        help="what is compared: pixels at several sizes, or maps of "
        "EfficientNet-Lite0 (default: pixels)",
    )
    add(
        "--data",
        metavar="PICTURES",
        help="what is compared with: a folder, emoji, tfds:NAME (default: what the "
        "model was trained on)",
    )
    add("--best", action="store_true", help="take the checkpoint in best/")
    add("--overwrite", action="store_true", help="replace what stands at --out")
    sample.add_inputs(parser)


def refuse(args: argparse.Namespace) -> None:
    """Finds flags that do not fit, and an --out that is taken."""
    values.check_ending(args.out, (".png",), "A table")
    if args.seeds is not None:
        _seeds(args)
    values.check_free(args.out, args.overwrite)


def run(args: argparse.Namespace) -> None:
    """keras-gans nearest RUN"""
    import numpy as np

    from keras_gans.core import previews
    from keras_gans.inference.nearest import nearest, training_pictures
    from keras_gans.modalities import pictures

    seeds = _seeds(args)
    gan, step, _, given = sample.opened(args, len(seeds))
    batches = training_pictures(args.run_dir, gan, args.data)
    samples = np.concatenate(list(gan.seed_batches(seeds, **given)))
    closest = nearest(samples, batches, args.features, COMPARED)
    tiles, columns = pictures.side_by_side(samples, closest.images)
    names = [
        name
        for seed, distance in zip(seeds, closest.distances, strict=True)
        for name in (f"seed {seed}", f"distance {distance:.3g}")
    ]
    caption = previews.caption(
        gan,
        "samples, each with the nearest training picture on its right, of "
        f"{closest.count:,}; distances are {MEASURES[args.features]}"
        + ("" if closest.usual is None else f"; {_usual(closest)}"),
    )
    wide = columns * (4 if len(seeds) >= 4 else 1)
    pictures.save_grid(args.out, tiles, wide, args.overwrite, names, caption)
    least = int(closest.distances.argmin())
    print(
        f"{said.count_of(len(seeds), 'sample')}{said.of_step(step)} beside the "
        f"nearest of {closest.count:,} pictures: {args.out}"
    )
    print(
        f"The nearest pair: seed {seeds[least]}, a distance of "
        f"{closest.distances[least]:.3g}: {MEASURES[args.features]}."
    )
    if closest.usual is not None:
        print(
            f"To compare: {_usual(closest)}. A sample that is much nearer may be a "
            "copy."
        )
    tell_next(args, seeds)


def _usual(closest):
    """What a distance is to be compared with."""
    return (
        f"the median of {closest.compared} of the pictures to their nearest "
        f"other one is {closest.usual:.3g}"
    )


def tell_next(args: argparse.Namespace, seeds: list[int]) -> None:
    """Prints the comparison that may follow this one."""
    flags = sample.of_all(args, "data")
    if args.features == "lite0":
        use = ("other samples", "nearest", args.run_dir, *flags, "--features=lite0")
        use += (sample.next_seeds(seeds), "--out=more.png")
    else:
        flags += said.flags_of(args, "n", "seeds")
        why = said.judging("by features of a network")
        use = (why, "nearest", args.run_dir, *flags, "--features=lite0")
        use += ("--out=lite0.png",)
    said.next_steps(use)


def _seeds(args):
    if args.seeds is None:
        from keras_gans.utils.validation import check_size

        return list(range(check_size("n", 16 if args.n is None else args.n)))
    if args.n is not None:
        raise ValueError(
            "--seeds says how many samples there are. Received: "
            f"--seeds={args.seeds} with --n={args.n}. Drop one."
        )
    return sample.read_seeds(args.seeds)
