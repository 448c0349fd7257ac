"""Presets: kept whole, read with nothing of them run, fine-tuned from."""

import json
import pathlib
import shutil
import sys

from command_line import TINY, call
import keras
from keras import ops
from networks import tiny_critic, tiny_generator
import numpy as np
from paths import GOLDEN
import pytest
from safetensors.numpy import load_file, save_file
from zoo import ZOO

import keras_gans as kg
from keras_gans.convert import read
from keras_gans.convert.gans import gan_of
from keras_gans.core.presets import CONFIG, METADATA, WEIGHTS, variables_of

STYLED = {
    "latent_dim": 4,
    "w_dim": 4,
    "channel_base": 32,
    "channel_max": 4,
    "mapping_layers": 1,
}


def values(gan):
    return {
        n: np.asarray(ops.convert_to_numpy(v)) for n, v in variables_of(gan).items()
    }


def dcgan(**kwargs):
    return kg.DCGAN((16, 16, 1), width=2, **kwargs)


@pytest.fixture
def preset(tmp_path):
    dcgan(ema=0.9).save_to_preset(tmp_path / "preset")
    return tmp_path / "preset"


def edit(path, **changes):
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **changes}))


@pytest.mark.daily(2)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.backends if name == "cyclegan" else ())
        for name in ZOO
    ],
)
def test_all_gans_come_back(name, tmp_path):
    gan = ZOO[name]()
    for i, v in enumerate(gan.weights):  # none as a constructor would have it
        if keras.backend.is_float_dtype(v.dtype):
            v.assign(v + 0.01 * (i + 1))
    gan.step.assign(7)
    gan.save_to_preset(tmp_path / "preset")
    again = kg.load(tmp_path / "preset")
    assert type(again) is type(gan)
    one, other = values(gan), values(again)
    assert len(one) >= len(gan.weights) and list(one) == list(other)
    for key in one:
        np.testing.assert_array_equal(one[key], other[key], err_msg=key)


def test_a_preset_trains_on(tmp_path, images):
    names = ["cat", "dog", "owl"]
    gan = kg.ConditionalGAN(
        num_classes=3,
        generator=tiny_generator(),
        discriminator=tiny_critic(labelled=True),
        freeze_d=1,
    )
    gan.save_to_preset(tmp_path / "cats", class_names=names)
    again = kg.from_preset(tmp_path / "cats")
    owls = again.sample(2, seed=0, labels="owl")
    np.testing.assert_array_equal(owls, again.sample(2, seed=0, labels=[2, 2]))
    mixed = again.sample(2, seed=0, labels=["owl", "cat"])
    np.testing.assert_array_equal(mixed, again.sample(2, seed=0, labels=[2, 0]))
    with pytest.raises(ValueError, match=r"'cat', 'dog', 'owl'.*Did you mean owl"):
        again.sample(1, labels="owls")
    # Changes keep the names, unless classes themselves change.
    changed = kg.from_preset(tmp_path / "cats", r1=1.0)
    np.testing.assert_array_equal(changed.sample(2, seed=0, labels="owl"), owls)
    with pytest.raises(ValueError, match="Number the classes"):
        gan.sample(1, labels="owl")
    assert "cat, dog, owl" in (tmp_path / "cats" / "README.md").read_text()
    again.compile()
    before = values(again)
    again.fit(images(4, 8, 8), np.arange(4) % 3, batch_size=4, verbose=0)
    of_d = [n for n in before if n.startswith("discriminator")]
    moved = {n for n in of_d if (before[n] != values(again)[n]).any()}
    assert len(moved) == len(again.variables_of("d")) < len(of_d)
    assert (
        call("sample", tmp_path / "cats", "--labels=owl", "--n=1", "--out=o.png") == 0
    )


@pytest.mark.full
def test_other_channels_and_classes_begin_anew(tmp_path):
    gan = kg.StyleGAN2((8, 8, 1), **STYLED)
    gan.save_to_preset(tmp_path / "preset")
    old = values(gan)
    with pytest.warns(UserWarning, match="from_images"):
        grown = kg.from_preset(tmp_path / "preset", image_shape=(8, 8, 3))
    assert grown.sample(2).shape == (2, 8, 8, 3)
    new = values(grown)
    other = {key for key in old if old[key].shape != new[key].shape}
    assert {key.partition("/")[2] for key in other if key[:3] == "dis"} == {
        "from_images/kernel"
    }
    for key in set(old) - other:
        np.testing.assert_array_equal(old[key], new[key], err_msg=key)
    with pytest.warns(UserWarning, match="embed"):
        labelled = kg.from_preset(tmp_path / "preset", num_classes=3)
    assert labelled.sample(2, labels=2).shape == (2, 8, 8, 1)
    with pytest.raises(ValueError, match=r"8 x 8 pixels.*\(8, 8, 3\)"):
        kg.from_preset(tmp_path / "preset", image_shape=(16, 16, 3))
    with pytest.raises(ValueError, match="change widths"):
        kg.from_preset(tmp_path / "preset", channel_max=2)
    with pytest.raises(ValueError, match="StyleGAN2 takes no argument colour"):
        kg.from_preset(tmp_path / "preset", colour=3)
    frozen = kg.from_preset(tmp_path / "preset", freeze_d=2)
    left = len(gan.discriminator.trainable_variables) - 4
    assert len(frozen.discriminator.trainable_variables) == left


@pytest.mark.daily(1)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("stylegan2_pkl", marks=pytest.mark.full),
        "stylegan2_tf_pkl",
        "r3gan_pkl",
    ],
)
def test_snapshots_become_presets(name, capsys, tmp_path):
    path = GOLDEN / f"{name}.pkl"
    assert call("convert", path, f"--to={tmp_path / 'made'}") == 0
    assert "--from_preset" in capsys.readouterr().out
    gan = kg.from_preset(tmp_path / "made")
    wanted = np.load(GOLDEN / f"{name}.npz")
    inputs = [wanted["z"], wanted["c"].argmax(axis=1).astype("int32")]
    if name != "r3gan_pkl":
        inputs.append(np.ones(len(inputs[0]), "float32"))
    images = np.moveaxis(np.asarray(gan.ema_generator(inputs)), -1, 1)
    wish = wanted["img_G_ema"]
    assert np.abs(images - wish).max() <= 1e-5 * np.abs(wish).max()
    # Of arguments, not of models: other channels can be trained from it.
    config = json.loads((tmp_path / "made" / CONFIG).read_text())["config"]
    assert config["generator"] is None and config["discriminator"] is None
    if name == "r3gan_pkl":
        again = ("convert", path, f"--to={tmp_path / 'made'}")
        assert call(*again) == 1
        assert "overwritten unasked" in capsys.readouterr().err
        assert call(*again, "--overwrite") == 0


@pytest.mark.full
def test_fine_tuning_goes_on_from_the_average_of_a_snapshot(images):
    """G_ema is not made a copy of G by a ramp that begins at no images."""

    def kernel(network):
        layer = network.get_layer("mapping").get_layer("fc0")
        return np.array(ops.convert_to_numpy(layer.kernel))

    gan = gan_of(read(GOLDEN / "stylegan2_pkl.pkl"))
    before = kernel(gan.ema_generator)
    gan.compile(run_eagerly=True)
    gan.step.assign(1)  # of no penalty
    x = images(4, 16, 16, channels=3)
    gan.fit(x, np.arange(4), batch_size=4, verbose=0)
    moved = np.abs(kernel(gan.ema_generator) - before).max()
    moved /= np.abs(kernel(gan.generator) - before).max()
    # By 4 images of a half-life of 10,000; G was twice as large.
    assert 1e-4 < moved < 1e-3


def test_networks_that_do_not_belong_together():
    one, other = (read(GOLDEN / f"{n}_pkl.pkl") for n in ("stylegan2", "r3gan"))
    with pytest.raises(ValueError, match="networks of r3gan, stylegan2"):
        gan_of({**one, "D": other["D"]})


def test_a_run_is_fine_tuned_from_a_preset(capsys, tmp_path):
    gan = kg.DCGAN((16, 16, 1), width=2, ema=0.9)
    gan.save_to_preset(tmp_path / "grey")
    words = ["train", "dcgan", f"--from_preset={tmp_path / 'grey'}", "--freeze_d=1"]
    shape = "--image_shape=16,16,3"
    own = [w for w in TINY if w.split("=")[0] not in ("--width", "--image_shape")]
    own = [w.replace("epochs=2", "epochs=1") for w in own]
    # The first layer of D sees other channels, and G's last makes others.
    assert call(*words, shape, *own, f"--run_dir={tmp_path / 'run'}") == 0
    out = capsys.readouterr().out
    assert "The weights are those of" in out and "begin anew" in out
    shutil.rmtree(tmp_path / "grey")  # a run needs it no more
    assert call("convert", tmp_path / "run", f"--to={tmp_path / 'made'}") == 0
    run, made = kg.load(tmp_path / "run"), kg.from_preset(tmp_path / "made")
    np.testing.assert_array_equal(run.sample(2), made.sample(2))
    recipe = json.loads((tmp_path / "made" / "recipe.json").read_text())
    assert recipe["from_preset"] == "grey" and recipe["batch_size"] == 4
    metrics = json.loads((tmp_path / "made" / "metrics.json").read_text())
    assert metrics["step"] == 4 and "d_loss" in metrics["logs"]
    assert call("train", "wgan", f"--from_preset={tmp_path / 'made'}") == 1
    assert "keras-gans train dcgan" in capsys.readouterr().err


def test_an_application_s_preset_translates_files(tmp_path):
    from keras_gans.training import runs

    application = kg.applications.Colorization()
    gan = application.gan((16, 16, 3), width=2, depth=2, n_layers=1)
    config = runs.new_config("colorization")
    gan.save_to_preset(tmp_path / "preset", recipe=config)
    photo = np.random.default_rng(0).uniform(-1, 1, (1, 20, 24, 3)).astype("float32")
    kg.modalities.pictures.save_image(tmp_path / "in.png", photo[0])
    report = kg.translate_files(
        tmp_path / "preset", [tmp_path / "in.png"], tmp_path / "out", verbose=0
    )
    made = kg.modalities.image_files.read_image(report.written[0], 3)
    read = kg.modalities.image_files.read_image(tmp_path / "in.png", 3)
    wanted = application.apply(gan, read[None], size=16)[0]
    assert np.abs(made - wanted).max() <= 1.01 / 127.5


def test_what_a_preset_may_not_hold(preset):
    directory = preset
    about, config = (directory / n for n in (METADATA, CONFIG))
    kept = {path: path.read_bytes() for path in directory.iterdir()}

    def refused(match):
        with pytest.raises(ValueError, match=match):
            kg.from_preset(directory)
        for path, content in kept.items():
            path.write_bytes(content)

    edit(about, format=2)
    refused("format 2.*Update")
    edit(config, registered_name="os>system")
    refused("class 'os>system'.*does not know")
    edit(config, registered_name="keras_gans>EMA")
    refused("does not know")
    own = json.loads(config.read_text())["config"]
    edit(config, config={**own, "novelty": 1})
    refused("cannot be built.*novelty.* Install that version, or mend config.json")
    edit(config, config={**own, "width": 2**14})
    refused("too small to hold")
    edit(config, config={**own, "width": 3})
    refused("do not fit its config.json")
    config.write_text("[" * 10**5)
    refused("cannot be read")
    weights = load_file(directory / WEIGHTS)
    key = next(name for name in weights if name.startswith("generator"))
    save_file({**weights, key: weights[key] * np.nan}, directory / WEIGHTS)
    refused("not finite")
    (directory / WEIGHTS).write_bytes(kept[directory / WEIGHTS][:-9])
    refused("damaged or cut short")
    scrambled = np.random.default_rng(0).bytes(500)
    (directory / WEIGHTS).write_bytes(scrambled)
    refused("damaged or cut short")
    kg.from_preset(directory)


def test_code_in_a_preset_is_not_run(tmp_path):
    x = keras.Input((4,))
    z = keras.layers.Lambda(lambda x: x)(x)
    images = keras.layers.Reshape((16, 16, 1))(keras.layers.Dense(256)(z))
    gan = kg.DCGAN(generator=keras.Model(x, images), width=2)
    gan.save_to_preset(tmp_path / "preset")
    with pytest.raises(ValueError, match=r"Lambda|unsafe|safe_mode"):
        kg.from_preset(tmp_path / "preset")


def test_what_stands_there_is_left(preset):
    with pytest.raises(ValueError, match="overwritten unasked"):
        dcgan().save_to_preset(preset)
    dcgan().save_to_preset(preset, overwrite=True)
    (preset / "mine.txt").write_text("x")
    with pytest.raises(ValueError, match="holds other files"):
        dcgan().save_to_preset(preset, overwrite=True)
    assert (preset / "mine.txt").read_text() == "x"
    with pytest.raises(ValueError, match="names the 0 classes"):
        dcgan().save_to_preset(preset.with_name("new"), class_names=["a", "b"])
    assert not preset.with_name("new").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere", "No preset"),
        ("", "No preset"),
        ("..", "No preset"),
        ("s3://a/b", "hf://, kaggle://"),
        ("hf://../a", "hf://user/name"),
        ("kaggle://a/b", "kaggle://user/model/keras/variation"),
    ],
)
def test_where_no_preset_is(name, message):
    with pytest.raises(ValueError, match=message):
        kg.from_preset(name)


def test_a_card_shows_markup_as_text(tmp_path):
    dcgan().save_to_preset(tmp_path / "a", facts={"machine": "<b>x|y</b>"})
    card = (tmp_path / "a" / "README.md").read_text()
    assert r"| machine | &lt;b&gt;x\|y&lt;/b&gt; |" in card


def test_a_preset_is_opened_from_within_it(preset, monkeypatch):
    monkeypatch.chdir(preset)
    assert kg.from_preset(".").built


def test_hugging_face_s_cache_serves_offline(preset, tmp_path, monkeypatch):
    constants = pytest.importorskip("huggingface_hub.constants")
    cache = tmp_path / "cache"
    kept = cache / "models--someone--emoji"
    shutil.copytree(preset, kept / "snapshots" / ("0" * 40))
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("0" * 40)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    gan = kg.from_preset("hf://someone/emoji")
    np.testing.assert_array_equal(gan.sample(2), kg.load(preset).sample(2))
    with pytest.raises(ValueError, match=r"hf://someone/other could not be fetched"):
        kg.from_preset("hf://someone/other")


@pytest.mark.full
def test_kaggle_s_cache_serves_offline(preset, tmp_path, monkeypatch):
    pytest.importorskip("kagglehub")
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kaggle"))
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path / "none"))
    kept = pathlib.Path(tmp_path, "kaggle/models/someone/emoji/keras/small")
    shutil.copytree(preset, kept / "1")
    (kept / "1.complete").write_text("")
    gan = kg.from_preset("kaggle://someone/emoji/keras/small/1")
    np.testing.assert_array_equal(gan.sample(2), kg.load(preset).sample(2))


@pytest.mark.parametrize(
    ("name", "package"),
    [("hf://a/b", "huggingface_hub"), ("kaggle://a/b/keras/c", "kagglehub")],
)
def test_a_hub_s_package_that_is_missing_is_named(name, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"{package}.*pip install.*\[hub\]"):
        kg.from_preset(name)
