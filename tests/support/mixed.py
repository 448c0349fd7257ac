"""A folder of pictures such as people have: of every kind, some broken."""

import os
import pathlib

from pictures import noise, save
from PIL import Image
import tensorflow as tf

BROKEN = (
    *("text.png", "empty.jpg", "half.jpg", "half.png", "half.gif", "flipped.png"),
    *("loop.png", "nowhere.jpg"),
)
GOOD = 27


def make_mixed(folder):
    """Makes a folder of 35 image files and some others; returns its path."""
    folder = pathlib.Path(folder)
    colour, grey = noise((40, 60, 3)), noise((40, 60))
    for i in range(8):
        save(folder, f"photo{i}.jpg", noise((40 + i, 60, 3), seed=i))
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in ("phone.jpg", "phone.png", "phone.tif", "phone.webp"):
        save(folder, name, colour, exif=exif)
    for name in ("grey.png", "grey.jpg", "grey.bmp"):
        save(folder, name, grey)
    save(folder, "deep_grey.tif", grey.astype("uint16") * 257)
    deep = tf.io.encode_png(colour.astype("uint16") * 257).numpy()
    (folder / "deep.png").write_bytes(deep)
    save(folder, "cmyk.jpg", colour, "CMYK")
    save(folder, "palette.png", colour, "P", transparency=3)
    save(folder, "transparent.png", noise((40, 60, 4)))
    save(folder, "bits.png", grey, "1")
    more = {"save_all": True, "append_images": [Image.fromarray(255 - grey)]}
    for name in ("moving.gif", "moving.webp", "pages.tiff"):
        save(folder, name, grey, **more)
    save(folder, "still.gif", grey)
    save(folder, "long name é.JPEG", colour)
    (folder / "named wrongly.png").write_bytes((folder / "photo0.jpg").read_bytes())
    # --- broken ones ---
    (folder / "text.png").write_text("no picture\n")
    (folder / "empty.jpg").touch()
    for name, whole in (("half.jpg", "photo0.jpg"), ("half.png", "phone.png")):
        data = (folder / whole).read_bytes()
        (folder / name).write_bytes(data[: len(data) // 2])
    (folder / "half.gif").write_bytes((folder / "still.gif").read_bytes()[:900])
    data = bytearray((folder / "phone.png").read_bytes())
    data[len(data) // 2] ^= 255
    (folder / "flipped.png").write_bytes(data)
    os.symlink("loop.png", folder / "loop.png")
    os.symlink("/no/such/picture.jpg", folder / "nowhere.jpg")
    # --- no pictures ---
    (folder / "notes.txt").write_text("x")
    (folder / ".hidden.png").write_text("x")
    os.mkfifo(folder / "pipe.png")
    return str(folder)
