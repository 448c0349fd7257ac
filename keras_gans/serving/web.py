"""What every local web page and server of the package stands behind."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
import contextlib
import errno
import ipaddress
import json
import logging
import socket
import threading
import time
from typing import Any, Self
from urllib.parse import urlsplit
import zlib

from keras_gans.training.signals import StopSignals
from keras_gans.utils import optional, validation

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOCAL = "127.0.0.1"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
MAX_BODY = 2**25
MAX_BODIES = 2**28
MAX_CONNECTIONS = 512
TIMEOUT = 20.0

access = logging.getLogger("keras_gans.access")
_log = logging.getLogger("keras_gans.web")


class Refused(Exception):
    """A request that is answered with an error.

    Args:
        status: int, the HTTP status.
        message: str, what is wrong with the request.
    """

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


class Guard:
    """An ASGI application that lets only sound requests through to another.

    - `Host` must be an address, "localhost", this machine's name or one of
      `hosts`: a page of a stranger's domain that resolves to this machine gets
      nothing (DNS rebinding). `Origin`, where there is one, must be the same.
    - A body is read whole before the application sees it: within `max_body`
      bytes, `max_bodies` of all requests together, and `timeout` seconds. A
      longer one that says so is refused before it is read. One that is packed by
      gzip is unpacked, within the same bounds.
    - Replies get the headers of `HEADERS` that the application does not set.
    - Errors are JSON: `{"error": message}`. What the application raises is
      logged, and answered with 500 without its text; `Refused` with its own.
    - Each request is logged to the logger `keras_gans.access`.

    Web sockets are refused.

    Args:
        app: the ASGI application.
        hosts: iterable of str, further names that this machine is called by.
        headers: dict of headers that replace those of `HEADERS`; `None` as a
            value leaves one out.
        max_body: int, the most bytes of a request.
        max_bodies: int, the most bytes of all requests that are being answered.
        timeout: float, the seconds within which a body must have come.

    Example:

    ```python
    from keras_gans.serving import web
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    page = Route("/", lambda request: PlainTextResponse("hello"))
    app = web.Guard(Starlette(routes=[page]), hosts=["gan.example"])
    ```
    """

    def __init__(
        self,
        app: App,
        hosts: Iterable[str] = (),
        headers: Mapping[str, str | None] | None = None,
        max_body: int = MAX_BODY,
        max_bodies: int = MAX_BODIES,
        timeout: float = TIMEOUT,
    ):
        self.app = app
        own = ("localhost", socket.gethostname())
        self.hosts = frozenset(name.lower() for name in (*own, *hosts))
        merged = {**HEADERS, **(headers or {})}
        self.headers = [
            (name.encode(), value.encode()) for name, value in merged.items() if value
        ]
        self.max_body = max_body
        self.max_bodies = max_bodies
        self.timeout = timeout
        self._body_bytes = 0  # of all requests at once

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, _Reply(send, self.headers))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope, receive, reply):
        begun, lengths = time.perf_counter(), []
        try:
            self._check_names(_headers_of(scope))
            body = await self._body(scope, receive, lengths)
            body = self._unpacked(scope, body, lengths)
            await self.app(scope, _replay(body, receive), reply)
        except Refused as refused:
            await reply.error(refused.status, str(refused))
        except Exception:
            _log.exception("a request failed")
            await reply.error(500, "This request failed; the server's log says why.")
        finally:
            self._body_bytes -= sum(lengths)
            client = scope.get("client") or ("-",)
            access.info(
                "%s %s %s %d %d bytes %.1f ms",
                client[0],
                scope["method"],
                ascii(scope["path"])[1:-1],
                reply.status,
                reply.sent,
                1000 * (time.perf_counter() - begun),
            )

    def _check_names(self, headers):
        hosts = headers.get("host", [])
        host = hosts[0] if len(hosts) == 1 else ""
        if not self._is_own(host):
            raise Refused(
                403,
                f"The host {host!r} is not one of this server. Ask for it by its "
                "address, or name the host when the server is started.",
            )
        for origin in headers.get("origin", []):
            try:
                there = urlsplit(origin).netloc.lower()
            except ValueError:
                there = ""
            if there != host.lower():
                raise Refused(
                    403, f"Pages of {origin!r} may not ask this server, {host!r}."
                )

    def _is_own(self, host):
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self.hosts:
            return True
        with contextlib.suppress(ValueError):
            return bool(ipaddress.ip_address(name))
        return False

    async def _body(self, scope, receive, lengths):
        """All of a request's body; `lengths` gets the bytes that count for it."""
        said = _headers_of(scope).get("content-length", ["0"])[0]
        self._check_length(int(said) if said.isdecimal() else 0)
        body = bytearray()
        try:
            async with asyncio.timeout(self.timeout):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Refused(400, "The body of the request ended early.")
                    part = message.get("body", b"")
                    self._check_length(len(body) + len(part))
                    self._hold(len(part), lengths)
                    body += part
                    if not message.get("more_body"):
                        return bytes(body)
        except TimeoutError:
            raise Refused(
                408, f"The request took more than {self.timeout:g} seconds to come."
            ) from None

    def _unpacked(self, scope, body, lengths):
        """A body without its `Content-Encoding`."""
        encodings = _headers_of(scope).get("content-encoding", [])
        if not encodings or encodings == ["identity"]:
            return body
        if encodings != ["gzip"]:
            shown = ", ".join(encodings)
            raise Refused(415, f"Bodies come plain or as gzip. Received: {shown!r}.")
        # Never more than may come: a bomb is not unpacked.
        reader = zlib.decompressobj(wbits=31)
        try:
            unpacked = reader.decompress(body, self.max_body + 1)
        except zlib.error as error:
            raise Refused(400, f"The body is no gzip: {error}.") from None
        self._check_length(len(unpacked))
        if not reader.eof or reader.unused_data:
            raise Refused(400, "The body is cut short, or more than one gzip.")
        self._hold(len(unpacked), lengths)
        return unpacked

    def _hold(self, length, lengths):
        if self._body_bytes + length > self.max_bodies:
            raise Refused(503, "Too many large requests at once. Try again.")
        lengths.append(length)
        self._body_bytes += length

    def _check_length(self, length):
        if length > self.max_body:
            raise Refused(
                413, f"The request is too large: more than {self.max_body} bytes."
            )


def _headers_of(scope):
    headers = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), []).append(
            value.decode("latin-1")
        )
    return headers


def _replay(body, receive):
    """A `receive` that gives the body, then waits for the client to leave."""
    parts = [{"type": "http.request", "body": body, "more_body": False}]

    async def again():
        return parts.pop() if parts else await receive()

    return again


class _Reply:
    """A `send` that adds headers, and counts."""

    def __init__(self, send, headers):
        self._send = send
        self._headers = headers
        self.status = 0
        self.sent = 0

    async def __call__(self, message):
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            there = {name.lower() for name, _ in headers}
            headers += [pair for pair in self._headers if pair[0] not in there]
            message = {**message, "headers": headers}
        self.sent += len(message.get("body", b""))
        await self._send(message)

    async def error(self, status, message):
        if self.status:  # a reply has begun: it can only be cut off
            return
        body = json.dumps({"error": message}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),  # the rest of a body is not waited for
        ]
        start = {"type": "http.response.start", "status": status, "headers": headers}
        await self(start)
        await self({"type": "http.response.body", "body": body})


def listen(host: str, port: int, name: str = "port") -> socket.socket:
    """A socket that is bound to a port.

    Args:
        host: str, an address or a name of this machine.
        port: int; 0 takes one that is free.
        name: str, what the port's argument is called.

    Raises:
        ValueError: the port is none, or in use, or not allowed; or the host is
            not of this machine.
    """
    ok = validation.is_int(port) and 0 <= port < 65536
    validation.within(name, port, ok, "[0, 65535]")
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, number, _, address = addresses[0]
        bound = socket.socket(family, kind, number)
    except (OSError, UnicodeError) as error:
        raise ValueError(
            f"`host` must be an address of this machine. Received: host={host!r} "
            f"({error})."
        ) from None
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(2048)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise ValueError(
                f"The port {port} of {host} is in use. Give another `{name}`, or 0 "
                "for one that is free."
            ) from None
        raise ValueError(
            f"Cannot listen on port {port} of {host}: {error.strerror}."
        ) from None
    return bound


class WebServer:
    """An ASGI application on a port, by uvicorn.

    The port is taken at once, so that a client may be told of it, and served
    from `run` or `start` on. Clients that take longer than `timeout` to send
    the head of a request or to read a reply are cut off.

    Args:
        app: the ASGI application, usually a `Guard`.
        host: str, where it listens: this machine alone by default.
        port: int; 0 takes one that is free.
        timeout: float, the seconds a client may keep the server waiting.
        grace: float, the seconds that `stop` waits for requests in flight.
        max_connections: int; further ones are answered with 503.

    Attributes:
        port: int, the port that it has.
        url: str, where it is found.

    Raises:
        ValueError: the port is in use; see `listen`.
        ImportError: uvicorn is not installed.

    Example:

    ```python
    from keras_gans.serving import web

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    with web.WebServer(web.Guard(app), port=0) as server:  # in a thread
        server.url  # "http://127.0.0.1:34567/"
    ```
    """

    def __init__(
        self,
        app: App,
        host: str = LOCAL,
        port: int = 0,
        timeout: float = TIMEOUT,
        grace: float = 10.0,
        max_connections: int = MAX_CONNECTIONS,
    ):
        self._server = _make_server(app, timeout, grace, max_connections)
        self._socket = listen(host, port)
        self._thread = None
        self.port = self._socket.getsockname()[1]
        shown = {"0.0.0.0": LOCAL, "::": "::1"}.get(host, host)
        shown = f"[{shown}]" if ":" in shown else shown
        self.url = f"http://{shown}:{self.port}/"

    def run(self) -> None:
        """Serves until SIGTERM or Ctrl-C; requests in flight are answered."""
        with StopSignals("answering the last requests") as stop:
            self._server.stop = stop
            self._server.run(sockets=[self._socket])

    def start(self) -> Self:
        """Serves in a thread, until `stop`."""
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), daemon=True
        )
        self._thread.start()
        while self._thread.is_alive() and not self._server.started:
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        """Answers the requests in flight, and ends."""
        self._server.should_exit = True
        if self._thread:
            self._thread.join()
        self._socket.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()


def run(
    app: App,
    host: str = LOCAL,
    port: int = 0,
    told: Callable[[str], None] | None = None,
    **options: Any,
) -> None:
    """Serves an ASGI application until SIGTERM or Ctrl-C.

    Args:
        app: the application, usually a `Guard`.
        host: str, where it listens.
        port: int; 0 takes one that is free.
        told: function of the URL, called once the port is taken.
        **options: of `WebServer`.

    Raises:
        ValueError: the port is in use; see `listen`.
    """
    server = WebServer(app, host, port, **options)
    if told:
        told(server.url)
    server.run()


def _make_server(app, timeout, grace, max_connections):
    uvicorn = optional.require("uvicorn", "serve", "Web pages and servers")
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Protocol(H11Protocol):
        """Cuts off clients that keep the server waiting."""

        _waiting = None  # a timer

        def connection_made(self, transport):
            super().connection_made(transport)
            self._wait()

        def data_received(self, data):
            super().data_received(data)
            if self.cycle is None or self.cycle.response_complete:
                if self._waiting is None:  # for the rest of a head
                    self._wait()
            else:
                self._done()

        def pause_writing(self):
            super().pause_writing()
            self._wait()

        def resume_writing(self):
            super().resume_writing()
            self._done()

        def connection_lost(self, exc):
            self._done()
            super().connection_lost(exc)

        def _wait(self):
            self._done()
            self._waiting = self.loop.call_later(timeout, self.transport.abort)

        def _done(self):
            if self._waiting is not None:
                self._waiting.cancel()
                self._waiting = None

    class Server(uvicorn.Server):
        """Leaves signals to `StopSignals`, which does not raise them again."""

        stop = None

        def capture_signals(self):
            return contextlib.nullcontext()

        async def on_tick(self, counter):
            asked = self.stop is not None and self.stop.received
            return await super().on_tick(counter) or bool(asked)

    return Server(
        uvicorn.Config(
            app,
            http=Protocol,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=max_connections,
            timeout_keep_alive=max(1, int(timeout)),
            timeout_graceful_shutdown=max(1, int(grace)),
        )
    )
