"""Samples of a GAN to be looked at: grids with names, captions and legends."""

from collections.abc import Callable, Sequence
from typing import Any

from keras import ops
import numpy as np

from keras_gans.core.inputs import check_given, class_titles
from keras_gans.modalities import Preview

PREVIEWED = 64  # samples of a preview, unless told otherwise
MAX_COLUMNS = 16  # of a preview with a column for each class
LEAST_COLUMNS = 8  # where classes have columns


class Previews:
    """The methods of `BaseGAN` that make previews."""

    @property
    def preview_legend(self) -> str:
        """What the samples of a preview are."""
        across = ", each column a class" if self.preview_columns else ""
        return f"samples of one set of latent codes, row by row{across}"

    @property
    def preview_columns(self) -> int | None:
        """Samples a row of a preview: one for each class, where few."""
        known = self.class_input
        if not known or known.high >= MAX_COLUMNS:
            return None
        classes = known.high + 1
        return classes * max(1, LEAST_COLUMNS // classes)  # of few, several each

    def preview_count(self, columns: int | None = None) -> int:
        """Samples of a preview: as many as suit, or the whole rows among them."""
        columns = columns or self.preview_columns or 1
        return max(self.modality.previewed // columns, 1) * columns

    def keep_for_previews(
        self, given: dict | None, n: int | None = None
    ) -> dict | None:
        """What previews are made of, checked; see `callbacks.SampleGrid`.

        Args:
            given: dict of arguments of `sample`, or `None`: then previews show
                the first that `fit` saw, where samples cannot do without.
            n: int, unused: each value serves as often as it takes.

        Raises:
            ValueError: something is given that samples are not made of.
        """
        if given is None:
            return None
        if not isinstance(given, dict):
            raise ValueError(
                f"{type(self).__name__} makes samples from a seed. Received: "
                "`images` for its sample grids. Drop them, or pass a dict of "
                "arguments of `sample`."
            )
        check_given(self.inputs, given, None)
        return given

    def preview(
        self,
        n: int | None = None,
        seed: int = 0,
        columns: int | None = None,
        *,
        given: Any = None,
        picture: Callable | None = None,
        class_names: Sequence[str] | None = None,
    ) -> Preview:
        """Samples to be looked at.

        Args:
            n: int, how many; by default 64, or the whole rows among them.
            seed: int in [0, 2**31).
            columns: int, samples a row; by default what suits the GAN.
            given: dict of arguments of `sample`; by default those that `fit`
                saw first, where there is no other.
            picture: function of samples that gives what is to be seen.
            class_names: list of str, a name for each class.

        Returns:
            `Preview`: `gan.preview(16).save("samples.png")`.

        Raises:
            ValueError: there is another number of classes.
        """
        n = self.preview_count(columns) if n is None else n
        if given is None and self._first_given is not None:
            given = vars(self._first_given)
        shapes = {i.given: i.shape for i in self.inputs}
        given = {
            # One row serves all as it is; of several, each as often as it
            # takes.
            name: rows
            if np.ndim(rows) <= len(shapes.get(name, ()))
            else np.resize(rows, (n, *np.shape(rows)[1:]))
            for name, rows in (given or {}).items()
        }
        samples = np.concatenate(list(self.sample_batches(n, seed, **given)))
        if picture is not None:
            samples = picture(samples)
        what = f"samples 0 to {n - 1} of seed {seed}, row by row"
        return self.show(samples, what, given.get("labels"), columns, class_names)

    def show(
        self,
        samples: np.ndarray,
        what: str,
        labels: Any = None,
        columns: int | None = None,
        class_names: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
        rows: Sequence[str] | None = None,
    ) -> Preview:
        """Samples that are made, with their classes and a caption.

        Args:
            samples: array `[n, *modality.shape]`.
            what: str, what they are, for the caption.
            labels: the classes that they were made of, one for all or `[n]`;
                by default those that `sample` takes by itself.
            columns: int, samples a row; by default what suits the GAN.
            class_names: list of str, a name for each class.
            names: list of str, what stands beside each sample before its class.
            rows: list of str, what each row is of, where a row shows every class
                once; of more than 16 classes, samples are named one by one.

        Raises:
            ValueError: there is another number of classes.
        """
        known, n = self.class_input, len(samples)
        options = {}
        if rows is not None and known is not None:
            classes = known.high + 1
            if self.modality.names_rows and classes <= MAX_COLUMNS:
                titles = class_titles(np.arange(classes), classes, class_names)
                columns, names, options = classes, titles * len(rows), {"rows": rows}
                known = None
            else:
                columns = columns or (classes if classes <= MAX_COLUMNS else None)
                names = [row for row in rows for _ in range(classes)]
        if known is not None:
            numbers = np.arange(n)
            if labels is None:
                labels = known.default_rows(0, numbers)
            labels = known.check(labels, n)
            classes = class_titles(labels, known.high + 1, class_names)
            across = self.preview_columns
            in_turn = across and (labels == numbers % (known.high + 1)).all()
            if columns is None and names is None and in_turn:
                columns, names = across, classes
                what += "; each column is a class"
            elif len(set(classes)) == 1:
                what += f"; each is {classes[0]}"
            elif names is None:
                names = classes
            else:
                names = [", ".join(pair) for pair in zip(names, classes, strict=True)]
        caption = self.captioned(what)
        return self.modality.preview(samples, columns, names, caption, **options)

    def captioned(self, what: str) -> str:
        """The caption of a picture that shows something of this GAN."""
        step = int(ops.convert_to_numpy(self.step))
        return f"{type(self).__name__} at step {step}: {what}."
