"""docs/translation.md, from rows of translation_recipes.py."""

import json
import pathlib

from keras_gans.training import recipes
from keras_gans.utils import files
from keras_gans_cli import speeds

DOCS = pathlib.Path(__file__).parents[2] / "docs"

# of each recipe: its heading, what it is compared with, its targets: a score, and
# what it is to be lower than, a number or that of a method
TASKS = {
    "pix2pix": (
        "Pix2Pix: line art to 3D",
        "The recipe is compared with the mean training picture, and with the 3D "
        "picture of the training emoji whose line art is nearest.",
        [
            ("L1", 0.22),
            ("L1", "mean picture"),
            ("L1", "nearest training picture"),
            ("kernel distance", "mean picture"),
        ],
    ),
    "cyclegan": (
        "CycleGAN: flat to 3D, unpaired",
        "Both styles hold the same emoji, each in its own random order: pairs "
        "occur only by chance. The recipe is compared with the flat picture "
        "itself, and with this picture after its colours are mapped linearly to "
        "the mean and covariance of all 3D pixels.",
        [
            ("L1", "flat"),
            ("L1", "colour moments"),
            ("feature distance", "flat"),
            ("feature distance", "colour moments"),
        ],
    ),
    "colorization": (
        "Colourisation",
        "The recipe adds colours to the lightness of 3D emoji. It is compared "
        "with the lightness alone, which is grey.",
        [("L1", "grey"), ("feature distance", "grey")],
    ),
    "inpainting": (
        "Inpainting",
        "The holes are of all kinds, and a tenth to two fifths of the picture. "
        "They are not the holes of training. L1 is measured in the hole alone. "
        "The recipe is compared with the mean of the pixels that touch the hole.",
        [("L1", "mean of the border"), ("feature distance", "mean of the border")],
    ),
}
OURS = "this recipe"
SCORES = ("L1", "feature distance", "kernel distance")

HEAD = """# Translation, measured

This page shows what the recipes that translate learn by default, in minutes on
{machine}. These commands make the page:

```bash
{commands}
python benchmarks/quality/translation_recipes.py --docs
```

They run what a user would type: `keras-gans train NAME` and `keras-gans translate
RUN`, with only the seed and the folders added. Training sees nine tenths of the
embedded emoji, at 64 x 64 pixels. Everything below is measured on the 157 others.

L1 is the mean absolute difference of pixels in [-1, 1]. The feature distance is the
distance of Lite0 features between a picture and the true one. The kernel distance
uses Lite0 features, too ([evaluation.md](evaluation.md)), and compares all pictures
with all true ones. Lower is better for all three. If seeds differ, a cell has a value
for each seed above. The seed decides initial weights, batches, crops and flips. Real
pictures, such as the nearest training picture, have a kernel distance near 0. The
recipes were chosen by runs with seed 0 on the same held-out emoji. Other programs ran
during the measurements, which makes wall-clock times longer; on two free cores they
are about half of the CPU times.
"""


def read_rows(path):
    """The rows of a file of JSON lines, none of a file that is not there."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def write(path, settings):
    """Writes docs/translation.md from rows, a section a recipe.

    Args:
        path: of the rows.
        settings: dict of each recipe to its check sum: rows of others are old.
    """
    rows = [r for r in read_rows(path) if r["setting"] == settings[r["recipe"]]]
    rows.sort(key=lambda row: row["seed"])
    parts, missed = [], []
    for name, about in TASKS.items():
        found = [row for row in rows if row["recipe"] == name]
        if found:
            text, failed = _section(name, found, *about)
            parts.append(text)
            missed += failed
    machine = rows[0]["machine"].rpartition(", ")[0]
    commands = []
    for name in TASKS:
        seeds = ",".join(str(row["seed"]) for row in rows if row["recipe"] == name)
        if seeds:
            script = "python benchmarks/quality/translation_recipes.py"
            commands.append(f"{script} {name} --seeds={seeds}")
    head = HEAD.format(machine=machine, commands="\n".join(commands))
    versions = ", ".join(f"{k} {v}" for k, v in rows[0]["versions"].items())
    foot = f"Rows are in results/translation.jsonl. {versions}.\n"
    with files.replacing(DOCS / "translation.md") as temporary:
        temporary.write_text("\n".join([head, _summary(missed), *parts, foot]))


def _summary(missed):
    if not missed:
        return "All targets are met, on every seed.\n"
    return "**Targets that are missed:** " + "; ".join(missed) + ".\n"


def _section(name, rows, heading, about, targets):
    lines = [f"## {heading}", "", about, ""]
    lines += ["| | " + " | ".join(SCORES) + " |", "|---" * 4 + "|"]
    for method in rows[0]["scores"]:
        cells = [
            _once([f"{row['scores'][method][score]:.3g}" for row in rows])
            for score in SCORES
        ]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    lines += ["", "| target of the recipe | met on seeds |", "|---|---|"]
    missed = []
    for score, than in targets:
        met = [_less(row["scores"], score, than) for row in rows]
        what = than if isinstance(than, str) else f"{than:g}"
        target = f"{score} lower than {what}"
        lines.append(f"| {target} | {_share(met)} |")
        if not all(met):
            missed.append(f"{name}, {target} ({_share(met)})")
    text = f"Held-out emoji, seed 0: the recipe {name} and what it is compared with."
    lines += ["", f"![{text}](images/recipe_{name}.png)", ""]
    return "\n".join([*lines, f"{_times(name, rows)}.", ""]), missed


def _less(scores, score, than):
    most = scores[than][score] if isinstance(than, str) else than
    return scores[OURS][score] < most


def _times(name, rows):
    """How long training took, and what `list` says."""
    clock = ", ".join(f"{row['seconds'] / 60:.1f}" for row in rows)
    used = ", ".join(f"{row['processor_seconds'] / 60:.1f}" for row in rows)
    told = speeds.minutes(recipes.get(name), speeds.read()[0])
    text = f"Training took {clock} minutes of wall-clock time and {used} of CPU time"
    return text if told is None else f"{text}; `keras-gans list` estimates {told:.1f}"


def _once(values):
    """The values of all seeds, once where they are the same."""
    return values[0] if len(set(values)) == 1 else ", ".join(values)


def _share(met):
    share = f"{sum(met)} of {len(met)}"
    return share if all(met) else f"**{share}: missed**"
