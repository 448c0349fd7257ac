"""Clips of videos: from files of every kind, by seed, and what is refused."""

import os
import shutil
import subprocess
import zipfile

import numpy as np
from PIL import Image
import pytest

from keras_gans.data import clip_classes, describe_clips, load_clips
from keras_gans.data.clips import film_rate, read_film
from keras_gans.modalities import Video, video_files

SHAPE = (16, 24, 3)


def film(frames, seed=0, height=16, width=24):
    """Frames whose brightness tells their number: the k-th is 10 k grey."""
    x = np.zeros((frames, height, width, 3), "uint8")
    x += (10 * np.arange(frames, dtype="uint8"))[:, None, None, None]
    return x


def save(path, frames, durations=100):
    pictures = [Image.fromarray(f) for f in frames]
    pictures[0].save(
        path,
        save_all=True,
        append_images=pictures[1:],
        duration=durations,
        **({"lossless": True} if path.suffix == ".webp" else {}),
    )


def numbers(clips):
    """The frame numbers of clips of `film`."""
    grey = (np.asarray(clips) + 1).mean((2, 3, 4)) * 127.5
    return np.rint(grey / 10).astype(int)


def options(**kwargs):
    given = {"frames": 4, "frame_shape": SHAPE, "batch_size": 1, "shuffle": False}
    return {**given, **kwargs}


@pytest.mark.parametrize("ending", [".gif", ".webp", ".mp4"])
def test_frames_of_files_are_their_own(tmp_path, ending):
    x = film(12)
    path = tmp_path / f"a{ending}"
    if ending == ".mp4":
        Video(12, SHAPE).write(path, x.astype("float32") / 127.5 - 1)
    else:
        save(path, x)
    found = [numbers(c) for c in load_clips(tmp_path, places="first", **options())]
    np.testing.assert_array_equal(found, [[[0, 1, 2, 3]]])
    first, again = (
        np.concatenate([numbers(c) for c in load_clips(tmp_path, seed=3, **options())])
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)
    assert len(first) == 3 and (np.diff(first) == 1).all()
    whole = np.stack(list(read_film(path)))
    np.testing.assert_allclose(whole, x, rtol=0, atol=2)
    assert film_rate(path) == 10


def test_rates_are_brought_to_the_one_asked_for(tmp_path):
    """Frames of 100 ms at 20 a second come twice, at 5 every other one."""
    save(tmp_path / "a.gif", film(8))
    twice = load_clips(tmp_path, rate=20, places="first", **options())
    np.testing.assert_array_equal(numbers(next(iter(twice))), [[0, 0, 1, 1]])
    half = load_clips(tmp_path, rate=5, places="first", **options())
    np.testing.assert_array_equal(numbers(next(iter(half))), [[0, 2, 4, 6]])
    save(tmp_path / "a.gif", film(5), [100, 300, 100, 100, 100])
    uneven = load_clips(tmp_path, places="first", **options())
    np.testing.assert_array_equal(numbers(next(iter(uneven))), [[0, 1, 1, 1]])
    told = str(describe_clips(tmp_path, Video(4, SHAPE)))
    assert "1 videos have frames of unlike durations" in told


def test_mp4_of_a_variable_rate_keeps_its_times(tmp_path):
    """Frames 4 and on are shown three times as long as those before."""
    Video(8, SHAPE).write(tmp_path / "even.mp4", film(8).astype("float32") / 127.5 - 1)
    slower = "setpts='if(lt(N,4),N,4+(N-4)*3)/10/TB'"
    asked = ["-i", tmp_path / "even.mp4", "-vf", slower, "-fps_mode", "vfr"]
    asked += ["-c:v", "libx264", "-crf", "1", tmp_path / "uneven.mp4"]
    subprocess.run([*video_files.ffmpeg(), *asked], check=True)
    told = str(describe_clips(tmp_path, Video(4, SHAPE)))
    assert "1 videos have frames of unlike durations" in told
    assert "keep: 'uneven.mp4'" in told
    (tmp_path / "even.mp4").unlink()
    clip = next(iter(load_clips(tmp_path, **options(frames=12, places="first"))))
    wanted = [0, 1, 2, 3, 4, 4, 4, 5, 5, 5, 6, 6]
    np.testing.assert_array_equal(numbers(clip), [wanted])
    every = load_clips(tmp_path, **options(frames=2))
    assert np.concatenate([numbers(c) for c in every]).max() >= 6


def test_folders_of_frames_and_classes(tmp_path):
    for name, start in (("up/one", 0), ("up/two", 4), ("down/three", 8)):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        for k, frame in enumerate(film(12)[start : start + 4]):
            Image.fromarray(frame).save(folder / f"frame{k + 8}.png")  # and 10, 11
    batch, labels = next(
        iter(load_clips(tmp_path, labels=True, **options(batch_size=3)))
    )
    assert clip_classes(tmp_path) == ["down", "up"]
    np.testing.assert_array_equal(labels, [0, 1, 1])
    np.testing.assert_array_equal(numbers(batch)[:, 0], [8, 0, 4])
    np.testing.assert_array_equal(numbers(batch)[1], [0, 1, 2, 3])
    alone = read_film(tmp_path / "up" / "one")
    assert [int(frame.min()) // 10 for frame in alone] == [0, 1, 2, 3]
    report = describe_clips(tmp_path, Video(4, SHAPE), labels=True)
    assert "3 of 3 videos" in str(report) and len(report.digests["files"]) == 12
    archive = shutil.make_archive(tmp_path / "all", "zip", tmp_path, "up")
    zipped = load_clips(archive, **options(batch_size=2))
    np.testing.assert_array_equal(numbers(next(iter(zipped)))[:, 0], [0, 4])


def test_films_in_archives(tmp_path):
    Video(4, SHAPE).write(tmp_path / "a.mp4", film(4).astype("float32") / 127.5 - 1)
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.write(tmp_path / "a.mp4", "a.mp4")
    clips = next(iter(load_clips(tmp_path / "b.zip", **options())))
    np.testing.assert_array_equal(numbers(clips), [[0, 1, 2, 3]])


def test_frames_are_cropped_and_made_opaque(tmp_path):
    (tmp_path / "clear").mkdir()
    for k in range(4):
        clear = Image.fromarray(np.zeros((20, 40, 4), "uint8"))
        clear.save(tmp_path / "clear" / f"{k}.png")
    clips = next(iter(load_clips(tmp_path, **options(frame_shape=(8, 8, 1)))))
    assert clips.shape == (1, 4, 8, 8, 1) and (np.asarray(clips) == 1).all()


def test_what_cannot_be_used_is_named(tmp_path):
    save(tmp_path / "good.gif", film(6))
    save(tmp_path / "short.gif", film(2))
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    (tmp_path / "empty.webp").write_bytes(b"")
    (tmp_path / "cut.gif").write_bytes((tmp_path / "good.gif").read_bytes()[:40])
    with pytest.raises(ValueError, match=r"4 of 5 video files") as error:
        load_clips(tmp_path, **options())
    for text in ("short.gif': it has 2 frames", "broken.mp4", "cut.gif", "empty (0"):
        assert text in str(error.value)
    clips = load_clips(tmp_path, on_error="skip", **options())
    assert len(clips) == 1
    report = describe_clips(tmp_path, Video(4, SHAPE), on_error="skip")
    assert "1 of 5 videos" in str(report) and len(report.broken) == 4
    with pytest.raises(ValueError, match="holds no videos"):
        load_clips(os.path.dirname(__file__), **options())
    with pytest.raises(ValueError, match=r"\"digits\""):
        load_clips(film(3), **options())


def test_damaged_frames_of_a_folder_are_named(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        for k, frame in enumerate(film(4)):
            Image.fromarray(frame).save(tmp_path / name / f"{k}.png")
    cut = tmp_path / "two" / "3.png"
    noise = np.random.default_rng(0).integers(0, 256, SHAPE, "uint8")
    Image.fromarray(noise).save(cut)
    cut.write_bytes(cut.read_bytes()[:-400])
    with pytest.raises(ValueError, match=r"1 of 2 video.*\n.*two': its frame '3.png'"):
        load_clips(tmp_path, **options())
    assert len(load_clips(tmp_path, on_error="skip", **options())) == 1
    with pytest.raises(ValueError, match=r"its frame '3.png' cannot be read"):
        read_film(tmp_path / "two")
    with pytest.raises(ValueError, match="move them into a subfolder"):
        load_clips(tmp_path / "one", **options())
    (tmp_path / "two" / "3.png").unlink()
    grey = np.full((16, 24), 40000, "uint16")  # of 16 bits
    Image.fromarray(grey).save(tmp_path / "two" / "3.png")
    assert list(read_film(tmp_path / "two"))[3].max() == round(40000 / 257)


def test_an_mp4_that_is_cut_short_is_named(tmp_path):
    x = np.random.default_rng(0).uniform(-1, 1, (20, *SHAPE)).astype("float32")
    Video(20, SHAPE).write(tmp_path / "whole.mp4", x)
    asked = ["-i", tmp_path / "whole.mp4", "-c", "copy", "-movflags", "faststart"]
    subprocess.run([*video_files.ffmpeg(), *asked, tmp_path / "a.mp4"], check=True)
    (tmp_path / "whole.mp4").unlink()
    data = (tmp_path / "a.mp4").read_bytes()
    (tmp_path / "a.mp4").write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match=r"a\.mp4': it is cut short"):
        load_clips(tmp_path, **options())


def test_slow_films_have_a_rate(tmp_path):
    save(tmp_path / "slow.gif", film(2), 3000)
    assert film_rate(tmp_path / "slow.gif") == 1
    assert [f.max() // 10 for f in read_film(tmp_path / "slow.gif")] == [0] * 3 + [
        1
    ] * 3
    for name, message in (("none.gif", "no such video"), ("slow.avi", r"or end in")):
        (tmp_path / "slow.avi").write_bytes(b"RIFF")
        with pytest.raises(ValueError, match=message):
            read_film(tmp_path / name)


def test_digits_move():
    batch, labels = next(
        iter(load_clips("digits", labels=True, **options(batch_size=4, frames=6)))
    )
    x = np.asarray(batch)
    assert x.shape == (4, 6, *SHAPE) and x.min() == -1 and x.max() > 0.5
    np.testing.assert_array_equal(labels, [0, 1, 2, 3])
    assert clip_classes("digits") == ["across", "down", "aslant", "around"]
    moved = np.abs(np.diff(x, axis=1)).mean((1, 2, 3, 4))
    assert (moved > 0.01).all()
    # What moves across keeps its rows.
    rows = (x[0] > -0.9).any((2, 3))
    assert (rows == rows[0]).all()
    one, other = (
        next(iter(load_clips("digits", seed=seed, **options()))) for seed in (0, 1)
    )
    assert (np.asarray(one) != np.asarray(other)).any()
    assert "two digits" in str(describe_clips("digits", Video(4, SHAPE)))


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"frames": 0}, "frames"),
        ({"rate": 0}, "rate"),
        ({"frame_shape": (8, 8, 2)}, "1 or 3 channels"),
        ({"places": "last"}, "places"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_bad_arguments_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        load_clips("digits", **options(**kwargs))
