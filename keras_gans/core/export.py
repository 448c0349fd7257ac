"""A generator as a SavedModel that needs neither Keras nor keras_gans."""

from typing import TYPE_CHECKING

import keras

from keras_gans.core import signatures, warmup
from keras_gans.core.signatures import Endpoint
from keras_gans.utils import files
from keras_gans.utils.types import Path

if TYPE_CHECKING:
    from keras_gans.core.gan import BaseGAN
    from keras_gans.core.translation import TranslatingGAN


FORMAT = "tf_saved_model"
# What TensorFlow writes into the directory of a SavedModel.
PARTS = {"saved_model.pb", "fingerprint.pb", "variables", "assets", "assets.extra"}


def export(gan: "BaseGAN", filepath: Path, overwrite: bool = False) -> None:
    """Writes the sampling generator of a GAN as a SavedModel.

    Signatures, for any number n of rows:

    - `serving_default(seed: int64 [n]) -> {"images"}`: each row has a seed of
      its own and gives the same image in whatever batch it comes. Row i of
      `gan.sample(n, seed=s)` is the seed `s * 2**32 + i`.
    - `generate(z: float32 [n, latent_dim]) -> {"images"}`.
    - `interpolate(seed_a: int64 [n], seed_b: int64 [n], t: float32 [n]) ->
      {"images"}`: from seed to seed, as `keras_gans.latent.walk` goes: along
      arcs of z, or lines of w where there is one.
    - `score(images: float32 [n, height, width, channels]) -> {"logits"}`: the
      discriminator's. Where it sees classes, it takes `label` too. It is left
      out of GANs with several discriminators, or one that sees packs.

    A conditional GAN's signatures also take `label` (int32 `[n]`), InfoGAN's
    `label` and `codes` (float32 `[n, num_codes]`), StyleGAN's `truncation`
    (float32 `[n]`), a GAN of sentences `text`: strings `[n]` where its encoder is a
    Keras model, vectors float32 `[n, dim]` else, as of `generate`. A value out of
    range is an error of the request.

    `images` is float32 `[n, height, width, channels]` in [-1, 1]; `image_bytes`
    beside it holds each as a PNG file. Samples of other kinds are called as
    their `modality` says: `audio` and `audio_bytes` (WAV), `volumes` and
    `mesh_bytes` (GLB), `videos` and `video_bytes` (animated PNG), ... A generator
    without latent code has no seeds: `serving_default` takes its inputs.

    A request for each signature lies in `assets.extra`, where TF Serving finds
    it and warms the model up.

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
    check_target(filepath, overwrite)
    write(filepath, *signatures.of_samples(gan))


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
    filepath: Path, networks: list[keras.Model], endpoints: dict[str, Endpoint]
) -> None:
    """Writes a SavedModel, with requests that warm it up.

    Args:
        filepath: str or path.
        networks: list of `keras.Model` that the functions use.
        endpoints: dict of a signature's name to its `Endpoint`.
    """
    archive = keras.export.ExportArchive()
    for network in networks:
        archive.track(network)
    for name, endpoint in endpoints.items():
        archive.add_endpoint(name, endpoint.function, endpoint.specs)
    requests = {name: endpoint.example for name, endpoint in endpoints.items()}
    with files.replacing(filepath) as temporary:
        archive.write_out(str(temporary), verbose=False)
        warmup.write(temporary, requests)


def export_translator(
    gan: "TranslatingGAN", filepath: Path, overwrite: bool = False
) -> None:
    """Writes the generators of a GAN that translates as a SavedModel.

    Signatures, for any number n of images:

    - `serving_default(image_bytes: string [n]) -> {"image_bytes", "images"}`:
      PNG or JPEG files, each translated as `gan.translate` does it alone. A
      picture of another size is brought to the generator's: resized, and cropped
      around its middle. A generator of any size translates each in its own, and
      gives `image_bytes` alone; so does one that enlarges.
    - `translate(images: float32 [n, height, width, channels]) -> {"images"}`:
      as `gan.translate(images)`, in the mode that suits how the GAN was trained;
    - `test`: as `gan.translate(images, evaluation=False)`, as the reference
      tests;
    - `evaluate`: as `gan.translate(images, evaluation=True)`, all images at
      once;
    - of a GAN with two directions also `serving_ba`, `ba`, `test_ba` and
      `evaluate_ba`.

    `images` are in [-1, 1], of any height and width where the generator takes
    any. Where what is translated or made is no picture by its channels (see
    `signatures.are_pictures`), `serving_default` is `translate`.

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
    images = served.translate(x)["images"]
    ```
    """
    check_target(filepath, overwrite)
    write(filepath, *signatures.of_translations(gan))
