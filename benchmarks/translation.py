"""What translation learns in minutes, on emoji that training never saw.

    python benchmarks/translation.py
    python benchmarks/translation.py --docs

Each task trains on nine tenths of the embedded emoji, 64 x 64 pixels as they
are, and is scored on the tenth that is held out, beside what needs no training:

- pix2pix, line art to 3D, then the same U-Net from the same start values with
  L1 alone for as many steps; the mean training picture; the nearest one: the
  3D picture of the training emoji whose line art is nearest.
- cyclegan, flat to 3D, each style in an order of its own: partners meet by
  chance alone. Its generators make what is added to the picture. The flat
  picture itself; its colours by the linear map that gives all flat pixels the
  mean and covariance of all 3D ones.
- inpainting; the hole filled with the mean of the pixels around it.
- colorization; the picture without colours.

Scores are means over the held-out emoji, all lower is better: L1 of pixels in
[-1, 1] (of inpainting, in the hole), the distance of Lite0 features to those
of the true picture, and the Lite0 kernel distance of all to all true ones.

A row goes to --results when it is done and is not measured again, so a killed
run loses only the row under way. Pictures are of seed 0. The second command
writes docs/translation.md from the rows. All of them take about an hour of one
core. Two processes with a core each share them, as batches are small:

    taskset -c 0 python benchmarks/translation.py --seeds=0
    taskset -c 1 python benchmarks/translation.py --seeds=1

Batches and rates are larger, and networks narrower, than the papers': more of
the set in these minutes; Pix2Pix has CycleGAN's least squares. Rates fall
linearly to 0 in the second half of the steps. After batches of more than one
image, all translate in evaluation mode.
"""

import argparse
import json
import os
import pathlib
import sys
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Some processors compute faster with it, and TensorFlow leaves it off on them.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import numpy as np
import translation_scores
from translation_scores import SOURCE, TRUTH
import untrained

import keras_gans
from keras_gans import applications, data
from keras_gans.applications import lab
from keras_gans.core.optimizers import decay_linearly
from keras_gans.networks.unet import unet_generator
from keras_gans.training import callbacks
from keras_gans_cli import values

ROOT = pathlib.Path(__file__).parents[1]
SIZE = 64
JITTER = 6  # pixels
# The U-Net halves 64 pixels 6 times, a patch of the judge sees 34.
UNET = {
    "width": 16,
    "depth": 6,
    "n_layers": 2,
    "dropout": 0.0,
    "objective": "least_squares",
}
FAST = {"batch_size": 16, "rate": 1e-3, "arguments": UNET}
TASKS = {
    "pix2pix": {"steps": 1700, **FAST},
    "cyclegan": {
        "steps": 1800,
        "batch_size": 4,
        "rate": 5e-4,
        # Weaker cycles than the paper's 10: the emoji are to change.
        "arguments": {
            "width": 16,
            "n_layers": 2,
            "cycle_weight_a": 2.0,
            "cycle_weight_b": 2.0,
        },
        "depth": 4,
    },
    "inpainting": {"steps": 700, **FAST},
    "colorization": {"steps": 700, **FAST},
}


def pairs(source, channels, split):
    """All pairs of a split as two arrays in [-1, 1]."""
    batches = data.load_pairs(
        source,
        source_channels=channels,
        split=split,
        batch_size=100,
        shuffle=False,
        drop_remainder=False,
    )
    sides = zip(*batches.as_numpy_iterator(), strict=True)
    return [np.concatenate(side) for side in sides]


def adam(settings):
    return keras.optimizers.Adam(settings["rate"], beta_1=0.5)


def decay(settings):
    return settings["steps"] // 2, settings["steps"]


def train(gan, dataset, settings):
    """Compiles, and trains for all steps; returns the time that it took."""
    gan.compile(adam(settings), adam(settings))
    return fit(gan, dataset, settings, [callbacks.NanGuard()])


def fit(model, dataset, settings, watch=()):
    start = time.perf_counter()
    model.fit(
        dataset,
        steps_per_epoch=settings["steps"],
        shuffle=False,
        verbose=0,
        callbacks=list(watch),
    )
    seconds = time.perf_counter() - start
    rate = settings["steps"] * settings["batch_size"] / seconds
    return {"train_seconds": round(seconds, 1), "images_per_second": round(rate, 1)}


# --- Tasks: each returns what training took, and pictures by method ---


def pix2pix(settings):
    seed, source = settings["seed"], "emoji:line-3d"

    def build():
        keras.utils.set_random_seed(seed)
        gan = keras_gans.Pix2Pix(
            (SIZE, SIZE, 3),
            source_channels=1,
            seed=seed,
            linear_decay=decay(settings),
            **settings["arguments"],
        )
        dataset = data.load_pairs(
            source,
            source_channels=1,
            batch_size=settings["batch_size"],
            jitter=JITTER,
            flip=True,
            seed=seed,
            repeat=True,
        )
        return gan, dataset

    lines, targets = pairs(source, 1, "train")
    held_out, truth = pairs(source, 1, "test")
    gan, dataset = build()
    took = train(gan, dataset, settings)
    made = gan.translate(held_out, evaluation=True)
    gan, dataset = build()  # the same start and the same batches
    optimizer = adam(settings)
    decay_linearly(optimizer, *decay(settings))
    gan.generator.compile(optimizer, "mae")
    alone = fit(gan.generator, dataset, settings)
    took["l1_alone_seconds"] = alone["train_seconds"]
    nearest = [np.square(lines - x).sum(axis=(1, 2, 3)).argmin() for x in held_out]
    return took, {
        SOURCE: np.repeat(held_out, 3, axis=-1),
        "Pix2Pix": made,
        "U-Net, L1 alone": gan.translate(held_out, evaluation=True),
        "mean picture": np.repeat(targets.mean(0)[None], len(truth), axis=0),
        "nearest training picture": targets[nearest],
        TRUTH: truth,
    }


def cyclegan(settings):
    seed, source = settings["seed"], "emoji:flat-3d"
    keras.utils.set_random_seed(seed)
    gan = keras_gans.CycleGAN(
        (SIZE, SIZE, 3),
        generator_ab=adding(settings, "generator_ab"),
        generator_ba=adding(settings, "generator_ba"),
        seed=seed,
        linear_decay=decay(settings),
        **settings["arguments"],
    )
    dataset = data.load_unpaired(
        source,
        batch_size=settings["batch_size"],
        jitter=JITTER,
        flip=True,
        seed=seed,
        repeat=True,
    )
    took = train(gan, dataset, settings)
    flat, truth = pairs(source, 3, "test")
    moments = untrained.colour_map(*pairs(source, 3, "train"))
    return took, {
        "identity": flat,
        "CycleGAN": gan.translate(flat, evaluation=True),
        "colour moments": moments(flat),
        TRUTH: truth,
    }


def adding(settings, name):
    """A U-Net of instance norm that makes what is added to the picture.

    Minutes are too short to learn first what is already there.
    """
    unet = unet_generator(
        (None, None, 3),
        depth=settings["depth"],
        width=settings["arguments"]["width"],
        norm="instance",
    )
    made = keras.ops.clip(unet.input + unet.output, -1, 1)
    return keras.Model(unet.input, made, name=name)


def application(settings, made_by):
    """Trains an application; returns it, its GAN, and the held-out pictures."""
    seed = settings["seed"]
    keras.utils.set_random_seed(seed)
    gan = made_by.gan(
        (SIZE, SIZE, 3),
        seed=seed,
        linear_decay=decay(settings),
        **settings["arguments"],
    )
    dataset = data.load(
        pairs("emoji:flat-3d", 3, "train")[1],
        batch_size=settings["batch_size"],
        flip=True,
        seed=seed,
        repeat=True,
    )
    took = train(gan, made_by.pairs(dataset, seed=seed), settings)
    return gan, took, pairs("emoji:flat-3d", 3, "test")[1]


def inpainting(settings):
    made_by = applications.Inpainting()
    gan, took, truth = application(settings, made_by)
    masks = made_by.masks(len(truth), SIZE, SIZE, seed=2**31 - 1)
    return took, {
        SOURCE: np.where(masks, 0, truth),
        "Inpainting": made_by.apply(gan, truth, masks, evaluation=True),
        "mean of the border": untrained.border_means(truth, masks),
        TRUTH: truth,
        "holes": masks,
    }


def colorization(settings):
    made_by = applications.Colorization()
    gan, took, truth = application(settings, made_by)
    lightness, ab = made_by.pair(truth)
    grey = keras.ops.convert_to_numpy(lab.join(lightness, 0 * ab))
    return took, {
        "grey": grey,
        "Colorization": made_by.apply(gan, truth, evaluation=True),
        TRUTH: truth,
    }


# --- Rows ---


def settings_of(task, seed, args):
    """All that decides a row, as JSON holds it."""
    settings = {
        **TASKS[task],
        "task": task,
        "seed": seed,
        "arguments": {**TASKS[task]["arguments"], **args.set},
        "backend": keras.backend.backend(),
    }
    if args.steps:
        settings["steps"] = args.steps
    return json.loads(json.dumps(settings, sort_keys=True))


def read_rows(path):
    if not path.exists():
        return {}
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return {json.dumps(row["settings"], sort_keys=True): row for row in rows}


def measure(settings, args):
    key = json.dumps(settings, sort_keys=True)
    if key in read_rows(args.results):
        print(f"Measured before: {key}", flush=True)
        return
    print(f"\n{key}", flush=True)
    task = settings["task"]
    start = time.perf_counter()
    took, pictures = globals()[task](settings)
    modules = (keras_gans, keras, sys.modules[settings["backend"]])
    row = {
        "settings": settings,
        **took,
        "scores": translation_scores.of(pictures),
        "methods": [k for k in pictures if k != "holes"],
        "minutes_in_all": round((time.perf_counter() - start) / 60, 2),
        "cores": len(os.sched_getaffinity(0)),
        "versions": {m.__name__: m.__version__ for m in modules},
    }
    if settings["seed"] == 0:
        translation_scores.show(pictures, args.pictures / f"translation_{task}.png")
    args.results.parent.mkdir(parents=True, exist_ok=True)
    with open(args.results, "a") as file:
        file.write(json.dumps(row) + "\n")
    for method, found in row["scores"].items():
        shown = ", ".join(f"{k} {v:.4g}" for k, v in found.items())
        print(f"  {method}: {shown}")
    print(
        f"  {settings['steps']} steps, {row['images_per_second']} images/s, "
        f"{row['minutes_in_all']} minutes in all",
        flush=True,
    )


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--tasks", default=",".join(TASKS))
    add("--seeds", default="0,1,2")
    add("--steps", type=int, help="of training, instead of each task's")
    text = "NAME=VALUE, an argument of the model; may be given again"
    add("--set", action="append", default=[], help=text)
    default = ROOT / "results" / "translation.jsonl"
    add("--results", type=pathlib.Path, default=default)
    default = ROOT / "docs" / "images"
    add("--pictures", type=pathlib.Path, default=default)
    add("--docs", action="store_true", help="writes docs/translation.md")
    args = parser.parse_args()
    args.tasks = args.tasks.split(",")
    if unknown := set(args.tasks) - set(TASKS):
        parser.error(f"--tasks: {unknown}; there are {', '.join(TASKS)}")
    args.seeds = [int(seed) for seed in args.seeds.split(",")]
    if args.steps is not None and args.steps < 2:
        parser.error("--steps must be 2 or more")
    given = [text.partition("=") for text in args.set]
    args.set = {name: values.value(text) for name, _, text in given}
    return args


def main(args):
    if args.docs:
        import translation_docs

        rows = read_rows(args.results)
        usual = [
            json.dumps(settings_of(task, seed, args), sort_keys=True)
            for task in TASKS
            for seed in args.seeds
        ]
        translation_docs.write([rows[key] for key in usual if key in rows])
        return
    for seed in args.seeds:  # each task once, before any twice
        for task in args.tasks:
            measure(settings_of(task, seed, args), args)


if __name__ == "__main__":
    main(parse())
