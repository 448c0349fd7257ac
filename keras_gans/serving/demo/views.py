"""What all views of the demo share: one view for each kind of sample.

A view says what the page needs to know of a model (`about`), and answers what the page
asks (`samples`, `file`, `say`, ...). Nothing here is of the web.
"""

import base64
import threading
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from keras_gans.core.gan import BaseGAN
from keras_gans.core.inputs import Text, Truncation, class_titles
from keras_gans.inference import opening
from keras_gans.utils.text import brief
from keras_gans.utils.validation import check_seed, is_int, is_number, within

if TYPE_CHECKING:
    from keras_gans.serving.demo.models import Model

# One computation at a time: each takes all cores, and Keras's state is of a process.
LOCK = threading.RLock()
# Files are made while others compute, but few at a time: a mesh may take gigabytes.
# Who holds it never takes LOCK.
ENCODING = threading.BoundedSemaphore(2)


class View:
    """How a model of one kind is shown.

    Args:
        model: `Model` that is shown.
        gan: `BaseGAN` of it, one that `fits`.

    Attributes:
        kind: str, by which the page chooses its own part.
        name: str, what the page calls the model.
    """

    kind: ClassVar[str]
    examples = None  # pictures to begin with, where there are any

    def __init__(self, model: "Model", gan: BaseGAN):
        self.model, self.gan, self.name = model, gan, model.name

    @classmethod
    def fits(cls, gan: BaseGAN) -> bool:
        """Whether samples of a GAN are shown so."""
        raise NotImplementedError

    def about(self) -> dict[str, Any]:
        """What the page is made of, as JSON holds it."""
        return {"kind": self.kind, "size": self.size}

    @property
    def size(self) -> str:
        """How large a sample is, in words."""
        raise NotImplementedError


class SeededView(View):
    """A view of samples that are made of a seed.

    Attributes:
        count: int, samples that the page shows at once.
        most: int, the most that are made at once.
        formats: dict of the files a sample is saved as, to their MIME types.
    """

    count: ClassVar[int] = 24
    most: ClassVar[int] = 64
    formats: ClassVar[dict[str, str]] = {}

    def about(self) -> dict[str, Any]:
        takes = [type(i) for i in self.gan.inputs]
        return super().about() | {
            "count": self.count,
            "formats": list(self.formats),
            "classes": self.classes,
            "truncation": any(issubclass(one, Truncation) for one in takes),
            "text": self.takes_text,
        }

    @property
    def classes(self) -> list[str] | None:
        """The names of the classes."""
        known = self.gan.class_input
        if known is None:
            return None
        path = self.model.path
        names = None if path is None else opening.class_names_of(path)
        return class_titles(np.arange(known.high + 1), known.high + 1, names)

    @property
    def takes_text(self) -> bool:
        """Whether samples are of a sentence."""
        return any(isinstance(i, Text) for i in self.gan.inputs)

    def samples(
        self,
        seed: int,
        n: int | None = None,
        label: int | None = None,
        truncation: float | None = None,
        text: str | None = None,
    ) -> dict[str, list]:
        """Samples of the seeds from `seed` on, as JSON holds them.

        Args:
            seed: int in [0, 2**31).
            n: int in [1, `most`]; `count` by default.
            label: int, the class, of models that have classes.
            truncation: float in [0, 2], of models that have it.
            text: str, of models that take a sentence.

        Raises:
            ValueError: a number is out of range, or the model takes none.
        """
        check_seed(seed)
        n = self.count if n is None else n
        ok = is_int(n) and 1 <= n <= self.most
        within("n", n, ok, f"[1, {self.most}]")
        seeds = [(seed + i) % 2**31 for i in range(n)]
        with LOCK:  # in one hold: a reload between would change the weights
            made = self.of_seeds(seeds, label, truncation, text)
            scores = self.scores(made, label)
        with ENCODING:
            return {"seeds": seeds, **self.shown(made, scores)}

    def scores(self, samples: np.ndarray, label: int | None) -> list | None:
        """What the model says of samples that it has just made, if it scores any.

        Args:
            samples: array, the first axis that of the samples.
            label: int, the class that they are of, or `None`.

        Returns:
            list of float or `None`, one for each; or `None`.
        """
        return None

    def shown(self, samples: np.ndarray, scores: list | None) -> dict[str, Any]:
        """What the page shows of samples.

        Args:
            samples: array, the first axis that of the samples.
            scores: list, of `scores`.
        """
        raise NotImplementedError

    def file(
        self,
        format: str,
        seed: int,
        label: int | None = None,
        truncation: float | None = None,
        text: str | None = None,
    ) -> tuple[bytes, str]:
        """The sample of a seed as a file, and its MIME type.

        Args:
            format: str, one of `formats`.
            seed: int in [0, 2**31).
            label: as of `samples`.
            truncation: as of `samples`.
            text: as of `samples`.

        Raises:
            ValueError: there is no such format, no file holds the sample, or a
                number is out of range.
            ImportError: the format's package is not installed.
        """
        check_format(f"Samples of {self.name}", format, self.formats)
        check_seed(seed)
        with LOCK:
            (sample,) = self.of_seeds([seed], label, truncation, text)
        with ENCODING:
            data = self.gan.modality.encode(sample, f".{format}")
        return data, self.formats[format]

    def of_seeds(
        self,
        seeds: list[int],
        label: int | None,
        truncation: float | None,
        text: str | None,
    ) -> np.ndarray:
        """The samples themselves."""
        given = self.check_given(label, truncation, text)
        return np.concatenate(list(self.gan.seed_batches(seeds, **given)))

    def check_given(
        self, label: int | None, truncation: float | None, text: str | None
    ) -> dict[str, Any]:
        """The arguments of `gan.sample` for what the page gives.

        Raises:
            ValueError: a number is out of range, or the model takes none.
        """
        given, known = {}, self.gan.class_input
        if self.takes_text:
            if not (text or "").strip():
                raise ValueError(
                    f"{self.name} makes pictures of a sentence. Write one."
                )
            given["text"] = text
        elif text is not None:
            raise ValueError(
                f"{self.name} takes no text. Received: {brief(text, 40)!r}."
            )
        if known is not None:
            ok = label is None or 0 <= label <= known.high
            given[known.given] = within("label", label, ok, f"[0, {known.high}]") or 0
        elif label is not None:
            raise ValueError(f"{self.name} has no classes. Received: label={label}.")
        if truncation is not None:
            if not any(isinstance(i, Truncation) for i in self.gan.inputs):
                raise ValueError(f"{self.name} has no truncation.")
            ok = is_number(truncation) and 0 <= truncation <= 2
            given["truncation"] = within("truncation", truncation, ok, "[0, 2]")
        return given


def check_format(what: str, format: str, formats: dict[str, str]) -> None:
    """Refuses a format of files that there is not.

    Raises:
        ValueError: it is none of `formats`.
    """
    if format not in formats:
        known = ", ".join(formats) or "not saved here"
        raise ValueError(f"{what} are {known}. Received: {brief(format, 40)}.")


def data_url(data: bytes, type: str = "image/png") -> str:
    """The bytes of a file as an address that a page shows at once."""
    return f"data:{type};base64,{base64.b64encode(data).decode()}"


def sides_in_words(*sides: int) -> str:
    """Sides of what is seen: "16 × 16"."""  # noqa: RUF002
    return " × ".join(map(str, sides))  # noqa: RUF001
