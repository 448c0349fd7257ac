"""Run directories: training by recipe, exact resume, and what came of it.

A run directory holds `config.json` (all that the run was started with),
`reals.png` (some of the data), `metrics.jsonl`, `losses.png`, `samples/*.png`,
`index.html` (a page of all that), `checkpoints/` and `export/1`; with
`evaluate_every`, also `best/`, the checkpoint of the best score.
"""

import contextlib
import json
import math
import pathlib
import shlex
from typing import TYPE_CHECKING

import keras

from keras_gans.engine import make_deterministic
from keras_gans.training import (
    callbacks,
    checkpoints,
    configs,
    datasets,
    distribution,
    lengths,
    recipes,
)
from keras_gans.training.beginning import Beginning, recover
from keras_gans.training.options import OPTIONS, defaults
from keras_gans.utils import files
from keras_gans.utils.locks import locked
from keras_gans.utils.types import Path
from keras_gans.utils.validation import is_int, is_number
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
REALS = "reals.png"
BEST = "best"
CONTENTS = (METRICS, PLOT, PAGE, REALS, SAMPLES, CHECKPOINTS, EXPORT, BEST)

# What a resumed run may be told anew: none of it touches the numbers.
MUTABLE = (
    *lengths.LENGTHS,
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
        dict that JSON can hold. Where no length is given it has none: the data
        decides, when training begins.

    Raises:
        ValueError: the recipe is unknown, an option out of its range, or more
            than one length is given.
    """
    made = recipes.get(recipe)
    config = {
        "recipe": recipe,
        "arguments": recipes.arguments(made, arguments),
        **defaults(made),
        "epochs": None,
        "class_names": None,  # of the data, see `datasets.with_classes`
        **options,
        "version": __version__,
    }
    own = config["data"] == made.data or "num_classes" in (arguments or {})
    if made.task == datasets.LABELLED and not own:
        config["arguments"]["num_classes"] = None  # `train` counts them
    return _checked(config)


def _checked(config):
    """A config as JSON holds it, its numbers within their ranges."""
    for name, option in OPTIONS.items():
        value = config[name]
        if value is None and option.default is None:
            continue
        if option.counts and not (is_int(value) and value > 0):
            raise ValueError(f"`{name}` must be a positive int. Received: {value!r}.")
        ok = is_number(value) and 0 < value < math.inf
        if option.positive and not ok:
            raise ValueError(
                f"`{name}` must be a positive number. Received: {value!r}."
            )
    lengths.check_length(config)
    return json.loads(json.dumps(config))


def read_config(run_dir: Path) -> dict:
    """The config of a run directory.

    Raises:
        ValueError: `run_dir` is no run directory; or a value in its config is
            unknown or unusable: the message names the file and the value.
    """
    path = pathlib.Path(run_dir) / CONFIG
    if not is_run(run_dir):
        raise ValueError(
            f"Not a run directory: it has no {CONFIG}. Received: {run_dir}. "
            "Expected the --run_dir of a `keras-gans train`."
        )
    config = configs.read(path)
    try:
        configs.check(config, new_config(config["recipe"]))
        kept = ("recipe", "arguments", "version")
        options = {n: value for n, value in config.items() if n not in kept}
        # What a run of an older version did not know has its default.
        return {**new_config(config["recipe"], **options), **config}
    except ValueError as error:
        raise ValueError(f"{path} does not fit. {error}") from error


def is_run(run_dir: Path) -> bool:
    """Whether a directory holds a run."""
    return (pathlib.Path(run_dir) / CONFIG).is_file()


def changed(run_dir: Path, recipe: str, arguments: dict, options: dict) -> dict:
    """The config of a run to resume, with what is told anew."""
    old = read_config(run_dir)
    new = {"recipe": recipe, "arguments": {**old["arguments"], **arguments}, **options}
    return _checked(lengths.with_length(old, new))


def build(config: dict) -> "BaseGAN":
    """Makes and compiles the GAN of a config, as at the start of its run."""
    recipe = recipes.get(config["recipe"])
    keras.config.set_dtype_policy(config["dtype_policy"])
    keras.utils.set_random_seed(config["seed"])
    if config["deterministic"]:
        make_deterministic()
    model = recipes.model_of(recipe)
    try:
        gan = model(**config["arguments"], seed=config["seed"])
    except TypeError as error:
        raise ValueError(
            f"{recipe.model} cannot be built from its arguments ({error}). Received: "
            f"{config['arguments']}, of a run of keras_gans {config['version']}. "
            "Mend the argument, or install that version."
        ) from error
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


def _rebuild(run_dir, config):
    """The GAN of a config that stands in a run directory."""
    try:
        return build(config)
    except ValueError as error:
        raise ValueError(
            f"{pathlib.Path(run_dir) / CONFIG} does not fit. {error}"
        ) from error


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
        path = files.standing(pathlib.Path(run_dir) / BEST)
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
    gan = _rebuild(run_dir, config)
    return gan, checkpoints.restore(gan, path)


def train(
    run_dir: Path,
    config: dict,
    resume: bool = False,
    overwrite: bool = False,
    from_checkpoint: str | None = None,
) -> "BaseGAN":
    """Trains a recipe into a run directory, or goes on where it stopped.

    Args:
        run_dir: str or path.
        config: dict, from `new_config`.
        resume: bool, go on from the latest checkpoint in `run_dir`; from the
            start where there is none yet.
        overwrite: bool, remove the run that stands in `run_dir`, once the new
            one has trained a step.
        from_checkpoint: str, with `resume`: go on from this checkpoint, such as
            "step-00000100" or "previous" for the one before the latest. Later
            ones are removed.

    Returns:
        The GAN, trained.

    Raises:
        ValueError: `run_dir` is taken, or another training writes into it;
            what is resumed was started with another config, or is damaged; the
            data does not fit.
        NotWrittenError: an `OSError`: the disk is full, or the like. The
            message says which checkpoint is safe.
        Interrupted, SystemExit: a signal has ended it; see
            `callbacks.Checkpoint`.
        FloatingPointError: training diverged.
    """
    files.check_name(run_dir)
    run_dir = pathlib.Path(run_dir)
    config = datasets.with_classes(recipes.get(config["recipe"]), config)
    scope = distribution.scope(config["strategy"])
    chief = distribution.is_chief()  # all train, one looks after the directory
    safe = checkpoints.telling_what_is_safe(run_dir / CHECKPOINTS)
    if not chief:
        safe = contextlib.nullcontext()
    with contextlib.ExitStack() as stack:
        stack.enter_context(safe)
        if chief:
            stack.enter_context(locked(run_dir))
        return _train(
            run_dir, config, scope, chief, resume, overwrite, from_checkpoint, stack
        )


def _train(run_dir, config, scope, chief, resume, overwrite, from_checkpoint, stack):
    recipe = recipes.get(config["recipe"])
    if chief:
        recover(run_dir, (*CONTENTS, CONFIG))
    going_on = resume and is_run(run_dir)
    if chief:
        going_on = _check_dir(run_dir, config, resume, overwrite)
    if from_checkpoint is not None and not going_on:
        raise ValueError(
            "--from_checkpoint goes back in a run, with --resume. Received: "
            f"--from_checkpoint={from_checkpoint} for {run_dir}."
        )
    latest = None
    if going_on:
        latest = checkpoints.choose(run_dir / CHECKPOINTS, from_checkpoint)
    if chief and resume and latest is None:
        what = "checkpoint" if going_on else "run"
        print(f"No {what} in {run_dir} yet: training starts from the beginning.")
    with scope:
        gan = _rebuild(run_dir, config) if going_on else build(config)
    resumed = checkpoints.restore(gan, latest) if latest else None
    application = datasets.application(recipe, config)
    images = datasets.count(recipe, config, gan)
    config = lengths.settled(config, recipe, images, gan.batches_per_step)
    dataset, steps_per_epoch = datasets.training(recipe, config, gan, resumed, images)
    steps = lengths.total_steps(config, steps_per_epoch, gan.batches_per_step)
    logger = callbacks.JsonlLogger(run_dir / METRICS, config["log_every"])
    begun = []
    if chief:
        print(datasets.summary(recipe, config, gan))
        if not going_on:  # the old run is there until a step is trained
            beginning = Beginning(run_dir, (*CONTENTS, CONFIG))
            begun = [stack.enter_context(beginning)]
        _make_dir(run_dir, config)
        if from_checkpoint is not None:
            checkpoints.remove_after(run_dir / CHECKPOINTS, resumed.step)
        datasets.write_reals(run_dir / REALS, recipe, config, gan)
        if resumed is None:  # of steps before the first checkpoint
            files.remove(run_dir / BEST)
        logger.cut(resumed.log_size if resumed else 0)
        print(*lengths.notes(config, recipe, gan, images, steps), sep="\n")
        if resumed:
            print(f"Going on after step {resumed.step}, from {latest}")
    gan.engine.barrier()
    if resumed:
        gan.step_iterator.skip_steps(resumed.epoch_step, resumed.logs)
    grids = callbacks.SampleGrid(
        run_dir / SAMPLES,
        config["sample_every"],
        images=datasets.shown(recipe, config, gan),
        picture=application and application.picture,
        class_names=config.get("class_names"),
    )
    checkpoint = callbacks.Checkpoint(
        run_dir / CHECKPOINTS,
        config["checkpoint_every"],
        logger=logger,
        resumed=resumed,
        resume=_resume_command(run_dir, config),
    )
    plot = callbacks.LossPlot(run_dir / METRICS, run_dir / PLOT, config["sample_every"])
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
        epochs=lengths.total_epochs(steps, steps_per_epoch),
        steps_per_epoch=steps_per_epoch,
        initial_epoch=resumed.epoch if resumed else 0,
        shuffle=False,
        verbose=0,
        callbacks=[
            callbacks.NanGuard(),
            *begun,
            logger,
            grids,
            *_evaluations(config, gan, run_dir, logger),
            checkpoint,
            plot,
            page,
            callbacks.Progress(steps, config["minutes"], checkpoint),
            lengths.EndOfRun(steps, config["minutes"], checkpoint),
        ],
    )
    if checkpoint.last_saved != checkpoint.step:
        checkpoint.after_step(checkpoint.last_logs)
    if chief:
        plot.plot()
        grids.write()
        page.write()
        _finish(gan, run_dir, checkpoint.step, config["class_names"])
    gan.engine.barrier()
    return gan


def _resume_command(run_dir, config):
    """What to type to go on with a run: it knows all other flags."""
    words = ["keras-gans", "train", config["recipe"], f"--run_dir={run_dir}"]
    words.append("--resume")
    workers = distribution.launched_workers()
    if workers > 1:
        words.append(f"--workers={workers}")
    backend = keras.backend.backend()
    before = "" if backend == "tensorflow" else f"KERAS_BACKEND={backend} "
    return before + shlex.join(words)


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
            configs.read(run_dir / CONFIG)  # else it is another program's
            return False
    if resume or overwrite or not is_run(run_dir):
        raise ValueError(
            f"{run_dir} holds files that are no run of keras-gans; it is left "
            "alone. Choose another --run_dir."
        )
    raise ValueError(
        f"Nothing is overwritten unasked. Received: run_dir={run_dir}, which "
        "exists. Choose another --run_dir, go on with --resume, or remove the "
        "old run with --overwrite."
    )


def _make_dir(run_dir, config):
    """Makes the directory and its config."""
    with files.naming(run_dir):
        run_dir.mkdir(parents=True, exist_ok=True)
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


def _finish(gan, run_dir, step, class_names):
    """The export, and where all of the run is."""
    print(f"Trained {step} steps.")
    places = {
        "progress": PAGE,
        "config": CONFIG,
        "metrics": METRICS,
        "loss plot": PLOT,
        "data": REALS,
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
        datasets.write_class_names(run_dir / EXPORT / "1", class_names)
        print(f"  SavedModel:  {run_dir / EXPORT / '1'}")
    else:
        print(
            "  SavedModel:  none: TensorFlow writes it, by KERAS_BACKEND="
            f"tensorflow keras-gans export {run_dir} --to=DIR"
        )
