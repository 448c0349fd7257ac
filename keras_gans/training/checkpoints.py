"""Checkpoints of a run in progress: all that exact resume needs.

A checkpoint is a directory `step-00000100` that holds the weights, both
optimizers, the moving average and the seeds (`gan.weights.h5`) and where in
the run it stands (`position.json`). It appears in one step, when it is whole.
"""

import dataclasses
import json
import pathlib
from typing import TYPE_CHECKING
import warnings

from keras import ops

from keras_gans.utils import files
from keras_gans.utils.types import Path

if TYPE_CHECKING:
    from keras_gans.core.gan import BaseGAN

WEIGHTS = "gan.weights.h5"
POSITION = "position.json"


@dataclasses.dataclass(frozen=True)
class Position:
    """Where in a run a checkpoint stands.

    Args:
        model: str, the class of the GAN.
        step: int, steps trained in all.
        epoch: int, the epoch in progress, from 0.
        epoch_step: int, steps of that epoch behind it.
        steps_per_epoch: int or `None`, steps of an epoch where known.
        logs: dict, what the last step reported.
        means: dict, the state of each running mean of that epoch.
        log_size: int, bytes of the log file that belong to these steps.
    """

    model: str
    step: int
    epoch: int
    epoch_step: int
    steps_per_epoch: int | None
    logs: dict
    means: dict
    log_size: int


def save(
    gan: "BaseGAN", directory: Path, position: Position, keep: int = 2
) -> pathlib.Path:
    """Writes a checkpoint and removes all but the newest `keep`.

    Args:
        gan: a compiled `BaseGAN`.
        directory: str or path, where checkpoints are collected.
        position: `Position`.
        keep: int, how many to keep.

    Returns:
        The path of the new checkpoint.
    """
    directory = pathlib.Path(directory)
    path = directory / f"step-{position.step:08d}"
    write(gan, path, position)
    for old in all_in(directory)[:-keep]:
        if old != path:
            files.remove(old)
    return path


def write(
    gan: "BaseGAN", path: Path, position: Position, notes: dict[str, str] | None = None
) -> None:
    """Writes one checkpoint, in place of one that stands at `path`.

    Args:
        gan: a compiled `BaseGAN`.
        path: str or path of the checkpoint.
        position: `Position`.
        notes: dict of file name to text, kept beside.
    """
    with files.replacing(path) as temporary:
        temporary.mkdir()
        gan.save_weights(temporary / WEIGHTS)
        text = json.dumps(dataclasses.asdict(position), indent=1)
        for name, content in {POSITION: text, **(notes or {})}.items():
            (temporary / name).write_text(content)


def all_in(directory: Path) -> list[pathlib.Path]:
    """The checkpoints in a directory, oldest first."""
    found = pathlib.Path(directory).glob("step-" + "[0-9]" * 8)
    return sorted(path for path in found if (path / POSITION).is_file())


def step_of(path: pathlib.Path) -> int:
    """The step that a checkpoint's name tells."""
    return int(path.name.split("-")[1])


def latest(directory: Path) -> pathlib.Path | None:
    """The newest checkpoint in a directory, or `None`."""
    found = all_in(directory)
    return found[-1] if found else None


def restore(gan: "BaseGAN", path: Path) -> Position:
    """Loads a checkpoint into a compiled GAN of the same class and size.

    Args:
        gan: a compiled `BaseGAN`.
        path: str or path of a checkpoint, one of `all_in(directory)`.

    Returns:
        The `Position` it stands at.

    Raises:
        ValueError: the checkpoint is damaged or belongs to another model.
    """
    path = pathlib.Path(path)
    position = read_position(path)
    if position.model != type(gan).__name__:
        raise ValueError(
            "The checkpoint belongs to another model. Received: a checkpoint "
            f"of {position.model} at {path}. Expected: {type(gan).__name__}."
        )
    try:
        with warnings.catch_warnings():
            # Keras only warns where an optimizer does not fit.
            warnings.simplefilter("error", UserWarning)
            gan.load_weights(path / WEIGHTS)
    except Exception as error:  # h5py and Keras raise many kinds
        raise ValueError(
            "The checkpoint does not fit the model: it is damaged, or of a "
            f"model of other sizes. Received: {path} ({error}). Build the GAN "
            "and its optimizers as they were trained."
        ) from error
    return position


def read_position(path: Path) -> Position:
    """The `Position` of a checkpoint.

    Raises:
        ValueError: the checkpoint is damaged.
    """
    path = pathlib.Path(path)
    try:
        return Position(**json.loads((path / POSITION).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(
            f"Not a checkpoint, or a damaged one. Received: {path} ({error}). "
            "Remove it to go on from the one before."
        ) from error


def means(gan: "BaseGAN") -> dict[str, list[float]]:
    """The state of a GAN's running means: name to list of floats."""
    return {
        metric.name: [float(ops.convert_to_numpy(v)) for v in metric.variables]
        for metric in gan.metrics
    }


def set_means(gan: "BaseGAN", state: dict[str, list[float]]) -> None:
    """Gives a GAN's running means the state that `means` returned."""
    for metric in gan.metrics:
        for v, value in zip(metric.variables, state[metric.name], strict=True):
            v.assign(value)
