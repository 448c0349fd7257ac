"""What is fastest on this machine, timed once and kept.

What is chosen is kept thrice: in a GAN (`Choices`), whose run writes it into its
config; in this process; and on disk, for the next.
"""

import concurrent.futures
import contextlib
import functools
import hashlib
import json
import os
import pathlib
import re
import statistics
import time
from typing import Any
import warnings

import keras

from keras_gans.utils import files
from keras_gans.utils.startup import instructions

# Another number where candidates compute otherwise: what was measured is void.
FORMAT = 5
# A candidate is taken where it needs less than this share of Keras's time.
MARGIN = 0.92
# A candidate that takes longer than this many times the fastest is out: after the
# first run, and after the second.
HOPELESS = (1.5, 1.25)
LEAST_RUNS, MOST_RUNS = 3, 9
SECONDS_EACH = 0.03  # for a candidate, where runs are short
# A GAN's measuring takes no longer: what is met later is chosen by rules.
BUDGET = 25.0
SAMPLING_BUDGET = 10.0  # where no training has to gain by it
LARGEST_FILE = 1 << 20
MOST_CHOICES = 4096
RULE = "rule"


class Choices:
    """What a GAN computes each of its convolutions by.

    Attributes:
        names: dict of str: of each direction of each convolution, or of a rule,
            the name of what is taken.
        seconds: float, how long measuring has taken.
    """

    def __init__(self):
        self.names = {}
        self.seconds = 0.0

    def restore(self, names: Any) -> None:
        """Takes what was chosen before, as a run or a file has kept it.

        Raises:
            ValueError: it is none of that.
        """
        if not _is_sound(names):
            raise ValueError(
                "`kernels` holds, by convolution, the name of what computes it, as "
                f"the run that was started has written it. Received: {names!r:.200}."
                " Put it back, or set it to {} to choose again (what follows then "
                "need not be the same to the bit)."
            )
        self.names = dict(names)

    def rule(self, what: str, decide) -> str:
        """What a rule has decided, or decides now."""
        key = f"{RULE} {what}"
        return self._keep(key, self.names.get(key) or decide())

    def has(self, g: Any, direction: str) -> bool:
        """Whether the clock has chosen what computes a direction of a convolution."""
        return f"{direction} {g}" in self.names

    def has_rule(self, g: Any, direction: str) -> bool:
        """Whether a rule has: then the clock does not, in a resumed run neither."""
        return f"{RULE} {direction} {g}" in self.names

    def keep(self, g: Any, direction: str, name: str) -> str:
        """Takes what was chosen without the clock."""
        return self._keep(f"{direction} {g}", name)

    def _keep(self, key, name):
        # A process may see images of ever other sizes.
        if len(self.names) < MOST_CHOICES:
            self.names[key] = name
        return name

    def of(self, g: Any, direction: str, names: list[str], budget: float | None) -> str:
        """The name of what computes a direction of a convolution; "" if unknown.

        Args:
            g: `candidates.Convolution`.
            direction: str, of `candidates.DIRECTIONS`.
            names: list of str, those to choose from. The first is Keras's.
            budget: float, seconds: what is not known is measured until measuring
                has taken as long. `None` takes what this GAN has taken, no other.
        """
        key = f"{direction} {g}"
        name = self.names.get(key)
        if name not in names and budget is None:
            return ""
        if name not in names:
            name = _kept().get(key, {}).get("name")
        if name not in names:
            if len(names) > 1 and self.seconds >= budget:
                return ""
            name = self._timed(g, direction, names, key)
        self._keep(key, name)
        compile_early(g, direction, name)
        return name

    def expect(self, g: Any, directions: tuple[str, ...]) -> None:
        """Compiles early what gradients of a convolution are known to take."""
        for direction in directions:
            key = f"{direction} {g}"
            name = self.names.get(key) or _kept().get(key, {}).get("name")
            if name:
                compile_early(g, direction, name)

    def _timed(self, g, direction, names, key):
        if len(names) == 1:
            return names[0]
        start = time.perf_counter()
        times = measure(g, direction, names)
        self.seconds += time.perf_counter() - start
        name = fastest(times)
        _note(
            key, {"name": name, "ms": {n: round(1e3 * t, 4) for n, t in times.items()}}
        )
        return name


def _is_sound(names):
    return (
        isinstance(names, dict)
        and len(names) <= MOST_CHOICES
        and all(
            isinstance(key, str) and isinstance(name, str) and len(key + name) < 200
            for key, name in names.items()
        )
    )


def fastest(times: dict[str, float]) -> str:
    """The fastest, if it is faster than the first by more than noise."""
    first = next(iter(times))
    best = min(times, key=times.get)
    return best if times[best] < MARGIN * times[first] else first


# --- Timing ---


def operands(g: Any, direction: str) -> list:
    """What a direction of a convolution is computed of: random, always the same."""
    import tensorflow as tf

    names = {
        "forward": ("x", "kernel"),
        "input_gradient": ("y", "kernel"),
        "filter_gradient": ("x", "y"),
    }[direction]
    return [
        tf.cast(tf.random.stateless_normal(g.shapes[name], (i, 0)), g.kind)
        for i, name in enumerate(names)
    ]


_compiled = set()  # names and convolutions whose parts this process has compiled


@functools.cache
def _pool():
    return concurrent.futures.ThreadPoolExecutor(2, "kernels")


def compile_early(g: Any, direction: str, name: str) -> None:
    """Compiles what XLA makes of a candidate while the step is still traced."""
    from keras_gans.engine.kernels.candidates import COMPILED, fitting

    what = (direction, g, name)
    if name not in COMPILED or what in _compiled:
        return
    if name not in fitting(g, direction):
        return
    _compiled.add(what)
    _pool().submit(_prepared, g, direction, name)


def _prepared(g, direction, name):
    """A candidate as a step has it: in a graph, compiled.

    What XLA makes of a function that is called by itself, no graph would find.
    """
    import tensorflow as tf

    from keras_gans.engine.kernels.candidates import CANDIDATES

    values = operands(g, direction)
    signature = [tf.TensorSpec(v.shape, v.dtype) for v in values]
    fn = functools.partial(getattr(CANDIDATES[name], direction), g)
    run = tf.function(fn, autograph=False).get_concrete_function(*signature)
    run(*values)
    return run


def measure(g: Any, direction: str, names: list[str]) -> dict[str, float]:
    """Seconds of each candidate: medians of runs that take turns.

    Args:
        g: `candidates.Convolution`.
        direction: str.
        names: list of str.
    """
    import tensorflow as tf

    with tf.init_scope():  # a step is being traced
        values = operands(g, direction)
        _compiled.update((direction, g, name) for name in names)
        prepared = _pool().map(lambda name: _prepared(g, direction, name), names)
        runs = dict(zip(names, prepared, strict=True))
        seconds = {name: [] for name in names}
        for turn in range(MOST_RUNS):
            for name in list(runs):
                start = time.perf_counter()
                runs[name](*values)
                seconds[name].append(time.perf_counter() - start)
            if turn < len(HOPELESS):
                least = min(min(s) for s in seconds.values())
                for name in list(runs)[1:]:
                    if min(seconds[name]) > HOPELESS[turn] * least:
                        del runs[name]
            if len(runs) == 1:
                break
            if (
                turn + 1 >= LEAST_RUNS
                and min(sum(seconds[name]) for name in runs) > SECONDS_EACH
            ):
                break
    return {name: statistics.median(s) for name, s in seconds.items()}


# --- On disk ---


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@functools.cache
def environment() -> dict[str, str]:
    """All that decides what is fastest, but for the convolution."""
    import tensorflow as tf

    info = pathlib.Path("/proc/cpuinfo")
    text = info.read_text() if info.exists() else ""
    model = re.search(r"^model name\s*:\s*(.*)$", text, re.MULTILINE)
    flags = " ".join(sorted(instructions()))
    threads = tf.config.threading.get_intra_op_parallelism_threads()
    return {
        "format": str(FORMAT),
        "processor": model[1] if model else "",
        "instructions": hashlib.sha256(flags.encode()).hexdigest()[:16],
        "cores": str(cores()),
        "threads": str(threads or os.environ.get("TF_NUM_INTRAOP_THREADS", "")),
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", ""),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
    }


def cache_path() -> pathlib.Path:
    """The file of what was measured in this environment."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    base = pathlib.Path(base) if os.path.isabs(base) else pathlib.Path.home() / ".cache"
    text = json.dumps(environment(), sort_keys=True)
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    return base / "keras_gans" / f"kernels-{name}.json"


_processes = {}  # what this process knows, by file
_unwritten = set()


def _kept():
    """What is known: `{key: {"name": str, "ms": {name: float}}}`."""
    path = cache_path()
    if path not in _processes:
        _processes[path] = read(path)
    return _processes[path]


def read(path: pathlib.Path) -> dict[str, dict]:
    """What a file of the cache holds; nothing, and a warning, if it is damaged."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError(f"it is larger than {LARGEST_FILE} bytes")
        content = json.loads(path.read_bytes())
        if not isinstance(content, dict) or content.get("environment") != environment():
            raise ValueError("it is of another machine or version, or no such file")
        entries = content.get("choices")
        names = isinstance(entries, dict) and {
            key: isinstance(entry, dict) and entry.get("name")
            for key, entry in entries.items()
        }
        if names is False or not _is_sound(names):
            raise ValueError("it does not hold names by convolution")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        warnings.warn(
            f"{path} is not used ({error}): what is fastest is measured again.",
            stacklevel=2,
        )
        return {}
    return entries


def _note(key, entry):
    _kept()[key] = entry
    _unwritten.add(cache_path())


def write() -> None:
    """Writes what was measured since; where that fails, the next process measures."""
    for path in list(_unwritten):
        _unwritten.discard(path)  # another thread may have
        with contextlib.suppress(OSError), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `_kept` has told
            known = {**read(path), **_processes[path]}  # others measure as well
            known = dict(list(known.items())[-MOST_CHOICES:])
            content = {"environment": environment(), "choices": known}
            with files.replacing(path) as temporary:
                temporary.write_text(json.dumps(content, indent=0) + "\n")
