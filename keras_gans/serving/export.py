"""A generator as a SavedModel that needs neither Keras nor keras_gans."""

import keras

from keras_gans import files
from keras_gans.engine import draws


def export(gan, filepath, overwrite=False):
    """Writes the sampling generator of a GAN as a SavedModel.

    Signatures, for any number n of rows:

    - `serving_default(seed: int64 [n]) -> {"images"}`: each row has a seed of
      its own and gives the same image in whatever batch it comes. Row i of
      `gan.sample(n, seed=s)` is the seed `s * 2**32 + i`.
    - `generate(z: float32 [n, latent_dim]) -> {"images"}`.

    A conditional GAN's signatures also take `label` (int32 `[n]`), InfoGAN's
    `label` and `codes` (float32 `[n, num_codes]`). A value out of range is an
    error of the request.

    `images` is float32 `[n, height, width, channels]` in [-1, 1].

    Args:
        gan: a `BaseGAN`, on the TensorFlow backend.
        filepath: str or path of the directory to make. TF Serving wants a
            version number as its last part, e.g. "dcgan/1".
        overwrite: bool, whether to replace what stands there.

    Raises:
        ValueError: `filepath` exists, or the backend is not TensorFlow.

    Example:

    ```python
    gan = keras_gans.DCGAN(image_shape=(16, 16, 1), width=8)
    gan.export("exported/dcgan/1", overwrite=True)
    served = tf.saved_model.load("exported/dcgan/1")
    seeds = 3 * 2**32 + np.arange(4)
    images = served.serving_default(seeds)["images"]  # gan.sample(4, seed=3)
    ```
    """
    import tensorflow as tf

    check_target(filepath, overwrite)
    generator = gan.sampling_generator
    latent_dim = gan.latent_dim

    def generate(z, *values):
        checks = [
            check
            for condition, value in zip(gan.conditions, values, strict=True)
            for check in _in_range(condition, value)
        ]
        with tf.control_dependencies(checks):
            inputs = [z, *map(tf.identity, values)] if values else z
        images = generator(inputs, training=False)
        return {"images": tf.cast(images, tf.float32)}

    def from_seed(seed, *values):
        low = tf.cast(tf.bitwise.bitwise_and(seed, 0xFFFFFFFF), tf.uint32)
        high = tf.cast(tf.bitwise.right_shift(seed, 32), tf.uint32)
        return generate(draws.latents(high, low, latent_dim), *values)

    conditions = [
        tf.TensorSpec([None, *c.shape], c.dtype, name=c.name)
        for c in gan.conditions
    ]

    seed = tf.TensorSpec([None], tf.int64, name="seed")
    z = tf.TensorSpec([None, latent_dim], tf.float32, name="z")
    endpoints = {
        "serving_default": (from_seed, [seed, *conditions]),
        "generate": (generate, [z, *conditions]),
    }
    write(filepath, [generator], endpoints)


def check_target(filepath, overwrite):
    """Checks that a SavedModel can be written to `filepath`.

    Raises:
        ValueError: it exists, or the backend is not TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "A SavedModel is written by the TensorFlow backend. Received: the "
            f"backend '{keras.backend.backend()}'. Save the GAN as a .keras "
            "file, load it with KERAS_BACKEND=tensorflow and export it there."
        )
    files.check_free(filepath, overwrite)


def write(filepath, networks, endpoints):
    """Writes a SavedModel.

    Args:
        filepath: str or path.
        networks: list of `keras.Model` that the functions use.
        endpoints: dict of a signature's name to (function, its specs).
    """
    archive = keras.export.ExportArchive()
    for network in networks:
        archive.track(network)
    for name, (function, specs) in endpoints.items():
        archive.add_endpoint(name, function, specs)
    with files.replacing(filepath) as temporary:
        archive.write_out(str(temporary), verbose=False)


def _in_range(condition, value):
    """Operations that fail where a value of a condition is out of range."""
    import tensorflow as tf

    allowed = f"{condition.name} lies in [{condition.low}, {condition.high}]"
    low = tf.constant(condition.low, condition.dtype)
    high = tf.constant(condition.high, condition.dtype)
    return [
        tf.debugging.assert_greater_equal(value, low, message=allowed),
        tf.debugging.assert_less_equal(value, high, message=allowed),
    ]
