"""Which runs there are near a path, known by their files alone.

This file imports nothing of the package: the command line reads it without
importing a backend.
"""

from collections.abc import Callable
import pathlib
from types import ModuleType

CONFIG = "config.json"
WEIGHTS = "model.weights.safetensors"  # of presets, which have such a config too
ASIDE = ".old-run"  # in a run's directory, while another begins there
USUAL = "runs"  # the folder that `keras-gans train` makes them in
MOST_NAMED = 3


def is_run(run_dir: str | pathlib.Path) -> bool:
    """Whether a directory holds a run."""
    folder = pathlib.Path(run_dir)
    return (folder / CONFIG).is_file() and not (folder / WEIGHTS).is_file()


def seen(run_dir: pathlib.Path) -> list[str]:
    """What is seen in a directory: what a kill left before a config is hidden."""
    if not run_dir.is_dir():
        return []
    return [p.name for p in run_dir.iterdir() if p.name[0] != "."]


def check_resume(
    run_dir: str | pathlib.Path, resume: bool | str, near: Callable
) -> None:
    """Checks that there is a run to go on with, where there must be one.

    Args:
        run_dir: str or path.
        resume: bool, or "auto", which starts one where there is none.
        near: function of a path, the sentence that names runs near to it.

    Raises:
        ValueError: there is none: the nearest are named.
    """
    if resume not in (False, True, "auto"):
        raise ValueError(
            f"`resume` is true, false or 'auto'. Received: resume={resume!r}."
        )
    run_dir = pathlib.Path(run_dir)
    # One that was killed as it began has the old run aside.
    started = is_run(run_dir) or is_run(run_dir / ASIDE)
    foreign = run_dir.exists() and not run_dir.is_dir()
    if resume is True and not started and not foreign and seen(run_dir) == []:
        raise ValueError(
            f"There is no run to resume. Received: run_dir={run_dir}, which "
            f"{'is empty' if run_dir.exists() else 'does not exist'}.{near(run_dir)} "
            "Start one without --resume, or by --resume=auto, which goes on with a "
            "run where there is one."
        )


def near(
    path: str | pathlib.Path, suggestions: ModuleType, endings: tuple[str, ...] = ()
) -> str:
    """The sentence that names the runs which a path without one may have meant.

    Args:
        path: str or path.
        suggestions: the module `utils.suggestions`.
        endings: of files that may be meant too, such as ".keras".

    Returns:
        str: those of like names; where there are none, the newest that lie in the
        path, beside it or in `runs`. "" where there are none at all.
    """
    path = pathlib.Path(path)
    for parent in path.parents:
        if is_run(parent):
            return suggestions.did_you_mean([str(parent)])
    runs = {}
    for folder in (path, path.parent, pathlib.Path(USUAL)):
        for one in _runs_in(folder, endings):
            runs.setdefault(one.resolve(), one)
    runs = list(runs.values())
    named = {name: str(one) for one in runs for name in (one.name, one.stem)}
    alike = suggestions.nearest(path.name, named, MOST_NAMED)
    if alike:
        return suggestions.did_you_mean(list(dict.fromkeys(named[n] for n in alike)))
    newest = sorted(runs, key=lambda one: -one.stat().st_mtime)
    shown = ", ".join(map(str, newest[:MOST_NAMED]))
    more = f" and {len(runs) - MOST_NAMED} more" * (len(runs) > MOST_NAMED)
    return f" There are {shown}{more}." if runs else ""


def _runs_in(folder, endings):
    try:
        inside = sorted(folder.iterdir())
    except OSError:  # no folder, or a closed one
        return []
    return [p for p in inside if p.suffix in endings or is_run(p)]
