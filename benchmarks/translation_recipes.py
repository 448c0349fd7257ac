"""What the recipes of the command line learn, on emoji that they never saw.

    python benchmarks/translation_recipes.py pix2pix --seeds=0,1,2

For each seed it types what a user would, `keras-gans train NAME` and
`keras-gans translate RUN`, with nothing else but the folders, and prints the
mean absolute difference of the results to the true pictures, in [-1, 1], and
the seconds of processor time of the training. Pictures of seed 0, the source,
the result and the truth in a row each, go to docs/images.

Colourisation and inpainting train on a folder of the emoji of training, as
their own default is all emoji. Holes are of inpainting alone scored.
"""

import argparse
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

from keras_gans import applications, data
from keras_gans.modalities import pictures
from keras_gans.utils import files

ROOT = pathlib.Path(__file__).parents[1]
SOURCES = {"pix2pix": "emoji:line-3d", "cyclegan": "emoji:flat-3d"}
SHOWN = 10


def split(source, name):
    """The pairs of a split, as two arrays."""
    batches = data.load_pairs(
        source,
        source_channels=3,
        split=name,
        batch_size=100,
        shuffle=False,
        drop_remainder=False,
    )
    sides = zip(*batches.as_numpy_iterator(), strict=True)
    return [np.concatenate(side) for side in sides]


def write(folder, images):
    for i, image in enumerate(images):
        pictures.save_image(folder / f"{i:04d}.png", image)


def read(folder):
    paths = sorted(folder.glob("*.png"))
    pixels = [np.asarray(Image.open(p).convert("RGB"), "float32") for p in paths]
    return np.stack(pixels) / 127.5 - 1


def command(*words):
    """Runs `keras-gans`; returns the seconds of processor time that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "keras_gans", *map(str, words)], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(name, seed, folder):
    sources, truth = split(SOURCES.get(name, "emoji:flat-3d"), "test")
    holes = np.ones((*truth.shape[:3], 1), bool)
    given, options = [], []
    if name not in SOURCES:
        write(folder / "train", split("emoji:flat-3d", "train")[1])
        given = [f"--data={folder / 'train'}"]
        sources = truth
    if name == "inpainting":
        holes = applications.Inpainting().masks(*truth.shape[:3], seed=2**31 - 1)
        sources = np.where(holes, 0, truth)
        write(folder / "masks", 2.0 * holes - 1)
        options = [f"--masks={folder / 'masks'}"]
    write(folder / "in", sources)
    run, out = folder / "run", folder / "out"
    seconds = command("train", name, f"--seed={seed}", f"--run_dir={run}", *given)
    command("translate", run, folder / "in", f"--out={out}", *options)
    made = read(out)
    gaps = np.abs(made - truth).mean(axis=-1, keepdims=True)
    print(
        f"{name}, seed {seed}: L1 {gaps[holes].mean():.4f} of {len(made)} "
        f"pictures, {seconds:.0f} s of processor time"
    )
    return sources, made, truth


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", choices=(*SOURCES, "colorization", "inpainting"))
    parser.add_argument("--seeds", default="0")
    args = parser.parse_args()
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    for seed in map(int, args.seeds.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            rows = measure(args.name, seed, pathlib.Path(folder))
        if seed == 0:
            save(rows, ROOT / "docs" / "images" / f"recipe_{args.name}.png")


def save(rows, path):
    """A row each of sources, results and true pictures."""
    chosen = np.linspace(0, len(rows[0]) - 1, SHOWN).astype(int)
    pixels = np.concatenate([np.concatenate(row[chosen], 1) for row in rows])
    grid = Image.fromarray(np.rint((pixels + 1) * 127.5).astype("uint8"))
    with files.replacing(path) as temporary:
        grid.quantize(256).save(temporary, "PNG", optimize=True)


if __name__ == "__main__":
    main()
