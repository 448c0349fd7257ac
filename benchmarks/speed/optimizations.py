"""What each faster implementation gives, and what a step costs as models grow.

    python benchmarks/speed/optimizations.py
    python benchmarks/speed/optimizations.py --growth
    python benchmarks/speed/optimizations.py --choices
    python benchmarks/speed/optimizations.py --docs

The first trains the same GAN in several processes that take turns, A B C A B C,
each with one optimization more than the one before: first those of TensorFlow alone,
then its oneDNN (TF_ENABLE_ONEDNN_OPTS), then our kernels by their names
(KERAS_GANS_KERNELS). Kept is, too, how long each takes to make its model and
the first two steps. The second trains DCGANs of several image sizes, batches
and widths, one after the other, as users run them. The third keeps what each way
to compute each convolution of the models takes on this machine, as they choose by
it (KERAS_GANS_KERNELS=measure), and how long choosing takes; nothing that was
measured before is used.

Rows go to --results; what stands there is not measured again. The last
command writes tables and the plot of docs/performance.md from them.
"""

import argparse
import json
import os
import pathlib
import sys
import tempfile
import time

from optimizations_docs import USUAL
import speed

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import workers

KERNELS = ("batch_norm", "adam", "norms", "rectifiers", "im2col", "winograd", "tiling")
MODELS = {"dcgan": {}, "wgan_gp": {"width": 64}, "pix2pix": {}}
# The usual DCGAN, with one of its numbers changed at a time.
GROWTH = {
    "size": (16, 32, 64, 128),
    "batch": (8, 16, 32, 64, 128),
    "width": (16, 32, 64, 128),
}


def optimizations():
    """Pairs of an optimization's name and the environment with all up to it."""
    found = [("TensorFlow", "0", "0"), ("oneDNN", "1", "0")]
    for i, name in enumerate(KERNELS):
        found.append((name, "1", ",".join(KERNELS[: i + 1])))
    # What is left to those who do not set the variable.
    found.append(("kernels without oneDNN", "0", "1"))
    return [
        (name, {"TF_ENABLE_ONEDNN_OPTS": onednn, "KERAS_GANS_KERNELS": ours})
        for name, onednn, ours in found
    ]


def start(env):
    command = [sys.executable, speed.HERE.with_name("speed_keras.py"), "ours"]
    return workers.Worker(command, env.items())


def settings_of(model, **changes):
    return {"model": model, "dtype": "float32", **speed.MODELS[model], **changes}


def measure_optimizations(model, args):
    settings = settings_of(model, **MODELS[model])
    running = {name: start(env) for name, env in optimizations()}
    for worker in running.values():
        worker("versions")  # what comes next is no import
    opening = {}
    for name, worker in running.items():
        began = time.perf_counter()
        worker("open", settings=settings)
        opening[name] = round(time.perf_counter() - began, 1)
    seconds = speed.take_turns(running, "train", args)
    for worker in running.values():
        worker.close()
    medians = {name: round(speed.median(turns), 4) for name, turns in seconds.items()}
    return {
        "settings": settings,
        "medians": medians,
        "opening": opening,
        "seconds": seconds,
    }


def measure_growth(changes, args):
    settings = settings_of("dcgan", **{**USUAL, **changes})
    worker = start({"TF_ENABLE_ONEDNN_OPTS": "1"})
    worker("open", settings=settings)
    seconds = speed.take_turns({"ours": worker}, "train", args)["ours"]
    worker.close()
    return {"settings": settings, "growth": round(speed.median(seconds), 5)}


def measure_choices(settings):
    """Milliseconds of each candidate of each direction of each convolution."""
    with tempfile.TemporaryDirectory() as cache:
        env = {
            "TF_ENABLE_ONEDNN_OPTS": "1",
            "KERAS_GANS_KERNELS": "measure",
            "XDG_CACHE_HOME": cache,
        }
        worker = start(env)
        worker("versions")
        opening = []
        worker("open", settings=settings)
        worker("infer", steps=1)
        seconds = worker("choosing")
        worker.close()
        # Again, from what was measured; and plain Keras's.
        for changes in ({}, {"KERAS_GANS_KERNELS": "0"}):
            worker = start({**env, **changes})
            worker("versions")
            began = time.perf_counter()
            worker("open", settings=settings)
            opening.append(round(time.perf_counter() - began, 1))
            worker.close()
        (path,) = pathlib.Path(cache).rglob("kernels-*.json")
        found = json.loads(path.read_text())["choices"]
    return {
        "settings": settings,
        "choices": found,
        "choosing": round(seconds, 1),
        "opening": dict(zip(("chosen", "keras"), opening, strict=True)),
    }


def jobs(args):
    """Pairs of settings and what measures them."""
    if args.choices:
        for model in args.models.split(","):
            for dtype in args.dtypes.split(","):
                changes = {**MODELS.get(model, {}), "dtype": dtype}
                settings = settings_of(model, **changes)
                yield settings, lambda s=settings: measure_choices(s)
        return
    if not args.growth:
        for model in args.models.split(","):
            settings = settings_of(model, **MODELS[model])
            yield settings, lambda m=model: measure_optimizations(m, args)
        return
    for name, values in GROWTH.items():
        for value in values:
            changes = {name: value}
            settings = settings_of("dcgan", **{**USUAL, **changes})
            yield settings, lambda c=changes: measure_growth(c, args)


def main(args):
    kind = "growth" if args.growth else "choices" if args.choices else "medians"
    for settings, measure in jobs(args):
        rows = speed.read_rows(args.results)
        if settings in [row["settings"] for row in rows if kind in row]:
            continue
        row = {**measure(), "machine": speed.machine()}
        print(json.dumps(row[kind], indent=0), flush=True)
        args.results.parent.mkdir(parents=True, exist_ok=True)
        with open(args.results, "a") as file:
            file.write(json.dumps(row) + "\n")


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--models", default=",".join(MODELS))
    add("--turns", type=int, default=3)
    add("--steps", type=int, default=3, help="counted in a turn")
    add("--growth", action="store_true", help="measures the growth instead")
    add("--choices", action="store_true", help="times each implementation instead")
    add("--dtypes", default="float32,bfloat16", help="of --choices")
    add("--docs", action="store_true", help="writes docs/performance.md only")
    default = speed.ROOT / "results" / "optimizations.jsonl"
    add("--results", type=pathlib.Path, default=default)
    return parser.parse_args()


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    args = parse()
    if args.docs:
        import optimizations_docs

        optimizations_docs.write(speed.read_rows(args.results))
    else:
        main(args)
