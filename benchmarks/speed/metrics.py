"""Speed and memory of the metrics, beside torch-fidelity's in PyTorch.

    python benchmarks/speed/metrics.py --torch=PYTHON --results=results/metrics.jsonl
    python benchmarks/speed/metrics.py --docs

PYTHON is an interpreter with torch and torch-fidelity; without it, their rows
and Inception's, whose weights they draw, are left out, and a line says so. Both
sides have the same weights, images and features, OMP_NUM_THREADS threads (2),
and turns by turns: A B A B, each of some seconds and after a rest. Printed are
medians of the turns, and their ratio in this one run.

- Features a second, from uint8 images in memory to features in memory. Lite0
  has its ImageNet weights, Inception random ones: speed does not depend on
  them. Ours is `FeatureNetwork`, as `evaluate` uses it. Theirs, with channels
  last and in inference mode, is torch-fidelity's Inception, and Lite0 written
  in PyTorch with its own antialiased bicubic; each by torch.compile where that
  is faster. How much the features of both sides differ is printed, too.
- Seconds of a Frechet distance from features, against the form with SciPy's
  sqrtm, which pytorch-fid has, and torch-fidelity's.
- Seconds and memory of precision and recall: the peak of a fresh process, and
  how much of it came after its imports, the features themselves included.

The second command writes the last line of the results into docs/evaluation.md.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("OPENBLAS_NUM_THREADS", os.environ["OMP_NUM_THREADS"])
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", os.environ["OMP_NUM_THREADS"])

import keras
import numpy as np

import keras_gans
from keras_gans import metrics
from keras_gans.metrics.features import network
from keras_gans.networks.features import efficientnet_lite0

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import pages
import workers

HERE = pathlib.Path(__file__)
SIZE = 64  # pixels of the images that features are taken of
DIMENSIONS = 2048
TURN = 2.0  # seconds of ours in a turn, or one batch where that takes longer
REST = 0.5  # seconds before it: threads of the other side spin for a while


def start_peer(python):
    return workers.Worker([python, HERE.with_name("torch_metrics.py")])


def seconds_of(function):
    start = time.perf_counter()
    found = function()
    return time.perf_counter() - start, found


# --- Features ---


def compare_features(args, peer, folder):
    """Rows of features a second, of both networks."""
    rng = np.random.default_rng(0)
    side = network.LITE0_SIZE
    files_of, batches = {}, {}
    for size in (SIZE, side):
        shape = (args.batch_size, size, size, 3)
        batches[size] = rng.integers(0, 256, shape, dtype="uint8")
        files_of[size] = str(folder / f"{size}.npy")
        np.save(files_of[size], batches[size])
    lite0 = metrics.FeatureNetwork("lite0")
    lite0_file = str(efficientnet_lite0.weights_file())
    # what: (their name of it, its weights, the size of the images)
    due = {
        f"Lite0 at {side} from {SIZE} px": ("lite0_resized", lite0_file, SIZE),
        f"Lite0 at {side}, network alone": ("lite0", lite0_file, side),
        f"Inception from {SIZE} px": ("inception", str(folder / "inception.pth"), SIZE),
    }
    rows = []
    for what, (kind, weights, size) in due.items():
        forms = None
        if peer:
            forms = peer("open", kind=kind, path=weights, images=files_of[size])
        elif kind == "inception":
            continue
        ours = lite0
        if kind == "inception":  # the peer has drawn and written its weights
            ours = metrics.FeatureNetwork("inception", weights=weights)
        row = {"what": what, "unit": "images/s", "forms": forms}
        row |= compare_network(args, peer, ours, kind, batches[size], folder)
        rows.append(row)
        report(row)
    return rows


def compare_network(args, peer, ours, kind, images, folder):
    seconds = {"ours": [], "theirs": []}
    found = ours(images)["features"]  # compiles
    batches = max(1, round(TURN / seconds_of(lambda: ours(images))[0]))
    for _ in range(args.turns):
        time.sleep(REST)
        taken = seconds_of(lambda: [ours(images) for _ in range(batches)])[0]
        seconds["ours"].append(taken)
        if peer:
            time.sleep(REST)
            seconds["theirs"].append(peer("run", kind=kind, batches=batches))
    row = {
        side: round(len(images) * batches / statistics.median(times), 2)
        for side, times in seconds.items()
        if times
    }
    if peer:
        row["ratio"] = round(row["ours"] / row["theirs"], 3)
        out = str(folder / "out.npy")
        peer("run", kind=kind, out=out)
        want = np.load(out)
        gap = np.abs(found - want).max() / np.abs(want).max()
        row["difference"] = float(f"{gap:.1e}")
    return row


# --- Functions of features ---


def correlated(n, shift):
    """Features with a spectrum that falls off, as those of networks."""
    rng = np.random.default_rng(round(1 + 100 * shift))
    mix = np.random.default_rng(0).normal(size=(DIMENSIONS, DIMENSIONS))
    mix *= np.arange(1, DIMENSIONS + 1)[:, None] ** -0.7 / DIMENSIONS**0.5
    x = rng.standard_normal((n, DIMENSIONS), "float32") @ mix.astype("float32")
    return np.maximum(x + 0.1 + shift, 0)


def sqrtm_form(real, fake):
    """The distance as pytorch-fid has it."""
    import scipy.linalg

    (m_r, s_r), (m_f, s_f) = (
        (x.mean(axis=0), np.cov(x, rowvar=False)) for x in (real, fake)
    )
    root = scipy.linalg.sqrtm(s_r @ s_f)
    traces = np.trace(s_r) + np.trace(s_f) - 2 * np.trace(root.real)
    return float(np.square(m_r - m_f).sum() + traces)


def compare_distances(args, peer, sets):
    """Rows of seconds of a Frechet distance."""
    forms = {
        "ours": lambda: seconds_of(lambda: metrics.frechet_distance(*sets)),
        "sqrtm form (SciPy)": lambda: seconds_of(lambda: sqrtm_form(*sets)),
    }
    if peer:
        forms["torch-fidelity"] = lambda: peer("frechet")
    seconds = {name: [] for name in forms}
    values = {}
    for _ in range(args.distance_turns):
        for name, form in forms.items():
            taken, values[name] = form()
            seconds[name].append(taken)
    medians = {name: statistics.median(t) for name, t in seconds.items()}
    rows = []
    for name in list(forms)[1:]:
        gap = abs(values["ours"] - values[name]) / values[name]
        row = {
            "what": f"Frechet distance of {args.n:,} x {DIMENSIONS:,} features "
            f"against {name}",
            "unit": "s",
            "ours": round(medians["ours"], 2),
            "theirs": round(medians[name], 2),
            "ratio": round(medians[name] / medians["ours"], 2),
            "difference": float(f"{gap:.1e}"),
        }
        rows.append(row)
        report(row)
    return rows


def compare_memory(args, paths):
    """Rows of precision and recall, each side in a process of its own."""
    command = [sys.executable, str(HERE), "--child", *paths]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    found = {"ours": json.loads(text.splitlines()[-1])}
    if args.torch:
        peer = start_peer(args.torch)
        start = peer("peak")
        peer("load", real=paths[0], fake=paths[1])
        seconds, precision, recall, peak = peer("precision_recall")
        peer.close()
        found["theirs"] = [seconds, precision, recall, start, peak]
    rows = []
    what = f"precision and recall of {args.n:,} and {args.n:,} features"
    for unit in ("s", "MiB", "MiB in all"):
        row = {"what": what, "unit": unit}
        for side, (seconds, _, _, start, peak) in found.items():
            values = {"s": seconds, "MiB": peak - start, "MiB in all": peak}
            row[side] = round(values[unit], 1)
        if args.torch:
            row["ratio"] = round(row["theirs"] / row["ours"], 2)
            gaps = np.subtract(found["ours"][1:3], found["theirs"][1:3])
            row["difference"] = float(f"{np.abs(gaps).max():.1e}")
        rows.append(row)
        report(row)
    return rows


def child(paths):
    """Prints seconds, precision, recall, and MiB at first and at most."""
    start = workers.memory()
    seconds, found = seconds_of(lambda: metrics.precision_recall(*map(np.load, paths)))
    print(json.dumps([seconds, *found, start, workers.memory()]))


# --- Reports ---


def report(row):
    line = f"{row['what']}: {row['ours']:,} {row['unit']}"
    if "theirs" in row:
        line += (
            f", theirs {row['theirs']:,}, {row['ratio']} times as good; "
            f"results differ by {row['difference']:.1e}"
        )
    if row.get("forms"):
        shown = [f"{k} {v:.3f} s" for k, v in row["forms"].items()]
        line += f" (their forms: {', '.join(shown)})"
    print(line, flush=True)


def main(args):
    start = time.perf_counter()
    peer = start_peer(args.torch) if args.torch else None
    versions = {m.__name__: m.__version__ for m in (keras_gans, keras, np)}
    versions[keras.backend.backend()] = sys.modules[keras.backend.backend()].__version__
    if peer:
        versions |= peer("versions")
    else:
        print("Without --torch: rows of PyTorch and of Inception left out.")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        rows = compare_features(args, peer, folder)
        sets = [correlated(args.n, shift) for shift in (0.0, 0.05)]
        paths = [str(folder / side) for side in ("real.npy", "fake.npy")]
        for path, x in zip(paths, sets, strict=True):
            np.save(path, x)
        if peer:
            peer("load", real=paths[0], fake=paths[1])
        rows += compare_distances(args, peer, sets)
        if peer:
            peer.close()
        rows += compare_memory(args, paths)
    result = {
        "batch_size": args.batch_size,
        "turns": args.turns,
        "threads": int(os.environ["OMP_NUM_THREADS"]),
        "cores": len(os.sched_getaffinity(0)),
        "load": [round(x, 1) for x in os.getloadavg()],
        "versions": versions,
        "rows": rows,
    }
    minutes = (time.perf_counter() - start) / 60
    print(f"{minutes:.1f} minutes; load of the machine {result['load']}")
    if args.results:
        args.results.parent.mkdir(parents=True, exist_ok=True)
        with open(args.results, "a") as file:
            file.write(json.dumps(result) + "\n")


def write_docs(path):
    """Puts the last line of the results into docs/evaluation.md."""
    result = json.loads(path.read_text().splitlines()[-1])
    lines = [
        "| | ours | PyTorch or SciPy | ratio | results differ by |",
        "|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        cells = [row["what"], f"{row['ours']:,} {row['unit']}"]
        if "theirs" in row:
            cells.append(f"{row['theirs']:,} {row['unit']}")
            cells.append(f"{row['ratio']} x")
            cells.append(f"{row['difference']:.1e}")
        else:
            cells += [""] * 3
        lines.append(f"| {' | '.join(cells)} |")
    versions = ", ".join(f"{k} {v}" for k, v in result["versions"].items())
    lines += [
        "",
        f"Medians of {result['turns']} interleaved turns in one run, batches "
        f"of {result['batch_size']}, {result['threads']} threads a side on "
        f"{result['cores']} cores, {versions}. Above 1, the ratio is in our "
        f"favour. The load of the machine was {result['load'][0]} at the end.",
    ]
    pages.put("evaluation.md", {"speed": "\n".join(lines)})


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--torch", help="a Python with torch and torch-fidelity")
    add("--n", type=int, default=10_000, help="features of each side")
    add("--batch_size", type=int, default=64)  # as `evaluate` has it
    add("--turns", type=int, default=5)
    add("--distance_turns", type=int, default=1)
    add("--results", type=pathlib.Path, help="a line of JSON is appended")
    add("--docs", action="store_true", help="writes docs/evaluation.md, no more")
    add("--child", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    args = parse()
    if args.child:
        child(args.child)
    elif args.docs:
        default = HERE.parents[2] / "results" / "metrics.jsonl"
        write_docs(args.results or default)
    else:
        main(args)
