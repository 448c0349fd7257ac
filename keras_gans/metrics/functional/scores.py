"""Scores of fakes through a classifier: of its logits, or of its success."""

import itertools
from typing import NamedTuple

import keras
import numpy as np

from keras_gans.metrics.functional.moments import as_features
from keras_gans.utils.validation import check_seed, check_size


class InceptionScore(NamedTuple):
    """Mean and standard deviation of the score over the splits."""

    mean: float
    std: float


def inception_score(logits: np.ndarray, splits: int = 10) -> InceptionScore:
    """How sure a classifier is of each fake, and how varied over all.

    exp E_x KL(p(y|x) || p(y)), with p(y|x) the softmax of the logits and p(y)
    its mean over a split, in float64. From 1 to the number of classes; higher
    is better. Reals have no part in it.

    Args:
        logits: array `[n, classes]` of finite numbers, a row a fake. The 2015
            Inception graph has 1,008.
        splits: int, 1 to n. Split i holds rows i n // splits up to
            (i + 1) n // splits, in the given order: shuffle rows beforehand
            where they are sorted.

    Returns:
        Named tuple `(mean, std)` of the splits' scores, the standard deviation
        of these values themselves (`ddof=0`).

    Raises:
        ValueError: another shape, more splits than rows, or values that are not
            finite.

    Example:

    ```python
    logits = np.random.default_rng(0).normal(size=(100, 10))
    mean, std = keras_gans.metrics.inception_score(logits, splits=5)
    ```

    Reference:
        https://arxiv.org/abs/1606.03498, section 4.
    """
    check_size("splits", splits)
    logits = as_features(logits, "logits", at_least=splits)
    ends = [i * len(logits) // splits for i in range(splits + 1)]
    scores = [
        _score(logits[start:end].astype(np.float64))
        for start, end in itertools.pairwise(ends)
    ]
    return InceptionScore(float(np.mean(scores)), float(np.std(scores)))


def _score(logits):
    log_p = logits - logits.max(axis=1, keepdims=True)
    log_p -= np.log(np.exp(log_p).sum(axis=1, keepdims=True))
    p = np.exp(log_p)
    marginal = p.mean(axis=0)
    # A class that underflows to 0 in every row adds nothing.
    log_marginal = np.log(np.where(marginal > 0, marginal, 1.0))
    return np.exp((p * (log_p - log_marginal)).sum(axis=1).mean())


def classification_accuracy_score(
    real: tuple[np.ndarray, np.ndarray],
    fake: tuple[np.ndarray, np.ndarray],
    classifier: keras.Model | None = None,
    epochs: int = 10,
    batch_size: int = 128,
    seed: int = 0,
) -> float:
    """Accuracy, on reals, of a classifier that was trained on fakes alone.

    It is high where the fakes of each class are true to it and as varied as its
    reals. In [0, 1]; compare it with the accuracy that the same classifier gets
    from real training images.

    Images of both are standardised by the mean and deviation of the fakes, so
    any range of values serves, the same one for both.

    Args:
        real: Tuple `(images, labels)` of test data: `[n, height, width,
            channels]`, and ints `[n]` from 0 on.
        fake: Tuple `(images, labels)` of generated training data, likewise,
            with the labels that the generator was given.
        classifier: Function of `(image_shape, num_classes)` that gives a
            compiled Keras model: images to scores `[n, num_classes]`, of which
            the highest wins, trained with int labels. By default a small
            convolutional network with Adam, its weights drawn from `seed`.
        epochs: int, over the fakes.
        batch_size: int.
        seed: int in [0, 2**31), of the order of the fakes in each epoch.

    Returns:
        float in [0, 1].

    Raises:
        ValueError: images and labels do not fit each other, those of `real` do
            not fit those of `fake`, or the classifier is not compiled or gives
            another shape.

    Example:

    ```python
    labels = np.arange(64) % 2
    images = np.ones((64, 8, 8, 1)) * (2 * labels[:, None, None, None] - 1)
    accuracy = keras_gans.metrics.classification_accuracy_score(
        (images, labels), (images, labels), epochs=2, batch_size=32
    )
    ```

    Reference:
        https://arxiv.org/abs/1905.10887, section 3.
    """
    check_size("epochs", epochs)
    check_size("batch_size", batch_size)
    check_seed(seed)
    real_images, real_labels = _labelled_images(real, "real")
    images, labels = _labelled_images(fake, "fake")
    _check_alike(real_images, images)
    num_classes = int(max(real_labels.max(), labels.max())) + 1
    if classifier is None:
        model = _small_classifier(images.shape[1:], num_classes, seed)
    else:
        model = classifier(images.shape[1:], num_classes)
    _check_classifier(model)
    mean = np.mean(images, dtype="float64")
    deviation = np.std(images, dtype="float64")
    images, real_images = (
        ((x - mean) / (deviation or 1.0)).astype("float32")
        for x in (images, real_images)
    )
    random = np.random.RandomState(seed)
    for _ in range(epochs):
        # Keras's own shuffling would draw from the training's global state.
        order = random.permutation(len(images))
        model.fit(
            images[order],
            labels[order],
            batch_size=batch_size,
            shuffle=False,
            verbose=0,
        )
    scores = np.asarray(model.predict(real_images, batch_size=batch_size, verbose=0))
    if scores.shape != (len(real_images), num_classes):
        raise ValueError(
            f"The classifier must give scores ({len(real_images)}, "
            f"{num_classes}), a row an image. Received: {scores.shape}."
        )
    return float(np.mean(scores.argmax(axis=1) == real_labels))


def _small_classifier(image_shape, num_classes, seed):
    """Three convolutions and a mean, for images of 8 to 64 pixels or so."""

    def drawn(i):
        return keras.initializers.HeNormal(seed=seed + i)

    x = inputs = keras.Input(image_shape)
    for i, width in enumerate((32, 64, 128)):
        x = keras.layers.Conv2D(
            width, 3, padding="same", activation="relu", kernel_initializer=drawn(i)
        )(x)
        if i < 2:
            x = keras.layers.MaxPooling2D(2, padding="same")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dense(num_classes, kernel_initializer=drawn(3), dtype="float32")(x)
    model = keras.Model(inputs, x)
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


def _check_classifier(model):
    if not isinstance(model, keras.Model) or not model.compiled:
        raise ValueError(
            "`classifier(image_shape, num_classes)` must give a compiled "
            f"keras.Model. Received: {model!r}. Call its `compile` with an "
            "optimizer and a loss of int labels, e.g. "
            "keras.losses.SparseCategoricalCrossentropy(from_logits=True)."
        )


def _labelled_images(pair, name):
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise ValueError(
            f"`{name}` must be a tuple (images, labels). Received: "
            f"{type(pair).__name__}."
        )
    images, labels = np.asarray(pair[0]), np.asarray(pair[1])
    if images.ndim != 4 or images.size == 0 or images.dtype.kind not in "fiu":
        raise ValueError(
            f"`{name}` must hold images [n, height, width, channels] of "
            f"numbers. Received: shape {images.shape}, dtype {images.dtype}."
        )
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu":
        raise ValueError(
            f"`{name}` must hold a label for each image, ints of shape "
            f"({len(images)},). Received: shape {labels.shape}, dtype "
            f"{labels.dtype}. Use `labels.argmax(-1)` where they are one-hot."
        )
    if labels.min() < 0:
        raise ValueError(
            f"The labels of `{name}` must be 0 or more. Received: "
            f"{labels.min()}. Number the classes from 0."
        )
    if not np.isfinite(images).all():
        finite = np.isfinite(images).all(axis=(1, 2, 3))
        raise ValueError(
            f"The images of `{name}` must be finite. Received: NaN or "
            f"infinity, first in image {int(finite.argmin())}."
        )
    return images, labels


def _check_alike(real, fake):
    if real.shape[1:] != fake.shape[1:]:
        raise ValueError(
            "Images of `real` and `fake` must have the same shape. Received: "
            f"{real.shape[1:]} and {fake.shape[1:]}."
        )
    if (real.dtype.kind == "f") != (fake.dtype.kind == "f"):
        raise ValueError(
            "Images of `real` and `fake` must have the same range of values. "
            f"Received: {real.dtype} and {fake.dtype}. Scale one as the other, "
            "e.g. images / 127.5 - 1."
        )
