"""Files of the package tokenizers: read, split, joined, exported, refused."""

import json

import keras
import numpy as np
import pytest
import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

import keras_gans as kg
from keras_gans.data import load_lines, read_tokenizer, tokens_of
from keras_gans.modalities.subwords import Subwords
from keras_gans.training import datasets, recipes, runs

LINES = ["a red heart", "ein grünes Herz", "one, two — three!", "hearts 🍋 heart"]


def byte_level():
    own = tokenizers.Tokenizer(models.BPE())
    own.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    own.decoder = decoders.ByteLevel()
    return own, trainers.BpeTrainer(vocab_size=280, show_progress=False)


def word_piece():
    own = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    own.normalizer = normalizers.Lowercase()
    own.pre_tokenizer = pre_tokenizers.Whitespace()
    own.decoder = decoders.WordPiece(cleanup=False)
    special = ["[UNK]", "[PAD]"]
    return own, trainers.WordPieceTrainer(
        vocab_size=60, special_tokens=special, show_progress=False
    )


def unigram():
    own = tokenizers.Tokenizer(models.Unigram())
    own.pre_tokenizer = pre_tokenizers.Metaspace()
    own.decoder = decoders.Metaspace()
    return own, trainers.UnigramTrainer(
        vocab_size=60, unk_token="<unk>", special_tokens=["<unk>"], show_progress=False
    )


def with_fallback():
    own = tokenizers.Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    own.normalizer = normalizers.Replace(" ", "▁")
    parts = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    own.decoder = decoders.Sequence([*parts, decoders.Strip(" ", 1, 0)])
    special = ["<unk>", *(f"<0x{i:02X}>" for i in range(256))]
    return own, trainers.BpeTrainer(
        vocab_size=290, special_tokens=special, show_progress=False
    )


def words():
    own = tokenizers.Tokenizer(models.WordLevel(unk_token="[UNK]"))
    own.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return own, trainers.WordLevelTrainer(special_tokens=["[UNK]"], show_progress=False)


@pytest.fixture
def saved(request, tmp_path):
    own, trainer = request.param()
    own.train_from_iterator(LINES, trainer)
    # What would cut and fill lines without a word.
    own.enable_truncation(2)
    own.enable_padding(length=40)
    own.save(str(tmp_path / "tokenizer.json"))
    own.no_truncation()
    own.no_padding()
    (tmp_path / "lines.txt").write_text("\n".join(LINES))
    return own, tmp_path


@pytest.mark.parametrize(
    "saved", [byte_level, word_piece, unigram, with_fallback, words], indirect=True
)
def test_lines_are_split_and_joined_as_the_package_does(saved):
    import tensorflow as tf

    own, folder = saved
    tokens = tokens_of(folder / "lines.txt", tokenizer_file=folder / "tokenizer.json")
    encoded = [own.encode(line, add_special_tokens=False) for line in LINES]
    assert set(tokens.vocabulary[1:]) == {t for e in encoded for t in e.tokens}
    assert tokens.length == max(5, *(len(e.tokens) for e in encoded))
    (ids,) = load_lines(folder / "lines.txt", tokens, batch_size=4, shuffle=False)
    ids = np.array(ids)
    for row, known in zip(ids, encoded, strict=True):
        assert [tokens.vocabulary[i] for i in row if i] == known.tokens
    told = [own.decode(e.ids, skip_special_tokens=False).strip() for e in encoded]
    assert tokens.sentences(ids) == told
    np.testing.assert_array_equal(tokens.decode("\n".join(LINES).encode()), ids)
    # As an exported model says them, halves of letters too.
    drawn = np.random.default_rng(0).integers(0, tokens.shape[1], (50, tokens.length))
    found = tokens.encode_in_graph(tf.constant(tokens.one_hot(drawn)))
    assert [x.decode() for x in found.numpy()] == tokens.sentences(drawn)
    assert kg.Tokens.from_config(tokens.get_config()) == tokens
    assert "model" not in repr(tokens)


@pytest.mark.parametrize("saved", [word_piece, byte_level], indirect=True)
def test_rare_subwords_are_the_tokenizer_s_unknown_one(saved):
    _, folder = saved
    options = {"tokenizer_file": folder / "tokenizer.json", "most_tokens": 3}
    tokens = tokens_of(folder / "lines.txt", **options)
    assert len(tokens.vocabulary) in (4, 5) and tokens.unknown in tokens.vocabulary
    (ids,) = load_lines(folder / "lines.txt", tokens, batch_size=4, shuffle=False)
    assert (np.array(ids) == tokens.vocabulary.index(tokens.unknown)).any()


@pytest.mark.full
@pytest.mark.parametrize("saved", [byte_level], indirect=True)
def test_a_run_keeps_the_tokenizer_of_its_file(saved):
    _, folder = saved
    small = {"head_size": 2, "d_embedding_dim": 2, "representations": 2, "filters": 2}
    options = {"data": str(folder / "lines.txt")}
    options["tokenizer_file"] = str(folder / "tokenizer.json")
    config = runs.new_config("relgan", small, **options)
    config = datasets.with_classes(recipes.get("relgan"), config)
    (folder / "tokenizer.json").unlink()
    assert datasets.with_classes(recipes.get("relgan"), config) == config
    gan = runs.build(json.loads(json.dumps(config)))
    gan.save(folder / "gan.keras")
    again = keras.models.load_model(folder / "gan.keras")
    made = again.sample(20, seed=1)
    assert made == gan.sample(20, seed=1) and made[0]
    np.testing.assert_array_equal(
        again.modality.decode(LINES[3].encode()), gan.modality.decode(LINES[3].encode())
    )
    # A run that begins from it keeps the tokenizer too.
    preset = str(folder / "preset")
    gan.save_to_preset(preset)
    arguments = runs.fine_tuned("relgan", preset, {})
    options |= {"from_preset": preset}
    (folder / "tokenizer.json").write_text(gan.modality.tokenizer)
    begun = runs.new_config("relgan", arguments, **options)
    assert datasets.with_classes(recipes.get("relgan"), begun) == begun
    (folder / "tokenizer.json").write_text(json.dumps(WORDS))
    with pytest.raises(ValueError, match="preset has a tokenizer of its own"):
        runs.new_config("relgan", arguments, **options)


WORDS = {"model": {"type": "WordLevel", "vocab": {"a": 0, "b": 1}, "unk_token": "?"}}


def replace(old, new):
    return {"type": "Replace", "pattern": {"String": old}, "content": new}


def decoded(*steps):
    decoder = {"type": "Sequence", "decoders": steps}
    return json.dumps({**WORDS, "decoder": decoder}).encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe\x00", "utf-8"),
        (b"[" * 100_000, "no JSON|nested|recursion"),
        (b"[]", "no file of the package"),
        (b'{"model": {"vocab": 3}}', "no file of the package"),
        (b'{"model": {"vocab": {"a": "b"}}}', "package tokenizers says"),
        (json.dumps({**WORDS, "decoder": {"type": "CTC"}}).encode(), "decoder 'CTC'"),
        (json.dumps({**WORDS, "decoder": {"type": 3}}).encode(), "decoder 3"),
        (json.dumps({**WORDS, "added_tokens": [3]}).encode(), "no file of"),
        (decoded({"type": "WordPiece", "prefix": 3}), "'prefix'.* a text.*: 3"),
        (decoded({"type": "Metaspace", "replacement": None}), "'replacement'.*: None"),
        (decoded({"type": "BPEDecoder", "suffix": ["a"]}), r"'suffix'.*: \['a'\]"),
        (decoded(replace("a", 3)), "'content'.* a text.*: 3"),
        (decoded(replace(3, "a")), "'String'.* a text.*: 3"),
        (decoded(*[replace("a", "b")] * 65), "65 steps, more than the 64"),
        (json.dumps(WORDS).encode()[:-9], "no JSON"),
    ],
)
def test_files_that_are_none_are_refused(tmp_path, content, message):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"(?is)tokenizer\.json.*({message}).*save"):
        read_tokenizer(path)


def test_a_preset_keeps_its_tokenizer(tmp_path):
    path, run = tmp_path / "tokenizer.json", tmp_path / "run"
    path.write_text(json.dumps(WORDS))
    options = {"from_preset": "lines", "tokenizer_file": str(path)}
    arguments = {"length": 3, "vocabulary": ["", "a"]}
    arguments["tokenizer"] = read_tokenizer(path)
    config = runs.new_config("relgan", arguments, **options)  # the same one
    path.write_text(json.dumps({**WORDS, "added_tokens": []}))
    for beside, message in (
        (options, "preset has a tokenizer of its own.*_preset=lines. Leave --tok"),
        ({**options, "from_preset": None}, "GAN has a tokenizer of its own.*Leave"),
    ):
        with pytest.raises(ValueError, match=message):
            runs.new_config("relgan", arguments, **beside)
    # A run that goes on needs no file.
    path.unlink()
    run.mkdir()
    (run / "config.json").write_text(json.dumps(config))
    again = runs.changed(run, "relgan", {}, {})
    assert datasets.with_classes(recipes.get("relgan"), again) == config


def test_bad_tokenizers_are_refused(tmp_path):
    with pytest.raises(ValueError, match="is no file"):
        read_tokenizer(tmp_path / "other.json")
    text = json.dumps(WORDS)
    kg.Tokens(3, ("", "a", "?"), tokenizer=text)
    for vocabulary, options, message in (
        (("", "c"), {}, "token 'c'"),
        (5, {}, "vocabulary=5"),
        (("", "a"), {"separator": "-"}, "separator='-'"),
        (("", "a"), {"tokenizer": "tokenizer.json"}, "no JSON"),
    ):
        with pytest.raises(ValueError, match=message):
            kg.Tokens(3, vocabulary, **{"tokenizer": text, **options})
    # A line that the tokenizer has no tokens for is named.
    (tmp_path / "lines.txt").write_text("a\nc\n")
    (tmp_path / "tokenizer.json").write_text(text)
    with pytest.raises(ValueError, match=r"Line 2 of .*package tokenizers says"):
        tokens_of(tmp_path / "lines.txt", tokenizer_file=tmp_path / "tokenizer.json")


@pytest.mark.parametrize(
    ("steps", "letters"),
    [
        ([replace("a", "aa")] * 40, 2048),
        ([replace("", "x" * 10**6)], 2 * 10**6 + 1),
        ([{"type": "BPEDecoder", "suffix": ""}] * 40, 2047),
    ],
)
def test_decoders_that_never_end_are_refused(steps, letters):
    """They would take terabytes, of a file of a few hundred bytes."""
    text = decoded(*steps).decode()
    with pytest.raises(ValueError, match=rf"join lines.* {letters} letters.*1024"):
        kg.Tokens(3, ("", "a"), tokenizer=text)
    with pytest.raises(ValueError, match="a token of 1025 letters"):
        Subwords(json.dumps(WORDS)).pieces(["a" * 1025])
