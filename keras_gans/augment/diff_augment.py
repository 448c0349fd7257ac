"""DiffAugment: what the discriminator sees, augmented differentiably."""

from collections.abc import Callable, Sequence

from keras import ops
import numpy as np

from keras_gans.utils.suggestions import hint
from keras_gans.utils.types import Tensor

SHIFT = 1 / 8  # of a side, either way
CUT = 1 / 2  # of a side


def diff_augment(
    images: Tensor,
    policy: str | Sequence[str] | None,
    uniform: Callable[[int, int], Tensor],
) -> Tensor:
    """Augments images, each in a way of its own.

    The discriminator is shown only augmented images, reals and fakes alike,
    and the generator learns through the augmentation: it is differentiable,
    any number of times. The policies are applied in the order given:

    - `"color"`: adds U(-0.5, 0.5) to the brightness, multiplies the difference
      from the mean over channels (saturation) by U(0, 2), then that from the
      mean over the image (contrast) by U(0.5, 1.5).
    - `"translation"`: moves by a whole number of pixels, up to 1/8 of each
      side either way, and fills with 0.
    - `"cutout"`: sets to 0 a rectangle of half of each side, centred anywhere
      in the image, so that parts of it may lie outside.

    In images in [-1, 1] the 0 that fills is mid-grey. Values are not clipped.

    Args:
        images: tensor `[n, height, width, channels]`, in [-1, 1].
        policy: what `check_policy` takes.
        uniform: function from `(columns, purpose)`, two ints, to float32
            `[n, columns]` in [0, 1], drawn from U(0, 1) and independent for
            each purpose. Purposes are 0, 1 and 2.

    Returns:
        float32 tensor of the shape of `images`.

    Raises:
        ValueError: the policy is unknown, or `images` are no images.

    Example:

    ```python
    images = np.zeros((4, 32, 32, 3), "float32")

    def uniform(columns, purpose):
        rng = np.random.default_rng(purpose)
        return rng.uniform(size=(4, columns)).astype("float32")

    keras_gans.augment.diff_augment(images, "color,cutout", uniform)
    ```

    Reference:
        https://arxiv.org/abs/2006.10738, section 3.2
    """
    policy = check_policy(policy, images.shape[1:])
    images = ops.cast(images, "float32")
    for name in policy:
        columns, augment = POLICIES[name]
        u = uniform(columns, tuple(POLICIES).index(name))
        images = augment(images, ops.convert_to_tensor(u))
    return images


def check_policy(
    policy: str | Sequence[str] | None, image_shape: Sequence[int] | None = None
) -> tuple[str, ...]:
    """Returns a policy of DiffAugment as a tuple of names.

    Args:
        policy: `None` for no augmentation; or some of `"color"`,
            `"translation"` and `"cutout"`, in the order to apply them: a tuple
            or list, or a str with commas, such as
            `"color,translation,cutout"`.
        image_shape: tuple (height, width, channels) of what is to be
            augmented, where known.

    Returns:
        tuple of str, empty for no augmentation.

    Raises:
        ValueError: a name is unknown or given twice, or `image_shape` is not
            that of an image.

    Example:

    ```python
    keras_gans.augment.check_policy("color,cutout")  # ("color", "cutout")
    ```
    """
    if isinstance(policy, str):
        policy = [name.strip() for name in policy.split(",")]
    elif not isinstance(policy, (tuple, list, type(None))):
        raise ValueError(
            "An augmentation policy is a str or a tuple of them: "
            f"{', '.join(POLICIES)}; or 'ada'. Received: {policy!r}."
        )
    names = tuple(policy or ())
    for name in names:
        if name == "ada":
            raise ValueError(
                "'ada' stands alone. Received: "
                f"{', '.join(map(str, names))}. Give diff_augment='ada', or leave "
                "it out."
            )
        if name not in POLICIES:
            raise ValueError(
                f"Unknown augmentation. Expected some of {', '.join(POLICIES)}, or "
                f"'ada', which stands alone. Received: {name!r}."
                f"{hint(name, (*POLICIES, 'ada'))}"
            )
    if len(set(names)) < len(names):
        raise ValueError(
            f"Each augmentation may be given once. Received: {', '.join(names)}."
        )
    if names and image_shape is not None and len(image_shape) != 3:
        raise ValueError(
            "Only images (height, width, channels) can be augmented; vectors "
            "cannot. Received: data of shape "
            f"{tuple(image_shape)}. Train without augmentation."
        )
    return names


def _color(x, u):
    brightness, saturation, contrast = (
        ops.reshape(u[:, i], (-1, 1, 1, 1)) for i in range(3)
    )
    x = x + (brightness - 0.5)
    x = _scale(x, 2.0 * saturation, axis=-1)
    return _scale(x, contrast + 0.5, axis=(1, 2, 3))


def _scale(x, factor, axis):
    """Multiplies the difference from the mean over `axis`."""
    if axis == -1 and x.shape[-1] == 1:
        return x  # exact: grey has no saturation
    mean = ops.mean(x, axis=axis, keepdims=True)
    return mean + factor * (x - mean)


def _translate(x, u):
    for i in (0, 1):  # rows, then columns in their place
        x = ops.transpose(_shift(x, u[:, i]), (0, 2, 1, 3))
    return x


def _shift(x, u):
    """Moves rows by up to `SHIFT` of them towards higher indices, 0 behind.

    A product with one-hot matrices: its gradient is another, deterministic on
    GPUs, where that of a gather is not. TensorFloat-32, on where a GPU has it,
    rounds what is moved to 11 bits.
    """
    _, side, columns, channels = x.shape
    most = int(side * SHIFT + 0.5)
    pixels = _integer(u, 2 * most + 1) - most
    source = np.arange(side)[None] - pixels[:, None]
    one_hot = ops.cast(source[..., None] == np.arange(side), x.dtype)
    x = ops.reshape(x, (-1, side, columns * channels))
    return ops.reshape(ops.matmul(one_hot, x), (-1, side, columns, channels))


def _cutout(x, u):
    bands = []
    for i, axis in enumerate((1, 2)):
        side = x.shape[axis]
        size = int(side * CUT + 0.5)
        # The middle may lie on any pixel, or on any edge of one.
        middle = _integer(u[:, i], side + 1 - size % 2)
        distance = np.arange(side)[None] - (middle[:, None] - size // 2)
        band = ops.logical_and(distance >= 0, distance < size)
        shape = (-1, side, 1, 1) if axis == 1 else (-1, 1, side, 1)
        bands.append(ops.reshape(band, shape))
    return ops.where(ops.logical_and(*bands), ops.zeros_like(x), x)


def _integer(u, n):
    """Integers uniform on 0, ..., n - 1, of U(0, 1) that may round to 1."""
    return ops.minimum(ops.cast(ops.floor(u * n), "int32"), n - 1)


# name: (numbers an image, function of images and numbers)
POLICIES = {
    "color": (3, _color),
    "translation": (2, _translate),
    "cutout": (2, _cutout),
}
