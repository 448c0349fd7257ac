"""TensorFlow Serving's gRPC protocol."""

from collections.abc import Callable
from concurrent import futures
import contextlib
import logging
import time
from typing import Any, Self

from google.protobuf.message import DecodeError
import grpc
from grpc_health.v1 import health_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    predict_pb2,
)

from keras_gans.serving import messages, monitor, tensors, web
from keras_gans.serving.status import ServingError, invalid, shown
from keras_gans.serving.versions import Models, Place

PREDICTION = "tensorflow.serving.PredictionService"
MODEL = "tensorflow.serving.ModelService"
HEALTH = "grpc.health.v1.Health"
FIELD = "signature_def"  # the one metadata that there is
MAX_CALLS = 128
MAX_SECONDS = 60.0  # that a call without a deadline may take

_log = logging.getLogger("keras_gans.serving")


class RpcServer:
    """`PredictionService` and `ModelService` on a port.

    Predict, GetModelMetadata and GetModelStatus, and Check of gRPC's health
    protocol; the services' other methods are UNIMPLEMENTED. Beyond `MAX_CALLS` at
    once, calls are RESOURCE_EXHAUSTED.

    Args:
        models: `Models`.
        counts: `Monitor` that counts the calls.
        host: str, where it listens.
        port: int; 0 takes one that is free.
        max_body: int, the most bytes of a request.

    Attributes:
        port: int, the port that it has.

    Raises:
        ValueError: the port is in use; see `web.listen`.
    """

    def __init__(
        self,
        models: Models,
        counts: monitor.Monitor,
        host: str = web.LOCAL,
        port: int = 0,
        max_body: int = web.MAX_BODY,
    ):
        self._models = models
        self._counts = counts
        self._server = grpc.server(
            futures.ThreadPoolExecutor(MAX_CALLS, "grpc"),
            maximum_concurrent_rpcs=MAX_CALLS,
            options=[
                ("grpc.max_receive_message_length", max_body),
                ("grpc.max_send_message_length", -1),
                ("grpc.so_reuseport", 0),
            ],
        )
        methods = {
            PREDICTION: {
                "Predict": (self._predict, predict_pb2.PredictRequest),
                "GetModelMetadata": (
                    self._metadata,
                    get_model_metadata_pb2.GetModelMetadataRequest,
                ),
            },
            MODEL: {
                "GetModelStatus": (
                    self._status,
                    get_model_status_pb2.GetModelStatusRequest,
                )
            },
        }
        for service, known in methods.items():
            handlers = {name: self._handler(*method) for name, method in known.items()}
            self._add(service, handlers)
        check = grpc.unary_unary_rpc_method_handler(
            self._check,
            request_deserializer=health_pb2.HealthCheckRequest.FromString,
            response_serializer=health_pb2.HealthCheckResponse.SerializeToString,
        )
        self._add(HEALTH, {"Check": check})
        web.listen(host, port, "grpc_port").close()  # tells why it cannot
        address = f"[{host}]" if ":" in host else host
        try:
            self.port = self._server.add_insecure_port(f"{address}:{port}")
        except RuntimeError as error:
            raise ValueError(f"Cannot listen on port {port} of {host}: {error}.") from (
                None
            )

    def start(self) -> Self:
        """Serves, in threads of its own."""
        self._server.start()
        return self

    def stop(self, grace: float = 10.0) -> None:
        """Answers the calls in flight, and ends."""
        self._server.stop(grace).wait()

    def _add(self, service, handlers):
        generic = grpc.method_handlers_generic_handler(service, handlers)
        self._server.add_generic_rpc_handlers((generic,))

    def _check(self, request, context):
        """Serving once a model is served, as `/readyz`."""
        if request.service not in ("", PREDICTION, MODEL):
            known = f"{PREDICTION} and {MODEL}"
            context.abort(grpc.StatusCode.NOT_FOUND, f"The services are {known}.")
        reply = health_pb2.HealthCheckResponse
        ready = self._models.ready()
        return reply(status=reply.SERVING if ready else reply.NOT_SERVING)

    def _handler(self, method, kind):
        # The message is read in the method, so that a broken one is an
        # INVALID_ARGUMENT and not an error of the server.
        def call(data, context):
            return self._answer(method, kind, data, context)

        return grpc.unary_unary_rpc_method_handler(
            call, response_serializer=lambda reply: reply.SerializeToString()
        )

    def _answer(self, method: Callable, kind: type, data: bytes, context: Any) -> Any:
        begun = time.perf_counter()
        name, code, reply = monitor.OTHER, "OK", None
        try:
            request = _parse(kind, data)
            if request.model_spec.name in self._models.names():
                name = request.model_spec.name
            reply = method(request, context)
        except ServingError as error:
            code, why = error.code, str(error)
        except Exception:
            _log.exception("a call failed")
            code, why = "INTERNAL", "This call failed; the server's log says why."
        seconds = time.perf_counter() - begun
        self._counts.request(name, "grpc", code, seconds)
        web.access.info(
            "%s gRPC %s %s %d bytes %.1f ms",
            context.peer(),
            kind.__name__,
            code,
            len(data),
            1000 * seconds,
        )
        if reply is None:
            context.abort(grpc.StatusCode[code], why)
        return reply

    def _predict(self, request, context):
        def read(signature):
            tensors.check_names(signature.inputs, request.inputs)
            return {
                name: tensors.from_proto(signature.inputs[name], proto)
                for name, proto in request.inputs.items()
            }

        spec = request.model_spec
        number, signature, future = self._models.predict(
            _place(spec), spec.signature_name, read, request.output_filter
        )
        # A client that leaves is not worked for.
        if not context.add_callback(future.cancel):
            future.cancel()
        left = context.time_remaining()
        try:
            answer = future.result(MAX_SECONDS if left is None else left)
        except (futures.CancelledError, futures.TimeoutError):
            future.cancel()
            raise ServingError(
                "DEADLINE_EXCEEDED", "The answer was not ready in time."
            ) from None
        reply = predict_pb2.PredictResponse()
        reply.model_spec.name = spec.name
        reply.model_spec.version.value = number
        reply.model_spec.signature_name = signature.name
        for name, value in answer.items():
            tensors.to_proto(value, reply.outputs[name])
        return reply

    def _metadata(self, request, context):
        fields = list(request.metadata_field)
        if fields != [FIELD]:
            raise invalid(
                f"The metadata_field is {FIELD!r}. Received: {shown(fields)}."
            )
        number, batcher = self._models.find(_place(request.model_spec))
        reply = get_model_metadata_pb2.GetModelMetadataResponse()
        reply.model_spec.name = request.model_spec.name
        reply.model_spec.version.value = number
        reply.metadata[FIELD].Pack(messages.signature_map(batcher.servable))
        return reply

    def _status(self, request, context):
        return messages.model_status(self._models, _place(request.model_spec))


def _parse(kind, data):
    with contextlib.suppress(DecodeError, RecursionError):
        return kind.FromString(data)
    raise invalid(f"The message is no {kind.__name__}: it is cut short, or damaged.")


def _place(spec):
    version = spec.version.value if spec.HasField("version") else None
    if not spec.name:
        raise invalid("Missing model name in request.")
    return Place(spec.name, version, spec.version_label)
