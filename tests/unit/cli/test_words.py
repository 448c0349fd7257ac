"""What commands say: in whose words, and what comes next."""

import os
import pathlib
import sys
import warnings

from command_line import call
import pytest

from keras_gans_cli import app, evaluate, nearest, sample, words

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
    for line, told in (
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
        (
            ["train", "dcgan", "--minutes=three"],
            "error: --minutes is a number. Received: --minutes=three.",
        ),
        (["sample", "r", "--n=1.5"], "--n is a whole number. Received: --n=1.5."),
        (["train", "dcgan", "--size=64"], "Did you mean --image_shape?"),
        # One that is much less alike is not named.
        (["train", "dcgan", "--bathc_size=4"], "Did you mean --batch_size?"),
    ):
        with pytest.raises(SystemExit) as stop:
            call(*line)
        assert stop.value.code == 2
        err = capsys.readouterr().err
        assert told in err
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
    assert "keras-gans sample 'runs/my run' --out=samples.png   # a grid" in out
    assert "keras-gans nearest 'runs/my run' --out=nearest.png  # learned by" in out
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


def parsed(*line):
    return app.parse(["keras-gans", *line])


def test_flags_are_offered_as_they_were_typed():
    line = ["evaluate", "files", "--data=my set", "--skip_broken", "--image_size=8,16"]
    args = parsed(*line, "--metrics=kid", "--batch_size=64")
    assert words.flags_of(args, *evaluate.AGAIN) == [line[2], line[4], line[3]]
    args = parsed("walk", "r", "--seeds=1,2", "--no-loop", "--out=w.gif", "--best")
    assert words.flags_of(args, "best", "loop", "seeds") == [
        *("--best", "--no-loop", "--seeds=1,2")
    ]
    args = parsed("sample", "r", "--text=a b", "--text=c", "--labels=1,2", "--out=x")
    assert words.flags_of(args, "text") == ["--text=a b", "--text=c"]
    assert sample.of_all(args, "n") == []  # of each sample, not of all
    args = parsed("sample", "r", "--text=a b", "--n=3", "--out=x")
    assert sample.of_all(args, "n") == ["--text=a b", "--n=3"]
    assert sample.next_seeds([3, 0, 8]) == "--seeds=9-11"
    assert sample.next_seeds([2**31 - 1]) == "--seeds=0"


def test_what_is_offered_next_is_free_and_another_command(capsys, monkeypatch):
    pathlib.Path("lite0.png").touch()
    nearest.tell_next(parsed("nearest", "r", "--seeds=3,8", "--best"), [3, 8])
    out = capsys.readouterr().out
    told = "nearest r --best --seeds=3,8 --features=lite0 --out=lite0-2.png  #"
    assert told in out and "install" not in out
    line = ("nearest", "r", "--features=lite0", "--out=lite0.png")
    nearest.tell_next(parsed(*line), [0, 1])
    out = capsys.readouterr().out
    assert "nearest r --features=lite0 --seeds=2-3 --out=more.png  # other" in out
    flags = ["--best", "--truncation=0.7", "--each"]
    words.after_sampling("r", 0, flags=flags, chosen="--seeds=4-7")
    out = capsys.readouterr().out
    assert f"sample r {' '.join(flags)} --seeds=4-7 --out=seeds4-7  #" in out
    assert "evaluate r --best  " in out and "export r --best --to=" in out
    monkeypatch.setitem(words.EXTRAS, "metrics", "no_such_module")
    nearest.tell_next(parsed("nearest", "r"), [0])
    assert "once you pip install 'keras_gans[metrics]'" in capsys.readouterr().out


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
