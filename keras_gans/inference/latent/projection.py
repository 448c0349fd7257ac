"""A picture's code: which one gives the sample that is most like it."""

from collections.abc import Callable
import dataclasses
import io
import math
from typing import NamedTuple
import warnings

import keras
from keras import ops
import numpy as np

from keras_gans.core.gan import BaseGAN
from keras_gans.core.optimizers import TorchAdam
from keras_gans.engine import compiled, input_gradient, rng
from keras_gans.inference.latent.directions import read_npz
from keras_gans.inference.latent.features import distances, features_of, halved
from keras_gans.inference.latent.space import LatentSpace, in_batches
from keras_gans.layers import NoiseMap
from keras_gans.metrics.features.resizing import resize
from keras_gans.metrics.functional.pixels import WINDOW, ssim
from keras_gans.modalities import image_files, pictures
from keras_gans.modalities.base import Preview
from keras_gans.modalities.image import Image
from keras_gans.utils import files
from keras_gans.utils.types import Path, Tensor
from keras_gans.utils.validation import check_seed, check_size, is_number, within

SPACES = ("z", "w", "w+")
RAMP_UP, RAMP_DOWN = 0.05, 0.25  # shares of the steps: of the learning rate
NOISE_STEPS = 0.75  # share of the steps in which noise is added to w
NOISE = 0.05  # its first deviation, in deviations of w
MAPS_SIDE = 8  # pixels from which on noise maps are not halved again
MAPS_WEIGHT = 1e5  # of their regularizer
W_SAMPLES, W_SEED = 10000, 123  # of the mean and deviation of w
CANDIDATES = 1024  # z of which the nearest is the first


@dataclasses.dataclass(frozen=True)
class Projection:
    """A picture and its sample in a GAN's space.

    Attributes:
        space: "z", "w" or "w+".
        codes: float32 array: z `[1, dim]`, or w `[1, layers, w_dim]`.
        target: float32 array `[height, width, channels]` in [-1, 1].
        image: float32 array, the sample of `codes`.
        distance: float, of the features of `image` and `target`.
        distances: float32 array `[steps]`, of the codes that each step began with,
            noise included.
        label: int, the class it was made with, or `None`.
    """

    space: str
    codes: np.ndarray
    target: np.ndarray
    image: np.ndarray
    distance: float
    distances: np.ndarray
    label: int | None = None

    @property
    def ssim(self) -> float | None:
        """The structural similarity; `None` of less than 11 pixels a side."""
        if min(self.image.shape[:2]) < WINDOW:
            return None
        return ssim(self.image, self.target, (-1.0, 1.0))

    def save(self, path: Path, overwrite: bool = False) -> None:
        """Writes the codes as a .npz file, which `load_codes` reads.

        It holds `w` `[1, layers, w_dim]`, as the projector of StyleGAN2 writes it,
        or `z` `[1, dim]`, and `label` where there is a class.

        Raises:
            ValueError: `path` exists.
        """
        files.check_free(path, overwrite)
        arrays = {"z" if self.space == "z" else "w": self.codes}
        if self.label is not None:
            arrays["label"] = np.int32(self.label)
        stream = io.BytesIO()
        np.savez(stream, **arrays)
        files.write_bytes(path, stream.getvalue())

    def preview(self, caption: str | None = None) -> Preview:
        """The picture and its sample side by side."""
        names = ["the picture", f"in {self.space}"]
        pair = np.stack([self.target, self.image])
        return Preview(pictures.draw_grid(pair, 2, names, caption))


def load_codes(gan: BaseGAN, path: Path) -> np.ndarray:
    """The codes w of a .npz file of `Projection.save`, or of StyleGAN2's projector.

    Args:
        gan: `StyleGAN2`, or another with intermediate codes.
        path: str or path.

    Returns:
        float32 array `[n, layers, w_dim]`.

    Raises:
        ValueError: it is no such file, or its codes do not fit the generator.
    """
    space = LatentSpace(gan)
    space.check_w(f"{path}")
    w = read_npz(path, ("w",))["w"]
    wanted = tuple(space.synthesis.input.shape[1:])
    if w.ndim != 3 or w.shape[1:] != wanted or not np.isfinite(w).all():
        raise ValueError(
            f"{path} holds no codes of this generator. Received: w of shape "
            f"{w.shape}. Expected: (n, {wanted[0]}, {wanted[1]}), finite."
        )
    return w.astype("float32")


def read_target(gan: BaseGAN, path: Path) -> np.ndarray:
    """A picture file as `project` takes it: of the size of the GAN's samples.

    The middle of a picture of another size is taken, and resized; a warning says
    so, and where its colours or transparency go.

    Args:
        gan: `BaseGAN` of images.
        path: str or path of a picture.

    Returns:
        float32 array `[height, width, channels]` in [-1, 1].

    Raises:
        ValueError: it cannot be read, or the GAN makes no images.

    Example:

    ```python
    from PIL import Image

    gan = keras_gans.DCGAN((16, 16, 3), width=2)
    Image.new("RGB", (16, 16), "red").save("red.png")
    keras_gans.latent.read_target(gan, "red.png").shape  # (16, 16, 3)
    ```
    """
    height, width, channels = _check_images(gan)
    head = image_files.read_head(path)
    image = image_files.read_image(path, channels)
    if channels < 3 and not head.grey:
        _note(f"{path} has colours, and the samples are grey: it is made grey.")
    if channels in (1, 3) and head.alpha:
        _note(
            f"{path} has transparency, and the samples have none: it is laid on white."
        )
    if image.shape[:2] == (height, width):
        return image
    _note(
        f"{path} has {image.shape[1]} x {image.shape[0]} pixels, and the samples have "
        f"{width} x {height}: its middle is resized."
    )
    return fitted(image, (height, width))


def fitted(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The middle of an image `[height, width, channels]` in [-1, 1], resized."""
    height, width = size
    share = min(image.shape[0] / height, image.shape[1] / width)
    sides = [max(1, round(share * side)) for side in (height, width)]
    top, left = ((a - b) // 2 for a, b in zip(image.shape[:2], sides, strict=True))
    image = image[top : top + sides[0], left : left + sides[1]]
    resized = resize((image[None] + 1) * 127.5, (height, width), "clean")[0]
    return resized / np.float32(127.5) - 1


def _note(text):
    warnings.warn(text, stacklevel=3)


def _check_images(gan):
    if not isinstance(gan.modality, Image) or gan.modality.range != (-1, 1):
        raise ValueError(
            "Pictures are projected into GANs of images in [-1, 1]. Received: "
            f"{type(gan).__name__} of {gan.modality!r}."
        )
    return gan.modality.shape


def check_space(gan: BaseGAN, space: str | None) -> str:
    """Returns the space to project into: w+ by default, or z without w.

    Raises:
        ValueError: it is unknown, there is no w, or the GAN makes no images.
    """
    own = LatentSpace(gan)
    _check_images(gan)
    if space is None:
        space = "w+" if own.has_w else "z"
    return own.check_space(space, SPACES)


def project(
    gan: BaseGAN,
    image: np.ndarray,
    space: str | None = None,
    steps: int = 1000,
    *,
    features: str | Callable = "pixels",
    learning_rate: float = 0.1,
    labels: int | None = None,
    w_samples: int = W_SAMPLES,
    seed: int = 0,
    progress: Callable | None = None,
) -> Projection:
    """Finds the code whose sample is most like a picture.

    In w and w+ by the projector of StyleGAN2: Adam from the mean of w, with noise
    that is added to w in the first three quarters of the steps, and with the noise
    maps trained beside it, kept free of structure and brought back to mean 0 and
    deviation 1 after each step. w is one code for all layers, w+ one for each:
    nearer to the picture, and further from what the generator makes by itself.
    Only the codes are kept; the sample has the generator's own noise maps.

    In z by Adam from the nearest of 1024 codes; normal codes are kept at the
    length sqrt(d) that they have, uniform ones in [-1, 1].

    Args:
        gan: `BaseGAN` that samples images from latent codes.
        image: array `[height, width, channels]` as the samples: floats in [-1, 1],
            or uint8. `read_target` reads one from a file.
        space: "w", "w+" or "z"; w+ where there is one.
        steps: int, of Adam.
        features: "pixels", "lite0" or a function, see
            `keras_gans.inference.latent.features.features_of`.
        learning_rate: float above 0, of Adam between its ramps.
        labels: int, the class; by default the nearest candidate's in z, and a mean
            over all classes in w.
        w_samples: int, codes whose mean and deviation w starts from.
        seed: int in [0, 2**31), of the noise and candidates.
        progress: function of (step, distance), called after each step.

    Returns:
        `Projection`.

    Raises:
        ValueError: an argument is out of range, or the picture does not fit.

    Example:

    ```python
    gan = keras_gans.DCGAN(image_shape=(16, 16, 1), width=8)
    projection = keras_gans.latent.project(gan, gan.sample(1)[0], steps=2)
    projection.codes.shape  # (1, 100)
    ```

    Reference:
        https://arxiv.org/abs/1912.04958, appendix D; w+:
        https://arxiv.org/abs/1904.03189; in z, of a sphere:
        https://arxiv.org/abs/2003.03808, section 3.2
    """
    own = LatentSpace(gan)
    space = check_space(gan, space)
    check_size("steps", steps)
    check_size("w_samples", w_samples)
    check_seed(seed)
    ok = is_number(learning_rate) and 0 < learning_rate < math.inf
    within("learning_rate", learning_rate, ok, "(0, inf)")
    image = np.asarray(image)
    gan.modality.check(image[None], "pictures", doubt=False)
    target = np.asarray(gan.modality.as_seen(image), "float32")
    features = features_of(features)
    wanted = features(ops.convert_to_tensor(target[None]))

    def compare(images):
        return distances(features(ops.cast(images, "float32")), wanted)

    given = {} if labels is None else {"labels": labels}
    if space == "z":
        search = _in_z(own, compare, given, seed)
    else:
        search = _in_w(own, compare, given, seed, space, w_samples)
    x, history = _descend(search, steps, learning_rate, progress)
    codes = search.codes(x)
    if space == "z":
        samples = own.samples({**search.rows, "z": codes})
    else:
        samples = own.synthesize(codes)
    distance = float(compare(ops.convert_to_tensor(samples))[0])
    label = search.rows.get("label") if space == "z" or given else None
    label = None if label is None else int(label[0])
    return Projection(
        space, codes, target, samples[0], distance, np.float32(history), label
    )


class _Search(NamedTuple):
    """What Adam does with one vector.

    Attributes:
        start: float32 array `[d]`.
        loss: function of the vector and noise to terms, the distance first.
        noise: function of (step, share of the steps) to an array.
        constrain: function of the vector, called after each step.
        codes: function of the vector to codes.
        rows: dict of a row of each other input.
    """

    start: np.ndarray
    loss: Callable
    noise: Callable
    constrain: Callable
    codes: Callable
    rows: dict


def _in_w(own, compare, given, seed, space, w_samples):
    rows = own.values([0], **given)
    many = {name: np.repeat(x, w_samples, axis=0) for name, x in rows.items()}
    if "label" in rows and not given:
        many["label"] = np.arange(w_samples) % (own.gan.class_input.high + 1)
    w = own.mapped({**many, "z": own.numpy_codes(w_samples, W_SEED)})
    mean = w.mean(axis=0)
    # One number: of the distances to the mean.
    deviation = math.sqrt(np.square(w - mean).sum() / w_samples)
    shape = (own.layers if space == "w+" else 1, len(mean))
    synthesis = own.synthesis
    maps = [layer.noise for layer in synthesis.layers if isinstance(layer, NoiseMap)]
    place = {id(v): i for i, v in enumerate(synthesis.non_trainable_variables)}
    places = [place[id(v)] for v in maps]
    parts = _Parts([shape, *(v.shape for v in maps)])

    def loss(x, noise):
        w, *maps = parts(x)
        ws = ops.broadcast_to(w + noise, (own.layers, len(mean)))
        state = [v.value for v in synthesis.non_trainable_variables]
        for i, value in zip(places, maps, strict=True):
            state[i] = value
        trained = [v.value for v in synthesis.trainable_variables]
        samples, _ = synthesis.stateless_call(trained, state, ws[None], training=False)
        structure = sum((_structure(x) for x in maps), start=0.0)
        return ops.stack([compare(samples)[0], MAPS_WEIGHT * structure])

    def noise(step, t):
        scale = deviation * NOISE * max(0.0, 1.0 - t / NOISE_STEPS) ** 2
        if not scale:
            return np.zeros(shape, "float32")
        return np.float32(scale * _draws(seed, step, shape))

    def constrain(x):
        w, *maps = parts(x)
        return parts.joined([w, *map(_standardized, maps)])

    def codes(x):
        ws = np.broadcast_to(parts(x)[0], (own.layers, len(mean)))
        return np.array(ws[None], "float32")

    start = [np.tile(mean, (shape[0], 1)), *map(ops.convert_to_numpy, maps)]
    return _Search(parts.joined(start), loss, noise, constrain, codes, rows)


def _in_z(own, compare, given, seed):
    gan, network = own.gan, own.network
    if not given and gan.class_input is not None:  # candidates of every class
        given = {"labels": np.arange(CANDIDATES) % (gan.class_input.high + 1)}
    many = own.values([0] * CANDIDATES, **given)
    many["z"] = ops.convert_to_numpy(own.latent.rows(seed, np.arange(CANDIDATES), None))
    candidate_distances = in_batches(
        lambda x: compare(ops.convert_to_tensor(x[0])), [own.samples(many)]
    )
    nearest = int(candidate_distances.argmin())
    rows = {name: x[nearest : nearest + 1] for name, x in many.items()}

    def loss(x, noise):
        values = [x[None] if i is own.latent else rows[i.name] for i in gan.inputs]
        values = [ops.convert_to_tensor(v) for v in values]
        samples, _ = network.stateless_call(
            [v.value for v in network.trainable_variables],
            [v.value for v in network.non_trainable_variables],
            values if len(values) > 1 else values[0],
            training=False,
        )
        return compare(samples)

    def constrain(x):
        if own.latent.bounds is not None:
            return x.clip(*own.latent.bounds)
        return x * (math.sqrt(len(x)) / max(np.linalg.norm(x), 1e-8))

    start = constrain(rows["z"][0])
    no_noise = np.zeros(1, "float32")
    return _Search(
        start, loss, lambda step, t: no_noise, constrain, lambda x: x[None], rows
    )


def _descend(search, steps, learning_rate, progress):
    """Adam on one vector; returns it, and the distance before each step."""
    variable = keras.Variable(np.float32(search.start), name="codes")
    optimizer = TorchAdam(learning_rate, beta_1=0.9, beta_2=0.999, epsilon=1e-8)
    optimizer.build([variable])

    @compiled
    def gradient_at(x, noise):
        return input_gradient(lambda x: search.loss(x, noise), x)

    history = []
    for step in range(steps):
        t = step / steps
        noise = ops.convert_to_tensor(search.noise(step, t))
        losses, gradient = gradient_at(variable.value, noise)
        history.append(float(losses[0]))
        if not math.isfinite(history[-1]):
            raise ValueError(
                f"The distance is no number any more. Received: {history[-1]} at step "
                f"{step}. Take a lower `learning_rate`."
            )
        optimizer.learning_rate = learning_rate * _rate(t)
        optimizer.apply([gradient], [variable])
        x = np.array(ops.convert_to_numpy(variable))
        variable.assign(np.float32(search.constrain(x)))
        if progress is not None:
            progress(step + 1, history[-1])
    return np.array(ops.convert_to_numpy(variable)), history


class _Parts:
    """Arrays as parts of one vector."""

    def __init__(self, shapes):
        self.shapes = [tuple(shape) for shape in shapes]
        self.ends = np.cumsum([math.prod(shape) for shape in self.shapes]).tolist()

    def __call__(self, x):
        starts = [0, *self.ends[:-1]]
        return [
            x[a:b].reshape(shape)
            if isinstance(x, np.ndarray)
            else ops.reshape(x[a:b], shape)
            for a, b, shape in zip(starts, self.ends, self.shapes, strict=True)
        ]

    def joined(self, parts):
        return np.concatenate([np.float32(x).ravel() for x in parts])


def _structure(noise: Tensor) -> Tensor:
    """How much a map's pixels tell of their neighbours, at each of its sizes.

    Reference:
        https://arxiv.org/abs/1912.04958, appendix D
    """
    x, total = noise[None, ..., None], 0.0
    while True:
        for axis in (1, 2):
            product = ops.mean(x * ops.roll(x, 1, axis=axis))
            total = total + ops.square(product)
        if min(x.shape[1:3]) <= MAPS_SIDE:
            return total
        x = halved(x)


def _standardized(x):
    x = x - x.mean()
    return x / max(math.sqrt(np.square(x).mean()), 1e-8)


def _rate(t):
    """The learning rate's share at a place in [0, 1) of the steps."""
    down = min(1.0, (1.0 - t) / RAMP_DOWN)
    return (0.5 - 0.5 * math.cos(math.pi * down)) * min(1.0, t / RAMP_UP)


def _draws(seed, step, shape):
    words = ("project", seed, step)
    drawn = rng.normal(words, np.arange(shape[0], dtype="uint32"), math.prod(shape[1:]))
    return ops.convert_to_numpy(drawn).reshape(shape)
