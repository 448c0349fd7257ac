"""Lines of text: read, numbered, batched and refused."""

import numpy as np
import pytest

from keras_gans.data import describe_lines, load_lines, read_lines, tokens_of


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_bytes(b"\xef\xbb\xbfa red heart\r\n\r\n  a   blue star \nred\n")
    return path


def test_words_and_letters(file):
    lines = read_lines(file)
    assert lines.texts == ["a red heart", "a blue star", "red"]
    assert lines.numbers == [1, 3, 4]
    words = tokens_of(file)
    assert words.vocabulary == ("", "a", "blue", "heart", "red", "star")
    assert words.length == 5  # at least
    (batch,) = load_lines(file, words, batch_size=3, shuffle=False)
    assert words.sentences(np.array(batch)) == lines.texts
    letters = tokens_of(file, "")
    assert letters.length == 11 and letters.vocabulary[:3] == ("", " ", "a")
    (batch,) = load_lines(file, letters, batch_size=3, shuffle=False)
    assert letters.sentences(np.array(batch)) == lines.texts


def test_batches_go_on_from_any(file):
    words = tokens_of(file)
    options = {"batch_size": 1, "seed": 3, "repeat": True}
    all_ = [np.array(x) for x in load_lines(file, words, **options).take(7)]
    later = [np.array(x) for x in load_lines(file, words, start=4, **options).take(3)]
    np.testing.assert_array_equal(all_[4:], later)
    assert len({tuple(x[0]) for x in all_[:3]}) == 3


def test_rare_words_are_one(file):
    words = tokens_of(file, most_tokens=2)
    assert words.vocabulary == ("", "<unk>", "a", "red")
    report = str(describe_lines(file, words))
    assert "3 of 3 lines" in report and "unknown" in report
    (batch,) = load_lines(file, words, batch_size=3, shuffle=False)
    told = words.sentences(np.array(batch))
    assert told == ["a red <unk>", "a <unk> <unk>", "red"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.csv", 'id,text\n1,"a red, heart"\n2,star\n'),
        ("x.csv", '"id;,";text\n1;"a red, heart"\n2;star\n'),
        ("x.tsv", "id\ttext\n1\ta red, heart\n2\tstar\n"),
        ("x.jsonl", '{"id": 1, "text": "a red, heart"}\n\n{"text": "star"}\n'),
    ],
)
def test_tables(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    assert read_lines(path, "text").texts == ["a red, heart", "star"]
    with pytest.raises(ValueError, match=r"Which column has the text\? Pass"):
        read_lines(path)
    with pytest.raises(ValueError, match=r"no column 'txt'.*text|no text under"):
        read_lines(path, "txt")
    other = tmp_path / "x.txt"
    other.write_text(text)
    with pytest.raises(ValueError, match="and of no other"):
        read_lines(other, "text")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("x.txt", b"", "no lines with text"),
        ("x.txt", b"\n \n", "no lines with text"),
        ("x.txt", b"fine\nb\xe9d\n", "line 2 is not in UTF-8.*0xe9"),
        ("x.txt", "a".encode("utf-16"), "UTF-16"),
        ("x.txt", b"fine\n\x00\x01\n", "line 2 holds control"),
        ("x.csv", b"text\na\nb,c\n", "line 3 has 2 cells, and the head 1"),
        ("x.csv", b'text\n"a\n', "unexpected end|line"),
        ("x.jsonl", b'{"text": "a"}\n{"text"\n', "line 2 is no JSON"),
        ("x.jsonl", b'{"text": "a"}\n[1]\n', "line 2 has no text"),
        ("x.jsonl", b'{"text": null}\n', "line 1 has no text .*it has null there"),
        ("x.txt", b"a" * (2**20 + 1), "line 1 has more than"),
        ("x.pdf", b"a", "another ending"),
    ],
)
def test_bad_files_are_refused(tmp_path, name, data, message):
    path = tmp_path / name
    path.write_bytes(data)
    column = None if name.endswith(("txt", "pdf")) else "text"
    with pytest.raises(ValueError, match=message):
        read_lines(path, column)


def test_lines_that_do_not_fit_are_named(file):
    words = tokens_of(file, length=2)
    with pytest.raises(ValueError, match=r"2 of 3 lines.*line 1: 3 tokens, more than"):
        load_lines(file, words, batch_size=1)
    words = tokens_of(file, vocabulary=("", "a", "red", "heart"))
    with pytest.raises(ValueError, match="line 3: 'blue' is not in the vocabulary"):
        load_lines(file, words, batch_size=1)
    with pytest.warns(UserWarning, match=r"Left out 1 of 3 lines.*line 3"):
        data = load_lines(file, words, batch_size=2, on_error="skip")
    assert data.element_spec.shape == (2, 5)
    report = describe_lines(file, words, on_error="skip")
    assert "2 of 3 lines" in str(report) and list(report.digests["files"]) == [
        file.name
    ]
    with pytest.raises(ValueError, match="3 of 3 lines"):
        words = tokens_of(file, vocabulary=("", "x"))
        load_lines(file, words, batch_size=1, on_error="skip")


def test_surnames():
    lines = read_lines("surnames")
    assert len(lines.texts) == 88_549 and lines.texts[0] == "smith"
    assert max(map(len, lines.texts)) == 12
    with pytest.raises(ValueError, match="no columns"):
        read_lines("surnames", "text")
    with pytest.raises(ValueError, match="is no file"):
        read_lines("surname")


def test_too_much_is_refused(tmp_path):
    path = tmp_path / "long.txt"
    path.write_text("a b\n" + "a " * 600)
    with pytest.raises(ValueError, match=r"Line 2 .* 600 tokens"):
        tokens_of(path)
    path.write_text(" ".join(map(str, range(20_001))))
    with pytest.raises(ValueError, match=r"20001 different tokens.*most_tokens"):
        tokens_of(path, length=5)
