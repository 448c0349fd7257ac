"""The command `keras-gans doctor`."""

import argparse
import contextlib
import importlib.util
import itertools
import os
import platform
import shutil
import statistics
import time

from keras_gans_cli import recipes, speeds, values
from keras_gans_cli import words as said

SUMMARY = "Tell what is installed, what runs where, and what is slow."
ROOM = 2  # GB of disk or memory below which it is told
WARM_UP, LEAST, MOST = 3, 5, 100  # steps that are timed
SECONDS = 4  # ... and for how long


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    parser.add_argument(
        "--speed",
        action="store_true",
        help="also time a few steps of each recipe, which takes some minutes; "
        "`list` then tells this machine's minutes",
    )


def run(args: argparse.Namespace) -> None:
    """keras-gans doctor"""
    import keras

    notes = []
    rows = [
        ("versions", _versions()),
        ("backend", f"{keras.backend.backend()}, {keras.config.dtype_policy().name}"),
        ("devices", _devices(keras.backend.backend(), notes)),
        ("processor", f"{speeds.processor()}; {_instructions()}"),
        ("oneDNN", _one_dnn(keras.backend.backend(), notes)),
        ("kernels", _kernels(notes)),
        ("extras", _extras()),
        ("disk", _disk(notes)),
        ("memory", _memory(notes)),
        ("speed", _products(notes)),
    ]
    _note_load(notes)
    print(values.table(rows))
    print("\nWhat is slow or missing, and why:" if notes else "\nNothing is amiss.")
    for note in notes:
        print(f"- {note.replace('pip install', f'{said.pip()} install')}")
    if args.speed:
        print("\nSeconds of a training step:", flush=True)
        _time_recipes()
    said.next_steps(
        ("what can be trained, and how long it takes", "list"),
        ("train on the emoji that come with it", "train", "dcgan"),
    )


# --- What is there ---


def _versions():
    from importlib import metadata

    versions = [f"keras-gans {recipes.load_file('version.py').__version__}"]
    versions.append(f"Python {platform.python_version()}")
    for name in ("keras", "tensorflow", "jax", "numpy", "pillow"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions.append(f"{name} {metadata.version(name)}")
    return ", ".join(versions)


def _devices(backend, notes):
    if backend == "jax":
        import jax

        names = [str(device) for device in jax.devices()]
        kinds = {device.platform for device in jax.devices()}
    else:
        import tensorflow as tf

        devices = tf.config.list_physical_devices()
        names = [device.name.removeprefix("/physical_device:") for device in devices]
        kinds = {device.device_type.lower() for device in devices}
    if kinds == {"cpu"}:
        notes.append(
            "There is no GPU that the backend can use: images of 32 pixels train "
            "in minutes, large ones in hours or days. With a GPU of NVIDIA: "
            "pip install 'tensorflow[and-cuda]'; --verbose shows why it fails."
        )
        if backend == "jax":
            notes.append(
                "JAX is slower than TensorFlow on a CPU, at large convolutions "
                "some four times: unset KERAS_BACKEND."
            )
    return ", ".join(names)


def _instructions():
    has = recipes.load_file("utils/startup.py").instructions()
    known = {"avx2": "AVX2", "avx512f": "AVX-512", "avx512_bf16": "bfloat16"}
    known["amx_tile"] = "AMX"
    return ", ".join(text for name, text in known.items() if name in has) or "no AVX2"


def _one_dnn(backend, notes):
    value = os.environ.get("TF_ENABLE_ONEDNN_OPTS")
    if backend != "tensorflow":
        return "of TensorFlow alone"
    if value == "0":
        notes.append(
            "TF_ENABLE_ONEDNN_OPTS=0 turns oneDNN off, with which most CPUs "
            "train faster: unset it."
        )
    text = "TF_ENABLE_ONEDNN_OPTS is not set: TensorFlow chooses"
    return text if value is None else f"{'off' if value == '0' else 'on'} ({value})"


def _kernels(notes):
    from keras_gans.engine.kernels import choice

    states = choice.in_use()
    off = {}
    for name, state in states.items():
        if state != "on":
            off.setdefault(state, []).append(name)
    if any("KERAS_GANS_KERNELS" in state for state in off):
        notes.append("KERAS_GANS_KERNELS turns faster implementations off: unset it.")
    on = [name for name, state in states.items() if state == "on"]
    lines = [f"on: {', '.join(on) or 'none'}"]
    lines += [f"{state} ({', '.join(names)})" for state, names in off.items()]
    return "\n".join(lines)


def _extras():
    lines, width = [], max(map(len, said.EXTRAS)) + 2
    for extra, module in said.EXTRAS.items():
        there = importlib.util.find_spec(module) is not None
        how = "installed" if there else f"{said.pip()} install 'keras_gans[{extra}]'"
        lines.append(f"{extra + ':':{width}}{how}")
    return "\n".join(lines)


def _disk(notes):
    free = shutil.disk_usage(".").free / 1e9
    if free < ROOM:
        notes.append(f"{free:.1f} GB are free here, which a run may fill.")
    return f"{free:.1f} GB free in {os.getcwd()}"


def _memory(notes):
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
        free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES") / 1e9
    except (ValueError, OSError, AttributeError):
        return "unknown"
    if total < ROOM:
        notes.append(f"This machine has {total:.1f} GB of memory: --accumulate=4.")
    return f"{free:.1f} of {total:.1f} GB free"


def _note_load(notes):
    cores = speeds.cores()
    if hasattr(os, "getloadavg") and os.getloadavg()[0] > cores + 0.5:
        notes.append(
            f"Other programs are busy: a load of {os.getloadavg()[0]:.1f} on {cores} "
            "cores. All times are longer by as much."
        )


# --- How fast it is ---


def _products(notes):
    """Matrix products a second, of each type."""
    import keras
    from keras import ops

    rates = {}
    for kind in ("float32", "bfloat16"):
        x = keras.random.normal((1024, 1024), dtype=kind, seed=0)
        times = []
        for _ in range(6):
            begun = time.perf_counter()
            float(ops.matmul(x, x)[0, 0])
            times.append(time.perf_counter() - begun)
        rates[kind] = 2 * 1024**3 / min(times) / 1e9
    text = ", ".join(f"{rate:.0f} GFLOP/s in {kind}" for kind, rate in rates.items())
    if rates["bfloat16"] > 1.5 * rates["float32"]:
        notes.append(
            "This machine multiplies faster in bfloat16: try "
            "--dtype_policy=mixed_bfloat16."
        )
    return f"matrix products, {text}"


def _time_recipes():
    timings = {}
    for name, recipe in recipes.recipes().items():
        seconds, steps = time_recipe(name)
        timings[name] = {
            "seconds_per_step": float(f"{seconds:.3g}"),
            "steps_per_epoch": steps,
            "setting": speeds.setting(recipe),
        }
        minutes = seconds * steps * recipe.epochs / 60
        print(f"{name:16} {seconds:8.3f}   {minutes:6.1f} minutes in all", flush=True)
        speeds.write(timings)


def time_recipe(name: str) -> tuple[float, int]:
    """Times a recipe as `train NAME` runs it.

    Args:
        name: str.

    Returns:
        `(seconds, steps)`: of a step, the median of a few; and of an epoch.
    """
    import keras

    from keras_gans.training import datasets, recipes, runs

    config = runs.new_config(name)
    gan = runs.build(config)
    dataset, steps = datasets.training(recipes.get(name), config, gan, None)
    ends = []

    def note(batch, logs):
        ends.append(time.perf_counter())
        timed = len(ends) - WARM_UP
        if timed > LEAST and ends[-1] - ends[WARM_UP] > SECONDS:
            gan.stop_training = True

    gan.fit(
        dataset,
        steps_per_epoch=MOST,
        shuffle=False,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=note)],
    )
    times = [b - a for a, b in itertools.pairwise(ends[WARM_UP:])]
    return statistics.median(times), steps
