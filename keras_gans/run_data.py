"""The data that a run trains on, from where it stopped."""

from keras_gans import applications


def images(gan, source, **options):
    """Images that `gan` makes, with labels where it takes them.

    Args:
        gan: `BaseGAN`.
        source: see `keras_gans.data.load`.
        **options: its other arguments.
    """
    from keras_gans import data

    return data.load(
        source,
        image_size=gan.image_shape[:2],
        channels=gan.image_shape[-1],
        labels=gan.labelled,
        **options,
    )


def pairs(gan, source, **options):
    """Pairs that `gan` translates; see `keras_gans.data.load_pairs`."""
    from keras_gans import data

    return data.load_pairs(source, **_shapes(gan), **options)


def unpaired(gan, source, **options):
    """Images of two domains; see `keras_gans.data.load_unpaired`."""
    from keras_gans import data

    return data.load_unpaired(source, **_shapes(gan), **options)


def colorization(gan, source, *, seed=0, start=0, **options):
    """Lightness and colour of images; see `applications.Colorization`."""
    return _applied(
        applications.Colorization(), gan, source, 3, seed, start, options
    )


def inpainting(gan, source, *, kind, share, seed=0, start=0, **options):
    """Images with holes, and without; see `applications.Inpainting`."""
    made = applications.Inpainting(kind, share)
    channels = gan.image_shape[-1]
    return _applied(made, gan, source, channels, seed, start, options)


def _applied(application, gan, source, channels, seed, start, options):
    from keras_gans import data

    dataset = data.load(
        source,
        image_size=gan.image_shape[:2],
        channels=channels,
        seed=seed,
        start=start,
        **options,
    )
    return application.pairs(dataset, seed, start)


def application(recipe, config):
    """The application that a run trains for, or `None`."""
    if config["recipe"] not in applications.APPLICATIONS:
        return None
    arguments = {name: config[name] for name in recipe.data_options}
    return applications.get(config["recipe"], **arguments)


def _shapes(gan):
    return {
        "image_size": gan.image_shape[:2],
        "source_channels": gan.source_shape[-1],
        "channels": gan.image_shape[-1],
    }


def training(recipe, config, gan, resumed):
    """The endless data of a run, and how many steps make an epoch.

    Args:
        recipe: `recipes.Recipe`.
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
        one_epoch = recipe.load(gan, config["data"], **given)
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
    dataset = recipe.load(
        gan, config["data"], repeat=True, start=start, **given
    )
    return dataset, steps


def reals(recipe, config, gan):
    """Some of the data as it is, to score samples against."""
    given = {**_options(recipe, config), "batch_size": 100, "flip": False}
    dataset = recipe.load(gan, config["data"], drop_remainder=False, **given)
    # Some thousand of both are enough to follow a run, and quick.
    return dataset.take(20)


def shown(recipe, config, gan):
    """What sample grids translate, the same in a run that goes on.

    Returns:
        The first images of the run, neither enlarged nor mirrored; `None` of
        a GAN that makes images from a seed.
    """
    if gan.latent_dim is not None:
        return None
    given = {**_options(recipe, config), "batch_size": 1, "flip": False}
    if "jitter" in given:
        given["jitter"] = 0
    return recipe.load(gan, config["data"], **given)


def _options(recipe, config):
    names = ("batch_size", "data_dir", "flip", "seed", *recipe.data_options)
    return {name: config[name] for name in names}


def _check_gan(config, gan):
    if len(gan.image_shape) != 3 or not 1 <= gan.image_shape[2] <= 4:
        raise ValueError(
            "Files and data sets hold images of 1 to 4 channels. Received: "
            f"image_shape={gan.image_shape}. Train on others in Python: "
            "`gan.fit` takes arrays of any channels, and vectors."
        )
    if None in gan.image_shape:
        raise ValueError(
            "The images of a run have one size. Received: image_shape="
            f"{gan.image_shape}. Give it, for instance --image_shape=64,64,3; "
            "what is trained by it translates images of any size."
        )
    if gan.latent_dim is None and config["evaluate_every"] is not None:
        raise ValueError(
            "--evaluate_every scores samples from a seed, and "
            f"{type(gan).__name__} makes images from images. Received: "
            f"--evaluate_every={config['evaluate_every']}. Drop it."
        )
