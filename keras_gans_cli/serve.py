"""The command `keras-gans serve`."""

import argparse
import contextlib
import logging
import sys

from keras_gans_cli import recipes

SUMMARY = "Serve exported models over REST and gRPC, as TensorFlow Serving does."
PACKAGES = ("tensorflow_serving", "grpc", "starlette", "uvicorn", "prometheus_client")


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    add = parser.add_argument
    add("models", metavar="MODELS", help="directory of NAME/VERSION/saved_model.pb")
    add("--port", type=int, default=8501, help="of REST; 0: any (default: 8501)")
    add(
        "--grpc_port",
        type=int,
        help="of gRPC; 0: any (default: 8500; any with --port=0)",
    )
    add(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="where it listens; 0.0.0.0 for all networks (default: 127.0.0.1)",
    )
    add(
        "--hosts",
        default="",
        metavar="NAME,NAME",
        help="names that clients call it by, beside its addresses",
    )
    add(
        "--max_batch_size",
        type=int,
        default=32,
        help="most rows that a model is run on at once (default: 32)",
    )
    add(
        "--batch_timeout",
        type=float,
        default=0.002,
        help="seconds that rows wait for more of them (default: 0.002)",
    )
    add(
        "--max_queue",
        type=int,
        default=256,
        help="most rows of a model that wait; more are refused (default: 256)",
    )
    add(
        "--num_batch_threads",
        type=int,
        default=2,
        help="most batches that a model runs at once; a further one starts when it "
        "is full (default: 2)",
    )
    add("--quiet", action="store_true", help="log no requests")


def refuse(args: argparse.Namespace) -> None:
    """Finds that a package of the servers is missing."""
    for module in PACKAGES:
        recipes.load_file("utils/optional.py").require(module, "serve", "Servers")


def run(args: argparse.Namespace) -> None:
    """keras-gans serve MODELS"""
    with _logging_to_stderr(logging.WARNING if args.quiet else logging.INFO):
        _serve(args)


def _serve(args):
    from keras_gans.serving.server import ModelServer

    server = ModelServer(
        args.models,
        host=args.host,
        port=args.port,
        grpc_port=args.grpc_port,
        max_batch_size=args.max_batch_size,
        batch_timeout=args.batch_timeout,
        max_queue=args.max_queue,
        num_batch_threads=args.num_batch_threads,
        hosts=[name for name in args.hosts.split(",") if name],
    )
    names = ", ".join(server.models.names())
    print(f"Serving {names}")
    print(f"REST: {server.url}v1/models/NAME:predict")
    print(f"gRPC: {args.host}:{server.grpc_port}")
    print(f"\nTry:\n  {_request(server)}", flush=True)
    server.run()


def _request(server):
    """A call of curl that a model answers: of seeds, where it takes these alone."""
    from keras_gans.serving.servable import DEFAULT
    from keras_gans.serving.versions import Place

    name = server.models.names()[0]
    url = f"{server.url}v1/models/{name}"
    for version in server.models.versions(Place(name)).values():
        if version.state == "AVAILABLE":
            known = version.batcher.servable.signatures.get(DEFAULT)
            if known is not None and list(known.inputs) == ["seed"]:
                return f"curl -d '{{\"instances\": [0, 1]}}' {url}:predict"
    return f"curl {url}/metadata   # what it takes"


@contextlib.contextmanager
def _logging_to_stderr(requests):
    """Logs as a server does; loggers are as before where it ends."""
    logger = logging.getLogger("keras_gans")
    access = logging.getLogger("keras_gans.access")
    before = logger.handlers[:], logger.propagate, logger.level, access.level
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.handlers[:], logger.propagate = [handler], False
    logger.setLevel(logging.INFO)
    access.setLevel(requests)
    try:
        yield
    finally:
        logger.handlers[:], logger.propagate = before[:2]
        logger.setLevel(before[2])
        access.setLevel(before[3])
