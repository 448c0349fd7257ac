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


def images_of(generator, latent_dim=None):
    """What a generator takes and makes.

    Args:
        generator: `keras.Model`, built.
        latent_dim: int, needed where the model is subclassed.

    Returns:
        `(latent_dim, image_shape)`: an int and a tuple of ints.

    Raises:
        ValueError: it is no built model of latent codes `[n, latent_dim]`.
    """
    check_built("generator", generator)
    shape = input_shape_of(generator)
    if shape is None and latent_dim is None:
        raise ValueError(
            "A subclassed generator does not tell what it takes: pass "
            f"`latent_dim` with it. Received: {generator.name} (of type "
            f"{type(generator).__name__})."
        )
    if shape is not None and (not isinstance(shape, tuple) or len(shape) != 2):
        raise ValueError(
            "A generator takes latent codes of shape (None, latent_dim). "
            f"Received: input shape {shape}."
        )
    if shape is not None:
        latent_dim = shape[1]
    codes = keras.KerasTensor((1, latent_dim))
    return latent_dim, tuple(generator.compute_output_spec(codes).shape)[1:]


def check_networks(generator, discriminator, latent_dim=None, image_shape=None):
    """Checks that a generator's images fit a discriminator.

    Args:
        generator: `keras.Model`.
        discriminator: `keras.Model`.
        latent_dim: int, what the generator should take, or `None`.
        image_shape: tuple, what the generator should make, or `None`.

    Returns:
        `(latent_dim, image_shape)`: an int and a tuple of ints.

    Raises:
        ValueError: a network is not a built `keras.Model`, or they disagree.
    """
    check_built("discriminator", discriminator)
    latent_dim_made, made = images_of(generator, latent_dim)
    wanted = input_shape_of(discriminator)
    if wanted is not None and not _fits(made, tuple(wanted)[1:]):
        raise ValueError(
            "The generator's images do not fit the discriminator. Received: "
            f"images of shape {made}, a discriminator of {tuple(wanted)[1:]}. "
            "Build both for one shape."
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


def check_images(images, image_shape):
    """Checks a batch of real images before it is trained on.

    Args:
        images: array `[n, *image_shape]`, float in [-1, 1].
        image_shape: tuple, the shape of the generator's images.

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
        raise ValueError(
            "The images do not have the generator's shape. Received: a batch "
            f"of shape {images.shape}. Expected: (batch, "
            f"{', '.join(map(str, image_shape))}). Resize the images, e.g. by "
            f"`keras_gans.data.load(..., image_size={image_shape[:2]}, "
            f"channels={image_shape[-1]})`, or build the GAN with "
            f"image_shape={images.shape[1:]}."
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
    low, high = float(images.min()), float(images.max())
    if low < -1.001 or high > 1.001:  # resizing in float may round past 1
        raise ValueError(
            "Images must lie in [-1, 1], the range of the generator's tanh. "
            f"Received: values from {low:.4g} to {high:.4g}. Scale them, e.g. "
            "8-bit images by `x / 127.5 - 1`."
        )
    if low >= 0 and high > low:
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


def check_compile(d_optimizer, g_optimizer, options, replicas):
    """Checks the arguments of `BaseGAN.compile`.

    Raises:
        ValueError: an unknown option, one optimizer for both networks, or XLA
            on several replicas.
    """
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
