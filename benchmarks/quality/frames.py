"""Frames predicted by FramePrediction, beside copying the last one.

    python benchmarks/quality/frames.py train --data=PATH --seed=0 --seconds=600
    python benchmarks/quality/frames.py train --data=PATH --form=l2
    python benchmarks/quality/frames.py docs --data=PATH

PATH is a folder of animated emoji (docs/frame_prediction.md says where they are from),
or an .npz file of their frames: `x` uint8 `[frames, 32, 32, 3]` of all videos, `n` int
`[videos]`. Every fifth video is held out. `train` trains the recipe
`frame_prediction`, or with --form=l2 the same networks by the squared error alone, for
so many seconds of processor time; it predicts four frames of the held-out windows with
motion, and appends a line to results/frames.jsonl. `docs` prints the table of
docs/frame_prediction.md and draws its picture from the networks that `train` left in
--work.
"""

import argparse
import json
import pathlib
import sys

import keras
import numpy as np
import tensorflow as tf

import keras_gans as kg
from keras_gans.data.clips import find_films, read_film
from keras_gans.metrics import psnr, ssim
from keras_gans.modalities import pictures
from keras_gans.training import recipes
from keras_gans.utils import files

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import timed

SIDE, RATE = 32, 10
PAST, AHEAD, HELD_OUT = 4, 4, 5
MOVED = 0.1  # of the range: by which a pixel differs from the last frame's
LEAST = 0.01  # share of such pixels in a window with motion
FORMS = {
    "adversarial": {},
    "gdl": {"adversarial_weight": 0.0},
    "l2": {"adversarial_weight": 0.0, "gradient_weight": 0.0},
}
RANGE = (-1.0, 1.0)
COLUMNS = ("psnr_1", "moving_1", "ssim_1", "moving_4", "ssim_4", "edges_1", "edges_4")


def videos(path):
    """A list of float32 `[frames, 32, 32, 3]` in [-1, 1]."""
    path = pathlib.Path(path)
    if path.suffix == ".npz":
        held = np.load(path)
        ends = np.cumsum(held["n"])
        films = np.split(held["x"], ends[:-1])
    else:
        usable = find_films(path, PAST + AHEAD, RATE, on_error="skip")
        films = [
            np.stack(list(read_film(path / name, (SIDE, SIDE, 3), RATE)))
            for name in usable.listing.names
        ]
    return [film.astype("float32") / 127.5 - 1 for film in films]


def windows(films, step, frames):
    cut = [
        f[i : i + frames] for f in films for i in range(0, len(f) - frames + 1, step)
    ]
    return np.stack(cut)


def held_out(films):
    """Windows of held-out videos in whose next frame something moves."""
    x = windows(films[::HELD_OUT], PAST, PAST + AHEAD)
    return x[_moving(x, 1).mean((1, 2)) >= LEAST]


def _moving(x, ahead):
    gaps = np.abs(x[:, PAST + ahead - 1] - x[:, PAST - 1]).max(-1)
    return gaps > MOVED * (RANGE[1] - RANGE[0])


def edges(x):
    """The mean step between neighbouring pixels."""
    return np.abs(np.diff(x, axis=1)).mean() + np.abs(np.diff(x, axis=2)).mean()


def scored(x, made):
    """Scores of frames 1 and 4 ahead."""
    scores = {}
    for ahead in (1, AHEAD):
        true, fake = x[:, PAST + ahead - 1], np.clip(made[:, ahead - 1], *RANGE)
        errors = np.square(true - fake)[_moving(x, ahead)]
        scores[f"psnr_{ahead}"] = float(np.mean(psnr(fake, true, RANGE)))
        scores[f"moving_{ahead}"] = float(10 * np.log10(4 / errors.mean()))
        scores[f"ssim_{ahead}"] = float(np.mean(ssim(fake, true, RANGE)))
        scores[f"edges_{ahead}"] = float(edges(fake) / edges(true))
    return {k: round(v, 4) for k, v in scores.items()}


def copied(x):
    return np.repeat(x[:, PAST - 1 : PAST], AHEAD, axis=1)


def train(args):
    films = videos(args.data)
    kept = [f for i, f in enumerate(films) if i % HELD_OUT]
    clips = windows([f for f in kept if len(f) > PAST], 1, PAST + 1)
    x = held_out(films)
    keras.utils.set_random_seed(args.seed)
    keras.config.set_dtype_policy(args.dtype_policy)
    recipe = recipes.get("frame_prediction")
    arguments = {**recipe.arguments, "frame_shape": (SIDE, SIDE, 3), **FORMS[args.form]}
    gan = kg.FramePrediction(**arguments, seed=args.seed)
    recipes.compile(recipe, gan)
    keras.config.set_dtype_policy("float32")
    data = tf.data.Dataset.from_tensor_slices(clips)
    data = data.shuffle(len(clips), seed=args.seed).repeat().batch(recipe.batch_size)
    data = data.map(lambda x: (x[:, :PAST], x[:, PAST])).prefetch(2)
    budget = timed.Budget(args.seconds, args.clock)
    gan.fit(data, epochs=10**6, steps_per_epoch=500, verbose=0, callbacks=[budget])
    made = gan.predict_frames(x[:, :PAST], AHEAD)
    row = {
        "form": args.form,
        "seed": args.seed,
        "seconds": args.seconds,
        "clock": args.clock,
        "dtype_policy": args.dtype_policy,
        "steps": budget.steps,
        "videos": len(films),
        "windows": len(x),
        "scores": scored(x, made),
        "copy": scored(x, copied(x)),
    }
    print(json.dumps(row, indent=1))
    args.work.mkdir(parents=True, exist_ok=True)
    gan.save(args.work / f"{args.form}_{args.seed}.keras")
    with args.results.open("a") as file:
        file.write(json.dumps(row) + "\n")


def docs(args):
    rows = [json.loads(line) for line in args.results.read_text().splitlines()]
    print(f"| | seed | {' | '.join(COLUMNS)} |\n|---|---|{'---|' * len(COLUMNS)}")
    for row in rows:
        values = " | ".join(f"{row['scores'][c]:.3f}" for c in COLUMNS)
        print(f"| {row['form']} | {row['seed']} | {values} |")
    values = " | ".join(f"{rows[0]['copy'][c]:.3f}" for c in COLUMNS)
    print(f"| the last frame | | {values} |")
    films = videos(args.data)
    x = windows(films[::HELD_OUT], PAST, PAST + 5)
    x = x[_moving(x, 1).mean((1, 2)) >= LEAST]
    x = x[:: max(1, len(x) // 4)][:4]
    strips = []
    for form in ("truth", "adversarial", "l2"):
        made = x[:, PAST:]
        if form != "truth":
            gan = kg.load(args.work / f"{form}_0.keras")
            made = gan.predict_frames(x[:, :PAST], 5)
        strips.append(np.concatenate([x[:, :PAST], made], axis=1))
    rows = np.stack(strips, axis=1).reshape(-1, SIDE, SIDE, 3)
    names = ["" for _ in rows]
    told = (
        "Three rows an emoji: truth, FramePrediction, the squared error alone. Four "
        "frames that are seen, then five."
    )
    drawn = pictures.draw_grid(rows, PAST + 5, names, told)
    path = pathlib.Path("docs/images/frame_prediction.png")
    files.write_bytes(path, pictures.encode_png(drawn))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("what", choices=("train", "docs"))
    add("--data", required=True)
    add("--form", choices=tuple(FORMS), default="adversarial")
    add("--seed", type=int, default=0)
    add("--seconds", type=float, default=600.0)
    add("--clock", choices=tuple(timed.CLOCKS), default="cpu")
    add("--dtype_policy", default="float32")
    add("--results", type=pathlib.Path, default=pathlib.Path("results/frames.jsonl"))
    add("--work", type=pathlib.Path, default=pathlib.Path("runs/frames"))
    args = parser.parse_args()
    {"train": train, "docs": docs}[args.what](args)


if __name__ == "__main__":
    main()
