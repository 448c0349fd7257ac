"""Presets: a GAN as a directory of plain files, to keep, share and fine-tune.

A preset holds `config.json` (the class and its constructor's arguments),
`model.weights.safetensors`, `metadata.json` (versions, and what it was trained
on), `README.md` (a model card), and of a run `recipe.json` and `metrics.json`.
Nothing in it is run.
"""

import copy
import datetime
import json
import pathlib
import re
from typing import TYPE_CHECKING
import warnings

import keras
from keras import ops
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from keras_gans.core import cards, serialization
from keras_gans.core.inputs import name_classes
from keras_gans.utils import files
from keras_gans.utils.optional import require
from keras_gans.utils.suggestions import hint
from keras_gans.utils.types import Path
from keras_gans.utils.validation import one_of
from keras_gans.version import __version__

if TYPE_CHECKING:
    from keras_gans.core.gan import BaseGAN

CONFIG = "config.json"
WEIGHTS = "model.weights.safetensors"
METADATA = "metadata.json"
RECIPE = "recipe.json"
METRICS = "metrics.json"
CARD = "README.md"
CONTENTS = (CONFIG, WEIGHTS, METADATA, RECIPE, METRICS, CARD)
FORMAT = 1  # of these files; another means other names of weights
MAX_JSON = 2**26  # bytes
AVERAGE = "ema/"  # what training that begins anew takes over of controllers
MAX_FLOAT16 = float(np.finfo("float16").max)
DTYPES = ("float32", "float16")  # that weights are kept in
PRETRAINED = pathlib.Path(__file__).parents[1] / "pretrained"


def pretrained() -> list[str]:
    """The names of the presets that come with the package.

    `from_preset`, and each command that takes a preset, takes them by name.

    Returns:
        List of str.

    Example:

    ```python
    keras_gans.pretrained()  # ["emoji", "flat_to_3d", "lines_to_3d"]
    images = keras_gans.from_preset("emoji").sample(4, seed=0)
    ```
    """
    return sorted(path.parent.name for path in PRETRAINED.glob(f"*/{WEIGHTS}"))


def is_pretrained(preset: Path) -> bool:
    """Whether a path is the name of a preset that comes with the package.

    A preset of that path goes before it.
    """
    return str(preset) in pretrained() and not is_preset(preset)


def is_preset(path: Path) -> bool:
    """Whether a directory holds a preset."""
    return all((pathlib.Path(path) / name).is_file() for name in (CONFIG, WEIGHTS))


def write(
    gan: "BaseGAN",
    directory: Path,
    overwrite: bool = False,
    *,
    class_names: list[str] | None = None,
    recipe: dict | None = None,
    metrics: dict | None = None,
    dtype: str = "float32",
    facts: dict[str, str] | None = None,
) -> pathlib.Path:
    """Writes a preset; see `BaseGAN.save_to_preset`."""
    one_of("dtype", dtype, DTYPES)
    directory = pathlib.Path(directory)

    def is_ours(path):
        names = {p.name for p in path.iterdir()} if path.is_dir() else set()
        return CONFIG in names and names <= set(CONTENTS)

    files.check_free(directory, overwrite, files.Kind("a preset", is_ours))
    if class_names is not None:
        known = gan.class_input
        if known is None or len(class_names) != known.high + 1:
            count = 0 if known is None else known.high + 1
            raise ValueError(
                f"`class_names` names the {count} classes of the GAN. Received: "
                f"{len(class_names)} names."
            )
    config = {
        "class_name": type(gan).__name__,
        "registered_name": keras.saving.get_registered_name(type(gan)),
        "config": gan.constructor_config(),
    }
    about = {
        "format": FORMAT,
        "keras_gans_version": __version__,
        "keras_version": keras.__version__,
        "date_saved": datetime.date.today().isoformat(),
        "step": int(ops.convert_to_numpy(gan.step)),
        "parameters": {n: x.count_params() for n, x in gan.networks.items()},
        "class_names": class_names,
        "facts": facts or {},
    }
    arrays = {name: _kept(name, v, dtype) for name, v in variables_of(gan).items()}
    parts = {CONFIG: config, METADATA: about, RECIPE: recipe, METRICS: metrics}
    card = cards.card(gan, directory.resolve().name, about, recipe, metrics)
    with files.replacing(directory) as temporary:
        temporary.mkdir()
        for name, content in parts.items():
            if content is not None:
                text = json.dumps(content, indent=1, ensure_ascii=False)
                (temporary / name).write_text(text + "\n", encoding="utf-8")
        save_file(arrays, temporary / WEIGHTS)
        (temporary / CARD).write_text(card, encoding="utf-8")
    return directory


def _kept(name, variable, dtype):
    """A variable as a file holds it: of floats, of that type."""
    array = ops.convert_to_numpy(variable)
    if dtype == "float16" and array.dtype == "float32":
        if (np.abs(array) > MAX_FLOAT16).any():
            raise ValueError(
                f"float16 holds no number beyond {MAX_FLOAT16:g}. Received: larger "
                f"ones in {name}. Keep this preset in float32."
            )
        array = array.astype(dtype)
    return np.ascontiguousarray(array).reshape(variable.shape)


def from_preset(preset: Path, **changed) -> "BaseGAN":
    """Loads the GAN of a preset, as it was saved or with changes.

    Nothing in the files is run, and no size in them is believed. With `changed`,
    layers whose weights have another shape by it, such as those that touch other
    channels or classes, begin anew; a warning names them.

    Args:
        preset: str or path of a directory that `save_to_preset` wrote; or a name
            of `keras_gans.pretrained()`, which come with the package; or
            "hf://user/name" of Hugging Face, or
            "kaggle://user/model/keras/variation" of Kaggle.
        **changed: arguments of the GAN's constructor that are to be others:
            `num_classes`, `image_shape` of other channels, `freeze_d`, `gamma`.

    Returns:
        `BaseGAN`, not compiled.

    Raises:
        ValueError: there is none, it is damaged, of an unknown class or a newer
            version, or `changed` does not fit it.
        ImportError: the package for a hub is not installed.

    Example:

    ```python
    gan = keras_gans.DCGAN((16, 16, 1), width=4)
    gan.save_to_preset("dcgan_preset")
    images = keras_gans.from_preset("dcgan_preset").sample(4, seed=0)
    ```
    """
    directory = locate(preset)
    if not changed:
        gan, again = _load(directory), {}
    else:
        cls, config = read_config(directory)
        arguments = changed_arguments(directory, cls, config, changed)
        gan = _build(cls, arguments, directory)
        again = transfer(gan, directory, progress=True)
    # Of other classes, the names are of no use.
    if "num_classes" not in changed:
        name_classes(gan.inputs, metadata(directory).get("class_names"))
    if again:
        warnings.warn(told(again), stacklevel=2)
    return gan


def locate(preset: Path) -> pathlib.Path:
    """The directory of a preset, fetched from its hub where it has one.

    Raises:
        ValueError: there is none.
        ImportError: the package for a hub is not installed.
    """
    scheme, separator, handle = str(preset).partition("://")
    if separator and scheme not in HUBS:
        raise ValueError(
            f"Presets are fetched from {', '.join(f'{s}://' for s in HUBS)}. "
            f"Received: {preset}.{hint(scheme, HUBS)}"
        )
    if is_pretrained(preset):
        return PRETRAINED / preset
    directory = HUBS[scheme](handle) if separator else preset
    directory = files.standing(pathlib.Path(directory))
    if not is_preset(directory):
        raise ValueError(
            f"No preset: there is no {CONFIG} with a {WEIGHTS}. Received: {preset}."
            f"{hint(str(preset), pretrained())} Presets are written by keras-gans "
            "convert, and in Python by save_to_preset; with the package come "
            f"{', '.join(pretrained())}."
        )
    return directory


def _from_hugging_face(handle):
    if not re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", handle):
        raise ValueError(
            f"A preset of Hugging Face is hf://user/name. Received: hf://{handle}."
        )
    hub = require("huggingface_hub", "hub", "Presets of Hugging Face")
    return _fetched(
        lambda: hub.snapshot_download(handle, allow_patterns=list(CONTENTS)),
        f"hf://{handle}",
    )


def _from_kaggle(handle):
    if not re.fullmatch(r"[\w-]+(/[\w.-]+){3}(/\d+)?", handle):
        raise ValueError(
            "A preset of Kaggle is kaggle://user/model/keras/variation, and perhaps "
            f"/version. Received: kaggle://{handle}."
        )
    hub = require("kagglehub", "hub", "Presets of Kaggle")
    return _fetched(lambda: hub.model_download(handle), f"kaggle://{handle}")


def _fetched(fetch, name):
    try:
        return fetch()
    # Each hub has errors of its own, of networks, names and rights.
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise ValueError(
            f"{name} could not be fetched, and is not kept here from before: {reason}"
        ) from error


HUBS = {"hf": _from_hugging_face, "kaggle": _from_kaggle}


# --- What a preset holds ---


def read_config(directory: pathlib.Path) -> tuple[type, dict]:
    """The class of a preset and the arguments of its constructor.

    Raises:
        ValueError: it is damaged, of an unknown class or a newer version.
    """
    from keras_gans.core.gan import BaseGAN

    about = metadata(directory)
    written = about.get("keras_gans_version", "unknown")
    if about.get("format") != FORMAT:
        raise ValueError(
            f"{directory} has presets' format {about.get('format')!r}, of keras_gans "
            f"{written}; version {__version__} reads format {FORMAT}. Update "
            "keras_gans."
        )
    content = read_json(directory / CONFIG)
    name, config = content.get("registered_name"), content.get("config")
    cls = keras.saving.get_registered_object(name) if isinstance(name, str) else None
    if not (isinstance(cls, type) and issubclass(cls, BaseGAN)):
        raise ValueError(
            f"{directory} holds a GAN of the class {name!r}, which keras_gans "
            f"{__version__} does not know; it was written by version {written}. "
            "Update keras_gans, or import the file that registers the class."
        )
    if not isinstance(config, dict):
        raise ValueError(f"{directory / CONFIG} is damaged: it has no arguments.")
    return cls, config


def metadata(directory: Path) -> dict:
    """The metadata of a preset."""
    return read_json(pathlib.Path(directory) / METADATA)


def read_json(path: pathlib.Path) -> dict:
    """The object in a JSON file of a preset.

    Raises:
        ValueError: there is none.
    """
    try:
        if path.stat().st_size > MAX_JSON:
            raise ValueError(f"it has more than {MAX_JSON} bytes")
        content = json.loads(path.read_bytes())
        if not isinstance(content, dict):
            raise ValueError("it is no object")
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} cannot be read ({error}).") from error
    return content


def variables_of(gan: "BaseGAN") -> dict[str, keras.Variable]:
    """What a preset keeps of a GAN: each variable by a name of its own.

    Names are those of networks and controllers, layers and weights; numbers that
    Keras gives to layers without a name are left out of them.
    """
    parts = {**gan.networks, **gan.controllers}
    named = {
        f"{part}/{name}": v
        for part, layer in parts.items()
        for name, v in _named(layer.weights).items()
    }
    ids = {id(v) for v in named.values()}
    named |= _named([v for v in gan.weights if id(v) not in ids], last=1)
    for i, v in enumerate(serialization.seed_states(gan)):
        named[f"seeds/{i}"] = v
    return named


def _named(variables, last=2):
    """Variables by the last words of their paths, numbered where they are alike."""
    named, counts = {}, {}
    for v in variables:
        words = v.path.split("/")[-last:]
        name = "/".join(re.sub(r"_\d+$", "", word) for word in words)
        counts[name] = counts.get(name, 0) + 1
        if counts[name] > 1:
            name = f"{name}:{counts[name]}"
        named[name] = v
    return named


# --- Loading ---


def _load(directory):
    cls, config = read_config(directory)
    gan = _build(cls, config, directory)
    wanted = variables_of(gan)
    with _opened(directory) as weights:
        shapes = _shapes(weights)
        wrong = [n for n, v in wanted.items() if shapes.get(n) != tuple(v.shape)]
        wrong += [n for n in shapes if n not in wanted]
        if wrong:
            raise ValueError(
                f"The weights of {directory} do not fit its {CONFIG}: {_some(wrong)}. "
                "It is damaged, or of a newer version: fetch it again, or update "
                "keras_gans."
            )
        _assign(wanted, weights, wanted)
    return gan


def _build(cls, config, directory):
    """A GAN of arguments, checked before memory is taken for it."""
    limit = (directory / WEIGHTS).stat().st_size

    def make():
        return cls.from_config(copy.deepcopy(config))  # Keras takes it apart

    try:
        serialization.check_size_of(make, limit)
        return make()
    # Of a config that is damaged or lies, any layer of Keras may say so.
    except Exception as error:
        about = metadata(directory).get("keras_gans_version")
        reason = " ".join(str(error).split())[-300:]
        raise ValueError(
            f"The GAN of {directory}, written by keras_gans {about}, cannot be built: "
            f"{reason.rstrip('.')}. Install that version, or mend config.json."
        ) from error


def _opened(directory):
    path = directory / WEIGHTS
    try:
        return safe_open(path, framework="numpy")
    except (SafetensorError, OSError) as error:
        raise ValueError(
            f"{path} is damaged or cut short ({error}); fetch it again."
        ) from error


def _shapes(weights):
    return {name: tuple(weights.get_slice(name).get_shape()) for name in weights.keys()}  # noqa: SIM118, no dict


def _assign(variables, weights, names):
    for name in names:
        value = weights.get_tensor(name)
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise ValueError(
                f"The weight {name} has values that are not finite: the file is "
                "damaged, or its training diverged."
            )
        variables[name].assign(value.astype(variables[name].dtype))


# --- Fine-tuning ---


def changed_arguments(directory: Path, cls: type, config: dict, changed: dict) -> dict:
    """The arguments of a preset's GAN with some of them changed.

    Raises:
        ValueError: an argument is unknown, the resolution is another, or networks
            were given as models.
    """
    known = serialization.argument_names(cls) | {*config, "name"}
    if unknown := sorted(set(changed) - known):
        raise ValueError(
            f"{cls.__name__} takes no argument {', '.join(unknown)}. Received: "
            f"{unknown[0]}={changed[unknown[0]]!r}.{hint(unknown[0], known)} Leave it "
            "out."
        )
    config = cls.fine_tuning_config(config, changed)
    own = [n for n, v in config.items() if isinstance(v, dict) and "class_name" in v]
    own = [n for n in own if "generator" in n or "discriminator" in n]
    shaped = {"image_shape", "num_classes"} & set(changed)
    if own and shaped:
        raise ValueError(
            f"{directory} holds networks of its own ({', '.join(own)}), which are "
            f"loaded as they are. Received: {', '.join(sorted(shaped))}. Leave it out."
        )
    shape, old = changed.get("image_shape"), config.get("image_shape")
    if shape is not None and old is not None and list(shape[:2]) != list(old[:2]):
        raise ValueError(
            f"A preset is fine-tuned at its own resolution, {old[0]} x {old[1]} "
            f"pixels. Received: image_shape={tuple(shape)}. Give image_shape="
            f"{(*old[:2], shape[2])}: pictures of other sizes are brought to it; or "
            "train from scratch."
        )
    return {**config, **serialization.plain(changed)}


def transfer(
    gan: "BaseGAN", directory: pathlib.Path, progress: bool = False
) -> list[str]:
    """Gives a GAN the weights of a preset, all that fit.

    Args:
        gan: `BaseGAN`.
        directory: path of a preset of the same class.
        progress: bool, also the step, seeds and counts.

    Returns:
        The names of weights that have another shape, or are not in the preset:
        they are as they were.

    Raises:
        ValueError: it is of another class, or more than half does not fit.
    """
    cls, config = read_config(directory)
    if cls is not type(gan):
        raise ValueError(
            f"{directory} holds a {cls.__name__}. Received: a {type(gan).__name__} to "
            "be trained from it. Take the recipe of its class."
        )
    if gan.begins_from(config):
        gan.start_from(_load(directory))
        return []
    wanted = variables_of(gan)
    if not progress:
        wanted = {
            name: v
            for name, v in wanted.items()
            if name.partition("/")[0] in gan.networks or name.startswith(AVERAGE)
        }
    with _opened(directory) as weights:
        shapes = _shapes(weights)
        fits = [n for n, v in wanted.items() if shapes.get(n) == tuple(v.shape)]
        again = [n for n in wanted if n not in set(fits)]

        def count(names):
            return sum(int(np.prod(wanted[n].shape)) for n in names)

        if count(again) > count(fits):
            raise ValueError(
                f"Most weights of {directory} do not fit these networks: "
                f"{_some(again)}. Only channels of images and classes may be others: "
                "leave out the arguments that change widths."
            )
        _assign(wanted, weights, fits)
    return again


def told(again: list[str]) -> str:
    """Which weights begin anew, in words."""
    layers = dict.fromkeys(name.rpartition("/")[0] for name in again)
    return (
        f"{len(layers)} layers touch other channels or classes than the preset's, "
        f"and begin anew: {_some(list(layers))}."
    )


def _some(names):
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more
