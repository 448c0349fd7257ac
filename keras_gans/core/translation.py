"""GANs from images to images: what they take, check, translate and show."""

from collections.abc import Callable, Sequence
import itertools
import math
import types
from typing import Any, NoReturn

import keras
from keras import ops
import numpy as np

from keras_gans import losses
from keras_gans.core import previews
from keras_gans.core.controllers import Controller
from keras_gans.core.export import FORMAT, check_format, export_translator
from keras_gans.core.gan import BaseGAN
from keras_gans.core.signatures import KEY
from keras_gans.engine import rng
from keras_gans.engine.keras_internals import flatten_layers
from keras_gans.engine.scopes import forgetful_scope
from keras_gans.modalities import Image, Preview, pictures
from keras_gans.utils.networks import (
    OPEN_SIDE,
    build,
    check_network,
    input_shape_of,
    output_shape_of,
)
from keras_gans.utils.types import Path, Shape, Tensor
from keras_gans.utils.validation import agree, check_seed, is_number, within

ROWS = 4  # images of a preview, unless more are asked for
MAX_KEPT = 16  # images of the first batch that are kept for previews
MOVING = "moving statistics, no dropout"
OWN = "each image's own statistics, dropout as in training"


class LargestBatch(Controller):
    """The most images that batch norm has seen at once in training.

    It is saved with the model: how it translates follows from it.
    """

    def __init__(self):
        super().__init__(name="largest_batch")
        self.size = self.add_state("size", 0, dtype="int32")

    def update(self, gan: BaseGAN, logs: dict, rows: Tensor) -> None:
        parts = gan.engine.num_replicas * gan.accumulate
        rows = ops.cast(rows, "int32") // parts
        self.size.assign(ops.maximum(self.size.value, rows))

    def load_own_variables(self, store: Any) -> None:
        if len(store.keys()):  # else a file from before there was one
            super().load_own_variables(store)


class TranslatingGAN(BaseGAN):
    """A GAN from images to images, of any height and width where it allows.

    A subclass says which network translates in which direction, and what a
    batch's two parts are called.
    """

    directions = ("ab",)
    pair_names = ("source", "target")
    scale = 1  # how many times larger than its source an image is made

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.controllers["largest_batch"] = LargestBatch()

    def translator(self, direction: str) -> str:
        """The name of the network of a direction."""
        return "generator"

    @property
    def image_shape(self) -> Shape:
        """(height, width, channels) of what is made; sides may be `None`."""
        return self.modality.shape

    @property
    def source_shape(self) -> Shape:
        """(height, width, channels) of what is translated."""
        return self.inputs[0].shape

    def generator_input_shapes(self) -> dict[str, list[tuple]]:
        shapes = {}
        for direction in self.directions:
            shape = self.source_shape
            if direction != "ab":
                shape = (*shape[:2], self.image_shape[-1])
            sides = [side or OPEN_SIDE for side in shape[:2]]
            shapes[self.translator(direction)] = [(*sides, shape[-1])]
        return shapes

    @property
    def adversarial_scale(self) -> float:
        """The reference's loss over ours: 2 for least squares, else 1.

        It takes mean squares; ours are halved, as the paper's.
        """
        halved = self.objective is losses.OBJECTIVES["least_squares"]
        return 2.0 if halved else 1.0

    # --- Translating ---

    @property
    def trained_batch(self) -> int:
        """The most images that batch norm saw at once in training; 0 before."""
        size = self.controllers["largest_batch"].size
        return int(ops.convert_to_numpy(size))

    def evaluates(self, evaluation: bool | None = None) -> bool:
        """Whether images are translated in evaluation mode.

        The statistics of one image are not those of a batch: what was trained
        on batches of several images takes the moving ones.

        Args:
            evaluation: bool that decides; `None` decides by the training.

        Raises:
            ValueError: `evaluation` is something else.
        """
        ok = evaluation is None or isinstance(evaluation, bool)
        within("evaluation", evaluation, ok, "None, True, False")
        return self.trained_batch > 1 if evaluation is None else evaluation

    def mode(self, evaluation: bool | None = None) -> str:
        """The mode of `translate` in words, and why it is that one."""
        text = MOVING if self.evaluates(evaluation) else OWN
        if evaluation is not None:
            return f"{text}, as asked for"
        if not self.trained_batch:
            return f"{text}, as the paper tests"
        return f"{text}, as it was trained on batches of {self.trained_batch}"

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Translates images, in inference mode by default.

        Args:
            inputs: images of "ab"; or a dict of a direction to images. With
                "key", int32 `[[seed, row]]`, one image in the test mode of
                `translate`.
            training: bool.
        """
        if not isinstance(inputs, dict):
            inputs = {"ab": inputs}
        ((direction, images),) = (item for item in inputs.items() if item[0] != KEY)
        name = self.translator(direction)
        if KEY in inputs:
            translation = self._test(name, images, inputs[KEY])
        else:
            translation = self.sampling_network(name)(images, training=training)
        return ops.cast(translation, "float32")

    def _test(self, name, images, key):
        # The moving average is frozen: its batch norm would not take the
        # statistics of the images. So its weights go into the generator.
        trained, network = self.networks[name], self.sampling_network(name)
        pairs = zip(trained.weights, network.weights, strict=True)
        values = [(v, average.value) for v, average in pairs]
        with forgetful_scope([*values, *_drawn_by(trained, key)]):
            return trained(images, training=True)

    def _translate(self, images, direction, seed, evaluation):
        check_seed(seed)
        evaluation = self.evaluates(evaluation)
        self.check_direction(direction)
        network = self.sampling_network(self.translator(direction))
        images = np.asarray(images)
        alike = self.source_shape[-1] == self.image_shape[-1]
        model = type(self).__name__
        _check_sources(images, _input_of(network), model, doubt=alike)
        translations = []
        # One by one: then no image depends on the others, nor on their number.
        for row, image in enumerate(_as_seen(images)):
            inputs = {direction: image[None]}
            if not evaluation:
                inputs[KEY] = np.array([[seed, row]], "int32")
            translations.append(self.engine.predict_here(inputs))
        return np.concatenate(translations)

    def check_direction(self, direction: str) -> None:
        """Refuses a direction that there is no network for."""
        if direction not in self.directions:
            raise ValueError(
                f"{type(self).__name__} translates in the directions "
                f"{', '.join(self.directions)}. Received: "
                f"direction={direction!r}."
            )

    def sample_batches(self, *args, **kwargs) -> NoReturn:
        raise ValueError(
            f"{type(self).__name__} makes images from images, not from a "
            "seed. Call `translate(images)` (keras-gans translate)."
        )

    def export(
        self, filepath: Path, overwrite: bool = False, *, format: str = FORMAT
    ) -> None:
        """Writes a SavedModel: see `core.export.export_translator`."""
        check_format(format, overwrite)
        export_translator(self, filepath, overwrite)

    # --- Batches ---

    def check_batch(self, batch: Any) -> None:
        """Checks the first batch of a `fit`, as numpy arrays.

        Raises:
            ValueError: it is no pair, its parts differ in number or size, or
                one of them is not what the networks take.
        """
        names = self.pair_names
        shapes = (self.source_shape, self.image_shape)
        wanted = f"({', '.join(names)})"
        if isinstance(batch, (tuple, list)):
            batch = self.parts(batch)
        if not isinstance(batch, tuple) or len(batch) != 2:
            received = _described(batch)
            raise ValueError(
                f"{type(self).__name__} trains on pairs {wanted} of images. "
                f"Received: {received}. Pass a data set that yields tuples of "
                f"two batches, or `fit{wanted}` of arrays."
            )
        parts = [np.asarray(part) for part in batch]
        for name, part, shape in zip(names, parts, shapes, strict=True):
            _check_shape(name, part, shape)
        a, b = parts
        sides = tuple(self.scale * side for side in a.shape[1:3])
        if len(a) != len(b) or sides != b.shape[1:3]:
            size = "one size" if self.scale == 1 else f"sizes of 1 : {self.scale}"
            raise ValueError(
                f"The two parts of a batch {wanted} have one number of images "
                f"and {size}. Received: {names[0]} of shape {a.shape}, "
                f"{names[1]} of {b.shape}. Resize or crop them alike."
            )
        # Lightness beside colour, or a mask, may well be above 0.
        alike = a.shape[-1] == b.shape[-1]
        for name, part in zip(names, parts, strict=True):
            try:
                Image(part.shape[1:]).check(part, doubt=alike)
            except ValueError as error:
                raise ValueError(f"In {name}: {error}") from None
        if self._first_images is None:
            kept = [_as_seen(part[:MAX_KEPT]) for part in parts]
            # In an object of its own: Keras would look into a list.
            self._first_images = types.SimpleNamespace(parts=kept)

    _first_images = None

    # --- Previews ---

    @property
    def preview_legend(self) -> str:
        """What stands beside each other in a preview."""
        shown = "; ".join(", ".join(names) for names in self._preview_names())
        return f"{shown}; {self.mode()}"

    def _preview_names(self):
        """What the tiles of each direction are called."""
        if "ba" not in self.directions:
            return [("source", "made", "target")]
        return [
            ("source a", "made b", "back to a"),
            ("source b", "made a", "back to b"),
        ]

    def keep_for_previews(
        self, given: Any, n: int | None = None
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """The first `n` of images, a pair of arrays or a data set of pairs.

        Raises:
            ValueError: they are nothing that the GAN trains on.
        """
        if given is None:
            return None
        shown = self._first_rows(given, ROWS if n is None else n)
        first = self._first_images
        self.check_batch(shown)  # which keeps them
        self._first_images = first
        return tuple(map(_as_seen, shown))

    def _first_rows(self, images, n):
        batches = [images] if isinstance(images, (tuple, list)) else images
        taken = None
        for batch in batches:
            if isinstance(batch, (tuple, list)):
                batch = self.parts(batch)
            if not isinstance(batch, tuple) or len(batch) != 2:
                return batch  # for `check_batch` to refuse
            parts = [np.asarray(part) for part in batch]
            if taken is None:
                taken = parts
            elif [p.shape[1:] for p in taken] == [p.shape[1:] for p in parts]:
                pairs = zip(taken, parts, strict=True)
                taken = [np.concatenate(pair) for pair in pairs]
            if min(map(len, taken)) >= n:
                break
        if taken is None:
            raise ValueError(
                "A grid shows the images of a pair of arrays or of a data set "
                f"of pairs. Received: an empty {type(images).__name__}."
            )
        return tuple(part[:n] for part in taken)

    def preview(
        self,
        n: int | None = None,
        seed: int = 0,
        columns: int | None = None,
        *,
        given: Any = None,
        picture: Callable | None = None,
        class_names: Sequence[str] | None = None,
    ) -> Preview:
        """Images beside their translations.

        Each image is shown with its translation and with its target or, where
        there is a way back, with what comes back.

        Args:
            n: int, images of each side at most, 4 by default.
            seed: int, of dropout.
            columns: int, images a row, each with its translations; by default
                what makes the grid most nearly a square of whole rows.
            given: what `keep_for_previews` returned; `None` for the first
                images that `fit` saw.
            picture: function of a source, and of a source and what is made of
                it, that gives what is to be seen; see `applications`.
            class_names: unused: what is translated has no classes.
        """
        if given is None and self._first_images is None:
            raise ValueError(
                "No images for a sample grid: `fit` has seen no batch yet. "
                "Received: images=None. Pass some to `SampleGrid(images=...)`."
            )
        if given is None:
            n = ROWS if n is None else n
            given = [part[:n] for part in self._first_images.parts]
        rows = self._preview_rows(*given, seed)
        if picture is not None:
            rows = [
                (picture(source), *(picture(source, other) for other in others))
                for source, *others in rows
            ]
        sides = list(itertools.chain(*rows))
        tiles, width = pictures.side_by_side(*sides)
        names = [
            name if count == 1 else f"{name}, channel {channel}"
            for name, count in zip(
                itertools.chain(*self._preview_names()),
                (1 if s.shape[-1] in pictures.MODES else s.shape[-1] for s in sides),
                strict=True,
            )
            for channel in range(count)
        ]
        names *= len(tiles) // width
        # Of more channels than a PNG has, each is a tile: rows of unlike
        # lengths then are one.
        ways = 1
        if all(side.shape[-1] in pictures.MODES for side in sides):
            ways = len(rows)
        width //= ways
        if columns is None:
            columns = _nearly_square(len(tiles) // width, ways, width, tiles.shape)
        caption = previews.caption(self, f"{self.preview_legend}; seed {seed}")
        return Image(tiles.shape[1:]).preview(tiles, width * columns, names, caption)

    def _preview_rows(self, a, b, seed):
        """A tuple of batches for each direction."""

        def translated(images, direction):
            # Beyond [-1, 1], where an untrained network has no tanh.
            images = np.clip(images, -1, 1)
            return self._translate(images, direction, seed, None)

        like_b = translated(a, "ab")
        if "ba" not in self.directions:
            return [(a, like_b, b)]
        like_a = translated(b, "ba")
        return [
            (a, like_b, translated(like_b, "ba")),
            (b, like_a, translated(like_a, "ab")),
        ]


def _nearly_square(n, ways, width, shape):
    """How many of n sets of `width` tiles `[_, height, width, _]` make a row.

    There is one set a row, or those of all `ways` of some images beside each
    other, so that rows are alike and whole.
    """
    fitting = [1, *(k for k in range(ways, n + 1, ways) if n % k == 0)]
    ratio = width * shape[2] / (n * shape[1])  # of one set a row
    return min(fitting, key=lambda k: abs(math.log(ratio * k * k)))


# --- Networks ---


def shapes_of(
    name: str, network: keras.Model, source_shape: tuple | None = None
) -> tuple[tuple, tuple]:
    """What a translating network takes and makes.

    Args:
        name: str, the argument that it is.
        network: `keras.Model`, built.
        source_shape: tuple, what a subclassed model takes.

    Returns:
        Two tuples (height, width, channels); height and width may be `None`.

    Raises:
        ValueError: it is no network from images to images of their size.
    """
    if source_shape is not None:
        build(name, network, [keras.KerasTensor((1, *source_shape))])
    check_network(name, network)
    source = input_shape_of(network)
    if source is not None:
        source = tuple(source)[1:]
    elif source_shape is not None:
        source = tuple(source_shape)
    else:
        raise ValueError(
            "A subclassed generator does not tell what it takes: pass "
            f"`image_shape` with it. Received: `{name}`, {network.name} (of "
            f"type {type(network).__name__})."
        )
    target = output_shape_of(network)
    if target is None:
        target = network.compute_output_spec(keras.KerasTensor((1, *source)))
        target = target.shape
    target = tuple(target)[1:]
    if len(source) != 3 or len(target) != 3 or not agree(source[:2], target[:2]):
        raise ValueError(
            f"`{name}` makes images [n, height, width, channels] of images of "
            f"the same size. Received: {network.name} from {source} to {target}."
        )
    return source, target


def domain_shapes(
    name: str,
    generator: keras.Model,
    image_shape: tuple | None = None,
    source_channels: int | None = None,
) -> tuple[tuple, tuple]:
    """The shapes of the two domains of a generator.

    Args:
        name: str, the argument that the generator is.
        generator: `keras.Model`, built.
        image_shape: tuple, what it should make, or `None`.
        source_channels: int, channels that it should take, or `None`.

    Returns:
        Two tuples (height, width, channels), what it takes and makes, of one
        size; height and width `None` where neither it nor `image_shape` tells.

    Raises:
        ValueError: it takes or makes something else.
    """
    expected = None
    if image_shape is not None:
        expected = (*image_shape[:2], source_channels or image_shape[-1])
    source, target = shapes_of(name, generator, expected)
    if source_channels not in (None, source[-1]):
        raise ValueError(
            "`source_channels` does not fit the generator. Received: "
            f"source_channels={source_channels}, a generator of images of "
            f"shape {source}. Drop it: it follows from the generator."
        )
    target = narrowed("image_shape", image_shape, target)
    return (*target[:2], source[-1]), target


def narrowed(name: str, asked: tuple | None, shape: tuple) -> tuple:
    """The shape that both `asked`, which may be `None`, and `shape` allow.

    Raises:
        ValueError: there is none.
    """
    if asked is None:
        return shape
    if len(asked) != len(shape) or not agree(asked, shape):
        raise ValueError(
            f"`{name}` does not fit the generator. Received: {name}={asked}, a "
            f"generator with {shape}. Drop `{name}`: it follows from the "
            "generator."
        )
    return tuple(m if a is None else a for a, m in zip(asked, shape, strict=True))


def check_sees_images(name: str, network: keras.Model, shape: tuple, of: str) -> None:
    """Checks that a discriminator takes images of a shape.

    Args:
        name: str, the argument that it is.
        network: `keras.Model`.
        shape: tuple (height, width, channels).
        of: str, what has that shape.

    Raises:
        ValueError: it does not.
    """
    wanted = input_shape_of(network)
    if wanted is None:  # a subclassed model does not tell
        return
    wanted = tuple(wanted)[1:]
    if len(wanted) != len(shape) or not agree(shape, wanted):
        raise ValueError(
            f"`{name}` sees {of}. Received: images of shape {shape}, a "
            f"discriminator of {wanted}. Build both for one shape."
        )


def check_weight(name: str, value: float) -> float:
    """Returns the weight of a loss, a number in [0, inf).

    Raises:
        ValueError: it is something else.
    """
    ok = is_number(value) and 0 <= value < float("inf")
    return within(name, value, ok, "[0, inf)")


# --- Images ---


def _described(batch):
    if isinstance(batch, tuple):
        parts = ", ".join(f"shape {np.shape(part)}" for part in batch)
        return f"a batch of {len(batch)} parts ({parts})"
    if isinstance(batch, dict):
        return f"a dict with keys {', '.join(map(str, batch))}"
    return f"one batch of shape {tuple(np.shape(batch))}"


def _check_shape(name, images, shape):
    if images.ndim != 4 or not agree(images.shape[1:], shape):
        remedy = Image(shape).remedy_of_axes(images.shape)
        raise ValueError(
            f"The model was built for another {name}. Received: a batch of "
            f"shape {images.shape}. Expected: (batch, {_sides(shape)}). "
            f"{remedy or 'Resize or convert the images, or build the model for them.'}"
        )


def _sides(shape):
    return ", ".join("any" if side is None else str(side) for side in shape)


def _as_seen(images):
    """Images that were checked, as float32 in [-1, 1]."""
    seen = Image(images.shape[1:]).as_seen(images)
    return ops.convert_to_numpy(seen).astype("float32")


def _input_of(network):
    shape = input_shape_of(network)
    return None if shape is None else tuple(shape)[1:]


def _check_sources(images, shape, model, doubt):
    if images.ndim != 4 or len(images) == 0:
        remedy = Image.remedy_of_rank(images.shape)
        if shape is not None:
            remedy = Image(shape).remedy_of_axes(images.shape) or remedy
        raise ValueError(
            "`translate` takes images [n, height, width, channels]. Received: "
            f"shape {images.shape}. {remedy}"
        )
    if shape is not None and not agree(images.shape[1:], shape):
        remedy = Image(shape).remedy_of_axes(images.shape) or (
            f"Convert the images, or build {model} with a generator for them; one "
            "of image_shape=(None, None, channels) takes any size."
        )
        raise ValueError(
            f"The generator takes images of another shape. Received: "
            f"{images.shape[1:]}. Expected: ({_sides(shape)}). {remedy}"
        )
    Image(images.shape[1:]).check(images, doubt=doubt)


# --- The test mode ---


def _drawn_by(network, key):
    """Values of all that says where dropout stands, as functions of a key.

    Args:
        network: `keras.Model`.
        key: int tensor `[[seed, row]]`.

    Returns:
        Pairs of a variable and its value.
    """
    key = ops.cast(key, "uint32")
    seed, row = key[0, 0], key[:, 1]
    # Those that were given a seed keep it, and draw by another count of calls.
    seeds = {
        id(layer.seed_generator.state): layer.seed
        for layer in flatten_layers(network)
        if isinstance(layer, keras.layers.Dropout)
        and layer.rate
        and layer.seed is not None
    }
    states = [v for v in network.variables if v.path.endswith("seed_generator_state")]
    values = []
    for i, v in enumerate(states):
        words = rng.bits(("translate", seed, i), row, 2)[0]
        # Positive also where a variable is int32.
        words = ops.right_shift(words, np.uint32(1))
        if id(v) in seeds:
            own = ops.convert_to_tensor(seeds[id(v)], words.dtype)
            words = ops.stack([own, words[0]])
        values.append((v, words))
    return values
