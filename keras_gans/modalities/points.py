"""Points, vectors of a few numbers."""

import csv
import dataclasses
import io
import math

import keras
import numpy as np

from keras_gans.modalities import base, pictures, untrusted
from keras_gans.utils.validation import check_size


@keras.saving.register_keras_serializable("keras_gans")
@dataclasses.dataclass(frozen=True)
class Points(base.Modality):
    """Points `[size]` of any range; a file holds many of them.

    Args:
        size: int, numbers a point.

    Raises:
        ValueError: `size` is something else.

    Example:

    ```python
    points = keras_gans.Points(2)
    points.check(np.random.default_rng(0).normal(size=(8, 2)))
    points.decode(b"0.5,1")  # [[0.5, 1]]
    ```
    """

    size: int

    kind = "points"
    tensor_name = "points"
    extensions = (".csv", ".npy")
    read_extensions = (".csv", ".npy")

    def __post_init__(self):
        check_size("size", self.size)

    @property
    def shape(self) -> tuple:
        """(size,)"""
        return (self.size,)

    def _reshape(self, shape):
        return f"Build the GAN with image_shape={shape[1:]}."

    def _encode(self, sample, extension):
        rows = np.atleast_2d(np.asarray(sample, "float32"))
        self._fits(rows.shape[1:])
        if extension == ".npy":
            return untrusted.dump_array(rows)
        stream = io.StringIO(newline="")
        csv.writer(stream, lineterminator="\n").writerows(
            [str(x) for x in row] for row in rows
        )
        return stream.getvalue().encode()

    def _decode(self, data, extension):
        if extension == ".npy":
            rows = untrusted.load_array(data).astype("float32")
            self._fits(rows.shape[1:])
            return rows
        try:
            return untrusted.collect(
                self._parsed(untrusted.lines_of(data)), self.size, "float32"
            )
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(f"it is no CSV file ({error}).") from error

    def _parsed(self, lines):
        for number, row in enumerate(csv.reader(lines), 1):
            if len(row) != self.size:
                raise ValueError(
                    f"line {number} has {len(row)} cells, not {self.size}."
                )
            yield [float(cell) for cell in row]

    def preview(self, samples: np.ndarray, columns: int | None = None) -> base.Preview:
        """A scatter plot of the first two numbers; a histogram of one."""
        samples = self._many(samples)

        def draw(axes):
            axis = axes[0]
            if self.size == 1:
                axis.hist(samples[:, 0], bins=math.isqrt(len(samples)) + 1)
                return
            axis.scatter(samples[:, 0], samples[:, 1], s=6, alpha=0.6)
            axis.set_aspect("equal", adjustable="datalim")
            if self.size > 2:
                axis.set_xlabel("number 0")
                axis.set_ylabel("number 1")

        return base.Preview(pictures.draw_plot(1, 1, (4, 4), draw))
