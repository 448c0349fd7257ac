"""Presets of runs: what was trained, how, and what came of it."""

import dataclasses
import pathlib

from keras_gans.training import directories, runs
from keras_gans.training.callbacks.logs import read_rows
from keras_gans.utils.types import Path

# Of a run's config, those that may be paths of this machine.
PLACES = ("data", "data_dir", "from_preset")


def of_run(
    run_dir: Path, directory: Path, overwrite: bool = False, best: bool = False
) -> tuple[pathlib.Path, str]:
    """Writes the GAN of a run as a preset, with its recipe and its scores.

    Of paths that the run was told, the last name alone is kept.

    Args:
        run_dir: str or path of a run directory.
        directory: str or path of the preset.
        overwrite: bool, whether a preset there is replaced.
        best: bool, take the run's checkpoint of the best score.

    Returns:
        `(directory, text)`: the path written, and a sentence of what it is.

    Raises:
        ValueError: there is no such run or checkpoint, or something else stands
            at `directory`.
    """
    gan, position = runs.open_run(run_dir, best)
    config = runs.read_config(run_dir)
    rows = [
        row
        for row in read_rows(pathlib.Path(run_dir) / directories.METRICS)
        if row["kind"] == "evaluation" and row["step"] <= position.step
    ]
    told = dataclasses.asdict(position)
    metrics = {name: told[name] for name in ("step", "seconds", "logs")}
    metrics["scores"] = rows[-1]["records"] if rows else []
    gan.save_to_preset(
        directory,
        overwrite,
        class_names=config["class_names"],
        recipe=shareable(config),
        metrics=metrics,
    )
    text = f"{type(gan).__name__} of step {position.step}, recipe {config['recipe']}"
    return pathlib.Path(directory), text


def shareable(config: dict) -> dict:
    """A run's config without the folders of this machine, and what is fast on it."""
    return {
        name: _shareable(name, value)
        for name, value in config.items()
        if name != "kernels"
    }


def _shareable(name, value):
    known = value is None or "://" in value if name in PLACES else True
    return value if known else pathlib.PurePath(value).name
