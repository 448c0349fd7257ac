"""Cuts small pictures of README.md and of the models' pages from larger ones.

    python docs/tools/tiles.py

Each is a part of a picture in docs/images that a command of benchmarks has made;
docs/gallery.md tells which.
"""

import pathlib

import numpy as np
from PIL import Image, ImageOps

from keras_gans.utils import files

IMAGES = pathlib.Path(__file__).parents[2] / "docs" / "images"
SIZE = (240, 120)
# Of each: the picture, and the left, top, right and bottom of parts side by side.
PARTS = {
    "noise": ("dcgan_emoji_60000.png", [(0, 136, 544, 408)]),
    "classes": ("labels_biggan.png", [(0, 0, 480, 240)]),
    "translation": ("recipe_pix2pix.png", [(4, 172, 136, 304), (136, 172, 268, 304)]),
    "colorization": (
        "photos_colorization.jpg",
        [(0, 1320, 260, 1580), (520, 1320, 780, 1580)],
    ),
    "enlarged": (
        "super_resolution_srgan.jpg",
        [(0, 20, 132, 152), (396, 20, 528, 152)],
    ),
    "sounds": ("wavegan_drums.webp", [(0, 0, 450, 200)]),
    "video": ("frame_prediction.png", [(0, 306, 600, 606)]),
    "solids": ("voxel_gan_furniture.png", [(0, 0, 516, 236)]),
    "series": ("sensor_gan.png", [(0, 0, 600, 400)]),
}

# Of the pages of GANs, their row in the pictures of docs/results.md.
ROWS = ("gan", None, "wgan", "wgan_gp", "conditional_gan", "acgan", "infogan")


def main():
    for name, (source, boxes) in PARTS.items():
        with Image.open(IMAGES / source) as picture:
            parts = [np.asarray(picture.convert("RGB").crop(box)) for box in boxes]
        whole = Image.fromarray(np.concatenate(parts, axis=1))
        part = ImageOps.pad(whole, SIZE, Image.LANCZOS, color="white")
        write(part, f"tile_{name}.webp")
    for i, name in enumerate(ROWS):
        if name is not None:
            write(row(i), f"row_{name}.webp")


def row(i):
    """Samples of a GAN of docs/results.md: of emoji above, of Fashion-MNIST below."""
    parts = []
    for name, side in (("emoji", 32), ("fashion_mnist", 28)):
        with Image.open(IMAGES / f"results_{name}.png") as picture:
            part = picture.convert("RGB").crop((0, side * i, 16 * side, side * (i + 1)))
        parts.append(np.asarray(part.resize((1024, 64), Image.LANCZOS)))
    return Image.fromarray(np.concatenate(parts))


def write(part, name):
    path = IMAGES / name
    with files.replacing(path) as temporary:
        part.save(temporary, "WEBP", quality=88, method=6)
    print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
