"""What is seen of a training: grids of translations, the progress page."""

import html.parser
import pathlib
import re

import keras
import numpy as np
from PIL import Image
import pytest
from small import small_cyclegan, small_gan, small_pix2pix

from keras_gans.modalities import pictures as grids
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
    tiles, found = grids.side_by_side(*batches)
    assert found == columns and tiles.shape == (2 * columns, 4, 5, shown)
    assert np.abs(tiles).max() <= 1
    grid = grids.make_grid(tiles, found)
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
    tiles, _ = grids.side_by_side(clear, half, colour)
    np.testing.assert_allclose(tiles[0], 1)
    np.testing.assert_allclose(tiles[1], 0)
    with pytest.raises(ValueError, match="of one size"):
        grids.side_by_side(colour, np.zeros((2, 1, 1, 3)))


def test_save_image_of_both_depths():
    ramp = np.linspace(-1, 1, 65536).reshape(256, 256, 1)
    grids.save_image("deep.png", ramp, deep=True)
    np.testing.assert_array_equal(
        pixels("deep.png"), np.arange(65536).reshape(256, 256)
    )
    grids.save_image("shallow.png", np.full((2, 3, 4), 7.0))
    assert (pixels("shallow.png") == 255).all()
    with pytest.raises(ValueError, match="overwritten unasked"):
        grids.save_image("deep.png", ramp)
    with pytest.raises(ValueError, match="16 bits"):
        grids.save_image("x.png", np.zeros((2, 2, 3)), deep=True)


# --- Grids while a translator trains ---


def test_pix2pix_shows_source_output_target(images):
    sources, targets = images(4, 8, 8), images(4, 8, 8, 2)
    gan = small_pix2pix(ema=0.5)
    grid = callbacks.SampleGrid("grids", every=2, seed=3)
    fit(gan, sources, targets, grid)
    made = gan.translate(sources[:2], seed=3)  # the first batch
    rows = [
        np.concatenate([as_rgb(s), as_rgb(m), as_rgb(t)], 1)
        for s, m, t in zip(sources, made, targets, strict=False)
    ]
    got = pixels("grids/step-00000002.png")
    # Grey, and grey and alpha, are both shown in grey.
    expected = np.concatenate(rows)[..., 0]
    assert np.abs(got.astype(int) - expected).max() <= 1  # rounding
    # Looking changes nothing.
    alone = keras.utils.set_random_seed(0) or small_pix2pix(ema=0.5)
    fit(alone, sources, targets)
    for a, b in zip(alone.get_weights(), gan.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_cyclegan_shows_both_ways(images):
    a, b = images(2, 8, 8), -images(2, 8, 8, 3)
    gan = small_cyclegan((1, 3), identity_weight=0)
    grid = callbacks.SampleGrid("grids", 1, n=1, images=(a, b))
    fit(gan, a, b, grid)
    got = pixels("grids/step-00000001.png")
    assert got.shape == (16, 24, 3)
    like_b = gan.translate(a[:1])
    back = gan.translate(like_b, direction="ba")
    for column, image in enumerate((a[0], like_b[0], back[0])):
        shown = got[:8, 8 * column : 8 * (column + 1)].astype(int)
        assert np.abs(shown - as_rgb(image)).max() <= 1
    assert np.abs(got[8:, :8].astype(int) - as_rgb(b[0])).max() <= 1


def test_images_of_a_data_set_or_an_array(images):
    import tensorflow as tf

    sources, targets = images(6, 8, 8), images(6, 8, 8, 2)
    pairs = tf.data.Dataset.from_tensor_slices((sources, targets)).batch(2)
    gan = small_pix2pix()
    shown = gan.keep_for_previews(pairs, 3)
    np.testing.assert_array_equal(shown[0], sources[:3])
    np.testing.assert_array_equal(shown[1], targets[:3])
    # Six images of 8 pixels in the first row, three in the second.
    picture = gan.preview(3, columns=2, given=shown).picture
    assert picture.shape[:2] == (16, 48)
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
            config={"data": '<script>"&', "arguments": {"width": 2}},
            samples="run/samples",
            plot="run/losses.png",
            log=log.path,
        ),
    ]
    sources, targets = images(6, 8, 8), images(6, 8, 8, 2)
    fit(gan, sources, targets, *used, epochs=epochs)
    return gan, Links(pathlib.Path("run/index.html").read_text())


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


def test_page_of_a_long_training_stays_small(trained_gan):
    page = callbacks.ProgressPage("run/index.html", samples="run/a b#")
    folder = pathlib.Path("run/a b#")
    folder.mkdir(parents=True)
    for step in range(500):
        (folder / f"step-{step:08d}.png").touch()
    page.set_model(trained_gan)
    page.set_params({"epochs": 2})
    page.on_train_begin()
    page.write()
    text = pathlib.Path("run/index.html").read_text()
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
