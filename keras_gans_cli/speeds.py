"""How long recipes take: measured on this machine, or else on another."""

import json
import os
import pathlib
import re
from typing import Any
import zlib

HERE = "~/.cache/keras_gans/speed.json"  # written by `keras-gans doctor --speed`
# A copy of that file of another machine, by the same command.
ELSEWHERE = pathlib.Path(__file__).with_name("speed.json")


def setting(recipe: Any) -> str:
    """A check sum of all that a step of a recipe depends on."""
    parts = (recipe.model, recipe.data, recipe.batch_size, recipe.arguments)
    # Which image is read next costs nothing.
    options = {k: v for k, v in recipe.data_options.items() if k != "class_balanced"}
    return f"{zlib.crc32(repr((*parts, options)).encode()):08x}"


def minutes(recipe: Any, measured: dict) -> float | None:
    """The minutes of a recipe's training; None of one that was not measured."""
    timing = measured.get("recipes", {}).get(recipe.name)
    if timing is None or timing["setting"] != setting(recipe):
        return None
    return timing["seconds_per_step"] * timing["steps_per_epoch"] * recipe.epochs / 60


def read() -> tuple[dict, bool]:
    """`(measured, here)`: what was measured, and whether on this machine."""
    for path, here in ((pathlib.Path(HERE).expanduser(), True), (ELSEWHERE, False)):
        try:
            measured = json.loads(path.read_text(encoding="utf-8"))
            if here and measured["machine"] != machine():
                continue  # a home that several machines share
            return measured, here
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return {}, False


def write(timings: dict) -> None:
    """Keeps what was measured on this machine."""
    path = pathlib.Path(HERE).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": machine(), "recipes": timings}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor() -> str:
    """The processor and how many cores of it."""
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    name = "a processor"
    if cpuinfo.exists():
        text = cpuinfo.read_text(encoding="utf-8", errors="replace")
        match = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
        name = match[1].strip() if match else name
    return f"{cores()} cores of {name}"


def machine() -> str:
    """The name of what times are of."""
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    return f"{processor()}, {backend}"
