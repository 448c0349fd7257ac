"""Small SavedModels, and clients of a server in this process."""

import http.client
import json
import pathlib

import numpy as np
import tensorflow as tf

SIDE = 4


class Pictures(tf.Module):
    """Pictures of seeds: each pixel is a function of its row's seed alone."""

    def __init__(self, brightness=0.0):
        super().__init__()
        self.brightness = tf.Variable(brightness)
        self.seen = 0

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64, name="seed")])
    def from_seed(self, seed):
        pixels = tf.range(SIDE * SIDE * 3, dtype=tf.int64)
        mixed = (seed[:, None] * 7919 + pixels * 104729) % 256
        images = tf.reshape(tf.cast(mixed, tf.float32), (-1, SIDE, SIDE, 3))
        bytes_ = tf.io.encode_png(tf.cast(images, tf.uint8))
        return {"images": images / 127.5 - 1.0 + self.brightness, "image_bytes": bytes_}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, 2], tf.float32, name="z"),
            tf.TensorSpec([None], tf.int32, name="label"),
        ]
    )
    def generate(self, z, label):
        allowed = tf.debugging.assert_less(label, 10, message="label lies in [0, 9]")
        with tf.control_dependencies([allowed]):
            return {"images": z + tf.cast(label, tf.float32)[:, None]}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")])
    def brighten(self, image_bytes):
        def size(data):
            return tf.shape(tf.io.decode_image(data, 3, expand_animations=False))[:2]

        sizes = tf.map_fn(size, image_bytes, fn_output_signature=tf.int32)
        return {"size": tf.ensure_shape(sizes, (None, 2))}

    @tf.function(
        input_signature=[
            tf.TensorSpec([], tf.float32, name="t"),
            tf.TensorSpec([None], tf.string, name="name"),
        ]
    )
    def alone(self, t, name):
        return {"half": t / 2.0, "greeting": tf.strings.join(["hello ", name])}


def save(path, brightness=0.0):
    """Writes a SavedModel of `Pictures`."""
    module = Pictures(brightness)
    signatures = {
        "serving_default": module.from_seed,
        "generate": module.generate,
        "brighten": module.brighten,
        "alone": module.alone,
    }
    tf.saved_model.save(module, str(path), signatures=signatures)
    return pathlib.Path(path)


def images_of(seeds, brightness=0.0):
    """What `Pictures` makes of seeds, by NumPy."""
    seeds = np.asarray(seeds, "int64")
    pixels = np.arange(SIDE * SIDE * 3)
    mixed = (seeds[:, None] * 7919 + pixels * 104729) % 256
    images = mixed.astype("float32").reshape(-1, SIDE, SIDE, 3)
    return images / np.float32(127.5) - np.float32(1) + np.float32(brightness)


class Client:
    """An HTTP client of one server, that reads JSON."""

    def __init__(self, port, timeout=30):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def ask(self, method, path, body=None, headers=None):
        """Sends a request; returns its status and its body, read as JSON."""
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        try:
            reply = self._reply(method, path, body, headers or {})
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # A kept connection ends when nothing is asked for a while.
            self.connection.close()
            reply = self._reply(method, path, body, headers or {})
        text = reply.read()
        self.headers = reply.headers
        is_json = reply.headers.get_content_type() == "application/json"
        return reply.status, json.loads(text) if is_json else text

    def _reply(self, *request):
        self.connection.request(*request)
        return self.connection.getresponse()

    def predict(self, body, model="pictures", version=""):
        return self.ask("POST", f"/v1/models/{model}{version}:predict", body)

    def close(self):
        self.connection.close()
