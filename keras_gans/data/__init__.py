"""Data as `tf.data` pipelines of samples of every kind, and toy sets of points."""

from keras_gans.data import toy
from keras_gans.data.captions import describe_captions, load_captions
from keras_gans.data.clips import clip_classes, describe_clips, load_clips
from keras_gans.data.crops import load_crops
from keras_gans.data.embedded import Emoji, emoji
from keras_gans.data.furniture import Furniture, furniture
from keras_gans.data.lines import describe_lines, load_lines, read_lines, tokens_of
from keras_gans.data.loading import load
from keras_gans.data.mels import describe_mels, load_mels
from keras_gans.data.pairs import load_pairs, load_unpaired
from keras_gans.data.sounds import describe_sounds, load_sounds, sound_classes
from keras_gans.data.sources import class_names
from keras_gans.data.speech import (
    align,
    describe_speech,
    describe_utterances,
    load_speech,
    load_utterances,
)
from keras_gans.data.summary import check, describe
from keras_gans.data.tables import (
    RealTable,
    describe_table,
    fit_table,
    load_rows,
    load_table,
    read_table,
    split_rows,
)
from keras_gans.data.volumes import (
    describe_volumes,
    load_volumes,
    read_volume,
    render_volumes,
    volume_classes,
)
from keras_gans.data.watch import Watch, load_watch
from keras_gans.modalities.subwords import read_tokenizer

__all__ = [
    "Emoji",
    "Furniture",
    "RealTable",
    "Watch",
    "align",
    "check",
    "class_names",
    "clip_classes",
    "describe",
    "describe_captions",
    "describe_clips",
    "describe_lines",
    "describe_mels",
    "describe_sounds",
    "describe_speech",
    "describe_table",
    "describe_utterances",
    "describe_volumes",
    "emoji",
    "fit_table",
    "furniture",
    "load",
    "load_captions",
    "load_clips",
    "load_crops",
    "load_lines",
    "load_mels",
    "load_pairs",
    "load_rows",
    "load_sounds",
    "load_speech",
    "load_table",
    "load_unpaired",
    "load_utterances",
    "load_volumes",
    "load_watch",
    "read_lines",
    "read_table",
    "read_tokenizer",
    "read_volume",
    "render_volumes",
    "sound_classes",
    "split_rows",
    "tokens_of",
    "toy",
    "volume_classes",
]
