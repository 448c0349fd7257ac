"""Run directories: training by recipe, exact resume, and what came of it.

A run directory holds `config.json` (all that the run was started with),
`data.json` (a digest of each file of its data), `reals.png` (some of the data),
`metrics.jsonl`, `losses.png`, `samples/*.png`, `index.html` (a page of all that),
`checkpoints/` and `export/1`; with `evaluate_every`, also `best/`, the checkpoint
of the best score.
"""

import contextlib
import json
import math
import pathlib
import shlex
from typing import TYPE_CHECKING

import keras

from keras_gans.core import presets, serialization
from keras_gans.core.inputs import name_classes
from keras_gans.engine import make_deterministic
from keras_gans.training import (
    callbacks,
    checkpoints,
    configs,
    datasets,
    directories,
    distribution,
    lengths,
    pretraining,
    recipes,
)
from keras_gans.training.beginning import Beginning, recover
from keras_gans.training.directories import (
    BEST,
    CHECKPOINTS,
    CONFIG,
    CONTENTS,
    DATA,
    EXPORT,
    METRICS,
    PAGE,
    PLOT,
    REALS,
    SAMPLES,
    is_run,
)
from keras_gans.training.kinds import check_tokenizer
from keras_gans.training.options import OPTIONS, defaults
from keras_gans.utils import files
from keras_gans.utils.locks import locked
from keras_gans.utils.text import count_of
from keras_gans.utils.types import Path
from keras_gans.utils.validation import is_int, is_number
from keras_gans.version import __version__

if TYPE_CHECKING:
    from keras_gans.core.gan import BaseGAN


# Arguments that hold back an average until it is one: it already is.
FROM_SCRATCH = ("ema_rampup",)


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
            than one length or tokenizer is given.
    """
    entry = recipes.get(recipe)
    config = {
        "recipe": recipe,
        "arguments": recipes.arguments(entry, arguments),
        **defaults(entry),
        "epochs": None,
        "class_names": None,  # of the data, see `datasets.with_classes`
        "kernels": {},  # what computes its convolutions, see `KeepKernels`
        **options,
        "version": __version__,
    }
    check_tokenizer(config)
    own = config["data"] == entry.data or "num_classes" in (arguments or {})
    if entry.task == datasets.LABELLED and not own:
        config["arguments"]["num_classes"] = None  # `train` counts them
    return _checked(config)


def fine_tuned(recipe: str, preset: str, arguments: dict) -> dict:
    """The arguments of a run that begins from the weights of a preset.

    They are the preset's, but for those given; where it says nothing, the
    recipe's hold.

    Args:
        recipe: str, a name of `recipes.RECIPES`.
        preset: str, see `presets.from_preset`.
        arguments: dict, constructor arguments that are given.

    Raises:
        ValueError: the preset is of another class, or does not fit.
    """
    entry, directory = recipes.get(recipe), presets.locate(preset)
    cls, config = presets.read_config(directory)
    if cls is not recipes.model_of(entry):
        known = [n for n, r in recipes.RECIPES.items() if r.model == cls.__name__]
        raise ValueError(
            f"{preset} holds a {cls.__name__}, which `keras-gans train "
            f"{known[0] if known else '...'}` trains. Received: {recipe}."
        )
    changed = dict(arguments)
    if entry.task == datasets.LABELLED:
        config.pop("num_classes", None)  # that of the data, which are others
    elif config.get("num_classes") is not None:
        changed.setdefault("num_classes", None)  # its data has no labels
    for name in FROM_SCRATCH:
        if name in config:
            changed.setdefault(name, 0.0)
    for name in ("name", "seed"):
        config.pop(name, None)
    chosen = presets.changed_arguments(directory, cls, config, changed)
    own = [n for n in chosen if "generator" in n or "discriminator" in n]
    if any(chosen[n] is not None for n in own):
        raise ValueError(
            f"{preset} holds networks that no arguments make. Fine-tune it in "
            "Python: gan = keras_gans.from_preset(...); gan.fit(...)."
        )
    return {name: value for name, value in chosen.items() if name not in own}


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
            f"Not a run directory: it has no {CONFIG}. Received: {run_dir}."
            f"{directories.near(run_dir)} Expected the --run_dir of a `keras-gans "
            "train`."
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
        arguments = serialization.revive(config["arguments"])
        gan = model(**arguments, seed=config["seed"])
    except TypeError as error:
        given = ", ".join(f"{k}={v!r}" for k, v in config["arguments"].items())
        raise ValueError(
            f"{recipe.model} cannot be built from its arguments ({error}). Received: "
            f"{given}, of a run of keras_gans {config['version']}. "
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
    if gan.engine.choices is not None:
        gan.engine.choices.restore(config["kernels"])
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
                f"{run_dir} has no best checkpoint: it was not scored while it "
                "trained. Leave `best` out to take the latest checkpoint, or train "
                f"on by `keras-gans train {config['recipe']} --run_dir={run_dir} "
                "--resume --evaluate_every=1000`."
            )
    if path is None:
        raise ValueError(
            f"The run has no checkpoint yet. Received: {run_dir}. Train it by "
            f"`keras-gans train {config['recipe']} --run_dir={run_dir} --resume`."
        )
    gan = _rebuild(run_dir, config)
    name_classes(gan.inputs, config.get("class_names"))
    return gan, checkpoints.restore(gan, path)


def train(
    run_dir: Path,
    config: dict,
    resume: bool | str = False,
    overwrite: bool = False,
    from_checkpoint: str | None = None,
) -> "BaseGAN":
    """Trains a recipe into a run directory, or goes on where it stopped.

    Args:
        run_dir: str or path.
        config: dict, from `new_config`.
        resume: bool, go on from the latest checkpoint in `run_dir`; from the
            start where there is none yet. "auto" also starts a run where there is
            none.
        overwrite: bool, remove the run that stands in `run_dir`, once the new
            one has trained a step.
        from_checkpoint: str, with `resume`: go on from this checkpoint, such as
            "step-00000100" or "previous" for the one before the latest. Later
            ones are removed.

    Returns:
        The GAN, trained.

    Raises:
        ValueError: `run_dir` is taken, or another training writes into it;
            there is no run to resume; what is resumed was started with another
            config or other data, or is damaged; the data does not fit.
        NotWrittenError: an `OSError`: the disk is full, or the like. The
            message says which checkpoint is safe.
        Interrupted, SystemExit: a signal has ended it; see
            `callbacks.Checkpoint`.
        FloatingPointError: training diverged.
    """
    files.check_name(run_dir)
    run_dir = pathlib.Path(run_dir)
    directories.check_resume(run_dir, resume)
    config = datasets.with_classes(recipes.get(config["recipe"]), config)
    config = datasets.with_table(recipes.get(config["recipe"]), config)
    scope = distribution.scope(config["strategy"])
    training = _Training(run_dir, config)
    with contextlib.ExitStack() as stack:
        if training.chief:
            safe = checkpoints.telling_what_is_safe(run_dir / CHECKPOINTS)
            stack.enter_context(safe)
            stack.enter_context(locked(run_dir))
        training.claim(resume, overwrite, from_checkpoint)
        training.build(scope)
        training.read_data()
        if training.is_finished():
            return training.gan
        training.begin(stack)
        training.fit()
        training.finish()
    return training.gan


class _Training:
    """One training of a run, step by step, as `train` takes them.

    All processes of a training take each step; one, the chief, looks after the
    directory.

    Args:
        run_dir: path.
        config: dict, of `new_config`.
    """

    def __init__(self, run_dir: pathlib.Path, config: dict):
        self.run_dir = run_dir
        self.config = config
        self.recipe = recipes.get(config["recipe"])
        self.chief = distribution.is_chief()
        self.first_callbacks = []
        self.before = None  # the config of a run that goes on

    def claim(self, resume, overwrite, from_checkpoint):
        """Finds whether a run goes on here, and from which checkpoint."""
        run_dir = self.run_dir
        if self.chief:
            recover(run_dir, CONTENTS)
        self.goes_on = bool(resume) and is_run(run_dir)
        if self.chief:
            self.goes_on = directories.going_on(run_dir, resume, overwrite)
            if self.goes_on:
                self.before = old = read_config(run_dir)
                configs.check_same(run_dir, old, self.config)
                self.config = {**self.config, "kernels": old["kernels"]}
        if from_checkpoint is not None and not self.goes_on:
            raise ValueError(
                "--from_checkpoint goes back in a run, with --resume. Received: "
                f"--from_checkpoint={from_checkpoint} for {run_dir}."
            )
        self.goes_back = from_checkpoint is not None
        self.latest = None
        if self.goes_on:
            self.latest = checkpoints.choose(run_dir / CHECKPOINTS, from_checkpoint)
        if self.chief and resume and self.latest is None:
            what = "checkpoint" if self.goes_on else "run"
            print(f"No {what} in {run_dir} yet: training starts from the beginning.")

    def build(self, scope):
        """Makes the GAN, or brings it back from its checkpoint."""
        config, latest = self.config, self.latest
        with scope:
            self.gan = _rebuild(self.run_dir, config) if self.goes_on else build(config)
        self.resumed = checkpoints.restore(self.gan, latest) if latest else None
        preset = config["from_preset"]
        if preset and not self.resumed:
            again = presets.transfer(self.gan, presets.locate(preset))
            if self.chief:
                news = f" {presets.told(again)}" if again else ""
                print(f"The weights are those of {preset}.{news}")

    def read_data(self):
        """Finds the data as it was left, and how long training takes on it."""
        gan, recipe, config = self.gan, self.recipe, self.config
        if self.chief:
            self.data = datasets.describe(recipe, config, gan)
            if self.goes_on:
                datasets.check_unchanged(self.run_dir / DATA, config, self.data)
        self.application = datasets.application(recipe, config)
        self.images = datasets.count(recipe, config, gan)
        late = pretraining.last_start(gan)
        config = lengths.settled(
            config, recipe, self.images, gan.batches_per_step, late
        )
        self.config = config
        self.dataset, self.steps_per_epoch = datasets.training(
            recipe, config, gan, self.resumed, self.images
        )
        self.steps = lengths.total_steps(
            config, self.steps_per_epoch, gan.batches_per_step
        )

    def is_finished(self):
        """Whether nothing is left to do, which is told: all stays as it is.

        Raises:
            ValueError: a length is given that is used up, and the run was to be
                longer.
        """
        trained = lengths.share(self.config, self.steps, self.resumed)
        if self.goes_back or trained < 1:
            return False
        if self.gan.engine.largest(int(self.chief and self._was_to_be_longer())):
            raise lengths.used_up(self.config, trained, self.resumed, self.before)
        shorter = self.steps is not None and trained > 1
        whole = self.chief and (shorter or self._has_ended())
        if not self.gan.engine.largest(int(whole)):
            return False
        if self.chief:
            print(
                "This run is finished: it has trained "
                f"{count_of(self.resumed.step, 'step')}. "
                f"Train on with {lengths.longer(self.config, trained)}, or another "
                "length beyond that."
            )
        return True

    def _was_to_be_longer(self):
        """Whether it stands before the end that its directory has noted."""
        images, batches = self.images, self.gan.batches_per_step
        late = pretraining.last_start(self.gan)
        before = lengths.settled(self.before, self.recipe, images, batches, late)
        self.before = before
        steps = lengths.total_steps(before, self.steps_per_epoch, batches)
        return lengths.share(before, steps, self.resumed) < 1

    def _has_ended(self):
        """Whether all that follows the last checkpoint has been written.

        A training that is killed meanwhile has trained all of its steps, but
        lacks the last line of its log, or has the export of earlier steps.
        """
        log, export = self.run_dir / METRICS, self.run_dir / EXPORT / "1"
        if not log.exists() or log.stat().st_size <= self.resumed.log_size:
            return False
        if keras.backend.backend() != "tensorflow":  # no other exports
            return True
        return export.is_dir() and export.stat().st_mtime >= self.latest.stat().st_mtime

    def begin(self, stack):
        """Makes the directory ready, and tells what will be done."""
        self.logger = callbacks.JsonlLogger(
            self.run_dir / METRICS, self.config["log_every"]
        )
        if self.chief:
            print(self.data)
            if not self.goes_on:  # the old run is there until a step is trained
                beginning = Beginning(self.run_dir, CONTENTS)
                self.first_callbacks = [stack.enter_context(beginning)]
            self._make_directory()
            self._tell()
        self.gan.engine.barrier()
        if self.resumed:
            steps = self.resumed.epoch_step
            self.gan.step_iterator.skip_steps(steps, self.resumed.logs)

    def _keep_kernels(self, names):
        """Writes what a resumed run is to take as well."""
        self.config = {**self.config, "kernels": names}
        directories.write_config(self.run_dir, self.config)

    def _make_directory(self):
        """Writes what a run begins with, and removes what it goes back behind."""
        run_dir, resumed = self.run_dir, self.resumed
        directories.make(run_dir, self.config)
        datasets.write_digests(run_dir / DATA, self.data, anew=not self.goes_on)
        if self.goes_back:
            checkpoints.remove_after(run_dir / CHECKPOINTS, resumed.step)
        datasets.write_reals(run_dir / REALS, self.recipe, self.config, self.gan)
        if resumed is None:  # of steps before the first checkpoint
            files.remove(run_dir / BEST)
        self.logger.cut(resumed.log_size if resumed else 0)

    def _tell(self):
        if lengths.share(self.config, self.steps, self.resumed) >= 1:
            what = "All steps are trained"
            if self.steps is None:
                minutes = count_of(self.config["minutes"], "minute")
                what = f"Training has taken its {minutes}, at step "
                what += f"{self.resumed.step:,}"
            print(f"{what}: what was not written at its end follows.")
            return
        told = lengths.notes(
            self.config, self.recipe, self.gan, self.images, self.steps
        )
        print(*told, sep="\n")
        if self.resumed:
            print(f"Going on after step {self.resumed.step}, from {self.latest}")

    def fit(self):
        """Trains, and writes the last checkpoint."""
        config, resumed = self.config, self.resumed
        self._make_callbacks()
        self.gan.fit(
            self.dataset,
            epochs=lengths.total_epochs(self.steps, self.steps_per_epoch),
            steps_per_epoch=self.steps_per_epoch,
            initial_epoch=resumed.epoch if resumed else 0,
            shuffle=False,
            verbose=0,
            callbacks=[
                callbacks.NanGuard(),
                callbacks.Balance(),
                *self.first_callbacks,
                self.logger,
                self.grids,
                *self._evaluations(),
                *([callbacks.KeepKernels(self._keep_kernels)] if self.chief else []),
                self.checkpoint,
                self.plot,
                self.page,
                callbacks.Progress(self.steps, config["minutes"], self.checkpoint),
                lengths.EndOfRun(self.steps, config["minutes"], self.checkpoint),
            ],
        )
        if self.checkpoint.last_saved != self.checkpoint.step:
            self.checkpoint.after_step(self.checkpoint.last_logs)

    def _make_callbacks(self):
        """Those that are asked for something once training has ended."""
        run_dir, config = self.run_dir, self.config
        self.grids = callbacks.SampleGrid(
            run_dir / SAMPLES,
            config["sample_every"],
            images=datasets.shown(self.recipe, config, self.gan),
            picture=self.application and self.application.picture,
            class_names=config.get("class_names"),
        )
        self.checkpoint = callbacks.Checkpoint(
            run_dir / CHECKPOINTS,
            config["checkpoint_every"],
            logger=self.logger,
            resumed=self.resumed,
            resume=_resume_command(run_dir, config),
        )
        self.plot = callbacks.LossPlot(
            run_dir / METRICS, run_dir / PLOT, config["sample_every"]
        )
        self.page = callbacks.ProgressPage(
            run_dir / PAGE,
            config["sample_every"],
            {name: value for name, value in config.items() if name != "kernels"},
            samples=run_dir / SAMPLES,
            plot=run_dir / PLOT,
            log=run_dir / METRICS,
        )

    def _evaluations(self):
        """The callback that scores the run, in a list, if one is asked for."""
        if self.config["evaluate_every"] is None:
            return []
        return [
            callbacks.Evaluate(
                datasets.reals(self.recipe, self.config, self.gan),
                self.config["evaluate_every"],
                metrics=("kid", "precision", "recall"),
                n=1000,
                log=self.logger,
                directory=self.run_dir / BEST,
            )
        ]

    def finish(self):
        """Writes plots, pages and the export, and tells where all is."""
        if self.chief:
            self.plot.plot()
            self.grids.write()
            self.page.write()
            step, first = self.checkpoint.step, self.resumed and self.resumed.step
            if not first:
                print(f"Trained {count_of(step, 'step')}.")
            elif first < step:
                print(
                    f"Trained {count_of(step - first, 'more step')}, {step:,} in all."
                )
            only = pretraining.after(self.gan, step)
            if only:
                print(only)
            self._tell_places()
            self._export()
        self.gan.engine.barrier()

    def _tell_places(self):
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
            if not (self.run_dir / name).exists():
                continue  # no line was due in so short a run
            print(f"  {what + ':':13}{self.run_dir / name}")

    def _export(self):
        path = self.run_dir / EXPORT / "1"
        if keras.backend.backend() == "tensorflow":
            self.gan.export(path, overwrite=True)
            datasets.write_class_names(path, self.config["class_names"])
            print(f"  SavedModel:  {path}")
        else:
            print(
                "  SavedModel:  none: TensorFlow writes it, by KERAS_BACKEND="
                f"tensorflow keras-gans export {self.run_dir} --to=DIR"
            )


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
