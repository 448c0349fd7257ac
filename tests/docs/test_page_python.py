"""The Python of pages runs, one block after the other, as pasted by a reader.

Tutorials train, in test_tutorials.py.
"""

import re

from keras import tree
import numpy as np
from PIL import Image
import pytest
from test_pages import EXCERPTS, PAGES, blocks

from keras_gans.core.gan import BaseGAN

# What a reader has, or downloads: the embedded sets stand in.
STAND_INS = {
    '"tfds:fashion_mnist"': '"emoji"',
    '"tfds:mnist"': '"emoji"',
    '"tfds:cycle_gan/horse2zebra"': '"emoji:flat-3d"',
    '"path/to/facades"': '"emoji:line-3d"',
    '"path/to/your/pictures"': '"photos"',
    '"RECORDINGS"': '"drums"',
    'load("runs/stylegan2")': "StyleGAN2((16, 16, 3), channel_max=8)",
    'configuration="t")': 'configuration="t", channel_max=8)',
    "sample(64, ": "sample(2, ",
    "steps=1000": "steps=2",
    "(gan, 10000, ": "(gan, 64, ",
    "shown.wait()": "shown.close()",
}
# Blocks that read published weights, a server, or an account, a run or a voice of
# one's own, or the file that the guide adds, which test_examples.py tries.
ELSEWHERE = re.compile(
    r'\.(pth|pkl|index|keras)"|"g_\d+"|hf://|127\.0\.0\.1'
    r'|"runs/|"presets/|models\.lsgan|MY_VOICE|patients\.csv'
)
# They read what the blocks before, which are cut short or left out, would leave.
AFTER = {"docs/evaluation.md": (1,), "docs/translating.md": (1,), "docs/vits.md": (2,)}


def read_a_batch(gan, x=None, y=None, **options):
    """In place of `fit`: data fits the GAN."""
    if isinstance(x, np.ndarray):
        batch = tree.map_structure(lambda array: array[:2], x if y is None else (x, y))
    else:
        batch = next(iter(x))
    parts = gan.parts(batch if isinstance(batch, tuple) else (batch,))
    assert len(parts[0]) > 0


@pytest.mark.full
@pytest.mark.parametrize(
    "page", [p for p in PAGES if p not in EXCERPTS and "/tutorials/" not in p]
)
def test_python_of_a_page_runs(page, monkeypatch, tmp_path):
    monkeypatch.setattr(BaseGAN, "fit", read_a_batch)
    for folder in ("photos", "other_photos"):
        (tmp_path / folder).mkdir()
        for i in range(8):
            array = np.random.default_rng(i).integers(0, 256, (128, 128, 3), "uint8")
            Image.fromarray(array).save(tmp_path / folder / f"{i}.png")
    Image.fromarray(array[:16, :16]).save(tmp_path / "photo.png")
    space = {}
    for i, block in enumerate(blocks(page, "python")):
        for name, stand_in in STAND_INS.items():
            block = block.replace(name, stand_in)
        if ELSEWHERE.search(block) or i in AFTER.get(page, ()):
            imports = re.findall(r"^(?:import|from) (?!.*lsgan).*", block, re.MULTILINE)
            block = "\n".join(imports)
        exec(compile(block, f"{page}, block {i}", "exec"), space)
