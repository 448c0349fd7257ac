"""Trainings that Ctrl-C and other signals end, through `Checkpoint`."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

from checks import assert_same, weights
from command_line import TINY, call
import keras
import numpy as np
from paths import ROOT
import pytest
from scoring import pictures, tiny
from small import ready_gan, small_gan

from keras_gans.training import callbacks, checkpoints, runs
from keras_gans.training.signals import SIGNALS, Interrupted, StopSignals


@pytest.fixture(autouse=True)
def handlers():
    """Those that programs start with, and none is left changed."""
    outer = {number: signal.getsignal(number) for number in SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in SIGNALS[1:]:
        signal.signal(number, signal.SIG_DFL)
    started_with = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    left = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in outer.items():
        signal.signal(number, handler)
    assert left == started_with


class Send(keras.callbacks.Callback):
    """Sends this process a signal, or several, at one moment of `fit`."""

    def __init__(self, *signals, at=("on_train_batch_begin", 2)):
        super().__init__()
        self.signals = signals
        name, self.place = at
        setattr(self, name, self.send)

    def send(self, place=None, logs=None):
        if place == self.place:
            self.place = "sent"
            for number in self.signals:
                os.kill(os.getpid(), number)
                time.sleep(0.01)


def compiled(**options):
    """A GAN of its own, where `ready_gan` cannot be taken."""
    keras.utils.set_random_seed(0)
    gan = small_gan(ema=0.9)
    gan.compile(keras.optimizers.Adam(2e-4), keras.optimizers.Adam(2e-4), **options)
    return gan


def fit(gan, images, *used, **options):
    options = {"epochs": 2, "shuffle": False, "verbose": 0, **options}
    return gan.fit(images(20, 8, 8), batch_size=4, callbacks=list(used), **options)


def saver(directory="c", **options):
    return callbacks.Checkpoint(directory, every=100, **options)


@pytest.mark.backends
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_training_after_its_step(name, images, capfd):
    number = getattr(signal, name)
    with pytest.raises(SystemExit) as stop:
        fit(ready_gan(), images, Send(number), saver())
    assert stop.value.code == 128 + number
    assert isinstance(stop.value, KeyboardInterrupt) == (name == "SIGINT")
    assert [p.name for p in checkpoints.all_in("c")] == ["step-00000003"]
    out, err = capfd.readouterr()
    assert f"Ended by {name} after step 3, which c/step-00000003 holds." in out
    assert "checkpoints.restore(gan, 'c/step-00000003')" in out
    assert "finishing this step" in err
    assert sorted(os.listdir("c")) == ["step-00000003"]  # no lock is left


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(7, marks=pytest.mark.backends),
        pytest.param(9, marks=pytest.mark.full),
    ],
)
def test_what_a_signal_interrupts_goes_on_to_the_same_bits(moment, images):
    """In mid-epoch, and at the end of the data's pass."""

    def train(gan, directory, *used, resumed=None):
        log = callbacks.JsonlLogger(f"{directory}.jsonl", every=1)
        log.cut(resumed.log_size if resumed else 0)
        start = 0
        if resumed:
            gan.step_iterator.skip_steps(resumed.epoch_step, resumed.logs)
            start = resumed.step
        order = [4 * ((start + i) % 5) + j for i in range(10) for j in range(4)]
        gan.fit(
            images(20, 8, 8)[order],
            batch_size=4,
            epochs=2,
            steps_per_epoch=5,
            initial_epoch=resumed.epoch if resumed else 0,
            shuffle=False,
            verbose=0,
            callbacks=[log, *used, saver(directory, logger=log, resumed=resumed)],
        )
        rows = [json.loads(s) for s in pathlib.Path(log.path).read_text().splitlines()]
        return [{**row, "time": 0} for row in rows]

    gan = ready_gan()
    rows = train(gan, "straight")
    straight = weights(gan)
    send = Send(signal.SIGTERM, at=("on_train_batch_begin", moment - 5))
    send.on_epoch_begin = lambda epoch, logs: setattr(
        send, "place", moment - 5 if epoch == 1 else None
    )
    with pytest.raises(SystemExit):
        train(ready_gan(), "ended", send)
    again = ready_gan()
    position = checkpoints.restore(again, checkpoints.latest("ended"))
    assert position.step == moment + 1 and position.seconds > 0
    assert train(again, "ended", resumed=position) == rows
    assert_same(straight, weights(again))


def test_a_second_ctrl_c_ends_at_once(images):
    with pytest.raises(KeyboardInterrupt) as stop:
        fit(compiled(), images, Send(signal.SIGINT, signal.SIGINT), saver())
    assert not isinstance(stop.value, Interrupted)
    assert not checkpoints.all_in("c")
    # Some senders repeat SIGTERM: that changes nothing.
    with pytest.raises(SystemExit):
        fit(ready_gan(), images, Send(signal.SIGTERM, signal.SIGTERM), saver())
    assert checkpoints.latest("c").name == "step-00000003"


@pytest.mark.full
@pytest.mark.backends
def test_steps_of_one_execution_are_finished(images):
    gan = compiled(steps_per_execution=2)
    with pytest.raises(SystemExit):
        fit(gan, images, Send(signal.SIGTERM), saver())
    assert checkpoints.latest("c").name == "step-00000004"


def test_a_signal_in_validation_breaks_it_off(images):
    seen = []

    class Validated(keras.callbacks.Callback):
        def on_test_batch_end(self, batch, logs=None):
            seen.append(batch)

    send = Send(signal.SIGTERM, at=("on_test_batch_begin", 1))
    gan = ready_gan()
    data = {"validation_data": (images(40, 8, 8),), "validation_batch_size": 4}
    with pytest.raises(SystemExit):
        fit(gan, images, Validated(), send, saver(), **data)
    assert seen == [0, 1]
    position = checkpoints.read_position(checkpoints.latest("c"))
    assert (position.step, position.epoch, position.epoch_step) == (5, 0, 5)
    # The means are those of training, as without validation.
    fit(ready_gan(), images, callbacks.Checkpoint("alone", every=5), epochs=1)
    other = checkpoints.read_position(checkpoints.latest("alone"))
    assert position.means == other.means


def test_a_signal_in_an_evaluation_waits_for_it(images, monkeypatch):
    scores = callbacks.Evaluate(
        pictures(size=8), every=3, metrics=["kid"], n=8, network=tiny(), verbose=0
    )
    measure = scores._is_best

    def measured(record):
        os.kill(os.getpid(), signal.SIGTERM)
        return measure(record)

    monkeypatch.setattr(scores, "_is_best", measured)
    with pytest.raises(SystemExit):
        fit(ready_gan(), images, scores, saver())
    assert len(scores.records) == 1
    assert checkpoints.latest("c").name == "step-00000003"


def test_a_signal_while_a_checkpoint_is_written(images, monkeypatch):
    write = checkpoints.write

    def written(*args):
        os.kill(os.getpid(), signal.SIGTERM)
        write(*args)
        times.append(args[1])

    times = []
    monkeypatch.setattr(checkpoints, "write", written)
    with pytest.raises(SystemExit):
        fit(ready_gan(), images, callbacks.Checkpoint("c", every=4))
    assert [path.name for path in times] == ["step-00000004"]  # once
    checkpoints.restore(ready_gan(), times[0])


def test_a_handler_of_the_user_decides(images):
    calls = []

    def handler(number, frame):
        calls.append((number, checkpoints.latest("c").name))

    signal.signal(signal.SIGTERM, handler)
    try:
        fit(ready_gan(), images, Send(signal.SIGTERM), saver())
        assert signal.getsignal(signal.SIGTERM) is handler
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Called once the checkpoint is written; training went on to its end.
    assert calls == [(signal.SIGTERM, "step-00000003")]


def test_ignored_signals_stay_so(images):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as `nohup` does
    try:
        fit(ready_gan(), images, Send(signal.SIGHUP), saver())
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    assert not checkpoints.all_in("c")


@pytest.mark.full
def test_handlers_come_back_however_fit_ends(images):
    data = images(20, 8, 8)
    data[8:] = np.nan
    batches = (data[i : i + 4] for i in range(0, 20, 4))  # looked at one by one
    with pytest.raises(FloatingPointError):
        compiled().fit(
            batches, verbose=0, callbacks=[callbacks.NanGuard(), saver()]
        )  # and the fixture looks at the handlers


def test_a_fit_in_another_thread(images):
    errors = []

    def run():
        try:
            fit(ready_gan(), images, saver())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert not errors


@pytest.mark.full
def test_a_fit_within_a_fit(images):
    """Both write their checkpoint, and the program ends."""

    class Within(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                fit(compiled(), images, Send(signal.SIGTERM), saver("inner"))

    with pytest.raises(SystemExit) as stop:
        fit(ready_gan(), images, Within(), saver("outer"))
    assert stop.value.code == 143
    assert checkpoints.latest("inner").name == "step-00000003"
    assert checkpoints.latest("outer").name == "step-00000002"


def test_stop_signals_alone():
    with StopSignals() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.received == signal.SIGTERM
        theirs = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # meanwhile
    assert theirs is stop
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.mark.full
def test_a_command_says_how_to_go_on(monkeypatch, capsys):
    """The line that is printed, typed, gives what no signal had touched."""
    assert call("train", "dcgan", "--run_dir=whole", *TINY) == 0
    with monkeypatch.context() as patch:
        patch.setattr(callbacks, "Progress", lambda *_: Send(signal.SIGTERM))
        assert call("train", "dcgan", "--run_dir=a run", *TINY) == 143
    told = capsys.readouterr().out
    assert "Ended by SIGTERM after step 3" in told
    line = next(line for line in told.splitlines() if "--resume" in line)
    assert line.strip() == "keras-gans train dcgan '--run_dir=a run' --resume"
    assert call("train", "dcgan", "--run_dir=a run", "--resume") == 0
    a, b = (runs.open_run(name)[0].get_weights() for name in ("whole", "a run"))
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.full
def test_the_process_of_a_command(tmp_path):
    """SIGINT, as a shell's background job that ignores it: 130, and a checkpoint.

    And nothing is left in TMPDIR, where TensorFlow writes what it generates.
    """
    (tmp_path / "tmp").mkdir()
    words = ["train", "dcgan", "--run_dir=r", *TINY, "--steps_per_epoch=5000"]
    process = subprocess.Popen(
        [sys.executable, "-m", "keras_gans", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    log = pathlib.Path("r/metrics.jsonl")
    while not (log.exists() and log.read_text().count("\n") > 3):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in out and "Ended by SIGINT after step" in out
    assert not {"\b", "\r", "\x1b"} & set(out)
    done = out.split("Ended by SIGINT after step ")[1].split(",")[0]
    assert checkpoints.latest("r/checkpoints").name == f"step-{int(done):08d}"
    assert not list((tmp_path / "tmp").iterdir())
