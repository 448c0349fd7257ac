"""The embedded server: exported models over REST and gRPC, on one machine."""

from collections.abc import Iterable
import logging
import threading
from typing import Self

from keras_gans.serving import web
from keras_gans.training.signals import StopSignals
from keras_gans.utils import optional, validation
from keras_gans.utils.types import Path

REST_PORT = 8501
GRPC_PORT = 8500
MAX_BODY = 2**24
MODULES = (
    "tensorflow_serving.apis",
    "grpc",
    "grpc_health.v1",
    "starlette",
    "uvicorn",
    "prometheus_client",
)

_log = logging.getLogger("keras_gans.serving")


class ModelServer:
    """Serves the exported models of a directory as TensorFlow Serving does.

    REST and gRPC: predict, metadata and status, with versions and labels.
    `/healthz`, `/readyz` and `/monitoring/prometheus/metrics` tell of the
    server. Models are loaded, swapped and dropped as the directory changes.

    Args:
        directory: str or path: models, `NAME/VERSION/saved_model.pb`.
        host: str, where it listens: this machine alone by default.
        port: int, of REST; 0 takes one that is free.
        grpc_port: int, of gRPC; 0 takes one that is free. By default 8500, or one
            that is free where `port` is 0.
        max_batch_size: int, the most rows that a model is run on at once.
        batch_timeout: float, the seconds that rows wait for more of them.
        max_queue: int, the most rows of a model that wait. What comes beyond is
            refused at once: 503, RESOURCE_EXHAUSTED.
        num_batch_threads: int, the most batches that a model runs at once; a
            further one starts when it is full.
        hosts: names, beside "localhost" and addresses, that clients call it by.
        poll: float, the seconds from one look at the directory to the next.
        max_body: int, the most bytes of a request.
        timeout: float, the seconds that a client may keep the server waiting.

    Attributes:
        models: `versions.Models`.
        url: str, of REST.
        port: int, of REST.
        grpc_port: int, of gRPC.

    Raises:
        ValueError: the directory holds no model, or a port is in use or both are
            one.
        ImportError: the extra `serve` is not installed.

    Example:

    ```python
    from keras_gans.serving.server import ModelServer

    gan.export("exported/dcgan/1", overwrite=True)
    with ModelServer("exported", port=0) as server:
        server.url  # "http://127.0.0.1:34567/"
    ```
    """

    def __init__(
        self,
        directory: Path,
        host: str = web.LOCAL,
        port: int = REST_PORT,
        grpc_port: int | None = None,
        max_batch_size: int = 32,
        batch_timeout: float = 0.002,
        max_queue: int = 256,
        num_batch_threads: int = 2,
        hosts: Iterable[str] = (),
        poll: float = 1.0,
        max_body: int = MAX_BODY,
        timeout: float = web.TIMEOUT,
    ):
        for module in MODULES:
            optional.require(module, "serve", "Servers")
        from keras_gans.serving import monitor, rest, rpc
        from keras_gans.serving.batching import Options
        from keras_gans.serving.versions import Models

        ok = validation.is_number(poll) and poll > 0
        validation.within("poll", poll, ok, "(0, inf) seconds")
        if grpc_port is None:
            grpc_port = GRPC_PORT if port else 0
        if port and port == grpc_port:
            raise ValueError(
                "REST and gRPC take a port each. Received: "
                f"port={port}, grpc_port={grpc_port}. Change one."
            )
        counts = monitor.Monitor()
        options = Options(
            max_batch_size,
            batch_timeout,
            max_queue,
            num_batch_threads=num_batch_threads,
        )
        web.listen(host, port).close()  # before models are loaded
        self.models = Models(directory, options, counts.batch)
        try:
            guard = web.Guard(
                rest.make_app(self.models, counts),
                hosts=hosts,
                max_body=max_body,
                timeout=timeout,
            )
            self._rpc = rpc.RpcServer(self.models, counts, host, grpc_port, max_body)
            self._web = web.WebServer(guard, host, port, timeout=timeout)
        except ValueError:
            self.models.close()
            raise
        self.url, self.port = self._web.url, self._web.port
        self.grpc_port = self._rpc.port
        self._poll = poll
        self._ending = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> Self:
        """Serves, in threads, until `stop`."""
        self._watcher.start()
        self._rpc.start()
        self._web.start()
        return self

    def stop(self) -> None:
        """Takes no more requests, answers those in flight, and ends."""
        self._ending.set()
        self._web.stop()
        self._rpc.stop()
        self._watcher.join()
        self.models.close()

    def run(self) -> None:
        """Serves until SIGTERM or Ctrl-C; requests in flight are answered."""
        with StopSignals("answering the last requests") as stop:
            self.start()
            while not stop.received:
                self._ending.wait(0.2)
            self.stop()

    def _watch(self):
        while not self._ending.wait(self._poll):
            try:
                self.models.look()
            except Exception:  # the directory may change while it is read
                _log.exception("looking for models failed; it is tried again")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()
