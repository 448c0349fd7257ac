"""Batches of each modality: what is right passes, what is wrong is named."""

import keras
import numpy as np
import pytest

import keras_gans as kg
from keras_gans import modalities
from keras_gans.augment.diff_augment import POLICIES

TABLE = {"age": [(40, 10), (5, 2)], "sex": ["f", "m"]}
WORDS = ["", "red", "blue", "heart"]
ALL = [
    kg.Image((8, 6, 3)),
    kg.Image((None, None, 1), range=(0, 1)),
    kg.Waveform(64, channels=2, rate=8000),
    kg.Waveform(None),
    kg.Volume(6),
    kg.Volume((4, 5, 6), channels=2, range=(-1, 1)),
    kg.Video(4, (8, 6, 3)),
    kg.Video(None, (8, 6, 1), rate=25, range=(0, 1)),
    kg.Tokens(5, WORDS),
    kg.Tokens(5, 7, separator=""),
    kg.Table(TABLE),
    kg.Points(2),
]
FLOATS = [m for m in ALL if m.kind != "tokens"]


def make(modality, n=3):
    """Samples in range; of the length 7 where any is allowed."""
    shape = (n, *(7 if side is None else side for side in modality.shape))
    low, high = modality.range or (-9, 9)
    x = np.random.default_rng(0).uniform(low, high, shape).astype("float32")
    if modality.kind == "tokens":
        x = np.eye(shape[-1], dtype="float32")[x.argmax(-1)]
    return x


def name(modality):
    return repr(modality)[:40]


@pytest.mark.parametrize("modality", ALL, ids=name)
def test_its_config_builds_it_again(modality):
    again = type(modality).from_config(modality.get_config())
    assert again == modality and hash(again) == hash(modality)
    config = keras.saving.serialize_keras_object(modality)
    assert keras.saving.deserialize_keras_object(config) == modality
    assert modality != kg.Points(7)
    with pytest.raises(AttributeError):
        modality.range = (0, 2)


@pytest.mark.parametrize("modality", ALL, ids=name)
def test_good_batches_pass(modality):
    x = make(modality)
    assert modality.check(x) is None
    modality.check(x.astype("float16"), "sources")
    assert isinstance(modality, modalities.Modality)
    assert modality.kind == type(modality).__name__.lower()
    assert set(modality.augmentations) <= set(POLICIES)
    assert modality.dtype == "float32"


@pytest.mark.parametrize("modality", FLOATS, ids=name)
def test_bad_batches_are_named(modality):
    x, what = make(modality), modality.tensor_name
    with pytest.raises(ValueError, match=f"no {what}"):
        modality.check(x[:0])
    with pytest.raises(ValueError, match=r"single .*dataset.batch\(64\)"):
        modality.check(x[0])
    with pytest.raises(ValueError, match="do not have the generator's shape"):
        modality.check(x[..., None])
    for dtype in ("uint8", "bool", "int64"):
        with pytest.raises(ValueError, match=f"must be floats.*{dtype}"):
            modality.check((x > 0).astype(dtype))
    with pytest.raises(ValueError, match=r"must be floats.*complex64"):
        modality.check(x.astype("complex64"))
    x[1:, 0] = np.nan
    with pytest.raises(ValueError, match=f"NaN in 2 of 3 {what}.*at row 1"):
        modality.check(x)
    x[:] = np.inf
    found = "infinite in 3" if modality.range is None else "from inf to"
    with pytest.raises(ValueError, match=found):
        modality.check(x)


@pytest.mark.parametrize("modality", [m for m in FLOATS if m.range], ids=name)
def test_values_out_of_range_are_refused_at_every_rank(modality):
    low, high = modality.range
    x = make(modality)
    x[0] = high + (high - low) / 4000
    modality.check(x)  # as far as resizing may round
    for value in (low - 0.01, high + 0.01):
        bad = x.copy()
        bad[1].flat[0] = value
        with pytest.raises(ValueError, match="must lie in") as error:
            modality.check(bad, "sources")
        assert str(error.value).startswith("Sources must lie in")


@pytest.mark.parametrize(
    ("modality", "batch", "remedy"),
    [
        (kg.Image((8, 8, 1)), np.zeros((3, 8, 8)), r"`x\[\.\.\., None\]`"),
        (kg.Image((8, 8, 3)), np.zeros((2, 3, 8, 8)), r"moveaxis\(x, 1, -1\)"),
        (
            kg.Image((8, 8, 3)),
            np.zeros((2, 9, 9, 3)),
            r"image_size=\(8, 8\), channels=3\)`, or build the GAN with "
            r"image_shape=\(9, 9, 3\)",
        ),
        (kg.Image((8, 8, 1)), np.zeros((2, 8, 8, 1), "int16"), "127.5 - 1`"),
        (kg.Image((8, 8, 1), range=(0, 1)), np.full((2, 8, 8, 1), 255.0), "`x / 255`"),
        (kg.Image((8, 8, 3)), np.zeros((5, 8, 8)), r"stack\(\[x\] \* 3, axis=-1\)`"),
        (kg.Image((8, 8, 1)), np.zeros((8, 8)), r"`x\[None, \.\.\., None\]`"),
        (kg.Image((8, 8, 3)), np.zeros((5, 8, 3)), r"by `x\[None\]`"),
        (kg.Image((8, 8, 3)), np.zeros((8, 8)), r"Bring them to \(batch, 8, 8, 3\)"),
        (kg.Volume(4), np.zeros((2, 4, 4, 1)), r"by `x\[None\]`"),
        (kg.Points(1), np.zeros(8), r"numbers: `x\[\.\.\., None\]`"),
        (kg.Points(2), np.zeros(8), r"`np.stack\(\[x, y\], axis=-1\)`"),
        (kg.Points(2), np.zeros(2), r"by `x\[None\]`"),
        (kg.Points(2), np.zeros((2, 8, 8, 1)), r"image_shape=\(8, 8, 1\)"),
        (kg.Waveform(64), np.zeros((2, 64)), r"`x\[\.\.\., None\]`"),
        (kg.Waveform(64), np.zeros((2, 64, 1), "int16"), "`x / 32768`"),
        (kg.Waveform(64), np.ones((2, 64, 1)) * 9, "abs"),
        (kg.Waveform(64), np.zeros((2, 60, 1)), "Cut or pad"),
        (kg.Volume(4), np.zeros((2, 4, 4, 4)), r"`x\[\.\.\., None\]`"),
        (kg.Volume(4), np.zeros((2, 4, 4, 4, 1), bool), r'`x.astype\("float32"\)`'),
        (
            kg.Volume(4, range=(-1, 1)),
            np.zeros((2, 4, 4, 4, 1), "int16"),
            r'`2 \* x.astype\("float32"\) - 1`',
        ),
        (kg.Volume(4), -np.ones((2, 4, 4, 4, 1)), r"`\(x \+ 1\) / 2`"),
        (kg.Volume(4), np.zeros((2, 5, 5, 5, 1)), "Resample"),
        (
            kg.Video(4, (8, 8, 3)),
            np.zeros((2, 4, 8, 8, 3), "int16"),
            "8-bit pixels by `x / 127.5 - 1`",
        ),
        (kg.Video(4, (8, 8, 3)), np.zeros((2, 5, 8, 8, 3)), "Cut the videos"),
        (kg.Table(TABLE), np.zeros((2, 3)), "encode_rows"),
        (kg.Points(2), np.zeros((2, 3)), r"image_shape=\(3,\)"),
        (kg.Points(2), np.zeros((2, 2), int), r'x.astype\("float32"\)'),
        (kg.Points(2), np.full((2, 2), "a"), r'x.astype\("float32"\)'),
    ],
)
def test_remedies(modality, batch, remedy):
    with pytest.raises(ValueError, match=remedy):
        modality.check(batch)


def test_remedies_work():
    grey = np.zeros((3, 8, 8))
    kg.Image((8, 8, 1)).check(grey[..., None])
    kg.Image((8, 8, 3)).check(np.moveaxis(np.zeros((2, 3, 8, 8)), 1, -1))
    kg.Image((8, 8, 3)).check(np.stack([grey] * 3, axis=-1))
    kg.Image((8, 8, 1)).check(grey[0][None, ..., None])
    solid = np.ones((2, 4, 4, 4, 1), bool)
    kg.Volume(4).check(solid.astype("float32"))
    kg.Volume(4, range=(-1, 1)).check(2 * solid.astype("float32") - 1)


def test_unscaled_images_are_doubted():
    image, x = kg.Image((2, 2, 1)), np.linspace(0, 1, 8).reshape(2, 2, 2, 1)
    with pytest.warns(UserWarning, match=r"lie in \[0, 1\]"):
        image.check(x)
    image.check(x, doubt=False)
    image.check(np.ones_like(x))
    kg.Image((2, 2, 1), range=(0, 1)).check(x)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (np.array([[0, 1, 2, 3, 4]]), r"\[0, 4\).*from 0 to 4"),
        (np.array([[0, 1, 2, -1, 3]]), r"\[0, 4\).*from -1 to 3. Number.* 0\.$"),
        (np.array([0, 1, 2, 1, 3]), r"by `x\[None\]`"),
        (np.zeros((2, 6), int), r"ints \[n, 5\].*\(2, 6\)"),
        (np.zeros((2, 5)), r"float64 of shape \(2, 5\).*astype\(\"int32\"\)"),
        (np.zeros((0, 5), int), "batch them"),
        (np.zeros((2, 5, 4)), "sum to 1.*from 0 to 0.*softmax"),
        (np.full((2, 5, 4), 2.0), r"lie in \[0, 1\].*softmax"),
        (np.full((2, 5, 4), np.nan), "NaN in 2 of 2 tokens"),
        (np.zeros((2, 5, 4), bool), "must be floats.*bool"),
    ],
)
def test_bad_tokens_are_named(batch, message):
    with pytest.raises(ValueError, match=message):
        kg.Tokens(5, WORDS).check(batch)


def test_tokens_are_ints_or_probabilities():
    tokens, ids = kg.Tokens(5, WORDS), np.array([[1, 3, 0, 0, 0]])
    tokens.check(ids)
    tokens.check(np.full((2, 5, 4), 0.25))
    np.testing.assert_array_equal(tokens.ids(tokens.one_hot(ids)), ids)
    assert tokens.one_hot(ids).shape == (1, *tokens.shape)
    assert tokens.sentences(tokens.one_hot(ids)) == ["red heart"]
    kg.Tokens(5, 10**6).one_hot(ids)  # in the memory of what it gives
    with pytest.raises(ValueError, match=r"are ints \[n, 5\].*\(2, 6\)"):
        tokens.sentences(np.zeros((2, 6), int))
    with pytest.raises(ValueError, match=r"are ints \[n, 5\].*\(2, 5, 3\)"):
        tokens.sentences(np.zeros((2, 5, 3)))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: kg.Image((8, 8)), "3 positive ints"),
        (lambda: kg.Image((8, 0, 3)), "3 positive ints"),
        (lambda: kg.Image((8, 8, None)), "channels"),
        (lambda: kg.Image((8, 8, 3), range=(1, 1)), "low < high"),
        (lambda: kg.Image((8, 8, 3), range=(0, np.inf)), "low < high"),
        (lambda: kg.Waveform(0), "samples"),
        (lambda: kg.Waveform(8, rate=None), "rate"),
        (lambda: kg.Waveform(8, channels=1.5), "channels"),
        (lambda: kg.Volume((4, 4)), "3 positive ints"),
        (lambda: kg.Volume((4, None, 4)), "size, channels"),
        (lambda: kg.Video(4, (8, 8, 2)), "1 or 3 channels"),
        (lambda: kg.Video(4, (8, 8, 3), rate=0), "rate"),
        (lambda: kg.Tokens(0, WORDS), "length"),
        (lambda: kg.Tokens(5, ["a"]), "vocabulary"),
        (lambda: kg.Tokens(5, ["", "a", "a"]), "vocabulary"),
        (lambda: kg.Tokens(5, ["", "a b"]), "cannot be told"),
        (lambda: kg.Tokens(5, ["", "ab"], separator=""), "cannot be told"),
        (lambda: kg.Table({}), "`columns`"),
        (lambda: kg.Table({"a": []}), "`columns`"),
        (lambda: kg.Table({"a": ["x", "x"]}), "`columns`"),
        (lambda: kg.Table({"a": [(0, 0)]}), "`columns`"),
        (lambda: kg.Table([("a", ["x"]), ("a", ["y"])]), "`columns`"),
        (lambda: kg.Table(7), "`columns`"),
        (lambda: kg.Points(0), "size"),
        (lambda: kg.Points(None), "size"),
    ],
)
def test_bad_arguments_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_rows_of_a_table_come_back():
    table = kg.Table(TABLE)
    assert table.shape == (5,)
    assert table.blocks == [
        ("age", "scalar", 1),
        ("age", "mode", 2),
        ("sex", "category", 2),
    ]
    rows = [{"age": 50, "sex": "m"}, {"age": "6", "sex": "f"}]
    encoded = table.encode_rows(rows)
    expected = [[0.25, 1, 0, 0, 1], [0.125, 0, 1, 1, 0]]
    np.testing.assert_array_equal(encoded, np.float32(expected))
    table.check(encoded)
    assert table.decode_rows(encoded) == [
        {"age": 50.0, "sex": "m"},
        {"age": 6.0, "sex": "f"},
    ]
    # far values are cut at 4 deviations
    assert table.encode_rows([{"age": 999, "sex": "f"}])[0, 0] == 1


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"age": "?", "sex": "f"}, "row 1 needs a number in column 'age'"),
        ({"age": np.nan, "sex": "f"}, "a number in column 'age'.*'nan'"),
        (
            {"age": 1},
            "a category in column 'sex' that was in the data. Received: 'None'",
        ),
        ({"age": 1, "sex": "mm"}, r"'mm'. Did you mean m\?"),
    ],
)
def test_bad_rows_are_named(row, message):
    with pytest.raises(ValueError, match=message):
        kg.Table(TABLE).encode_rows([row])


def test_a_table_is_found_from_its_rows():
    rows = [{"x": i, "y": "1?"[i % 2], "z": 3} for i in range(4)]
    table = kg.Table.of(rows)
    expected = (
        ("x", ((1.5, np.std(range(4))),)),
        ("y", ("1", "?")),
        ("z", ((3.0, 1.0),)),
    )
    assert table == kg.Table(expected)
    with pytest.raises(ValueError, match="same columns"):
        kg.Table.of([*rows, {"x": 1}])
    with pytest.raises(ValueError, match="0 rows"):
        kg.Table.of([])
    with pytest.raises(ValueError, match="'y' has 2 categories"):
        kg.Table.of(rows, most=1)
