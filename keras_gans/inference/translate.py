"""Image files translated into image files."""

import glob
import os
import pathlib
from typing import NamedTuple

import keras
import numpy as np

from keras_gans import applications
from keras_gans.applications.batches import Work
from keras_gans.core.gan import BaseGAN
from keras_gans.core.translation import TranslatingGAN
from keras_gans.inference.loading import load_model
from keras_gans.modalities import pictures
from keras_gans.models.pix2pix import Pix2Pix
from keras_gans.networks.padding import multiple_of
from keras_gans.utils import files
from keras_gans.utils.types import Path, Size
from keras_gans.utils.validation import check_seed, is_int, within

# The residual generator at its full width takes 1.1 kB of memory a pixel, the
# U-Net half of it: 4.5 GiB.
MAX_PIXELS = 2**22
CHANNELS = {1: "grey", 2: "grey and alpha", 3: "RGB", 4: "RGBA"}
ON_WHITE = "transparency laid on white"
CUT_DEPTH = "16 bits a channel written as 8"


class Report(NamedTuple):
    """What came of `translate_files`.

    Attributes:
        written: list of the paths written.
        failed: dict of the path of each file that was not translated to why.
        notes: dict of what was changed on the way to how many files had it.
    """

    written: list
    failed: dict
    notes: dict


def translate_files(
    model: keras.Model | Path,
    inputs: list[Path],
    out: Path,
    *,
    direction: str = "ab",
    evaluation: bool = False,
    seed: int = 0,
    size: Size | None = None,
    masks: Path | None = None,
    max_pixels: int = MAX_PIXELS,
    overwrite: bool = False,
    verbose: int = 1,
) -> Report:
    """Translates image files into PNG files of the same size.

    PNG, JPEG, WebP and BMP files are read, of 8 and 16 bits, turned upright.
    Their channels become those of the model where nothing is lost by it: grey
    to colour, and colour to grey where all of it is grey. Transparency is laid
    on white where the model takes none, which the report notes. A model of one
    channel makes 16-bit files of 16-bit files.

    A file that cannot be translated is reported, and the others still are.
    Each result is a function of its file and the seed alone.

    Args:
        model: `Pix2Pix`, `CycleGAN`, or a `keras.Model` from images to images
            of their size; or the path of a run directory or a `.keras` file of
            one of these.
        inputs: paths of files and of folders, which are searched with their
            subfolders, and patterns such as "photos/*.jpg", in a list.
        out: str or path of the folder to write to. What was found in a folder
            keeps its place below it.
        direction: "ab", or "ba" of a CycleGAN.
        evaluation: bool, see `translate` of the model.
        seed: int in [0, 2**31), of dropout.
        size: of a run of colourisation, what its network sees of a picture:
            the int pixels of the shorter side, or (height, width); by default
            what it was trained on. Results have the size of the files.
        masks: of a run of inpainting, the path of a folder with a mask for
            each picture, of its name and place: white is the hole.
        max_pixels: int, pixels of an image, padded as the model needs it.
            Larger ones are refused: memory grows with them.
        overwrite: bool, whether `out` may hold files already; those of the
            same names are replaced.
        verbose: 1 for a progress bar, 0 for none.

    Returns:
        `Report`.

    Raises:
        ValueError: an argument is unusable, no model or no pictures are found,
            two of them would become one file, or `out` is taken.

    Example:

    ```python
    from keras_gans.inference.translate import translate_files

    black = -np.ones((9, 7, 3))
    keras_gans.modalities.pictures.save_image("in.png", black, overwrite=True)
    gan = keras_gans.Pix2Pix((32, 32, 3), width=2)
    report = translate_files(gan, ["in.png"], "translated", overwrite=True)
    report.written  # translated/in.png, 7 x 9 pixels
    ```
    """
    check_seed(seed)
    ok = is_int(max_pixels) and max_pixels > 0
    within("max_pixels", max_pixels, ok, "1, 2, ...")
    out = pathlib.Path(out)
    if out.exists() and not out.is_dir():
        raise ValueError(f"`out` is a folder. Received: the file {out}.")
    files.check_free(out, overwrite)
    targets = _targets(inputs, out)
    gan = open_translator(model)
    gan.check_direction(direction)
    work = _work(model, gan, direction, evaluation, seed, size, masks)
    for what, count in (("takes", work.takes), ("makes", work.makes)):
        if count not in CHANNELS:
            raise ValueError(
                f"Image files hold 1 to 4 channels. Received: a model that "
                f"{what} {count}. Call `translate` on arrays, in Python."
            )
    multiple = multiple_of(gan.networks[gan.translator(direction)])
    report = Report([], {}, {})
    bar = keras.utils.Progbar(len(targets), verbose=verbose, unit_name="image")
    for source, target in targets.items():
        try:
            read = _read(source, work.takes, max_pixels, multiple)
            pixels, deep, notes = read
            made = work.make(pixels, target.relative_to(out).with_suffix(""))
            if not np.isfinite(made).all():
                raise ValueError("The model makes NaN or infinity of it.")
        except Exception as error:
            if not _is_of_the_file(error):
                raise
            report.failed[source] = str(error)
        else:
            if deep and work.makes != 1:
                notes = [*notes, CUT_DEPTH]
            deep = deep and work.makes == 1
            pictures.save_image(target, made, deep, overwrite)
            report.written.append(str(target))
            for note in notes:
                report.notes[note] = report.notes.get(note, 0) + 1
        bar.add(1)
    return report


# --- Models ---


def _work(model, gan, direction, evaluation, seed, size, masks):
    """How each picture is translated: by the model's application, if any."""
    made = None
    if not isinstance(model, keras.Model):
        made = _application(os.fspath(model))
    given = {"size": size, "masks": masks}
    given = {name: v for name, v in given.items() if v is not None}
    applications.check_file_options(made, given, model)
    if made is not None:
        return made.on_files(gan, evaluation, seed, **given)
    shapes = [gan.source_shape, gan.image_shape]
    (*_, takes), (*_, makes) = shapes if direction == "ab" else shapes[::-1]

    def make(pixels, place):
        return gan._translate(pixels[None], direction, seed, evaluation)[0]

    return Work(takes, makes, make)


def _application(path):
    from keras_gans.training import datasets, recipes, runs

    if not runs.is_run(path):
        return None
    config = runs.read_config(path)
    return datasets.application(recipes.get(config["recipe"]), config)


def open_translator(model: keras.Model | Path) -> TranslatingGAN:
    """The GAN that translates, of a model or of where one is kept.

    Args:
        model: see `translate_files`.

    Returns:
        A `Pix2Pix` or `CycleGAN`. A network alone becomes the generator of a
        `Pix2Pix`.

    Raises:
        ValueError: there is none, naming what there is instead.
    """
    name = "the model"
    if not isinstance(model, keras.Model):
        name = os.fspath(model)
        model = _open(name)
    if isinstance(model, TranslatingGAN):
        return model
    if isinstance(model, BaseGAN):
        raise ValueError(
            f"Images are translated by Pix2Pix and CycleGAN. Received: {name}, "
            f"a {type(model).__name__}, which makes images of a seed."
        )
    try:
        _check_translates(model)
        # Its discriminator is not used: the least one there is.
        return Pix2Pix(generator=model, width=1, n_layers=1)
    except ValueError as error:
        raise ValueError(
            f"Received: {name}, which holds no network from images to images. {error}"
        ) from error


def _open(path):
    from keras_gans.training import runs

    if runs.is_run(path):
        return runs.open_run(path)[0]
    if os.path.isdir(path):
        raise ValueError(
            "A model is a run directory or a .keras file. Received: the folder "
            f"{path}, which is no run of `keras-gans train`."
        )
    return load_model(path)


def _check_translates(network):
    """Refuses what has images for input, but not for output."""
    shape = getattr(network, "input_shape", None)
    ok = isinstance(shape, tuple) and len(shape) == 4
    made = None
    if ok:
        sides = [side or 64 for side in shape[1:3]]
        images = keras.KerasTensor((1, *sides, shape[-1]))
        made = tuple(network.compute_output_spec(images).shape)
        ok = made[:3] == (1, *sides) and "logits" not in network.output_names
    if not ok:
        raise ValueError(
            f"It is {network.name!r}, a {type(network).__name__} from "
            f"{shape} to {made or getattr(network, 'output_shape', 'unknown')}."
        )


# --- Files ---


def _targets(inputs, out):
    """Each file to translate, and the file to write: a dict of paths."""
    if isinstance(inputs, (str, os.PathLike)):
        inputs = [inputs]
    targets, taken = {}, {}
    below = os.path.realpath(out) + os.sep
    for given in map(os.fspath, inputs):
        for source, relative in _found(given):
            target = out / pathlib.Path(relative).with_suffix(".png")
            real = os.path.realpath(source)
            if real.startswith(below):
                raise ValueError(
                    "Results are not written among the pictures that they are "
                    f"made of. Received: {source}, below out={out}. Choose "
                    "another folder."
                )
            other = taken.get(target, real)
            if other != real:
                raise ValueError(
                    f"Two pictures would become {target}. Received: {other} "
                    f"and {real}. Rename one, or translate them into different "
                    "folders."
                )
            if target not in taken:
                targets[source] = target
                taken[target] = real
    return targets


def _found(given):
    """Pairs of a file and its place below the folder that was searched."""
    from keras_gans.data.decoding import EXTENSIONS, _walk

    if os.path.isfile(given):
        return [(given, os.path.basename(given))]
    root = given
    if os.path.isdir(given):
        paths = [entry.path for entry in _walk(given, set())]
    elif glob.has_magic(given):
        fixed = given
        while glob.has_magic(fixed):
            fixed = os.path.dirname(fixed)
        root = fixed or "."
        paths = filter(os.path.isfile, glob.glob(given, recursive=True))
    else:
        raise ValueError(f"No such file or folder. Received: {given}.")
    paths = [p for p in paths if p.lower().endswith(EXTENSIONS)]
    if not paths:
        raise ValueError(
            f"No pictures there. Received: {given}. Expected files ending in "
            f"{', '.join(EXTENSIONS)}."
        )
    return [(path, os.path.relpath(path, root)) for path in sorted(paths)]


def _read(path, channels, max_pixels, multiple):
    """`(pixels, deep, notes)` of a file, with the channels of the model."""
    from keras_gans.modalities.image_files import FORMATS, read_image

    # The header alone, before the file is believed.
    head = _header(path, FORMATS)
    _check_size(head.size, max_pixels, multiple, os.path.getsize(path))
    notes = [ON_WHITE] if head.alpha and channels in (1, 3) else []
    if head.grey or channels >= 3:
        return read_image(path, channels), head.deep, notes
    # Colours for a model of grey: only if there are none in fact.
    pixels = read_image(path, channels + 2)
    if (pixels[..., :1] != pixels[..., 1:3]).any():
        raise ValueError(
            f"It is {CHANNELS[4 if head.alpha else 3]}, and the model takes "
            f"{channels} channels ({CHANNELS[channels]}): its colours would be "
            "lost. Convert it to grey first, or take a model of 3 channels."
        )
    kept = [0] if channels == 1 else [0, 3]
    return pixels[..., kept], head.deep, notes


class _Header(NamedTuple):
    """What a file says of its picture: width and height, and what kind."""

    size: tuple
    grey: bool
    alpha: bool
    deep: bool


def _header(path, formats):
    from PIL import Image

    from keras_gans.modalities.image_files import PNG_SIGNATURE

    # Decoders meet damaged bytes with exceptions of every kind.
    try:
        with open(path, "rb") as file:
            start = file.read(26)
            with Image.open(file, formats=formats) as image:
                return _Header(
                    image.size,
                    image.mode[0] in "1LI",
                    bool(image.has_transparency_data),
                    start.startswith(PNG_SIGNATURE) and start[24] == 16,
                )
    except Exception as error:
        raise ValueError(
            f"It is no picture that can be read: {type(error).__name__}: {error}"
        ) from error


def _check_size(size, max_pixels, multiple, file_size):
    width, height = (-(-side // multiple) * multiple for side in size)
    if width * height > max_pixels:
        padded = f", padded to {width} x {height}" if multiple > 1 else ""
        raise ValueError(
            f"It has {size[0]} x {size[1]} pixels{padded}, more than the limit "
            f"of {max_pixels}, which keeps memory in bounds. Make it smaller, "
            "or raise the limit (`max_pixels`, `--max_pixels`)."
        )
    most = 16 * max_pixels + 2**24
    if file_size > most:
        raise ValueError(
            f"The file has {file_size} bytes, more than a picture of "
            f"{max_pixels} pixels needs."
        )


def _is_of_the_file(error):
    """Whether an error is that of one picture, not of the program."""
    if isinstance(error, (ValueError, MemoryError)):
        return True
    text = f"{type(error).__name__} {error}"
    return "ResourceExhausted" in text or "RESOURCE_EXHAUSTED" in text
