"""The demo's answers: what its page asks, and what it refuses."""

import base64
import io
import json
import pathlib
import re
import shutil
import socket
import urllib.error
import urllib.request

from command_line import call
import numpy as np
from PIL import Image as PillowImage
import pytest
from small import small_cyclegan, small_gan

import keras_gans as kg
from keras_gans.modalities import pictures

pytest.importorskip("starlette")

from starlette.testclient import TestClient

from keras_gans.serving.demo import Demo, views
from keras_gans.serving.demo.app import PAGE, make_app
from keras_gans.serving.demo.models import Model, thinned


@pytest.fixture(scope="module")
def run(tmp_path_factory, first_run):
    folder = tmp_path_factory.mktemp("demo") / "<b>run"
    return shutil.copytree(first_run[0], folder)


@pytest.fixture(scope="module")
def client(run):
    gan = kg.ACGAN((16, 16, 1), num_classes=3, width=2)
    styled = kg.StyleGAN2(
        (8, 8, 3), latent_dim=4, w_dim=4, channel_base=32, channel_max=4
    )
    models = [Model(x) for x in (small_gan(), small_cyclegan(), gan, styled, run)]
    return TestClient(make_app(models), base_url="http://127.0.0.1:8080")


def pixels(url):
    data = base64.b64decode(url.removeprefix("data:image/png;base64,"))
    return np.asarray(PillowImage.open(io.BytesIO(data)))


def png(*shape):
    return pictures.encode_png(np.full(shape, 99, "uint8"))


def refused(answer, match, status=400):
    assert answer.status_code == status, answer.text
    assert re.search(match, answer.json()["error"]), answer.json()


def test_the_page_loads_nothing_from_elsewhere(client):
    texts = {}
    for name in PAGE:
        answer = client.get("/" if name == "index.html" else f"/{name}")
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        texts[name] = answer.text
    for name, text in texts.items():
        links = set(re.findall(r"https?://[^\s\"')]+", text))
        assert links <= {"http://www.w3.org/2000/svg"}, (name, links)
    page = texts["index.html"]
    assert not re.search(
        r"<style|style=|<script(?! type=\"module\" src=)| on\w+=", page
    )
    assert "innerHTML" not in "".join(texts.values())


def test_what_the_page_is_told(client, run):
    models = client.get("/api/models").json()["models"]
    noise, translator, labelled, styled, live = models
    assert noise["kind"] == "noise" and noise["score"] and not noise["nearest"]
    assert translator["directions"] == ["ab", "ba"]
    assert labelled["classes"] == ["class 0", "class 1", "class 2"]
    assert styled["truncation"] and not noise["truncation"]
    assert live["live"] and live["step"] == 8 and live["name"] == run.name


def test_samples_are_those_of_their_seeds(client):
    made = client.get("/api/models/0/samples?seed=5&n=3").json()
    assert made["seeds"] == [5, 6, 7] and len(made["scores"]) == 3
    again = client.get("/api/models/0/samples?seed=7&n=1").json()
    assert again["images"][0] == made["images"][2]
    assert again["scores"][0] == pytest.approx(made["scores"][2], abs=2e-4)
    of_class = [
        client.get(f"/api/models/2/samples?n=1&label={i}").json()["images"][0]
        for i in (0, 2)
    ]
    assert of_class[0] != of_class[1]
    mean = client.get("/api/models/3/samples?n=2&truncation=0").json()["images"]
    assert mean[0] == mean[1]
    assert pixels(mean[0]).shape == (8, 8, 3)


def test_scores_are_of_the_weights_that_made_the_pictures(monkeypatch):
    """Whoever restores a checkpoint waits for both."""
    gan, log = small_gan(), []
    model = Model(gan)

    class Told:
        def __enter__(self):
            log.append("locked")

        def __exit__(self, *error):
            log.append("released")

    def told(name):
        function = getattr(gan, name)

        def called(*arguments, **options):
            log.append(name)
            return function(*arguments, **options)

        monkeypatch.setattr(gan, name, called)

    told("seed_batches")
    told("call_discriminator")
    monkeypatch.setattr(views, "LOCK", Told())
    assert len(model.view.samples(5, 3)["scores"]) == 3
    assert log == ["locked", "seed_batches", "call_discriminator", "released"]


def test_a_walk_begins_and_ends_at_its_seeds(client):
    address = "/api/models/0/walk?seeds=3,8&frames=4"
    frames = client.get(address).json()["images"]
    first, third = (
        client.get(f"/api/models/0/samples?seed={seed}&n=1").json()["images"][0]
        for seed in (3, 8)
    )
    assert len(frames) == 4
    for frame, sample in ((frames[0], first), (frames[2], third)):
        near = pixels(frame).astype(int) - pixels(sample).astype(int)
        assert np.abs(near).max() <= 1
    film = client.get(address.replace("walk?", "walk.gif?"))
    assert film.headers["content-type"] == "image/gif"
    with PillowImage.open(io.BytesIO(film.content)) as image:
        assert image.n_frames == 4 and image.size == (256, 256)
    film = client.get(address.replace("walk?", "walk.mp4?"))
    assert film.content[4:8] == b"ftyp"


def test_pictures_are_translated(client):
    address = "/api/models/1/translate"
    answer = client.post(f"{address}?direction=ba", content=png(8, 8, 3))
    assert answer.headers["content-type"] == "image/png"
    gan = small_cyclegan()
    made = np.asarray(PillowImage.open(io.BytesIO(answer.content)))
    assert made.shape == (8, 8) == gan.image_shape[:2]
    # Of another size and kind, what is near to it is taken.
    buffer = io.BytesIO()
    PillowImage.new("RGB", (30, 20), (99, 99, 99)).save(buffer, "JPEG", quality=100)
    jpeg = client.post(address, content=buffer.getvalue())
    assert PillowImage.open(io.BytesIO(jpeg.content)).size == (8, 8)


def test_a_training_is_shown_while_it_goes_on(client, run):
    now = client.get("/api/models/4/progress").json()
    assert now["step"] == 8 and not now["training"] and now["grids"] == [4, 8]
    assert len(now["losses"]["d_loss"]) >= 8
    grid = client.get("/api/models/4/grids/8.png")
    assert grid.content == (run / "samples" / "step-00000008.png").read_bytes()
    # A line that is being written, and one that is not finite.
    log = run / "metrics.jsonl"
    kept = log.read_bytes()
    log.write_bytes(kept + b'{"kind": "step", "step": 9, "d_loss": NaN}\n{"kind": "st')
    now = client.get("/api/models/4/progress").json()
    log.write_bytes(kept)
    assert now["step"] == 9 and now["losses"]["d_loss"][-1] == [9, None]
    found = client.get("/api/models/4/nearest?seed=1").json()
    assert found["count"] == 1570 and pixels(found["image"]).shape == (16, 16, 3)
    assert len(thinned([[i, 0.0] for i in range(9999)])) == 400


@pytest.mark.parametrize(
    ("address", "match"),
    [
        ("0/samples?seed=-1", r"seed.*\[0, 2\*\*31\)"),
        ("0/samples?seed=x", "`seed` is a number.*'x'"),
        ("0/samples?seed=1e999", "is a number"),
        ("0/samples?n=65", r"`n`.*\[1, 64\]"),
        ("0/samples?label=1", "no classes"),
        ("2/samples?label=3", r"label.*\[0, 2\]"),
        ("0/samples?truncation=0.5", "no truncation"),
        ("3/samples?truncation=nan", "is a number"),
        ("9/samples", "no model 9"),
        ("0/walk?seeds=3", "2 to 8"),
        ("0/walk?seeds=3,8&frames=1000000", r"frames.*\[2, 120\]"),
        ("0/walk?seeds=3,,8", "whole numbers"),
        ("0/walk.exe?seeds=3,8", "gif, mp4"),
        ("1/walk?seeds=3,8", "noise"),
        ("0/nearest", "not here"),
        ("0/progress", "no run"),
        ("4/grids/7.png", "no samples of step 7"),
    ],
)
def test_what_is_asked_wrongly(client, address, match):
    refused(client.get(f"/api/models/{address}"), match)


def test_pictures_that_are_none(client):
    address = "/api/models/1/translate"
    refused(client.post(address, content=b"no picture"), "cannot be read")
    refused(client.post(address, content=b""), "0 bytes")
    refused(client.post(address, content=png(8, 8, 3)[:45]), "cannot be read")
    refused(client.post(address, content=png(1200, 1000, 1)), "1,200,000 pixels")
    refused(client.post(f"{address}?direction=up", content=png(8, 8, 1)), "ab, ba")
    refused(client.post("/api/models/0/translate", content=png(8, 8, 1)), "of a seed")
    refused(
        client.post(address, content=b"x" * (2**23 + 1)), "more than 8388608 bytes", 413
    )


def test_who_may_ask(client):
    def asked(**headers):
        return client.get("/api/models", headers=headers)

    refused(asked(host="evil.example:8080"), "not one of this server", 403)
    refused(asked(origin="http://evil.example"), "may not ask", 403)
    refused(asked(origin="http://127.0.0.1:9"), "may not ask", 403)
    assert asked(origin="http://127.0.0.1:8080").status_code == 200
    for path in ("/../../pyproject.toml", "/static/x", "/api/models/4/grids/..%2f.png"):
        assert client.get(path).status_code == 404


def test_it_is_served_of_this_machine(capsys):
    with Demo(small_gan(), notebook=True) as shown:
        assert shown.url.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(f"{shown.url}api/models") as answer:
            assert json.loads(answer.read())["models"][0]["name"] == "GAN"
            assert "http://localhost:*" in answer.headers["content-security-policy"]
        assert shown.url in shown._repr_html_() and shown.url in repr(shown)
        with pytest.raises(ValueError, match=f"port {shown.port} .*in use.*`port`"):
            Demo(small_gan(), port=shown.port)
    with pytest.raises(urllib.error.URLError), urllib.request.urlopen(shown.url):
        pass
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert call("demo", "emoji", f"--port={port}", "--no-browser") == 1
    assert "Give another --port" in capsys.readouterr().err


def test_the_same_models_have_one_demo():
    """As a notebook's cell that is run again; others stay."""
    gan, other = small_gan(), small_gan()
    first, beside = kg.demo(gan), kg.demo(other)
    try:
        again = kg.demo(gan, port=first.port)
        for shown in (again, beside):
            urllib.request.urlopen(shown.url).close()
        last = kg.demo(gan)
        with pytest.raises(urllib.error.URLError), urllib.request.urlopen(again.url):
            pass
    finally:
        for shown in (first, beside, last):
            shown.close()
    kg.demo(gan).close()  # after one that was closed by hand


def test_networks_alone_are_shown(tmp_path):
    small_gan().generator.save("g.keras")
    small_cyclegan().networks["generator_ab"].save("t.keras")
    one, other = Model("g.keras").about(), Model("t.keras").about()
    assert one["kind"] == "noise" and not one["score"] and not one["nearest"]
    assert other["kind"] == "translator" and other["directions"] == ["ab"]
    assert other["ways"]["ab"] == "A → B" and not other["drawn"]


def test_models_that_are_none(tmp_path):
    with pytest.raises(ValueError, match=r"No run directory.*Did you mean emoji"):
        kg.demo("emojii")
    points = kg.GAN(
        generator=kg.networks.mlp.mlp_generator((2,), 2, width=4),
        discriminator=kg.networks.mlp.mlp_discriminator((2,), width=4, pieces=2),
    )
    with pytest.raises(ValueError, match="GAN that makes Points"):
        kg.demo(points)


def test_a_run_is_shown_as_soon_as_it_can_be(run, tmp_path):
    """Without a checkpoint its losses alone, then the newest weights."""
    folder = pathlib.Path(shutil.copytree(run, tmp_path / "live"))
    kept = sorted((folder / "checkpoints").iterdir())
    assert len(kept) == 2
    for path in kept:
        path.rename(tmp_path / path.name)
    client = TestClient(make_app([Model(folder)]), base_url="http://localhost")

    def about():
        return client.get("/api/models").json()["models"][0]

    assert not about()["ready"] and about()["kind"] is None
    assert client.get("/api/models/0/progress").json()["step"] == 8
    refused(client.get("/api/models/0/samples"), "no checkpoint yet")
    made = []
    for path in kept:
        (tmp_path / path.name).rename(path)
        assert about()["step"] == int(path.name[5:])
        made += client.get("/api/models/0/samples?n=1").json()["images"]
    assert made[0] != made[1]
    gan = kg.load(folder)
    levels = np.rint((gan.sample(1)[0] + 1) * 127.5).squeeze()
    assert np.abs(levels - pixels(made[1])).max() <= 1
