"""What several processes cost: the share of a step that is communication.

    python benchmarks/scaling/scaling.py
    python benchmarks/scaling/scaling.py --docs

A DCGAN trains, in turns, in one process on b images a step and in two
processes of one training on b images each, every process on a core of its own. What
a step takes longer in two is communication over the loopback interface, and
the processes' waiting for each other. The bytes exchanged are counted from the
variables: each network's gradients once a step, and twice the channels of each
batch normalization a call for each replica, forward and back. Then the two
exchange with nothing else to do: small arrays one after the other, and one of
7 MB.

The row goes to --results. The second command writes it into docs/scaling.md,
with what a model of a ring makes of it for 8 devices, on paper: each of N hands
on 2 (N - 1) / N of the bytes, and every exchange waits 2 (N - 1) times for the
latency of the wire.
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

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_GANS_KERNELS"] = "0"  # several replicas have none

ROOT = pathlib.Path(__file__).parents[2]
WARM_UP = 3
SMALL = 20  # exchanges in a chain
BYTES = ("d_gradients", "g_gradients", "statistics")
# (name, bytes a second, seconds of latency): assumptions, not measurements
WIRES = (
    ("8 GPUs of one host, NVLink", 200e9, 5e-6),
    ("8 GPUs of one host, PCIe", 12e9, 10e-6),
    ("8 hosts, 100 Gbit/s", 10e9, 20e-6),
    ("8 hosts, 10 Gbit/s", 1e9, 50e-6),
)
STEPS = (0.01, 0.1, 1.0)  # seconds that one device computes


def exchanged(gan):
    """Bytes that each process hands in a step, by what they are."""
    from keras.layers import BatchNormalization
    import numpy as np

    def size(variables):
        return sum(4 * int(np.prod(v.shape)) for v in variables)

    def all_norms(network):
        return [
            layer
            for layer in network._flatten_layers()
            if isinstance(layer, BatchNormalization)
        ]

    def norms_of(network):
        return len(all_norms(network))

    def statistics_of(network, calls):
        # Two vectors for each replica forward, and as much of gradients.
        widths = [norm.moving_mean.shape[0] for norm in all_norms(network)]
        vectors = 2 * gan.engine.num_replicas * 2
        return calls * sum(vectors * 4 * width for width in widths)

    return {
        "d_gradients": gan.d_steps * size(gan.variables_of("d")),
        "g_gradients": size(gan.variables_of("g")),
        # D sees reals and fakes, and the fakes once more for G.
        "statistics": statistics_of(gan.generator, 1)
        + statistics_of(gan.discriminator, 3),
        "exchanges": 2 + 2 * norms_of(gan.generator) + 6 * norms_of(gan.discriminator),
    }


def child(size, width, batch, steps, out):
    """Trains in this process, alone or with those that TF_CONFIG names."""
    config = json.loads(os.environ.get("TF_CONFIG", "{}"))
    # A core each: TensorFlow would else use the other one in a single process.
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[config.get("task", {"index": 0})["index"]]})

    import keras
    import tensorflow as tf

    import keras_gans
    from keras_gans import data
    from keras_gans.training import distribution

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
        batch_size=batch * gan.engine.num_replicas,
        repeat=True,
    )
    gan.fit(dataset, steps_per_epoch=WARM_UP + steps, verbose=0, callbacks=[Clock()])
    gan.engine.barrier()
    if gan.engine.is_chief:
        row = {
            "processes": gan.engine.num_replicas,
            "seconds": statistics.median(seconds[WARM_UP:]),
            **exchanged(gan),
        }
        pathlib.Path(out).write_text(json.dumps(row))


def exchange(out):
    """Exchanges alone: writes the seconds of a small one and of a large one."""
    import tensorflow as tf

    from keras_gans.training import distribution

    def added(x):
        return tf.distribute.get_replica_context().all_reduce("SUM", x)

    def small(x):
        for _ in range(SMALL):
            x = added(0.5 * x)
        return x

    with distribution.scope("auto") as strategy:
        seconds = {}
        for name, fn, numbers in (
            ("small_exchange", small, 256),
            ("large_exchange", added, 7_000_000 // 4),
        ):
            run = tf.function(
                lambda fn=fn, n=numbers: strategy.run(lambda: fn(tf.ones(n) * 1.0))
            )
            times = []
            for _ in range(WARM_UP + 10):
                start = time.perf_counter()
                strategy.experimental_local_results(run())[0].numpy()
                times.append(time.perf_counter() - start)
            seconds[name] = statistics.median(times[WARM_UP:])
        seconds["small_exchange"] /= SMALL
        if strategy.extended.should_checkpoint:
            pathlib.Path(out).write_text(json.dumps(seconds))


def measure(processes, args, what="--child"):
    """Starts the processes of one turn; returns the chief's row."""
    from keras_gans.training import distribution

    with tempfile.TemporaryDirectory() as directory:
        out = pathlib.Path(directory) / "row.json"
        command = [sys.executable, __file__, what, str(out)]
        for name in ("size", "width", "batch", "steps"):
            command.append(f"--{name}={getattr(args, name)}")
        if processes == 1:
            subprocess.run(command, check=True)
        elif distribution.launch(processes, command):
            sys.exit("A process failed.")
        return json.loads(out.read_text())


def predicted(seconds, row, n, bandwidth, latency):
    """Images a second of `n` devices over those of one, by the ring."""
    # A batch norm hands in a row for each replica; 2 were counted.
    more = (n / 2 - 1) * row["statistics"]
    total = sum(row[name] for name in BYTES) + more
    ring = 2 * (n - 1)
    wire = ring / n * total / bandwidth + ring * row["exchanges"] * latency
    return n * seconds / (seconds + wire)


def table(row):
    total = sum(row[name] for name in BYTES) / 1e6
    lines = [
        f"This was measured with a DCGAN of {row['size']} px and width "
        f"{row['width']}, and {row['batch']} images and one core for each process. "
        f"A step takes {row['one']:.3f} s in one process, and {row['two']:.3f} s in "
        f"two on the loopback interface (medians of {row['turns']} interleaved turns "
        f"of {row['steps']} steps). Communication and waiting are "
        f"{1 - row['one'] / row['two']:.0%} of a step in two processes. Together they "
        f"make {2 * row['one'] / row['two']:.2f} times the images of one process. "
        f"Each sends {total:.1f} MB a step in {row['exchanges']} exchanges: "
        f"{row['d_gradients'] / 1e6:.1f} for D's gradients, "
        f"{row['g_gradients'] / 1e6:.1f} for G's, "
        f"{row['statistics'] / 1e6:.2f} for batch norm. With nothing else to "
        f"do, a small exchange takes {1000 * row['small_exchange']:.1f} ms, and "
        f"one of 7 MB takes {1000 * row['large_exchange']:.0f} ms.",
        "",
        "The next table is a calculation with the bytes and exchanges above: how many "
        "times the images of one device 8 devices make. The columns are the seconds "
        "in which one device computes a step.",
        "",
        "| | assumed | " + " | ".join(f"{s:g} s" for s in STEPS) + " |",
        "|---" * (2 + len(STEPS)) + "|",
    ]
    for name, bandwidth, latency in WIRES:
        cells = [
            f"{predicted(seconds, row, 8, bandwidth, latency):.1f}" for seconds in STEPS
        ]
        lines.append(
            f"| {name} | {bandwidth / 1e9:g} GB/s, {latency * 1e6:g} µs | "
            f"{' | '.join(cells)} |"
        )
    return "\n".join(lines)


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
    default = ROOT / "results" / "scaling.json"
    parser.add_argument("--results", type=pathlib.Path, default=default)
    parser.add_argument("--docs", action="store_true")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--exchange", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(args.size, args.width, args.batch, args.steps, args.child)
        return
    if args.exchange:
        exchange(args.exchange)
        return
    if args.docs:
        import pages

        row = json.loads(args.results.read_text())
        pages.put("scaling.md", {"scaling": table(row)})
        return
    rows = {1: [], 2: []}
    for _ in range(args.turns):
        for processes, found in rows.items():
            found.append(measure(processes, args))
            print(found[-1], flush=True)
    one, two = (statistics.median(row["seconds"] for row in rows[n]) for n in (1, 2))
    settings = ("size", "width", "batch", "steps", "turns")
    row = {name: getattr(args, name) for name in settings}
    row |= {"one": one, "two": two}
    row |= measure(2, args, "--exchange")
    row |= {name: rows[2][0][name] for name in (*BYTES, "exchanges")}
    args.results.parent.mkdir(parents=True, exist_ok=True)
    args.results.write_text(json.dumps(row) + "\n")
    print(table(row))


if __name__ == "__main__":
    main()
