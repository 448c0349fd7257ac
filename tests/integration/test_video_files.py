"""Videos from the command line: trained on, shown, sampled, predicted."""

import json

from command_line import call, in_full
import numpy as np
import pytest

import keras_gans as kg
from keras_gans.data.clips import read_film

SMALL = ["--batch_size=2", "--steps=4", "--checkpoint_every=2", "--sample_every=4"]
FRAMES = ["--frame_shape=16,16,1", "--past=2", "--ema=0.9"]
FRAMES += ["--scales=[[[3,3],[2]]]", "--d_scales=[[[3],[2],[2]]]"]
CLIPS = ["--frame_shape=16,16,3", "--frames=10", "--width=2", "--content_dim=4"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("frames") / "run"
    words = [f"--run_dir={path}", *SMALL, *FRAMES]
    assert not in_full("train", "frame_prediction", *words)
    return path


def test_a_run_shows_and_predicts_frames(run, tmp_path):
    for name in ("reals.png", "reals-videos.gif"):
        assert (run / name).is_file(), name
    grids = sorted(p.name for p in (run / "samples").iterdir())
    assert any(name.endswith(".gif") for name in grids)
    lines = [json.loads(x) for x in (run / "metrics.jsonl").read_text().splitlines()]
    assert "distance_loss" in lines[-1]
    source, out = tmp_path / "in.gif", tmp_path / "out.gif"
    x = np.random.default_rng(0).uniform(-1, 1, (3, 20, 16, 1)).astype("float32")
    kg.Video(3, x.shape[1:]).write(source, x)
    assert not call("predict", run, source, f"--out={out}", "--frames=2")
    assert len(list(read_film(out))) == 4


@pytest.mark.full
def test_a_run_of_frames_goes_on(run):
    step = kg.load(run).step
    assert not call(
        "train",
        "frame_prediction",
        f"--run_dir={run}",
        "--resume",
        "--steps=6",
        *SMALL[:1],
    )
    assert int(step) == 4 and int(kg.load(run).step) == 6


@pytest.mark.full
def test_a_run_of_videos(tmp_path, capsys):
    run = tmp_path / "run"
    assert not in_full("train", "mocogan", f"--run_dir={run}", *SMALL, *CLIPS)
    assert "--out=video.gif" in capsys.readouterr().out
    out = tmp_path / "video.gif"
    assert not call("sample", run, f"--out={out}", "--seed=1")
    assert len(list(read_film(out))) == 10
    assert not call("sample", run, f"--out={tmp_path / 'grid.png'}", "--n=2")
    assert (tmp_path / "grid-videos.gif").is_file()
