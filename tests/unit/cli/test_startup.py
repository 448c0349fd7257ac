"""What is set before the backend is imported, and what a command says then.

Each in a process of its own: the backend is there in this one.
"""

import os
import pathlib
import re
import subprocess
import sys
import tomllib

from command_line import call
from paths import ROOT
from PIL import Image
import pytest

import keras_gans
from keras_gans.networks.features import efficientnet_lite0
from keras_gans.utils import optional, startup
from keras_gans_cli import app, doctor, speeds, words

BLOCKED = """
import sys
import tomllib

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name in {names}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocked())
"""
WRITTEN = (
    b"WARNING: All log messages before absl::InitializeLog() is called are written\n"
    b"I0000 00:00:1 port.cc:153] oneDNN custom operations are on.\n"
    b"E0000 00:00:1 cuda_platform.cc:52] failed call to cuInit\n"
    b"To enable the following instructions: AVX2 FMA, in other operations\n"
    b"F0000 00:00:1 cpu_feature_guard.cc:1] compiled to use AVX instructions\n"
    b"Illegal thing\n"
)


def python(code, blocked=(), **environment):
    return subprocess.run(
        [sys.executable, "-c", BLOCKED.format(names=list(blocked)) + code],
        env={"PYTHONPATH": str(ROOT), "HOME": os.environ["HOME"], **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_log_of_tensorflow_is_left_out():
    code = f"""
import os
from keras_gans_cli import recipes
startup = recipes.load_file("utils/startup.py")
with startup.filtered_stderr():
    os.write(2, {WRITTEN!r})
os.write(2, b"I0000 after\\n")
with startup.filtered_stderr():
    os.write(2, b"last words")
    os.abort()
"""
    run = python(code)
    expected = WRITTEN.decode().splitlines()[-2:] + ["I0000 after", "last words"]
    assert run.stderr.splitlines() == expected


@pytest.mark.parametrize(("level", "hidden"), [("0", 0), ("1", 3), ("3", 4)])
def test_a_program_that_imports_the_package_sees_no_log_of_loading(level, hidden):
    """At level 1, of a machine with a GPU, errors stay."""
    code = f"""
import os
from keras_gans_cli import recipes
startup = recipes.load_file("utils/startup.py")
try:
    with startup.quiet_import():
        os.write(2, {WRITTEN!r})
        raise ImportError
except ImportError:
    os.write(2, b"I0000 after\\n")
"""
    lines = WRITTEN.decode().splitlines()
    kept = {0: lines, 3: [lines[2], *lines[4:]], 4: lines[4:]}[hidden]
    run = python(code, TF_CPP_MIN_LOG_LEVEL=level)
    assert run.stderr.splitlines() == [*kept, "I0000 after"]


PREPARED = """
import os
from keras_gans_cli import recipes
startup = recipes.load_file("utils/startup.py")
startup.instructions = lambda: {instructions}
startup.prepare({words})
print(*(os.environ.get(n) for n in ("TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS")))
"""


@pytest.mark.parametrize(
    ("words", "instructions", "environment", "expected"),
    [
        ([], {"avx2"}, {}, "3 1"),
        ([], {"sse4_2"}, {}, "3 None"),
        (["sample", "--verbose"], {"avx2"}, {}, "0 1"),
        ([], {"avx2"}, {"TF_ENABLE_ONEDNN_OPTS": "0"}, "3 0"),
        ([], {"avx2"}, {"TF_CPP_MIN_LOG_LEVEL": "0"}, "0 1"),
    ],
)
def test_what_is_set_stays(words, instructions, environment, expected):
    code = PREPARED.format(words=words, instructions=instructions)
    run = python(code, ["keras", "tensorflow"], **environment)
    assert (run.stdout.strip(), run.stderr) == (expected, "")


def test_the_import_logs_no_search_for_a_gpu(monkeypatch):
    """What is logged while TensorFlow is loaded, no setting holds back."""
    for found, level in (([], "3"), (["/dev/nvidia0"], "1")):
        monkeypatch.setattr(startup.glob, "glob", lambda place, found=found: found)
        assert startup.log_level() == level


@pytest.mark.full
def test_the_command_is_quiet_from_its_start():
    """Once as it is called: one line, of what is wrong, and no traceback."""
    run = subprocess.run(
        [sys.executable, "-m", "keras_gans", "sample", "nowhere", "--out=x.png"],
        env={"PYTHONPATH": str(ROOT), "HOME": os.environ["HOME"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 1 and run.stdout == ""
    [line] = run.stderr.splitlines()
    assert "nowhere" in line


def test_what_is_wrong_at_once_is_told_before_a_backend_is_imported():
    for name in ("cats", "dogs"):
        os.makedirs(f"runs/{name}")
        pathlib.Path("runs", name, "config.json").touch()
    pathlib.Path("taken.png").touch()
    wrong = {
        "sample r --out=taken.png": "taken.png, which exists",
        "sample r --out=x.jpgg": "A grid is a .png file",
        "sample r --out=x.png --seeds=5-3": "runs backwards",
        "nearest r --out=taken.png": "taken.png, which exists",
        "mix r --rows=1 --columns=2 --out=taken.png": "taken.png, which exists",
        "walk r --seeds=1 --out=x.gif": "two or more",
        "generate r --out=x": "--seeds or of a --codes_file",
        "project r nothing.png": "No such file",
        "synthesize r --out=x.csv --rows=0": "--rows is 1 or more",
        "say r hello --out=taken.png": "--out is a .wav file",
        "train dcgan --resume --run_dir=runs/cast": "Did you mean runs/cats?",
        "train dcgan --resume": "There are runs/",
        "demo r": "The demo needs the package 'uvicorn'",
        "serve models": "Servers need the package 'uvicorn'",
        "evaluate r --out=x.csv": ".jsonl",
    }
    code = f"""
from keras_gans_cli import app
for line in {list(wrong)}:
    if app.main(app.parse(["keras-gans", *line.split()])) != 1:
        raise SystemExit(line)
"""
    run = python(code, ["keras", "tensorflow", "uvicorn"])
    told = run.stderr.splitlines()
    assert run.returncode == 0 and len(told) == len(wrong), run
    for line, part in zip(told, wrong.values(), strict=True):
        assert part in line


def test_a_missing_backend_is_named():
    code = """
try:
    import keras_gans
except ImportError as error:
    print(error)
"""
    run = python(code, ["jax"], KERAS_BACKEND="jax")
    assert "backend is jax, which is not installed" in run.stdout, run.stderr
    assert "pip install 'keras_gans[jax]'" in run.stdout
    line = ["keras-gans", "sample", "nowhere", "--out=x.png"]
    code = f"""
from keras_gans_cli import app
raise SystemExit(app.main(app.parse({line})))
"""
    run = python(code, ["jax"], KERAS_BACKEND="jax")
    assert run.returncode == 1 and "Traceback" not in run.stderr
    assert "pip install 'keras_gans[jax]'" in run.stderr


def test_missing_packages_of_extras_are_named(monkeypatch, capsys):
    monkeypatch.setattr(efficientnet_lite0, "PACKAGE", "no-such-package")
    os.mkdir("pictures")
    for i in range(2):
        Image.new("RGB", (16, 16)).save(f"pictures/{i}.png")
    assert call("evaluate", "pictures", "--data=pictures", "--cache_dir=") == 1
    assert "keras_gans[metrics]" in capsys.readouterr().err

    def needs_mesh(args):
        optional.require("no_such_module", extra="mesh", what="Meshes")

    args = app.parse(["keras-gans", "list"])
    args.run = needs_mesh
    assert app.main(args) == 1
    assert "pip install 'keras_gans[mesh]'" in capsys.readouterr().err


def test_doctor_tells_what_there_is(capsys, monkeypatch):
    monkeypatch.setenv("KERAS_GANS_KERNELS", "adam")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    monkeypatch.setitem(words.EXTRAS, "super-resolution", "no_such_module")
    assert call("doctor") == 0
    out = capsys.readouterr().out
    told = dict(re.findall(r"^(\w+) +(.*)$", out.split("\n\n")[0], re.MULTILINE))
    assert keras_gans.__version__ in told["versions"] and "numpy" in told["versions"]
    assert told["backend"].startswith("tensorflow") and "CPU" in told["devices"]
    assert "GB free" in told["disk"] and "float32" in told["speed"]
    assert told["kernels"] == "on: adam"
    rows = re.search(r"^extras( .*\n(?: .*\n)*)", out, re.MULTILINE)[1]
    extras = dict(re.findall(r"^ +([\w-]+): +(.*)$", rows, re.MULTILINE))
    with (ROOT / "pyproject.toml").open("rb") as file:
        known = tomllib.load(file)["project"]["optional-dependencies"]
    assert extras.keys() == known.keys() - {"docs", "tensorflow", "test"}
    assert extras["super-resolution"].endswith("install 'keras_gans[super-resolution]'")
    assert extras["demo"] == "installed" and "keras-gans list" in out
    # What is slow, and why.
    assert "no GPU" in out
    for name in ("KERAS_GANS_KERNELS", "TF_ENABLE_ONEDNN_OPTS=0"):
        assert re.search(rf"^- {name}.* unset it", out, re.MULTILINE)


@pytest.mark.full
def test_a_recipe_is_timed(monkeypatch):
    monkeypatch.setattr(doctor, "SECONDS", 0)
    seconds, steps = doctor.time_recipe("gan")
    assert 0 < seconds < 60 and steps == 1570 // 64
    assert speeds.cores() >= 1 and "cores of" in speeds.machine()


def test_all_names_are_listed():
    assert {*keras_gans.__all__, "load", "data", "serving"} <= set(dir(keras_gans))
