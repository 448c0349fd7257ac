"""Arguments that loaders share: one check each, and a hint for a slip."""

import inspect
import types

import numpy as np
import pytest

from keras_gans import data

LOADERS = [name for name in data.__all__ if name.startswith("load")]
FUNCTIONS = [name for name in data.__all__ if inspect.isfunction(getattr(data, name))]
WITH_OPTIONS = [
    name
    for name in FUNCTIONS
    if len(inspect.signature(getattr(data, name)).parameters) > 1
]
# What loaders need beside the arguments that they share.
NEEDED = {
    "load_captions": {"encode": len},
    "load_clips": {"frames": 4, "frame_shape": (8, 8, 1)},
    "load_crops": {"image_size": 8, "scale": 2},
    "load_lines": {"tokens": None},
    "load_mels": {"mels": "nowhere", "mel": types.SimpleNamespace(hop=1)},
    "load_rows": {"table": None},
    "load_sounds": {"samples": 8},
    "load_speech": {"samples": 8, "hop": 4},
    "load_utterances": {"hop": 4, "symbols": ("", "a")},
}
PHOTOS = [np.zeros((16, 16, 3), "uint8")]
BATCHED = [name for name in LOADERS if name not in ("load_table", "load_watch")]


@pytest.mark.parametrize("name", sorted({*LOADERS, *WITH_OPTIONS}))
def test_an_unknown_argument_is_refused_with_the_nearest(name):
    loader = getattr(data, name)
    for known in inspect.signature(loader).parameters:
        if len(known) < 5:
            continue
        slip = known[:-2] + known[-1]
        told = rf"^{name}\(\) got .* '{slip}'\. Did you mean .*\b{known}\b.*\?$"
        with pytest.raises(TypeError, match=told):
            loader("nowhere", **{slip: 1})
    with pytest.raises(TypeError, match=r"'xyz'\.$"):
        loader("nowhere", xyz=1)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_signatures_are_those_of_the_loaders(name):
    loader = getattr(data, name)
    signature = inspect.signature(loader)
    kinds = {parameter.kind for parameter in signature.parameters.values()}
    assert loader.__name__ == name
    assert not kinds & {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}
    hints = [parameter.annotation for parameter in signature.parameters.values()]
    assert inspect.Signature.empty not in [*hints, signature.return_annotation]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"batch_size": 0}, r"`batch_size` must be an integer of at least 1.*size=0"),
        ({"batch_size": True}, "`batch_size` must be .*batch_size=True"),
        ({"seed": -1}, r"`seed` must be an integer of at least 0.*seed=-1"),
        ({"start": 1.5}, r"`start` must be an integer of at least 0.*start=1\.5"),
        ({"on_error": "skp"}, r"'raise', 'skip'.*on_error='skp'\. Did you mean skip"),
    ],
)
@pytest.mark.parametrize("name", BATCHED)
def test_shared_arguments_are_checked_before_a_source_is_read(name, options, told):
    loader = getattr(data, name)
    if not set(options) <= set(inspect.signature(loader).parameters):
        assert set(options) == {"on_error"}
        return
    with pytest.raises(ValueError, match=told):
        loader("nowhere", **NEEDED.get(name, {}), **options)


@pytest.mark.parametrize(
    ("name", "source", "options", "told"),
    [
        ("load_crops", PHOTOS, {"batch_size": 10**6}, "64 crops, .*, too few"),
        ("load_clips", "digits", {"batch_size": 10**6}, "4096 clips, too few"),
        ("load_sounds", "drums", {"batch_size": 10**6}, "segments, too few"),
        ("load_volumes", "furniture", {"batch_size": 10**6}, "820 solids, too few"),
        ("load_crops", PHOTOS, {"start": 1}, "multiple of the 4 .*start=1"),
        ("load_clips", "digits", {"start": 1}, "multiple of the 256 .*start=1"),
    ],
)
def test_batches_of_the_source(name, source, options, told):
    with pytest.raises(ValueError, match=told):
        getattr(data, name)(source, **NEEDED.get(name, {}), **options)
