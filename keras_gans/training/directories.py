"""Run directories: what is in one, whether it may be written, which are near."""

import json
import pathlib

from keras_gans.core import presets
from keras_gans.training import configs
from keras_gans.training.beginning import ASIDE
from keras_gans.utils import files
from keras_gans.utils.suggestions import did_you_mean, nearest
from keras_gans.utils.types import Path

CONFIG = "config.json"
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
USUAL = "runs"  # the folder that `keras-gans train` makes them in
MOST_NAMED = 3


def is_run(run_dir: Path) -> bool:
    """Whether a directory holds a run."""
    is_preset = presets.is_preset(run_dir)  # of which a file has the same name
    return (pathlib.Path(run_dir) / CONFIG).is_file() and not is_preset


def check_resume(run_dir: pathlib.Path, resume: bool | str) -> None:
    """Checks that there is a run to go on with, where there must be one.

    Args:
        run_dir: path.
        resume: bool, or "auto", which starts one where there is none.

    Raises:
        ValueError: there is none: the nearest are named.
    """
    if resume not in (False, True, "auto"):
        raise ValueError(
            f"`resume` is true, false or 'auto'. Received: resume={resume!r}."
        )
    # One that was killed as it began has the old run aside.
    started = is_run(run_dir) or is_run(run_dir / ASIDE)
    foreign = run_dir.exists() and not run_dir.is_dir()
    if resume is True and not started and not foreign and _names(run_dir) == []:
        raise ValueError(
            f"There is no run to resume. Received: run_dir={run_dir}, which "
            f"{'is empty' if run_dir.exists() else 'does not exist'}.{near(run_dir)} "
            "Start one without --resume, or by --resume=auto, which goes on with a "
            "run where there is one."
        )


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
        if not _names(run_dir):
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


def _names(run_dir):
    """What is seen in a directory: what a kill left before a config is hidden."""
    if not run_dir.is_dir():
        return []
    return [p.name for p in run_dir.iterdir() if p.name[0] != "."]


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
    """The sentence that names the runs which a path without one may have meant.

    Args:
        path: str or path.
        endings: of files that may be meant too, such as ".keras".

    Returns:
        str: those of like names; where there are none, the newest that lie in the
        path, beside it or in `runs`. "" where there are none at all.
    """
    path = pathlib.Path(path)
    for parent in path.parents:
        if is_run(parent):
            return did_you_mean([str(parent)])
    found = {}
    for folder in (path, path.parent, pathlib.Path(USUAL)):
        for one in _runs_in(folder, endings):
            found.setdefault(one.resolve(), one)
    found = list(found.values())
    named = {name: str(one) for one in found for name in (one.name, one.stem)}
    alike = nearest(path.name, named, MOST_NAMED)
    if alike:
        return did_you_mean(list(dict.fromkeys(named[name] for name in alike)))
    newest = sorted(found, key=lambda one: -one.stat().st_mtime)
    shown = ", ".join(map(str, newest[:MOST_NAMED]))
    more = f" and {len(found) - MOST_NAMED} more" * (len(found) > MOST_NAMED)
    return f" There are {shown}{more}." if found else ""


def _runs_in(folder, endings):
    try:
        inside = sorted(folder.iterdir())
    except OSError:  # no folder, or a closed one
        return []
    return [p for p in inside if p.suffix in endings or is_run(p)]
