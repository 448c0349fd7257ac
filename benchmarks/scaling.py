"""What several processes cost: the share of a step that is communication.

    python benchmarks/scaling.py

A DCGAN trains, in turns, in one process on b images a step and in two
processes of one training on b images each, every process with one thread. What
a step takes longer in two is communication over the loopback interface, and
the processes' waiting for each other. The bytes exchanged are counted from the
variables: each network's gradients once a step, and twice the channels of each
batch normalization a call.
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

WARM_UP = 3


def exchanged(gan):
    """Bytes that each process hands in a step, by what they are."""
    import numpy as np

    from keras_gans.layers import BatchNormalization

    def size(variables):
        return sum(4 * int(np.prod(v.shape)) for v in variables)

    def statistics_of(network, calls):
        norms = [
            layer
            for layer in network._flatten_layers()
            if isinstance(layer, BatchNormalization)
        ]
        # Two vectors forward, and as much of gradients.
        return calls * sum(2 * 2 * 4 * norm.gamma.shape[0] for norm in norms)

    return {
        "d_gradients": gan.d_steps * size(gan.d_variables),
        "g_gradients": size(gan.g_variables),
        # D sees reals and fakes, and the fakes once more for G.
        "statistics": statistics_of(gan.generator, 1)
        + statistics_of(gan.discriminator, 3),
    }


def child(size, width, batch, steps, out):
    """Trains in this process, alone or with those that TF_CONFIG names."""
    import keras
    import tensorflow as tf

    import keras_gans
    from keras_gans import data
    from keras_gans import distribution

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(2)
    seconds = []

    class Clock(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            self.start = time.perf_counter()

        def on_train_batch_end(self, batch, logs=None):
            float(logs["d_loss"])
            seconds.append(time.perf_counter() - self.start)

    keras.utils.set_random_seed(0)
    with distribution.scope("auto"):
        gan = keras_gans.DCGAN((size, size, 3), width=width)
        gan.compile()
    dataset = data.load(
        "emoji",
        image_size=size,
        batch_size=batch * gan.num_replicas,
        repeat=True,
    )
    gan.fit(
        dataset,
        steps_per_epoch=WARM_UP + steps,
        verbose=0,
        callbacks=[Clock()],
    )
    gan.meet()
    if gan.is_chief:
        row = {
            "processes": gan.num_replicas,
            "seconds": statistics.median(seconds[WARM_UP:]),
            **exchanged(gan),
        }
        pathlib.Path(out).write_text(json.dumps(row))


def measure(processes, args):
    """Starts the processes of one turn; returns the chief's row."""
    from keras_gans import distribution

    with tempfile.TemporaryDirectory() as directory:
        out = pathlib.Path(directory) / "row.json"
        command = [sys.executable, __file__, "--child", str(out)]
        for name in ("size", "width", "batch", "steps"):
            command.append(f"--{name}={getattr(args, name)}")
        if processes == 1:
            subprocess.run(command, check=True)
        elif distribution.launch(processes, command):
            sys.exit("A process failed.")
        return json.loads(out.read_text())


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--batch", type=int, default=32, help="a process")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(args.size, args.width, args.batch, args.steps, args.child)
        return
    rows = {1: [], 2: []}
    for _ in range(args.turns):
        for processes, found in rows.items():
            found.append(measure(processes, args))
            print(found[-1], flush=True)
    one, two = (
        statistics.median(row["seconds"] for row in rows[n]) for n in (1, 2)
    )
    row = rows[2][0]
    total = sum(v for k, v in row.items() if k not in ("processes", "seconds"))
    print(
        f"DCGAN {args.size} px, width {args.width}, {args.batch} images a "
        f"process: one {one:.3f} s a step, two {two:.3f} s; communication "
        f"{1 - one / two:.1%} of a step; {total / 1e6:.2f} MB a step handed "
        f"in; {2 * one / two:.2f} times the images a second of one process"
    )


if __name__ == "__main__":
    main()
