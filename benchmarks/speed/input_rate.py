"""Do data pipelines and imports keep out of the way of training?

    python benchmarks/speed/input_rate.py --data_dir=DIR
    python benchmarks/speed/input_rate.py --docs

Images a second of each kind of data, read over and over, beside those that the
model trains on which uses it, of a batch that is there already; turns of both,
A B A B, and their ratio, which should be 3 or more. Folders hold PNG and JPEG
files made of the embedded set, twice as large as the model wants them; pairs
are pictures of 512 x 256 pixels, enlarged and cropped anew each time. DIR is
where tensorflow-datasets keeps Fashion-MNIST; without it, its row is left out.

Then the seconds that fresh interpreters take for `import keras`, `import
keras_gans` and `keras-gans --help`, in turns.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from PIL import Image
import speed
import speed_docs
import tensorflow as tf

import keras_gans
from keras_gans import data
from keras_gans.training import recipes

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import pages
from timed import Clock

SETTLE = 0.5  # seconds in which what was read ahead is used up
COMMANDS = {
    "import keras": ["-c", "import keras"],
    "import keras_gans": ["-c", "import keras_gans"],
    "keras-gans --help": ["-m", "keras_gans", "--help"],
}


# --- Data ---


def write_folders(folder):
    """Makes folders "png", "jpeg" and "pairs" of the embedded set."""
    colour = data.emoji("3d").images
    line = np.repeat(data.emoji("line").images, 3, axis=-1)
    for name in ("png", "jpeg", "pairs/train"):
        (folder / name).mkdir(parents=True)
    for i, (picture, drawing) in enumerate(zip(colour, line, strict=True)):
        large = Image.fromarray(picture).resize((128, 128), Image.BICUBIC)
        large.save(folder / "png" / f"{i}.png")
        large.save(folder / "jpeg" / f"{i}.jpg", quality=90)
        if i < 400:
            pair = np.concatenate([drawing, picture], axis=1)
            pair = Image.fromarray(pair).resize((512, 256), Image.BICUBIC)
            pair.save(folder / "pairs" / "train" / f"{i}.jpg", quality=90)


def of_recipe(name, **changes):
    """A recipe's model, compiled, and its batch size."""
    recipe = recipes.get(name)
    gan = recipes.model_of(recipe)(**recipes.arguments(recipe, changes))
    recipes.compile(recipe, gan)
    return gan, recipe.batch_size


def of_class(gan, batch_size):
    gan.compile()
    return gan, batch_size


def cases(folder, data_dir):
    """`{data: (model, function that builds it, function of a data set)}`."""

    def load(source, **more):
        return lambda size, batch_size: data.load(
            source,
            image_size=size[:2],
            channels=size[-1],
            batch_size=batch_size,
            repeat=True,
            **more,
        )

    def pairs(size, batch_size):
        return data.load_pairs(
            str(folder / "pairs"),
            image_size=size[:2],
            batch_size=batch_size,
            jitter=30 / 256,
            flip=True,
            repeat=True,
        )

    def dcgan():
        return of_class(keras_gans.DCGAN(), 64)

    found = {
        "embedded set, 32 px": (
            "recipe dcgan",
            lambda: of_recipe("dcgan"),
            load("emoji"),
        ),
        "embedded set, 64 px": ("DCGAN 64x64", dcgan, load("emoji")),
        "folder of PNG, 128 to 64 px": (
            "DCGAN 64x64",
            dcgan,
            load(str(folder / "png")),
        ),
        "folder of JPEG, 128 to 64 px": (
            "DCGAN 64x64",
            dcgan,
            load(str(folder / "jpeg"), resize="random_crop", flip=True),
        ),
        "folder of JPEG pairs, 256 px, jitter": (
            "Pix2Pix 256x256",
            lambda: of_class(keras_gans.Pix2Pix(), 1),
            pairs,
        ),
        "folder of JPEG pairs, 64 px, jitter": (
            "recipe pix2pix",
            lambda: of_recipe("pix2pix"),
            pairs,
        ),
    }
    if data_dir:
        found["tfds:fashion_mnist, 28 px"] = (
            "recipe dcgan, 28x28",
            lambda: of_recipe("dcgan", image_shape=(28, 28, 1)),
            load("tfds:fashion_mnist", data_dir=data_dir),
        )
    return found


# --- Rates ---


def read_for(iterator, seconds):
    """Images a second of an iterator of batches."""
    count, start = 0, time.perf_counter()
    while True:
        batch = next(iterator)
        first = batch[0] if isinstance(batch, tuple) else batch
        count += first.shape[0]
        now = time.perf_counter()
        if now - start > seconds:
            return count / (now - start)


def train_for(gan, dataset, steps):
    """Seconds of steps of `fit`, after one that does not count."""
    clock = Clock()
    gan.fit(
        dataset, shuffle=False, steps_per_epoch=steps + 1, verbose=0, callbacks=[clock]
    )
    return clock.seconds


def standing(batch):
    """The same batch for ever: no input that takes time."""
    dataset = tf.data.Dataset.from_tensors(batch).repeat()
    options = tf.data.Options()
    options.autotune.enabled = False  # it delays the return of `fit`
    return dataset.with_options(options)


def measure(name, case, args):
    model, build, load = case
    gan, batch_size = build()
    iterator = iter(load(gan.modality.shape, batch_size))
    still = standing(next(iterator))
    train_for(gan, still, 1)  # traces
    read, seconds = [], []
    for _ in range(args.turns):
        read_for(iterator, SETTLE)
        read.append(read_for(iterator, args.seconds))
        seconds += train_for(gan, still, args.steps)
    row = {
        "data": name,
        "model": model,
        "batch_size": batch_size,
        "input_per_second": round(statistics.median(read), 1),
        "training_per_second": round(batch_size / statistics.median(seconds), 2),
        "turns": [round(rate, 1) for rate in read],
        "seconds": seconds,
    }
    ratio = row["input_per_second"] / row["training_per_second"]
    row["ratio"] = round(ratio, 2)
    print(
        f"{name}: {row['input_per_second']} images/s; {model} trains on "
        f"{row['training_per_second']}; ratio {row['ratio']}",
        flush=True,
    )
    return row


def time_imports(turns):
    """Rows of the seconds of each command."""
    seconds = {name: [] for name in COMMANDS}
    for _ in range(turns + 1):
        for name, arguments in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, *arguments],
                check=True,
                cwd=speed.ROOT,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            seconds[name].append(time.perf_counter() - start)
    # The first of each has the files to read from the disk.
    medians = {k: statistics.median(v[1:]) for k, v in seconds.items()}
    rows = []
    for name, median in medians.items():
        more = median - medians["import keras"]
        row = {
            "command": name,
            "seconds": round(median, 2),
            "more": round(more, 2),
            "turns": [round(s, 3) for s in seconds[name]],
        }
        rows.append(row)
        print(f"{name}: {median:.2f} s, {more:+.2f} s", flush=True)
    return rows


def main(args):
    result = {"imports": time_imports(args.turns), "rows": []}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_folders(folder)
        for data_name, case in cases(folder, args.data_dir).items():
            result["rows"].append(measure(data_name, case, args))
    result["turns"], result["seconds"] = args.turns, args.seconds
    result["versions"] = {m.__name__: m.__version__ for m in (keras_gans, keras, tf)}
    result["machine"] = speed.machine()
    args.results.parent.mkdir(parents=True, exist_ok=True)
    with open(args.results, "a") as file:
        file.write(json.dumps(result) + "\n")


def write_docs(path):
    """Puts the last line of the results into docs/performance.md."""
    result = json.loads(path.read_text().splitlines()[-1])
    tables = {
        "input_rate": speed_docs.input_table(result["rows"]),
        "import_time": speed_docs.imports_table(result["imports"]),
    }
    pages.put(speed_docs.PAGE, tables)


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--data_dir", help="of tensorflow-datasets")
    add("--turns", type=int, default=5)
    add("--seconds", type=float, default=3.0, help="of reading in a turn")
    add("--steps", type=int, default=4, help="of training in a turn")
    add("--docs", action="store_true", help="writes docs/performance.md only")
    default = speed.ROOT / "results" / "input_rate.jsonl"
    add("--results", type=pathlib.Path, default=default)
    return parser.parse_args()


if __name__ == "__main__":
    args = parse()
    if args.docs:
        write_docs(args.results)
    else:
        main(args)
