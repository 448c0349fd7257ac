"""ONNX and LiteRT files, each compared with Keras before it is kept."""

import pathlib
import sys

from command_line import call
import keras
import numpy as np
import pytest

import keras_gans as kg
from keras_gans.serving import converting


@pytest.fixture(scope="module")
def gan():
    keras.utils.set_random_seed(0)
    return kg.DCGAN((16, 16, 1), 16, width=8, ema=0.9)


# Keras asks for a name that NumPy had.
@pytest.mark.full
@pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning")
def test_onnx_by_the_command(gan, capsys):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    gan.save("gan.keras")
    assert call("export", "gan.keras", "--to=g.onnx", "--format=onnx") == 0
    told = capsys.readouterr().out
    assert "onnx: g.onnx" in told
    assert "ms a row" in told and "differs from Keras by at most" in told
    session = onnxruntime.InferenceSession("g.onnx")
    z = np.random.default_rng(0).normal(size=(3, 16)).astype("float32")
    made = session.run(["images"], {"z": z})[0]
    # float32 sums in another order.
    np.testing.assert_allclose(made, gan.predict(z, verbose=0), atol=1e-5)
    assert call("export", "gan.keras", "--to=g.onnx", "--format=onnx") == 1
    assert "--overwrite" in capsys.readouterr().err
    # Users convert a network by itself, which nobody has called.
    fresh = kg.DCGAN((16, 16, 1), 16, width=8, ema=0.9)
    for name, network in (("own", fresh.generator), ("ema", fresh.sampling_network())):
        network.export(f"{name}.onnx", format="onnx", verbose=False)
        assert pathlib.Path(f"{name}.onnx").stat().st_size > 1000


@pytest.mark.daily(1)
@pytest.mark.parametrize(
    ("precision", "least", "most"),
    # Weights of 11 and of 7 bits round by 1e-4 and 2e-3 of themselves or more.
    [("float16", 1e-5, 5e-3), ("int8", 5e-4, 0.05)],
)
def test_litert(gan, precision, least, most):
    pytest.importorskip("ai_edge_litert")
    found = converting.convert(gan, "g.tflite", "litert", precision)
    assert found.size == pathlib.Path("g.tflite").stat().st_size
    assert least < found.relative < most and found.seconds > 0
    assert f"{found.largest:.2g}" in str(found)


def test_what_differs_is_not_kept(gan, monkeypatch):
    def write(path, *args):
        path.write_bytes(b"wrong")
        return lambda rows: np.zeros((len(rows["z"]), 16, 16, 1), "float32")

    monkeypatch.setattr(converting, "_write_onnx", write)
    monkeypatch.setattr(converting, "require", lambda *args: None)
    with pytest.raises(ValueError, match="differs from Keras's samples"):
        converting.convert(gan, "g.onnx", "onnx")
    assert not list(pathlib.Path().iterdir())


def test_what_is_slower_than_keras_is_told():
    found = converting.Converted(10**6, 0.002, 0.001, 0.1, 0.01, 16)
    assert "2.0 times as slow as Keras here: what is won is size" in str(found)
    assert "slow" not in str(found._replace(seconds=0.001))


def test_a_missing_extra_is_named(monkeypatch):
    for format, module, extra in (
        ("onnx", "tf2onnx", "onnx"),
        ("litert", "ai_edge_litert.interpreter", "litert"),
    ):
        monkeypatch.setitem(sys.modules, module, None)
        path = f"x{converting.ENDINGS[format]}"
        with pytest.raises(ImportError, match=rf"keras_gans\[{extra}\]"):
            converting.check(path, format, "float32")


@pytest.mark.backends
@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="of the other")
def test_other_backends_are_refused():
    from keras_gans.serving import publishing

    with pytest.raises(ValueError, match="KERAS_BACKEND=tensorflow"):
        converting.check("x.onnx", "onnx", "float32")
    with pytest.raises(ValueError, match="KERAS_BACKEND=tensorflow"):
        publishing.check("models/emoji")
