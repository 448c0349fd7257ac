"""Code that readers copy runs: docstrings, pages and `examples`."""

import pathlib
import re
import runpy
import shutil
import sys
import textwrap
import types

import keras
import numpy as np
from paths import ROOT
from PIL import Image
import pytest

import keras_gans

PACKAGE = pathlib.Path(keras_gans.__file__).parent
# All but forms of convolutions, which take up to a minute to compile.
QUICK_KERNELS = "adam,batch_norm,norms,rectifiers"


# Examples of these run daily; others' parts are tested daily elsewhere.
DAILY = (
    "augment/",
    "core/",
    "engine/",
    "layers/",
    "losses/",
    "models/dcgan.py",
    "utils/",
)


def _docstring_blocks():
    """Every ```python block of the package, by file and line."""
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text()
        for found in re.finditer(r"```python\n(.*?)```", text, re.DOTALL):
            line = text.count("\n", 0, found.start()) + 1
            place = f"{path.relative_to(PACKAGE)}:{line}"
            long = not place.startswith(DAILY) or place.startswith("core/export.py")
            marks = pytest.mark.full if long else ()
            yield pytest.param(found[1], id=place, marks=marks)


BLOCKS = list(_docstring_blocks())


@pytest.fixture
def step_by_step(monkeypatch):
    """Trains without compiled steps: compiling takes longer than a few of them."""
    always = property(lambda gan: True, lambda gan, value: None)
    monkeypatch.setattr(keras_gans.BaseGAN, "run_eagerly", always)


@pytest.fixture(scope="session")
def emoji():
    """The first batch of the data set of the README, small."""
    return keras_gans.data.load("emoji", image_size=16, batch_size=64).take(1)


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.usefixtures("step_by_step")
def test_docstring_examples_run(block, request, monkeypatch):
    monkeypatch.setenv("KERAS_GANS_KERNELS", "0")
    space = {"np": np, "keras": keras, "keras_gans": keras_gans}
    space["tf"] = __import__("tensorflow")
    # As in the README: a compiled GAN and its data, where a block makes none.
    if (found := re.search(r"\bgan\b( = )?", block)) and not found[1]:
        gan = keras_gans.DCGAN((16, 16, 3), width=2)
        gan.compile()
        space["gan"] = gan
    if re.search(r"\bdataset\b", block):
        space["dataset"] = request.getfixturevalue("emoji")
    exec(textwrap.dedent(block), space)


def test_docstrings_have_examples():
    assert len(BLOCKS) >= 8


SCRIPTS = sorted(path.stem for path in (ROOT / "examples").glob("*.py"))
SCRIPTS.sort(key="dcgan".__ne__)  # every day


@pytest.mark.daily(1)
@pytest.mark.parametrize("name", SCRIPTS)
def test_examples_run(name, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    side = 64 if name == "srgan" else 32
    # Of two classes: a few pairs, two batches, or the five of a step of a critic.
    pictures = {"pix2pix": 12, "cyclegan": 12, "srgan": 12, "wgan": 160, "wgan_gp": 160}
    for i in range(pictures.get(name, 64)):
        folder = tmp_path / "pictures" / "ab"[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (side, side, 3), dtype="uint8")
        Image.fromarray(pixels).save(folder / f"{i // 2}.png")
    # In this process: importing TensorFlow anew takes as long as the example.
    monkeypatch.setenv("KERAS_GANS_KERNELS", QUICK_KERNELS)
    script = str(ROOT / "examples" / f"{name}.py")
    monkeypatch.setattr(sys, "argv", [script, str(tmp_path / "pictures"), "1"])
    runpy.run_path(script, run_name="__main__")
    assert (tmp_path / f"runs/example_{name}/last.png").is_file()


def test_the_gan_of_the_docs_trains(images, monkeypatch):
    """The guide's model and its test, as they stand; then its other blocks."""
    text = (ROOT / "docs" / "adding_a_gan.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert blocks[0].startswith("from dataclasses import")
    model, test = blocks[:2]
    assert model.count("\n") + test.count("\n") <= 45
    module = types.ModuleType("keras_gans.models.lsgan")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(model, vars(module))
    space = {}
    exec(test, space)
    space["test_lsgan"](images)

    called = []
    gan = module.LSGAN((16, 16, 1), width=2)
    call = gan.call_discriminator
    monkeypatch.setattr(
        gan, "call_discriminator", lambda *args: called.append(args) or call(*args)
    )
    gan.compile(run_eagerly=True)
    gan.fit(images(4), batch_size=4, verbose=0)
    assert len(called) == 3  # on reals once, and on fakes for D and for G

    space = {"keras_gans": keras_gans, "Phase": keras_gans.Phase}
    space["Schedule"] = keras_gans.core.controllers.Schedule
    space |= vars(module)
    for block in blocks[2:]:
        exec(block, space)
    for name in ("PreTrained", "Cooling"):
        gan = space[name]((16, 16, 1), 4, width=2)
        gan.compile()
        gan.fit(images(4), batch_size=4, verbose=0)
    assert float(gan.controllers["temperature"].value) < 1


@pytest.mark.full
def test_the_data_set_of_the_docs_is_trained_on(monkeypatch):
    monkeypatch.setenv("KERAS_GANS_KERNELS", QUICK_KERNELS)
    text = (ROOT / "docs" / "data.md").read_text()
    part = text.partition("## An own data set in Python\n")[2]
    block = re.search(r"```python\n(.*?)```", part, re.DOTALL)[1]
    block = block.replace("epochs=50", "epochs=1, steps_per_epoch=1")
    with pytest.warns(UserWarning, match="8 bits are scaled"):
        exec(block, {})


@pytest.mark.full
def test_the_resume_of_the_docs_is_exact():
    text = (ROOT / "docs" / "questions.md").read_text()
    part = text.partition("continues from any step")[2]
    block = re.search(r"```python\n(.*?)```", part, re.DOTALL)[1]
    block = block.replace("width=8", "latent_dim=4, width=2")

    def run(stop=None):
        keras.utils.set_random_seed(0)
        space = {"keras_gans": keras_gans}
        exec(block.replace("epochs=2", "epochs=1") if stop else block, space)
        return space["gan"].get_weights()

    straight = run()
    shutil.rmtree("checkpoints")
    run(stop=True)  # its last checkpoint is of step 2, in mid-epoch
    for a, b in zip(straight, run(), strict=True):
        np.testing.assert_array_equal(a, b)
