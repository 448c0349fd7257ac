"""One and two replicas agree, of one process and of two."""

import json
import subprocess
import sys

from paths import ROOT, SUPPORT
import pytest

SCRIPT = SUPPORT / "replicas.py"
BENCHMARK = ROOT / "benchmarks" / "replicas.py"


FULL_NAMES = ["esrgan", "path-length", "wavegan", "stylegan2", "r3gan", "biggan"]
FULL = pytest.param(["--full"], marks=pytest.mark.full)


@pytest.mark.parametrize("full", [[], FULL])
def test_one_and_two_replicas_agree(full):
    """Trained and scored, all in one process, which has two devices.

    In full with a toy of lazy phases and second derivatives, ESRGAN, WaveGAN,
    StyleGAN2, R3GAN and BigGAN.
    """
    run = subprocess.run(
        [sys.executable, str(SCRIPT), *full],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert run.returncode == 0, run.stderr[-4000:]
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    assert [row["name"] for row in rows] == [
        "clipped",
        "outside",
        "vocoder",
        *(FULL_NAMES if full else []),
        "ada",
        "wgan",
        "evaluation",
        "features",
    ]
    *trained, evaluation, features = rows
    for row in trained:
        # Training moves weights by far more than replicas may differ.
        assert row["moved"] > 1e-3 and row["spread"] == 0, row
        # Path lengths are roots of small sums, which magnify rounding.
        assert row["apart"] < (1e-3 if row["name"] == "path-length" else 1e-6)
    for row in trained[:2]:
        assert row["logs"] < 1e-5 and row["means"] == 0, row
    # Two moves, of 16 of 100 images each.
    p, other = trained[-2]["p"]
    assert p == other and abs(p - 0.5) in (pytest.approx(0.32), pytest.approx(0.0))
    assert 0.049 < trained[-1]["largest"] <= 0.05 + 1e-8
    # A short last batch, of which one replica may get no row at all.
    assert evaluation["apart"] < 1e-6
    assert "as many rows as the others" in evaluation["refused"]
    assert features["replicas"] == 2 and features["largest"] > 1
    assert features["apart"] <= 1e-6 * features["largest"]


@pytest.mark.full
def test_batch_norm_and_processes_agree():
    """One row of the matrix of benchmarks/replicas.py, which has all."""
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
