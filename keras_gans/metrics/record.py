"""A score with all that it depends on."""

import dataclasses
import json

import numpy as np

from keras_gans.utils.validation import is_number


@dataclasses.dataclass(frozen=True)
class Record:
    """One number and how it was measured, as `evaluate` returns it.

    Two numbers compare where all but `value`, `std` and `fake` agree.
    `str(record)` is one line; `to_json` and `from_json` keep everything.

    Args:
        metric: str, as `evaluate` takes it: "fid".
        name: str, what the number may be called: "Lite0 Fréchet distance".
            Only with the published weights of the 2015 Inception graph is it
            "FID", "KID" or "Inception score".
        value: float.
        std: float, the standard deviation over subsets or splits; `None`
            where there are none.
        reals: int, how many; `None` where the metric takes none.
        fakes: int, how many.
        real: str, where the reals are from; `None` where there are none.
        fake: str, where the fakes are from.
        split: str, which part of the data the reals are; `None` if unsaid.
        network: str, the feature network.
        weights: str, the SHA-256 of its weights; `None` of a function.
        resize: str, how images came to the network's size; see
            `metrics.resizing.resize`.
        input_size: tuple `(height, width)` that the network saw.
        seed: int, of the samples and of random subsets.
        settings: dict, what else the metric was told: `k`, `subsets`,
            `subset_size`, `splits`.
        version: str, of keras_gans.

    Example:

    ```python
    rng = np.random.default_rng(0)
    real, fake = rng.integers(0, 256, (2, 8, 32, 32, 3), "uint8")
    [record] = keras_gans.metrics.evaluate(
        fake, real, metrics=["kid"], input_size=32, batch_size=8, verbose=0
    )
    print(record)
    same = keras_gans.metrics.Record.from_json(record.to_json())
    ```
    """

    metric: str
    name: str
    value: float
    std: float | None
    reals: int | None
    fakes: int
    real: str | None
    fake: str
    split: str | None
    network: str
    weights: str | None
    resize: str
    input_size: tuple
    seed: int
    settings: dict
    version: str

    def __str__(self):
        value = f"{self.value:.6g}"
        if self.std is not None:
            value += f" +- {self.std:.3g}"
        reals = ""
        if self.reals is not None:
            split = f", {self.split}" if self.split else ""
            reals = f" to {self.reals} reals ({self.real}{split})"
        settings = "".join(f", {k}={v}" for k, v in self.settings.items())
        weights = f" {self.weights[:8]}" if self.weights else ""
        height, width = self.input_size
        return (
            f"{self.name} {value}: {self.fakes} fakes ({self.fake}){reals}; "
            f"{self.network}{weights} at {height}x{width}, {self.resize}"
            f"{settings}; seed {self.seed}, keras_gans {self.version}"
        )

    def to_json(self) -> str:
        """The record as one line of JSON."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Record":
        """The record of a line that `to_json` wrote.

        Raises:
            ValueError: it is none.
        """
        try:
            row = json.loads(text)
            row["input_size"] = tuple(row["input_size"])
            record = cls(**row)
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(
                "A record is a line of JSON as `Record.to_json` writes it. "
                f"Received: {str(text)[:80]!r} ({error})."
            ) from error
        if not is_number(record.value) or not np.isfinite(record.value):
            raise ValueError(
                f"The value of a record is a finite number. Received: {record.value!r}."
            )
        return record
