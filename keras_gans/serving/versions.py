"""Models and their versions: found on disk, loaded, swapped and dropped."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
import logging
import pathlib
import re
import threading
from typing import Any, NamedTuple, Self

import numpy as np

from keras_gans.serving import servable
from keras_gans.serving.batching import Batcher, Options, Retired
from keras_gans.serving.status import ServingError, shown
from keras_gans.training.directories import EXPORT, is_run
from keras_gans.utils.suggestions import hint
from keras_gans.utils.types import Path

CONFIG = "models.config"
NAME = re.compile(r"[\w.-]{1,100}")
SAVED_MODEL = ("saved_model.pb", "saved_model.pbtxt")
LATEST = 1  # versions that are served where the configuration says nothing
STATES = ("START", "LOADING", "AVAILABLE", "UNLOADING", "END")

_log = logging.getLogger("keras_gans.serving")


class Place(NamedTuple):
    """Where a request goes.

    Attributes:
        name: str, of the model.
        version: int, or `None` for the latest.
        label: str, which names a version, or "".
    """

    name: str
    version: int | None = None
    label: str = ""

    def __str__(self):
        which = self.label or self.version
        return f"{shown(self.name)}{'' if which is None else f' {shown(which)}'}"


class Version:
    """A version of a model, and what became of it.

    Attributes:
        state: str, one of `STATES`.
        error: str, why it is not served, or "".
    """

    def __init__(self, directory: pathlib.Path):
        self.directory = directory
        self.stamp = _stamp(directory)
        self.state = "START"
        self.error = ""
        self.batcher = None


class Rules(NamedTuple):
    """What the configuration says of a model.

    Attributes:
        labels: dict of a label to its version.
        latest: int, how many of the newest versions are served.
        specific: tuple of the versions that are, in place of the newest.
    """

    labels: dict[str, int] = {}
    latest: int = LATEST
    specific: tuple[int, ...] = ()

    def chosen(self, there: list[int]) -> list[int]:
        """The versions to serve, of those that are there."""
        if self.specific:
            return [version for version in there if version in self.specific]
        return sorted(there)[-self.latest :]


class Models:
    """The models of a directory, kept as the directory is.

    A directory holds models, `models/NAME/VERSION/saved_model.pb`, or is one,
    `NAME/VERSION/saved_model.pb`, or is a run, whose model has the run's name. The
    newest version of each is served, or what
    `models.config` beside them says (TensorFlow Serving's `ModelServerConfig`:
    version policies and labels). `look` loads what is new and drops what is
    gone: a new version answers before the old one is dropped, and what the old
    one has taken on it answers. What cannot be loaded is reported, and tried
    again once its files have changed; the others are served.

    Args:
        directory: str or path.
        options: `Options` of batching.
        observe: function of a model's name and the rows of a batch.

    Raises:
        ValueError: the directory holds no model, or `models.config` is none.

    Example:

    ```python
    from keras_gans.serving.versions import Models, Place

    gan.export("exported/dcgan/1", overwrite=True)
    with Models("exported") as models:
        seeds = {"seed": np.arange(4)}
        _, _, future = models.predict(Place("dcgan"), "", seeds, ["images"])
        images = future.result()["images"]  # gan.sample(4, seed=0)
    ```
    """

    def __init__(
        self,
        directory: Path,
        options: Options | None = None,
        observe: Callable[[str, int], None] = lambda name, rows: None,
    ):
        self.directory = pathlib.Path(directory)
        self.options = (options or Options()).check()
        self._observe = observe
        self._versions = {}  # of a name: dict of a number to its Version
        self._rules = {}
        self._told = set()
        self._looking = threading.Lock()
        if not list(self._folders()):
            raise ValueError(_no_models(self.directory))
        self._read_rules()
        self.look()

    # --- Answers ---

    def names(self) -> list[str]:
        """The models that are known."""
        return sorted(self._versions)

    def states(self) -> dict[str, dict[int, Version]]:
        """The versions of each model, of all states."""
        return self._versions

    def ready(self) -> bool:
        """Whether at least one model is served."""
        return any(self._served(name) for name in self.names())

    def waiting(self, name: str) -> int:
        """The rows that wait for a model."""
        return sum(v.batcher.waiting for v in self._served(name).values())

    def versions(self, place: Place) -> dict[int, Version]:
        """The versions that a place names, of all states.

        Raises:
            ServingError: there is none.
        """
        versions = self._versions.get(place.name)
        if versions is None:
            names = self.names()
            near = hint(place.name, names)
            raise ServingError(
                "NOT_FOUND",
                f"There is no model {shown(place.name)}.{near} Models: "
                f"{', '.join(names[:20])}.",
            )
        number = self._number(place)
        # Clients send 0, the default of the message, for any.
        if number is None or (number == 0 and 0 not in versions):
            return dict(versions)
        if number not in versions:
            raise ServingError(
                "NOT_FOUND",
                f"The model {place.name} has no version {number}. Versions: "
                f"{', '.join(map(str, sorted(versions)))}.",
            )
        return {number: versions[number]}

    def find(self, place: Place) -> tuple[int, Batcher]:
        """The version that answers a place, and its queue.

        Raises:
            ServingError: there is none.
        """
        batchers = {
            number: version.batcher
            for number, version in self.versions(place).items()
            if version.state == "AVAILABLE"
        }
        if not batchers:
            raise ServingError("NOT_FOUND", f"The model {place} is not served now.")
        number = max(batchers)
        return number, batchers[number]

    def predict(
        self,
        place: Place,
        signature: str,
        read: Callable[[servable.Signature], Mapping[str, np.ndarray]] | Mapping,
        outputs: list[str],
    ) -> tuple[int, servable.Signature, Future]:
        """Takes a request.

        Args:
            place: `Place` of the model.
            signature: str, its name; "" for the default.
            read: dict of arrays, or function of the `Signature` that returns it.
            outputs: names of the outputs; all where there are none.

        Returns:
            `(version, signature, future)`; the future is of a dict of arrays.

        Raises:
            ServingError: it cannot be answered.
        """
        while True:
            number, batcher = self.find(place)
            resolved = batcher.servable.signature(signature)
            inputs = read(resolved) if callable(read) else read
            try:
                return (
                    number,
                    resolved,
                    batcher.submit(resolved, inputs, resolved.wanted(outputs)),
                )
            except Retired:  # a newer version answers already
                continue

    def _number(self, place):
        if not place.label:
            return place.version
        labels = self._rules.get(place.name, Rules()).labels
        if place.label not in labels:
            known = ", ".join(sorted(labels)) or "none"
            raise ServingError(
                "NOT_FOUND",
                f"The model {place.name} has no label {shown(place.label)}. "
                f"Labels: {known}.",
            )
        return labels[place.label]

    def _served(self, name):
        return {
            number: version
            for number, version in self._versions.get(name, {}).items()
            if version.state == "AVAILABLE"
        }

    # --- The disk ---

    def look(self) -> None:
        """Brings what is served to what the directory holds."""
        with self._looking:
            try:
                self._read_rules()
            except ValueError as error:
                self._tell(str(error))
            folders = dict(self._folders())
            for name in [*folders, *(set(self._versions) - set(folders))]:
                self._update(name, folders.get(name))

    def _folders(self) -> Iterator[tuple[str, pathlib.Path]]:
        """The name and directory of each model."""
        top = self.directory
        if list(_numbered(top)):
            yield top.resolve().name, top
            return
        for folder in _folders_of(top):
            if not list(_folders_of(folder)) or _is_saved_model(folder):
                continue
            if not NAME.fullmatch(folder.name):
                self._tell(
                    f"{str(folder)!r} is not served: a model's name is of letters, "
                    "digits, '.', '_' and '-'."
                )
            elif any(_numbered(folder)):
                own = is_run(top) and folder.name == EXPORT
                run = NAME.fullmatch(top.resolve().name) if own else None
                yield run[0] if run else folder.name, folder
            self._tell_of_misnamed(folder)

    def _tell_of_misnamed(self, folder):
        for child in _folders_of(folder):
            if _is_saved_model(child) and not _is_number(child.name):
                self._tell(
                    f"{str(child)!r} is not served: a version is a number, as in "
                    f"{folder.name}/1. Rename it."
                )

    def _tell(self, message):
        if message not in self._told:
            self._told.add(message)
            _log.warning(message)

    def _read_rules(self):
        path = self.directory / CONFIG
        self._rules = read_config(path) if path.is_file() else {}

    def _update(self, name, folder):
        there = dict(_numbered(folder)) if folder else {}
        rules = self._rules.get(name, Rules())
        chosen = rules.chosen(list(there))
        for number in chosen:
            self._try(name, number, there)
        kept = set(chosen)
        if there and not self._served_of(name, chosen):
            # None of them can be loaded: what is served stays, or else the
            # newest that can be is.
            kept |= set(self._served(name)) & set(there)
            older = [] if rules.specific else sorted(set(there) - kept, reverse=True)
            while older and not self._served_of(name, kept):
                kept.add(older[0])
                self._try(name, older.pop(0), there)
        known = self._versions.get(name, {})
        gone = {n: version for n, version in known.items() if n not in kept}
        if not gone:
            return
        left = {n: version for n, version in known.items() if n in kept}
        if left:
            self._versions = {**self._versions, name: left}
        else:
            self._versions = {k: v for k, v in self._versions.items() if k != name}
        for number, version in gone.items():
            if version.batcher:
                version.state = "UNLOADING"
                version.batcher.retire()
                _log.info("%s/%d is no longer served", name, number)
            version.state = "END"

    def _try(self, name, number, there):
        """Loads a version, if it is new or failed and has changed since."""
        version = self._versions.get(name, {}).get(number)
        if version is None or (
            version.error and version.stamp != _stamp(version.directory)
        ):
            loaded = self._load(name, number, there[number])
            known = {**self._versions.get(name, {}), number: loaded}
            self._versions = {**self._versions, name: known}

    def _served_of(self, name, numbers):
        return set(numbers) & set(self._served(name))

    def _load(self, name, number, directory):
        version = Version(directory)
        version.state = "LOADING"
        loaded = None
        try:
            loaded = servable.Servable(directory)
            warm = servable.warm_up(loaded, directory)
        except ValueError as error:
            if loaded:
                loaded.close()
            version.state, version.error = "END", str(error)
            _log.error("%s/%d is not served: %s", name, number, error)
            return version
        version.batcher = Batcher(
            loaded, self.options, lambda rows: self._observe(name, rows)
        )
        version.state = "AVAILABLE"
        _log.info("%s/%d is served (%d warm-up requests)", name, number, warm)
        return version

    def close(self) -> None:
        """Answers what waits, and drops all models."""
        with self._looking:
            gone, self._versions = self._versions, {}
            for versions in gone.values():
                for version in versions.values():
                    if version.batcher:
                        version.batcher.retire()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def read_config(path: pathlib.Path) -> dict[str, Rules]:
    """The rules of a file `models.config`, by the name of the model.

    Raises:
        ValueError: it is none.
    """
    from google.protobuf import text_format
    from tensorflow_serving.config import model_server_config_pb2

    try:
        config = text_format.Parse(
            path.read_text(), model_server_config_pb2.ModelServerConfig()
        )
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no ModelServerConfig: {error}.") from None
    rules = {}
    for model in config.model_config_list.config:
        policy = model.model_version_policy
        latest = policy.latest.num_versions or LATEST
        if policy.HasField("all"):
            latest = 10**6
        specific = tuple(policy.specific.versions)
        rules[model.name] = Rules(dict(model.version_labels), latest, specific)
    return rules


def _folders_of(folder):
    try:
        return sorted(child for child in folder.iterdir() if child.is_dir())
    except OSError:
        return []


def _is_saved_model(folder):
    return any((folder / name).is_file() for name in SAVED_MODEL)


def _is_number(name):
    return name.isascii() and name.isdecimal() and int(name) < 2**63


def _numbered(folder) -> Iterator[tuple[int, pathlib.Path]]:
    """The versions of a model: number and directory."""
    for child in _folders_of(folder):
        if _is_number(child.name):
            yield int(child.name), child


def _stamp(folder):
    """What changes when a file of a SavedModel does."""
    stats = []
    for path in sorted(folder.rglob("*")):
        try:
            stat = path.stat()
        except OSError:
            continue
        stats.append((str(path), stat.st_size, stat.st_mtime_ns))
    return stats


def _no_models(directory):
    layout = "NAME/VERSION/saved_model.pb, such as emoji/1/saved_model.pb"
    if not directory.exists():
        return (
            f"There is no directory {str(directory)!r}. `gan.export` (keras-gans "
            f"export RUN --to={directory}/NAME) writes one."
        )
    if _is_saved_model(directory):
        return (
            f"{str(directory)!r} is a SavedModel and not a directory of models. A "
            f"directory holds {layout}: give the one above it, in which each "
            "version is named by a number."
        )
    for folder in [directory, *_folders_of(directory)]:
        wrong = [child for child in _folders_of(folder) if _is_saved_model(child)]
        if wrong:
            return (
                f"A version is a number. Received: {str(wrong[0])!r}. Rename it, "
                "such as to 1."
            )
    return (
        f"{str(directory)!r} holds no model. A directory holds {layout}. "
        f"`gan.export` (keras-gans export RUN --to={directory}/NAME) writes one."
    )
