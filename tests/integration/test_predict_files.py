"""`keras-gans predict`: the frames after those of a video."""

from command_line import call
import numpy as np
import pytest

import keras_gans as kg
from keras_gans.data.clips import read_film
from keras_gans.inference.predicting import predict_file
from keras_gans.modalities import Video

SHAPE = (8, 12, 3)
SIZES = {
    "past": 2,
    "scales": [((3, 3), (4,)), ((3, 3), (4,))],
    "d_scales": [((3,), (4,), (6,))] * 2,
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("frames") / "gan.keras"
    kg.FramePrediction(SHAPE, **SIZES).save(path)
    return path


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A film of 5 frames of 10 x 14 pixels."""
    x = np.random.default_rng(0).uniform(-1, 1, (5, 10, 14, 3)).astype("float32")
    path = tmp_path_factory.mktemp("film") / "in.webp"
    Video(5, x.shape[1:]).write(path, x)
    return path


@pytest.mark.daily(1)
@pytest.mark.parametrize("name", ["out.gif", "out.webp", "out.mp4", "out"])
def test_frames_are_written(model, film, tmp_path, name):
    out = tmp_path / name
    call("predict", model, film, f"--out={out}", "--frames=3")
    made = np.stack(list(read_film(out)))
    assert made.shape == (5, *SHAPE)
    if out.suffix in ("", ".webp"):  # which lose nothing
        gan = kg.load(model)
        past = np.stack(list(read_film(film, SHAPE)))[-2:]
        np.testing.assert_array_equal(made[:2], past)
        new = gan.predict_frames(past[None].astype("float32") / 127.5 - 1, 3)[0]
        new = (np.clip(new, -1, 1) + 1) * 127.5
        np.testing.assert_allclose(made[2:], new, rtol=0, atol=0.51)


def test_endings_in_capitals(model, film, tmp_path):
    """Of odd sides too, of which an MP4 file repeats the last row or column."""
    one = {"scales": [((3, 3), (2,))], "d_scales": [((3,), (2,), (2,))]}
    gan = kg.FramePrediction((7, 9, 3), 2, **one)
    assert predict_file(gan, film, tmp_path / "OUT.MP4", 2) == 4
    assert len(list(read_film(tmp_path / "OUT.MP4"))) == 4


def test_own_sizes_and_predictions_alone(model, film, tmp_path):
    gan = kg.load(model)
    out = tmp_path / "own"
    options = {"size": "own", "with_past": False}
    assert predict_file(gan, film, out, 2, **options) == 2
    assert np.stack(list(read_film(out))).shape == (2, 10, 14, 3)


def test_what_cannot_be_predicted_is_said(model, film, tmp_path):
    gan = kg.load(model)
    out = tmp_path / "out.gif"
    out.write_bytes(b"mine")
    with pytest.raises(ValueError, match="exists"):
        predict_file(gan, film, out)
    assert out.read_bytes() == b"mine"
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="exists"):
        predict_file(gan, film, tmp_path / "folder")
    with pytest.raises(ValueError, match=r"\.avi"):
        predict_file(gan, film, tmp_path / "out.avi")
    short = tmp_path / "short.gif"
    Video(1, SHAPE).write(short, np.zeros((1, *SHAPE), "float32"))
    with pytest.raises(ValueError, match="1 frames at 10 a second, and the GAN sees 2"):
        predict_file(gan, short, tmp_path / "new.gif")
    with pytest.raises(ValueError, match=r"too many for a \.gif"):
        predict_file(gan, film, tmp_path / "new.gif", 10**7)
    with pytest.raises(ValueError, match="Received: a DCGAN"):
        dcgan = kg.DCGAN(image_shape=(16, 16, 1), width=2)
        predict_file(dcgan, film, tmp_path / "new.gif")
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    with pytest.raises(ValueError, match=r"Cannot read .*broken\.mp4"):
        predict_file(gan, tmp_path / "broken.mp4", tmp_path / "new.gif")
    dot = tmp_path / "dot.gif"
    Video(2, (1, 1, 1)).write(dot, np.float32([-1, 1]).reshape(2, 1, 1, 1))
    with pytest.raises(ValueError, match=r"too small for 2 scales.*--size=trained"):
        predict_file(gan, dot, tmp_path / "new.gif", size="own")
    assert not (tmp_path / "new.gif").exists()
