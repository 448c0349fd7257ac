"""3D-GAN's networks and those after it: convolutions of voxels."""

import math
from typing import NamedTuple

import keras
from keras import layers, ops

from keras_gans.networks.building import check_channels_last
from keras_gans.networks.normal import batch_norm, conv_init
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import (
    check_classes,
    check_shape,
    check_size,
    is_int,
    one_of,
)


class Form(NamedTuple):
    """What differs between the published networks.

    Attributes:
        size: int, voxels of a side, as published.
        width: int, channels of the largest hidden map, as published.
        base: int, voxels of a side of the smallest map; `None` for a 16th of the
            size.
        biased: bool, whether convolutions have biases.
        projected: str, what follows the generator's first layer: "norm", that
            has no bias then, "bias", or "bias and norm".
        normed: bool, whether the discriminator has batch norms.
        scored: bool, whether its last layer has a bias.
        ending: str, the generator's last activation.
    """

    size: int
    width: int
    base: int | None
    biased: bool
    projected: str
    normed: bool
    scored: bool
    ending: str

    @property
    def range(self) -> tuple[float, float]:
        """(empty, solid), the values of voxels."""
        return (0.0, 1.0) if self.ending == "sigmoid" else (-1.0, 1.0)


FORMS = {
    # 3D-GAN, section 3.1. A transposed convolution of one voxel is a product.
    "paper": Form(64, 64, 4, False, "norm", True, False, "sigmoid"),
    # 3D-GAN as black0017/3D-GAN-pytorch has it: four layers at any size.
    "dense": Form(64, 64, None, False, "bias", True, True, "sigmoid"),
    # 3D-IWGAN: no batch norm where gradients are penalized.
    "iwgan32": Form(32, 32, 2, True, "bias and norm", False, True, "tanh"),
}


def stages(form: str, size: int, width: int) -> tuple[int, list[int]]:
    """The smallest map's side, and the channels of each from the largest on.

    Raises:
        ValueError: the form has no networks of that size.
    """
    check_size("width", width)
    base = FORMS[one_of("form", form, tuple(FORMS))].base
    ok = is_int(size) and size > 0
    if base is None:
        ok, base, doublings = ok and size % 16 == 0, size // 16 if ok else 0, 4
        wanted = "a multiple of 16, such as 16, 32, 48 or 64"
    else:
        ratio = size // base if ok else 0
        ok = ok and ratio > 1 and size == base * ratio and not ratio & (ratio - 1)
        doublings = ratio.bit_length() - 1
        wanted = f"a power of 2 from {2 * base} on, such as 16, 32 or 64"
    if not ok:
        raise ValueError(
            f"`size` of the networks {form!r} is {wanted}. Received: size={size!r}. "
            "Resample the volumes to such a size."
        )
    return base, [width << i for i in range(doublings)]


def voxel_generator(
    form: str = "paper",
    size: int = 64,
    channels: int = 1,
    latent_dim: int = 200,
    width: int = 64,
    *,
    num_classes: int | None = None,
    name: str = "generator",
) -> keras.Model:
    """A generator of volumes: transposed convolutions of 4 voxels, stride 2.

    Args:
        form: "paper" (3D-GAN), "iwgan32" (3D-IWGAN), or "dense" (3D-GAN as
            black0017/3D-GAN-pytorch has it).
        size: int, voxels of a side: a power of 2 from 8 on ("iwgan32": 4), or
            any multiple of 16 where the form is "dense".
        channels: int, values of a voxel.
        latent_dim: int.
        width: int, channels of the largest hidden map; they double downwards.
        num_classes: int, or `None` without labels. A label joins the latent
            code as one-hot numbers.
        name: str.

    Returns:
        `keras.Model` from `[n, latent_dim]`, or `[z, label]`, to volumes
        `[n, size, size, size, channels]`: in [0, 1], or of "iwgan32" in [-1, 1].

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.networks.voxels import voxel_generator

    voxel_generator(size=8, width=4)(np.zeros((2, 200))).shape  # (2, 8, 8, 8, 1)
    ```

    Reference:
        https://arxiv.org/abs/1610.07584, section 3.1; "iwgan32":
        https://arxiv.org/abs/1707.09557
    """
    for key, value in (("channels", channels), ("latent_dim", latent_dim)):
        check_size(key, value)
    stages(form, size, width)
    z = keras.Input((latent_dim,), name="z")
    inputs, code = z, z
    if num_classes is not None:
        label = keras.Input((), dtype="int32", name="label")
        inputs = [z, label]
        classes = ops.one_hot(label, check_classes(num_classes))
        code = layers.Concatenate(name="code")([z, classes])
    return keras.Model(inputs, up_blocks(code, form, size, channels, width), name=name)


def up_blocks(code: Tensor, form: str, size: int, channels: int, width: int) -> Tensor:
    """The generator's layers: volumes of a code `[n, d]`."""
    check_channels_last()
    kind = FORMS[form]
    base, widths = stages(form, size, width)
    x = layers.Dense(
        base**3 * widths[-1],
        use_bias="bias" in kind.projected,
        kernel_initializer=conv_init(),
        name="project",
    )(code)
    x = layers.Reshape((base, base, base, widths[-1]), name="reshape")(x)
    if "norm" in kind.projected:
        x = layers.ReLU(name="relu_0")(batch_norm("norm_0")(x))
    for i, filters in enumerate([*widths[-2::-1], channels], start=1):
        x = layers.Conv3DTranspose(
            filters,
            4,
            2,
            padding="same",
            use_bias=kind.biased,
            kernel_initializer=conv_init(),
            name=f"up_{i}",
        )(x)
        if i < len(widths):
            x = layers.ReLU(name=f"relu_{i}")(batch_norm(f"norm_{i}")(x))
    return layers.Activation(kind.ending, dtype="float32", name="volumes")(x)


def voxel_discriminator(
    form: str = "paper",
    size: int = 64,
    channels: int = 1,
    width: int = 64,
    *,
    norm: bool | None = None,
    num_classes: int | None = None,
    name: str = "discriminator",
) -> keras.Model:
    """A discriminator of volumes: convolutions of 4 voxels, stride 2.

    Args:
        form: see `voxel_generator`.
        size: int, see `voxel_generator`.
        channels: int, values of a voxel.
        width: int, channels of the first map; they double downwards.
        norm: bool, whether there are batch norms, which each layer but the last
            then has. By default as published: "iwgan32" has none. A penalty on
            gradients wants none.
        num_classes: int, or `None` without labels. The logit is then that of
            the volume plus the inner product of its features with a learned
            vector of the class.
        name: str.

    Returns:
        `keras.Model` from volumes, and int32 labels `[n]` where there are
        classes, to logits `[n, 1]`, before the papers' sigmoid.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.networks.voxels import voxel_discriminator

    discriminator = voxel_discriminator("iwgan32", size=8, width=4)
    discriminator(np.zeros((2, 8, 8, 8, 1))).shape  # (2, 1)
    ```

    Reference:
        https://arxiv.org/abs/1610.07584, section 3.1; "iwgan32":
        https://arxiv.org/abs/1707.09557; labels:
        https://arxiv.org/abs/1802.05637, equation 3
    """
    check_channels_last()
    check_size("channels", channels)
    _, widths = stages(form, size, width)
    kind = FORMS[form]
    norm = kind.normed if norm is None else norm
    volumes = keras.Input((size, size, size, channels), name="volumes")
    inputs, x = volumes, volumes
    for i, filters in enumerate(widths):
        x = layers.Conv3D(
            filters,
            4,
            2,
            padding="same",
            use_bias=kind.biased or not norm,
            kernel_initializer=conv_init(),
            name=f"down_{i}",
        )(x)
        if norm:
            x = batch_norm(f"norm_{i}")(x)
        x = layers.LeakyReLU(0.2, name=f"lrelu_{i}")(x)
    logits = layers.Dense(
        1,
        use_bias=kind.scored,
        kernel_initializer=conv_init(),
        dtype="float32",
        name="output",
    )(layers.Flatten(name="features")(x))
    if num_classes is not None:
        label = keras.Input((), dtype="int32", name="label")
        inputs = [volumes, label]
        embed = layers.Embedding(
            check_classes(num_classes), widths[-1], dtype="float32", name="embed"
        )
        h = ops.sum(ops.cast(x, "float32"), axis=(1, 2, 3))
        # The norm of the inner product does not grow with the map.
        h = h / math.sqrt(math.prod(x.shape[1:4]))
        inner = ops.sum(embed(label) * h, axis=-1, keepdims=True)
        logits = layers.Add(dtype="float32", name="projected")([logits, inner])
    return keras.Model(inputs, logits, name=name)


def image_encoder(
    image_shape: tuple[int, int, int] = (32, 32, 1),
    latent_dim: int = 200,
    width: int = 32,
    name: str = "encoder",
) -> keras.Model:
    """An encoder of pictures: convolutions of 5 pixels, stride 2.

    Args:
        image_shape: tuple (height, width, channels), 8 pixels or more.
        latent_dim: int.
        width: int, channels of the first map; they double downwards, to 16 times.
        name: str.

    Returns:
        `keras.Model` from pictures to `[mean, log deviation]` of latent codes,
        each `[n, latent_dim]`, the second in [-1, 1].

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.networks.voxels import image_encoder

    mean, spread = image_encoder((16, 16, 1), 8, 4)(np.zeros((2, 16, 16, 1)))
    mean.shape  # (2, 8)
    ```

    Reference:
        https://arxiv.org/abs/1707.09557, section 4.2
    """
    check_channels_last()
    side = min(check_shape(image_shape)[:2])
    for key, value in (("latent_dim", latent_dim), ("width", width)):
        check_size(key, value)
    if side < 8:
        raise ValueError(
            "Pictures have 8 x 8 pixels or more. Received: image_shape="
            f"{tuple(image_shape)}. Enlarge them."
        )
    x = images = keras.Input(tuple(image_shape), name="images")
    for i in range(int(math.log2(side / 4))):
        filters = width * min(2**i, 16)
        conv = layers.Conv2D(filters, 5, 2, padding="same", name=f"down_{i}")
        x = layers.LeakyReLU(0.2, name=f"lrelu_{i}")(conv(x))
    x = layers.Flatten(name="features")(x)
    mean = layers.Dense(latent_dim, dtype="float32", name="mean")(x)
    spread = layers.Dense(
        latent_dim, activation="tanh", dtype="float32", name="log_deviation"
    )(x)
    return keras.Model(images, [mean, spread], name=name)


def image_to_volume(
    form: str = "iwgan32",
    size: int = 32,
    channels: int = 1,
    image_shape: tuple[int, int, int] = (32, 32, 1),
    latent_dim: int = 200,
    width: int = 32,
    encoder_width: int = 32,
    name: str = "generator",
) -> keras.Model:
    """A generator of volumes behind an encoder of pictures.

    Args:
        form: see `voxel_generator`.
        size: int, see `voxel_generator`.
        channels: int, values of a voxel.
        image_shape: see `image_encoder`.
        latent_dim: int.
        width: int, see `voxel_generator`.
        encoder_width: int, `width` of `image_encoder`.
        name: str.

    Returns:
        `keras.Model` from pictures to volumes, with the parts "encoder" and
        "decoder": volumes are those of the codes' means.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.networks.voxels import image_to_volume

    network = image_to_volume(
        size=8, image_shape=(16, 16, 1), latent_dim=8, width=2, encoder_width=2
    )
    network(np.zeros((2, 16, 16, 1))).shape  # (2, 8, 8, 8, 1)
    ```

    Reference:
        https://arxiv.org/abs/1707.09557, section 4.2
    """
    decoder = voxel_generator(form, size, channels, latent_dim, width, name="decoder")
    encoder = image_encoder(image_shape, latent_dim, encoder_width)
    images = keras.Input(tuple(image_shape), name="images")
    mean, _ = encoder(images)
    return keras.Model(images, decoder(mean), name=name)
