"""TensorFlow Serving's REST protocol."""

import asyncio
from collections.abc import Callable
import json
import re
import time
from typing import Any

from google.protobuf import json_format
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from keras_gans.serving import messages, monitor, tensors
from keras_gans.serving.servable import Signature
from keras_gans.serving.status import HTTP, ServingError, invalid, shown
from keras_gans.serving.versions import Models, Place

PATH = re.compile(
    r"/v1/models/(?P<name>[^/:]+)"
    r"(?:/versions/(?P<version>[^/:]+)|/labels/(?P<label>[^/:]+))?"
    r"(?P<verb>/metadata|:predict|:classify|:regress)?"
)
LARGE = 2**15  # bytes of JSON that are read in a thread
READERS = 2  # large ones that are read at once
ROWS, COLUMNS = "instances", "inputs"


def make_app(models: Models, counts: monitor.Monitor) -> Starlette:
    """The ASGI application of some models.

    - `POST /v1/models/NAME[/versions/N|/labels/L]:predict`
    - `GET /v1/models/NAME[/versions/N|/labels/L]`, the status
    - `GET /v1/models/NAME[/versions/N|/labels/L]/metadata`
    - `GET /healthz`, `/readyz`, `/monitoring/prometheus/metrics`
    - `GET /`, the models and their paths

    Args:
        models: `Models`.
        counts: `Monitor` that counts their requests.
    """
    api = _Api(models, counts)

    async def index(request):
        names = models.names()
        return JSONResponse({"models": {n: f"/v1/models/{n}" for n in names}})

    async def health(request):
        return JSONResponse({"status": "ok"})

    async def ready(request):
        there = models.ready()
        return JSONResponse(
            {"status": "ok" if there else "no model is served"}, 200 if there else 503
        )

    async def metrics(request):
        return Response(counts.text(models), media_type=counts.content_type)

    get = {"methods": ["GET"]}
    every = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    return Starlette(
        routes=[
            Route("/", index, **get),
            Route("/healthz", health, **get),
            Route("/readyz", ready, **get),
            Route("/monitoring/prometheus/metrics", metrics, **get),
            Route("/{path:path}", api, methods=every),
        ]
    )


class _Api:
    """The endpoints under /v1/models."""

    def __init__(self, models, counts):
        self.models = models
        self.counts = counts
        self._reading = asyncio.Semaphore(READERS)

    async def __call__(self, scope, receive, send):
        begun = time.perf_counter()
        request = Request(scope, receive)
        place, code = None, "OK"
        try:
            place, answer = self._route(request)
            response = await answer(request, place)
        except ServingError as error:
            code = error.code
            response = JSONResponse({"error": str(error)}, HTTP[code])
        known = place is not None and place.name in self.models.names()
        name = place.name if known else monitor.OTHER
        self.counts.request(name, "rest", code, time.perf_counter() - begun)
        await response(scope, receive, send)

    def _route(self, request) -> tuple[Place, Callable]:
        path = request.url.path
        match = PATH.fullmatch(path)
        malformed = f"Malformed request: {request.method} {shown(path)}."
        if not match:
            if path.rstrip("/") == "/v1/models":
                raise invalid("Missing model name in request.")
            raise invalid(malformed)
        version = match["version"]
        if version and not (version.isascii() and version.isdecimal()):
            raise invalid(f"A version is a number. Received: {shown(version)}.")
        if version and int(version[:30]) >= 2**63:
            raise invalid(f"Failed to convert version: {shown(version)} to numeric.")
        place = Place(
            match["name"], int(version) if version else None, match["label"] or ""
        )
        verb = match["verb"]
        answers = {
            ("POST", ":predict"): self._predict,
            ("GET", None): self._status,
            ("GET", "/metadata"): self._metadata,
        }
        if verb in (":classify", ":regress") and request.method == "POST":
            raise ServingError(
                "UNIMPLEMENTED", f"Generators do not {verb[1:]}. Ask for :predict."
            )
        if (request.method, verb) not in answers:
            method = next((m for m, known in answers if known == verb), "POST")
            raise invalid(f"{malformed} Ask for it by {method}.")
        return place, answers[request.method, verb]

    async def _status(self, request, place):
        return _json_of(messages.model_status(self.models, place))

    async def _metadata(self, request, place):
        number, batcher = self.models.find(place)
        definitions = messages.signature_map(batcher.servable)
        spec = {"name": place.name, "signature_name": "", "version": str(number)}
        return JSONResponse(
            {"model_spec": spec, "metadata": {"signature_def": _dict_of(definitions)}}
        )

    async def _predict(self, request, place):
        body = await request.body()
        asked = await self._in_thread(len(body), _parse, body)
        by_rows = ROWS in asked

        def read(signature):
            values = asked[ROWS if by_rows else COLUMNS]
            return (from_rows if by_rows else from_columns)(signature, values)

        def submit():
            return self.models.predict(place, asked.get("signature_name", ""), read, [])

        self.models.find(place)  # an unknown one is told before tensors are read
        _, signature, future = await self._in_thread(len(body), submit)
        answer = await asyncio.wrap_future(future)
        size = sum(value.nbytes for value in answer.values())
        write = to_rows if by_rows else to_columns
        text = await self._in_thread(size, _dump, write, signature, answer)
        return Response(text, media_type="application/json")

    async def _in_thread(self, size, function, *args):
        """Calls a function: in a thread, few at once, where it takes long."""
        if size < LARGE:
            return function(*args)
        async with self._reading:
            return await run_in_threadpool(function, *args)


def _parse(body: bytes) -> dict:
    """The JSON object of a request.

    Raises:
        ServingError: it is none, or lacks something.
    """
    try:
        asked = json.loads(body)
    except RecursionError:
        raise invalid("JSON Parse error: it is nested too deeply.") from None
    except ValueError as error:  # of JSON, UTF-8 and too long numbers
        raise invalid(f"JSON Parse error: {shown(str(error))}.") from None
    if type(asked) is not dict:
        raise invalid(
            "The request is a JSON object. Received: "
            f"{'a list' if type(asked) is list else shown(asked)}."
        )
    name = asked.get("signature_name", "")
    if type(name) is not str:
        raise invalid(
            f"'signature_name' must be a string value. Received: {shown(name)}."
        )
    if (ROWS in asked) == (COLUMNS in asked):
        raise invalid(
            f"The request has either '{ROWS}' or '{COLUMNS}'. Received: "
            f"{', '.join(map(shown, list(asked)[:20])) or 'neither'}."
        )
    return asked


def from_rows(signature: Signature, rows: Any) -> dict:
    """The arrays of `instances`: a list of rows.

    Raises:
        ServingError: they do not fit the signature.
    """
    if type(rows) is not list or not rows:
        raise invalid(f"'{ROWS}' is a list of one or more. Received: {shown(rows)}.")
    specs = signature.inputs
    for spec in specs.values():
        if spec.shape is not None and not spec.batched:
            raise invalid(
                f"The input {spec.name} does not have rows: send '{COLUMNS}' in "
                f"place of '{ROWS}'."
            )
    named = _names_inputs(rows[0])
    if len(specs) > 1 and not named:
        raise invalid(
            f"Each of '{ROWS}' is an object with {', '.join(sorted(specs))}. "
            f"Received: {shown(rows[0])}."
        )
    if not named:
        (name,) = specs
        return {name: tensors.from_json(specs[name], rows)}
    for row in rows:
        if type(row) is not dict:
            raise invalid(f"All of '{ROWS}' are objects. Received: {shown(row)}.")
        tensors.check_names(specs, row)
    return {
        name: tensors.from_json(spec, [row[name] for row in rows])
        for name, spec in specs.items()
    }


def from_columns(signature: Signature, columns: Any) -> dict:
    """The arrays of `inputs`: an object of them, or the one there is.

    Raises:
        ServingError: they do not fit the signature.
    """
    specs = signature.inputs
    if not _names_inputs(columns):
        if len(specs) != 1:
            raise invalid(
                f"'{COLUMNS}' is an object with {', '.join(sorted(specs))}. "
                f"Received: {shown(columns)}."
            )
        columns = {next(iter(specs)): columns}
    tensors.check_names(specs, columns)
    return {
        name: tensors.from_json(spec, columns[name]) for name, spec in specs.items()
    }


def _names_inputs(value):
    """Whether a value is an object of inputs, and not of bytes."""
    return type(value) is dict and set(value) != {"b64"}


def to_rows(signature: Signature, outputs: dict) -> dict:
    """The reply to `instances`.

    Raises:
        ServingError: the outputs do not have as many rows.
    """
    lists = _lists(signature, outputs)
    lengths = {len(value) if value.ndim else -1 for value in outputs.values()}
    if len(lengths) > 1 or -1 in lengths:
        raise invalid(
            f"The outputs of {signature.name} do not have as many rows: send "
            f"'{COLUMNS}' in place of '{ROWS}'."
        )
    if len(lists) == 1:
        return {"predictions": next(iter(lists.values()))}
    rows = zip(*lists.values(), strict=True)
    return {"predictions": [dict(zip(lists, row, strict=True)) for row in rows]}


def to_columns(signature: Signature, outputs: dict) -> dict:
    """The reply to `inputs`."""
    lists = _lists(signature, outputs)
    return {"outputs": next(iter(lists.values())) if len(lists) == 1 else lists}


def _lists(signature, outputs):
    return {
        name: tensors.to_json(signature.outputs[name], value)
        for name, value in outputs.items()
    }


def _dump(write, signature, answer):
    return json.dumps(write(signature, answer)).encode()


def _json_of(message):
    return JSONResponse(_dict_of(message))


def _dict_of(message):
    return json_format.MessageToDict(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
    )
