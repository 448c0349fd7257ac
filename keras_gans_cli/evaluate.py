"""The command `keras-gans evaluate`."""

import argparse
import pathlib

from keras_gans_cli import values

SUMMARY = "Score a run or a folder."
CACHE = "~/.cache/keras_gans"


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    add = parser.add_argument
    add("target", metavar="RUN_OR_FOLDER", help="a run, or a folder of images")
    add(
        "--data", help="the reals: emoji, tfds:NAME or a folder; a run's own by default"
    )
    add("--metrics", default="fid,kid", help="names with commas (default: fid,kid)")
    add("--network", default="lite0", help="lite0 or inception (default: lite0)")
    add("--weights", help="file of Inception's weights")
    add("--n", type=int, help="samples of a run, or files; as many as reals by default")
    add("--seed", type=int, default=0, help="of the samples (default: 0)")
    add("--image_size", type=values.size, help="pixels that reals are brought to")
    add(
        "--input_size",
        type=values.size,
        help="pixels that the network sees; its own by default",
    )
    add("--resize", help="clean, legacy_tensorflow or legacy_torch")
    add("--split", help="of a tfds: source; train by default")
    add("--data_dir", help="where tensorflow-datasets keeps its files")
    add("--batch_size", type=int, default=64, help="images at a time (default: 64)")
    add(
        "--subsets",
        type=int,
        help="of the kernel distance, with --subset_size (one over all)",
    )
    add("--subset_size", type=int, help="samples of each side in a subset")
    add(
        "--cache_dir",
        default=CACHE,
        help=f"where features of files are kept ({CACHE}); '' keeps none",
    )
    add("--best", action="store_true", help="of a run, its best checkpoint")
    add("--out", metavar="FILE.jsonl", help="adds a line for each score")


def run(args: argparse.Namespace) -> None:
    """keras-gans evaluate RUN_OR_FOLDER"""
    from keras_gans.metrics import evaluate
    from keras_gans.metrics.table import check_metrics
    from keras_gans.training import runs

    metrics = check_metrics(args.metrics.split(","))
    if args.out is not None and pathlib.Path(args.out).suffix != ".jsonl":
        raise ValueError(
            f"Scores are lines of a .jsonl file. Received: --out={args.out}."
        )
    fake, data, data_dir = args.target, args.data, args.data_dir
    if runs.is_run(args.target):
        config = runs.read_config(args.target)
        fake, _ = runs.open_run(args.target, args.best)
        data = data or config["data"]
        if data == config["data"]:
            data_dir = data_dir or config["data_dir"]
    elif data is None and metrics != ("is",):
        raise ValueError(
            "What are the fakes to be compared with? Pass --data=FOLDER, or "
            f"emoji or tfds:NAME. Received: {args.target} and no --data."
        )
    settings = {}
    if (args.subsets, args.subset_size) != (None, None):
        given = {"subsets": args.subsets, "subset_size": args.subset_size}
        settings["kid"] = given
    records = evaluate(
        fake,
        data,
        metrics,
        args.network,
        n=args.n,
        seed=args.seed,
        weights=args.weights,
        input_size=args.input_size,
        resize=args.resize,
        image_size=args.image_size,
        split=args.split,
        data_dir=data_dir,
        settings=settings,
        batch_size=args.batch_size,
        cache_dir=args.cache_dir or None,
    )
    for record in records:
        print(record)
    if args.out is not None:
        with open(args.out, "a") as file:
            file.writelines(record.to_json() + "\n" for record in records)
