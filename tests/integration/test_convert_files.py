"""`keras-gans convert`: checkpoints of PyTorch as Keras files."""

import json
from pathlib import Path

from command_line import call
from golden.recipe import fill
import keras
import numpy as np
from paths import GOLDEN
import pytest
from test_translate_files import PATCHES, names, noise, pixels, save
import translation_reference as reference

from keras_gans.convert import from_state
from keras_gans.convert.files import convert_file
from keras_gans.inference.loading import load_model


def write_safetensors(path, state):
    """The format in a few lines: length, header, numbers."""
    header, start = {}, 0
    for name, x in state.items():
        end = start + x.nbytes
        entry = {"dtype": "F32", "shape": x.shape, "data_offsets": [start, end]}
        header[name], start = entry, end
    text = json.dumps(header).encode()
    data = b"".join(x.tobytes() for x in state.values())
    Path(path).write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def state_of(shapes):
    return {k: fill(k, s).astype("float32") for k, s in shapes.items()}


def test_convert_and_translate(capsys):
    state = state_of(reference.resnet_shapes("instance", 1, 3, 1, 2))
    write_safetensors("latest_net_G.safetensors", state)
    assert call("convert", "latest_net_G.safetensors", "--to=made") == 0
    out = capsys.readouterr().out
    for words in (
        "pix2pix and CycleGAN: resnet, any size, 1 channels",
        "output_channels 3, blocks 1, width 2, norm instance",
        "parameters",
        "made/latest_net_G.keras",
    ):
        assert words in out
    assert names("made") == ["latest_net_G.keras"]
    grey = save("grey.png", noise(10, 14))
    words = ["translate", "made/latest_net_G.keras", grey, "--out=out"]
    assert call(*words) == 0
    x = pixels(grey)[None, ..., None].astype("float32") / np.float32(127.5)
    made = np.asarray(from_state(state)(x - 1))[0]
    expected = np.rint((made + 1) * 127.5)
    # Sums in another order may round to the next of 256 values.
    assert np.abs(pixels("out/grey.png") - expected).max() <= 1
    assert expected.std() > 0
    assert call("convert", "latest_net_G.safetensors", "--to=made") == 1
    assert "overwritten unasked" in capsys.readouterr().err


@pytest.mark.daily(1)
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("patchgan70", "patch_discriminator, any size, 3 channels, n_layers 3"),
        ("dcgan64_G", "generator, 64 x 64 pixels, 3 channels, latent_dim"),
        ("mimicry_sngan_32_D", "discriminator, 32 x 32 pixels, 3 channels"),
    ],
)
def test_other_networks_are_converted(name, words):
    target, text = convert_file(GOLDEN / f"{name}.pth", "made")
    assert words in text
    assert target == Path(f"made/{name}.keras")
    load_model(target)


def test_what_cannot_be_converted_is_named(capsys):
    weights = np.zeros((4, 3, 3, 3), "float32")
    path = write_safetensors("a.safetensors", {"layer1.0.conv1.weight": weights})
    with pytest.raises(ValueError, match=r"a ResNet for class.*Known are the"):
        convert_file(path, "made")
    path = write_safetensors("b.safetensors", {"foo": weights})
    with pytest.raises(ValueError, match=r"another kind: 1 tensors of 108 n"):
        convert_file(path, "made")
    state = state_of(PATCHES)
    state.popitem()
    path = write_safetensors("c.safetensors", state)
    with pytest.raises(ValueError, match=r"looks like the networks of.*Missing"):
        convert_file(path, "made")
    Path("d.pth").write_text("<html>")
    assert call("convert", "d.pth", "--to=made") == 1
    assert "web page" in capsys.readouterr().err
    unet = state_of(reference.unet_shapes("instance", 3, 3, 6, 1))
    path = write_safetensors("u.safetensors", unet)
    assert call("convert", path, "--to=made", "--set=rate=0") == 1
    assert "dropout" in capsys.readouterr().err
    assert not Path("made").exists()
    assert call("convert", path, "--to=made", "--set=dropout=0") == 0
    model = load_model("made/u.keras")
    assert not [x for x in model.layers if type(x) is keras.layers.Dropout]
