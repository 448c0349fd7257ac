"""What an exported model answers: its signatures, as functions of TensorFlow."""

from collections.abc import Callable
import functools
from typing import TYPE_CHECKING, NamedTuple

import keras
import numpy as np

from keras_gans.core.inputs import Input, Latent
from keras_gans.core.networks import style_parts
from keras_gans.core.regularization import logits_of
from keras_gans.engine.keras_internals import flatten_layers
from keras_gans.layers import MinibatchStdDev
from keras_gans.modalities import Image, Modality
from keras_gans.utils.networks import OPEN_SIDE
from keras_gans.utils.types import Tensor

if TYPE_CHECKING:
    from keras_gans.core.gan import BaseGAN
    from keras_gans.core.translation import TranslatingGAN

KEY = "key"  # of a translator's inputs: seed and row, in the test mode
PARALLEL = 1e-6  # sines of angles that count as none, as of `latent.slerp`
PICTURES = (1, 3, 4)  # channels of pictures that are translated


class Endpoint(NamedTuple):
    """A signature.

    Attributes:
        function: from tensors to a dict of tensors by name.
        specs: list of `tf.TensorSpec`, named.
        example: dict of a row of each input, by name.
    """

    function: Callable
    specs: list
    example: dict[str, np.ndarray]


class Signatures(NamedTuple):
    """All signatures of a GAN.

    Attributes:
        networks: list of `keras.Model` that they use.
        endpoints: dict of a name to its `Endpoint`.
    """

    networks: list[keras.Model]
    endpoints: dict[str, Endpoint]


# --- Samples ---


def of_samples(gan: "BaseGAN") -> Signatures:
    """The signatures of a generator of samples, see `core.export.export`.

    Args:
        gan: `BaseGAN`, on the TensorFlow backend.
    """
    import tensorflow as tf

    inputs = gan.inputs
    given = [one for one in inputs if not one.of_seeds]
    seeded = len(given) < len(inputs)
    # Strings where there is a model that encodes them; `generate` takes vectors.
    given_specs = [_said_spec(one) for one in given]
    networks = gan.sampling_networks()
    networks += [one.in_graph for one in given if one.in_graph is not None]
    specs = [_spec(one) for one in inputs]
    make = samples_of(gan)

    # Traced once for all signatures that end in it.
    @functools.partial(tf.function, input_signature=specs)
    def generate(*values):
        return answers(gan.modality, make(*_in_range(inputs, values)))

    def from_seed(seed, *values):
        values = _encoded(given, values)
        return generate(*_values(inputs, _drawn(inputs, seed), values))

    endpoints = {"generate": _endpoint(generate, specs, inputs)}
    if not seeded:
        endpoints["serving_default"] = endpoints["generate"]
    else:
        seed = tf.TensorSpec([None], tf.int64, name="seed")
        endpoints["serving_default"] = _endpoint(from_seed, [seed, *given_specs], given)
        ends = [
            *(tf.TensorSpec([None], tf.int64, name=f"seed_{x}") for x in "ab"),
            tf.TensorSpec([None], tf.float32, name="t"),
        ]
        way = _along_w(gan) if style_parts(networks[0]) else _along_z(gan, generate)

        def between(seed_a, seed_b, t, *values):
            return way(seed_a, seed_b, t, *_encoded(given, values))

        endpoints["interpolate"] = _endpoint(between, [*ends, *given_specs], given)
    if gan.scores and gan.packing == 1 and "discriminator" in gan.networks:
        networks.append(gan.networks["discriminator"])
        endpoints["score"] = _score(gan)
    return Signatures(networks, endpoints)


def samples_of(gan: "BaseGAN") -> Callable:
    """A function of TensorFlow from what the generator takes to samples.

    Args:
        gan: `BaseGAN`.

    Returns:
        Function of one tensor for each of `gan.inputs`, to float32 samples that
        are cut to their range.
    """

    def make(*values):
        return gan.call(values if len(values) > 1 else values[0])

    return make


def answers(modality: Modality, samples: Tensor) -> dict[str, Tensor]:
    """Samples by the name of their modality, and as files where it has them."""
    samples = modality.clip(samples)
    encoded = modality.encode_in_graph(samples)
    named = {modality.tensor_name: samples}
    return named if encoded is None else {**named, modality.bytes_name: encoded}


def _along_z(gan, generate):
    """Between normal codes along arcs, between uniform ones along lines."""
    import tensorflow as tf

    inputs = gan.inputs
    latent = next(one for one in inputs if isinstance(one, Latent))
    way = _slerp if latent.distribution == "normal" else _lerp

    def interpolate(seed_a, seed_b, t, *values):
        a, b = (_drawn(inputs, seed)[latent.name] for seed in (seed_a, seed_b))
        z = way(*(tf.cast(x, tf.float64) for x in (a, b, t[:, None])))
        drawn = {**_drawn(inputs, seed_a), latent.name: tf.cast(z, tf.float32)}
        return generate(*_values(inputs, drawn, values))

    return interpolate


def _along_w(gan):
    """Between truncated codes w along lines."""
    import tensorflow as tf

    inputs = gan.inputs
    parts = style_parts(gan.sampling_network())

    def styles(seed, values):
        rows = _values(inputs, _drawn(inputs, seed), values)
        rows = dict(zip((i.name for i in inputs), _in_range(inputs, rows), strict=True))
        codes = [rows[name] for name in ("z", "label") if name in rows]
        w = parts.mapping(codes if len(codes) > 1 else codes[0], training=False)
        return parts.truncation([tf.cast(w, tf.float32), rows["truncation"]])

    def interpolate(seed_a, seed_b, t, *values):
        a, b = (styles(seed, values) for seed in (seed_a, seed_b))
        ws = _lerp(a, b, t[:, None, None])
        samples = tf.cast(parts.synthesis(ws, training=False), tf.float32)
        return answers(gan.modality, samples)

    return interpolate


def _lerp(a, b, t):
    return a + t * (b - a)


def _slerp(a, b, t):
    import tensorflow as tf

    def unit(x):
        return tf.math.divide_no_nan(x, tf.norm(x, axis=-1, keepdims=True))

    cosine = tf.reduce_sum(unit(a) * unit(b), axis=-1, keepdims=True)
    angle = tf.acos(tf.clip_by_value(cosine, -1, 1))
    sine = tf.sin(angle)
    arc = tf.sin((1 - t) * angle) * a + tf.sin(t * angle) * b
    return tf.where(sine < PARALLEL, _lerp(a, b, t), tf.math.divide_no_nan(arc, sine))


def _score(gan):
    """The discriminator's logits of samples, which depend on no other row."""
    import tensorflow as tf

    modality, seen = gan.modality, gan.seen_inputs
    spec = tf.TensorSpec([None, *modality.shape], "float32", modality.tensor_name)
    discriminator = gan.networks["discriminator"]
    layers = flatten_layers(discriminator)
    alone = any(isinstance(layer, MinibatchStdDev) for layer in layers)

    def logits(samples, *values):
        values = _in_range(seen, values)
        batch = {one.name: value for one, value in zip(seen, values, strict=True)}
        outputs = gan.call_discriminator(samples, {**batch, "real": samples}, False)
        return logits_of(outputs)

    def score(samples, *values):
        if not alone:
            return {"logits": logits(samples, *values)}
        scores = tf.map_fn(
            lambda row: logits(*(x[None] for x in row))[0],
            (samples, *values),
            fn_output_signature=tf.float32,
        )
        return {"logits": scores}

    return _endpoint(score, [spec, *map(_spec, seen)], seen)


# --- Translations ---


def of_translations(gan: "TranslatingGAN") -> Signatures:
    """The signatures of translators, see `core.export.export_translator`.

    Args:
        gan: `TranslatingGAN`, on the TensorFlow backend.
    """
    import tensorflow as tf

    networks, endpoints = [], {}
    for direction in gan.directions:
        name = gan.translator(direction)
        network = gan.sampling_network(name)
        networks += [network, gan.networks[name]]
        spec = tf.TensorSpec(network.input_shape, tf.float32, name="images")
        modes = _Modes(gan, direction, spec)
        first = direction == gan.directions[0]
        suffix = "" if first else f"_{direction}"
        test, evaluate = (_endpoint(f, [spec]) for f in (modes.test, modes.evaluate))
        endpoints |= {f"test{suffix}": test, f"evaluate{suffix}": evaluate}
        floats = evaluate if gan.evaluates() else test
        endpoints["translate" if first else direction] = floats
        served = _of_files(gan, direction, modes) or floats
        endpoints["serving_default" if first else f"serving{suffix}"] = served
    return Signatures(networks, endpoints)


def are_pictures(takes: int, makes: int) -> bool:
    """Whether a translator goes from pictures to pictures, by their channels.

    Two channels may be colours without their lightness, and a fourth that is not
    made as well is a mask, not an opacity.
    """
    return {takes, makes} <= set(PICTURES) and (takes != 4 or makes == 4)


class _Modes:
    """The two modes of `translate`, each traced once for all that use it."""

    def __init__(self, gan, direction, spec):
        import tensorflow as tf

        def evaluate(images):
            return {"images": gan({direction: images})}

        def test_one(image, row):
            key = tf.reshape(tf.stack([0, row]), (1, 2))
            return gan({direction: image[None], KEY: key})[0]

        row = tf.TensorSpec([], tf.int32)
        one = tf.TensorSpec(spec.shape[1:], tf.float32)
        self.evaluate = tf.function(evaluate, input_signature=[spec])
        self.test_one = tf.function(test_one, input_signature=[one, row])

    def test(self, images):
        """Each image by itself, with the dropout of its row."""
        import tensorflow as tf

        translations = tf.map_fn(
            lambda image_and_row: self.test_one(*image_and_row),
            (images, tf.range(tf.shape(images)[0])),
            fn_output_signature=tf.float32,
        )
        return {"images": translations}


def _of_files(gan, direction, modes):
    """From the bytes of pictures to those of pictures; `None` where it has none."""
    import tensorflow as tf

    shapes = (gan.source_shape, gan.image_shape)
    if gan.scale > 1:  # trained on crops, of any size
        shapes = [(None, None, shape[-1]) for shape in shapes]
    source, target = (
        Image(shape) for shape in (shapes if direction == "ab" else shapes[::-1])
    )
    if not are_pictures(source.shape[-1], target.shape[-1]):
        return None
    evaluates = gan.evaluates()

    def test(image):
        """Whose answer depends on no other: all are row 0."""
        return modes.test_one(image, 0)

    def of_one_size(image_bytes):
        images = tf.map_fn(
            source.decode_in_graph,
            image_bytes,
            fn_output_signature=tf.TensorSpec(source.shape, tf.float32),
        )
        if evaluates:
            return answers(target, modes.evaluate(images)["images"])
        spec = tf.TensorSpec(target.shape, tf.float32)
        return answers(target, tf.map_fn(test, images, fn_output_signature=spec))

    def of_any_size(image_bytes):
        def one(data):
            image = source.decode_in_graph(data)
            translation = (
                modes.evaluate(image[None])["images"][0] if evaluates else test(image)
            )
            return target.encode_in_graph(target.clip(translation)[None])[0]

        pictures = tf.map_fn(one, image_bytes, fn_output_signature=tf.string)
        return {target.bytes_name: pictures}

    sides = [side or OPEN_SIDE for side in source.shape[:2]]
    picture = Image((*sides, source.shape[-1]))
    encoded = picture.encode(np.zeros(picture.shape))
    example = {"image_bytes": np.array([encoded], object)}
    function = of_any_size if None in target.shape else of_one_size
    return Endpoint(
        function, [tf.TensorSpec([None], tf.string, name="image_bytes")], example
    )


# --- Parts ---


def _endpoint(function, specs, ranged=()):
    """An endpoint with an example of one row, of zeros where they are in range."""
    examples = {}
    for spec in specs:
        shape = [1, *(side or OPEN_SIDE for side in spec.shape[1:])]
        examples[spec.name] = np.zeros(shape, spec.dtype.as_numpy_dtype)
        if spec.dtype == "string":
            examples[spec.name] = np.array([b"a picture"], object)
    for one in ranged:
        if one.low is not None:
            examples[one.name] = np.clip(examples[one.name], one.low, one.high)
    return Endpoint(function, list(specs), examples)


def _spec(one: Input):
    import tensorflow as tf

    return tf.TensorSpec([None, *one.shape], one.dtype, name=one.name)


def _said_spec(one):
    import tensorflow as tf

    if one.in_graph is None:
        return _spec(one)
    return tf.TensorSpec([None], tf.string, name=one.name)


def _encoded(given, values):
    """The values of inputs, with vectors in place of strings."""
    encoded = []
    for one, value in zip(given, values, strict=True):
        model = one.in_graph
        if model is not None:
            columns = len(model.inputs[0].shape) == 2
            value = model(value[:, None] if columns else value, training=False)
        encoded.append(value)
    return encoded


def _drawn(inputs, seed):
    """What 64-bit seeds draw, by the names of inputs."""
    import tensorflow as tf

    low = tf.cast(tf.bitwise.bitwise_and(seed, 0xFFFFFFFF), tf.uint32)
    high = tf.cast(tf.bitwise.right_shift(seed, 32), tf.uint32)
    return {one.name: one.served(high, low) for one in inputs if one.of_seeds}


def _values(inputs, drawn, given):
    """The values of all inputs in their order, of drawn and given ones."""
    given = iter(given)
    return [drawn[one.name] if one.name in drawn else next(given) for one in inputs]


def _in_range(inputs, values):
    """The values, which fail where one is out of the range of its input."""
    import tensorflow as tf

    checks = []
    for one, value in zip(inputs, values, strict=True):
        if one.low is not None:
            said = {"message": f"{one.name} lies in [{one.low}, {one.high}]"}
            low, high = (tf.constant(x, one.dtype) for x in (one.low, one.high))
            checks.append(tf.debugging.assert_greater_equal(value, low, **said))
            checks.append(tf.debugging.assert_less_equal(value, high, **said))
    with tf.control_dependencies(checks):
        return [tf.identity(value) for value in values]
