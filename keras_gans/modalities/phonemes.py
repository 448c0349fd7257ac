"""Phonemes: of English texts, and where they are in recordings.

Both come of pocketsphinx, whose wheel carries an acoustic model and a dictionary of
134,000 words (CMUdict), and knows no other language.
"""

from collections.abc import Mapping, Sequence
import functools
import pathlib
import re
from typing import Any, NamedTuple
import unicodedata

import numpy as np

from keras_gans.utils.optional import require
from keras_gans.utils.suggestions import hint
from keras_gans.utils.text import brief

SILENCE = "SIL"
VOWELS = "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW"
CONSONANTS = "B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH"
PHONEMES = tuple(sorted(f"{VOWELS} {CONSONANTS}".split()))
SYMBOLS = (SILENCE, *PHONEMES)
RATE = 16000  # of recordings that pocketsphinx hears
STEP = 160  # samples of its frames
LEAD = 3200  # samples of silence put around a recording
PAUSES = ".,;:!?\u2026()[]{}-\u2013\u2014"
UNHEARD = '"*_\u201c\u201d\u201e\u00ab\u00bb'  # quotes, and marks of emphasis
APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\u2032", "'"))
HYPHENS = str.maketrans(dict.fromkeys("\u2010\u2011", "-"))
WORD = re.compile(r"[a-z']+(?:[.-][a-z']+)*\.?|[^\s]", re.IGNORECASE)


SPELL = (
    "Spell numbers and signs as words, or say how a word sounds by "
    "`pronunciations={'keras': 'K EH R AH S'}` (--pronunciations='keras=K EH R AH S')"
)


class Aligned(NamedTuple):
    """The phonemes of a recording.

    Attributes:
        phones: tuple of str.
        seconds: tuple of float, how long each is; in all, the recording's length.
        score: float, the mean log-likelihood of a frame in pocketsphinx's scale:
            near -10 where the text is what is said, far below where it is not.
    """

    phones: tuple
    seconds: tuple
    score: float


def _pocketsphinx():
    return require("pocketsphinx", "speech", "Phonemes of texts")


@functools.lru_cache(maxsize=1)
def dictionary() -> dict[str, tuple]:
    """The phonemes of each word that pocketsphinx's dictionary has.

    Raises:
        ImportError: the extra "speech" is not installed.
    """
    path = pathlib.Path(_pocketsphinx().get_model_path("en-us/cmudict-en-us.dict"))
    rows = (line.split() for line in path.read_text("utf-8").splitlines())
    return {word: tuple(phones) for word, *phones in rows}


class UnknownWordsError(ValueError):
    """Words of a text have no phonemes.

    Args:
        words: list of str.
        text: str.
    """

    def __init__(self, words: list[str], text: str):
        near = hint(words[0], dictionary()) if words[0].isalpha() else ""
        self.told = brief(", ".join(map(repr, dict.fromkeys(words))), 300)
        super().__init__(
            f"These have no phonemes in the dictionary: {self.told}. Received: "
            f"{brief(text, 100)}.{near} {SPELL}."
        )


def words_of(
    text: str, pronunciations: Mapping[str, Sequence[str] | str] | None = None
) -> list[tuple[str, tuple]]:
    """The words of a text and their phonemes; pauses are ("", ("SIL",)).

    Full stops, commas, brackets, dashes and the like make pauses, one where several
    follow each other; quotes make none. Accents are left out, and words with hyphens
    that the dictionary lacks are read in parts.

    Args:
        text: str, words that the dictionary has, and marks.
        pronunciations: dict of words to their phonemes, "K EH R AH S", which go
            before the dictionary.

    Raises:
        UnknownWordsError: a word or a sign is unknown; all of them are named.
        ValueError: there is no word.
        ImportError: the extra "speech" is not installed, where it is needed.

    Example:

    ```python
    from keras_gans.modalities.phonemes import words_of

    words_of("Keras.", {"keras": "K EH R AH S"})
    # [("keras", ("K", "EH", "R", "AH", "S")), ("", ("SIL",))]
    ```
    """
    if not isinstance(text, str):
        raise ValueError(f"`text` is a str. Received: {brief(text)}.")
    given = (pronunciations or {}).items()
    own = {_plain(word).lower(): _phones_of(word, phones) for word, phones in given}

    def find(word):
        if word in own or not re.search("[a-z]", word):
            return own.get(word)
        return dictionary().get(word)

    words, unknown, pause = [], [], ("", (SILENCE,))
    for match in WORD.finditer(_plain(text)):
        word = match[0].lower()
        if word.strip("'") != word and not find(word):  # quoted, or a plural's
            word = word.strip("'")
        if word in PAUSES:  # also ""
            if word and words and words[-1] != pause:
                words.append(pause)
            continue
        ended = word.endswith(".") and word not in own
        ended = ended and (len(word) != 2 or word not in dictionary())
        word = word[:-1] if ended else word
        parts = [word] if find(word) else re.findall("[^-]+", word)
        for part in parts:
            part = part if find(part) else part.strip("'")
            if phones := find(part):
                words.append((part, phones))
            elif part:
                unknown.append(part)
        if ended:
            words.append(pause)
    if unknown:
        raise UnknownWordsError(unknown, text)
    if not words:
        raise ValueError(f"`text` holds a word or more. Received: {text!r}.")
    return words


def _plain(text):
    """A text with plain apostrophes and hyphens, without accents and quotes."""
    text = text.translate(APOSTROPHES).translate(HYPHENS)
    parts = unicodedata.normalize("NFD", text)
    return "".join(
        c for c in parts if c not in UNHEARD and not unicodedata.combining(c)
    )


def pronunciations_of(text: str | None) -> dict[str, str] | None:
    """The pronunciations that a line gives: "keras=K EH R AH S, relu=R EH L UW".

    Raises:
        ValueError: it is something else.
    """
    if text is None:
        return None
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(word.strip() and phones.strip() for word, _, phones in pairs):
        raise ValueError(
            "`pronunciations` are WORD=PHONEMES, with commas: "
            f"keras=K EH R AH S, relu=R EH L UW. Received: {text!r}."
        )
    return {word.strip(): phones.strip() for word, _, phones in pairs}


def _phones_of(word, phones):
    phones = tuple(phones.split() if isinstance(phones, str) else phones)
    if not phones or not set(phones) <= set(SYMBOLS):
        raise ValueError(
            f"A pronunciation is phonemes of ARPAbet, {' '.join(PHONEMES[:5])} and so "
            f"on, without stress. Received: {word!r}: {phones}."
        )
    return phones


def check_symbols(symbols: Any) -> tuple:
    """Returns the names of symbols as a tuple.

    Raises:
        ValueError: they are none, or one is there twice.
    """
    ok = isinstance(symbols, (tuple, list)) and len(symbols) > 1
    if not ok or not all(isinstance(s, str) and s for s in symbols):
        raise ValueError(
            "`symbols` is a tuple of names, the first of silence or of what stands "
            f"between symbols. Received: {brief(symbols)}."
        )
    if len(set(symbols)) < len(symbols):
        twice = next(s for s in symbols if list(symbols).count(s) > 1)
        raise ValueError(f"`symbols` are named once each. Received: {twice!r} twice.")
    return tuple(symbols)


def numbers_of(symbols: Sequence[str], known: Sequence[str]) -> np.ndarray:
    """The numbers of symbols: int32 `[symbols]`.

    Args:
        symbols: list of str, or a str of symbols of one letter each.
        known: tuple of str, all that there are, in their order.

    Raises:
        ValueError: there is none, or one is unknown; all unknown ones are named.
    """
    numbers = {symbol: i for i, symbol in enumerate(known)}
    unknown = [s for s in dict.fromkeys(symbols) if s not in numbers]
    if unknown or not len(symbols):
        told = ", ".join(map(repr, unknown)) or "none"
        raise ValueError(
            f"Symbols are of {brief(', '.join(known), 300)}. Received: "
            f"{brief(told, 300)}."
        )
    return np.array([numbers[s] for s in symbols], "int32")


def with_blanks(ids: np.ndarray) -> np.ndarray:
    """Ids with 0 before, between and after them: int32 `[2 * symbols + 1]`."""
    spaced = np.zeros(2 * len(ids) + 1, "int32")
    spaced[1::2] = ids
    return spaced


class Aligner:
    """Finds where phonemes are in recordings whose text is known.

    Example:

    ```python
    from keras_gans.modalities.phonemes import Aligner

    aligner = Aligner()  # aligner.align(recording, "seven three nine")
    ```

    Args:
        pronunciations: dict of words to their phonemes, for words that the
            dictionary does not have.

    Raises:
        ValueError: a pronunciation is of other symbols.
        ImportError: the extra "speech" is not installed.
    """

    def __init__(self, pronunciations: Mapping[str, str] | None = None):
        self._decoder = _pocketsphinx().Decoder(lm=None, loglevel="FATAL")
        self._own = pronunciations or {}
        for word, phones in self._own.items():
            spoken = " ".join(_phones_of(word, phones))
            if self._decoder.lookup_word(word.lower()) is None:
                self._decoder.add_word(word.lower(), spoken, True)

    def align(self, sound: np.ndarray, text: str) -> Aligned:
        """The phonemes of a recording.

        Args:
            sound: float `[samples]` in [-1, 1], of 16,000 samples a second.
            text: str, what is said.

        Raises:
            ValueError: a word is unknown, or the text is not what is said.
        """
        words = [word for word, _ in words_of(text, self._own) if word]
        decoder = self._decoder
        quiet = np.random.default_rng(0).normal(size=(2, LEAD)) * 1e-4
        heard = np.concatenate([quiet[0], sound, quiet[1]])
        pcm = np.clip(np.rint(heard * 32767), -32768, 32767).astype("<i2").tobytes()
        try:
            decoder.set_align_text(" ".join(words))
            _hear(decoder, pcm)
            decoder.set_alignment()
            _hear(decoder, pcm)
            entries = list(decoder.get_alignment().phones())
        except RuntimeError as error:
            raise ValueError(
                f"The recording does not say {brief(text, 100)} ({error})."
            ) from None
        return _aligned(entries, len(sound))


def _hear(decoder, pcm):
    decoder.start_utt()
    decoder.process_raw(pcm, no_search=False, full_utt=True)
    decoder.end_utt()


def _aligned(entries, samples):
    """Cuts off the silence around, and joins neighbouring silences."""
    phones, ends = [], []
    for entry in entries:
        end = min(max((entry.start + entry.duration) * STEP - LEAD, 0), samples)
        name = entry.name if entry.name in PHONEMES else SILENCE
        if phones and name == phones[-1] == SILENCE:
            ends[-1] = end
        else:
            phones.append(name)
            ends.append(end)
    if not entries:
        raise ValueError("The recording has no phonemes.")
    ends[-1] = samples
    seconds = np.diff([0, *ends]) / RATE
    kept = [(p, float(s)) for p, s in zip(phones, seconds, strict=True) if s > 0]
    frames = sum(entry.duration for entry in entries)
    score = sum(entry.score for entry in entries) / frames
    return Aligned(*map(tuple, zip(*kept, strict=True)), score)
