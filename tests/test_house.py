"""The house stays in order: imports, the files of each GAN, the style."""

import os
import pathlib
import re
import runpy
import shutil
import subprocess
import sys

import keras
import numpy as np
from PIL import Image
import pytest

import keras_gans
from keras_gans import applications
from keras_gans import recipes

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = pathlib.Path(keras_gans.__file__).parent

# All but forms of convolutions, which take up to a minute to compile.
QUICK_KERNELS = "adam,batch_norm,norms,rectifiers"
IMPORTS = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {missing}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
import keras
before = set(sys.modules)  # Keras itself imports matplotlib where it is
import keras_gans
from keras_gans import callbacks, checkpoints, cli, convert, images, recipes
from keras_gans import runs
cli.make_parser()
added = {{name.split(".")[0] for name in set(sys.modules) - before}}
heavy = {{"matplotlib", "tensorflow_datasets", *{missing}}}
assert not heavy & added, heavy & added
"""


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
    assert recipes.get(name).model is keras_gans.Pix2Pix


@pytest.mark.parametrize("name", MODELS)
def test_every_gan_has_its_files(name):
    for path in (
        PACKAGE / "models" / f"{name}.py",
        ROOT / "examples" / f"{name}.py",
        ROOT / "docs" / f"{name}.md",
    ):
        assert path.is_file(), f"{path} is missing"
    model = recipes.get(name).model
    assert getattr(keras_gans, model.__name__) is model
    own = ROOT / "tests" / f"test_{name}.py"
    tests = own if own.exists() else ROOT / "tests" / "test_models.py"
    text = tests.read_text()
    assert f"kg.{model.__name__}(" in text and "check_gan(" in text


def test_every_model_has_a_recipe():
    models = {p.stem for p in (PACKAGE / "models").glob("[a-z]*.py")}
    assert models == set(MODELS)


def test_files_stay_short():
    for path in [*PACKAGE.rglob("*.py"), *(ROOT / "tests").glob("*.py")]:
        lines = path.read_text().count("\n")
        assert lines <= 400, f"{path.name} has {lines} lines; split it"
    for path in (ROOT / "examples").glob("*.py"):
        assert path.read_text().count("\n") <= 60, path.name


def test_public_docstring_examples_run(monkeypatch):
    """Every ```python block of a public docstring."""
    monkeypatch.setenv("KERAS_GANS_KERNELS", QUICK_KERNELS)
    blocks = []
    for path in sorted(PACKAGE.rglob("*.py")):
        found = re.findall(
            r"```python\n(.*?)```", path.read_text(), flags=re.DOTALL
        )
        blocks += [(path.name, block) for block in found]
    assert len(blocks) >= 8
    for name, block in blocks:
        print(name, block, sep="\n")
        space = {"np": __import__("numpy"), "keras": __import__("keras")}
        space["tf"] = __import__("tensorflow")
        space["keras_gans"] = keras_gans
        # As in the README: a compiled GAN and its data.
        if re.search(r"\bgan\b", block):
            gan = keras_gans.DCGAN((16, 16, 3), width=2)
            gan.compile()
            space["gan"] = gan
        if re.search(r"\bdataset\b", block):
            space["dataset"] = keras_gans.data.load(
                "emoji", image_size=16, batch_size=64
            ).take(1)
        exec(_dedent(block), space)


def _dedent(block):
    indent = min(
        len(line) - len(line.lstrip())
        for line in block.splitlines()
        if line.strip()
    )
    return "\n".join(line[indent:] for line in block.splitlines())


def test_the_gan_of_the_docs_trains(images):
    text = (ROOT / "docs" / "adding_a_gan.md").read_text()
    block = re.search(r"```python\n(import.*?)```", text, re.DOTALL)[1]
    space = {}
    exec(block, space)
    gan = space["SmallWeightsGAN"]((16, 16, 1), width=2)
    gan.compile()
    logs = gan.fit(images(4), batch_size=4, verbose=0).history
    assert logs["drift"][0] > 0


def test_the_resume_of_the_docs_is_exact():
    text = (ROOT / "docs" / "questions.md").read_text()
    block = re.search(r"```python\n(gan.compile.*?)```", text, re.DOTALL)[1]

    def run(stop=None):
        keras.utils.set_random_seed(0)
        gan = keras_gans.DCGAN((16, 16, 3), 4, width=2)
        code = block.replace("epochs=2", "epochs=1") if stop else block
        exec(code, {"gan": gan, "keras_gans": keras_gans})
        return gan.get_weights()

    straight = run()
    shutil.rmtree("checkpoints")
    run(stop=True)  # its last checkpoint is of step 2, in mid-epoch
    for a, b in zip(straight, run(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", MODELS)
def test_examples_run(name, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    # Five batches of two classes, or a few pairs: batches are of one.
    for i in range(12 if name in ("pix2pix", "cyclegan") else 160):
        folder = tmp_path / "pictures" / "ab"[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (32, 32, 3), dtype="uint8")
        Image.fromarray(pixels).save(folder / f"{i // 2}.png")
    # In this process: importing TensorFlow anew takes as long as the example.
    monkeypatch.setenv("KERAS_GANS_KERNELS", QUICK_KERNELS)
    script = str(ROOT / "examples" / f"{name}.py")
    monkeypatch.setattr(sys, "argv", [script, str(tmp_path / "pictures"), "1"])
    runpy.run_path(script, run_name="__main__")
    assert (tmp_path / f"runs/example_{name}/last.png").is_file()
