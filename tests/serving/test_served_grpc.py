"""TensorFlow Serving's gRPC protocol, by its stubs and by another client."""

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
import numpy as np
import ovmsclient
import pytest
import served
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

PREDICT = "/tensorflow.serving.PredictionService/Predict"


@pytest.fixture(scope="module")
def channel(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as opened:
        yield opened


@pytest.fixture(scope="module")
def prediction(channel):
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


def asking(signature="", model="pictures", **inputs):
    """A PredictRequest."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        proto = (
            value
            if hasattr(value, "dtype") and hasattr(value, "ParseFromString")
            else tf.make_tensor_proto(value)
        )
        request.inputs[name].CopyFrom(proto)
    return request


def refusal(call, *args):
    """The code and details that a call ends with."""
    with pytest.raises(grpc.RpcError) as caught:
        call(*args, timeout=30)
    return caught.value.code().name, caught.value.details()


def test_predict(prediction):
    reply = prediction.Predict(asking(seed=np.array([4, 2])), timeout=30)
    images = tf.make_ndarray(reply.outputs["images"])
    np.testing.assert_array_equal(images, served.images_of([4, 2]))
    pictures = tf.make_ndarray(reply.outputs["image_bytes"])
    assert pictures.shape == (2,) and pictures[0].startswith(b"\x89PNG")
    spec = reply.model_spec
    assert (spec.name, spec.version.value) == ("pictures", 3)
    assert spec.signature_name == "serving_default"


def test_predict_of_some_outputs_of_a_version(prediction):
    request = asking(seed=np.array([4]))
    request.output_filter.append("images")
    request.model_spec.version.value = 1
    reply = prediction.Predict(request, timeout=30)
    assert list(reply.outputs) == ["images"]
    assert reply.model_spec.version.value == 1
    request.model_spec.version_label = "stable"  # in place of the number
    assert prediction.Predict(request, timeout=30).model_spec.version.value == 1


def test_metadata(prediction):
    request = get_model_metadata_pb2.GetModelMetadataRequest()
    request.model_spec.name = "other"
    request.metadata_field.append("signature_def")
    reply = prediction.GetModelMetadata(request, timeout=30)
    assert reply.model_spec.version.value == 7
    found = get_model_metadata_pb2.SignatureDefMap()
    assert reply.metadata["signature_def"].Unpack(found)
    assert set(found.signature_def) == {"serving_default", "generate"} | {
        "brighten",
        "alone",
    }
    request.metadata_field[:] = ["weights"]
    told = refusal(prediction.GetModelMetadata, request)
    assert told == (
        "INVALID_ARGUMENT",
        "The metadata_field is 'signature_def'. Received: ['weights'].",
    )


def test_status(channel):
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "pictures"
    reply = stub.GetModelStatus(request, timeout=30)
    told = [(one.version, one.state) for one in reply.model_version_status]
    assert told == [(3, 30), (1, 30)]  # AVAILABLE
    request.model_spec.name = "none"
    assert refusal(stub.GetModelStatus, request)[0] == "NOT_FOUND"


@pytest.mark.parametrize("make", ["make_grpc_client", "make_http_client"])
def test_an_independent_client_is_served(server, make):
    port = server.grpc_port if make == "make_grpc_client" else server.port
    client = getattr(ovmsclient, make)(f"127.0.0.1:{port}")
    status = client.get_model_status("other")
    assert status[7]["state"] == "AVAILABLE"
    assert client.get_model_metadata("other")
    answer = client.predict({"seed": np.array([5, 6])}, "other")
    np.testing.assert_array_equal(
        np.float32(answer["images"]), served.images_of([5, 6])
    )
    assert len(answer["image_bytes"]) == 2
    with pytest.raises(ovmsclient.tfs_compat.base.errors.ModelNotFoundError):
        client.get_model_status("none")


def tensor(dtype, sides, **content):
    proto = tf.make_tensor_proto(0)
    proto.Clear()
    proto.dtype = dtype.as_datatype_enum
    for side in sides:
        proto.tensor_shape.dim.add(size=side)
    for name, value in content.items():
        if isinstance(value, list):
            getattr(proto, name).extend(value)
        else:
            setattr(proto, name, value)
    return proto


I64, F32 = tf.int64, tf.float32


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (asking(), "takes the inputs seed. Received: none"),
        (asking(seeds=np.array([1])), "Received: 'seeds'"),
        (asking("none", seed=np.array([1])), "has the signatures"),
        (asking(seed=np.float32([1])), "seed is int64. Received: float32"),
        (asking(seed=np.array([[1]])), "seed has the shape [any]"),
        # A value is repeated over the shape: a bomb of few bytes.
        (asking(seed=tensor(I64, [2**40], int64_val=[1])), "at most 16777216 values"),
        (asking(seed=tensor(I64, [2**62, 8], int64_val=[1])), "at most 16777216"),
        (asking(seed=tensor(I64, [-1], int64_val=[1])), "known sides"),
        (asking(seed=tensor(I64, [3], tensor_content=b"123")), "does not hold the 3"),
        (asking(seed=tensor(I64, [2], int64_val=[1, 2, 3])), "does not hold the 2"),
        (asking(seed=tensor(tf.variant, [1])), "seed is int64. Received: variant"),
        (
            asking("generate", z=np.float32([[1, np.nan]]), label=np.int32([1])),
            "z holds nan at [0, 1]",
        ),
        (
            asking("generate", z=np.float32([[1, 1]]), label=np.int32([11])),
            "label lies in [0, 9]",
        ),
        (asking("brighten", image_bytes=np.array([b"x"])), "cannot be decoded"),
    ],
)
def test_requests_are_checked(prediction, request_, told):
    code, details = refusal(prediction.Predict, request_)
    assert code == "INVALID_ARGUMENT"
    assert told in details


def test_an_output_that_is_none_is_told(prediction):
    request = asking(seed=np.array([4]))
    request.output_filter.append("image")
    code, details = refusal(prediction.Predict, request)
    assert code == "INVALID_ARGUMENT"
    assert "has the outputs image_bytes, images. Received: 'image'" in details


@pytest.mark.parametrize("cut", [1, 7, 20])
def test_a_message_cut_short_is_told(channel, cut):
    send = channel.unary_unary(PREDICT)
    data = asking(seed=np.arange(9)).SerializeToString()
    code, details = refusal(send, data[:-cut])
    assert code == "INVALID_ARGUMENT"
    assert "PredictRequest: it is cut short" in details


def test_methods_that_are_not_there_are_told(prediction, channel):
    from tensorflow_serving.apis import classification_pb2

    request = classification_pb2.ClassificationRequest()
    assert refusal(prediction.Classify, request)[0] == "UNIMPLEMENTED"
    large = asking(seed=np.arange(2**14))
    assert refusal(prediction.Predict, large)[0] == "RESOURCE_EXHAUSTED"
    assert refusal(prediction.Predict, asking(model=""))[0] == "INVALID_ARGUMENT"


def test_kubernetes_asks_for_health(server, channel, monkeypatch):
    """grpc.health.v1, as `readinessProbe: {grpc: {port: 8500}}` asks."""
    health = health_pb2_grpc.HealthStub(channel)
    for service in ("", "tensorflow.serving.PredictionService"):
        request = health_pb2.HealthCheckRequest(service=service)
        assert health.Check(request, timeout=30).status == 1  # SERVING
    monkeypatch.setattr(server.models, "ready", lambda: False)
    request = health_pb2.HealthCheckRequest()
    assert health.Check(request, timeout=30).status == 2  # NOT_SERVING
    request = health_pb2.HealthCheckRequest(service="pictures")
    assert refusal(health.Check, request)[0] == "NOT_FOUND"
