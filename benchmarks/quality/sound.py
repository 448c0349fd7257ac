"""WaveGAN on the embedded drums: scores, floors, spectrograms.

    python benchmarks/quality/sound.py train --seed=0 --steps=2400
    python benchmarks/quality/sound.py floors
    python benchmarks/quality/sound.py docs

`train` trains the recipe `wavegan` (8 kHz, 4,096 samples) for so many steps, whose
learning rates fall to zero in the second half, scores 98 samples, eight times,
appends a line of the means to results/sound.jsonl, and keeps the model. It reports
their seconds; with --clock=cpu they are this process's, on all of its cores: ten
minutes of two cores are 1,200 of them, whoever else uses the machine. With
--waveforms_alone the recipe has no discriminator of spectrograms. `floors` scores
two halves of the reals and what is no GAN. `docs` prints the table of docs/wavegan.md,
and puts its picture and its sounds there: 16 samples of the model of seed 0, and 16 of
the reals.
"""

import argparse
import json
import pathlib
import sys
import warnings

import keras
import numpy as np
from PIL import Image

import keras_gans as kg
from keras_gans.data import load_sounds
from keras_gans.metrics import sound_scores
from keras_gans.training import recipes

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import sounds
import timed

RATE, SAMPLES, SOUNDS = 8000, 4096, 98
IMAGES, HEARD = pathlib.Path("docs/images"), pathlib.Path("docs/sounds")
SHOWN, DRAWS = 16, 8
SCORES = ("frechet", "nearest_accuracy", "coverage", "correlation")


def drums(batch_size, **options):
    return load_sounds(
        "drums",
        samples=SAMPLES,
        rate=RATE,
        batch_size=batch_size,
        segments="first",
        **options,
    )


def reals():
    return next(drums(SOUNDS, shuffle=False).as_numpy_iterator())


def scored(real, fake, basis=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 98 of 16 dimensions are few, and said so
        scores = sound_scores(real, fake, RATE, basis)
    return {name: round(float(getattr(scores, name)), 3) for name in SCORES}


class Clock(keras.callbacks.Callback):
    """Counts the seconds from the first step on; scores on the way."""

    def __init__(self, steps, real, clock):
        super().__init__()
        self.each, self.real, self.now = max(1, steps // 5), real, timed.CLOCKS[clock]
        self.steps, self.spent, self.curve = 0, 0.0, []

    def on_train_batch_end(self, batch, logs=None):
        float(logs["d_loss"])  # waits for the end of the step
        if self.steps == 0:
            self.start = self.now()
        self.steps += 1
        self.spent = self.now() - self.start
        if self.steps % self.each == 0:
            begin = self.now()
            scores = scored(self.real, self.model.sample(SOUNDS, seed=1))
            point = {"seconds": round(self.spent), "steps": self.steps}
            self.curve.append({**point, **scores})
            print(self.curve[-1], flush=True)
            self.start += self.now() - begin  # scoring is not training


def train(seed, steps, clock, work, results, alone):
    recipe = recipes.get("wavegan")
    told = "WaveGAN of waveforms alone" if alone else "WaveGAN"
    arguments = {**recipe.arguments, **({"mel_bands": None} if alone else {})}
    keras.utils.set_random_seed(seed)
    falling = {"linear_decay": (steps // 2, steps)}
    gan = kg.WaveGAN(**arguments, **falling, seed=seed)
    recipes.compile(recipe, gan)
    watch = Clock(steps, reals(), clock)
    own = {"speed": recipe.data_options["speed"], "seed": seed}
    data = drums(recipe.batch_size, **own, repeat=True)
    gan.fit(data, steps_per_epoch=steps, verbose=0, callbacks=[watch])
    work.mkdir(parents=True, exist_ok=True)
    file = f"alone{seed}.keras" if alone else f"seed{seed}.keras"
    gan.save(work / file, overwrite=True)
    write(
        results,
        {
            "what": f"{told}, seed {seed}",
            "clock": clock,
            "seconds": round(watch.spent),
            "steps": watch.steps,
            **drawn(reals(), gan),
            "curve": watch.curve,
        },
    )


def drawn(real, gan):
    """The mean scores of some draws of as many samples as there are reals."""
    each = [scored(real, gan.sample(SOUNDS, seed=s)) for s in range(DRAWS)]
    return {n: round(float(np.mean([one[n] for one in each])), 3) for n in SCORES}


def floors(results):
    real, rng = reals(), np.random.default_rng(0)
    half = [rng.permutation(SOUNDS) for _ in range(5)]
    # On the scale of all reals, as the samples of a GAN are.
    halves = [scored(real[p[:49]], real[p[49:]], real) for p in half]
    mean = {n: round(float(np.mean([h[n] for h in halves])), 3) for n in SCORES}
    write(results, {"what": "half of the real sounds against the other half", **mean})
    for what, own in (("a mean", False), ("a real sound's", True)):
        noise = _noise(real[..., 0], rng, own)
        told = f"noise of the mean spectrum and {what} envelope"
        write(results, {"what": told, **scored(real, noise)})
    flat = real[..., 0]
    centred = flat - flat.mean(axis=0)
    mixed = rng.normal(size=(SOUNDS, SOUNDS)) @ centred / np.sqrt(SOUNDS - 1)
    gaussian = np.clip(flat.mean(axis=0) + mixed, -1, 1)[..., None]
    write(results, {"what": "Gaussian of the waveforms", **scored(real, gaussian)})


def _noise(real, rng, own):
    """Noise of the mean spectrum of reals, as loud over time as they are."""
    spectrum = np.abs(np.fft.rfft(real)).mean(axis=0)
    phases = rng.uniform(0, 2 * np.pi, (SOUNDS, spectrum.size))
    noise = np.fft.irfft(spectrum * np.exp(1j * phases), SAMPLES)
    loud = np.stack([_loudness(x) for x in real])
    loud = loud[rng.permutation(SOUNDS)] if own else loud.mean(axis=0)
    made = noise / (np.stack([_loudness(x) for x in noise]) + 1e-6) * loud
    return (made / np.abs(made).max(axis=1, keepdims=True))[..., None]


def _loudness(x):
    return np.sqrt(np.convolve(np.square(x), np.ones(64) / 64, "same"))


def write(results, line):
    print(line, flush=True)
    results.parent.mkdir(exist_ok=True)
    with results.open("a") as file:
        file.write(json.dumps(line) + "\n")


def docs(work, results):
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    newest = {line["what"]: line for line in lines}
    print("| | Fréchet | 1-NN accuracy | coverage | largest correlation |")
    print("|---|---|---|---|---|")
    for what, line in newest.items():
        steps = f", {line['steps']:,} steps" if "steps" in line else ""
        numbers = " | ".join(f"{line[name]:.2f}" for name in SCORES)
        print(f"| {what}{steps} | {numbers} |")
    gan = keras.models.load_model(work / "seed0.keras")
    made = gan.sample(SHOWN, seed=1)
    chosen = np.random.default_rng(0).permutation(SOUNDS)[:SHOWN]
    shown = np.concatenate([made, reals()[chosen]])
    names = ["made"] * SHOWN + ["real"] * SHOWN
    preview = gan.modality.preview(shown, columns=8, names=names)
    preview.save(work / "drums.png", overwrite=True)  # and each sound beside it
    with Image.open(work / "drums.png") as picture:
        smaller = picture.convert("RGB").reduce(2)
    smaller.save(IMAGES / "wavegan_drums.webp", quality=80, method=6)
    sounds.write_row(HEARD / "wavegan_drums.mp3", made, RATE)
    sounds.write_row(HEARD / "wavegan_reals.mp3", shown[SHOWN:], RATE)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=("train", "floors", "docs"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--clock", choices=timed.CLOCKS, default="wall")
    parser.add_argument("--waveforms_alone", action="store_true")
    parser.add_argument(
        "--results", type=pathlib.Path, default=pathlib.Path("results/sound.jsonl")
    )
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("runs/sound"))
    args = parser.parse_args()
    if args.command == "train":
        files = args.work, args.results
        train(args.seed, args.steps, args.clock, *files, args.waveforms_alone)
    elif args.command == "floors":
        floors(args.results)
    else:
        docs(args.work, args.results)


if __name__ == "__main__":
    main()
