"""One and two replicas agree, of one process and of two."""

import json
import subprocess
import sys

from paths import ROOT, SUPPORT
import pytest

SCRIPT = SUPPORT / "replicas.py"
BENCHMARK = ROOT / "benchmarks" / "scaling" / "replicas.py"


TOYS = ["vocoder", "esrgan", "path-length", "wavegan", "mocogan", "frame-prediction"]
TOYS += ["voxel-gan", "image-to-volume", "stylegan2", "r3gan", "ctgan"]
TOYS += ["dfgan", "stackgan", "stackgan2", "relgan", "language"]
SOUNDS = ["hifigan", "sensor-gan", "text-to-speech", "vits"]


def rows(*flags):
    """What is printed of one and two replicas, by name."""
    run = subprocess.run(
        [sys.executable, str(SCRIPT), *flags],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert run.returncode == 0, run.stderr[-4000:]
    found = [json.loads(line) for line in run.stdout.splitlines()]
    return {row["name"]: row for row in found}


def compare(found, *names):
    """Training moves weights by far more than replicas may differ."""
    for name in names:
        row = found[name]
        assert row["moved"] > 1e-3 and row["spread"] == 0, row
        # Path lengths are roots of small sums, which magnify rounding.
        assert row["apart"] < (1e-3 if name == "path-length" else 1e-6), row


def test_one_and_two_replicas_agree():
    """Trained in one process, which has two devices."""
    found = rows()
    assert list(found) == ["clipped"]
    compare(found, "clipped")
    assert found["clipped"]["logs"] < 1e-5 and found["clipped"]["means"] == 0


@pytest.mark.full
def test_replicas_of_many_gans_agree():
    """Lazy phases, second derivatives, groups of rows, ADA, BigGAN."""
    found = rows("--full")
    compare(found, "outside", *TOYS, *SOUNDS, "biggan", "ada", "wgan")
    assert found["outside"]["logs"] < 1e-5 and found["outside"]["means"] == 0
    # A short last batch, of which one replica may get no row at all.
    assert found["evaluation"]["apart"] < 1e-6
    assert "as many rows as the others" in found["evaluation"]["refused"]
    assert 0.049 < found["wgan"]["largest"] <= 0.05 + 1e-8
    # Two moves, of 16 of 100 images each.
    p, other = found["ada"]["p"]
    assert p == other and abs(p - 0.5) in (pytest.approx(0.32), pytest.approx(0.0))
    assert "a batch of 3 on each of 2 replicas" in found["packs"]["refused"]
    features = found["features"]
    assert features["replicas"] == 2 and features["largest"] > 1
    assert features["apart"] <= 1e-6 * features["largest"]


@pytest.mark.full
def test_batch_norm_and_processes_agree():
    """One row of the matrix of benchmarks/scaling/replicas.py, which has all."""
    words = ["--models=dcgan", "--ways=workers:2"]
    run = subprocess.run(
        [sys.executable, str(BENCHMARK), *words, "--optimizers=sgd", "--seeds=0"],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    _, *rows = [line.split() for line in run.stdout.splitlines()]
    assert [row[3] for row in rows] == ["workers:2", "workers:2"]
    for *_, moved, weights, logs, outputs, samples, drift in rows:
        assert float(moved) > 1e-3
        assert float(weights) < 1e-6
        assert float(logs) < 1e-5
        assert float(outputs) < 1e-5
        assert float(samples) < 1e-5
        assert float(drift) == 0
