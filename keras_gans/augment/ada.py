"""ADA's augmentations: what the discriminator sees, with a probability."""

from collections.abc import Callable, Mapping
import math
from typing import Any

import keras
from keras import ops
import numpy as np

from keras_gans.augment.ada_color import recolor
from keras_gans.augment.ada_filter import POWERS, REACH, amplify, normalized
from keras_gans.augment.ada_geometry import affine_map, warp
from keras_gans.utils.serialization import Configured
from keras_gans.utils.suggestions import hint
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size, is_number, within

GROUPS = {
    "blit": ("xflip", "rotate90", "xint"),
    "geom": ("scale", "rotate", "aniso", "xfrac"),
    "color": ("brightness", "contrast", "lumaflip", "hue", "saturation"),
    "filter": ("imgfilter",),
    "noise": ("noise",),
    "cutout": ("cutout",),
}
TRANSFORMS = tuple(name for names in GROUPS.values() for name in names)
MOVING = GROUPS["blit"] + GROUPS["geom"]

SHIFT = 1 / 8  # of a side: how far xint goes, the deviation of xfrac
OCTAVES = 0.2  # the deviation of scale and aniso
BRIGHTNESS = 0.2
CONTRAST = 0.5  # in octaves
SATURATION = 1.0  # in octaves
GAIN = 1.0  # of a band, in octaves
NOISE = 0.1
CUT = 1 / 2  # of a side

# What is drawn for a picture: whether something happens to it ...
_GATES = (*TRANSFORMS, "rotate/after", *(f"imgfilter/{i}" for i in range(1, 4)))
# ... and how, by numbers of U(0, 1) and of N(0, 1).
_UNIFORM = ("xflip", "rotate90", "xint/x", "xint/y", "rotate", "rotate/after")
_UNIFORM += ("lumaflip", "hue", "cutout/x", "cutout/y")
_NORMAL = ("scale", "aniso", "xfrac/x", "xfrac/y", "brightness", "contrast")
_NORMAL += ("saturation", "noise", *(f"imgfilter/{i}" for i in range(4)))


@keras.saving.register_keras_serializable("keras_gans")
class ADA(Configured):
    """Adaptive discriminator augmentation: any GAN's `diff_augment=ADA()`.

    All that the discriminator sees in training is augmented, reals and fakes
    alike, differentiably. Each transform happens to a picture with the
    probability p times its multiplier:

    - blit: `xflip` mirrors half of the pictures it happens to; `rotate90` turns
      by 0 to 3 quarters; `xint` moves by whole pixels, up to 1/8 of a side.
    - geom: `scale` by 2^N(0, 0.2^2); `rotate` by any angle, before or after
      `aniso` or both; `aniso`, a stretch by 2^N(0, 0.2^2); `xfrac` moves by
      N(0, (1/8)^2) of a side.
    - color: `brightness` + N(0, 0.2^2); `contrast` x 2^N(0, 0.5^2); `lumaflip`
      mirrors the luma of half; `hue` is turned by any angle; `saturation` x
      2^N(0, 1).
    - filter: `imgfilter` amplifies each of four octaves by 2^N(0, 1), each with
      that probability, and keeps the expected power.
    - noise: `noise` adds noise of a deviation |N(0, 0.1^2)|.
    - cutout: `cutout` sets a rectangle of half of each side to 0.

    Geometry is one map, sampled once; pictures are mirrored on at their sides,
    as far as a map reaches. Grey is coloured as red, green and blue alike. A
    second or fourth channel is alpha: it moves with the others, and colours are
    no part of it. Values are not clipped.

    Adaptive, p starts at 0 and is moved every `interval` steps so that the mean
    sign of the logits of reals stays at `target`: a discriminator that overfits
    is surer of reals. The logs report that mean as `d_sign` and p as `ada_p`.

    Args:
        transforms: a str of groups or transforms with commas, each with a
            multiplier of 1; or a dict of groups or transforms to multipliers,
            floats of 0 or more.
        p: "adaptive"; a float in [0, 1]; or a tuple (first, last) of them: half
            a cosine over `kimg` thousands of images, then constant.
        target: float in [0, 1], of adaptive p.
        interval: int, steps from one move of adaptive p to the next.
        kimg: float above 0, thousands of images in which p moves by 1, or from
            `first` to `last`.

    Raises:
        ValueError: a transform is unknown or given twice, or an argument is out
            of its range.

    Example:

    ```python
    ada = keras_gans.ADA("blit,geom", target=0.5)
    gan = keras_gans.DCGAN((16, 16, 1), width=4, diff_augment=ada)
    ```

    Reference:
        https://arxiv.org/abs/2006.06676, sections 2 and 3, appendix B
    """

    def __init__(
        self,
        transforms: str | Mapping[str, float] = "blit,geom,color",
        p: str | float | tuple[float, float] = "adaptive",
        target: float = 0.6,
        interval: int = 4,
        kimg: float = 500.0,
    ):
        self.transforms, self.p = transforms, p
        self.multipliers = _check_transforms(transforms)
        ends = p if isinstance(p, (tuple, list)) and len(p) == 2 else (p,)
        ok = all(is_number(end) and 0 <= end <= 1 for end in ends)
        ok = ok or (isinstance(p, str) and p == "adaptive")
        within("p", p, ok, "[0, 1], or be (first, last) or 'adaptive'")
        ok = is_number(target) and 0 <= target <= 1
        self.target = within("target", target, ok, "[0, 1]")
        self.interval = check_size("interval", interval)
        ok = is_number(kimg) and 0 < kimg < math.inf
        self.kimg = within("kimg", kimg, ok, "(0, inf)")

    @property
    def adaptive(self) -> bool:
        """Whether p follows what the discriminator says of reals."""
        return isinstance(self.p, str)

    def check_shape(self, image_shape: tuple[int, ...]) -> None:
        """Checks what is to be augmented.

        Args:
            image_shape: tuple (height, width, channels).

        Raises:
            ValueError: it is no image, or no image for these transforms.
        """
        shape = tuple(image_shape)
        if len(shape) != 3 or None in shape:
            raise ValueError(
                "ADA augments images of a fixed shape (height, width, channels). "
                f"Received: data of shape {shape}. Train without it."
            )
        if self._any("color") and shape[-1] > 4:
            raise ValueError(
                "ADA's color transforms take 1 to 4 channels: grey or RGB, with "
                f"alpha or without. Received: images of shape {shape}. Leave "
                "them out: diff_augment=ADA('blit,geom')."
            )
        if self._any("filter") and min(shape[:2]) <= REACH:
            raise ValueError(
                f"ADA's image filters reach {REACH} pixels, mirrored at the "
                f"sides: images are of {REACH + 1} pixels or more. Received: "
                f"images of shape {shape}. Leave out 'imgfilter'."
            )

    def __call__(
        self, x: Tensor, p: float | Tensor, uniform: Callable[[int, int], Tensor]
    ) -> Tensor:
        """Augments images, each in a way of its own.

        Args:
            x: tensor `[n, height, width, channels]`, in [-1, 1].
            p: float or float32 scalar tensor of 0 or more.
            uniform: function from `(columns, purpose)`, two ints, to float32
                `[n, columns]` in (0, 1), drawn from U(0, 1) and independent for
                each purpose. Purposes are 0 to 3.

        Returns:
            float32 tensor of the shape of `x`; images that nothing happened to
            are as they were, to the last bit.

        Raises:
            ValueError: `x` are not images that can be augmented so.

        Example:

        ```python
        images = np.zeros((4, 32, 32, 3), "float32")

        def uniform(columns, purpose):
            rng = np.random.default_rng(purpose)
            return rng.uniform(size=(4, columns)).astype("float32")

        keras_gans.ADA()(images, 0.6, uniform)
        ```
        """
        self.check_shape(x.shape[1:])
        x = ops.cast(x, "float32")
        draws = _Draws(self.multipliers, ops.cast(p, "float32"), uniform)
        for groups, transform in (
            (("blit", "geom"), _move),
            (("color",), _color),
            (("filter",), _filter),
            (("noise",), _noise),
            (("cutout",), _cutout),
        ):
            if self._any(*groups):
                x = transform(x, draws)
        return x

    def _any(self, *groups):
        names = [name for group in groups for name in GROUPS[group]]
        return any(name in self.multipliers for name in names)


def as_ada(given: Any, default: ADA) -> ADA | None:
    """What `diff_augment` is given, where it means ADA.

    Args:
        given: `ADA`; or the str "ada", which means `default`, or one such as
            "ada:0.2", its transforms with a constant p.
        default: `ADA`.

    Returns:
        `ADA`, or `None` where something else is given.

    Raises:
        ValueError: p is no float in [0, 1].

    Example:

    ```python
    from keras_gans.augment.ada import as_ada

    as_ada("ada:0.2", keras_gans.ADA("blit")).p  # 0.2
    ```
    """
    if isinstance(given, ADA):
        return given
    if not isinstance(given, str) or given.partition(":")[0].strip() != "ada":
        return None
    if ":" not in given:
        return default
    text = given.partition(":")[2].strip()
    try:
        p = float(text)
    except ValueError:
        p = math.nan
    within("p", text, 0 <= p <= 1, "[0, 1], as in diff_augment='ada:0.2'")
    return ADA(default.transforms, p)


class _Draws:
    """The random numbers of a batch, and what they decide.

    A transform's numbers are the same whichever others there are.
    """

    def __init__(self, multipliers, p, uniform):
        self._source = uniform
        gates, numbers, normal = (
            ops.convert_to_tensor(uniform(len(names), i))
            for i, names in enumerate((_GATES, _UNIFORM, _NORMAL))
        )
        self._uniform = dict(zip(_UNIFORM, ops.unstack(numbers, axis=1), strict=True))
        normal = ops.unstack(_normal(normal), axis=1)
        self._normal = dict(zip(_NORMAL, normal, strict=True))
        gates = dict(zip(_GATES, ops.unstack(gates, axis=1), strict=True))
        self._on = {}
        for gate, u in gates.items():
            name = gate.split("/")[0]
            if name not in multipliers:
                continue
            chance = multipliers[name] * p
            if name == "rotate":  # twice: p is the chance of either
                chance = 1.0 - ops.sqrt(1.0 - ops.clip(chance, 0.0, 1.0))
            self._on[gate] = u < chance

    def happens(self, *names):
        """Which pictures any of some transforms happens to: bool `[n]`."""
        on = [x for gate, x in self._on.items() if gate.split("/")[0] in names]
        return ops.any(ops.stack(on), axis=0)

    def chosen(self, name, value, otherwise=0.0):
        """`value` where a transform happens, else `otherwise`."""
        if name not in self._on:
            return ops.full_like(value, otherwise)
        return ops.where(self._on[name], value, otherwise)

    def uniform(self, name):
        return self._uniform[name]

    def normal(self, name):
        return self._normal[name]

    def integer(self, name, n):
        """Integers of 0, ..., n - 1, as floats; U(0, 1) may round to 1."""
        u = self._uniform[name]
        return self.chosen(name, ops.minimum(ops.floor(u * n), n - 1.0))

    def angle(self, name):
        return self.chosen(name, (2.0 * self._uniform[name] - 1.0) * math.pi)

    def factor(self, name, octaves):
        factor = ops.power(2.0, octaves * self._normal[name])
        return self.chosen(name, factor, 1.0)

    def noise(self, columns):
        """N(0, 1): `[n, columns]`."""
        return _normal(ops.convert_to_tensor(self._source(columns, 3)))


def _normal(u):
    """N(0, 1) by its quantiles."""
    # Of a 1 that U(0, 1) may round to, the quantile is infinite.
    u = ops.minimum(u, 1.0 - 2.0**-24)
    return math.sqrt(2) * ops.erfinv(2.0 * u - 1.0)


def _move(x, draws):
    sides = np.array(x.shape[2:0:-1], "float32")  # along x and y

    def pair(name, of):
        parts = [draws.chosen(name, of(f"{name}/{axis}")) for axis in "xy"]
        return ops.stack(parts, axis=-1)

    matrix, offset = affine_map(
        flip=draws.integer("xflip", 2),
        turns=draws.integer("rotate90", 4),
        shift=ops.round(
            sides * pair("xint", lambda k: SHIFT * (2.0 * draws.uniform(k) - 1.0))
        ),
        scale=draws.factor("scale", OCTAVES),
        before=draws.angle("rotate"),
        stretch=draws.factor("aniso", OCTAVES),
        after=draws.angle("rotate/after"),
        move=sides * pair("xfrac", lambda k: SHIFT * draws.normal(k)),
    )
    moved = draws.happens(*MOVING)[:, None, None, None]
    return ops.where(moved, warp(x, matrix, offset), x)


def _color(x, draws):
    y = recolor(
        x,
        brightness=draws.chosen("brightness", BRIGHTNESS * draws.normal("brightness")),
        contrast=draws.factor("contrast", CONTRAST),
        lumaflip=draws.integer("lumaflip", 2),
        hue=draws.angle("hue"),
        saturation=draws.factor("saturation", SATURATION),
    )
    return ops.where(draws.happens(*GROUPS["color"])[:, None, None, None], y, x)


def _filter(x, draws):
    gains = 1.0
    for i in range(len(POWERS)):
        # One of four is amplified, then all for the power that they had.
        band = ops.power(2.0, GAIN * draws.normal(f"imgfilter/{i}"))
        gate = f"imgfilter/{i}" if i else "imgfilter"
        band = draws.chosen(gate, band, 1.0)
        one = [band if i == j else ops.ones_like(band) for j in range(len(POWERS))]
        gains = gains * normalized(ops.stack(one, axis=-1))
    filtered = draws.happens("imgfilter")[:, None, None, None]
    return ops.where(filtered, amplify(x, gains), x)


def _noise(x, draws):
    deviation = draws.chosen("noise", NOISE * ops.abs(draws.normal("noise")))
    noise = draws.noise(math.prod(x.shape[1:]))
    noise = ops.reshape(noise, (-1, *x.shape[1:]))
    return x + deviation[:, None, None, None] * noise


def _cutout(x, draws):
    bands = []
    for axis, side in (("y", x.shape[1]), ("x", x.shape[2])):
        middle = draws.uniform(f"cutout/{axis}")[:, None] * side
        distance = ops.abs(np.arange(side, dtype="float32") + 0.5 - middle)
        bands.append(distance < CUT / 2 * side)
    cut = ops.logical_and(bands[0][:, :, None, None], bands[1][:, None, :, None])
    cut = ops.logical_and(cut, draws.happens("cutout")[:, None, None, None])
    return ops.where(cut, ops.zeros_like(x), x)


def _check_transforms(transforms):
    """The multiplier of each transform, those of 0 left out."""
    if isinstance(transforms, str):
        transforms = [(name.strip(), 1.0) for name in transforms.split(",")]
    elif isinstance(transforms, Mapping):
        transforms = list(transforms.items())
    else:
        raise ValueError(
            "`transforms` is a str such as 'blit,geom,color', or a dict of "
            f"transforms to multipliers. Received: {transforms!r}."
        )
    multipliers = {}
    known = tuple(dict.fromkeys((*GROUPS, *TRANSFORMS)))  # noise is both
    for name, multiplier in transforms:
        if name not in known:
            raise ValueError(
                f"Unknown transform. Expected some of {', '.join(known)}. "
                f"Received: {name!r}.{hint(name, known)}"
            )
        ok = is_number(multiplier) and 0 <= multiplier < math.inf
        within(f"multiplier of {name}", multiplier, ok, "[0, inf)")
        for transform in GROUPS.get(name, (name,)):
            if transform in multipliers:
                part = "" if name == transform else f", which {name!r} holds,"
                raise ValueError(
                    "Each transform may be given once. Received: "
                    f"{transform!r}{part} again."
                )
            multipliers[transform] = float(multiplier)
    multipliers = {name: m for name, m in multipliers.items() if m}
    if not multipliers:
        raise ValueError(
            "ADA without transforms changes nothing. Received: none with a "
            "multiplier above 0. Train without it: diff_augment=None."
        )
    return multipliers
