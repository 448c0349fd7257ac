"""Samples beside their nearest training pictures, and walks of `sample`."""

from command_line import call
import numpy as np
from PIL import Image
import pytest

import keras_gans as kg
from keras_gans.inference.nearest import nearest, training_pictures


@pytest.mark.full_on_jax
@pytest.mark.backends
@pytest.mark.parametrize("features", ["pixels", lambda x: x[:, ::2]])
def test_what_is_nearest(features):
    rng = np.random.default_rng(0)
    known = rng.uniform(-1, 1, (9, 16, 16, 3)).astype("float32")
    near = known[[7, 2]] + rng.normal(0, 0.1, (2, 16, 16, 3)).astype("float32")
    found = nearest(near, [known[:4], known[4:]], features)
    assert found.places.tolist() == [7, 2] and found.count == 9
    np.testing.assert_array_equal(found.images, known[[7, 2]])
    exact = nearest(known, [known], features)
    assert exact.distances.max() == 0 and exact.places.tolist() == list(range(9))
    assert exact.usual is None
    # A yardstick: how near pictures are to others, whatever batch those come in.
    alone = [nearest(known[[i]], [np.delete(known, i, 0)], features) for i in range(4)]
    usual = np.median([one.distances[0] for one in alone])
    for n in (3, 100):
        some = nearest(near, [known[:4], known[4:]], features, n)
        assert some.compared == min(n, 4)
        wanted = usual if n > 3 else np.median([o.distances[0] for o in alone[:3]])
        assert some.usual == pytest.approx(wanted, rel=1e-6)
    assert nearest(near, [known[:1]], features, 5).usual is None


def test_distances_are_those_of_the_definition():
    """The sum, over an image and its halvings, of mean squared differences."""
    rng = np.random.default_rng(1)
    a, b = rng.uniform(-1, 1, (2, 1, 8, 8, 1)).astype("float32")
    half = [x.reshape(1, 4, 2, 4, 2, 1).mean(axis=(2, 4)) for x in (a, b)]
    wanted = np.square(a - b).mean() + np.square(half[0] - half[1]).mean()
    assert nearest(a, [b]).distances[0] == pytest.approx(wanted, rel=1e-5)


def test_pictures_that_cannot_be_compared(tmp_path):
    with pytest.raises(ValueError, match=r"\(8, 8, 1\). Received: \(4, 4, 1\)"):
        nearest(np.zeros((1, 8, 8, 1)), [np.zeros((1, 4, 4, 1))])
    with pytest.raises(ValueError, match="no picture"):
        nearest(np.zeros((1, 8, 8, 1)), [])
    gan = kg.DCGAN((16, 16, 3), width=2)
    with pytest.raises(ValueError, match=r"does not know.*--data"):
        training_pictures("x.keras", gan)
    gan.save("gan.keras")
    batches = training_pictures("gan.keras", gan, "emoji")
    assert sum(len(batch) for batch in batches) == 1570


@pytest.mark.full
def test_nearest_writes_a_table(capsys, tmp_path, trained_run):
    assert call("nearest", "r", "--seeds=0-3", "--out=n.png") == 0
    told = capsys.readouterr().out
    assert "beside the nearest of 1,570 pictures: n.png" in told
    with Image.open("n.png") as table:
        assert table.width >= 512 and table.mode == "RGB"
    assert "The nearest pair: seed" in told and "mean squared differences" in told
    assert "the median of 100 of the pictures to their nearest other" in told
    assert call("nearest", "r", "--seeds=0-3", "--out=n.png") == 1
    assert "overwritten unasked" in capsys.readouterr().err
    assert call("nearest", "r", "--n=2", "--overwrite", "--out=n.png") == 0
    assert "2 samples" in capsys.readouterr().out
    for words, why in (
        (["--n=2", "--seeds=1"], "--seeds=1 with --n=2. Drop one"),
        (["--n=0"], "--n must lie in 1, 2"),
    ):
        assert call("nearest", "r", *words, "--out=m.png") == 1
        assert why in capsys.readouterr().err
    assert call("nearest", "lines_to_3d") == 1
    assert "images of a seed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--interpolate=3,8", "--seed=1", "--out=w.gif"], "with --seed. Drop one"),
        (["--interpolate=3,8", "--each", "--out=w.gif"], "with --each"),
        (["--interpolate=3", "--out=w.gif"], "Received: --interpolate=3. Add"),
        (["--interpolate=3,8", "--out=w.png"], ".gif or .webp or .mp4"),
        (["--interpolate=3,8", "--frames=0", "--out=w.gif"], "--frames"),
        (["--interpolate=a", "--out=w.gif"], "--interpolate are ints"),
        (["--frames=3", "--out=w.png"], "Add --interpolate"),
        (["--cutoff=3", "--out=w.png"], "Add --seeds"),
    ],
)
def test_a_walk_that_is_none(words, message, capsys):
    assert call("sample", "emoji", *words) == 1
    assert message in capsys.readouterr().err
