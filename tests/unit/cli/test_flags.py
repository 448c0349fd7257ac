"""The command line's help and lists: no backend, all flags explained."""

import argparse
import ast
import dataclasses
import functools
import json
import pathlib
import re
import shutil
import subprocess
import sys

import keras
from paths import ROOT
import pytest

import keras_gans
from keras_gans import losses
from keras_gans.layers import plain_keras
from keras_gans.training import recipes
from keras_gans_cli import app, sample, values
from keras_gans_cli import list as list_command
from keras_gans_cli import recipes as read

BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("keras", "tensorflow", "jax", "matplotlib"):
            raise AssertionError(f"{name} is imported")

sys.meta_path.insert(0, Blocked())
from keras_gans_cli import app

for words in WORDS:
    print("#", *words)
    try:
        args = app.parse(["keras-gans", *words])
        print("status", app.main(args))
    except SystemExit as stop:
        print("status", stop.code)
assert not {"keras", "numpy", "keras_gans"} & set(sys.modules)
"""


def python(code, *paths):
    return subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join(map(str, paths or (ROOT,)))},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def flags_of(name):
    """The actions of `train NAME`."""
    return app.parse(["keras-gans", "train", name]).parser._actions


def test_help_and_list_import_no_backend():
    words = [["list"], ["--help"], ["--version"], ["train", "--help"]]
    words += [[name, "--help"] for name in app.COMMANDS]
    words += [["train", name, "--help"] for name in recipes.RECIPES]
    mistakes = [["trian"], ["train", "dcgn"], ["train", "dcgan", "--epocs=3"]]
    run = python(f"WORDS = {words + mistakes}" + BLOCKED)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("status 0") == len(words)
    assert run.stdout.count("status 2") == len(mistakes)
    for name in ("train", "dcgan", "--epochs"):
        assert f"Did you mean {name}" in run.stderr
    assert f"keras-gans {keras_gans.__version__}\n" in run.stdout


def test_columns_line_up(capsys):
    list_command.run(None)
    lines = capsys.readouterr().out.split("\n\n")[0].splitlines()
    assert len(lines) == 2 * len(recipes.RECIPES)
    start, columns = max(map(len, recipes.RECIPES)) + 2, set()
    for name, line, more in zip(read.recipes(), lines[::2], lines[1::2], strict=True):
        assert line[:start].rstrip() == name
        assert line[start] != " " and line[start - 2 : start] == "  "
        assert not more[:start].strip() and more[start] != " "
        columns.add(tuple(m.start() for m in re.finditer(r"(?<=  )\S", more)))
    assert len(columns) == 1 and len(columns.pop()) == 4
    for words in ([], ["train"]):
        with pytest.raises(SystemExit):
            app.parse(["keras-gans", *words, "--help"])
        table = capsys.readouterr().out.split("\n\n")[-2].splitlines()[1:]
        names = read.recipes() if words else app.COMMANDS
        start = max(map(len, names)) + 4
        for name, line in zip(names, table, strict=True):
            assert line[:start].strip() == name and line[start] != " "


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_every_flag_of_a_recipe_is_explained(name):
    recipe = recipes.get(name)
    for action in flags_of(name):
        flag = action.option_strings[-1]
        if action.help is argparse.SUPPRESS:
            assert flag.lstrip("-") in recipe.without
            continue
        text = action.help.split("(default")[0].strip()
        assert len(text) > 5 and not text.startswith("("), flag
    known = read.model_arguments(recipe)
    assert {*recipe.arguments} <= known.keys()
    # All in the constructor's signature, but for networks.
    assert {"objective", "ema"} <= known.keys()
    sizes = {"image_shape", "samples", "segment", "frame_shape", "size", "length"}
    # (The columns of a table are those of its data.)
    assert known.keys() & sizes or recipe.task == "tables"
    assert not [n for n in known if n.startswith(("generator", "discrim"))]


@pytest.mark.parametrize("name", app.COMMANDS)
def test_every_flag_of_a_command_is_explained(name):
    parser = app.make_parser()
    (commands,) = [a for a in parser._actions if a.dest == "command"]
    for action in commands.choices[name]._actions:
        assert len(action.help) > 5, action


def kg_table():
    return keras_gans.Table({"x": [(0, 1)], "y": ["a", "b"]})


TINY = {
    "gan": {"image_shape": (8, 8, 1)},
    "bigvgan": {"segment": 2560, "channels": 16, "d_width": 4, "periods": (2,)},
    "hifigan": {"segment": 1280, "channels": 16, "d_width": 4, "periods": (2,)},
    "ctgan": {"table": kg_table()},
    "sensor_gan": {"samples": 32, "dim": 2},
    "text_to_speech": {"segment": 1600, "channels": 8, "width": 4, "d_width": 4},
    "vits": {"segment": 2048, "channels": 16, "latent": 4, "hidden": 4, "filters": 4},
    "frame_prediction": {"frame_shape": (16, 16, 1)},
    "language_wgan_gp": {"length": 5, "vocabulary": ("", "a"), "dim": 2},
    "relgan": {"length": 5, "vocabulary": ("", "a"), "head_size": 2, "filters": 2},
    "mocogan": {"frame_shape": (16, 16, 1), "width": 2},
    "dfgan": {"image_shape": (8, 8, 3), "width": 2},
    "stackgan": {"image_shape": (8, 8, 3), "width": 4, "d_width": 2},
    "voxel_gan": {"size": 8, "width": 2},
    "wavegan": {"samples": 256, "dim": 2},
    "wgan_gp": {"image_shape": (16, 16, 3), "g_width": 4, "d_width": 4},
    "sngan": {"image_shape": (16, 16, 3), "g_width": 4, "d_width": 4},
    "sagan": {"image_shape": (16, 16, 3), "g_width": 8, "d_width": 8},
    "pix2pix": {"image_shape": (24, 24, 3), "width": 2, "depth": 2},
    "cyclegan": {"image_shape": (24, 24, 3), "width": 2, "blocks": 1},
    "stylegan2": {"image_shape": (16, 16, 3), "latent_dim": 4, "channel_max": 4},
    "stylegan3": {"image_shape": (16, 16, 3), "latent_dim": 4, "channel_max": 4},
}


@functools.cache
def tiny_gan(name):
    """The arguments that make a recipe's GAN tiny, and that GAN."""
    recipe = recipes.get(name)
    tiny = TINY.get(name, {"image_shape": (16, 16, 3), "width": 2})
    return tiny, recipes.model_of(recipe)(**recipes.arguments(recipe, tiny))


@pytest.mark.daily(2)
@pytest.mark.parametrize("name", recipes.RECIPES)
def test_generators_that_need_this_package_are_told(name):
    """What copies make is checked in tests/integration/test_saved_networks.py."""
    _, gan = tiny_gan(name)
    page = (ROOT / "docs" / "questions.md").read_text()
    (told,) = re.findall(r"\b(\w+) has no such copy", page)

    def foreign(networks):
        configs = ((n, keras.saving.serialize_keras_object(n)) for n in networks)
        return [n for n, config in configs if "keras_gans" in json.dumps(config)]

    networks = foreign(gan.sampling_network(name) for name in gan.generator_names)
    if type(gan).__name__ == told:
        with pytest.raises(ValueError, match="cannot be rebuilt from Keras's layers"):
            [*map(plain_keras, networks)]
    else:
        assert not foreign(map(plain_keras, networks))


@pytest.mark.daily(10)
@pytest.mark.parametrize("name", recipes.RECIPES)
def test_defaults_and_rates_in_help_are_true(name):
    recipe = recipes.get(name)
    tiny, gan = tiny_gan(name)
    config = gan.get_config()
    checked = 0
    for argument, known in read.model_arguments(recipe).items():
        held = config.get(argument, getattr(gan, argument, None))
        if argument == "objective" and not isinstance(held, str):
            held = next(n for n, o in losses.OBJECTIVES.items() if o is held)
        # (None stands for what the class or its networks choose.)
        given = argument in tiny or None in (held, known.default)
        if not given:
            assert tuples(held) == tuples(known.default), argument
            checked += 1
    assert checked > 3
    made = dict(
        zip(gan.optimizer_networks, recipes.optimizers(recipe, gan), strict=True)
    )
    for side in "dg":
        told = read.learning_rate(recipe, side)
        if told is None:  # one of its arguments is what it comes from
            assert hasattr(gan, "learning_rate")
            continue
        assert float(made[side].learning_rate) == pytest.approx(told)


def tuples(x):
    """A config has lists where arguments are tuples."""
    return tuple(map(tuples, x)) if isinstance(x, list) else x


def test_recipes_are_read_as_they_are_imported():
    found = read.recipes()
    assert list(found) == list(recipes.RECIPES)
    for name, recipe in found.items():
        imported = recipes.get(name)
        assert dataclasses.asdict(recipe) == dataclasses.asdict(imported)
        assert recipe.name == name and imported.model in keras_gans.__all__
        flags = {*read.options(recipe), *read.model_arguments(recipe)}
        assert {*recipe.without, *recipe.data_options} <= flags


NEW = '''
import keras

from keras_gans.core.recipe import Recipe
from keras_gans.models.dcgan import DCGAN


@keras.saving.register_keras_serializable("keras_gans")
class LoudGAN(DCGAN):
    """A louder DCGAN.

    Args:
        volume: float, how loud it is.
        **kwargs: the arguments of `DCGAN`.
    """

    def __init__(self, image_shape=None, *, volume=11.5, **kwargs):
        self.volume = volume
        super().__init__(image_shape, **kwargs)


RECIPE = Recipe(name="loud_gan", model="LoudGAN", summary="Loud, arXiv:1.2")
'''


@pytest.mark.full
def test_a_gan_is_known_by_its_file(tmp_path):
    for package in ("keras_gans", "keras_gans_cli"):
        ignored = shutil.ignore_patterns("__pycache__", "assets")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    path = tmp_path / "keras_gans" / "models" / "loud_gan.py"
    path.write_text(NEW)
    words = [["list"], ["train", "loud_gan", "--help"]]
    run = python(f"WORDS = {words}" + BLOCKED, tmp_path)
    assert run.returncode == 0, run.stderr
    text = " ".join(run.stdout.split())
    assert "loud_gan Loud, arXiv:1.2" in text
    assert "--volume X how loud it is (default: 11.5)" in text
    assert "--width N" in text and "--objective NAME" in text
    code = """
from keras_gans import models
from keras_gans.training import recipes, runs
assert recipes.model_of(recipes.get("loud_gan")) is models.LoudGAN
config = runs.new_config("loud_gan", {"image_shape": (16, 16, 3), "width": 2})
assert runs.build(config).volume == 11.5
"""
    run = python(code, tmp_path)
    assert run.returncode == 0, run.stderr
    path.write_text(NEW.replace('"Loud, arXiv:1.2"', "str(2)"))
    run = python(f"WORDS = {words[:1]}" + BLOCKED, tmp_path)
    assert "a recipe ends its file and is a literal" in run.stderr


@pytest.mark.parametrize(
    "value", [(32, 32, 3), (0.1, 0.4), 3, 0.5, None, True, "mixed"]
)
def test_defaults_are_printed_as_they_are_typed(value):
    assert values.value(values.text(value)) == value


def test_docstrings_are_read():
    found = read.explained(
        """One line.

        Args:
            a: int, `b` or
                more: yes.
            **kwargs: others.

        Raises:
            ValueError: never.
        """
    )
    assert found == {"a": "int, b or more: yes.", "kwargs": "others."}


def test_values_name_their_format(capsys):
    assert values.size("96") == 96 and values.size("96,128") == (96, 128)
    for text in ("abc", "9.5", "1,2,3", "a b"):
        with pytest.raises(SystemExit) as stop:
            app.parse(["keras-gans", "evaluate", "r", f"--image_size={text}"])
        assert stop.value.code == 2
        assert "96,128 for height and width" in capsys.readouterr().err
    with pytest.raises(ValueError, match="takes NAME=VALUE"):
        values.setting("dropout")


def test_samples_are_given_what_the_generator_takes():
    gan = keras_gans.InfoGAN((16, 16, 1), 3, 2, 4, width=2)
    texts = {**dict.fromkeys(sample.INPUTS), "labels": "0,2", "codes": "0.5,-1"}
    given = sample.read_inputs(gan, texts)
    assert sample.rows_of(given["labels"]) == 2 and sample.rows_of(3) == 64
    assert gan.sample(2, **given).shape == (2, 16, 16, 1)
    plain = keras_gans.DCGAN((16, 16, 1), 4, width=2)
    with pytest.raises(ValueError, match=r"DCGAN has no classes.*--labels=3"):
        sample.read_inputs(plain, {"labels": "3"})
    with pytest.raises(ValueError, match=r"no input `text`.*--text=a cat"):
        sample.read_inputs(plain, {"text": "a cat"})


def test_commands_are_files():
    folder = pathlib.Path(app.__file__).parent
    for name in app.COMMANDS:
        tree = ast.parse((folder / f"{name}.py").read_text())
        functions = {getattr(node, "name", "") for node in tree.body}
        assert {"add_flags", "run"} <= functions


def test_texts_stay_texts():
    """The kind of a block is "2", not the number."""
    words = ["keras-gans", "train", "hifigan", "--data=SOUNDS"]
    given = app.parse([*words, "--block=2", "--configuration=v1", "--segment=1280"])
    assert (given.block, given.configuration, given.segment) == ("2", "v1", 1280)
    assert app.parse([*words, "--block=none"]).block is None
