"""MoCoGAN's networks: frames of a content code and a path of motion codes."""

import keras
from keras import layers, ops

from keras_gans.networks.building import check_channels_last
from keras_gans.networks.dcgan import dcgan_generator, stages
from keras_gans.networks.normal import batch_norm, conv_init
from keras_gans.utils.types import Shape
from keras_gans.utils.validation import check_classes, check_shape, check_size

TIME_KERNEL = 4  # frames that a convolution in time sees


def mocogan_generator(
    frames: int = 16,
    frame_shape: Shape = (64, 64, 3),
    content_dim: int = 50,
    motion_dim: int = 10,
    width: int = 64,
    num_classes: int | None = None,
    name: str = "generator",
) -> keras.Model:
    """A gated recurrent unit makes the motion codes, DCGAN's generator the frames.

    Args:
        frames: int, the length of a video.
        frame_shape: tuple (height, width, channels), 16 pixels or more.
        content_dim: int, numbers of the content code, which all frames share.
        motion_dim: int, numbers of each frame's motion code.
        width: int, channels of the largest hidden map of frames.
        num_classes: int, or `None` without labels. A label joins the content as
            one-hot numbers.
        name: str.

    Returns:
        `keras.Model` from `[z, motion]`, or `[z, motion, label]`: content codes
        `[n, content_dim]` and draws `[n, frames + 1, motion_dim]`, the first for
        the recurrent state, the others for the frames; to videos
        `[n, frames, *frame_shape]` in [-1, 1].

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.networks.mocogan import mocogan_generator

    network = mocogan_generator(3, (16, 16, 1), 4, 2, width=2)
    network([np.zeros((1, 4)), np.zeros((1, 4, 2))]).shape  # (1, 3, 16, 16, 1)
    ```

    Reference:
        https://arxiv.org/abs/1707.04993, section 3
    """
    for key in ("frames", "content_dim", "motion_dim"):
        check_size(key, locals()[key])
    z = keras.Input((content_dim,), name="z")
    motion = keras.Input((frames + 1, motion_dim), name="motion")
    inputs, content = [z, motion], [z]
    if num_classes is not None:
        label = keras.Input((), dtype="int32", name="label")
        inputs.append(label)
        content.append(ops.one_hot(label, check_classes(num_classes)))
    first, draws = ops.split(motion, [1], axis=1)
    first = layers.Reshape((motion_dim,), name="first_state")(first)
    # Reset after the product, as PyTorch's cell.
    gru = layers.GRU(
        motion_dim, return_sequences=True, reset_after=True, name="motion_codes"
    )
    codes = gru(draws, initial_state=first)
    shared = [layers.RepeatVector(frames)(part) for part in content]
    code = layers.Concatenate(name="codes")([*shared, codes])
    size = code.shape[-1]
    picture = dcgan_generator(frame_shape, size, width, name="frame")
    x = picture(ops.reshape(code, (-1, size)))
    videos = ops.reshape(x, (-1, frames, *frame_shape))
    return keras.Model(inputs, videos, name=name)


def video_discriminator(
    frames: int = 16,
    frame_shape: Shape = (64, 64, 3),
    width: int = 64,
    num_classes: int | None = None,
    name: str = "video_discriminator",
) -> keras.Model:
    """Convolutions in space and time, to a logit and perhaps logits of classes.

    Each sees four frames. Those in space are of stride 2 until the shorter side is
    4 to 7 pixels; then one sees all that is left of space.

    Args:
        frames: int, the length of a video: `least_frames(frame_shape)` or more.
        frame_shape: tuple (height, width, channels), 16 pixels or more.
        width: int, channels of the first map; they double.
        num_classes: int, or `None`: whether it also says which class it sees.
        name: str.

    Returns:
        `keras.Model` from videos `[n, frames, *frame_shape]` to logits `[n, k]`,
        one for each of the k stretches of frames that it sees; with classes, to
        those and logits `[n, num_classes]`.

    Raises:
        ValueError: videos are too short or too small.

    Example:

    ```python
    from keras_gans.networks.mocogan import video_discriminator

    video_discriminator(10, (16, 16, 1), width=2).output_shape  # (None, 1)
    ```

    Reference:
        https://arxiv.org/abs/1707.04993, section 3
    """
    check_channels_last()
    check_size("frames", frames)
    least = least_frames(frame_shape)
    if frames < least:
        raise ValueError(
            f"Discriminators of videos of {frame_shape[0]} x {frame_shape[1]} pixels "
            f"see {least} frames or more. Received: frames={frames}. Take longer "
            "videos or smaller frames."
        )
    _, channels = stages(frame_shape, width)
    videos = keras.Input((frames, *frame_shape), name="videos")
    x = videos
    for i, filters in enumerate(channels):
        # As many pixels before the first as after the last.
        x = layers.ZeroPadding3D((0, 1, 1), name=f"pad_{i}")(x)
        x = layers.Conv3D(
            filters,
            TIME_KERNEL,
            (1, 2, 2),
            use_bias=False,
            kernel_initializer=conv_init(),
            name=f"down_{i}",
        )(x)
        if i:
            x = batch_norm(f"norm_{i}")(x)
        x = layers.LeakyReLU(0.2, name=f"relu_{i}")(x)
    outputs = 1 if num_classes is None else 1 + check_classes(num_classes)
    x = layers.Conv3D(
        outputs,
        (TIME_KERNEL, *x.shape[2:4]),
        use_bias=False,
        kernel_initializer=conv_init(),
        name="score",
    )(x)
    x = layers.Reshape((-1, outputs), dtype="float32")(x)
    if num_classes is None:
        return keras.Model(videos, layers.Flatten(dtype="float32")(x), name=name)
    logit, classes = ops.split(x, [1], axis=-1)
    logit = layers.Flatten(dtype="float32", name="logits")(logit)
    pool = layers.GlobalAveragePooling1D(dtype="float32", name="classes")
    return keras.Model(videos, [logit, pool(classes)], name=name)


def least_frames(frame_shape: Shape) -> int:
    """The frames that `video_discriminator` needs: 16 at 64 pixels, 13 at 32.

    Raises:
        ValueError: `frame_shape` is no (height, width, channels) from 16 up.
    """
    _, channels = stages(check_shape(frame_shape), 1)
    return 1 + (TIME_KERNEL - 1) * (len(channels) + 1)
