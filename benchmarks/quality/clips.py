"""Clips that MoCoGAN makes, beside shuffled and still ones.

    python benchmarks/quality/clips.py train --data=PATH --seed=0 --seconds=600
    python benchmarks/quality/clips.py score --data=PATH --seed=0 --network=lite0
    python benchmarks/quality/clips.py docs

PATH is a folder of animated emoji, or an .npz file of their frames, as of
benchmarks/quality/frames.py. Every fifth video is held out. `train` trains the recipe
`mocogan` for so many seconds of processor time. `score` appends a line to
results/clips.jsonl: how far as many generated clips as were trained on are from the
held-out ones, in frames and in motion (`metrics.video_scores`); beside it the clips
that it was trained on, the same with their frames in random order, and with the first
frame alone. Its features are the means of 8 x 8 squares of a picture, 192 numbers that
take seconds, or with --network=lite0 those of EfficientNet-Lite0, which take far
longer. `docs` prints the table of docs/mocogan.md and draws its picture from the
network that `train` left in --work.
"""

import argparse
import json
import pathlib
import sys

import frames
import keras
import numpy as np
import tensorflow as tf

import keras_gans as kg
from keras_gans.metrics import FeatureNetwork, video_scores
from keras_gans.modalities import pictures
from keras_gans.training import recipes
from keras_gans.utils import files

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import timed

COUNT, SIDE = 16, frames.SIDE
RANGE = (-1.0, 1.0)


def squares(x):
    """The means of 8 x 8 squares of pictures of 32 pixels: 192 numbers."""
    x = keras.ops.reshape(x, (-1, 8, SIDE // 8, 8, SIDE // 8, 3))
    return keras.ops.reshape(keras.ops.mean(x, axis=(2, 4)), (-1, 192))


def network_of(name):
    if name != "squares":
        return FeatureNetwork(name)
    return FeatureNetwork(squares, input_size=SIDE)


def scored(held_out, trained, made, seed, network):
    """`{what: {"frames", "motion"}}`, Fréchet distances from the held-out clips."""
    rng = np.random.default_rng(seed)
    compared = {
        "generated": made,
        "trained": trained,
        "shuffled": np.stack([clip[rng.permutation(COUNT)] for clip in trained]),
        "still": np.repeat(trained[:, :1], COUNT, axis=1),
    }
    return {
        what: {
            k: round(v, 4)
            for k, v in video_scores(held_out, clips, RANGE, network)._asdict().items()
        }
        for what, clips in compared.items()
    }


def clips_of(path):
    """Clips to train on, and held-out ones: float32 `[n, 16, 32, 32, 3]`."""
    films = frames.videos(path)
    kept = [film for i, film in enumerate(films) if i % frames.HELD_OUT]
    return (
        frames.windows(kept, COUNT, COUNT),
        frames.windows(films[:: frames.HELD_OUT], COUNT, COUNT),
    )


def train(args):
    trained, _ = clips_of(args.data)
    keras.utils.set_random_seed(args.seed)
    recipe = recipes.get("mocogan")
    gan = kg.MoCoGAN(**recipe.arguments, seed=args.seed)
    recipes.compile(recipe, gan)
    data = tf.data.Dataset.from_tensor_slices(trained)
    data = data.shuffle(len(trained), seed=args.seed).repeat()
    data = data.batch(recipe.batch_size).prefetch(2)
    budget = timed.Budget(args.seconds, args.clock)
    gan.fit(data, epochs=10**6, steps_per_epoch=100, verbose=0, callbacks=[budget])
    args.work.mkdir(parents=True, exist_ok=True)
    gan.save(args.work / f"mocogan_{args.seed}.keras", overwrite=True)
    took = {"seconds": round(budget.seconds, 1), "clock": args.clock}
    (args.work / f"mocogan_{args.seed}.json").write_text(json.dumps(took))


def score(args):
    trained, held_out = clips_of(args.data)
    gan = kg.load(args.work / f"mocogan_{args.seed}.keras")
    made = gan.sample(len(trained), seed=args.seed)
    network = network_of(args.network)
    row = {
        "seed": args.seed,
        "steps": int(keras.ops.convert_to_numpy(gan.step)),
        **json.loads((args.work / f"mocogan_{args.seed}.json").read_text()),
        "trained": len(trained),
        "held_out": len(held_out),
        "network": args.network,
        "scores": scored(held_out, trained, made, args.seed, network),
    }
    print(json.dumps(row, indent=1))
    with args.results.open("a") as file:
        file.write(json.dumps(row) + "\n")


def docs(args):
    rows = [json.loads(line) for line in args.results.read_text().splitlines()]
    print("| clips | seed | steps | frames | motion |\n|---|---|---|---|---|")
    for row in rows:
        for what, scores in row["scores"].items():
            values = " | ".join(f"{scores[k]:,.0f}" for k in ("frames", "motion"))
            print(f"| {what} | {row['seed']} | {row['steps']:,} | {values} |")
    gan = kg.load(args.work / "mocogan_0.keras")
    made = gan.sample(8, seed=0)[:, ::2]
    told = "Eight samples of seed 0, every second frame; a row each."
    strips = made.reshape(-1, *made.shape[2:])
    drawn = pictures.draw_grid(strips, made.shape[1], ["" for _ in strips], told)
    path = pathlib.Path("docs/images/mocogan.png")
    files.write_bytes(path, pictures.encode_png(drawn))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("what", choices=("train", "score", "docs"))
    add("--data")
    add("--seed", type=int, default=0)
    add("--seconds", type=float, default=600.0)
    add("--network", choices=("squares", "lite0"), default="squares")
    add("--clock", choices=tuple(timed.CLOCKS), default="cpu")
    add("--results", type=pathlib.Path, default=pathlib.Path("results/clips.jsonl"))
    add("--work", type=pathlib.Path, default=pathlib.Path("runs/clips"))
    args = parser.parse_args()
    if args.what != "docs" and args.data is None:
        parser.error(f"`{args.what}` needs --data=PATH.")
    {"train": train, "score": score, "docs": docs}[args.what](args)


if __name__ == "__main__":
    main()
