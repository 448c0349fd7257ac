"""Motion of a wrist: shoulder exercises of ten people, from the package seglearn."""

import hashlib
import importlib.util
import pathlib
from typing import NamedTuple
import zipfile

import numpy as np

from keras_gans.modalities.waveform import Waveform
from keras_gans.utils import files
from keras_gans.utils.keywords import refuses_unknown
from keras_gans.utils.validation import check_size, is_int

RATE = 50  # samples a second
# What each channel is divided by: accelerations in g, rotations in radians a second.
SCALES = (4.0, 4.0, 4.0, 10.0, 10.0, 10.0)
FILE = "data/watch_dataset.npy"
# Of the file of seglearn 1.2.5. It is a pickle, so it is opened if it is that one.
DIGEST = "eb122f23cdf06ef6bd6c6c5312958ec5cf9d038e2e6d457b8081662c75a42537"


class Watch(NamedTuple):
    """Slices of recordings of a watch.

    Attributes:
        series: float32 `[n, samples, 6]` in [-1, 1]: accelerations, divided by 4 g,
            and rotations, by 10 radians a second, clipped.
        labels: int32 `[n]`, of the exercise.
        people: int32 `[n]`, 1 to 10.
        class_names: list of str, the exercises.
        channels: list of str: "ax", "ay", "az", "wx", "wy", "wz".
    """

    series: np.ndarray
    labels: np.ndarray
    people: np.ndarray
    class_names: list
    channels: list


@refuses_unknown
def load_watch(
    samples: int = 128, step: int = 64, people: tuple[int, ...] | None = None
) -> Watch:
    """Slices of 140 recordings: 7 shoulder exercises, 10 people, both sides.

    They are of a smartwatch, 50 samples a second, and come with the package
    seglearn (BSD), which is an extra.

    Args:
        samples: int, the length of a slice.
        step: int, samples between the beginnings of two slices.
        people: tuple of ints, 1 to 10, whose recordings to take; all by default.

    Returns:
        `Watch`, in the order of people and recordings.

    Raises:
        ValueError: an argument is out of its range, or the file is another one.
        ImportError: the extra "sensors" is not installed.

    Example:

    ```python
    watch = keras_gans.data.load_watch(people=(1, 2))
    watch.series.shape[1:]  # (128, 6)
    ```

    Reference:
        https://arxiv.org/abs/1802.01489
    """
    check_size("samples", samples)
    check_size("step", step)
    data = _recordings()
    known = sorted(set(data["subject"].tolist()))
    people = tuple(known) if people is None else people
    ok = isinstance(people, (tuple, list)) and people
    if not ok or not all(is_int(p) and p in known for p in people):
        raise ValueError(
            f"`people` is a tuple of ints of {known[0]} to {known[-1]}. Received: "
            f"{people!r}."
        )
    longest = max(map(len, data["X"]))
    if samples > longest:
        raise ValueError(
            f"Recordings have up to {longest} samples. Received: samples={samples}."
        )
    parts, labels, whose = [], [], []
    for x, label, person in zip(data["X"], data["y"], data["subject"], strict=True):
        if person not in people or len(x) < samples:
            continue
        windows = np.lib.stride_tricks.sliding_window_view(x, samples, axis=0)[::step]
        parts.append(windows.transpose(0, 2, 1))
        labels += [label] * len(windows)
        whose += [person] * len(windows)
    series = np.clip(np.concatenate(parts) / np.array(SCALES), -1, 1)
    return Watch(
        series.astype("float32"),
        np.array(labels, "int32"),
        np.array(whose, "int32"),
        [str(name) for name in data["y_labels"]],
        [str(name) for name in data["X_labels"]],
    )


def watch_archive() -> str:
    """The path of a zip archive of the recordings as WAV files, made once.

    Channels and scales are those of `load_watch`; folders are the classes.
    """
    path = pathlib.Path("~/.cache/keras_gans", f"watch-{DIGEST[:8]}.zip").expanduser()
    if not path.exists():
        data = _recordings()
        path.parent.mkdir(parents=True, exist_ok=True)
        wave = Waveform(None, len(SCALES), RATE)
        with files.replacing(path) as part, zipfile.ZipFile(part, "w") as archive:
            for i, (x, label) in enumerate(zip(data["X"], data["y"], strict=True)):
                name = f"{data['y_labels'][label]}/{i:03d}.wav"
                sample = np.clip(x / np.array(SCALES), -1, 1).astype("float32")
                archive.writestr(name, wave.encode(sample))
    return str(path)


def _recordings():
    # Found, not imported: importing it needs scikit-learn.
    spec = importlib.util.find_spec("seglearn")
    if spec is None:
        raise ImportError(
            "The recordings of a watch need the package 'seglearn', which is not "
            "installed. Install it: `pip install 'keras_gans[sensors]'`."
        )
    path = pathlib.Path(spec.origin).parent / FILE
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != DIGEST:
        raise ValueError(
            f"{path} is not the file of seglearn 1.2.5. Received: one of SHA-256 "
            f"{digest[:16]}... Install that: `pip install 'keras_gans[sensors]'`."
        )
    return np.load(path, allow_pickle=True).item()
