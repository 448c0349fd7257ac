"""What a run can be told: each option's type, default and meaning.

This file imports nothing of the package: the command line reads it without
importing a backend.
"""

from typing import Any, NamedTuple


class Option(NamedTuple):
    """An option of a run, and a flag of `keras-gans train`.

    Attributes:
        group: str, what it belongs to.
        type: type of its value; of `object`, any that a flag can be.
        default: its value, where the recipe has no other.
        help: str, one line.
        counts: bool, whether it must be a positive int.
        positive: bool, whether it must be a positive number.
    """

    group: str
    type: type
    default: Any
    help: str
    counts: bool = False
    positive: bool = False


# In the order of config.json.
OPTIONS = {
    "data": Option(
        "data",
        str,
        None,
        "an embedded set (emoji), tfds:NAME, a folder or a zip archive",
    ),
    "data_dir": Option(
        "data",
        str,
        None,
        "where tensorflow-datasets keeps its files; its own place by default",
    ),
    "steps": Option("length", int, None, "train so many steps", counts=True),
    "epochs": Option(
        "length",
        int,
        None,
        "train so many passes over the data, or times --steps_per_epoch; more by "
        "default where those of a small set would be few steps",
        counts=True,
    ),
    "kimg": Option(
        "length", float, None, "train on so many thousands of images", positive=True
    ),
    "minutes": Option(
        "length", float, None, "train for so long, over all resumes", positive=True
    ),
    "steps_per_epoch": Option(
        "length",
        int,
        None,
        "steps an epoch; one pass over the data by default",
        counts=True,
    ),
    "batch_size": Option(
        "length",
        int,
        None,
        "images a batch; fewer by default where the set has fewer",
        counts=True,
    ),
    "from_preset": Option(
        "training",
        str,
        None,
        "start from the weights of a preset, to fine-tune it: a directory, "
        "hf://user/name or kaggle://...; for stage 2 of stackgan, a preset of its "
        "stage 1; none by default",
    ),
    "seed": Option("training", int, 0, "seed of all random numbers"),
    "flip": Option("data", bool, False, "mirror half of the images"),
    "skip_broken": Option(
        "data", bool, False, "leave out image files that cannot be read"
    ),
    "deterministic": Option(
        "training", bool, False, "exact resume on a GPU too, at a price in speed"
    ),
    "accumulate": Option(
        "training", int, 1, "parts that a batch is cut into, to save memory"
    ),
    "rematerialize": Option(
        "training", bool, False, "compute layers again for gradients, to save memory"
    ),
    "d_learning_rate": Option(
        "training",
        float,
        None,
        "of the discriminator's optimizer; the recipe's by default",
    ),
    "g_learning_rate": Option(
        "training", float, None, "of the generator's optimizer; the recipe's by default"
    ),
    "global_clipnorm": Option(
        "training",
        float,
        None,
        "largest norm of each network's gradient; the recipe's by default",
    ),
    "checkpoint_every": Option(
        "records", int, 100, "steps between two checkpoints", counts=True
    ),
    "sample_every": Option(
        "records", int, 100, "steps between two sample grids", counts=True
    ),
    "evaluate_every": Option(
        "records",
        int,
        None,
        "steps between two evaluations, which are slow; none by default",
        counts=True,
    ),
    "log_every": Option(
        "records", int, 10, "steps between two lines of metrics.jsonl", counts=True
    ),
    "dtype_policy": Option(
        "training", str, "float32", "float32, mixed_bfloat16 or mixed_float16"
    ),
    "strategy": Option(
        "training", str, "auto", "auto, none, mirrored, multi_worker or data_parallel"
    ),
}
# Of recipes whose `data_options` have them; those of an application stand in
# the docstring of its class.
DATA_OPTIONS = {
    "class_balanced": Option(
        "data", bool, False, "show every class as often, however many images it has"
    ),
    "captions": Option(
        "data",
        str,
        None,
        "CSV, TSV or JSONL file of captions; that in the folder of pictures by default",
    ),
    "text_cache": Option(
        "data",
        str,
        None,
        "folder that keeps vectors of captions; in the user's cache by default",
    ),
    "direction": Option(
        "data", str, None, "ab, or ba to learn to translate from B to A"
    ),
    "degradation": Option(
        "data", str, None, "how photos are made small: bicubic, or real (Real-ESRGAN's)"
    ),
    "low": Option("data", str, None, "folder of small pictures, named as their photos"),
    "crops_per_photo": Option("data", int, None, "crops of each photo in an epoch"),
    "shrink": Option("data", int, None, "how many times smaller photos are made first"),
    "tries": Option(
        "data", int, None, "places drawn for a crop; that of most contrast is taken"
    ),
    "places": Option(
        "data", str, None, "random parts of videos, or their first frames"
    ),
    "segments": Option(
        "data", str, None, "random parts of files of sound, or their first"
    ),
    "speed": Option(
        "data", float, None, "play sounds by up to this share faster or slower"
    ),
    "mels": Option(
        "data",
        str,
        None,
        "folder of .npy spectrograms of another model, named as the recordings, to "
        "fine-tune on: files stay as loud as they are; none by default",
    ),
    "pronunciations": Option(
        "data",
        str,
        None,
        "how words sound that the dictionary lacks, with commas: 'keras=K EH R AH S, "
        "relu=R EH L UW'; none by default",
    ),
    "rotate": Option(
        "data", bool, None, "turn solids by quarters about the axis that points up"
    ),
    "up": Option("data", str, None, "y or z, the axis of solids that points up"),
    "surfaces": Option(
        "data", bool, None, "take meshes that are open by their surface"
    ),
    "peak": Option(
        "data",
        float,
        None,
        "what the loudest sample of each file is brought to; "
        "None leaves files as loud as they are",
    ),
    "categories": Option(
        "data",
        str,
        None,
        "further columns of categories, with commas; those of text and of few "
        "different numbers by default",
    ),
    "numbers": Option(
        "data", str, None, "columns of numbers, however few differ; none by default"
    ),
    "held_out": Option(
        "data",
        float,
        None,
        "share of the rows that are not trained on, to score by; 0 trains on all",
    ),
    "leave_out": Option(
        "data", str, None, "columns that are not learned; none by default"
    ),
    "ranges": Option(
        "data",
        str,
        None,
        "least and largest values of columns, such as age=0:120,born=1900-01-01:; "
        "those of the data by default",
    ),
    "column": Option(
        "data",
        str,
        None,
        "the text's column in a .csv, .tsv or .jsonl file; none by default",
    ),
    "most_tokens": Option(
        "data",
        int,
        None,
        "take so many of the most frequent tokens, others as one unknown; all by "
        "default",
    ),
    "tokenizer_file": Option(
        "data",
        str,
        None,
        "tokenizer.json of the package tokenizers, which splits lines in the place of "
        "--separator; none by default",
    ),
    "jitter": Option(
        "data", object, None, "pixels or ratio to enlarge by before a random crop"
    ),
}


def defaults(recipe: Any) -> dict:
    """What a run of a recipe does unless told otherwise.

    Args:
        recipe: `core.recipe.Recipe`.

    Returns:
        dict of the options and the recipe's `data_options` to their values.
    """
    values = {name: option.default for name, option in OPTIONS.items()}
    own = {
        "data": recipe.data,
        "epochs": recipe.epochs,
        "batch_size": recipe.batch_size,
    }
    return {**values, **own, **recipe.data_options}
