"""The scripts of benchmarks find what they import, in any folder."""

import ast
import importlib

from paths import ROOT
import pytest

SCRIPTS = sorted(ROOT.glob("benchmarks/**/*.py"))
SHARED = {p.stem for p in ROOT.glob("benchmarks/shared/*.py")}
OURS = {p.stem for p in SCRIPTS}


def imported(path):
    """Pairs of a module and the names taken of it; of `import x`, none."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module, [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, []


@pytest.mark.parametrize(
    "path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT / "benchmarks"))
)
def test_imports_are_found(path):
    """Python looks in the script's own folder, and in those it adds."""
    beside = {p.stem for p in path.parent.glob("*.py")}
    adds_shared = 'parents[1] / "shared"' in path.read_text()
    for name, taken in imported(path):
        package = name.split(".")[0]
        if package in SHARED:
            assert adds_shared or path.parent.name == "shared", name
        elif package in OURS:
            assert package in beside, name
        elif package in ("keras_gans", "keras_gans_cli"):
            module = importlib.import_module(name)
            for item in taken:
                # A module that nothing has imported yet is no attribute.
                if not hasattr(module, item):
                    importlib.import_module(f"{name}.{item}")
