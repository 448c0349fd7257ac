"""What commands can print of the library: in their own words, not in Python's."""

import ast
import re

from paths import ROOT
import pytest

from keras_gans_cli import app, recipes, words

# What each command can reach, by the folders and files of the package.
OPENING = ("inference/opening.py", "inference/loading.py", "training/runs.py")
REACHES = {
    "train": (
        "training",
        "data",
        "applications",
        "models",
        "networks",
        "core",
        "losses",
        "augment",
        "engine",
        "utils",
    ),
    "check": ("data/summary.py", "data/decoding.py", "data/places.py"),
    "evaluate": ("metrics", *OPENING),
    "sample": OPENING,
    "export": ("core/export.py", *OPENING),
    "translate": ("inference/translate.py", "applications/inpainting.py"),
    "upscale": tuple(f"inference/{n}.py" for n in ("upscale", "tiles")),
    "convert": ("convert",),
}
# Files, and functions of others, whose messages are for those who write Python: of
# arrays, networks and phases of their own, which no flag can give.
PYTHON_ALONE = {
    "applications/augmentation.py": "",
    "applications/batches.py": "_check_dataset check_pictures paired working_size",
    "applications/inpainting.py": "check_masks on_files",
    "augment/ada.py": "_check_transforms",
    "convert/families/biggan.py": "build",
    "convert/families/biggan_deep.py": "build",
    "convert/families/ctgan.py": "build",
    "convert/families/dcgan.py": "build",  # as --set=network=..., where it is given
    "convert/families/mimicry.py": "build",
    "convert/families/hifigan.py": "_moments_of judges_of restore",
    "convert/families/r3gan.py": "build",
    "convert/families/dfgan.py": "build",
    "convert/families/stackgan.py": "build",
    "convert/families/language.py": "build",
    "convert/families/relgan.py": "build",
    "convert/families/stylegan2.py": "build",
    "convert/families/stylegan3.py": "build",
    "convert/families/superresolution.py": "build",
    "convert/families/translation.py": "build",
    "convert/families/voxels.py": "build",
    "convert/families/wavegan.py": "build",
    "convert/states.py": "from_state",
    "core/batches.py": "",
    "core/export.py": "check_format",
    "core/gan.py": "",
    "core/inputs.py": "check check_inputs class_titles default_rows encode parse",
    "core/endings.py": "check_reaches",
    "core/networks.py": "check_layout check_modality check_trained freeze_first "
    "latent_of refuse_frozen",
    "core/optimizers.py": "check_compile",
    "core/presets.py": "write",
    "core/previews.py": "checked",
    "core/translation.py": "",
    "data/checks.py": "check_balance check_image_size check_length check_split "
    "own_size",
    "data/embedded.py": "emoji",
    "data/mels.py": "_place load_mels",  # arrays, and samples of one's own GAN
    "data/pair_sources.py": "_two_arrays",
    "data/pairs.py": "_one_size",
    "data/sources.py": "find_source folder_source",
    "data/speech.py": "load_speech",  # samples and hop of a GAN of one's own
    "data/volumes.py": "load_volumes",  # pictures with labels
    "data/watch.py": "load_watch",
    "engine/data_adapter.py": "",
    "engine/phases.py": "__post_init__ _kept _track evaluate",
    "engine/rng.py": "",
    "inference/loading.py": "_reason",  # the way is Python's
    "inference/translate.py": "translate_files",
    "metrics/features/resizing.py": "",
    "metrics/functional/moments.py": "",
    "metrics/functional/naturalness.py": "",
    "metrics/functional/pixels.py": "",
    "metrics/functional/scores.py": "",
    "metrics/functional/text_to_image.py": "",
    "metrics/functional/text.py": "_tokens",
    "metrics/record.py": "",
    "metrics/sets.py": "_batch _check_floats _check_range _check_shape _checked "
    "_of_batches",
    "metrics/table.py": "check_settings",
    "metrics/videos.py": "frame_scores",
    "models/acgan.py": "",
    "models/conditional_gan.py": "",
    "models/cyclegan.py": "check_generators",
    "models/ctgan.py": "__init__ check fit parse",
    "models/frame_prediction.py": "preview",
    "models/hifigan.py": "_check_mel",
    "models/image_to_volume.py": "__init__",  # of a generator that is given
    "models/infogan.py": "",
    "models/mocogan.py": "__init__",  # of discriminators that are given
    "models/stackgan.py": "__init__ start_from",  # networks that are given
    "models/relgan.py": "writer_of",  # of a generator that is given
    "models/stylegan2.py": "_check_generator",
    "models/stylegan3.py": "__init__",  # of a generator that is given
    "models/text_to_speech.py": "speak",
    "models/vits.py": "predict say",
    "models/wavegan.py": "_check_names",
    "networks/building.py": "check_channels_last",
    "networks/features/taps.py": "",
    "networks/padding.py": "",
    "networks/resnet.py": "resnet_critic",
    "networks/rrdbnet.py": "rrdbnet",  # of its builder alone
    "networks/stylegan3.py": "place",
    "training/callbacks/page.py": "_figure",  # HTML
    "training/callbacks/steps.py": "__init__",
    "training/configs.py": "read",  # a key of the file
    "training/datasets.py": "_check_gan",
    "training/kinds.py": "check views volumes",
    "training/runs.py": "open_run",  # of other commands than train
    "utils/validation.py": "check_count",
}
CALLS = re.compile(r"(Error|warn|print|_damaged|not_of_tfds|describe_broken)$")
PYTHON = re.compile(
    r"`(?!keras-gans |.*pip install)[^`]*`"  # code
    r"|(?<![\w\-.`'\" ])(?<!--set )[a-z_]+=(?!=)[^\s.,;:)]*"  # an argument
    r"|(?<= )(?<!--set )[a-z_]+=(?!=)[^\s.,;:)]*"
)


def messages(path):
    """The messages of a file with the function that each stands in."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            is_call = isinstance(node, ast.Call) and CALLS.search(
                ast.unparse(node.func)
            )
            if is_call or isinstance(node, ast.Return):
                parts = node.args if is_call else [node.value]
                for text in map(text_of, parts):
                    if " " in text:
                        yield function.name, text


def text_of(node):
    """A string of the code, with {} for what is put into it."""
    if isinstance(node, ast.JoinedStr):
        return "".join(map(text_of, node.values))
    if isinstance(node, ast.FormattedValue):
        return "{}"
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return ""


def flags_of(command):
    """What the command's flags are called, those of all recipes of `train`."""
    if command != "train":
        needed = {"sample": ["--out=x.png", "r"], "export": ["--to=x", "r"]}
        needed |= {"translate": ["r", "a.png", "--out=x"], "check": ["f"]}
        needed |= {"convert": ["f.pth", "--to=x"], "evaluate": ["r"]}
        needed |= {"upscale": ["r", "a.png", "--out=x"]}
        return app.parse(["keras-gans", command, *needed[command]]).parser.typed()
    found = {}
    for name in recipes.recipes():
        found |= app.parse(["keras-gans", "train", name]).parser.typed()
    return found


def left(command):
    """What is left of Python in the messages that a command can reach."""
    typed = flags_of(command)
    for place in REACHES[command]:
        folder = ROOT / "keras_gans" / place
        for path in sorted(folder.rglob("*.py")) if folder.is_dir() else [folder]:
            name = path.relative_to(ROOT / "keras_gans").as_posix()
            for function, text in messages(path):
                told = words.spoken(text, typed)
                for found in PYTHON.findall(told):
                    if found.strip("`") != "{}":
                        yield name, function, found, told


def is_of_python(command, file, function):
    if file == "training/runs.py":
        return command == "train"
    known = PYTHON_ALONE.get(file)
    return known is not None and (not known or function in known.split())


@pytest.mark.parametrize("command", REACHES)
def test_messages_are_in_the_words_of_the_command(command):
    """A flag after the Python that it stands for: see `words.spoken`."""
    wrong = [
        f"{file}, {function}: {found} in {told!r}"
        for file, function, found, told in left(command)
        if not is_of_python(command, file, function)
    ]
    assert not wrong, "\n".join(wrong)


def test_each_model_is_exported_to_a_place_of_its_own(capsys):
    """Under one name, a server would take the next model for a new version."""
    names = {"runs/srgan": "srgan", "files/": "files", "a b": "gan"}
    for model, name in names.items():
        words.after_translation(model)
        assert f" --to=models/{name} " in capsys.readouterr().out
