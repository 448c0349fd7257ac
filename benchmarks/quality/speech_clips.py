"""Fetches recordings of one voice: Debian's asterisk-core-sounds-en-g722.

    python benchmarks/quality/speech_clips.py --out=runs/speech_clips

553 clips, 25 minutes, of one speaker, at 16 kHz. They are under CC-BY-SA-3.0, and
so no part of this project. The package is downloaded by `apt-get`, or given by
--package; `dpkg-deb` unpacks it, and ffmpeg (of the extra "video") decodes it. A
clip digits/1.g722 becomes OUT/train/digits/1.wav; every twelfth clip goes to
OUT/held_out instead.
"""

import pathlib
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import fetching

PACKAGE = "asterisk-core-sounds-en-g722"
EVERY = 12
# Silence, tones and monkeys.
OTHERS = ("silence/", "beep", "ascending-", "descending-", "tt-monkeys.")


def fetch(out, package=None):
    """Writes the clips as WAV files; returns how many."""
    import imageio_ffmpeg

    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        if package is None:
            subprocess.run(["apt-get", "download", PACKAGE], cwd=folder, check=True)
            (package,) = folder.glob(f"{PACKAGE}_*.deb")
        subprocess.run(["dpkg-deb", "-x", package, folder / "files"], check=True)
        clips = sorted((folder / "files").rglob("*.g722"))
        voice = next(p for p in clips[0].parents if p.parent.name == "sounds")
        names = [clip.relative_to(voice).as_posix() for clip in clips]
        clips = [
            c
            for c, name in zip(clips, names, strict=True)
            if not name.startswith(OTHERS)
        ]
        for i, clip in enumerate(clips):
            part = out / ("held_out" if i % EVERY == EVERY - 1 else "train")
            target = (part / clip.relative_to(voice)).with_suffix(".wav")
            target.parent.mkdir(parents=True, exist_ok=True)
            command = [ffmpeg, "-v", "error", "-y", "-f", "g722", "-i", clip, target]
            subprocess.run(command, check=True)
    return len(clips)


if __name__ == "__main__":
    fetching.main(fetch, __doc__, "runs/speech_clips", "clips")
