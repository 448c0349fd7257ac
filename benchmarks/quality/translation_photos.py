"""Colourisation and inpainting of photos at their own size.

    python benchmarks/quality/translation_photos.py colorization --photos=FOLDER
    python benchmarks/quality/translation_photos.py inpainting --photos=FOLDER

It types what a user would who has a folder of photos, `keras-gans train NAME
--data=FOLDER` with the flags below and `keras-gans translate RUN`, on six photos
that scikit-image and scikit-learn bring and that training never sees. The figures
of the docs are of FOLDER = the 15 photos of Debian's lomiri-wallpapers-16.04:

    apt-get download lomiri-wallpapers-16.04
    dpkg-deb -x lomiri-wallpapers-16.04_*.deb wallpapers

For each size that the network is shown it prints the mean absolute difference to
the true photo in [-1, 1] (of inpainting, in the hole), beside that of the grey
photo, or of the hole filled with the mean of the pixels around it. Holes of
inpainting are a rectangle or strokes, a fiftieth to a twentieth of the photo. A
row goes to results/translation_photos.jsonl, a picture to docs/images: parts of the
photos, pixel by pixel, around the holes of inpainting.
"""

import argparse
import json
import os
import pathlib
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from PIL import Image
from skimage import data as photos
from sklearn.datasets import load_sample_image
from translation_recipes import ROOT, command, read, write
import translation_scores
import untrained

from keras_gans import applications
from keras_gans.modalities import pictures
from keras_gans.utils import files
from keras_gans_cli import speeds

ROWS = ROOT / "results" / "translation_photos.jsonl"
SKIMAGE = ("astronaut", "chelsea", "coffee", "rocket")
SKLEARN = ("china.jpg", "flower.jpg")
FLAGS = {
    "colorization": ["--image_shape=128,128,2", "--jitter=128"],
    "inpainting": ["--image_shape=128,128,3", "--jitter=128"],
}
SIZES = (64, 128, 256, 384)
SHARE = (0.02, 0.05)  # of a photo, that is a hole
WINDOW = 256  # pixels of a part that is shown
SHOWN = (128, 256)  # sizes that are shown


def test_photos():
    """float32 arrays `[height, width, 3]` in [-1, 1]."""
    found = [getattr(photos, name)() for name in SKIMAGE]
    found += [load_sample_image(name) for name in SKLEARN]
    return [(x / np.float32(127.5) - 1).astype("float32") for x in found]


def masks(truth):
    made = applications.Inpainting(share=SHARE)
    return [made.masks(1, *x.shape[:2], seed=i)[0] for i, x in enumerate(truth)]


def measure(name, folder, source, flags):
    truth, options = test_photos(), []
    holes = [np.ones((*x.shape[:2], 1), bool) for x in truth]
    given, least = truth, [untrained.grey(x[None])[0] for x in truth]
    if name == "inpainting":
        holes = masks(truth)
        pairs = list(zip(truth, holes, strict=True))
        given = [np.where(hole, 0, x) for x, hole in pairs]
        least = [untrained.border_means(x[None], h[None])[0] for x, h in pairs]
        write(folder / "masks", [2.0 * hole - 1 for hole in holes])
        options = [f"--masks={folder / 'masks'}"]
    write(folder / "in", given)
    run = folder / "run"
    seconds = command("train", name, f"--data={source}", f"--run_dir={run}", *flags)
    made = {"grey" if name == "colorization" else "mean of the border": least}
    for size in SIZES:
        out = folder / f"out{size}"
        words = ["translate", run, folder / "in", f"--out={out}", f"--size={size}"]
        command(*words, *options)
        made[f"--size={size}"] = read(out)
    scores = {
        method: [
            float(np.abs(x - y).mean(axis=-1, keepdims=True)[hole].mean())
            for x, y, hole in zip(found, truth, holes, strict=True)
        ]
        for method, found in made.items()
    }
    first = {} if name == "colorization" else {translation_scores.SOURCE: given}
    images = {**first, **made, translation_scores.TRUTH: truth}
    return seconds, scores, images, holes


def part(image, hole):
    """The part of an image around the middle of its hole."""
    middle = np.argwhere(hole[..., 0]).mean(axis=0).astype(int)
    top, left = np.clip(middle - WINDOW // 2, 0, np.array(hole.shape[:2]) - WINDOW)
    return image[top : top + WINDOW, left : left + WINDOW]


def draw(images, holes, path):
    names = [n for n in images if not n.startswith("--size")]
    names[-1:-1] = [f"--size={size}" for size in SHOWN]
    parts = [
        np.stack([part(x, hole) for x, hole in zip(images[name], holes, strict=True)])
        for name in names
    ]
    tiles, columns = pictures.side_by_side(*parts)
    grid = pictures.draw_grid(tiles, columns, names * len(holes))
    with files.replacing(path) as temporary:
        Image.fromarray(grid).save(temporary, "JPEG", quality=70)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=FLAGS)
    parser.add_argument("--photos", required=True, type=pathlib.Path)
    args, flags = parser.parse_known_args()
    flags = [*FLAGS[args.name], *flags]
    with tempfile.TemporaryDirectory() as folder:
        seconds, scores, images, holes = measure(
            args.name, pathlib.Path(folder), args.photos, flags
        )
    row = {
        "recipe": args.name,
        "flags": flags,
        "photos": len(list(args.photos.rglob("*.jpg"))),
        "seconds": round(seconds[0]),
        "processor_seconds": round(seconds[1]),
        "scores": scores,
        "machine": speeds.machine(),
    }
    with open(ROWS, "a") as file:
        file.write(json.dumps(row) + "\n")
    for method, values in scores.items():
        listed = ", ".join(f"{value:.3f}" for value in values)
        print(f"{method}: {np.mean(values):.4f} ({listed})")
    draw(images, holes, ROOT / "docs" / "images" / f"photos_{args.name}.jpg")


if __name__ == "__main__":
    main()
