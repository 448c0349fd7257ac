"""Tables put into pages of docs, between comments that name them."""

import pathlib

from keras_gans.utils import files

DOCS = pathlib.Path(__file__).parents[2] / "docs"


def put(page, tables):
    """Replaces what stands between `<!-- name -->` and `<!-- /name -->`.

    Args:
        page: str, a file of docs.
        tables: dict of a name to Markdown.

    Raises:
        ValueError: the page has no such place.
    """
    text = (DOCS / page).read_text()
    for name, table in tables.items():
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, opened, rest = text.partition(start)
        _, closed, after = rest.partition(end)
        if not (opened and closed):
            raise ValueError(
                f"docs/{page} has no place for the table {name!r}: it needs "
                f"{start} and {end}."
            )
        text = f"{before}{start}\n{table}\n{end}{after}"
    with files.replacing(DOCS / page) as temporary:
        temporary.write_text(text)
