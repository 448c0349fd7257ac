"""SensorGAN on the motion of a watch: are its series of use to a classifier?

    python benchmarks/quality/sensors.py --seed=0 --seconds=300
    python benchmarks/quality/sensors.py --docs

Trains the recipe `sensor_gan`, with labels, on slices of seven people. A small
classifier is then trained on as many series of each kind, and tested on the real
slices of the three others:

- real: the slices that the GAN saw;
- bootstrap: slices drawn of each class again, with noise of a tenth of the
  channels' standard deviation;
- synthetic: the GAN's;
- real and synthetic, both.

Each is trained three times. A line goes to --results. With --clock=cpu the seconds
are this process's, on all of its cores.
"""

import argparse
import json
import pathlib
import sys

import keras
from keras import layers
import numpy as np

import keras_gans as kg
from keras_gans.metrics.functional.sounds import correlations
from keras_gans.training import recipes

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import timed

TRAINED, TESTED = (1, 2, 3, 4, 5, 6, 7), (8, 9, 10)
CLASSES, TIMES = 7, 3
IMAGES = pathlib.Path("docs/images")


class Clock(keras.callbacks.Callback):
    """Ends training so many seconds after its first step."""

    def __init__(self, seconds, clock):
        super().__init__()
        self.seconds, self.now, self.steps = seconds, timed.CLOCKS[clock], 0

    def on_train_batch_end(self, batch, logs=None):
        float(logs["d_loss"])  # waits for the end of the step
        if self.steps == 0:
            self.start = self.now()
        self.steps += 1
        self.model.stop_training = self.now() - self.start >= self.seconds


def classifier():
    model = keras.Sequential(
        [
            layers.Input((128, 6)),
            layers.Conv1D(32, 9, 2, activation="relu"),
            layers.Conv1D(64, 5, 2, activation="relu"),
            layers.Dropout(0.3),
            layers.Conv1D(64, 5, 2, activation="relu"),
            layers.GlobalAveragePooling1D(),
            layers.Dropout(0.3),
            layers.Dense(CLASSES),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss)
    return model


def accuracies(x, y, test, seed):
    found = []
    for i in range(TIMES):
        keras.utils.set_random_seed(100 * seed + i)
        model = classifier()
        steps = {"epochs": 1, "batch_size": 64, "verbose": 0}
        for _ in range(20):
            model.fit(x, y, **steps)
        logits = model.predict(test.series, batch_size=512, verbose=0)
        found.append(float(np.mean(logits.argmax(axis=1) == test.labels)))
    return [round(accuracy, 4) for accuracy in found]


def measure(args):
    data = kg.data.load_watch(people=TRAINED)
    test = kg.data.load_watch(people=TESTED)
    recipe = recipes.get("sensor_gan")
    keras.utils.set_random_seed(args.seed)
    gan = kg.SensorGAN(**recipe.arguments, num_classes=CLASSES, seed=args.seed)
    recipes.compile(recipe, gan)
    clock = Clock(args.seconds, args.clock)
    gan.fit(
        data.series,
        data.labels,
        batch_size=recipe.batch_size,
        epochs=10**6,
        verbose=0,
        callbacks=[clock],
    )
    rng = np.random.default_rng(args.seed)
    n = len(data.labels)
    made = gan.sample(n, seed=args.seed, labels=data.labels)
    order = np.argsort(data.labels, kind="stable")
    counts = np.bincount(data.labels, minlength=CLASSES)
    again = [rng.choice(part, len(part)) for part in np.split(order, counts.cumsum())]
    drawn = np.concatenate(again)
    noise = rng.normal(size=data.series.shape) * data.series.std(axis=(0, 1)) / 10
    kinds = {
        "real": (data.series, data.labels),
        "bootstrap": (data.series[drawn] + noise, data.labels[drawn]),
        "synthetic": (made, data.labels),
        "real and synthetic": (
            np.concatenate([data.series, made]),
            np.concatenate([data.labels, data.labels]),
        ),
    }
    line = {"seed": args.seed, "clock": args.clock, "seconds": args.seconds}
    line |= {"steps": clock.steps, "slices": n, "tested": len(test.labels)}
    line["accuracies"] = {
        kind: accuracies(x.astype("float32"), y, test, args.seed)
        for kind, (x, y) in kinds.items()
    }
    largest = correlations(data.series, made[:98]).max()
    line["largest_correlation"] = round(float(largest), 3)
    line["real_correlation"] = round(
        float(correlations(data.series, test.series[:98]).max()), 3
    )
    print(line, flush=True)
    args.results.parent.mkdir(exist_ok=True)
    with args.results.open("a") as file:
        file.write(json.dumps(line) + "\n")
    if args.seed == 0:
        rows = [np.flatnonzero(data.labels == k)[0] for k in range(CLASSES)]
        shown = np.concatenate([data.series[rows], made[rows]])
        names = [f"{what} {c}" for what in ("real", "made") for c in data.class_names]
        preview = gan.modality.preview(shown, columns=CLASSES, names=names)
        args.work.mkdir(parents=True, exist_ok=True)
        preview.save(args.work / "sensor_gan.png", overwrite=True)


def docs(args):
    lines = [json.loads(line) for line in args.results.read_text().splitlines()]
    print("| trained on | accuracy on three other people, by seed |")
    print("|---|---|")
    for kind in lines[0]["accuracies"]:
        told = ", ".join(f"{np.mean(line['accuracies'][kind]):.3f}" for line in lines)
        print(f"| {kind} | {told} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add, path = parser.add_argument, pathlib.Path
    add("--seed", type=int, default=0)
    add("--seconds", type=float, default=300)
    add("--clock", choices=timed.CLOCKS, default="wall")
    add("--results", type=path, default=path("results/sensors.jsonl"))
    add("--work", type=path, default=path("runs/sensors"))
    add("--docs", action="store_true", help="prints the table of docs/sensor_gan.md")
    args = parser.parse_args()
    docs(args) if args.docs else measure(args)


if __name__ == "__main__":
    main()
