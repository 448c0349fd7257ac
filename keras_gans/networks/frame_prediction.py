"""Networks that predict the next frame of a video, at several scales."""

from collections.abc import Sequence
from typing import NamedTuple

import keras
from keras import layers

from keras_gans.networks.building import check_channels_last
from keras_gans.utils.types import Shape
from keras_gans.utils.validation import check_size, is_int, one_of

RESIDUALS = ("previous", None)


class Scale(NamedTuple):
    """The convolutions of a scale: sides of their kernels and hidden widths."""

    kernels: tuple[int, ...]
    widths: tuple[int, ...]


# The paper's table 1, from the coarsest scale on.
PAPER_SCALES = (
    Scale((3, 3, 3, 3), (128, 256, 128)),
    Scale((5, 3, 3, 5), (128, 256, 128)),
    Scale((5, 3, 3, 3, 5), (128, 256, 512, 128)),
    Scale((7, 5, 5, 5, 5, 7), (128, 256, 512, 256, 128)),
)
SMALL_SCALES = (
    Scale((3, 3, 3), (32, 32)),
    Scale((3, 3, 3, 3), (32, 48, 32)),
    Scale((5, 3, 3, 5), (32, 48, 32)),
)


class DiscriminatorScale(NamedTuple):
    """The discriminator of a scale: kernels and widths, then dense widths."""

    kernels: tuple[int, ...]
    widths: tuple[int, ...]
    dense: tuple[int, ...]


# The paper's table 1; convolutions without padding, which small frames lack.
PAPER_DISCRIMINATORS = (
    DiscriminatorScale((3,), (64,), (512, 256)),
    DiscriminatorScale((3, 3, 3), (64, 128, 128), (1024, 512)),
    DiscriminatorScale((5, 5, 5), (128, 256, 256), (1024, 512)),
    DiscriminatorScale((7, 7, 5, 5), (128, 256, 512, 128), (1024, 512)),
)
SMALL_DISCRIMINATORS = (
    DiscriminatorScale((3,), (16,), (64,)),
    DiscriminatorScale((3, 3), (16, 32), (64,)),
    DiscriminatorScale((3, 3, 3), (16, 32, 32), (64,)),
)
CONFIGURATIONS = {
    "small": (SMALL_SCALES, SMALL_DISCRIMINATORS),
    "paper": (PAPER_SCALES, PAPER_DISCRIMINATORS),
}


def prediction_layers(generator: keras.Model) -> list[str]:
    """The names of the layers that predict a frame, from the coarsest scale on.

    They are those named "prediction_0", "prediction_1" and so on; none of a
    generator that predicts at one scale alone.
    """
    layer_names = {layer.name for layer in getattr(generator, "layers", ())}
    names = []
    while f"prediction_{len(names)}" in layer_names:
        names.append(f"prediction_{len(names)}")
    return names


def frame_predictor(
    past: int,
    frame_shape: Shape,
    scales: Sequence[Scale] = SMALL_SCALES,
    residual: str | None = "previous",
    name: str = "generator",
) -> keras.Model:
    """Predicts the next frame at one scale after the other, each twice as fine.

    The coarsest sees every 2^k-th pixel of the past. Each other one also sees
    the frame predicted before it, enlarged bilinearly. Sides are multiples of
    2^(scales - 1).

    Args:
        past: int, frames that it sees.
        frame_shape: tuple (height, width, channels); sides may be `None`, for
            frames of any size.
        scales: of each scale, from the coarsest on, `(kernels, widths)`: the odd
            sides of the kernels, and the channels of all maps but the last.
        residual: "previous", the convolutions give what is added to the enlarged
            prediction, at the coarsest scale to the last frame (equation 2 of the
            paper); or `None`, they give the frame, by a tanh.
        name: str.

    Returns:
        `keras.Model` from frames `[n, past, height, width, channels]`, oldest
        first, to the next one `[n, height, width, channels]` in [-1, 1]. Its
        layers "prediction_0", ... give the frame of each scale.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.networks.frame_prediction import frame_predictor

    network = frame_predictor(4, (16, 16, 1), [((3, 3), (4,)), ((3, 3), (4,))])
    network(np.zeros((1, 4, 16, 16, 1))).shape  # (1, 16, 16, 1)
    ```

    Reference:
        https://arxiv.org/abs/1511.05440, section 3.1
    """
    check_channels_last()
    check_size("past", past)
    frame_shape = check_frame(frame_shape, len(check_scales("scales", scales, Scale)))
    one_of("residual", residual, RESIDUALS)
    *_, channels = frame_shape
    clip = keras.Input((past, *frame_shape), name="past")
    stacked = layers.Concatenate(name="stacked")([clip[:, t] for t in range(past)])
    prediction = None
    for i, (kernels, widths) in enumerate(scales):
        times = 2 ** (len(scales) - 1 - i)
        # Every so many pixels, as they are.
        pick = layers.AveragePooling2D(1, strides=times, name=f"picked_{i}")
        seen = stacked if times == 1 else pick(stacked)
        if prediction is None:
            base = seen[..., -channels:]
        else:
            base = _enlarged(prediction)
            seen = layers.Concatenate(name=f"seen_{i}")([seen, base])
        x = seen
        for j, (kernel, width) in enumerate(
            zip(kernels, (*widths, channels), strict=True)
        ):
            x = layers.Conv2D(width, kernel, padding="same", name=f"conv_{i}_{j}")(x)
            if j < len(widths):
                x = layers.ReLU()(x)
        x = layers.Activation("linear", dtype="float32")(x)
        if residual is None:
            prediction = layers.Activation(
                "tanh", dtype="float32", name=f"prediction_{i}"
            )(x)
        else:
            base = layers.Activation("linear", dtype="float32")(base)
            prediction = layers.Add(dtype="float32", name=f"prediction_{i}")([base, x])
    return keras.Model(clip, prediction, name=name)


def frame_discriminator(
    frame_shape: Shape,
    scale: DiscriminatorScale = SMALL_DISCRIMINATORS[-1],
    padding: str = "same",
    name: str = "discriminator",
) -> keras.Model:
    """Tells frames that came from predicted ones, both beside their past.

    Args:
        frame_shape: tuple (height, width, channels) of what it sees: those of the
            past and of the frame together, where it sees both.
        scale: `(kernels, widths, dense)`: the sides of kernels and the channels of
            the convolutions, the widths of the dense layers before the logit.
        padding: "same", or "valid" as in the paper.
        name: str.

    Returns:
        `keras.Model` from `[n, height, width, channels]` to logits `[n, 1]`.

    Raises:
        ValueError: an argument is out of its range, or frames are too small for
            convolutions without padding.

    Example:

    ```python
    from keras_gans.networks.frame_prediction import frame_discriminator

    frame_discriminator((8, 8, 5), ((3,), (4,), (8,))).output_shape  # (None, 1)
    ```

    Reference:
        https://arxiv.org/abs/1511.05440, section 3.2 and table 1
    """
    check_channels_last()
    shape = check_frame(frame_shape, 1)
    one_of("padding", padding, ("same", "valid"))
    ((kernels, widths, dense),) = check_scales("scale", [scale], DiscriminatorScale)
    needed = sum(k - 1 for k in kernels) + 2 if padding == "valid" else 2
    if None in shape or min(shape[:2]) < needed:
        raise ValueError(
            f"Convolutions of kernels {tuple(kernels)} with padding={padding!r} need "
            f"frames of {needed} pixels or more. Received: frame_shape={shape}. Pass "
            "padding='same', smaller kernels, or larger frames."
        )
    x = frames = keras.Input(shape, name="frames")
    for j, (kernel, width) in enumerate(zip(kernels, widths, strict=True)):
        x = layers.Conv2D(width, kernel, padding=padding, name=f"conv_{j}")(x)
        x = layers.ReLU()(x)
    x = layers.MaxPooling2D(2, padding="same")(x)
    x = layers.Flatten()(x)
    for j, width in enumerate(dense):
        x = layers.ReLU()(layers.Dense(width, name=f"dense_{j}")(x))
    logits = layers.Dense(1, name="logits")(x)
    logits = layers.Activation("linear", dtype="float32")(logits)
    return keras.Model(frames, logits, name=name)


def _enlarged(frames):
    """Twice as high and wide, bilinearly: pixels stay where they are.

    Between two comes their mean; the last row and column are repeated.
    """
    repeated = layers.UpSampling2D(2, dtype="float32")(frames)
    return layers.AveragePooling2D(2, strides=1, padding="same", dtype="float32")(
        repeated
    )


def check_frame(frame_shape: Shape, scales: int) -> tuple:
    """Returns (height, width, channels), whose sides all scales divide.

    Raises:
        ValueError: they do not.
    """
    times = 2 ** (scales - 1)
    ok = isinstance(frame_shape, (tuple, list)) and len(frame_shape) == 3
    ok = ok and all(s is None or (is_int(s) and s > 0) for s in frame_shape[:2])
    if not ok or not is_int(frame_shape[2]) or frame_shape[2] < 1:
        raise ValueError(
            "`frame_shape` is (height, width, channels), positive ints; sides may be "
            f"None. Received: frame_shape={frame_shape!r}."
        )
    if any(s is not None and s % times for s in frame_shape[:2]):
        near = tuple(
            s if s is None else max(times, round(s / times) * times)
            for s in frame_shape[:2]
        )
        raise ValueError(
            f"{scales} scales need sides that are multiples of {times}. Received: "
            f"frame_shape={tuple(frame_shape)}. Take {near}, or fewer scales."
        )
    return tuple(frame_shape)


def check_scales(name: str, scales: Sequence, kind: type) -> list:
    """Returns the rows of a table of convolutions as tuples of `kind`.

    Raises:
        ValueError: one is something else.
    """
    rows = []
    ok = isinstance(scales, (tuple, list)) and len(scales) > 0
    for row in scales if ok else ():
        fits = isinstance(row, (tuple, list)) and len(row) == len(kind._fields)
        fits = fits and all(isinstance(part, (tuple, list)) for part in row)
        fits = fits and all(is_int(n) and n > 0 for part in row for n in part)
        fits = fits and len(row[0]) == len(row[1]) + (kind is Scale)
        if not fits or (kind is Scale and not all(n % 2 for n in row[0])):
            ok = False
            break
        rows.append(kind(*map(tuple, row)))
    if not ok:
        form = "(kernels, widths), one more odd kernel than widths"
        if kind is DiscriminatorScale:
            form = "(kernels, widths, dense), as many kernels as widths"
        raise ValueError(
            f"`{name}` has rows {form}, tuples of positive ints. Received: {scales!r}."
        )
    return rows
