"""What commands say: in whose words, and what comes next."""

import os
import sys
import warnings

from command_line import call
import pytest

from keras_gans_cli import app, words

NAMES = ["image_shape", "width", "n", "num_classes", "data", "run_dir", "key", "best"]
FLAGS = {name: f"--{name}" for name in NAMES} | {"blocks": "--set blocks"}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "`width` must be 1. Received: width=0.",
            "--width must be 1. Received: --width=0.",
        ),
        ("Received: image_shape=(8, 8, 3).", "Received: --image_shape=8,8,3."),
        ("Received: image_shape=(8,).", "Received: --image_shape=8."),
        (
            "Pass num_classes, e.g. num_classes=10.",
            "Pass --num_classes, e.g. --num_classes=10.",
        ),
        ("labels in [0, num_classes)", "labels in [0, --num_classes)"),
        ("Received: data='emojy'.", "Received: --data=emojy."),
        ("Choose another --run_dir, n=3.", "Choose another --run_dir, --n=3."),
        ("by `n` (--n)", "by --n"),
        ("by `skip='x'` (--skip)", "by --skip"),
        ("by `translate(x)` (keras-gans translate)", "by keras-gans translate"),
        ("as it is (`repeat=True`), then", "as it is, then"),
        ("3 divides (and `repeat=f(True)`).", "3 divides."),
        ("Received: best=True, x.", "Received: --best, x."),
        ("Received: n=None.", "Received: --n=none."),
        ("`n=5000` of them", "--n=5000 of them"),
        ("out: `data=['a']`.", "out: --data=a."),
        ("out: `data=['a b']`.", "out: --data='a b'."),
        (
            "`blocks` is 6 or 9. Received: blocks=3.",
            "--set blocks is 6 or 9. Received: --set blocks=3.",
        ),
        ("run_dir=runs/num_classes/x", "--run_dir=runs/num_classes/x"),
        ("no network `key=netG`", "no network --key=netG"),
        ("a width of 3, n of 2, in the data", "a width of 3, n of 2, in the data"),
        ("min(width=3)", "min(--width=3)"),
        ("`seed` must lie in [0, 1]", "`seed` must lie in [0, 1]"),
    ],
)
def test_messages_are_in_the_words_of_the_command(message, expected):
    assert words.spoken(message, FLAGS) == expected
    assert words.spoken(expected, FLAGS) == expected


def test_long_messages_take_linear_time():
    for part in ("image_shape=(", "`width=", "n=", "data='", "--n (", "num_classes"):
        words.spoken(part * 5_000, FLAGS)
        words.spoken(f"{part} (`" * 5_000, FLAGS)


def test_the_nearest_flag_is_named_first(capsys):
    for line, nearest in (
        (["sample", "r", "--ot=x.png"], "Did you mean --out"),
        (["train", "dcgan", "--image-shape=8,8,3"], "Did you mean --image_shape"),
        (["train", "dcgan", "epochs=3"], "Did you mean --epochs"),
        (["train", "dcgan", "-epochs", "3"], "Did you mean --epochs"),
        (["evaluate", "r", "--metric=fid"], "Did you mean --metrics"),
        (["convert", "f.pth", "--too=x"], "Did you mean --to"),
        (
            ["train", "dcgan", "--lr=0.1"],
            "Did you mean --d_learning_rate or --g_learning_rate?",
        ),
        (["train", "dcgan", "--batch=4"], "Did you mean --batch_size?"),
        (["train", "dcgan", "--size=64"], "Did you mean --image_shape?"),
        # One that is much less alike is not named.
        (["train", "dcgan", "--bathc_size=4"], "Did you mean --batch_size?"),
    ):
        with pytest.raises(SystemExit) as stop:
            call(*line)
        assert stop.value.code == 2
        err = capsys.readouterr().err
        assert nearest in err
        assert len(err.splitlines()) <= 3  # the usage is short


def test_errors_of_data_and_shapes_offer_what_can_be_typed(capsys):
    for flag, told in (
        ("--data=tow", "zip archive of images. Received: 'tow'"),
        ("--image_shape=8,8,3", "--image_shape=8,8,3. Give a larger --image_shape."),
    ):
        assert call("train", "dcgan", "--run_dir=r", flag) == 1
        assert told in capsys.readouterr().err
    shape = ("--image_shape=8,8,3", "--attention=[16]")
    assert call("train", "biggan", "--run_dir=r", *shape) == 1
    told = "--attention=[16]. Give --attention=[8], or --attention=none, which"
    assert told in capsys.readouterr().err


def test_next_steps_can_be_typed(capsys, monkeypatch, tmp_path):
    words.after_training("runs/my run", "images")
    out = capsys.readouterr().out
    assert "keras-gans sample 'runs/my run' --out=samples.png  # a grid" in out
    assert "keras_gans.load('runs/my run')" in out
    words.after_training("r", "sounds", "HiFiGAN")
    assert "vocode r FILE.wav --out=sounds" in capsys.readouterr().out
    words.after_training("r", "pairs")
    assert "translate r PICTURES --out=translated" in capsys.readouterr().out
    words.after_sampling("x.keras", 3)
    out = capsys.readouterr().out
    assert "--seed=4" in out
    assert "install" not in out
    (tmp_path / "x.keras").touch()
    words.after_sampling(str(tmp_path / "x.keras"), 3)
    assert "x.keras --data=PICTURES" in capsys.readouterr().out
    words.after_sampling("emoji", 3)  # a preset knows its data
    assert "evaluate emoji  " in capsys.readouterr().out
    words.after_sampling("r", 3, texts=["a red heart", "b"])
    out = capsys.readouterr().out
    assert "sample r '--text=a red heart' --text=b --seed=4 --out=seed4.png" in out
    assert "evaluate" not in out
    for kind, told in {
        "waveform": "sample r --seed=4 --out=seed4  #",
        "tokens": "sample r --seed=4 --out=seed4.txt",
        "video": "sample r --seed=4 --out=seed4.png",
        "table": "synthesize r --rows=10000 --out=rows.csv",
    }.items():
        words.after_sampling("r", 3, kind)
        out = capsys.readouterr().out
        assert told in out
        assert "evaluate" not in out
    monkeypatch.setitem(words.EXTRAS, "metrics", "no_such_module")
    words.after_training("r", "images")
    out = capsys.readouterr().out
    assert "good they are, once you pip install 'keras_gans[metrics]'" in out
    # Without an activated environment, by its path.
    monkeypatch.setattr(sys, "argv", [".venv/bin/keras-gans", "list"])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert words.program() == os.path.join(".venv", "bin", "keras-gans")
    told = words.spoken("Install it: pip install 'keras_gans[jax]'.", {})
    assert told == "Install it: .venv/bin/pip install 'keras_gans[jax]'."
    assert call("list") == 0
    assert ".venv/bin/keras-gans train dcgan --help" in capsys.readouterr().out


def test_warnings_take_one_line(capsys, monkeypatch):
    show = app.show_warning({"n": "--n"})
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", show)
        warnings.warn("Two\n  lines of `n`.", UserWarning, stacklevel=1)
    assert capsys.readouterr().err == "keras-gans: note: Two lines of --n.\n"


def test_verbose_tells_where_an_error_is_from(capsys):
    for line in (["--verbose", "sample"], ["sample", "--verbose"]):
        assert call(*line, "nowhere", "--out=x.png") == 1
        err = capsys.readouterr().err
        assert "Traceback" in err and err.splitlines()[-1].startswith("keras-gans: ")
    assert call("sample", "nowhere", "--out=x.png") == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
