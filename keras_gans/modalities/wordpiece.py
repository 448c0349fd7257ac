"""WordPiece: BERT's tokens of a text, lower case."""

from collections.abc import Sequence
import unicodedata

MOST_LETTERS = 100  # of a word; longer ones are unknown
IDEOGRAPHS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


class WordPiece:
    """Numbers of the pieces of words that a vocabulary has.

    Words are cut at spaces and punctuation, without case and accents; each is
    then the longest pieces that the vocabulary has, from its start on.

    Args:
        vocabulary: list of str: pieces within a word begin with "##", and "[UNK]",
            "[CLS]", "[SEP]" and "[PAD]" are among them.

    Raises:
        ValueError: one of these is missing.

    Example:

    ```python
    from keras_gans.modalities.wordpiece import WordPiece

    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "heart", "##s", "red"]
    WordPiece(pieces)("Red hearts!")  # [2, 6, 4, 5, 1, 3]
    ```

    Reference:
        https://arxiv.org/abs/1609.08144, section 4.1; https://arxiv.org/abs/1810.04805
    """

    def __init__(self, vocabulary: Sequence[str]):
        self.numbers = {piece: i for i, piece in enumerate(vocabulary)}
        special = ("[UNK]", "[CLS]", "[SEP]", "[PAD]")
        if missing := [piece for piece in special if piece not in self.numbers]:
            raise ValueError(
                "A WordPiece vocabulary has [UNK], [CLS], [SEP] and [PAD]. Received: "
                f"{len(self.numbers)} pieces without {', '.join(missing)}."
            )
        self.unknown, self.first, self.last, self.padding = (
            self.numbers[piece] for piece in special
        )
        self.longest = max(map(len, self.numbers))

    def __call__(self, text: str, most: int = 256) -> list[int]:
        """The numbers of a text's pieces between those of [CLS] and [SEP].

        Args:
            text: str.
            most: int of 2 or more, how many numbers at most: what is beyond is cut
                off.
        """
        pieces = []
        for word in _words(text):
            pieces += self._pieces(word)
            if len(pieces) >= most:
                break
        return [self.first, *pieces[: most - 2], self.last]

    def _pieces(self, word):
        if len(word) > MOST_LETTERS:
            return [self.unknown]
        numbers, start = [], 0
        while start < len(word):
            before = "##" if start else ""
            for end in range(min(len(word), start + self.longest), start, -1):
                number = self.numbers.get(before + word[start:end])
                if number is not None:
                    break
            else:
                return [self.unknown]  # all of the word
            numbers.append(number)
            start = end
        return numbers


def _words(text):
    """A text's words and marks, lower case and without accents."""
    spaced = []
    for letter in text:
        kind = unicodedata.category(letter)
        if letter in "\t\n\r" or kind == "Zs":
            spaced.append(" ")
        elif letter in "\0\ufffd" or kind.startswith("C"):
            continue
        elif any(low <= ord(letter) <= high for low, high in IDEOGRAPHS):
            spaced += [" ", letter, " "]
        else:
            spaced.append(letter)
    plain = []
    for letter in unicodedata.normalize("NFD", "".join(spaced).lower()):
        if unicodedata.category(letter) == "Mn":
            continue
        plain += [" ", letter, " "] if _is_mark(letter) else [letter]
    return "".join(plain).split()


def _is_mark(letter):
    """Whether a letter is punctuation; of ASCII all that is no letter nor digit."""
    code = ord(letter)
    if 33 <= code <= 126 and not letter.isalnum():
        return True
    return unicodedata.category(letter).startswith("P")
