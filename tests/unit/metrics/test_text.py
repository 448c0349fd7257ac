"""Scores of text: against closed forms."""

import numpy as np
import pytest

from keras_gans import metrics


def test_js_of_alike_and_of_apart():
    assert metrics.ngram_js(["abab"], ["baba"], 1) == 0
    np.testing.assert_allclose(metrics.ngram_js(["aa"], ["bb"], 1), 1)
    # p = (1/2, 1/2), q = (1, 0), m = (3/4, 1/4)
    wanted = (0.5 * np.log2(2 / 3) + 0.5 * np.log2(2) + np.log2(4 / 3)) / 2
    np.testing.assert_allclose(metrics.ngram_js(["ab"], ["aa"], 1), wanted)
    with pytest.raises(ValueError, match="3 tokens or more"):
        metrics.ngram_js(["ab"], ["abc"], 3)


def test_bleu():
    assert metrics.bleu(["abcde"], ["abcde", "x"]) == 1
    # 3 of 4 letters, 1 of 3 pairs.
    wanted = np.sqrt(3 / 4 * 1 / 3)
    np.testing.assert_allclose(metrics.bleu(["abxc"], ["abcd"], 2), wanted)
    # A sentence of 2 for one of 4 is brief; counts are clipped.
    np.testing.assert_allclose(metrics.bleu(["ab"], ["abcd"], 2), np.exp(1 - 4 / 2))
    np.testing.assert_allclose(metrics.bleu(["aaaa"], ["abcd"], 1), 1 / 4)
    np.testing.assert_allclose(metrics.bleu(["xy"], ["ab"], 1), 0.1 / 2)
    with pytest.raises(ValueError, match="0 references"):
        metrics.bleu(["a"], [])


def test_self_bleu_leaves_each_out():
    sentences = ["abcab", "bca", "xyz", "abab", "cabc", "aab"]
    wanted = [
        metrics.bleu([x], sentences[:i] + sentences[i + 1 :])
        for i, x in enumerate(sentences)
    ]
    np.testing.assert_allclose(metrics.self_bleu(sentences), np.mean(wanted))
    assert metrics.self_bleu(["abcd"] * 3) == 1
    with pytest.raises(ValueError, match="two or more"):
        metrics.self_bleu(["a"])


def test_scores_of_words():
    real = ["the red heart is here", "the blue star is there"]
    same = metrics.text_scores(real, real)
    assert same.js == (0, 0, 0, 0) and same.bleu == 1
    assert same.distinct == 1 and same.known == 1
    made = ["the red star is here", "the red star is here"]
    scores = metrics.text_scores(real, made)
    assert scores.distinct == 0.5 and scores.known == 0 and scores.self_bleu == 1
    assert metrics.distinct_n([["a", "b", "a", "b"]], 2) == 2 / 3
    with pytest.raises(ValueError, match="list of str"):
        metrics.text_scores("red", real)
