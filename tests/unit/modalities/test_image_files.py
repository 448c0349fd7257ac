"""Image files: one orientation, bounded memory, every format."""

import struct
import zlib

import numpy as np
from PIL import Image, ImageOps, features
import pytest
import tensorflow as tf

from keras_gans.modalities import image_files
from keras_gans.modalities.image_files import read_head, read_image

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 30, 3), "uint8")


def save(name, pixels=PIXELS, mode=None, **options):
    image = Image.fromarray(pixels)
    (image if mode is None else image.convert(mode)).save(name, **options)


def turned(number):
    exif = Image.Exif()
    exif[0x0112] = number
    return exif


def add_chunk(path, name, data, before):
    """Adds a chunk to a PNG file, before the first of another name."""
    with open(path, "rb") as file:
        old = file.read()
    chunk = struct.pack(">I", len(data)) + name + data
    chunk += struct.pack(">I", zlib.crc32(name + data))
    place = old.index(before) - 4
    with open(path, "wb") as file:
        file.write(old[:place] + chunk + old[place:])


@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
@pytest.mark.parametrize("depth", [8, 16])
def test_png_tells_its_orientation_before_or_after_its_pixels(number, before, depth):
    if depth == 8:
        save("x.png")
    else:
        with open("x.png", "wb") as file:
            file.write(tf.io.encode_png(PIXELS.astype("uint16") * 257).numpy())
    upright = read_image("x.png", 3)
    add_chunk("x.png", b"eXIf", turned(number).tobytes()[6:], before)
    with Image.open("x.png") as image:
        image.load()
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    found = read_image("x.png", 3)
    assert read_head("x.png").size == found.shape[:2] == expected.shape[:2]
    np.testing.assert_array_equal(np.rint((found + 1) * 127.5), expected)
    assert sorted(found.ravel()) == sorted(upright.ravel())


@pytest.mark.parametrize("text", [b"iTXt", b"zTXt"])
def test_png_tells_its_orientation_in_text(text):
    save("x.png")
    data = b'XML:com.adobe.xmp\0\0\0\0\0<a tiff:Orientation="6"/>'
    if text == b"zTXt":
        exif = turned(6).tobytes()
        lines = f"\nexif\n{len(exif)}\n{exif.hex()}\n".encode()
        data = b"Raw profile type exif\0\0" + zlib.compress(lines)
    add_chunk("x.png", text, data, b"IEND")
    assert read_head("x.png").size == read_image("x.png", 3).shape[:2] == (30, 20)


@pytest.mark.parametrize("number", [1, 3, 6, 7])
@pytest.mark.parametrize("form", ["jpg", "tif", "webp", "avif"])
def test_every_format_is_turned_upright(form, number):
    if form == "avif" and not features.check("avif"):
        pytest.skip("This Pillow reads no AVIF.")
    save(f"x.{form}", exif=turned(number))
    with Image.open(f"x.{form}") as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    found = read_image(f"x.{form}", 3)
    assert read_head(f"x.{form}").size == found.shape[:2]
    np.testing.assert_array_equal(found, expected / np.float32(127.5) - 1)


@pytest.mark.parametrize("name", ["x.gif", "x.tif", "x.webp"])
def test_the_first_picture_of_several_is_read(name):
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    frames[0].save(name, save_all=True, append_images=frames[1:], lossless=True)
    np.testing.assert_array_equal(read_image(name, 3)[0, 0], [1, -1, -1])
    assert read_head(name).animated


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_grey_tiff_keeps_sixteen_bits(channels):
    deep = np.arange(0, 65536, 1024, dtype="uint16").reshape(8, 8)
    save("x.tif", deep)
    head, found = read_head("x.tif"), read_image("x.tif", channels)
    assert head.deep and head.grey and found.shape == (8, 8, channels)
    np.testing.assert_allclose(found[..., 0], deep / 32767.5 - 1, atol=3e-7)
    inverted = Image.fromarray(deep)
    inverted.save("inverted.tif", tiffinfo={262: 0})
    np.testing.assert_allclose(read_image("inverted.tif", 1)[..., 0], -found[..., 0])


def test_strips_give_the_same_pixels(monkeypatch):
    save("x.png", np.dstack([PIXELS, PIXELS[..., :1]]), exif=turned(6))
    with open("deep.png", "wb") as file:
        file.write(tf.io.encode_png(PIXELS.astype("uint16") * 257).numpy())
    whole = {(n, c): read_image(n, c) for n in ("x.png", "deep.png") for c in (1, 3)}
    monkeypatch.setattr(image_files, "STRIP", 70)  # two rows, and a rest
    for (name, channels), pixels in whole.items():
        np.testing.assert_array_equal(read_image(name, channels), pixels)


def png_bomb(width, height, depth, kind, samples):
    """A PNG of zeros, which are packed a thousandfold."""
    row = width * depth * samples // 8 + 1
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))]
    parts += [(b"IDAT", zlib.compress(bytes(row * height))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d))
        for n, d in parts
    )


@pytest.mark.parametrize(("depth", "kind", "samples"), [(8, 2, 3), (16, 6, 4)])
def test_memory_is_bounded_before_pixels_are_decoded(depth, kind, samples, monkeypatch):
    with open("x.png", "wb") as file:
        file.write(png_bomb(500, 400, depth, kind, samples))
    needed = read_head("x.png").memory(3)
    assert needed >= 200_000 * (samples * depth // 8 + 12)
    read_image("x.png", 3)
    monkeypatch.setattr(image_files, "MAX_MEMORY", needed - 1)
    with pytest.raises(ValueError, match=rf"x\.png.*{needed} bytes of memory"):
        read_image("x.png", 3)


def test_just_below_pillows_limit_is_too_much(monkeypatch):
    """16 bits a channel of as many pixels as Pillow takes."""
    data = png_bomb(9450, 8, 16, 6, 4)  # whose head tells of more rows
    head = data[12:20] + struct.pack(">I", 9450) + data[24:29]
    data = data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[33:]
    monkeypatch.setattr(image_files.np, "empty", None)  # nothing is decoded
    with open("x.png", "wb") as file:
        file.write(data)
    assert read_head("x.png").size == (9450, 9450)
    with pytest.raises(ValueError, match=r"9450 x 9450 pixels of 16 bits"):
        read_image("x.png", 3)


def test_tiff_of_huge_tiles_is_refused():
    tags = {256: 8, 257: 8, 258: 8, 259: 1, 262: 1, 277: 1}
    tags |= {322: 2**16, 323: 2**16, 324: 8, 325: 64}
    entries = [struct.pack("<HHII", tag, 4, 1, n) for tag, n in tags.items()]
    with open("x.tif", "wb") as file:
        file.write(b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)))
        file.write(b"".join(entries) + bytes(68))
    with pytest.raises(ValueError, match=r"x\.tif.*tiles of 65536 x 65536"):
        read_head("x.tif")
