"""The data that a run trains on, from where it stopped."""

from keras_gans import applications
from keras_gans.core.gan import BaseGAN
from keras_gans.core.recipe import Recipe
from keras_gans.training import tasks


def application(recipe: Recipe, config: dict):
    """The application that a run trains for, or `None`."""
    if recipe.task not in applications.APPLICATIONS:
        return None
    names = applications.argument_names(recipe.task)
    return applications.get(recipe.task, **{n: config[n] for n in names})


def training(recipe: Recipe, config: dict, gan: BaseGAN, resumed) -> tuple:
    """The endless data of a run, and how many steps make an epoch.

    Args:
        recipe: `core.recipe.Recipe`.
        config: dict, from `runs.new_config`.
        gan: `BaseGAN`, built from it.
        resumed: `checkpoints.Position`, or `None` at the start of a run.

    Returns:
        `(dataset, steps)`; the data set begins at the batch of `resumed`.

    Raises:
        ValueError: the data does not fit, or has changed since.
    """
    _check_gan(config, gan)
    given = _options(recipe, config)
    steps = config["steps_per_epoch"]
    if steps is None:
        one_epoch = tasks.load(recipe.task, gan, config["data"], **given)
        steps = len(one_epoch) // gan.d_steps
        if steps == 0:
            raise ValueError(
                f"One epoch of {config['data']} is less than one step of "
                f"{gan.d_steps} batches. Lower --batch_size or --d_steps, or "
                "set --steps_per_epoch."
            )
    if resumed and resumed.steps_per_epoch != steps:
        raise ValueError(
            f"The data has changed since the run began: an epoch of "
            f"{config['data']} has {steps} steps now. Received: a checkpoint "
            f"of a run with {resumed.steps_per_epoch}. Bring the data back, or "
            "start in another --run_dir."
        )
    start = (resumed.step if resumed else 0) * gan.d_steps
    dataset = tasks.load(
        recipe.task, gan, config["data"], repeat=True, start=start, **given
    )
    return dataset, steps


def reals(recipe: Recipe, config: dict, gan: BaseGAN):
    """Some of the data as it is, to score samples against."""
    given = {**_options(recipe, config), "batch_size": 100, "flip": False}
    dataset = tasks.load(
        recipe.task, gan, config["data"], drop_remainder=False, **given
    )
    # Some thousand of both are enough to follow a run, and quick.
    return dataset.take(20)


def shown(recipe: Recipe, config: dict, gan: BaseGAN):
    """What sample grids translate, the same in a run that goes on.

    Returns:
        The first images of the run, neither enlarged nor mirrored; `None` of
        a GAN that makes images from a seed.
    """
    if gan.samples_from_seed:
        return None
    given = {**_options(recipe, config), "batch_size": 1, "flip": False}
    if "jitter" in given:
        given["jitter"] = 0
    return tasks.load(recipe.task, gan, config["data"], **given)


def _options(recipe, config):
    names = ("batch_size", "data_dir", "flip", "seed", *recipe.data_options)
    return {name: config[name] for name in names}


def _check_gan(config, gan):
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
