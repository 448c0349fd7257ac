"""A generator as an ONNX or LiteRT file, compared with Keras before it is kept."""

import pathlib
import tempfile
import time
from typing import NamedTuple

import keras
import numpy as np

from keras_gans.core.gan import BaseGAN
from keras_gans.core.signatures import samples_of
from keras_gans.core.translation import TranslatingGAN
from keras_gans.utils import files
from keras_gans.utils.networks import OPEN_SIDE
from keras_gans.utils.optional import require
from keras_gans.utils.types import Path
from keras_gans.utils.validation import one_of

ENDINGS = {"onnx": ".onnx", "litert": ".tflite"}
# By precision, how far an answer may be from Keras's: root mean squares, of the
# difference over that of the answers around their mean. Weights of so many bits
# round by about 1e-7, 5e-4 and 4e-3 of themselves, and layers add up.
TOLERANCES = {"float32": 1e-4, "float16": 1e-2, "int8": 0.1}
ROWS = 16  # compared, in batches of 1 and of the rest
OPSET = 17
SLOWER = 1.2  # than Keras by so much is told; less may be the machine's moods


class Converted(NamedTuple):
    """What a file was found to be.

    Attributes:
        size: int, bytes.
        seconds: float, of one row, once warm.
        keras_seconds: float, of the same row by Keras, compiled.
        largest: float, the largest difference of any value.
        relative: float, the root mean square of differences over that of values
            around their mean.
        rows: int, how many rows were compared.
    """

    size: int
    seconds: float
    keras_seconds: float
    largest: float
    relative: float
    rows: int

    def __str__(self):
        slower = self.seconds / self.keras_seconds
        lost = (
            f"\nIt is {slower:.1f} times as slow as Keras here: what is won is size."
            if slower > SLOWER
            else ""
        )
        return (
            f"{self.size / 1e6:.2f} MB; {1e3 * self.seconds:.2f} ms a row, Keras "
            f"{1e3 * self.keras_seconds:.2f} ms; of {self.rows} rows it differs from "
            f"Keras by at most {self.largest:.2g}, by {self.relative:.2g} of their "
            f"spread (root mean squares){lost}"
        )


def check(path: Path, format: str, precision: str, overwrite: bool = False) -> None:
    """Checks that a file can be made, before a model is loaded.

    Raises:
        ValueError: as of `convert`.
        NotWrittenError: an `OSError`: the disk is full or read-only, or the like.
        ImportError: a package is not installed.
    """
    one_of("format", format, ENDINGS)
    one_of("precision", precision, TOLERANCES)
    if format == "onnx" and precision != "float32":
        raise ValueError(
            "ONNX files are written in float32. Received: "
            f"precision={precision!r}. Leave it out, or choose format='litert'."
        )
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "ONNX and LiteRT files are written by the TensorFlow backend. Received: "
            f"the backend '{keras.backend.backend()}'. Save the GAN as a .keras file, "
            "load it with KERAS_BACKEND=tensorflow and export it there."
        )
    if pathlib.Path(path).suffix != ENDINGS[format]:
        raise ValueError(
            f"Files of the format {format} end in {ENDINGS[format]}. Received: {path}."
        )
    files.check_name(path)
    files.check_free(path, overwrite)
    files.check_writable(path)
    if format == "onnx":
        for module in ("tf2onnx", "onnxruntime"):
            require(module, "onnx", "ONNX files")
    else:
        require("ai_edge_litert.interpreter", "litert", "LiteRT files")


def convert(
    gan: BaseGAN,
    path: Path,
    format: str,
    precision: str = "float32",
    overwrite: bool = False,
    direction: str | None = None,
) -> Converted:
    """Writes a generator as a file of another format, if that computes the same.

    It takes what `gan.inputs` names, `z` first, and gives samples under the name
    of their modality: of any number of rows, cut to their range. Translators
    translate by their moving statistics, without dropout.

    Args:
        gan: `BaseGAN`, on the TensorFlow backend.
        path: str or path, ending in ".onnx" or ".tflite".
        format: "onnx" or "litert".
        precision: "float32"; of LiteRT also "float16" and "int8", of its weights:
            it computes with floats still.
        overwrite: bool, whether a file there is replaced.
        direction: str, of a GAN that translates in several.

    Returns:
        `Converted`: its size, its speed and how far it is from Keras.

    Raises:
        ValueError: an argument is out of its range, the file exists, or what it
            computes differs from Keras: nothing is written then.
        ImportError: a package is not installed.

    Example:

    ```python
    from keras_gans.serving.converting import convert

    gan = keras_gans.DCGAN(image_shape=(16, 16, 1), width=4)
    print(convert(gan, "dcgan.onnx", "onnx"))
    ```
    """
    import tensorflow as tf

    check(path, format, precision, overwrite)
    network, specs, answer, name = _function(gan, direction)
    function = tf.function(lambda *x: {name: answer(*x)}, input_signature=specs)
    rows = _rows(gan, specs)
    with files.replacing(path) as temporary:
        if format == "onnx":
            run = _write_onnx(temporary, function, specs, name)
        else:
            run = _write_litert(temporary, network, function, specs, name, precision)
        converted = _compared(function, run, rows, name, temporary.stat().st_size)
        # Also NaN is no match.
        if not converted.relative <= TOLERANCES[precision]:
            raise ValueError(
                f"What the {format} file computes differs from Keras's samples, so it "
                f"is not kept. Received: a difference of {converted.relative:.3g} of "
                f"their spread, at most {converted.largest:.3g}; allowed for "
                f"{precision}: {TOLERANCES[precision]:g}. Take a higher `precision`, "
                "or a SavedModel."
            )
    return converted


# --- What is converted ---


def _function(gan, direction):
    """The network, its inputs, a function of them, and the name of its answer."""
    import tensorflow as tf

    if isinstance(gan, TranslatingGAN):
        direction = gan.directions[0] if direction is None else direction
        gan.check_direction(direction)
        network = gan.sampling_network(gan.translator(direction))
        spec = tf.TensorSpec(network.input_shape, tf.float32, name="source")

        def translate(x):
            return tf.cast(network(x, training=False), tf.float32)

        return network, [spec], translate, "images"
    if direction is not None:
        raise ValueError(
            f"{type(gan).__name__} does not translate. Received: "
            f"direction={direction!r}. Leave it out."
        )
    specs = [tf.TensorSpec([None, *i.shape], i.dtype, name=i.name) for i in gan.inputs]
    name = gan.modality.tensor_name
    return gan.sampling_network(), specs, samples_of(gan), name


def _rows(gan, specs):
    """What files are compared on: what `sample` draws, or noise."""
    indices = np.arange(ROWS)
    noise = np.random.default_rng(0)
    named = {one.name: one for one in gan.inputs}
    rows = {}
    for spec in specs:
        one = named.get(spec.name)
        if one is not None and not one.needed:
            rows[spec.name] = np.asarray(one.rows(0, indices, None))
        else:
            shape = [ROWS, *(side or OPEN_SIDE for side in spec.shape[1:])]
            rows[spec.name] = noise.uniform(-1, 1, shape).astype("float32")
    return rows


# --- Formats ---


def _write_onnx(path, function, specs, name):
    import onnxruntime
    import tf2onnx

    model, _ = tf2onnx.convert.from_function(function, specs, opset=OPSET)
    path.write_bytes(model.SerializeToString())
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return lambda rows: session.run([name], rows)[0]


def _write_litert(path, network, function, specs, name, precision):
    from ai_edge_litert.interpreter import Interpreter
    import tensorflow as tf

    archive = keras.export.ExportArchive()
    archive.track(network)
    archive.add_endpoint("serving_default", function, specs)
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=["serving_default"]
        )
        if precision != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if precision == "float16":
            converter.target_spec.supported_types = [tf.float16]
        model = converter.convert()
    path.write_bytes(model)
    run = Interpreter(model_content=model).get_signature_runner("serving_default")
    return lambda rows: run(**rows)[name]


# --- Comparing ---


def _compared(function, run, rows, name, size):
    first = {key: x[:1] for key, x in rows.items()}
    rest = {key: x[1:] for key, x in rows.items()}

    def by_keras(rows):
        return function(*rows.values())[name].numpy()

    wanted = np.concatenate([by_keras(first), by_keras(rest)])
    samples = np.concatenate([run(first), run(rest)])
    difference = samples.astype("float64") - wanted
    spread = float(np.sqrt(np.mean(np.square(wanted - wanted.mean()))))
    largest = float(np.abs(difference).max())
    relative = float(np.sqrt(np.mean(np.square(difference)))) / (spread or 1.0)
    return Converted(
        size, _seconds(run, first), _seconds(by_keras, first), largest, relative, ROWS
    )


def _seconds(run, rows, times=5):
    """The least time of some calls."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        run(rows)
        spent.append(time.perf_counter() - start)
    return min(spent)
