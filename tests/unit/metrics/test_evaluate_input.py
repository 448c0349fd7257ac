"""Scores of images: features on disk, and bad input."""

import numpy as np
from PIL import Image
import pytest
from scoring import pictures, tiny, values

import keras_gans as kg
from keras_gans.metrics import FeatureNetwork, evaluate

# --- Features on disk ---


@pytest.fixture
def calls(monkeypatch):
    """A list that grows by the images of each call of a network."""
    calls = []
    call = FeatureNetwork.__call__

    def counted(self, images):
        calls.append(len(images))
        return call(self, images)

    monkeypatch.setattr(FeatureNetwork, "__call__", counted)
    return calls


def test_features_are_kept(calls, tmp_path):
    real, fake = pictures(), pictures(seed=1)

    def score(**options):
        calls.clear()
        found = values(fake, real, cache_dir=tmp_path / "c", **options)
        return found, len(calls)

    wanted, count = score()
    assert count == 6  # 16, 16 and 8 of each set
    # Another object, as of another process, finds them.
    assert score() == (wanted, 0)
    for path in (tmp_path / "c").rglob("*.npz"):
        content = path.read_bytes()
        middle = len(content) // 2
        path.write_bytes(content[:middle] + b"\1\2\3" + content[middle + 3 :])
        break
    assert score() == (wanted, 1)
    path.write_bytes(b"")
    assert score() == (wanted, 1)
    np.savez(path, features=np.zeros((3, 4)))
    assert score() == (wanted, 1)
    assert score() == (wanted, 0)
    # Whatever features depend on makes others.
    for options in (
        {"network": tiny(1)},
        {"network": FeatureNetwork(tiny(), value_range=(0, 1))},
        {"network": FeatureNetwork(tiny(), resize="legacy_torch")},
    ):
        found, count = score(**options)
        assert found != wanted and count == 6
    fake = fake.copy()
    fake[0, 0, 0, 0] ^= 1
    assert score()[1] == 1


def test_samples_of_a_gan_are_not_kept(calls, tmp_path, trained_gan):
    model = trained_gan
    for count in (2, 1):
        calls.clear()
        values(model, pictures(10, 8), ["kid"], n=10, cache_dir=tmp_path / "c")
        assert len(calls) == count


def test_a_cache_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "c").write_text("a file")
    with pytest.warns(UserWarning, match="cannot be kept"):
        found = values(pictures(), pictures(seed=1), cache_dir=tmp_path / "c")
    assert found == values(pictures(), pictures(seed=1))


# --- Bad input ---


def with_nan():
    images = pictures().astype("float32") / 127.5 - 1
    images[17, 3, 3, 1] = np.nan
    return images


FLOATS = pictures().astype("float32")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fake": FLOATS}, r"`fake` must lie in \[-1, 1\].*image 0 with"),
        ({"fake": FLOATS / 255}, r"`fake` all lie in \[0, 1\]"),
        ({"real": with_nan()}, "`real` must be finite.*image 17"),
        ({"real": pictures(channels=4)}, "`real` must have 1 or 3 channels"),
        ({"real": pictures()[0]}, "`real` must hold images"),
        ({"real": pictures()[:0]}, "`real` must hold images"),
        ({"real": FLOATS.astype(int)}, "`real` must be uint8.*int64"),
        ({"real": []}, "`real` holds no images"),
        ({"real": 3}, "`real` must be an array"),
        ({"real": "nowhere"}, "`real` must be.*'nowhere', which is no folder"),
        ({"real": None}, "Metrics but 'is' compare with reals"),
        ({"fake": (pictures(), [1, 2])}, "an int for each image"),
        ({"metrics": ["fdi"]}, "Unknown metric.*Did you mean fid"),
        ({"metrics": []}, "one or more different"),
        ({"metrics": ["is"], "network": tiny(0, False)}, "has no logits"),
        ({"network": "lite1"}, "Did you mean lite0"),
        ({"resize": "clear"}, "Did you mean clean"),
        ({"n": 41}, "`fake` holds 40 images.*Lower `n`"),
        ({"n": 0}, "`n` must be a positive int"),
        ({"seed": -1}, "`seed` must lie in"),
        ({"batch_size": 0}, "`batch_size`"),
        ({"value_range": (1, 0)}, "`value_range` is"),
        ({"settings": {"kid": {}}}, "`settings` are of the metrics"),
        ({"settings": {"fid": {"k": 1}}}, "settings of 'fid' are none"),
        ({"fake": pictures(1)}, "'fid' needs 2 images.*1 in `fake`"),
        ({"real": pictures(3), "metrics": ["recall"]}, "`real` needs 4 rows or more"),
    ],
)
def test_bad_input_is_named(change, message):
    given = {
        "fake": pictures(),
        "real": pictures(seed=1),
        "metrics": ["fid"],
        "network": tiny(),
        "verbose": 0,
        **change,
    }
    with pytest.raises(ValueError, match=f"(?s){message}"):
        evaluate(**given)


def test_bad_files_are_named(tmp_path):
    with pytest.raises(ValueError, match="holds no images"):
        values(tmp_path, pictures())
    Image.fromarray(pictures()[0]).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    with pytest.raises(ValueError, match=r"b\.png"):
        values(pictures(), tmp_path)


def test_bad_features_are_named():
    def broken(images):
        features = images.mean(axis=(1, 2))
        features[images.max(axis=(1, 2, 3)) == 0] = np.nan
        return features

    fake = pictures()
    fake[33] = 0
    network = FeatureNetwork(broken, input_size=4)
    with pytest.raises(ValueError, match=r"`fake` must be finite.*image 33"):
        evaluate(fake, pictures(), "fid", network, verbose=0)
    with pytest.raises(ValueError, match=r"gives \[n, d\]"):
        FeatureNetwork(lambda x: x, input_size=4)(pictures())
    with pytest.raises(ValueError, match="Pass input_size"):
        FeatureNetwork(lambda x: x)


def test_endless_data_is_refused():
    data = kg.data.load("emoji", image_size=8, repeat=True)
    with pytest.raises(ValueError, match="never ends"):
        values(data, pictures())
