"""How near projections of held-out emoji come to them.

    taskset -c 0 python benchmarks/quality/projection.py --clock=cpu --out=out
    python benchmarks/quality/projection.py --docs --out=out

A StyleGAN2 of the recipe, without path lengths and augmentation, which cost half of
a step, trains for some minutes on the embedded emoji but for every 78th. With
--clock=cpu the minutes are the process's own. Those held out are projected into w
and w+. At --out: projection.json, the
structural similarities of each, and of the nearest of all training pictures, and a
picture of the first ten: held out, in w, in w+, the nearest. The second command puts
both into docs/latent_space.md.
"""

import argparse
import json
import os
import pathlib
import shutil
import sys
import time

import keras
import numpy as np
import tensorflow as tf

import keras_gans as kg
from keras_gans.metrics.features.resizing import resize
from keras_gans.metrics.functional.pixels import ssim
from keras_gans.modalities import pictures
from keras_gans.training import recipes

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import pages
import timed

EVERY = 78
NEAR = 50  # training pictures, by squares of differences, whose SSIM is computed
SHOWN = 10
SPACES = ("w", "w+")
ARGUMENTS = {"path_length": 0.0, "diff_augment": None}


def split(side):
    """Training pictures and held-out ones in [-1, 1]."""
    images = resize(kg.data.emoji().images, side, "clean") / np.float32(127.5) - 1
    held = np.arange(len(images)) % EVERY == EVERY // 2
    return images[~held], images[held]


def trained(images, minutes, seed, clock):
    recipe = recipes.get("stylegan2")
    keras.utils.set_random_seed(seed)
    gan = recipes.model_of(recipe)(**recipes.arguments(recipe, ARGUMENTS), seed=seed)
    recipes.compile(recipe, gan)
    data = tf.data.Dataset.from_tensor_slices(images).repeat()
    data = data.shuffle(len(images), seed=seed).batch(recipe.batch_size)
    return gan, timed.train(gan, data, minutes, recipe.batch_size, clock=clock)


def nearest(picture, images):
    """The training picture most like another, and how much."""
    apart = np.square(images - picture).mean(axis=(1, 2, 3))
    near = images[np.argsort(apart)[:NEAR]]
    alike = ssim(near, np.repeat(picture[None], len(near), 0), (-1.0, 1.0))
    return near[alike.argmax()], float(alike.max())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--clock", choices=timed.CLOCKS, default="wall")
    parser.add_argument("--steps", type=int, default=1000, help="of each projection")
    parser.add_argument("--learning_rate", type=float, default=0.3)
    parser.add_argument("--n", type=int, default=20, help="held-out pictures")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default="out", help="folder of model and picture")
    parser.add_argument("--docs", action="store_true")
    args = parser.parse_args()
    out = pathlib.Path(args.out)
    if args.docs:
        write_docs(out)
        return
    images, held = split(32)
    gan, took = trained(images, args.minutes, args.seed, args.clock)
    out.mkdir(parents=True, exist_ok=True)
    gan.save(out / "stylegan2.keras")
    row = {"minutes": args.minutes, "projection_steps": args.steps, **took}
    row["learning_rate"] = args.learning_rate
    shown, start = [held[: args.n]], time.perf_counter()
    for space in SPACES:
        options = {"steps": args.steps, "learning_rate": args.learning_rate}
        found = [kg.latent.project(gan, x, space, **options) for x in held[: args.n]]
        alike = [float(f.ssim) for f in found]
        row[f"ssim {space}"] = round(float(np.median(alike)), 3)
        row[f"each {space}"] = [round(x, 2) for x in alike]
        shown.append(np.stack([f.image for f in found]))
    row["projection_seconds"] = round(time.perf_counter() - start, 1)
    near, alike = zip(*[nearest(x, images) for x in held[: args.n]], strict=True)
    row["each nearest"] = [round(x, 2) for x in alike]
    row["ssim nearest"] = round(float(np.median(alike)), 3)
    row["n"] = len(held[: args.n])
    rows = [pictures.on_white(x[:SHOWN]) for x in (*shown, np.stack(near))]
    caption = "Rows: held-out emoji, in w, in w+, the nearest training pictures."
    grid = pictures.draw_grid(np.concatenate(rows), len(rows[0]), caption=caption)
    (out / "projection.png").write_bytes(pictures.encode_png(grid))
    row["cores"] = len(os.sched_getaffinity(0))
    (out / "projection.json").write_text(json.dumps(row) + "\n")
    print(json.dumps(row))


def write_docs(out):
    row = json.loads((out / "projection.json").read_text())
    shutil.copy(out / "projection.png", pages.DOCS / "images" / "projection.png")
    table = "| | median of the SSIM | each |\n|---|---|---|\n"
    for name, key in (
        ("w+", "w+"),
        ("w", "w"),
        ("nearest training picture", "nearest"),
    ):
        each = ", ".join(f"{x:.2f}" for x in row[f"each {key}"])
        table += f"| {name} | {row[f'ssim {key}']:.3f} | {each} |\n"
    text = (
        f"Of {row['n']} emoji, 32 x 32 pixels, that the model has not seen. It is a "
        f"StyleGAN2 of {row['minutes']:g} minutes on {row['cores']} core, "
        f"{row['steps']:,} steps; a projection took {row['projection_steps']} steps "
        f"with a learning rate of {row['learning_rate']:g}.\n\n{table}\n"
        "![Held-out emoji, in w, in w+, and the nearest training pictures]"
        "(images/projection.png)\n\n"
        "From the top: held-out emoji, in w, in w+, the nearest training pictures."
    )
    pages.put("latent_space.md", {"projection": text})


if __name__ == "__main__":
    main()
