"""One and two replicas agree."""

import pathlib
import subprocess
import sys

SCRIPT = pathlib.Path(__file__).parent / "replicas.py"


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
    for name, moved, apart, logs, spread in rows:
        # Training moves weights by far more than replicas may differ.
        assert float(moved) > 1e-3, name
        assert float(apart) < 1e-6, name
        assert float(logs) < 1e-5, name
        assert float(spread) == 0, name
