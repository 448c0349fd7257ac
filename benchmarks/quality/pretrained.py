"""Makes the presets that come with the package, from its embedded emoji.

    python benchmarks/quality/pretrained.py
    python benchmarks/quality/pretrained.py --from_run=emoji:runs/r3gan --only=emoji
    python benchmarks/quality/pretrained.py --start

For each preset the command types `keras-gans train RECIPE --seed=0`, or takes a run
that is trained already, and writes `keras_gans/pretrained/NAME`: float16, with the
moving average in place of the generator, so that a preset is small. Its card says how
it was made, and how good it is by EfficientNet-Lite0 (extra `metrics`):

- of samples, the kernel distance of 1,570 to all of the 3D emoji;
- of translations of the tenth of the emoji that training leaves out, the mean L1
  distance to the true picture in [-1, 1], the mean distance of features, and the
  kernel distance of all to all true ones. Lower is better.

`--start` measures how long it takes from the start of Python to 16 samples of "emoji",
five times, and prints medians. Where JAX is installed TensorFlow imports it, which an
installation of this package alone has not: it is hidden here.
"""

import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import translation_recipes
import translation_scores

import keras_gans as kg
from keras_gans import metrics
from keras_gans.core import presets
from keras_gans.training import presets as of_runs
from keras_gans.training import runs
from keras_gans_cli import speeds

RECIPES = {
    "emoji": ["dcgan", "--steps=60000"],
    "lines_to_3d": ["pix2pix"],
    "flat_to_3d": ["cyclegan"],
}
START = """
import os, sys
sys.modules["jax"] = None
import keras_gans
keras_gans.from_preset("emoji").sample(16, seed=0)
os._exit(0)
"""
MOST = 10 * 10**6  # bytes of all
LICENCE = "MIT: Fluent Emoji by Microsoft, see keras_gans/data/assets"


def train(name, folder):
    """Types the training of a preset; returns the processor's seconds."""
    words = ["train", *RECIPES[name], "--seed=0", f"--run_dir={folder}"]
    before = _processor()
    subprocess.run([sys.executable, "-m", "keras_gans", *words], check=True)
    return _processor() - before


def _processor():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def averaged(gan):
    """The GAN of the same arguments without what training alone needs.

    Its generators have the weights of the moving average.
    """
    config = gan.constructor_config()
    config |= {n: x for n, x in {"ema": None, "pool_size": 0}.items() if n in config}
    config.pop("ema_rampup", None)
    small = type(gan).from_config(config)
    for name, network in small.networks.items():
        trained = gan.networks[name]
        if name in gan.generator_names:
            trained = gan.sampling_network(name)
        network.set_weights(trained.get_weights())
    for name, controller in small.controllers.items():
        for v, own in zip(
            controller.variables, gan.controllers[name].variables, strict=True
        ):
            v.assign(own)
    small.step.assign(gan.step)
    return small


def scores(gan, source):
    """Records of how good it is, as a run's log has them."""
    if gan.samples_from_seed:
        records = metrics.evaluate(gan, source, ["kid"], network="lite0", verbose=0)
        found = {record.name: record.value for record in records}
    else:
        held_out, truth = translation_recipes.split(source, "test")
        pictures = {"made": gan.translate(held_out), translation_scores.TRUTH: truth}
        found = translation_scores.of(pictures)["made"]
        found = {f"{name} of 157 held out": x for name, x in found.items()}
    return [{"name": name, "value": float(x)} for name, x in found.items()]


def write(name, run):
    """Writes a preset of a run, in place of the one before."""
    run, processor = run
    gan, position = runs.open_run(run)
    config = runs.read_config(run)
    small = averaged(gan)
    words = config["recipe"]
    if config["steps"]:
        words += f" --steps={config['steps']}"
    took = "its run has not noted how long"
    if position.seconds:
        took = f"{position.seconds / 60:.1f} minutes of the clock"
    if processor:
        took += f", {processor / 60:.1f} of the processor"
    small.save_to_preset(
        presets.PRETRAINED / name,
        overwrite=True,
        class_names=config["class_names"],
        recipe=of_runs.shareable(config),
        metrics={"step": position.step, "scores": scores(small, config["data"])},
        dtype="float16",
        facts={
            "made by": f"keras-gans train {words} --seed={config['seed']}",
            "training": took,
            "machine": speeds.machine(),
            "licence of the data": LICENCE,
            "weights": "float16; the generator is the moving average",
        },
    )


def measure_start(turns=5):
    """Prints how long Python takes to samples, of the clock and the processor."""
    clock, processor = [], []
    for _ in range(turns):
        before, start = _processor(), time.perf_counter()
        subprocess.run([sys.executable, "-c", START], check=True, capture_output=True)
        clock.append(time.perf_counter() - start)
        processor.append(_processor() - before)
    print(
        f"Median of {turns}: {statistics.median(clock):.2f} s of the clock, "
        f"{statistics.median(processor):.2f} s of the processor, on {speeds.machine()}"
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from_run", action="append", default=[], metavar="NAME:DIR")
    parser.add_argument("--only", action="append", choices=RECIPES)
    parser.add_argument("--start", action="store_true")
    args = parser.parse_args()
    if args.start:
        return measure_start()
    given = dict(text.split(":", 1) for text in args.from_run)
    if unknown := sorted(set(given) - set(RECIPES)):
        parser.error(f"presets are {', '.join(RECIPES)}, not {unknown[0]}")
    with tempfile.TemporaryDirectory() as folder:
        for name in args.only or RECIPES:
            if name in given:
                made = given[name], None
            else:
                run = pathlib.Path(folder, name)
                made = run, train(name, run)
            write(name, made)
            print((presets.PRETRAINED / name / presets.CARD).read_text(), flush=True)
    bytes_ = sum(p.stat().st_size for p in presets.PRETRAINED.glob("*/*"))
    print(f"{', '.join(kg.pretrained())}: {bytes_:,} bytes")
    if bytes_ > MOST:
        sys.exit(f"All presets together have at most {MOST:,} bytes.")


if __name__ == "__main__":
    main()
