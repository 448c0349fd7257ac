"""Photographs the site, in Debian's chromium, at two widths and in two schemes.

mkdocs build
python docs/tools/screens.py [--pages=index,questions] [--to=screens]
"""

import argparse
import contextlib
import functools
import http.server
import pathlib
import shutil
import threading

from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).parents[2]
VIEWS = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


@contextlib.contextmanager
def served(folder):
    """The address at which a folder can be read."""
    handler = functools.partial(Quiet, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def chromium():
    with sync_playwright() as driver:
        path = shutil.which("chromium")
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        with contextlib.closing(browser):
            yield browser


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--site", default=ROOT / "site", type=pathlib.Path, help="what MkDocs wrote")
    add("--pages", default="index,models,questions,reference/models", help="by name")
    add("--to", default="screens", type=pathlib.Path, help="folder of PNG files")
    arguments = parser.parse_args()
    arguments.to.mkdir(parents=True, exist_ok=True)
    with served(arguments.site) as address, chromium() as browser:
        for name in arguments.pages.split(","):
            for view, viewport in VIEWS.items():
                for scheme in ("light", "dark"):
                    page = browser.new_page(viewport=viewport, color_scheme=scheme)
                    with contextlib.closing(page):
                        page.goto(f"{address}/{name}.html")
                        page.wait_for_load_state("networkidle")
                        wide = page.evaluate("document.documentElement.scrollWidth")
                        file = f"{name.replace('/', '-')}-{view}-{scheme}.png"
                        page.screenshot(path=arguments.to / file)
                        told = "" if wide <= viewport["width"] else f": {wide} wide!"
                        print(file + told, flush=True)


if __name__ == "__main__":
    main()
