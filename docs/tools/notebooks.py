"""Makes the notebooks of docs/notebooks of the pages of docs/tutorials.

    python docs/tools/notebooks.py

A ```python block is a cell, and so is a ```sh block, each line after a `!`. All else
is text; links lead to pages of `docs`.
"""

import json
import pathlib
import re

from keras_gans.utils import files

DOCS = pathlib.Path(__file__).parents[1]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n?", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!\w+:|#)([^)\s]+)\)")


def pages():
    """The tutorials by name, without the page that lists them."""
    found = sorted((DOCS / "tutorials").glob("*.md"))
    return {path.stem: path for path in found if path.stem != "index"}


def blocks(text):
    """The parts of a page, in order.

    Args:
        text: str, Markdown.

    Yields:
        Pairs of "markdown", "python" or "sh" and the text.
    """
    start, said = 0, ""
    for block in BLOCK.finditer(text):
        said += text[start : block.start()]
        start = block.end()
        if block[1] not in ("python", "sh"):
            said += block[0]
            continue
        if said.strip():
            yield "markdown", said.strip()
        said = ""
        yield block[1], block[2].strip()
    said += text[start:]
    if said.strip():
        yield "markdown", said.strip()


def notebook(text):
    """A notebook, as the JSON of nbformat 4.5.

    Args:
        text: str, the Markdown of a page.

    Returns:
        str.
    """
    cells = []
    for kind, part in blocks(text):
        if kind == "sh":
            joined = re.sub(r"\\\n\s*", "", part)
            part = "\n".join("!" + line for line in joined.splitlines())
        elif kind == "markdown":
            part = LINK.sub(r"](../tutorials/\1)", part)
            part = part.replace("](../tutorials/../", "](../")
        cell = {"cell_type": "markdown" if kind == "markdown" else "code"}
        cell |= {"id": f"cell-{len(cells)}", "metadata": {}}
        if kind != "markdown":
            cell |= {"execution_count": None, "outputs": []}
        cells.append({**cell, "source": part.splitlines(keepends=True)})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}}
    whole = {"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def main():
    folder = DOCS / "notebooks"
    folder.mkdir(exist_ok=True)
    for name, path in pages().items():
        with files.replacing(folder / f"{name}.ipynb") as temporary:
            temporary.write_text(notebook(path.read_text(encoding="utf-8")))
    for path in folder.glob("*.ipynb"):
        if path.stem not in pages():
            path.unlink()


if __name__ == "__main__":
    main()
