"""Sounds of files: found, looked at, and read by segments."""

from collections.abc import Iterator
import contextlib
import importlib.resources
import io
import os
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_gans.data.broken import usable_of
from keras_gans.data.checks import check_length, check_options
from keras_gans.data.decoding import counted, list_files
from keras_gans.data.digests import digests
from keras_gans.data.pipeline import batches_of_indices, example_seeds, seed_key
from keras_gans.data.places import Archive, Folder, find_place
from keras_gans.data.python_calls import python_call
from keras_gans.data.sources import Source, kind, missing_folder
from keras_gans.data.summary import Report
from keras_gans.data.table_rows import rows_of
from keras_gans.data.watch import watch_archive
from keras_gans.modalities.series import Series
from keras_gans.modalities.wav_header import check_wav_is_whole
from keras_gans.modalities.waveform import EXTENSIONS, Waveform
from keras_gans.utils.keywords import refuses_unknown
from keras_gans.utils.optional import require
from keras_gans.utils.text import count_of
from keras_gans.utils.types import Path
from keras_gans.utils.validation import check_size, is_number, one_of, within

TABLES = Series.read_extensions  # which are read where there are no sounds
EMBEDDED = ("drums", "watch")
ALLOWED = (
    '"drums" (the embedded set), "watch" (series of motion), or the path of a folder '
    "or zip archive of sounds"
)
SEGMENTS = ("random", "first")
SILENT = 1e-4  # a file without a sample as loud as that is silent
QUIET = 1e-3  # of a file's peak: quieter ends are trimmed
BLOCK = 256  # samples of which the loudest is kept, to trim by
READ = 2**18  # samples read at a time
MARGIN = 64  # samples around a segment that is resampled
LOSSLESS = (".wav", ".flac")
OVERSHOOT = 1.25  # decoders of lossy formats go beyond 1 by less, which is clipped


class Sound(NamedTuple):
    """What is known of a file of sound, in its own samples.

    Attributes:
        frames: int, its length.
        rate: int, samples a second.
        channels: int.
        peak: float, the largest |sample| of what it is mixed to.
        start: int, where it stops being quiet.
        stop: int, where it has become quiet again.
    """

    frames: int
    rate: int
    channels: int
    peak: float
    start: int
    stop: int


@refuses_unknown
def load_sounds(
    source: Any,
    *,
    samples: int,
    channels: int = 1,
    rate: int = 16000,
    batch_size: int = 64,
    labels: bool = False,
    segments: str = "random",
    peak: float | None = 1.0,
    trim: bool = True,
    speed: float = 0.0,
    shuffle: bool = True,
    seed: int = 0,
    drop_remainder: bool = True,
    repeat: bool = False,
    start: int = 0,
    on_error: str = "raise",
) -> tf.data.Dataset:
    """Returns a `tf.data.Dataset` of batches of sounds in [-1, 1].

    All files are looked at once beforehand, in parts; then segments alone are
    read, so that memory does not grow with their length. (Of zip archives, one
    file at a time is in memory; of tables, those read last, 256 MiB at most.) A file
    is one example for each whole segment that it holds. Order and places are
    functions of the seed, the epoch and the example's index, as of `load`.

    Args:
        source: "drums", 98 embedded percussive sounds of a second; "watch",
            motion of a wrist in 6 channels at 50 Hz (see `load_watch`); or the
            path of a folder of WAV, FLAC, OGG or MP3 files, searched with its
            subfolders, or of a zip archive of them. Of a folder without sounds,
            CSV, .npy and .npz files are read, series `[samples, channels]` of `rate`.
        samples: int, the length of a segment. Shorter sounds are followed by
            silence.
        channels: int. Several channels are averaged to one, before their peak is
            taken, and one serves all; other numbers are refused.
        rate: int, samples a second. Files of another rate are resampled.
        batch_size: int.
        labels: whether to give `(sounds, labels)`: the first-level subfolders,
            sorted by name.
        segments: "random", anywhere in its part of the file, elsewhere each
            epoch; or "first", the beginning of each file alone.
        peak: float in (0, 1], what the loudest sample of each file is brought
            to; `None` leaves files as loud as they are, and refuses those beyond
            [-1, 1] (OGG and MP3 files: beyond 1.25; what is less is clipped).
        trim: whether to leave out both ends of a file where they are quieter
            than a thousandth of its peak (-60 dB).
        speed: float in [0, 0.5]: each example is played by up to this share faster
            or slower, another each epoch, and is so much higher or lower. It
            makes more of few sounds.
        shuffle: whether each epoch has an order of its own.
        seed: a non-negative integer.
        drop_remainder: whether to leave out the last batch of an epoch if it is
            short.
        repeat: whether the dataset is endless.
        start: batches already consumed. With `repeat=False`, whole epochs.
        on_error: "raise", or "skip" to leave out files that cannot be used.

    Returns:
        A dataset of float32 `[batch_size, samples, channels]`, or of tuples of
        it and int32 `[batch_size]` with `labels=True`.

    Raises:
        ValueError: an argument is unusable, there are no sounds, or files are
            damaged, silent or hold NaN: all of them are named.
        ImportError: the extra "audio" is not installed.

    Reference:
        speed: Ko et al., "Audio augmentation for speech recognition", 2015

    Example:

    ```python
    from keras_gans.data import load_sounds

    dataset = load_sounds("drums", samples=4096, rate=8000, batch_size=16)
    print(len(dataset), next(iter(dataset)).shape)  # 6 (16, 4096, 1)
    ```
    """
    for name, value in (("samples", samples), ("channels", channels), ("rate", rate)):
        check_size(name, value)
    batching = check_options(batch_size, drop_remainder, repeat, start, seed, on_error)
    one_of("segments", segments, SEGMENTS)
    ok = peak is None or (is_number(peak) and 0 < peak <= 1)
    within("peak", peak, ok, "(0, 1], or None")
    within("speed", speed, is_number(speed) and 0 <= speed <= 0.5, "[0, 0.5]")
    recordings = find_sounds(source, channels, labels, on_error, rate)
    if peak is None:
        _check_levels(recordings.files[0])
    cutter = Cutter(recordings.files[0], samples, channels, rate, segments, peak, trim)
    check_length(recordings.name, cutter.size, batching, "segments")
    key = seed_key(seed)

    def prepare(epoch, index):
        seeds = example_seeds(key, epoch, index, 2 if speed else 1)
        place = tf.random.stateless_uniform([], seeds[0])
        pace = tf.constant(1.0)
        if speed:
            pace += tf.random.stateless_uniform([], seeds[1], -speed, speed)
        call = python_call(cutter.read, [index, place, pace], tf.float32)
        sound = tf.ensure_shape(call, (samples, channels))
        if not labels:
            return sound
        return sound, tf.gather(tf.constant(cutter.labels, "int32"), index)

    return batches_of_indices(cutter.size, prepare, batching, key, shuffle)


def _check_levels(usable):
    """Raises where files of numbers beyond [-1, 1] would be clipped."""
    pairs = zip(usable.listing.paths, usable.heads, strict=True)
    if loud := [(path, s.peak) for path, s in pairs if is_loud(path, s.peak)]:
        (path, most), *others = loud
        more = f" and {len(others)} more" if others else ""
        raise ValueError(
            "As loud as they are, sounds lie in [-1, 1]. Received: "
            f"{path!r}{more}, whose largest sample is {most:g}. Divide them all by "
            "one number (each channel of series by its own), or bring each file to "
            "`peak=1.0`."
        )


def is_loud(path: Path, peak: float) -> bool:
    """Whether samples as loud as `peak` are too loud for a file's kind.

    Args:
        path: str or path, of whose ending the kind is.
        peak: float, the largest |sample|.
    """
    lossless = str(path).lower().endswith(LOSSLESS)
    return peak > (1 if lossless else OVERSHOOT)


def find_sounds(
    source: Any,
    channels: int,
    labels: bool = False,
    on_error: str = "raise",
    rate: int | None = None,
) -> Source:
    """Returns the `Source` of a folder, an archive or the embedded set.

    With a `rate`, where there are no sounds, tables are read as series of it.

    Raises:
        ValueError: there are no sounds, or files cannot be used.
    """
    place = _place(source)
    listing = _listing(place, labels, rate is not None)
    usable = usable_of(
        listing, lambda name: look(place, name, channels, rate), on_error, "sound"
    )
    name = f"folder {place.path!r}"
    shape = (None, channels)
    return Source(
        name, len(usable.heads), shape, None, None, usable.listing.classes, [usable]
    )


def _listing(place, labels, tables):
    """The sounds of a place; where it has none, its tables."""
    endings = {os.path.splitext(name)[1].lower() for name in place.walk()}
    extensions = EXTENSIONS
    if tables and endings.isdisjoint(EXTENSIONS):
        extensions = TABLES if not endings.isdisjoint(TABLES) else EXTENSIONS + TABLES
    return list_files(place, labels, extensions, "sounds")


def read_sound(
    path: Path, rate: int, channels: int = 1, peak: float | None = None
) -> np.ndarray:
    """A whole file of sound, resampled and mixed where it has to be.

    Args:
        path: str or path of a WAV, FLAC, OGG or MP3 file.
        rate: int, samples a second.
        channels: int, see `load_sounds`.
        peak: float in (0, 1], what the loudest sample is brought to; `None` leaves
            the file as loud as it is.

    Returns:
        float32 `[samples, channels]` in [-1, 1].

    Raises:
        ValueError: naming the file, where it cannot be used, or has samples beyond
            [-1, 1] that are brought to no peak.
        ImportError: the extra "audio" is not installed.

    Example:

    ```python
    from keras_gans.data.sounds import read_sound

    tone = 0.5 * np.sin(0.1 * np.arange(8000))[:, None]
    keras_gans.Waveform(8000, rate=8000).write("tone.wav", tone, overwrite=True)
    read_sound("tone.wav", rate=16000).shape  # (16000, 1)
    ```
    """
    return np.concatenate(list(sound_blocks(path, rate, channels, peak)))


def sound_blocks(
    path: Path, rate: int, channels: int = 1, peak: float | None = None
) -> Iterator[np.ndarray]:
    """A file of sound in blocks, so that memory does not grow with its length.

    The whole file is checked before the first block is given.

    Args:
        path: str or path of a WAV, FLAC, OGG or MP3 file.
        rate: int, samples a second.
        channels: int, see `load_sounds`.
        peak: float in (0, 1] or `None`, see `read_sound`.

    Yields:
        float32 `[samples, channels]` in [-1, 1]: joined, they are what `read_sound`
        returns.

    Raises:
        ValueError: see `read_sound`; when the first block is asked for.
        ImportError: the extra "audio" is not installed.

    Example:

    ```python
    from keras_gans.data.sounds import sound_blocks

    tone = 0.5 * np.sin(0.1 * np.arange(8000))[:, None]
    keras_gans.Waveform(8000, rate=8000).write("tone.wav", tone, overwrite=True)
    sum(len(block) for block in sound_blocks("tone.wav", rate=8000))  # 8000
    ```
    """
    folder, name = os.path.split(os.path.abspath(path))
    place = Folder(folder)
    sound = look(place, name, channels)
    if isinstance(sound, str):
        raise ValueError(f"Cannot read {os.fspath(path)!r}: {sound}.")
    if peak is None and is_loud(name, sound.peak):
        raise ValueError(
            f"Sounds lie in [-1, 1]. Received: {os.fspath(path)!r}, whose largest "
            f"sample is {sound.peak:g}. Divide it by that."
        )
    gain = np.float32(1 if peak is None else peak / sound.peak)
    stream = None
    if sound.rate != rate:
        soxr = require("soxr", "audio", "Sounds of another rate")
        stream = soxr.ResampleStream(sound.rate, rate, channels, "float32")
    with _opened(place, name) as file:
        while len(block := file.read(READ, "float32", always_2d=True)):
            block = gain * _mixed(block, channels)
            if stream is not None:
                block = stream.resample_chunk(block)
            yield np.clip(block, -1, 1)
    if stream is not None:
        end = np.zeros((0, channels), "float32")
        yield np.clip(stream.resample_chunk(end, last=True), -1, 1)


def changes_of(path: Path, rate: int, channels: int = 1) -> str:
    """What `read_sound` changes of a file's rate and channels, in words.

    Args:
        path: str or path of a WAV, FLAC, OGG or MP3 file.
        rate: int, samples a second.
        channels: int, see `load_sounds`.

    Returns:
        str, such as "resampled from 44100 to 22050 Hz, 2 channels mixed to one"; ""
        where nothing is changed.

    Raises:
        ValueError: it is not there, or no file of sound.
        ImportError: the extra "audio" is not installed.

    Example:

    ```python
    from keras_gans.data.sounds import changes_of

    tone = 0.5 * np.sin(0.1 * np.arange(8000))[:, None]
    keras_gans.Waveform(8000, rate=8000).write("tone.wav", tone, overwrite=True)
    changes_of("tone.wav", rate=16000)  # "resampled from 8000 to 16000 Hz"
    ```
    """
    soundfile = require("soundfile", "audio", "Files of sound")
    try:
        with soundfile.SoundFile(os.fspath(path)) as file:
            found = file.samplerate, file.channels
    except (OSError, RuntimeError) as error:  # soundfile's own is the second
        why = str(error).rstrip(".")
        raise ValueError(f"Cannot read {os.fspath(path)!r}: {why}.") from error
    told = []
    if found[0] != rate:
        told.append(f"resampled from {found[0]} to {rate} Hz")
    if found[1] > channels:
        told.append(f"{found[1]} channels mixed to one")
    elif found[1] < channels:
        told.append(f"one channel repeated as {channels}")
    return ", ".join(told)


def sound_classes(source: Any) -> list[str]:
    """The names of the classes of sounds: the subfolders of a source.

    Args:
        source: path of a folder or zip archive, as of `load_sounds`.

    Returns:
        List of str, sorted.

    Raises:
        ValueError: there are no sounds, or some lie in no subfolder.

    Example:

    ```python
    import pathlib

    tone = np.zeros((1, 800, 1), "float32")
    for name in ("kick", "snare"):
        pathlib.Path("sounds", name).mkdir(parents=True)
        keras_gans.Waveform(800, rate=8000).write(f"sounds/{name}/1.wav", tone[0])
    keras_gans.data.sound_classes("sounds")  # ["kick", "snare"]
    ```
    """
    return _listing(_place(source), True, tables=True).classes


@refuses_unknown
def describe_sounds(
    source: Any,
    modality: Waveform,
    labels: bool = False,
    segments: str = "random",
    trim: bool = True,
    on_error: str = "raise",
) -> Report:
    """What a training reads from a source of sounds.

    Args:
        source: see `load_sounds`.
        modality: `Waveform` of a segment.
        labels: bool.
        segments: see `load_sounds`.
        trim: see `load_sounds`.
        on_error: see `load_sounds`.

    Returns:
        `Report`.

    Raises:
        ValueError: the source cannot be used, or an argument is out of its range.

    Example:

    ```python
    modality = keras_gans.Waveform(4096, rate=8000)
    report = keras_gans.data.describe_sounds("drums", modality)
    ```
    """
    recordings = find_sounds(source, modality.channels, labels, on_error, modality.rate)
    (usable,) = recordings.files
    sounds, rate = usable.heads, modality.rate
    cutter = Cutter(usable, *modality.shape, rate, segments, 1.0, trim)
    lengths = [s.frames / s.rate for s in sounds]
    rows = [
        ("data", str(source)),
        ("used", f"{len(sounds)} of {usable.total} sound files"),
        (
            "lengths",
            f"{sum(lengths):,.1f} s in all, from {min(lengths):.2f} to "
            f"{max(lengths):.2f} s",
        ),
    ]
    left = [f"{path!r}: {why}" for path, why in usable.broken.items()]
    if usable.listing.others:
        left.append(f"of other kinds: {counted(usable.listing.others)}")
    if left:
        rows.append(("left out", "\n".join(left)))
    if recordings.classes:
        rows.append(
            ("classes", f"{len(recordings.classes)}: {', '.join(recordings.classes)}")
        )
    rows += changed_rows(sounds, rate, modality.channels)
    padded = sum(length < modality.samples for length in cutter.lengths)
    summary = f"{count_of(cutter.size, 'segment')} of {modality.samples} samples"
    summary += f" ({modality.samples / rate:.2f} s), {SEGMENT_WORDS[segments]}"
    if padded:
        are = "is" if padded == 1 else "are"
        summary += f"; {count_of(padded, 'shorter sound')} {are} followed by silence"
    rows.append(("made", summary))
    return Report(rows, usable.broken, [usable], digests([usable]))


def changed_rows(sounds: list, rate: int, channels: int) -> list[tuple[str, str]]:
    """The rows of a report on what is changed of files, as `changes_of` tells of one.

    Args:
        sounds: list of `Sound`, or of what else has a rate and channels.
        rate: int, samples a second that they are resampled to.
        channels: int, that they are brought to.

    Returns:
        List of (name, text): none where nothing is changed.
    """
    rows, rates = [], sorted({s.rate for s in sounds} - {rate})
    if rates:
        count = sum(s.rate != rate for s in sounds)
        told = f"{count_of(count, 'file')} of {', '.join(map(str, rates))} Hz"
        rows.append(("resampled", f"{told}, to {rate} Hz"))
    if mixed := sum(s.channels > channels for s in sounds):
        told = f"{count_of(mixed, 'file')} of several channels, to one"
        rows.append(("mixed", told))
    if repeated := sum(s.channels < channels for s in sounds):
        told = f"{count_of(repeated, 'file')} of one channel, as {channels}"
        rows.append(("repeated", told))
    return rows


SEGMENT_WORDS = {
    "random": "anywhere in the files",
    "first": "the beginning of each file",
}


class Cutter:
    """Cuts segments of files; keeps none of them.

    Args:
        usable: `Usable`, whose heads are `Sound`s.
        samples: int, of a segment.
        channels: see `load_sounds`.
        rate: see `load_sounds`.
        segments: see `load_sounds`.
        peak: see `load_sounds`.
        trim: see `load_sounds`.
    """

    def __init__(self, usable, samples, channels, rate, segments, peak, trim):
        self.listing, self.sounds = usable.listing, usable.heads
        self.samples, self.channels, self.rate = samples, channels, rate
        self.segments, self.peak = segments, peak
        self.ends = [(s.start, s.stop) if trim else (0, s.frames) for s in self.sounds]
        self.lengths = [
            (stop - start) * rate // s.rate
            for (start, stop), s in zip(self.ends, self.sounds, strict=True)
        ]
        slots = [1 if segments == "first" else n // samples for n in self.lengths]
        slots = np.maximum(slots, 1)
        self.firsts = np.concatenate([[0], np.cumsum(slots)])
        self.size = int(self.firsts[-1])
        numbers = self.listing.labels
        self.labels = None if numbers is None else np.repeat(numbers, slots)

    def read(self, index, place, pace):
        """The segment of an example, played `pace` times as fast.

        `place` in [0, 1) is within the example's part of the file.
        """
        number = int(np.searchsorted(self.firsts, index, side="right") - 1)
        pace, offset = float(pace), 0
        if self.segments == "random":
            slot = int(index - self.firsts[number])
            offset = int((slot + float(place)) * self.samples / pace)
        length = int(self.lengths[number] / pace)
        return self.cut(number, max(0, min(offset, length - self.samples)), pace)

    def cut(self, number: int, offset: int, pace: float = 1.0) -> np.ndarray:
        """A segment of one of the files, with silence after its end.

        Args:
            number: int, of the file.
            offset: int, samples at the rate asked for.
            pace: float, how many times as fast it is played.

        Returns:
            float32 `[samples, channels]` in [-1, 1].
        """
        sound = self.sounds[number]
        values = self._cut(number, offset, self.rate if pace == 1 else self.rate / pace)
        if self.peak is not None:
            values = values * np.float32(self.peak / sound.peak)
        values = _mixed(values, self.channels)
        segment = np.zeros((self.samples, self.channels), "float32")
        segment[: len(values)] = np.clip(values, -1, 1)
        return segment

    def _cut(self, number, offset, rate):
        sound, (start, stop) = self.sounds[number], self.ends[number]
        margin = 0 if sound.rate == rate else MARGIN
        first = max(0, offset - margin)
        begin = start + int(first * sound.rate // rate)
        count = int((offset - first + self.samples + margin) * sound.rate // rate) + 1
        name = self.listing.names[number]
        with _opened(self.listing.place, name, self.channels, self.rate) as file:
            file.seek(begin)
            values = file.read(min(count, stop - begin), "float32", always_2d=True)
        if margin:
            soxr = require("soxr", "audio", "Sounds of another rate or speed")
            values = soxr.resample(values, sound.rate, rate)
            values = values[offset - first :]
        return values[: self.samples]


def _mixed(values, channels):
    """Sounds of several channels as one, or of one as several."""
    if values.shape[1] == channels:
        return values
    return np.repeat(values.mean(axis=1, keepdims=True), channels, axis=1)


def _place(source):
    if isinstance(source, str) and source == "watch":
        return Archive(watch_archive())
    if isinstance(source, str) and source in EMBEDDED:
        folder = importlib.resources.files("keras_gans.data") / "assets"
        return Archive(str(folder / f"{source}.zip"))
    if not isinstance(source, (str, os.PathLike)):
        raise ValueError(
            f"Sounds are loaded from {ALLOWED}. Received: {kind(source)}. Arrays "
            "are given to a GAN as they are."
        )
    place = find_place(os.fspath(source))
    if place is None:
        raise missing_folder(os.fspath(source), EMBEDDED, ALLOWED, "sounds")
    return place


class _Table:
    """A series of a table, read as `soundfile.SoundFile` reads a sound."""

    def __init__(self, rows, rate):
        self._rows, self._at, self.samplerate = rows, 0, rate
        self.frames, self.channels = rows.shape

    def seek(self, at):
        self._at = at

    def read(self, count, dtype, always_2d):
        rows = self._rows[self._at : self._at + count].astype(dtype)
        self._at += len(rows)
        return rows


@contextlib.contextmanager
def _opened(
    place: Any, name: Path, channels: int | None = None, rate: int | None = None
) -> Iterator[Any]:
    """A file of sound, or a table of a rate, opened for reading."""
    ending = os.path.splitext(name)[1].lower()
    if rate is not None and ending in TABLES:
        yield _Table(rows_of(place, name, channels), rate)
        return
    soundfile = require("soundfile", "audio", "Files of sound")
    if isinstance(place, Archive):
        with soundfile.SoundFile(io.BytesIO(place.read(name))) as file:
            yield file
    else:
        with soundfile.SoundFile(place.path_of(name)) as file:
            yield file


def look(place: Any, name: Path, channels: int, rate: int | None = None) -> Sound | str:
    """`Sound`, or why a file cannot be used, as a str.

    Args:
        place: `places.Folder` or `places.Archive`.
        name: str, the path of the file there.
        channels: int, see `load_sounds`.
        rate: int, of tables; `None` where there are none.
    """
    try:
        place.version_of(name)
        _check_whole(place, name)
        with _opened(place, name, channels, rate) as file:
            return _scan(file, channels)
    except ImportError:
        raise
    except Exception as error:  # decoders raise every kind
        # Decoders' own end in a full stop, or two.
        return str(error).rstrip(".") or type(error).__name__


def _check_whole(place, name):
    """Raises where a WAV file is cut off, which its decoder does not say."""
    is_archive = isinstance(place, Archive)
    with place.open(name) if is_archive else open(place.path_of(name), "rb") as file:
        check_wav_is_whole(file, place.size_of(name))


def _scan(file, channels):
    """Reads all of a file once, in parts; what it is mixed to is looked at."""
    if channels != file.channels and 1 not in (channels, file.channels):
        raise ValueError(
            f"it has {file.channels} channels, which are mixed to one only, and "
            f"{channels} are asked for"
        )
    peaks, read = [], 0
    while len(block := file.read(READ, "float32", always_2d=True)):
        if not np.isfinite(block).all():
            raise ValueError("it holds NaN or infinite values")
        loud = np.abs(_mixed(block, channels)).max(axis=1)
        loud = np.pad(loud, (0, -len(loud) % BLOCK)).reshape(-1, BLOCK)
        peaks.append(loud.max(axis=1))
        read += len(block)
    if read == 0:
        raise ValueError("it is empty")
    if read < file.frames:
        raise ValueError(f"it ends after {read} of {file.frames} samples")
    peaks = np.concatenate(peaks)
    peak = float(peaks.max())
    if peak < SILENT:
        mixed = ", mixed to one channel," if file.channels > channels else ""
        raise ValueError(f"it is{mixed} silent: no sample is louder than {peak:.1g}")
    loud = np.nonzero(peaks > QUIET * peak)[0]
    start, stop = int(loud[0]) * BLOCK, min(read, (int(loud[-1]) + 1) * BLOCK)
    return Sound(read, file.samplerate, file.channels, peak, start, stop)
