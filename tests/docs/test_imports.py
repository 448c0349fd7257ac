"""Imports run down the tree: no arrow up, no circle, few levels."""

import ast
import functools

from paths import ROOT
import pytest

PACKAGES = ("keras_gans", "keras_gans_cli")
# From the top down; what stands in one row may import each other, without a
# circle.
TREE = (
    ("cli", "serving"),
    ("training", "inference", "applications"),
    ("models", "metrics", "convert"),
    ("core",),
    ("losses", "augment", "networks", "modalities", "data"),
    ("layers",),
    ("engine",),
    ("utils", "version"),
)
ROWS = {name: i for i, row in enumerate(TREE) for name in row}
MOST_LEVELS = 11


def modules():
    """Each module's dotted name and path."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = list(path.relative_to(ROOT).with_suffix("").parts)
            if parts[-1] == "__init__":
                parts.pop()
            found[".".join(parts)] = path
    return found


MODULES = modules()


def names_of(node):
    """The modules that an import statement may mean."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [
        name
        for alias in node.names
        for name in (f"{node.module}.{alias.name}", node.module)
    ]


@functools.cache
def imports(path):
    """The modules of the package that a file imports, within functions too."""
    tree = ast.parse(path.read_text())
    types = [
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for child in ast.walk(node)
    ]
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        if id(node) in types:
            continue
        known = [name for name in names_of(node) if name in MODULES]
        # Of `from a import b`, the module b where there is one.
        found.update(known[:1] if isinstance(node, ast.ImportFrom) else known)
    return found


def place(module):
    """The part of the tree that a module belongs to; `None` for the root."""
    package, *rest = module.split(".")
    if package == "keras_gans_cli" or rest == ["__main__"]:
        return "cli"
    return rest[0] if rest else None


@pytest.mark.parametrize("module", MODULES)
def test_no_arrow_runs_up(module):
    own = place(module)
    if own is None:
        return  # the public face
    for other in imports(MODULES[module]):
        theirs = place(other)
        assert theirs is not None, f"{module} imports the package's root"
        assert ROWS[theirs] >= ROWS[own], f"{module} imports {other}, above it"


def highest(below):
    """The most levels of a graph; a level is one more than those below it.

    Args:
        below: dict of a name to the names that it imports.
    """
    levels, chain = {}, []

    def level(name):
        assert name not in chain, f"circle: {' -> '.join([*chain, name])}"
        if name not in levels:
            chain.append(name)
            others = [level(other) for other in below[name] - {name}]
            chain.pop()
            levels[name] = 1 + max(others, default=0)
        return levels[name]

    return max(map(level, below))


def test_no_modules_import_each_other_in_a_circle():
    highest({module: imports(path) for module, path in MODULES.items()})


def test_the_parts_of_the_tree_stand_on_few_levels():
    parts = {place(module): set() for module in MODULES}
    for module, path in MODULES.items():
        found = {place(other) for other in imports(path)}
        parts[place(module)] |= found
    assert highest(parts) <= MOST_LEVELS


def test_the_root_is_the_public_face_alone():
    files = {p.name for p in (ROOT / "keras_gans").glob("*.py")}
    assert files == {"__init__.py", "__main__.py", "version.py"}
