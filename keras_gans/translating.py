"""How a GAN turns images into images: what it takes, checks and gives."""

import keras
from keras import ops
import numpy as np

from keras_gans import losses
from keras_gans.checks import check_built
from keras_gans.checks import check_images
from keras_gans.checks import check_seed
from keras_gans.checks import input_shape_of
from keras_gans.checks import is_number
from keras_gans.checks import output_shape_of
from keras_gans.checks import within
from keras_gans.engine import draws
from keras_gans.engine.scopes import forgetful_scope
from keras_gans.layers.dropout import Dropout
from keras_gans.translation_grids import TranslationGrids

KEY = "key"  # of the inputs of `call`: seed and row, in the test mode
OPEN_SIDE = 64  # of an image that builds a network of any size


class Translating(TranslationGrids):
    """A GAN from images to images; mixed into `BaseGAN`.

    `source_shape` and `image_shape` are those of what it takes and makes:
    tuples (height, width, channels), height and width `None` where any will
    do.
    """

    directions = ("ab",)

    def translator(self, generator, direction):
        """The network of a direction.

        Args:
            generator: `self.generator` or its moving average.
            direction: one of `directions`.
        """
        return generator

    def generator_inputs(self):
        sides = [side or OPEN_SIDE for side in self.source_shape[:2]]
        return [(*sides, self.source_shape[-1])]

    @property
    def adversarial_scale(self):
        """The reference's loss over ours: 2 for least squares, else 1.

        It takes mean squares; ours are halved, as the paper's.
        """
        halved = self.objective is losses.OBJECTIVES["least_squares"]
        return 2.0 if halved else 1.0

    def call(self, inputs, training=False):
        """Translates images, in inference mode by default.

        Args:
            inputs: images of "ab"; or a dict of a direction to images. With
                "key", int32 `[[seed, row]]`, one image in the test mode of
                `translate`.
            training: bool.
        """
        if not isinstance(inputs, dict):
            inputs = {"ab": inputs}
        ((direction, images),) = (
            item for item in inputs.items() if item[0] != KEY
        )
        network = self.translator(self.sampling_generator, direction)
        if KEY in inputs:
            made = self._test(network, images, direction, inputs[KEY])
        else:
            made = network(images, training=training)
        return ops.cast(made, "float32")

    def _test(self, network, images, direction, key):
        # The moving average is frozen: its batch norm would not take the
        # statistics of the images. So its weights go into the generator.
        trained = self.translator(self.generator, direction)
        pairs = zip(trained.weights, network.weights, strict=True)
        values = [(v, average.value) for v, average in pairs]
        with forgetful_scope([*values, *_drawn_by(trained, key)]):
            return trained(images, training=True)

    def _translate(self, images, direction, seed, evaluation):
        check_seed(seed)
        ok = isinstance(evaluation, bool)
        within("evaluation", evaluation, ok, "True, False")
        self._check_direction(direction)
        network = self.translator(self.sampling_generator, direction)
        images = np.asarray(images)
        alike = self.source_shape[-1] == self.image_shape[-1]
        model = type(self).__name__
        _check_sources(images, _input_of(network), model, doubt=alike)
        made = []
        # One by one: then no image depends on the others, nor on their number.
        for row, image in enumerate(images.astype("float32")):
            inputs = {direction: image[None]}
            if not evaluation:
                inputs[KEY] = np.array([[seed, row]], "int32")
            made.append(self.predict_here(inputs))
        return np.concatenate(made)

    def _check_direction(self, direction):
        if direction not in self.directions:
            raise ValueError(
                f"{type(self).__name__} translates in the directions "
                f"{', '.join(self.directions)}. Received: "
                f"direction={direction!r}."
            )

    def sample_batches(self, *args, **kwargs):
        raise ValueError(
            f"{type(self).__name__} makes images from images, not from a "
            "seed. Call `translate(images)`."
        )

    def export(self, filepath, overwrite=False):
        """Writes a SavedModel: see `serving.export_translator`."""
        from keras_gans.serving import export_translator

        export_translator(self, filepath, overwrite)

    def pair(self, batch):
        """The two tensors of a batch, from data sets and arrays alike."""
        if len(batch) == 1 and isinstance(batch[0], (tuple, list)):
            batch = batch[0]
        # Of `train_on_batch`, weights of the images, which are none.
        return tuple(part for part in batch if part is not None)

    def check_pair(self, batch, names, shapes):
        """Checks the first batch of a `fit`, as numpy arrays.

        Args:
            batch: what the data set yields.
            names: the str names of its two parts.
            shapes: the tuples they should have, without the batch axis.

        Raises:
            ValueError: it is no pair, its parts differ in number or size, or
                one of them is not what the networks take.
        """
        wanted = f"({', '.join(names)})"
        batch = self.pair(batch) if isinstance(batch, (tuple, list)) else batch
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
        if len(a) != len(b) or a.shape[1:3] != b.shape[1:3]:
            raise ValueError(
                f"The two parts of a batch {wanted} have one number of images "
                f"and one size. Received: {names[0]} of shape {a.shape}, "
                f"{names[1]} of {b.shape}. Resize or crop them alike."
            )
        # Lightness beside colour, or a mask, may well be above 0.
        alike = a.shape[-1] == b.shape[-1]
        for name, part in zip(names, parts, strict=True):
            try:
                check_images(part, part.shape[1:], doubt=alike)
            except ValueError as error:
                raise ValueError(f"In {name}: {error}") from None
        self.keep_for_grids(parts)


# --- Networks ---


def shapes_of(name, network, source_shape=None):
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
    check_built(name, network)
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
    made = output_shape_of(network)
    if made is None:
        made = network.compute_output_spec(keras.KerasTensor((1, *source)))
        made = made.shape
    made = tuple(made)[1:]
    if len(source) != 3 or len(made) != 3 or not _agree(source[:2], made[:2]):
        raise ValueError(
            f"`{name}` makes images [n, height, width, channels] of images of "
            f"the same size. Received: {network.name} from {source} to {made}."
        )
    return source, made


def domain_shapes(name, generator, image_shape=None, source_channels=None):
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
    source, made = shapes_of(name, generator, expected)
    if source_channels not in (None, source[-1]):
        raise ValueError(
            "`source_channels` does not fit the generator. Received: "
            f"source_channels={source_channels}, a generator of images of "
            f"shape {source}. Drop it: it follows from the generator."
        )
    made = narrowed("image_shape", image_shape, made)
    return (*made[:2], source[-1]), made


def narrowed(name, asked, made):
    """The shape that both `asked`, which may be `None`, and `made` allow.

    Raises:
        ValueError: there is none.
    """
    if asked is None:
        return made
    if len(asked) != len(made) or not _agree(asked, made):
        raise ValueError(
            f"`{name}` does not fit the generator. Received: {name}={asked}, a "
            f"generator with {made}. Drop `{name}`: it follows from the "
            "generator."
        )
    return tuple(
        m if a is None else a for a, m in zip(asked, made, strict=True)
    )


def check_judge(name, network, shape, of):
    """Checks that a discriminator takes images of a shape.

    Args:
        name: str, the argument that it is.
        network: `keras.Model`.
        shape: tuple (height, width, channels).
        of: str, what has that shape.

    Raises:
        ValueError: it does not.
    """
    check_built(name, network)
    wanted = input_shape_of(network)
    if wanted is None:  # a subclassed model does not tell
        return
    wanted = tuple(wanted)[1:]
    if len(wanted) != len(shape) or not _agree(shape, wanted):
        raise ValueError(
            f"`{name}` judges {of}. Received: images of shape {shape}, a "
            f"discriminator of {wanted}. Build both for one shape."
        )


def refuse(model, arguments, refused):
    """Refuses arguments of `BaseGAN` that make no sense in a model.

    Args:
        model: str, its name.
        arguments: dict of those given.
        refused: dict of a name to (default, the reason).

    Raises:
        ValueError: one of the `arguments` is refused and not its default.
    """
    for name, (default, reason) in refused.items():
        if arguments.get(name, default) != default:
            raise ValueError(
                f"{model} does not take `{name}`: {reason}. Received: "
                f"{name}={arguments[name]!r}. Drop it."
            )


def check_weight(name, value):
    """Returns the weight of a loss, a number in [0, inf).

    Raises:
        ValueError: it is something else.
    """
    ok = is_number(value) and 0 <= value < float("inf")
    return within(name, value, ok, "[0, inf)")


def _agree(shape, other):
    return all(
        a is None or b is None or a == b
        for a, b in zip(shape, other, strict=True)
    )


# --- Images ---


def _described(batch):
    if isinstance(batch, tuple):
        parts = ", ".join(f"shape {np.shape(part)}" for part in batch)
        return f"a batch of {len(batch)} parts ({parts})"
    if isinstance(batch, dict):
        return f"a dict with keys {', '.join(map(str, batch))}"
    return f"one batch of shape {tuple(np.shape(batch))}"


def _check_shape(name, images, shape):
    if images.ndim != 4 or not _agree(images.shape[1:], shape):
        raise ValueError(
            f"The model was built for another {name}. Received: a batch of "
            f"shape {images.shape}. Expected: (batch, "
            f"{', '.join('any' if s is None else str(s) for s in shape)}). "
            "Resize or convert the images, or build the model for them."
        )


def _input_of(network):
    shape = input_shape_of(network)
    return None if shape is None else tuple(shape)[1:]


def _check_sources(images, shape, model, doubt):
    if images.ndim != 4 or len(images) == 0:
        raise ValueError(
            "`translate` takes images [n, height, width, channels]. Received: "
            f"shape {images.shape}. Add an axis to a single image: "
            "`image[None]`."
        )
    if shape is not None and not _agree(images.shape[1:], shape):
        wanted = ", ".join("any" if s is None else str(s) for s in shape)
        raise ValueError(
            f"The generator takes images of another shape. Received: "
            f"{images.shape[1:]}. Expected: ({wanted}). Convert the images, "
            f"or build {model} with a generator for them; one of "
            "image_shape=(None, None, channels) takes any size."
        )
    check_images(images, images.shape[1:], doubt)


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
    variables = [
        layer.calls
        for layer in network._flatten_layers()
        if isinstance(layer, Dropout)
    ]
    variables += [  # of Keras's own layers
        v for v in network.variables if v.path.endswith("seed_generator_state")
    ]
    values = []
    for i, v in enumerate(variables):
        columns = 1 if len(v.shape) == 0 else v.shape[0]
        words = draws.bits((draws.TRANSLATE, seed, i), row, columns)
        # Positive also where a variable is int32.
        words = ops.right_shift(words, np.uint32(1))
        values.append((v, ops.reshape(words, v.shape)))
    return values
