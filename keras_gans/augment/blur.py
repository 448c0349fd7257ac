"""A Gaussian blur whose strength may change from step to step."""

import math

from keras import ops

from keras_gans.utils.types import Tensor

REACH = 3  # deviations of the Gaussian that are taken


def blurred(images: Tensor, sigma: Tensor | float, most: float) -> Tensor:
    """Images smoothed by a Gaussian filter; what lies beyond the edge is 0.

    Along each axis it is a product with a matrix of g(i - j), g(x) proportional
    to exp(-x^2 / (2 sigma^2)) and of sum 1 over the filter.

    Args:
        images: float tensor `[n, height, width, channels]`.
        sigma: float or scalar tensor of 0 (none) or more, in pixels.
        most: float, the largest `sigma` that there will be.

    Returns:
        tensor of the same shape.

    Example:

    ```python
    from keras_gans.augment.blur import blurred

    blurred(np.ones((2, 8, 8, 3), "float32"), 1.5, most=10.0).shape  # (2, 8, 8, 3)
    ```

    Reference:
        https://arxiv.org/abs/2106.12423, appendix F
    """
    sigma = ops.maximum(ops.cast(sigma, "float32"), 1e-3)

    def weights(x):
        return ops.exp(-ops.square(x / sigma) / 2)

    reach = math.ceil(REACH * most)
    total = ops.sum(weights(ops.arange(-reach, reach + 1, dtype="float32")))
    images = ops.cast(images, "float32")
    _, height, width, _ = images.shape
    for side, product in ((height, "ij,njwc->niwc"), (width, "ij,nhjc->nhic")):
        place = ops.arange(side, dtype="float32")
        matrix = weights(place[:, None] - place) / total
        images = ops.einsum(product, matrix, images)
    return images
