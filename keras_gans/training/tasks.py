"""What a recipe's task loads: images, pairs of them, two sets of them."""

import contextlib
import warnings

from keras_gans import applications
from keras_gans.core.gan import BaseGAN
from keras_gans.training.kinds import KINDS


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
    "pairs": pairs,
    "unpaired": unpaired,
    "photos": photos,
    **{task: kind.load for task, kind in KINDS.items()},
}


def describe(task: str, gan: BaseGAN, source, **options):
    """What a task reads from a source, see `keras_gans.data.describe`."""
    from keras_gans import data

    if task in KINDS:
        kind = KINDS[task]
        own = {n: options[n] for n in (*kind.described, "on_error") if n in options}
        return kind.describe(gan, source, **own)
    shapes = _shapes(gan)
    if task not in TASKS:
        application = applications.APPLICATIONS[task]
        task, shapes["channels"] = "images", application.file_channels(gan)
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
        arguments = {name: options.pop(name) for name in own if name in options}
        return applications.get(task, **arguments).load(gan, source, **options)


@contextlib.contextmanager
def _quiet():
    """Leaves it to `describe` to tell which files are left out."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Left out .* image files")
        yield
