"""The latent space of StyleGAN2, used as the reference uses it."""

import json

from golden.recipe import fill
from keras import ops
import numpy as np
from paths import GOLDEN
import pytest

import keras_gans as kg
from keras_gans.convert import from_state
from keras_gans.inference.latent import projection
from keras_gans.inference.latent.directions import (
    closed_form,
    principal_components,
    style_weights,
)
from keras_gans.inference.latent.interpolation import unit

PCA_SAMPLES = 600  # of the record


def golden(name):
    about = json.loads((GOLDEN / f"{name}.json").read_text())
    return about, np.load(GOLDEN / f"{name}.npz")


def gan_of(about):
    """The GAN of a record's generator."""
    state = {name: fill(name, shape, "unit") for name, shape in about["weights"]}
    classes = about["G_call"]["c_dim"] or None
    small = {"channel_base": 32, "channel_max": 1}  # of the discriminator
    return kg.StyleGAN2(None, classes, generator=from_state(state), **small)


@pytest.fixture(scope="module")
def conditional():
    """The GAN of three records, which nothing changes."""
    return gan_of(golden("stylegan2_generate")[0])


def pixels(images):
    return np.rint((np.clip(images, -1, 1) + 1) * 127.5).astype(int)


def channels_last(x):
    return np.moveaxis(x, 1, -1)


def close(got, want, bound):
    """Within a share of the largest value wanted."""
    assert np.shape(got) == want.shape
    assert np.abs(got - want).max() <= bound * np.abs(want).max()


@pytest.mark.full
@pytest.mark.backends
def test_seeds_make_the_pictures_of_the_reference(conditional):
    about, wanted = golden("stylegan2_generate")
    given = {"truncation": about["truncation_psi"], "labels": 1, "draws": "numpy"}
    images = kg.latent.generate(conditional, about["seeds"], **given)
    cut = channels_last(wanted["images"]).clip(-1, 1)
    close(images, cut, 1e-5)
    assert np.abs(pixels(images) - wanted["images_uint8"]).max() <= 1
    assert (pixels(images) == wanted["images_uint8"]).mean() > 0.999
    rows, columns, mixed = kg.latent.mix(
        conditional, about["rows"], about["cols"], about["styles"], **given
    )
    assert (pixels(mixed) == wanted["mixed_uint8"]).mean() > 0.999
    close(rows[0], cut[0], 1e-5)
    close(columns[0], cut[3], 1e-5)
    whole = kg.latent.generate(conditional, about["seeds"], cutoff=6, **given)
    close(whole, cut, 1e-5)


@pytest.mark.full
def test_layers_are_truncated_up_to_the_cutoff(conditional):
    """As `stylegan2_32_cond_G` has it, by this function's own road."""
    about, wanted = golden("stylegan2_32_cond_G")
    gan = gan_of({**about, "G_call": {"c_dim": 4}})
    space = kg.latent.LatentSpace(gan)
    values = {
        "z": wanted["z"],
        "label": wanted["c"].argmax(axis=1),
        "truncation": np.full(4, 0.5, "float32"),
    }
    images = space.synthesize(space.styles(values, 4))
    close(images, channels_last(wanted["img_psi05_cut4"]).clip(-1, 1), 1e-5)


def test_directions_are_those_of_the_reference(conditional):
    about, wanted = golden("stylegan2_directions")
    space = kg.latent.LatentSpace(conditional)
    for name, layers in about["sets"].items():
        found = kg.latent.directions(conditional, "sefa", 16, layers=layers)
        close(found.values, wanted[f"sefa_values_{name}"], 1e-5)
        match = np.abs(np.sum(found.vectors * wanted[f"sefa_vectors_{name}"], axis=1))
        assert match.min() > 1 - 1e-4
    moved = kg.latent.edit(
        wanted["edit_w"], wanted["sefa_vectors_all"][0], [0.0, 3.0], range(6)
    )
    images = space.synthesize(moved[0])
    close(images[1:], channels_last(wanted["edit_img"]).clip(-1, 1), 1e-5)
    assert closed_form(style_weights(space, [0]))[1].shape == (16, 16)


def test_components_of_w_are_those_of_the_reference(conditional):
    _, wanted = golden("stylegan2_directions")
    space = kg.latent.LatentSpace(conditional)
    mapping = conditional.generator.get_layer("mapping")
    z = space.numpy_codes(PCA_SAMPLES, 7)
    # Its record has labels of zeros: no class.
    w = ops.convert_to_numpy(mapping([z, np.full(len(z), -1)]))
    mean, deviations, components = principal_components(w)
    close(mean, wanted["pca_mean"], 1e-4)
    close(deviations, wanted["pca_std"], 1e-4)
    assert np.abs(np.sum(components * wanted["pca_components"], axis=1)).min() > 0.9999


def test_arcs_are_those_of_the_reference():
    _, wanted = golden("stylegan2_ppl")
    a, b = unit(wanted["slerp_a"]), unit(wanted["slerp_b"])
    arc = kg.latent.slerp(a, b, wanted["slerp_t"])
    np.testing.assert_allclose(arc, wanted["slerp"], atol=1e-6)
    trimmed = kg.latent.trimmed_mean(wanted["trim_in"])
    assert trimmed == pytest.approx(float(wanted["trim_mean"]), rel=1e-6)


def average(images, side):
    """The record's features: means of boxes, in [0, 255], over 255."""
    x = ops.average_pool((images + 1) * 127.5, side, side, data_format="channels_last")
    return x / 255


@pytest.mark.full
@pytest.mark.parametrize("space", ["z", "w"])
@pytest.mark.parametrize("sampling", ["full", "end"])
def test_path_lengths_are_those_of_the_reference(conditional, space, sampling):
    about, wanted = golden("stylegan2_ppl")
    half = len(wanted["z"]) // 2
    t = wanted["t"] if sampling == "full" else np.zeros(half)
    found = kg.latent.path_distances(
        conditional,
        wanted["z"][:half],
        wanted["z"][half:],
        t,
        space=space,
        epsilon=about["epsilon"],
        features=lambda x: average(x, 4),
        labels=wanted["c"].argmax(axis=1),
    )
    name = f"{space}_{sampling}"
    np.testing.assert_allclose(found, wanted[f"dist_{name}"], rtol=2e-2)
    length = kg.latent.trimmed_mean(found)
    assert length == pytest.approx(float(wanted[f"ppl_{name}"]), rel=1e-2)


@pytest.mark.full
def test_projection_is_the_reference_s(monkeypatch):
    about, wanted = golden("stylegan2_projector")
    gan = gan_of(about)
    monkeypatch.setattr(projection, "_draws", lambda s, i, shape: wanted["w_noise"][i])
    target = channels_last(wanted["target"][None])[0] / 127.5 - 1
    found = kg.latent.project(
        gan,
        target,
        "w",
        about["num_steps"],
        features=lambda x: average(x, 2),
        w_samples=about["w_avg_samples"],
    )
    np.testing.assert_allclose(found.distances, wanted["dist"], atol=0.006)
    close(found.codes[0, 0], wanted["w_out"][-1], 1e-3)
    close(found.image[None], channels_last(wanted["final_img"]).clip(-1, 1), 1e-3)
