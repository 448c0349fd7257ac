"""Class labels: how a conditional GAN reads, checks, draws and samples them."""

import keras
import numpy as np

from keras_gans.checks import check_labels
from keras_gans.checks import check_size
from keras_gans.checks import input_shape_of
from keras_gans.sampling import Condition
from keras_gans.sampling import check_count

MAX_COLUMNS = 16


class Labelled:
    """A GAN of images and class labels; mixed into `BaseGAN`.

    The generator takes `[z, label]`, labels int32 `[n]`. Fakes of a batch
    have the labels of its reals.
    """

    labelled = True

    @property
    def conditions(self):
        return (Condition("label", (), "int32", 0, self.num_classes - 1),)

    @property
    def grid_columns(self):
        return self.num_classes if self.num_classes <= MAX_COLUMNS else None

    def labels(self, batch):
        """The class labels of a batch: int32 `[n]`."""
        labels = keras.ops.reshape(batch[1], (-1,))
        return keras.ops.cast(labels, "int32")

    def generate(self, batch, training):
        z = self.draws.normal(
            keras.ops.shape(self.real(batch))[0], self.latent_dim
        )
        images = self.forward(self.generator, [z, self.labels(batch)], training)
        return keras.ops.cast(images, "float32")

    def check_every_batch(self, batch):
        """Checks the labels of a batch."""
        pair = isinstance(batch, (tuple, list)) and len(batch) > 1
        if not pair or batch[1] is None:
            raise ValueError(
                f"{type(self).__name__} trains on (images, labels). Received: "
                "images alone. Pass a data set of pairs, e.g. "
                "`keras_gans.data.load(..., labels=True)`, or "
                "`fit(images, labels)`."
            )
        check_labels(self.all_rows(batch[1]), self.num_classes)

    def sample(self, n, seed=0, labels=None):
        """Generates images of given classes.

        Row i is a function of `(seed, i)` and its label alone.

        Args:
            n: int, how many.
            seed: int in [0, 2**31).
            labels: ints in [0, num_classes): one for all, or `[n]`. By
                default row i is of class `i % num_classes`.

        Returns:
            float32 array `[n, height, width, channels]` in [-1, 1].

        Raises:
            ValueError: `n` or `seed` or a label is out of range, or there are
                not `n` labels.

        Example:

        ```python
        gan = keras_gans.ConditionalGAN((16, 16, 1), num_classes=3, width=4)
        images = gan.sample(6, labels=[0, 0, 1, 1, 2, 2])
        ```
        """
        return np.concatenate(list(self.sample_batches(n, seed, labels)))

    def sample_batches(self, n, seed=0, labels=None):
        """The images of `sample`, as an iterator of batches."""
        check_count(n)
        if labels is None:
            return self._batches(n, seed, lambda rows: [self._cycle(rows)])
        labels = check_labels(labels, self.num_classes, n)
        return self._batches(n, seed, lambda rows: [labels[rows % n]])

    def _cycle(self, rows):
        return (rows % self.num_classes).astype("int32")


def check_classes(num_classes):
    """Returns `num_classes`, an int of 2 or more.

    Raises:
        ValueError: it is something else, or was not given.
    """
    if num_classes is None:
        raise ValueError(
            "How many classes are there? Pass num_classes, e.g. "
            "num_classes=10. Received: num_classes=None."
        )
    check_size("num_classes", num_classes)
    if num_classes < 2:
        raise ValueError(
            "Labels need 2 classes or more. Received: num_classes="
            f"{num_classes}. Without labels, use DCGAN."
        )
    return int(num_classes)


def check_judges_labels(discriminator, packing):
    """Checks that a discriminator takes `[images, label]`.

    Raises:
        ValueError: it takes something else.
    """
    shapes = input_shape_of(discriminator)
    wanted = (None,) if packing == 1 else (None, packing)
    if shapes is None:  # a subclassed model does not tell
        return
    ok = isinstance(shapes, list) and len(shapes) == 2
    if not ok or tuple(shapes[1]) != wanted:
        raise ValueError(
            "The discriminator of a conditional GAN takes [images, label], "
            f"labels of shape {wanted}. Received: {discriminator.name} with "
            f"input shape {shapes}. See `keras_gans.models.conditional_gan."
            "conditional_discriminator`."
        )


def label_rows(labels, packing):
    """Labels as a packed discriminator takes them: `[n / m, m]`, or `[n]`."""
    if packing == 1:
        return labels
    return keras.ops.reshape(labels, (-1, packing))
