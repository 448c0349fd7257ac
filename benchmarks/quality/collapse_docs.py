"""The tables and plots of docs/collapse.md, from rows of mode_coverage.py."""

import pathlib
import sys

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
import numpy as np

from keras_gans.data import toy
from keras_gans.utils import files

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import pages

PANELS = 6  # a row of scatter plots


def write(rows, names, still_names):
    """Writes docs/images/collapse_*.png and the tables of docs/collapse.md."""
    covered = {name: _of(rows, "coverage", name) for name in names}
    still = {name: _of(rows, "still", name) for name in still_names}
    tables = {"modes": _modes_table(covered), "gradients": _gradients_table(still)}
    pages.put("collapse.md", tables)
    _scatter(covered, pages.DOCS / "images" / "collapse_modes.png")
    _curves(still, pages.DOCS / "images" / "collapse_gradients.png")


def _of(rows, kind, name):
    found = [r for r in rows if (r["kind"], r["name"]) == (kind, name)]
    return sorted(found, key=lambda row: row["seed"])


def _modes_table(covered):
    lines = ["| | modes of 25 | high-quality samples | seeds |", "|---|---|---|---|"]
    for name, rows in covered.items():
        modes = [str(row["modes"]) for row in rows]
        quality = [f"{100 * row['high_quality']:.1f} %" for row in rows]
        if any(row.get("diverged") for row in rows):
            name += " (diverged)"
        lines.append(
            f"| {name} | {', '.join(modes)} | {', '.join(quality)} | {len(rows)} |"
        )
    return "\n".join(lines)


def _gradients_table(still):
    lines = [
        "| | D(G(z)), or C(G(z)), at the end | G's gradient at step 1 | "
        "median of the last 100 steps | ratio |",
        "|---|---|---|---|---|",
    ]
    for name, rows in still.items():
        curve = np.array(rows[0]["curve"])
        before, after = curve[0, 1], np.median(curve[-10:, 1])
        lines.append(
            f"| {name} | {np.median(curve[-10:, 0]):.2g} | {before:.2g} | "
            f"{after:.2g} | {after / before:.2g} |"
        )
    return "\n".join(lines)


def _figure(width, height):
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure, path):
    with files.replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=80)


def _scatter(covered, path):
    """A panel a row of the table: 500 samples over the 25 centres."""
    lines = -(-len(covered) // PANELS)
    figure = _figure(2 * PANELS, 2.2 * lines)
    axes = figure.subplots(lines, PANELS, squeeze=False).ravel()
    centres = toy.grid(1).centres
    for ax in axes:
        ax.set_axis_off()
    for ax, (name, rows) in zip(axes, covered.items(), strict=False):
        points = np.array(rows[0]["points"])
        ax.scatter(*centres.T, s=40, c="tab:orange", alpha=0.4, linewidths=0)
        ax.scatter(*points.T, s=1, c="tab:blue")
        ax.set_xlim(-5.5, 5.5)
        ax.set_ylim(-5.5, 5.5)
        ax.set_aspect("equal")
        label = name.replace("`", "")
        ax.set_title(f"{label}\n{rows[0]['modes']} modes", fontsize=7)
    _save(figure, path)


def _curves(still, path):
    """G's gradient while D trains against a G that stands still."""
    figure = _figure(10, 4)
    left, right = figure.subplots(1, 2, sharey=True)
    for name, rows in still.items():
        ax = right if " + " in name or name == "`minimax`" else left
        if name == "`minimax`":
            _line(left, name, rows)
        _line(ax, name, rows)
    left.set_title("objectives", fontsize=9)
    right.set_title("minimax and cures", fontsize=9)
    left.set_ylabel("norm of G's gradient")
    for ax in (left, right):
        ax.set_yscale("log")
        ax.set_xlabel("steps of D")
        ax.grid(alpha=0.3)
        ax.legend(fontsize=6)
    _save(figure, path)


def _line(ax, name, rows):
    curve = np.array(rows[0]["curve"])
    steps = 10 * np.arange(len(curve))
    ax.plot(steps, curve[:, 1], label=name.replace("`", ""), linewidth=0.9)
