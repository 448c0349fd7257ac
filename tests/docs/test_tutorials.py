"""The tutorials run, with small settings, and their notebooks are of them."""

import contextlib
import io
import json
import re
import shlex
import sys

from command_line import call, in_full
from paths import ROOT
import pytest

import keras_gans

sys.path.append(str(ROOT / "docs" / "tools"))
import notebooks

QUICK_KERNELS = "adam,batch_norm,norms,rectifiers"
TINY = "--log_every=1 --batch_size=4 --checkpoint_every=2 --sample_every=2"
# What is made smaller to run in seconds, as (words of the page, words in their place).
SMALL = {
    "own_pictures": [
        ("range(200)", "range(12)"),
        ("--steps=3000", f"--steps=2 {TINY} --width=2"),
        ("--steps=4000", "--steps=3"),
    ],
    "control": [
        ("labels=True, batch_size=32)", "labels=True, batch_size=785)"),
        ("width=32, ema", "width=2, ema"),
        ("epochs=50", "epochs=1"),
        ("--frames=24", "--frames=4"),
        ("--number=3", "--number=1 --seeds=0"),
    ],
    "translate": [
        ("--steps=2000", f"--steps=2 {TINY} --image_shape=24,24,3 --width=2 --depth=2")
    ],
    "upscale": [
        ("images[:20]", "images[:4]"),
        ("batch_size=8)", "batch_size=2).take(2)"),
        ("pretrain_steps=1000", "pretrain_steps=4, blocks=1, width=4"),
        ("epochs=20", "epochs=1"),
    ],
    "sound": [("--steps=3000", f"--steps=2 {TINY} --samples=1024 --dim=2")],
    "fine_tune": [
        ("--steps=500", f"--steps=2 {TINY}"),
        ("batch_size=32)", "batch_size=4).take(2)"),
        ("epochs=10", "epochs=1"),
    ],
    "scores": [
        ('"fid", ', '"coverage", '),  # of fewer images than features it warns
        ("n=1570, seed=0", "n=16, reals=16, input_size=32, verbose=0"),
        ("n=500, reals=500, seed=s", "n=4, reals=4, input_size=32, seed=s"),
        ("--n=8", "--n=2"),
    ],
    "serve": [],
    "several_gpus": [
        ("batch_size=32)", "batch_size=4).take(2)"),
        ("(32, 32, 3))", "(32, 32, 3), width=2)"),
        ("epochs=10", "epochs=1"),
    ],
    "own_gan": [
        ("batch_size=32)", "batch_size=4).take(2)"),
        ("weight=10.0)", "weight=10.0, width=2)"),
        ("epochs=10", "epochs=1"),
        ("epochs=5", "epochs=1"),
    ],
}
# The others' parts are also tested elsewhere every day.
DAILY = ("serve",)


def smaller(name):
    text = notebooks.pages()[name].read_text()
    for words, fewer in SMALL[name]:
        assert words in text, f"{name}.md does not say {words!r} any more"
        text = text.replace(words, fewer)
    return text


def run_commands(lines):
    for line in re.sub(r"\\\n\s*", "", lines).splitlines():
        program, *words = shlex.split(line)
        assert program == "keras-gans", line
        run = in_full if words[0] == "export" else call
        with contextlib.redirect_stdout(io.StringIO()) as told:
            status = run(*words)
        assert status == 0, f"{line}: {told.getvalue()}"


@pytest.fixture
def step_by_step(monkeypatch):
    """Trains without compiled steps: compiling takes longer than a few of them."""
    always = property(lambda gan: True, lambda gan, value: None)
    monkeypatch.setattr(keras_gans.BaseGAN, "run_eagerly", always)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in DAILY else pytest.mark.full)
        for name in SMALL
    ],
)
def test_tutorials_run(name, step_by_step, monkeypatch, capsys):
    monkeypatch.setenv("KERAS_GANS_KERNELS", QUICK_KERNELS)
    space = {}
    for kind, part in notebooks.blocks(smaller(name)):
        if kind == "python":
            exec(compile(part, f"{name}.md", "exec"), space)
        elif kind == "sh":
            run_commands(part)


def test_every_tutorial_is_run():
    assert SMALL.keys() == notebooks.pages().keys()


@pytest.mark.parametrize("name", notebooks.pages())
def test_notebooks_are_those_of_the_pages(name):
    text = notebooks.pages()[name].read_text()
    path = ROOT / "docs" / "notebooks" / f"{name}.ipynb"
    known = path.read_text()
    told = "run `python docs/tools/notebooks.py`"
    assert known == notebooks.notebook(text), told
    cells = json.loads(known)["cells"]
    assert {"code", "markdown"} == {cell["cell_type"] for cell in cells}
    assert f"jupyter notebook docs/notebooks/{name}.ipynb" in text
