"""What an application makes of one image file, beside `gan.translate`."""

from collections.abc import Callable
import os
import pathlib
from typing import NamedTuple

import numpy as np


class Work(NamedTuple):
    """How pictures are translated.

    Attributes:
        takes: int, channels that the pictures are read with.
        makes: int, channels of what is made.
        make: function of float pixels `[height, width, takes]` in [-1, 1] and
            the place of the file, a path without an extension, that gives
            `[height, width, makes]`.
    """

    takes: int
    makes: int
    make: Callable


def translation(gan, direction, evaluation, seed):
    """The work of `Pix2Pix` or `CycleGAN` alone."""
    shapes = [gan.source_shape, gan.image_shape]
    (*_, takes), (*_, makes) = shapes if direction == "ab" else shapes[::-1]

    def make(pixels, place):
        return gan._translate(pixels[None], direction, seed, evaluation)[0]

    return Work(takes, makes, make)


def colorization(application, gan, evaluation, seed, size):
    """The work of `applications.Colorization`: see its `apply`."""
    if size is None:  # what it was trained on, where that is one size
        size = gan.image_shape[0] and min(gan.image_shape[:2])

    def make(pixels, place):
        return application.apply(
            gan, pixels[None], size=size, evaluation=evaluation, seed=seed
        )[0]

    return Work(3, 3, make)


def inpainting(application, gan, evaluation, seed, masks):
    """The work of `applications.Inpainting`, with a folder of masks.

    Raises:
        ValueError: there is no such folder.
    """
    if masks is None or not os.path.isdir(masks):
        raise ValueError(
            "Inpainting takes a folder of masks (`masks`, --masks), pictures "
            "that are white in the hole and black elsewhere, of the names of "
            f"the pictures. Received: masks={masks!r}."
        )
    channels = gan.image_shape[-1]

    def make(pixels, place):
        mask = _mask(pathlib.Path(masks) / place)
        return application.apply(
            gan,
            pixels[None],
            mask[None],
            evaluation=evaluation,
            seed=seed,
        )[0]

    return Work(channels, channels, make)


def _mask(place):
    """The mask beside a picture's place: bool `[height, width, 1]`."""
    from keras_gans.data.decoding import EXTENSIONS
    from keras_gans.data.decoding import read_image

    found = [
        path
        for extension in EXTENSIONS
        if (path := place.with_name(place.name + extension)).is_file()
    ]
    if len(found) != 1:
        raise ValueError(
            f"A picture has one mask. Received: {len(found)} files "
            f"{place}.*; expected one ending in {', '.join(EXTENSIONS)}."
        )
    return np.asarray(read_image(str(found[0]), 1)) > 0
