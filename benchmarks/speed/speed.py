"""How many images a second does training take, beside PyTorch and plain Keras?

    python benchmarks/speed/speed.py --torch=PYTHON
    python benchmarks/speed/speed.py --models=dcgan --dtypes=float32 --profile
    python benchmarks/speed/speed.py --gpu --torch=PYTHON --compile
    python benchmarks/speed/speed.py --docs

PYTHON is an interpreter with torch. Contenders take turns in one run, A B C A B
C, each in a process of its own that idles between its turns:

- ours, as users run it: the public class, `compile` with two
  `keras.optimizers.Adam`, `fit` of a data set;
- torch: a plain PyTorch step of the same networks, in the memory layout that a
  first turn found faster, with bfloat16 by autocast, the fakes of a step made
  once, fused Adam, and no filter gradients that nobody asks for;
- keras: a `train_step` of plain Keras layers as its guides write them;
- jax: ours on JAX, if asked for (--peers=jax,torch);
- off: of models that are measured as their recipes have them, our own step with
  Keras's implementations (KERAS_GANS_KERNELS=0).

All have every core. Their networks must have as many parameters. Each turn is
some steps after one that is not counted; inference and a matrix product of the
same type take turns likewise. Kept are medians over all counted steps, every
second of every turn, ratios of images a second (or of sounds, volumes or rows;
above 1: ours is faster) and
the peak memory of each process: once its networks are built, and in training.

The work of a step is counted from the shapes of our layers: 2 operations a
multiplication of convolutions and dense layers, upsampling and norms left out,
and `PASSES` forward passes' worth of them. What a contender does beyond that
lowers its share of the matrix product's speed.

With --gpu, ours on TensorFlow and on JAX and PyTorch use the first NVIDIA GPU, and
plain Keras's is left out; memory is still that of the processes. Where there is no
GPU the script says so, and ends.

A row goes to --results when it is done. Rows that stand there are not measured
again: delete them, or give another file.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import workers

HERE = pathlib.Path(__file__)
ROOT = HERE.parents[2]
DTYPES = ("float32", "bfloat16")
PEERS = ("torch", "keras", "off", "jax")
DEFAULT_PEERS = {False: "torch,keras,off", True: "torch,jax"}  # without and with a GPU
# `batch` images for each update of D; an image a pair where there are pairs.
# A round is as many steps as each phase needs to be due once.
# The width of wgan_gp is its critic's, the generator's twice that.
MODELS = {
    "dcgan": {"size": 64, "width": 64, "batch": 64, "d_steps": 1},
    "wgan_gp": {"size": 32, "width": 128, "batch": 64, "d_steps": 5},
    "conditional": {"size": 64, "width": 64, "batch": 64, "d_steps": 1},
    "pix2pix": {"size": 256, "width": 64, "batch": 1, "d_steps": 1},
    "cyclegan": {"size": 256, "width": 64, "batch": 1, "d_steps": 1},
    # Without what both sides leave out: the moving average, augmentation.
    "r3gan": {"size": 32, "width": 64, "batch": 32, "d_steps": 1},
    "stylegan2": {"size": 32, "width": 64, "batch": 16, "d_steps": 1, "round": 16},
}
# Recipes, without the same: size and width are said for PyTorch's networks.
RECIPES = {
    "biggan": {"size": 32, "width": 12, "batch": 32, "classes": 9},
    "sngan": {"size": 32, "width": 48, "batch": 32, "classes": 9},
    # The adversarial phase.
    "srgan": {"size": 64, "width": 32, "batch": 16, "given": {"pretrain_steps": 0}},
    "hifigan": {"size": 8192, "width": 128, "batch": 4},
    # With the discriminators of scales, which the recipe leaves out.
    "hifigan_scales": {
        "recipe": "hifigan",
        "size": 8192,
        "width": 128,
        "batch": 4,
        "given": {"scales": 3},
    },
    # As published, without spectrograms.
    "wavegan": {
        "size": 4096,
        "width": 12,
        "batch": 16,
        "round": 8,
        "given": {"mel_bands": None},
    },
    "voxel_gan": {"size": 32, "width": 8, "batch": 16},
    # A table of 30 numbers of three modes each, and a category of two.
    "ctgan": {"size": 30, "width": 128, "batch": 100},
}
MODELS |= {name: {"recipe": name, "d_steps": 1, **s} for name, s in RECIPES.items()}
WITH_PEER = {"keras": ("dcgan", "wgan_gp", "conditional"), "off": tuple(RECIPES)}
# Forward passes' worth of work of G and of D for each row of a batch. A pass
# that trains costs 3: forward, gradients of inputs and of weights. One that
# hands a gradient through costs 2.
PASSES = {
    "dcgan": (3, 3 + 3 + 2),
    "conditional": (3, 3 + 3 + 2),
    # Five times fakes, reals, fakes, and a penalty: forward, the gradient of
    # the images, and the gradients of that, of weights and of what came in.
    "wgan_gp": (5 * 1 + 3, 5 * (3 + 3 + 4) + 2),
    "pix2pix": (3, 3 + 3 + 2),
    # Both ways: a fake, the way back and the identity; two discriminators.
    "cyclegan": (2 * 3 * 3, 2 * (3 + 3 + 2)),
    # D sees fakes and reals; G learns through fakes of its own.
    "biggan": (1 + 3, 3 + 3 + 2),
    # Of reals and of fakes: forward, the gradient of the images, and what leads
    # back through both; then reals, and a way through D.
    "r3gan": (1 + 3, 2 * 6 + 1 + 2),
}
# What PyTorch reached with DCGAN 64 on a quiet machine, in channels_last:
# images a second, and GFLOP/s of a matrix product of 2048.
REACHED = {"float32": (80, 356), "bfloat16": (170, 2170)}
CPU_FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")


# --- Processes ---


def start(name, settings, args):
    if name == "torch":
        device = "cuda" if args.gpu else "cpu"
        return workers.Worker([args.torch, HERE.with_name("speed_torch.py"), device])
    command = [sys.executable, HERE.with_name("speed_keras.py")]
    if name == "keras":
        return workers.Worker([*command, name])
    env = dict(args.env)
    if name == "off":
        env["KERAS_GANS_KERNELS"] = "0"
    env["KERAS_BACKEND"] = "jax" if name == "jax" else "tensorflow"
    command.append("recipe" if "recipe" in settings else "ours")
    return workers.Worker(command, env)


# --- A row ---


def calibrate(settings, args):
    """PyTorch's forms: `(seconds of each, the fastest of each use)`."""
    worker = start("torch", settings, args)
    seconds = worker(
        "calibrate", settings=settings, steps=args.steps, compiled=args.compile
    )
    worker.close()
    best = {}
    for use, found in seconds.items():
        timed = {k: v for k, v in found.items() if not isinstance(v, str)}
        best[use] = min(timed, key=timed.get)
        print(f"  torch, {use}: {found}", flush=True)
    return seconds, best


def check_alike(parameters):
    """Ends the program where the networks of contenders differ."""
    if len({tuple(counts) for counts in parameters.values()}) > 1:
        sys.exit(
            "The contenders' networks have different numbers of parameters, "
            f"(generator, discriminator): {parameters}."
        )


def take_turns(workers, call, args):
    """Seconds of steps: {name: a list of each turn}."""
    seconds = {name: [] for name in workers}
    for turn in range(args.turns):
        for name, worker in workers.items():
            seconds[name].append(worker(call, steps=args.steps))
            last = statistics.median(seconds[name][-1])
            print(f"  {call} {turn} {name}: {last:.4f} s", flush=True)
    return seconds


def median(turns):
    return statistics.median(s for turn in turns for s in turn)


def rates(seconds, images):
    """Images a second of each contender, and ours over the others'."""
    found = {}
    for name, turns in seconds.items():
        found[name] = images / median(turns)
    ratios = {
        name: round(found["ours"] / rate, 3)
        for name, rate in found.items()
        if name != "ours"
    }
    if others := [ratio for name, ratio in ratios.items() if name != "jax"]:
        ratios["fastest"] = min(others)
    shown = {name: float(f"{rate:.4g}") for name, rate in found.items()}
    return {"images_per_second": shown, "ratios": ratios, "seconds": seconds}


def measure(settings, args):
    names = ["ours", *(p for p in args.peers if p in settings["peers"])]
    forms, best = None, None
    if "torch" in names:
        forms, best = calibrate(settings, args)
    workers = {name: start(name, settings, args) for name in names}
    parameters, versions = {}, {}
    for name, worker in workers.items():
        more = {"forms": best} if name == "torch" else {}
        parameters[name] = worker("open", settings=settings, **more)
        versions |= worker("versions")
        print(f"  {name} is ready", flush=True)
    check_alike(parameters)
    training = take_turns(workers, "train", args)
    memory = {name: worker("memory") for name, worker in workers.items()}
    inference = take_turns(workers, "infer", args)
    # The others have our library.
    pair = {k: v for k, v in workers.items() if k in ("ours", "torch")}
    products = take_turns(pair, "multiply", args)
    counted = settings["model"] in PASSES
    work = workers["ours"]("count") if counted else None
    if args.profile:
        print(workers["ours"]("profile", steps=args.steps), flush=True)
    for worker in workers.values():
        worker.close()
    images = settings["batch"] * settings["d_steps"] * settings.get("round", 1)
    row = {
        "settings": settings,
        "training": rates(training, images),
        "inference": rates(inference, settings["batch"]),
        "built_mib": {name: found["built"] for name, found in memory.items()},
        "peak_mib": {name: found["peak"] for name, found in memory.items()},
        "parameters": parameters["ours"],
        "forward_gflop": work and [round(n / 1e9, 6) for n in work],
        "products": products,
        "forms": forms,
        "fastest_forms": best,
        "versions": versions,
        "machine": machine() | ({"gpu": args.gpu} if args.gpu else {}),
    }
    if counted:
        row |= shares(row)
    row["warnings"] = warnings_of(row)
    return row


def shares(row):
    """GFLOP of an image, and what part of the matrix product is reached."""
    settings = row["settings"]
    passes = PASSES[settings["model"]]
    work = sum(n * f for n, f in zip(passes, row["forward_gflop"], strict=True))
    work /= settings["d_steps"]
    peaks = {
        name: 2 * 2048**3 / 1e9 / median(turns)
        for name, turns in row["products"].items()
    }
    found = {}
    for name, rate in row["training"]["images_per_second"].items():
        library = "torch" if name == "torch" else "ours"
        found[name] = round(rate * work / peaks[library], 3)
    return {
        "gflop_per_image": round(work, 3),
        "product_gflops": {k: round(v, 1) for k, v in peaks.items()},
        "shares_of_own_product": found,
    }


def warnings_of(row):
    """What makes a row doubtful, in words."""
    settings = row["settings"]
    usual = {"model": "dcgan", **MODELS["dcgan"]}
    if "torch" not in row["peak_mib"] or usual != {key: settings[key] for key in usual}:
        return []
    rate, peak_then = REACHED[settings["dtype"]]
    wanted = rate * row["gflop_per_image"] / peak_then
    share = row["shares_of_own_product"]["torch"]
    if share >= 0.8 * wanted:
        return []
    return [
        f"The peer is not at its best: torch reaches {share} of its matrix "
        f"product; {wanted:.3f} has been seen."
    ]


def gpu():
    """The name of the first NVIDIA GPU; ends the program where there is none."""
    asked = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        found = subprocess.run(asked, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"No GPU: nvidia-smi lists none ({error}).")
    return found.stdout.splitlines()[0]


def machine():
    info = pathlib.Path("/proc/cpuinfo").read_text()
    flags = re.search(r"^flags\s*:(.*)$", info, re.MULTILINE)[1].split()
    return {
        "cpu": re.search(r"^model name\s*:\s*(.*)$", info, re.MULTILINE)[1],
        "flags": [flag for flag in CPU_FLAGS if flag in flags],
        "cores": len(os.sched_getaffinity(0)),
        "load": [round(x, 1) for x in os.getloadavg()],
    }


def report(row):
    for use in ("training", "inference"):
        print(f"{use}: {row[use]['images_per_second']} a second")
        print(f"  ours over others: {row[use]['ratios']}")
    for name in (
        "gflop_per_image",
        "product_gflops",
        "shares_of_own_product",
        "built_mib",
        "peak_mib",
    ):
        print(f"{name}: {row.get(name)}")
    for warning in row["warnings"]:
        print(f"WARNING: {warning}")
    sys.stdout.flush()


# --- The program ---


def read_rows(path):
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def settings_of(model, dtype, args):
    """All that decides a row."""
    peers = [p for p in args.peers if model in WITH_PEER.get(p, MODELS)]
    settings = {"model": model, "dtype": dtype, **MODELS[model]}
    for name in ("size", "width", "batch"):
        if getattr(args, name):
            settings[name] = getattr(args, name)
    settings |= {"peers": peers, "turns": args.turns, "steps": args.steps}
    settings |= {"env": dict(args.env), "compile": args.compile}
    return settings | ({"gpu": args.gpu} if args.gpu else {})


def main(args):
    for model in args.models:
        for dtype in args.dtypes:
            settings = settings_of(model, dtype, args)
            if settings in [r["settings"] for r in read_rows(args.results)]:
                print(f"Measured before: {settings}", flush=True)
                continue
            print(f"\n{settings}", flush=True)
            row = measure(settings, args)
            report(row)
            args.results.parent.mkdir(parents=True, exist_ok=True)
            with open(args.results, "a") as file:
                file.write(json.dumps(row) + "\n")


def assignment(text):
    name, found, value = text.partition("=")
    if not found or not name:
        raise argparse.ArgumentTypeError(f"NAME=VALUE, not {text!r}")
    return name, value


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--models", default=",".join(MODELS))
    add("--dtypes", default=",".join(DTYPES))
    add("--peers", help=f"of {', '.join(PEERS)}; '' for none")
    add("--gpu", action="store_true", help="on the GPU of this machine")
    add("--torch", help="a Python with torch")
    add("--compile", action="store_true", help="try torch.compile as well")
    add("--turns", type=int, default=5)
    add("--steps", type=int, default=4, help="counted in a turn")
    add("--size", type=int, help="of the images, instead of each model's own")
    add("--width", type=int, help="of the networks")
    add("--batch", type=int, help="images in a batch")
    add(
        "--env",
        type=assignment,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="of our process alone; may be given again",
    )
    add(
        "--profile",
        action="store_true",
        help="prints our time by types, of a step and of a batch made",
    )
    add("--docs", action="store_true", help="writes docs/performance.md only")
    default = ROOT / "results" / "speed.jsonl"
    add("--results", type=pathlib.Path, default=default)
    args = parser.parse_args()
    if args.peers is None:
        args.peers = DEFAULT_PEERS[args.gpu]
    allowed = {"models": MODELS, "dtypes": DTYPES, "peers": PEERS}
    for flag, known in allowed.items():
        given = [x for x in getattr(args, flag).split(",") if x]
        if unknown := set(given) - set(known):
            parser.error(f"--{flag}: {unknown}; there are {', '.join(known)}")
        setattr(args, flag, given)
    if (args.size or args.width) and (of := set(args.models) & set(RECIPES)):
        parser.error(f"--size and --width of {', '.join(sorted(of))} are the recipe's")
    if "torch" in args.peers and not args.torch and not args.docs:
        parser.error("give --torch=PYTHON, or peers without it (--peers=keras)")
    args.gpu = gpu() if args.gpu else None
    return args


if __name__ == "__main__":
    args = parse()
    if args.docs:
        import speed_docs

        speed_docs.write(read_rows(args.results))
    else:
        main(args)
