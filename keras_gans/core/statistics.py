"""Moving statistics as other frameworks keep them."""

from typing import TYPE_CHECKING

from keras_gans.engine import kernels

if TYPE_CHECKING:
    from keras_gans.core.gan import BaseGAN


def unbias_generators(gan: "BaseGAN") -> None:
    """Lets generators follow PyTorch's moving variance, n / (n - 1) of a batch's.

    Samples are drawn with it. The average of the generators does likewise.

    Args:
        gan: `BaseGAN`, whose generators have batch norm.
    """
    for name in gan.generator_names:
        kernels.unbias_moving_variance(gan.networks[name])
        if "ema" in gan.controllers:
            kernels.unbias_moving_variance(gan.controllers["ema"].networks[name])
