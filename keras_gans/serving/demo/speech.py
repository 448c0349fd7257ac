"""Speech: a text that is typed, and heard."""

from collections.abc import Mapping
import math
from typing import Any, ClassVar

import numpy as np

from keras_gans.core.gan import BaseGAN
from keras_gans.modalities import Waveform, phonemes
from keras_gans.models.text_to_speech import TextToSpeech
from keras_gans.models.vits import VITS
from keras_gans.serving.demo.sounds import in_words, sound_url, spectrogram_url
from keras_gans.serving.demo.views import ENCODING, LOCK, View
from keras_gans.utils.text import brief
from keras_gans.utils.validation import check_seed, is_number, within

MOST_LETTERS = 300  # of a text that is said
MOST_SPELLED = 1000  # letters of pronunciations
MOST_SECONDS = 60  # of its sound


class SpeechView(View):
    """What a voice says of a text, or of symbols where its own are no English."""

    kind = "speech"
    takes: ClassVar[dict[str, bool]] = {}  # which options the voice has

    def about(self) -> dict[str, Any]:
        return super().about() | {
            "english": self.english,
            "symbols": list(self.gan.symbols),
            "letters": MOST_LETTERS,
            **self.takes,
        }

    @property
    def size(self) -> str:
        return f"speech {in_words(self.gan.modality)}"

    @property
    def english(self) -> bool:
        """Whether texts are English, not symbols of the voice's own."""
        raise NotImplementedError

    def say(
        self,
        text: str,
        seed: int = 0,
        speed: float = 1.0,
        pause: float = 0.0,
        pronunciations: str = "",
    ) -> dict[str, Any]:
        """A text as a WAV file and its spectrogram, as JSON holds them.

        Args:
            text: str of up to 300 letters: English words, or the voice's own
                symbols.
            seed: int in [0, 2**31), of another reading, where the voice has them.
            speed: float in [0.5, 2], how many times faster than it has learned.
            pause: float in [0, 1], seconds between words, where the voice has it.
            pronunciations: str, how words sound that the dictionary lacks:
                "keras = K EH R AH S, gan = G AE N".

        Raises:
            ValueError: a word or symbol is unknown, the text is empty, too long or
                takes too long to say, or a number is out of range.
            ImportError: the extra "speech" is not installed.
        """
        if not text.strip():
            raise ValueError("There is nothing to say. Write some words.")
        if len(text) > MOST_LETTERS:
            raise ValueError(
                f"A text has up to {MOST_LETTERS} letters here. Received: "
                f"{len(text)}. Say it in parts, or by `keras-gans say`."
            )
        check_seed(seed)
        within("speed", speed, is_number(speed) and 0.5 <= speed <= 2, "[0.5, 2]")
        within("pause", pause, is_number(pause) and 0 <= pause <= 1, "[0, 1]")
        own = read_pronunciations(pronunciations)
        with LOCK:
            sound = self.spoken(text, seed, speed, pause, own)
        rate = self.gan.modality.rate
        with ENCODING:
            return {
                "sound": sound_url(Waveform(None, 1, rate), sound),
                "image": spectrogram_url(sound),
                "seconds": round(len(sound) / rate, 3),
            }

    def spoken(
        self, text: str, seed: int, speed: float, pause: float, own: Mapping[str, str]
    ) -> np.ndarray:
        """The sound of a text: float32 `[samples, 1]`."""
        raise NotImplementedError

    def check_seconds(self, seconds: float) -> None:
        """Refuses to speak for long: one that was trained badly may take minutes.

        Raises:
            ValueError: it would take more than a minute.
        """
        if seconds > MOST_SECONDS:
            raise ValueError(
                f"A text takes up to {MOST_SECONDS} seconds here. {self.name} would "
                f"speak for {math.ceil(seconds):,}. Say it in parts, or train the "
                "voice for longer."
            )


class TextToSpeechView(SpeechView):
    """What `TextToSpeech` says, with pauses between words."""

    takes = {"pause": True, "seed": False}

    @classmethod
    def fits(cls, gan: BaseGAN) -> bool:
        return isinstance(gan, TextToSpeech)

    @property
    def english(self) -> bool:
        return set(self.gan.symbols) <= set(phonemes.SYMBOLS)

    def spoken(self, text, seed, speed, pause, own):
        gan = self.gan
        if self.english:
            phones, lengths = gan.plan(text, pause, speed, own)
        else:
            phones = text.split()
            lengths = gan.lengths_of(phones, speed)
        self.check_seconds(int(lengths.sum()) * gan.hop / gan.modality.rate)
        return gan.speak(phones, lengths)


class VITSView(SpeechView):
    """What `VITS` says; each seed is another reading."""

    takes = {"pause": False, "seed": True}

    @classmethod
    def fits(cls, gan: BaseGAN) -> bool:
        return isinstance(gan, VITS)

    @property
    def english(self) -> bool:
        return set(phonemes.PHONEMES) <= set(self.gan.symbols)

    def spoken(self, text, seed, speed, pause, own):
        if self.english:
            words = phonemes.words_of(text, own)
            symbols = [phone for _, phones in words for phone in phones]
        elif all(len(symbol) == 1 for symbol in self.gan.symbols):
            symbols = text
        else:
            symbols = text.split()
        self.check_seconds(self.gan.seconds_of(symbols, seed, speed))
        return self.gan.speak(symbols, seed=seed, speed=speed)


def read_pronunciations(text: str) -> dict[str, str]:
    """The phonemes of words, as one writes them into a line.

    Args:
        text: str of up to 1,000 letters, "keras = K EH R AH S, gan = G AE N".

    Returns:
        dict of words to their phonemes.

    Raises:
        ValueError: it is longer, or a part of it is no word with its phonemes.
    """
    found = {}
    if len(text) > MOST_SPELLED:
        raise ValueError(
            f"Pronunciations have up to {MOST_SPELLED} letters here. Received: "
            f"{len(text)}. Leave out words that are not said."
        )
    for part in filter(str.strip, text.split(",")):
        word, _, phones = (piece.strip() for piece in part.partition("="))
        if not word or not phones:
            raise ValueError(
                "Pronunciations are words and their phonemes, such as keras = K EH R "
                f"AH S, with commas between. Received: {brief(part.strip(), 60)!r}."
            )
        found[word] = phones
    return found
