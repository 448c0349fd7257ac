"""Files of each modality: written, read again, and hostile ones refused."""

import io
import struct
import sys
import wave
import zipfile
import zlib

import keras
import numpy as np
from PIL import Image as PillowImage
import pytest

import keras_gans as kg
from keras_gans.data.clips import film_rate, read_film
from keras_gans.modalities import untrusted, video_files, waveform
from keras_gans.utils.optional import require

TABLE = kg.Table({"age": [(40, 10), (5, 2)], "sex": ["f", 'm "ü",\n']})
TOKENS = kg.Tokens(5, ["", "red", "blue", "grün"])
rng = np.random.default_rng(0)


def levels(shape, count=256, low=-1.0, high=1.0):
    """Values that files of `count` levels hold exactly."""
    values = rng.integers(0, count, shape) / (count - 1) * (high - low) + low
    return values.astype("float32")


SOUND = np.float32(rng.integers(-32768, 32768, (64, 2)) / 32768)
GREY = levels((6, 8, 10, 1))
GREY[3] = GREY[2]  # GIF files hold such frames once
EXACT = [
    (kg.Image((8, 6, 3)), ".png", levels((8, 6, 3))),
    (kg.Image((8, 6, 2)), ".png", levels((8, 6, 2))),
    (kg.Image((None, None, 1), (0, 1)), ".png", levels((4, 5, 1), low=0)),
    (kg.Waveform(64, 2, 8000), ".wav", SOUND),
    (kg.Waveform(None, 2, 8000), ".flac", SOUND),
    (kg.Volume(6), ".npz", levels((6, 6, 6, 1), low=0)),
    (kg.Volume((4, 5, 6), 2, (-1, 1)), ".npy", levels((4, 5, 6, 2))),
    (kg.Video(6, (8, 10, 1)), ".gif", GREY),
    (kg.Video(None, (8, 10, 1), rate=25), ".gif", GREY),
    (kg.Video(2, (8, 10, 3)), ".gif", levels((2, 8, 10, 3), 6)),
    (kg.Video(6, (8, 10, 1), rate=24), ".webp", GREY),
    (kg.Video(None, (8, 10, 3)), ".webp", levels((3, 8, 10, 3))),
    (TOKENS, ".txt", np.array([[1, 3, 0, 0, 0], [2, 2, 2, 2, 2], [0] * 5])),
    (kg.Tokens(3, 12), ".txt", np.array([[1, 0, 11]])),
    (kg.Tokens(3, ["_", "a", "b"], ""), ".txt", np.array([[1, 2, 1]])),
    (TABLE, ".csv", np.float32([[0.5, 1, 0, 0, 1], [-0.25, 0, 1, 1, 0]])),
    (kg.Points(2), ".csv", rng.normal(size=(5, 2)).astype("float32")),
    (kg.Points(3), ".npy", rng.normal(size=(5, 3)).astype("float32")),
]


@pytest.mark.parametrize(
    ("modality", "extension", "sample"),
    EXACT,
    ids=[f"{m.kind}{e}{i}" for i, (m, e, _) in enumerate(EXACT)],
)
def test_files_come_back(modality, extension, sample, tmp_path):
    path = tmp_path / f"file{extension}"
    modality.write(path, sample)
    found = modality.read(path)
    assert found.dtype == ("int32" if modality.kind == "tokens" else "float32")
    np.testing.assert_allclose(found, sample, atol=1e-6)
    with pytest.raises(ValueError, match="overwrite"):
        modality.write(path, sample)
    modality.write(path, sample, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert modality.encode(sample, extension) == path.read_bytes()
    with pytest.raises(ValueError, match=f"end in .*{extension}"):
        modality.encode(sample, ".xyz")
    if extension == modality.extensions[0]:
        again = modality.decode(modality.encode(sample))
        np.testing.assert_array_equal(again, found)
    with pytest.raises(ValueError, match=f"end in .*{extension}"):
        modality.write(tmp_path / "file.xyz", sample)
    with pytest.raises(ValueError, match="end in"):
        modality.read(tmp_path / "file.xyz")


@pytest.mark.parametrize(
    ("modality", "extension", "sample"),
    EXACT,
    ids=[f"{m.kind}{e}{i}" for i, (m, e, _) in enumerate(EXACT)],
)
def test_damaged_files_are_refused(modality, extension, sample, tmp_path):
    path = tmp_path / f"file{extension}"
    modality.write(path, sample)
    good = path.read_bytes()
    for bad in (b"", b"\x00", b"\xff\xfe" + rng.bytes(300)):
        path.write_bytes(bad)
        with pytest.raises(ValueError, match=f"Cannot read {path}"):
            modality.read(path)
    for _ in range(60):  # whatever it reads, nothing but ValueError is raised
        damaged = bytearray(good[: rng.integers(1, len(good) + 1)])
        damaged[rng.integers(len(damaged))] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            found = modality.read(path)
        except ValueError:
            continue
        assert found.size < 10 * sample.size


@pytest.mark.parametrize("extension", [".ogg", ".mp4", ".gif"])
def test_lossy_files_are_close(extension, tmp_path):
    if extension == ".ogg":
        modality = kg.Waveform(8000, rate=16000)
        sample = 0.5 * np.sin(np.arange(8000) / 9)[:, None]
    else:
        modality = kg.Video(6, (32, 48, 3))
        y, x, t = np.mgrid[:32, :48, :6]
        sample = np.sin((x + y)[..., None, :] / 9 + t[..., None, :] / 4)
        sample = sample.transpose(3, 0, 1, 2).repeat(3, -1)
    path = tmp_path / f"file{extension}"
    modality.write(path, sample)
    found = modality.read(path)
    assert found.shape == modality.shape
    assert np.abs(found - sample).mean() < 0.05
    assert found.min() >= -1.001 and found.max() <= 1.001


@pytest.mark.parametrize("extension", [".obj", ".stl", ".glb", ".ply"])
def test_meshes_are_closed(extension, tmp_path):
    import trimesh

    solid = np.ones((4, 6, 5, 1), "float32")  # as far as the volume's sides
    volume = kg.Volume((4, 6, 5))
    volume.write(tmp_path / f"box{extension}", solid)
    mesh = trimesh.load(tmp_path / f"box{extension}", force="mesh")
    assert mesh.is_watertight
    assert 0.8 * 120 < mesh.volume < 120  # positive: normals point out
    np.testing.assert_allclose(mesh.extents, (4, 6, 5), atol=0.2)
    sharp = volume.mesh(solid, smoothing=0)
    np.testing.assert_allclose(sharp.extents, (4, 6, 5))
    assert 0.95 < mesh.volume / sharp.volume < 1.05


@pytest.mark.parametrize("middle", [0, 0.5])
def test_meshes_of_ties_are_closed(middle):
    """Of 0 and 1 alone, whose saddles lie on the surface, and of values on it."""
    volume, noise = kg.Volume(8), np.random.default_rng(1)
    for share in (0.1, 0.3, 0.5):
        solid = np.where(noise.random((8, 8, 8, 1)) < share, 1.0, middle)
        mesh = volume.mesh(solid, smoothing=0)
        assert mesh.is_watertight and mesh.volume > 0


def test_meshes_are_read_on_the_grid_of_the_volume(tmp_path):
    import trimesh

    trimesh.creation.box((1, 2, 1)).export(tmp_path / "a.stl")
    solid = kg.Volume((8, 8, 6), range=(-1, 1)).read(tmp_path / "a.stl")
    sides = [np.ptp(at) + 1 for at in np.nonzero(solid[..., 0] > 0)]
    assert solid.shape == (8, 8, 6, 1) and sides[1] == 6 and sides[2] == 4
    with pytest.raises(ValueError, match=r"\(8, 8, 6, 1\).*read_volume"):
        np.save(tmp_path / "a.npy", solid)
        kg.Volume(8).read(tmp_path / "a.npy")


def test_what_is_transparent_in_a_video_is_white(tmp_path):
    clear = PillowImage.new("RGBA", (8, 8), (0, 0, 0, 0))
    solid = PillowImage.new("RGBA", (8, 8), (0, 0, 0, 255))
    clear.save(tmp_path / "a.webp", save_all=True, append_images=[solid], lossless=True)
    found = kg.Video(2, (8, 8, 1)).read(tmp_path / "a.webp")
    np.testing.assert_array_equal(found[:, 0, 0, 0], [1, -1])


def test_surfaces_that_enclose_nothing_are_refused(monkeypatch):
    volume, dot = kg.Volume(4), np.zeros((4, 4, 4, 1))
    dot[1, 1, 1] = 1
    assert volume.mesh(dot).volume > 0
    trimesh = pytest.importorskip("trimesh")

    def turn_inside_out(mesh, iterations):
        mesh.invert()

    monkeypatch.setattr(trimesh.smoothing, "filter_taubin", turn_inside_out)
    with pytest.raises(ValueError, match="less `smoothing`"):
        volume.mesh(dot)


def test_volumes_without_a_surface_have_no_mesh():
    with pytest.raises(ValueError, match=r"above 0.5.*\.npz"):
        kg.Volume(4).mesh(np.zeros((4, 4, 4, 1)))
    with pytest.raises(ValueError, match="of 2"):
        kg.Volume(4, 2).mesh(np.ones((4, 4, 4, 2)))


@pytest.mark.parametrize(
    ("modality", "sample", "message"),
    [
        (kg.Image((8, 8, 3)), np.zeros((8, 9, 3)), r"\(8, 9, 3\)"),
        (kg.Image((8, 8, 3)), np.zeros((8, 8, 3), "uint8"), "must be floats"),
        (kg.Image((8, 8, 3)), np.full((8, 8, 3), np.nan), "NaN"),
        (kg.Image((8, 8, 5)), np.zeros((8, 8, 5)), "1 to 4 channels"),
        (kg.Waveform(8), np.zeros((9, 1)), r"\(9, 1\)"),
        (kg.Points(2), np.zeros((3, 3)), r"\(3,\)"),
        (kg.Tokens(3, 4), np.array([[1, 2, 9]]), "from 1 to 9"),
        (TABLE, np.zeros((2, 4)), r"\(2, 4\)"),
    ],
)
def test_samples_that_no_file_holds_are_refused(modality, sample, message):
    with pytest.raises(ValueError, match=message):
        modality.encode(sample)


def test_mp4_files_have_even_sides(tmp_path):
    with pytest.raises(ValueError, match="even"):
        kg.Video(2, (8, 9, 3)).write(tmp_path / "a.mp4", np.zeros((2, 8, 9, 3)))


def wav(values, rate=8000, width=2):
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(values)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("width", "values"),
    [
        (1, bytes([0, 128, 192])),
        (2, struct.pack("<3h", -32768, 0, 16384)),
        (3, b"\0\0\x80" + b"\0\0\0" + b"\0\0\x40"),
        (4, struct.pack("<3i", -(2**31), 0, 2**30)),
    ],
)
def test_wav_files_of_every_depth(width, values):
    found = kg.Waveform(3, rate=8000).decode(wav(values, width=width))
    np.testing.assert_array_equal(found[:, 0], [-1, 0, 0.5])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"hello", "holds something else"),
        (wav(b"\0" * 8)[:30], "no WAV file that is whole"),
        (b"RIFF", "no WAV file that is whole"),
    ],
)
def test_what_is_no_sound_needs_no_package(data, message, monkeypatch, tmp_path):
    """A package would not mend it, so none is asked for."""
    monkeypatch.setitem(sys.modules, "soundfile", None)
    (tmp_path / "a.wav").write_bytes(data)
    with pytest.raises(ValueError, match=rf"Cannot read .*a\.wav: it .*{message}"):
        kg.Waveform(None, rate=8000).read(tmp_path / "a.wav")
    with pytest.raises(ValueError, match=message):
        kg.Waveform(None, rate=8000).decode(data)


def _npz_of(values):
    stream = io.BytesIO()
    np.savez(stream, volume=values)
    return stream.getvalue()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_files_with_nan_are_refused(bad, tmp_path):
    """Whatever could hold it: read from a file that is named, or written."""
    import soundfile

    solid = np.zeros((2, 2, 2, 1), "float32")
    solid[0, 1] = bad
    np.save(tmp_path / "a.npy", solid)
    (tmp_path / "a.npz").write_bytes(_npz_of(solid))
    (tmp_path / "points.csv").write_text(f"1,2\n{bad},0\n")
    np.save(tmp_path / "points.npy", np.array([[1, bad]]))
    sound = np.array([[0.0], [bad]], "float32")
    soundfile.write(tmp_path / "a.wav", sound, 8000, subtype="FLOAT")
    for modality, file in (
        (kg.Volume(2), "a.npy"),
        (kg.Volume(2), "a.npz"),
        (kg.Points(2), "points.csv"),
        (kg.Points(2), "points.npy"),
        (kg.Waveform(2, rate=8000), "a.wav"),
    ):
        with pytest.raises(ValueError, match=rf"Cannot read .*{file}.*NaN or infinite"):
            modality.read(tmp_path / file)
    with pytest.raises(ValueError, match="one of the points holds NaN"):
        kg.Points(2).write(tmp_path / "b.csv", np.array([[bad, 1]]))


def test_wav_files_of_floats(tmp_path):
    import soundfile

    soundfile.write(tmp_path / "a.wav", SOUND, 8000, subtype="FLOAT")
    found = kg.Waveform(64, 2, 8000).read(tmp_path / "a.wav")
    np.testing.assert_array_equal(found, SOUND)


def npy(shape, data=b"", dtype="<f4"):
    head = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}}}"
    head = head.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + head.encode() + data


def npz(*arrays):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for i, array in enumerate(arrays):
            archive.writestr(f"{i}.npy", array)
    return stream.getvalue()


def png(width, height):
    def chunk(name, data):
        crc = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IEND", b"")


def gif(size, frames=1, durations=10):
    stream = io.BytesIO()
    images = [PillowImage.new("L", size, i % 2 * 255) for i in range(frames)]
    images[0].save(
        stream,
        format="GIF",
        save_all=True,
        append_images=images[1:],
        duration=durations,
    )
    return stream.getvalue()


LONG = bytearray(wav(b"\0" * 16))
LONG[40:44] = struct.pack("<I", 0xFFFFFFF0)
WIDE = bytearray(wav(b"\0" * 10))
WIDE[34] = 40
GIFS = kg.Video(None, (8, 8, 1))
HUGE_GIF = bytearray(gif((8, 8)))
HUGE_GIF[6:10] = b"\xff\xff\xff\xff"


@pytest.mark.parametrize(
    ("modality", "data", "message"),
    [
        (kg.Image((None, None, 1)), png(10**5, 10**5), "no image.*pixels"),
        (kg.Image((8, 8, 1)), png(9, 9), "no image"),
        (kg.Waveform(None, rate=8000), bytes(LONG), "announces"),
        (kg.Waveform(None, rate=8000), wav(b""), "announces"),
        (kg.Waveform(None, rate=8000), wav(b"\0" * 8)[:-2], "holds 6 bytes"),
        (kg.Waveform(None), bytes(WIDE), "40 bits"),
        (kg.Waveform(None), wav(b"\0\0"), "8000 samples a second.*Resample"),
        (kg.Waveform(4, rate=8000), wav(b"\0\0"), r"\(1, 1\).*Cut or pad"),
        (kg.Volume(8), npy((10**6,) * 3), "announces"),
        (kg.Volume(8), npy((2**70, 0)), "announces"),
        (kg.Volume(8), npy((8, 8, 8, 1)), "holds 0 bytes"),
        (kg.Volume(1), npy((1, 1, 1, 1), b"\0" * 8, "|O"), "of object, .* no numbers"),
        (kg.Volume(1), npy((1, 1, 1, 1), b"\0" * 4, "<U1"), "of <U1, .* no numbers"),
        (kg.Volume(1), npy((1, 1, 2, 1), b"\0" * 8), r"\(1, 1, 2, 1\)"),
        (kg.Volume(1), npy(1, b"\0" * 8), "no .npy"),
        (kg.Volume(8), npz(b"", b""), "2 arrays, one"),
        (kg.Volume(8), npz(), "0 arrays, one"),
        (kg.Volume(8), npz(b"\0" * (2**21)), "2097152 bytes, more"),
        (kg.Volume(8), npz(b"text"), "no .npy"),
        (GIFS, bytes(HUGE_GIF), "pixels.*exceeds"),
        (kg.Video(3, (8, 8, 1)), gif((8, 8), 4), "more than the 3 frames"),
        (GIFS, gif((8, 9)), "Resize its frames"),
        (GIFS, gif((8, 8), 40, 60000), "announces"),
        (kg.Points(2), b"1,2\n3\n", "line 2 has 1 cells, not 2"),
        (kg.Points(2), b"1,x\n", "could not convert"),
        (kg.Points(1), b"1\n" * 2**19, "announces"),
        (kg.Points(1), b"1" * 200000, "no CSV|announces"),
        (TABLE, b"age,Sex\n1,f\n", "0 columns 'sex'.*Did you mean Sex"),
        (TABLE, b"age,sex,sex\n1,f,f\n", "2 columns 'sex'"),
        (TABLE, b"age,sex\n1,f\nx,f\n", "row 2 needs a number"),
        (TABLE, b"age,sex\n", "no rows"),
        (TOKENS, b"red redd\n", r"line 1 holds 'redd'.*Did you mean red\?"),
        (TOKENS, b"red red red red red red\n", "line 1 has 6 tokens"),
        (TOKENS, b"\xff\xff", "UTF-8"),
        (TOKENS, b"\n" * 2**18, "announces"),
    ],
)
def test_hostile_files_are_refused(modality, data, message, monkeypatch):
    monkeypatch.setattr(untrusted, "MAX_VALUES", 2**18)
    monkeypatch.setattr(untrusted, "MAX_BYTES", 2**20)
    with pytest.raises(ValueError, match=message):
        modality.decode(data)


def test_files_that_are_too_large_are_not_read(tmp_path, monkeypatch):
    with open(tmp_path / "a.txt", "wb") as file:
        file.truncate(2**40)  # takes no place
    with pytest.raises(ValueError, match=f"{2**40} bytes, more than"):
        TOKENS.read(tmp_path / "a.txt")
    monkeypatch.setattr(untrusted, "MAX_LINE", 8)
    with pytest.raises(ValueError, match="a line of more than 8"):
        TOKENS.decode(b"red\nred red red\n")


def test_mp4_files_open_no_other_files(tmp_path):
    (tmp_path / "list.txt").write_text("secret")
    playlist = f"#EXTM3U\n#EXTINF:1,\nfile://{tmp_path}/list.txt\n"
    (tmp_path / "a.mp4").write_text(playlist)
    with pytest.raises(ValueError, match="Cannot read"):
        kg.Video(None, (8, 8, 3)).read(tmp_path / "a.mp4")


@pytest.mark.parametrize(
    ("module", "extra", "modality", "path"),
    [
        ("soundfile", "audio", kg.Waveform(8), "a.flac"),
        ("trimesh", "mesh", kg.Volume(2), "a.glb"),
        ("skimage", "mesh", kg.Volume(2), "a.obj"),
        ("imageio_ffmpeg", "video", kg.Video(2, (8, 8, 3)), "a.mp4"),
    ],
)
def test_missing_packages_are_named(module, extra, modality, path, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    for known in [m for m in sys.modules if m.startswith(f"{module}.")]:
        monkeypatch.setitem(sys.modules, known, None)
    message = rf"'{module}'.*pip install 'keras_gans\[{extra}\]'"
    with pytest.raises(ImportError, match=message):
        modality.write(path, np.ones(modality.shape))


def test_require_gives_the_module():
    assert require("wave", extra="audio", what="Sounds") is wave


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="Serving is TensorFlow's."
)
@pytest.mark.parametrize(
    ("modality", "samples"),
    [
        (kg.Image((8, 6, 3)), levels((3, 8, 6, 3), 1000)),
        (kg.Image((8, 6, 1), (0, 1)), levels((3, 8, 6, 1), 1000, 0)),
        (kg.Waveform(64, 2, 8000), np.float32([SOUND, SOUND * 1.3])),
        (kg.Series(None, 3), rng.uniform(-1, 1, (2, 5, 3)).astype("float32")),
        (kg.Points(2), np.float32(rng.normal(size=(3, 2)) * [1e-9, 1e9])),
    ],
)
def test_the_graph_encodes_as_files_do(modality, samples):
    encoded = modality.encode_in_graph(samples).numpy()
    assert modality.bytes_name.endswith("_bytes")
    for data, sample in zip(encoded, samples, strict=True):
        own = modality.decode(modality.encode(sample))
        np.testing.assert_array_equal(modality.decode(data), own)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="Serving is TensorFlow's."
)
@pytest.mark.parametrize(
    ("shape", "frames", "rate"),
    # The frames of the second fill several chunks of its PNG files.
    [((8, 6, 1), 3, 24), ((60, 64, 3), 2, 10), ((5, 7, 3), 1, 10**6)],
)
def test_the_graph_encodes_videos(shape, frames, rate, tmp_path):
    video = kg.Video(None, shape, rate, (0, 1))
    videos = levels((2, frames, *shape), low=0)
    videos[0, -1] = videos[0, 0]
    encoded = video.encode_in_graph(videos).numpy()
    for data, wanted in zip(encoded, videos, strict=True):
        (tmp_path / "a.apng").write_bytes(data)
        if rate < 1000:  # Pillow tells milliseconds
            made = video.read(tmp_path / "a.apng")
            np.testing.assert_allclose(made, wanted, rtol=0, atol=1e-6)
        assert_chunks_are_sound(data, frames)
        with PillowImage.open(io.BytesIO(data)) as image:
            assert getattr(image, "n_frames", 1) == frames
    assert video.encode_in_graph(videos[:0]).numpy().shape == (0,)
    with pytest.raises(ValueError, match=r"Cannot read .*a\.apng: "):
        (tmp_path / "a.apng").write_bytes(encoded[0][:60])
        video.read(tmp_path / "a.apng")


def assert_chunks_are_sound(data, frames):
    """The checksums, and the numbers of chunks of an animation, in their order."""
    place, numbers, names = 8, [], []
    while place < len(data):
        (size,) = struct.unpack(">I", data[place : place + 4])
        name, content = data[place + 4 : place + 8], data[place + 8 :][:size]
        (told,) = struct.unpack(">I", data[place + 8 + size :][:4])
        assert told == zlib.crc32(name + content)
        if name in (b"fcTL", b"fdAT"):
            numbers.append(struct.unpack(">I", content[:4])[0])
        names.append(name)
        place += 12 + size
    assert numbers == [*range(2 * frames - 1)] and names[-1] == b"IEND"


@pytest.mark.full
@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="Serving is TensorFlow's."
)
def test_the_graph_makes_closed_meshes():
    """Noise, of which many voxels touch at edges and corners, and whole solids."""
    trimesh = pytest.importorskip("trimesh")
    low, high = -1.0, 1.0
    volume = kg.Volume((4, 5, 3), range=(low, high))
    solids = np.full((6, *volume.shape), low, "float32")
    solids[0] = levels(volume.shape)
    solids[1] = np.where(levels(volume.shape) > 0, 5.0, -5.0)  # beyond the range
    solids[2] = np.where(levels(volume.shape) > 0.8, 1e-7, 0)  # hardly above
    solids[3] = high
    solids[4, 2, 3, 1] = high
    solids[4, 0, 0, 0] = np.nan
    encoded = volume.encode_in_graph(solids).numpy()
    meshes = [
        trimesh.load(io.BytesIO(data), file_type="glb", force="mesh")
        for data in encoded
    ]
    places = np.stack(np.indices(volume.size), axis=-1).reshape(-1, 3)
    for mesh, solid in zip(meshes[:5], solids, strict=False):
        mesh.merge_vertices()
        assert mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0
        wound = winding_numbers(mesh.triangles, places).reshape(volume.size)
        np.testing.assert_allclose(wound, solid[..., 0] > 0, rtol=0, atol=1e-3)
    # Around one voxel, 24 tetrahedra of 1/6, cut at half of each side.
    np.testing.assert_allclose(meshes[4].volume, 24 / 6 / 8, rtol=1e-5)
    np.testing.assert_allclose(meshes[4].bounds, [[1.5, 2.5, 0.5], [2.5, 3.5, 1.5]])
    # Nothing is solid: a scene without a mesh, which spoils no other answer.
    assert trimesh.load(io.BytesIO(encoded[5]), file_type="glb").is_empty
    assert volume.encode_in_graph(solids[:0]).numpy().shape == (0,)


def winding_numbers(triangles, points):
    """How often a surface goes around points: the sum of its solid angles / 4 pi.

    Van Oosterom and Strackee, The Solid Angle of a Plane Triangle, 1983.
    """
    corners = triangles[None] - points[:, None, None]
    a, b, c = np.moveaxis(corners, 2, 0)
    x, y, z = (np.linalg.norm(corner, axis=-1) for corner in (a, b, c))
    over = np.sum(a * np.cross(b, c), axis=-1)
    under = x * y * z + sum(
        np.sum(s * t, axis=-1) * u for s, t, u in ((a, b, z), (b, c, x), (c, a, y))
    )
    return 2 * np.arctan2(over, under).sum(axis=1) / (4 * np.pi)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="Serving is TensorFlow's."
)
def test_meshes_of_the_graph_are_those_of_files():
    pytest.importorskip("skimage")
    trimesh = pytest.importorskip("trimesh")
    x, y, z = np.mgrid[-1:1:12j, -1:1:12j, -1:1:12j]
    ball = np.float32(1 / (1 + np.exp(10 * (x**2 + y**2 + z**2 - 0.5))))[..., None]
    volume = kg.Volume(12)
    (data,) = volume.encode_in_graph(ball[None]).numpy()
    mesh = trimesh.load(io.BytesIO(data), file_type="glb", force="mesh")
    wanted = volume.mesh(ball, smoothing=0)
    # Both cross the same edges of the grid, and join these points otherwise.
    np.testing.assert_allclose(mesh.volume, wanted.volume, rtol=2e-3)
    np.testing.assert_allclose(mesh.bounds, wanted.bounds, rtol=0, atol=1e-5)
    np.testing.assert_allclose(mesh.centroid, wanted.centroid, rtol=0, atol=1e-3)


@pytest.mark.parametrize("modality", [kg.Image((8, 8, 5)), kg.Volume(4, channels=2)])
def test_others_are_not_encoded_in_graphs(modality):
    assert modality.bytes_name is None
    assert modality.encode_in_graph(np.zeros((1, 2))) is None


@pytest.mark.parametrize("extension", [".gif", ".webp"])
def test_a_few_bytes_are_no_endless_video(extension, monkeypatch):
    """Each reader of videos has the same bounds on what a file tells of itself."""
    name = f"a{extension}"
    black, white = (PillowImage.new("L", (16, 16), grey) for grey in (0, 255))
    black.save(name, save_all=True, append_images=[white], duration=60_000)
    with monkeypatch.context() as patch:
        patch.setattr(untrusted, "MAX_VALUES", 1199 * 16 * 16 * 3)
        with pytest.raises(ValueError, match=r"\(1200, 16, 16, 3\).* are allowed"):
            kg.Video(None, (16, 16, 3)).read(name)
    with monkeypatch.context() as patch:
        patch.setattr(video_files, "MAX_FRAMES", 1199)
        with pytest.raises(ValueError, match=r"1.2e\+03 frames, more than the 1199"):
            read_film(name, rate=10)
    monkeypatch.setattr(untrusted, "MAX_VALUES", 1023)
    for read in (
        lambda: kg.Video(None, (16, 16, 3)).read(name),
        lambda: film_rate(name),
    ):
        with pytest.raises(ValueError, match=r"\(16, 16, 4\).* 1 to 1023 are allowed"):
            read()


def test_films_of_large_frames_are_refused(monkeypatch):
    kg.Video(2, (16, 16, 3)).write("a.mp4", np.zeros((2, 16, 16, 3), "float32"))
    monkeypatch.setattr(untrusted, "MAX_VALUES", 767)
    for read in (
        lambda: kg.Video(None, (16, 16, 3)).read("a.mp4"),
        lambda: film_rate("a.mp4"),
        lambda: list(video_files.frames_of("a.mp4")),
    ):
        with pytest.raises(ValueError, match=r"\(16, 16, 3\).* are allowed"):
            read()


def test_sounds_beyond_what_a_wav_file_holds_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(waveform, "MOST_BYTES", 4 * 100)
    stereo, path = kg.Waveform(None, 2, 8000), tmp_path / "a.wav"
    parts = [np.zeros((60, 2), "float32"), np.zeros((40, 2), "float32")]
    stereo.write_parts(path, parts)
    assert stereo.read(path).shape == (100, 2)
    for write in (
        lambda: stereo.write_parts(tmp_path / "b.wav", [*parts, parts[0][:1]]),
        lambda: stereo.write(tmp_path / "b.wav", np.zeros((101, 2), "float32")),
    ):
        with pytest.raises(ValueError, match=r"up to 4 GiB: 100 samples of 2 chann"):
            write()
    assert [p.name for p in tmp_path.iterdir()] == ["a.wav"]
