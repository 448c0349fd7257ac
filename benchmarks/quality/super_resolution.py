"""Super-resolution x4 of photos that training never sees.

    python benchmarks/quality/super_resolution.py bicubic
    python benchmarks/quality/super_resolution.py srgan --photos=FOLDER --seed=0
    python benchmarks/quality/super_resolution.py real_esrgan --photos=FOLDER --seed=0
    python benchmarks/quality/super_resolution.py docs

FOLDER holds the photos that `python benchmarks/quality/wallpapers.py --out=FOLDER`
fetches.

The seven test photos come with scikit-image and scikit-learn. They are cropped to
multiples of 12 and made small by MATLAB's bicubic, in 8 bits; PSNR and SSIM are of
the luma without a border of 4 pixels. `srgan` trains the recipe's generator by
pixels (SRResNet) and then by the discriminator (SRGAN), `real_esrgan` likewise; each
run prints its seconds, and a row goes to results/super_resolution.jsonl. `docs`
writes the tables of docs/super_resolution.md and its pictures.
"""

import argparse
import json
import os
import pathlib
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from PIL import Image
from skimage import data as photos
from sklearn.datasets import load_sample_image

from keras_gans import data, metrics
from keras_gans.data.degradations import bicubic_pair, degrade
from keras_gans.modalities import pictures
from keras_gans.training import recipes
from keras_gans.utils import files
from keras_gans.utils.resizing import bicubic

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROWS = ROOT / "results" / "super_resolution.jsonl"
SKIMAGE = ("astronaut", "chelsea", "coffee", "rocket")
PICTURES = ROOT / "runs" / "super_resolution"
SCALE = 4
# What is not the recipe's: larger crops of photos that were JPEG files.
FLAGS = {"image_size": 96, "shrink": 2, "tries": 4}
STEPS = {"srgan": 120, "real_esrgan": 250}  # after the pre-training
NAMES = {"srgan": ("SRResNet", "SRGAN"), "real_esrgan": ("MSRResNet", "RealESRGAN")}
KINDS = (
    ("srgan", "bicubic", "Small by bicubic interpolation"),
    ("real_esrgan", "real", "Small and bad, by Real-ESRGAN's degradations"),
)
HEAD = """| | PSNR-Y (dB) | SSIM-Y | HED-VGG16 distance | processor seconds |
|---|---|---|---|---|"""
START, END = "<!-- measured -->", "<!-- end -->"
WINDOW = 128  # pixels of the parts that are shown
SHOWN = {"astronaut": (20, 160), "motorcycle": (220, 250), "china": (180, 330)}


def test_photos():
    """uint8 arrays `[height, width, 3]` by name."""
    found = {name: getattr(photos, name)() for name in SKIMAGE}
    path = pathlib.Path(photos.__file__).parent / "motorcycle_left.png"
    found["motorcycle"] = np.asarray(Image.open(path))
    for name in ("china", "flower"):
        found[name] = load_sample_image(f"{name}.jpg")
    sides = {
        k: (x.shape[0] // 12 * 12, x.shape[1] // 12 * 12) for k, x in found.items()
    }
    return {k: x[: sides[k][0], : sides[k][1], :3] for k, x in found.items()}


def small_photos(truth, degradation, scale=SCALE):
    """Float arrays in [0, 1]: each photo made small."""
    if degradation == "bicubic":
        return [bicubic_pair(x / 255, scale) for x in truth]
    return [
        degrade(x / 255, SCALE, np.random.default_rng(i)) for i, x in enumerate(truth)
    ]


def to_uint8(x):
    return np.round(np.clip(x, 0, 1) * 255).astype("uint8")


def scores(made, truth, scale=SCALE):
    """What each photo scores."""
    settings = {"value_range": (0, 255), "y_channel": True, "crop_border": scale}
    return {
        "psnr_y": [
            float(metrics.psnr(a, b, **settings))
            for a, b in zip(made, truth, strict=True)
        ],
        "ssim_y": [
            float(metrics.ssim(a, b, **settings))
            for a, b in zip(made, truth, strict=True)
        ],
        "hed_vgg16": [
            float(metrics.feature_distance(a[None], b[None], (0, 255))[0])
            for a, b in zip(made, truth, strict=True)
        ],
    }


def enlarge(gan, small):
    made = [gan.translate((2 * x - 1)[None].astype("float32"))[0] for x in small]
    return [to_uint8((x + 1) / 2) for x in made]


def told(name, found):
    means = {k: round(float(np.mean(v)), 4) for k, v in found.items()}
    print(name, means, [round(x, 2) for x in found["psnr_y"]], flush=True)


def run(args):
    truth = list(test_photos().values())
    recipe = recipes.get(args.name)
    degradation = recipe.data_options["degradation"]
    small = small_photos(truth, degradation)
    arguments = dict(recipe.arguments, image_shape=(FLAGS["image_size"],) * 2 + (3,))
    keras.utils.set_random_seed(args.seed)
    keras.config.set_dtype_policy(args.dtype_policy)
    gan = recipes.model_of(recipe)(**arguments, seed=args.seed)
    recipes.compile(recipe, gan)
    measuring = Measuring(gan, args, truth, small)
    dataset = data.load_crops(
        args.photos,
        scale=SCALE,
        batch_size=recipe.batch_size,
        degradation=degradation,
        seed=args.seed,
        repeat=True,
        **FLAGS,
    )
    steps = gan.pretrain_steps + STEPS[args.name]
    gan.fit(dataset, steps_per_epoch=steps, verbose=0, callbacks=[measuring])
    row = {"recipe": args.name, "seed": args.seed, "dtype_policy": args.dtype_policy}
    row["rows"] = measuring.rows
    with open(args.results, "a") as file:
        file.write(json.dumps(row) + "\n")


class Measuring(keras.callbacks.Callback):
    """Scores the generator after the pre-training and at the end."""

    def __init__(self, gan, args, truth, small):
        super().__init__()
        self.args, self.truth, self.small = args, truth, small
        self.rows = {}
        self.at = {gan.pretrain_steps: NAMES[args.name][0]}
        self.at[gan.pretrain_steps + STEPS[args.name]] = NAMES[args.name][1]
        self.seconds = [-time.time(), -time.process_time()]

    def on_train_batch_end(self, batch, logs=None):
        name = self.at.get(batch + 1)
        if name is None:
            return
        self.seconds = [
            self.seconds[0] + time.time(),
            self.seconds[1] + time.process_time(),
        ]
        made = enlarge(self.model, self.small)
        found = scores(made, self.truth)
        seconds = [round(x) for x in self.seconds]
        told(f"{name} {seconds} s", found)
        print({k: round(float(v), 4) for k, v in (logs or {}).items()}, flush=True)
        self.rows[name] = {**found, "seconds": seconds, "steps": batch + 1}
        folder = self.args.pictures
        folder.mkdir(parents=True, exist_ok=True)
        for key, x in zip(test_photos(), made, strict=True):
            Image.fromarray(x).save(folder / f"{key}_{name}_{self.args.seed}.png")
        self.seconds = [
            self.seconds[0] - time.time(),
            self.seconds[1] - time.process_time(),
        ]


def measure_bicubic(args):
    """The photos enlarged by bicubic interpolation, of both kinds of small ones.

    Twice and three times are printed alone: what papers start from.
    """
    truth = list(test_photos().values())
    for scale in (2, 3):
        small = small_photos(truth, "bicubic", scale)
        made = [to_uint8(bicubic(x, scale)) for x in small]
        told(f"bicubic x{scale}", scores(made, truth, scale))
    rows = {}
    for degradation in ("bicubic", "real"):
        small = small_photos(truth, degradation)
        rows[degradation] = scores([to_uint8(bicubic(x, SCALE)) for x in small], truth)
        told(f"bicubic of {degradation}", rows[degradation])
    with open(args.results, "a") as file:
        file.write(json.dumps({"recipe": "bicubic", "seed": 0, "rows": rows}) + "\n")


# --- The page ---


def write_page(args):
    """The tables and pictures of docs/super_resolution.md, of all rows."""
    rows = [json.loads(line) for line in args.results.read_text().splitlines()]
    lines = []
    for recipe, degradation, kind in KINDS:
        baseline = [r["rows"][degradation] for r in rows if r["recipe"] == "bicubic"]
        runs = [r["rows"] for r in rows if r["recipe"] == recipe]
        seeds = f", {len(runs)} seeds" if len(runs) > 1 else ""
        lines += [f"### {kind}{seeds}", "", HEAD]
        lines.append(_line("bicubic", baseline[-1:], 0))
        for name in NAMES[recipe]:
            seconds = max(run[name]["seconds"][1] for run in runs)
            lines.append(_line(name, [run[name] for run in runs], seconds))
        picture = ROOT / "docs" / "images" / f"super_resolution_{recipe}.jpg"
        _draw(args, recipe, degradation, picture)
        lines += ["", f"![{kind}, parts of three photos.](images/{picture.name})", ""]
    page = ROOT / "docs" / "super_resolution.md"
    text = page.read_text()
    start, end = text.index(START) + len(START), text.index(END)
    page.write_text(f"{text[:start]}\n\n{chr(10).join(lines)}\n{text[end:]}")


def _line(name, found, seconds):
    """Means over photos: the mean over seeds, and the least and the most."""
    cells = []
    for score, digits in (("psnr_y", 2), ("ssim_y", 3), ("hed_vgg16", 3)):
        means = [np.mean(one[score]) for one in found]
        cell = f"{np.mean(means):.{digits}f}"
        if len(means) > 1:
            cell += f" ({min(means):.{digits}f} to {max(means):.{digits}f})"
        cells.append(cell)
    return f"| {name} | {' | '.join(cells)} | {seconds or ''} |"


def _draw(args, recipe, degradation, path):
    photos = test_photos()
    small = dict(zip(photos, small_photos(photos.values(), degradation), strict=True))
    rows = []
    for name, (y, x) in SHOWN.items():
        made = {"small": to_uint8(small[name].repeat(SCALE, 0).repeat(SCALE, 1))}
        made["bicubic"] = to_uint8(bicubic(small[name], SCALE))
        for network in NAMES[recipe]:
            file = args.pictures / f"{name}_{network}_0.png"
            made[network] = np.asarray(Image.open(file))
        made["photo"] = photos[name]
        rows.append([m[y : y + WINDOW, x : x + WINDOW] for m in made.values()])
    tiles = np.concatenate(rows).astype("float32") / 127.5 - 1
    grid = pictures.draw_grid(tiles, len(made), list(made) * len(rows))
    with files.replacing(path) as temporary:
        Image.fromarray(grid).save(temporary, "JPEG", quality=85)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=("bicubic", *NAMES, "docs"))
    parser.add_argument("--photos", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dtype_policy", default="mixed_bfloat16")
    parser.add_argument("--results", type=pathlib.Path, default=ROWS)
    parser.add_argument("--pictures", type=pathlib.Path, default=PICTURES)
    args = parser.parse_args()
    commands = {"bicubic": measure_bicubic, "docs": write_page}
    commands.get(args.name, run)(args)


if __name__ == "__main__":
    main()
