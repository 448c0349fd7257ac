"""The command line, in this process."""

import contextlib
import io
import pathlib
from unittest import mock

from keras_gans.training import runs
from keras_gans.training.callbacks import LossPlot
from keras_gans_cli import app

# A training of eight steps, of which a run directory has everything.
TINY = [
    "--image_shape=16,16,3",
    "--width=2",
    "--diff_augment=none",
    "--batch_size=4",
    "--epochs=2",
    "--steps_per_epoch=4",
    "--checkpoint_every=3",
    "--sample_every=4",
    "--log_every=1",
]


def call(*words):
    """What `keras-gans` with these words would exit with.

    Trainings neither plot their losses nor export, which takes as long as they
    do: `in_full` does.
    """
    with (
        mock.patch.object(LossPlot, "plot"),
        mock.patch.object(runs._Training, "_export"),
    ):
        return in_full(*words)


def in_full(*words):
    """As `call`, and a training leaves all that it leaves its user."""
    return app.main(app.parse(["keras-gans", *map(str, words)]))


def train_tiny(folder):
    """Trains a DCGAN into a folder, with all plots; returns what was printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        status = in_full("train", "dcgan", f"--run_dir={folder}", *TINY)
    if status:
        raise RuntimeError(f"training ended with status {status}")
    return printed.getvalue()


def files(folder):
    """The bytes of each file of a folder, by path."""
    paths = pathlib.Path(folder).rglob("*")
    return {str(p.relative_to(folder)): p.read_bytes() for p in paths if p.is_file()}
