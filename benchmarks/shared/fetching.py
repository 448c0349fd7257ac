"""The command line of scripts that fetch data which is no part of this project."""

import argparse
from collections.abc import Callable
import pathlib


def main(fetch: Callable, doc: str, out: str, kind: str) -> None:
    """Fetches to --out, and tells how many.

    Args:
        fetch: function of a folder and a package, or `None`; returns how many.
        doc: str, the script's docstring.
        out: str, the folder by default.
        kind: str, what is fetched.
    """
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    add = parser.add_argument
    add("--out", type=pathlib.Path, default=pathlib.Path(out))
    add("--package", type=pathlib.Path, help="the package's file, if there")
    args = parser.parse_args()
    print(f"{fetch(args.out, args.package)} {kind} in {args.out}")
