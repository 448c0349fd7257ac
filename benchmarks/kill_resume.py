"""Kills a training run at random moments, resumes it, compares it bitwise.

    python benchmarks/kill_resume.py --kills=20

One run goes undisturbed; another is killed with SIGKILL again and again, at
moments drawn evenly over its length, and resumed each time, until it ends.
Weights, both optimizers, the moving average and seeds must then be equal bit
for bit, and so must metrics.jsonl but for the time of each line.
"""

import argparse
import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

import h5py

from keras_gans import checkpoints

COMMAND = "from keras_gans.cli import run; run()"


def train(run_dir, flags, resume=False, kill_after=None, log=None):
    """Trains in a process of its own; returns whether it came to its end.

    Args:
        run_dir: path.
        flags: list of str, what follows `keras-gans train`.
        resume: bool.
        kill_after: steps (float) after which the process is killed: as soon
            as the log shows them, and the rest of a step later.
        log: file that the process prints into.
    """
    command = [sys.executable, "-c", COMMAND, "train", *flags]
    command += [f"--run_dir={run_dir}"] + ["--resume"] * resume
    process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        while kill_after is not None and process.poll() is None:
            if steps_logged(run_dir) >= int(kill_after):
                time.sleep((kill_after % 1) * 0.3)
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.01)
        code = process.wait()
    finally:
        process.kill()
    if code not in (0, -signal.SIGKILL):
        raise RuntimeError(f"training ended with status {code}")
    return code == 0


def steps_logged(run_dir):
    path = pathlib.Path(run_dir) / "metrics.jsonl"
    if not path.exists():
        return 0
    return path.read_text().count('"kind": "step"')


def arrays(run_dir):
    """Everything in the last checkpoint of a run: name to array."""
    found = {}

    def collect(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item[()]

    path = checkpoints.latest(pathlib.Path(run_dir) / "checkpoints")
    with h5py.File(path / checkpoints.WEIGHTS) as file:
        file.visititems(collect)
    return found


def lines(run_dir):
    """The lines of metrics.jsonl without their time."""
    rows = (pathlib.Path(run_dir) / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(row) for row in rows]
    return [{k: v for k, v in row.items() if k != "time"} for row in rows]


def differences(a, b):
    """Names of what is not bitwise equal in two runs."""
    x, y = arrays(a), arrays(b)
    unlike = [
        name
        for name in sorted(x.keys() | y.keys())
        if name not in x
        or name not in y
        or x[name].dtype != y[name].dtype
        or x[name].tobytes() != y[name].tobytes()
    ]
    if lines(a) != lines(b):
        unlike.append("metrics.jsonl")
    return unlike, len(x)


def main(kills, flags, seed, steps, folder):
    """Runs the comparison; returns the names of what differs."""
    folder = pathlib.Path(folder)
    with open(folder / "undisturbed.log", "w") as log:
        train(folder / "undisturbed", flags, log=log)
    draw = random.Random(seed)
    moments = sorted(draw.uniform(0, steps) for _ in range(kills))
    with open(folder / "killed.log", "w") as log:
        for i, moment in enumerate(moments):
            before = steps_logged(folder / "killed")
            ended = train(
                folder / "killed", flags, i > 0, kill_after=moment, log=log
            )
            after = steps_logged(folder / "killed")
            latest = checkpoints.latest(folder / "killed" / "checkpoints")
            print(
                f"kill {i + 1:2}: aimed at step {moment:5.2f}, log had "
                f"{before} then {after} steps, checkpoint "
                f"{latest and latest.name}{', ended' if ended else ''}",
                flush=True,
            )
        train(folder / "killed", flags, kills > 0, log=log)
    unlike, total = differences(folder / "undisturbed", folder / "killed")
    print(
        f"{kills} kills: {total - len([u for u in unlike if '.' not in u])} of "
        f"{total} arrays and {len(lines(folder / 'killed'))} log lines compared"
        f"; not bitwise equal: {', '.join(unlike) or 'none'}",
        flush=True,
    )
    return unlike


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    FLAGS = [
        "dcgan",
        "--image_shape=16,16,3",
        "--width=8",
        "--batch_size=16",
        "--flip",
        "--epochs=4",
        "--steps_per_epoch=10",
        "--checkpoint_every=3",
        "--sample_every=20",
        "--log_every=1",
    ]
    with tempfile.TemporaryDirectory() as folder:
        unlike = main(args.kills, FLAGS, args.seed, 40, folder)
    sys.exit(bool(unlike))
