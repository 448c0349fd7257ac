"""How photos get bad: the second-order degradation model of Real-ESRGAN.

Kernels and noise are plain NumPy, so that both backends see the same pictures.
"""

import dataclasses
import io
import math

import numpy as np
from PIL import Image

from keras_gans.utils.resizing import METHODS, bicubic, resize
from keras_gans.utils.validation import is_int, is_number, within

# --- Kernels of blur ---


def gaussian_kernel(
    size: int, sigma: float | tuple[float, float], angle: float = 0.0
) -> np.ndarray:
    """A Gaussian kernel: k(x) ~ exp(-1/2 x^T S^-1 x).

    S = R diag(s_1^2, s_2^2) R^T, with R the turn by `angle`.

    Args:
        size: int, an odd number of pixels a side.
        sigma: float above 0, the standard deviation; or those along the two axes.
        angle: float, radians, of the first axis.

    Returns:
        float64 array `[size, size]` (y, x) whose sum is 1.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.data.degradations import gaussian_kernel

    gaussian_kernel(21, (3.0, 1.0), angle=0.5).sum()  # 1.0
    ```

    Reference:
        https://arxiv.org/abs/2107.10833, equations 2 and 3
    """
    return generalized_gaussian_kernel(size, sigma, angle, 1.0)


def generalized_gaussian_kernel(
    size: int, sigma: float | tuple[float, float], angle: float, shape: float
) -> np.ndarray:
    """A generalized Gaussian kernel: k(x) ~ exp(-1/2 (x^T S^-1 x)^b).

    Args:
        size: int, see `gaussian_kernel`.
        sigma: float or tuple, see `gaussian_kernel`.
        angle: float, radians.
        shape: float above 0, b: 1 is a Gaussian; larger, with sharper edges.

    Returns:
        float64 array `[size, size]` whose sum is 1.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.data.degradations import generalized_gaussian_kernel

    generalized_gaussian_kernel(21, 2.0, 0.0, 0.5).shape  # (21, 21)
    ```

    Reference:
        https://arxiv.org/abs/2107.10833, section 3.1
    """
    kernel = np.exp(-0.5 * _distances(size, sigma, angle) ** _above_0("shape", shape))
    return kernel / kernel.sum()


def plateau_kernel(
    size: int, sigma: float | tuple[float, float], angle: float, shape: float
) -> np.ndarray:
    """A plateau-shaped kernel: k(x) ~ 1 / (1 + (x^T S^-1 x)^b).

    Args:
        size: int, see `gaussian_kernel`.
        sigma: float or tuple, see `gaussian_kernel`.
        angle: float, radians.
        shape: float above 0, b.

    Returns:
        float64 array `[size, size]` whose sum is 1.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.data.degradations import plateau_kernel

    plateau_kernel(21, 2.0, 0.0, 1.5).shape  # (21, 21)
    ```

    Reference:
        https://arxiv.org/abs/2107.10833, section 3.1
    """
    kernel = 1 / (1 + _distances(size, sigma, angle) ** _above_0("shape", shape))
    return kernel / kernel.sum()


def sinc_kernel(size: int, cutoff: float) -> np.ndarray:
    """A circular low pass: k(x) ~ w J_1(w |x|) / (2 pi |x|).

    It gives ringing and overshoot, as sharpening and JPEG do.

    Args:
        size: int, an odd number of pixels a side.
        cutoff: float in (0, pi], w, radians a pixel.

    Returns:
        float64 array `[size, size]` whose sum is 1.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.data.degradations import sinc_kernel

    sinc_kernel(21, 1.5).min() < 0  # True
    ```

    Reference:
        https://arxiv.org/abs/2107.10833, equation 6
    """
    ok = is_number(cutoff) and 0 < cutoff <= math.pi
    within("cutoff", cutoff, ok, "(0, pi]")
    y, x = _grid(size)
    r = np.hypot(x, y)
    away = np.where(r == 0, 1.0, r)
    kernel = cutoff * _bessel_1(cutoff * r) / (2 * math.pi * away)
    kernel[r == 0] = cutoff**2 / (4 * math.pi)
    return kernel / kernel.sum()


def _above_0(name, value):
    return within(name, value, is_number(value) and 0 < value < math.inf, "(0, inf)")


def _grid(size):
    within("size", size, is_int(size) and size > 0 and size % 2, "1, 3, 5, ...")
    side = np.arange(size) - size // 2.0
    return np.meshgrid(side, side, indexing="ij")


def _distances(size, sigma, angle):
    """x^T S^-1 x of each pixel."""
    sigmas = (sigma, sigma) if is_number(sigma) else tuple(sigma)
    ok = len(sigmas) == 2 and all(is_number(s) and s > 0 for s in sigmas)
    within("sigma", sigma, ok, "(0, inf), one number or two")
    y, x = _grid(size)
    cos, sin = math.cos(angle), math.sin(angle)
    along, across = cos * x + sin * y, cos * y - sin * x
    return (along / sigmas[0]) ** 2 + (across / sigmas[1]) ** 2


def _bessel_1(x):
    """J_1(x) = 1 / (2 pi) of the integral of cos(t - x sin t) over a period.

    A periodic integrand: the sum over 128 points is exact to rounding for x up
    to some 90, and kernels of 27 pixels reach 58.
    """
    t = 2 * math.pi * np.arange(128) / 128
    return np.cos(t - x[..., None] * np.sin(t)).mean(axis=-1)


# --- One step of the model ---


def blur(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """A picture under a kernel, mirrored beyond its edges (edge pixels once).

    Args:
        image: array `[height, width, channels]`.
        kernel: array `[size, size]`, size odd.

    Returns:
        float64 array of the image's shape.

    Example:

    ```python
    from keras_gans.data.degradations import blur, gaussian_kernel

    blur(np.ones((24, 24, 3)), gaussian_kernel(7, 2.0)).shape  # (24, 24, 3)
    ```
    """
    kernel = np.asarray(kernel, "float64")
    reach, (height, width) = len(kernel) // 2, image.shape[:2]
    sides = ((reach, reach), (reach, reach), (0, 0))
    mode = "reflect" if min(height, width) > 1 else "edge"
    padded = np.pad(np.asarray(image, "float64"), sides, mode)
    shape = (height + 2 * reach, width + 2 * reach)
    # A correlation, as networks have it: by the conjugate.
    spectrum = np.fft.rfft2(padded, axes=(0, 1))
    spectrum *= np.conj(np.fft.rfft2(kernel, shape))[..., None]
    return np.fft.irfft2(spectrum, shape, axes=(0, 1))[:height, :width]


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """A picture through a JPEG file.

    Args:
        image: float array `[height, width, 3]` in [0, 1].
        quality: int in 1..95, as Pillow counts it.

    Returns:
        float64 array in [0, 1].

    Example:

    ```python
    from keras_gans.data.degradations import jpeg

    jpeg(np.ones((16, 16, 3)), 50).shape  # (16, 16, 3)
    ```
    """
    file = io.BytesIO()
    pixels = np.round(np.clip(image, 0, 1) * 255).astype("uint8")
    Image.fromarray(pixels).save(file, "JPEG", quality=int(quality))
    return np.asarray(Image.open(file), "float64") / 255


@dataclasses.dataclass(frozen=True)
class Order:
    """The ranges of one of the two rounds of the model.

    Attributes:
        blur: float, how likely a round blurs.
        sigma: tuple, of Gaussian kernels and their kin.
        resizes: tuple, how likely the picture is made larger, smaller or neither.
        scales: tuple, how far it is resized.
        noise: tuple, the standard deviation of Gaussian noise, of 255.
        poisson: tuple, the strength of Poisson noise.
        quality: tuple, of the JPEG.
    """

    blur: float
    sigma: tuple[float, float]
    resizes: tuple[float, float, float]
    scales: tuple[float, float]
    noise: tuple[float, float]
    poisson: tuple[float, float]
    quality: tuple[int, int] = (30, 95)


ORDERS = (
    Order(1.0, (0.2, 3.0), (0.2, 0.7, 0.1), (0.15, 1.5), (1, 30), (0.05, 3.0)),
    Order(0.8, (0.2, 1.5), (0.3, 0.4, 0.3), (0.3, 1.2), (1, 25), (0.05, 2.5)),
)
SIZES = range(7, 22, 2)  # of kernels
SINC = 0.1  # how likely a blur is a sinc
LAST_SINC = 0.8  # and that there is one at the end
GREY = 0.4  # how likely noise is the same in all channels
SHAPES = ((0.5, 4.0), (1.0, 2.0))  # of generalized Gaussians, of plateaus
# Gaussian, generalized, plateau; each along its axes or round.
KINDS = (0.45, 0.25, 0.12, 0.03, 0.12, 0.03)


def degrade(image: np.ndarray, scale: int, rng: np.random.Generator) -> np.ndarray:
    """A small, bad picture of a good one, as Real-ESRGAN is trained on.

    Twice blur, resizing, noise and JPEG; then, in either order, JPEG, and the
    final size and a sinc filter. What is drawn, how likely and from which
    ranges, is the paper's; ranges of sizes, which it does not tell, are those
    of its released training options.

    Args:
        image: array `[height, width, 3]` in [0, 1].
        scale: int, how many times smaller the result is.
        rng: `numpy.random.Generator`, the only source of chance.

    Returns:
        float64 array `[height // scale, width // scale, 3]` in [0, 1], multiples
        of 1 / 255.

    Raises:
        ValueError: the image is no colour picture in [0, 1], or smaller than
            `scale`.

    Example:

    ```python
    from keras_gans.data.degradations import degrade

    photo = np.random.default_rng(0).uniform(size=(96, 96, 3))
    degrade(photo, 4, np.random.default_rng(1)).shape  # (24, 24, 3)
    ```

    Reference:
        https://arxiv.org/abs/2107.10833, section 3, figure 2, and section 4.1
    """
    image = np.asarray(image, "float64")
    ok = image.ndim == 3 and image.shape[2] == 3 and min(image.shape[:2]) >= scale
    if not ok or image.min() < 0 or image.max() > 1:
        raise ValueError(
            "What is degraded is a picture [height, width, 3] in [0, 1], of "
            f"{scale} pixels a side or more. Received: shape {image.shape}, values "
            f"in [{image.min():.3g}, {image.max():.3g}]. Scale uint8 pictures by / 255."
        )
    size = (image.shape[0] // scale, image.shape[1] // scale)
    first, second = ORDERS
    picture = _blurred(image, first, rng)
    picture = _noisy(_resized(picture, image.shape, first, rng), first, rng)
    picture = _compressed(picture, first, rng)
    picture = _blurred(picture, second, rng)
    small = (image.shape[0] / scale, image.shape[1] / scale)
    picture = _noisy(_resized(picture, small, second, rng), second, rng)
    method = METHODS[rng.integers(3)]
    last = sinc_kernel(_odd(rng), rng.uniform(math.pi / 3, math.pi))
    filters = rng.random() < LAST_SINC

    def finished(x):
        x = resize(x, size, method)
        return blur(x, last) if filters else x

    if rng.random() < 0.5:
        picture = _compressed(finished(picture), second, rng)
    else:
        picture = finished(_compressed(picture, second, rng))
    return np.round(np.clip(picture, 0, 1) * 255) / 255


def bicubic_pair(image: np.ndarray, scale: int) -> np.ndarray:
    """The small picture of a pair by `bicubic`, in 8 bits, as tables have it.

    Args:
        image: array `[height, width, channels]` in [0, 1].
        scale: int.

    Returns:
        float64 array in [0, 1], multiples of 1 / 255.
    """
    return np.round(np.clip(bicubic(image, 1 / scale), 0, 1) * 255) / 255


def _odd(rng):
    return int(rng.choice(SIZES))


def _blurred(image, order, rng):
    if rng.random() >= order.blur:
        return image
    size = _odd(rng)
    if rng.random() < SINC:
        # Small kernels hold no low frequencies.
        low = math.pi / 3 if size < 13 else math.pi / 5
        return blur(image, sinc_kernel(size, rng.uniform(low, math.pi)))
    kind = int(rng.choice(len(KINDS), p=KINDS))
    sigmas = rng.uniform(*order.sigma, 2)
    angle = rng.uniform(-math.pi, math.pi)
    if kind % 2 == 0:
        sigmas, angle = (sigmas[0], sigmas[0]), 0.0
    sigmas = tuple(map(float, sigmas))
    if kind < 2:
        return blur(image, gaussian_kernel(size, sigmas, angle))
    low, high = SHAPES[kind // 2 - 1]
    # As often below 1 as above.
    shape = rng.uniform(low, 1) if rng.random() < 0.5 else rng.uniform(1, high)
    make = (generalized_gaussian_kernel, plateau_kernel)[kind // 2 - 1]
    return blur(image, make(size, sigmas, angle, float(shape)))


def _resized(image, size, order, rng):
    """Of about `size`, larger, smaller or neither."""
    low, high = order.scales
    up, down, _ = order.resizes
    u, larger, smaller = rng.random(), rng.uniform(1, high), rng.uniform(low, 1)
    factor = larger if u < up else smaller if u < up + down else 1.0
    method = METHODS[rng.integers(3)]
    return resize(image, tuple(max(1, int(side * factor)) for side in size[:2]), method)


def _noisy(image, order, rng):
    image = np.clip(image, 0, 1)
    grey = rng.random() < GREY
    if rng.random() < 0.5:
        deviation = rng.uniform(*order.noise) / 255
        shape = (*image.shape[:2], 1 if grey else 3)
        return np.clip(image + deviation * rng.standard_normal(shape), 0, 1)
    strength = rng.uniform(*order.poisson)
    clean = np.round(image * 255) / 255
    if grey:
        clean = clean @ np.array([[0.299], [0.587], [0.114]])
    # Counts of a picture with as many levels as it shows.
    levels = 2.0 ** math.ceil(math.log2(max(2, len(np.unique(clean)))))
    noise = rng.poisson(clean * levels) / levels - clean
    return np.clip(image + strength * noise, 0, 1)


def _compressed(image, order, rng):
    low, high = order.quality
    return jpeg(image, rng.integers(low, high + 1))
