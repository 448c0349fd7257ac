"""Text to speech: waveforms of phonemes, trained as HiFi-GAN is."""

from collections.abc import Mapping

import keras
from keras import ops
import numpy as np

from keras_gans.core.inputs import Phones
from keras_gans.core.optimizers import TorchAdam
from keras_gans.core.recipe import Recipe
from keras_gans.core.waveform_gan import WaveformGAN
from keras_gans.engine.phases import Phase
from keras_gans.modalities import Waveform, phonemes
from keras_gans.models.hifigan import default_mel
from keras_gans.networks.hifigan import Configuration, hifigan_discriminators
from keras_gans.networks.text_to_speech import (
    SPECTRA,
    WAVES,
    duration_predictor,
    speech_generator,
)
from keras_gans.utils.types import Path, Tensor
from keras_gans.utils.validation import check_size, is_number, one_of, within

HEADS = {"spectrum": (SPECTRA, 16, 4), "waveform": (WAVES, None, 1)}
LONGEST = 400  # frames of a phoneme, however long it is predicted to be


@keras.saving.register_keras_serializable("keras_gans")
class TextToSpeech(WaveformGAN):
    """One voice, learned from recordings and where their phonemes are.

    A generator makes waveforms of phonemes whose length is known; it is trained as
    HiFi-GAN is. A small network beside learns how long phonemes are. There is no
    text encoder, no attention and no style: what is said is as even as the
    recordings are, and words unlike theirs are said badly.

    `fit` takes batches (phones, waveforms, sequences), as
    `keras_gans.data.load_speech` reads them; `say` makes a sound of a text.

    Args:
        rate: int, samples a second.
        segment: int, samples of a training segment, a multiple of the hop.
        head: "spectrum", an inverse Fourier transform makes the waveform, for CPUs;
            or "waveform", another upsampling does.
        channels: int, of the first map of the upsampling.
        rates: of the upsamplings, a tuple of ints; the hop is their product, 4
            times of it with the head "spectrum".
        kernels: of the upsamplings, a tuple of ints.
        width: int, channels of the encoder and of the predictor of lengths.
        symbols: the phonemes, a tuple of str, of which the first is silence;
            ARPAbet's, without stress, by default.
        bands: int, mel bands of the loss.
        feature_weight: float of 0 or more, of feature matching.
        mel_weight: float of 0 or more, of the distance of spectrograms.
        periods: of the discriminators, a tuple of ints.
        scales: int, how many discriminators see averages.
        d_width: int, channels of the first map of discriminators of periods, a
            multiple of 4.
        generator: dict of two `keras.Model`s, "generator" and "durations", to use
            instead of `speech_generator` and `duration_predictor`.
        discriminator: dict of `keras.Model`s by name to use instead of
            `hifigan_discriminators`, each with a list of outputs, logits first.
        **kwargs: the other arguments of `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    tts = keras_gans.TextToSpeech(
        rate=8000, segment=640, channels=8, rates=(5, 2), kernels=(11, 4),
        width=8, periods=(2,), scales=0, d_width=4,
    )
    phones = keras_gans.data.speech.frames_of(np.array([26, 11, 0]), [5, 8, 3])
    tts.sample(1, phones=phones[None]).shape  # (1, 640, 1)
    ```

    Reference:
        https://arxiv.org/abs/2010.05646, trained on phonemes as in
        https://arxiv.org/abs/2203.16852
    """

    further_fields = ("sequence",)  # all phonemes of a recording, and their frames

    def __init__(
        self,
        rate: int = 16000,
        segment: int = 8000,
        head: str = "spectrum",
        channels: int | None = None,
        rates: tuple[int, ...] | None = None,
        kernels: tuple[int, ...] | None = None,
        width: int = 128,
        *,
        symbols: tuple[str, ...] | None = None,
        bands: int = 80,
        feature_weight: float = 2.0,
        mel_weight: float = 45.0,
        periods: tuple[int, ...] = (2, 3, 5, 7, 11),
        scales: int = 3,
        d_width: int = 32,
        generator: dict[str, keras.Model] | None = None,
        discriminator: dict[str, keras.Model] | None = None,
        **kwargs,
    ):
        one_of("head", head, tuple(HEADS))
        for name, value in (("rate", rate), ("segment", segment), ("width", width)):
            check_size(name, value)
        symbols = phonemes.SYMBOLS if symbols is None else symbols
        symbols = phonemes.check_symbols(symbols)
        configuration, n_fft, hop = HEADS[head]
        changed = {"channels": channels, "rates": rates, "kernels": kernels}
        changed = {k: v for k, v in changed.items() if v is not None}
        configuration = Configuration(**{**configuration._asdict(), **changed})
        if generator is None:
            count = len(symbols)
            generator = {
                "generator": speech_generator(count, configuration, n_fft, hop, width),
                "durations": duration_predictor(count, width),
            }
        for factor in configuration.rates:
            hop *= factor
        mel = default_mel(rate, hop, bands)
        if segment % hop or segment <= mel.n_fft:
            raise ValueError(
                f"`segment` is a multiple of the hop, {hop}, and longer than a "
                f"spectrogram's window, {mel.n_fft}. Received: segment={segment}."
            )
        if discriminator is None:
            discriminator = hifigan_discriminators(segment, periods, scales, d_width)
        super().__init__(
            generator,
            discriminator,
            mel=mel,
            feature_weight=feature_weight,
            mel_weight=mel_weight,
            modality=Waveform(segment, 1, rate),
            inputs=(Phones(len(symbols)),),
            **kwargs,
        )
        self.symbols = symbols

    # --- Training ---

    @property
    def optimizer_networks(self) -> dict[str, tuple[str, ...]]:
        """The predictor of lengths has an optimizer of its own."""
        return {
            "d": self.discriminator_names,
            "g": ("generator",),
            "durations": ("durations",),
        }

    def default_optimizers(self) -> tuple:
        """HiFi-GAN's AdamW, and Adam of 1e-3 for lengths."""
        d, g, _ = super().default_optimizers()
        return d, g, TorchAdam(1e-3, epsilon=1e-8)

    def phases(self) -> list[Phase]:
        """HiFi-GAN's two, and the predictor of lengths."""
        return [*super().phases(), Phase("durations", self.duration_loss, fakes=None)]

    def generator_input_shapes(self) -> dict[str, list]:
        return {"generator": [(None, 3)], "durations": [(None,)]}

    def duration_loss(
        self, fake: None, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """The mean squared error of the logarithm of frames."""
        ids, frames = batch["sequence"][..., 0], batch["sequence"][..., 1]
        said = self.forward("durations", ids, training)
        spoken = ops.cast(frames > 0, "float32")
        wanted = ops.log(ops.maximum(ops.cast(frames, "float32"), 1.0))
        errors = ops.sum(ops.square(said - wanted) * spoken, axis=1)
        loss = ops.mean(errors / ops.maximum(ops.sum(spoken, axis=1), 1.0))
        return loss, {"durations_loss": loss}

    # --- Speaking ---

    def lengths_of(self, phones: list[str], speed: float = 1.0) -> np.ndarray:
        """How many frames each phoneme is said for.

        Args:
            phones: list of str, of `symbols`.
            speed: float, how many times faster than the recordings.

        Returns:
            int array `[phonemes]`, 1 or more each.
        """
        ok = is_number(speed) and 0.1 <= speed <= 10
        within("speed", speed, ok, "[0.1, 10]")
        ids = phonemes.numbers_of(phones, self.symbols)
        logarithms = self.sampling_network("durations")(ids[None], training=False)
        frames = np.exp(ops.convert_to_numpy(logarithms)[0].astype("float64")) / speed
        return np.clip(np.rint(frames), 1, LONGEST).astype("int32")

    def speak(
        self, phones: list[str], lengths: np.ndarray | None = None, speed: float = 1.0
    ) -> np.ndarray:
        """The sound of phonemes.

        Args:
            phones: list of str, of `symbols`.
            lengths: int array, the frames of each; predicted by default.
            speed: float, how many times faster than the recordings, where lengths
                are predicted.

        Returns:
            float32 `[samples, 1]` in [-1, 1], of `rate` samples a second.

        Raises:
            ValueError: a phoneme is unknown, or a length no number of frames.
        """
        from keras_gans.data.speech import frames_of

        if lengths is None:
            lengths = self.lengths_of(phones, speed)
        lengths = np.asarray(lengths)
        ok = lengths.shape == (len(phones),) and lengths.dtype.kind in "iu"
        if not ok or lengths.min() < 0 or not lengths.sum():
            raise ValueError(
                "`lengths` is a number of frames for each phoneme. Received: "
                f"{lengths.tolist()} for {len(phones)} phonemes."
            )
        frames = frames_of(phonemes.numbers_of(phones, self.symbols), lengths)
        with self.engine.inference():
            sound = self.sampling_network()(frames[None], training=False)
        return np.clip(ops.convert_to_numpy(sound)[0].astype("float32"), -1, 1)

    def plan(
        self,
        text: str,
        pause: float = 0.0,
        speed: float = 1.0,
        pronunciations: Mapping[str, str] | None = None,
    ) -> tuple[list[str], np.ndarray]:
        """The phonemes of an English text and how long each is said.

        Args:
            text: see `say`.
            pause: see `say`.
            speed: see `say`.
            pronunciations: see `say`.

        Returns:
            `(phones, lengths)`, what `speak` takes; a frame is `hop` samples.

        Raises:
            ValueError: a word is unknown.
            ImportError: the extra "speech" is not installed.
        """
        ok = is_number(pause) and 0 <= pause <= 10
        within("pause", pause, ok, "[0, 10]")
        words = phonemes.words_of(text, pronunciations)
        silence = self.symbols[0]
        phones, pauses = [silence], {}
        for word, own in words:
            if word and phones[-1] != silence and pause:
                pauses[len(phones)] = round(pause * self.modality.rate / self.hop)
                phones.append(silence)
            if word or phones[-1] != silence:
                phones += own if word else [silence]
        if phones[-1] != silence:
            phones.append(silence)
        lengths = self.lengths_of(phones, speed)
        for place, frames in pauses.items():
            lengths[place] = frames
        return phones, lengths

    def say(
        self,
        text: str,
        out: Path | None = None,
        *,
        pause: float = 0.0,
        speed: float = 1.0,
        pronunciations: Mapping[str, str] | None = None,
        overwrite: bool = False,
    ) -> np.ndarray:
        """Says an English text.

        Args:
            text: str, words; a full stop or a comma is a pause.
            out: str or path of a WAV file to write; `None` for none.
            pause: float of 0 or more, seconds of silence between words. A voice that
                was learned from single words is clearer with some.
            speed: float, how many times faster than the recordings.
            pronunciations: dict of words to their phonemes, for words that the
                dictionary does not have: `{"keras": "K EH R AH S"}`.
            overwrite: bool, whether to replace the file `out`.

        Returns:
            float32 `[samples, 1]` in [-1, 1], of `rate` samples a second.

        Raises:
            ValueError: a word is unknown, or `out` exists.
            ImportError: the extra "speech" is not installed.
        """
        phones, lengths = self.plan(text, pause, speed, pronunciations)
        sound = self.speak(phones, lengths)
        if out is not None:
            wave = Waveform(None, 1, self.modality.rate)
            wave.write(out, sound, overwrite=overwrite)
        return sound


RECIPE = Recipe(
    name="text_to_speech",
    model="TextToSpeech",
    summary="One voice from phonemes, HiFi-GAN's losses, arXiv:2010.05646",
    task="speech",
    data="speech",
    epochs=200,
    batch_size=8,
    arguments={"d_width": 4, "scales": 0},
    without=("data_dir", "evaluate_every", "diff_augment"),
)
