"""Scores of text: n-grams that sentences share with real ones, and among themselves."""

from collections import Counter
from collections.abc import Sequence
import math
from typing import NamedTuple

import numpy as np

from keras_gans.utils.validation import check_size

SMALL = 0.1  # what counts of 0 matching n-grams become in BLEU


class TextScores(NamedTuple):
    """How near sentences are to real ones; read them together.

    Attributes:
        js: tuple of float, `ngram_js` of n = 1, 2, 3, 4: 0 is best.
        bleu: float, `bleu` of up to 4 tokens: how likely sentences look.
        self_bleu: float, the same of each against the others: how alike they are.
        distinct: float, the share of different sentences.
        known: float, the share of them that real sentences hold as they are.
    """

    js: tuple
    bleu: float
    self_bleu: float
    distinct: float
    known: float


def text_scores(
    real: Sequence[str], fake: Sequence[str], separator: str = " "
) -> TextScores:
    """All scores of sentences that need nothing but sentences.

    Args:
        real: list of str, such as held-out lines.
        fake: list of str, two or more.
        separator: str between tokens: " ", or "" where they are letters.

    Returns:
        `TextScores`.

    Raises:
        ValueError: there are too few sentences.

    Example:

    ```python
    real, fake = ["johnson", "jackson"], ["jonson", "jonson"]
    keras_gans.metrics.text_scores(real, fake, separator="").distinct  # 0.5
    ```

    Reference:
        https://arxiv.org/abs/1704.00028, section 5.4 (`ngram_js`);
        https://arxiv.org/abs/1802.01886, section 3 (BLEU and self-BLEU)
    """
    a, b = (_tokens(x, name, separator) for x, name in ((real, "real"), (fake, "fake")))
    known = set(map(tuple, a))
    return TextScores(
        js=tuple(ngram_js(a, b, n) for n in range(1, 5)),
        bleu=bleu(b, a),
        self_bleu=self_bleu(b),
        distinct=len(set(map(tuple, b))) / len(b),
        known=sum(tuple(x) in known for x in b) / len(b),
    )


def ngram_js(a: Sequence, b: Sequence, n: int = 4) -> float:
    """The Jensen-Shannon divergence of two sets of sentences by their n-grams.

    (KL(p, m) + KL(q, m)) / 2 with m = (p + q) / 2, p and q the shares of each
    n-gram, and logarithms of base 2: in [0, 1].

    Args:
        a: list of sequences of tokens, such as str of letters; or an array
            `[n, length]`.
        b: likewise.
        n: int, tokens of an n-gram.

    Returns:
        float in [0, 1], 0 where the shares are the same.

    Raises:
        ValueError: no sentence has `n` tokens.

    Example:

    ```python
    keras_gans.metrics.ngram_js(["abab"], ["abba"], n=1)  # 0.0
    ```

    Reference:
        https://arxiv.org/abs/1704.00028, section 5.4
    """
    p, q = (_shares(x, n) for x in (a, b))
    total = 0.0
    for gram in p.keys() | q.keys():
        x, y = p.get(gram, 0.0), q.get(gram, 0.0)
        middle = (x + y) / 2
        total += sum(z * math.log2(z / middle) for z in (x, y) if z) / 2
    return total


def distinct_n(sentences: Sequence, n: int = 2) -> float:
    """The share of different n-grams among all: the diversity within sentences.

    Args:
        sentences: list of sequences of tokens.
        n: int, tokens of an n-gram.

    Returns:
        float in (0, 1], 1 where no n-gram comes twice.

    Raises:
        ValueError: no sentence has `n` tokens.

    Example:

    ```python
    keras_gans.metrics.distinct_n(["abab"], n=2)  # 2 / 3
    ```

    Reference:
        https://arxiv.org/abs/1510.03055, section 5.3
    """
    counts = _counts(sentences, n)
    return len(counts) / counts.total()


def bleu(sentences: Sequence, references: Sequence, n: int = 4) -> float:
    """The mean BLEU of sentences, each against all references.

    min(1, exp(1 - r / c)) times the geometric mean of the shares of matching
    1- to n-grams, c tokens of the sentence and r of the reference of the nearest
    length. An n-gram matches as often as a single reference has it; where none
    does, 0.1 are taken to match. Sentences shorter than n tokens are scored by the
    n-grams that they have.

    Args:
        sentences: list of sequences of tokens.
        references: likewise.
        n: int, tokens of the longest n-gram.

    Returns:
        float in [0, 1].

    Raises:
        ValueError: a list is empty.

    Example:

    ```python
    keras_gans.metrics.bleu(["abcd"], ["abcd", "dcba"])  # 1.0
    ```

    Reference:
        https://aclanthology.org/P02-1040
    """
    return _mean_bleu(sentences, references, n, among=False)


def self_bleu(sentences: Sequence, n: int = 4) -> float:
    """The mean `bleu` of each sentence against the others: 1 where all are alike.

    Args:
        sentences: list of sequences of tokens, two or more.
        n: int, tokens of the longest n-gram.

    Returns:
        float in [0, 1].

    Raises:
        ValueError: there are fewer than two.

    Example:

    ```python
    keras_gans.metrics.self_bleu(["abcd", "abcd"])  # 1.0
    ```

    Reference:
        https://arxiv.org/abs/1802.01886, section 3.2
    """
    if len(sentences) < 2:
        raise ValueError(
            "Self-BLEU compares sentences with each other. Received: "
            f"{len(sentences)}. Give two or more."
        )
    return _mean_bleu(sentences, sentences, n, among=True)


def _mean_bleu(sentences, references, n, among):
    check_size("n", n)
    if not len(sentences) or not len(references):
        raise ValueError(
            "BLEU is of sentences against references. Received: "
            f"{len(sentences)} sentences, {len(references)} references."
        )
    most = [_most(references, k) for k in range(1, n + 1)]
    lengths = np.bincount([len(x) for x in references])
    scores = []
    for sentence in sentences:
        logarithms = []
        for k in range(1, min(n, len(sentence)) + 1):
            own, hits = Counter(_grams(sentence, k)), 0
            for gram, count in own.items():
                first, times, second = most[k - 1].get(gram, (0, 0, 0))
                # Of the others, where this sentence alone has it most often.
                allowed = second if among and count == first and times == 1 else first
                hits += min(count, allowed)
            logarithms.append(math.log((hits or SMALL) / own.total()))
        c = len(sentence)
        if not c:
            scores.append(0.0)
            continue
        counts = lengths.copy()
        if among:
            counts[c] -= 1
        there = np.flatnonzero(counts)
        r = int(min(there, key=lambda x: (abs(x - c), x)))
        brevity = min(0.0, 1 - r / c)
        scores.append(math.exp(brevity + sum(logarithms) / len(logarithms)))
    return float(np.mean(scores))


def _most(references, n):
    """Of each n-gram: its largest count, how many have it, and the next count."""
    largest = {}
    for reference in references:
        for gram, count in Counter(_grams(reference, n)).items():
            first, times, second = largest.get(gram, (0, 0, 0))
            if count > first:
                largest[gram] = (count, 1, first)
            elif count == first:
                largest[gram] = (first, times + 1, count)
            elif count > second:
                largest[gram] = (first, times, count)
    return largest


def _shares(sentences, n):
    counts = _counts(sentences, n)
    total = counts.total()
    return {gram: count / total for gram, count in counts.items()}


def _counts(sentences, n):
    check_size("n", n)
    counts = Counter()
    for sentence in sentences:
        counts.update(_grams(sentence, n))
    if not counts:
        raise ValueError(
            f"There are no sentences of {n} tokens or more. Received: "
            f"{len(sentences)} sentences. Take a smaller n."
        )
    return counts


def _grams(sentence, n):
    sentence = sentence.tolist() if isinstance(sentence, np.ndarray) else sentence
    return zip(*(sentence[i:] for i in range(n)), strict=False)


def _tokens(sentences, name, separator):
    if isinstance(sentences, str) or not all(isinstance(x, str) for x in sentences):
        raise ValueError(
            f"`{name}` is a list of str. Received: a {type(sentences).__name__}. "
            "`gan.modality.sentences(ids)` makes them of numbers."
        )
    if separator == "":
        return list(sentences)
    return [[x for x in sentence.split(separator) if x] for sentence in sentences]
