"""One and two replicas agree, of one process and of two."""

import pathlib
import subprocess
import sys

SCRIPT = pathlib.Path(__file__).parent / "replicas.py"
BENCHMARK = pathlib.Path(__file__).parents[1] / "benchmarks" / "replicas.py"


def test_one_and_two_replicas_agree():
    run = subprocess.run(
        [sys.executable, str(SCRIPT)],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    rows = [line.split() for line in run.stdout.splitlines()]
    assert [row[0] for row in rows] == ["clipped", "outside"]
    for name, moved, apart, logs, spread, means in rows:
        # Training moves weights by far more than replicas may differ.
        assert float(moved) > 1e-3, name
        assert float(apart) < 1e-6, name
        assert float(logs) < 1e-5, name
        assert float(spread) == 0, name
        assert int(means) == 0, name


def test_batch_norm_and_processes_agree():
    """One row of the matrix of benchmarks/replicas.py, which has all."""
    words = ["--models=dcgan", "--ways=workers:2"]
    run = subprocess.run(
        [
            sys.executable,
            str(BENCHMARK),
            *words,
            "--optimizers=sgd",
            "--seeds=0",
        ],
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
