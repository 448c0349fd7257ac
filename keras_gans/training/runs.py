"""Run directories: training by recipe, exact resume, and what came of it.

A run directory holds `config.json` (all that the run was started with),
`metrics.jsonl`, `losses.png`, `samples/*.png`, `index.html` (a page of all
that), `checkpoints/` and `export/1`; with `evaluate_every`, also `best/`, the
checkpoint of the best score.
"""

import json
import pathlib
from typing import TYPE_CHECKING

import keras

from keras_gans.engine import make_deterministic
from keras_gans.training import callbacks, checkpoints, datasets, distribution, recipes
from keras_gans.training.options import OPTIONS, defaults
from keras_gans.utils import files
from keras_gans.utils.types import Path
from keras_gans.version import __version__

if TYPE_CHECKING:
    from keras_gans.core.gan import BaseGAN


CONFIG = "config.json"
METRICS = "metrics.jsonl"
PLOT = "losses.png"
SAMPLES = "samples"
CHECKPOINTS = "checkpoints"
EXPORT = "export"
PAGE = "index.html"
BEST = "best"
CONTENTS = (METRICS, PLOT, PAGE, SAMPLES, CHECKPOINTS, EXPORT, BEST)

# What a resumed run may be told anew: none of it touches the numbers.
MUTABLE = (
    "epochs",
    "checkpoint_every",
    "sample_every",
    "evaluate_every",
    "data_dir",
    "strategy",
    "version",
)


def new_config(recipe: str, arguments: dict | None = None, **options) -> dict:
    """The config of a run of `recipe`, with what differs from it.

    Args:
        recipe: str, a name of `recipes.RECIPES`.
        arguments: dict, constructor arguments of the model.
        **options: those of `options.OPTIONS` and the recipe's `data_options`.

    Returns:
        dict that JSON can hold.

    Raises:
        ValueError: the recipe is unknown.
    """
    made = recipes.get(recipe)
    usual = defaults(made)
    config = {
        "recipe": recipe,
        "arguments": recipes.arguments(made, arguments),
        **usual,
        **options,
        "version": __version__,
    }
    for name, option in OPTIONS.items():
        value = config[name]
        optional = usual[name] is None
        if not option.counts or (value is None and optional):
            continue
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"`{name}` must be a positive int. Received: {value!r}.")
    return json.loads(json.dumps(config))


def read_config(run_dir: Path) -> dict:
    """The config of a run directory.

    Raises:
        ValueError: `run_dir` is no run directory.
    """
    path = pathlib.Path(run_dir) / CONFIG
    try:
        config = json.loads(path.read_text())
        # What a run of an older version did not know has its default.
        config = {**new_config(config["recipe"]), **config}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            "Not a run directory: it has no readable config.json. Received: "
            f"{run_dir} ({error}). Expected the --run_dir of a `keras-gans "
            "train`."
        ) from error
    return config


def is_run(run_dir: Path) -> bool:
    """Whether a directory holds a run."""
    return (pathlib.Path(run_dir) / CONFIG).is_file()


def changed(run_dir: Path, recipe: str, arguments: dict, options: dict) -> dict:
    """The config of a run to resume, with what is told anew."""
    old = read_config(run_dir)
    return {
        **old,
        "recipe": recipe,
        "arguments": {**old["arguments"], **json.loads(json.dumps(arguments))},
        **options,
    }


def build(config: dict) -> "BaseGAN":
    """Makes and compiles the GAN of a config, as at the start of its run."""
    recipe = recipes.get(config["recipe"])
    keras.config.set_dtype_policy(config["dtype_policy"])
    keras.utils.set_random_seed(config["seed"])
    if config["deterministic"]:
        make_deterministic()
    model = recipes.model_of(recipe)
    gan = model(**config["arguments"], seed=config["seed"])
    recipes.compile(
        recipe,
        gan,
        config["d_learning_rate"],
        config["g_learning_rate"],
        config["global_clipnorm"],
        accumulate=config["accumulate"],
        rematerialize=config["rematerialize"],
    )
    return gan


def open_run(
    run_dir: Path, best: bool = False
) -> tuple["BaseGAN", checkpoints.Position]:
    """The GAN of a run directory, at its latest checkpoint.

    Args:
        run_dir: str or path.
        best: bool, take the checkpoint of the best score instead.

    Returns:
        `(gan, position)`: a compiled `BaseGAN` and a `checkpoints.Position`.

    Raises:
        ValueError: no run directory, or one without such a checkpoint.
    """
    config = read_config(run_dir)
    path = checkpoints.latest(pathlib.Path(run_dir) / CHECKPOINTS)
    if best:
        path = pathlib.Path(run_dir) / BEST
        if not path.is_dir():
            raise ValueError(
                f"The run has no best checkpoint. Received: {run_dir}. Train "
                "with --evaluate_every=1000, or take the latest."
            )
    if path is None:
        raise ValueError(
            f"The run has no checkpoint yet. Received: {run_dir}. Train on "
            "with --resume."
        )
    gan = build(config)
    return gan, checkpoints.restore(gan, path)


def train(
    run_dir: Path, config: dict, resume: bool = False, overwrite: bool = False
) -> "BaseGAN":
    """Trains a recipe into a run directory, or goes on where it stopped.

    Args:
        run_dir: str or path.
        config: dict, from `new_config`.
        resume: bool, go on from the latest checkpoint in `run_dir`; from the
            start where there is none yet.
        overwrite: bool, remove the run that stands in `run_dir` first.

    Returns:
        The GAN, trained.

    Raises:
        ValueError: `run_dir` is taken; what is resumed was started with
            another config; the data does not fit.
        FloatingPointError: training diverged.
    """
    run_dir = pathlib.Path(run_dir)
    scope = distribution.scope(config["strategy"])
    chief = distribution.is_chief()  # all train, one looks after the directory
    going_on = resume and is_run(run_dir)
    if chief:
        going_on = _check_dir(run_dir, config, resume, overwrite)
    latest = checkpoints.latest(run_dir / CHECKPOINTS) if going_on else None
    with scope:
        gan = build(config)
    resumed = checkpoints.restore(gan, latest) if latest else None
    recipe = recipes.get(config["recipe"])
    application = datasets.application(recipe, config)
    dataset, steps_per_epoch = datasets.training(recipe, config, gan, resumed)
    logger = callbacks.JsonlLogger(run_dir / METRICS, config["log_every"])
    if chief:
        # All is known to fit: only now is anything written or removed.
        _make_dir(run_dir, config, going_on)
        if resumed is None:  # of steps before the first checkpoint
            files.remove(run_dir / BEST)
        logger.cut(resumed.log_size if resumed else 0)
    gan.engine.barrier()
    if resumed:
        if chief:
            print(f"Going on after step {resumed.step}, from {latest}")
        gan.step_iterator.skip_steps(resumed.epoch_step, resumed.logs)
    grids = callbacks.SampleGrid(
        run_dir / SAMPLES,
        config["sample_every"],
        images=datasets.shown(recipe, config, gan),
        picture=application and application.picture,
    )
    checkpoint = callbacks.Checkpoint(
        run_dir / CHECKPOINTS,
        config["checkpoint_every"],
        logger=logger,
        resumed=resumed,
    )
    plot = callbacks.LossPlot(run_dir / METRICS, run_dir / PLOT)
    page = callbacks.ProgressPage(
        run_dir / PAGE,
        config["sample_every"],
        config,
        samples=run_dir / SAMPLES,
        plot=run_dir / PLOT,
        log=run_dir / METRICS,
    )
    gan.fit(
        dataset,
        epochs=config["epochs"],
        steps_per_epoch=steps_per_epoch,
        initial_epoch=resumed.epoch if resumed else 0,
        shuffle=False,
        verbose="auto" if chief else 0,
        callbacks=[
            callbacks.NanGuard(),
            logger,
            grids,
            *_evaluations(config, gan, run_dir, logger),
            checkpoint,
            plot,
            page,
        ],
    )
    if checkpoint.last_saved != checkpoint.step:
        checkpoint.after_step(checkpoint.last_logs)
    if chief:
        plot.plot()
        grids.write()
        page.write()
        _finish(gan, run_dir, checkpoint.step)
    gan.engine.barrier()
    return gan


def _evaluations(config, gan, run_dir, logger):
    """The callback that scores the run, in a list, if one is asked for."""
    if config["evaluate_every"] is None:
        return []
    return [
        callbacks.Evaluate(
            datasets.reals(recipes.get(config["recipe"]), config, gan),
            config["evaluate_every"],
            metrics=("kid", "precision", "recall"),
            n=1000,
            log=logger,
            directory=run_dir / BEST,
        )
    ]


def _check_dir(run_dir, config, resume, overwrite):
    """Whether the run in `run_dir` goes on; raises where it is taken."""
    if resume and overwrite:
        raise ValueError("--resume and --overwrite exclude each other.")
    if not run_dir.exists():
        return False
    if run_dir.is_dir():
        # What a kill left before there was a config is hidden.
        names = [p.name for p in run_dir.iterdir() if p.name[0] != "."]
        if not names:
            return False
        if is_run(run_dir) and resume:
            _check_same(read_config(run_dir), config, run_dir)
            return True
        if is_run(run_dir) and overwrite:
            return False
    if resume or overwrite:
        raise ValueError(
            f"{run_dir} holds files that are no run of keras-gans; it is left "
            "alone. Choose another --run_dir."
        )
    raise ValueError(
        f"Nothing is overwritten unasked. Received: run_dir={run_dir}, which "
        "exists. Choose another --run_dir, go on with --resume, or remove the "
        "old run with --overwrite."
    )


def _make_dir(run_dir, config, going_on):
    """Makes the directory and its config, without what stood there before."""
    run_dir.mkdir(parents=True, exist_ok=True)
    if not going_on:
        # The config last: while it stands, the directory is known as a run.
        for name in (*CONTENTS, CONFIG):
            files.remove(run_dir / name)
    for place in (run_dir, *(run_dir / n for n in (SAMPLES, CHECKPOINTS, EXPORT))):
        files.sweep(place)
    with files.replacing(run_dir / CONFIG) as temporary:
        temporary.write_text(json.dumps(config, indent=1) + "\n")


def _check_same(old, new, run_dir):
    differ = [
        f"{name}: {old.get(name)!r} before, {new[name]!r} now"
        for name in new
        if name not in MUTABLE and old.get(name) != new[name]
    ]
    if differ:
        raise ValueError(
            f"The run in {run_dir} was started with another config, so it "
            f"cannot be resumed exactly. Received: {'; '.join(differ)}. Give "
            "the same flags (or none: they are read from the run), or start "
            "in another --run_dir."
        )


def _finish(gan, run_dir, step):
    """The export, and where all of the run is."""
    print(f"Trained {step} steps.")
    places = {
        "progress": PAGE,
        "config": CONFIG,
        "metrics": METRICS,
        "loss plot": PLOT,
        "samples": SAMPLES,
        "checkpoints": CHECKPOINTS,
        "best": BEST,
    }
    for what, name in places.items():
        if not (run_dir / name).exists():
            continue  # no line was due in so short a run
        print(f"  {what + ':':13}{run_dir / name}")
    if keras.backend.backend() == "tensorflow":
        gan.export(run_dir / EXPORT / "1", overwrite=True)
        print(f"  SavedModel:  {run_dir / EXPORT / '1'}")
    else:
        print(
            "  SavedModel:  none: TensorFlow writes it, by KERAS_BACKEND="
            f"tensorflow keras-gans export {run_dir} --to=DIR"
        )
