"""Photographs the demo for docs/demo.md, in Debian's chromium.

    python docs/tools/demo.py
    python docs/tools/demo.py sounds solids --runs=runs

It shows the presets of the package, a training of a minute, and runs of sounds and
solids of some minutes, and writes docs/images/demo_*.webp. Runs that lie in --runs
already, by the names `wavegan` and `voxel_gan`, are not trained again.
"""

import argparse
import contextlib
import io
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

from keras_gans.serving.demo import Demo
from keras_gans.utils import files

IMAGES = pathlib.Path(__file__).parents[2] / "docs" / "images"
DESK = {"width": 1180, "height": 800}
PHONE = {"width": 390, "height": 844}
SECONDS = 60  # of the training
MOST_BYTES = 80_000  # of a picture, as far as quality allows
# The runs that are shown, and how they are trained.
RUNS = {
    "wavegan": ["--steps=593"],
    "voxel_gan": ["--size=16", "--num_classes=8", "--steps=4331"],
}


def save(page, name):
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    for quality in (85, 75, 65):
        stream = io.BytesIO()
        picture.save(stream, "WEBP", quality=quality, method=6)
        if stream.tell() <= MOST_BYTES:
            break
    path = IMAGES / f"demo_{name}.webp"
    files.write_bytes(path, stream.getvalue())
    print(f"{path.name}: {path.stat().st_size:,} bytes", flush=True)


def open_tab(page, demo, name):
    page.goto(demo.url)
    page.get_by_role("tab", name=name).click()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)


def draw_face(page):
    """A face in line art, by the mouse."""
    box = page.get_by_label("Canvas to draw on").bounding_box()
    x, y, r = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"]

    def line(points):
        for i, (dx, dy) in enumerate(points):
            page.mouse.move(float(x + r * dx), float(y + r * dy))
            if i == 0:
                page.mouse.down()
        page.mouse.up()

    def arc(cx, cy, radius, start, end):
        angles = np.linspace(start, end, 40)
        return np.stack([cx + radius * np.cos(angles), cy + radius * np.sin(angles)], 1)

    line(arc(0, 0, 0.4, 0, 2 * np.pi))
    for side in (-0.15, 0.15):
        line(arc(side, -0.1, 0.03, 0, 2 * np.pi))
    line(arc(0, 0.03, 0.2, 0.15 * np.pi, 0.85 * np.pi))
    page.wait_for_timeout(1500)


def photograph(chromium, demo):
    def page_of(viewport, scheme):
        return contextlib.closing(
            chromium.new_page(viewport=viewport, color_scheme=scheme)
        )

    with page_of(DESK, "light") as page:
        open_tab(page, demo, "emoji")
        save(page, "emoji")
    with page_of(DESK, "dark") as page:
        open_tab(page, demo, "lines to 3d")
        draw_face(page)
        save(page, "lines")
    with page_of(PHONE, "light") as page:
        open_tab(page, demo, "flat to 3d")
        save(page, "phone")


def photograph_training(chromium, folder):
    run = folder / "emoji"
    words = ["train", "dcgan", f"--run_dir={run}", "--minutes=10"]
    words += ["--log_every=5", "--sample_every=50", "--checkpoint_every=100"]
    words = [sys.executable, "-m", "keras_gans", *words]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as training:
        try:
            while not (run / "metrics.jsonl").exists():
                time.sleep(1)
            time.sleep(SECONDS)
            with (
                Demo(run) as demo,
                contextlib.closing(chromium.new_page(viewport=DESK)) as page,
            ):
                page.goto(demo.url)
                page.get_by_text("training: step").wait_for()
                page.wait_for_timeout(5000)
                save(page, "training")
        finally:
            training.terminate()


def page_of(chromium, scheme="light"):
    return contextlib.closing(
        chromium.new_page(viewport=DESK, color_scheme=scheme, reduced_motion="reduce")
    )


def trained(folder, name):
    """A run of `RUNS`, trained if it is not there."""
    run = folder / name
    if not run.exists():
        words = ["train", name, f"--run_dir={run}", *RUNS[name]]
        subprocess.run([sys.executable, "-m", "keras_gans", *words], check=True)
    return run


def photograph_sounds(chromium, folder):
    with Demo(trained(folder, "wavegan")) as demo, page_of(chromium) as page:
        open_tab(page, demo, "wavegan")
        below_training(page)
        page.keyboard.press("w")
        page.wait_for_timeout(100)
        save(page, "sounds")


def photograph_solids(chromium, folder):
    with Demo(trained(folder, "voxel_gan")) as demo, page_of(chromium, "dark") as page:
        open_tab(page, demo, "voxel gan")
        below_training(page)
        page.get_by_label("Class").select_option("2 chair")
        page.wait_for_timeout(2000)
        save(page, "solids")


def below_training(page):
    """Leaves out the losses of the run, which have a picture of their own."""
    page.get_by_label("Training", exact=True).evaluate("card => card.remove()")


def photograph_presets(chromium, folder):
    with Demo() as demo:
        photograph(chromium, demo)


PICTURES = {
    "presets": photograph_presets,
    "training": photograph_training,
    "sounds": photograph_sounds,
    "solids": photograph_solids,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", nargs="*", metavar="|".join(PICTURES))
    parser.add_argument("--runs", type=pathlib.Path, help="where runs are kept")
    args = parser.parse_args()
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as folder:
        options = {
            "executable_path": shutil.which("chromium"),
            "args": ["--no-sandbox"],
        }
        with contextlib.closing(driver.chromium.launch(**options)) as chromium:
            for name in args.pictures or PICTURES:
                PICTURES[name](chromium, args.runs or pathlib.Path(folder))


if __name__ == "__main__":
    main()
