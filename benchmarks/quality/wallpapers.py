"""Fetches good photos to learn super-resolution from: Debian's lomiri-wallpapers.

    python benchmarks/quality/wallpapers.py --out=runs/wallpapers

Twelve photos of 1365 x 1074 pixels and more, under CC-BY, CC-BY-SA and CC0, and so no
part of this project: the file OUT-copyright says which, and who took them. The package
is downloaded by `apt-get`, or given by --package; `dpkg-deb` unpacks it. Three of its
pictures are left out: they are hardly photos.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import fetching

PACKAGE = "lomiri-wallpapers-16.04"
# A drawing, a pattern, and a picture with hardly any contrast.
OTHERS = ("umang", "analogpattern", "Picture_0B")


def fetch(out, package=None):
    """Copies the photos; returns how many."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        if package is None:
            subprocess.run(["apt-get", "download", PACKAGE], cwd=folder, check=True)
            (package,) = folder.glob(f"{PACKAGE}_*.deb")
        files = folder / "files"
        subprocess.run(["dpkg-deb", "-x", package, files], check=True)
        photos = sorted((files / "usr/share/backgrounds").glob("*.jpg"))
        photos = [p for p in photos if not p.name.startswith(OTHERS)]
        out.mkdir(parents=True, exist_ok=True)
        for photo in photos:
            shutil.copy(photo, out / photo.name)
        shutil.copy(files / f"usr/share/doc/{PACKAGE}/copyright", f"{out}-copyright")
    return len(photos)


if __name__ == "__main__":
    fetching.main(fetch, __doc__, "runs/wallpapers", "photos")
