"""The rules of TensorFlow Serving's REST protocol, each asked of a server."""

import base64
import io
import json
import struct
import zlib

import numpy as np
from PIL import Image
import pytest
import served


def png(width, height, color="red"):
    """A PNG file."""
    stream = io.BytesIO()
    Image.new("RGB", (width, height), color).save(stream, "PNG")
    return stream.getvalue()


def b64(data):
    return {"b64": base64.b64encode(data).decode()}


# --- Status, metadata, health ---


def test_status_of_all_versions(client):
    status, told = client.ask("GET", "/v1/models/pictures")
    ok = {"error_code": "OK", "error_message": ""}
    assert status == 200
    assert told == {
        "model_version_status": [
            {"version": "3", "state": "AVAILABLE", "status": ok},
            {"version": "1", "state": "AVAILABLE", "status": ok},
        ]
    }


def test_the_root_lists_the_models(client):
    status, told = client.ask("GET", "/")
    assert status == 200
    assert told["models"]["pictures"] == "/v1/models/pictures"


@pytest.mark.parametrize("which", ["versions/1", "labels/stable"])
def test_status_of_one_version(client, which):
    status, told = client.ask("GET", f"/v1/models/pictures/{which}")
    assert status == 200
    assert [one["version"] for one in told["model_version_status"]] == ["1"]


def test_metadata(client):
    status, told = client.ask("GET", "/v1/models/pictures/metadata")
    assert status == 200
    assert told["model_spec"] == {
        "name": "pictures",
        "signature_name": "",
        "version": "3",
    }
    definition = told["metadata"]["signature_def"]["signature_def"]["serving_default"]
    seed = definition["inputs"]["seed"]
    assert seed["dtype"] == "DT_INT64"
    assert [dim["size"] for dim in seed["tensor_shape"]["dim"]] == ["-1"]
    assert definition["method_name"] == "tensorflow/serving/predict"
    _, old = client.ask("GET", "/v1/models/pictures/labels/stable/metadata")
    assert old["model_spec"]["version"] == "1"


def test_health_readiness_and_metrics(client):
    assert client.ask("GET", "/healthz")[0] == 200
    assert client.ask("GET", "/readyz")[0] == 200
    client.predict({"inputs": [1]})
    status, text = client.ask("GET", "/monitoring/prometheus/metrics")
    assert status == 200
    counted = 'keras_gans_requests_total{code="OK",model="pictures",protocol="rest"}'
    assert counted in text.decode()
    assert 'keras_gans_model_available{model="other",version="7"} 1.0' in text.decode()
    assert 'keras_gans_batch_rows_count{model="pictures"}' in text.decode()


# --- Predict ---


def test_rows_of_one_input_are_bare_and_outputs_are_objects(client):
    status, told = client.predict({"instances": [3, 5]})
    assert status == 200
    assert list(told) == ["predictions"]
    images = [row["images"] for row in told["predictions"]]
    np.testing.assert_array_equal(np.float32(images), served.images_of([3, 5]))
    # A string whose name ends in _bytes comes as base64.
    data = base64.b64decode(told["predictions"][0]["image_bytes"]["b64"])
    assert Image.open(io.BytesIO(data)).size == (served.SIDE, served.SIDE)


def test_rows_may_name_the_one_input(client):
    bare = client.predict({"instances": [3]})
    assert client.predict({"instances": [{"seed": 3}]}) == bare


def test_columns_of_one_input_may_be_bare(client):
    status, told = client.predict({"inputs": [3, 5]})
    assert status == 200
    assert list(told) == ["outputs"] and set(told["outputs"]) == {
        "images",
        "image_bytes",
    }
    np.testing.assert_array_equal(
        np.float32(told["outputs"]["images"]), served.images_of([3, 5])
    )
    assert client.predict({"inputs": {"seed": [3, 5]}}) == (200, told)


def test_several_inputs_and_one_output(client):
    rows = [{"z": [1, 2.5], "label": 3}, {"z": [0, 0], "label": 9}]
    body = {"signature_name": "generate", "instances": rows}
    made = [[4.0, 5.5], [9.0, 9.0]]
    assert client.predict(body) == (200, {"predictions": made})
    columns = {"z": [[1, 2.5], [0, 0]], "label": [3, 9]}
    body = {"signature_name": "generate", "inputs": columns}
    assert client.predict(body) == (200, {"outputs": made})


def test_inputs_without_rows_are_sent_in_columns(client):
    body = {"signature_name": "alone", "inputs": {"t": 3, "name": ["a", "é"]}}
    status, told = client.predict(body)
    assert (status, told["outputs"]["half"]) == (200, 1.5)
    # Strings of other names come as text.
    assert told["outputs"]["greeting"] == ["hello a", "hello é"]
    body = {"signature_name": "alone", "instances": [{"t": 3, "name": "a"}]}
    status, told = client.predict(body)
    assert status == 400
    assert "t does not have rows: send 'inputs'" in told["error"]


def test_bytes_are_sent_as_base64(client):
    pictures = [png(3, 2), png(5, 4)]
    body = {"signature_name": "brighten", "instances": [b64(x) for x in pictures]}
    assert client.predict(body) == (200, {"predictions": [[2, 3], [4, 5]]})
    named = {"image_bytes": [b64(x) for x in pictures]}
    body = {"signature_name": "brighten", "inputs": named}
    assert client.predict(body) == (200, {"outputs": [[2, 3], [4, 5]]})


@pytest.mark.parametrize("which", ["/versions/1", "/labels/stable", "/versions/3", ""])
def test_versions_and_labels_are_asked(client, which):
    assert client.predict({"inputs": [1]}, version=which)[0] == 200


def test_more_rows_than_a_batch_go_through_in_parts(client):
    seeds = list(range(37))
    status, told = client.predict({"inputs": seeds})
    assert status == 200
    np.testing.assert_array_equal(
        np.float32(told["outputs"]["images"]), served.images_of(seeds)
    )


def test_no_rows_in_columns_give_no_rows(client):
    status, told = client.predict({"inputs": {"seed": []}})
    assert (status, told["outputs"]["images"]) == (200, [])


# --- What is refused ---


@pytest.mark.parametrize(
    ("method", "path", "status", "told"),
    [
        ("GET", "/v1/models", 400, "Missing model name"),
        ("GET", "/v1/foo", 400, "Malformed request: GET '/v1/foo'"),
        ("GET", "/v1/models/pictures:predict", 400, "predict'. Ask for it by POST."),
        ("GET", "/v1/models/pictures:classify", 400, "Ask for it by POST."),
        ("POST", "/v1/models/pictures", 400, "pictures'. Ask for it by GET."),
        ("POST", "/v1/models/pictures/metadata", 400, "Ask for it by GET."),
        ("DELETE", "/v1/models/pictures", 400, "Malformed request"),
        ("GET", "/v1/models/pictures/version/1", 400, "Malformed request"),
        ("GET", "/v1/models/pictures/versions/x", 400, "A version is a number"),
        ("GET", f"/v1/models/pictures/versions/{2**63}", 400, "Failed to convert"),
        ("GET", "/v1/models/picture", 404, "Did you mean pictures?"),
        ("GET", "/v1/models/pictures/versions/2", 404, "Versions: 1, 3"),
        ("GET", "/v1/models/pictures/labels/new", 404, "Labels: stable"),
        ("GET", "/v1/models/..%2f..%2fetc", 400, "Malformed request"),
        ("GET", "/v1/models/..", 404, "There is no model '..'"),
        ("GET", "/../../../etc/passwd", 400, "Malformed request"),
        ("POST", "/v1/models/pictures:classify", 501, "do not classify"),
        ("POST", "/v1/models/pictures:regress", 501, "do not regress"),
    ],
)
def test_paths_are_checked(client, method, path, status, told):
    found, reply = client.ask(method, path, "{}" if method == "POST" else None)
    assert found == status
    assert list(reply) == ["error"]
    assert told in reply["error"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "JSON Parse error"),
        (b"{", "JSON Parse error"),
        (b"\xff\xfe\x00", "JSON Parse error"),
        (b"[" * 10**4, "JSON Parse error: it is nested too deeply"),
        (b'{"inputs": ' + b"[" * 10**4 + b"]" * 10**4 + b"}", "nested too deeply"),
        (b'{"inputs": [' + b"9" * 5000 + b"]}", "JSON Parse error"),
        ([1], "The request is a JSON object. Received: a list"),
        ({}, "either 'instances' or 'inputs'. Received: neither"),
        ({"instances": [1], "inputs": [1]}, "Received: 'instances', 'inputs'"),
        ({"inputs": [1], "signature_name": 3}, "must be a string value"),
        ({"inputs": [1], "signature_name": "x"}, "signatures alone, brighten, gen"),
        ({"instances": []}, "'instances' is a list of one or more"),
        ({"instances": 3}, "'instances' is a list of one or more"),
        ({"instances": [{"seeds": 1}]}, "takes the inputs seed. Received: 'seeds'"),
        ({"instances": [{"seed": 1}, 2]}, "All of 'instances' are objects"),
        ({"inputs": {"seed": [1], "x": 1}}, "Received: 'seed', 'x'"),
        ({"inputs": 3}, "seed has the shape [any]. Received: []"),
        ({"inputs": [[1]]}, "seed has the shape [any]. Received: [1, 1]"),
        ({"inputs": [[1], [1, 2]]}, "seed is ragged on level 1"),
        ({"inputs": [1, [1]]}, "seed is int64. Received: [1]"),
        ({"inputs": [1.0]}, "seed is int64. Received: 1.0"),
        ({"inputs": [True]}, "seed is int64. Received: True"),
        ({"inputs": ["1"]}, "seed is int64. Received: '1'"),
        ({"inputs": [None]}, "seed is int64. Received: None"),
        ({"inputs": [b64(b"1")]}, "seed is int64"),
        ({"inputs": [2**63]}, "a number that int64 cannot hold"),
        ({"inputs": list(range(257))}, "may have 256 rows. Received: 257"),
    ],
)
def test_bodies_are_checked(client, body, told):
    status, reply = client.predict(body)
    assert (status, list(reply)) == (400, ["error"])
    assert told in reply["error"]


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"z": [[1, 2]], "label": [1, 2]}, "All inputs have as many rows"),
        ({"z": [[1, 2, 3]], "label": [1]}, "z has the shape [any, 2]"),
        ({"z": [[1, float("nan")]], "label": [1]}, "z holds nan at [0, 1]"),
        ({"z": [[float("-inf"), 1]], "label": [1]}, "z holds -inf at [0, 0]"),
        ({"z": [[1e39, 1]], "label": [1]}, "a number that float32 cannot hold"),
        ({"z": [[10**400, 1]], "label": [1]}, "a number that float32 cannot hold"),
        ({"z": [[1, 1]], "label": [2**31]}, "a number that int32 cannot hold"),
        ({"z": [[1, 1]]}, "takes the inputs label, z. Received: 'z'"),
        ([[1, 1]], "'inputs' is an object with label, z"),
        # Found by the model itself.
        ({"z": [[1, 1]], "label": [10]}, "input label lies in [0, 9]. Received: [10]."),
    ],
)
def test_values_are_checked(client, columns, told):
    body = {"signature_name": "generate", "inputs": columns}
    status, reply = client.predict(body)
    assert status == 400
    assert told in reply["error"]


def bomb(width, height):
    """A PNG file of few bytes that says it has many pixels."""

    def chunk(kind, data):
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 10**4)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def gif():
    stream = io.BytesIO()
    Image.new("L", (2, 2)).save(stream, "GIF")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (b64(b""), "image_bytes[0] cannot be decoded: it is empty"),
        (b64(b"nothing"), "image_bytes[0] cannot be decoded"),
        (b64(png(9, 9)[:40]), "image_bytes[0]"),
        (b64(bomb(30000, 30000)), "900000000 pixels"),
        (b64(bomb(5000, 5000)), "may have 16777216 pixels"),
        (b64(gif()), "image_bytes[0] is GIF. Send PNG or JPEG"),
        ({"b64": "=="}, "a b64 that is not base64"),
        ({"b64": "äöü"}, "a b64 that is not base64"),
        ({"b64": 3}, "takes strings"),
        ({"b64": "", "x": 1}, "takes the inputs image_bytes"),
        (3, "takes strings"),
    ],
)
def test_pictures_are_checked_before_they_are_decoded(client, value, told):
    body = {"signature_name": "brighten", "instances": [value]}
    status, reply = client.predict(body)
    assert status == 400
    assert told in reply["error"]


def test_a_picture_cut_short_is_refused_by_the_model(client):
    cut = png(64, 64, "blue")[:-20]
    body = {"signature_name": "brighten", "instances": [b64(cut)]}
    assert client.predict(body)[0] == 400


def test_a_large_request_is_refused(client):
    status, told = client.predict(json.dumps({"inputs": [1] * 2**16}))
    assert status == 413
    assert "more than 65536 bytes" in told["error"]


def test_other_hosts_and_origins_are_refused(client):
    path = "/v1/models/pictures"
    assert client.ask("GET", path, headers={"Host": "evil.example"})[0] == 403
    assert client.ask("GET", path, headers={"Origin": "http://a.example"})[0] == 403
