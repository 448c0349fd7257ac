"""What the recipes of the command line learn, on emoji that they never saw.

    python benchmarks/quality/translation_recipes.py pix2pix --seeds=0,1,2
    python benchmarks/quality/translation_recipes.py --docs

For each seed the first command types what a user would, `keras-gans train NAME`
and `keras-gans translate RUN`, with nothing else but the seed and the folders,
and scores the results on the tenth of the emoji that training leaves out. Scores
are means, all lower is better: L1 of pixels in [-1, 1] (of inpainting, in the
hole), the distance of Lite0 features to those of the true picture, and the Lite0
kernel distance of all to all true ones. Beside the recipe stand

- of pix2pix, line art to 3D: the mean training picture, and the nearest one: the
  3D picture of the training emoji whose line art is nearest;
- of cyclegan, flat to 3D without pairs: the flat picture itself, and its colours
  by the linear map that gives all flat pixels the mean and covariance of all 3D
  ones;
- of colorization: the picture without colours;
- of inpainting: the hole filled with the mean of the pixels around it.

Colourisation and inpainting train on a folder of the 3D emoji of training, as
their own default is all of them. A row goes to results/translation.jsonl when it
is done, with seconds of the clock and of the processor, and is not measured again
unless the recipe changes. Pictures of seed 0 go to docs/images; the second
command writes docs/translation.md from the rows.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from PIL import Image
import tensorflow as tf
import translation_docs
import translation_scores
import untrained

import keras_gans
from keras_gans import applications, data
from keras_gans.modalities import pictures
from keras_gans.training import recipes
from keras_gans.utils import files
from keras_gans_cli import speeds

ROOT = pathlib.Path(__file__).parents[2]
ROWS = ROOT / "results" / "translation.jsonl"
SOURCES = {"pix2pix": "emoji:line-3d", "cyclegan": "emoji:flat-3d"}
NAMES = (*SOURCES, "colorization", "inpainting")
OURS = "this recipe"
SHOWN = 6  # held-out emoji in a picture


# --- Pictures and commands ---


def split(source, name):
    """The pairs of a split, as two arrays in [-1, 1]."""
    batches = data.load_pairs(
        source,
        source_channels=3,
        split=name,
        batch_size=100,
        shuffle=False,
        drop_remainder=False,
    )
    sides = zip(*batches.as_numpy_iterator(), strict=True)
    return [np.concatenate(side) for side in sides]


def write(folder, images):
    for i, image in enumerate(images):
        pictures.save_image(folder / f"{i:04d}.png", image)


def read(folder):
    paths = sorted(folder.glob("*.png"))
    pixels = [np.asarray(Image.open(p).convert("RGB"), "float32") for p in paths]
    return [x / 127.5 - 1 for x in pixels]


def command(*words):
    """Runs `keras-gans`; returns its seconds of the clock and the processor."""
    before, start = _processor(), time.perf_counter()
    subprocess.run([sys.executable, "-m", "keras_gans", *map(str, words)], check=True)
    return time.perf_counter() - start, _processor() - before


def _processor():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# --- What is compared: functions of (train, held_out, truth, masks) ---


def of_pix2pix(train, held_out, truth, masks):
    lines, targets = train
    nearest = [np.square(lines - x).sum(axis=(1, 2, 3)).argmin() for x in held_out]
    return {
        "mean picture": np.repeat(targets.mean(0)[None], len(truth), axis=0),
        "nearest training picture": targets[nearest],
    }


def of_cyclegan(train, held_out, truth, masks):
    colours = untrained.colour_map(*train)
    return {"colour moments": colours(held_out), "flat": held_out}


def of_colorization(train, held_out, truth, masks):
    return {"grey": untrained.grey(truth)}


def of_inpainting(train, held_out, truth, masks):
    return {"mean of the border": untrained.border_means(truth, masks)}


BESIDE = {
    "pix2pix": of_pix2pix,
    "cyclegan": of_cyclegan,
    "colorization": of_colorization,
    "inpainting": of_inpainting,
}


# --- Rows ---


def setting(name):
    """A check sum of a recipe, `paper` aside."""
    recipe = dataclasses.replace(recipes.get(name), paper={})
    return f"{zlib.crc32(repr(recipe).encode()):08x}"


def measure(name, seed, folder):
    """Trains and translates as a user would.

    Returns:
        (took, images): the seconds of the training, of the clock and of the
        processor; and pictures by method. "holes" are masks.
    """
    source = SOURCES.get(name, "emoji:flat-3d")
    train, (held_out, truth) = split(source, "train"), split(source, "test")
    masks, given, options = None, [], []
    if name not in SOURCES:
        write(folder / "train", train[1])
        given = [f"--data={folder / 'train'}"]
        held_out = truth
    if name == "inpainting":
        masks = applications.Inpainting().masks(*truth.shape[:3], seed=2**31 - 1)
        held_out = np.where(masks, 0, truth)
        write(folder / "masks", 2.0 * masks - 1)
        options = [f"--masks={folder / 'masks'}"]
    write(folder / "in", held_out)
    run, out = folder / "run", folder / "out"
    took = command("train", name, f"--seed={seed}", f"--run_dir={run}", *given)
    command("translate", run, folder / "in", f"--out={out}", *options)
    made = {OURS: np.stack(read(out))}
    images = {**made, **BESIDE[name](train, held_out, truth, masks)}
    if name in ("pix2pix", "inpainting"):
        first = {translation_scores.SOURCE: held_out}
    else:  # a result of its own, without training
        first = dict([images.popitem()])
    images = {**first, **images, translation_scores.TRUTH: truth}
    return took, images if masks is None else {**images, "holes": masks}


def add_row(name, seed, runs):
    key = {"recipe": name, "seed": seed, "setting": setting(name)}
    if any(key.items() <= row.items() for row in translation_docs.read_rows(ROWS)):
        print(f"Measured before: {key}", flush=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (clock, processor), images = measure(name, seed, folder)
        if runs:
            shutil.move(folder / "run", runs / f"{name}-{seed}")
    row = {
        **key,
        "seconds": round(clock),
        "processor_seconds": round(processor),
        "scores": translation_scores.of(images),
        "machine": speeds.machine(),
        "versions": {m.__name__: m.__version__ for m in (keras_gans, keras, tf)},
    }
    if seed == 0:
        path = ROOT / "docs" / "images" / f"recipe_{name}.png"
        draw(images, path, SHOWN)
    with open(ROWS, "a") as file:
        file.write(json.dumps(row) + "\n")
    print(json.dumps(row, indent=1), flush=True)


def draw(images, path, n):
    """A column a method, a row a picture; 256 colours, to be small."""
    shown = {name: x for name, x in images.items() if name != "holes"}
    first = next(iter(shown.values()))
    chosen = np.linspace(0, len(first) - 1, n).astype(int)
    tiles, columns = pictures.side_by_side(*(x[chosen] for x in shown.values()))
    grid = Image.fromarray(pictures.draw_grid(tiles, columns, [*shown] * n))
    with files.replacing(path) as temporary:
        grid.quantize(256).save(temporary, "PNG", optimize=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", nargs="?", choices=NAMES)
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--runs", type=pathlib.Path, help="where to keep the runs")
    parser.add_argument("--docs", action="store_true")
    args = parser.parse_args()
    if (args.name is None) != args.docs:
        parser.error("a recipe's name, or --docs")
    if args.docs:
        translation_docs.write(ROWS, {name: setting(name) for name in NAMES})
        return
    for seed in map(int, args.seeds.split(",")):
        add_row(args.name, seed, args.runs)


if __name__ == "__main__":
    main()
