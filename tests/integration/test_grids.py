"""What is seen of a training: grids of translations, the progress page."""

import html.parser
import os
import pathlib
import re

from grids import tiles
import keras
import numpy as np
from PIL import Image
import pytest
from small import small_cyclegan, small_gan, small_pix2pix

import keras_gans
from keras_gans.modalities import pictures
from keras_gans.training import callbacks


def fit(gan, x, y, *used, **kwargs):
    options = {"batch_size": 2, "shuffle": False, "verbose": 0, **kwargs}
    if not gan.compiled:
        gan.compile()
    return gan.fit(x, y, callbacks=list(used), **options)


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


def as_rgb(image):
    """Grey, or grey and alpha on white, as uint8 RGB."""
    if image.shape[-1] == 2:
        image = 1 + (image[..., :1] - 1) * (image[..., 1:] + 1) / 2
    image = np.broadcast_to(image, (*image.shape[:2], 3))
    return np.rint((image + 1) * 127.5).astype("uint8")


# --- Channels beside each other ---


@pytest.mark.parametrize(
    ("channels", "shown", "columns"),
    [
        ((1, 3, 3), 3, 3),
        ((1, 2), 1, 2),
        ((2, 2, 2), 2, 3),
        ((4, 4), 4, 2),
        ((2, 4, 1), 3, 3),
        ((6, 1), 1, 7),
        ((6, 3), 3, 7),
        ((5,), 1, 5),
    ],
)
def test_side_by_side(channels, shown, columns):
    rng = np.random.default_rng(0)
    batches = [rng.uniform(-1, 1, (2, 4, 5, c)) for c in channels]
    tiles, found = pictures.side_by_side(*batches)
    assert found == columns and tiles.shape == (2 * columns, 4, 5, shown)
    assert np.abs(tiles).max() <= 1
    grid = pictures.make_grid(tiles, found)
    if channels[0] == 1:
        first = np.rint((batches[0][0] + 1) * 127.5).astype("uint8")
        assert (grid[:4, :5] == first).all()
    if channels[0] == 6:  # the second channel of the second image
        second = np.rint((batches[0][1, ..., 1:2] + 1) * 127.5)
        assert (grid[4:, 5:10] == second.astype("uint8")).all()


def test_transparency_is_laid_on_white():
    clear = np.array([[[[-1.0, 0.5, 1.0, -1.0]]]])
    half = np.array([[[[-1.0, -1.0, -1.0, 0.0]]]])
    colour = np.zeros((1, 1, 1, 3))
    tiles, _ = pictures.side_by_side(clear, half, colour)
    np.testing.assert_allclose(tiles[0], 1)
    np.testing.assert_allclose(tiles[1], 0)
    with pytest.raises(ValueError, match="of one size"):
        pictures.side_by_side(colour, np.zeros((2, 1, 1, 3)))


def test_save_image_of_both_depths():
    ramp = np.linspace(-1, 1, 65536).reshape(256, 256, 1)
    pictures.save_image("deep.png", ramp, deep=True)
    np.testing.assert_array_equal(
        pixels("deep.png"), np.arange(65536).reshape(256, 256)
    )
    pictures.save_image("shallow.png", np.full((2, 3, 4), 7.0))
    assert (pixels("shallow.png") == 255).all()
    with pytest.raises(ValueError, match="overwritten unasked"):
        pictures.save_image("deep.png", ramp)
    with pytest.raises(ValueError, match="16 bits"):
        pictures.save_image("x.png", np.zeros((2, 2, 3)), deep=True)


# --- Grids while a translator trains ---


@pytest.mark.full
def test_pix2pix_shows_source_output_target(images):
    sources, targets = images(4, 8, 8), images(4, 8, 8, 2)
    gan = small_pix2pix(ema=0.5)
    grid = callbacks.SampleGrid("grids", every=2, seed=3)
    fit(gan, sources, targets, grid)
    made = gan.translate(sources[:2], seed=3)  # the first batch
    expected = [
        as_rgb(image)[..., 0]
        for row in zip(sources, made, targets, strict=False)
        for image in row
    ]
    # Grey, and grey and alpha, are both shown in grey.
    got = tiles(pixels("grids/step-00000002.png"), 6, 3, 8, 8, heads=1)
    assert np.abs(np.int32(got) - expected).max() <= 1  # rounding
    # Looking changes nothing.
    alone = keras.utils.set_random_seed(0) or small_pix2pix(ema=0.5)
    fit(alone, sources, targets)
    for a, b in zip(alone.get_weights(), gan.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.full
def test_cyclegan_shows_both_ways(images):
    a, b = images(2, 8, 8), -images(2, 8, 8, 3)
    gan = small_cyclegan((1, 3), identity_weight=0)
    grid = callbacks.SampleGrid("grids", 1, n=1, images=(a, b))
    fit(gan, a, b, grid)
    got = tiles(pixels("grids/step-00000001.png"), 6, 3, 8, 8, feet=1)
    like_b = gan.translate(a[:1])
    back = gan.translate(like_b, direction="ba")
    for i, image in enumerate((a[0], like_b[0], back[0], b[0])):
        assert np.abs(got[i].astype(int) - as_rgb(image)).max() <= 1


@pytest.mark.daily(1)
@pytest.mark.parametrize(
    ("size", "n", "columns"),
    [((16, 16), 4, 6), ((16, 64), 4, 3), ((16, 16), 1, 3), ((16, 16), 8, 6)],
)
def test_grids_are_nearly_square(images, size, n, columns):
    """Both ways of CycleGAN are beside each other, unless that is too wide."""
    a = images(n, *size)
    small = {"width": 2, "blocks": 0, "n_layers": 1}
    gan = keras_gans.CycleGAN((*size, 1), **small)
    picture = gan.preview(n, given=(a, -a)).picture
    names = {"heads": 1} if columns == 6 else {"feet": 1}
    got = tiles(picture, 6 * n, columns, *size, **names)
    for i, image in enumerate((a[0], -a[0])):
        assert np.abs(got[3 * i].astype(int) - as_rgb(image)[..., :1]).max() <= 1
    assert 1 / 3 < picture.shape[1] / picture.shape[0] < 3
    tall = gan.preview(n, columns=1, given=(a, -a)).picture
    tall = tiles(tall, 6 * n, 3, *size, feet=1)
    np.testing.assert_array_equal(tall, got)


def test_images_of_a_data_set_or_an_array(images):
    import tensorflow as tf

    sources, targets = images(6, 8, 8), images(6, 8, 8, 2)
    pairs = tf.data.Dataset.from_tensor_slices((sources, targets)).batch(2)
    gan = small_pix2pix()
    shown = gan.keep_for_previews(pairs, 3)
    np.testing.assert_array_equal(shown[0], sources[:3])
    np.testing.assert_array_equal(shown[1], targets[:3])
    # Six images in the first row, three in the second.
    picture = gan.preview(3, columns=2, given=shown).picture
    assert len(tiles(picture, 9, 6, 8, 8, heads=1)) == 9
    # They do not become what `fit` saw first.
    with pytest.raises(ValueError, match="has seen no batch"):
        gan.preview()
    for wrong, message in (
        (sources, "trains on pairs"),
        ((sources, sources), "another target"),
        ([], "trains on pairs"),
        (pairs.take(0), "data set of pairs"),
    ):
        with pytest.raises(ValueError, match=message):
            fit(gan, sources, targets, callbacks.SampleGrid("g", images=wrong))
    with pytest.raises(ValueError, match=r"from a seed.*Drop"):
        fit(
            small_gan(),
            sources,
            None,
            callbacks.SampleGrid("g", images=(sources, targets)),
        )


@pytest.mark.full
def test_how_many_a_grid_shows_changes_no_training(images):
    data = images(8, 8, 8)
    trained = []
    for n, columns in ((None, None), (7, 2), (65, 13)):
        keras.utils.set_random_seed(0)
        gan = small_gan(ema=0.9)
        grid = callbacks.SampleGrid("grids", every=1, n=n, columns=columns)
        fit(gan, data, None, grid)
        trained.append(gan.get_weights())
    for weights in trained[1:]:
        for a, b in zip(trained[0], weights, strict=True):
            np.testing.assert_array_equal(a, b)


# --- The page ---


class Links(html.parser.HTMLParser):
    """What a page refers to, and the tags that it has."""

    def __init__(self, text):
        super().__init__()
        self.links, self.tags, self.text = [], set(), ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        for name, value in attributes:
            if name in ("src", "href"):
                self.links.append(value)

    def handle_data(self, data):
        self.text += data


def trained_page(images, epochs=1, gan=None):
    gan = gan or small_pix2pix()
    log = callbacks.JsonlLogger("run/metrics.jsonl", every=1)
    used = [
        log,
        callbacks.SampleGrid("run/samples", every=1),
        callbacks.LossPlot(log.path, "run/losses.png"),
        callbacks.ProgressPage(
            "run/index.html",
            every=1,
            config={
                "data": '<script>"&',
                "steps": None,
                "flip": False,
                "arguments": {"width": 2, "ema": None},
            },
            samples="run/samples",
            plot="run/losses.png",
            log=log.path,
        ),
    ]
    sources, targets = images(6, 8, 8), images(6, 8, 8, 2)
    fit(gan, sources, targets, *used, epochs=epochs)
    return gan, Links(pathlib.Path("run/index.html").read_text())


@pytest.mark.full
def test_page(images):
    gan, page = trained_page(images)
    assert "script" not in page.tags and "link" not in page.tags
    assert page.links[0] == "samples/step-00000003.png"
    assert {"losses.png", "metrics.jsonl"} < set(page.links)
    for link in page.links:
        assert (pathlib.Path("run") / link).is_file(), link
    assert '<script>"&' in page.text  # as text
    for word in ("Pix2Pix in run", "l1_loss", "epoch 1 of 1", "Training ended"):
        assert word in page.text
    text = pathlib.Path("run/index.html").read_text()
    assert "//" not in text and len(text) < 20_000
    names = {p.name for p in pathlib.Path("run").iterdir()}
    assert names == {"index.html", "losses.png", "metrics.jsonl", "samples"}
    # A training that goes on keeps what was there.
    _, page = trained_page(images, gan=gan)
    assert page.links[0] == "samples/step-00000006.png"
    assert "samples/step-00000001.png" in page.links
    assert "step 6" in page.text
    # As readers count, and what was not given is not there.
    rows = re.findall(
        r"<tr><td>step</td>.*?</tr>", pathlib.Path("run/index.html").read_text()
    )
    assert rows and all('<td class="number">1</td>' in row for row in rows)
    assert "None" not in page.text and "ema" not in page.text
    assert "<th>flip</th><td>off</td>" in text


def write_page(gan, path, **options):
    page = callbacks.ProgressPage(path, **options)
    page.set_model(gan)
    page.set_params({"epochs": 2})
    page.on_train_begin()
    page.write()
    return pathlib.Path(path).read_text(encoding="utf-8")


@pytest.mark.full
def test_the_title_of_the_page_is_whole(trained_gan):
    pathlib.Path("a & <b>/c").mkdir(parents=True)
    config = {"data": "photos/<i>&", "class_names": ["<cats>", "猫"]}
    text = write_page(trained_gan, "a & <b>/c/../index.html", config=config)
    title = "GAN in a &amp; &lt;b&gt;, trained on photos/&lt;i&gt;&amp;"
    assert f"<title>{title}</title>" in text and f"<h1>{title}</h1>" in text
    assert "&lt;cats&gt;, 猫" in text and "<cats>" not in text
    assert 'name="viewport"' in text


def test_names_that_are_no_utf8_have_a_page(trained_gan):
    folder = pathlib.Path(os.fsdecode(b"run-\xff/samples"))
    folder.mkdir(parents=True)
    (folder / "step-00000001.png").touch()
    text = write_page(trained_gan, folder.parent / "index.html", samples=folder)
    assert "GAN in run-?" in text and 'src="samples/step-00000001.png"' in text
    text = write_page(trained_gan, "index.html", samples=folder)
    assert 'src="run-%FF/samples/step-00000001.png"' in text


def test_damaged_lines_of_a_log_are_skipped(trained_gan):
    lines = ['{"kind": "step", "step": 7}', "[1]", '{"kind": "st', "null", '"a"']
    pathlib.Path("log.jsonl").write_text("\n".join([*lines, lines[0]]) + "\n")
    text = write_page(trained_gan, "index.html", log="log.jsonl")
    assert text.count(">7</td>") == 2


def test_page_of_a_long_training_stays_small(trained_gan):
    folder = pathlib.Path("run/a b#")
    folder.mkdir(parents=True)
    for step in range(500):
        (folder / f"step-{step:08d}.png").touch()
    text = write_page(trained_gan, "run/index.html", samples=folder)
    shown = re.findall(r'src="([^"]*)"', text)
    assert len(shown) == 61
    assert shown[0] == "a%20b%23/step-00000499.png"
    assert shown[-1] == "a%20b%23/step-00000000.png"
    assert "(60 of 499)" in text


def test_page_reads_the_end_of_a_long_log(trained_gan):
    log = callbacks.JsonlLogger("metrics.jsonl")
    page = callbacks.ProgressPage("index.html", log=log.path)
    log.set_model(trained_gan)
    page.set_model(trained_gan)
    page.set_params({})
    page.on_train_begin()
    page.write()  # there is no log yet
    log.epoch = 0
    for step in range(2000):
        log.add("step", step, {"d_loss": float(step)})
    with open(log.path, "a") as file:
        file.write('{"kind": "st')  # a line in the making
    page.write()
    text = Links(pathlib.Path("index.html").read_text()).text
    assert "1999" in text and "1988" in text and "1987" not in text
