"""The models of the demo: opened where they lie, and followed while they train."""

import functools
import json
import pathlib
import time
from typing import Any

from keras import ops
import numpy as np

from keras_gans.core.gan import BaseGAN
from keras_gans.core.inputs import Past, Text
from keras_gans.inference import opening
from keras_gans.inference.translate import open_translator
from keras_gans.serving.demo.clips import ClipsView
from keras_gans.serving.demo.pictures import PicturesView
from keras_gans.serving.demo.solids import PicturedSolidsView, SolidsView
from keras_gans.serving.demo.sounds import SoundsView
from keras_gans.serving.demo.speech import TextToSpeechView, VITSView
from keras_gans.serving.demo.translations import TranslationsView
from keras_gans.serving.demo.views import LOCK, View
from keras_gans.training import checkpoints, directories, runs
from keras_gans.utils import locks
from keras_gans.utils.types import Path
from keras_gans.utils.validation import is_int, is_number

MOST_POINTS = 400  # of a line of losses
# The first that fits a GAN shows it.
VIEWS = (
    TranslationsView,
    PicturesView,
    SoundsView,
    TextToSpeechView,
    VITSView,
    SolidsView,
    PicturedSolidsView,
    ClipsView,
)


class Model:
    """A model that the page shows.

    Args:
        source: `BaseGAN`, or str or path of a run, a preset or a `.keras` file.
        name: str, what the page calls it.

    Attributes:
        name: str.
        path: str, or `None` of a GAN in memory.
        is_run: bool, whether it may train now.

    Raises:
        ValueError: there is no such model, or none that a page can show.
    """

    def __init__(self, source: BaseGAN | Path, name: str | None = None):
        self.path = None if isinstance(source, BaseGAN) else str(source)
        self.is_run = self.path is not None and runs.is_run(self.path)
        self.name = name or (
            type(source).__name__ if self.path is None else _name_of(self.path)
        )
        self._view = None
        self._checkpoint = None
        self.has_discriminator = self.path is None
        if self.is_run:
            runs.read_config(self.path)
        if self.path is None:
            self._view = _choose(self, source)
        self.reload()

    def reload(self) -> None:
        """Takes the newest weights of a run that trains."""
        if self.path is None:
            return
        newest = None
        if self.is_run:
            folder = pathlib.Path(self.path) / directories.CHECKPOINTS
            newest = checkpoints.latest(folder)
            if newest is None:
                return
        with LOCK:
            if self._view is None:
                gan, self.has_discriminator = _opened(self.path)
                self._view = _choose(self, gan)
            elif newest != self._checkpoint:
                checkpoints.restore(self._view.gan, newest)
            self._checkpoint = newest

    @property
    def view(self) -> View:
        """How it is shown, which holds its GAN.

        Raises:
            ValueError: it is of a run that has no checkpoint yet.
        """
        if self._view is None:
            raise ValueError(
                f"{self.name} has no checkpoint yet. It is shown here as soon as its "
                "training has written one."
            )
        return self._view

    @functools.cached_property
    def config(self) -> dict | None:
        """The config of the run that it is of, or `None`."""
        return None if self.path is None else opening.recipe_of(self.path)

    def about(self) -> dict[str, Any]:
        """What the page is made of, as JSON holds it."""
        self.reload()
        ready = self._view is not None
        about = {"name": self.name, "live": self.is_run, "ready": ready}
        if not ready:
            return about | {"kind": None}
        gan = self._view.gan
        return about | {
            "model": type(gan).__name__,
            "step": int(ops.convert_to_numpy(gan.step)),
            "parameters": sum(x.count_params() for x in gan.networks.values()),
            **self._view.about(),
        }

    # --- A training that goes on ---

    def progress(self) -> dict[str, Any]:
        """How the training of a run goes, as JSON holds it.

        Raises:
            ValueError: it is no run.
        """
        folder = self._run()
        log = folder / directories.METRICS
        rows = list(_rows(log)) if log.is_file() else []
        losses = {}
        for row in rows:
            for name, value in row.items():
                if name not in ("kind", "step", "epoch", "time") and is_number(value):
                    losses.setdefault(name, []).append([row["step"], value])
        grids = sorted((folder / directories.SAMPLES).glob("step-*.png"))
        steps = [int(p.stem[5:]) for p in grids if p.stem[5:].isdecimal()]
        idle = time.time() - log.stat().st_mtime if log.is_file() else None
        return {
            "step": rows[-1]["step"] if rows else 0,
            "epoch": rows[-1].get("epoch", 0) + 1 if rows else 1,
            "training": (folder / locks.NAME).exists(),
            "idle": idle,
            "losses": {name: thinned(points) for name, points in losses.items()},
            "grids": steps,
        }

    def grid(self, step: int) -> pathlib.Path:
        """The file of a sample grid of a run.

        Raises:
            ValueError: there is none.
        """
        path = self._run() / directories.SAMPLES / f"step-{step:08d}.png"
        if not path.is_file():
            raise ValueError(f"{self.name} has no samples of step {step}.")
        return path

    def _run(self):
        if not self.is_run:
            raise ValueError(f"{self.name} is no run: it does not train.")
        return pathlib.Path(self.path)


def _opened(path):
    """The GAN of a path, and whether its discriminator was trained with it."""
    loaded = opening.load(path)
    if isinstance(loaded, BaseGAN):
        return loaded, True
    try:
        return opening.open_gan(path)[0], False
    except ValueError:
        return open_translator(path), False


def _choose(model, gan):
    """The view of a GAN; refuses those whose samples a browser does not show."""
    name = model.path or model.name
    if any(isinstance(i, Text) and i.encoder is None for i in gan.inputs):
        raise ValueError(
            "The demo encodes sentences as those of training were. Received: "
            f"{name}, without an encoder. Set it by `gan.use_encoder(function)` and "
            "show it by `keras_gans.demo(gan)` (in Python)."
        )
    for view in VIEWS:
        if view.fits(gan):
            return view(model, gan)
    command = "predict" if any(isinstance(i, Past) for i in gan.inputs) else "sample"
    raise ValueError(
        "The demo shows pictures of 1 to 4 channels, of a seed or of other pictures; "
        "solids of a seed or of a picture; sounds and clips of a seed; and speech of a "
        f"text. Received: {name}, a {type(gan).__name__} that makes {gan.modality!r}. "
        f"`keras-gans {command}` writes what it makes to files."
    )


def _name_of(path):
    known = path.rstrip("/")
    return path if "://" in path else pathlib.Path(known).resolve().name


def _rows(log):
    """The lines of a log that are whole, of one that is being written."""
    with open(log, "rb") as file:
        for line in file:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict) and is_int(row.get("step")):
                yield row


def thinned(points: list) -> list:
    """At most so many points of a line, evenly spread, the last among them."""
    if len(points) <= MOST_POINTS:
        return points
    return [points[int(i)] for i in np.linspace(0, len(points) - 1, MOST_POINTS)]
