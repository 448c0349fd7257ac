"""Recipes, arguments and their meaning, read from the files of keras_gans.

Nothing of keras_gans is imported: that would import a backend.
"""

import ast
from collections.abc import Iterable, Sequence
import functools
import importlib.util
import inspect
import pathlib
import re
import types
from typing import Any, NamedTuple

FOLDERS = ("models", "applications")
# Built in Python, or given as --seed.
NOT_FLAGS = ("modality", "inputs", "features", "name", "seed", "table", "tokenizer")
NETWORKS = ("generator", "discriminator")


class Argument(NamedTuple):
    """An argument of a constructor.

    Attributes:
        default: its value; of one that is no literal, its source code.
        help: str, its entry in the docstring; "" where it has none.
        owner: str, the class that takes it.
        is_text: bool, whether its values are texts, such as "1".
    """

    default: Any
    help: str
    owner: str
    is_text: bool


# --- Files ---


def folder() -> pathlib.Path:
    """Where the package keras_gans is."""
    spec = importlib.util.find_spec("keras_gans")
    return pathlib.Path(spec.submodule_search_locations[0])


@functools.cache
def load_file(place: str) -> types.ModuleType:
    """A module of keras_gans that imports nothing of it, by its file.

    Args:
        place: str, such as "core/recipe.py".
    """
    name = "keras_gans_cli._" + place.removesuffix(".py").replace("/", "_")
    spec = importlib.util.spec_from_file_location(name, folder() / place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def hint(word: str, known: Iterable[str]) -> str:
    """The sentence that names what `word` may have meant, or ""."""
    return load_file("utils/suggestions.py").hint(word, known)


def did_you_mean(near: Sequence[str]) -> str:
    """The sentence that names `near`, or "" for none."""
    return load_file("utils/suggestions.py").did_you_mean(near)


# --- Recipes ---


@functools.cache
def recipes() -> dict:
    """The recipe of each name, `core.recipe.Recipe`s."""
    return {recipe.name: recipe for recipe, _ in _read_recipes().values()}


@functools.cache
def _read_recipes():
    """Each name to its recipe and the file that it stands in."""
    by_name = {}
    for place in FOLDERS:
        for path in sorted((folder() / place).glob("[a-z]*.py")):
            recipe = read_recipe(path)
            if recipe is not None:
                by_name[recipe.name] = recipe, path
    return by_name


def read_recipe(path: pathlib.Path) -> Any:
    """The recipe at the end of a file, or `None` where there is none.

    Raises:
        ValueError: it is no literal.
    """
    start = re.search(r"^RECIPE\b.*", path.read_text(encoding="utf-8"), re.M | re.S)
    if start is None:
        return None
    try:
        call = ast.parse(start[0]).body[0].value
        keywords = {k.arg: ast.literal_eval(k.value) for k in call.keywords}
        return load_file("core/recipe.py").Recipe(**keywords)
    except (ValueError, SyntaxError, AttributeError, TypeError) as error:
        raise ValueError(
            f"{path}: a recipe ends its file and is a literal, `RECIPE = "
            f"Recipe(name=..., ...)` of numbers, strings, tuples and dicts. "
            f"Received: {error}."
        ) from error


# --- Options and arguments ---


def options(recipe: Any) -> dict:
    """What a run of a recipe can be told: names to `Option`s.

    Their defaults are the recipe's.
    """
    module = load_file("training/options.py")
    by_name = {}
    for name, default in module.defaults(recipe).items():
        known = module.OPTIONS.get(name) or module.DATA_OPTIONS.get(name)
        if known is None:  # of an application, explained in its own file
            tree = ast.parse(_read_recipes()[recipe.name][1].read_text("utf-8"))
            known = module.Option("data", object, None, "")
            for node in tree.body:
                if isinstance(node, ast.ClassDef):
                    text = explained(ast.get_docstring(node) or "").get(name)
                    known = known._replace(help=text or known.help)
        if default is None and name.endswith("_learning_rate"):
            default = learning_rate(recipe, name.partition("_")[0])
        by_name[name] = known._replace(default=default)
    return by_name


def learning_rate(recipe: Any, optimizer: str) -> float | None:
    """The learning rate of a recipe's optimizer, "d" or "g"."""
    if recipe.optimizers:
        return recipe.optimizers[optimizer][1].get("learning_rate")
    if "learning_rate" in model_arguments(recipe):
        return None  # the model makes it of that
    text = _classes()[recipe.model].read_text(encoding="utf-8")
    if both := re.search(r"for rate in \(([\d.e-]+), ([\d.e-]+)\)", text):
        return float(both[1 + "dg".index(optimizer)])
    pattern = re.compile(r"keras\.optimizers\.[A-Z]\w*\(([\d.e-]+)")
    # The model's own, or what all others have.
    for path in (_classes()[recipe.model], folder() / "core" / "optimizers.py"):
        if match := pattern.search(path.read_text(encoding="utf-8")):
            return float(match[1])
    return None


def model_arguments(recipe: Any) -> dict:
    """The constructor arguments of a recipe's model that a flag can give.

    Returns:
        dict of names to `Argument`s, those of the model itself first. Defaults
        are the recipe's.
    """
    arguments = {}
    for name, argument in _arguments_of(recipe.model).items():
        if name not in NOT_FLAGS and not name.startswith(NETWORKS):
            default = recipe.arguments.get(name, argument.default)
            arguments[name] = argument._replace(default=default)
    return arguments


@functools.cache
def _classes():
    """The file of each class of a GAN."""
    paths = [*(folder() / "core").glob("*.py")]
    paths += (folder() / "models").glob("[a-z]*.py")
    return {
        name: path
        for path in paths
        for name in re.findall(r"^class (\w+)", path.read_text(encoding="utf-8"), re.M)
    }


@functools.cache
def _arguments_of(name):
    """The arguments of a class, with those that it passes on."""
    if name not in _classes():
        return {}  # of Keras, or a mixin without a constructor
    tree = ast.parse(_classes()[name].read_text(encoding="utf-8"))
    node = next(
        node
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == name
    )
    texts = explained(ast.get_docstring(node) or "")
    constructors = [
        item
        for item in node.body
        if isinstance(item, ast.FunctionDef) and item.name == "__init__"
    ]
    arguments, changed, passes_on = {}, {}, True
    if constructors:
        function = constructors[0]
        arguments = {
            argument: Argument(default, texts.get(argument, ""), name, is_text)
            for argument, default, is_text in _signature(function.args)
        }
        changed = _own_defaults(function)
        passes_on = function.args.kwarg is not None
    if passes_on:
        for base in node.bases:
            inherited = _arguments_of(getattr(base, "id", ""))
            for argument, known in inherited.items():
                default = changed.get(argument, known.default)
                known = known._replace(default=default)
                if argument in texts:
                    known = known._replace(help=texts[argument])
                arguments.setdefault(argument, known)
    return arguments


def _signature(arguments):
    """Each argument's name, its default and whether it is text, but for `self`."""
    placed = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(placed) - len(arguments.defaults))
    placed = zip(placed, [*defaults, *arguments.defaults], strict=True)
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    for argument, default in [*placed, *named]:
        if argument.arg != "self":
            kind = argument.annotation and ast.unparse(argument.annotation)
            is_text = kind in ("str", "str | None")
            yield argument.arg, default and _literal(default), is_text


def _own_defaults(function):
    """Defaults of a class for what it passes on: `kwargs.setdefault(...)`."""
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    return {
        _literal(call.args[0]): _literal(call.args[1])
        for call in calls
        if ast.unparse(call.func) == "kwargs.setdefault"
    }


def _literal(node):
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)


def explained(docstring: str) -> dict:
    """The entries of a docstring's `Args:`, each in one line."""
    section = re.search(r"^Args:\n((?: +.*\n?|\n)*)", inspect.cleandoc(docstring), re.M)
    if section is None:
        return {}
    entries = re.findall(
        r"^ {4}\*{0,2}(\w+): ((?:.*\n?)(?:^ {5,}.*\n?)*)", section[1], re.M
    )
    return {name: " ".join(text.replace("`", "").split()) for name, text in entries}
