"""What accumulation and rematerialization cost in time and save in memory.

    python benchmarks/memory/memory.py
    python benchmarks/memory/memory.py --docs

Each way of training takes some steps in a process of its own, whose memory is
its own: the most that it held at once, less what it held before its first step.
Turns are interleaved, A B A B; figures are medians. Rows go to --results; the
second command writes the table of docs/scaling.md from them.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import workers

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

ROOT = pathlib.Path(__file__).parents[2]
WARM_UP = 2
WAYS = {
    "as it is": {},
    "accumulate=4": {"accumulate": 4},
    "rematerialize": {"rematerialize": True},
    "both": {"accumulate": 4, "rematerialize": True},
}
MODELS = {
    "DCGAN, 64 px": {"batch_size": 64, "shape": (64, 64, 3)},
    "Pix2Pix, 256 px": {"batch_size": 4, "shape": (256, 256, 3)},
}


def child(model, way, steps):
    """Trains in this process; prints a line of JSON."""
    import keras
    import numpy as np
    import timed

    import keras_gans

    clock = timed.Clock()
    shape, size = MODELS[model]["shape"], MODELS[model]["batch_size"]
    keras.utils.set_random_seed(0)
    images = np.zeros((size, *shape), "float32")
    if model.startswith("DCGAN"):
        gan, y = keras_gans.DCGAN(shape), None
    else:
        gan, y = keras_gans.Pix2Pix(shape), images
    gan.compile(**WAYS[way])
    before = workers.memory("VmRSS")
    gan.fit(
        images, y, batch_size=size, epochs=WARM_UP + steps, verbose=0, callbacks=[clock]
    )
    row = {
        "seconds": statistics.median(clock.seconds[WARM_UP - 1 :]),
        "mebibytes": workers.memory() - before,
    }
    print(json.dumps(row))


def measure(model, way, steps):
    command = [sys.executable, __file__, f"--child={model}", f"--way={way}"]
    command.append(f"--steps={steps}")
    made = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(made.stdout.splitlines()[-1])


def table(rows):
    lines = ["| | | seconds a step | memory, MiB |", "|---|---|---|---|"]
    for model in MODELS:
        found = {r["way"]: r for r in rows if r["model"] == model}
        plain = found["as it is"]
        for way, row in found.items():
            lines.append(
                f"| {model}, batch {row['batch_size']} | {way} | "
                f"{row['seconds']:.2f} ({row['seconds'] / plain['seconds']:.2f}"
                f" x) | {row['mebibytes']:.0f} "
                f"({row['mebibytes'] / plain['mebibytes']:.2f} x) |"
            )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--turns", type=int, default=3)
    default = ROOT / "results" / "memory.jsonl"
    parser.add_argument("--results", type=pathlib.Path, default=default)
    parser.add_argument("--docs", action="store_true")
    parser.add_argument("--child", choices=MODELS, help=argparse.SUPPRESS)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(args.child, args.way, args.steps)
        return
    if args.docs:
        import pages

        rows = [json.loads(s) for s in args.results.read_text().splitlines()]
        pages.put("scaling.md", {"memory": table(rows)})
        return
    found = {(model, way): [] for model in MODELS for way in WAYS}
    for _ in range(args.turns):
        for key, turns in found.items():
            turns.append(measure(*key, args.steps))
            print(*key, turns[-1], flush=True)
    rows = []
    for (model, way), turns in found.items():
        row = {
            "model": model,
            "batch_size": MODELS[model]["batch_size"],
            "way": way,
            "turns": turns,
            "cores": len(os.sched_getaffinity(0)),
        }
        for name in ("seconds", "mebibytes"):
            row[name] = statistics.median(turn[name] for turn in turns)
        rows.append(row)
    args.results.parent.mkdir(parents=True, exist_ok=True)
    args.results.write_text("".join(json.dumps(row) + "\n" for row in rows))
    print(table(rows))


if __name__ == "__main__":
    main()
