"""Text to speech from 180 s of one voice: how many words a recogniser finds.

    python benchmarks/quality/speech.py fetch
    python benchmarks/quality/speech.py train --steps=4000
    python benchmarks/quality/speech.py score
    python benchmarks/quality/speech.py floors
    python benchmarks/quality/speech.py docs

`fetch` takes single words and phrases of Debian's asterisk-core-sounds-en-g722
(Allison Smith's voice, CC-BY-SA-3.0) by `apt-get download`, which is not part of this
project: WAV files, metadata.csv and alignment.json, in DATA. `train` trains
`TextToSpeech`, and at each quarter lets pocketsphinx hear 100 phrases of four words
that were recorded singly; it goes on where it was stopped. `score` does so of a run as
it is. `floors` lets it hear the recordings themselves, and their mel spectrograms
through Griffin-Lim. `docs` prints the table of docs/text_to_speech.md and puts its
picture there.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile
import time

import keras
import numpy as np

import keras_gans as kg
from keras_gans.data import align, load_speech
from keras_gans.data.sounds import read_sound
from keras_gans.data.speech import read_metadata
from keras_gans.modalities import Waveform, phonemes
from keras_gans.models.hifigan import default_mel

PACKAGE = "asterisk-core-sounds-en-g722"
HERE = pathlib.Path(__file__).parent
IMAGES = pathlib.Path("docs/images")
RATE, HOP, SEGMENT, BATCH = 16000, 200, 8000, 8
PHRASES, WORDS = 100, 4
PAUSE = 0.15  # seconds between words, of recordings put together too
MODEL = {"d_width": 4, "scales": 0}
LEARNING_RATE = 5e-4
SHOWN = "seven three nine"


def fetch(data):
    import imageio_ffmpeg

    lines = (HERE / "speech_words.txt").read_text().splitlines()
    texts = dict(line.split("|") for line in lines)
    (data / "wavs").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        subprocess.run(["apt-get", "download", PACKAGE], cwd=folder, check=True)
        (package,) = folder.glob("*.deb")
        subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
        sounds = next(folder.rglob("en_US_f_Allison"))
        for path in texts:
            out = data / "wavs" / f"{path.replace('/', '__')}.wav"
            ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y"]
            source = ["-f", "g722", "-i", sounds / f"{path}.g722"]
            subprocess.run([*ffmpeg, *source, "-ar", str(RATE), out], check=True)
    rows = [f"{path.replace('/', '__')}|{text}\n" for path, text in texts.items()]
    (data / "metadata.csv").write_text("".join(rows))
    print(align(data, overwrite=True))


class Ear:
    """pocketsphinx with the words that were recorded, in any order and number."""

    def __init__(self, data):

        alignment = json.loads((data / "alignment.json").read_text())
        heard = dict(sorted(read_metadata(data), reverse=True))
        heard = {n: text for n, text in heard.items() if n in alignment}
        single = {t: n for n, t in heard.items() if " " not in t}
        # One of those that sound alike, such as "for" and "four".
        sounds = {phonemes.words_of(word)[0][1]: word for word in sorted(single)}
        self.words = sorted(sounds.values())
        self.recordings = {word: single[word] for word in self.words}
        self.decoder = decoder_of(self.words)
        rng = np.random.default_rng(0)
        self.phrases = [list(rng.choice(self.words, WORDS)) for _ in range(PHRASES)]

    def hear(self, sound):
        quiet = np.random.default_rng(0).normal(size=(2, 4800)) * 1e-4
        sound = 0.7 * sound / max(1e-3, np.abs(sound).max())
        pcm = np.concatenate([quiet[0], sound, quiet[1]])
        pcm = np.clip(np.rint(pcm * 32767), -32768, 32767).astype("<i2")
        self.decoder.start_utt()
        self.decoder.process_raw(pcm.tobytes(), no_search=False, full_utt=True)
        self.decoder.end_utt()
        said = self.decoder.hyp()
        return [] if said is None else said.hypstr.split()

    def score(self, speak):
        """Of all words, in percent: how many are found, and how many are put in."""
        found = extra = 0
        for phrase in self.phrases:
            heard = self.hear(speak(phrase))
            right = matches(phrase, heard)
            found += right
            extra += max(0, len(heard) - len(phrase))
        total = PHRASES * WORDS
        return {
            "found": round(100 * found / total, 1),
            "extra": round(100 * extra / total, 1),
        }


def decoder_of(words):
    """pocketsphinx of these words alone, all of them as likely after each other."""
    import pocketsphinx

    each = f"{-np.log10(len(words) + 1):.4f}"
    rows = "".join(f"{each} {word} 0\n" for word in ("</s>", *words))
    model = f"\\data\\\nngram 1={len(words) + 2}\n\n\\1-grams:\n-99 <s> 0\n{rows}"
    known = phonemes.dictionary()
    spoken = [
        f"{entry} {' '.join(known[entry])}\n"
        for word in words
        for entry in (word, *(f"{word}({k})" for k in range(2, 6)))
        if entry in known
    ]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "lm.arpa").write_text(f"{model}\n\\end\\\n")
        (folder / "words.dict").write_text("".join(spoken))
        return pocketsphinx.Decoder(
            lm=str(folder / "lm.arpa"),
            dict=str(folder / "words.dict"),
            loglevel="FATAL",
        )


def matches(said, heard):
    """How many words an alignment of the fewest errors has right."""
    rows = [[(j, 0) for j in range(len(heard) + 1)]]
    for i, word in enumerate(said, 1):
        row = [(i, 0)]
        for j, other in enumerate(heard, 1):
            same = word == other
            cost, right = rows[-1][j - 1]
            options = [(cost + (not same), -(-right + same))]
            options.append((rows[-1][j][0] + 1, rows[-1][j][1]))
            options.append((row[-1][0] + 1, row[-1][1]))
            row.append(min(options))
        rows.append(row)
    return -rows[-1][-1][1]


def together(sounds):
    quiet = np.zeros(round(PAUSE * RATE), "float32")
    return np.concatenate([part for sound in sounds for part in (sound, quiet)])


def griffin_lim(mel, spectrogram, iterations=60):
    """The waveform of a log-mel spectrogram, from random phases."""
    n_fft, hop = spectrogram.n_fft, spectrogram.hop
    inverse = np.linalg.pinv(spectrogram.filters.astype("float64"))
    magnitudes = np.maximum(np.exp(mel.astype("float64")) @ inverse, 1e-8)
    window = np.zeros(n_fft)
    start = (n_fft - spectrogram.window) // 2
    ramp = np.arange(spectrogram.window) / spectrogram.window
    window[start : start + len(ramp)] = 0.5 - 0.5 * np.cos(2 * np.pi * ramp)
    length = (len(mel) - 1) * hop + n_fft
    places = np.arange(len(mel))[:, None] * hop + np.arange(n_fft)
    weight = np.bincount(places.ravel(), np.tile(window**2, len(mel)), length)
    phases = np.random.default_rng(0).uniform(0, 2 * np.pi, magnitudes.shape)
    spectra = magnitudes * np.exp(1j * phases)
    for _ in range(iterations + 1):
        frames = np.fft.irfft(spectra, n_fft) * window
        sound = np.bincount(places.ravel(), frames.ravel(), length)
        sound /= np.maximum(weight, 1e-3)
        again = np.fft.rfft(sound[places] * window)
        spectra = magnitudes * np.exp(1j * np.angle(again))
    side = (n_fft - hop) // 2
    return sound[side : side + len(mel) * hop]


class Watch(keras.callbacks.Callback):
    """Saves the run, and scores it at each quarter."""

    def __init__(self, path, ear, results, every):
        super().__init__()
        self.path, self.ear, self.results, self.every = path, ear, results, every
        self.spent = 0.0
        self.note = path.with_suffix(".json")
        if self.note.exists():
            self.spent = json.loads(self.note.read_text())["spent"]
        self.start = time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        self.spent += time.process_time() - self.start
        gan, step = self.model, int(self.model.step)
        logs = {name: round(float(value), 4) for name, value in logs.items()}
        print(step, round(self.spent), logs, flush=True)
        gan.save(self.path)
        self.note.write_text(json.dumps({"spent": self.spent}))
        if step % self.every == 0:
            write(self.results, scored(gan, self.ear, self.spent))
        self.start = time.process_time()  # scoring is not training


def scored(gan, ear, spent):
    line = {
        "what": "text_to_speech",
        "steps": int(gan.step),
        "cpu_seconds": round(spent),
    }
    return line | ear.score(lambda phrase: gan.say(" ".join(phrase), pause=PAUSE)[:, 0])


def score(data, work, results):
    gan = keras.saving.load_model(work / "speech.keras")
    spent = json.loads((work / "speech.json").read_text())["spent"]
    write(results, scored(gan, Ear(data), spent))


def train(data, steps, work, results):
    path = work / "speech.keras"
    work.mkdir(parents=True, exist_ok=True)
    if path.exists():
        gan = keras.saving.load_model(path)
    else:
        keras.utils.set_random_seed(0)
        decay = (steps // 2, steps)
        gan = kg.TextToSpeech(RATE, SEGMENT, **MODEL, ema=0.999, linear_decay=decay)
        adam = [
            kg.core.optimizers.TorchAdam(
                LEARNING_RATE, 0.8, 0.99, 1e-8, weight_decay=0.01
            )
        ]
        adam.append(
            kg.core.optimizers.TorchAdam(
                LEARNING_RATE, 0.8, 0.99, 1e-8, weight_decay=0.01
            )
        )
        gan.compile(*adam)
    done = int(gan.step)
    dataset = load_speech(
        data,
        samples=SEGMENT,
        hop=HOP,
        rate=RATE,
        batch_size=BATCH,
        repeat=True,
        start=done,
    )
    watch = Watch(path, Ear(data), results, steps // 4)
    each = steps // 40
    gan.fit(
        dataset,
        epochs=(steps - done) // each,
        steps_per_epoch=each,
        verbose=0,
        callbacks=[watch],
    )


def floors(data, results):
    ear, mel = Ear(data), default_mel(RATE, HOP)
    sounds = {
        word: read_sound(data / "wavs" / f"{name}.wav", RATE)[:, 0]
        for word, name in ear.recordings.items()
    }
    print(len(ear.words), "words")
    real = ear.score(lambda phrase: together([sounds[w] for w in phrase]))
    write(results, {"what": "the recordings, put together", **real})
    copies = {}
    for word, sound in sounds.items():
        sound = np.pad(sound, (0, -len(sound) % HOP))
        copies[word] = griffin_lim(np.array(mel(sound[None]))[0], mel)
    made = ear.score(lambda phrase: together([copies[w] for w in phrase]))
    write(results, {"what": "their mel spectrograms through Griffin-Lim", **made})


def write(results, line):
    print(line, flush=True)
    results.parent.mkdir(exist_ok=True)
    with results.open("a") as file:
        file.write(json.dumps(line) + "\n")


def docs(work, results):
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    print("| | words found | extra words |\n|---|---|---|")
    for line in lines:
        what = line["what"]
        if "steps" in line:
            what = (
                f"{line['steps']:,} steps, {line['cpu_seconds'] / 60:.0f} CPU minutes"
            )
        print(f"| {what} | {line['found']} % | {line['extra']} % |")
    gan = keras.saving.load_model(work / "speech.keras")
    IMAGES.mkdir(exist_ok=True)
    sound = gan.say(SHOWN, pause=PAUSE)
    preview = Waveform(None, 1, RATE).preview(sound[None], names=[SHOWN])
    preview.save(IMAGES / "text_to_speech.png", overwrite=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "command", choices=("fetch", "train", "score", "floors", "docs")
    )
    path = pathlib.Path
    parser.add_argument("--data", type=path, default=path("data/allison"))
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--results", type=path, default=path("results/speech.jsonl"))
    parser.add_argument("--work", type=path, default=path("runs/speech"))
    args = parser.parse_args()
    if args.command == "fetch":
        fetch(args.data)
    elif args.command == "train":
        train(args.data, args.steps, args.work, args.results)
    elif args.command == "score":
        score(args.data, args.work, args.results)
    elif args.command == "floors":
        floors(args.data, args.results)
    else:
        docs(args.work, args.results)


if __name__ == "__main__":
    main()
