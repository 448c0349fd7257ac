"""Sounds for pages of the documentation, as small files that browsers play."""

import numpy as np
import soundfile

PAUSE = 0.15  # seconds between sounds
QUALITY = {"bitrate_mode": "VARIABLE", "compression_level": 0.5}


def write_row(path, sounds, rate):
    """Writes sounds `[samples, 1]`, one after the other, as an MP3 file."""
    pause = np.zeros((int(PAUSE * rate), 1), "float32")
    row = np.concatenate([part for sound in sounds for part in (sound, pause)])
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, row, rate, **QUALITY)
