"""ADA's augmentations: what the discriminator sees, with a probability."""

from collections.abc import Callable, Mapping
import dataclasses
import math

from keras import ops
import numpy as np

from keras_gans.augment.ada_color import recolor
from keras_gans.augment.ada_filter import POWERS, REACH, amplify, normalized
from keras_gans.augment.ada_geometry import affine_map, warp
from keras_gans.utils.suggestions import hint
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import is_number, within

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


@dataclasses.dataclass(frozen=True)
class ADA:
    """The augmentations of "Training GANs with Limited Data", differentiable.

    Each happens to a picture with the probability p times its multiplier:

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

    Geometry is one map, sampled once; pictures are mirrored on at their sides.
    Grey is coloured as red, green and blue alike; a fourth channel is alpha, of
    which colours are no part. Values are not clipped.

    Args:
        transforms: a str of groups or transforms with commas, such as
            `"blit,geom,color"`, each with a multiplier of 1; or a dict of
            groups or transforms to multipliers, floats in [0, inf).

    Raises:
        ValueError: a name is unknown, given twice, or a multiplier is out of
            range.

    Example:

    ```python
    ada = keras_gans.augment.ADA({"blit": 1, "geom": 1, "color": 0.5})
    images = np.zeros((4, 32, 32, 3), "float32")

    def uniform(columns, purpose):
        rng = np.random.default_rng(purpose)
        return rng.uniform(size=(4, columns)).astype("float32")

    ada(images, 0.6, uniform)
    ```

    Reference:
        https://arxiv.org/abs/2006.06676, section 2 and appendix B
    """

    transforms: str | Mapping[str, float]

    def __post_init__(self):
        object.__setattr__(self, "transforms", _check_transforms(self.transforms))

    @classmethod
    def bgc(cls) -> "ADA":
        """The paper's choice: blit, geom and color."""
        return cls("blit,geom,color")

    @classmethod
    def r3gan(cls) -> "ADA":
        """R3GAN's: blit, geom and cutout, and half as much color."""
        return cls({"blit": 1, "geom": 1, "color": 0.5, "cutout": 1})

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
        if self._any("color") and shape[-1] not in (1, 3, 4):
            raise ValueError(
                "ADA's color transforms take 1, 3 or 4 channels: grey, RGB or "
                f"RGBA. Received: images of shape {shape}. Leave them out, as "
                "ADA('blit,geom') does."
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
            p: float in [0, inf) or float32 scalar tensor.
            uniform: function from `(columns, purpose)`, two ints, to float32
                `[n, columns]` in (0, 1), drawn from U(0, 1) and independent for
                each purpose. Purposes are 0 to 3.

        Returns:
            float32 tensor of the shape of `x`; images that nothing happened to
            are as they were, to the last bit.

        Raises:
            ValueError: p is out of range, or `x` are not images that can be
                augmented so.
        """
        if is_number(p):
            within("p", p, 0 <= p < math.inf, "[0, inf)")
        self.check_shape(x.shape[1:])
        x = ops.cast(x, "float32")
        draws = _Draws(dict(self.transforms), ops.cast(p, "float32"), uniform)
        for group, transform in (
            (("blit", "geom"), _move),
            (("color",), _color),
            (("filter",), _filter),
            (("noise",), _noise),
            (("cutout",), _cutout),
        ):
            if self._any(*group):
                x = transform(x, draws)
        return x

    def _any(self, *groups):
        on = dict(self.transforms)
        return any(name in on for group in groups for name in GROUPS[group])


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


def _check_transforms(given):
    """The transforms as ((name, multiplier), ...), those of 0 left out."""
    if isinstance(given, str):
        given = [(name.strip(), 1.0) for name in given.split(",")]
    elif isinstance(given, Mapping):
        given = list(given.items())
    elif not isinstance(given, tuple):  # a tuple is that of another ADA
        raise ValueError(
            "`transforms` is a str such as 'blit,geom,color', or a dict of "
            f"transforms to multipliers. Received: {given!r}."
        )
    multipliers = {}
    known = (*GROUPS, *TRANSFORMS)
    for name, multiplier in given:
        if name not in known:
            raise ValueError(
                f"Unknown transform. Expected some of {', '.join(known)}. "
                f"Received: {name!r}.{hint(name, known)}"
            )
        ok = is_number(multiplier) and 0 <= multiplier < math.inf
        within(f"multiplier of {name}", multiplier, ok, "[0, inf)")
        for transform in GROUPS.get(name, (name,)):
            if transform in multipliers:
                raise ValueError(
                    f"Each transform may be given once. Received: {transform!r} again."
                )
            multipliers[transform] = float(multiplier)
    return tuple((name, m) for name, m in multipliers.items() if m)
