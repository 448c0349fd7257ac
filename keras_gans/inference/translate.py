"""Image files translated into image files."""

import errno
import glob
import itertools
import os
import pathlib
from typing import NamedTuple

import keras
import numpy as np

from keras_gans import applications
from keras_gans.applications.batches import Work
from keras_gans.core.gan import BaseGAN
from keras_gans.core.translation import TranslatingGAN
from keras_gans.inference.opening import load
from keras_gans.modalities import pictures
from keras_gans.models.pix2pix import Pix2Pix
from keras_gans.networks.padding import multiple_of
from keras_gans.utils import files
from keras_gans.utils.progress import progress_bar
from keras_gans.utils.types import Path, Size
from keras_gans.utils.validation import check_seed, is_int, within

# The residual generator at its full width takes 1.1 kB of memory a pixel, the
# U-Net half of it: 4.5 GiB.
MAX_PIXELS = 2**22
CHANNELS = {1: "grey", 2: "grey and alpha", 3: "RGB", 4: "RGBA"}
ON_WHITE = "transparency laid on white"
FIRST_OF_SEVERAL = "the first picture of several taken"
NUMBERED = "numbered, as another picture has the name"
CUT_DEPTH = "16 bits a channel written as 8"

# A full disk and the like are not the fault of one file.
OF_ONE_FILE = (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOENT, errno.EACCES)


class Report(NamedTuple):
    """What came of `translate_files`.

    Attributes:
        written: list of the paths written.
        failed: dict of the path of each file that was not translated to why.
        notes: dict of what was changed on the way to how many files had it.
        mode: str, how batch norm and dropout worked, and why so.
    """

    written: list
    failed: dict
    notes: dict
    mode: str = ""


def translate_files(
    model: keras.Model | Path,
    inputs: list[Path],
    out: Path,
    *,
    direction: str = "ab",
    evaluation: bool | None = None,
    seed: int = 0,
    size: Size | None = None,
    masks: Path | None = None,
    max_pixels: int = MAX_PIXELS,
    overwrite: bool = False,
    verbose: int = 1,
) -> Report:
    """Translates image files into PNG files of the same size.

    All files that `keras_gans.data.load` reads are, of 8 and 16 bits, turned
    upright; of an animation the first picture.
    Their channels become those of the model where nothing is lost by it: grey
    to colour, and colour to grey where all of it is grey. Transparency is laid
    on white where the model takes none, which the report notes. A model of one
    channel makes 16-bit files of 16-bit files.

    A file that cannot be translated is reported, and the others still are.
    Of files that would get one name, those after the first get a number, as in
    "a-2.png", which the report notes. Each result is a function of its file
    and the seed alone.

    Args:
        model: `Pix2Pix`, `CycleGAN`, or a `keras.Model` from images to images
            of their size; or the path of a run directory, a preset or a `.keras`
            file of one of these.
        inputs: paths of files and of folders, which are searched with their
            subfolders, and patterns such as "photos/*.jpg", in a list.
        out: str or path of the folder to write to. What was found in a folder
            keeps its place below it.
        direction: "ab", or "ba" of a CycleGAN.
        evaluation: bool, see `translate` of the model; by default what suits
            how it was trained.
        seed: int in [0, 2**31), of dropout.
        size: of a run of colourisation or inpainting, what its network sees
            of a picture: the int pixels of the shorter side, or (height,
            width); by default what it was trained on. Results have the size of
            the files.
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
        ValueError: an argument is unusable, no model or no pictures at all are
            found, or `out` is taken.

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
    files.check_free(out, overwrite, files.FOLDER)
    report = Report([], {}, {})
    targets = targets_of(inputs, out, report)
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
    report = report._replace(mode=gan.mode(evaluation))
    bar = progress_bar(len(targets), verbose, "image")
    for source, (place, target) in targets.items():
        try:
            read = _read(source, work.takes, max_pixels, multiple)
            pixels, deep, notes = read
            translated = work.make(pixels, place)
            if not np.isfinite(translated).all():
                raise ValueError("The model makes NaN or infinity of it.")
            if deep and work.makes != 1:
                notes = [*notes, CUT_DEPTH]
            deep = deep and work.makes == 1
            pictures.save_image(target, translated, deep, overwrite)
        except Exception as error:
            if not is_of_the_file(error):
                raise
            report.failed[source] = str(error)
        else:
            if target.stem != place.name:
                notes = [*notes, NUMBERED]
            report.written.append(str(target))
            for note in notes:
                report.notes[note] = report.notes.get(note, 0) + 1
        bar.add(1)
    return report


# --- Models ---


def _work(model, gan, direction, evaluation, seed, size, masks):
    """How each picture is translated: by the model's application, if any."""
    application = None
    if not isinstance(model, keras.Model):
        application, trained = _application(os.fspath(model), gan)
        size = trained if size is None else size
    options = {"size": size, "masks": masks}
    options = {name: v for name, v in options.items() if v is not None}
    applications.check_file_options(application, options, model)
    if application is not None:
        return application.on_files(gan, evaluation, seed, **options)
    shapes = [gan.source_shape, gan.image_shape]
    (*_, takes), (*_, makes) = shapes if direction == "ab" else shapes[::-1]

    def make(pixels, place):
        return gan._translate(pixels[None], direction, seed, evaluation)[0]

    return Work(takes, makes, make)


def _application(path, gan):
    """The application of a run or preset, and the size that it saw pictures at."""
    from keras_gans.inference.opening import recipe_of
    from keras_gans.training import datasets, recipes

    config = recipe_of(path)
    if config is None:
        return None, None
    application = datasets.application(recipes.get(config["recipe"]), config)
    return application, application and datasets.seen_size(config, gan)


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
        model = load(name)
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


def _check_translates(network):
    """Refuses what has images for input, but not for output."""
    shape = getattr(network, "input_shape", None)
    ok = isinstance(shape, tuple) and len(shape) == 4
    output_shape = None
    if ok:
        sides = [side or 64 for side in shape[1:3]]
        images = keras.KerasTensor((1, *sides, shape[-1]))
        output_shape = tuple(network.compute_output_spec(images).shape)
        names = getattr(network, "output_names", ())  # a Sequential has none
        ok = output_shape[:3] == (1, *sides) and "logits" not in names
    if not ok:
        raise ValueError(
            f"It is {network.name!r}, a {type(network).__name__} from "
            f"{shape} to {output_shape or getattr(network, 'output_shape', 'unknown')}."
        )


# --- Files ---


def targets_of(
    inputs: Path | list[Path], out: pathlib.Path, report: Report
) -> dict[str, tuple[pathlib.Path, pathlib.Path]]:
    """Each file to work on, by its path: (its place, the file to write).

    Inputs without a picture go to the report's failures.
    """
    if isinstance(inputs, (str, os.PathLike)):
        inputs = [inputs]
    sources = {}  # each file once, whatever leads to it: path and place
    for pattern in map(os.fspath, inputs):
        try:
            for source, place in _search(pattern):
                sources.setdefault(os.path.realpath(source), (source, place))
        except ValueError as error:
            report.failed[pattern] = str(error)
    if not sources:
        raise ValueError("\n".join(report.failed.values()) or "No pictures given.")
    below = os.path.realpath(out) + os.sep
    targets, taken = {}, set()
    for real, (source, place) in sources.items():
        if real.startswith(below):
            raise ValueError(
                "Results are not written among the pictures that they are "
                f"made of. Received: {source}, below out={out}. Choose "
                "another folder."
            )
        place = pathlib.Path(place).with_suffix("")
        target = _free(out / place, {*taken, *sources})
        taken.add(os.path.realpath(target))
        targets[source] = place, target
    return targets


def _free(path, taken):
    """`path` as a PNG file, with a number where that is taken."""
    for i in itertools.count(1):
        number = f"-{i}" if i > 1 else ""
        target = path.with_name(f"{path.name}{number}.png")
        if os.path.realpath(target) not in taken:
            return target


def _search(pattern):
    """Pairs of a file and its place below the folder that was searched."""
    from keras_gans.data.places import walk
    from keras_gans.modalities.image_files import EXTENSIONS

    if os.path.isfile(pattern):
        return [(pattern, os.path.basename(pattern))]
    root = pattern
    if os.path.isdir(pattern):
        paths = [entry.path for entry in walk(pattern)]
    elif glob.has_magic(pattern):
        fixed = pattern
        while glob.has_magic(fixed):
            fixed = os.path.dirname(fixed)
        root = fixed or "."
        paths = filter(os.path.isfile, glob.glob(pattern, recursive=True))
    else:
        raise ValueError(f"No such file or folder. Received: {pattern}.")
    paths = [p for p in paths if p.lower().endswith(EXTENSIONS)]
    if not paths:
        raise ValueError(
            f"No pictures there. Received: {pattern}. Expected files ending in "
            f"{', '.join(EXTENSIONS)}."
        )
    return [(path, _below(path, root)) for path in sorted(paths)]


def _below(path, root):
    """The place of a file in a folder; of one beside it, where they part."""
    parts = pathlib.Path(os.path.relpath(path, root)).parts
    return os.path.join(*(part for part in parts if part != os.pardir))


def _read(path, channels, max_pixels, multiple):
    """`(pixels, deep, notes)` of a file, with the channels of the model."""
    from keras_gans.modalities.image_files import read_head, read_image

    # The header alone, before the file is believed.
    head = read_head(path)
    _check_size(head.size[::-1], max_pixels, multiple, os.path.getsize(path))
    notes = [ON_WHITE] if head.alpha and channels in (1, 3) else []
    notes += [FIRST_OF_SEVERAL] if head.animated else []
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


def _check_size(size, max_pixels, multiple, file_size):
    width, height = (-(-side // multiple) * multiple for side in size)
    if width * height > max_pixels:
        padded = f", padded to {width} x {height}" if multiple > 1 else ""
        raise ValueError(
            f"It has {size[0]} x {size[1]} pixels{padded}, more than the limit "
            f"of {max_pixels}, which keeps memory in bounds. Make it smaller, "
            "or raise the limit, `max_pixels`."
        )
    most = 16 * max_pixels + 2**24
    if file_size > most:
        raise ValueError(
            f"The file has {file_size} bytes, more than a picture of "
            f"{max_pixels} pixels needs."
        )


def is_of_the_file(error: Exception) -> bool:
    """Whether an error is that of one picture, not of the program."""
    if isinstance(error, OSError):
        return error.errno in OF_ONE_FILE
    if isinstance(error, (ValueError, MemoryError)):
        return True
    text = f"{type(error).__name__} {error}"
    return "ResourceExhausted" in text or "RESOURCE_EXHAUSTED" in text
