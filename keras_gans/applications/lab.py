"""sRGB in [-1, 1] to CIE Lab and back, by the equations of the standards."""

from keras import ops
import numpy as np

from keras_gans.utils.types import Tensor

# IEC 61966-2-1: chromaticities x, y of red, green, blue, and of white (D65).
_PRIMARIES = np.array([[0.64, 0.33], [0.30, 0.60], [0.15, 0.06]])
_WHITE = np.array([[0.3127, 0.3290]])

_DELTA = 6 / 29  # of CIE Lab: where the cube root becomes a line
_KNEE = 0.04045  # of sRGB: where the power becomes a line, encoded
_LINEAR_KNEE = _KNEE / 12.92

AB_SCALE = 110.0  # |a| and |b| of sRGB colours are below it
_SLACK = 1e-6  # linear light: rounding of a colour on the edge of the gamut
_HALVINGS = 16  # of the interval in which the greatest chroma is sought


def _tristimulus(chromaticities):
    """XYZ of luminance 1, a column each."""
    x, y = chromaticities.T
    return np.stack([x / y, np.ones_like(y), (1 - x - y) / y])


def _rgb_to_xyz():
    """From linear RGB to XYZ over that of white: its rows sum to 1."""
    primaries, white = _tristimulus(_PRIMARIES), _tristimulus(_WHITE)
    return primaries * np.linalg.solve(primaries, white).T / white


_TO_XYZ = _rgb_to_xyz()
_TO_RGB = np.linalg.inv(_TO_XYZ)


def rgb_to_lab(images: Tensor) -> Tensor:
    """Converts sRGB images to CIE Lab under D65, the white of sRGB.

    Args:
        images: float tensor `[..., 3]` in [-1, 1].

    Returns:
        float32 tensor `[..., 3]`: L in [0, 100], a in [-87, 99], b in
        [-108, 95]. Greys have a = b = 0 and white has L = 100, to rounding.

    Example:

    ```python
    from keras_gans.applications import lab

    red = np.array([1.0, -1.0, -1.0])
    lab.rgb_to_lab(red)  # about (53.2, 80.1, 67.2)
    ```

    Reference:
        IEC 61966-2-1; CIE 015, section 8.2.1
    """
    rgb = (ops.cast(images, "float32") + 1.0) / 2.0
    # Both branches are finite, so that the gradient is, too.
    power = ((ops.maximum(rgb, _KNEE) + 0.055) / 1.055) ** 2.4
    linear = ops.where(rgb > _KNEE, power, rgb / 12.92)
    x, y, z = (_root(c) for c in _mixed(_TO_XYZ, _channels(linear)))
    return ops.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], axis=-1)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """Converts CIE Lab under D65 to sRGB images.

    A colour that sRGB cannot show keeps its lightness and hue, and loses as
    much of its chroma as it must. What came from sRGB comes back to within
    2e-5: each colour of 8 bits a channel is found again.

    Args:
        lab: float tensor `[..., 3]`: L, a and b, as `rgb_to_lab` gives.

    Returns:
        float32 tensor `[..., 3]` in [-1, 1].

    Example:

    ```python
    from keras_gans.applications import lab

    lab.lab_to_rgb(np.array([100.0, 0.0, 0.0]))  # white: (1, 1, 1)
    ```

    Reference:
        IEC 61966-2-1; CIE 015, section 8.2.1
    """
    lightness, a, b = _channels(ops.cast(lab, "float32"))
    share = _chroma_share(lightness, a, b)
    linear = ops.stack(_linear_rgb(lightness, share * a, share * b), axis=-1)
    linear = ops.clip(linear, 0.0, 1.0)
    power = 1.055 * ops.maximum(linear, _LINEAR_KNEE) ** (1 / 2.4) - 0.055
    rgb = ops.where(linear > _LINEAR_KNEE, power, 12.92 * linear)
    return ops.clip(2.0 * rgb - 1.0, -1.0, 1.0)


def split(images: Tensor) -> tuple[Tensor, Tensor]:
    """Splits sRGB images into lightness and colour, both in [-1, 1].

    Args:
        images: float tensor `[..., 3]` in [-1, 1].

    Returns:
        `(lightness, ab)`, float32 tensors: `[..., 1]`, L / 50 - 1 in [-1, 1],
        and `[..., 2]`, (a, b) / 110 in [-0.99, 0.9].

    Example:

    ```python
    from keras_gans.applications import lab

    lightness, ab = lab.split(np.zeros((4, 8, 8, 3)))
    lightness.shape, ab.shape  # (4, 8, 8, 1), (4, 8, 8, 2)
    ```
    """
    lab = rgb_to_lab(images)
    return lab[..., :1] / 50.0 - 1.0, lab[..., 1:] / AB_SCALE


def join(lightness: Tensor, ab: Tensor) -> Tensor:
    """Joins what `split` gives to sRGB images.

    Args:
        lightness: float tensor `[..., 1]` in [-1, 1], L / 50 - 1.
        ab: float tensor `[..., 2]`, (a, b) / 110; see `lab_to_rgb` for
            colours that sRGB cannot show.

    Returns:
        float32 tensor `[..., 3]` in [-1, 1].

    Example:

    ```python
    from keras_gans.applications import lab

    lab.join(np.zeros((1, 8, 8, 1)), np.zeros((1, 8, 8, 2)))  # grey, L = 50
    ```
    """
    lightness = 50.0 * (ops.cast(lightness, "float32") + 1.0)
    ab = AB_SCALE * ops.cast(ab, "float32")
    return lab_to_rgb(ops.concatenate([lightness, ab], axis=-1))


def _channels(x):
    return x[..., 0], x[..., 1], x[..., 2]


def _mixed(matrix, channels):
    # No matrix product: on some devices it rounds to fewer bits.
    x, y, z = channels
    return [float(p) * x + float(q) * y + float(r) * z for p, q, r in matrix]


def _root(t):
    root = ops.maximum(t, _DELTA**3) ** (1 / 3)
    return ops.where(t > _DELTA**3, root, t / (3 * _DELTA**2) + 4 / 29)


def _cube(t):
    return ops.where(t > _DELTA, t**3, 3 * _DELTA**2 * (t - 4 / 29))


def _linear_rgb(lightness, a, b):
    y = (lightness + 16.0) / 116.0
    xyz = (_cube(t) for t in (y + a / 500.0, y, y - b / 200.0))
    return _mixed(_TO_RGB, xyz)


def _chroma_share(lightness, a, b):
    """The greatest share of (a, b) that sRGB can show, 1 where it can all."""

    def shown(share):
        linear = _linear_rgb(lightness, share * a, share * b)
        ok = [(c >= -_SLACK) & (c <= 1.0 + _SLACK) for c in linear]
        return ok[0] & ok[1] & ok[2]

    all_of_it = ops.ones_like(lightness)
    low, high = ops.zeros_like(lightness), all_of_it
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        ok = shown(middle)
        low = ops.where(ok, middle, low)
        high = ops.where(ok, high, middle)
    return ops.where(shown(all_of_it), all_of_it, low)
