"""Run directories: what is in one, whether it may be written, which are near."""

import json
import pathlib

from keras_gans.training import configs, nearby
from keras_gans.training.nearby import CONFIG, is_run
from keras_gans.utils import files, suggestions
from keras_gans.utils.types import Path

DATA = "data.json"
METRICS = "metrics.jsonl"
PLOT = "losses.png"
SAMPLES = "samples"
CHECKPOINTS = "checkpoints"
EXPORT = "export"
PAGE = "index.html"
REALS = "reals.png"
BEST = "best"
# The config last: with it, all of a run is there.
CONTENTS = (
    METRICS,
    PLOT,
    PAGE,
    REALS,
    SAMPLES,
    CHECKPOINTS,
    EXPORT,
    BEST,
    DATA,
    CONFIG,
)


def check_resume(run_dir: Path, resume: bool | str) -> None:
    """Checks that there is a run to go on with, see `nearby.check_resume`."""
    nearby.check_resume(run_dir, resume, near)


def going_on(run_dir: pathlib.Path, resume: bool | str, overwrite: bool) -> bool:
    """Whether the run in a directory goes on, or a new one may begin there.

    Args:
        run_dir: path.
        resume: see `check_resume`.
        overwrite: bool, whether a run may be replaced.

    Raises:
        ValueError: the directory is taken.
    """
    if resume and overwrite:
        raise ValueError("--resume and --overwrite exclude each other.")
    if not run_dir.exists():
        return False
    if run_dir.is_dir():
        if not nearby.seen(run_dir):
            return False
        if is_run(run_dir) and resume:
            return True
        if is_run(run_dir) and overwrite:
            configs.read(run_dir / CONFIG)  # else it is another program's
            return False
    if resume or overwrite or not is_run(run_dir):
        raise ValueError(
            f"{run_dir} holds files that are no run of keras-gans; it is left "
            f"alone.{near(run_dir)} Choose another --run_dir."
        )
    raise ValueError(
        f"Nothing is overwritten unasked. Received: run_dir={run_dir}, which "
        "exists. Choose another --run_dir, go on with --resume, or remove the "
        "old run with --overwrite."
    )


def make(run_dir: pathlib.Path, config: dict) -> None:
    """Makes a run directory and its config."""
    with files.naming(run_dir):
        run_dir.mkdir(parents=True, exist_ok=True)
        for place in (run_dir, *(run_dir / n for n in (SAMPLES, CHECKPOINTS, EXPORT))):
            files.sweep(place)
    write_config(run_dir, config)


def write_config(run_dir: pathlib.Path, config: dict) -> None:
    """Writes the config of a run, in place of what stands there."""
    with files.replacing(run_dir / CONFIG) as temporary:
        temporary.write_text(json.dumps(config, indent=1) + "\n")


def near(path: Path, endings: tuple[str, ...] = ()) -> str:
    """The sentence that names the runs near to a path, see `nearby.near`."""
    return nearby.near(path, suggestions, endings)
