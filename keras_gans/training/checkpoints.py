"""Checkpoints of a run in progress: all that exact resume needs.

A checkpoint is a directory `step-00000100` that holds the weights, both
optimizers, the moving average and the seeds (`gan.weights.h5`) and where in
the run it stands (`position.json`). It appears in one step, when it is whole.

`position.json` holds the SHA-256 of the other files, and one of its own
content: a checkpoint of which a bit has changed is refused. Those of version
0.1 have no checksums; they load, and are refused only where they cannot be read
or their weights are of another step.
"""

from collections.abc import Iterable, Iterator
import contextlib
import dataclasses
import hashlib
import json
import math
import pathlib
from typing import TYPE_CHECKING
import warnings

from keras import ops

from keras_gans.utils import files
from keras_gans.utils.types import Path
from keras_gans.utils.validation import is_int

if TYPE_CHECKING:
    from keras_gans.core.gan import BaseGAN

WEIGHTS = "gan.weights.h5"
POSITION = "position.json"
PREVIOUS = "previous"  # the checkpoint before the newest, for `choose`
WIDEST = 4  # bytes of a value
OVERHEAD = 2**12  # bytes of HDF5 around the values of a variable
# In position.json, beside the position.
FILES = "files"
CHECKSUM = "sha256"


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
        seconds: float, how long these steps took, over all resumes.
    """

    model: str
    step: int
    epoch: int
    epoch_step: int
    steps_per_epoch: int | None
    logs: dict
    means: dict
    log_size: int
    seconds: float = 0.0


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

    Raises:
        ValueError: something else stands at `path`.
        NotWrittenError: an `OSError`: the disk is full, or the like.
    """
    notes = notes or {}
    check_target(path, notes)
    with files.replacing(path) as temporary:
        temporary.mkdir()
        files.reserve(temporary / WEIGHTS, _size(gan))
        gan.save_weights(temporary / WEIGHTS)
        for name, text in notes.items():
            (temporary / name).write_text(text)
        content = dataclasses.asdict(position)
        content[FILES] = {name: _sha256(temporary / name) for name in (WEIGHTS, *notes)}
        content[CHECKSUM] = _checksum(content)
        (temporary / POSITION).write_text(json.dumps(content, indent=1))


def _size(gan):
    """How large the file of weights is, at most."""
    variables = [*gan.variables, *gan.optimizer.variables]
    values = sum(math.prod(v.shape) * WIDEST for v in variables)
    return values + len(variables) * OVERHEAD


def check_target(path: Path, notes: Iterable[str] = ()) -> None:
    """Checks that nothing but a checkpoint stands where one is to be written.

    Args:
        path: str or path of the checkpoint.
        notes: names of the files that are kept beside.

    Raises:
        ValueError: something else does.
    """
    known = {POSITION, WEIGHTS, *notes}

    def is_checkpoint(path):
        names = {p.name for p in path.iterdir()} if path.is_dir() else set()
        return POSITION in names and names <= known

    files.check_free(path, True, files.Kind("a checkpoint", is_checkpoint))


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checksum(content):
    """That of all that position.json holds beside it."""
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def all_in(directory: Path) -> list[pathlib.Path]:
    """The checkpoints in a directory, oldest first."""
    paths = pathlib.Path(directory).glob("step-" + "[0-9]" * 8)
    return sorted(path for path in paths if (path / POSITION).is_file())


def step_of(path: pathlib.Path) -> int:
    """The step that a checkpoint's name tells."""
    return int(path.name.split("-")[1])


def latest(directory: Path) -> pathlib.Path | None:
    """The newest checkpoint in a directory, or `None`.

    Args:
        directory: str or path.

    Returns:
        Its path, or `None` where there is none.

    Example:

    ```python
    from keras_gans.training import checkpoints

    checkpoints.latest("run/checkpoints")  # None: there is no such directory
    ```
    """
    return choose(directory)


def remove_after(directory: Path, step: int) -> None:
    """Removes the checkpoints of later steps."""
    for path in all_in(directory):
        if step_of(path) > step:
            files.remove(path)


def choose(directory: Path, name: str | None = None) -> pathlib.Path | None:
    """A checkpoint of a directory, by its name.

    Args:
        directory: str or path.
        name: str, such as "step-00000100", or "previous" for the one before the
            newest; `None` takes the newest.

    Returns:
        Its path; `None` where there is no checkpoint at all.

    Raises:
        ValueError: there is none of that name.

    Example:

    ```python
    from keras_gans.training import checkpoints

    checkpoints.choose("run/checkpoints")  # None: there is no such directory
    ```
    """
    paths = all_in(directory)
    if name is None:
        return paths[-1] if paths else None
    if name == PREVIOUS and len(paths) > 1:
        return paths[-2]
    chosen = [path for path in paths if path.name == name]
    if not chosen:
        raise ValueError(
            f"There is no such checkpoint. Received: {name!r}. {directory} holds "
            f"{', '.join(path.name for path in paths) or 'none'}."
        )
    return chosen[0]


@contextlib.contextmanager
def telling_what_is_safe(directory: Path) -> Iterator[None]:
    """Adds to an error of writing from where a training goes on."""
    try:
        yield
    except files.NotWrittenError as error:
        if error.safe:
            raise
        path = latest(directory)
        safe = f"There is no checkpoint in {directory}."
        if path is not None:
            safe = f"What is safe is {path}: training goes on from there."
        raise files.NotWrittenError(str(error), safe) from error


def restore(gan: "BaseGAN", path: Path) -> Position:
    """Loads a checkpoint into a compiled GAN of the same class and size.

    Checksums are compared first, so a damaged one leaves the GAN as it was.

    Args:
        gan: a compiled `BaseGAN`.
        path: str or path of a checkpoint, one of `all_in(directory)`.

    Returns:
        The `Position` it stands at.

    Raises:
        ValueError: the checkpoint is damaged or belongs to another model.

    Example:

    ```python
    from keras_gans.training import checkpoints

    path = checkpoints.latest("run/checkpoints")
    if path is not None:
        done = checkpoints.restore(gan, path)
    ```
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
            f"and its optimizers as they were trained. {_way_back(path)}"
        ) from error
    step = int(ops.convert_to_numpy(gan.step))
    if step != position.step:
        raise _damaged(path, f"{WEIGHTS} is of step {step}, not of {position.step}")
    return position


def read_position(path: Path) -> Position:
    """The `Position` of a checkpoint, all of whose files are as written.

    Raises:
        ValueError: the checkpoint is damaged.
    """
    path = pathlib.Path(path)
    try:
        content = json.loads((path / POSITION).read_bytes())
        written = content.pop(CHECKSUM, None)
        if written is not None and written != _checksum(content):
            raise ValueError("its checksum differs")
        sums = content.pop(FILES, {})
        position = Position(**content)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(path, f"{POSITION}: {error}") from error
    if written is None and (sums or not _is_sound(position)):
        raise _damaged(path, f"{POSITION} holds something else")
    for name, digest in sums.items():
        try:
            differs = _sha256(path / name) != digest
        except OSError as error:
            raise _damaged(path, f"{name}: {error}") from error
        if differs:
            raise _damaged(path, f"the checksum of {name} differs")
    return position


def _is_sound(position):
    """Whether values of a position without checksums are of their types."""
    counts = (position.step, position.epoch, position.epoch_step, position.log_size)
    return (
        all(is_int(n) and n >= 0 for n in counts)
        and isinstance(position.logs, dict)
        and isinstance(position.means, dict)
    )


def _damaged(path, why):
    return ValueError(
        f"Not a checkpoint, or a damaged one. Received: {path} ({why}). "
        f"{_way_back(path)}"
    )


def _way_back(path):
    """Where to go on from instead of a checkpoint that is damaged."""
    before = [p.name for p in all_in(path.parent) if p.name < path.name]
    if path.name.startswith("step-") and before:
        return (
            f"Go on from the one before, {before[-1]}: --resume "
            f"--from_checkpoint={before[-1]}."
        )
    return f"Remove {path} to do without it."


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
