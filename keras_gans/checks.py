"""Bad input met at the door: arguments, networks and images."""

import warnings

import keras
import numpy as np


def check_built(role, network):
    """Checks that a network is a `keras.Model` with its variables made.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(network, keras.Model):
        raise ValueError(
            f"`{role}` must be a keras.Model. Received: {network!r} (of type "
            f"{type(network).__name__})."
        )
    if not network.built:
        raise ValueError(
            f"`{role}` is not built: begin a Sequential with keras.Input, or "
            f"call the model once. Received: {network.name}."
        )


def input_shape_of(network):
    """The input shape of a Functional or Sequential model, else `None`."""
    try:
        return network.input_shape
    except AttributeError:  # a subclassed model does not tell
        return None


def output_shape_of(network):
    """The output shape of a Functional or Sequential model, else `None`."""
    try:
        return network.output_shape
    except AttributeError:  # a subclassed model does not tell
        return None


def images_of(generator, latent_dim=None, conditions=()):
    """What a generator takes and makes.

    Args:
        generator: `keras.Model`, built.
        latent_dim: int, needed where the model is subclassed.
        conditions: tuple of `sampling.Condition`, its inputs beside z.

    Returns:
        `(latent_dim, image_shape)`: an int and a tuple of ints.

    Raises:
        ValueError: it is no built model of latent codes `[n, latent_dim]` and
            of the conditions.
    """
    check_built("generator", generator)
    shape = input_shape_of(generator)
    if shape is None and latent_dim is None:
        raise ValueError(
            "A subclassed generator does not tell what it takes: pass "
            f"`latent_dim` with it. Received: {generator.name} (of type "
            f"{type(generator).__name__})."
        )
    if shape is not None:
        shapes = list(shape) if isinstance(shape, list) else [shape]
        wanted = [(None, "latent_dim"), *((None, *c.shape) for c in conditions)]
        ok = isinstance(shapes[0], tuple) and len(shapes[0]) == 2
        if not ok or [tuple(s) for s in shapes[1:]] != wanted[1:]:
            names = ", ".join(["z", *(c.name for c in conditions)])
            raise ValueError(
                f"The generator takes [{names}] of shapes "
                f"{', '.join(map(str, wanted))}. Received: {generator.name} "
                f"with input shape {shape}."
            )
        latent_dim = shapes[0][1]
    inputs = [keras.KerasTensor((1, latent_dim))]
    inputs += [keras.KerasTensor((1, *c.shape), c.dtype) for c in conditions]
    made = generator.compute_output_spec(
        inputs if len(inputs) > 1 else inputs[0]
    )
    return latent_dim, tuple(made.shape)[1:]


def packed(image_shape, packing):
    """The shape of `packing` images joined along the last axis.

    Raises:
        ValueError: `packing` is no positive int.
    """
    check_size("packing", packing)
    return (*image_shape[:-1], image_shape[-1] * packing)


def check_networks(
    generator,
    discriminator,
    latent_dim=None,
    image_shape=None,
    packing=1,
    conditions=(),
):
    """Checks that a generator's images fit a discriminator.

    Args:
        generator: `keras.Model`.
        discriminator: `keras.Model`.
        latent_dim: int, what the generator should take, or `None`.
        image_shape: tuple, what the generator should make, or `None`.
        packing: int, how many images the discriminator judges together.
        conditions: tuple of `sampling.Condition`, what the generator takes
            beside latent codes.

    Returns:
        `(latent_dim, image_shape)`: an int and a tuple of ints.

    Raises:
        ValueError: a network is not a built `keras.Model`, or they disagree.
    """
    check_built("discriminator", discriminator)
    latent_dim_made, made = images_of(generator, latent_dim, conditions)
    wanted = input_shape_of(discriminator)
    if isinstance(wanted, list):
        wanted = wanted[0]
    judged = packed(made, packing)
    if wanted is not None and not _fits(judged, tuple(wanted)[1:]):
        packs = f" (packing={packing})" if packing > 1 else ""
        raise ValueError(
            "The generator's images do not fit the discriminator. Received: "
            f"images of shape {judged}{packs}, a discriminator of "
            f"{tuple(wanted)[1:]}. Build both for one shape."
        )
    for name, asked, is_so in (
        ("image_shape", image_shape and tuple(image_shape), made),
        ("latent_dim", latent_dim, latent_dim_made),
    ):
        if asked is not None and asked != is_so:
            raise ValueError(
                f"`{name}` does not fit the generator. Received: "
                f"{name}={asked}, a generator with {is_so}. Drop `{name}`: it "
                "follows from the generator."
            )
    return latent_dim_made, made


def _fits(made, wanted):
    return len(made) == len(wanted) and all(
        w in (None, m) for m, w in zip(made, wanted, strict=True)
    )


def check_images(images, image_shape, doubt=True):
    """Checks a batch of real images before it is trained on.

    Args:
        images: array `[n, *image_shape]`, float in [-1, 1].
        image_shape: tuple, the shape of the generator's images; what has
            another rank than (height, width, channels) may have any range.
        doubt: bool, warn where all lie in [0, 1], as unscaled images do.

    Raises:
        ValueError: another shape or type, NaN, or values outside [-1, 1].
    """
    images = np.asarray(images)
    if images.shape == tuple(image_shape):
        raise ValueError(
            "The data set yields single images, not batches. Received: shape "
            f"{images.shape}. Batch it: `dataset.batch(64)`."
        )
    if images.shape[1:] != tuple(image_shape):
        remedy = ""
        if len(image_shape) == 3:
            remedy = (
                "Resize the images, e.g. by `keras_gans.data.load(..., "
                f"image_size={image_shape[:2]}, channels={image_shape[-1]})`, "
                "or build"
            )
        raise ValueError(
            "The images do not have the generator's shape. Received: a batch "
            f"of shape {images.shape}. Expected: (batch, "
            f"{', '.join(map(str, image_shape))}). {remedy or 'Build'} the GAN "
            f"with image_shape={images.shape[1:]}."
        )
    if images.dtype.kind in "biu":
        raise ValueError(
            f"Images must be floats in [-1, 1]. Received: {images.dtype}. "
            "Scale 8-bit images by `x / 127.5 - 1`."
        )
    images = images.astype("float32")
    if np.isnan(images).any():
        bad = np.unique(np.nonzero(np.isnan(images))[0])
        raise ValueError(
            f"The first batch holds NaN. Received: NaN in {len(bad)} of "
            f"{len(images)} images, the first at row {bad[0]}. Clean the data."
        )
    if len(image_shape) != 3:
        return
    low, high = float(images.min()), float(images.max())
    if low < -1.001 or high > 1.001:  # resizing in float may round past 1
        raise ValueError(
            "Images must lie in [-1, 1], the range of the generator's tanh. "
            f"Received: values from {low:.4g} to {high:.4g}. Scale them, e.g. "
            "8-bit images by `x / 127.5 - 1`."
        )
    if doubt and low >= 0 and high > low:
        warnings.warn(
            f"All images of the first batch lie in [0, 1] ({low:.4g} to "
            f"{high:.4g}). If black is 0 in your data, scale it to [-1, 1] by "
            "`2 * x - 1`.",
            stacklevel=2,
        )


def is_int(x):
    """Whether `x` is a whole number, of Python or NumPy."""
    return isinstance(x, (int, np.integer)) and not isinstance(x, bool)


def is_number(x):
    """Whether `x` is a real number, of Python or NumPy."""
    return is_int(x) or isinstance(x, (float, np.floating))


def check_labels(labels, num_classes, n=None):
    """Returns class labels as an int32 array `[n]`.

    Args:
        labels: array `[n]` or `[n, 1]` of ints, or one int for all `n`.
        num_classes: int.
        n: int, how many are needed; `None` takes any number.

    Raises:
        ValueError: another type or shape, or a label out of range.
    """
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise ValueError(
            f"Labels are ints in [0, {num_classes}). Received: dtype "
            f"{labels.dtype}. Number the classes, or use `labels.argmax(-1)` "
            "where they are one-hot."
        )
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 0 and n is not None:
        labels = np.full(n, labels)
    if labels.ndim != 1 or (n is not None and len(labels) != n):
        wanted = "[n]" if n is None else f"({n},)"
        raise ValueError(
            f"Labels have the shape {wanted}, one int a row. Received: shape "
            f"{labels.shape}. Use `labels.argmax(-1)` where they are one-hot."
        )
    if len(labels) and not 0 <= labels.min() <= labels.max() < num_classes:
        raise ValueError(
            f"Labels must lie in [0, {num_classes}). Received: labels from "
            f"{labels.min()} to {labels.max()}. Number the classes from 0; "
            f"the GAN was built with num_classes={num_classes}."
        )
    return labels.astype("int32")


def check_shape(image_shape):
    """Returns `image_shape` as a tuple (height, width, channels).

    Raises:
        ValueError: it is something else.
    """
    ok = (
        isinstance(image_shape, (tuple, list))
        and len(image_shape) == 3
        and all(is_int(n) and n > 0 for n in image_shape)
    )
    if not ok:
        raise ValueError(
            "`image_shape` is (height, width, channels), three positive ints. "
            f"Received: image_shape={image_shape!r}."
        )
    return tuple(image_shape)


def check_row_shape(shape):
    """Returns a shape of images, (height, width, channels), or vectors, (d,).

    Raises:
        ValueError: it is something else.
    """
    if isinstance(shape, (tuple, list)) and len(shape) == 1:
        check_size("image_shape[0]", shape[0])
        return tuple(shape)
    return check_shape(shape)


def check_size(name, value):
    """Returns `value`, a positive int.

    Raises:
        ValueError: it is something else.
    """
    return within(name, value, is_int(value) and value > 0, "1, 2, ...")


def check_decay(linear_decay):
    """Returns `linear_decay` as `None` or a tuple (start, end) of ints.

    Raises:
        ValueError: it is something else, or not `0 <= start < end`.
    """
    if linear_decay is None:
        return None
    ok = (
        isinstance(linear_decay, (tuple, list))
        and len(linear_decay) == 2
        and all(map(is_int, linear_decay))
        and 0 <= linear_decay[0] < linear_decay[1]
    )
    if not ok:
        raise ValueError(
            "`linear_decay` is (start, end) in steps, 0 <= start < end. "
            f"Received: linear_decay={linear_decay!r}."
        )
    return tuple(linear_decay)


def within(name, value, ok, allowed):
    """Returns `value` where `ok`.

    Raises:
        ValueError: it is not; the message names it and what is `allowed`.
    """
    if not ok:
        raise ValueError(
            f"`{name}` must lie in {allowed}. Received: {value!r}."
        )
    return value


def check_seed(seed):
    """Returns `seed`, an int in [0, 2**31).

    Raises:
        ValueError: it is something else.
    """
    ok = is_int(seed) and 0 <= seed < 2**31
    return within("seed", seed, ok, "[0, 2**31), an int")


COMPILE_OPTIONS = (
    "auto_scale_loss",
    "jit_compile",
    "run_eagerly",
    "steps_per_execution",
)


def check_compile(d_optimizer, g_optimizer, options, own, replicas):
    """Checks the arguments of `BaseGAN.compile`.

    Raises:
        ValueError: an unknown option, one optimizer for both networks, or XLA
            on several replicas.
    """
    check_size("accumulate", own["accumulate"])
    switch = own["rematerialize"]
    within("rematerialize", switch, isinstance(switch, bool), "True, False")
    unknown = sorted(set(options) - set(COMPILE_OPTIONS))
    if unknown:
        raise ValueError(
            "`compile` of a GAN takes d_optimizer, g_optimizer, "
            f"{', '.join(COMPILE_OPTIONS)}. Received: {', '.join(unknown)}."
        )
    if d_optimizer is g_optimizer and isinstance(
        d_optimizer, keras.optimizers.Optimizer
    ):
        raise ValueError(
            "d_optimizer and g_optimizer are the same object. Make two: each "
            "keeps the moments of its own network."
        )
    if options.get("jit_compile") is True and replicas > 1:
        raise ValueError(
            "jit_compile=True does not work under a distribution strategy: XLA "
            "cannot reach the variables of another device. Drop it."
        )
