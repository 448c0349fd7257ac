"""Walks as files that play."""

import numpy as np

from keras_gans.core.gan import BaseGAN
from keras_gans.modalities import Image, Video, pictures


def film(
    gan: BaseGAN,
    frames: np.ndarray,
    rate: int = 20,
    side: int = 256,
    even: bool = False,
) -> tuple[Video, np.ndarray]:
    """Samples as the frames of a video.

    Transparency is laid on white, and small pictures are enlarged by a whole factor.

    Args:
        gan: `BaseGAN` of images.
        frames: array `[n, *gan.modality.shape]`, as of `keras_gans.latent.walk`.
        rate: int, frames a second.
        side: int, pixels that the shorter side of small pictures is enlarged to.
        even: bool, whether an odd side gets another row: MP4 has even ones.

    Returns:
        `(video, frames)`, for `video.write(path, frames)`.

    Raises:
        ValueError: samples are no images.

    Example:

    ```python
    from keras_gans.inference.latent.films import film

    gan = keras_gans.DCGAN(image_shape=(16, 16, 1), width=8)
    video, frames = film(gan, keras_gans.latent.walk(gan, [3, 8], frames=4))
    video.write("walk.gif", frames, overwrite=True)
    ```
    """
    check_images(gan)
    low, high = gan.modality.range
    frames = pictures.on_white((frames - low) * (2 / (high - low)) - 1)
    frames = pictures.enlarged(frames, side)
    if even:
        odd = [(0, side % 2) for side in frames.shape[1:3]]
        frames = np.pad(frames, [(0, 0), *odd, (0, 0)], mode="edge")
    return Video(None, frames.shape[1:], rate=rate), frames.astype("float32")


def check_images(gan: BaseGAN) -> None:
    """Refuses GANs whose samples make no film.

    Raises:
        ValueError: samples are no images of up to 4 channels.
    """
    if not isinstance(gan.modality, Image) or gan.modality.shape[-1] > 4:
        raise ValueError(
            "Walks show pictures. Received: samples that are "
            f"{gan.modality!r}. `keras_gans.latent.walk` gives their arrays."
        )
