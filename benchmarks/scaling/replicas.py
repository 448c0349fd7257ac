"""Whether N replicas train what one does: weights, logs, drift.

    python benchmarks/scaling/replicas.py
    python benchmarks/scaling/replicas.py --models=dcgan,cyclegan --ways=mirrored:2

Each GAN, with its own small networks, takes some steps on batches of B images
on one device, and on N replicas with B/N images each, from the same weights:
logical devices of one process (mirrored:2, mirrored:4; jax:2), or processes on
the loopback interface (workers:2; jax_workers:2). Each row tells how far one
device moved the weights, how far weights and logs are apart, and how far any
variable is apart between the replicas (drift), which must be 0. Ways noise:N
are one device, from weights off in their last bit: what rounding alone may do.

SGD shows what Adam hides: a gradient that is a multiple of the true one. Adam
shows what users run; where a bias has no true gradient, as before instance norm
and batch norm, Adam makes a step of its rounding, so that outputs are compared,
as a share of the largest: with the statistics of their batch, which such biases
do not move, and as samples, with moving averages, which lag behind them.

Where a rectifier's input, or the first gradient that Adam sees, is nearly 0,
rounding decides on which side it falls. That depends on the numbers, while a
mistake shows with all: a GAN of which a row is over its bound (1e-6 for weights
under SGD, 1e-5 for outputs under Adam) is trained again with the next of
--seeds, and it is an error where rows are over with each.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

WAYS = ("mirrored:2", "mirrored:4", "workers:2", "jax:2", "jax_workers:2")
OPTIMIZERS = ("sgd", "adam")
COLUMNS = ("moved", "weights", "logs", "outputs", "samples", "drift")
BOUNDS = {"sgd": ("weights", 1e-6), "adam": ("outputs", 1e-5)}
BATCH = 8
SHAPE = (16, 16, 3)
CLASSES = 3
# Weights should move by far more than a rounding, and not leap. Adam's rate is
# that of most recipes: at 1e-3 the roundings of one device alone, in another
# order, grow beyond 1e-5 of a CycleGAN's outputs within three steps.
RATES = {"sgd": 0.05, "adam": 2e-4}
RATES_OF = {
    ("gan", "sgd"): 1.0,
    ("relativistic", "sgd"): 10.0,
    ("wgan_gp", "sgd"): 2e-4,
    ("pix2pix", "sgd"): 0.01,
    ("cyclegan", "sgd"): 1e-3,
}


def _makers():
    """The GANs, by name, and how many images a step of each takes."""
    import keras_gans as kg
    from keras_gans.networks.dcgan import dcgan_discriminator
    from keras_gans.networks.mlp import mlp_discriminator, mlp_generator

    def gan(**kwargs):
        return kg.GAN(
            generator=mlp_generator(SHAPE, 8, width=16),
            discriminator=mlp_discriminator(SHAPE, width=8, pieces=2),
            **kwargs,
        )

    return {
        "gan": gan,
        "dcgan": lambda: kg.DCGAN(SHAPE, 8, width=4, d_steps=2, ema=0.9),
        "wgan": lambda: kg.WGAN(SHAPE, 8, width=4, d_steps=2),
        "wgan_gp": lambda: kg.WGANGP(SHAPE, 8, 4, 4, d_steps=2),
        "conditional_gan": lambda: kg.ConditionalGAN(
            SHAPE, CLASSES, 8, width=4, packing=2
        ),
        "acgan": lambda: kg.ACGAN(SHAPE, CLASSES, 8, width=4),
        "infogan": lambda: kg.InfoGAN(SHAPE, CLASSES, 2, 8, width=4),
        "pix2pix": lambda: kg.Pix2Pix(SHAPE, depth=3, width=4, n_layers=1),
        "cyclegan": lambda: kg.CycleGAN(
            SHAPE, width=4, blocks=1, n_layers=1, pool_size=10, dropout=0.5
        ),
        "relativistic": lambda: gan(objective="relativistic"),
        "switches": lambda: kg.DCGAN(
            SHAPE,
            8,
            width=4,
            discriminator=dcgan_discriminator(SHAPE, 4, norm=None),
            r1=1.0,
            penalty_interval=2,
            instance_noise=(0.1, 4),
            diff_augment="color,translation,cutout",
            spectral_norm=True,
        ),
    }


MODELS = (
    "gan",
    "dcgan",
    "wgan",
    "wgan_gp",
    "conditional_gan",
    "acgan",
    "infogan",
    "pix2pix",
    "cyclegan",
    "relativistic",
    "switches",
)


def build(name, optimizer, seed):
    import keras

    keras.utils.set_random_seed(seed)
    gan = _makers()[name]()

    def make():
        rate = RATES_OF.get((name, optimizer), RATES[optimizer])
        if optimizer == "sgd":
            return keras.optimizers.SGD(rate)
        return keras.optimizers.Adam(rate, beta_1=0.5)

    gan.compile(make(), make())
    return gan


def batches(gan, steps, seed):
    """Batches of `BATCH` images, for some steps."""
    import numpy as np
    import tensorflow as tf

    from keras_gans.core.translation import TranslatingGAN

    rng = np.random.default_rng(seed)
    n = BATCH * steps * gan.d_steps
    parts = [rng.uniform(-1, 1, (n, *SHAPE)).astype("float32")]
    if isinstance(gan, TranslatingGAN):
        parts.append(parts[0][::-1] * 0.5)
    elif gan.labelled:
        parts.append((np.arange(n) % CLASSES).astype("int32"))
    given = tuple(parts) if len(parts) > 1 else parts[0]
    dataset = tf.data.Dataset.from_tensor_slices(given).batch(BATCH, True)
    options = tf.data.Options()
    policy = tf.data.experimental.AutoShardPolicy.DATA
    options.experimental_distribute.auto_shard_policy = policy
    return dataset.with_options(options)


def samples(gan):
    """What users get of the trained generator: array."""
    import numpy as np

    from keras_gans.core.translation import TranslatingGAN

    if isinstance(gan, TranslatingGAN):
        x = np.random.default_rng(1).uniform(-1, 1, (2, *SHAPE))
        return gan.translate(x.astype("float32"), evaluation=True)
    return gan.sample(4, seed=1)


def outputs(gan):
    """What the generator makes in training, or `None` of translators."""
    from keras import models, ops
    import numpy as np

    from keras_gans.core.translation import TranslatingGAN

    if isinstance(gan, TranslatingGAN):
        return None
    generator = models.clone_model(gan.generator)
    generator.set_weights(gan.generator.get_weights())
    rng = np.random.default_rng(1)
    given = [
        np.arange(BATCH) % CLASSES
        if "int" in x.dtype
        else rng.normal(size=(BATCH, *x.shape[1:])).astype("float32")
        for x in generator.inputs
    ]
    given = given if len(given) > 1 else given[0]
    return ops.convert_to_numpy(generator(given, training=True))


def off_in_last_bit(weights, seed):
    """The same weights, each float32 off by up to 2^-24 of it."""
    import numpy as np

    rng = np.random.default_rng(seed)
    return [
        (w * (1 + rng.uniform(-1, 1, w.shape) * 2**-24)).astype(w.dtype)
        if w.dtype.kind == "f"
        else w
        for w in weights
    ]


def train(scope, settings, parts_of):
    """Trains; returns arrays by name: weights before and after, logs.

    Args:
        scope: context manager to build and train in.
        settings: (name of the GAN, optimizer, steps, seed, seed of the noise
            in the weights or `None`).
        parts_of: function of a variable that returns each replica's value.
    """
    from keras.ops import convert_to_numpy as array
    import numpy as np

    name, optimizer, steps, seed, noise = settings
    kept = {}
    with scope:
        gan = build(name, optimizer, seed)
        for i, v in enumerate(gan.weights):
            kept[f"before/{i:03d}/{v.path}"] = array(v)
        if noise is not None:
            gan.set_weights(off_in_last_bit(gan.get_weights(), noise))
        logs = gan.fit(batches(gan, steps, seed), verbose=0).history
        for i, v in enumerate(gan.weights):
            kept[f"after/{i:03d}/{v.path}"] = array(v)
        for log, values in logs.items():
            kept[f"logs/{log}"] = np.asarray(values)
        kept["samples"] = samples(gan)
        drift = 0.0
        for v in gan.variables:
            first, *others = map(np.asarray, parts_of(v))
            for other in others:
                drift = max(drift, float(np.abs(other - first).max()))
        kept["drift"] = np.asarray(drift)
    made = outputs(gan)
    kept["outputs"] = kept["samples"] if made is None else made
    return kept


def compare(one, many):
    """How far two trainings are apart: a dict of floats."""
    import numpy as np

    def largest(prefix, a, b, other=None):
        names = [k for k in a if k.startswith(prefix)]
        names = [k for k in names if a[k].dtype.kind == "f"]  # no counters
        return max(
            float(
                np.abs(
                    a[k].astype("float64") - b[k.replace(prefix, other or prefix, 1)]
                ).max()
            )
            for k in names
        )

    def share(key):
        apart = float(np.abs(one[key] - many[key]).max())
        return apart / float(np.abs(one[key]).max())

    return {
        "moved": largest("before", one, one, "after"),
        "weights": largest("after", one, many),
        "logs": largest("logs", one, many),
        "outputs": share("outputs"),
        "samples": share("samples"),
        "drift": float(many["drift"]),
    }


def child(name, optimizer, steps, seed, way, out):
    """A process that trains in one way and keeps what it came to."""
    import numpy as np

    kind = way.partition(":")[0]
    noise = int(way.partition(":")[2]) if kind == "noise" else None
    settings = name, optimizer, int(steps), int(seed), noise
    if kind.startswith("jax") or kind == "one_jax":
        kept = _train_on_jax(settings, kind)
    else:
        kept = _train_on_tensorflow(settings, way)
    np.savez(out, **kept)


def _train_on_tensorflow(settings, way):
    import tensorflow as tf

    kind, _, n = way.partition(":")
    strategy = tf.distribute.get_strategy()
    if kind == "mirrored":
        devices = [tf.config.LogicalDeviceConfiguration()] * int(n)
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, devices)
        names = [f"CPU:{i}" for i in range(int(n))]
        strategy = tf.distribute.MirroredStrategy(names)
    elif kind == "workers":
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    return train(
        strategy.scope(),
        settings,
        lambda v: strategy.experimental_local_results(v.value),
    )


def _train_on_jax(settings, kind):
    from keras_gans.training import distribution

    scope = distribution.scope("none" if kind == "one_jax" else "data_parallel")
    return train(
        scope, settings, lambda v: [shard.data for shard in v.value.addressable_shards]
    )


def start(name, optimizer, steps, seed, way, out):
    """Starts the processes of one training, each with its own output."""
    kind, _, n = way.partition(":")
    environments = [{}]
    if kind.endswith("workers"):
        from keras_gans.training import distribution

        backend = "jax" if kind.startswith("jax") else "tensorflow"
        environments = distribution.environments(int(n), backend)
    on_jax = {"KERAS_BACKEND": "jax"}
    if kind == "jax":
        on_jax["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={n}"
    processes = []
    for i, more in enumerate(environments):
        more = {**os.environ, **more}
        more |= on_jax if "jax" in kind else {"KERAS_BACKEND": "tensorflow"}
        words = [name, optimizer, steps, seed, way, f"{out}.{i}.npz"]
        command = [sys.executable, __file__, "--child", *map(str, words)]
        processes.append(subprocess.Popen(command, env=more))
    return processes


def run(name, optimizer, steps, seed, way, directory):
    """Trains in one way; returns what each process came to."""
    import numpy as np

    out = directory / f"{name}-{optimizer}-{seed}-{way.replace(':', '-')}"
    processes = start(name, optimizer, steps, seed, way, out)
    try:
        codes = [process.wait(timeout=600) for process in processes]
    finally:
        for process in processes:
            process.kill()
    if any(codes):
        sys.exit(f"{name}, {optimizer}, {way} ended with {codes}.")
    return [dict(np.load(f"{out}.{i}.npz")) for i in range(len(processes))]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--optimizers", default=",".join(OPTIMIZERS))
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--child", nargs=6, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(*args.child)
        return
    print("model optimizer seed way", *COLUMNS, flush=True)
    over = []
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        for name in args.models.split(","):
            for optimizer in args.optimizers.split(","):
                for seed in map(int, args.seeds.split(",")):
                    if agree(name, optimizer, seed, args, directory):
                        break
                else:
                    over.append(f"{name} under {optimizer}")
    if over:
        sys.exit(f"Over the bounds with every seed: {', '.join(over)}.")


def agree(name, optimizer, seed, args, directory):
    """Trains in all ways; prints a row each; whether all keep the bounds."""
    ones, kept = {}, True
    for way in args.ways.split(","):
        alone = "one_jax" if way.startswith("jax") else "one"
        settings = name, optimizer, args.steps, seed
        if alone not in ones:
            [ones[alone]] = run(*settings, alone, directory)
        for many in run(*settings, way, directory):
            row = compare(ones[alone], many)
            values = [f"{row[column]:.1e}" for column in COLUMNS]
            print(name, optimizer, seed, way, *values, flush=True)
            column, most = BOUNDS[optimizer]
            kept &= row[column] <= most and row["drift"] == 0
    return kept


if __name__ == "__main__":
    main()
