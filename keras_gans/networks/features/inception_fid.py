"""The Inception network of the Frechet inception distance, of 2015.

The graph "inception-2015-12-05" that published FID, KID and inception scores
are made with. It is not Keras's `InceptionV3`: it resizes images itself, pads
and pools differently, and has 1008 outputs.

No weights come with this package. `convert.from_state(convert.read(path))`
reads the published files of them for PyTorch, which have the same content:

- pt_inception-2015-12-05-6726825d.pth, of mseitzer/pytorch-fid
- weights-inception-2015-12-05-6726825d.pth, of toshas/torch-fidelity
"""

import keras
from keras import layers, ops

from keras_gans.networks.features.taps import FLOAT32, check_taps, he_normal, tapped
from keras_gans.utils.validation import check_size

SIZE = 299
CLASSES = 1008
TAPS = ("64", "192", "768", "2048", "logits_unbiased", "logits")


def inception_fid(taps="2048", name="inception_fid"):
    """The Inception graph of FID, with weights drawn at random.

    Its quirks, all of which change scores: images are resized to 299 x 299
    pixels bilinearly as TensorFlow 1 did, and scaled by (x - 128) / 128; the
    average pools of the mixed blocks do not count padding; the pool of the
    last block takes maxima.

    Args:
        taps: str or sequence of str, what it gives. "64", "192", "768" and
            "2048" are maps averaged over their pixels: after the first and the
            second pool, and after the blocks 6e and 7c. "logits" are those of
            1008 classes; "logits_unbiased", which the inception score takes,
            lack the bias.
        name: str.

    Returns:
        `keras.Model`, not trainable, from images `[n, height, width, 3]` of
        any size, uint8 or floats in 0..255, to float32 `[n, 2048]` or what
        `taps` names; for a sequence a dict of name to tensor.

    Raises:
        ValueError: a tap is unknown or comes twice, or there is none.

    Example:

    ```python
    from keras_gans.networks.features.inception_fid import inception_fid

    network = inception_fid("64")
    images = np.zeros((2, 32, 48, 3), "uint8")
    network(images).shape  # (2, 64)
    ```

    Reference:
        https://arxiv.org/abs/1512.00567 (Inception v3),
        https://arxiv.org/abs/1706.08500 (FID)
    """
    check_taps(name, taps, TAPS)
    images = keras.Input((None, None, 3), name="images", **FLOAT32)
    x = ResizeTF1(SIZE, name="resize", **FLOAT32)(images)
    x = layers.Rescaling(1 / 128, offset=-1, name="rescale", **FLOAT32)(x)
    x = _conv(x, "Conv2d_1a_3x3", 32, 3, halves=True)
    x = _conv(x, "Conv2d_2a_3x3", 32, 3, padding="valid")
    x = _conv(x, "Conv2d_2b_3x3", 64, 3)
    first = x = _halved(x, "MaxPool_1")
    x = _conv(x, "Conv2d_3b_1x1", 80, 1)
    x = _conv(x, "Conv2d_4a_3x3", 192, 3, padding="valid")
    second = x = _halved(x, "MaxPool_2")
    for letter, pooled in (("b", 32), ("c", 64), ("d", 64)):
        x = _mixed_5(x, f"Mixed_5{letter}", pooled)
    x = _mixed_6a(x, "Mixed_6a")
    for letter, width in (("b", 128), ("c", 160), ("d", 160), ("e", 192)):
        x = _mixed_6(x, f"Mixed_6{letter}", width)
    third = x
    x = _mixed_7a(x, "Mixed_7a")
    x = _mixed_7(x, "Mixed_7b", layers.AveragePooling2D)
    x = _mixed_7(x, "Mixed_7c", layers.MaxPooling2D)
    features = _mean(x, "2048")
    unbiased = layers.Dense(
        CLASSES,
        use_bias=False,
        kernel_initializer=he_normal(2048),
        name="fc",
        **FLOAT32,
    )(features)
    outputs = {
        "64": _mean(first, "64"),
        "192": _mean(second, "192"),
        "768": _mean(third, "768"),
        "2048": features,
        "logits_unbiased": unbiased,
        "logits": Bias(name="fc_bias", **FLOAT32)(unbiased),
    }
    return tapped(images, outputs, taps, name)


# --- Layers that Keras lacks ---


@keras.saving.register_keras_serializable("keras_gans")
class ResizeTF1(layers.Layer):
    """Resizes as TensorFlow 1's `resize_bilinear` did by default.

    Pixel i of `size` is read at i * (input size / size): the grids' corners
    meet, not their centres. Nothing is smoothed where the image shrinks.

    Args:
        size: int, height and width of the result.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `[n, height, width, channels]`.

    Output shape:
        `[n, size, size, channels]`.
    """

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = check_size("size", size)

    def call(self, inputs):
        return self._resized(self._resized(inputs, axis=2), axis=1)

    def _resized(self, x, axis):
        pixels = ops.shape(x)[axis]
        scale = ops.cast(pixels, "float32") / self.size
        position = ops.arange(self.size, dtype="float32") * scale
        before = ops.floor(position)
        shape = [1, 1, 1, 1]
        shape[axis] = self.size
        share = ops.cast(ops.reshape(position - before, shape), self.compute_dtype)
        before = ops.cast(before, "int32")
        after = ops.minimum(before + 1, pixels - 1)
        left = ops.take(x, before, axis=axis)
        return left + (ops.take(x, after, axis=axis) - left) * share

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.size, self.size, input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "size": self.size}


@keras.saving.register_keras_serializable("keras_gans", "FeatureBias")
class Bias(layers.Layer):
    """Adds a learned vector to the last axis."""

    def build(self, input_shape):
        self.bias = self.add_weight(
            shape=(input_shape[-1],), initializer="zeros", name="bias"
        )

    def call(self, inputs):
        return inputs + self.bias

    def compute_output_shape(self, input_shape):
        return input_shape


# --- Parts; layers have the names of the graph, which weights go by ---


def _conv(x, name, filters, size, halves=False, padding="same"):
    """Convolution, batch norm, ReLU; one that halves pads nothing."""
    height, width = (size, size) if isinstance(size, int) else size
    x = layers.Conv2D(
        filters,
        (height, width),
        strides=2 if halves else 1,
        padding="valid" if halves else padding,
        use_bias=False,
        kernel_initializer=he_normal(height * width * x.shape[-1]),
        name=f"{name}.conv",
        **FLOAT32,
    )(x)
    x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}.bn", **FLOAT32)(x)
    return layers.ReLU(name=f"{name}.relu", **FLOAT32)(x)


def _halved(x, name):
    return layers.MaxPooling2D(3, strides=2, name=name, **FLOAT32)(x)


def _mean(x, name):
    return layers.GlobalAveragePooling2D(name=f"mean_{name}", **FLOAT32)(x)


def _joined(branches, name):
    return layers.Concatenate(name=name, **FLOAT32)(branches)


def _pooled(x, name, filters, pool=layers.AveragePooling2D):
    """3 x 3 pool, of which Keras counts no padding, and a convolution."""
    x = pool(3, strides=1, padding="same", name=f"{name}.pool", **FLOAT32)(x)
    return _conv(x, f"{name}.branch_pool", filters, 1)


def _mixed_5(x, name, pooled):
    a = _conv(x, f"{name}.branch1x1", 64, 1)
    b = _conv(x, f"{name}.branch5x5_1", 48, 1)
    b = _conv(b, f"{name}.branch5x5_2", 64, 5)
    c = _conv(x, f"{name}.branch3x3dbl_1", 64, 1)
    c = _conv(c, f"{name}.branch3x3dbl_2", 96, 3)
    c = _conv(c, f"{name}.branch3x3dbl_3", 96, 3)
    return _joined([a, b, c, _pooled(x, name, pooled)], name)


def _mixed_6a(x, name):
    a = _conv(x, f"{name}.branch3x3", 384, 3, halves=True)
    b = _conv(x, f"{name}.branch3x3dbl_1", 64, 1)
    b = _conv(b, f"{name}.branch3x3dbl_2", 96, 3)
    b = _conv(b, f"{name}.branch3x3dbl_3", 96, 3, halves=True)
    return _joined([a, b, _halved(x, f"{name}.pool")], name)


def _mixed_6(x, name, width):
    a = _conv(x, f"{name}.branch1x1", 192, 1)
    b = _conv(x, f"{name}.branch7x7_1", width, 1)
    b = _conv(b, f"{name}.branch7x7_2", width, (1, 7))
    b = _conv(b, f"{name}.branch7x7_3", 192, (7, 1))
    c = _conv(x, f"{name}.branch7x7dbl_1", width, 1)
    c = _conv(c, f"{name}.branch7x7dbl_2", width, (7, 1))
    c = _conv(c, f"{name}.branch7x7dbl_3", width, (1, 7))
    c = _conv(c, f"{name}.branch7x7dbl_4", width, (7, 1))
    c = _conv(c, f"{name}.branch7x7dbl_5", 192, (1, 7))
    return _joined([a, b, c, _pooled(x, name, 192)], name)


def _mixed_7a(x, name):
    a = _conv(x, f"{name}.branch3x3_1", 192, 1)
    a = _conv(a, f"{name}.branch3x3_2", 320, 3, halves=True)
    b = _conv(x, f"{name}.branch7x7x3_1", 192, 1)
    b = _conv(b, f"{name}.branch7x7x3_2", 192, (1, 7))
    b = _conv(b, f"{name}.branch7x7x3_3", 192, (7, 1))
    b = _conv(b, f"{name}.branch7x7x3_4", 192, 3, halves=True)
    return _joined([a, b, _halved(x, f"{name}.pool")], name)


def _mixed_7(x, name, pool):
    a = _conv(x, f"{name}.branch1x1", 320, 1)
    b = _conv(x, f"{name}.branch3x3_1", 384, 1)
    c = _conv(x, f"{name}.branch3x3dbl_1", 448, 1)
    c = _conv(c, f"{name}.branch3x3dbl_2", 384, 3)
    split = [
        _conv(b, f"{name}.branch3x3_2a", 384, (1, 3)),
        _conv(b, f"{name}.branch3x3_2b", 384, (3, 1)),
        _conv(c, f"{name}.branch3x3dbl_3a", 384, (1, 3)),
        _conv(c, f"{name}.branch3x3dbl_3b", 384, (3, 1)),
    ]
    return _joined([a, *split, _pooled(x, name, 192, pool)], name)
