"""The demo's answers of sounds, speech, solids and clips."""

import base64
import concurrent.futures
import functools
import io
import re
import threading
import time
import wave

import numpy as np
from PIL import Image as PillowImage
import pytest
from small import (
    small_image_to_volume,
    small_mocogan,
    small_tts,
    small_vits,
    small_voxel_gan,
    small_wavegan,
)

import keras_gans as kg

pytest.importorskip("starlette")

from starlette.testclient import TestClient

from keras_gans.serving.demo import solids, views
from keras_gans.serving.demo.app import make_app
from keras_gans.serving.demo.models import Model
from keras_gans.serving.demo.speech import read_pronunciations

SPOKEN = "pronunciations=seven%3DS EH V AH N, three%3DTH R IY"

MADE = {
    "drums": small_wavegan,
    "stereo": lambda: small_wavegan(channels=2, num_classes=3),
    "solids": small_voxel_gan,
    "pictured": functools.cache(small_image_to_volume),
    "voice": small_tts,
    "own": lambda: small_tts(symbols=("_", "AX", "BX")),
    "reader": small_vits,
    "letters": lambda: small_vits(symbols=tuple("_abc")),
    "clips": small_mocogan,
}


@functools.cache
def client(name):
    app = make_app([Model(MADE[name](), name)])
    return TestClient(app, base_url="http://127.0.0.1:8080")


def get(name, address):
    return client(name).get(f"/api/models/0/{address}")


def about(name):
    return client(name).get("/api/models").json()["models"][0]


def data_of(url, type_):
    head, _, data = url.partition(",")
    assert head == f"data:{type_};base64"
    return base64.b64decode(data)


def picture(url, type_="image/png"):
    return PillowImage.open(io.BytesIO(data_of(url, type_)))


def sound_of(data):
    """The rate and the values, 16 bits, of a WAV file."""
    with wave.open(io.BytesIO(data)) as file:
        values = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return file.getframerate(), values.reshape(-1, file.getnchannels())


def refused(answer, match):
    assert answer.status_code == 400, answer.text
    assert re.search(match, answer.json()["error"]), answer.json()


def test_sounds_are_those_of_their_seeds():
    told = about("drums")
    assert told["kind"] == "sounds" and told["count"] == 16 and not told["classes"]
    assert told["size"] == "0.032 s at 8 kHz" and told["formats"] == ["wav"]
    made = get("drums", "samples?seed=5").json()
    assert made["seeds"] == list(range(5, 21))
    assert len(made["sounds"]) == len(made["images"]) == 16
    rate, values = sound_of(data_of(made["sounds"][2], "audio/wav"))
    assert rate == 8000 and values.shape == (256, 1) and values.any()
    saved = get("drums", "sample.wav?seed=7")
    assert saved.headers["content-type"] == "audio/wav"
    assert 'filename="7.wav"' in saved.headers["content-disposition"]
    assert np.abs(sound_of(saved.content)[1].astype(int) - values).max() <= 1
    assert min(picture(made["images"][2]).size) > 8


@pytest.mark.full
def test_sounds_of_a_class_in_stereo():
    assert about("stereo")["classes"] == ["class 0", "class 1", "class 2"]
    assert about("stereo")["size"] == "0.032 s at 8 kHz, stereo"
    made = [get("stereo", f"samples?n=1&label={i}").json()["sounds"][0] for i in (0, 2)]
    assert made[0] != made[1]
    assert sound_of(data_of(made[0], "audio/wav"))[1].shape == (256, 2)
    refused(get("stereo", "samples?label=3"), r"label.*\[0, 2\]")


def test_a_spectrogram_has_high_sounds_above():
    from keras_gans.serving.demo.sounds import spectrogram_url

    tone = 0.5 * np.sin(2 * np.pi * 0.4 * np.arange(4096))  # near half of the rate
    pixels = np.asarray(picture(spectrogram_url(tone[:, None]))).sum(axis=(1, 2))
    assert 0 < pixels.argmax() / len(pixels) < 0.3


def test_a_text_is_said():
    told = about("voice")
    assert told["kind"] == "speech" and told["english"]
    assert told["pause"] and not told["seed"] and told["letters"] == 300
    said = get("voice", f"speech?text=Seven, three&{SPOKEN}").json()
    rate, values = sound_of(data_of(said["sound"], "audio/wav"))
    assert rate == 8000 and said["seconds"] == round(len(values) / rate, 3)
    assert picture(said["image"]).size[0] > 1
    slow = get("voice", f"speech?text=seven three&{SPOKEN}&pause=0.2").json()
    assert slow["seconds"] > said["seconds"]


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ("", "nothing to say"),
        (f"text={'seven ' * 60}", "up to 300 letters.*360"),
        (f"text=seven nine&{SPOKEN}&speed=3", r"speed.*\[0.5, 2\]"),
        (f"text=seven&{SPOKEN}&speed=nan", "is a number"),
        (f"text=seven&{SPOKEN}&pause=2", r"pause.*\[0, 1\]"),
        (f"text=seven&{SPOKEN}&seed=-1", "seed"),
        ("text=seven&pronunciations=seven", "keras = K EH R AH S.*'seven'"),
        ("text=seven&pronunciations=seven=QX", "ARPAbet"),
        (f"text=seven&pronunciations={'a=S,' * 300}", "up to 1000 letters"),
    ],
)
def test_what_is_not_said(more, match):
    refused(get("voice", f"speech?{more}"), match)


def test_unknown_words_are_told_as_the_model_tells_them():
    pytest.importorskip("pocketsphinx")
    with pytest.raises(ValueError) as error:
        small_tts().say("seven wurld")
    answer = get("voice", f"speech?text=seven wurld&{SPOKEN}")
    refused(answer, "'wurld'.*pronunciations")
    assert answer.json()["error"] == str(error.value)


def test_a_text_that_would_take_minutes(monkeypatch):
    def endless(self, phones, speed=1.0):
        return np.full(len(phones), 400 * 600)

    client("voice")
    monkeypatch.setattr(kg.TextToSpeech, "lengths_of", endless)
    refused(get("voice", f"speech?text=seven&{SPOKEN}"), "up to 60 seconds.*parts")


@pytest.mark.full
def test_a_reading_that_would_take_minutes(monkeypatch):
    def endless(self, hidden, mask, noise=None):
        return 20.0 + 0 * mask

    assert client("letters")
    monkeypatch.setattr(kg.VITS, "lengths_of", endless)
    refused(get("letters", "speech?text=abcabc&speed=0.5"), "up to 60 seconds.*parts")


def test_pronunciations_as_one_writes_them():
    assert read_pronunciations(" keras = K EH, gan=G ,") == {
        "keras": "K EH",
        "gan": "G",
    }
    assert read_pronunciations("") == {}


@pytest.mark.full
def test_voices_of_other_symbols():
    assert not about("own")["english"] and not about("letters")["english"]
    assert get("own", "speech?text=AX BX AX").json()["seconds"] > 0
    refused(get("own", "speech?text=AX CX"), "'CX'")
    assert get("letters", "speech?text=abca").json()["seconds"] > 0
    refused(get("letters", "speech?text=abx"), "'x'")


@pytest.mark.full
def test_another_seed_is_another_reading():
    told = about("reader")
    assert told["english"] and told["seed"] and not told["pause"]
    address = f"speech?text=seven three&{SPOKEN}"
    first, again, other = (
        get("reader", f"{address}&seed={seed}").json()["sound"] for seed in (0, 0, 1)
    )
    assert first == again != other


def test_solids_are_seen_and_saved():
    told = about("solids")
    assert told["kind"] == "solids" and told["count"] == 12
    assert told["formats"] == ["glb", "obj", "stl", "npz"]
    made = get("solids", "samples?seed=3&n=2").json()
    assert made["seeds"] == [3, 4] and made["images"][0] != made["images"][1]
    assert picture(made["images"][0]).size == (128, 128)
    saved = get("solids", "sample.npz?seed=4")
    assert saved.content[:2] == b"PK"
    assert 'filename="4.npz"' in saved.headers["content-disposition"]


@pytest.mark.full
@pytest.mark.parametrize("format", ["glb", "obj", "stl"])
def test_a_solid_is_saved_as_a_closed_mesh(format):
    trimesh = pytest.importorskip("trimesh")
    answer = get("solids", f"sample.{format}?seed=3")
    assert answer.status_code == 200, answer.text
    scene = trimesh.load(io.BytesIO(answer.content), file_type=format)
    mesh = scene.to_geometry() if hasattr(scene, "to_geometry") else scene
    mesh.merge_vertices()
    assert mesh.is_watertight and mesh.volume > 0


def test_a_solid_of_nothing_says_so(monkeypatch):
    monkeypatch.setattr(
        kg.VoxelGAN, "seed_batches", lambda *a, **k: iter([np.zeros((1, 8, 8, 8, 1))])
    )
    refused(get("solids", "sample.glb"), r"Nothing is solid.*\.npz")
    refused(get("solids", "mesh"), "Nothing is solid")
    assert get("solids", "samples?n=1").status_code == 200


def faces_of(data):
    trimesh = pytest.importorskip("trimesh")
    return len(trimesh.load(io.BytesIO(data), file_type="glb", force="mesh").faces)


def test_noise_is_turned_with_fewer_triangles(monkeypatch):
    pytest.importorskip("trimesh")
    noise = np.random.default_rng(0).random((1, 9, 9, 9, 1)).astype("float32")
    volume = kg.Volume(9)
    whole, times = solids.drawable(volume, noise[0])
    assert times == 1 and whole == volume.encode(noise[0], ".glb")
    monkeypatch.setattr(solids, "MOST_SIDES", 300)
    coarse, times = solids.drawable(volume, noise[0])
    assert times == 2 and 0 < faces_of(coarse) < faces_of(whole) / 2
    # What is thin is not lost.
    speck = np.zeros((9, 9, 9, 1), "float32")
    speck[::2, ::2, ::2] = 1.0
    assert faces_of(solids.drawable(volume, speck)[0]) > 0
    monkeypatch.setattr(kg.VoxelGAN, "seed_batches", lambda *a, **k: iter([noise]))
    answer = get("solids", "mesh?seed=3")
    assert answer.status_code == 200 and answer.headers["x-coarser"] == "2"
    assert answer.content[:4] == b"glTF"


def post(name, address, data):
    return client(name).post(f"/api/models/0/{address}", content=data)


def test_a_picture_becomes_a_solid():
    told = about("pictured")
    assert told["kind"] == "pictured" and told["size"].startswith("8 ")
    assert (told["height"], told["width"]) == (8, 8)
    assert get("pictured", "examples").json() == {}  # of runs alone
    rng = np.random.default_rng(0)
    pixels = rng.uniform(-1, 1, (8, 8, 1)).astype("float32")
    sent = kg.Image((8, 8, 1)).encode(pixels)
    saved = post("pictured", "solid.npz", sent)
    assert 'filename="solid.npz"' in saved.headers["content-disposition"]
    with np.load(io.BytesIO(saved.content)) as file:
        solid = file["volume"]
    seen = np.rint((pixels + 1) * 127.5) / np.float32(127.5) - 1
    wanted = MADE["pictured"]().sample(1, source=seen[None])[0]
    np.testing.assert_allclose(solid, wanted, rtol=0, atol=1e-5)
    wide = kg.Image((30, 40, 3)).encode(rng.uniform(-1, 1, (30, 40, 3)))
    other = post("pictured", "solid.npz", wide)
    assert other.status_code == 200 and other.content != saved.content


def test_a_disk_that_is_full_is_told(monkeypatch):
    def full(self, format, data):
        raise OSError("No space left on device")

    monkeypatch.setattr(solids.PicturedSolidsView, "file_of", full)
    refused(post("pictured", "solid.npz", b"x"), "No space left")


@pytest.mark.parametrize(
    ("name", "address", "data", "match"),
    [
        ("pictured", "solid.exe", b"", "glb, obj, stl, npz"),
        ("pictured", "solid.npz", b"", "no picture.*0 bytes"),
        ("pictured", "mesh", b"words", "cannot be read"),
        ("solids", "mesh", b"", "make some of a picture.*VoxelGAN"),
    ],
)
def test_pictures_that_become_no_solid(name, address, data, match):
    refused(post(name, address, data), match)


@pytest.mark.parametrize(
    "address", ["samples?n=1&seed=3", "mesh?seed=3", "sample.npz?seed=3"]
)
def test_what_waits_for_no_other(monkeypatch, address):
    """Files are made while others compute."""
    if address.startswith("mesh"):
        pytest.importorskip("trimesh")
    sampled, computing, answered = (threading.Event() for _ in range(3))
    in_time = []
    of_seeds = solids.SolidsView.of_seeds

    def sampling(self, *arguments, **options):
        made = of_seeds(self, *arguments, **options)
        sampled.set()
        return made

    def while_another_computes(function):
        def called(*arguments, **options):
            in_time.append(computing.wait(30))
            return function(*arguments, **options)

        return called

    def compute():
        sampled.wait(30)
        with views.LOCK:
            computing.set()
            in_time.append(answered.wait(30))

    monkeypatch.setattr(solids.SolidsView, "of_seeds", sampling)
    for place, name in ((kg.Volume, "encode"), (solids, "turntable")):
        own = while_another_computes(getattr(place, name))
        monkeypatch.setattr(place, name, own)
    client("solids")
    other = threading.Thread(target=compute)
    other.start()
    answer = get("solids", address)
    answered.set()
    other.join()
    assert answer.status_code == 200, answer.text
    assert in_time == [True, True]


def test_two_files_are_made_at_a_time(monkeypatch):
    """Of forty threads that ask, each would need the memory of a mesh."""
    meeting, now, most = threading.Barrier(2), [], []
    encode = kg.Volume.encode

    def encoded(self, *arguments):
        now.append(1)
        meeting.wait(30)  # so two are there at once
        time.sleep(0.02)  # in which others would come
        most.append(len(now))
        now.pop()
        return encode(self, *arguments)

    monkeypatch.setattr(kg.Volume, "encode", encoded)
    client("solids")
    addresses = [f"sample.npz?seed={i}" for i in range(6)]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda one: get("solids", one), addresses))
    assert [answer.status_code for answer in answers] == [200] * 6 and max(most) == 2


@pytest.mark.full
def test_clips_play():
    told = about("clips")
    assert told["kind"] == "clips" and told["size"].startswith("10 frames of 16 ")
    made = get("clips", "samples?seed=2&n=2").json()
    with picture(made["clips"][1], "image/webp") as clip:
        assert clip.n_frames == 10 and clip.size == (16, 16)
        clip.seek(0)
        first = np.asarray(clip.convert("RGB"))
    np.testing.assert_array_equal(first, np.asarray(picture(made["images"][1])))
    saved = get("clips", "sample.gif?seed=3")
    with PillowImage.open(io.BytesIO(saved.content)) as gif:
        assert gif.n_frames == 10
    assert get("clips", "sample.mp4").content[4:8] == b"ftyp"


@pytest.mark.parametrize(
    ("name", "address", "match"),
    [
        ("drums", "samples?n=33", r"`n`.*\[1, 32\]"),
        ("drums", "samples?seed=-1", r"seed.*\[0, 2\*\*31\)"),
        ("drums", "samples?label=1", "no classes"),
        ("drums", "samples?text=a", "no text"),
        ("drums", "sample.flac", "wav. Received: flac"),
        ("drums", "walk?seeds=3,8", "Walks are of models that make pictures"),
        ("drums", "speech?text=seven", "models that say a text.*WaveGAN"),
        ("solids", "samples?n=25", r"`n`.*\[1, 24\]"),
        ("solids", "sample.exe", "glb, obj, stl, npz"),
        ("solids", "sample.glb?seed=x", "`seed` is a number"),
        ("solids", "nearest", "Nearest pictures are of models"),
        ("voice", "samples", "make some from noise.*TextToSpeech"),
        ("pictured", "samples", "make some from noise.*ImageToVolume"),
        ("voice", "sample.wav", "make some from noise"),
    ],
)
def test_what_is_asked_wrongly(name, address, match):
    refused(get(name, address), match)


@pytest.mark.full
@pytest.mark.parametrize(
    "gan",
    [
        lambda: small_wavegan(channels=3),
        lambda: small_wavegan(rate=50),
        lambda: small_voxel_gan(channels=2),
    ],
)
def test_samples_that_a_browser_does_not_show(gan):
    with pytest.raises(ValueError, match=r"sounds and clips.*GAN that makes.*sample`"):
        Model(gan())


def test_frames_that_follow_are_predicted_elsewhere():
    gan = kg.FramePrediction(
        (8, 8, 1), past=2, scales=[((3,), ())], d_scales=[((3,), (4,), (4,))]
    )
    with pytest.raises(ValueError, match=r"FramePrediction that.*keras-gans predict`"):
        Model(gan)
