"""Trains and scores by one and by two replicas; prints how far they are apart.

Each line is a JSON object. Run in a process of its own: it has two devices.
"""

import functools
import json
import pathlib
import sys

import keras
from keras import layers
from networks import tiny_critic, tiny_generator
import numpy as np
from scoring import pictures, tiny
import small
import tensorflow as tf

import keras_gans as kg
from keras_gans.data.speech import frames_of
from keras_gans.metrics import FeatureNetwork, sets
from keras_gans.metrics.features.extraction import extract
from keras_gans.training import checkpoints

sys.path.append(str(pathlib.Path(__file__).parents[1] / "models"))

from toys.path_length import PathLengthGAN
from toys.vocoder import Vocoder

STEPS = 4


FULL = "--full" in sys.argv


def train(strategy, images, optimizer, compile_inside, freeze_d):
    keras.utils.set_random_seed(0)
    with strategy.scope():
        gan = kg.GAN(
            generator=keras.Sequential(
                [
                    keras.Input((6,)),
                    layers.Dense(32, use_bias=False),
                    layers.BatchNormalization(),  # of all replicas' rows
                    layers.ReLU(),
                    layers.Dense(64, activation="tanh"),
                    layers.Reshape((8, 8, 1)),
                ]
            ),
            discriminator=keras.Sequential(
                [
                    keras.Input((8, 8, 1)),
                    layers.Flatten(),
                    layers.Dense(32, activation="leaky_relu"),
                    layers.Dropout(0.5, seed=0),  # a mask for every global row
                    layers.Dense(1),
                ]
            ),
            ema=0.9,
            d_steps=2,
            freeze_d=freeze_d,
        )
        if compile_inside:
            gan.compile(optimizer(), optimizer())
    if not compile_inside:
        gan.compile(optimizer(), optimizer())
    before = arrays(gan)
    dataset = tf.data.Dataset.from_tensor_slices(images)
    dataset = dataset.batch(16, drop_remainder=True)
    logs = gan.fit(dataset, epochs=STEPS, verbose=0).history
    steps = int(keras.ops.convert_to_numpy(gan.step))
    rates = [int(o.iterations.numpy()) for o in gan.optimizer.optimizers]
    if (steps, rates) != (STEPS, [2 * STEPS, STEPS]):
        sys.exit(f"counted {steps} steps, {rates} iterations")
    return gan, logs, largest_difference(before, arrays(gan))


def arrays(gan):
    return [keras.ops.convert_to_numpy(v) for v in gan.weights]


def largest_difference(a, b):
    return max(
        np.abs(x - y).max() for x, y in zip(a, b, strict=True) if x.dtype == np.float32
    )


def spread(gan, replicas):
    """How far any variable is apart between replicas."""
    worst = 0.0
    for v in gan.variables:
        parts = replicas.experimental_local_results(v.value)
        worst = max(worst, *(abs(p.numpy() - parts[0].numpy()).max() for p in parts))
    return worst


def unlike_means(gan, replicas, trials=20, steps=7):
    """How many of a log's means a restart in between changes."""
    mean = gan.metrics[0]
    values = np.random.default_rng(0).uniform(0, 1, (trials, steps, 2))
    values = tf.constant(values, "float32")

    @tf.function
    def add(row):
        def one():
            context = tf.distribute.get_replica_context()
            mean.update_state(row[context.replica_id_in_sync_group], 3)

        replicas.run(one)

    def run(rows, stop=None):
        mean.reset_state()
        for i, row in enumerate(rows):
            if i == stop:
                state = checkpoints.means(gan)
                mean.reset_state()
                checkpoints.set_means(gan, state)
            add(row)
        return float(mean.result())

    return sum(run(rows) != run(rows, stop=3) for rows in values)


def optimizers(one, two):
    """Of an optimizer compiled in the scope and of one outside of it."""
    images = np.random.default_rng(0).uniform(-1, 1, (32, 8, 8, 1))
    images = images.astype("float32")

    def clipped():
        return keras.optimizers.SGD(0.1, global_clipnorm=0.1)

    def plain():
        return keras.optimizers.SGD(0.1)

    rows = [("clipped", clipped, True, 0)]
    if FULL:
        # Compiled outside of the scope, plain Keras trains replicas apart; with
        # the first layer of D as it is.
        rows.append(("outside", plain, False, 1))
    for name, optimizer, inside, freeze_d in rows:
        a, a_logs, moved = train(one, images, optimizer, inside, freeze_d)
        b, b_logs, _ = train(two, images, optimizer, inside, freeze_d)
        yield {
            "name": name,
            "moved": moved,
            "apart": largest_difference(arrays(a), arrays(b)),
            "logs": max(
                np.abs(np.subtract(a_logs[k], b_logs[k])).max() for k in a_logs
            ),
            "spread": spread(b, two),
            "means": unlike_means(b, two),
        }


def compared(one, two, name, make, data, batch_size, rate):
    """A row of a GAN that learns for an epoch, on one replica and on two."""

    def trained(strategy):
        keras.utils.set_random_seed(0)
        with strategy.scope():
            gan = make()
        names = gan.optimizer_networks
        gan.compile(**{f"{n}_optimizer": keras.optimizers.SGD(rate) for n in names})
        before = arrays(gan)
        dataset = tf.data.Dataset.from_tensor_slices(data)
        gan.fit(dataset.batch(batch_size, drop_remainder=True), verbose=0)
        return gan, largest_difference(before, arrays(gan))

    (a, moved), (b, _) = trained(one), trained(two)
    return {
        "name": name,
        "moved": moved,
        "apart": largest_difference(arrays(a), arrays(b)),
        "spread": spread(b, two),
    }


def toys(one, two):
    """Of toy GANs: lazy phases, two discriminators, sources, means of logits.

    And of GANs with phases, groups and penalties of their own.
    """

    def uniform(*shape):
        rng = np.random.default_rng(0)
        return rng.uniform(-1, 1, (24, *shape)).astype("float32")

    def esrgan(ema):
        sizes = {"blocks": 1, "width": 2, "growth": 2, "pretrain_steps": 0}
        critic = tiny_critic()
        weights = {"perceptual_weight": 0.0, "adversarial_weight": 1.0}
        shape = (8, 8, 1)
        return kg.ESRGAN(shape, 2, ema=ema, discriminator=critic, **sizes, **weights)

    def wavegan(ema):
        sizes = {"dim": 2, "latent_dim": 4, "d_steps": 1}
        return kg.WaveGAN(64, rate=8000, ema=ema, **sizes)

    def mocogan(ema):
        sizes = {"content_dim": 4, "motion_dim": 2, "width": 2}
        return kg.MoCoGAN(10, (16, 16, 1), ema=ema, **sizes)

    def frame_prediction(ema):
        scales = [((3, 3), (4,)), ((3, 3), (4,))]
        rows = [((3,), (4,), (6,)), ((3,), (4,), (6,))]
        sizes = {"past": 2, "scales": scales, "d_scales": rows}
        return kg.FramePrediction((8, 8, 1), ema=ema, **sizes)

    def voxel_gan(ema):
        sizes = {"latent_dim": 4, "width": 2, "num_classes": 3, "gp_weight": 1.0}
        return kg.VoxelGAN("iwgan32", 8, d_steps=1, ema=ema, **sizes)

    def image_to_volume(ema):
        sizes = {"image_shape": (8, 8, 1), "latent_dim": 4, "encoder_width": 2}
        options = {"d_steps": 1, "ema": ema}
        return kg.ImageToVolume("iwgan32", 8, width=2, **sizes, **options)

    def stylegan2(ema):
        sizes = {"latent_dim": 4, "w_dim": 4, "channel_base": 32, "channel_max": 4}
        # Groups of one row: of more, they lie within a replica.
        sizes |= {"mapping_layers": 1, "ema_kimg": 0.01, "group_size": 1}
        gan = kg.StyleGAN2((8, 8, 1), **sizes)
        gan.controllers["ada"].value.assign(0.5)
        return gan

    def ctgan(ema):
        table = kg.Table({"x": [(0, 1), (1, 1)], "k": ["a", "b"]})
        return kg.CTGAN(table, 4, (8,), (8,), packing=2, ema=ema)

    def dfgan(ema):
        gan = kg.DFGAN((8, 8, 1), 5, 4, 2, ema=ema)
        for layer in gan.discriminator.get_layer("trunk").layers:
            if layer.name.endswith("gain"):  # of 0 it holds back what is before it
                layer.gain.assign([0.5])
        return gan

    def stackgan(ema):
        sizes = {"latent_dim": 4, "condition_dim": 3, "width": 2, "d_width": 2}
        return kg.StackGAN((8, 8, 1), 5, ema=ema, **sizes)

    def stage_two(ema):
        return stackgan(ema).second_stage((16, 16, 1), blocks=1)

    def relgan(ema):
        sizes = {"head_size": 2, "d_embedding_dim": 2, "representations": 2}
        steps = {"pretrain_steps": 0, "d_steps": 1, "beta": 10.0, "beta_steps": 4}
        return kg.RelGAN(5, 4, ema=ema, filters=2, **sizes, **steps)

    def language(ema):
        return kg.LanguageWGANGP(5, 4, dim=4, d_steps=1, ema=ema)

    def r3gan(ema):
        return kg.R3GAN((8, 8, 1), width=8, blocks=1, decay_kimg=0.1, ema_kimg=0.01)

    # Sums over pixels have large gradients.
    rates = {frame_prediction: 1e-4, image_to_volume: 1e-4}
    rows = [
        ("vocoder", Vocoder, (uniform(8, 4), uniform(64, 1))),
        ("esrgan", esrgan, (uniform(4, 4, 1), uniform(8, 8, 1))),
        ("path-length", PathLengthGAN, uniform(16, 16, 1)),
        ("wavegan", wavegan, uniform(64, 1)),
        ("mocogan", mocogan, uniform(10, 16, 16, 1)),
        ("frame-prediction", frame_prediction, (uniform(2, 8, 8, 1), uniform(8, 8, 1))),
        ("voxel-gan", voxel_gan, (uniform(8, 8, 8, 1), np.arange(24) % 3)),
        ("image-to-volume", image_to_volume, (uniform(8, 8, 1), uniform(8, 8, 8, 1))),
        ("stylegan2", stylegan2, uniform(8, 8, 1)),
        ("r3gan", r3gan, uniform(8, 8, 1)),
        ("ctgan", ctgan, (uniform(5), np.eye(2, dtype="float32")[np.arange(24) % 2])),
        ("dfgan", dfgan, (uniform(8, 8, 1), uniform(5))),
        ("stackgan", stackgan, (uniform(8, 8, 1), uniform(5))),
        ("stackgan2", stage_two, (uniform(16, 16, 1), uniform(5))),
        ("relgan", relgan, (np.arange(120) % 7 % 4).reshape(24, 5)),
        ("language", language, (np.arange(120) % 7 % 4).reshape(24, 5)),
    ]
    for name, toy, data in rows:
        make = functools.partial(toy, ema=0.9)
        yield compared(one, two, name, make, data, 8, rates.get(toy, 0.05))


def sounds(one, two):
    """Of vocoders, speakers and series: batches of two and three parts."""
    rng = np.random.default_rng(0)

    def waves(samples):
        return rng.uniform(-1, 1, (8, samples, 1)).astype("float32")

    def hifigan():
        blocks = {"block_kernels": (3,), "dilations": ((1,),), "channels": 4}
        numbers = {"rates": (32,), "kernels": (64,), "bands": 8, "periods": (2,)}
        sizes = {"rate": 8000, "segment": 256, "d_width": 4, "scales": 0}
        return kg.HiFiGAN("v3", **blocks, **numbers, **sizes, ema=0.9)

    def sensors():
        sizes = {"channels": 3, "dim": 4, "latent_dim": 4, "d_steps": 1}
        return kg.SensorGAN(32, num_classes=2, ema=0.9, **sizes)

    series = rng.uniform(-1, 1, (8, 32, 3)).astype("float32")
    ends = np.array([40, 48, 48, 44, 48, 36, 48, 48], "int32")
    ids = rng.integers(0, len(small.SYMBOLS), (8, 5)).astype("int32")
    phones = frames_of(np.array([1, 2]), np.array([3, 5]))
    sequence = np.array([[[1, 3], [2, 5]]] * 8, "int32")
    speech = (np.stack([phones] * 8), waves(256), sequence)
    rows = [
        ("hifigan", hifigan, waves(256)),
        ("sensor-gan", sensors, (series, np.arange(8) % 2)),
        ("text-to-speech", small.small_tts, speech),
        ("vits", small.small_vits, (ids, waves(48 * 8), ends)),
    ]
    for row in rows:  # losses are sums with large weights
        yield compared(one, two, *row, 4, 1e-3)


def updates(one, two):
    """Of what a GAN adds to an update: WGAN's clipping, with parts."""

    def trained(strategy):
        keras.utils.set_random_seed(0)
        with strategy.scope():
            gan = kg.WGAN(
                generator=tiny_generator(labelled=False),
                discriminator=tiny_critic(),
                clip=0.05,
                d_steps=2,
            )
        gan.compile(
            keras.optimizers.SGD(0.05), keras.optimizers.SGD(0.05), accumulate=2
        )
        before = arrays(gan)
        images = np.random.default_rng(0).uniform(-1, 1, (32, 8, 8, 1))
        dataset = tf.data.Dataset.from_tensor_slices(images.astype("float32"))
        gan.fit(dataset.batch(8, drop_remainder=True), verbose=0)
        return gan, largest_difference(before, arrays(gan))

    (a, moved), (b, _) = trained(one), trained(two)
    yield {
        "name": "wgan",
        "moved": moved,
        "apart": largest_difference(arrays(a), arrays(b)),
        "spread": spread(b, two),
        "largest": max(np.abs(v.numpy()).max() for v in b.variables_of("d")),
    }


def normalized(one, two):
    """Of BigGAN: batch norm of all rows, spectral norm, parts of a batch."""

    def trained(strategy):
        keras.utils.set_random_seed(0)
        with strategy.scope():
            gan = kg.BigGAN((8, 8, 1), 3, 8, 1, shared_dim=4, d_steps=1, ema=0.9)
        gan.compile(
            keras.optimizers.SGD(0.05), keras.optimizers.SGD(0.05), accumulate=2
        )
        before = arrays(gan)
        images = np.random.default_rng(0).uniform(-1, 1, (24, 8, 8, 1))
        data = (images.astype("float32"), np.arange(24) % 3)
        dataset = tf.data.Dataset.from_tensor_slices(data).batch(8)
        gan.fit(dataset, verbose=0)
        return gan, largest_difference(before, arrays(gan))

    (a, moved), (b, _) = trained(one), trained(two)
    norm = a.generator.get_layer("block0_norm1")
    yield {
        "name": "biggan",
        "moved": moved,
        "apart": largest_difference(arrays(a), arrays(b)),
        "spread": spread(b, two),
        "mean": float(np.abs(norm.moving_mean.numpy()).max()),
    }


def adaptive(one, two):
    """Of ADA, whose p follows the logits of all replicas."""

    def trained(strategy):
        keras.utils.set_random_seed(0)
        with strategy.scope():
            gan = kg.GAN(
                generator=tiny_generator(labelled=False),
                discriminator=tiny_critic(),
                diff_augment=kg.ADA("brightness", interval=2, kimg=0.1),
            )
        gan.compile(keras.optimizers.SGD(0.05), keras.optimizers.SGD(0.05))
        gan.controllers["ada"].value.assign(0.5)
        before = arrays(gan)
        images = np.random.default_rng(0).uniform(-1, 1, (32, 8, 8, 1))
        dataset = tf.data.Dataset.from_tensor_slices(images.astype("float32"))
        gan.fit(dataset.batch(8, drop_remainder=True), verbose=0)
        return gan, largest_difference(before, arrays(gan))

    (a, moved), (b, _) = trained(one), trained(two)
    ps = [float(gan.controllers["ada"].value.numpy()) for gan in (a, b)]
    yield {
        "name": "ada",
        "moved": moved,
        "apart": largest_difference(arrays(a), arrays(b)),
        "spread": spread(b, two),
        "p": ps,
    }


def packs(one, two):
    """Of rows that each replica's part of a batch cannot pack."""
    table = kg.Table({"x": [(0, 1)], "k": ["a", "b"]})
    with two.scope():
        gan = kg.CTGAN(table, 4, (8,), (8,), packing=2)
    gan.compile(run_eagerly=True)
    rows = {"x": np.arange(12.0), "k": ["a", "b"] * 6}
    try:
        gan.fit(rows, batch_size=6, verbose=0)
        refused = "nothing"
    except ValueError as error:
        refused = str(error)
    yield {"name": "packs", "refused": refused}


def evaluation(one, two):
    """Of evaluating batches whose last is short, and uneven on two replicas."""
    images = np.random.default_rng(1).uniform(-1, 1, (27, 8, 8, 1))
    images = images.astype("float32")

    gans = []
    for strategy in (one, two):
        keras.utils.set_random_seed(0)
        with strategy.scope():
            gan = kg.BaseGAN(tiny_generator(labelled=False), tiny_critic())
        gan.compile()
        gans.append(gan)

    apart = 0.0
    for rows in (27, 21, 17):
        dataset = tf.data.Dataset.from_tensor_slices(images[:rows]).batch(16)
        a, b = (g.evaluate(dataset, verbose=0, return_dict=True) for g in gans)
        apart = max(apart, *(abs(a[name] - b[name]) for name in a))
    try:
        gans[1].fit(tf.data.Dataset.from_tensor_slices(images).batch(16), verbose=0)
        refused = "nothing"
    except ValueError as error:
        refused = str(error)
    yield {"name": "evaluation", "apart": apart, "refused": refused}


def features(one, two):
    """Of a network of features, extracted in odd batches, the last short."""
    model = tiny()

    def found(model):
        images = sets.of_images(pictures(), "real")
        network = FeatureNetwork(model)
        options = {"batch_size": 15, "verbose": 0}
        return extract(images, network, ["features"], **options).features

    with one.scope():
        a = found(model)
    with two.scope():
        copy = keras.models.clone_model(model)
        copy.set_weights(model.get_weights())
        b = found(copy)
    yield {
        "name": "features",
        "replicas": two.num_replicas_in_sync,
        "apart": np.abs(a - b).max(),
        "largest": np.abs(a).max(),
    }


def main():
    # It takes a fifth of a short training, which gains nothing by it.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    devices = [tf.config.LogicalDeviceConfiguration()] * 2
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, devices)
    two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    one = tf.distribute.get_strategy()
    parts = (optimizers,)
    if FULL:
        parts += (
            evaluation,
            toys,
            sounds,
            normalized,
            adaptive,
            updates,
            packs,
            features,
        )
    for part in parts:
        for row in part(one, two):
            print(json.dumps(row, default=float), flush=True)


if __name__ == "__main__":
    main()
