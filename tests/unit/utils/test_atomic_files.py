"""What is replaced by what, and what a kill or a full disk leaves."""

import errno
import os
import pathlib

import pytest

from keras_gans.utils import files


def write(path, text="new"):
    with files.replacing(path) as temporary:
        temporary.write_text(text)


def write_folder(path, text="new"):
    with files.replacing(path) as temporary:
        temporary.mkdir()
        (temporary / "x").write_text(text)


def test_a_file_never_replaces_a_directory_nor_a_directory_a_file(tmp_path):
    pathlib.Path("pic.png").mkdir()
    pathlib.Path("pic.png/x").write_text("precious")
    with pytest.raises(ValueError, match="Only a file is overwritten by a file"):
        files.check_free("pic.png", overwrite=True)
    with pytest.raises(OSError, match=r"pic.png could not be written: Is a dir"):
        write("pic.png")
    assert pathlib.Path("pic.png/x").read_text() == "precious"
    pathlib.Path("file").write_text("precious")
    with pytest.raises(OSError, match="file could not be written"):
        write_folder("file")
    assert pathlib.Path("file").read_text() == "precious"
    assert sorted(os.listdir()) == ["file", "pic.png"]
    with pytest.raises(ValueError, match="Only a file is overwritten"):
        files.check_free("/dev/null", overwrite=True)


@pytest.mark.parametrize("moment", ["before", "between", "after"])
def test_a_kill_while_a_directory_is_replaced(moment, tmp_path):
    write_folder("best", "old")
    # What lies there when a kill comes before, between or after the two steps.
    pathlib.Path(".tmp.best").mkdir()
    if moment != "before":
        pathlib.Path("best").rename(".old.best")
    if moment == "after":
        pathlib.Path(".tmp.best").rename("best")
        pathlib.Path("best/x").write_text("new")
    pathlib.Path(".del.gone").mkdir()
    expected = "new" if moment == "after" else "old"
    assert (files.standing("best") / "x").read_text() == expected
    files.sweep(tmp_path)
    assert os.listdir() == ["best"]
    assert pathlib.Path("best/x").read_text() == expected


def test_sweeping_leaves_others_alone(tmp_path):
    for name in (".tmp.mine", ".tmp.step-1", ".old.mine", "step-1"):
        pathlib.Path(name).mkdir()
    files.sweep(tmp_path, "step-*")
    assert sorted(os.listdir()) == [".old.mine", ".tmp.mine", "step-1"]


def test_errors_name_the_file_and_leave_what_stood_there(tmp_path):
    write("a", "old")
    write_folder("b", "old")
    for path, make in (("a", pathlib.Path.touch), ("b", pathlib.Path.mkdir)):
        with (
            pytest.raises(OSError, match=f"/{path} could not be written: No space"),
            files.replacing(path) as temporary,
        ):
            make(temporary)
            # As h5py says it, and as TensorFlow does.
            if path == "a":
                raise OSError("Can't write data (errno = 28, error message = 'No s')")
            raise RuntimeError("variables: No space left on device")
    with (
        pytest.raises(OSError, match="could not be written: Read-only"),
        files.naming("c"),
    ):
        raise OSError(errno.EROFS, "whatever")
    with pytest.raises(RuntimeError, match="another"), files.naming("c"):
        raise RuntimeError("another")
    assert sorted(os.listdir()) == ["a", "b"]
    assert pathlib.Path("a").read_text() == pathlib.Path("b/x").read_text() == "old"


@pytest.mark.parametrize("length", [200, 201, 255])
def test_names_of_any_length(length, tmp_path):
    name = "x" * (length - 4) + ".png"
    write(name)
    write(name)
    assert os.listdir() == [name]
