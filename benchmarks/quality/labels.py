"""Whether samples show the labels that were asked for.

    python benchmarks/quality/labels.py --minutes=10

Each model trains on Fashion-MNIST for some minutes; a classifier of at least
90 % test accuracy then scores samples of known labels. Of models with labels: the
share of samples in which it finds the label asked for. InfoGAN: purity, the share
whose class is the most frequent one of their category. Purity is 1 where all
samples are alike, so the number of classes covered goes with it.
Results, classifier and pictures (a row a label, a column a seed) go to --out;
what is in its labels.jsonl is not trained again.
"""

import argparse
import json
import os
import pathlib
import sys

import fashion
from fashion import N
import keras
import numpy as np

import keras_gans
from keras_gans.modalities import pictures
from keras_gans.training import callbacks, recipes
from keras_gans.utils import files
from keras_gans_cli import recipes as command_recipes
from keras_gans_cli import values

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import timed

LEAST_ACCURACY = 0.9
NUMBERS = {"minutes": 10.0, "batch_size": 64, "per_class": 1000, "seed": 0}
# What each model is measured by, what is aimed at, and what is no choice.
MODELS = {
    "conditional_gan": ("share", 0.8, {"num_classes": N}),
    "acgan": ("share", 0.8, {"num_classes": N}),
    "sngan": ("share", 0.92, {"num_classes": N}),
    "sagan": ("share", 0.92, {"num_classes": N}),
    "biggan": ("share", 0.92, {"num_classes": N}),
    # Little noise: else the noise decides what is shown, and not the category.
    "infogan": ("purity", 0.6, {"num_categories": N, "num_codes": 1, "latent_dim": 4}),
}


def settings_of(name, args):
    """All that decides a model's result, as JSON holds it."""
    if name not in MODELS:
        raise ValueError(f"--models are {', '.join(MODELS)}, not {name!r}.")
    recipe = recipes.get(name)
    fixed = {"image_shape": fashion.SHAPE, **MODELS[name][2]}
    free = command_recipes.model_arguments(recipe).keys() - fixed.keys()
    for key in args.set.keys() - free:
        raise ValueError(f"--set {key}: {name} takes {sorted(free)}.")
    settings = {
        "model": name,
        "arguments": recipes.arguments(recipe, {**fixed, **args.set}),
        **{flag: getattr(args, flag) for flag in NUMBERS},
        "backend": keras.backend.backend(),
    }
    return json.loads(json.dumps(settings, sort_keys=True))


def build(settings):
    recipe = recipes.get(settings["model"])
    keras.utils.set_random_seed(settings["seed"])
    model = recipes.model_of(recipe)
    gan = model(**settings["arguments"], seed=settings["seed"])
    recipes.compile(recipe, gan)
    return gan


def train(gan, settings, data_dir):
    """Trains for the minutes set; returns what it took."""
    size = settings["batch_size"]
    dataset = fashion.load(
        data_dir, batch_size=size, seed=settings["seed"], repeat=True
    )
    return timed.train(
        gan, dataset, settings["minutes"], gan.d_steps * size, [callbacks.NanGuard()]
    )


def report(row):
    """Prints a result and what the classifier found, label by label."""
    settings, labels = row["settings"], row["labels"]
    measured, aim, _ = MODELS[settings["model"]]
    print(
        f"\n{settings['model']}: {measured} {row[measured]:.1%}, aim {aim:.0%}"
        f", of {len(labels)} x {settings['per_class']} samples\n"
        f"  spread within a label {row['spread']:.2f} of real images'\n"
        f"  classifier {row['classifier_accuracy']:.2%}, seed {settings['seed']}, "
        f"first step {row['first_step_seconds']} s, then {row['train_seconds']} s: "
        f"{row['steps']} steps, {row['images_per_second']} images/s, "
        f"{row['cores']} cores"
    )
    if measured == "purity":
        print(
            f"  {row['classes_covered']} classes covered; Q's purity on test "
            f"images {row['purity_of_reals_by_q']:.1%}"
        )
    for i, (name, share) in enumerate(labels):
        print(f"  {i}  {name:12}{share:7.1%}")


def main(jobs, out, data_dir, overwrite):
    test = fashion.arrays("test", data_dir)
    classifier = fashion.open_classifier(out / "classifier.keras", data_dir)
    accuracy = float(np.mean(fashion.classes(classifier, test[0]) == test[1]))
    print(f"Classifier: {accuracy:.2%} of {len(test[1])} test images", flush=True)
    if accuracy < LEAST_ACCURACY:
        sys.exit(f"Below {LEAST_ACCURACY:.0%}: remove {out}/classifier.keras.")
    path = out / "labels.jsonl"
    for settings in jobs:
        lines = path.read_text().splitlines() if path.exists() else []
        rows = {str(json.loads(line)["settings"]): line for line in lines}
        key = str(settings)
        if key in rows and not overwrite:
            print(f"\nMeasured before (--overwrite measures again): {path}")
            report(json.loads(rows[key]))
            continue
        print(f"\nTraining {key}", flush=True)
        gan = build(settings)
        row = {"settings": settings, **train(gan, settings, data_dir)}
        row |= fashion.measure(gan, classifier, test, settings)
        row["classifier_accuracy"] = accuracy
        row["cores"] = len(os.sched_getaffinity(0))
        modules = (keras_gans, keras, sys.modules[settings["backend"]])
        row["versions"] = {m.__name__: m.__version__ for m in modules}
        grid = [gan.sample(1, seed=i % 10, labels=i // 10) for i in range(10 * N)]
        picture = out / f"{settings['model']}.png"
        pictures.save_grid(picture, np.concatenate(grid), 10, overwrite=True)
        rows[key] = json.dumps(row)
        with files.replacing(path) as temporary:
            temporary.write_text("\n".join(rows.values()) + "\n")
        report(row)


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--models", default=",".join(MODELS))
    for flag, value in NUMBERS.items():
        parser.add_argument(f"--{flag}", type=type(value), default=value)
    parser.add_argument("--data_dir", help="of tensorflow-datasets")
    parser.add_argument("--out", type=pathlib.Path, default="runs/labels")
    parser.add_argument("--overwrite", action="store_true")
    text = "NAME=VALUE, a constructor argument; may be given again"
    parser.add_argument("--set", action="append", default=[], help=text)
    args = parser.parse_args()
    for flag in ("minutes", "batch_size", "per_class"):
        if not 0 < getattr(args, flag) < float("inf"):
            parser.error(f"--{flag} must be positive")
    try:
        given = [text.partition("=") for text in args.set]
        args.set = {name: values.value(text) for name, _, text in given}
        jobs = [settings_of(name, args) for name in args.models.split(",")]
        for job in jobs:
            build(job)  # what does not fit shows before any training
        args.out.mkdir(parents=True, exist_ok=True)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    return jobs, args.out, args.data_dir, args.overwrite


if __name__ == "__main__":
    main(*parse())
