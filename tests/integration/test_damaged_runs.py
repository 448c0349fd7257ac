"""Runs with damaged files: named, skipped where possible, gone back from."""

import errno
import json
import os
import pathlib
import random
import re
import resource
import shutil
import signal

from command_line import TINY, call, files
import keras
from keras import ops
import pytest
from small import ready_gan

from keras_gans.training import callbacks, checkpoints, runs
from keras_gans.training.callbacks import logs
from keras_gans.utils import files as utils
from keras_gans.utils import locks

RESUME = ["train", "dcgan", "--run_dir=r", "--resume"]


def fit(gan, images, *used, **kwargs):
    data = images(16, 8, 8)
    options = {"batch_size": 4, "shuffle": False, "verbose": 0, **kwargs}
    gan.fit(data, callbacks=list(used), **options)


def state(gan):
    variables = [*gan.variables, *gan.optimizer.variables]
    return [ops.convert_to_numpy(v).tobytes() for v in variables]


def damaged(whole, n):
    rng = random.Random(0)
    yield b""
    yield whole[: len(whole) // 2]
    yield whole[:-100] + bytes(100)
    for _ in range(n):
        data = bytearray(whole)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        yield bytes(data)


@pytest.mark.backends
def test_a_checkpoint_with_a_flipped_bit_is_refused(images):
    gan = ready_gan()
    fit(gan, images, callbacks.Checkpoint("c", every=2))
    before, path = checkpoints.all_in("c")
    right = state(gan)
    for name, n in ((checkpoints.WEIGHTS, 30), (checkpoints.POSITION, 200)):
        whole = (path / name).read_bytes()
        for data in damaged(whole, n):
            (path / name).write_bytes(data)
            try:
                position = checkpoints.restore(gan, path)
            except ValueError as error:
                assert f"--from_checkpoint={before.name}" in str(error)
                assert str(path) in str(error)
            else:  # white space of the JSON
                assert name == checkpoints.POSITION and position.step == 4
            assert state(gan) == right  # nothing was loaded
        (path / name).unlink()
        with pytest.raises(ValueError, match="damaged"):
            checkpoints.restore(gan, path)
        (path / name).write_bytes(whole)
    assert checkpoints.restore(gan, path).step == 4


def test_weights_of_another_step_are_refused(images):
    gan = ready_gan()
    fit(gan, images, callbacks.Checkpoint("c", every=2))
    before, path = checkpoints.all_in("c")
    shutil.copy(before / checkpoints.WEIGHTS, path / checkpoints.WEIGHTS)
    with pytest.raises(ValueError, match=r"checksum of gan.weights.h5 differs"):
        checkpoints.restore(gan, path)


def test_checkpoints_without_checksums_load(images):
    """As version 0.1 wrote them."""
    gan = ready_gan()
    fit(gan, images, callbacks.Checkpoint("c", every=2))
    before, path = checkpoints.all_in("c")
    for one in (before, path):
        content = json.loads((one / checkpoints.POSITION).read_text())
        del content[checkpoints.FILES], content[checkpoints.CHECKSUM]
        (one / checkpoints.POSITION).write_text(json.dumps(content))
    assert checkpoints.restore(ready_gan(), path).step == 4
    shutil.copy(before / checkpoints.WEIGHTS, path / checkpoints.WEIGHTS)
    with pytest.raises(ValueError, match="is of step 2, not of 4"):
        checkpoints.restore(gan, path)
    (path / checkpoints.WEIGHTS).write_bytes(b"short")
    with pytest.raises(ValueError, match="--from_checkpoint=step-00000002"):
        checkpoints.restore(gan, path)
    for name, value in (("step", "4"), ("step", -4), ("logs", []), ("means", 1)):
        wrong = json.dumps({**content, name: value})
        (path / checkpoints.POSITION).write_text(wrong)
        with pytest.raises(ValueError, match="damaged"):
            checkpoints.restore(gan, path)


@pytest.mark.full
def test_going_back_to_the_checkpoint_before(trained_run, capsys):
    made = files("r")
    weights = checkpoints.latest("r/checkpoints") / checkpoints.WEIGHTS
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    broken = files("r")
    for words in (RESUME, ["sample", "r", "--out=x.png"]):
        assert call(*words) == 1
        assert "--resume --from_checkpoint=step-0000000" in capsys.readouterr().err
    for flag, message in (
        ("--from_checkpoint=step-1", "holds step-0000000"),
        ("--overwrite", "exclude each other"),
    ):
        assert call(*RESUME, flag) == 1
        assert message in capsys.readouterr().err
    words = [*RESUME[:-1], "--overwrite", "--from_checkpoint=previous"]
    assert call(*words) == 1
    assert "with --resume" in capsys.readouterr().err
    assert files("r") == broken
    assert call(*RESUME, "--from_checkpoint=previous") == 0
    again = files("r")
    assert sorted(again) == sorted(made)
    assert runs.open_run("r")[1].step == 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"flip": "no"}, "`flip` must be true or false"),
        ({"epochs": -1}, "`epochs` must be a positive"),
        ({"epochs": "many"}, "`epochs` must be a"),
        ({"batch_size": 2.5}, "`batch_size` must be a"),
        ({"batch_size": True}, "`batch_size` must be a"),
        ({"seed": [1]}, "`seed` must be a whole number"),
        ({"d_learning_rate": "fast"}, "`d_learning_rate` must be a number"),
        ({"data": 7}, "`data` must be text"),
        ({"dtype_policy": None}, "`dtype_policy` must be text"),
        ({"recipe": ["dcgan"]}, "a `recipe`, which is text"),
        ({"recipe": "dcgn"}, "Did you mean dcgan"),
        ({"arguments": []}, "`arguments`"),
        ({"new_option": 1}, "`new_option` is not known"),
        ({"arguments": {"image_shape": [16, 16, 3], "new": 1}}, "argument 'new'"),
        ({"arguments": {"image_shape": [16, 16, 3], "width": "2"}}, "`width`"),
        ({"arguments": {"image_shape": "16", "width": 2}}, "image_shape"),
    ],
)
def test_a_config_that_does_not_fit_is_told_in_a_line(
    change, message, trained_run, capsys
):
    path = pathlib.Path("r/config.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    made = files("r")
    for words in (RESUME, ["sample", "r", "--out=x.png"]):
        assert call(*words) == 1
        err = capsys.readouterr().err
        told = re.sub(r"`(\w+)`", r"--\1", message)  # as a flag, where it is one
        assert message in err or told in err
        assert "config.json" in err
    assert files("r") == made


@pytest.mark.parametrize("content", [b"", b"{", b"\0" * 100, b"[]", b"\xff{}", b"3"])
def test_a_damaged_config_is_named(content, trained_run, capsys):
    path = pathlib.Path("r/config.json")
    path.write_bytes(content)
    again = ["train", "dcgan", "--run_dir=r", *TINY, "--overwrite"]
    for words in (RESUME, again, ["sample", "r", "--out=x.png"]):
        assert call(*words) == 1
        assert "r/config.json" in capsys.readouterr().err
    assert pathlib.Path("r/checkpoints").exists()


@pytest.mark.full
def test_a_damaged_log_does_not_end_a_run(trained_run):
    """It has lost its end, and a line in the middle is of NULs."""
    path = pathlib.Path("r/metrics.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = b"\0" * len(lines[1])
    path.write_bytes(b"".join(lines)[:-300])
    with pytest.warns(UserWarning, match=r"metrics.jsonl is damaged"):
        assert call(*RESUME, "--epochs=3") == 0
    rows = logs.read_rows(path)  # without a warning: it is mended
    assert [r["step"] for r in rows if r["kind"] == "step"][-4:] == [9, 10, 11, 12]


@pytest.mark.parametrize("damage", ["cut", "empty", "gone", "NUL", "key", "none"])
def test_a_log_is_cut_to_whole_lines(damage):
    lines = [b'{"kind": "step", "step": %d}\n' % i for i in range(9)]
    log = callbacks.JsonlLogger("log.jsonl")
    kept, content = lines[:5], list(lines)
    if damage == "cut":
        content, kept = [*lines[:3], lines[3][:10]], lines[:3]
    if damage in ("empty", "gone"):
        content = kept = []
    if damage == "NUL":  # also where a line ended: the next one goes with it
        content[1] = b"\0" * len(lines[1])
        kept = [lines[0], *lines[3:5]]
    if damage == "key":
        content[1] = lines[1].replace(b"kind", b"kinf")
        kept = [lines[0], *lines[2:5]]
    if damage != "gone":
        log.path.write_bytes(b"".join(content))
    size = len(b"".join(lines[:5]))
    if damage == "none":
        log.cut(size)
    else:
        with pytest.warns(UserWarning, match=r"log.jsonl is damaged"):
            log.cut(size)
    rest = log.path.read_bytes() if log.path.exists() else b""
    assert rest == b"".join(kept)


def test_damaged_lines_are_left_out_of_plots(images):
    log = callbacks.JsonlLogger("log.jsonl", every=1)
    gan = ready_gan()
    fit(gan, images, log)
    lines = pathlib.Path("log.jsonl").read_bytes().splitlines(keepends=True)
    row = json.loads(lines[0])
    wrong = [b"{", b"\0\0", b"[]", b'{"step": 1}', b'{"kind": "step", "step": "x"}']
    wrong.append(b'{"kind": "evaluation", "step": 1, "records": [{"name": 1}]}')
    del row["d_loss"]
    row["g_loss"] = "high"
    lines += [json.dumps(row).encode() + b"\n", *(line + b"\n" for line in wrong)]
    pathlib.Path("log.jsonl").write_bytes(b"".join(lines))
    plot = callbacks.LossPlot("log.jsonl", "plot.png")
    plot.set_model(gan)
    with pytest.warns(UserWarning, match=r"log.jsonl, line 7 is damaged.*6 such"):
        plot.plot()
    assert pathlib.Path("plot.png").exists()


@pytest.mark.full
def test_a_full_disk_ends_in_a_line(trained_run, capfd):
    """As far as h5py sees it: files may not grow beyond a limit."""
    latest = checkpoints.latest("r/checkpoints")
    made = files("r/checkpoints")
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        status = call(*RESUME, "--epochs=3", "--sample_every=100")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert status == 1
    err = capfd.readouterr().err
    last = err.strip().splitlines()[-1]
    assert "could not be written: File too large. What is safe" in last
    assert str(latest) in last and "Traceback" not in err
    assert files("r/checkpoints") == made
    assert call(*RESUME, "--epochs=3") == 0


@pytest.mark.full
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.ENOENT])
def test_what_cannot_be_written_is_named(number, trained_run, monkeypatch, capsys):
    def fails(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(callbacks.JsonlLogger, "_append", fails)
    assert call(*RESUME, "--epochs=3") == 1
    err = capsys.readouterr().err
    assert f"r/metrics.jsonl could not be written: {os.strerror(number)}." in err
    assert "What is safe is r/checkpoints/step-00000008" in err


def test_room_for_a_checkpoint_is_taken_first(images, monkeypatch):
    """HDF5 may end the process where it meets a full disk as it closes a file."""
    gan = ready_gan()
    fit(gan, images, callbacks.Checkpoint("c", every=4))
    asked, reserve = [], utils.reserve

    def full(path, size):
        asked.append(size)
        reserve(path, size)  # there is room: it leaves nothing
        assert not path.exists()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(utils, "reserve", full)
    monkeypatch.setattr(gan, "save_weights", lambda path: asked.append(path))
    with pytest.raises(utils.NotWrittenError, match="What is safe is c/step-00000004"):
        fit(gan, images, callbacks.Checkpoint("c", every=4))
    path = pathlib.Path("c/step-00000004", checkpoints.WEIGHTS)
    (size,) = asked
    assert path.stat().st_size <= size < 2 * path.stat().st_size + 2**18
    assert [p.name for p in pathlib.Path("c").iterdir()] == ["step-00000004"]


def test_a_directory_that_vanishes_is_named(images):
    def vanish(epoch, logs):
        shutil.rmtree("v")

    log = callbacks.JsonlLogger("v/log.jsonl", every=9)
    gone = keras.callbacks.LambdaCallback(on_epoch_begin=vanish)
    saver = callbacks.Checkpoint("v/c", every=9, logger=log)
    with pytest.raises(utils.NotWrittenError, match=r"v/log.jsonl could not"):
        fit(ready_gan(), images, log, gone, saver)


def test_there_is_no_room_beyond_a_limit():
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        utils.reserve(pathlib.Path("x"), 2000)
        with pytest.raises(OSError, match="File too large"):
            utils.reserve(pathlib.Path("x"), 2001)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert not pathlib.Path("x").exists()


def test_a_lock_that_cannot_be_written_is_given_back(trained_run, monkeypatch, capsys):
    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    made = files("r")
    with monkeypatch.context() as patch:
        patch.setattr(locks.os, "pwrite", full)
        assert call(*RESUME, "--epochs=3") == 1
    err = capsys.readouterr().err
    assert "r/.keras-gans.lock could not be written: No space left" in err
    assert "What is safe is r/checkpoints/step-00000008" in err
    assert files("r") == made
    with locks.locked("r"):
        pass


def test_a_directory_whose_name_is_no_utf_8_is_refused(trained_run, capsys):
    name = os.fsdecode(b"bild\xff")
    assert call("train", "dcgan", f"--run_dir={name}", *TINY) == 1
    assert r"b'bild\xff'" in capsys.readouterr().err
    assert call("export", "r", f"--to={name}") == 1
    assert r"b'bild\xff'" in capsys.readouterr().err
    assert not os.path.exists(name)
