"""VITS: speech from text, with alignments that are found while training."""

from collections.abc import Callable, Iterator, Mapping, Sequence
import itertools
from typing import Any

import keras
from keras import ops
import numpy as np

from keras_gans.core.inputs import Symbols, check_given
from keras_gans.core.optimizers import TorchAdam
from keras_gans.core.recipe import Recipe
from keras_gans.core.waveform_gan import WaveformGAN
from keras_gans.engine import rng
from keras_gans.engine.keras_internals import get_data_adapter
from keras_gans.engine.phases import Phase
from keras_gans.layers.mel import MelSpectrogram, reflected, stft_magnitudes
from keras_gans.modalities import Waveform, phonemes
from keras_gans.networks import vits as networks
from keras_gans.networks.hifigan import Configuration, check_configuration
from keras_gans.utils.types import Path, Tensor
from keras_gans.utils.validation import (
    check_count,
    check_seed,
    check_size,
    is_number,
    within,
)

BLANK = "_"
SYMBOLS = (BLANK, *phonemes.SYMBOLS)
EPSILON = 1e-6  # added to squared magnitudes
LONGEST = 4000  # frames of a symbol, however long it is predicted to be
SCALES = (0.667, 0.8, 1.0)  # of the prior's noise, of lengths' noise, of speed
PARTS = ("text", "posterior", "flow", "decoder", "durations")


@keras.saving.register_keras_serializable("keras_gans")
class VITS(WaveformGAN):
    """VITS: a variational autoencoder of speech whose prior is a text's.

    The posterior encoder makes z of a recording's spectrogram, the decoder makes
    waveforms of parts of z, which discriminators hear. A flow brings z to the prior
    that the text encoder gives; which symbol a frame belongs to is searched for, so
    that no alignment is needed. One speaker.

    `fit` takes batches (ids, waveforms, frames), as
    `keras_gans.data.load_utterances` reads them: int32 `[n, symbols]` with -1 after
    the end, float32 `[n, samples, 1]` of whole frames, and int32 `[n]`, how many
    frames each recording has. `convert` reads the published weights.

    Args:
        symbols: what texts are written in, a tuple of str; the first is put between
            all others.
        rate: int, samples a second.
        segment: int, samples that the decoder is trained on, a multiple of the hop.
        n_fft: int, of the spectrogram.
        bands: int, mel bands of the loss.
        latent: int, channels of z, even.
        hidden: int, channels of the encoders.
        filters: int, of the text encoder's convolutions.
        heads: int, of its attention.
        depth: int, layers of the text encoder.
        kernel: int, odd, of its convolutions.
        dropout: float in [0, 1), in it.
        stochastic: bool, whether lengths of symbols are drawn from a flow, or
            predicted.
        channels: int, of the decoder's first map.
        rates: of the decoder's upsamplings, a tuple of ints; their product is the hop.
        kernels: of the upsamplings, a tuple of ints.
        block: "1" or "2", the kind of its residual blocks.
        block_kernels: of its residual blocks, a tuple of ints.
        dilations: of each residual block, a tuple of tuples of ints.
        feature_weight: float of 0 or more, of feature matching.
        mel_weight: float of 0 or more, of the distance of spectrograms.
        kl_weight: float of 0 or more, of the divergence from the prior.
        periods: of the discriminators, a tuple of ints.
        d_width: int, channels of the first map of discriminators of periods, a
            multiple of 8.
        generator: dict of the five `keras.Model`s to use instead of those of
            `networks.vits`: "text", "posterior", "flow", "decoder", "durations".
        discriminator: dict of `keras.Model`s by name to use instead of
            `vits_discriminators`.
        **kwargs: the other arguments of `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    gan = keras_gans.VITS(
        rate=8000, segment=256, n_fft=128, bands=8, latent=4, hidden=4, filters=4,
        depth=1, stochastic=False, channels=4, rates=(8, 4), kernels=(16, 8),
        block_kernels=(3,), dilations=((1,),), periods=(2,), d_width=8,
    )
    sound = gan.speak(["HH", "AH", "L", "OW"])  # [samples, 1]
    ```

    Reference:
        https://arxiv.org/abs/2106.06103
    """

    further_fields = ("frames",)  # how many each recording has

    def __init__(
        self,
        symbols: tuple[str, ...] | None = None,
        rate: int = 22050,
        segment: int = 8192,
        n_fft: int = 1024,
        bands: int = 80,
        *,
        latent: int = 192,
        hidden: int = 192,
        filters: int = 768,
        heads: int = 2,
        depth: int = 6,
        kernel: int = 3,
        dropout: float = 0.1,
        stochastic: bool = True,
        channels: int = 512,
        rates: tuple[int, ...] = (8, 8, 2, 2),
        kernels: tuple[int, ...] = (16, 16, 4, 4),
        block: str = "1",
        block_kernels: tuple[int, ...] = (3, 7, 11),
        dilations: tuple[tuple[int, ...], ...] = ((1, 3, 5), (1, 3, 5), (1, 3, 5)),
        feature_weight: float = 2.0,
        mel_weight: float = 45.0,
        kl_weight: float = 1.0,
        periods: tuple[int, ...] = (2, 3, 5, 7, 11),
        d_width: int = 32,
        generator: dict[str, keras.Model] | None = None,
        discriminator: dict[str, keras.Model] | None = None,
        **kwargs,
    ):
        symbols = SYMBOLS if symbols is None else symbols
        symbols = phonemes.check_symbols(symbols)
        for name, value in (
            ("rate", rate),
            ("segment", segment),
            ("n_fft", n_fft),
            ("latent", latent),
            ("hidden", hidden),
            ("filters", filters),
            ("heads", heads),
            ("depth", depth),
            ("kernel", kernel),
        ):
            check_size(name, value)
        within("latent", latent, latent % 2 == 0, "2, 4, ...")
        within("kernel", kernel, kernel % 2 == 1, "1, 3, ...")
        ok = hidden % heads == 0
        within("hidden", hidden, ok, f"multiples of heads={heads}")
        ok = is_number(dropout) and 0 <= dropout < 1
        within("dropout", dropout, ok, "[0, 1)")
        ok = is_number(kl_weight) and 0 <= kl_weight < float("inf")
        within("kl_weight", kl_weight, ok, "[0, inf)")
        numbers = (channels, rates, kernels, block, block_kernels, dilations)
        numbers = check_configuration(Configuration(*numbers))
        hop = int(np.prod(numbers.rates))
        mel = MelSpectrogram(rate, bands, n_fft, hop, n_fft, high=None, epsilon=EPSILON)
        if segment % hop or segment <= n_fft:
            raise ValueError(
                f"`segment` is a multiple of the hop, {hop}, and longer than a "
                f"spectrogram's window, {n_fft}. Received: segment={segment}."
            )
        sizes = networks.Sizes(
            len(symbols),
            n_fft // 2 + 1,
            latent,
            hidden,
            filters,
            heads,
            depth,
            kernel,
            dropout,
        )
        if generator is None:
            lengths = networks.plain_durations
            if stochastic:
                lengths = networks.stochastic_durations
            generator = {
                "text": networks.text_encoder(sizes),
                "posterior": networks.posterior_encoder(sizes),
                "flow": networks.flow(sizes),
                "decoder": networks.decoder(sizes, numbers),
                "durations": lengths(sizes),
            }
        # What networks are built and copied for.
        self.segment, self.stochastic = segment, bool(stochastic)
        if discriminator is None:
            discriminator = networks.vits_discriminators(segment, periods, d_width)
        super().__init__(
            generator,
            discriminator,
            mel=mel,
            feature_weight=feature_weight,
            mel_weight=mel_weight,
            modality=Waveform(None, 1, rate),
            inputs=(Symbols(len(symbols)),),
            **kwargs,
        )
        self.symbols, self.kl_weight = symbols, kl_weight

    # --- Networks and data ---

    def check_discriminators(self, discriminators: dict[str, keras.Model]) -> None:
        """Discriminators see segments, which `build` has tried them with."""

    def discriminator_inputs(self, name: str) -> list[keras.KerasTensor]:
        """A segment, not a whole recording."""
        return [keras.KerasTensor((1, self.segment, 1))]

    def generator_input_shapes(self) -> dict[str, list]:
        one = (None, 1)
        text, posterior, flow = (self.networks[name] for name in PARTS[:3])
        hidden = text.output_shape[0][-1]
        z = flow.input_shape[0][-1]
        lengths = [(None, hidden), one]
        if self.stochastic:
            lengths += [one, (None, 2)]
        return {
            "text": [(None,)],
            "posterior": [(None, posterior.input_shape[0][-1]), one],
            "flow": [(None, z), one],
            "decoder": [(None, z)],
            "durations": lengths,
        }

    def sampling_networks(self) -> list[keras.Model]:
        return [self.sampling_network(n) for n in PARTS if n != "posterior"]

    # --- Training ---

    def default_optimizers(self) -> tuple:
        """The paper's AdamW: 2e-4, betas 0.8 and 0.99, epsilon 1e-9, decay 0.01.

        The reference multiplies the rate by 0.999875 each epoch, which a
        `keras.optimizers.schedules.ExponentialDecay` does.
        """

        def adamw():
            return TorchAdam(
                2e-4, beta_1=0.8, beta_2=0.99, epsilon=1e-9, weight_decay=0.01
            )

        return adamw(), adamw()

    def phases(self) -> list[Phase]:
        """D first, then all the others through the same fakes."""
        logs = ("feature_loss", "mel_loss", "duration_loss", "kl_loss")
        return [
            Phase("d", self.discriminator_loss, penalty=self.penalties),
            Phase("g", self.generator_loss, logs=logs),
        ]

    def read_batch(self, batch: Any) -> dict:
        """A batch whose recordings have a segment or more: silence follows them."""
        read = super().read_batch(batch)
        real = read["real"]
        count, time = ops.shape(real)[:2]
        if isinstance(time, int) and time >= self.segment:
            return read
        missing = ops.maximum(self.segment - time, 0)
        if isinstance(time, int):
            missing = self.segment - time
        silence = ops.zeros((count, missing, 1), real.dtype)
        return {**read, "real": ops.concatenate([real, silence], axis=1)}

    def spectrogram(self, waveforms: Tensor) -> Tensor:
        """Magnitudes of waveforms `[n, samples, 1]`: `[n, frames, bins]`."""
        size, hop = self.mel.n_fft, self.mel.hop
        waveforms = ops.cast(waveforms[..., 0], "float32")
        padded = reflected(waveforms, *self.mel.sides)
        return stft_magnitudes(padded, size, hop, size, EPSILON)

    def generate(self, batch: dict, training: bool) -> dict:
        """Segments that the decoder makes of z, and what z costs.

        Returns:
            dict: `audio` `[n, segment, 1]`, and the scalars `kl` and `durations`.
        """
        ids, frames = batch["ids"], ops.cast(batch["frames"], "int32")
        n = self.rows_of(batch)
        hidden, mean, log_deviation = self.forward("text", ids, training)
        seen = ops.cast(ids >= 0, "float32")[..., None]
        count = ops.cast(ops.sum(seen, axis=(1, 2)), "int32")
        spectra = self.spectrogram(batch["real"])
        time = ops.shape(spectra)[1]
        heard = ops.cast(ops.arange(time)[None] < frames[:, None], "float32")[..., None]
        of_z = self.forward("posterior", [spectra, heard], training)
        noise = self.rng.normal(n, time * of_z[0].shape[-1], "posterior")
        noise = ops.reshape(noise, ops.shape(of_z[0]))
        z = (of_z[0] + noise * ops.exp(of_z[1])) * heard
        moved = self.forward("flow", [z, heard], training)
        likelihood = networks.log_likelihood(moved, mean, log_deviation)
        path = networks.best_path(likelihood, count, frames)
        durations = self.duration_loss(n, hidden, seen, path, training)
        prior = (ops.matmul(path, mean), ops.matmul(path, log_deviation))
        kl = divergence(moved, of_z[1], *prior, heard)
        # Of all replicas' frames a mean, however many each has.
        total = ops.sum(heard)
        kl = kl * (total / self.engine.mean_over_replicas(total))
        segment = self._cut(z, self._starts(batch), self.segment // self.hop)
        audio = self.forward("decoder", segment, training)
        return {"audio": audio, "kl": kl, "durations": durations}

    def duration_loss(
        self, n: Tensor, hidden: Tensor, seen: Tensor, path: Tensor, training: bool
    ) -> Tensor:
        """How badly the lengths of symbols along a path are foreseen: a scalar."""
        frames = ops.stop_gradient(ops.sum(path, axis=1))[..., None]
        hidden = ops.stop_gradient(hidden)
        if self.stochastic:
            count = ops.shape(seen)[1]
            noise = self.rng.normal(n, 2 * count, "durations")
            noise = ops.reshape(noise, (n, count, 2))
            values = [hidden, seen, frames, noise]
            loss = ops.sum(self.forward("durations", values, training))
        else:
            wanted = ops.log(frames + networks.TINY) * seen
            said = self.forward("durations", [hidden, seen], training)
            loss = ops.sum(ops.square(said - wanted))
        return loss / self.engine.mean_over_replicas(ops.sum(seen))

    def _starts(self, batch):
        """The first frame of each segment: int32 `[n]`."""
        n, frames = self.rows_of(batch), ops.cast(batch["frames"], "float32")
        free = ops.maximum(frames - self.segment // self.hop + 1, 1.0)
        drawn = self.rng.uniform(n, 1, "segment")[:, 0]
        return ops.cast(ops.floor(drawn * free), "int32")

    def _cut(self, x, starts, count):
        """`count` places of each row from its start on."""
        places = starts[:, None] + ops.arange(count)[None]
        return ops.take_along_axis(x, places[..., None], axis=1)

    def _segments(self, batch):
        starts = self._starts(batch) * self.hop
        return {**batch, "real": self._cut(batch["real"], starts, self.segment)}

    def discriminator_loss(
        self, fake: dict, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """HiFi-GAN's, of segments."""
        batch = self._segments(batch)
        return super().discriminator_loss(fake["audio"], batch, training)

    def generator_loss(
        self, fake: dict, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """Equation 10: HiFi-GAN's of segments, the prior's and that of lengths."""
        heard = {**self._segments(batch), "whole": batch["real"]}
        loss, logs = super().generator_loss(fake["audio"], heard, training)
        loss = loss + fake["durations"] + self.kl_weight * fake["kl"]
        own = {"duration_loss": fake["durations"], "kl_loss": fake["kl"]}
        return loss, {**logs, **own, "g_loss": loss}

    def reconstruction(self, fake: Tensor, batch: dict) -> Tensor:
        """Of real segments, the spectrogram is part of the whole recording's."""
        real = self.loss_mel(batch["whole"])
        real = self._cut(real, self._starts(batch), self.segment // self.hop)
        return ops.mean(ops.abs(real - self.loss_mel(fake)))

    # --- Speaking ---

    def ids_of(self, symbols: Sequence[str]) -> np.ndarray:
        """The numbers of symbols, with the first one between and around them.

        Raises:
            ValueError: a symbol is unknown.
        """
        return phonemes.with_blanks(phonemes.numbers_of(symbols, self.symbols))

    def lengths_of(
        self, hidden: Tensor, mask: Tensor, noise: Tensor | None = None
    ) -> Tensor:
        """Logarithms of frames `[n, symbols, 1]`.

        Args:
            hidden: `[n, symbols, hidden]`, of the text encoder.
            mask: `[n, symbols, 1]`.
            noise: `[n, symbols, 2]`, of stochastic lengths.
        """
        network = self.sampling_network("durations")
        mask = ops.convert_to_tensor(mask)
        if self.stochastic:
            noise = ops.convert_to_tensor(noise)
            return networks.drawn_durations(network, hidden, mask, noise)
        return network([hidden, mask], training=False)

    def from_ids(
        self,
        ids: np.ndarray,
        seed: int = 0,
        rows: np.ndarray | None = None,
        *,
        noise_scale: float = 0.667,
        duration_noise: float = 0.8,
        speed: float = 1.0,
    ) -> list[np.ndarray]:
        """The sounds of rows of ids.

        Args:
            ids: int `[n, symbols]`, -1 after the end.
            seed: int in [0, 2**31).
            rows: int `[n]`, which rows of the seed they are; by default from 0 on.
            noise_scale: float of 0 or more, the deviation of z's noise.
            duration_noise: float of 0 or more, that of lengths.
            speed: float, how many times faster than it has learned.

        Returns:
            List of float32 `[samples, 1]` in [-1, 1].
        """
        check_seed(seed)
        for name, value in (
            ("noise_scale", noise_scale),
            ("duration_noise", duration_noise),
        ):
            within(name, value, is_number(value) and 0 <= value <= 10, "[0, 10]")
        within("speed", speed, is_number(speed) and 0.1 <= speed <= 10, "[0.1, 10]")
        ids = self.inputs[0].check(ids)
        rows = np.arange(len(ids)) if rows is None else np.asarray(rows)
        scales = (noise_scale, duration_noise, speed)
        with self.engine.inference():
            sounds, frames = self._drawn(ids, seed, rows, *scales)
        sounds = np.clip(ops.convert_to_numpy(sounds).astype("float32"), -1, 1)
        lengths = ops.convert_to_numpy(frames).astype(int) * self.hop
        return [x[:length] for x, length in zip(sounds, lengths, strict=True)]

    def _drawn(self, ids, seed, rows, noise_scale, duration_noise, speed):
        """Waveforms `[n, most samples, 1]` of ids, and how many frames each has."""
        ids = ops.convert_to_tensor(ids)
        n = ops.shape(ids)[0]
        lengths, mean, log_deviation = self._lengths(
            ids, seed, rows, duration_noise, speed
        )
        path = path_of(lengths)
        time, width = ops.shape(path)[1], mean.shape[-1]
        noise = rng.normal(("sample", seed, "prior"), rows, time * width)
        noise = ops.reshape(noise, (n, time, width)) * noise_scale
        sounds = self.from_prior(path, mean, log_deviation, noise)[-1]
        heard = ops.repeat(ops.sum(path, axis=-1, keepdims=True), self.hop, axis=1)
        frames = ops.maximum(ops.sum(path, axis=(1, 2)), 1.0)
        return sounds * heard, frames

    def _lengths(self, ids, seed, rows, duration_noise, speed):
        """The frames of symbols `[n, symbols]`, and the prior of what is said."""
        n, count = ops.shape(ids)[0], ops.shape(ids)[1]
        hidden, mean, log_deviation = self.sampling_network("text")(ids, training=False)
        mask = ops.cast(ids >= 0, "float32")[..., None]
        drawn = rng.normal(("sample", seed, "durations"), rows, 2 * count)
        drawn = ops.reshape(drawn, (n, count, 2)) * duration_noise
        logarithms = self.lengths_of(hidden, mask, drawn)
        logarithms = ops.minimum(logarithms, float(np.log(LONGEST)))
        lengths = ops.ceil(ops.exp(logarithms) * mask / speed)[..., 0]
        return lengths, mean, log_deviation

    def from_prior(
        self, path: np.ndarray, mean: Tensor, log_deviation: Tensor, noise: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What is made of an alignment and noise.

        Args:
            path: float `[n, frames, symbols]` of 0 and 1.
            mean: `[n, symbols, latent]`, of the text encoder.
            log_deviation: likewise.
            noise: `[n, frames, latent]`.

        Returns:
            Tuple of z before the flow, z, and waveforms `[n, samples, 1]`.
        """
        path = ops.convert_to_tensor(path)
        heard = ops.sum(path, axis=-1, keepdims=True)
        prior = ops.matmul(path, mean)
        prior = prior + noise * ops.exp(ops.matmul(path, log_deviation))
        flow = self.sampling_network("flow")
        z = networks.inverted(flow, prior, heard)
        audio = self.sampling_network("decoder")(z * heard, training=False)
        return prior, z, audio

    def seconds_of(
        self, symbols: Sequence[str], seed: int = 0, speed: float = 1.0
    ) -> float:
        """How long `speak` would speak for, told without speaking.

        Args:
            symbols: see `speak`.
            seed: int in [0, 2**31).
            speed: float, how many times faster than it has learned.

        Returns:
            float, seconds.

        Raises:
            ValueError: a symbol is unknown, or a number is out of its range.
        """
        check_seed(seed)
        within("speed", speed, is_number(speed) and 0.1 <= speed <= 10, "[0.1, 10]")
        ids = ops.convert_to_tensor(self.ids_of(symbols)[None])
        lengths, *_ = self._lengths(ids, seed, np.arange(1), SCALES[1], speed)
        return float(ops.sum(lengths)) * self.hop / self.modality.rate

    def speak(
        self, symbols: Sequence[str], out: Path | None = None, seed: int = 0, **options
    ) -> np.ndarray:
        """The sound of symbols.

        Args:
            symbols: list of str, or a str of symbols of one letter each, such as IPA
                for the published weights.
            out: str or path of a WAV file to write; `None` for none.
            seed: int in [0, 2**31).
            **options: `noise_scale`, `duration_noise` and `speed` of `from_ids`, and
                `overwrite`, whether to replace the file `out`.

        Returns:
            float32 `[samples, 1]` in [-1, 1], of `rate` samples a second.

        Raises:
            ValueError: a symbol is unknown, an option is out of its range, or `out`
                exists.
        """
        overwrite = options.pop("overwrite", False)
        (sound,) = self.from_ids(self.ids_of(symbols)[None], seed, **options)
        if out is not None:
            wave = Waveform(None, 1, self.modality.rate)
            wave.write(out, sound, overwrite=overwrite)
        return sound

    def say(
        self,
        text: str,
        out: Path | None = None,
        seed: int = 0,
        *,
        pronunciations: Mapping[str, str] | None = None,
        **options,
    ) -> np.ndarray:
        """Says an English text, by a model whose symbols are ARPAbet's.

        Args:
            text: str.
            out: see `speak`.
            seed: see `speak`.
            pronunciations: dict of words to their phonemes, for words that the
                dictionary does not have.
            **options: see `speak`.

        Returns:
            float32 `[samples, 1]`, see `speak`.

        Raises:
            ValueError: a word is unknown, or symbols are not ARPAbet's.
            ImportError: the extra "speech" is not installed.
        """
        if not set(phonemes.PHONEMES) <= set(self.symbols):
            raise ValueError(
                "Texts become phonemes of ARPAbet. Received: a model whose symbols "
                f"are others, {', '.join(self.symbols[:8])} and so on. Write the "
                "text in them, `speak(symbols)`; those of the published weights are "
                "IPA, as espeak-ng writes it."
            )
        words = phonemes.words_of(text, pronunciations)
        spoken = [phone for _, phones in words for phone in phones]
        return self.speak(spoken, out, seed, **options)

    def sample_batches(self, n: int, seed: int = 0, **given) -> Iterator[np.ndarray]:
        """The samples of `sample`, in one batch, with silence after shorter ones.

        Args:
            n: int, how many.
            seed: int in [0, 2**31).
            **given: `ids`, int `[n, symbols]` or `[symbols]` for all.
        """
        check_count(n)
        check_seed(seed)
        given = check_given(self.inputs, given, n)
        (ids,) = (i.rows(seed, np.arange(n), given.get(i.name)) for i in self.inputs)
        # One by one: a row is then the same, however many there are.
        sounds = [self.from_ids(ids[i : i + 1], seed, [i])[0] for i in range(n)]
        batch = np.zeros((n, max(map(len, sounds)), 1), "float32")
        for row, sound in zip(batch, sounds, strict=True):
            row[: len(sound)] = sound
        return iter([batch])

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Waveforms of ids, the rows of seed 0, with silence after shorter ones."""
        rows = ops.arange(ops.shape(inputs)[0], dtype="int32")
        return self.modality.clip(self._drawn(inputs, 0, rows, *SCALES)[0])

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: list | None = None,
    ) -> np.ndarray:
        """Keras's `predict`, whose batches may be of sounds of other lengths.

        Args:
            x: int32 ids `[n, symbols]`, or what gives batches of them, as of Keras.
            batch_size: int, of an array; 32 by default.
            verbose: 0, 1, 2 or "auto".
            steps: int, the most batches that are taken.
            callbacks: list of `keras.callbacks.Callback`.

        Returns:
            float32 `[n, samples, 1]` in [-1, 1], with silence after shorter sounds.

        Raises:
            ValueError: there is no batch.
        """
        # Keras joins batches by concatenation, which needs sounds of one length.
        adapter = get_data_adapter(x, batch_size=batch_size, steps_per_epoch=steps)
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks = keras.callbacks.CallbackList(
                callbacks,
                add_progbar=verbose != 0,
                verbose=verbose,
                epochs=1,
                steps=steps or adapter.num_batches,
                model=self,
            )
        made, self.stop_predicting = [], False
        adapter.on_epoch_begin()
        callbacks.on_predict_begin()
        for step, batch in enumerate(itertools.islice(_batches(adapter), steps)):
            callbacks.on_predict_batch_begin(step)
            made.append(self.engine.predict_here(batch))
            callbacks.on_predict_batch_end(step, {"outputs": made[-1]})
            if self.stop_predicting:
                break
        callbacks.on_predict_end()
        adapter.on_epoch_end()
        if not made:
            raise ValueError("`predict` takes batches of ids. Received: none.")
        longest = max(x.shape[1] for x in made)
        ends = [[(0, 0), (0, longest - x.shape[1]), (0, 0)] for x in made]
        return np.concatenate([np.pad(x, e) for x, e in zip(made, ends, strict=True)])

    def make_predict_function(self, force: bool = False) -> Callable:
        """Keras's, which JAX does not compile: lengths depend on the values."""
        eager = self.run_eagerly
        self.run_eagerly = eager or keras.backend.backend() == "jax"
        try:
            return super().make_predict_function(force)
        finally:
            self.run_eagerly = eager


def _batches(adapter):
    """The inputs of each batch of one of Keras's data adapters."""
    for batch in adapter.get_numpy_iterator():
        yield keras.utils.unpack_x_y_sample_weight(batch)[0]


def divergence(
    z: Tensor,
    posterior_log_deviation: Tensor,
    mean: Tensor,
    log_deviation: Tensor,
    mask: Tensor,
) -> Tensor:
    """Equation 4, of one z: the divergence from the prior, a mean over frames."""
    kl = log_deviation - posterior_log_deviation - 0.5
    kl = kl + 0.5 * ops.square(z - mean) * ops.exp(-2.0 * log_deviation)
    return ops.sum(kl * mask) / ops.sum(mask)


def path_of(frames: Tensor) -> Tensor:
    """The alignment of symbols that last so many frames each.

    Args:
        frames: float `[n, symbols]`, whole numbers.

    Returns:
        float32 `[n, most frames, symbols]` of 0 and 1.
    """
    ends = ops.cumsum(ops.cast(frames, "float32"), axis=1)
    most = ops.cast(ops.maximum(ops.max(ends), 1.0), "int32")
    time = ops.cast(ops.arange(most), "float32")[None, :, None]
    inside = ops.logical_and(time >= (ends - frames)[:, None], time < ends[:, None])
    return ops.cast(inside, "float32")


RECIPE = Recipe(
    name="vits",
    model="VITS",
    summary="Speech from text, alignments found in training, arXiv:2106.06103",
    task="utterances",
    data="speech",
    epochs=1000,
    batch_size=16,
    data_options={"pronunciations": None},
    without=("data_dir", "evaluate_every", "diff_augment", "d_steps"),
)
