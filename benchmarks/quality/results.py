"""The scores of every GAN, and of what people find first.

    python benchmarks/quality/results.py --data_dir=DIR
    python benchmarks/quality/results.py --docs

Each model of `recipes.RECIPES` that makes images of noise, and each model of
baselines.py, trains for `--minutes` on a set, one after the other, so that it
has the machine to itself; the clock starts after its first step. Then as many
samples as there are reals are scored. A row goes to --results when it is done,
and its samples into a picture of docs/images; rows that stand there are not
trained again, so a killed measurement goes on where it was. With --clock=cpu the
minutes are this process's: on one core, say by `taskset -c 0`, they are those of
that core, whoever else uses the machine.

GANs with labels are also asked for each class of Fashion-MNIST; the classifier of
labels.py tells what it sees, in --classifier.

Recipes train as they are, but for the shape and the number of classes of the
set; baselines with their own batch sizes and rates. The second command writes
docs/results.md from the rows.
"""

import argparse
import json
import math
import os
import pathlib
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# The line of docs/performance.md, for baselines as well.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

from baselines import BASELINES
import fashion
import keras
import numpy as np
from PIL import Image
import results_docs

import keras_gans
from keras_gans import data, metrics
from keras_gans.modalities import pictures
from keras_gans.training import callbacks, recipes
from keras_gans.utils import files
from keras_gans_cli import recipes as command_recipes
from keras_gans_cli import values

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import timed

ROOT = pathlib.Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "images"
TRUNCATED = ("sngan", "sagan", "biggan")
TRUNCATIONS = (None, 1.5, 1.0, 0.5)
SHOWN = 16  # samples of each model in the picture of a set
METRICS = ("fid", "kid", "precision", "recall", "coverage")
NO_AUGMENT = {"diff_augment": None}
SETS = {
    # The reals are held out where there is a split for it.
    "fashion_mnist": {
        "source": "tfds:fashion_mnist",
        "shape": (28, 28, 1),
        "classes": 10,
        "reals": {"split": "test[:5000]"},
        # Enough images to go without DiffAugment, which slows learning.
        "arguments": dict.fromkeys(("sngan", "sagan", "biggan"), NO_AUGMENT),
    },
    "emoji": {
        "source": "emoji",
        "shape": (32, 32, 3),
        "classes": 9,
        "reals": {"image_size": 32},
    },
}
GANS = (
    "gan",
    "dcgan",
    "wgan",
    "wgan_gp",
    "conditional_gan",
    "acgan",
    "infogan",
    "r3gan",
    "stylegan2",
    "sngan",
    "sagan",
    "biggan",
)
MODELS = (*GANS, *BASELINES)


def settings_of(model, name, args):
    """All that decides a row, as JSON holds it."""
    settings = {
        "model": model,
        "data": name,
        "minutes": args.minutes,
        "seed": args.seed,
    }
    if args.clock != "wall":
        settings["clock"] = args.clock
    if args.dtype_policy is not None:
        settings["dtype_policy"] = args.dtype_policy
    if model in BASELINES:
        made = BASELINES[model]
        settings |= {"batch_size": made.batch_size, "adam": made.rates}
    else:
        recipe = recipes.get(model)
        fixed = SETS[name].get("arguments", {}).get(model, {})
        fixed = {"image_shape": SETS[name]["shape"], **fixed}
        flags = set(command_recipes.model_arguments(recipe)) - set(recipe.without)
        if "num_classes" in flags:
            fixed["num_classes"] = SETS[name]["classes"]
        if unknown := args.set.keys() - flags:
            raise ValueError(f"--set: {model} takes no {', '.join(unknown)}.")
        fixed |= args.set
        settings["batch_size"] = recipe.batch_size
        settings["arguments"] = recipes.arguments(recipe, fixed)
    return json.loads(json.dumps(settings, sort_keys=True))


def build(settings):
    """A compiled model, and how many images a step of it takes."""
    keras.utils.set_random_seed(settings["seed"])
    keras.config.set_dtype_policy(settings.get("dtype_policy", "float32"))
    name, size = settings["model"], settings["batch_size"]
    if name in BASELINES:
        model = BASELINES[name](SETS[settings["data"]]["shape"])
        model.compile()
        return model, size
    recipe = recipes.get(name)
    model = recipes.model_of(recipe)
    model = model(**settings["arguments"], seed=settings["seed"])
    recipes.compile(recipe, model)
    return model, size * model.batches_per_step


def load(settings, model, data_dir):
    chosen = SETS[settings["data"]]
    height, width, channels = chosen["shape"]
    return data.load(
        chosen["source"],
        image_size=(height, width),
        channels=channels,
        batch_size=settings["batch_size"],
        labels=getattr(model, "labelled", False),
        data_dir=data_dir if chosen["source"] != "emoji" else None,
        seed=settings["seed"],
        repeat=True,
    )


def score(model, settings, args):
    chosen = SETS[settings["data"]]
    named = chosen["source"].startswith("tfds:")
    options = {
        **chosen["reals"],
        "n": 5000 if named else len(data.emoji().images),
        "seed": settings["seed"],
        "data_dir": args.data_dir if named else None,
        "cache_dir": args.cache_dir,
        "verbose": 0,
    }
    fake = model
    if settings["model"] in BASELINES:
        fake = np.concatenate(
            list(model.sample_batches(options["n"], settings["seed"]))
        )
    return metrics.evaluate(fake, chosen["source"], METRICS, **options)


def ask(model, settings, args):
    """Whether samples show the labels asked for: of each truncation.

    Draws a row of each class, of whichever seed was measured last.
    """
    test = fashion.arrays("test", args.data_dir)
    classifier = fashion.open_classifier(args.classifier, args.data_dir)
    found = {}
    for truncation in TRUNCATIONS if settings["model"] in TRUNCATED else (None,):
        asked = {"per_class": 1000, "seed": settings["seed"], "truncation": truncation}
        found[str(truncation)] = fashion.measure(model, classifier, test, asked)
    grid = [
        model.sample(1, seed=i % SHOWN, labels=i // SHOWN) for i in range(10 * SHOWN)
    ]
    path = PICTURES / f"labels_{settings['model']}.png"
    pictures.save_grid(path, np.concatenate(grid), SHOWN, overwrite=True)
    return found


def show(model, row, rows, args):
    """Puts samples into the model's row of the picture of the set.

    They are of seed 0, and of the lowest Fréchet distance, if there are others.
    """
    settings = row["settings"]
    names = ("model", "data", "seed")
    others = [r for r in rows if all(r["settings"][n] == settings[n] for n in names)]
    least = min([results_docs.value_of(r, "fid") for r in others], default=math.inf)
    if settings["seed"] or args.set or least < results_docs.value_of(row, "fid"):
        return
    name = settings["data"]
    path = PICTURES / f"results_{name}.png"
    height, width, channels = SETS[name]["shape"]
    grid = np.full((len(MODELS), height, SHOWN, width, channels), 255, "uint8")
    if path.exists():
        with Image.open(path) as picture:
            grid = np.array(picture).reshape(grid.shape)
    made = np.concatenate(list(model.sample_batches(SHOWN, seed=1)))
    row = pictures.make_grid(made, SHOWN).reshape(grid.shape[1:])
    grid[MODELS.index(settings["model"])] = row
    grid = grid.reshape(len(MODELS) * height, SHOWN * width, channels)
    with files.replacing(path) as temporary:
        Image.fromarray(grid.squeeze()).save(temporary, "PNG", optimize=True)


def read_rows(path):
    if not path.exists():
        return {}
    lines = path.read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return {json.dumps(row["settings"], sort_keys=True): row for row in rows}


def measure(settings, args):
    key = json.dumps(settings, sort_keys=True)
    rows = read_rows(args.results)
    if key in rows:
        print(f"Measured before: {key}", flush=True)
        return
    print(f"\n{key}", flush=True)
    model, images_a_step = build(settings)
    keras.config.set_dtype_policy("float32")  # of what scores it
    dataset = load(settings, model, args.data_dir)
    # A tutorial has nothing that would look after it, nor do we add it.
    watch = [] if settings["model"] in BASELINES else [callbacks.NanGuard()]
    row = {"settings": settings}
    before = timed.product_gflops()
    row |= timed.train(model, dataset, args.minutes, images_a_step, watch, args.clock)
    # Of the machine itself, before and after: other tenants may slow it down.
    row["product_gflops"] = [before, timed.product_gflops()]
    records = score(model, settings, args)
    row["records"] = [json.loads(record.to_json()) for record in records]
    row["cores"] = len(os.sched_getaffinity(0))
    if getattr(model, "labelled", False) and settings["data"] == "fashion_mnist":
        row["labels"] = ask(model, settings, args)
    modules = (keras_gans, keras, sys.modules["tensorflow"])
    row["versions"] = {m.__name__: m.__version__ for m in modules}
    show(model, row, rows.values(), args)
    rows[key] = row
    with files.replacing(args.results) as temporary:
        lines = [json.dumps(row) for row in rows.values()]
        temporary.write_text("\n".join(lines) + "\n")
    for record in records:
        print(record, flush=True)


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--minutes", type=float, default=10.0)
    add("--seed", type=int, default=0)
    add("--models", default=",".join(MODELS))
    add("--sets", default=",".join(SETS))
    add("--data_dir", help="of tensorflow-datasets")
    add("--cache_dir", help="where the features of the reals are kept")
    add("--classifier", type=pathlib.Path, default="runs/labels/classifier.keras")
    add("--dtype_policy", help="mixed_bfloat16 where the processor multiplies it")
    text = "NAME=VALUE, an argument of the models; may be given again"
    add("--set", action="append", default=[], help=text)
    add("--clock", choices=timed.CLOCKS, default="wall", help="of the minutes")
    default = ROOT / "results" / "results.jsonl"
    add("--results", type=pathlib.Path, default=default)
    add("--docs", action="store_true", help="writes docs/results.md")
    args = parser.parse_args()
    for flag, allowed in (("models", MODELS), ("sets", SETS)):
        given = getattr(args, flag).split(",")
        if unknown := set(given) - set(allowed):
            parser.error(f"--{flag}: {unknown}; there are {', '.join(allowed)}")
        setattr(args, flag, given)
    given = [text.partition("=") for text in args.set]
    args.set = {name: values.value(text) for name, _, text in given}
    if not 0 < args.minutes < float("inf"):
        parser.error("--minutes must be positive")
    return args


def main(args):
    if args.docs:
        results_docs.write(list(read_rows(args.results).values()), MODELS)
        return
    for name in args.sets:
        for model in args.models:
            measure(settings_of(model, name, args), args)


if __name__ == "__main__":
    main(parse())
