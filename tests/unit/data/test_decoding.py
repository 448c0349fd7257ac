"""Files of a folder are listed."""

import pathlib

import pytest

from keras_gans.data import decoding


def test_a_folder_of_sounds_is_for_another_recipe():
    pathlib.Path("drums").mkdir()
    pathlib.Path("drums/kick.wav").touch()
    with pytest.raises(ValueError, match=r"\.wav x1\. .*keras-gans train wavegan"):
        decoding.list_images("drums", labels=False)
    pathlib.Path("drums/kick.wav").rename("drums/kick.txt")
    with pytest.raises(ValueError, match=r"\.txt x1\.$"):
        decoding.list_images("drums", labels=False)
