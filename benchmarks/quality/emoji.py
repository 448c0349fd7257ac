"""Fetches animated emoji: npm's @lobehub/fluent-emoji-anim-1.

    python benchmarks/quality/emoji.py --out=runs/emoji

477 WebP files of 256 x 256 pixels, most of them of 30 frames or more, under the MIT
licence. The package (165 MB) is downloaded by `npm pack`, or given by --package. Its
522 emoji that do not move are left out.
"""

import io
import pathlib
import subprocess
import sys
import tarfile
import tempfile

from PIL import Image

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import fetching

PACKAGE = "@lobehub/fluent-emoji-anim-1@1.0.0"


def fetch(out, package=None):
    """Writes the animations; returns how many."""
    with tempfile.TemporaryDirectory() as folder:
        if package is None:
            subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True)
            (package,) = pathlib.Path(folder).glob("*.tgz")
        out.mkdir(parents=True, exist_ok=True)
        count = 0
        with tarfile.open(package) as archive:
            for member in archive:
                name = pathlib.PurePosixPath(member.name).name
                if not (member.isfile() and name.endswith(".webp")):
                    continue
                content = archive.extractfile(member).read()
                with Image.open(io.BytesIO(content)) as image:
                    if image.n_frames > 1:
                        (out / name).write_bytes(content)
                        count += 1
    return count


if __name__ == "__main__":
    fetching.main(fetch, __doc__, "runs/emoji", "animations")
