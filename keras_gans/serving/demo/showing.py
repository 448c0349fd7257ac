"""`keras_gans.demo`: a server in the background, and its page."""

import contextlib
import html
import threading
from typing import Self
import webbrowser

from keras_gans.core.gan import BaseGAN
from keras_gans.core.presets import pretrained
from keras_gans.serving import web
from keras_gans.serving.demo.app import make_app
from keras_gans.serving.demo.models import Model
from keras_gans.utils.optional import require
from keras_gans.utils.types import Path

_shown = {}  # the demos that `demo` has open, by their models


class Demo:
    """A demo that is served in the background, until it is closed.

    Args:
        *models: `BaseGAN`s, or str or paths of runs, presets and `.keras` files; by
            default the presets that come with the package.
        host: str, the address that is listened at.
        port: int, 0 for any that is free.
        notebook: bool, whether a notebook of this machine may show it in a frame.

    Attributes:
        port: int.
        url: str, of the page.

    Raises:
        ValueError: one of the models is none, or the port is in use.
        ImportError: the extra `demo` is not installed.
    """

    def __init__(
        self,
        *models: BaseGAN | Path,
        host: str = "127.0.0.1",
        port: int = 0,
        notebook: bool = False,
    ):
        require("uvicorn", "demo", "The demo")
        app = make_app([Model(model) for model in models or pretrained()], notebook)
        self._server = web.WebServer(app, host, port, grace=2.0, max_connections=64)
        self.port, self.url = self._server.port, self._server.url

    def start(self) -> Self:
        """Begins to serve."""
        self._server.start()
        return self

    def open(self) -> None:
        """Opens the page in the user's browser."""
        webbrowser.open(self.url)

    def wait(self) -> None:
        """Serves until Ctrl+C is pressed, then closes."""
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
        self.close()

    def close(self) -> None:
        """Ends it; what is being answered still is."""
        self._server.stop()
        for key in [key for key, shown in _shown.items() if shown is self]:
            del _shown[key]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error) -> None:
        self.close()

    def __repr__(self):
        return f"<keras_gans demo at {self.url}>"

    def _repr_html_(self):
        """The page, as the result of a notebook's cell."""
        return (
            f'<iframe src="{html.escape(self.url)}" title="keras_gans demo" '
            'width="100%" height="760" style="border:0;border-radius:12px"></iframe>'
        )


def demo(*models: BaseGAN | Path, host: str = "127.0.0.1", port: int = 0) -> Demo:
    """Shows models on a page: pictures, sounds, speech, solids, clips.

    It is served in the background: a notebook shows it below the cell. In a script,
    `keras_gans.demo(gan).wait()` serves until Ctrl+C is pressed. The page is of this
    machine alone, and loads nothing from elsewhere. Shown again, as by a cell that is
    run twice, the same models have a new demo, and the one before is closed.

    Args:
        *models: `BaseGAN`s, or str or paths of runs, presets and `.keras` files; by
            default the presets that come with the package, see
            `keras_gans.pretrained`.
        host: str, the address that is listened at. Others than this machine's let
            everybody in who reaches it.
        port: int, 0 for any that is free.

    Returns:
        `Demo`, with `url`, `open()`, `wait()` and `close()`.

    Raises:
        ValueError: one of the models is none, or the port is in use.
        ImportError: the extra `demo` is not installed.

    Example:

    ```python
    gan = keras_gans.DCGAN(image_shape=(16, 16, 1), width=8)
    shown = keras_gans.demo(gan)
    shown.url  # "http://127.0.0.1:40123/"
    shown.close()
    ```
    """
    # A demo holds its models: while it is here, no other has the id of one.
    key = tuple(id(m) if isinstance(m, BaseGAN) else str(m) for m in models)
    if key in _shown:
        _shown[key].close()
    new_demo = Demo(*models, host=host, port=port, notebook=True).start()
    _shown[key] = new_demo
    return new_demo
