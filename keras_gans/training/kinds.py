"""Recipes' tasks of more than pictures: how each is loaded and told of."""

from collections.abc import Callable
import dataclasses
import operator
from typing import Any

from keras_gans.core.gan import BaseGAN
from keras_gans.modalities.phonemes import pronunciations_of


@dataclasses.dataclass(frozen=True)
class Kind:
    """A task of samples that are no pictures.

    Args:
        load: function `(gan, source, **options)`, the data set.
        describe: function `(gan, source, **options)`, its `data.summary.Report`.
        described: tuple of str, the options of a run that `describe` takes beside
            `on_error`.
        classes: function of a source, the names of its classes; `None` where there
            are none.
        what: str, what samples are called: "sounds".
        poor: str, what a short training makes: "noise".
        sense: str, "hears" or "sees".
        scores: str, of `keras_gans.metrics`, what scores them in Python.
        modality: function of a GAN, the `Modality` that shows it.
        mirrored: bool, whether a mirrored sample is a sample.
        settled: function of the config of a run that gives it with what the data
            decides of its arguments; `None` where there is nothing.
    """

    load: Callable
    describe: Callable
    described: tuple
    classes: Callable | None
    what: str
    poor: str
    scores: str
    sense: str = "sees"
    modality: Callable = operator.attrgetter("modality")
    mirrored: bool = True
    settled: Callable | None = None

    def check(self, config: dict, gan: BaseGAN) -> None:
        """Refuses what runs do of pictures alone.

        Raises:
            ValueError: samples are to be scored on the way.
        """
        if config["evaluate_every"] is not None:
            raise ValueError(
                "--evaluate_every scores images. Received: --evaluate_every="
                f"{config['evaluate_every']} for {self.what}. Drop it; in Python, "
                f"`keras_gans.metrics.{self.scores}` scores them."
            )


def _refuse_data_dir(what, places, data_dir):
    if data_dir is not None:
        raise ValueError(
            f'`data_dir` is for "tfds:" sources only, and {what} are {places}. '
            f"Received: data_dir={data_dir!r}. Drop it."
        )


# --- Sounds ---


def sounds(
    gan: BaseGAN,
    source: Any,
    *,
    flip: bool = False,
    data_dir: str | None = None,
    mels: str | None = None,
    **options,
):
    """Sounds as `gan` makes them, with their classes where it has any.

    Args:
        gan: `BaseGAN`.
        source: see `keras_gans.data.load_sounds`.
        flip: bool, which sounds are not.
        data_dir: str, of sources that sounds have none of.
        mels: str, see `keras_gans.data.load_mels`; `None` to read sounds alone.
        **options: its other arguments.
    """
    from keras_gans import data

    if flip or data_dir is not None:
        raise ValueError(
            "Sounds are neither mirrored nor read from `data_dir`. Received: "
            f"flip={flip}, data_dir={data_dir}. Drop it."
        )
    samples, channels = gan.modality.shape
    if mels is not None:
        options.pop("peak", None)  # they are of files as loud as they are
        return data.load_mels(source, mels, mel=gan.mel, samples=samples, **options)
    return data.load_sounds(
        source,
        samples=samples,
        channels=channels,
        rate=gan.modality.rate,
        labels=gan.labelled,
        **options,
    )


def _describe_sounds(gan, source, mels=None, **options):
    from keras_gans import data

    if mels is not None:
        return data.describe_mels(source, mels, gan.modality, gan.mel, **options)
    return data.describe_sounds(source, gan.modality, gan.labelled, **options)


def _sound_classes(source):
    from keras_gans import data

    return data.sound_classes(source)


# --- Speech ---


def speech(gan: BaseGAN, source: Any, **options):
    """Segments of speech with their phonemes; see `keras_gans.data.load_speech`."""
    from keras_gans import data

    _refuse_of_images(options)
    return data.load_speech(source, **_of_speech(gan), **options)


def utterances(
    gan: BaseGAN, source: Any, *, pronunciations: str | None = None, **options
):
    """Whole recordings with their texts.

    Args:
        gan: `VITS`.
        source: see `keras_gans.data.load_utterances`.
        pronunciations: str, as of `phonemes.pronunciations_of`.
        **options: its other arguments.
    """
    from keras_gans import data

    _refuse_of_images(options)
    own = {"hop": gan.hop, "rate": gan.modality.rate, "symbols": gan.symbols}
    own["pronunciations"] = pronunciations_of(pronunciations)
    return data.load_utterances(source, **own, **options)


def _of_speech(gan):
    return {
        "samples": gan.modality.samples,
        "hop": gan.hop,
        "rate": gan.modality.rate,
        "symbols": gan.symbols,
    }


def _refuse_of_images(options):
    flip, data_dir = options.pop("flip", False), options.pop("data_dir", None)
    if flip or data_dir is not None:
        raise ValueError(
            "Speech is neither mirrored nor read from `data_dir`. Received: "
            f"flip={flip}, data_dir={data_dir}. Drop it."
        )


def _describe_speech(gan, source, on_error="raise"):
    from keras_gans import data

    return data.describe_speech(source, **_of_speech(gan), on_error=on_error)


def _describe_utterances(gan, source, pronunciations=None, on_error="raise"):
    from keras_gans import data

    own = pronunciations_of(pronunciations)
    rate = gan.modality.rate
    return data.describe_utterances(source, gan.symbols, own, on_error, rate)


# --- Pictures with captions ---


def captions(gan: BaseGAN, source: Any, *, data_dir: str | None = None, **options):
    """Pictures as `gan` makes them, with vectors of captions that it encodes.

    Args:
        gan: `TextToImageGAN` with an encoder.
        source: see `keras_gans.data.load_captions`.
        data_dir: str, of sources that have no captions.
        **options: its other arguments.
    """
    from keras_gans import data

    _refuse_data_dir("captions", "in a folder or a zip archive", data_dir)
    encoder = gan.text.encoder
    return data.load_captions(
        source,
        gan.encode,
        image_size=gan.modality.shape[:2],
        channels=gan.modality.shape[-1],
        key=None if encoder is None else encoder.key,
        **options,
    )


def _describe_captions(gan, source, **options):
    from keras_gans import data

    *size, channels = gan.modality.shape
    return data.describe_captions(source, tuple(size), channels, **options)


# --- Solids ---


def volumes(gan: BaseGAN, source: Any, *, data_dir: str | None = None, **options):
    """Solids on the grid of `gan`, with their classes where it has any.

    Args:
        gan: `BaseGAN`.
        source: see `keras_gans.data.load_volumes`.
        data_dir: str, of sources that solids have none of.
        **options: its other arguments.

    Raises:
        ValueError: `gan` makes several values a voxel, which files have not.
    """
    from keras_gans import data

    _refuse_data_dir("solids", '"furniture", a folder or a zip archive', data_dir)
    if gan.modality.shape[-1] != 1:
        raise ValueError(
            "Files hold solids of 1 channel. Received: --channels="
            f"{gan.modality.shape[-1]}. Train on others in Python: `gan.fit` "
            "takes arrays of any channels."
        )
    return data.load_volumes(
        source,
        size=gan.modality.size[0],
        range=gan.modality.range,
        labels=gan.labelled,
        **options,
    )


def views(gan: BaseGAN, source: Any, **options):
    """Pictures of solids, and those on the grid of `gan`; see `volumes`.

    Raises:
        ValueError: `gan` takes other pictures.
    """
    height, width, channels = gan.inputs[0].modality.shape
    if height != width or channels != 1:
        raise ValueError(
            "Pictures of solids are square and grey. Received: image_shape="
            f"{(height, width, channels)}. Give --image_shape={height},{height},1, or "
            "train on your own pictures in Python: `gan.fit(pictures, volumes)`."
        )
    return volumes(gan, source, pictures=height, **options)


def _describe_volumes(gan, source, **options):
    from keras_gans import data

    size = gan.modality.size[0]
    return data.describe_volumes(source, size, gan.labelled, **options)


def _volume_classes(source):
    from keras_gans import data

    return data.volume_classes(source)


# --- Videos ---


def clips(gan: BaseGAN, source: Any, *, data_dir: str | None = None, **options):
    """Clips of videos as `gan` makes them, with their classes where it has any.

    Those of a GAN that sees the frames before hold these and the next one.

    Args:
        gan: `BaseGAN`.
        source: see `keras_gans.data.load_clips`.
        data_dir: str, of sources that clips have none of.
        **options: its other arguments.
    """
    from keras_gans import data

    _refuse_data_dir("videos", '"digits", a folder or a zip archive', data_dir)
    clip = _clip(gan)
    return data.load_clips(
        source,
        frames=clip.frames,
        frame_shape=clip.frame_shape,
        rate=clip.rate,
        labels=gan.labelled,
        **options,
    )


def _clip(gan):
    """The `Video` that a GAN of videos or of next frames trains on."""
    return getattr(gan, "clip", gan.modality)


def _describe_clips(gan, source, **options):
    from keras_gans import data

    return data.describe_clips(source, _clip(gan), gan.labelled, **options)


def _clip_classes(source):
    from keras_gans import data

    return data.clip_classes(source)


# --- Tables ---


def rows(
    gan: BaseGAN,
    source: Any,
    *,
    data_dir: str | None = None,
    flip: bool = False,
    on_error: str = "raise",
    **options,
):
    """Rows of a table as `gan` makes them, with the conditions that they meet.

    Args:
        gan: `BaseGAN`, of a `Table`.
        source: see `keras_gans.data.read_table`.
        data_dir: str, of sources that tables have none of.
        flip: bool, which rows are not.
        on_error: str; a table is read whole or not at all.
        **options: other arguments of `keras_gans.data.load_rows`.
    """
    from keras_gans import data

    _refuse_data_dir("tables", "CSV files or named", data_dir)
    if flip:
        raise ValueError("Rows are not mirrored. Received: --flip. Drop it.")
    for name in ("categories", "numbers", "leave_out", "ranges"):  # of `fit_table`
        options.pop(name, None)
    return data.load_rows(source, gan.modality, **options)


def _describe_rows(gan, source, on_error="raise", **options):
    from keras_gans import data

    return data.describe_table(source, gan.modality, **options)


# --- Lines of text ---


def lines(
    gan: BaseGAN,
    source: Any,
    *,
    flip: bool = False,
    data_dir: str | None = None,
    most_tokens: int | None = None,
    tokenizer_file: str | None = None,
    **options,
):
    """Sentences as `gan` writes them; see `keras_gans.data.load_lines`.

    Args:
        gan: `BaseGAN`.
        source: see there.
        flip: bool, which lines are not.
        data_dir: str, of sources that lines have none of.
        most_tokens: int, unused: the vocabulary is the GAN's.
        tokenizer_file: str, likewise.
        **options: its other arguments.
    """
    from keras_gans import data

    places = '"surnames" or a file of text'
    _refuse_data_dir("lines", places, data_dir)
    return data.load_lines(source, gan.modality, **options)


def _describe_lines(gan, source, **options):
    from keras_gans import data

    return data.describe_lines(source, gan.modality, **options)


def check_tokenizer(config: dict) -> None:
    """Refuses a new run of two tokenizers, as of a preset and of a file.

    A run that goes on has kept its own: it needs no file.

    Args:
        config: dict, of `runs.new_config`.

    Raises:
        ValueError: both are given, and the file's is another one, or cannot be read.
        ImportError: both are given, and the extra "tokenizers" is not installed.
    """
    own, path = config["arguments"].get("tokenizer"), config.get("tokenizer_file")
    if own is None or path is None:
        return
    from keras_gans import data

    if data.read_tokenizer(path) != own:
        preset = config["from_preset"]
        whose = "preset" if preset else "GAN"
        beside = f"--from_preset={preset}" if preset else "--tokenizer"
        raise ValueError(
            f"The {whose} has a tokenizer of its own. Received: --tokenizer_file="
            f"{path} with {beside}. Leave --tokenizer_file out."
        )


def _with_vocabulary(config):
    """The length and the vocabulary of a run that was not told them."""
    from keras_gans import data

    arguments = config["arguments"]
    known = {name: arguments.get(name) for name in ("length", "vocabulary")}
    new = config["tokenizer_file"] is not None and not arguments.get("tokenizer")
    if None not in known.values() and not new:
        return config
    if isinstance(known["vocabulary"], int):
        raise ValueError(
            "Lines of text are of tokens by name. Received: --vocabulary="
            f"{known['vocabulary']}. Leave it out: it is read from the data."
        )
    tokens = data.tokens_of(
        config["data"],
        arguments.get("separator", " "),
        most_tokens=config["most_tokens"],
        column=config["column"],
        tokenizer_file=config["tokenizer_file"],
        **known,
    )
    from_data = {"length": tokens.length, "vocabulary": list(tokens.vocabulary)}
    if tokens.tokenizer is not None:
        from_data["tokenizer"] = tokens.tokenizer
    return {**config, "arguments": {**arguments, **from_data}}


_SPEECH = Kind(
    speech,
    _describe_speech,
    (),
    None,
    what="segments of speech",
    poor="noise",
    scores="sound_scores",
    sense="hears",
    mirrored=False,
)
_SOLIDS = Kind(
    volumes,
    _describe_volumes,
    ("up", "surfaces"),
    _volume_classes,
    what="solids",
    poor="lumps",
    scores="volume_scores",
)
KINDS = {
    "captions": Kind(
        captions,
        _describe_captions,
        ("captions",),
        None,
        what="pictures",
        poor="smears",
        scores="evaluate",
    ),
    "sounds": Kind(
        sounds,
        _describe_sounds,
        ("segments", "trim", "mels"),
        _sound_classes,
        what="sounds",
        poor="noise",
        scores="sound_scores",
        sense="hears",
        mirrored=False,
    ),
    "speech": _SPEECH,
    "utterances": dataclasses.replace(
        _SPEECH,
        load=utterances,
        describe=_describe_utterances,
        described=("pronunciations",),
        what="utterances",
    ),
    "volumes": _SOLIDS,
    "views": dataclasses.replace(_SOLIDS, load=views),
    "tables": Kind(
        rows,
        _describe_rows,
        ("held_out", "seed"),
        None,
        what="rows",
        poor="noise",
        scores="table_scores",
        mirrored=False,
    ),
    "clips": Kind(
        clips,
        _describe_clips,
        ("places",),
        _clip_classes,
        what="clips",
        poor="blurs",
        scores="video_scores",
        modality=_clip,
    ),
    "lines": Kind(
        lines,
        _describe_lines,
        ("column",),
        None,
        what="lines",
        poor="letters in no order",
        scores="text_scores",
        sense="reads",
        mirrored=False,
        settled=_with_vocabulary,
    ),
}
