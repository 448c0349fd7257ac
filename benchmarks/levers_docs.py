"""The table of levers and the plot of growth, in docs/performance.md."""

from levers import USUAL
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
import pages
import speed_docs

from keras_gans import files

AXES = {
    "size": "height and width, pixels",
    "batch": "images in a batch",
    "width": "channels of the largest map",
}


def write(rows):
    """Writes the table, and docs/images/growth.png."""
    levers = [row for row in rows if "medians" in row]
    if levers:
        pages.put(speed_docs.PAGE, {"levers": table(levers)})
    growth = [row for row in rows if "growth" in row]
    if growth:
        plot(growth, pages.DOCS / "images" / "growth.png")


def table(rows):
    """Seconds of a step with each lever and all before it."""
    header = ["with", *map(label_of, rows)]
    names = max((row["medians"] for row in rows), key=len)
    lines = []
    for name in names:
        cells = []
        for row in rows:
            first, seconds = (
                row["medians"].get(n) for n in ("TensorFlow", name)
            )
            cells.append(
                f"{seconds:.2f} s, {first / seconds:.2f} x" if seconds else "-"
            )
        lines.append([name, *cells])
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
