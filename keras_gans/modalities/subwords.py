"""Files of the package tokenizers: lines split into subwords, and joined again."""

from collections.abc import Sequence
import functools
import json
import os
import pathlib
import re

from keras_gans.modalities.untrusted import MAX_TEXT, check_bytes
from keras_gans.utils.optional import require
from keras_gans.utils.text import brief

UNKNOWN = "<unk>"  # of a tokenizer that has none of its own
NOT_ONE = "it is no file of the package tokenizers"
SPACE = rb"[ \t\n\r\f\v]+"  # what RE2, in the graph, takes for the same
# A decoder of a few hundred bytes could make terabytes of a token, or take days.
MOST_LETTERS = 1024  # of a token, on each step of its decoder
MOST_STEPS = 64  # of a decoder


class Subwords:
    """A tokenizer, by the text of its file.

    Splitting needs the package tokenizers; joining does not.

    Args:
        text: str, JSON as `read_tokenizer` gives it.

    Raises:
        ValueError: it is none, or its decoder is of another kind or longer than 64
            steps.

    Example:

    ```python
    from keras_gans.modalities.subwords import Subwords

    text = '{"model": {"type": "WordLevel", "vocab": {"red": 0}, "unk_token": "?"}}'
    Subwords(text).join([b" red", b" red"])  # "red red"
    ```
    """

    def __init__(self, text: str):
        self.text = text
        try:
            content = json.loads(text)
            model = content["model"]
            vocabulary = model["vocab"]
            if not isinstance(vocabulary, dict):  # pairs of a token and its score
                vocabulary = [token for token, _ in vocabulary]
            added = [token["content"] for token in content.get("added_tokens") or ()]
            self.known = frozenset([*vocabulary, *added])
            unknown = model.get("unk_token")
            if unknown is None and isinstance(model.get("unk_id"), int):
                unknown = list(vocabulary)[model["unk_id"]]
            self._decoders = _decoders(content.get("decoder"))
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ValueError(f"{NOT_ONE} ({type(error).__name__}: {error}).") from error
        except RecursionError as error:
            raise ValueError(f"{NOT_ONE}: it is nested too deeply.") from error
        except json.JSONDecodeError as error:
            raise ValueError(f"it is no JSON ({error}).") from error
        self.unknown = unknown or UNKNOWN

    def split(self, line: str) -> list[str]:
        """The tokens of a line, without those that a model is told its ends by.

        Args:
            line: str.

        Returns:
            list of str.

        Raises:
            ValueError: the package cannot split the line.
            ImportError: the extra "tokenizers" is not installed.
        """
        tokenizer = self._tokenizer
        return _rust(lambda: tokenizer.encode(line, add_special_tokens=False).tokens)

    @functools.cached_property
    def _tokenizer(self):
        tokenizers = require("tokenizers", "tokenizers", "Files of tokenizers")
        return _rust(lambda: tokenizers.Tokenizer.from_str(self.text))

    def pieces(self, tokens: Sequence[str]) -> list[bytes]:
        """What each token adds to a line, in UTF-8 or a part of it.

        Args:
            tokens: sequence of str.

        Returns:
            list of bytes.

        Raises:
            ValueError: a token has, or becomes, more than 1,024 letters.
        """
        pieces = []
        for token in tokens:
            piece = token
            _check_letters(len(piece))
            for decode in self._decoders:
                piece = decode(piece)
                if isinstance(piece, bytes):
                    break
                _check_letters(len(piece))
            pieces.append(piece if isinstance(piece, bytes) else piece.encode())
        return pieces

    def join(self, pieces: Sequence[bytes]) -> str:
        """The line of some pieces. White space is one space, as it is read.

        Args:
            pieces: sequence of bytes, of `pieces`.

        Returns:
            str, with U+FFFD for bytes that are no UTF-8.
        """
        line = re.sub(SPACE, b" ", b"".join(pieces)).strip(b" ")
        return line.decode("utf-8", "replace")


@functools.lru_cache(maxsize=4)
def subwords(text: str) -> Subwords:
    """`Subwords` of a text, kept for those that ask again.

    Args:
        text: str, as of `Subwords`.

    Returns:
        `Subwords`.

    Raises:
        ValueError: as of `Subwords`.
    """
    return Subwords(text)


def read_tokenizer(path: str | os.PathLike) -> str:
    """The text of a tokenizer.json, for `Tokens(..., tokenizer=...)`.

    What cuts, fills or draws at random is taken out of it: a line has the same
    tokens each time, all of them.

    Args:
        path: path of a file of the package tokenizers.

    Returns:
        str, JSON.

    Raises:
        ValueError: it cannot be read, or is none; the message names it.
        ImportError: the extra "tokenizers" is not installed.

    Example:

    ```python
    import tokenizers

    from keras_gans.data import read_tokenizer

    model = tokenizers.models.WordLevel({"?": 0, "red": 1}, unk_token="?")
    tokenizers.Tokenizer(model).save("tokenizer.json")
    tokens = keras_gans.Tokens(
        5, ("", "red"), tokenizer=read_tokenizer("tokenizer.json")
    )
    ```
    """
    name = repr(os.fspath(path))
    path = pathlib.Path(path)
    if not path.is_file():
        raise ValueError(
            "A tokenizer is read from a file that the package tokenizers has saved, "
            f"such as tokenizer.json. Received: {name}, which is no file."
        )
    try:
        check_bytes(path.stat().st_size, MAX_TEXT)
        text = path.read_bytes().decode("utf-8-sig")
        subwords(text)
        content = json.loads(text)
        content |= {"truncation": None, "padding": None}
        if "dropout" in content["model"]:
            content["model"]["dropout"] = None
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        subwords(text).split("a")
    except (ValueError, OSError) as error:
        raise ValueError(
            f"Cannot read the tokenizer {name}: {error} Expected what "
            "`tokenizers.Tokenizer.save` writes."
        ) from error
    return text


def _rust(call):
    """The result of a call of the package, whose errors are of any class."""
    try:
        return call()
    except (KeyboardInterrupt, SystemExit, ImportError):
        raise
    except BaseException as error:  # its panics are no `Exception`
        raise ValueError(f"the package tokenizers says: {error}.") from error


# --- Decoders ---


def _decoders(decoder):
    """Functions that turn a token into its piece of a line, one after the other."""
    if decoder is None:
        return [lambda token: f" {token}"]
    steps = decoder["decoders"] if decoder["type"] == "Sequence" else [decoder]
    if len(steps) > MOST_STEPS:
        raise ValueError(
            f"its decoder has {len(steps)} steps, more than the {MOST_STEPS} allowed."
        )
    kinds = [step["type"] for step in steps]
    return [_decoder(step, kinds[:i]) for i, step in enumerate(steps)]


def _decoder(step, before):
    kind = step["type"]
    if kind == "ByteLevel":
        return _bytes_of
    if kind == "WordPiece":
        prefix = _text(step, "prefix")
        return lambda t: t[len(prefix) :] if t.startswith(prefix) else f" {t}"
    if kind in ("Metaspace", "BPEDecoder"):
        mark = _text(step, "replacement" if kind == "Metaspace" else "suffix")
        return lambda token: token.replace(mark, " ")
    if kind == "Replace" and "String" in step["pattern"]:
        old, new = _text(step["pattern"], "String"), _text(step, "content")
        return lambda token: _replaced(token, old, new)
    if kind == "ByteFallback":
        return _byte_of
    # Pieces are joined and stripped in any case.
    if kind == "Fuse" or (
        kind == "Strip" and step["content"] == " " and "Fuse" in before
    ):
        return lambda token: token
    raise ValueError(
        f"its decoder {kind!r} is not read; ByteLevel, WordPiece, Metaspace, "
        "BPEDecoder, Replace of a text, ByteFallback and Fuse are."
    )


def _text(step, name):
    value = step[name]
    if not isinstance(value, str):
        raise ValueError(
            f"{name!r} of its decoder is a text. Received: {brief(value, 80)}."
        )
    return value


def _replaced(token, old, new):
    # Before it is made: a text of a megabyte may come between all letters.
    _check_letters(len(token) + token.count(old) * (len(new) - len(old)))
    return token.replace(old, new)


def _check_letters(count):
    if count > MOST_LETTERS:
        raise ValueError(
            f"a token of {count} letters, as its decoder makes it, is longer than the "
            f"{MOST_LETTERS} allowed."
        )


def _byte_of(token):
    match = re.fullmatch("<0x([0-9A-Fa-f]{2})>", token)
    return bytes.fromhex(match[1]) if match else token


@functools.cache
def _letters():
    """Byte-level tokens write each byte as a letter: the byte of each of these."""
    printed = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printed]
    letters = {chr(byte): byte for byte in printed}
    return letters | {chr(256 + i): byte for i, byte in enumerate(others)}


def _bytes_of(token):
    letters = _letters()
    if all(letter in letters for letter in token):
        return bytes(letters[letter] for letter in token)
    return token.encode()  # a token that was added as it is
