"""Where the tests find things."""

import pathlib

TESTS = pathlib.Path(__file__).parents[1]
ROOT = TESTS.parent
GOLDEN = TESTS / "golden"
SUPPORT = TESTS / "support"
