"""The inverse short-time Fourier transform, as a layer."""

import functools

import keras
from keras import layers, ops
import numpy as np

from keras_gans.layers.plain import Rebuilt
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size


@keras.saving.register_keras_serializable("keras_gans")
class InverseSTFT(Rebuilt):
    """Waveforms of magnitudes and phases, each frame `hop` samples long.

    The first half of the channels are logarithms of magnitudes, the second half
    phases in radians; windows are Hann's, and frames are added up where they
    overlap. There are no weights. It is computed in float32.

    Args:
        n_fft: int, length of the Fourier transform: even, and a multiple of `hop`,
            three or more of it.
        hop: int, samples from frame to frame.
        **kwargs: arguments of `keras.layers.Layer`.

    Raises:
        ValueError: windows do not add up to a constant.

    Example:

    ```python
    from keras_gans.layers import InverseSTFT

    InverseSTFT(16, 4)(np.zeros((1, 10, 18), "float32")).shape  # (1, 40, 1)
    ```

    Reference:
        https://arxiv.org/abs/2203.02395, section 2.2
    """

    def __init__(self, n_fft: int, hop: int, **kwargs):
        check_size("n_fft", n_fft)
        check_size("hop", hop)
        if n_fft % 2 or n_fft % hop or n_fft < 3 * hop:
            raise ValueError(
                "Squared windows add up to a constant where `n_fft` is even and a "
                f"multiple of `hop`, three or more. Received: n_fft={n_fft}, "
                f"hop={hop}."
            )
        super().__init__(**{"dtype": "float32", **kwargs})
        self.n_fft, self.hop = n_fft, hop

    def _added(self, inputs):
        half = self.n_fft // 2 + 1
        magnitudes = ops.exp(ops.minimum(inputs[..., :half], 5.0))
        phases = inputs[..., half:]
        parts = [magnitudes * ops.cos(phases), magnitudes * ops.sin(phases)]
        spectra = ops.concatenate(parts, axis=-1)
        # Frames, each as blocks of a hop: block j of frame t lies at t + j.
        frames = ops.matmul(spectra, synthesis(self.n_fft, self.hop))
        blocks, total = self.n_fft // self.hop, 0.0
        for j in range(blocks):
            block = frames[..., j * self.hop : (j + 1) * self.hop]
            total = total + ops.pad(block, [[0, 0], [j, blocks - 1 - j], [0, 0]])
        before = blocks // 2
        return total[:, before : before - blocks + 1]

    def call(self, inputs: Tensor) -> Tensor:
        count = ops.shape(inputs)[1]
        return ops.reshape(self._added(inputs), (-1, count * self.hop, 1))

    def plain(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        # A graph of Keras has no place for the number of frames.
        return layers.Reshape((-1, 1), dtype="float32")(self._added(inputs))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        n, frames, _ = input_shape
        return (n, None if frames is None else frames * self.hop, 1)

    def get_config(self) -> dict:
        return {**super().get_config(), "n_fft": self.n_fft, "hop": self.hop}


@functools.lru_cache
def synthesis(n_fft: int, hop: int) -> np.ndarray:
    """The matrix from a spectrum to a windowed frame: float32 `[n_fft + 2, n_fft]`.

    Rows are of real parts, then of imaginary ones; the sum of squared windows over
    all frames is divided out.
    """
    half = n_fft // 2 + 1
    unit = np.concatenate([np.eye(half), 1j * np.eye(half)])
    frames = np.fft.irfft(unit, n_fft)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    total = np.square(window).reshape(-1, hop).sum(axis=0).mean()
    return (frames * window / total).astype("float32")
