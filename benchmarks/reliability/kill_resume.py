"""Kills a training run at random moments, resumes it, compares it bitwise.

    python benchmarks/reliability/kill_resume.py --kills=20
    python benchmarks/reliability/kill_resume.py --kills=10 --workers=2

One run goes undisturbed; another is killed with SIGKILL again and again, at
moments drawn evenly over its length, and resumed each time, until it ends.
Weights, both optimizers, the moving average and seeds must then be equal bit
for bit, and so must metrics.jsonl but for the time of each line.

With --workers, several processes train together, and one of them is killed at a
time: the others must then end by themselves, with an error, within 60 s.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import h5py

from keras_gans.training import checkpoints

SECONDS_TO_END = 60
COMMAND = "from keras_gans_cli.app import run; run()"


def train(run_dir, flags, resume=False, kill_after=None, log=None):
    """Trains in a process of its own; returns whether it came to its end.

    Args:
        run_dir: path.
        flags: list of str, what follows `keras-gans train`.
        resume: bool.
        kill_after: float, steps trained in this process after which it is
            killed, the rest of a step as a share of 50 ms; below 0, seconds
            after its start, which may be while it still loads.
        log: file that the process prints into.
    """
    command = [sys.executable, "-c", COMMAND, "train", *flags]
    command += [f"--run_dir={run_dir}"] + ["--resume=auto"] * resume
    path = checkpoints.latest(run_dir / "checkpoints")
    done = int(path.name.split("-")[1]) if path else 0
    started = time.time()
    process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        while kill_after is not None and process.poll() is None:
            if kill_after < 0:
                due = time.time() - started > -kill_after
            else:
                due = steps_logged(run_dir, started) >= done + int(kill_after)
            if due:
                time.sleep(abs(kill_after) % 1 * 0.05)
                kill(process, workers=any("workers" in f for f in flags))
                break
            time.sleep(0.002)
        code = process.wait()
    finally:
        process.kill()
    if code not in (0, -signal.SIGKILL) and kill_after is None:
        raise RuntimeError(f"training ended with status {code}: see {log.name}")
    return code == 0


def kill(process, workers):
    """Kills a process, or one of the workers it started, and waits."""
    if not workers:
        process.send_signal(signal.SIGKILL)
        return
    command = ["pgrep", "-P", str(process.pid)]
    while not (found := subprocess.run(command, capture_output=True).stdout):
        if process.poll() is not None:
            return
        time.sleep(0.1)
    os.kill(random.choice(list(map(int, found.split()))), signal.SIGKILL)
    started = time.time()
    process.wait()
    seconds = time.time() - started
    print(f"  the others ended after {seconds:.1f} s", flush=True)
    if seconds > SECONDS_TO_END:
        raise RuntimeError("the other workers did not end")


def steps_logged(run_dir, since=0.0):
    """Steps in the log, or -1 while it is untouched `since` a time."""
    path = run_dir / "metrics.jsonl"
    if not path.exists() or path.stat().st_mtime < since:
        return -1
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


def main(kills, flags, seed, folder):
    """Runs the comparison; returns the names of what differs."""
    folder = pathlib.Path(folder)
    with open(folder / "undisturbed.log", "w") as log:
        train(folder / "undisturbed", flags, log=log)
    draw = random.Random(seed)
    killed = folder / "killed"
    with open(folder / "killed.log", "w") as log:
        for i in range(kills):
            # One in four at any time of a start, the others while it trains.
            moment = draw.uniform(0, 6) if i % 4 else -draw.uniform(0, 10)
            ended = train(killed, flags, i > 0, kill_after=moment, log=log)
            unit = "steps" if moment > 0 else "seconds"
            latest = checkpoints.latest(killed / "checkpoints")
            print(
                f"kill {i + 1:2}: after {abs(moment):4.2f} {unit}, log at step "
                f"{steps_logged(killed)}, checkpoint {latest and latest.name}"
                f"{', ended' if ended else ''}",
                flush=True,
            )
        train(killed, flags, kills > 0, log=log)
    unlike, total = differences(folder / "undisturbed", killed)
    print(
        f"{kills} kills: {total - len([u for u in unlike if '.' not in u])} of "
        f"{total} arrays and {len(lines(killed))} log lines compared"
        f"; not bitwise equal: {', '.join(unlike) or 'none'}",
        flush=True,
    )
    return unlike


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    FLAGS = [
        "dcgan",
        "--image_shape=16,16,3",
        "--width=8",
        "--batch_size=16",
        "--flip",
        "--epochs=6",
        "--steps_per_epoch=10",
        "--checkpoint_every=3",
        "--sample_every=20",
        "--log_every=1",
    ]
    if args.workers > 1:
        FLAGS.append(f"--workers={args.workers}")
    folder = tempfile.mkdtemp()
    unlike = main(args.kills, FLAGS, args.seed, folder)
    if not unlike:
        shutil.rmtree(folder)
    sys.exit(bool(unlike))
