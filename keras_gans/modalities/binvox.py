"""The .binvox format of voxels: a few lines of text, and runs of bits."""

import numpy as np

from keras_gans.modalities import untrusted

MAX_HEADER = 4096
MAGIC = b"#binvox"


def decode_binvox(data: bytes) -> np.ndarray:
    """The voxels of a .binvox file: bool `[x, y, z]`.

    Raises:
        ValueError: it is damaged, or too large.

    Reference:
        https://www.patrickmin.com/binvox/binvox.html
    """
    head, marker, _ = data[:MAX_HEADER].partition(b"data\n")
    if not head.startswith(MAGIC) or not marker:
        raise ValueError("it is no .binvox file.")
    lines = [line.split() for line in head.decode("latin1").splitlines()]
    sides = next((line[1:] for line in lines if line[:1] == ["dim"]), [])
    if len(sides) != 3 or not all(side.isdecimal() for side in sides):
        raise ValueError("it does not say its sides, as in 'dim 32 32 32'.")
    depth, height, width = map(int, sides)
    untrusted.check_count((depth, height, width))
    pairs = np.frombuffer(data, "uint8", offset=len(head) + len(marker))
    if len(pairs) % 2:
        raise ValueError("it ends within a run of voxels.")
    values, counts = pairs[::2], pairs[1::2]
    wanted, total = depth * height * width, int(counts.sum(dtype="int64"))
    if total != wanted:
        raise ValueError(f"it announces {wanted} voxels and holds {total}.")
    if values.size and values.max() > 1:
        raise ValueError("it has voxels that are neither 0 nor 1.")
    # The second of its axes points up and runs fastest.
    voxels = np.repeat(values.astype(bool), counts)
    return voxels.reshape(depth, height, width).transpose(0, 2, 1)
