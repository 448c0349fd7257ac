"""What `fit` costs over the bare compiled step in a loop.

    python benchmarks/speed/overhead.py

DCGAN 64, batch 64, the same compiled step both ways, turns of a few steps
interleaved: A B A B. Times are taken where a callback sees a step end, and in
the loop where the logs of a step are there. Prints medians and their ratio.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

import keras_gans
from keras_gans.engine import kernels


class Clock(keras.callbacks.Callback):
    """Collects the seconds between the ends of steps."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_train_batch_begin(self, batch, logs=None):
        if batch == 0:
            self._last = None

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        if self._last is not None:  # the first waits for the data set
            self.seconds.append(now - self._last)
        self._last = now


def main(size, width, batch, turns, steps):
    images = np.random.default_rng(0).uniform(-1, 1, (batch, size, size, 3))
    images = images.astype("float32")
    dataset = tf.data.Dataset.from_tensors(images).repeat()
    options = tf.data.Options()
    options.autotune.enabled = False  # it delays the return of `fit`
    dataset = dataset.with_options(options)
    gan = keras_gans.DCGAN((size, size, 3), width=width)
    gan.compile()
    due = {phase.name: None for phase in gan.phases()}

    @tf.function
    def bare_step(batches):
        with kernels.scope():  # the implementations that `fit` takes
            return gan.train_step((due, batches))

    tensor = tf.constant(images)
    clock = Clock()
    bare = []

    def fit():
        gan.fit(
            dataset, steps_per_epoch=steps + 1, epochs=1, verbose=0, callbacks=[clock]
        )

    def loop():
        last = None
        for _ in range(steps + 1):
            logs = bare_step(((tensor,),))
            _ = {k: float(v) for k, v in logs.items()}
            now = time.perf_counter()
            if last is not None:
                bare.append(now - last)
            last = now

    fit()
    loop()  # both are compiled and warm now
    clock.seconds.clear()
    bare.clear()
    for _ in range(turns):
        fit()
        loop()
    a, b = statistics.median(clock.seconds), statistics.median(bare)
    print(
        f"DCGAN {size}x{size}, width {width}, batch {batch}: fit "
        f"{1000 * a:.1f} ms a step, bare step {1000 * b:.1f} ms, ratio "
        f"{a / b:.4f} (medians of {len(bare)} steps each, interleaved)"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--steps", type=int, default=4)
    main(**vars(parser.parse_args()))
