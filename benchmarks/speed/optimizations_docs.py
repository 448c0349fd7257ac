"""The ablation of optimizations and the plot of growth in performance.md."""

import pathlib
import sys

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
import speed_docs

from keras_gans.utils import files

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import pages

# What rows call optimizations that have other names by now.
NAMES = {
    "small_maps": "im2col",
    "halves": "tiling",
    "kernels without oneDNN": "all but oneDNN",
}
# The DCGAN whose numbers are changed one at a time.
USUAL = {"size": 64, "batch": 64, "width": 64}
AXES = {
    "size": "height and width, pixels",
    "batch": "images in a batch",
    "width": "channels of the largest map",
}


def write(rows):
    """Writes the table, and docs/images/growth.png."""
    ablation = [row for row in rows if "medians" in row]
    if ablation:
        pages.put(speed_docs.PAGE, {"optimizations": table(ablation)})
    timed = [row for row in rows if "choices" in row]
    if timed:
        tables = {"choices": choices_table(timed), "choosing": choosing_table(timed)}
        pages.put(speed_docs.PAGE, tables)
    growth = [row for row in rows if "growth" in row]
    if growth:
        plot(growth, pages.DOCS / "images" / "growth.png")


def table(rows):
    """Seconds of a step with each optimization and all before it."""
    header = ["with", *map(label_of, rows)]
    names = max((row["medians"] for row in rows), key=len)
    lines = []
    for name in names:
        cells = []
        for row in rows:
            first, seconds = (row["medians"].get(n) for n in ("TensorFlow", name))
            cells.append(
                f"{seconds:.2f} s, {first / seconds:.2f} x" if seconds else "-"
            )
        lines.append([NAMES.get(name, name), *cells])
    return speed_docs.table_of(header, lines)


def choices_table(rows):
    """How often each candidate was chosen, and what it gave there."""
    header = ["", "direction", "type", "timed", "chosen", "Keras's time over its own"]
    cells = {}
    for row in rows:
        for key, entry in row["choices"].items():
            direction, kind, _ = key.split(" ", 2)
            for name in entry["ms"]:
                place = cells.setdefault((name, direction, kind), [0, []])
                place[0] += 1
                if entry["name"] == name:
                    place[1].append(entry["ms"]["keras"] / entry["ms"][name])
    lines = []
    for (name, direction, kind), (timed, gains) in sorted(cells.items()):
        told = "-"
        if gains and name != "keras":
            told = f"{min(gains):.2f} to {max(gains):.2f}"
        words = direction.replace("_", " ")
        lines.append([f"**{name}**", words, kind, timed, len(gains), told])
    return speed_docs.table_of(header, lines)


def choosing_table(rows):
    """What choosing costs, once on a machine, and the first steps after that."""
    header = ["", "type", "choosing, s", "first two steps, s: ours, plain Keras"]
    header.append("ours / plain Keras")
    lines = []
    for row in rows:
        ours, plain = row["opening"]["chosen"], row["opening"]["keras"]
        cells = [row["choosing"], f"{ours}, {plain}", round(ours / plain, 2)]
        lines.append([label_of(row), row["settings"]["dtype"], *cells])
    return speed_docs.table_of(header, lines)


def label_of(row):
    s = row["settings"]
    label = f"{speed_docs.NAMES[s['model']]} {s['size']}x{s['size']}"
    return f"{label}, width {s['width']}, batch {s['batch']}"


def plot(rows, path):
    """Seconds of a DCGAN's step over each number that is changed alone."""
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    axes = figure.subplots(1, len(AXES), sharey=True)
    for ax, (name, label) in zip(axes, AXES.items(), strict=True):
        others = [key for key in USUAL if key != name]
        points = sorted(
            (row["settings"][name], row["growth"])
            for row in rows
            if all(row["settings"][key] == USUAL[key] for key in others)
        )
        ax.plot([x for x, _ in points], [y for _, y in points], "o-")
        ax.set_xscale("log", base=2)
        ax.set_yscale("log", base=2)
        ax.set_xticks([x for x, _ in points], [str(x) for x, _ in points])
        ax.set_xlabel(label)
        ax.grid(alpha=0.3)
    axes[0].yaxis.set_major_formatter("{x:.3g}")
    axes[0].set_ylabel("seconds a step")
    FigureCanvasAgg(figure)
    with files.replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=100)
