"""A pool of past fakes, which discriminators learn from."""

from typing import TYPE_CHECKING

import keras
from keras import ops

from keras_gans.core.controllers import Controller
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size

if TYPE_CHECKING:
    from keras_gans.core.gan import BaseGAN


@keras.saving.register_keras_serializable("keras_gans")
class ImagePool(Controller):
    """Keeps past fakes and gives some of them back in place of new ones.

    It fills up first. From then on each new image is, with probability 0.5,
    exchanged for one that is drawn from the pool, and else handed through.
    The rows of a batch come one after the other, as if it had been several
    batches of one. The images are weights: they are saved with the model.

    Args:
        size: int, how many images it holds.
        image_shape: tuple (height, width, channels), or the shape of any
            other sample.
        name: str.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    pool = keras_gans.core.pool.ImagePool(2, (4, 4, 1))
    first, second = np.zeros((2, 4, 4, 1)), np.ones((1, 4, 4, 1))
    pool(first, np.zeros((2, 2)))  # fills: gives `first`
    pool(second, np.zeros((1, 2)))  # gives the first image it holds
    ```

    Reference:
        https://arxiv.org/abs/1703.10593, section 4;
        https://arxiv.org/abs/1612.07828, section 2.3
    """

    def __init__(
        self, size: int, image_shape: tuple[int, ...], name: str | None = None
    ):
        super().__init__(name=name)
        self.size = check_size("size", size)
        self.image_shape = tuple(image_shape)
        self.images = self.add_state("images", 0.0, (size, *image_shape))
        self.filled = self.add_state("filled", 0, dtype="int32")

    def update(self, gan: "BaseGAN", logs: dict, rows: Tensor) -> None:
        """Nothing: losses exchange images while they are computed."""

    def call(self, images: Tensor, uniform: Tensor) -> Tensor:
        """Stores some of `images`; returns as many, old and new ones.

        Args:
            images: float tensor `[n, *image_shape]`.
            uniform: float tensor `[n, 2]` in [0, 1], of U(0, 1): whether to
                exchange, and for which.
        """
        uniform = ops.convert_to_tensor(uniform)
        row = ops.arange(ops.shape(images)[0], dtype="int32")
        place = self.filled.value + row  # while it fills
        fills = place < self.size
        drawn = ops.cast(ops.floor(uniform[:, 1] * self.size), "int32")
        drawn = ops.minimum(drawn, self.size - 1)  # the draw may round to 1
        place = ops.where(fills, place, drawn)
        stores = ops.logical_or(fills, uniform[:, 0] < 0.5)
        # What a place holds when row i comes: what the last row before it
        # that stored there has left, or what it held before the batch.
        earlier = row[None] < row[:, None]
        holder = _last(stores[None] & earlier & (place[None] == place[:, None]))
        old_images = _chosen(holder, images, ops.take(self.images.value, place, axis=0))
        exchanged = ops.logical_and(stores, ops.logical_not(fills))
        batch = ops.where(_beside(exchanged, images), old_images, images)

        places = ops.arange(self.size, dtype="int32")
        holder = _last(stores[None] & (place[None] == places[:, None]))
        self.images.assign(_chosen(holder, images, self.images.value))
        filled = self.filled.value + ops.cast(ops.sum(fills), "int32")
        self.filled.assign(filled)
        return batch

    def compute_output_shape(
        self, images_shape: tuple, uniform_shape: tuple | None = None
    ) -> tuple:
        return images_shape


def _last(chosen):
    """The last True of each row of `[m, n]`: int32 `[m]`, -1 without one."""
    column = ops.arange(ops.shape(chosen)[1], dtype="int32")
    return ops.max(ops.where(chosen, column[None], -1), axis=1)


def _chosen(index, images, others):
    """`images[index]`, and where the index is -1, the row of `others`."""
    taken = ops.take(images, ops.maximum(index, 0), axis=0)
    return ops.where(_beside(index >= 0, taken), taken, others)


def _beside(rows, samples):
    """A value a row, with as many axes as samples have."""
    return ops.reshape(rows, (-1, *[1] * (len(samples.shape) - 1)))
