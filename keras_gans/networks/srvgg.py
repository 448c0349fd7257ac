"""The small generator of Real-ESRGAN: a plain stack of convolutions."""

import keras
from keras import layers

from keras_gans.networks.building import builder
from keras_gans.networks.superresolution import (
    check_sizes,
    conv,
    enlarged,
    from_unit,
    prelu,
    shuffled,
    to_unit,
)
from keras_gans.utils.types import Shape
from keras_gans.utils.validation import one_of

ACTIVATIONS = {
    "prelu": prelu,
    "relu": lambda name: layers.ReLU(name=name),
    "leaky_relu": lambda name: layers.LeakyReLU(0.1, name=name),
}


@builder
def srvgg(
    image_shape: Shape = (None, None, 3),
    scale: int = 4,
    convs: int = 32,
    width: int = 64,
    activation: str = "prelu",
    name: str = "generator",
) -> keras.Model:
    """SRVGGNetCompact: convolutions at the small size, one sub-pixel layer.

    Args:
        image_shape: tuple (height, width, channels) of the small images. Height
            and width may be `None`: the network then takes images of any size.
        scale: int from 1 up. Of other than 1, 2 and 4 there are no files.
        convs: int, convolutions between the first and the last; 16 of
            realesr-animevideov3, 32 of realesr-general-x4v3.
        width: int, channels of each map.
        activation: "prelu", "relu" or "leaky_relu" (of slope 0.1).
        name: str.

    Returns:
        `keras.Model` from `[n, height, width, channels]` in [-1, 1] to float32
        images `[n, scale height, scale width, channels]`, of [-1, 1] but not
        bounded.

    Raises:
        ValueError: an argument is out of range.

    Example:

    ```python
    from keras_gans.networks.srvgg import srvgg

    generator = srvgg(scale=4, convs=2, width=8)
    generator(np.zeros((1, 12, 10, 3), "float32")).shape  # (1, 48, 40, 3)
    ```

    Reference:
        xinntao/Real-ESRGAN, SRVGGNetCompact
    """
    image_shape, channels = check_sizes(
        image_shape, None, convs=convs, width=width, scale=scale
    )
    one_of("activation", activation, tuple(ACTIVATIONS))
    source = keras.Input(image_shape, name="source")
    unit = x = to_unit(source)
    for i in range(convs + 1):
        x = ACTIVATIONS[activation](f"act_{i}")(conv(x, width, f"conv_{i}"))
    x = conv(x, channels * scale**2, "last")
    base = unit
    if scale > 1:
        x = shuffled(x, scale)
        base = enlarged(unit, scale, "nearest", "skip")
    x = layers.Add(name="skipped")([x, base])
    return keras.Model(source, from_unit(x), name=name)
