"""What tells how a layer convolves."""

from typing import NamedTuple


class Form(NamedTuple):
    """The attributes of a `Conv2D` that say how it convolves."""

    kernel_size: tuple[int, int]
    strides: tuple[int, int]
    padding: str
    data_format: str = "channels_last"
    dilation_rate: tuple[int, int] = (1, 1)
    groups: int = 1
