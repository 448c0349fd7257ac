"""Captions of folders, arrays and emoji: matched, drawn, and refused by row."""

import json

import numpy as np
import pytest

from keras_gans.data import describe_captions, load_captions
from keras_gans.data.captions import emoji_captions
from keras_gans.data.sentence_cache import encoded
from keras_gans.modalities.pictures import save_image

NAMES = ("a.png", "b.png", "sub/c.png")


def lengths(texts):
    return np.array([[len(text), 1.0] for text in texts], "float32")


def filled(folder, lines=None, name="captions.csv"):
    for i, file in enumerate(NAMES):
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        save_image(path, np.full((8, 8, 3), i - 1.0))
    if lines is not None:
        (folder / name).write_text("\n".join(lines), "utf-8")
    return str(folder)


def seen(dataset):
    """Rows of (grey level, length of the caption), sorted."""
    rows = [
        (round(float(x.mean())), int(v[0]))
        for images, vectors in dataset
        for x, v in zip(images.numpy(), vectors.numpy(), strict=True)
    ]
    return sorted(rows)


ROWS = ["file_name,caption", "a.png,one", '"b.png","four, or 5"', "sub/c.png,seventh"]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("captions.csv", ROWS),
        (
            "metadata.csv",
            ["text,file", "one,a.png", '"four, or 5",b.png', *["seventh,sub\\c.png"]],
        ),
        ("captions.csv", [line.replace(",", ";", 1) for line in ROWS]),
        ("captions.tsv", [line.replace(",", "\t", 1) for line in ROWS]),
        (
            "captions.jsonl",
            [
                json.dumps({"file_name": "a.png", "text": "one"}),
                "",
                # Some editors write line separators into texts.
                '{"file_name": "b.png", "caption": ["four,\u2028or 5"]}',
                json.dumps({"file": "sub/c.png", "texts": ["seventh"]}),
            ],
        ),
    ],
)
def test_captions_of_a_folder(tmp_path, name, lines):
    source = filled(tmp_path, lines, name)
    dataset = load_captions(source, lengths, image_size=8, batch_size=3)
    assert seen(dataset) == [(-1, 3), (0, 10), (1, 7)]
    report = describe_captions(source, (8, 8), 3)
    assert "captions   3, 1 a picture: 'one'" in str(report)
    assert any(name in path for path in report.digests["files"])


def test_text_files_beside_pictures_and_a_file_elsewhere(tmp_path):
    source = filled(tmp_path / "pictures")
    elsewhere = tmp_path / "own.csv"
    elsewhere.write_text("\n".join(ROWS))
    options = {"image_size": 8, "batch_size": 3}
    dataset = load_captions(source, lengths, captions=elsewhere, **options)
    assert seen(dataset) == [(-1, 3), (0, 10), (1, 7)]
    for file, text in zip(NAMES, ("x", "yy\n\n", "zzz"), strict=True):
        (tmp_path / "pictures" / file).with_suffix(".txt").write_text(text)
    dataset = load_captions(source, lengths, **options)
    assert seen(dataset) == [(-1, 1), (0, 2), (1, 3)]


def test_one_caption_of_several_is_drawn_each_epoch():
    images = np.zeros((2, 8, 8, 3), "uint8")
    texts = [["a", "bb", "ccc", "dddd"], "eeeee"]
    options = {"batch_size": 2, "shuffle": False}

    def drawn(seed, start=0, epochs=40, repeat=True):
        dataset = load_captions(
            (images, texts), lengths, seed=seed, start=start, repeat=repeat, **options
        )
        batches = [v.numpy()[:, 0].astype(int) for _, v in dataset.take(epochs)]
        return np.array(batches)

    whole = drawn(1)
    assert set(whole[:, 0]) == {1, 2, 3, 4} and set(whole[:, 1]) == {5}
    np.testing.assert_array_equal(whole[13:20], drawn(1, start=13, epochs=7))
    assert (whole != drawn(2)).any()


def test_emoji_have_names_and_search_words():
    texts = emoji_captions()
    assert len(texts) == 1570 and all(text.strip() for t in texts for text in t)
    assert ["red heart", "red heart, emotion, heart, love, red"] in texts
    with pytest.raises(ValueError, match="captions of their own"):
        load_captions("emoji", lengths, captions="x.csv")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([*ROWS, "d.png,extra"], "row 5, 'd.png'"),
        (ROWS[:-1], "1 of 3 pictures have no caption .*'sub/c.png'"),
        ([*ROWS[:2], "b.png, ", ROWS[3]], "row 3: a caption is a sentence"),
        ([*ROWS, "a.png,with, commas"], "line 5 has 3 cells, and the head 2"),
        (["name,words", "a.png,one"], "row names .*'file_name'.*'name', 'words'"),
        ([ROWS[0], 'a.png,"one', *ROWS[1:]], "begins in line 2.*Close what is quoted"),
        ([ROWS[0]], "without rows"),
    ],
)
def test_captions_that_do_not_fit_name_their_row(tmp_path, lines, told):
    with pytest.raises(ValueError, match=told):
        load_captions(filled(tmp_path, lines), lengths, image_size=8, batch_size=1)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "row 1: it is no JSON"),
        ("[]", "row 1: a row is a JSON object"),
        ('{"file": "a.png"}', "row 1: a row has 'file_name' and 'caption'"),
        ('{"file": "a.png", "text": [3]}', "row 1: a caption is a sentence.*3"),
        ('{"file": "a.png", "text": []}', "row 1: a picture has a caption"),
    ],
)
def test_rows_of_json_that_do_not_fit(tmp_path, line, told):
    source = filled(tmp_path, [line], "captions.jsonl")
    with pytest.raises(ValueError, match=told):
        load_captions(source, lengths, image_size=8, batch_size=1)


def test_other_sources_are_refused(tmp_path):
    options = {"image_size": 8, "batch_size": 1}
    source = filled(tmp_path)
    with pytest.raises(ValueError, match="holds no captions"):
        load_captions(source, lengths, **options)
    (tmp_path / "a.txt").write_text("one")
    with pytest.raises(ValueError, match="2 of 3 pictures have no caption"):
        load_captions(source, lengths, **options)
    with pytest.raises(ValueError, match="tfds:mnist"):
        load_captions("tfds:mnist", lengths, **options)
    images = np.zeros((2, 8, 8, 3), "uint8")
    with pytest.raises(ValueError, match="1 captions for 2 pictures"):
        load_captions((images, ["one"]), lengths, **options)
    for texts, told in (
        (["one", ""], "'' of picture 2 of 2"),
        ([None, "two"], "None of picture 1 of 2"),
        (["one", float("nan")], "nan of picture 2"),
        ("ab", "Received: a str"),
        (iter(["one", "two"]), "Make a list"),
    ):
        with pytest.raises(ValueError, match=told):
            load_captions((images, texts), lengths, **options)
    with pytest.raises(ValueError, match="NaN or infinite values of 'two'"):
        load_captions((images, ["one", "two"]), lambda t: [[1.0], [np.nan]], **options)


def test_vectors_are_kept_on_disk(tmp_path):
    calls = []

    def encode(texts):
        calls.append(texts)
        return lengths(texts)

    for texts in (["a"], ["b"], ["a"]):  # the last is not in memory any more
        np.testing.assert_array_equal(
            encoded(texts, encode, "key", tmp_path), lengths(texts)
        )
    assert calls == [["a"], ["b"]]
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-40])
    encoded(["b"], encode, "key", tmp_path)
    encoded(["a"], encode, "another", tmp_path)
    assert calls[2:] == [["b"], ["a"]]
    encoded(["a"], encode, None, tmp_path)
    assert len(calls) == 5
