"""The routes of the demo: what a browser may ask, and what it is answered."""

from collections.abc import Callable
import importlib.resources
import json
import math
from typing import TYPE_CHECKING, Any

from keras_gans.serving import web
from keras_gans.serving.demo.models import Model
from keras_gans.serving.demo.views import View
from keras_gans.utils.optional import require
from keras_gans.utils.text import brief

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

# What is served of the package, and nothing else of the disk but grids of runs.
PAGE = {
    "index.html": "text/html; charset=utf-8",
    "demo.css": "text/css; charset=utf-8",
    "clips.js": "text/javascript; charset=utf-8",
    "demo.js": "text/javascript; charset=utf-8",
    "drawing.js": "text/javascript; charset=utf-8",
    "grid.js": "text/javascript; charset=utf-8",
    "pictured.js": "text/javascript; charset=utf-8",
    "samples.js": "text/javascript; charset=utf-8",
    "solids.js": "text/javascript; charset=utf-8",
    "sounds.js": "text/javascript; charset=utf-8",
    "speech.js": "text/javascript; charset=utf-8",
    "stage.js": "text/javascript; charset=utf-8",
    "training.js": "text/javascript; charset=utf-8",
    "viewer.js": "text/javascript; charset=utf-8",
    "waves.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
MOST_BYTES = 2**23  # of a picture that is sent
MOST_LETTERS = 1000  # of a sentence
REFUSED = (ValueError, ImportError, OSError)  # what is answered with its message
# What is asked of a view, and which models answer.
ANSWERED = {
    "samples": "Samples are of models that make some from noise",
    "file": "Files of samples are of models that make some from noise",
    "nearest": "Nearest pictures are of models that make pictures from noise",
    "walk": "Walks are of models that make pictures from noise",
    "film": "Walks are of models that make pictures from noise",
    "translate": "Translations are of models that make pictures of pictures, not of a "
    "seed",
    "say": "Speech is of models that say a text",
    "mesh": "Solids of a seed are of models that make some from noise",
    "mesh_of": "Solids of pictures are of models that make some of a picture",
    "file_of": "Solids of pictures are of models that make some of a picture",
}
NOTEBOOKS = "frame-ancestors http://localhost:* http://127.0.0.1:*"


def make_app(models: list[Model], notebook: bool = False) -> web.Guard:
    """The demo as an ASGI application that refuses pages from elsewhere.

    Args:
        models: list of `Model`s.
        notebook: bool, whether notebooks of this machine may show it in a frame.

    Raises:
        ImportError: the extra `demo` is not installed.

    Example:

    ```python
    from keras_gans.serving.demo.app import make_app
    from keras_gans.serving.demo.models import Model

    app = make_app([Model(keras_gans.DCGAN((16, 16, 1), width=2))])
    ```
    """
    require("starlette", "demo", "The demo")
    from starlette.applications import Starlette
    from starlette.responses import FileResponse, JSONResponse, Response
    from starlette.routing import Route

    folder = importlib.resources.files("keras_gans.serving.demo") / "page"
    contents = {name: (folder / name).read_bytes() for name in PAGE}
    headers = {}
    if notebook:
        policy = web.POLICY.replace("frame-ancestors 'none'", NOTEBOOKS)
        headers = {"content-security-policy": policy}

    def answer(data, type_, **more):
        return Response(data, media_type=type_, headers=more)

    def attached(name):
        return {"content-disposition": f'attachment; filename="{name}"'}

    def refused(error):
        return JSONResponse({"error": brief(str(error), 500)}, 400)

    def model_of(request):
        number = request.path_params["model"]
        if number >= len(models):
            raise ValueError(f"There is no model {number}.")
        return models[number]

    def route(path: str, function: "Callable[[Request], Response]", **options):
        """A route whose bad input is answered with what is wrong."""

        def called(request):
            try:
                return function(request)
            except REFUSED as error:
                return refused(error)

        return Route(path, called, **options)

    def file(name):
        return Route(
            "/" if name == "index.html" else f"/{name}",
            lambda request: answer(contents[name], PAGE[name]),
        )

    def about(request):
        known = [{"id": i, **model.about()} for i, model in enumerate(models)]
        return JSONResponse({"models": known})

    def samples(request):
        asked, view = _Query(request), _view_of(model_of(request), "samples")
        seed, n = asked.whole("seed", 0), asked.whole("n")
        return JSONResponse(view.samples(seed, n, **asked.inputs()))

    def sample(request):
        asked, view = _Query(request), _view_of(model_of(request), "file")
        format_, seed = request.path_params["format"], asked.whole("seed", 0)
        data, type_ = view.file(format_, seed, **asked.inputs())
        return answer(data, type_, **attached(f"{seed}.{format_}"))

    def near(request):
        asked, view = _Query(request), _view_of(model_of(request), "nearest")
        return JSONResponse(view.nearest(asked.whole("seed", 0), **asked.inputs()))

    def walk(request):
        asked, view = _Query(request), _view_of(model_of(request), "walk")
        given = asked.seeds(), asked.whole("frames", 48)
        return JSONResponse(view.walk(*given, **asked.inputs()))

    def film(request):
        asked, view = _Query(request), _view_of(model_of(request), "film")
        format_ = request.path_params["format"]
        given = asked.seeds(), asked.whole("frames", 48)
        data, type_ = view.film(format_, *given, **asked.inputs())
        return answer(data, type_, **attached(f"walk.{format_}"))

    def drawn(data, times):
        """A mesh for the page, and how much coarser than the solid it is."""
        return answer(data, "model/gltf-binary", **{"x-coarser": str(times)})

    def mesh(request):
        asked, view = _Query(request), _view_of(model_of(request), "mesh")
        return drawn(*view.mesh(asked.whole("seed", 0), **asked.inputs()))

    def posted(path: str, method: str, function: "Callable[..., Response]"):
        """A route of what a view makes of a picture that is sent."""

        async def called(request):
            from starlette.concurrency import run_in_threadpool

            try:
                view = _view_of(model_of(request), method)
                data = await request.body()
                return await run_in_threadpool(function, view, request, data)
            except REFUSED as error:
                return refused(error)

        return Route(path, called, methods=["POST"])

    def translate(view, request, data):
        direction = request.query_params.get("direction", "ab")
        return answer(view.translate(data, direction), "image/png")

    def mesh_of(view, request, data):
        return drawn(*view.mesh_of(data))

    def file_of(view, request, data):
        format_ = request.path_params["format"]
        made, type_ = view.file_of(format_, data)
        return answer(made, type_, **attached(f"solid.{format_}"))

    def examples(request):
        return JSONResponse(model_of(request).view.examples or {})

    def say(request):
        asked, view = _Query(request), _view_of(model_of(request), "say")
        return JSONResponse(
            view.say(
                asked.texts.get("text", ""),
                asked.whole("seed", 0),
                asked.number("speed", 1.0),
                asked.number("pause", 0.0),
                asked.texts.get("pronunciations", ""),
            )
        )

    def progress(request):
        told = json.dumps(_finite(model_of(request).progress()))
        return answer(told, "application/json")

    def grid(request):
        path = model_of(request).grid(request.path_params["step"])
        return FileResponse(path, media_type="image/png")

    one = "/api/models/{model:int}"
    routed = Starlette(
        routes=[
            *map(file, PAGE),
            route("/api/models", about),
            route(f"{one}/samples", samples),
            route(f"{one}/nearest", near),
            route(f"{one}/walk", walk),
            route(f"{one}/walk.{{format:str}}", film),
            route(f"{one}/sample.{{format:str}}", sample),
            route(f"{one}/speech", say),
            route(f"{one}/mesh", mesh),
            posted(f"{one}/translate", "translate", translate),
            posted(f"{one}/mesh", "mesh_of", mesh_of),
            posted(f"{one}/solid.{{format:str}}", "file_of", file_of),
            route(f"{one}/examples", examples),
            route(f"{one}/progress", progress),
            route(f"{one}/grids/{{step:int}}.png", grid),
        ]
    )
    return web.Guard(routed, headers=headers, max_body=MOST_BYTES)


def _view_of(model: Model, asked: str) -> View:
    """The view of a model, where it answers what is asked."""
    view = model.view
    if not hasattr(view, asked):
        raise ValueError(
            f"{ANSWERED[asked]}. Received: {model.name}, a {type(view.gan).__name__}."
        )
    return view


class _Query:
    """The numbers that an address holds."""

    def __init__(self, request):
        self.texts = request.query_params

    def _read(self, name, kind, usual):
        text = self.texts.get(name, "")
        if not text:
            return usual
        try:
            value = kind(text[:40])
            if not math.isfinite(value):
                raise ValueError
            return value
        except ValueError:
            raise ValueError(
                f"`{name}` is a number. Received: {brief(text, 40)!r}."
            ) from None

    def whole(self, name: str, usual: int | None = None) -> int | None:
        return self._read(name, int, usual)

    def number(self, name: str, usual: float | None = None) -> float | None:
        return self._read(name, float, usual)

    def inputs(self) -> dict[str, Any]:
        """The class, the truncation and the sentence that are asked for."""
        text = self.texts.get("text")
        return {
            "label": self.whole("label"),
            "truncation": self.number("truncation"),
            "text": None if text is None else text[:MOST_LETTERS],
        }

    def seeds(self) -> list[int]:
        try:
            return [int(text[:20]) for text in self.texts.get("seeds", "").split(",")]
        except ValueError:
            raise ValueError(
                "`seeds` are whole numbers with commas: 3,8. Received: "
                f"{brief(self.texts.get('seeds', ''), 40)!r}."
            ) from None


def _finite(value):
    """A value as JSON holds it: no NaN, no infinity."""
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
