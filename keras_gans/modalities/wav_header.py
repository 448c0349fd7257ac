"""What the header of a WAV file says of its length."""

import struct
from typing import IO

# A stream is begun before its length is known: its header says 0, or nearly the
# most that 31 or 32 bits hold.
UNKNOWN = 0x7FFF_F000
PAD = 1  # byte after an odd number of them, which some count


def check_wav_is_whole(file: IO[bytes], size: int) -> None:
    """Refuses a WAV file that holds fewer bytes of sound than its header says.

    Args:
        file: binary file, read from its beginning up to the samples. What is no
            RIFF, RIFX or RF64 file is left to decoders.
        size: int, the file's bytes.

    Raises:
        ValueError: bytes are missing.
    """
    kind, of_wide = file.read(12), 0
    if kind[:4] not in (b"RIFF", b"RIFX", b"RF64") or kind[8:] != b"WAVE":
        return
    form = ">4sI" if kind[:4] == b"RIFX" else "<4sI"
    at = 12
    while len(head := file.read(8)) == 8:
        name, count = struct.unpack(form, head)
        at += 8
        if name == b"data":
            break
        if name == b"ds64":
            of_wide = int.from_bytes(file.read(16)[8:], "little")
        at += count + count % 2
        file.seek(at)
    else:
        return
    if kind[:4] == b"RF64":
        count = of_wide
    elif count >= UNKNOWN:
        return
    if count - (size - at) > PAD:
        raise ValueError(
            f"it is cut off: its header announces {count:,} bytes of sound, and it "
            f"holds {size - at:,}"
        )
