"""`--recipe=paper`: a recipe of minutes, or the paper's of hours."""

import json
import pathlib

from command_line import call
import pytest

from keras_gans.training import distribution, runs
from keras_gans_cli import recipes

WITH_PAPER = [name for name, recipe in recipes.recipes().items() if recipe.paper]
SMALL = ["--image_shape=16,16,3", "--width=2", "--depth=2", "--n_layers=1"]
SMALL += ["--epochs=1"]


@pytest.mark.parametrize("name", WITH_PAPER)
def test_each_value_is_that_of_a_flag(name):
    recipe = recipes.recipes()[name]
    flags = {**recipes.options(recipe), **recipes.model_arguments(recipe)}
    assert set(recipe.paper) <= set(flags)


def test_translators_have_both():
    assert {"pix2pix", "cyclegan", "colorization", "inpainting"} <= set(WITH_PAPER)


def test_a_length_takes_the_place_of_the_papers(monkeypatch):
    configs = []
    monkeypatch.setattr(runs, "train", lambda _, config, *rest: configs.append(config))
    monkeypatch.setattr(distribution, "is_chief", lambda: False)
    words = ["train", "ctgan", "--recipe=paper", "--run_dir=run"]
    assert call(*words) == call(*words, "--steps=3") == 0
    lengths = [(config["steps"], config["epochs"]) for config in configs]
    assert lengths == [(None, 300), (3, None)]
    for config in configs:
        assert (config["batch_size"], config["arguments"]["packing"]) == (500, 10)


@pytest.mark.full
def test_the_papers_recipe_is_a_flag():
    """What is given beside it counts, and a run that goes on knows it."""
    words = ["train", "pix2pix", "--run_dir=run", "--steps_per_epoch=1"]
    assert call(*words, "--recipe=paper", *SMALL) == 0
    config = json.loads(pathlib.Path("run/config.json").read_text())
    assert config["recipe"] == "pix2pix" and config["batch_size"] == 1
    assert config["g_learning_rate"] == 2e-4
    found = config["arguments"]
    assert (found["width"], found["dropout"], found["ema"]) == (2, 0.5, None)
    assert call(*words, "--resume", "--epochs=2") == 0
    again = json.loads(pathlib.Path("run/config.json").read_text())
    assert again["arguments"] == found and again["epochs"] == 2
