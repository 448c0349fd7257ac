"""Series: what several sensors measure over time."""

from collections.abc import Sequence
import csv
import dataclasses
import io
import math

import keras
import numpy as np

from keras_gans.modalities import base, graph_text, pictures, untrusted
from keras_gans.modalities.waveform import Waveform
from keras_gans.utils.types import Tensor

SHOWN = 12  # channels of a preview at most


@keras.saving.register_keras_serializable("keras_gans")
@dataclasses.dataclass(frozen=True)
class Series(Waveform):
    """Series `[samples, channels]` in [-1, 1], one channel a sensor.

    A file is a table, CSV or .npy: a row a sample, a column a channel. The first
    line of a CSV file may name the columns. A .npz file is read, too, of one array, or
    of several of which one is named "series". Previews draw the channels as lines.

    Args:
        samples: int, or `None` for any length.
        channels: int.
        rate: int, samples a second.

    Raises:
        ValueError: an argument is something else.

    Example:

    ```python
    series = keras_gans.Series(4, channels=2, rate=50)
    lines = series.encode(np.zeros((4, 2)))  # four times "0.0,0.0"
    series.decode(lines).shape  # (4, 2)
    ```
    """

    kind = "series"
    tensor_name = "series"
    bytes_name = "series_bytes"
    bytes_extension = ".csv"
    extensions = (".csv", ".npy")
    read_extensions = (".csv", ".npy", ".npz")

    def _rescale(self, floats):
        return "Divide each channel by the largest |value| that it may have."

    def _encode(self, sample, extension):
        rows = self._one(sample)
        if extension == ".npy":
            return untrusted.dump_array(rows)
        stream = io.StringIO(newline="")
        csv.writer(stream, lineterminator="\n").writerows(
            [str(x) for x in row] for row in rows
        )
        return stream.getvalue().encode()

    def rows_of(self, data: bytes, extension: str) -> np.ndarray:
        """The rows of a file: float32 `[samples, channels]`.

        Args:
            data: bytes of the file.
            extension: str, ".csv", ".npy" or ".npz".

        Raises:
            ValueError: it is damaged, too large, or of other channels.
        """
        untrusted.check_bytes(len(data))
        return self._decode(data, extension)

    def _decode(self, data, extension):
        if extension in (".npy", ".npz"):
            rows = untrusted.load_one_array(data, "series").astype("float32")
        else:
            try:
                lines = self._parsed(untrusted.lines_of(data))
                rows = untrusted.collect(lines, self.channels, "float32")
            except (csv.Error, UnicodeDecodeError) as error:
                raise ValueError(f"it is no CSV file ({error}).") from error
        self._fits(rows.shape, "Cut it, or choose its columns.")
        return rows

    def _parsed(self, lines):
        for number, row in enumerate(csv.reader(lines), 1):
            if number == 1 and row and not any(map(_is_number, row)):
                continue  # names of columns
            if len(row) != self.channels:
                raise ValueError(
                    f"line {number} has {len(row)} cells, not {self.channels}."
                )
            try:
                yield [float(cell) for cell in row]
            except ValueError as error:
                raise ValueError(f"line {number} is no row of numbers.") from error

    def encode_in_graph(self, samples: Tensor) -> Tensor:
        """The same tables as text, whose numbers are read back exactly."""
        return graph_text.csv(samples)

    def preview(
        self,
        samples: np.ndarray,
        columns: int | None = None,
        names: Sequence[str] | None = None,
        caption: str | None = None,
    ) -> base.Preview:
        """The first channels of each sample as lines, of one colour each."""
        samples = self._many(samples)
        columns = columns or pictures.full_rows(len(samples))
        times = np.arange(samples.shape[1]) / self.rate

        def draw(axes):
            for i, axis in enumerate(axes):
                if i >= len(samples):
                    axis.set_axis_off()
                    continue
                axis.plot(times, samples[i, :, :SHOWN], linewidth=0.8)
                name = f"{i}" if names is None else f"{i}: {names[i]}"
                title = pictures.drawable(name, 40)
                axis.set_title(title, fontsize=8, parse_math=False)
                axis.set_ylim(-1, 1)
                axis.tick_params(labelsize=6)
                axis.set_xlabel("seconds", fontsize=6)

        rows = math.ceil(len(samples) / columns)
        picture = pictures.draw_plot(rows, columns, (3, 2), draw)
        return base.Preview(pictures.add_caption(picture, caption))


def _is_number(cell):
    try:
        float(cell)
    except ValueError:
        return False
    return True
