"""The command `keras-gans generate`."""

import argparse

from keras_gans_cli import latent, sample, values
from keras_gans_cli import words as said

SUMMARY = "Write a picture of each seed: `sample --each`, by StyleGAN's name."
ENDING = "-generated"  # of what is written without --out


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    latent.add_model(parser, "folder of the pictures: seed0000.png ...", ENDING)
    parser.add_argument(
        "--seeds",
        metavar="LIST",
        help="one sample for each seed, such as 0-35,77; of every class, unless "
        "--labels are given",
    )
    parser.add_argument(
        "--codes_file",
        metavar="FILE",
        help="codes w to show in place of seeds, as `project` writes them",
    )
    sample.add_cutoff(parser)
    latent.add_draws(parser)


def refuse(args: argparse.Namespace) -> None:
    """Finds flags that do not fit, and an --out that is taken."""
    latent.name_out(args, ENDING)
    if (args.seeds is None) == (args.codes_file is None):
        raise ValueError(
            "Samples are of --seeds or of a --codes_file. Received: "
            f"{'none' if args.seeds is None else 'both'}. Give one of them, such as "
            "--seeds=0-35."
        )
    if args.out.lower().endswith(".png"):
        raise ValueError(
            f"A file is written for each seed. Received: --out={args.out}. Name a "
            "folder, or make a grid by `keras-gans sample`."
        )
    if args.seeds is not None:
        sample.read_seeds(args.seeds)
    values.check_free(args.out, args.overwrite, folder=True)


def run(args: argparse.Namespace) -> None:
    """keras-gans generate RUN"""
    from keras_gans.inference.latent import LatentSpace, load_codes

    seeds = None if args.seeds is None else sample.read_seeds(args.seeds)
    n = None if seeds is None else len(seeds)
    gan, step, class_names, given = sample.opened(args, n)
    if seeds is None:
        if given or args.cutoff is not None:
            raise ValueError(
                "Codes w are of a class and truncated already. Received: "
                f"--codes_file with {', '.join(given) or 'cutoff'}. Leave it out."
            )
        codes = load_codes(gan, args.codes_file)
        stems = [f"code{i:04d}" for i in range(len(codes))]
        batches, told = [LatentSpace(gan).synthesize(codes)], args.codes_file
    else:
        seeds, _ = sample.with_every_class(gan, seeds, given)
        stems = [f"seed{seed:04d}" for seed in seeds]
        stems = sample.with_classes(stems, gan, given, class_names)
        batches, told = (
            sample.of_seeds(gan, seeds, given, args.cutoff, args.draws),
            f"seeds {args.seeds}",
        )
    n = sample.write_each(args, gan.modality, stems, batches)
    print(f"{said.count_of(n, 'sample')}{said.of_step(step)}, {told}: {args.out}")
    flags = sample.of_all(args, "draws")
    walk = (*flags, *said.flags_of(args, "cutoff"), "--seeds=0,1,2", "--out=walk.gif")
    said.next_steps(
        ("from seed to seed", "walk", args.run_dir, *walk),
        ("what can be changed", "directions", args.run_dir)
        + (*flags, "--out=directions"),
    )
