"""The words of README and docs: links lead somewhere, names exist."""

import ast
import builtins
import importlib
import inspect
import pathlib
import re
import shlex
import textwrap

from paths import ROOT
import pytest

import keras_gans as kg
from keras_gans_cli import app

PAGES = ["README.md", "CONTRIBUTING.md"]
PAGES += sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("docs/**/*.md"))
BLOCKS = re.compile(r"^( *)```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
LINKS = re.compile(r"\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")
# Files of the project, named in full.
FILES = re.compile(
    r"\b(?:benchmarks|examples|keras_gans|keras_gans_cli|results|tests)"
    r"/[\w/]*\.\w+"
)
NAMES = re.compile(r"(?<![\w./])(?:keras_gans|kg)((?:\.[A-Za-z_]\w*)+)")
STAND_IN = "lsgan"  # the GAN that the guide adds
EXCERPTS = ("docs/architecture.md",)  # Python from the middle of the package's files
COMMANDS = re.compile(r"^(?:\w+=\S+ +)*(keras-gans .*)", re.MULTILINE)


def read(page):
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page, *languages):
    return [
        textwrap.dedent(text)
        for _, language, text in BLOCKS.findall(read(page))
        if language in languages
    ]


def anchors(path):
    """The anchors of the headings of a page, as GitHub makes them."""
    text = BLOCKS.sub("", path.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.*)", text, re.MULTILINE)
    kept = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in kept}


def resolve(name):
    """What a dotted name below keras_gans stands for."""
    found = kg
    for part in name.split("."):
        if not hasattr(found, part) and inspect.ismodule(found):
            importlib.import_module(f"{found.__name__}.{part}")
        found = getattr(found, part)
    return found


def parameters(function):
    """The names of the arguments; `None` where any name is taken."""
    if not inspect.isclass(function):
        owners = [function]
    else:
        owners = [c.__init__ for c in function.__mro__ if "__init__" in vars(c)]
    names = set()
    for owner in owners:
        found = inspect.signature(owner).parameters.values()
        names |= {parameter.name for parameter in found}
        if all(p.kind is not inspect.Parameter.VAR_KEYWORD for p in found):
            return names
    return None


def called(tree):
    """Pairs of a function of keras_gans and a call of it."""
    imported = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and STAND_IN not in node.module:
            module = importlib.import_module(node.module)
            for alias in node.names:
                imported[alias.name] = getattr(module, alias.name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            root, _, rest = name.partition(".")
            if STAND_IN in name.lower():
                continue
            if root in ("keras_gans", "kg"):
                yield resolve(rest), node
            elif name in imported:
                yield imported[name], node


def names_in(tree):
    """The names that a block defines, in any scope, and those that it uses."""
    defined, used = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else defined).add(node.id)
        elif isinstance(node, ast.alias):
            defined.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.arg):
            defined.add(node.arg)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            defined.add(node.name)
    return defined, used


@pytest.fixture(scope="module")
def gans():
    """GANs that have, together, what pages ask of one."""
    few = {"segment": 256, "rates": (8, 4), "kernels": (16, 8), "periods": (2,)}
    small = {"width": 2, "n_layers": 1}
    return (
        kg.DCGAN((16, 16, 1), width=2, ema=0.9),
        kg.Pix2Pix((16, 16, 1), depth=2, **small),
        kg.CycleGAN((16, 16, 1), blocks=1, pool_size=0, **small),
        kg.HiFiGAN("v3", 8000, channels=8, scales=0, d_width=4, **few),
        kg.FramePrediction((8, 8, 1), scales=[((3,), ())], d_scales=[((3,), (2,), ())]),
        kg.CTGAN,
        kg.DFGAN,
        kg.VITS,
        kg.CTGAN,
    )


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    folder = (ROOT / page).parent
    for link, image in LINKS.findall(read(page)):
        target = link or image
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        path = folder / name if name else ROOT / page
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path), target


@pytest.mark.parametrize("page", PAGES)
def test_files_exist(page):
    named = [p for p in FILES.findall(read(page)) if STAND_IN not in p]
    assert not [p for p in named if not (ROOT / p).exists()]


@pytest.mark.parametrize("page", PAGES)
def test_names_exist(page):
    for name in NAMES.findall(read(page)):
        if STAND_IN not in name.lower():
            resolve(name[1:])


@pytest.mark.parametrize("page", PAGES)
def test_python_blocks_parse_and_fit(page, gans):
    """Arguments are those of the functions; a GAN has what is asked of it."""
    for block in blocks(page, "python"):
        tree = ast.parse(block)
        for function, call in called(tree):
            known = parameters(function)
            given = {k.arg for k in call.keywords if k.arg is not None}
            assert known is None or given <= known, (given - known, block)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and (ast.unparse(node.value) == "gan"):
                ok = any(hasattr(gan, node.attr) for gan in gans)
                assert ok, f"gan.{node.attr}"


@pytest.mark.parametrize("page", [p for p in PAGES if p not in EXCERPTS])
def test_python_blocks_can_be_pasted_in_order(page):
    """Names are defined before they are used, by the same block or one above it."""
    known = {*dir(builtins)}
    for block in blocks(page, "python"):
        defined, used = names_in(ast.parse(block))
        known |= defined
        assert used <= known, (sorted(used - known), block)


@pytest.mark.parametrize("page", PAGES)
def test_commands_parse(page):
    """`keras-gans` takes the words of each command line."""
    for block in blocks(page, "", "sh", "bash"):
        text = re.sub(r"\\\n\s*", " ", block)
        for line in COMMANDS.findall(text):
            if "&&" not in line:
                app.parse(shlex.split(line, comments=True))


def test_the_checks_find_something():
    """None of them passes because it looks at nothing."""
    text = "".join(read(page) for page in PAGES)
    assert len(FILES.findall(text)) > 20 and len(NAMES.findall(text)) > 60
    assert len(COMMANDS.findall(text)) > 15
    assert not hasattr(kg, "images") and pathlib.Path(ROOT, "docs").is_dir()
    with pytest.raises(ImportError):
        resolve("images.save_grid")
