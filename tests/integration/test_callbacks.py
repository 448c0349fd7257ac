"""Callbacks: grids, guard, log, checkpoints."""

import json
import os
import pathlib

from checks import assert_same, weights
from command_line import TINY, call
from grids import tiles
import keras
from keras import ops
import numpy as np
from PIL import Image
import pytest
from scoring import pictures, tiny
from small import ready_gan, small_gan

import keras_gans as kg
from keras_gans.modalities import pictures as grids
from keras_gans.networks.mlp import mlp_discriminator, mlp_generator
from keras_gans.training import callbacks, checkpoints
from keras_gans.training.callbacks import progress

SIZES = {"d": {"width": 8, "pieces": 2}, "g": {"latent_dim": 6, "width": 16}}


def fit(gan, data, *used, **kwargs):
    options = {"batch_size": 4, "shuffle": False, "verbose": 0, **kwargs}
    return gan.fit(data, callbacks=list(used), **options)


def test_sample_grid(images, tmp_path):
    gan = ready_gan()
    grid = callbacks.SampleGrid("grids", every=2, n=6, seed=1, columns=3)
    fit(gan, images(16, 8, 8), grid, epochs=1)
    paths = sorted(p.name for p in (tmp_path / "grids").iterdir())
    assert paths == ["step-00000002.png", "step-00000004.png"]
    with Image.open("grids/step-00000004.png") as picture:
        pixels = np.asarray(picture)
    # Sampling in mid-epoch leaves training alone and shows its very state.
    expected = np.rint((gan.sample(6, seed=1)[..., 0] + 1) * 127.5)
    np.testing.assert_array_equal(tiles(pixels, 6, 3, 8, 8), expected)
    shown = gan.get_weights()
    fit(ready_gan(), images(16, 8, 8), epochs=1)
    for a, b in zip(shown, gan.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_sample_grid_in_tensorboard(images, tmp_path):
    grid = callbacks.SampleGrid("grids", 2, n=4, tensorboard_dir="board")
    fit(ready_gan(), images(8, 8, 8), grid)
    events = list((tmp_path / "board").iterdir())
    assert len(events) == 1 and events[0].stat().st_size > 100


def test_sounds_are_heard_in_tensorboard():
    tf = pytest.importorskip("tensorflow")
    gan = kg.WaveGAN(64, rate=8000, dim=2, latent_dim=4, d_steps=1)
    grid = callbacks.SampleGrid("grids", n=2, tensorboard_dir="board")
    grid.set_model(gan)
    grid.step = 3
    grid.write()
    (path,) = pathlib.Path("board").iterdir()
    events = tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    values = [v for e in events for v in tf.compat.v1.Event.FromString(e).summary.value]
    assert [v.tag for v in values] == ["samples", "samples/0", "samples/1"]
    data = values[2].tensor.string_val[0]
    assert data == pathlib.Path("grids/step-00000003-1.wav").read_bytes()


def test_nan_guard_keeps_the_last_good_checkpoint(images, tmp_path):
    gan = ready_gan()
    data = images(24, 8, 8)
    data[16:] = np.nan  # from the fifth batch on
    batches = (data[i : i + 4] for i in range(0, 24, 4))  # looked at one by one
    with pytest.raises(FloatingPointError, match=r"step 5: d_.* is nan"):
        fit(
            gan,
            batches,
            callbacks.NanGuard(),
            callbacks.Checkpoint("checkpoints", every=2),
            batch_size=None,
        )
    latest = checkpoints.latest("checkpoints")
    assert latest.name == "step-00000004"
    again = ready_gan()
    assert checkpoints.restore(again, latest).step == 4
    assert all(np.isfinite(w).all() for w in again.get_weights())


@pytest.mark.full
@pytest.mark.parametrize("scaled", ["d", pytest.param("g", marks=pytest.mark.backends)])
def test_nan_guard_knows_whose_loss_is_scaled(images, scaled):
    """A step left out for its scale is no divergence; NaN of the other is."""

    def guarded(broken=()):
        keras.utils.set_random_seed(0)
        half, plain = keras.DTypePolicy("mixed_float16"), keras.DTypePolicy("float32")
        made = {}
        for name, build in (("d", mlp_discriminator), ("g", mlp_generator)):
            keras.config.set_dtype_policy(half if name == scaled else plain)
            made[name] = build((8, 8, 1), **SIZES[name])
            keras.config.set_dtype_policy(plain)
        gan = kg.GAN(generator=made["g"], discriminator=made["d"])
        optimizers = {name: keras.optimizers.SGD(0.01) for name in "dg"}
        optimizers[scaled] = keras.optimizers.LossScaleOptimizer(
            optimizers[scaled], initial_scale=2.0**40
        )
        gan.compile(optimizers["d"], optimizers["g"])
        for name in broken:
            v = gan.variables_of(name)[-1]
            v.assign(np.full(v.shape, np.nan))
        return gan

    data = images(24, 8, 8)
    gan = guarded()
    seen = []
    noted = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(logs[f"{scaled}_grad_norm"])
    )
    fit(gan, data, callbacks.NanGuard(), noted)
    assert len(seen) == 6 and not np.isfinite(seen[0])
    assert float(ops.convert_to_numpy(gan.optimizers[scaled].dynamic_scale)) < 2.0**40
    for name in "dg":
        with pytest.raises(FloatingPointError, match=r"step 1: .* is nan"):
            fit(guarded(broken=name), data[:4], callbacks.NanGuard())


@pytest.mark.full
def test_the_command_line_guards_and_refuses(capsys):
    """A training that diverges, rates that cannot train, images of any size."""
    assert call("train", "dcgan", "--run_dir=r", *TINY, "--g_learning_rate=1e30") != 0
    assert "Training diverged at step" in capsys.readouterr().err
    for flag, message in (
        ("--d_learning_rate=-1", "is a positive number"),
        ("--d_learning_rate=-1", "is a positive number"),
        ("--g_learning_rate=inf", "is a positive number"),
        ("--image_shape=1000000,1000000,3", "would take at least"),
    ):
        assert call("train", "dcgan", "--run_dir=bad", *TINY, flag) != 0
        assert message in capsys.readouterr().err
        assert not os.path.exists("bad")


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_rates_in_logs_have_the_names_of_their_optimizers(images):
    gan = small_gan()
    gan.compile(keras.optimizers.Adam(4e-4), keras.optimizers.Adam(2e-4))
    seen = []
    after = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(dict(logs))
    )
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    plateau = keras.callbacks.ReduceLROnPlateau("d_loss", patience=9, mode="min")
    logs = fit(gan, images(8, 8, 8), halve, plateau, after, epochs=2).history
    np.testing.assert_allclose(logs["d_learning_rate"], [2e-4, 1e-4], rtol=1e-6)
    np.testing.assert_allclose(logs["g_learning_rate"], [1e-4, 5e-5], rtol=1e-6)
    for names in (logs, *seen):
        assert not any(name.startswith("learning_rate") for name in names)
    assert seen[0]["d_learning_rate"] == logs["d_learning_rate"][0]


def test_scores_reach_callbacks_that_watch_them(images):
    gan = ready_gan()
    scores = callbacks.Evaluate(
        pictures(20, size=8), 2, ["kid"], 20, tiny(), verbose=0, settings={"kid": {}}
    )
    scores.on_epoch_end(0, {})  # nothing to tell yet
    stop = keras.callbacks.EarlyStopping("kid", mode="min", patience=1, baseline=-1e9)
    keep = keras.callbacks.ModelCheckpoint(
        "best.keras", "kid", save_best_only=True, mode="min"
    )
    logs = fit(gan, images(8, 8, 8), scores, stop, keep, epochs=9).history
    assert len(logs["kid"]) < 9  # no score is that low
    assert logs["kid"] == [records[0].value for _, records in scores.records]
    assert keras.models.load_model("best.keras").compiled


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_log(images):
    log = callbacks.JsonlLogger("log.jsonl", every=3)
    fit(ready_gan(), images(20, 8, 8), log, epochs=2)
    with open("log.jsonl") as f:
        rows = [json.loads(line) for line in f]
    assert [(r["kind"], r["step"], r["epoch"]) for r in rows] == [
        ("step", 3, 0),
        ("epoch", 5, 0),
        ("step", 6, 1),
        ("step", 9, 1),
        ("epoch", 10, 1),
    ]
    assert all(np.isfinite(r["d_loss"]) for r in rows)


class Late(kg.GAN):
    """A GAN with a phase of which the first epoch has no step."""

    def phases(self):
        late = kg.Phase("late", self.late, optimizer="g", every=3, start=4, fakes=None)
        return [*super().phases(), late]

    def late(self, fake, batch, training):
        return ops.sum(ops.square(self.generator.trainable_variables[0])), {}


@pytest.mark.full
@pytest.mark.backends
def test_phases_that_were_not_due_are_left_out(images, capsys, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_FIRST", 0)
    monkeypatch.setattr(progress, "SECONDS", 0)
    gan = Late((8, 8, 1), latent_dim=6)
    gan.compile()
    log = callbacks.JsonlLogger("log.jsonl", every=1)
    fit(gan, images(16, 8, 8), log, callbacks.Progress(steps=8), epochs=2)
    lines = pathlib.Path("log.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    due = [row.get("late_loss", 0) > 0 for row in rows]
    # Steps 5 and 8, and the second epoch.
    steps = [False, False, False, False, False, True, False, False, True, True]
    assert due == steps
    assert ["late_loss" in row for row in rows] == steps
    assert "late_grad_norm" not in rows[4] and rows[9]["late_grad_norm"] > 0
    lines = capsys.readouterr().out.splitlines()
    assert ["late_loss" in line for line in lines] == [False] * 4 + [True] * 4
    phase = gan.phases()[-1]
    for first in range(12):
        for last in range(first, 12):
            due = any(map(phase.is_due, range(first, last)))
            assert phase.is_due_within(first, last) == due


@pytest.mark.daily(1)
@pytest.mark.backends
@pytest.mark.parametrize("stop", [4, 5])
def test_resume_from_any_step(stop, images):
    """In mid-epoch, and exactly at the end of an epoch."""
    data = images(20, 8, 8)

    def train(resumed=None, gan=None):
        gan = gan or ready_gan()
        log = callbacks.JsonlLogger("log.jsonl", every=1)
        log.cut(resumed.log_size if resumed else 0)
        saver = callbacks.Checkpoint(
            "again" if resumed else "checkpoints",
            every=stop,
            logger=log,
            keep=9,
            resumed=resumed,
        )
        start = 0
        if resumed:
            gan.step_iterator.skip_steps(resumed.epoch_step, resumed.logs)
            start = resumed.epoch_step % 5
        # A data set that begins where the resumed epoch stands.
        order = [4 * ((start + i) % 5) + j for i in range(10) for j in range(4)]
        fit(
            gan,
            data[order],
            log,
            saver,
            epochs=2,
            steps_per_epoch=5,
            initial_epoch=resumed.epoch if resumed else 0,
        )
        with open("log.jsonl") as f:
            rows = [json.loads(line) for line in f]
        return weights(gan), [{**row, "time": 0} for row in rows]

    straight, rows = train()
    fresh = ready_gan()
    path = checkpoints.all_in("checkpoints")[0]
    position = checkpoints.restore(fresh, path)
    assert (position.epoch, position.epoch_step) == (0, stop)
    resumed, rows_again = train(position, fresh)
    assert_same(straight, resumed)
    assert rows == rows_again


def test_checkpoints_of_others_are_refused(images, tmp_path):
    gan = ready_gan()
    fit(gan, images(8, 8, 8), callbacks.Checkpoint("c", every=2))
    other = kg.WGAN(generator=gan.generator, discriminator=gan.discriminator)
    other.compile()
    with pytest.raises(ValueError, match="belongs to another model"):
        checkpoints.restore(other, checkpoints.latest("c"))


def test_older_checkpoints_are_not_mixed_with_new_ones(images):
    data = images(20, 8, 8)
    fit(ready_gan(), data, callbacks.Checkpoint("c", every=5))
    with pytest.raises(ValueError, match="of a later step"):
        fit(ready_gan(), data, callbacks.Checkpoint("c", every=2))
    other = small_gan()
    other.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
    with pytest.raises(ValueError, match="does not fit the model"):
        checkpoints.restore(other, checkpoints.latest("c"))


@pytest.mark.full
@pytest.mark.backends
def test_steps_are_counted_as_trained(images):
    seen = []

    class Record(callbacks.StepCallback):
        def after_step(self, logs):
            seen.append((self.epoch, self.epoch_step, self.step))

    gan = small_gan()
    gan.compile(steps_per_execution=2)
    fit(gan, images(12, 8, 8), Record(), epochs=2)
    assert seen == [(0, 2, 2), (0, 3, 3), (1, 2, 5), (1, 3, 6)]
    assert int(ops.convert_to_numpy(gan.step)) == 6


def test_every_must_be_positive():
    with pytest.raises(ValueError, match="positive number of steps"):
        callbacks.SampleGrid("grids", every=0)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6])
def test_grids_of_any_channels(channels):
    x = np.linspace(-1, 1, 5 * 4 * 6 * channels).reshape(5, 4, 6, channels)
    grid = grids.make_grid(x, columns=2)
    wide = 6 * channels if channels > 4 else 6
    kept = 1 if channels > 4 else channels
    assert grid.shape == (3 * 4, 2 * wide, kept) and grid.dtype == np.uint8
    first = x[0].transpose(0, 2, 1).reshape(4, -1, 1) if channels > 4 else x[0]
    np.testing.assert_array_equal(
        grid[:4, :wide], np.rint((first + 1) * 127.5).astype("uint8")
    )
    assert (grid[8:, wide:] == 0).all()
    grids.save_grid("grid.png", x)
    with pytest.raises(ValueError, match="overwritten unasked"):
        grids.save_grid("grid.png", x)
