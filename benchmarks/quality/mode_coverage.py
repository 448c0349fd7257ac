"""Which objectives and cures keep all 25 modes, and a gradient for G.

    python benchmarks/quality/mode_coverage.py --results=results/mode_coverage.jsonl
    python benchmarks/quality/mode_coverage.py --docs

The first command trains the same small networks on the grid of 25 Gaussians,
a row for each objective and cure, and counts modes in 2,500 samples. On a ring
of 8 it lets D train against a G that stands still, and measures what is left
of G's gradient. Rows that are in the file already are not run again. The
second writes the file's tables and plots into docs/collapse.md.
"""

import argparse
import concurrent.futures
import functools
import json
import multiprocessing
import os
import pathlib
import time
import warnings

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Two rows at a time, each on one core: small operations share cores badly.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

import keras
from keras import layers
import numpy as np

import keras_gans as kg
from keras_gans.core.optimizers import CosineAdam
from keras_gans.data import toy

ROOT = pathlib.Path(__file__).parents[2]
STEPS = 10_000
STILL_STEPS = 1000
EPOCH = 500  # steps
BATCH = 256
SAMPLES = 2500
LATENT = 2
WIDTH = 128
BEST = "best"
R3GAN = "R3GAN, no EMA, 20,000 steps"

# name: (class, arguments, Adam arguments, seeds)
PLAIN = {"objective": "non_saturating"}
DECAY = {"linear_decay": (STEPS * 3 // 10, STEPS)}
ROWS = {
    "plain GAN (`non_saturating`)": ("GAN", PLAIN, {}, 5),
    **{
        f"`{name}`": ("GAN", {"objective": name}, {}, 1)
        for name in kg.losses.OBJECTIVES
        if name != "non_saturating"
    },
    "WGAN, weight clipping, 5 critic steps": ("WGAN", {"clip": 0.1}, {}, 1),
    "WGAN-GP, 5 critic steps": ("WGANGP", {"gp_weight": 0.1}, {}, 1),
    "R1": ("GAN", {"r1": 0.01}, {}, 1),
    "R2": ("GAN", {"r2": 0.01}, {}, 1),
    "R1 and R2": ("GAN", {"r1": 0.01, "r2": 0.01}, {}, 1),
    "R1 every 16 steps": ("GAN", {"r1": 0.01, "penalty_interval": 16}, {}, 1),
    "instance noise 0.1": ("GAN", {"instance_noise": 0.1}, {}, 1),
    "instance noise 0.5, falling to 0": (
        "GAN",
        {"instance_noise": (0.5, STEPS // 2)},
        {},
        1,
    ),
    "packing 4 (PacGAN4)": ("GAN", {"packing": 4}, {}, 1),
    "minibatch standard deviation": ("GAN", {"minibatch_stddev": 4}, {}, 1),
    "spectral norm": ("GAN", {"spectral_norm": True}, {}, 1),
    "label smoothing 0.1": ("GAN", {"label_smoothing": 0.1}, {}, 1),
    "5 steps of D": ("GAN", {"d_steps": 5}, {}, 1),
    "gradient clipping, norm 1": ("GAN", {}, {"global_clipnorm": 1.0}, 1),
    "EMA 0.999": ("GAN", {"ema": 0.999}, {}, 1),
    "linear decay": ("GAN", DECAY, {}, 1),
    # Its rate, beta_2 and gamma fall by schedules of its own.
    R3GAN: (
        "R3GAN",
        {"gamma": (0.01, 1e-4), "ema_kimg": 0, "decay_kimg": 2 * STEPS * BATCH / 1000},
        {"final_learning_rate": 2e-5, "final_beta_2": 0.99},
        5,
    ),
    BEST: ("GAN", {"r1": 0.01, "ema": 0.999, **DECAY}, {}, 5),
}
MINIMAX = {"objective": "minimax"}
STILL = {
    "`minimax`": ("GAN", MINIMAX),
    **{
        f"`{name}`": ("GAN", {"objective": name})
        for name in kg.losses.OBJECTIVES
        if name != "minimax"
    },
    "WGAN-GP": ("WGANGP", {"gp_weight": 0.1, "d_steps": 1}),
    **{
        f"`minimax` + {name}": ("GAN", {**MINIMAX, **cure})
        for name, cure in {
            "R1": {"r1": 0.01},
            "R2": {"r2": 0.01},
            "instance noise 0.5": {"instance_noise": 0.5},
            "packing 4": {"packing": 4},
            "minibatch standard deviation": {"minibatch_stddev": 4},
            "spectral norm": {"spectral_norm": True},
            "label smoothing 0.1": {"label_smoothing": 0.1},
        }.items()
    },
}


def networks(packing):
    """G of five hidden layers and D of three, the same for every row.

    Biases are spread over the data, so that kinks lie where the modes are. A
    deeper G leaves fewer points on the way from one mode to the next.
    """

    def dense(width, spread):
        return layers.Dense(
            width,
            kernel_initializer="he_normal",
            bias_initializer=keras.initializers.RandomUniform(-spread, spread),
        )

    z = x = keras.Input((LATENT,), name="z")
    for _ in range(5):
        x = layers.ReLU()(dense(WIDTH, 1.0)(x))
    generator = keras.Model(z, layers.Dense(2)(x), name="generator")
    points = x = keras.Input((2 * packing,), name="points")
    for spread in (4.0, 1.0, 1.0):
        x = layers.LeakyReLU(0.2)(dense(WIDTH, spread)(x))
    return generator, keras.Model(points, layers.Dense(1)(x), name="critic")


def make(cls, arguments, seed, d_optimizer, g_optimizer):
    """A compiled GAN on points."""
    keras.utils.set_random_seed(seed)
    generator, discriminator = networks(arguments.get("packing", 1))
    gan = getattr(kg, cls)(
        generator=generator, discriminator=discriminator, seed=seed, **arguments
    )
    gan.compile(d_optimizer, g_optimizer)
    return gan


def fit(gan, steps, seed, data=toy.grid, **kwargs):
    """Trains on points of `data`; returns the seconds it took.

    `steps` are D's: with 5 critic steps, G takes a fifth of them.
    """
    steps //= gan.d_steps
    points = data(EPOCH * gan.batches_per_step * BATCH, seed=seed).points
    start = time.perf_counter()
    gan.fit(
        points,
        batch_size=BATCH,
        epochs=-(-steps // EPOCH),
        shuffle=False,
        verbose=0,
        **kwargs,
    )
    return time.perf_counter() - start


def coverage(name, seed):
    """One row of the first table."""
    cls, arguments, options, _ = ROWS[name]

    def adam():
        kind = CosineAdam if cls == "R3GAN" else keras.optimizers.Adam
        return kind(2e-3, 0.0, 0.9, **options)

    gan = make(cls, arguments, seed, adam(), adam())
    steps = 2 * STEPS if name == R3GAN else STEPS
    seconds = fit(gan, steps, seed)
    data = toy.grid(1)
    samples = gan.sample(SAMPLES, seed=1)
    row = {"kind": "coverage", "name": name, "seed": seed, "model": cls}
    row |= {"arguments": arguments, "optimizer": options, "steps": steps}
    if np.isfinite(samples).all():
        found = toy.coverage(samples, data.centres, data.std)
        row |= {"modes": found.covered, "high_quality": found.high_quality}
    else:
        row |= {"modes": 0, "high_quality": 0.0, "diverged": True}
    points = np.nan_to_num(samples[:500]).clip(-9, 9).round(2)
    return {**row, "seconds": round(seconds), "points": points.tolist()}


class Curve(keras.callbacks.Callback):
    """Collects D(G(z)) and the norm of G's gradient of every 10th step."""

    def __init__(self):
        super().__init__()
        self.rows = []

    def on_train_batch_end(self, batch, logs=None):
        if batch % 10 == 0:
            names = ("d_fake", "g_grad_norm")
            self.rows.append([float(f"{logs[name]:.4g}") for name in names])


def still(name, seed):
    """One row of the second table: D trains, G stands still.

    G's points lie near the centre of a wide ring of 8 modes: D wins.
    """
    cls, arguments = STILL[name]
    gan = make(
        cls,
        arguments,
        seed,
        keras.optimizers.Adam(2e-3, 0.0, 0.9),
        keras.optimizers.SGD(0.0),
    )
    last = gan.generator.layers[-1].kernel
    last.assign(last * 0.1)
    curve = Curve()
    ring = functools.partial(toy.ring, radius=4.0)
    fit(gan, STILL_STEPS, seed, ring, callbacks=[curve])
    row = {"kind": "still", "name": name, "seed": seed, "model": cls}
    return {**row, "arguments": arguments, "curve": curve.rows}


def run(task):
    """Runs one row in a process of its own."""
    warnings.filterwarnings("ignore", message=".*retracing.*")
    return {"coverage": coverage, "still": still}[task[0]](*task[1:])


def tasks():
    """Every row: (kind, name, seed), the best first."""
    rows = [("still", name, 0) for name in STILL]
    for name, (*_, seeds) in ROWS.items():
        rows += [("coverage", name, seed) for seed in range(seeds)]
    return sorted(rows, key=lambda row: row[1] != BEST)


def read(path):
    """The rows of a results file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def main(results, workers):
    start = time.perf_counter()
    results.parent.mkdir(parents=True, exist_ok=True)
    done = {(r["kind"], r["name"], r["seed"]) for r in read(results)}
    due = [task for task in tasks() if task not in done]
    context = multiprocessing.get_context("spawn")
    # (max_tasks_per_child deadlocks in Python 3.11.)
    with concurrent.futures.ProcessPoolExecutor(workers, mp_context=context) as pool:
        for future in concurrent.futures.as_completed(
            [pool.submit(run, task) for task in due]
        ):
            row = future.result()
            with open(results, "a") as f:
                f.write(json.dumps(row) + "\n")
            shown = {k: v for k, v in row.items() if k not in SECRET}
            print(json.dumps(shown), flush=True)
    minutes = (time.perf_counter() - start) / 60
    print(f"{len(due)} rows in {minutes:.1f} minutes: {results}")


SECRET = ("points", "curve", "arguments", "optimizer")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--results", type=pathlib.Path, default=ROOT / "results" / "mode_coverage.jsonl"
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--docs", action="store_true")
    args = parser.parse_args()
    if args.docs:
        import collapse_docs

        collapse_docs.write(read(args.results), ROWS, STILL)
    else:
        main(args.results, args.workers)
