"""The site: MkDocs builds it without a warning, offline, and its search finds."""

import functools
import json
import os
import re
import subprocess
import sys

import lunr
from paths import ROOT
import pytest
import yaml

sys.path.append(str(ROOT / "docs" / "tools"))
import hook

# What users ask, in the words of the trackers of GAN libraries, and the pages that
# answer. One of them must be among the first three found.
ASKED = {
    "discriminator loss goes to zero": ("questions", "collapse"),
    "mode collapse all samples look the same": ("collapse", "questions"),
    "resume training from checkpoint": ("questions",),
    "train on my own images": ("data", "tutorials/own_pictures"),
    "multiple GPUs": ("scaling", "tutorials/several_gpus", "questions"),
    "FID different from paper": ("questions", "evaluation"),
    "load pretrained StyleGAN2 weights": ("presets", "tutorials/fine_tune"),
    "grayscale images channels": ("questions", "data"),
    "out of memory batch size": ("questions", "scaling"),
    "export model to onnx": ("exporting", "tutorials/serve"),
}  # fmt: skip


class _Loader(yaml.SafeLoader):
    """Reads mkdocs.yml without making what its tags name."""


_Loader.add_multi_constructor("tag:yaml.org,2002:python", lambda *given: None)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    run = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


@functools.cache
def nav():
    """The pages of the navigation."""
    config = yaml.load((ROOT / "mkdocs.yml").read_text(), _Loader)

    def below(entry):
        if isinstance(entry, str):
            return [entry]
        values = entry.values() if isinstance(entry, dict) else entry
        return [page for value in values for page in below(value)]

    return below(config["nav"])


def test_every_page_is_in_the_navigation_once():
    """A new page is a line of mkdocs.yml."""
    docs = ROOT / "docs"
    pages = {str(path.relative_to(docs)) for path in docs.rglob("*.md")}
    assert set(nav()) == pages | set(hook.OUTSIDE.values())
    assert len(nav()) == len(set(nav()))


def test_the_site_asks_nobody_else(site):
    """No script, style, font or picture is of another place."""
    checked = 0
    for path in [*site.rglob("*.html"), *site.rglob("*.css")]:
        text = path.read_text(encoding="utf-8")
        checked += 1
        loaded = re.findall(
            r"<(?:script|img|iframe|source)[^>]+src=\"?(https?:[^\" >]+)"
            r"|<link(?![^>]+rel=\"?(?:canonical|next|prev))[^>]+href=\"?"
            r"(https?:[^\" >]+)"
            r"|url\(\"?(https?:[^)]+)",
            text,
        )
        assert loaded == [], path
    assert checked > 60


def test_the_reference_has_every_public_name(site):
    import keras_gans

    text = "".join(p.read_text() for p in (site / "reference").glob("*.html"))
    shown = set(re.findall(r'id="(keras_gans[\w.]*)"', text))
    for name in keras_gans.__all__:
        value = getattr(keras_gans, name)
        if isinstance(value, type) or callable(value):
            place = hook.place_of(f"keras_gans.{name}")
            assert place in shown, name
    assert len([name for _, names in hook.groups().values() for name in names]) > 180


def found(index, pages, words):
    """The pages that a search finds, the best first, as Material ranks them."""
    order = []
    for hit in index.search(" ".join(words.split())):
        page = pages[hit["ref"]].removesuffix(".html")
        if page not in order:
            order.append(page)
    return order


@pytest.fixture(scope="module")
def index(site):
    """The index of the site's search: titles count a thousandfold there too."""
    docs = json.loads((site / "search" / "search_index.json").read_text())["docs"]
    tag = re.compile(r"<[^>]+>")
    rows = [
        {"id": str(i), "title": tag.sub("", d["title"]), "text": tag.sub("", d["text"])}
        for i, d in enumerate(docs)
    ]
    fields = [{"field_name": "title", "boost": 1000}, {"field_name": "text"}]
    pages = {str(i): d["location"].partition("#")[0] for i, d in enumerate(docs)}
    return lunr.lunr(ref="id", fields=fields, documents=rows), pages


@pytest.mark.parametrize("words", ASKED)
def test_questions_are_found(words, index):
    first = found(*index, words)[:3]
    assert set(ASKED[words]) & set(first), first
