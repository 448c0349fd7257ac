"""The command `keras-gans project`."""

import argparse
import pathlib
import time

from keras_gans_cli import sample, values
from keras_gans_cli import words as said

SUMMARY = "Find the sample that is most like a picture of yours."
SECONDS = 5  # between two lines of progress


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    add = parser.add_argument
    add("run_dir", metavar="MODEL", help="a run, a preset or a .keras file")
    add("picture", metavar="PICTURE", help="file of the picture")
    add("--out", metavar="DIR", help="folder to make (default: PICTURE-projected)")
    add(
        "--space",
        choices=("w", "w+", "z"),
        help="one code for all layers, one for each, or a latent code (default: w+, "
        "or z where there is no w)",
    )
    add("--steps", type=int, default=1000, help="of Adam (default: 1000)")
    add(
        "--features",
        choices=("pixels", "lite0"),
        default="pixels",
        help="what is compared: pixels at several sizes, or maps of "
        "EfficientNet-Lite0 (default: pixels)",
    )
    add("--labels", metavar="VALUE", help="class of the picture, number or name")
    add("--seed", type=int, default=0, help="of noise (default: 0)")
    add("--best", action="store_true", help="take the checkpoint in best/")
    add("--overwrite", action="store_true", help="replace what stands at --out")


def refuse(args: argparse.Namespace) -> None:
    """Finds that the picture is missing, or --out taken."""
    values.check_free(_folder(args), args.overwrite, folder=True)
    if not pathlib.Path(args.picture).is_file():
        raise ValueError(f"No such file. Received: {args.picture}.")


def _folder(args):
    return pathlib.Path(args.out or f"{pathlib.Path(args.picture).stem}-projected")


def run(args: argparse.Namespace) -> None:
    """keras-gans project RUN PICTURE"""
    from keras_gans.core import previews
    from keras_gans.inference import opening
    from keras_gans.inference.latent import project, read_target
    from keras_gans.inference.latent.projection import check_space
    from keras_gans.modalities import image_files
    from keras_gans.training import runs

    out = _folder(args)
    image_files.read_head(args.picture)
    gan, step = opening.open_gan(args.run_dir, args.best)
    space = check_space(gan, args.space)
    names = None
    if runs.is_run(args.run_dir):
        names = runs.read_config(args.run_dir).get("class_names")
    given = sample.read_inputs(
        gan, {"labels": sample.label_numbers(args.labels, names)}
    )
    target = read_target(gan, args.picture)
    told = _Told(args.steps)
    options = {"features": args.features, "seed": args.seed, "progress": told}
    projection = project(gan, target, space, args.steps, **options, **given)
    name = "projected_z.npz" if projection.space == "z" else "projected_w.npz"
    projection.save(out / name, overwrite=args.overwrite)
    likeness = f"distance {projection.distance:.4g} of {args.features}"
    if projection.ssim is not None:
        likeness += f", SSIM {projection.ssim:.3f}"
    caption = previews.caption(
        gan, f"{pathlib.Path(args.picture).name} and its projection, {likeness}"
    )
    projection.preview(caption).save(out / "comparison.png", overwrite=args.overwrite)
    gan.modality.write(out / "proj.png", projection.image, overwrite=args.overwrite)
    print(
        f"{args.picture} in {projection.space}{said.of_step(step)}, {likeness}: {out}"
    )
    if projection.space == "z":
        print(f"In Python: z = numpy.load({str(out / name)!r})['z']")
        return
    flags = said.flags_of(args, "best", "labels")
    use = ("directions", args.run_dir, *flags, f"--codes_file={out / name}")
    again = (*flags, *said.flags_of(args, "space", "features", "seed"))
    said.next_steps(
        ("change it", *use, f"--out={out}-directions"),
        ("with more steps", "project", args.run_dir, args.picture)
        + (*again, f"--steps={2 * args.steps}", f"--out={out}-2"),
    )


class _Told:
    """Prints a line every few seconds."""

    def __init__(self, steps):
        self.steps, self.due = steps, time.monotonic() + SECONDS

    def __call__(self, step, distance):
        if time.monotonic() >= self.due:
            self.due = time.monotonic() + SECONDS
            print(f"step {step} of {self.steps}: distance {distance:.4g}", flush=True)
