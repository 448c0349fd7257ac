"""docs/results.md, from rows of results.py."""

import pathlib

from keras_gans.utils import files

DOCS = pathlib.Path(__file__).parents[2] / "docs"
SETS = {
    "fashion_mnist": (
        "Fashion-MNIST",
        "The images are grey, 28 x 28 pixels. The GANs were trained on the 60,000 "
        "images of the training split, and scored against the first 5,000 of the test "
        "split.",
    ),
    "emoji": (
        "Emoji",
        "The images are the embedded set, in colour, 32 x 32 pixels. There is no "
        "split: samples are scored against all images, which were also trained on.",
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
BASELINES = {
    "guide_dcgan": 'Keras\'s guide "Customizing fit()", its GAN',
    "tutorial_dcgan": "TensorFlow's DCGAN tutorial",
    "example_wgan_gp": "keras.io's WGAN-GP example",
}
# (set, score): why some of ours are behind a baseline in it, found by hand.
R3GAN_LATE = (
    "R3GAN's samples are blurred squares after 1,375 steps in bfloat16, at 0.44 s a "
    "step: it is not trained yet. In float32, 633 steps on another machine came "
    "further. We did not test whether bfloat16 is the reason, or an unsteady start."
)
REASONS = {
    ("emoji", "fid"): R3GAN_LATE,
    ("emoji", "kid"): (
        "for R3GAN, see the Fréchet distance. With consistency of reals and fakes, at "
        "the paper's weights of 10, D learns mostly from these terms: it learns late "
        "to tell reals from fakes, and so BigGAN's G learns late, too."
    ),
    ("emoji", "coverage"): "see the Fréchet distance.",
    ("fashion_mnist", "fid"): (
        "R3GAN's samples are clouds after 834 steps, at 0.7 s a step: it is not "
        "trained yet."
    ),
    ("fashion_mnist", "coverage"): "see the Fréchet distance.",
    ("fashion_mnist", "precision"): (
        "the Keras guide's GAN and TensorFlow's tutorial make a few rough "
        "shapes again and again. Their recall is 0, and their coverage, 0.018 "
        "and 0.0038, is below ours. Precision counts a sample as good if it "
        "is nearer to some real image than that image's third neighbour, so "
        "each real image has a ball around it. The balls around unusual images "
        "are wide ([Naeem et al., 2020](https://arxiv.org/abs/2002.09797)): a "
        "rough shape in one of them counts each time it is made. A shorter "
        "second run of the guide's GAN showed this: its samples lay in few "
        "balls, mostly wide ones. For the tutorial's GAN this was not checked. "
        "Samples of WGAN and WGAN-GP are not sharp yet. A step of WGAN-GP takes "
        "2 s here, for five updates of D with the penalty's second derivatives. "
        "Samples of R3GAN and StyleGAN2, whose steps take 0.7 and 0.4 s on that "
        "core, are not sharp yet either."
    ),
    ("fashion_mnist", "recall"): (
        "it is 0 for ours and for the baselines. Recall counts the real images "
        "that are nearer to some sample than that sample's third neighbour. "
        "ACGAN's samples of a class are very similar ([conditional_gan.md]"
        "(conditional_gan.md#how-well-labels-are-obeyed)): they are nearer to "
        "each other than any real image is to them. ACGAN's coverage, which "
        "measures from the reals, is six times the best baseline's. R3GAN and "
        "StyleGAN2 are not trained yet."
    ),
    ("emoji", "precision"): (
        "the Keras guide's GAN has collapsed. Nearly every sample is the same "
        "few specks on white (third row of the picture from below). Its recall "
        "is 0, and its coverage, 0.0376, is below all of ours. In a second run "
        "of as many minutes, the specks that counted lay in the balls of few "
        "images, nearly all of them among the wider half. Precision was several "
        "times lower, so this score depends on luck. That may be true of ours "
        "as well: few of them were run twice."
    ),
    ("emoji", "recall"): (
        "it is 0 for these and for the baselines. After ten minutes, no real "
        "image is nearer to one of these samples than that sample's third "
        "neighbour. WGAN, with clipped weights, and GAN, with only dense layers, "
        "learn least in that time. R3GAN and StyleGAN2 make the fewest steps."
    ),
}

# Arguments that a recipe leaves out, of rows that show what they give.
REGULARIZERS = ("consistency", "lecam", "top_k")

HEAD = """# Results

Every GAN that starts from noise or classes was trained for {minutes:g} minutes, one at
a time. So were the **baselines**, the tutorials that people find first. They are
rebuilt with the same networks, learning rates, losses and batch sizes
(benchmarks/quality/baselines.py). The clock starts after the first step. TensorFlow's
oneDNN is on for all of them ([performance.md](performance.md)).

Rows of 2 cores had {minutes:g} minutes of wall-clock time. Rows of 1 core had
{minutes:g} minutes of CPU time of that core, which is less. They come from three
machines:

- An Intel Xeon, in bfloat16, which its matrix unit multiplies (the last column says 120
  and more). Other programs used the second thread of the core, which halved its speed
  at times.
- An AMD EPYC with AVX-512, in bfloat16. It makes three quarters as many steps.
- An AMD EPYC without AVX-512, in float32. It makes about half as many steps.

The recipes are those of `keras-gans train`, with the arguments in the table, and with
the image shape and the number of classes of the data set. On Fashion-MNIST, `sngan`,
`sagan` and `biggan` are trained without DiffAugment.

Distances use Lite0 features ([evaluation.md](evaluation.md)), and lower is better.
Precision, recall and coverage are shares, and higher is better. As many samples as
reals are scored. The seed is 0 if a row names none. These are minutes of training on
CPUs: the tables compare how far each GAN gets in that time, not what it can reach in
the end.

ACGAN's `spectral_norm=True` was chosen on emoji, among six recipes, by the Fréchet
distance after three minutes. Before, ACGAN's row there (1,740) was behind the
baselines. Keep that in mind when you read its row on emoji. Fashion-MNIST had no part
in the choice. The recipe of `dcgan` for 1 core was chosen on emoji, among two
([first_picture.md](first_picture.md)). The recipe of `biggan` was chosen on
Fashion-MNIST, among five, by the share of labels found after two minutes. No other
recipe was chosen after its score was known.

The machine was shared. The last column has its speed right before and right after
training: that of 2,048 x 2,048 matrix products, in GFLOP/s. Rows with different speeds
did not have equal chances.
"""


def write(rows, models):
    """Writes docs/results.md.

    Args:
        rows: list of dict, as results.py measures them.
        models: their names, in the order of the rows of the pictures.
    """
    first = rows[0]
    parts = [HEAD.format(minutes=first["settings"]["minutes"])]
    for name, (heading, about) in SETS.items():
        of_set = [row for row in rows if row["settings"]["data"] == name]
        of_set.sort(key=lambda row: _place(row["settings"], models))
        if of_set:
            parts.append(_section(name, heading, about, of_set, models))
        else:
            parts.append(f"## {heading}\n\nNot measured yet.\n")
    versions = ", ".join(f"{k} {v}" for k, v in first["versions"].items())
    parts.append(
        "## How this page is made\n\n```bash\n"
        "python benchmarks/quality/results.py --data_dir=DIR\n"
        "taskset -c 0 python benchmarks/quality/results.py --data_dir=DIR --clock=cpu "
        "--models=biggan --seed=1\n"
        "python benchmarks/quality/results.py --docs\n```\n\n"
        "The second command makes rows of 1 core: choose their models and seeds. "
        "DIR is where tensorflow-datasets keeps Fashion-MNIST. The settings, "
        "counts, seeds and hashes of weights of each row are in "
        f"results/results.jsonl; {versions}.\n"
    )
    with files.replacing(DOCS / "results.md") as temporary:
        temporary.write_text("\n".join(parts))


def _place(settings, models):
    return (
        models.index(settings["model"]),
        settings["seed"],
        len(_regularizers(settings)),
    )


def _regularizers(settings):
    """Those that are on, of the ones that no recipe has."""
    given = settings.get("arguments", {})
    return {k: given[k] for k in REGULARIZERS if given.get(k)}


def _section(name, heading, about, rows, models):
    network = rows[0]["records"][0]
    counts = (
        f"{network['fakes']:,} samples are compared with {network['reals']:,} reals"
    )
    titles = " | ".join(title for _, title, _ in SCORES)
    lines = [f"## {heading}", "", f"{about} {counts}.", ""]
    lines += [
        f"| | {titles} | steps | images/s | cores | machine's speed |",
        "|---" * 10 + "|",
    ]
    for row in rows:
        before, after = row["product_gflops"]
        cells = [_number(value_of(row, metric)) for metric, _, _ in SCORES]
        lines.append(
            f"| {_label(row)} | {' | '.join(cells)} | {row['steps']:,} | "
            f"{row['images_per_second']:,} | {row['cores']} | "
            f"{before:.0f}, {after:.0f} |"
        )
    lines += ["", *_compared(name, rows), ""]
    if regularized := list(_regularized(rows)):
        lines += [*regularized, ""]
    asked = [row for row in rows if "labels" in row]
    if asked:
        lines += [*_labels(asked), ""]
    text = (
        f"Samples, from the top: {', '.join(models)}. Of several rows of a model with "
        "seed 0, the picture shows the one with the lowest Fréchet distance."
    )
    measured = {row["settings"]["model"] for row in rows}
    if missing := [model for model in models if model not in measured]:
        text += f" Not measured yet, and empty: {', '.join(missing)}."
    lines += [f"![{text}](images/results_{name}.png)", "", text, ""]
    return "\n".join(lines)


def _label(row):
    settings = row["settings"]
    model, seed = settings["model"], settings["seed"]
    seed = f", seed {seed}" if seed else ""
    if model in BASELINES:
        return f"**baseline**: {BASELINES[model]} (`{model}`{seed})"
    kept = {
        k: v
        for k, v in settings["arguments"].items()
        if k not in ("image_shape", "num_classes") and v is not None  # the set's
    }
    if "dtype_policy" in settings:
        kept["dtype_policy"] = settings["dtype_policy"]
    arguments = ", ".join(f"{k}={v}" for k, v in kept.items())
    return f"`{model}`{seed}" + (f" ({arguments})" if arguments else "")


def _short(row):
    settings = row["settings"]
    seed = f", seed {settings['seed']}" if settings["seed"] else ""
    core = ", 1 core" if row["cores"] == 1 else ""
    core += ", bfloat16" if "dtype_policy" in settings else ""
    more = "".join(f", {k}={v}" for k, v in _regularizers(settings).items())
    return f"`{settings['model']}`{seed}{more}{core}"


def _labels(rows):
    """A table of how well labels are obeyed."""
    yield (
        "Each class was asked for 1,000 times. A classifier that is right about 91 % "
        "of the test images looks for this class in the samples. The spread is the "
        "mean standard deviation of a pixel within a class, divided by that of the "
        "test images. Truncation keeps latent codes between -truncation and "
        "truncation."
    )
    yield ""
    yield "| | truncation | asked class found | spread | class found least |"
    yield "|---|---|---|---|---|"
    for row in rows:
        for cut, found in row["labels"].items():
            name, least = min(found["labels"], key=lambda label: label[1])
            yield (
                f"| {_short(row)} | "
                f"{'none' if cut == 'None' else cut} | {found['share']:.1%} | "
                f"{found['spread']:.2f} | {name}, {least:.0%} |"
            )


def value_of(row, metric):
    return next(
        record["value"] for record in row["records"] if record["metric"] == metric
    )


def _compared(name, rows):
    """A line for each of ours: where it is behind a baseline; then why."""
    behind = set()
    baselines = {
        row["settings"]["model"]: row
        for row in rows
        if row["settings"]["model"] in BASELINES
    }
    for row in rows:
        if row["settings"]["model"] in BASELINES:
            continue
        lost = []
        for baseline, theirs in baselines.items():
            if scores := _lost(row, theirs):
                behind |= scores.keys()
                named = ", ".join(scores.values())
                lost.append(f"than `{baseline}` in {named}")
        if lost:
            yield f"- {_short(row)} is **not better** {'; '.join(lost)}."
        else:
            yield f"- {_short(row)} is better than every baseline in every score."
    for metric, title, _ in SCORES:
        if metric in behind:
            why = REASONS.get((name, metric), "not known yet.")
            yield f"\nWhy {title}: {why}"


def _regularized(rows):
    """A line for each regularizer: what it gives to the same recipe and seed."""
    without = [row for row in rows if not _regularizers(row["settings"])]
    for row in rows:
        given = _regularizers(row["settings"])
        plain = next((r for r in without if _recipe(r) == _recipe(row)), None)
        if not given or plain is None:
            continue
        named = ", ".join(f"`{k}={v}`" for k, v in given.items())
        a, b = (_number(value_of(r, "fid")) for r in (plain, row))
        yield (
            f"- With {named} ([options](sngan.md#options-of-sngan-sagan-and-biggan)), "
            f"`{row['settings']['model']}` has a Fréchet distance of {b} after "
            f"{row['steps']:,} steps. Without it, on the same seed, the distance is "
            f"{a} after {plain['steps']:,} steps."
        )


def _recipe(row):
    """Its settings but for regularizers."""
    settings = dict(row["settings"])
    arguments = settings.pop("arguments", {})
    kept = {k: v for k, v in arguments.items() if k not in REGULARIZERS}
    return settings | {"arguments": kept}


def _lost(ours, baseline):
    """The scores in which ours is not better, and how each is called."""
    lost = {}
    for metric, title, more in SCORES:
        a, b = value_of(ours, metric), value_of(baseline, metric)
        if a == b:
            lost[metric] = f"{title} (the same)"
        elif (a > b) != more:
            lost[metric] = title
    return lost


def _number(value):
    """Three digits, but whole numbers in full."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
