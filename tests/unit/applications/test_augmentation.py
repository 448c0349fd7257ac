"""Augmentation: splits, ways to add samples, and what is said of a gain."""

import numpy as np
import pytest

from keras_gans.applications import augment_images, augment_table
from keras_gans.applications.augmentation import (
    Part,
    Split,
    compare,
    copies,
    moved,
    smote,
)


def points(n, rare, seed):
    """Two clouds, of which the rare one is thin."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) < rare
    x = rng.normal(0, 1, (n, 2)) + np.where(y, 1.5, 0)[:, None]
    return Part(x, y)


@pytest.fixture(scope="module")
def splits():
    return [
        Split(points(60, 4, s), points(60, 20, 9 + s), points(90, 30, 19 + s), s)
        for s in range(3)
    ]


def truth(split):
    rng = np.random.default_rng(100 + split.seed)
    return lambda count: rng.normal(0, 1, (count, 2)) + 1.5


def noise(split):
    rng = np.random.default_rng(100 + split.seed)
    return lambda count: rng.normal(0, 1, (count, 2)) - 1.5


def centroids(x, y, seed):
    """A classifier that is quick: how much nearer the rare centre is."""
    prior = np.log(y.mean() / (1 - y.mean()))
    centres = [x[y == one].mean(0) for one in (False, True)]

    def told(x):
        a, b = (((x - c) ** 2).sum(1) / 2 for c in centres)
        return 1 / (1 + np.exp(-(a - b + prior)))

    return told


def test_a_gain_is_said_where_there_is_one(splits):
    ways = {"copies": copies, "gan": truth}
    report = compare(splits, ways, centroids, (0.5, 1.0))
    assert report.f1["gan"].shape == (3,) and set(report.f1) == {"nothing", *ways}
    # More rows of the true cloud are better than four of them again.
    assert report.f1["gan"].mean() > report.f1["nothing"].mean()
    best = max(("nothing", "copies"), key=lambda n: report.f1[n].mean())
    gains = report.f1["gan"] - report.f1[best]
    assert report.best == best and np.isclose(report.gain, gains.mean())
    assert np.isclose(report.error, gains.std(ddof=1) / np.sqrt(3))
    assert report.gains == (report.gain > 2 * report.error)
    assert set(report.amounts["gan"]) <= {0.5, 1.0}
    assert report.amounts["nothing"] == [0.0] * 3


def test_no_gain_is_said_where_there_is_none(splits):
    report = compare(splits, {"copies": copies, "gan": noise}, centroids, (1.0,))
    assert not report.gains and "\nno gain: F1" in str(report)
    same = compare(splits, {"gan": copies, "copies": copies}, centroids, (1.0,))
    assert same.gain <= 0 and not same.gains
    # One seed has no error, so nothing is claimed.
    alone = compare(splits[:1], {"copies": copies, "gan": truth}, centroids, (1.0,))
    assert alone.error == np.inf and not alone.gains


def test_smote_lies_between(splits):
    split = splits[0]
    binary = (split.train.x[:, :1] > 0).astype("float64")
    x = np.concatenate([split.train.x, binary], axis=1)
    split = split._replace(train=Part(x, split.train.y))
    made = smote(split)(200)
    rare = x[split.train.y]
    assert (made.min(0) >= rare.min(0) - 1e-9).all()
    assert (made.max(0) <= rare.max(0) + 1e-9).all()
    assert set(made[:, 2]) <= {0.0, 1.0}
    assert len(np.unique(made[:, 0])) > 100


def test_images_are_moved():
    images = np.zeros((6, 16, 16, 1), "float32")
    images[:, 8, 6] = 1
    part = Part(images, np.ones(6, bool))
    made = moved(Split(part, part, part, 0), mirrored=True)(200)
    assert made.shape == (200, 16, 16, 1) and (made.sum((1, 2, 3)) == 1).all()
    rows, places = (
        np.nonzero(made[..., 0].sum(2))[1],
        np.nonzero(made[..., 0].sum(1))[1],
    )
    assert set(rows) == set(range(6, 11))
    assert set(places) == {4, 5, 6, 7, 8} | {15 - p for p in (4, 5, 6, 7, 8)}


def test_images_of_a_class_are_asked_for():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [40, 40, 12])
    images = rng.uniform(-1, 1, (92, 8, 8, 1)).astype("float32")
    seen = []

    def gan(images, labels, rare, seed):
        seen.append((images.shape, np.bincount(labels).tolist(), rare, seed))
        return lambda count: np.zeros((count, 8, 8, 1), "float32")

    report = augment_images(
        images,
        labels,
        seeds=(0, 5),
        amounts=(1.0,),
        gan=gan,
        classify=lambda x, y, seed: lambda x: x.mean((1, 2, 3)),
    )
    assert seen == [((46, 8, 8, 1), [20, 20, 6], 2, s) for s in (0, 5)]
    assert report.rare == "2" and set(report.f1) == {
        "nothing",
        "copies",
        "classic",
        "gan",
    }


IMAGES = np.random.default_rng(0).uniform(-1, 1, (40, 8, 8, 1)).astype("float32")
LABELS = np.array([0, 0, 0, 7] * 10)
FLAT = {"seeds": [0], "classify": lambda x, y, seed: lambda x: x.mean((1, 2, 3))}


def test_a_misspelled_argument_is_refused():
    for call in (augment_table, augment_images):
        with pytest.raises(TypeError, match=r"'step'\. Did you mean steps"):
            call(IMAGES, LABELS, step=1)


def test_columns_are_told_to_the_table():
    rng = np.random.default_rng(0)
    data = {
        "id": [f"p{i}" for i in range(80)],
        "code": np.tile(np.arange(20), 4).tolist(),
        "x": rng.normal(size=80).tolist(),
        "y": ["a", "b"] * 40,
    }

    def classify(x, y, seed):
        raise RuntimeError(f"{x.shape[1]} numbers")

    for own, told in (
        ({"leave_out": ["id"]}, "2 numbers"),
        ({"leave_out": ["id", "code"], "ranges": {"x": (-9, 9)}}, "1 numbers"),
        ({"leave_out": ["id", "x"], "categories": ["code"]}, "[12][0-9] numbers"),
    ):
        with pytest.raises(RuntimeError, match=told):
            augment_table(data, "y", classify=classify, **own)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: augment_table(d, "clas"), "Did you mean class"),
        (lambda d: augment_table(d, "class", "maybe"), "'no', 'yes'"),
        (
            lambda d: augment_table({**d, "class": ["no"] * 57 + ["yes"] * 3}, "class"),
            "3 of class 'yes'",
        ),
        (lambda d: augment_table(d, "class", steps=0), "steps"),
        (lambda d: augment_table(d, "class", amounts=(0,)), "amounts"),
        (lambda d: augment_table(d, "class", seeds=3), r"`seeds`.*range\(3\).*: 3\."),
        (lambda d: augment_table(d, "class", seeds=[0, 0]), "different ints"),
        (lambda d: augment_table(d, "class", seeds=[]), r"Received: \[\]"),
        (lambda d: augment_table({"class": d["class"]}, "class"), "other columns"),
        (lambda d: augment_table(d, "class", leave_out=["x"]), r"leave_out=\['x'\]"),
        (lambda d: augment_table(d, "class", leave_out=["z"]), "`leave_out` names"),
        (
            lambda d: augment_table(
                {**d, "class": [*d["class"][:-2], None, ""]}, "class"
            ),
            "none in column 'class' of 2 rows, first in row 59",
        ),
        (lambda d: augment_images(np.zeros((4, 8, 8)), np.zeros(4, int)), "shapes"),
        (lambda d: augment_images(np.full((40, 8, 8, 1), 9.0), LABELS), r"\[-1, 1\]"),
        (lambda d: augment_images(np.full((40, 8, 8, 1), np.nan), LABELS), "NaN"),
        (
            lambda d: augment_images(IMAGES, LABELS, gan=lambda *a: None, width=2),
            "width, with `gan`",
        ),
        (
            lambda d: augment_images(
                IMAGES, LABELS, gan=lambda *a: lambda n: np.zeros((n, 4, 4, 1)), **FLAT
            ),
            r"shape \(2, 8, 8, 1\).*'gan' shape \(2, 4, 4, 1\)",
        ),
        (lambda d: compare([], {"copies": copies}), "'gan'"),
    ],
)
def test_what_cannot_be_compared_is_refused(call, message):
    data = {"x": list(np.arange(60.0) / 7), "class": ["no"] * 40 + ["yes"] * 20}
    with pytest.raises(ValueError, match=message):
        call(data)
