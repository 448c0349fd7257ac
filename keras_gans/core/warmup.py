"""Requests that TF Serving warms a model up with, before it answers others.

A file of TFRecords, each a `tensorflow.serving.PredictionLog`. The few fields
that matter are written here, so that no package of TF Serving is needed.

Reference:
    https://www.tensorflow.org/tfx/serving/saved_model_warmup
"""

import pathlib

import numpy as np

# Below the directory of a SavedModel.
FILE = pathlib.Path("assets.extra", "tf_serving_warmup_requests")

# Fields of tensorflow_serving/apis: prediction_log.proto, predict.proto, model.proto
PREDICT_LOG, REQUEST = 6, 1
MODEL_SPEC, INPUTS = 1, 2
SIGNATURE_NAME = 3
KEY, VALUE = 1, 2


def write(directory: pathlib.Path, requests: dict[str, dict[str, np.ndarray]]) -> None:
    """Writes a request for each signature into a SavedModel.

    Args:
        directory: path of the SavedModel.
        requests: dict of a signature's name to its inputs by name.
    """
    import tensorflow as tf

    path = directory / FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests.items():
            writer.write(_prediction_log(signature, inputs))


def _prediction_log(signature, inputs):
    import tensorflow as tf

    request = _field(MODEL_SPEC, _field(SIGNATURE_NAME, signature.encode()))
    for name, value in inputs.items():
        tensor = tf.make_tensor_proto(value).SerializeToString()
        entry = _field(KEY, name.encode()) + _field(VALUE, tensor)
        request += _field(INPUTS, entry)
    return _field(PREDICT_LOG, _field(REQUEST, request))


def _field(number, data):
    """A field of bytes, as protocol buffers have it: tag, length, bytes."""
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value):
    """Seven bits a byte, the lowest first; the top bit says that more come."""
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
