"""A flag's format and sentence, from what a docstring says of an argument."""

import re
from typing import Any

from keras_gans_cli import recipes, values

METAVARS = {int: "N", float: "X", str: "NAME"}
_SHORT = {"height": "H", "width": "W", "channels": "C"}
_START = re.compile(
    r"(?P<optional>None, (?:an? \w+, )?or )?"
    r"(?:the )?(?P<type>(?:int|float|bool|str)\b|tuple (?=\())?"
    r"(?P<parts>\((?:\w+(?:, )?)+\))?[,;:]? ?"
)
_OBJECTIVES = "a name of keras_gans.losses.OBJECTIVES or an Objective"


def metavar(text: str, default: Any) -> str:
    """What stands for the value of a flag: N, X, H,W,C or one|other.

    Args:
        text: str, the entry of a docstring: "int, how many there are".
        default: the argument's value by default.
    """
    start = _START.match(text)
    if start["parts"] and start["type"] != "int":
        names = start["parts"].strip("()").split(", ")
        return ",".join(_SHORT.get(name, name.upper()) for name in names)
    choices = re.match(r'[^."]*?("\w+"(?:(?:, | or )"\w+")+)', text)
    if choices:
        names = re.findall(r'"(\w+)"', choices[1])
        none = ["none"] * text[choices.end() :].startswith(" or None")
        return "|".join(names + none)
    for kind in (int, float, bool):
        if start["type"] == kind.__name__:
            return METAVARS.get(kind, "on|off")
    return METAVARS.get(type(default), "VALUE")


def sentence(text: str, default: Any) -> str:
    """What a flag does, and its default.

    Args:
        text: str, the entry of a docstring.
        default: the argument's value by default.
    """
    text = text.rstrip(".")
    if text == _OBJECTIVES:
        text = f"what is minimised: {', '.join(objectives())}"
    start = _START.match(text)
    if start["optional"] or start["type"] or start["parts"]:
        text = text[start.end() :]
    if start["type"] == "tuple " and "height" in start["parts"]:
        sides = start["parts"].strip("()")
        text = f"{sides}{' ' if text.startswith('of ') else ', '}{text}".rstrip(", ")
    # Networks are no flags.
    text = re.sub(r",? or what generator\w* (makes|takes)", "", text)
    if default is not None:
        # The recipe's, not the class's.
        text = re.sub(r"(; |, |^)(\(?[\d., ]+\)?|the recipe's) by default", "", text)
    elif "by default" in text:
        return _escaped(text)
    return _escaped(f"{text} (default: {typed(default)})".strip())


def typed(default):
    if default is None:
        return "none"
    if isinstance(default, bool):
        return "on" if default else "off"
    return values.text(default)


def _escaped(text):
    return text.replace("%", "%%")


def objectives() -> list:
    """The names of losses."""
    file = recipes.folder() / "losses" / "adversarial.py"
    table = file.read_text(encoding="utf-8").partition("OBJECTIVES = {")[2]
    return re.findall(r'^    "(\w+)":', table.partition("\n}")[0], re.MULTILINE)
