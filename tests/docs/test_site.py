"""The site: MkDocs builds it without a warning, offline, and its search finds."""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.parse

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
    "train on my own images": ("questions", "data", "tutorials/own_pictures"),
    "multiple GPUs": ("scaling", "tutorials/several_gpus", "questions"),
    "multi-GPU training": ("scaling", "tutorials/several_gpus", "questions"),
    "learning rate": ("questions",),
    "tensorboard": ("questions",),
    "early stopping": ("questions",),
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


@pytest.mark.full
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


@pytest.mark.full
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
    rows = []
    for i, doc in enumerate(docs):
        texts = {key: tag.sub("", doc[key]) for key in ("title", "text")}
        rows.append(({"id": str(i), **texts}, {"boost": doc.get("boost", 1)}))
    fields = [{"field_name": "title", "boost": 1000}, {"field_name": "text"}]
    pages = {str(i): d["location"].partition("#")[0] for i, d in enumerate(docs)}
    return lunr.lunr(ref="id", fields=fields, documents=rows), pages


@pytest.mark.full
@pytest.mark.skipif(
    shutil.which("chromium") is None, reason="chromium is not installed"
)
def test_a_browser_finds_them_offline_on_a_phone(site):
    """In chromium, at a phone's width: the first three, and no other host is asked."""
    import screens

    with screens.served(site) as address, screens.chromium() as browser:
        page = browser.new_page(viewport=screens.VIEWS["phone"])
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        for words, pages in ASKED.items():
            page.goto(f"{address}/index.html?q={urllib.parse.quote(words)}")
            page.wait_for_selector(".md-search-result__item", state="attached")
            page.wait_for_timeout(1000)
            first = page.eval_on_selector_all(
                ".md-search-result__item > a:first-child",
                "links => links.slice(0, 3).map(link => new URL(link.href).pathname)",
            )
            names = {path.strip("/").removesuffix(".html") for path in first}
            assert names & set(pages), (words, first)
        for name in nav():
            if not name.startswith("reference"):
                page.goto(f"{address}/{name.removesuffix('.md')}.html")
                wide = page.evaluate("document.documentElement.scrollWidth")
                assert wide <= screens.VIEWS["phone"]["width"], name
        assert not [u for u in asked if not u.startswith((address, "data:", "blob:"))]


@pytest.mark.full
@pytest.mark.parametrize("words", ASKED)
def test_questions_are_found(words, index):
    first = found(*index, words)[:3]
    assert set(ASKED[words]) & set(first), first
