"""How near projections of held-out emoji come to them.

    python benchmarks/projection.py --minutes=3 --steps=200 --out=out

A StyleGAN2 of the recipe trains for some minutes on the embedded emoji but for every
78th. These are projected into w and w+. Printed, as a JSON line: the medians of the
structural similarity of each, and of the nearest of all training pictures. The
picture at --out shows the first ten: held out, in w, in w+, the nearest.
"""

import argparse
import json
import pathlib
import time

import keras
import numpy as np
import tensorflow as tf
import timed

import keras_gans as kg
from keras_gans.metrics.features.resizing import resize
from keras_gans.metrics.functional.pixels import ssim
from keras_gans.modalities import pictures
from keras_gans.training import recipes

EVERY = 78
NEAR = 50  # training pictures, by squares of differences, whose SSIM is computed
SHOWN = 10
SPACES = ("w", "w+")


def split(side):
    """Training pictures and held-out ones in [-1, 1]."""
    images = resize(kg.data.emoji().images, side, "clean") / np.float32(127.5) - 1
    held = np.arange(len(images)) % EVERY == EVERY // 2
    return images[~held], images[held]


def trained(images, minutes, seed):
    recipe = recipes.get("stylegan2")
    keras.utils.set_random_seed(seed)
    gan = recipes.model_of(recipe)(**recipes.arguments(recipe), seed=seed)
    recipes.compile(recipe, gan)
    data = tf.data.Dataset.from_tensor_slices(images).repeat()
    data = data.shuffle(len(images), seed=seed).batch(recipe.batch_size)
    return gan, timed.train(gan, data, minutes, recipe.batch_size)


def nearest(picture, images):
    """The training picture most like another, and how much."""
    apart = np.square(images - picture).mean(axis=(1, 2, 3))
    near = images[np.argsort(apart)[:NEAR]]
    alike = ssim(near, np.repeat(picture[None], len(near), 0), (-1.0, 1.0))
    return near[alike.argmax()], float(alike.max())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--steps", type=int, default=200, help="of each projection")
    parser.add_argument("--n", type=int, default=20, help="held-out pictures")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default="out", help="folder of model and picture")
    args = parser.parse_args()
    out = pathlib.Path(args.out)
    images, held = split(32)
    gan, took = trained(images, args.minutes, args.seed)
    out.mkdir(parents=True, exist_ok=True)
    gan.save(out / "stylegan2.keras")
    row = {"minutes": args.minutes, "projection_steps": args.steps, **took}
    shown, start = [held[: args.n]], time.perf_counter()
    for space in SPACES:
        found = [kg.latent.project(gan, x, space, args.steps) for x in held[: args.n]]
        row[f"ssim {space}"] = round(float(np.median([f.ssim for f in found])), 3)
        shown.append(np.stack([f.image for f in found]))
    row["projection_seconds"] = round(time.perf_counter() - start, 1)
    near, alike = zip(*[nearest(x, images) for x in held[: args.n]], strict=True)
    row["ssim nearest"] = round(float(np.median(alike)), 3)
    row["n"] = len(held[: args.n])
    rows = [pictures.on_white(x[:SHOWN]) for x in (*shown, np.stack(near))]
    caption = "Rows: held-out emoji, in w, in w+, the nearest training pictures."
    grid = pictures.draw_grid(np.concatenate(rows), len(rows[0]), caption=caption)
    (out / "projection.png").write_bytes(pictures.encode_png(grid))
    print(json.dumps(row))


if __name__ == "__main__":
    main()
