"""What is installed: one version, extras, the wheel, hints, no stray names."""

import importlib
import inspect
import pkgutil
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile

from packaging.version import Version
from paths import ROOT
import pytest

import keras_gans

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
SUFFIXES = {
    "",
    ".cfg",
    ".json",
    ".jsonl",
    ".md",
    ".py",
    ".toml",
    ".txt",
    ".yaml",
    ".yml",
}
PACKAGES = [
    f"keras_gans.{module.name}"
    for module in pkgutil.iter_modules(keras_gans.__path__)
    if module.ispkg
]


def _texts():
    """The path and text of every text file of the project."""
    hidden = (".ci", ".github")
    skipped = ("__pycache__", "build", "dist", "exported", "runs", "shared")
    for path in sorted(ROOT.rglob("*")):
        folders = path.relative_to(ROOT).parts[:-1]
        if any(
            folder in skipped
            or folder.endswith(".egg-info")
            or (folder.startswith(".") and folder not in hidden)
            for folder in folders
        ):
            continue
        # In a git worktree, .git is a file that names the machine's folders.
        if path.is_file() and path.suffix in SUFFIXES and path.name != ".git":
            yield path, path.read_text()


def test_the_version_stands_in_one_place():
    version = Version(keras_gans.__version__)
    assert "version" not in PROJECT and PROJECT["dynamic"] == ["version"]
    dynamic = PYPROJECT["tool"]["setuptools"]["dynamic"]["version"]
    assert dynamic == {"attr": "keras_gans.version.__version__"}
    code = (ROOT / "keras_gans" / "version.py").read_text()
    assert f'__version__ = "{version}"' in code
    changes = (ROOT / "CHANGELOG.md").read_text()
    headings = re.findall(r"^## \[(.+?)\]", changes, re.MULTILINE)
    if version.is_devrelease:
        assert headings.pop(0) == "Unreleased"
        assert Version(headings[0]) < version
    else:
        assert Version(headings[0]) == version


def test_every_extra_that_is_named_exists():
    named = {
        (extra, path.relative_to(ROOT))
        for path, text in _texts()
        for found in re.findall(r"keras_gans\[([a-z_, -]+)\]", text)
        for extra in re.split(r",\s*", found)
    }
    assert named
    assert {(e, path) for e, path in named if e not in EXTRAS} == set()


def test_every_dependency_is_bounded():
    """Each has an upper bound, but for what only builds and tests use."""
    runtime = [*PROJECT["dependencies"]]
    for extra in ("audio", "jax", "mesh", "metrics", "video"):
        runtime += EXTRAS[extra]
    for requirement in runtime:
        assert re.search(r">=.+,<|==", requirement), requirement


def test_linters_and_pythons_agree():
    config = (ROOT / ".pre-commit-config.yaml").read_text()
    [ruff] = [r for r in EXTRAS["test"] if r.startswith("ruff")]
    assert f"rev: v{ruff.removeprefix('ruff==')}" in config
    workflow = (ROOT / ".github" / "workflows" / "test.yml").read_text()
    pythons = re.findall(r'"(3\.\d+)"', workflow)
    language = "Programming Language :: Python :: "
    assert pythons == [
        classifier.removeprefix(language)
        for classifier in PROJECT["classifiers"]
        if classifier.startswith(f"{language}3.")
    ]
    assert PROJECT["requires-python"] == f">={pythons[0]}"


def test_the_lanes_are_named_alike():
    """TensorFlow by `pytest`, JAX by the marker, wherever they are named."""
    jax = "pytest -m 'backends and not full'"
    readme = (ROOT / "README.md").read_text()
    second = re.findall(r"```sh\n(.*?)\n```", readme, re.DOTALL)[1]
    bin_ = ".venv-test/bin/"
    assert second.endswith(f"/pytest && KERAS_BACKEND=jax {bin_}{jax}")
    guide = (ROOT / "CONTRIBUTING.md").read_text()
    assert f"`KERAS_BACKEND=jax {jax}`" in guide
    workflow = ROOT / ".github" / "workflows" / "test.yml"
    assert f"{bin_}{jax}\n" in workflow.read_text()


def test_the_wheel_has_its_files(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for folder in ROOT.glob("keras_gans*/"):
        if (folder / "__init__.py").exists():
            shutil.copytree(
                folder,
                source / folder.name,
                ignore=shutil.ignore_patterns("__pycache__"),
            )
    build = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *build, "-w", tmp_path, source],
        check=True,
    )
    [wheel] = tmp_path.glob("*.whl")
    assert wheel.name.startswith(f"keras_gans-{keras_gans.__version__}-")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        [metadata] = [n for n in names if n.endswith("/METADATA")]
        about = archive.read(metadata).decode()
    ours = {
        str(path.relative_to(ROOT))
        for pattern in ("*.py", "py.typed", "assets/*")
        for path in (ROOT / "keras_gans").rglob(pattern)
    }
    assert ours <= names
    assert not [n for n in names if n.startswith(("tests", "benchmarks"))]
    licenses = {n.rsplit("/", 1)[1] for n in names if "licenses/" in n}
    data = ("digits", "drums", "emojibase", "fluent-emoji", "furniture")
    assert licenses == {"LICENSE", *(f"LICENSE.{name}" for name in data)}
    assert {*EXTRAS} == {*re.findall(r"^Provides-Extra: (\S+)", about, re.M)}


@pytest.mark.parametrize("name", ["keras_gans", *PACKAGES])
def test_public_names_exist(name):
    module = importlib.import_module(name)
    for public in getattr(module, "__all__", ()):
        getattr(module, public)


@pytest.mark.parametrize("name", ["augment", "convert", "losses", "metrics"])
def test_public_functions_have_type_hints(name):
    module = importlib.import_module(f"keras_gans.{name}")
    functions = [getattr(module, public) for public in module.__all__]
    for function in filter(inspect.isfunction, functions):
        signature = inspect.signature(function)
        hints = [p.annotation for p in signature.parameters.values()]
        assert inspect.Signature.empty not in [*hints, signature.return_annotation], (
            function.__name__
        )


def test_no_file_names_a_machine():
    """Neither folders of one machine nor hosts of package registries."""
    folders = "home|opt|root|tmp|work|Users"
    registries = (
        r"\bpypi\.", r"pythonhosted\.", r"\bnpmjs\.", r"\bdeb\.debian\.",
        r"\bcrates\.io", r"proxy\.golang\.",
    )  # fmt: skip
    pattern = re.compile("|".join([rf"(?<![\w.])/(?:{folders})/\w", *registries]))
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path, text in _texts()
        for match in pattern.finditer(text)
    ]
    assert found == []
