"""The data that a run trains on, from where it stopped."""

import json
import pathlib
import shlex
from typing import Any
import warnings

import numpy as np

from keras_gans import applications
from keras_gans.core import serialization
from keras_gans.core.gan import BaseGAN
from keras_gans.core.recipe import Recipe
from keras_gans.modalities import pictures
from keras_gans.modalities.image import Image, jitter_margin
from keras_gans.training import tasks
from keras_gans.training.kinds import KINDS
from keras_gans.utils import errors, files
from keras_gans.utils.types import Path

LABELLED = "labelled images"
TABLES = "tables"
# What makes more of few data in training, turned off: scores are of the data alone.
AS_IT_IS = {"flip": False, "speed": 0.0, "rotate": False, "jitter": 0}
REALS = 64  # pictures of the data in one of its own
FEW = 16  # samples of other kinds
# Beside a SavedModel's own files; loaders leave the directory alone.
NAMES_FILE = "assets.extra/class_names.json"


def application(recipe: Recipe, config: dict):
    """The application that a run trains for, or `None`."""
    if recipe.task not in applications.APPLICATIONS:
        return None
    names = applications.argument_names(recipe.task)
    return applications.get(recipe.task, **{n: config[n] for n in names})


def seen_size(config: dict, gan: BaseGAN) -> int:
    """The pixels of a picture's shorter side, as a run sees or crops it."""
    size = gan.image_shape[:2]
    margins = jitter_margin(config["jitter"], size)
    return min(side + margin for side, margin in zip(size, margins, strict=True))


def with_classes(recipe: Recipe, config: dict) -> dict:
    """The config of a run with the number and the names of its classes.

    Args:
        recipe: `core.recipe.Recipe`.
        config: dict, from `runs.new_config`.

    Returns:
        dict: `num_classes` of the model's arguments, where it was not given,
        is that of the data, and `class_names` a list of str, or `None`. So are
        others that follow from the data, such as a vocabulary.

    Raises:
        ValueError: the data has no classes, or another number of them; or classes
            are given where the recipe reads none.
    """
    if recipe.task in KINDS and KINDS[recipe.task].settled is not None:
        config = KINDS[recipe.task].settled(config)
    num_classes = config["arguments"].get("num_classes")
    if num_classes is not None and "num_classes" in recipe.without:
        raise ValueError(
            f"The recipe {recipe.name} reads no labels. Received: "
            f"--num_classes={num_classes}. Leave it out; {recipe.model} is trained on "
            "classes in Python, with data that is loaded with labels."
        )
    labelled = recipe.task == LABELLED or (recipe.task in KINDS and num_classes)
    if not labelled or config["class_names"] is not None:
        return config
    from keras_gans.data.decoding import UnlabelledError

    without = "leave `num_classes` out"
    if recipe.task == LABELLED:
        data = shlex.quote(str(config["data"]))
        without = f"train without labels by `keras-gans train dcgan --data={data}`"
    try:
        names = _names(recipe, config)
    except UnlabelledError as error:
        raise ValueError(f"{error.why} {error.remedy}, or {without}.") from error
    if len(names) < 2:
        raise ValueError(
            f"Labels need 2 classes or more. Received: {_listed(names)} in "
            f"{config['data']}. Put the pictures of each class into a subfolder "
            f"of its own, or {without}."
        )
    if num_classes not in (None, len(names)):
        raise ValueError(
            f"The data has {_listed(names)}. Received: num_classes={num_classes} with "
            f"{config['data']}. Leave it out: it is read from the data."
        )
    arguments = {**config["arguments"], "num_classes": len(names)}
    return {**config, "arguments": arguments, "class_names": names}


def with_table(recipe: Recipe, config: dict) -> dict:
    """The config of a run with the columns of its table, found at its start.

    Args:
        recipe: `core.recipe.Recipe`.
        config: dict, from `runs.new_config`.

    Raises:
        ValueError: the table, or one of its columns, cannot be learned.
    """
    if recipe.task != TABLES or config["arguments"].get("table") is not None:
        return config
    from keras_gans import data

    options = ("categories", "numbers", "leave_out", "ranges", "held_out", "seed")
    table = data.fit_table(config["data"], **{name: config[name] for name in options})
    arguments = {**config["arguments"], "table": serialization.plain(table)}
    return {**config, "arguments": json.loads(json.dumps(arguments))}


def _names(recipe, config):
    from keras_gans import data

    if recipe.task in KINDS:
        return KINDS[recipe.task].classes(config["data"])
    return data.class_names(config["data"], data_dir=config["data_dir"])


def _listed(names):
    shown = ", ".join(map(repr, names[:10])) + (", ..." if len(names) > 10 else "")
    return f"{len(names)} classes ({shown})"


def write_class_names(export: Path, names: list[str] | None) -> None:
    """Puts the names of classes beside an exported model, if there are any.

    Args:
        export: str or path, the directory of the SavedModel.
        names: list of str, the `class_names` of a run, or `None`.
    """
    if names is not None:
        path = pathlib.Path(export) / NAMES_FILE
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(names) + "\n")


def describe(recipe: Recipe, config: dict, gan: BaseGAN):
    """What a run trains on: found, used, left out, brought to size.

    Returns:
        `data.summary.Report`, whose `str` is the text.

    Raises:
        ValueError: the data, or what the GAN makes, is none for a run.
    """
    _check_gan(recipe, config, gan)
    options = {"data_dir": config["data_dir"], "on_error": _on_error(config)}
    options["jitter"] = config.get("jitter", 0)
    if recipe.task in KINDS:
        names = KINDS[recipe.task].described
        options |= {name: config[name] for name in names if name in config}
    return tasks.describe(recipe.task, gan, config["data"], **options)


def write_digests(path: pathlib.Path, report: Any, anew: bool) -> None:
    """Notes what each file of a run's data holds, if it has files.

    Args:
        path: of the JSON file.
        report: from `describe`.
        anew: bool, whether the run begins; else what it has noted stays.
    """
    if not report.files or (path.exists() and not anew):
        return
    if not anew:
        print(
            f"{path} is new: whether the data is that of the steps before is not "
            "known, as the run has not noted it."
        )
    text = json.dumps(report.digests, indent=0)
    files.write_bytes(path, text.encode())


def check_unchanged(path: pathlib.Path, config: dict, report: Any) -> None:
    """Checks that the files of a run are those that it began with.

    Which batches a run sees depends on all of them.

    Args:
        path: that `write_digests` wrote, of a run that goes on.
        config: dict, from `runs.new_config`.
        report: from `describe`.

    Raises:
        ValueError: they have changed, and how; or the file is damaged.
    """
    from keras_gans.data.digests import differences, digests

    if not path.exists():
        return
    try:
        noted = json.loads(path.read_bytes())
        before = dict(noted["files"])
        whole, current = bool(noted["whole"]), report.digests
        if current is None or current["whole"] != whole:
            current = digests(report.files, whole)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(
            f"{path} is damaged ({type(error).__name__}: {error}). It holds digests "
            "of the run's data. Remove it to go on without comparing them."
        ) from error
    if told := differences(before, current["files"]):
        raise ValueError(
            f"The data has changed since the run began, so it cannot be resumed "
            f"exactly. Received: {config['data']} with {told}. Bring the data back, "
            "or start in another --run_dir."
        )


def write_reals(path: Path, recipe: Recipe, config: dict, gan: BaseGAN) -> None:
    """Writes a picture of what a run trains on, as the GAN sees it.

    Of samples of other kinds, a few as their modality shows them.
    """
    options = {**_options(recipe, config), "batch_size": REALS, "flip": False}
    dataset = tasks.load(
        recipe.task, gan, config["data"], drop_remainder=False, **options
    )
    batch = next(iter(dataset))
    parts = [np.asarray(x) for x in (batch if isinstance(batch, tuple) else (batch,))]
    columns = None
    if recipe.task in KINDS:
        kind = KINDS[recipe.task]
        real = gan.fields.index("real") if len(parts) > 1 else 0
        shown = parts[real][:FEW]
        told = f"{len(shown)} {kind.what} of {config['data']}"
        caption = f"{told}, as the GAN {kind.sense} them."
        preview = kind.modality(gan).preview(shown, caption=caption)
        preview.save(path, overwrite=True)
        return
    if recipe.task == LABELLED:
        images, labels = parts
        tiles = images[np.argsort(labels, kind="stable")]
        told = f"{len(tiles)} pictures of {config['data']}, class by class"
    elif len(parts) == 1:
        tiles = parts[0]
        told = f"{len(tiles)} pictures of {config['data']}"
    else:
        run_application = application(recipe, config)
        first, second = gan.pair_names
        told = f"Pictures of {config['data']}: {first} left, {second} right"
        a, b = (part[: REALS // 4] for part in parts)
        rows = (
            (a, b)
            if run_application is None
            else (run_application.picture(a), run_application.picture(a, b))
        )
        tiles, columns = pictures.side_by_side(*rows)
        columns *= 2
    caption = f"{told}, as the GAN sees them."
    preview = Image(tiles.shape[1:]).preview(tiles, columns, caption=caption)
    preview.save(path, overwrite=True)


def count(recipe: Recipe, config: dict, gan: BaseGAN) -> int:
    """How many images, or pairs, the data of a run has.

    Raises:
        ValueError: the data, or what the GAN makes, is none for a run.
    """
    _check_gan(recipe, config, gan)
    options = {**_options(recipe, config), "batch_size": 1}
    return len(tasks.load(recipe.task, gan, config["data"], **options))


def training(
    recipe: Recipe, config: dict, gan: BaseGAN, resumed, images: int | None = None
) -> tuple:
    """The endless data of a run, and how many steps make an epoch.

    Args:
        recipe: `core.recipe.Recipe`.
        config: dict, from `runs.new_config`.
        gan: `BaseGAN`, built from it.
        resumed: `checkpoints.Position`, or `None` at the start of a run.
        images: int, from `count`, if it was counted.

    Returns:
        `(dataset, steps)`; the data set begins at the batch of `resumed`.

    Raises:
        ValueError: the data does not fit, or has changed since.
    """
    _check_classes(recipe, config)
    images = count(recipe, config, gan) if images is None else images
    options = _options(recipe, config)
    steps = config["steps_per_epoch"]
    if steps is None:  # one at least: of a small set, d_steps take several passes
        steps = max(1, images // config["batch_size"] // gan.batches_per_step)
    if resumed and resumed.steps_per_epoch != steps:
        raise ValueError(
            f"The data has changed since the run began: an epoch of "
            f"{config['data']} has {steps} steps now. Received: a checkpoint "
            f"of a run with {resumed.steps_per_epoch}. Bring the data back, or "
            "start in another --run_dir."
        )
    start = (resumed.step if resumed else 0) * gan.batches_per_step
    dataset = tasks.load(
        recipe.task, gan, config["data"], repeat=True, start=start, **options
    )
    _check_first_batch(dataset, gan)
    return dataset, steps


def reals(recipe: Recipe, config: dict, gan: BaseGAN):
    """Some of the data as it is, to score samples against."""
    # Some thousand of both are enough to follow a run, and quick.
    return pictures_of(recipe, config, gan).take(20)


def pictures_of(recipe: Recipe, config: dict, gan: BaseGAN):
    """All of the data as it is, in batches of 100."""
    options = {**_options(recipe, config), "batch_size": 100}
    options |= {name: value for name, value in AS_IT_IS.items() if name in options}
    options.pop("class_balanced", None)
    options.pop("mels", None)
    return tasks.load(recipe.task, gan, config["data"], drop_remainder=False, **options)


def shown(recipe: Recipe, config: dict, gan: BaseGAN):
    """What sample grids translate, the same in a run that goes on.

    Returns:
        The first images of the run, neither enlarged nor mirrored; `None` of
        a GAN that makes images from a seed.
    """
    if gan.samples_from_seed or recipe.task in KINDS:  # else those seen first
        return None
    options = {**_options(recipe, config), "batch_size": 1, "flip": False}
    if "jitter" in options:
        options["jitter"] = 0
    return tasks.load(recipe.task, gan, config["data"], **options)


def _options(recipe, config):
    names = ("batch_size", "data_dir", "flip", "seed", *recipe.data_options)
    options = {name: config[name] for name in names}
    return {**options, "on_error": _on_error(config)}


def _on_error(config):
    return "skip" if config["skip_broken"] else "raise"


def _check_classes(recipe, config):
    """Refuses data whose classes are no longer those that a run began with."""
    names = config["class_names"]
    if names is not None and (current := _names(recipe, config)) != names:
        raise ValueError(
            f"The data has changed since the run began: {config['data']} has "
            f"{_listed(current)}. Received: a run of {_listed(names)}. "
            "Bring the data back, or start in another --run_dir."
        )


def _check_first_batch(dataset, gan):
    """Finds what `fit` would refuse before anything of a run is written."""
    try:
        batch = next(iter(dataset))
    except Exception as error:
        if (known := errors.of_input(error)) is None:
            raise
        raise known from None
    with warnings.catch_warnings():  # `fit` warns of what it takes
        warnings.simplefilter("ignore")
        gan.check_batch(batch)


def _check_gan(recipe, config, gan):
    run_application = application(recipe, config)
    if run_application is not None:
        run_application.check(gan)
    if recipe.task in KINDS:
        KINDS[recipe.task].check(config, gan)
        return
    if len(gan.modality.shape) != 3 or not 1 <= gan.modality.shape[2] <= 4:
        raise ValueError(
            "Files and data sets hold images of 1 to 4 channels. Received: "
            f"image_shape={gan.modality.shape}. Train on others in Python: "
            "`gan.fit` takes arrays of any channels, and vectors."
        )
    if None in gan.modality.shape:
        raise ValueError(
            "The images of a run have one size. Received: image_shape="
            f"{gan.modality.shape}. Give it, for instance "
            "--image_shape=64,64,3; what is trained by it translates images of "
            "any size."
        )
    if not gan.samples_from_seed and config["evaluate_every"] is not None:
        raise ValueError(
            "--evaluate_every scores samples from a seed, and "
            f"{type(gan).__name__} makes images from images. Received: "
            f"--evaluate_every={config['evaluate_every']}. Drop it."
        )
