"""Freezes what training comes to, and tells whether it still does.

    python benchmarks/reliability/freeze.py record --backend=tensorflow
    python benchmarks/reliability/freeze.py check --backend=jax
    python benchmarks/reliability/freeze.py check --backend=jax --only=gan,wgan

Each case trains a tiny GAN for four steps from a fixed seed. `record` writes
its logs, networks, optimizers, pools and samples to `frozen_BACKEND.json`
beside this file; `check` trains again and compares. On TensorFlow every bit
must be the same. On JAX, whose compiler joins operations as it finds them,
every number must be within 1e-6, absolute or of the largest of its array.

Arrays of a network are compared as a set: that their order differs is said,
but no error. Integers among them, where random layers stand, are kept apart
as "seeds". Of each array there is a hash and, to tell how far two are apart,
some numbers: eight values spread over it, the mean, the mean of the absolute
values, their maximum, and two sums with random signs over the root of the
number of values. Where all values are off by about e, so are these sums; that
they agree within e while many values do not is unlikely.

Bits of TensorFlow may depend on the processor, its number of cores apart: one
thread computes each operation.

On JAX all but the GANs as they are train by SGD: of a gradient that is 0 but
for rounding Adam makes a whole step. XLA's last passes, which take most of the
time and change no maths, are off.
"""

import argparse
import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time
import traceback
import warnings

import numpy as np

# --- What the package is asked for: construction -----------------------------

OWN = {
    "gan": (8, 8, 1),
    "base": (8, 8, 1),
    "pix2pix": (32, 32, 3),
    "cyclegan": (32, 32, 3),
    "colorization": (32, 32, 3),
    "inpainting": (32, 32, 3),
}
CLASSES = 3
LATENT = 8


def shape_of(family):
    return OWN.get(family, (16, 16, 1))


def build(family, options):
    """A GAN of a family, not compiled, of the smallest networks there are.

    Args:
        family: str, of `FAMILIES`.
        options: dict, arguments of its class, and `norm` of what
            discriminates for those of `LADDERS`.
    """
    import keras_gans as kg
    from keras_gans.networks.acgan import acgan_discriminator
    from keras_gans.networks.conditional_dcgan import conditional_discriminator
    from keras_gans.networks.dcgan import dcgan_discriminator
    from keras_gans.networks.infogan import infogan_discriminator
    from keras_gans.networks.mlp import mlp_discriminator, mlp_generator

    options = dict(options)
    shape = shape_of(family)
    packing = options.get("packing", 1)
    packed = (*shape[:2], packing * shape[2])
    if family == "base":
        networks = own_generator(), own_discriminator(packed)
        return kg.BaseGAN(*networks, **options)
    if family == "gan":
        return kg.GAN(
            generator=mlp_generator(shape, LATENT, width=16),
            discriminator=mlp_discriminator(packed, width=8, pieces=2),
            **options,
        )
    if family == "wgan_gp":
        return kg.WGANGP(shape, LATENT, 8, 8, **{"d_steps": 2} | options)
    if family == "pix2pix":
        given = {"image_shape": shape, "n_layers": 2, "width": 4}
        return kg.Pix2Pix(**given | options)
    if family == "cyclegan":
        given = {"width": 4, "blocks": 1, "n_layers": 2, "pool_size": 6}
        return kg.CycleGAN(shape, **given | options)
    if family in ("colorization", "inpainting"):
        application = kg.applications.get(family)
        return application.gan(shape, depth=3, width=4, n_layers=1, **options)
    width = options.pop("width", 4)
    ladders = {
        "dcgan": (kg.DCGAN, dcgan_discriminator, ()),
        "wgan": (kg.WGAN, dcgan_discriminator, ()),
        "conditional_gan": (kg.ConditionalGAN, conditional_discriminator, (CLASSES,)),
        "acgan": (kg.ACGAN, acgan_discriminator, (CLASSES,)),
        "infogan": (kg.InfoGAN, infogan_discriminator, (CLASSES, 2)),
    }
    gan, discriminator, counts = ladders[family]
    if family == "wgan":
        options.setdefault("d_steps", 2)
    if "norm" in options:
        norm, shown = options.pop("norm"), shape
        made = {"width": width, "norm": norm}
        if family == "conditional_gan":  # it packs labels, too
            made["packing"] = packing
        else:
            shown = packed
        options["discriminator"] = discriminator(shown, *counts, **made)
    return gan(shape, *counts, LATENT, width=width, **options)


def compile_gan(gan, optimizers, options):
    """Compiles a GAN.

    Args:
        gan: a GAN of `build`.
        optimizers: `None` for those of its paper, or the discriminator's and
            the generator's.
        options: dict of `accumulate`, `rematerialize` and those of Keras.
    """
    gan.compile(*(optimizers or ()), **options)


def application_pairs(family, dataset):
    """What an application trains on, of a `tf.data.Dataset` of images."""
    import keras_gans as kg

    return kg.applications.get(family).pairs(dataset)


def own_generator():
    from keras import Input, Model, layers

    z = Input((LATENT,))
    x = layers.Dense(16, activation="relu")(z)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.Dense(64, activation="tanh")(x)
    return Model(z, layers.Reshape((8, 8, 1))(x))


def own_discriminator(shape):
    from keras import Input, Model, layers

    images = Input(shape)
    x = layers.Conv2D(4, 4, 2, padding="same")(images)
    x = layers.Flatten()(layers.LeakyReLU(0.2)(x))
    return Model(images, layers.Dense(1)(x))


# --- What is looked at within a GAN ------------------------------------------


def networks_of(gan):
    """Each network by a name that stays: dict of `keras.Model`."""
    found = dict(gan.networks)
    if "ema" in gan.controllers:
        for name, network in gan.controllers["ema"].networks.items():
            found[f"ema_{name}"] = network
    return found


def optimizers_of(gan):
    """All optimizers by name."""
    return {f"{name}_optimizer": o for name, o in gan.optimizers.items()}


def state_of(gan):
    """Other variables that training changes: dict of lists of them."""
    found = {"step": [gan.step]}
    for domain in "ab":
        if f"pool_{domain}" in gan.controllers:
            pool = gan.controllers[f"pool_{domain}"]
            found[f"pool_{domain}"] = [pool.images, pool.filled]
    return found


def samples_of(gan, family, images):
    """What users get of it: dict of arrays.

    Args:
        gan: a GAN.
        family: str.
        images: what a translator translates, for each direction.
    """
    if family not in TRANSLATORS:
        return {"sample": gan.sample(4, seed=1)}
    found = {}
    for direction, x in images.items():
        words = (direction,) if len(images) > 1 else ()
        found[f"{direction}"] = gan.translate(x, *words, seed=1)
        found[f"{direction}_evaluation"] = gan.translate(x, *words, evaluation=True)
    return found


# --- Cases -------------------------------------------------------------------

FAMILIES = (
    "base",
    "gan",
    "dcgan",
    "wgan",
    "wgan_gp",
    "conditional_gan",
    "acgan",
    "infogan",
    "pix2pix",
    "cyclegan",
)
TRANSLATORS = ("pix2pix", "cyclegan", "colorization", "inpainting")
LABELLED = ("conditional_gan", "acgan")
AUGMENT = "color,translation,cutout"
STEPS = 4
# Of SGD: weights should move by far more than 1e-6, and not leap.
RATES = {
    "gan": 1.0,
    "wgan_gp": 2e-4,
    "pix2pix": 0.01,
    "colorization": 0.01,
    "inpainting": 0.01,
    "cyclegan": 1e-3,
}
ALL_SWITCHES = {
    "norm": None,
    "r1": 1.0,
    "r2": 0.5,
    "penalty_interval": 2,
    "instance_noise": (0.1, 6),
    "packing": 2,
    "diff_augment": AUGMENT,
    "spectral_norm": True,
    "minibatch_stddev": 2,
    "ema": 0.9,
    "linear_decay": (1, 6),
    "label_smoothing": 0.1,
    "d_steps": 2,
}


@dataclasses.dataclass(frozen=True)
class Case:
    """A GAN and how it is trained.

    Args:
        family: str, of `FAMILIES` or an application.
        options: dict, what it is built with.
        compile: dict, what it is compiled with.
        optimizer: "paper", or a name of `make_optimizers`; "variant" is the
            paper's on TensorFlow and SGD on JAX.
        policy: str, Keras's policy of dtypes.
        way: "fit", "validated" or "train_on_batch".
        replicas: int.
    """

    family: str
    options: dict = dataclasses.field(default_factory=dict)
    compile: dict = dataclasses.field(default_factory=dict)
    optimizer: str = "variant"
    policy: str = "float32"
    way: str = "fit"
    replicas: int = 1


def cases():
    """All cases by name."""
    found = {name: Case(name, optimizer="paper") for name in FAMILIES}
    for way in ("one_hot", "projection"):
        found[f"conditional_gan_{way}"] = Case(
            "conditional_gan", {"conditioning": way}, optimizer="paper"
        )
    for family in FAMILIES:
        found[f"{family}_accumulate"] = Case(family, compile={"accumulate": 2})
        found[f"{family}_rematerialize"] = Case(family, compile={"rematerialize": True})
    for name, family, options in _variants():
        found[name] = Case(family, options)
    found |= {
        "base_sgd": Case("base", optimizer="sgd"),
        "wgan_gp_sgd": Case("wgan_gp", optimizer="sgd"),
        "cyclegan_sgd": Case("cyclegan", optimizer="sgd"),
        "dcgan_all_accumulate_rematerialize": Case(
            "dcgan",
            {**ALL_SWITCHES, "d_steps": 1},
            {"accumulate": 2, "rematerialize": True},
        ),
        "conditional_gan_one_hot_accumulate": Case(
            "conditional_gan", {"conditioning": "one_hot"}, {"accumulate": 2}
        ),
        "dcgan_steps_per_execution": Case("dcgan", compile={"steps_per_execution": 2}),
        "wgan_gp_steps_per_execution": Case(
            "wgan_gp", compile={"steps_per_execution": 2}
        ),
        "dcgan_train_on_batch": Case("dcgan", way="train_on_batch"),
        "conditional_gan_train_on_batch": Case("conditional_gan", way="train_on_batch"),
        "gan_loss_scale": Case("gan", optimizer="scaled"),
        "dcgan_global_clipnorm": Case("dcgan", optimizer="clipped"),
        "dcgan_adamw": Case("dcgan", optimizer="adamw"),
        "dcgan_mixed_bfloat16": Case("dcgan", policy="mixed_bfloat16"),
        "gan_mixed_float16": Case("gan", policy="mixed_float16"),
        "base_run_eagerly": Case("base", compile={"run_eagerly": True}),
        "base_jit_compile": Case("base", compile={"jit_compile": True}),
        "gan_validation": Case("gan", way="validated"),
        "acgan_validation": Case("acgan", way="validated"),
        "colorization": Case("colorization"),
        "inpainting": Case("inpainting"),
    }
    everything = {**ALL_SWITCHES, "packing": 1}
    for name, family, options in (
        ("gan", "gan", {}),
        ("dcgan", "dcgan", {}),
        ("wgan_gp", "wgan_gp", {}),
        ("cyclegan", "cyclegan", {}),
        ("dcgan_all", "dcgan", everything),
    ):
        # Sums over replicas come in another order: no Adam on JAX.
        found[f"{name}_two_replicas"] = Case(family, options, replicas=2)
    return found


def _variants():
    """(name, family, options) of what is trained as usual."""
    yield from (
        ("dcgan_d_steps_2", "dcgan", {"d_steps": 2}),
        ("wgan_d_steps_1", "wgan", {"d_steps": 1}),
        ("wgan_clip", "wgan", {"clip": 0.02, "ema": 0.9}),
        ("wgan_gp_d_steps_1", "wgan_gp", {"d_steps": 1, "ema": 0.9}),
        ("dcgan_wide", "dcgan", {"width": 64}),
        ("base_seed", "base", {"seed": 7}),
    )
    for objective in (
        "minimax",
        "non_saturating",
        "least_squares",
        "hinge",
        "wasserstein",
        "relativistic",
    ):
        yield f"base_{objective}", "base", {"objective": objective}
    for objective in ("minimax", "least_squares", "relativistic"):
        options = {"objective": objective, "label_smoothing": 0.1}
        yield f"base_{objective}_smoothed", "base", options
    for family in ("gan", "dcgan", "conditional_gan"):
        yield f"{family}_ema", family, {"ema": 0.9}
    for family in ("gan", "dcgan"):
        yield f"{family}_linear_decay", family, {"linear_decay": (1, 6)}
    for name, options in (
        ("r1", {"r1": 1.0}),
        ("r1_interval", {"r1": 1.0, "penalty_interval": 2}),
        ("r2", {"r2": 1.0}),
        ("r2_interval", {"r2": 1.0, "penalty_interval": 2}),
        ("r1_r2_interval", {"r1": 1.0, "r2": 0.5, "penalty_interval": 2}),
    ):
        yield f"base_{name}", "base", options
    yield "gan_r1_r2", "gan", {"r1": 1.0, "r2": 0.5}
    yield "dcgan_r1_layer_norm", "dcgan", {"r1": 1.0, "norm": "layer"}
    yield "conditional_gan_r1", "conditional_gan", {"r1": 1.0, "norm": None}
    for family in ("base", "dcgan"):
        yield f"{family}_noise", family, {"instance_noise": 0.1}
        options = {"instance_noise": (0.1, 6)}
        yield f"{family}_falling_noise", family, options
    for family in ("gan", "dcgan", "wgan", "wgan_gp", "conditional_gan"):
        yield f"{family}_packing", family, {"packing": 2}
    for policy in (*AUGMENT.split(","), AUGMENT):
        name = policy.replace(",", "_")
        yield f"base_{name}", "base", {"diff_augment": policy}
    yield "wgan_gp_diff_augment", "wgan_gp", {"diff_augment": AUGMENT}
    yield "dcgan_diff_augment", "dcgan", {"diff_augment": AUGMENT}
    for family in ("gan", "dcgan", "conditional_gan", "acgan", "infogan"):
        yield f"{family}_spectral_norm", family, {"spectral_norm": True}
        yield f"{family}_stddev", family, {"minibatch_stddev": 4}
    yield "wgan_gp_spectral_norm", "wgan_gp", {"spectral_norm": True}
    for family in ("acgan", "infogan"):
        yield f"{family}_diff_augment", family, {"diff_augment": AUGMENT}
        yield f"{family}_ema", family, {"ema": 0.9}
        options = {"objective": "relativistic"}
        yield f"{family}_relativistic", family, options
    yield "dcgan_all", "dcgan", ALL_SWITCHES
    yield "conditional_gan_all", "conditional_gan", {**ALL_SWITCHES}
    for name, options in (
        ("no_pool", {"pool_size": 0}),
        ("no_identity", {"identity_weight": 0.0}),
        ("diff_augment", {"diff_augment": AUGMENT}),
        ("ema", {"ema": 0.9, "dropout": 0.5}),
        ("relativistic", {"objective": "relativistic"}),
        ("noise", {"instance_noise": 0.1, "spectral_norm": True}),
        ("linear_decay", {"linear_decay": (1, 6)}),
    ):
        yield f"cyclegan_{name}", "cyclegan", options
    # Dropout is in networks of more than 5 levels.
    deep = {"image_shape": (64, 64, 3), "depth": 6}
    for name, options in (
        ("relativistic", {"objective": "relativistic"}),
        ("least_squares", {"objective": "least_squares"}),
        ("ema", {"ema": 0.9}),
        ("d_steps_2", {"d_steps": 2}),
        ("r1", {"r1": 1.0, "norm": "instance"}),
        ("dropout", {"ema": 0.9, **deep}),
    ):
        yield f"pix2pix_{name}", "pix2pix", options


def make_optimizers(name, family):
    """The discriminator's and the generator's, or `None` for the paper's."""
    import keras

    if name == "variant":
        on_jax = keras.backend.backend() == "jax"
        name = "sgd" if on_jax else "paper"
    if name == "paper":
        return None
    rate = RATES.get(family, 0.05)
    makers = {
        "sgd": lambda: keras.optimizers.SGD(rate),
        "scaled": lambda: keras.optimizers.LossScaleOptimizer(
            keras.optimizers.SGD(rate), initial_scale=2.0**10
        ),
        "clipped": lambda: keras.optimizers.SGD(
            rate, momentum=0.5, global_clipnorm=0.1
        ),
        "adamw": lambda: keras.optimizers.AdamW(1e-3, epsilon=1e-3),
    }
    return makers[name](), makers[name]()


def make_data(case):
    """The images of a case and what goes with them: tuple of arrays."""
    translates = case.family in TRANSLATORS
    batch = 4 if translates else 8
    shape = case.options.get("image_shape", shape_of(case.family))
    rng = np.random.default_rng(1)
    per_step = case.options.get("d_steps", 2 if "wgan" in case.family else 1)
    n = batch * STEPS // 2 * per_step
    images = rng.uniform(-1, 1, (n, *shape)).astype("float32")
    if case.family in ("colorization", "inpainting"):
        return (images,), batch
    if translates:
        return (images, 0.5 * images[::-1]), batch
    if case.family in LABELLED:
        return (images, (np.arange(n) % CLASSES).astype("int32")), batch
    return (images,), batch


# --- Training ----------------------------------------------------------------


def run(name, case, scope=None):
    """Trains a case; returns what it came to, as JSON holds it."""
    import keras

    keras.backend.clear_session()
    keras.utils.set_random_seed(0)
    scope = scope or contextlib.nullcontext()
    keras.config.set_dtype_policy(case.policy)
    try:
        with warnings.catch_warnings(), scope:
            warnings.simplefilter("ignore")
            gan = build(case.family, case.options)
            optimizers = make_optimizers(case.optimizer, case.family)
            compile_gan(gan, optimizers, case.compile)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return train(gan, case)
    finally:
        keras.config.set_dtype_policy("float32")


def train(gan, case):
    parts, batch = make_data(case)
    x, y = feed(case, parts, batch)
    fit = {"verbose": 0}
    if isinstance(x, np.ndarray):
        fit |= {"batch_size": batch, "shuffle": False}
    if case.way == "train_on_batch":
        rows = []
        for i in range(STEPS):
            start = i % 2 * batch
            given = [part[start : start + batch] for part in parts]
            rows.append(gan.train_on_batch(*given, return_dict=True))
        logs = {key: [row[key] for row in rows] for key in rows[0]}
    else:
        more = {}
        if case.way == "validated":
            more["validation_data"] = parts if len(parts) > 1 else (x, None)
        logs = gan.fit(x, y, epochs=2, **more, **fit).history
    found = {"logs": {k: [hexed(v) for v in vs] for k, vs in logs.items()}}
    found |= state(gan)
    shown = {}
    if case.family in TRANSLATORS:
        shown = {"ab": translated(gan, parts[0][:2])}
        if case.family == "cyclegan":
            shown["ba"] = parts[1][:2]
    samples = samples_of(gan, case.family, shown)
    found["samples"] = {k: [numbers(v)] for k, v in samples.items()}
    fit.pop("shuffle", None)
    logs = gan.evaluate(x, y, return_dict=True, **fit)
    found["evaluate"] = {k: [hexed(v)] for k, v in logs.items()}
    return found


def translated(gan, images):
    """`images` with as many channels as the generator takes."""
    channels = networks_of(gan)
    channels = channels.get("generator", channels.get("generator_ab"))
    channels = channels.inputs[0].shape[-1]
    return np.concatenate([images, images], axis=-1)[..., :channels]


def feed(case, parts, batch):
    """`x` and `y` of `fit`: arrays, or a data set where it must be one."""
    application = case.family in ("colorization", "inpainting")
    if not application and case.replicas == 1:
        return parts if len(parts) > 1 else (parts[0], None)
    import tensorflow as tf

    given = parts if len(parts) > 1 else parts[0]
    dataset = tf.data.Dataset.from_tensor_slices(given).batch(batch, True)
    options = tf.data.Options()
    policy = tf.data.experimental.AutoShardPolicy.DATA
    options.experimental_distribute.auto_shard_policy = policy
    dataset = dataset.with_options(options)
    if application:
        dataset = application_pairs(case.family, dataset)
    return dataset, None


def state(gan):
    """Networks, seeds, optimizers and the rest of a GAN."""
    found = {"networks": {}, "seeds": {}, "optimizers": {}, "state": {}}
    for name, network in networks_of(gan).items():
        values = [array(v) for v in network.variables]
        found["networks"][name] = [numbers(v) for v in values if is_float(v)]
        # Of Keras's seed generators, the count of calls.
        seeds = [v.ravel().tolist()[-1] for v in values if not is_float(v)]
        found["seeds"][name] = seeds
    for name, optimizer in optimizers_of(gan).items():
        values = [array(v) for v in optimizer.variables]
        found["optimizers"][name] = [numbers(v) for v in values]
    for name, variables in state_of(gan).items():
        found["state"][name] = [numbers(array(v)) for v in variables]
    return found


def array(v):
    from keras import ops

    return np.array(ops.convert_to_numpy(v))


def is_float(x):
    return x.dtype.kind not in "iub"


def hexed(value):
    return float(value).hex()


def numbers(x):
    """An array as a hash, a kind and some numbers: see above."""
    x = np.ascontiguousarray(x)
    kind = f"{x.dtype}{list(x.shape)}"
    digest = hashlib.sha256(kind.encode() + x.tobytes()).hexdigest()[:16]
    flat = x.astype("float64").ravel()
    n = len(flat)
    spread = flat[np.unique(np.linspace(0, n - 1, min(n, 8)).astype(int))]
    signs = np.random.default_rng(n).choice([-1.0, 1.0], (2, n))
    size = np.abs(flat)
    rest = [flat.mean(), size.mean(), size.max(), *(signs @ flat / n**0.5)]
    return [digest, kind, [float(f"{v:.9g}") for v in (*spread, *rest)]]


# --- Comparing ---------------------------------------------------------------

TOLERANCE = 1e-6


def compare(old, new, exact):
    """Lines on what differs and notes on what may: two lists of str.

    Args:
        old: dict of `run`, as recorded.
        new: dict of `run`.
        exact: bool, whether bits must agree.
    """
    wrong, notes = [], []
    for section in ("logs", "evaluate"):
        _compare_logs(section, old[section], new[section], exact, wrong)
    for section in ("networks", "optimizers", "state", "samples"):
        a, b = old[section], new[section]
        if set(a) != set(b):
            wrong.append(f"{section}: {sorted(a)} were there, now {sorted(b)}")
        for name in sorted(set(a) & set(b)):
            line = f"{section}/{name}"
            _compare_arrays(line, a[name], b[name], exact, wrong, notes)
    if old["seeds"] != new["seeds"]:
        wrong.append(f"seeds: {old['seeds']} were there, now {new['seeds']}")
    return wrong, notes


def _compare_logs(section, old, new, exact, wrong):
    if set(old) != set(new):
        wrong.append(f"{section}: {sorted(old)} were there, now {sorted(new)}")
    for name in sorted(set(old) & set(new)):
        a = np.array([float.fromhex(v) for v in old[name]])
        b = np.array([float.fromhex(v) for v in new[name]])
        if a.shape != b.shape:
            wrong.append(f"{section}/{name}: {len(a)} values, now {len(b)}")
            continue
        apart = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0, np.abs(a - b))
        most = 0 if exact else TOLERANCE * np.maximum(1, np.abs(a))
        if not (apart <= most).all():
            wrong.append(f"{section}/{name}: {apart.max():.3g} apart")


def _compare_arrays(line, old, new, exact, wrong, notes):
    """Matches arrays of two lists, in order where that is possible."""
    if len(old) != len(new):
        wrong.append(f"{line}: {len(old)} arrays were there, now {len(new)}")
        return

    def alike(a, b):
        return a[0] == b[0] or (not exact and _apart(a, b) <= TOLERANCE)

    left = [i for i, pair in enumerate(zip(old, new, strict=True)) if not alike(*pair)]
    if not left:
        return
    others, unlike = list(left), []
    for i in left:
        found = [j for j in others if alike(old[i], new[j])]
        if found:
            others.remove(found[0])
        else:
            unlike.append(i)
    if not unlike:
        notes.append(f"{line}: {len(left)} arrays are in another order")
        return
    pairs = [
        min(_apart(old[i], new[j]) for j in (others if i not in others else [i]))
        for i in unlike
    ]
    wrong.append(
        f"{line}: {len(unlike)} of {len(old)} arrays, up to {max(pairs):.3g} "
        f"apart, the first {old[unlike[0]][1]}"
    )


def _apart(a, b):
    """How far two arrays are apart, of 1 or the largest value in them."""
    if a[1] != b[1]:
        return float("inf")
    a, b = np.array(a[2]), np.array(b[2])
    apart = np.where(a == b, 0, np.abs(a - b)).max()
    return float(apart / max(1.0, np.abs(a[:-2]).max()))


# --- Machines, files and the command line ------------------------------------


def machine(backend):
    """What the bits may depend on."""
    import keras
    import tensorflow as tf

    found = {"processor": platform.processor() or platform.machine()}
    flags = set()
    with contextlib.suppress(OSError):
        text = pathlib.Path("/proc/cpuinfo").read_text()
        for line in text.splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                found["processor"] = value.strip()
            if key.strip() == "flags":
                flags |= set(value.split())
    for flag in ("avx2", "avx512f", "avx512_bf16", "amx_tile"):
        found[flag] = flag in flags
    found |= {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
    }
    if backend == "jax":
        import jax

        found["jax"] = jax.__version__
    else:
        with contextlib.suppress(ImportError):
            from importlib import metadata

            found["jax"] = metadata.version("jax")
    for name in ("TF_ENABLE_ONEDNN_OPTS", "KERAS_GANS_KERNELS"):
        found[name] = os.environ.get(name)
    return found


def one_thread():
    """Lets one thread compute each operation of TensorFlow."""
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # each case traces functions anew
    tf.config.threading.set_intra_op_parallelism_threads(1)


def two_replicas(backend):
    """A function that gives a context in which GANs have two replicas."""
    if backend == "jax":
        import keras

        distribution = keras.distribution.DataParallel()
        keras.distribution.set_distribution(distribution)
        return contextlib.nullcontext
    import tensorflow as tf

    devices = [tf.config.LogicalDeviceConfiguration()] * 2
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, devices)
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope


def run_all(names, backend, replicas):
    """Runs cases in this process; yields (name, result or None, seconds)."""
    table = cases()
    one_thread()
    scope = two_replicas(backend) if replicas > 1 else contextlib.nullcontext
    for name in names:
        start = time.perf_counter()
        try:
            found = run(name, table[name], scope())
        except Exception:
            found = None
            traceback.print_exc()
        yield name, found, time.perf_counter() - start


def add_xla_flag(flag, environment=os.environ):
    flags = environment.get("XLA_FLAGS", "").split()
    flags = [*flags, *([] if flag in flags else [flag])]
    environment["XLA_FLAGS"] = " ".join(flags)


def run_elsewhere(names, backend):
    """Runs cases of two replicas, in a process of their own."""
    environment = dict(os.environ)
    if backend == "jax":
        add_xla_flag("--xla_force_host_platform_device_count=2", environment)
    with tempfile.TemporaryDirectory() as directory:
        out = pathlib.Path(directory, "found.json")
        command = [sys.executable, __file__, "replicas"]
        command += [f"--backend={backend}", f"--only={','.join(names)}"]
        command += [f"--file={out}"]
        subprocess.run(command, env=environment, check=True)
        yield from json.loads(out.read_text())


def results(names, backend):
    table = cases()
    alone = [name for name in names if table[name].replicas == 1]
    yield from run_all(alone, backend, 1)
    several = [name for name in names if table[name].replicas > 1]
    if several:
        yield from run_elsewhere(several, backend)


def dumps(record):
    """JSON with a line for each part of a case."""
    lines = [f'{{"machine": {json.dumps(record["machine"])},', '"cases": {']
    for i, (name, case) in enumerate(sorted(record["cases"].items())):
        lines.append(f"{',' if i else ''}{json.dumps(name)}: {{")
        for j, (section, value) in enumerate(case.items()):
            value = json.dumps(value, separators=(",", ":"))
            lines.append(f"{',' if j else ''}{json.dumps(section)}: {value}")
        lines.append("}")
    return "\n".join([*lines, "}}", ""])


def record(args, names, path):
    """Writes what cases come to; whether all of them ran."""
    frozen = {"cases": {}, "machine": machine(args.backend)}
    if args.only and path.exists():
        frozen = json.loads(path.read_text())
        if frozen["machine"] != machine(args.backend):
            sys.exit(
                "The record is of another machine or other versions: no case "
                "can be added. Record all."
            )
    failed = []
    for name, found, seconds in results(names, args.backend):
        print(f"{name}: {seconds:.1f} s", flush=True)
        if found is None:
            failed.append(name)
        else:
            frozen["cases"][name] = found
            path.write_text(dumps(frozen))  # of what is there, should it end
    if failed:
        print(f"Failed: {', '.join(failed)}.")
    return not failed


def check(args, names, path):
    """Compares what cases come to with the record; whether all is well."""
    frozen = json.loads(path.read_text())
    here = machine(args.backend)
    unlike = [k for k in here if here[k] != frozen["machine"].get(k)]
    for key in unlike:
        print(f"{key}: {here[key]}, recorded {frozen['machine'].get(key)}")
    if unlike:
        print("The record is of another machine: bits may differ for that.")
    failed = []
    if not args.only:
        failed = sorted(set(frozen["cases"]) - set(names))
        for name in failed:
            print(f"{name}: RECORDED, BUT NO CASE")
    exact = args.backend == "tensorflow"
    for name, found, seconds in results(names, args.backend):
        old = frozen["cases"].get(name)
        if found is None or old is None:
            print(f"{name}: {'FAILED' if old else 'NOT RECORDED'}", flush=True)
            failed.append(name)
            continue
        wrong, notes = compare(old, found, exact)
        said = "DIFFERS" if wrong else "same"
        print(f"{name}: {said}, {seconds:.1f} s", flush=True)
        for line in [*wrong, *notes]:
            print(f"    {line}", flush=True)
        if wrong:
            failed.append(name)
    done = f"{len(names)} cases, {len(failed)} differ"
    print(f"{done}: {', '.join(failed)}" if failed else done)
    return not failed


def replicas(args, names, path):
    """Runs cases for `run_elsewhere`."""
    path.write_text(json.dumps(list(run_all(names, args.backend, 2))))
    return True


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = {"record": record, "check": check, "replicas": replicas}
    parser.add_argument("command", choices=commands)
    parser.add_argument("--backend", choices=("tensorflow", "jax"), required=True)
    parser.add_argument("--only", help="names of cases, with commas between")
    parser.add_argument("--file", help="the record, to have more than one")
    args = parser.parse_args()
    os.environ["KERAS_BACKEND"] = args.backend
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if args.backend == "jax":
        os.environ["JAX_PLATFORMS"] = "cpu"
        add_xla_flag("--xla_backend_optimization_level=0")
    names = args.only.split(",") if args.only else list(cases())
    if unknown := sorted(set(names) - set(cases())):
        sys.exit(f"Unknown cases: {', '.join(unknown)}.")
    path = pathlib.Path(__file__).parent / f"frozen_{args.backend}.json"
    path = pathlib.Path(args.file) if args.file else path
    sys.exit(not commands[args.command](args, names, path))


if __name__ == "__main__":
    main()
