"""Broken files are found, all of them, before any is trained on."""

import os
import pathlib
import shutil
import struct
import warnings
import zipfile

from mixed import BROKEN, GOOD, make_mixed
import numpy as np
from pictures import noise, one_pass, save
import pytest

from keras_gans import data
from keras_gans.data import broken, places

OPTIONS = {"image_size": 8, "batch_size": 4}


def test_one_message_names_all():
    make_mixed("set")
    with pytest.raises(ValueError, match=r"8 of 35 image files of 'set'") as caught:
        data.load("set", **OPTIONS)
    for name in BROKEN:
        assert f"'set/{name}'" in str(caught.value)
    assert str(caught.value).count("'set/") == len(BROKEN)


def test_broken_files_are_left_out_if_asked():
    make_mixed("set")
    with pytest.warns(UserWarning, match=r"Left out 8 of 35.*flipped\.png") as told:
        dataset = data.load("set", on_error="skip", drop_remainder=False, **OPTIONS)
    images = np.concatenate(one_pass(dataset))
    assert images.shape == (GOOD, 8, 8, 3)
    assert told[0].filename == __file__  # what Python shows is the caller's line


def test_heads_and_ends_are_looked_at_in_large_sets(monkeypatch):
    """All but the damage between them is found without decoding all."""
    make_mixed("set")
    monkeypatch.setattr(broken, "FEW_PIXELS", 0)
    monkeypatch.setattr(broken, "_checked", {})
    with pytest.raises(ValueError, match="7 of 35") as caught:
        data.load("set", **OPTIONS)
    assert "flipped.png" not in str(caught.value)


def test_a_file_that_ends_unusually_is_no_broken_file(monkeypatch):
    """What the decoder reads is read, whatever its end looks like."""
    monkeypatch.setattr(broken, "FEW_PIXELS", 0)
    save("set", "a.jpg", noise((8, 8, 3)))
    save("set", "b.png", noise((8, 8, 3)))
    with open("set/a.jpg", "ab") as file:
        file.write(b"trailing bytes")
    with open("set/b.png", "r+b") as file:
        file.truncate(os.path.getsize("set/b.png") - 12)  # no IEND
    assert len(data.load("set", image_size=8, batch_size=2)) == 1


def test_a_file_is_looked_at_again_only_if_it_changed(monkeypatch):
    save("set", "a.png", noise((8, 8, 3)))
    data.load("set", image_size=8, batch_size=1)
    decode = broken.decode_head_and_end
    monkeypatch.setattr(broken, "decode_head_and_end", None)
    data.load("set", image_size=8, batch_size=1)
    monkeypatch.setattr(broken, "decode_head_and_end", decode)
    with open("set/a.png", "wb") as file:
        file.write(b"changed")
    with pytest.raises(ValueError, match=r"a\.png"):
        data.load("set", image_size=8, batch_size=1)


def test_a_set_of_broken_files_alone_is_refused():
    os.makedirs("set")
    open("set/a.png", "wb").close()
    with pytest.raises(ValueError, match="1 of 1 image files"):
        data.load("set", on_error="skip", **OPTIONS)


def test_on_error_is_checked():
    with pytest.raises(ValueError, match="Unknown on_error"):
        data.load("emoji", on_error="ignore")


@pytest.mark.parametrize("load", [data.load_pairs, data.load_unpaired])
def test_domains_without_their_broken_files(load):
    for i in range(3):
        save("set", f"A/{i}.png", noise((8, 8, 3), seed=i))
        save("set", f"B/{i}.png", noise((8, 8, 3), seed=i))
    open("set/B/1.png", "wb").close()
    with pytest.raises(ValueError, match=r"set/B/1\.png"):
        load("set", image_size=8)
    with pytest.warns(UserWarning, match=r"set/B/1\.png"):
        dataset = load("set", image_size=8, on_error="skip")
    assert len(dataset) == (2 if load is data.load_pairs else 3)
    if load is data.load_pairs:
        for a, b in dataset:
            np.testing.assert_array_equal(a, b)


def test_a_folder_that_cannot_be_searched_is_named(monkeypatch):
    save("set", "a.png", noise((8, 8, 3)))
    save("set", "closed/b.png", noise((8, 8, 3)))
    scandir = os.scandir

    def closed(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(places.os, "scandir", closed)
    with pytest.raises(ValueError, match=r"set/closed': .*Permission denied"):
        data.load("set", image_size=8, batch_size=1)


def test_large_pictures_are_read_few_at_a_time(monkeypatch):
    monkeypatch.setattr(broken.os, "cpu_count", lambda: 16)
    monkeypatch.setattr(broken.os, "sysconf", lambda _: 2**17)  # 16 GiB
    assert broken.parallel_reads(10**6) is None
    assert broken.parallel_reads(2**30) == 4
    assert broken.parallel_reads(2**40) == 1


# -- zip archives --------------------------------------------------------------


def pack(path, names, folder="set", top="", method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name in names:
            archive.write(f"{folder}/{name}", f"{top}{name}")


@pytest.mark.parametrize("top", ["", "photos/", "photos/photos/"])
def test_an_archive_is_read_as_its_folder(top):
    names = [f"{kind}/{i}.png" for kind in ("cats", "dogs") for i in range(2)]
    for i, name in enumerate(names):
        save("set", name, noise((8, 8, 3), seed=i))
    pack("set.zip", names, top=top)
    options = {**OPTIONS, "labels": True, "shuffle": False}
    ((images, labels),) = data.load("set", **options)
    ((packed, packed_labels),) = data.load("set.zip", **options)
    np.testing.assert_array_equal(packed, images)
    assert packed_labels.numpy().tolist() == labels.numpy().tolist() == [0, 0, 1, 1]
    assert data.class_names("set.zip") == data.class_names("set") == ["cats", "dogs"]
    assert sorted(os.listdir()) == ["set", "set.zip"]


@pytest.mark.daily(1)
@pytest.mark.parametrize("load", [data.load_pairs, data.load_unpaired])
@pytest.mark.parametrize("layout", ["A B", "trainA trainB", "train/a train/b"])
def test_domains_of_an_archive(load, layout):
    names = [f"{folder}/{i}.png" for folder in layout.split() for i in range(2)]
    for i, name in enumerate(names):
        save("set", name, noise((8, 8, 3), seed=i))
    pack("set.zip", names, top="pairs/")
    for a, b in zip(
        load("set", image_size=8), load("set.zip", image_size=8), strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_hostile_members_are_named_and_nothing_is_unpacked(monkeypatch):
    monkeypatch.setattr("keras_gans.modalities.untrusted.MAX_BYTES", 10_000)
    save("set", "good.png", noise((8, 8, 3)))
    pack("set.zip", ["good.png"])
    good = pathlib.Path("set/good.png").read_bytes()
    inner = pathlib.Path("set.zip").read_bytes()
    with zipfile.ZipFile("set.zip", "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.png", bytes(10_001))
        archive.writestr("../escaped.png", good)
        archive.writestr("/root.png", good)
        archive.writestr("__MACOSX/._good.png", b"resource fork")
        archive.writestr("nested.zip", inner)
        archive.writestr("squeezed.png", good, zipfile.ZIP_LZMA)
        archive.writestr("broken.png", b"no picture")
        for i in range(2000):
            archive.writestr(f"notes/{i}.txt", b"")
    report = data.check("set.zip")
    assert {path: why.split()[0] for path, why in report.broken.items()} == {
        "set.zip/bomb.png": "it",
        "set.zip/squeezed.png": "it",
        "set.zip/broken.png": "it",
    }
    assert "10001 bytes" in report.broken["set.zip/bomb.png"]
    assert "2 of 5 image files" in str(report)
    assert ".txt x2000, .zip x1" in str(report)
    assert sorted(os.listdir()) == ["set", "set.zip"]


def test_a_member_that_lies_about_its_size_is_broken():
    save("set", "good.png", noise((64, 64, 3)))
    pack("set.zip", ["good.png"])
    content = bytearray(pathlib.Path("set.zip").read_bytes())
    size = struct.pack("<I", os.path.getsize("set/good.png"))
    for place in (content.index(size, 20), content.rindex(size)):
        content[place : place + 4] = struct.pack("<I", 100)
    with open("set.zip", "wb") as file:
        file.write(content)
    with pytest.raises(ValueError, match=r"set\.zip/good\.png"):
        data.load("set.zip", **OPTIONS)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04" + bytes(50)])
def test_damaged_archives_are_refused(content):
    with open("set.zip", "wb") as file:
        file.write(content)
    with pytest.raises(ValueError, match=r"Cannot read the archive 'set\.zip'"):
        data.load("set.zip", **OPTIONS)


# -- the report ----------------------------------------------------------------


def test_check_reports_all_of_a_folder():
    make_mixed("set")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = data.check("set", image_size=16)
    text = str(report)
    assert {os.path.basename(path) for path in report.broken} == set(BROKEN)
    for part in (
        "27 of 35 image files of set",
        "8 that cannot be read",
        "1 of other kinds: .txt x1",
        "60 x 40 to 60 x 47 pixels (width x height), median 60 x 40",
        "grey (made colour)",
        "2 transparent (laid on white)",
        "2 of 16 bits",
        "3 animated or of several pages (the first picture is used)",
        "'set/named wrongly.png' = 'set/photo0.jpg'",
        "16 x 16 pixels, colour: 27 made smaller; 27 lose",
    ):
        assert part in text, text


def test_copies_and_medians_are_told():
    """By `check` and before a training, of two files or four."""
    for i, (height, width) in enumerate([(10, 20), (10, 24), (30, 40), (30, 41)]):
        save("set", f"{i}.png", noise((height, width, 3), seed=i))
    described = data.describe("set", "images", (16, 16), 3)
    assert "median 32 x 20" in str(described) and "copies" not in str(described)
    shutil.copy("set/0.png", "set/again.png")
    for report in (data.check("set"), data.describe("set", "images", (16, 16), 3)):
        assert "1 file is a copy:" in str(report)
        assert "'set/0.png' = 'set/again.png'" in str(report)
        assert "median 24 x 10" in str(report)


def test_pictures_of_twelve_bits_are_told(monkeypatch):
    """By each report, of few files or of some of many; not if white is there."""
    told = "{} of 16 bits{} nearly black: {} largest value is 4095 of 65535. Scale"
    values = np.linspace(0, 4095, 64).reshape(8, 8).astype("uint16")
    save("set", "scan.png", values)
    save("set", "white.png", values * 16)
    save("set", "plain.png", noise((8, 8, 3)))
    for channels in (1, 3):
        for text in (
            str(data.check("set", channels=channels)),
            str(data.describe("set", "images", (8, 8), channels)),
        ):
            assert told.format(1, " is", "its") in text
    monkeypatch.setattr(broken, "FEW_PIXELS", 0)
    monkeypatch.setattr(broken, "MOST_DEEP", 2)
    for i in range(9):
        save("many", f"{i}.png", values)
    text = str(data.describe("many", "images", (8, 8), 3))
    assert told.format(2, ", of 2 that were looked at, are", "their") in text
    os.remove("set/scan.png")
    assert "nearly black" not in str(data.check("set"))


def test_what_is_cut_off_is_told_without_noughts():
    for i, width in enumerate((9, 9, 10)):
        save("set", f"{i}.png", noise((8, width, 3), seed=i))
    text = str(data.check("set", image_size=8))
    assert "3 lose what lies beyond the middle, at most 20% of a picture" in text
    save("set", "3.png", noise((8, 16, 3), seed=3))
    assert "1 of them more than 25% (most: 50%)" in str(data.check("set", image_size=8))


def test_check_tells_classes_and_pairs():
    for i in range(3):
        save("set", f"A/{i}.png", noise((8, 8, 3), seed=i))
        save("set", f"B/{i}.png", noise((8, 8, 3), seed=i + 3))
    text = str(data.check("set"))
    assert "2: A (3), B (3)" in text and "pairs      3" in text
    os.remove("set/B/2.png")
    text = str(data.check("set"))
    assert "A and B of 3 and 2 pictures" in text and "none (cyclegan" in text
