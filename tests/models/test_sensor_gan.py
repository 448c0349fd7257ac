"""SensorGAN: series of several channels, and the recordings of a watch."""

import zipfile

from checks import check_gan
from command_line import call
import numpy as np
import pytest

import keras_gans as kg
from keras_gans.data import load_sounds, table_rows, watch


def small(**kwargs):
    options = {"samples": 32, "channels": 3, "dim": 4, "latent_dim": 4, "d_steps": 1}
    return kg.SensorGAN(**{**options, **kwargs})


def series(n):
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (n, 32, 3)).astype("float32")


@pytest.mark.backends
@pytest.mark.full
def test_sensor_gan():
    labels = np.arange(8, dtype="int32") % 2
    # Of WGAN's two means, the critic's last bias is in both.
    options = {"batch_size": 4, "still": "output/bias", "atol": 1e-6}
    check_gan(lambda: small(num_classes=2), series(8), labels, **options)


def test_series_are_of_the_sensors_size(tmp_path):
    gan = small(num_classes=2)
    assert len([x for x in gan.generator.layers if "upconv" in x.name]) == 1
    made = gan.sample(4, labels=[0, 1, 0, 1], seed=0)
    assert made.shape == (4, 32, 3) and np.abs(made).max() <= 1
    for name in ("a.csv", "a.npy"):
        gan.modality.write(tmp_path / name, made[0])
        np.testing.assert_allclose(gan.modality.read(tmp_path / name), made[0])
    (tmp_path / "b.csv").write_text("1,2\n")
    with pytest.raises(ValueError, match=r"b\.csv.*line 1 has 2 cells, not 3"):
        gan.modality.read(tmp_path / "b.csv")
    with pytest.raises(ValueError, match="largest"):
        gan.modality.check(2 * np.ones_like(made))
    preview = gan.modality.preview(made, columns=2, names=["a", "b", "c", "d"])
    assert preview.picture.ndim == 3 and not preview.media
    kept = kg.modalities.Series.from_config(gan.modality.get_config())
    assert kept == gan.modality != kg.Waveform(32, 3, 50)


@pytest.fixture
def recordings(tmp_path, monkeypatch):
    """A package in the place of seglearn, with four short recordings."""
    rng = np.random.default_rng(0)
    data = {
        "X": [rng.normal(size=(n, 6)) for n in (300, 200, 150, 60)],
        "y": np.array([0, 1, 0, 1]),
        "subject": np.array([1, 2, 2, 1]),
        "y_labels": ["UP", "DOWN"],
        "X_labels": ["ax", "ay", "az", "wx", "wy", "wz"],
    }
    (tmp_path / "seglearn" / "data").mkdir(parents=True)
    (tmp_path / "seglearn" / "__init__.py").write_text("raise RuntimeError")
    path = tmp_path / "seglearn" / watch.FILE
    np.save(path, np.array(data, dtype=object), allow_pickle=True)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    digest = watch.hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(watch, "DIGEST", digest)
    return data


def test_recordings_are_cut_by_people(recordings):
    whole = kg.data.load_watch(samples=100, step=50)
    assert whole.labels.tolist() == [0] * 5 + [1] * 3 + [0] * 2
    assert whole.people.tolist() == [1] * 5 + [2] * 5
    assert whole.class_names == ["UP", "DOWN"] and whole.channels[3] == "wx"
    wanted = recordings["X"][0][50:150] / np.array(watch.SCALES)
    np.testing.assert_allclose(whole.series[1], wanted, rtol=1e-6)
    one = kg.data.load_watch(samples=100, step=50, people=(2,))
    np.testing.assert_array_equal(one.series, whole.series[5:])
    for given, told in (({"people": (3,)}, "1 to 2"), ({"samples": 999}, "up to 300")):
        with pytest.raises(ValueError, match=told):
            kg.data.load_watch(**given)


@pytest.mark.full
def test_recordings_are_data_of_the_command(recordings, tmp_path):
    data = load_sounds(
        "watch", samples=64, channels=6, rate=50, batch_size=4, labels=True, peak=None
    )
    x, y = next(iter(data))
    assert x.shape == (4, 64, 6) and set(np.array(y)) <= {0, 1}
    run, tiny = tmp_path / "run", ["--samples=32", "--dim=2", "--latent_dim=4"]
    words = ["train", "sensor_gan", "--num_classes=2", "--steps=1", "--batch_size=2"]
    assert not call(*words, f"--run_dir={run}", *tiny)
    assert (run / "reals.png").is_file()
    out = tmp_path / "out"
    assert not call("sample", run, "--n=2", f"--out={out}")
    names = sorted(path.name for path in out.iterdir())
    assert names == ["seed0000-0000-DOWN.csv", "seed0000-0001-UP.csv"]


def test_series_of_one_s_own_are_read_of_tables(tmp_path):
    """Where there are no sounds; class folders are labels, as of these."""
    rows = series(4)
    for i, ending in enumerate((".csv", ".csv", ".npy", ".npy")):
        folder = tmp_path / ("run" if i % 2 else "walk")
        folder.mkdir(exist_ok=True)
        small().modality.write(folder / f"{i}{ending}", rows[i])
    text = (tmp_path / "run" / "1.csv").read_text()
    (tmp_path / "run" / "1.csv").write_text("x,y,z\n" + text)
    options = {"samples": 32, "channels": 3, "rate": 50, "batch_size": 1, "peak": None}
    options |= {"shuffle": False, "trim": False, "segments": "first"}
    found = list(load_sounds(tmp_path, **options, labels=True).as_numpy_iterator())
    assert [int(label[0]) for _, label in found] == [0, 0, 1, 1]
    for (x, _), i in zip(found, (1, 3, 0, 2), strict=True):
        np.testing.assert_allclose(x[0], rows[i], rtol=1e-6)
    assert kg.data.sound_classes(tmp_path) == ["run", "walk"]
    for name, told in (
        ("a,b\n1,2\n", "has 2 cells, not 3"),
        ("1,2,x\n", "line 1 is no"),
    ):
        (tmp_path / "walk" / "bad.csv").write_text(name)
        with pytest.raises(ValueError, match=rf"bad\.csv': line \d {told}|{told}"):
            load_sounds(tmp_path, **options)
    (tmp_path / "walk" / "bad.csv").write_text("9.81,0,0\n" * 40)
    with pytest.raises(ValueError, match=r"9\.81\. Divide .*each channel of series"):
        load_sounds(tmp_path, **options)


def test_series_are_read_of_arrays_that_were_saved_together(tmp_path):
    rows, options = series(3), {"samples": 32, "channels": 3, "rate": 50}
    options |= {"peak": None, "shuffle": False, "trim": False, "batch_size": 1}
    np.savez(tmp_path / "0.npz", rows[0])
    np.savez_compressed(tmp_path / "1.npz", rows[1].astype("float64"))
    np.savez(tmp_path / "2.npz", series=rows[2], rate=50, people=["one", "two"])
    found = [x[0] for x in load_sounds(tmp_path, **options).as_numpy_iterator()]
    np.testing.assert_array_equal(found, rows)
    read = kg.Series(32, channels=3).read
    np.testing.assert_array_equal(read(tmp_path / "2.npz"), rows[2])
    np.savez(tmp_path / "3.npz", motion=rows[0], turns=rows[1])
    objects = np.array([{"x": 1}], dtype=object)
    np.savez(tmp_path / "4.npz", series=objects)
    np.savez(tmp_path / "5.npz", series=rows[0][:, :2])
    with zipfile.ZipFile(tmp_path / "6.npz", "w", zipfile.ZIP_LZMA) as archive:
        archive.write(tmp_path / "0.npz", "series.npy")
    for name, told in (
        ("3", r"2 arrays, one is expected, or one .* 'series': 'motion', 'turns'"),
        ("4", "values of object"),
        ("5", r"\(32, 2\)"),
        ("6", "only stored and deflated"),
    ):
        with pytest.raises(ValueError, match=rf"{name}\.npz.*{told}"):
            read(tmp_path / f"{name}.npz")
        with pytest.raises(ValueError, match=rf"{name}\.npz': .*{told}"):
            load_sounds(tmp_path, **options)


def test_tables_are_parsed_once_while_there_is_room(tmp_path, monkeypatch):
    modality = kg.Series(None, channels=3)
    for i, rows in enumerate(np.split(series(8), 4)):
        modality.write(tmp_path / f"{i}.csv", np.concatenate(rows))
    parsed, rows_of = [], kg.Series.rows_of
    monkeypatch.setattr(
        kg.Series, "rows_of", lambda *args: parsed.append(1) or rows_of(*args)
    )
    options = {"samples": 16, "channels": 3, "rate": 50, "batch_size": 4, "peak": None}

    def drawn():
        data = load_sounds(tmp_path, **options, trim=False).as_numpy_iterator
        return np.stack([*data(), *data()])

    kept = drawn()
    assert kept.shape == (8, 4, 16, 3) and len(parsed) == 4
    # Files of another version; of one's rows, and what is beside them, there is room.
    monkeypatch.setattr(table_rows, "ROOM", 3000)
    for i in range(4):
        path = tmp_path / f"{i}.csv"
        path.write_text("x,y,z\n" + path.read_text())
    np.testing.assert_array_equal(drawn(), kept)
    assert len(parsed) > 4 + 4


def test_lengths_that_work_are_named():
    for samples, near in ((100, "64 or 128"), (200, "128 or 256"), (20, "32 or 64")):
        told = rf"such as {near}\. Received: samples={samples}"
        with pytest.raises(ValueError, match=told):
            small(samples=samples)
    with pytest.raises(ValueError, match=r"`samples` must .*None"):
        small(samples=None)
    assert small(samples=100, strides=(5,)).sample(1).shape == (1, 100, 3)


def test_another_file_is_not_opened(recordings, monkeypatch):
    monkeypatch.setattr(watch, "DIGEST", "0" * 64)
    with pytest.raises(ValueError, match=r"is not the file of seglearn 1\.2\.5"):
        kg.data.load_watch()


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(watch.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"keras_gans\[sensors\]"):
        kg.data.load_watch()
