"""What the page of the demo asks of a model, without anything of the web."""

import base64
import functools
import io
import json
import pathlib
import tempfile
import threading
import time
from typing import Any

from keras import ops
import numpy as np

from keras_gans.core.gan import BaseGAN
from keras_gans.core.inputs import Text, Truncation, class_titles
from keras_gans.core.regularization import logits_of
from keras_gans.core.translation import TranslatingGAN
from keras_gans.inference import nearest, opening
from keras_gans.inference.latent import films, walk
from keras_gans.inference.latent.projection import fitted
from keras_gans.inference.translate import open_translator
from keras_gans.modalities import Image, image_files
from keras_gans.training import checkpoints, directories, recipes, runs, tasks
from keras_gans.utils import locks
from keras_gans.utils.text import brief
from keras_gans.utils.types import Path
from keras_gans.utils.validation import check_seed, is_int, is_number, within

MOST_SAMPLES = 64  # of a page of them
MOST_FRAMES = 120
MOST_PIXELS = 2**20  # of a picture that is translated
MOST_COMPARED = 50  # batches of 100 training pictures
EXAMPLES = 8
FILMS = {"gif": "image/gif", "mp4": "video/mp4"}
MOST_POINTS = 400  # of a line of losses
OPEN_SIDE = 256  # of translators that take any size

# One computation at a time: each takes all cores, and Keras's state is of a process.
LOCK = threading.RLock()


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
        self._gan = source if self.path is None else None
        self._checkpoint = None
        self.has_discriminator = self.path is None
        if self.is_run:
            runs.read_config(self.path)
        if self._gan is not None:
            _check_shown(self._gan, self.name)
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
            if self._gan is None:
                gan, self.has_discriminator = _opened(self.path)
                _check_shown(gan, self.path)
                self._gan = gan
            elif newest != self._checkpoint:
                checkpoints.restore(self._gan, newest)
            self._checkpoint = newest

    @property
    def gan(self) -> BaseGAN:
        """The GAN.

        Raises:
            ValueError: it is of a run that has no checkpoint yet.
        """
        if self._gan is None:
            raise ValueError(
                f"{self.name} has no checkpoint yet. It is shown here as soon as its "
                "training has written one."
            )
        return self._gan

    # --- What it is ---

    def about(self) -> dict[str, Any]:
        """What the page is made of, as JSON holds it."""
        self.reload()
        about = {"name": self.name, "live": self.is_run, "ready": self._gan is not None}
        if self._gan is None:
            return about | {"kind": None}
        gan = self._gan
        height, width, channels = _sides(gan.modality.shape)
        about |= {
            "model": type(gan).__name__,
            "step": int(ops.convert_to_numpy(gan.step)),
            "height": height,
            "width": width,
            "channels": channels,
            "parameters": sum(x.count_params() for x in gan.networks.values()),
        }
        if isinstance(gan, TranslatingGAN):
            height, width = _choose_size(gan)
            return about | {
                "height": height,
                "width": width,
                "kind": "translator",
                "directions": list(gan.directions),
                "ways": dict(zip(("ab", "ba"), self._ways(), strict=True)),
                "drawn": self._ways()[0].startswith("line "),
                "scale": gan.scale,
            }
        return about | {
            "kind": "noise",
            "classes": self.classes,
            "truncation": any(isinstance(i, Truncation) for i in gan.inputs),
            "text": self.takes_text,
            "score": self.has_score,
            "nearest": self.config is not None,
        }

    def _ways(self):
        """The directions in words: "flat → 3d" of the data "emoji:flat-3d"."""
        data = str((self.config or {}).get("data", "")).partition(":")[2]
        a, dash, b = data.partition("-")
        a, b = (a, b) if dash else ("A", "B")
        return f"{a} → {b}", f"{b} → {a}"

    @functools.cached_property
    def config(self) -> dict | None:
        """The config of the run that it is of, or `None`."""
        return None if self.path is None else opening.recipe_of(self.path)

    @property
    def classes(self) -> list[str] | None:
        """The names of the classes."""
        known = self.gan.class_input
        if known is None:
            return None
        names = None if self.path is None else opening.class_names_of(self.path)
        return class_titles(np.arange(known.high + 1), known.high + 1, names)

    @property
    def takes_text(self) -> bool:
        """Whether samples are of a sentence."""
        return any(isinstance(i, Text) for i in self.gan.inputs)

    @property
    def has_score(self) -> bool:
        """Whether its discriminator scores samples one by one."""
        gan, known = self.gan, {"z", "label", "truncation"}
        return (
            self.has_discriminator
            and "discriminator" in gan.networks
            and gan.packing == 1
            and {i.name for i in gan.inputs} <= known
        )

    # --- Samples ---

    def samples(
        self,
        seed: int,
        n: int,
        label: int | None = None,
        truncation: float | None = None,
        text: str | None = None,
    ) -> dict[str, list]:
        """Samples of the seeds from `seed` on, with their scores.

        Raises:
            ValueError: a number is out of range, or the model takes none.
        """
        check_seed(seed)
        ok = is_int(n) and 1 <= n <= MOST_SAMPLES
        within("n", n, ok, f"[1, {MOST_SAMPLES}]")
        seeds = [(seed + i) % 2**31 for i in range(n)]
        with LOCK:
            images = self._of_seeds(seeds, label, truncation, text)
            scores = self._scores(images, label) if self.has_score else None
        return {"seeds": seeds, "images": self.urls(images), "scores": scores}

    def nearest(
        self,
        seed: int,
        label: int | None = None,
        truncation: float | None = None,
        text: str | None = None,
    ) -> dict[str, Any]:
        """The training picture that is nearest to a sample, by pixels."""
        check_seed(seed)
        if self.training_pictures is None:
            raise ValueError(f"The training pictures of {self.name} are not here.")
        with LOCK:
            images = self._of_seeds([seed], label, truncation, text)
            closest = nearest.nearest(images, self.training_pictures)
        return {
            "image": self.urls(closest.images)[0],
            "distance": float(closest.distances[0]),
            "count": closest.count,
        }

    def frames(
        self,
        seeds: list[int],
        frames: int,
        label: int | None = None,
        truncation: float | None = None,
        text: str | None = None,
    ) -> np.ndarray:
        """A walk from seed to seed and back.

        Raises:
            ValueError: a number is out of range, or the model takes none.
        """
        ok = is_int(frames) and 2 <= frames <= MOST_FRAMES
        within("frames", frames, ok, f"[2, {MOST_FRAMES}]")
        within("seeds", seeds, 2 <= len(seeds) <= 8, "2 to 8 of them")
        films.check_images(self.gan)
        given = self._check_given(label, truncation, text)
        with LOCK:
            return walk(self.gan, seeds, frames, **given)

    def film(self, format: str, frames: np.ndarray) -> tuple[bytes, str]:
        """Frames as a file, and its MIME type.

        Raises:
            ValueError: there is no such format.
            ImportError: MP4 is asked for, and its package is not installed.
        """
        if format not in FILMS:
            raise ValueError(f"Films are {' or '.join(FILMS)}. Received: {format!r}.")
        video, frames = films.film(self.gan, frames, even=format == "mp4")
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, f"walk.{format}")
            video.write(path, frames)
            return path.read_bytes(), FILMS[format]

    def _check_given(self, label, truncation, text):
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

    def _of_seeds(self, seeds, label, truncation, text):
        given = self._check_given(label, truncation, text)
        return np.concatenate(list(self.gan.seed_batches(seeds, **given)))

    def _scores(self, images, label):
        """What the discriminator says: a probability, where it is one."""
        labels = np.full(len(images), label or 0, "int32")
        x = ops.convert_to_tensor(images)
        batch = {"label": ops.convert_to_tensor(labels)}
        logits = logits_of(self.gan.call_discriminator(x, batch, training=False))
        logits = ops.reshape(ops.cast(logits, "float32"), (len(images), -1))
        if self.gan.objective.probability:
            logits = ops.sigmoid(logits)
        scores = ops.convert_to_numpy(ops.mean(logits, axis=1))
        return [round(float(x), 4) if np.isfinite(x) else None for x in scores]

    @functools.cached_property
    def training_pictures(self) -> list[np.ndarray] | None:
        """The first batches of what it was trained on, where that is at hand."""
        if self.config is None or not self.gan.samples_from_seed:
            return None
        try:
            batches = nearest.training_pictures(self.path, self.gan)
            kept = [x for x, _ in zip(batches, range(MOST_COMPARED), strict=False)]
        except (ValueError, OSError):
            return None
        return kept or None

    # --- Translations ---

    def translate(self, data: bytes, direction: str = "ab") -> bytes:
        """A picture file translated, as PNG.

        Args:
            data: bytes of a file of any format that the library reads. It is cut and
                resized to what the model was trained on.
            direction: "ab", or "ba" of a CycleGAN.

        Raises:
            ValueError: it is no such picture, or the model translates none.
        """
        gan = self.gan
        if not isinstance(gan, TranslatingGAN):
            raise ValueError(f"{self.name} makes pictures of a seed, not of pictures.")
        gan.check_direction(direction)
        channels = gan.source_shape[-1]
        if direction != "ab":
            channels = gan.image_shape[-1]
        if not data:
            raise ValueError("There is no picture. Received: 0 bytes.")
        try:
            image = _decoded(data, channels)
        except Exception as error:  # decoders raise every kind
            reason = brief(image_files.reason(error), 200)
            raise ValueError(f"The picture cannot be read: {reason}.") from error
        if image.shape[:2] != _choose_size(gan):
            image = fitted(image, _choose_size(gan)).clip(-1, 1)
        with LOCK:
            options = {} if direction == "ab" else {"direction": direction}
            translated = gan.translate(image[None].astype("float32"), **options)[0]
        return Image(translated.shape).encode(translated)

    @functools.cached_property
    def examples(self) -> dict[str, list[str]] | None:
        """Some pictures to translate of each direction, as data URLs."""
        if self.config is None:
            return None
        recipe = recipes.get(self.config["recipe"])
        if recipe.task not in ("pairs", "unpaired"):
            return None
        options = {"split": "test", "batch_size": 64, "shuffle": False}
        options |= {"drop_remainder": False}
        try:
            loaded = tasks.load(recipe.task, self.gan, self.config["data"], **options)
            sides = [np.asarray(side) for side in next(iter(loaded))]
        except (ValueError, OSError, StopIteration):
            return None
        chosen = np.linspace(0, len(sides[0]) - 1, EXAMPLES).astype(int)
        ways = dict(zip(("ab", "ba"), sides, strict=True))
        return {
            way: [_url(Image(x.shape), x) for x in ways[way][chosen]]
            for way in self.gan.directions
        }

    def urls(self, images: np.ndarray) -> list[str]:
        """Samples as PNGs in data URLs."""
        return [_url(self.gan.modality, image) for image in images]

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


def _choose_size(gan):
    """The height and width of the pictures that a translator is given.

    One that enlarges was trained on crops, and is shown at work on more than that.
    """
    if gan.scale > 1:
        return (2 * OPEN_SIDE // gan.scale,) * 2
    return _sides(gan.image_shape)[:2]


def _check_shown(gan, name):
    """Refuses GANs whose samples a browser does not show as pictures."""
    shown = isinstance(gan.modality, Image) and gan.modality.bytes_name is not None
    if shown and not isinstance(gan, TranslatingGAN):
        shown = gan.samples_from_seed
    if any(isinstance(i, Text) and i.encoder is None for i in gan.inputs):
        raise ValueError(
            "The demo encodes sentences as those of training were. Received: "
            f"{name}, without an encoder. Set it by `gan.use_encoder(function)` and "
            "show it by `keras_gans.demo(gan)` (in Python)."
        )
    if not shown:
        raise ValueError(
            "The demo shows GANs that make pictures of 1 to 4 channels, of a seed or "
            f"of other pictures. Received: {name}, a {type(gan).__name__} that makes "
            f"{gan.modality!r}. `keras-gans sample` writes its samples to files."
        )


def _name_of(path):
    known = path.rstrip("/")
    return path if "://" in path else pathlib.Path(known).resolve().name


def _sides(shape):
    height, width, channels = shape
    return height or OPEN_SIDE, width or OPEN_SIDE, channels


def _decoded(data, channels):
    """The pixels of a picture file of bounded size."""
    height, width = image_files.decode_head(io.BytesIO(data)).size
    if height * width > MOST_PIXELS:
        raise ValueError(
            f"it has {height * width:,} pixels, more than the {MOST_PIXELS:,} allowed"
        )
    return image_files.decode_image(data, channels)


def _url(modality, image):
    return "data:image/png;base64," + base64.b64encode(modality.encode(image)).decode()


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
