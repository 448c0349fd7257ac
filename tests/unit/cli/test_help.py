"""The help of a recipe's flags: format, sentence, true default."""

import argparse
import re

from command_line import call
import pytest

from keras_gans import losses
from keras_gans.training import recipes
from keras_gans_cli import app, flags, values
from keras_gans_cli import recipes as read

FORMATS = {
    "image_shape": "H,W,C",
    "latent_dim": "N",
    "ema": "X",
    "epochs": "N",
    "steps_per_epoch": "N",
    "d_learning_rate": "X",
    "linear_decay": "START,END",
    "label_smoothing": "X",
    "dtype_policy": "NAME",
    "data": "NAME",
    "spectral_norm": "on|off",
    "norm": "batch|instance|none",
    "share": "LOW,HIGH",
    "kind": "rectangle|free_form|mixed",
    "conditioning": "embedding|one_hot|projection",
}


def actions():
    """Each recipe's name and the actions that help shows."""
    for name in recipes.RECIPES:
        for action in app.parse(["keras-gans", "train", name]).parser._actions:
            if action.help is not argparse.SUPPRESS and action.option_strings:
                yield name, action


def test_exit_statuses_are_told_and_kept(capsys):
    """By one bad command line for each status."""
    with pytest.raises(SystemExit) as stop:
        call("--help")
    told = capsys.readouterr().out
    assert stop.value.code == 0
    for line in ("0: done.", "1: refused or failed", "2: the\ncommand line is not"):
        assert line in told
    for words in (["--no_such"], ["--n=many"], []):
        with pytest.raises(SystemExit) as stop:
            call("sample", "emoji", *words)
        assert stop.value.code == 2
    assert call("sample", "emoji", "--n=0", "--out=x.png") == 1


def test_formats_are_told():
    seen = set()
    for name, action in actions():
        flag = action.option_strings[0].lstrip("-")
        if flag in FORMATS:
            seen.add(flag)
            told = sorted(action.metavar.split("|"))
            optional = flag == "ema" and told == ["VALUE"]  # of no type by default
            assert told == sorted(FORMATS[flag].split("|")) or optional, (name, flag)
    assert seen == set(FORMATS)


def test_sentences_are_in_the_words_of_the_command():
    for name, action in actions():
        text = action.help
        assert not re.search(r"generator\w* (makes|takes)|OBJECTIVES|True|False", text)
        assert not re.match(r"(int|float|bool|str|tuple|None)\b", text), (name, text)
        # Two defaults would contradict each other.
        assert len(re.findall(r"[\d)] by default|\(default: ", text)) <= 1, text
        assert "default" in text or action.nargs == 0 or "--" in text, (name, text)


def test_objectives_are_all_told():
    assert flags.objectives() == list(losses.OBJECTIVES)


def test_switches_are_typed_in_every_way():
    for text, value in (("on", True), ("False", False), ("none", None), ("off", False)):
        assert values.value(text) is value
    for words, expected in (
        ((), None),
        (["--spectral_norm"], True),
        (["--spectral_norm=on"], True),
        (["--spectral_norm=false"], False),
    ):
        args = app.parse(["keras-gans", "train", "dcgan", *words])
        assert getattr(args, "spectral_norm", None) is expected


def test_lists_tell_how_long_it_takes(capsys, monkeypatch, tmp_path):
    from keras_gans_cli import speeds

    monkeypatch.setattr(speeds, "HERE", str(tmp_path / "none" / "speed.json"))
    assert call("list") == 0
    assert "doctor --speed" in capsys.readouterr().out
    recipe = read.recipes()["acgan"]
    found = {"seconds_per_step": 3.0, "steps_per_epoch": 40}
    speeds.write({"acgan": {**found, "setting": speeds.setting(recipe)}})
    assert call("list") == 0
    out = capsys.readouterr().out
    # 3 s * 40 * 50 epochs
    assert "1.7 h" in out and "not timed" in out and "on this machine" in out
    # Of a recipe that has changed since, nothing is told.
    speeds.write({"acgan": {**found, "setting": "0"}})
    assert call("list") == 0
    assert "1.7 h" not in capsys.readouterr().out
    (tmp_path / "none" / "speed.json").write_text("{")
    assert call("list") == 0


def test_times_of_this_version_are_recorded():
    import json

    from keras_gans_cli import speeds

    recorded = json.loads(speeds.ELSEWHERE.read_text())
    assert recorded["machine"] and set(recorded["recipes"]) <= set(recipes.RECIPES)
    known = [speeds.minutes(r, recorded) for r in read.recipes().values()]
    assert all(minutes is None or 0 < minutes < 10**4 for minutes in known)
