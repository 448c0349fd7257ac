"""What a recipe's task loads: images, pairs of them, two sets of them."""

import contextlib
import warnings

from keras_gans import applications
from keras_gans.core.gan import BaseGAN


def images(gan: BaseGAN, source, **options):
    """Images as `gan` makes them.

    Args:
        gan: `BaseGAN`.
        source: see `keras_gans.data.load`.
        **options: its other arguments.
    """
    from keras_gans import data

    return data.load(
        source,
        image_size=gan.modality.shape[:2],
        channels=gan.modality.shape[-1],
        **options,
    )


def labelled_images(gan: BaseGAN, source, **options):
    """Images as `gan` makes them, with their class labels."""
    return images(gan, source, labels=True, **options)


def sounds(gan: BaseGAN, source, *, flip=False, data_dir=None, **options):
    """Sounds as `gan` makes them, with their classes where it has any.

    Args:
        gan: `BaseGAN`.
        source: see `keras_gans.data.load_sounds`.
        flip: bool, which sounds are not.
        data_dir: str, of sources that sounds have none of.
        **options: its other arguments.
    """
    from keras_gans import data

    if flip or data_dir is not None:
        raise ValueError(
            "Sounds are neither mirrored nor read from `data_dir`. Received: "
            f"flip={flip}, data_dir={data_dir}. Drop it."
        )
    samples, channels = gan.modality.shape
    return data.load_sounds(
        source,
        samples=samples,
        channels=channels,
        rate=gan.modality.rate,
        labels=gan.labelled,
        **options,
    )


def volumes(gan: BaseGAN, source, *, data_dir=None, **options):
    """Solids on the grid of `gan`, with their classes where it has any.

    Args:
        gan: `BaseGAN`.
        source: see `keras_gans.data.load_volumes`.
        data_dir: str, of sources that solids have none of.
        **options: its other arguments.
    """
    from keras_gans import data

    if data_dir is not None:
        raise ValueError(
            '`data_dir` is for "tfds:" sources only, and solids are "furniture", a '
            f"folder or a zip archive. Received: data_dir={data_dir!r}. Drop it."
        )
    return data.load_volumes(
        source,
        size=gan.modality.size[0],
        range=gan.modality.range,
        labels=gan.labelled,
        **options,
    )


def views(gan: BaseGAN, source, **options):
    """Pictures of solids, and those on the grid of `gan`; see `volumes`.

    Raises:
        ValueError: `gan` takes other pictures.
    """
    height, width, channels = gan.inputs[0].modality.shape
    if height != width or channels != 1:
        raise ValueError(
            "Pictures of solids are square and grey. Received: image_shape="
            f"{(height, width, channels)}. Give --image_shape={height},{height},1, or "
            "train on your own pictures in Python: `gan.fit(pictures, volumes)`."
        )
    return volumes(gan, source, pictures=height, **options)


def pairs(gan: BaseGAN, source, **options):
    """Pairs that `gan` translates; see `keras_gans.data.load_pairs`."""
    from keras_gans import data

    return data.load_pairs(source, **_shapes(gan), **options)


def unpaired(gan: BaseGAN, source, **options):
    """Images of two domains; see `keras_gans.data.load_unpaired`."""
    from keras_gans import data

    return data.load_unpaired(source, **_shapes(gan), **options)


def photos(gan: BaseGAN, source, *, data_dir=None, **options):
    """Crops of photos that `gan` enlarges; see `keras_gans.data.load_crops`."""
    from keras_gans import data

    if data_dir is not None:
        raise ValueError(
            '`data_dir` is for "tfds:" sources only, and photos are a folder or a '
            f"zip archive. Received: data_dir={data_dir!r}. Drop it."
        )
    size = gan.modality.shape[:2]
    return data.load_crops(source, image_size=size, scale=gan.scale, **options)


def _shapes(gan):
    return {
        "image_size": gan.modality.shape[:2],
        "source_channels": None if gan.samples_from_seed else gan.source_shape[-1],
        "channels": gan.modality.shape[-1],
    }


TASKS = {
    "images": images,
    "labelled images": labelled_images,
    "sounds": sounds,
    "volumes": volumes,
    "views": views,
    "pairs": pairs,
    "unpaired": unpaired,
    "photos": photos,
}


def describe(task: str, gan: BaseGAN, source, **options):
    """What a task reads from a source, see `keras_gans.data.describe`."""
    from keras_gans import data

    if task == "sounds":
        names = ("segments", "trim", "on_error")
        own = {name: options[name] for name in names if name in options}
        return data.describe_sounds(source, gan.modality, gan.labelled, **own)
    if task in ("volumes", "views"):
        own = {n: options[n] for n in ("up", "surfaces", "on_error") if n in options}
        size = gan.modality.size[0]
        return data.describe_volumes(source, size, gan.labelled, **own)
    shapes = _shapes(gan)
    if task not in TASKS:
        made = applications.APPLICATIONS[task]
        task, shapes["channels"] = "images", made.file_channels(gan)
    with _quiet():
        return data.describe(source, task, **shapes, **options)


def load(task: str, gan: BaseGAN, source, **options):
    """The data of a task, that of an application among them.

    Args:
        task: str, of `TASKS` or `applications.APPLICATIONS`.
        gan: `BaseGAN`.
        source: what the task loads from.
        **options: `batch_size`, `data_dir`, `flip`, `seed`, `repeat`, `start`
            and the task's own.

    Returns:
        `tf.data.Dataset`.
    """
    with _quiet():
        if task in TASKS:
            return TASKS[task](gan, source, **options)
        own = applications.argument_names(task)
        given = {name: options.pop(name) for name in own if name in options}
        return applications.get(task, **given).load(gan, source, **options)


@contextlib.contextmanager
def _quiet():
    """Leaves it to `describe` to tell which files are left out."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Left out .* image files")
        yield
