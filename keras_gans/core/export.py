"""A generator as a SavedModel that needs neither Keras nor keras_gans."""

from typing import TYPE_CHECKING

import keras

from keras_gans.core.inputs import Latent
from keras_gans.utils import files
from keras_gans.utils.types import Path

if TYPE_CHECKING:
    from keras_gans.core.gan import BaseGAN
    from keras_gans.core.translation import TranslatingGAN


FORMAT = "tf_saved_model"
# What TensorFlow writes into the directory of a SavedModel.
PARTS = {"saved_model.pb", "fingerprint.pb", "variables", "assets", "assets.extra"}
KEY = "key"  # of a translator's inputs: seed and row, in the test mode


def export(gan: "BaseGAN", filepath: Path, overwrite: bool = False) -> None:
    """Writes the sampling generator of a GAN as a SavedModel.

    Signatures, for any number n of rows:

    - `serving_default(seed: int64 [n]) -> {"images"}`: each row has a seed of
      its own and gives the same image in whatever batch it comes. Row i of
      `gan.sample(n, seed=s)` is the seed `s * 2**32 + i`.
    - `generate(z: float32 [n, latent_dim]) -> {"images"}`.

    A conditional GAN's signatures also take `label` (int32 `[n]`), InfoGAN's
    `label` and `codes` (float32 `[n, num_codes]`). A value out of range is an
    error of the request.

    `images` is float32 `[n, height, width, channels]` in [-1, 1]; `image_bytes`
    beside it holds each as a PNG file. Samples of other kinds are called as
    their `modality` says: `audio` and `audio_bytes`, `volumes`, ... A generator
    without latent code has no seeds: `serving_default` takes its inputs.

    Args:
        gan: a `BaseGAN`, on the TensorFlow backend.
        filepath: str or path of the directory to make. TF Serving wants a
            version number as its last part, e.g. "dcgan/1".
        overwrite: bool, whether to replace a SavedModel that stands there.

    Raises:
        ValueError: `filepath` exists, or holds something else; or the
            backend is not TensorFlow.

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
    generator = gan.sampling_network()
    modality = gan.modality

    def generate(*values):
        checks = [
            check
            for one, value in zip(gan.inputs, values, strict=True)
            for check in _in_range(one, value)
        ]
        with tf.control_dependencies(checks):
            values = [tf.identity(value) for value in values]
        values = values if len(values) > 1 else values[0]
        samples = tf.cast(generator(values, training=False), tf.float32)
        samples = modality.clip(samples)
        outputs = {modality.tensor_name: samples}
        encoded = modality.encode_in_graph(samples)
        if encoded is not None:
            outputs[modality.bytes_name] = encoded
        return outputs

    def from_seed(seed, *given):
        low = tf.cast(tf.bitwise.bitwise_and(seed, 0xFFFFFFFF), tf.uint32)
        high = tf.cast(tf.bitwise.right_shift(seed, 32), tf.uint32)
        given = iter(given)
        values = [
            next(given) if one in arguments else one.served(high, low)
            for one in gan.inputs
        ]
        return generate(*values)

    def spec(one):
        return tf.TensorSpec([None, *one.shape], one.dtype, name=one.name)

    arguments = [one for one in gan.inputs if not isinstance(one, Latent)]
    endpoints = {"generate": (generate, [spec(one) for one in gan.inputs])}
    if len(arguments) < len(gan.inputs):
        seed = tf.TensorSpec([None], tf.int64, name="seed")
        specs = [seed, *(spec(one) for one in arguments)]
        endpoints["serving_default"] = (from_seed, specs)
    else:
        endpoints["serving_default"] = endpoints["generate"]
    write(filepath, [generator], endpoints)


def check_format(format: str, overwrite: bool) -> None:
    """Refuses to export to another format than a SavedModel.

    Raises:
        ValueError: `format` is another, or in the place of `overwrite`.
    """
    if isinstance(overwrite, str):  # where `keras.Model.export` has it
        format = overwrite
    if format != FORMAT or isinstance(overwrite, str):
        raise ValueError(
            f"A GAN is exported as a SavedModel, format={FORMAT!r}. Received: "
            f"format={format!r}. Export its generator by itself: "
            f"`gan.sampling_network().export(path, format={format!r})`."
        )


def check_target(filepath: Path, overwrite: bool) -> None:
    """Checks that a SavedModel can be written to `filepath`.

    Raises:
        ValueError: it exists, and is no SavedModel or not to be overwritten;
            or the backend is not TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "A SavedModel is written by the TensorFlow backend. Received: the "
            f"backend '{keras.backend.backend()}'. Save the GAN as a .keras "
            "file, load it with KERAS_BACKEND=tensorflow and export it there."
        )
    files.check_name(filepath)
    files.check_free(filepath, overwrite, SAVED_MODEL)


def _is_saved_model(path):
    """Whether a directory holds a SavedModel, and nothing of somebody's own."""
    names = {p.name for p in path.iterdir()} if path.is_dir() else set()
    return "saved_model.pb" in names and names <= PARTS


SAVED_MODEL = files.Kind("a SavedModel", _is_saved_model)


def write(
    filepath: Path, networks: list[keras.Model], endpoints: dict[str, tuple]
) -> None:
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


def _in_range(one, value):
    """Operations that fail where a value of an input is out of range."""
    import tensorflow as tf

    if one.low is None:
        return []
    allowed = f"{one.name} lies in [{one.low}, {one.high}]"
    low, high = (tf.constant(x, one.dtype) for x in (one.low, one.high))
    return [
        tf.debugging.assert_greater_equal(value, low, message=allowed),
        tf.debugging.assert_less_equal(value, high, message=allowed),
    ]


def export_translator(
    gan: "TranslatingGAN", filepath: Path, overwrite: bool = False
) -> None:
    """Writes the generators of a GAN that translates as a SavedModel.

    Signatures, for any number n of images:

    - `serving_default(images: float32 [n, height, width, channels]) ->
      {"images"}`: as `gan.translate(images)`, in the mode that suits how the
      GAN was trained;
    - `test`: as `gan.translate(images, evaluation=False)`, as the reference
      tests;
    - `evaluate`: as `gan.translate(images, evaluation=True)`, all images at
      once;
    - of a GAN with two directions also `ba`, `test_ba` and `evaluate_ba`.

    Images are in [-1, 1], of any height and width where the generator takes
    any.

    Args:
        gan: `Pix2Pix` or `CycleGAN`, on the TensorFlow backend.
        filepath: str or path of the directory to make. TF Serving wants a
            version number as its last part, e.g. "pix2pix/1".
        overwrite: bool, whether to replace a SavedModel that stands there.

    Raises:
        ValueError: `filepath` exists, or holds something else; or the
            backend is not TensorFlow.

    Example:

    ```python
    gan = keras_gans.Pix2Pix((32, 32, 3), width=4, depth=3, n_layers=1)
    gan.export("exported/pix2pix/1", overwrite=True)
    served = tf.saved_model.load("exported/pix2pix/1")
    x = np.zeros((2, 32, 32, 3), "float32")
    images = served.serving_default(x)["images"]
    ```
    """
    import tensorflow as tf

    check_target(filepath, overwrite)

    def test(direction):
        def one(image_and_row):
            image, row = image_and_row
            key = tf.reshape(tf.stack([0, row]), (1, 2))
            return gan({direction: image[None], KEY: key})[0]

        def each(images):
            made = tf.map_fn(
                one,
                (images, tf.range(tf.shape(images)[0])),
                fn_output_signature=tf.float32,
            )
            return {"images": made}

        return each

    def evaluate(direction):
        return lambda images: {"images": gan({direction: images})}

    endpoints, tracked = {}, []
    for direction in gan.directions:
        first = direction == gan.directions[0]
        network = gan.sampling_network(gan.translator(direction))
        tracked += [network, gan.networks[gan.translator(direction)]]
        specs = [tf.TensorSpec(network.input_shape, tf.float32, name="images")]
        suffix = "" if first else f"_{direction}"
        modes = {"test": test(direction), "evaluate": evaluate(direction)}
        for name, made in modes.items():
            endpoints[name + suffix] = (made, specs)
        suits = modes["evaluate" if gan.evaluates() else "test"]
        endpoints["serving_default" if first else direction] = (suits, specs)
    write(filepath, tracked, endpoints)
