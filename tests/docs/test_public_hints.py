"""Public functions, constructors and methods say the types they take."""

import ast

from paths import ROOT
import pytest

PACKAGE = ROOT / "keras_gans"
PLACES = (
    "core/*",
    "models/*",
    "networks/*",
    "layers/*",
    *("data/" + name for name in ("__init__", "loading", "pairs")),
    *("data/" + name for name in ("embedded", "toy", "sources")),
    *("training/" + name for name in ("checkpoints", "distribution", "runs")),
    "training/callbacks/*",
    "inference/*",
    "inference/latent/*",
    "applications/*",
    *("convert/" + name for name in ("files", "states")),
    *("engine/" + name for name in ("phases", "rng", "data_adapter")),
    "modalities/*",
)
MODULES = [p for place in PLACES for p in sorted(PACKAGE.glob(place + ".py"))]


def public(body, within=""):
    """Each public function or method, also of what an `if` defines.

    Args:
        body: statements of a module or class.
        within: name of the class with a dot, or "".
    """
    for node in body:
        if isinstance(node, ast.If):
            yield from public(node.body + node.orelse, within)
        elif isinstance(node, ast.FunctionDef):
            if not node.name.startswith("_") or node.name == "__init__":
                yield within + node.name, node
        elif isinstance(node, ast.ClassDef) and node.name[0] != "_":
            yield from public(node.body, f"{within}{node.name}.")


def missing(name, node):
    """The parameters, and "return", that a function has no hint for.

    Args:
        name: the function's name, with its class's.
        node: its definition.
    """
    static = "staticmethod" in map(ast.unparse, node.decorator_list)
    taken = node.args.posonlyargs + node.args.args
    taken = taken["." in name and not static :] + node.args.kwonlyargs
    found = [taken.arg for taken in taken if taken.annotation is None]
    if node.name != "__init__" and node.returns is None:
        found.append("return")
    return found


@pytest.mark.parametrize(
    "path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_public_signatures_have_hints(path):
    found = {}
    for name, node in public(ast.parse(path.read_text()).body):
        found[name] = missing(name, node)
    assert {name: lacks for name, lacks in found.items() if lacks} == {}


def test_every_place_is_there():
    assert [p for p in PLACES if not [*PACKAGE.glob(p + ".py")]] == []
