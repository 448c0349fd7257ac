"""The house stays in order: imports, and the files of each GAN."""

import ast
import functools
import os
import pathlib
import re
import subprocess
import sys

import keras
from paths import ROOT
import pytest

import keras_gans
from keras_gans import applications, engine
from keras_gans.training import recipes

PACKAGE = pathlib.Path(keras_gans.__file__).parent

IMPORTS = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {missing}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
import random
import keras
before = set(sys.modules)  # Keras itself imports matplotlib where it is
state = random.getstate()  # Keras draws seeds of initializers there
import keras_gans
from keras_gans import convert
from keras_gans_cli import app
from keras_gans.modalities import pictures
from keras_gans.training import callbacks, checkpoints, recipes, runs
app.make_parser()
added = {{name.split(".")[0] for name in set(sys.modules) - before}}
heavy = {{"matplotlib", "tensorflow_datasets", *{missing}}}
assert not heavy & added, heavy & added
assert random.getstate() == state, "seeds set before the import have to count"
"""


@pytest.mark.full
@pytest.mark.parametrize(
    ("backend", "missing"), [("tensorflow", []), ("jax", ["tensorflow"])]
)
def test_imports_are_light(backend, missing):
    """Under JAX all but data and serving works without TensorFlow."""
    subprocess.run(
        [sys.executable, "-c", IMPORTS.format(missing=missing)],
        env={**os.environ, "KERAS_BACKEND": backend},
        check=True,
    )


MODELS = [n for n in recipes.RECIPES if n not in applications.APPLICATIONS]


@pytest.mark.parametrize("name", applications.APPLICATIONS)
def test_every_application_has_its_files(name):
    assert (PACKAGE / "applications" / f"{name}.py").is_file()
    assert (ROOT / "docs" / f"{name}.md").is_file()
    assert recipes.model_of(recipes.get(name)) is keras_gans.Pix2Pix


@functools.cache
def _checking():
    """Code that calls `check_gan`: (file, whether all of it, code)."""
    found = []
    for path in (ROOT / "tests" / "models").glob("test_*.py"):
        whole = ast.parse(path.read_text())
        for node in (whole, *whole.body):
            if "check_gan(" in (code := ast.unparse(node)):
                found.append((path.name, node is whole, code))
    return found


def _checks(name, model):
    """Whether a test puts the class `model` through `check_gan`."""
    own = f"test_{name}.py"
    return any(
        re.search(rf"\b{model}\(", code)
        for file, is_all, code in _checking()
        if file == own or not is_all
    )


@pytest.mark.parametrize("name", MODELS)
def test_every_gan_has_its_files(name):
    """Its file with a recipe, its page, and a test through `check_gan`."""
    for path in (PACKAGE / "models" / f"{name}.py", ROOT / "docs" / f"{name}.md"):
        assert path.is_file(), f"{path} is missing"
    model = recipes.model_of(recipes.get(name))
    assert model.__module__ == f"keras_gans.models.{name}"
    assert _checks(name, model.__name__)


def test_a_gan_without_a_test_is_found():
    assert not _checks("gan", "TaxGAN")


def test_every_model_has_a_recipe():
    models = {p.stem for p in (PACKAGE / "models").glob("[a-z]*.py")}
    assert models == set(MODELS)


def test_a_name_is_registered_once():
    """Keras loads a class by it: of two, whichever was imported last."""
    names = []
    for path in PACKAGE.rglob("*.py"):
        if "register_keras_serializable" not in (text := path.read_text()):
            continue  # parsing takes long
        for node in ast.walk(ast.parse(text)):
            for call in getattr(node, "decorator_list", ()):
                if "register_keras_serializable" in ast.unparse(call):
                    given = [ast.literal_eval(word) for word in call.args[1:]]
                    names += given or [node.name]
    assert len(names) > 50 and len(set(names)) == len(names)


def test_a_gan_has_its_parts_and_inherits_only_training():
    bases = keras_gans.BaseGAN.__bases__
    assert bases == (engine.Trainer, keras.Model)
