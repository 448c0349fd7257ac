"""Draws what a terminal shows, as an SVG file: one of 100 columns.

    python docs/tools/terminal.py docs/images/terminal.svg \\
        "keras-gans train dcgan --steps=600" "keras-gans sample runs/dcgan --out=a.png"

The commands are run in a folder of their own, one after the other.
"""

import argparse
import contextlib
import html
import os
import pathlib
import pty
import re
import sys
import tempfile

COLUMNS, SIDE = 100, 18
WIDTH, HEIGHT = 8.6, 20  # of a character, in pixels
BACK, FRONT, PROMPT = "#1e1e2e", "#cdd6f4", "#a6e3a1"
CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def output_of(command):
    """What a command writes to a terminal, a line each."""
    read = []

    def keep(descriptor):
        read.append(os.read(descriptor, 4096))
        return read[-1]

    status = pty.spawn(["bash", "-c", command], keep)
    if status:
        raise SystemExit(f"{command!r} ended with status {status}.")
    text = CODES.sub("", b"".join(read).decode())
    return [shown(line) for line in text.replace("\r\n", "\n").rstrip().split("\n")]


def shown(line):
    """A line as it stands at last: what follows a carriage return writes over it."""
    cells = []
    for part in line.split("\r"):
        cells[: len(part)] = part
    return "".join(cells).rstrip()


def wrapped(line):
    return [line[i : i + COLUMNS] for i in range(0, len(line), COLUMNS)] or [""]


def draw(rows):
    """An SVG file of (text, colour)."""
    size = round(COLUMNS * WIDTH) + 2 * SIDE, len(rows) * HEIGHT + 2 * SIDE
    texts = [
        f'<text x="{SIDE}" y="{SIDE + HEIGHT * i + 15}" fill="{colour}" '
        f'xml:space="preserve">{html.escape(text)}</text>'
        for i, (text, colour) in enumerate(rows)
        if text
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" '
            f'height="{size[1]}" viewBox="0 0 {size[0]} {size[1]}" '
            'font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace" '
            'font-size="14">',
            f'<rect width="100%" height="100%" rx="8" fill="{BACK}"/>',
            *texts,
            "</svg>\n",
        ]
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("to", type=pathlib.Path)
    parser.add_argument("commands", nargs="+")
    arguments = parser.parse_args()
    to = arguments.to.resolve()
    os.environ.update(COLUMNS=str(COLUMNS), LINES="50")
    own = pathlib.Path(sys.executable).parent  # commands installed beside it
    os.environ["PATH"] = os.pathsep.join([str(own), os.environ["PATH"]])
    rows = []
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for command in arguments.commands:
            rows += [(f"$ {line}", PROMPT) for line in wrapped(command)]
            lines = output_of(command)
            rows += [(part, FRONT) for line in lines for part in wrapped(line)]
            rows.append(("", FRONT))
    to.write_text(draw(rows[:-1]), encoding="utf-8")


if __name__ == "__main__":
    main()
