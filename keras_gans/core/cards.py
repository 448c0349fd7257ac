"""Model cards: what a preset is, for people and for hubs."""

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras_gans.core.gan import BaseGAN


def card(
    gan: "BaseGAN", name: str, about: dict, recipe: dict | None, metrics: dict | None
) -> str:
    """A model card in Markdown, with the head that Hugging Face reads.

    Args:
        gan: `BaseGAN`.
        name: str, of the preset.
        about: dict, its metadata.
        recipe: dict, the config of the run that trained it, or `None`.
        metrics: dict, what came of that run, or `None`.
    """
    model = type(gan).__name__
    uses = "sample(16, seed=0)" if gan.samples_from_seed else "translate(images)"
    labels = gan.class_input is not None and gan.samples_from_seed
    lines = [
        "---",
        "library_name: keras_gans",
        "tags: [gan, keras]",
        "---",
        "",
        f"# {name}",
        "",
        f"{model} of samples {gan.modality.shape}, trained for {about['step']} steps.",
        "",
        "```python",
        "import keras_gans",
        "",
        f'gan = keras_gans.from_preset("{name}")',
        f"samples = gan.{uses}",
        "```",
        "",
        "| | |",
        "|---|---|",
        *(f"| parameters of {n} | {x:,} |" for n, x in about["parameters"].items()),
        f"| keras_gans | {about['keras_gans_version']} |",
        f"| saved | {about['date_saved']} |",
    ]
    if labels and about["class_names"]:
        lines.append(f"| classes | {', '.join(map(_cell, about['class_names']))} |")
    if recipe:
        told = ("recipe", "data", "batch_size", "seed", "dtype_policy")
        lines += [f"| {n} | {_cell(recipe[n])} |" for n in told if n in recipe]
    lines += [f"| {_cell(n)} | {_cell(x)} |" for n, x in about["facts"].items()]
    for row in (metrics or {}).get("scores", []):
        lines.append(f"| {_cell(row['name'])} | {row['value']:.6g} |")
    return "\n".join(lines) + "\n"


def _cell(value):
    """A value in one cell of a table."""
    text = html.escape(" ".join(str(value).split()), quote=False)
    return text.replace("|", r"\|")
