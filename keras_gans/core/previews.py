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


def legend(gan: Any) -> str:
    """What the samples of a preview are."""
    across = ", each column a class" if class_columns(gan) else ""
    return f"samples of one set of latent codes, row by row{across}"


def class_columns(gan: Any) -> int | None:
    """Samples a row of a preview: one for each class, where few."""
    known = gan.class_input
    if not known or known.high >= MAX_COLUMNS:
        return None
    classes = known.high + 1
    return classes * max(1, LEAST_COLUMNS // classes)  # of few, several each


def count(gan: Any, columns: int | None = None) -> int:
    """Samples of a preview: as many as suit, or the whole rows among them."""
    columns = columns or class_columns(gan) or 1
    return max(gan.modality.previewed // columns, 1) * columns


def caption(gan: Any, what: str) -> str:
    """The caption of a picture that shows something of this GAN."""
    step = int(ops.convert_to_numpy(gan.step))
    return f"{type(gan).__name__} at step {step}: {what}."


def checked(gan: Any, given: dict | None) -> dict | None:
    """Arguments of `sample` that previews are made of, checked."""
    if given is None:
        return None
    if not isinstance(given, dict):
        raise ValueError(
            f"{type(gan).__name__} makes samples from a seed. Received: "
            "`images` for its sample grids. Drop them, or pass a dict of "
            "arguments of `sample`."
        )
    check_given(gan.inputs, given, None)
    return given


def preview(
    gan: Any,
    n: int | None,
    seed: int,
    columns: int | None,
    given: dict | None,
    picture: Callable | None,
    class_names: Sequence[str] | None,
) -> Preview:
    """Samples of a seed to be looked at: see `BaseGAN.preview`."""
    n = count(gan, columns) if n is None else n
    shapes = {i.given: i.shape for i in gan.inputs}
    given = {
        # One row serves all as it is; of several, each as often as it
        # takes.
        name: rows
        if np.ndim(rows) <= len(shapes.get(name, ()))
        else np.resize(rows, (n, *np.shape(rows)[1:]))
        for name, rows in (given or {}).items()
    }
    samples = np.concatenate(list(gan.sample_batches(n, seed, **given)))
    if picture is not None:
        samples = picture(samples)
    what = f"samples 0 to {n - 1} of seed {seed}, row by row"
    return gan.show(samples, what, given.get("labels"), columns, class_names)


def show(
    gan: Any,
    samples: np.ndarray,
    what: str,
    labels: Any = None,
    columns: int | None = None,
    class_names: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    rows: Sequence[str] | None = None,
) -> Preview:
    """Samples that are made, to be looked at: see `BaseGAN.show`."""
    known, n = gan.class_input, len(samples)
    options = {}
    if rows is not None and known is not None:
        classes = known.high + 1
        if gan.modality.names_rows and classes <= MAX_COLUMNS:
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
        across = class_columns(gan)
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
    told = caption(gan, what)
    return gan.modality.preview(samples, columns, names, told, **options)
