"""Every public name says what it takes, gives, refuses, and shows it."""

import importlib
import inspect
import re
import sys

from paths import ROOT
import pytest

sys.path.append(str(ROOT / "docs" / "tools"))
import hook


def names(text):
    """The names of a list, after "keras_gans."."""
    return text.split()


# By page of the reference: `hook.groups` reads them from `__all__`.
PUBLIC = {
    hook.place_of(name): page
    for page, (_, listed) in hook.groups().items()
    for name in listed
}
# Pages whose names come from a paper, which stands below "Reference".
PUBLISHED = ("augment", "layers", "losses", "metrics", "models")
OWN = names("""
    augment.as_ada augment.check_policy layers.plain_keras losses.Objective
    losses.get losses.distance losses.serialize metrics.FeatureNetwork metrics.Record
    metrics.edge_ratio metrics.evaluate_sounds metrics.independent_columns
    metrics.violations
""")
# Results: no one makes them by hand, and what makes them has the example.
RESULTS = names("""
    data.Emoji data.Furniture data.RealTable data.Watch inference.latent.Directions
    inference.latent.Projection metrics.FrameScores metrics.Record
    metrics.SoundScores metrics.TableScores metrics.TextScores
    metrics.TextToImageScores metrics.VideoScores metrics.VolumeScores
""")
# They compute, whatever they are given: nothing is checked.
NEVER_RAISE = names("""
    Controller pretrained applications.Colorization
    training.callbacks.KeepKernels training.callbacks.Progress
    data.furniture.furniture inference.latent.lerp inference.latent.slerp
    inference.latent.trimmed_mean layers.Bias layers.LearnedMap layers.MagnitudeNorm
    layers.SelfAttention layers.TruncatedNormal losses.Objective
    losses.consistency.consistency losses.gradient_penalty losses.hinge_d
    losses.least_squares_d losses.least_squares_g losses.lecam losses.minimax_d
    losses.minimax_g losses.non_saturating_g losses.off_diagonal_products
    losses.relativistic_d losses.relativistic_g losses.serialize
    losses.squared_gradient_norms losses.top_k_g losses.wasserstein_d
    losses.wasserstein_g losses.zero_centred_penalty metrics.Moments
    engine.input_gradient core.recipe.Recipe training.checkpoints.latest
""")
# An example would need recordings, or a StyleGAN2 and the file of a projector.
NEED_FILES = names("""
    data.align data.describe_speech data.describe_utterances data.load_speech
    data.load_utterances inference.latent.load_codes
""")
# Arguments that need no words of their own everywhere.
COMMON = ("args", "kwargs", "name", "seed", "dtype", "trainable")
SECTION = re.compile(r"^(Args|Attributes|Returns|Raises|Example|Reference):", re.M)


def value_of(name):
    module, _, own = name.rpartition(".")
    return getattr(importlib.import_module(module), own)


def missing(name, value, page):
    """The sections that the docstring of a public name lacks.

    Args:
        name: str, after "keras_gans.".
        value: class or function.
        page: str, of the reference.
    """
    text = inspect.getdoc(value) or ""
    found = set(SECTION.findall(text))
    try:
        signature = inspect.signature(value)
    except ValueError:
        signature = inspect.Signature()
    wanted = []
    if name in RESULTS:
        return [] if found & {"Args", "Attributes"} else ["Attributes"]
    if signature.parameters:
        wanted.append("Args")
    if not inspect.isclass(value) and signature.return_annotation is not None:
        wanted.append("Returns")
    if name not in NEVER_RAISE:
        wanted.append("Raises")
    if name not in NEED_FILES:
        wanted.append("Example")
    if page in PUBLISHED and name not in OWN and "arxiv.org" not in text:
        wanted.append("Reference")
    return [section for section in wanted if section not in found]


@pytest.mark.parametrize("name", PUBLIC)
def test_docstrings_have_their_sections(name):
    own = name.removeprefix("keras_gans.")
    value = value_of(name)
    assert missing(own, value, PUBLIC[name]) == []
    if "Args" in SECTION.findall(inspect.getdoc(value)):
        unsaid = [
            parameter
            for parameter in inspect.signature(value).parameters
            if not re.search(
                rf"^\s*\**{parameter}\b[^\n]*:", inspect.getdoc(value), re.M
            )
        ]
        assert not [p for p in unsaid if p not in COMMON], unsaid


def test_exceptions_are_public_names():
    known = {name.removeprefix("keras_gans.") for name in PUBLIC}
    listed = {*OWN, *RESULTS, *NEVER_RAISE, *NEED_FILES}
    assert listed <= known, listed - known
    assert len(known) > 240 and len(listed) < 70


def test_a_missing_section_is_found():
    def bare(x):
        """Computes."""

    assert missing("losses.new", bare, "losses") == [
        "Args",
        "Returns",
        "Raises",
        "Example",
        "Reference",
    ]
