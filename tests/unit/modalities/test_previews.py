"""Previews of each modality: what they show, and their files."""

import io

from grids import tiles
import numpy as np
from PIL import Image as PillowImage
import pytest
from test_batches import ALL, TABLE, WORDS, make, name

import keras_gans as kg
from keras_gans.modalities import pictures
from keras_gans.modalities.volume import turntable
from keras_gans.modalities.waveform import spectrogram


@pytest.mark.parametrize("modality", ALL, ids=name)
def test_every_modality_has_a_preview(modality, tmp_path):
    preview = modality.preview(make(modality, 5), columns=2)
    assert preview.picture.dtype == "uint8"
    assert preview.picture.ndim == 3
    assert preview.picture.shape[-1] in (1, 3, 4)
    assert np.ptp(preview.picture) > 100
    paths = preview.save(tmp_path / "grid.png")
    assert set(paths) == set(tmp_path.iterdir())
    shown = np.asarray(PillowImage.open(tmp_path / "grid.png"))
    np.testing.assert_array_equal(
        shown,
        preview.picture.squeeze(-1)
        if preview.picture.shape[-1] == 1
        else preview.picture,
    )
    with pytest.raises(ValueError, match="overwrite"):
        preview.save(tmp_path / "grid.png")
    preview.save(tmp_path / "grid.png", overwrite=True)
    with pytest.raises(ValueError, match=r"\.png"):
        preview.save(tmp_path / "grid.jpg")


@pytest.mark.parametrize("modality", ALL, ids=name)
def test_bad_samples_have_a_preview(modality):
    """A GAN that collapsed is looked at, too."""
    x = np.full_like(make(modality, 2), np.nan)
    assert modality.preview(x).picture.size
    with pytest.raises(ValueError, match=r"Received: .*shape"):
        modality.preview(x[..., None])
    with pytest.raises(ValueError, match=r"Received: .*shape"):
        modality.preview(x[:0])


def test_images_are_tiled():
    x = np.stack([np.full((2, 3, 1), v) for v in (0, 0.5, 1)])
    picture = kg.Image((2, 3, 1), range=(0, 1)).preview(x, columns=2).picture
    found = tiles(picture, 3, 2, 2, 3)
    assert [tile.mean() for tile in found] == [0, 128, 255]
    assert (picture[-10:, -10:] == pictures.PAPER).all()  # a free place


@pytest.mark.parametrize(
    ("n", "columns"),
    [(1, 1), (2, 2), (5, 5), (6, 3), (7, 7), (11, 4), (63, 9), (64, 8), (100, 10)],
)
def test_rows_are_whole_where_they_can_be(n, columns):
    x = np.random.default_rng(0).uniform(-1, 1, (n, 4, 4, 3))
    assert pictures.make_grid(x).shape[1] == 4 * columns
    shown = np.rint((x + 1) * 127.5)
    picture = pictures.draw_grid(x)
    np.testing.assert_array_equal(tiles(picture, n, columns, 4, 4), shown)


@pytest.mark.parametrize(
    ("shape", "columns", "scale"),
    [
        ((64, 32, 32, 3), 8, 2),
        ((64, 28, 28, 1), 8, 3),
        ((1, 28, 28, 1), 1, 19),
        ((7, 32, 32, 3), 7, 3),
        ((12, 256, 256, 3), 3, 1),
        ((1, 256, 300, 3), 1, 1),
        ((200, 32, 16, 3), 1, 1),  # it would be too high
    ],
)
def test_small_images_are_enlarged_to_be_seen(shape, columns, scale):
    picture = pictures.draw_grid(np.zeros(shape), columns)
    gap = pictures.GAP
    assert picture.shape[1] == gap + columns * (shape[2] * scale + gap)
    assert picture.shape[1] >= 512 or scale == 1
    assert picture.shape[2] == shape[3]


def test_transparency_is_shown_on_white():
    x = np.full((4, 8, 8, 4), -1.0)
    (first, *_) = tiles(pictures.draw_grid(x), 4, 2, 8, 8)
    assert (first == 255).all() and first.shape == (8, 8, 3)


NAMES = [
    "cats",
    "smileys-emotion",
    "a name that is so long that nobody would ever read it to its very end " * 9,
    "w" * 500,
    "حيوانات",
    "猫と犬",
    "\U0001f408\u200d\u2b1b",
    "$x_1$ <b>&amp;",
    "two\nlines\t\x00\x1b",
    3,
    "\udcff\ud800",
    "",
]


@pytest.mark.daily(2)
@pytest.mark.parametrize("modality", ALL, ids=name)
def test_any_name_is_drawn(modality):
    x = make(modality, len(NAMES))
    plain = modality.preview(x).picture
    named = modality.preview(x, None, NAMES, "The caption. " + NAMES[2]).picture
    assert named.shape[0] > plain.shape[0]
    assert named.size < 2**24


def test_names_stand_above_columns_or_below_images():
    x = np.zeros((6, 8, 8, 1))
    draw, line = pictures.draw_grid, round(1.3 * pictures.FONT)
    plain = draw(x, 3)
    above = draw(x, 3, ["cats", "dogs", "owls"] * 2)
    below = draw(x, 3, ["cats", "dogs", "owls", "cats", "dogs", "bats"])
    assert above.shape[0] == plain.shape[0] + line
    assert below.shape[0] == plain.shape[0] + 2 * line
    assert above[:line].min() < 60 < above[-line:].min()  # ink
    np.testing.assert_array_equal(above[line:], plain)
    captioned = draw(x, 3, caption="What it shows.")
    np.testing.assert_array_equal(captioned[: len(plain)], plain)
    assert captioned[len(plain) :].min() < 60
    with pytest.raises(ValueError, match="2 names of 6 images"):
        draw(x, 3, ["cats", "dogs"])


def test_what_the_font_lacks_is_left_out():
    assert pictures.drawable("3 猫 cats \U0001f408\n\x07") == "3 cats \U0001f408"[:6]
    assert pictures.drawable("4 грач, שלום") == "4 грач, שלום"


def test_sounds_can_be_played():
    waveform = kg.Waveform(800, rate=8000)
    x = np.sin(np.arange(800)[None, :, None] * [[[0.5]], [[1.0]]]) * 0.9
    media = waveform.preview(x).media
    assert [(m.name, m.mime) for m in media] == [
        ("0.wav", "audio/wav"),
        ("1.wav", "audio/wav"),
    ]
    played = waveform.decode(media[1].data)
    np.testing.assert_allclose(played, x[1], atol=2e-5)


def test_a_sine_has_its_level_in_the_spectrogram():
    tone = 0.1 * np.sin(2 * np.pi * 0.125 * np.arange(4096))
    levels = spectrogram(tone)
    size = 2 * (len(levels) - 1)
    middle = levels[:, levels.shape[1] // 2]
    assert middle.argmax() == size / 8
    assert middle.max() == pytest.approx(-20, abs=0.01)
    assert middle[0] < -100
    assert spectrogram(np.zeros(3)).max() == pytest.approx(-120)


def test_a_turntable_shows_the_side_that_is_near():
    box = np.zeros((16, 16, 16))
    box[4:12, 8:16, 4:12] = 1  # above the middle
    views = turntable(box, views=4, pixels=32)
    assert views.shape == (4, 32, 32)
    solid = views < 0.95
    assert solid[:, :16].sum() > 2 * solid[:, 16:].sum()
    np.testing.assert_array_equal(solid[0], solid[2])  # half a turn
    # light from above: the top is brighter than the sides
    column = views[0, :, 16][solid[0, :, 16]]
    assert column[2] > column[-3] + 0.1
    assert (turntable(np.zeros((8, 8, 8))) == 1).all()
    assert turntable(np.ones((100, 4, 4)), views=1).min() < 0.9


def test_a_turntable_shades_thin_walls_as_thick_ones():
    """By the side that is seen, whichever that is."""
    thin, thick = np.zeros((2, 24, 24, 24))
    thin[4:20, 12, 4:20] = 1  # a table top
    thick[4:20, 11:13, 4:20] = 1
    one, other = (turntable(x, views=4, pixels=48)[:, 24, 24] for x in (thin, thick))
    np.testing.assert_allclose(one, other, atol=0.02)
    assert (one > 0.7).all()
    wall = np.zeros((24, 24, 24))
    wall[12, 4:20, 4:20] = 1
    front, _, back, _ = turntable(wall, views=4, pixels=48)[:, 24, 24]
    assert front == pytest.approx(back, abs=0.02) and front > 0.3
    dark = turntable(thin, views=1, pixels=48, thin=False)[0, 24, 24]
    assert dark == pytest.approx(0.12)


def test_volumes_turn():
    x = np.zeros((2, 8, 8, 8, 1), "float32")
    x[:, :, :3] = 1
    (medium,) = kg.Volume(8).preview(x).media
    assert (medium.name, medium.mime) == ("turntable.gif", "image/gif")
    with PillowImage.open(io.BytesIO(medium.data)) as image:
        assert image.n_frames > 8
        assert image.info["loop"] == 0


def test_videos_have_a_strip_and_play():
    video = kg.Video(20, (4, 6, 3))
    x = np.linspace(-1, 1, 20)[None, :, None, None, None]
    x = np.repeat(x, 2, 0) * np.ones((4, 6, 3))
    preview = video.preview(x)
    wide = 16 * 6 + 15  # sixteen frames, apart
    for strip in tiles(preview.picture, 2, 1, 4, wide):
        assert strip[0, [0, 6, -1], 0].tolist() == [0, pictures.PAPER, 255]
    with PillowImage.open(io.BytesIO(preview.media[0].data)) as image:
        assert image.n_frames == 20
        assert image.size[0] > 512


def test_sentences_and_rows_are_text():
    tokens = kg.Tokens(3, WORDS)
    ids = np.array([[1, 3, 0], [0, 0, 0]])
    assert tokens.preview(ids).text == "red heart\n"
    table = kg.Table(TABLE)
    rows = [{"age": 50, "sex": "m"}, {"age": 6.5, "sex": "f"}]
    text = table.preview(table.encode_rows(rows)).text
    assert text == "age  sex\n50   m\n6.5  f"


def test_long_previews_are_cut():
    ids = np.zeros((500, 3), int)
    assert kg.Tokens(3, ["", "a" * 500]).preview(ids + 1).picture.size < 2**21
    rows = np.zeros((500, 5), "float32")
    assert kg.Table(TABLE).preview(rows).text.count("\n") == 30
