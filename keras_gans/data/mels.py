"""Spectrograms of files, beside recordings: what a vocoder is fine-tuned on."""

import os
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import tensorflow as tf

from keras_gans.data.broken import Usable, usable_of
from keras_gans.data.checks import check_length, check_options
from keras_gans.data.decoding import Listing
from keras_gans.data.digests import digests
from keras_gans.data.pipeline import batches_of_indices, example_seeds, seed_key
from keras_gans.data.places import Folder, find_place
from keras_gans.data.python_calls import python_call
from keras_gans.data.sounds import (
    SEGMENT_WORDS,
    SEGMENTS,
    Cutter,
    describe_sounds,
    find_sounds,
    is_loud,
)
from keras_gans.data.sources import kind, missing_folder
from keras_gans.data.summary import Report
from keras_gans.modalities import untrusted
from keras_gans.modalities.waveform import Waveform
from keras_gans.utils.keywords import refuses_unknown
from keras_gans.utils.types import Path
from keras_gans.utils.validation import check_size, one_of

if TYPE_CHECKING:
    from keras_gans.layers.mel import MelSpectrogram

ENDING = ".npy"
SLACK = 2  # frames that a spectrogram may differ by from its recording's length


@refuses_unknown
def load_mels(
    source: Path,
    mels: Path,
    *,
    mel: "MelSpectrogram",
    samples: int = 8192,
    batch_size: int = 16,
    segments: str = "random",
    shuffle: bool = True,
    seed: int = 0,
    drop_remainder: bool = True,
    repeat: bool = False,
    start: int = 0,
    on_error: str = "raise",
) -> tf.data.Dataset:
    """Returns a `tf.data.Dataset` of batches of spectrograms and their sounds.

    A vocoder is fine-tuned on the spectrograms of another model, whose frames are
    in time with recordings (made with teacher forcing). The spectrogram of the file
    `a.wav`, or `b/a.wav`, is the file `a.npy`, or `b/a.npy`, of the folder `mels`:
    a float array `[frames, bands]`, or `[bands, frames]` as the reference has it,
    of natural logarithms. Segments begin with a frame. Files are neither trimmed nor
    brought to a peak: they are what the spectrograms were made of. Order and places
    are functions of the seed, the epoch and the example's index, as of `load`.

    Args:
        source: path of a folder or zip archive of recordings, as of `load_sounds`.
        mels: path of a folder or zip archive of their spectrograms.
        mel: `MelSpectrogram`, what the vocoder takes: `gan.mel`.
        samples: int, the length of a segment, a multiple of the hop.
        batch_size: int.
        segments: "random", anywhere in its part of the file, elsewhere each epoch;
            or "first", the beginning of each file alone.
        shuffle: whether each epoch has an order of its own.
        seed: a non-negative integer.
        drop_remainder: whether to leave out the last batch of an epoch if it is
            short.
        repeat: whether the dataset is endless.
        start: batches already consumed. With `repeat=False`, whole epochs.
        on_error: "raise", or "skip" to leave out recordings that cannot be used, or
            whose spectrograms cannot.

    Returns:
        A dataset of tuples of float32 `[batch_size, samples / hop, bands]` and
        float32 `[batch_size, samples, 1]` in [-1, 1].

    Raises:
        ValueError: an argument is unusable, there are no recordings, or files cannot
            be used, all of which are named: a spectrogram is not there, damaged, of
            other bands, or of another length than its recording.
        ImportError: the extra "audio" is not installed.

    Example:

    ```python
    import pathlib

    from keras_gans.data import load_mels

    mel = keras_gans.layers.MelSpectrogram(8000, 8, 64, 32, 64, high=None)
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, (3200, 1)).astype("float32")
    pathlib.Path("wavs").mkdir()
    pathlib.Path("mels").mkdir()
    keras_gans.Waveform(3200, rate=8000).write("wavs/a.wav", sound)
    np.save("mels/a.npy", mel(sound[None])[0])
    dataset = load_mels("wavs", "mels", mel=mel, samples=256, batch_size=2)
    mels, sounds = next(iter(dataset))
    mels.shape, sounds.shape  # (2, 8, 8), (2, 256, 1)
    ```
    """
    check_size("samples", samples)
    if samples % mel.hop:
        raise ValueError(
            f"`samples` is a multiple of the hop, {mel.hop}. Received: "
            f"samples={samples}."
        )
    batching = check_options(batch_size, drop_remainder, repeat, start, seed, on_error)
    one_of("segments", segments, SEGMENTS)
    cutter = _Cutter(find_mels(source, mels, mel, on_error), mel, samples, segments)
    check_length(f"source {str(source)!r}", cutter.size, batching, "segments")
    key = seed_key(seed)

    def prepare(epoch, index):
        seeds = example_seeds(key, epoch, index, 1)
        where = [index, tf.random.stateless_uniform([], seeds[0])]
        frames = python_call(cutter.frames, where, tf.float32)
        sound = python_call(cutter.sound, where, tf.float32)
        return (
            tf.ensure_shape(frames, (samples // mel.hop, mel.bands)),
            tf.ensure_shape(sound, (samples, 1)),
        )

    return batches_of_indices(cutter.size, prepare, batching, key, shuffle)


@refuses_unknown
def describe_mels(
    source: Path,
    mels: Path,
    modality: Waveform,
    mel: "MelSpectrogram",
    segments: str = "random",
    on_error: str = "raise",
) -> Report:
    """What a training reads from recordings and their spectrograms.

    Args:
        source: see `load_mels`.
        mels: see `load_mels`.
        modality: `Waveform` of a segment.
        mel: see `load_mels`.
        segments: see `load_mels`.
        on_error: see `load_mels`.

    Returns:
        `Report`.

    Raises:
        ValueError: as of `load_mels`.
        ImportError: likewise.

    Example:

    ```python
    import pathlib

    mel = keras_gans.layers.MelSpectrogram(8000, 8, 64, 32, 64, high=None)
    wave = keras_gans.Waveform(256, rate=8000)
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, (256, 1)).astype("float32")
    pathlib.Path("wavs").mkdir()
    pathlib.Path("mels").mkdir()
    wave.write("wavs/a.wav", sound)
    np.save("mels/a.npy", mel(sound[None])[0])
    print(keras_gans.data.describe_mels("wavs", "mels", wave, mel))
    ```
    """
    found = find_mels(source, mels, mel, on_error)
    report = describe_sounds(source, modality, segments=segments, on_error=on_error)
    rows = [row for row in report.rows if row[0] not in ("used", "made")]
    count, frames = len(found.mels.heads), sum(one.frames for one in found.mels.heads)
    told = f"{count} of {found.total} sound files, with spectrograms"
    rows.insert(1, ("used", told))
    told = f"{mels}: {frames:,} frames of {mel.bands} bands"
    rows.insert(2, ("mels", told))
    if found.mels.broken:
        left = [f"{path!r}: {why}" for path, why in found.mels.broken.items()]
        rows.append(("without", "\n".join(left)))
    cutter = _Cutter(found, mel, modality.samples, segments)
    told = f"{cutter.size} segments of {modality.samples // mel.hop} frames"
    rows.append(("made", f"{told}, {SEGMENT_WORDS[segments]}, as loud as they are"))
    files = [found.sounds, found.mels]
    return Report(rows, {**report.broken, **found.mels.broken}, files, digests(files))


class Spectrogram(NamedTuple):
    """What is known of a file.

    Attributes:
        frames: int, those that its recording has too.
        turned: bool, whether it is `[bands, frames]`; `None` where it may be either.
    """

    frames: int
    turned: bool | None


class Pairs(NamedTuple):
    """Recordings with spectrograms.

    Attributes:
        sounds: `Usable`, whose heads are `sounds.Sound`s.
        mels: `Usable` of as many, whose heads are `Spectrogram`s.
        total: int, files of sound there are.
    """

    sounds: Usable
    mels: Usable
    total: int


def find_mels(
    source: Path, mels: Path, mel: "MelSpectrogram", on_error: str = "raise"
) -> Pairs:
    """Returns the recordings of a source, each with its spectrogram.

    Raises:
        ValueError: there are none, or files cannot be used.
    """
    (sounds,) = find_sounds(source, 1, on_error=on_error).files
    place = _place(mels)
    there = set(place.walk())
    names = [os.path.splitext(name)[0] + ENDING for name in sounds.listing.names]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(
            f"A spectrogram is of one recording. Received: several whose spectrogram "
            f"would be {twice[0]!r}, of {str(source)!r}. Rename or remove one."
        )
    heads = zip(sounds.listing.paths, sounds.heads, strict=True)
    of_sound = dict(zip(names, heads, strict=True))

    def look(name):
        path, sound = of_sound[name]
        if is_loud(path, sound.peak):
            return f"samples of {path!r} lie beyond [-1, 1], up to {sound.peak:g}"
        if name not in there:
            return f"it is not there, and {path!r} is"
        try:
            array = _read(place, name)
        except Exception as error:  # of damaged files, of every kind
            return str(error) or type(error).__name__
        return _looked(array, mel, sound.frames * mel.rate // sound.rate)

    listing = Listing(place, names, None, None, sounds.listing.others)
    usable = usable_of(listing, look, on_error, "spectrogram")
    kept = set(usable.listing.names)
    bad = {
        name
        for name, own in zip(sounds.listing.names, names, strict=True)
        if own not in kept
    }
    return Pairs(sounds.without(bad), usable, sounds.total)


def _place(mels):
    if not isinstance(mels, (str, os.PathLike)):
        raise ValueError(
            "`mels` is the path of a folder or zip archive of .npy files. Received: "
            f"{kind(mels)}. Arrays are given to a GAN as they are: "
            "`gan.fit(mels, waveforms)`."
        )
    place = find_place(os.fspath(mels))
    if place is None:
        allowed = "the path of a folder or zip archive of .npy files"
        raise missing_folder(os.fspath(mels), (), allowed, "spectrograms")
    return place


def _read(place, name):
    """The array of a file, of two axes."""
    array = untrusted.load_array(place.read(name))
    return array[0] if array.ndim == 3 and len(array) == 1 else array


def read_mel(path: Path, bands: int) -> np.ndarray:
    """The spectrogram of a file, without its recording.

    Args:
        path: str or path of a .npy file of floats `[frames, bands]`, or `[bands,
            frames]`, also after an axis of one. A square is taken for the first.
        bands: int.

    Returns:
        float32 `[frames, bands]`.

    Raises:
        ValueError: naming the file, where it cannot be used.

    Example:

    ```python
    from keras_gans.data.mels import read_mel

    np.save("a.npy", np.zeros((8, 100), "float32"))
    read_mel("a.npy", bands=8).shape  # (100, 8)
    ```
    """
    folder, name = os.path.split(os.path.abspath(path))
    try:
        array = _read(Folder(folder), name)
        why = _unusable(array, bands)
    except (OSError, ValueError) as error:
        why = str(error).rstrip(".")
    if why:
        raise ValueError(f"Cannot read {os.fspath(path)!r}: {why}.")
    return (array if array.shape[1] == bands else array.T).astype("float32")


def _unusable(array, bands):
    """Why an array is no spectrogram, or `None`."""
    if array.ndim != 2 or bands not in array.shape:
        return f"it has the shape {array.shape}, and spectrograms [frames, {bands}]"
    if array.dtype.kind != "f":
        return f"it holds {array.dtype}, and spectrograms floats"
    if not np.isfinite(array).all():
        return "it holds NaN or infinite values"
    return None


def _looked(array, mel, samples):
    """`Spectrogram`, or why an array is none of a recording of so many samples."""
    if why := _unusable(array, mel.bands):
        return why
    lengths = {
        turned: array.shape[turned]
        for turned in (False, True)
        if array.shape[1 - turned] == mel.bands
    }
    fitting = {
        turned: frames
        for turned, frames in lengths.items()
        if abs(frames - samples / mel.hop) < SLACK
    }
    if not fitting:
        frames = " or ".join(map(str, dict.fromkeys(lengths.values())))
        return (
            f"it has {frames} frames, and its recording {samples / mel.hop:.1f}: "
            f"{samples} samples at {mel.rate} Hz, {mel.hop} a frame"
        )
    frames = min(*fitting.values(), -(-samples // mel.hop))
    return Spectrogram(frames, next(iter(fitting)) if len(fitting) == 1 else None)


class _Cutter:
    """Cuts segments of recordings and of their spectrograms; keeps none of them."""

    def __init__(self, pairs, mel, samples, segments):
        self.mel, self.count = mel, samples // mel.hop  # frames of a segment
        self.random = segments == "random"
        self.listing, self.heads = pairs.mels.listing, pairs.mels.heads
        # Where an array may be either way, it is as the others are.
        self.turned = any(one.turned for one in self.heads)
        self.sounds = Cutter(pairs.sounds, samples, 1, mel.rate, segments, None, False)
        slots = [one.frames // self.count if self.random else 1 for one in self.heads]
        self.firsts = np.concatenate([[0], np.cumsum(np.maximum(slots, 1))])
        self.size = int(self.firsts[-1])

    def _frame(self, index, place):
        """The file of an example, and its first frame there."""
        number = int(np.searchsorted(self.firsts, index, side="right") - 1)
        first = 0
        if self.random:
            slot = int(index - self.firsts[number])
            first = int((slot + float(place)) * self.count)
        return number, max(0, min(first, self.heads[number].frames - self.count))

    def frames(self, index, place):
        """The spectrogram of an example; after its end, that of silence."""
        number, first = self._frame(index, place)
        array = _read(self.listing.place, self.listing.names[number])
        turned = self.heads[number].turned
        array = array.T if (self.turned if turned is None else turned) else array
        array = array[: self.heads[number].frames][first : first + self.count]
        silence = np.log(np.float32(self.mel.floor))
        segment = np.full((self.count, self.mel.bands), silence, "float32")
        segment[: len(array)] = array
        return segment

    def sound(self, index, place):
        """The sound of an example; `place` in [0, 1) is within its part of the file."""
        number, first = self._frame(index, place)
        return self.sounds.cut(number, first * self.mel.hop)
