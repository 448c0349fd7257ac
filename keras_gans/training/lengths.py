"""How long a run trains: in steps, epochs, thousands of images or minutes."""

import math
from typing import TYPE_CHECKING

from keras_gans.core.recipe import Recipe
from keras_gans.training import pretraining
from keras_gans.training.callbacks.saving import Checkpoint
from keras_gans.training.callbacks.steps import ENDLESS, StepCallback
from keras_gans.training.kinds import KINDS
from keras_gans.utils.text import count_of
from keras_gans.utils.validation import batch_of_few

if TYPE_CHECKING:
    from keras_gans.core.gan import BaseGAN
    from keras_gans.training.checkpoints import Position

LENGTHS = ("steps", "epochs", "kimg", "minutes")

# Of a run of somebody's own data, unless told otherwise: recipes count epochs of a
# small set.
LEAST_STEPS, MOST_STEPS = 2000, 100_000
FEW_STEPS = 500  # too few for most GANs to show more than blurs
FEW_IMAGES = 1000  # that a discriminator soon knows by heart


def check_length(config: dict) -> None:
    """Checks that a config has one length, or none.

    Raises:
        ValueError: it has several.
    """
    names = [name for name in LENGTHS if config[name] is not None]
    if len(names) > 1:
        flags = " and ".join(_flag(name, config[name]) for name in names)
        raise ValueError(
            "A run has one length: steps, epochs, kimg (thousands of images) or "
            f"minutes. Received: {flags}. Keep one of them."
        )


def with_length(config: dict, options: dict) -> dict:
    """A config changed by options, of which a length replaces another."""
    if any(options.get(name) is not None for name in LENGTHS):
        config = {**config, **dict.fromkeys(LENGTHS)}
    return {**config, **options}


def settled(
    config: dict, recipe: Recipe, images: int, batches: int, late: int = 0
) -> dict:
    """A config with what a run was not told and its data decides.

    Batches are as large as the set at most. Without a length, a run has the
    epochs of its recipe; of other data than the recipe's, as many more or fewer
    as make 2,000 to 100,000 steps, but one at least, and a quarter more steps
    than come before the last phase.

    Args:
        config: dict, from `runs.new_config`.
        recipe: `core.recipe.Recipe`.
        images: int, of the data set.
        batches: int, batches a step.
        late: int, the step in which the last phase starts.

    Returns:
        dict, with a length.
    """
    config = dict(config)
    if images < config["batch_size"] == recipe.batch_size:
        config["batch_size"] = batch_of_few(images)
    if all(config[name] is None for name in LENGTHS):
        config["epochs"] = recipe.epochs
        steps = max(1, images // config["batch_size"] // batches)
        if config["steps_per_epoch"] is None and config["data"] != recipe.data:
            least = -(-max(LEAST_STEPS, pretraining.reaching(late)) // steps)
            config["epochs"] = max(least, min(recipe.epochs, MOST_STEPS // steps))
    return config


def total_steps(config: dict, steps_per_epoch: int, batches: int) -> int | None:
    """The steps that a run trains in all; `None` where it counts minutes."""
    if config["minutes"] is not None:
        return None
    if config["steps"] is not None:
        return config["steps"]
    if config["kimg"] is not None:
        return math.ceil(1000 * config["kimg"] / (config["batch_size"] * batches))
    return config["epochs"] * steps_per_epoch


def share(config: dict, steps: int | None, resumed: "Position | None") -> float:
    """How much of its length a run has trained: 1.0 or more is all of it.

    Args:
        config: dict, from `settled`.
        steps: int, from `total_steps`.
        resumed: `checkpoints.Position`, or `None` at the start of a run.
    """
    if resumed is None:
        return 0.0
    if steps is None:
        return resumed.seconds / (60 * config["minutes"])
    return resumed.step / steps


def typed(config: dict, times: int = 1) -> str:
    """The length of a config as a flag: "--minutes=6"; "" of one without.

    Args:
        config: dict.
        times: int, how often to take the length.
    """
    flags = [_flag(n, times * config[n]) for n in LENGTHS if config[n] is not None]
    return "".join(flags)


def _flag(name, value):
    return f"--{name}={int(value) if value == int(value) else value}"


def longer(config: dict, trained: float = 1.0) -> str:
    """The flag of a length that trains on; "" of a config without a length.

    Args:
        config: dict.
        trained: float, from `share`: its length is doubled until it is more.
    """
    times = 2
    while times <= trained:
        times *= 2
    return typed(config, times)


def used_up(
    config: dict, trained: float, position: "Position", before: dict | None
) -> ValueError:
    """The error of a run that is resumed with a length that lies behind it.

    Args:
        config: dict, with the length that is given.
        trained: float, from `share`.
        position: `checkpoints.Position` of the run.
        before: dict, the config of the run until now, if it is known.
    """
    flag = typed(config)
    name = flag.strip("-").partition("=")[0]
    after = ""
    if name == "minutes":
        after = f", after {count_of(round(position.seconds / 60, 1), 'minute')}"
    former = f", or leave it out to go on to {typed(before)}" if before else ""
    return ValueError(
        f"`{name}` counts over all resumes. Received: {flag}, which is used up: the "
        f"run stands at step {position.step:,}{after}. Give more, such as "
        f"{longer(config, trained)}{former}."
    )


def total_epochs(steps: int | None, steps_per_epoch: int) -> int:
    """The epochs of `fit` that hold so many steps, of which the last may be cut."""
    return ENDLESS if steps is None else -(-steps // steps_per_epoch)


def notes(
    config: dict, recipe: Recipe, gan: "BaseGAN", images: int, steps: int | None
) -> list[str]:
    """What to tell of a run before it starts: its length, and what suits it.

    Args:
        config: dict, from `settled`.
        recipe: `core.recipe.Recipe`.
        gan: `BaseGAN`.
        images: int, of the data set.
        steps: int, from `total_steps`.
    """
    batch = config["batch_size"]
    a_step = batch * gan.batches_per_step
    kind = KINDS.get(recipe.task)
    what, poor = (kind.what, kind.poor) if kind else ("images", "blurs")
    if steps is None:
        length = count_of(config["minutes"], "minute")
    else:
        passes = steps * a_step / images
        times = f"{passes:,.0f}" if passes >= 100 else f"{passes:.3g}"
        see = "sees" if steps == 1 else "see"
        length = f"{count_of(steps, 'step')}, which {see} {images:,} {what} {times} "
        length += "time" if times == "1" else "times"
    batches = f"batches of {batch}"
    few = images < recipe.batch_size
    if few and batch == batch_of_few(images):  # else a flag says so
        batches += (
            f", the largest power of 2 that {images} {what} fill (the recipe has "
            f"{recipe.batch_size})"
        )
    told = [f"Training for {length}, in {batches}."]
    standard = config["data"] == recipe.data and config["epochs"] == recipe.epochs
    if steps is not None and not standard:
        if steps < FEW_STEPS:
            told.append(
                f"{count_of(steps, 'step')} {'is' if steps == 1 else 'are'} too few "
                f"for most GANs: expect {poor}. Give --steps={LEAST_STEPS} or more."
            )
        if steps * a_step < images:
            told.append(
                f"Only {steps * a_step:,} of {images:,} {what} are seen in so short "
                "a run."
            )
    only = steps is not None and pretraining.before(gan, steps)
    if only:
        told.append(only)
    if images < FEW_IMAGES:
        flags = []
        augments = gan.samples_from_seed and "diff_augment" not in recipe.without
        if augments and not config["arguments"].get("diff_augment"):
            flags.append("--diff_augment=color,translation,cutout")
        if not config["flip"] and (kind is None or kind.mirrored):
            flags.append("--flip (where mirrored ones are as good)")
        if flags:
            told.append(
                f"{images:,} {what} are few, and are soon known by heart. "
                f"Consider {' and '.join(flags)}."
            )
            if gan.samples_from_seed and kind is None:
                told[-1] += " Whether they are, keras-gans nearest shows afterwards."
    return told


class EndOfRun(StepCallback):
    """Ends `fit` after so many steps or minutes, counted over all resumes.

    Args:
        steps: int, or `None`.
        minutes: float, or `None`.
        checkpoint: `Checkpoint` of the same run, which knows the time.
    """

    def __init__(
        self, steps: int | None, minutes: float | None, checkpoint: Checkpoint
    ):
        super().__init__()
        self.steps = steps
        self.minutes = minutes
        self.checkpoint = checkpoint

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        super().on_train_batch_end(batch, logs)
        done = self.steps is not None and self.step >= self.steps
        if self.minutes is not None:
            # One clock decides for all processes.
            late = self.checkpoint.seconds >= 60 * self.minutes
            done = bool(self.model.engine.largest(int(late)))
        if done:
            self.model.stop_training = True
