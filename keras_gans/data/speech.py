"""Speech of files, as LJSpeech lays them out, with where each phoneme is."""

from collections import Counter
from collections.abc import Mapping
import json
import os
import pathlib
import re
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_gans.data.broken import usable_of
from keras_gans.data.checks import check_length, check_options
from keras_gans.data.decoding import Listing
from keras_gans.data.digests import digests
from keras_gans.data.pipeline import batches_of_indices, example_seeds, seed_key
from keras_gans.data.places import Folder
from keras_gans.data.python_calls import python_call
from keras_gans.data.sounds import Sound, changed_rows, is_loud, look, read_sound
from keras_gans.data.sources import Source
from keras_gans.data.summary import Report
from keras_gans.modalities import phonemes
from keras_gans.utils import files
from keras_gans.utils.keywords import refuses_unknown
from keras_gans.utils.progress import progress_bar
from keras_gans.utils.text import brief
from keras_gans.utils.types import Path
from keras_gans.utils.validation import check_size

METADATA, ALIGNMENT, WAVES = "metadata.csv", "alignment.json", "wavs"
PEAK = 0.95  # of each recording, as HiFi-GAN has it
WORST = -19.5  # score below which a text is not what is said
MOST_NAMED = 10
END = -1  # after the last phoneme of a sequence
HEADERS = ("file", "file_name", "filename", "id", "name", "path", "wav")


class Line(NamedTuple):
    """A recording and its text.

    Attributes:
        name: str, of the file in wavs/, without its ending.
        text: str; the normalized one where there are two.
    """

    name: str
    text: str


def read_metadata(folder: Path) -> list[Line]:
    """The lines of metadata.csv: name|text, or name|text|normalized text.

    A name may have the ending .wav and the folder wavs/ before it; a first line of
    column names is left out.

    Raises:
        ValueError: it is not there, in another encoding, or a line is something else.
    """
    path = pathlib.Path(folder) / METADATA
    if not path.is_file():
        raise ValueError(
            f"A folder of speech holds {METADATA}, a line 'name|text' for each file "
            f"{WAVES}/name.wav, as LJSpeech's. Received: {os.fspath(folder)!r}, "
            "which has none."
        )
    lines, wrong = [], []
    # Not by `splitlines`, which also splits at signs within a text.
    for number, row in enumerate(re.split("\r?\n|\r", _decoded(path)), 1):
        if not row.strip():
            continue
        name, *texts = (part.strip() for part in row.split("|"))
        name = re.sub(r"\.wav$", "", name.strip('"'), flags=re.IGNORECASE)
        name = name.removeprefix(f"{WAVES}/")
        is_header = number == 1 and name.lower() in HEADERS
        if is_header and not os.path.exists(path.parent / _file_of(path.parent, name)):
            continue
        if len(texts) not in (1, 2) or not texts[-1] or _leaves(name):
            wrong.append(f"line {number}: {brief(row, 60)}")
            continue
        lines.append(Line(name, texts[-1]))
    if wrong or not lines:
        raise ValueError(
            f"The lines of {path} are 'name|text' or 'name|text|normalized text', "
            f"the name that of a file in {WAVES}/. Received: "
            f"{'; '.join(wrong[:MOST_NAMED]) or 'an empty file'}."
        )
    names = [line.name for line in lines]
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise ValueError(f"{path} names files once. Received: {twice[0]} twice.")
    return lines


def _decoded(path):
    """The text of a file in UTF-8."""
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path} is not in UTF-8. Received: bytes of another encoding in line "
            f"{line}. Save it as UTF-8."
        ) from None
    if "\0" in text:  # of UTF-16
        raise ValueError(f"{path} is not in UTF-8. Received: NULs. Save it as UTF-8.")
    return text


def _file_of(folder, name):
    """The path of a recording in a folder, whichever case its ending has."""
    paths = [os.path.join(WAVES, f"{name}{ending}") for ending in (".wav", ".WAV")]
    there = [path for path in paths if os.path.isfile(os.path.join(folder, path))]
    return (there or paths)[0]


def _usable(place, lines, look_at, on_error, remedy=""):
    """The recordings of lines that can be used.

    Args:
        place: `Folder`.
        lines: list of `Line`.
        look_at: function of a line and of the path of its file that returns what is
            known of it, or a str, why it cannot be used.
        on_error: str, "raise" or "skip".
        remedy: str, a sentence on what to do.

    Raises:
        ValueError: naming all that cannot be used, unless they are to be skipped; or
            none is left.
    """
    by_file = {_file_of(place.path, line.name): line for line in lines}

    def describe(broken, total, folder, kind):
        told = "\n".join(f"  {name!r}: {why}" for name, why in broken.items())
        return (
            f"{len(broken)} of {total} {kind}s of {folder!r} cannot be used:\n"
            f"{told}\n{remedy}Put files that are missing into {WAVES}/, or leave "
            f'{kind}s out by `on_error="skip"` (--skip_broken).'
        )

    return usable_of(
        Listing(place, list(by_file), None, None, Counter()),
        lambda file: look_at(by_file[file], file),
        on_error,
        "recording",
        describe,
        lambda file: by_file[file].name,
    )


def _looked(place, file):
    """The `Sound` of a recording, or why it cannot be used."""
    if not os.path.lexists(place.path_of(file)):
        return f"{file} is not there"
    return look(place, file, 1)


def _leaves(name):
    """Whether a name is that of a file elsewhere."""
    parts = pathlib.PurePath(name).parts
    return not parts or ".." in parts or pathlib.PurePath(name).is_absolute()


@refuses_unknown
def align(
    folder: Path,
    overwrite: bool = False,
    worst: float = WORST,
    verbose: bool = True,
    pronunciations: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Finds the phonemes of a folder of speech, and writes alignment.json there.

    Args:
        folder: str or path of a folder with metadata.csv and wavs/.
        overwrite: bool, whether to replace a file of that name.
        worst: float, the score below which a recording is left out.
        verbose: bool, whether to show how far it is.
        pronunciations: dict of words to their phonemes, for words that the
            dictionary does not have: `{"keras": "K EH R AH S"}`.

    Returns:
        dict of the name of each recording left out to why.

    Raises:
        ValueError: the folder is something else, or no recording is left.
        ImportError: the extras "audio" and "speech" are not installed.
    """
    folder = pathlib.Path(folder)
    lines = read_metadata(folder)
    files.check_free(folder / ALIGNMENT, overwrite)
    aligner = phonemes.Aligner(pronunciations)
    alignments, left = {}, {}
    bar = progress_bar(len(lines), int(verbose), "recording")
    for number, line in enumerate(lines, 1):
        try:
            sound = _heard(folder / _file_of(folder, line.name))
            alignment = aligner.align(sound, line.text)
            if alignment.score < worst:
                raise ValueError(
                    f"the recording does not say {brief(line.text, 60)}: score "
                    f"{alignment.score:.1f}, least {worst}"
                )
            alignments[line.name] = {
                "phones": list(alignment.phones),
                "seconds": [round(s, 5) for s in alignment.seconds],
            }
        except ValueError as error:
            left[line.name] = str(error)
        bar.update(number)
    if not alignments:
        few = list(left.items())[:MOST_NAMED]
        told = "\n".join(f"{name!r}: {why}" for name, why in few)
        raise ValueError(
            f"No recording of {folder} could be aligned. Each is an English sentence "
            f"or a few, read as {METADATA} has it.\n{told}"
        )
    files.write_bytes(folder / ALIGNMENT, json.dumps(alignments, indent=0).encode())
    return left


def _heard(path):
    """A recording as the aligner takes it, scaled only where it is too loud."""
    found = look(Folder(path.parent), path.name, 1)
    loud = isinstance(found, Sound) and is_loud(path, found.peak)
    return read_sound(path, phonemes.RATE, peak=1.0 if loud else None)[:, 0]


class Recording(NamedTuple):
    """A recording and its phonemes.

    Attributes:
        name: str.
        phones: int array `[phonemes]`, numbers of symbols.
        seconds: float array `[phonemes]`.
        frames: int, samples of the file.
        rate: int, of the file.
        channels: int, of the file.
    """

    name: str
    phones: np.ndarray
    seconds: np.ndarray
    frames: int
    rate: int
    channels: int


def find_speech(folder: Path, symbols: tuple, on_error: str = "raise") -> Source:
    """The recordings of a folder that have been aligned.

    Args:
        folder: str or path.
        symbols: tuple of str, the phonemes known.
        on_error: str, "raise" or "skip".

    Returns:
        `Source`; the heads of its files are `Recording`s.

    Raises:
        ValueError: a file is not there, damaged, or has an unknown phoneme.
    """
    folder = pathlib.Path(folder)
    lines = read_metadata(folder)
    path = folder / ALIGNMENT
    if not path.is_file():
        raise ValueError(
            f"Speech is trained on with {ALIGNMENT}, where each phoneme is. Received: "
            f"{os.fspath(folder)!r}, which has none. Make it by "
            f"`keras-gans align {folder}`."
        )
    try:
        alignment = json.loads(path.read_bytes())
        read = {k: (list(v["phones"]), v["seconds"]) for k, v in alignment.items()}
        read = {k: (p, np.array(s, "float64")) for k, (p, s) in read.items()}
        ok = all(
            s.shape == (len(p),) and len(p) and np.isfinite(s).all() and s.min() >= 0
            for p, s in read.values()
        )
        error = "lengths of phonemes are numbers of seconds, one for each"
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as why:
        ok, error = False, f"{type(why).__name__}: {why}"
    if not ok:
        raise ValueError(
            f"{path} is damaged ({brief(error, 200)}). It is a dict of names to "
            '{"phones": [...], "seconds": [...]}. Make it anew by `keras-gans align`.'
        )
    numbers = {symbol: i for i, symbol in enumerate(symbols)}
    place = Folder(str(folder))
    aligned = [line for line in lines if line.name in read]
    if not aligned:
        raise ValueError(f"No recording of {METADATA} is in {path}.")
    for line in aligned:
        phones, _ = read[line.name]
        if unknown := sorted({str(p) for p in phones} - set(numbers)):
            raise ValueError(
                f"{path} has phonemes that the model does not know. Received: "
                f"{', '.join(unknown[:MOST_NAMED])} in {line.name!r}. Name them in "
                "its `symbols`."
            )

    def look_at(line, file):
        sound = _looked(place, file)
        if isinstance(sound, str):
            return sound
        phones, seconds = read[line.name]
        length = sound.frames / sound.rate
        if abs(seconds.sum() - length) > 0.05:
            return (
                f"it has {length:.2f} s of sound, and in {ALIGNMENT} phonemes of "
                f"{seconds.sum():.2f} s: make that anew by keras-gans align"
            )
        ids = np.array([numbers[p] for p in phones], "int32")
        own = sound.frames, sound.rate, sound.channels
        return Recording(line.name, ids, seconds, *own)

    usable = _usable(place, aligned, look_at, on_error)
    left = [line.name for line in lines if line.name not in read]
    broken = dict.fromkeys(left, f"it is not in {ALIGNMENT}") | usable.broken
    usable = usable._replace(total=len(lines), broken=broken)
    size = len(usable.heads)
    return Source(f"folder {str(folder)!r}", size, None, None, None, [], [usable])


def frames_of(phones: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Phonemes frame by frame: (number, place in it, its length).

    Args:
        phones: int array `[phonemes]`.
        lengths: int array `[phonemes]`, frames of each.

    Returns:
        int32 `[sum of lengths, 3]`.

    Example:

    ```python
    from keras_gans.data.speech import frames_of

    frames_of(np.array([7, 3]), np.array([2, 1])).tolist()
    # [[7, 0, 2], [7, 1, 2], [3, 0, 1]]
    ```
    """
    lengths = np.asarray(lengths)
    starts = np.cumsum(lengths) - lengths
    total = int(lengths.sum())
    place = np.arange(total) - np.repeat(starts, lengths)
    columns = (np.repeat(phones, lengths), place, np.repeat(lengths, lengths))
    return np.stack(columns, axis=1).astype("int32")


@refuses_unknown
def load_speech(
    source: Any,
    *,
    samples: int,
    hop: int,
    rate: int = 16000,
    symbols: tuple = phonemes.SYMBOLS,
    batch_size: int = 16,
    shuffle: bool = True,
    seed: int = 0,
    drop_remainder: bool = True,
    repeat: bool = False,
    start: int = 0,
    on_error: str = "raise",
) -> tf.data.Dataset:
    """Returns a `tf.data.Dataset` of segments of speech and their phonemes.

    Each recording is an example for each whole segment that it holds, taken from
    anywhere in it: where, is a function of the seed, the epoch and the example's
    index. Files are read when their turn comes. Their loudest sample is brought to
    0.95. After the end of a recording there is silence.

    Args:
        source: str or path of a folder with metadata.csv, wavs/ and alignment.json.
        samples: int, the length of a segment, a multiple of `hop`.
        hop: int, samples of a frame.
        rate: int, samples a second; files of another rate are resampled.
        symbols: tuple of str, the phonemes known; the first is silence.
        batch_size: int.
        shuffle: whether each epoch has an order of its own.
        seed: a non-negative integer.
        drop_remainder: whether to leave out the last batch of an epoch if it is
            short.
        repeat: whether the dataset is endless.
        start: batches already consumed. With `repeat=False`, whole epochs.
        on_error: "raise", or "skip" to leave out recordings that cannot be used.

    Returns:
        A dataset of tuples: int32 `[batch_size, frames, 3]`, phonemes frame by
        frame; float32 `[batch_size, samples, 1]`; and int32 `[batch_size, phonemes,
        2]`, all phonemes of the recording and their frames, (-1, 0) after the last.

    Raises:
        ValueError: an argument is unusable, or files are missing or damaged: all of
            them are named.
        ImportError: the extra "audio" is not installed.
    """
    for name, value in (("samples", samples), ("hop", hop), ("rate", rate)):
        check_size(name, value)
    if samples % hop:
        raise ValueError(
            f"`samples` is a multiple of `hop`. Received: samples={samples}, hop={hop}."
        )
    batching = check_options(batch_size, drop_remainder, repeat, start, seed, on_error)
    recordings = find_speech(source, symbols, on_error)
    cutter = _Cutter(recordings.files[0], samples, hop, rate)
    check_length(recordings.name, cutter.size, batching, "segments")
    key = seed_key(seed)

    def prepare(epoch, index):
        seeds = example_seeds(key, epoch, index, 1)
        place = tf.random.stateless_uniform([], seeds[0])
        kinds = (tf.int32, tf.float32, tf.int32)
        phones, sound, all_phones = python_call(cutter.read, [index, place], kinds)
        return (
            tf.ensure_shape(phones, (samples // hop, 3)),
            tf.ensure_shape(sound, (samples, 1)),
            tf.ensure_shape(all_phones, (cutter.longest, 2)),
        )

    return batches_of_indices(cutter.size, prepare, batching, key, shuffle)


@refuses_unknown
def load_utterances(
    source: Any,
    *,
    hop: int,
    rate: int = 22050,
    symbols: tuple,
    frames: int | None = None,
    pronunciations: dict[str, str] | None = None,
    batch_size: int = 16,
    shuffle: bool = True,
    seed: int = 0,
    drop_remainder: bool = True,
    repeat: bool = False,
    start: int = 0,
    on_error: str = "raise",
) -> tf.data.Dataset:
    """Returns a `tf.data.Dataset` of whole recordings and their texts, for `VITS`.

    Texts become phonemes by the dictionary, with the first symbol between them. All
    recordings are brought to one length by silence after them, so that batches have
    one shape: leave out long ones by `frames` where most are short. Their loudest
    sample is brought to 0.95.

    Args:
        source: str or path of a folder with metadata.csv and wavs/.
        hop: int, samples of a frame.
        rate: int, samples a second; files of another rate are resampled.
        symbols: tuple of str, those of the model.
        frames: int, the length of a batch; recordings longer than it are left out.
            By default that of the longest.
        pronunciations: dict of words to their phonemes.
        batch_size: int.
        shuffle: see `load_speech`.
        seed: see `load_speech`.
        drop_remainder: see `load_speech`.
        repeat: see `load_speech`.
        start: see `load_speech`.
        on_error: "raise", or "skip" to leave out recordings that cannot be used,
            those with an unknown word among them.

    Returns:
        A dataset of tuples: int32 `[batch_size, symbols]`, -1 after the end; float32
        `[batch_size, frames * hop, 1]`; and int32 `[batch_size]`, frames of each.

    Raises:
        ValueError: an argument is unusable; words are unknown, files are missing or
            damaged, all of which are named; a recording has fewer frames than
            symbols, or all are too long.
        ImportError: the extras "audio" and "speech" are not installed.
    """
    for name, value in (("hop", hop), ("rate", rate)):
        check_size(name, value)
    batching = check_options(batch_size, drop_remainder, repeat, start, seed, on_error)
    if frames is not None:
        check_size("frames", frames)
    recordings = find_utterances(source, symbols, pronunciations, on_error)
    (usable,) = recordings.files
    texts = [head.ids for head in usable.heads]
    lengths = [-(-(s.frames * rate // s.rate) // hop) for s in usable.heads]
    most = max(lengths) if frames is None else frames
    kept = [i for i, length in enumerate(lengths) if length <= most]
    if not kept:
        raise ValueError(
            f"`frames` is the length of the longest recording that is kept. Received: "
            f"frames={frames}, and recordings from {min(lengths)} frames on."
        )
    for i in kept:
        if lengths[i] < len(texts[i]):
            raise ValueError(
                f"A recording has a frame or more for each symbol. Received: "
                f"{usable.listing.names[i]!r} with {lengths[i]} frames for "
                f"{len(texts[i])} symbols. Is its text another's?"
            )
    check_length(recordings.name, len(kept), batching, "recordings")
    key, longest = seed_key(seed), max(len(texts[i]) for i in kept)

    def read(index):
        number = kept[int(index)]
        ids = np.full(longest, END, "int32")
        ids[: len(texts[number])] = texts[number]
        path = usable.listing.place.path_of(usable.listing.names[number])
        values = read_sound(path, rate, peak=PEAK)
        sound = np.zeros((most * hop, 1), "float32")
        sound[: len(values)] = values[: len(sound)]
        return ids, sound, np.int32(lengths[number])

    def prepare(epoch, index):
        kinds = (tf.int32, tf.float32, tf.int32)
        ids, sound, count = python_call(read, [index], kinds)
        sound = tf.ensure_shape(sound, (most * hop, 1))
        return tf.ensure_shape(ids, (longest,)), sound, tf.ensure_shape(count, ())

    return batches_of_indices(len(kept), prepare, batching, key, shuffle)


class Utterance(NamedTuple):
    """A recording and the ids of its text.

    Attributes:
        ids: int array `[symbols]`.
        frames: int, samples of the file.
        rate: int, of the file.
        channels: int, of the file.
    """

    ids: np.ndarray
    frames: int
    rate: int
    channels: int


def find_utterances(
    folder: Path,
    symbols: tuple,
    pronunciations: dict[str, str] | None = None,
    on_error: str = "raise",
) -> Source:
    """The recordings of a folder whose texts are known.

    Returns:
        `Source`; the heads of its files are `Utterance`s.

    Raises:
        ValueError: files are missing or damaged, or words are unknown.
    """
    folder = pathlib.Path(folder)
    lines, place = read_metadata(folder), Folder(str(folder))

    def look_at(line, file):
        sound = _looked(place, file)
        if isinstance(sound, str):
            return sound
        try:
            words = phonemes.words_of(line.text, pronunciations)
        except phonemes.UnknownWordsError as error:
            return f"there are no phonemes of {error.told} in {brief(line.text, 60)}"
        phones = [phone for _, own in words for phone in own]
        ids = phonemes.with_blanks(phonemes.numbers_of(phones, symbols))
        return Utterance(ids, sound.frames, sound.rate, sound.channels)

    usable = _usable(place, lines, look_at, on_error, f"{phonemes.SPELL}. ")
    size, name = len(usable.heads), f"folder {str(folder)!r}"
    return Source(name, size, None, None, None, [], [usable])


@refuses_unknown
def describe_utterances(
    source: Any,
    symbols: tuple,
    pronunciations: dict[str, str] | None = None,
    on_error: str = "raise",
    rate: int = 22050,
) -> Report:
    """What a training of `VITS` reads from a folder of speech.

    Args:
        source: see `load_utterances`.
        symbols: see `load_utterances`.
        pronunciations: see `load_utterances`.
        on_error: see `load_utterances`.
        rate: see `load_utterances`.

    Returns:
        `Report`.

    Raises:
        ValueError: the source cannot be used, or an argument is out of its range.
    """
    (usable,) = find_utterances(source, symbols, pronunciations, on_error).files
    seconds = sum(s.frames / s.rate for s in usable.heads)
    count = sum(len(one.ids) for one in usable.heads)
    rows = [
        ("data", str(source)),
        ("used", f"{len(usable.heads)} of {usable.total} recordings"),
        ("lengths", f"{seconds:,.1f} s in all"),
        ("symbols", f"{count:,}, those between them among them"),
        *changed_rows(usable.heads, rate, 1),
        *_left_out(usable.broken),
    ]
    names = [*usable.listing.names, METADATA]
    read = [usable._replace(listing=usable.listing._replace(names=names))]
    return Report(rows, usable.broken, read, digests(read))


def _left_out(broken):
    """The row of a report on recordings that are left out."""
    told = [f"{name!r}: {why}" for name, why in list(broken.items())[:MOST_NAMED]]
    told += [f"{len(broken) - len(told)} more"] * (len(broken) > len(told))
    return [("left out", "\n".join(told))] * bool(broken)


class _Cutter:
    """Cuts segments of recordings, with their phonemes; keeps no sound."""

    def __init__(self, usable, samples, hop, rate):
        self.listing, self.recordings = usable.listing, usable.heads
        self.samples, self.hop, self.rate = samples, hop, rate
        self.lengths = [_lengths(r.seconds, rate, hop) for r in self.recordings]
        self.longest = max(map(len, self.lengths))
        slots = [max(1, int(x.sum()) * hop // samples) for x in self.lengths]
        self.firsts = np.concatenate([[0], np.cumsum(slots)])
        self.size = int(self.firsts[-1])

    def read(self, index, place):
        """The segment of an example; `place` in [0, 1) within its part."""
        number = int(np.searchsorted(self.firsts, index, side="right") - 1)
        one, lengths = self.recordings[number], self.lengths[number]
        count, total = self.samples // self.hop, int(lengths.sum())
        slots = int(self.firsts[number + 1] - self.firsts[number])
        slot = int(index - self.firsts[number])
        free = max(0, total - count)
        first = int((slot + float(place)) / slots * (free + 1))
        all_phones = np.full((self.longest, 2), END, "int32")
        all_phones[: len(lengths)] = np.stack([one.phones, lengths], axis=1)
        all_phones[len(lengths) :, 1] = 0
        phones = frames_of(one.phones, lengths)[first : first + count]
        rest = count - len(phones)
        quiet = frames_of(np.zeros(1, int), np.array([rest]))
        phones = np.concatenate([phones, quiet])
        path = self.listing.place.path_of(self.listing.names[number])
        values = read_sound(path, self.rate, peak=PEAK)
        values = values[first * self.hop :][: self.samples]
        sound = np.zeros((self.samples, 1), "float32")
        sound[: len(values)] = values
        return phones, sound, all_phones


def _lengths(seconds, rate, hop):
    """The frames of phonemes: their ends are rounded, so that none drifts."""
    ends = np.rint(np.cumsum(seconds) * rate / hop).astype("int32")
    ends[-1] = -(-round(float(seconds.sum()) * rate) // hop)
    return np.diff(np.maximum.accumulate(ends), prepend=0).astype("int32")


@refuses_unknown
def describe_speech(
    source: Any,
    symbols: tuple,
    samples: int,
    hop: int,
    rate: int,
    on_error: str = "raise",
) -> Report:
    """What a training reads from a folder of speech.

    Args:
        source: see `load_speech`.
        symbols: see `load_speech`.
        samples: see `load_speech`.
        hop: see `load_speech`.
        rate: see `load_speech`.
        on_error: see `load_speech`.

    Returns:
        `Report`.

    Raises:
        ValueError: the source cannot be used, or an argument is out of its range.
    """
    recordings = find_speech(source, symbols, on_error)
    (usable,) = recordings.files
    seconds = [r.seconds.sum() for r in usable.heads]
    spoken = np.concatenate([r.phones for r in usable.heads])
    counts = np.bincount(spoken, minlength=len(symbols))
    rare = [f"{symbols[i]} {counts[i]}" for i in np.argsort(counts, kind="stable")[:5]]
    rows = [
        ("data", str(source)),
        ("used", f"{len(seconds)} of {usable.total} recordings"),
        ("lengths", f"{sum(seconds):,.1f} s in all"),
        ("phonemes", f"{len(spoken):,}; the rarest: {', '.join(rare)}"),
    ]
    if never := [symbols[i] for i in range(1, len(symbols)) if not counts[i]]:
        told = f"{', '.join(never)}: words that have them will not be understood"
        rows.append(("never said", told))
    rows += changed_rows(usable.heads, rate, 1)
    rows += _left_out(usable.broken)
    cutter = _Cutter(usable, samples, hop, rate)
    summary = f"{cutter.size} segments of {samples} samples ({samples / rate:.2f} s)"
    rows.append(("made", summary))
    names = [*usable.listing.names, METADATA, ALIGNMENT]
    read = [usable._replace(listing=usable.listing._replace(names=names))]
    return Report(rows, usable.broken, read, digests(read))
