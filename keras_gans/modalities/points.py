"""Points, vectors of a few numbers."""

from collections.abc import Sequence
import csv
import dataclasses
import io
import math

import keras
import numpy as np

from keras_gans.modalities import base, graph_text, pictures, untrusted
from keras_gans.utils.types import Tensor
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
    bytes_name = "points_bytes"
    bytes_extension = ".csv"
    extensions = (".csv", ".npy")
    read_extensions = (".csv", ".npy")

    def __post_init__(self):
        check_size("size", self.size)

    @property
    def shape(self) -> tuple:
        """(size,)"""
        return (self.size,)

    def remedy_of_axes(self, shape: tuple[int, ...]) -> str | None:
        if len(shape) == 1 and self.size != 1 and shape != self.shape:
            return "Put the numbers of a point in a row: `np.stack([x, y], axis=-1)`."
        if len(shape) == 4:  # of images
            return None
        return super().remedy_of_axes(shape)

    def _reshape(self, shape):
        return f"Build the GAN with image_shape={shape[1:]}."

    def _encode(self, sample, extension):
        rows = np.atleast_2d(np.asarray(sample, "float32"))
        base.finite(rows, "one of the points")
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

    def encode_in_graph(self, samples: Tensor) -> Tensor:
        """A line of a CSV file for each point, which is read back exactly."""
        return graph_text.csv(samples[:, None])

    def preview(
        self,
        samples: np.ndarray,
        columns: int | None = None,
        names: Sequence[str] | None = None,
        caption: str | None = None,
    ) -> base.Preview:
        """A scatter plot of the first two numbers; a histogram of one.

        Points of one name have one colour.
        """
        samples = self._many(samples)
        kinds = list(dict.fromkeys(names or ()))
        groups = [samples[[n == kind for n in names]] for kind in kinds] or [samples]

        def draw(axes):
            axis = axes[0]
            if self.size == 1:
                bins = np.histogram_bin_edges(samples, math.isqrt(len(samples)) + 1)
                for group in groups:
                    axis.hist(group[:, 0], bins=bins, alpha=0.6)
            else:
                for group in groups:
                    axis.scatter(group[:, 0], group[:, 1], s=6, alpha=0.6)
                axis.set_aspect("equal", adjustable="datalim")
                axis.set_ylabel("number 1")
            axis.set_xlabel("number 0")
            if names:
                known = [pictures.drawable(str(kind), 30) for kind in kinds]
                legend = axis.legend(known, fontsize=8)
                for text in legend.get_texts():  # a $ in a name is no formula
                    text.set_parse_math(False)

        picture = pictures.draw_plot(1, 1, (5.12, 5.12), draw)
        return base.Preview(pictures.add_caption(picture, caption))
