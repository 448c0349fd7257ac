"""What a command says: errors in its own words, and what to do next."""

from collections.abc import Iterable
import os
import re
import shlex
import shutil
import sys

PROGRAM = "keras-gans"
PICTURES = "PICTURES"  # stands for the user's


def spoken(message: str, flags: Iterable[str]) -> str:
    """A message of the library in the words of the command line.

    Args:
        message: str, such as "`width` must lie in [1, 9]. Received: width=0."
        flags: names of the command's flags.

    Returns:
        "--width must lie in [1, 9]. Received: --width=0."
    """
    message = message.replace("pip install", f"{pip()} install")
    names = sorted(flags, key=len, reverse=True)
    if not names:
        return message
    name = f"({'|'.join(map(re.escape, names))})"
    value = r"(\([^()\n]{1,200}\)|'[^'\n]{0,200}'|\"[^\"\n]{0,200}\")?"
    message = re.sub(f"`{name}(=[^`\n]*)?`", r"--\1\2", message)
    message = re.sub(rf"(?<![\w.\-/=]){name}={value}", _as_typed, message)
    # A word with an underscore is no English.
    long = [n for n in names if "_" in n]
    if long:
        name = f"({'|'.join(map(re.escape, long))})"
        message = re.sub(rf"(?<![\w.\-/=`]){name}(?![\w/`]|\.\w)", r"--\1", message)
    return re.sub(r"(--\w+) \(\1\)", r"\1", message)


def _as_typed(match):
    """`--image_shape=8,8,3` of `image_shape=(8, 8, 3)`."""
    value = match[2] or ""
    if value.startswith("("):
        value = re.sub(r"[\s()]|,(?=\))", "", value)
    elif value and " " not in value:
        value = value[1:-1]
    return f"--{match[1]}={value}"


def program() -> str:
    """How the user calls the command: by its path where it is on no PATH."""
    called = sys.argv[0]
    by_path = os.path.basename(called) == PROGRAM and shutil.which(PROGRAM) is None
    return called if by_path else PROGRAM


def pip() -> str:
    """The pip of the environment that the command is of."""
    folder = os.path.dirname(program())
    return os.path.join(folder, "pip") if folder else "pip"


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


def after_training(run_dir: str, task: str) -> None:
    """Prints what to do with a run.

    Args:
        run_dir: str.
        task: str, of its recipe.
    """
    if task in ("images", "labelled images"):
        use = [
            ("a grid of samples", "sample", run_dir, "--out=samples.png"),
            ("how good they are", "evaluate", run_dir),
        ]
    else:
        masks = ["--masks=MASKS"] if task == "inpainting" else []
        words = ("translate", run_dir, PICTURES, "--out=translated", *masks)
        use = [("your pictures", *words)]
    export = ("for TF Serving", "export", run_dir, "--to=exported/1")
    next_steps(*use, export)
    print(f"In Python: gan = keras_gans.load({str(run_dir)!r})")


def after_sampling(model: str, seed: int) -> None:
    """Prints what to do with samples, but for looking at them."""
    next_steps(
        ("others", "sample", model, f"--seed={seed + 1}", f"--out=seed{seed + 1}.png"),
        ("how good they are", "evaluate", model, *_reals(model)),
        ("for TF Serving", "export", model, "--to=exported/1"),
    )


def _reals(model):
    """The flag that a file needs, which does not know its data."""
    return [f"--data={PICTURES}"] if str(model).endswith(".keras") else []


def after_translation(model: str) -> None:
    """Prints what to do with a translator whose pictures are good."""
    if not str(model).endswith(".keras"):  # perhaps a network without a GAN
        next_steps(("for TF Serving", "export", model, "--to=exported/1"))


def after_export(folder: str) -> None:
    """Prints how to use an exported model."""
    print(f"In Python: served = tf.saved_model.load({str(folder)!r})")
