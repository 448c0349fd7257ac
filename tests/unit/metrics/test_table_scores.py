"""Scores of tables against closed forms, and what they are compared with."""

import numpy as np
import pytest

import keras_gans as kg
from keras_gans import metrics

pytest.importorskip("sklearn")
ROWS = {"x": [1.0, 2.0, 3.0, 4.0], "y": ["a", "a", "b", None]}


@pytest.fixture(scope="module")
def table():
    return kg.Table.fit(ROWS, numbers=["x"], modes=1)


def test_columns_are_scored_by_their_equations(table):
    made = {"x": [1.0, 1.0, 1.0, 4.0], "y": ["a", "b", "b", "b"]}
    scores = metrics.column_scores(table, ROWS, made)
    # F(1) = 1/4 and G(1) = 3/4; shares (2, 1, 1)/4 and (1, 3, 0)/4.
    assert scores == {"x": 0.5, "y": 0.5}
    assert metrics.column_scores(table, ROWS, ROWS) == {"x": 1.0, "y": 1.0}


def test_pairs_are_scored_by_their_equations():
    rows = {"a": [1.0, 2.0, 3.0], "b": [2.0, 4.0, 6.0], "c": ["u", "u", "v"]}
    table = kg.Table.fit(rows, numbers=["a", "b"], modes=1)
    made = {**rows, "b": [6.0, 4.0, 2.0], "c": ["u", "v", "v"]}
    scores = metrics.pair_scores(table, rows, made)
    assert scores["a", "b"] == pytest.approx(0.0, abs=1e-9)  # 1 and -1
    assert scores["a", "c"] == pytest.approx(2 / 3)  # one of three rows is another
    assert set(scores) == {("a", "b"), ("a", "c"), ("b", "c")}


def test_closest_records_are_found(table):
    train = {"x": [0.0, 3.0], "y": ["a", "b"]}
    test = {"x": [1.5], "y": ["a"]}  # (1.5 / 3) / 2 from the first
    made = {"x": [3.0, 3.0], "y": ["b", "a"]}  # 0, and 1 / 2 from the second
    ratio, copies = metrics.closest_record_ratio(table, train, test, made)
    assert copies == 0.5 and ratio == pytest.approx(0.25 / 0.25)


def clouds(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.4
    return {
        "x": np.where(y, rng.normal(3, 1, n), rng.normal(0, 1, n)).tolist(),
        "z": rng.normal(0, 1, n).tolist(),
        "y": np.where(y, "yes", "no").tolist(),
    }


@pytest.mark.full
def test_floors_and_ceilings_are_ordered():
    train, test = clouds(300, 0), clouds(200, 1)
    table = kg.Table.fit(train, modes=1)
    made = {
        "real": clouds(300, 2),
        "copula": metrics.gaussian_copula(train, 300),
        "independent": metrics.independent_columns(train, 300),
    }
    scores = {
        name: metrics.table_scores(table, train, test, rows, "y")
        for name, rows in made.items()
    }
    assert scores["real"].efficacy > 0.93 > 0.75 > scores["independent"].efficacy
    assert scores["copula"].efficacy > 0.8  # one link, which a copula has
    assert scores["real"].detection > 0.6
    assert scores["real"].columns > 0.9 and scores["independent"].columns > 0.9
    assert 0.7 < scores["real"].closest < 1.4 and not scores["real"].copies
    again = metrics.table_scores(table, train, test, train, "y")
    assert again.copies == 1 and again.closest == 0
    shifted = {**test, "x": [x + 9 for x in test["x"]]}
    assert metrics.detection_score(table, test, shifted) < 0.05


def test_baselines_keep_values_and_missing_ones():
    rows = {"a": [1, None, 3, 4] * 25, "b": ["u", "v", None, "v"] * 25}
    for make in (metrics.gaussian_copula, metrics.independent_columns):
        made = make(rows, 400, seed=1)
        assert set(made["a"]) == {1, None, 3, 4} and set(made["b"]) == {"u", "v", None}
        assert abs(np.mean([x is None for x in made["a"]]) - 0.25) < 0.12
        assert make(rows, 400, seed=1) == made != make(rows, 400, seed=2)


def test_bad_labels_are_refused(table):
    for label, told in (("z", "column of categories: y"), ("x", "of categories")):
        with pytest.raises(ValueError, match=told):
            metrics.efficacy(table, ROWS, ROWS, label)
    few = {"x": [1.0, 2.0, 3.0], "y": ["a", "a", "b"]}
    with pytest.raises(ValueError, match=r"'a' 2, 'b' 1.*Hold out more"):
        metrics.efficacy(table, ROWS, few, "y")
    with pytest.raises(ValueError, match="'y' is missing"):
        metrics.column_scores(table, ROWS, {"x": [1.0]})


def test_too_few_rows_are_refused():
    rows = {"x": [1.5, 2.5], "y": ["a", "b"]}
    two = kg.Table.fit(rows, modes=1)
    with pytest.raises(ValueError, match=r"3 rows or more .* 2 and 2 rows"):
        kg.metrics.detection_score(two, rows, rows)
    with pytest.raises(ValueError, match=r"2 rows or more\. Received: 1 row"):
        kg.metrics.gaussian_copula({"x": [1.5], "y": [2.5]}, 3)
