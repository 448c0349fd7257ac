"""docs/results.md, from rows of results.py."""

import pathlib

from keras_gans import files
from keras_gans import recipes

DOCS = pathlib.Path(__file__).parents[1] / "docs"
SETS = {
    "fashion_mnist": (
        "Fashion-MNIST",
        "28 x 28, grey. Trained on the 60,000 images of the training split, "
        "scored against the first 5,000 of the test split.",
    ),
    "emoji": (
        "Emoji",
        "32 x 32, colour: the embedded set. There is no split: scored against "
        "all of the images, which training saw as well.",
    ),
}
# Metric, heading, whether more is better
SCORES = (
    ("fid", "Fréchet distance", False),
    ("kid", "kernel distance", False),
    ("precision", "precision", True),
    ("recall", "recall", True),
    ("coverage", "coverage", True),
)
# Each tutorial, and what of ours is trained for the same.
BASELINES = {
    "guide_dcgan": ("dcgan", 'Keras\'s guide "Customizing fit()", its GAN'),
    "tutorial_dcgan": ("dcgan", "TensorFlow's DCGAN tutorial"),
    "example_wgan_gp": ("wgan_gp", "keras.io's WGAN-GP example"),
}
# (set, GAN): what a score that was lost is due to, found by hand.
REASONS = {}

HEAD = """# Results

Every GAN for noise or classes, and the tutorials that people find first, each
trained for {minutes:g} minutes on {cores} cores, alone on the machine, from
seed {seed}; the clock starts after the first step. Recipes are as `keras-gans
train` has them, with nothing but the image's shape and the number of classes
changed. **Baselines** are the networks, rates, losses and batch sizes of
tutorials, rebuilt (benchmarks/baselines.py). TensorFlow's oneDNN is on for all
of them ([performance.md](performance.md)).

Distances are of Lite0 features ([evaluation.md](evaluation.md)): lower is
better; precision, recall and coverage are shares: higher is better. As many
samples as reals are scored. One seed, minutes of training on CPUs: what these
tables compare is how far each gets at once, not what it can reach in the end.
The machine was shared: its speed is that of 2,048 x 2,048 matrix products right
before and right after training, in GFLOP/s. Where two rows differ in it, so did
their chances.
"""


def write(rows, models):
    """Writes docs/results.md.

    Args:
        rows: list of dict, as results.py measures them.
        models: their names, in the order of the rows of the pictures.
    """
    first = rows[0]
    parts = [
        HEAD.format(
            minutes=first["settings"]["minutes"],
            cores=first["cores"],
            seed=first["settings"]["seed"],
        )
    ]
    for name, (heading, about) in SETS.items():
        of_set = {
            row["settings"]["model"]: row
            for row in rows
            if row["settings"]["data"] == name
        }
        if of_set:
            parts.append(_section(name, heading, about, of_set, models))
        else:
            parts.append(f"## {heading}\n\nNot measured yet.\n")
    versions = ", ".join(f"{k} {v}" for k, v in first["versions"].items())
    parts.append(
        "## How this page is made\n\n```bash\n"
        "python benchmarks/results.py --data_dir=DIR\n"
        "python benchmarks/results.py --docs\n```\n\n"
        "DIR is where tensorflow-datasets keeps Fashion-MNIST. All settings, "
        "counts, seeds and hashes of weights of each row are in "
        f"results/results.jsonl; {versions}.\n"
    )
    with files.replacing(DOCS / "results.md") as temporary:
        temporary.write_text("\n".join(parts))


def _section(name, heading, about, rows, models):
    network = next(iter(rows.values()))["records"][0]
    counts = f"{network['fakes']:,} samples, {network['reals']:,} reals"
    titles = " | ".join(title for _, title, _ in SCORES)
    lines = [f"## {heading}", "", f"{about} {counts}.", ""]
    lines += [
        f"| | {titles} | steps | images/s | machine's speed |",
        "|---" * 9 + "|",
    ]
    shown = [model for model in models if model in rows]
    for model in shown:
        row = rows[model]
        before, after = row["product_gflops"]
        cells = [f"{_score(row, metric):.3g}" for metric, _, _ in SCORES]
        lines.append(
            f"| {_label(model)} | {' | '.join(cells)} | {row['steps']:,} | "
            f"{row['images_per_second']:,} | {before:.0f}, {after:.0f} |"
        )
    lines += ["", *_compared(name, rows), ""]
    text = f"Samples; from the top: {', '.join(models)}."
    if missing := [model for model in models if model not in rows]:
        text += f" Not measured yet, and empty: {', '.join(missing)}."
    lines += [f"![{text}](images/results_{name}.png)", "", text, ""]
    return "\n".join(lines)


def _label(model):
    if model in BASELINES:
        return f"**baseline**: {BASELINES[model][1]} (`{model}`)"
    recipe = recipes.get(model)
    kept = {
        k: v
        for k, v in recipe.arguments.items()
        if k not in ("image_shape", "num_classes")  # the set's
    }
    arguments = ", ".join(f"{k}={v}" for k, v in kept.items())
    return f"`{model}`" + (f" ({arguments})" if arguments else "")


def _score(row, metric):
    return next(
        record["value"]
        for record in row["records"]
        if record["metric"] == metric
    )


def _compared(name, rows):
    """Lines that say where ours is better than each baseline, and where not.

    First comes what was trained for the same, then every other GAN that some
    score puts behind.
    """
    for baseline, (ours, _) in BASELINES.items():
        if baseline not in rows:
            continue
        if ours in rows:
            lost = _lost(rows[ours], rows[baseline])
            yield _line(name, ours, baseline, lost)
        for other, row in rows.items():
            lost = _lost(row, rows[baseline])
            if lost and other != ours and other not in BASELINES:
                yield _line(name, other, baseline, lost)


def _lost(ours, baseline):
    """The headings of the scores in which ours is not better."""
    return [
        title
        for metric, title, more in SCORES
        if not (
            _score(ours, metric) > _score(baseline, metric)
            if more
            else _score(ours, metric) < _score(baseline, metric)
        )
    ]


def _line(name, ours, baseline, lost):
    if not lost:
        return f"- `{ours}` is better than `{baseline}` in every score."
    reason = REASONS.get((name, ours), "")
    return (
        f"- `{ours}` is **not better** than `{baseline}` in {', '.join(lost)}. "
        f"{reason}"
    ).rstrip()
