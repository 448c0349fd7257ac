"""HiFi-GAN on recordings of one voice, against Griffin-Lim and the mel loss alone.

    python benchmarks/quality/speech_clips.py
    python benchmarks/quality/vocoder.py train --what=gan --seconds=600
    python benchmarks/quality/vocoder.py train --what=mel --seconds=600
    python benchmarks/quality/vocoder.py floors
    python benchmarks/quality/vocoder.py speed --torch_python=PYTHON
    python benchmarks/quality/vocoder.py mels --seconds=20 --clock=cpu
    python benchmarks/quality/vocoder.py docs

`train` trains the small table for so many seconds on the clips but those held out,
by all of HiFi-GAN's losses or, with --what=mel, by the mel loss alone: the same
generator, optimizer and clips. With --clock=cpu the seconds are this process's, on
all of its cores. Both are scored by the distance of the held-out clips' spectrograms
to those of what their mels become again. `floors` scores Griffin-Lim of 60
iterations, and two that the ear can hardly tell from the recordings: themselves a
hundredth of a second later, and with noise 40 dB below them. `speed` times the table
and the paper's, here and in PyTorch, in five turns. `mels` tells what share of a
training step the spectrograms of its waveforms take, which is all that a cache of
them could save. `docs` prints the table of
docs/hifigan.md, draws its picture, and writes the sounds of the picture to --work.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import keras
import numpy as np
from PIL import Image
import tensorflow as tf

import keras_gans as kg
from keras_gans.data import load_sounds
from keras_gans.data.sounds import read_sound
from keras_gans.inference.vocoding import spectrogram_of, vocode
from keras_gans.metrics import stft_distance
from keras_gans.networks.hifigan import Configuration
from keras_gans.training import recipes

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import sounds as heard
import timed

PEAK = 0.95  # the loudest sample of a clip, as the reference has it
ITERATIONS = 60  # of Griffin-Lim
TURNS, RUNS = 5, 3  # of a generator, before it is PyTorch's turn
SHOWN = "check-number-dial-again.wav"  # a held-out clip of a second or two
TORCH = pathlib.Path(__file__).with_name("vocoder_torch.py")
IMAGES = pathlib.Path("docs/images")


class MelLossAlone(kg.HiFiGAN):
    """HiFi-GAN's generator, by its mel loss alone."""

    def phases(self):
        (g,) = (phase for phase in super().phases() if phase.name == "g")
        return [g]

    def generator_loss(self, fake, batch, training):
        distance = self.mel_distance(batch["real"], fake)
        zero = 0.0 * distance
        logs = {"g_loss": distance, "feature_loss": zero, "mel_loss": distance}
        return self.mel_weight * distance, logs


class Clock(keras.callbacks.Callback):
    """Ends training so many seconds after its first step; scores on the way."""

    def __init__(self, seconds, clock, score):
        super().__init__()
        self.seconds, self.now, self.score = seconds, timed.CLOCKS[clock], score
        self.steps, self.spent, self.next, self.curve = 0, 0.0, seconds / 5, []

    def on_train_batch_end(self, batch, logs=None):
        float(logs["mel_loss"])  # waits for the end of the step
        if self.steps == 0:
            self.start = self.now()
        self.steps += 1
        self.spent = self.now() - self.start
        if self.spent >= self.next:
            begin = self.now()
            point = {"seconds": round(self.spent), "steps": self.steps}
            point |= {"mel_loss": round(float(logs["mel_loss"]), 3)}
            self.curve.append({**point, **self.score(self.model)})
            print(self.curve[-1], flush=True)
            self.next += self.seconds / 5
            self.start += self.now() - begin  # scoring is not training
        if self.spent >= self.seconds:
            self.model.stop_training = True


def train(args):
    kind = {"gan": kg.HiFiGAN, "mel": MelLossAlone}[args.what]
    recipe = recipes.get("hifigan")
    keras.utils.set_random_seed(args.seed)
    gan = kind(**recipe.arguments, seed=args.seed)
    recipes.compile(recipe, gan)
    sounds = load_sounds(
        str(args.clips / "train"),
        samples=gan.modality.samples,
        rate=gan.mel.rate,
        batch_size=recipe.batch_size,
        peak=PEAK,
        seed=args.seed,
        repeat=True,
    )
    clips = held_out(args.clips, gan.mel.rate)
    clock = Clock(args.seconds, args.clock, lambda gan: scored(gan, clips))
    options = {"epochs": 10**6, "steps_per_epoch": 1000, "verbose": 0}
    gan.fit(sounds, callbacks=[clock], **options)
    args.work.mkdir(parents=True, exist_ok=True)
    weights = args.work / f"{args.what}.weights.h5"
    gan.sampling_network().save_weights(weights, overwrite=True)
    line = {"what": args.what, "seed": args.seed, "clock": args.clock}
    line |= {"seconds": round(clock.spent), "steps": clock.steps}
    write(args.results, {**line, **scored(gan, clips), "curve": clock.curve})


def held_out(folder, rate):
    """The clips that no training sees, each as loud as those it does."""
    paths = sorted((folder / "held_out").rglob("*.wav"))
    clips = [read_sound(path, rate) for path in paths]
    return [PEAK * clip / np.abs(clip).max() for clip in clips]


def scored(gan, clips):
    """The distance of clips to what their mels become; and how fast."""
    pairs = []
    start = time.perf_counter()
    for clip in clips:
        mel = spectrogram_of(gan, clip)
        pairs.append((clip, vocode(gan, mel)[: len(clip)]))
    speed = sum(map(len, clips)) / gan.mel.rate / (time.perf_counter() - start)
    return {"stft_distance": distance(pairs), "times_real_time": round(speed, 1)}


def distance(pairs):
    """The mean over clips."""
    found = [stft_distance(real[None], made[None]) for real, made in pairs]
    return round(float(np.mean(found)), 4)


def griffin_lim(mel, spectrogram, momentum=0.99, seed=0):
    """The waveform of log-mels by 60 iterations of Griffin-Lim.

    Magnitudes are those of least squares that are not negative; phases begin at
    random, and momentum is that of arXiv:1304.1018 (0: of Griffin and Lim, 1984).
    """
    n_fft, hop = mel.n_fft, mel.hop
    wanted, filters = np.exp(spectrogram), mel.filters
    size = np.maximum(wanted @ np.linalg.pinv(filters), 1e-8)
    for _ in range(100):  # Lee and Seung's, towards least squares
        size *= wanted @ filters.T / (size @ (filters @ filters.T) + 1e-12)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    places = np.arange(len(size))[:, None] * hop + np.arange(n_fft)
    length, side = int(places.max()) + 1, (n_fft - hop) // 2
    weight = np.bincount(places.ravel(), np.tile(window**2, len(size)), length)

    def wave_of(spectra):
        frames = np.fft.irfft(spectra, n_fft) * window
        summed = np.bincount(places.ravel(), frames.ravel(), length)
        return summed / np.maximum(weight, 1e-8)

    rng = np.random.default_rng(seed)
    phases = np.exp(2j * np.pi * rng.uniform(size=size.shape))
    before = 0.0
    for _ in range(ITERATIONS):
        made = wave_of(size * phases)
        rebuilt = np.fft.rfft(made[places] * window)
        ahead = rebuilt - momentum / (1 + momentum) * before
        phases, before = ahead / (np.abs(ahead) + 1e-16), rebuilt
    made = wave_of(size * phases)[side : side + len(size) * hop]
    return np.clip(made, -1, 1).astype("float32")[:, None]


def floors(args):
    gan = kg.HiFiGAN(**recipes.get("hifigan").arguments)
    clips = held_out(args.clips, gan.mel.rate)
    for momentum in (0.0, 0.99):
        start, pairs = time.perf_counter(), []
        for clip in clips:
            made = griffin_lim(gan.mel, spectrogram_of(gan, clip), momentum)
            pairs.append((clip, made[: len(clip)]))
        speed = sum(map(len, clips)) / gan.mel.rate / (time.perf_counter() - start)
        line = {"what": "griffin_lim", "momentum": momentum, "clips": len(clips)}
        line |= {"stft_distance": distance(pairs), "times_real_time": round(speed, 1)}
        write(args.results, line)
    late = gan.mel.rate // 100
    rng = np.random.default_rng(0)
    alike = {"late": [(clip[:-late], clip[late:]) for clip in clips]}
    alike["noisy"] = [(clip, _noisy(clip, rng)) for clip in clips]
    for what, pairs in alike.items():
        write(args.results, {"what": what, "stft_distance": distance(pairs)})


def _noisy(clip, rng):
    loudness = np.sqrt(np.mean(np.square(clip)))
    return clip + 0.01 * loudness * rng.normal(size=clip.shape)


def speed(args):
    """Seconds of sound made in a second: the table, V1 and V3, and PyTorch's."""
    frames = 640  # 10 seconds at 16 kHz
    tables = {
        "small": recipes.get("hifigan").arguments,
        "v3": {"configuration": "v3", "rate": 16000},
        "v1": {"configuration": "v1", "rate": 16000},
    }
    mel = np.random.default_rng(0).normal(size=(frames, 80)).astype("float32")
    for name, arguments in tables.items():
        few = {"scales": 0, "periods": (2,), "d_width": 4, "ema": None}
        gan = kg.HiFiGAN(**{**arguments, **few})
        length = frames * gan.hop / gan.mel.rate
        numbers = {k: arguments.get(k) for k in Configuration._fields}
        chosen = Configuration(**numbers)
        numbers = gan.numbers_of(arguments["configuration"], chosen)._asdict()
        command = [args.torch_python, TORCH, json.dumps(numbers), str(frames)]
        ours, others = [], []
        vocode(gan, mel, frames)
        for _ in range(TURNS):
            for _ in range(RUNS):
                start = time.perf_counter()
                vocode(gan, mel, frames)
                ours.append(time.perf_counter() - start)
            if args.torch_python:
                made = subprocess.run(
                    command, check=True, capture_output=True, text=True
                )
                others.append(json.loads(made.stdout))
        line = {"what": "speed", "table": name, "cores": len(os.sched_getaffinity(0))}
        line["times_real_time"] = round(length / statistics.median(ours), 2)
        if others:
            line["torch_times_real_time"] = round(length / statistics.median(others), 2)
        write(args.results, line)


def mels(args):
    """The share of a step that spectrograms take, with the recipe's discriminators."""
    recipe = recipes.get("hifigan")
    now = timed.CLOCKS[args.clock]
    for table in ("small", "v3"):
        gan = kg.HiFiGAN(**{**recipe.arguments, "configuration": table})
        recipes.compile(recipe, gan)
        shape = (recipe.batch_size, *gan.modality.shape)
        batch = np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")
        budget = timed.Budget(args.seconds, args.clock)
        sounds = tf.data.Dataset.from_tensors(batch).repeat()
        gan.fit(sounds, steps_per_epoch=10**6, verbose=0, callbacks=[budget])
        step = budget.seconds / (budget.steps - 1)
        made, times = tf.function(gan.mel), 100
        made(batch)
        start = now()
        for _ in range(times):
            made(batch).numpy()
        mel = (now() - start) / times
        line = {"what": "mels", "table": table, "batch_size": recipe.batch_size}
        line |= {"clock": args.clock, "steps": budget.steps}
        line |= {"step_ms": round(1000 * step, 1), "mel_ms": round(1000 * mel, 2)}
        write(args.results, {**line, "share": round(mel / step, 4)})


def docs(args):
    rows = {}
    for line in map(json.loads, args.results.read_text().splitlines()):
        kind = line["what"] + str(line.get("momentum", line.get("table", "")))
        rows[kind] = line
    print("| | distance | times real time |")
    print("|---|---|---|")
    for kind, told in TOLD.items():
        if line := rows.get(kind):
            trained = f" ({line['steps']:,} steps)" if "steps" in line else ""
            real_time = line.get("times_real_time", "")
            print(f"| {told}{trained} | {line['stft_distance']:.3f} | {real_time} |")
    recipe = recipes.get("hifigan")
    gan = kg.HiFiGAN(**recipe.arguments)
    rate = gan.mel.rate
    clip = read_sound(next(args.clips.glob(f"held_out/**/{SHOWN}")), rate)
    clip = PEAK * clip / np.abs(clip).max()
    mel = spectrogram_of(gan, clip)
    made = [clip, griffin_lim(gan.mel, mel)]
    for what in ("mel", "gan"):
        network = gan.sampling_network()
        network.load_weights(args.work / f"{what}.weights.h5")
        made.append(vocode(gan, mel))
    sounds = np.stack([x[: len(clip)] for x in made])
    names = ["recording", "Griffin-Lim", "mel loss alone", "HiFi-GAN"]
    shown = kg.Waveform(len(clip), 1, rate).preview(sounds, columns=2, names=names)
    shown.save(args.work / "vocoder.png", overwrite=True)
    with Image.open(args.work / "vocoder.png") as picture:
        picture.convert("RGB").save(IMAGES / "vocoder.webp", quality=85, method=6)
    # Not into the docs: the recording is under a licence of its own.
    heard.write_row(args.work / "vocoder.mp3", sounds, rate)


TOLD = {
    "late": "the recordings, 0.01 s later",
    "noisy": "the recordings, with noise 40 dB below",
    "griffin_lim0.0": "Griffin-Lim, 60 iterations",
    "griffin_lim0.99": "the same, with momentum",
    "mel": "the generator by the mel loss alone",
    "gan": "HiFi-GAN",
}


def write(results, line):
    print(line, flush=True)
    results.parent.mkdir(exist_ok=True)
    with results.open("a") as file:
        file.write(json.dumps(line) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    commands = {"train": train, "floors": floors, "speed": speed, "mels": mels}
    commands["docs"] = docs
    add("command", choices=commands)
    add("--what", choices=("gan", "mel"), default="gan")
    add("--seed", type=int, default=0)
    add("--seconds", type=float, default=600)
    add("--clock", choices=timed.CLOCKS, default="wall")
    path = pathlib.Path
    add("--clips", type=path, default=path("runs/speech_clips"))
    add("--results", type=path, default=path("results/vocoder.jsonl"))
    add("--work", type=path, default=path("runs/vocoder"))
    add("--torch_python", help="a Python that has PyTorch, for speed")
    args = parser.parse_args()
    commands[args.command](args)


if __name__ == "__main__":
    main()
