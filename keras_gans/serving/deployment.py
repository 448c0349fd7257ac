"""What a server and its clients need beside a model: plain files, to be edited.

They lie in the folder that holds the models' folders. A file is written where
there is none, and written anew while it is as it was written: its first line
tells by a checksum. One that somebody has changed, or made, is left alone.
"""

from collections.abc import Callable
import hashlib
import pathlib
import re

from keras_gans.core.gan import BaseGAN
from keras_gans.core.signatures import are_pictures
from keras_gans.core.translation import TranslatingGAN
from keras_gans.modalities.base import BINARY
from keras_gans.serving import publishing
from keras_gans.utils import files

MARK = "# Written by keras-gans export, and anew until you change it. "
IMAGE = "tensorflow/serving:latest"  # of the TensorFlow that exports, or later

BATCHING = """\
# Requests that come at one time are run together; one of up to 256 rows in parts.
max_batch_size { value: 256 }
max_execution_batch_size { value: 32 }
enable_large_batch_splitting { value: true }
batch_timeout_micros { value: 2000 }
num_batch_threads { value: 2 }
max_enqueued_batches { value: 8 }
allowed_batch_sizes: 1
allowed_batch_sizes: 2
allowed_batch_sizes: 4
allowed_batch_sizes: 8
allowed_batch_sizes: 16
allowed_batch_sizes: 32
"""

FLAGS = (
    "--model_config_file=/models/models.config",
    "--model_config_file_poll_wait_seconds=60",
    "--enable_batching=true",
    "--batching_parameters_file=/models/batching_parameters.txt",
)

COMPOSE = """\
# docker compose up: REST on port 8501, gRPC on 8500. New versions are loaded
# as they appear.
services:
  serving:
    image: {image}
    command:
{flags}
    volumes:
      - ./:/models:ro
    ports:
      - "127.0.0.1:8501:8501"
      - "127.0.0.1:8500:8500"
    restart: unless-stopped
"""

DOCKER = """\
# docker build -t models:1 . && docker run -p 8501:8501 -p 8500:8500 models:1
FROM {image}
COPY models.config batching_parameters.txt /models/
{copies}
EXPOSE 8500 8501
CMD [{flags}]
"""

KUBERNETES = """\
# kubectl apply -f kubernetes.yaml, with the image of the Dockerfile pushed to a
# registry of yours.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: gans
spec:
  selector:
    matchLabels: {{app: gans}}
  template:
    metadata:
      labels: {{app: gans}}
    spec:
      containers:
        - name: serving
          image: registry.example.com/models:1
          ports:
            - {{containerPort: 8501, name: rest}}
            - {{containerPort: 8500, name: grpc}}
          readinessProbe:
            httpGet: {{path: /v1/models/{name}, port: rest}}
            initialDelaySeconds: 5
          resources:
            requests: {{cpu: "2", memory: 1Gi}}
            limits: {{memory: 2Gi}}
---
apiVersion: v1
kind: Service
metadata:
  name: gans
spec:
  selector: {{app: gans}}
  ports:
    - {{port: 8501, targetPort: rest, name: rest}}
    - {{port: 8500, targetPort: grpc, name: grpc}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: gans
spec:
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: gans}}
  minReplicas: 1
  maxReplicas: 8
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: {{type: Utilization, averageUtilization: 70}}
"""

REST = '''\
"""Asks {name} over REST: python {file}{arguments}"""

import argparse
import base64
import json
import urllib.request

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("given", nargs="*", metavar="{given}",
    help="{given_help}")
parser.add_argument("--server", default="localhost:8501", metavar="HOST:PORT")
{flags}args = parser.parse_args()


def predict(instances):
    url = f"http://{{args.server}}/v1/models/{name}:predict"
    body = json.dumps({{"instances": instances}}).encode()
    request = urllib.request.Request(url, body, {{"Content-Type": "application/json"}})
    with urllib.request.urlopen(request) as response:
        return json.load(response)["predictions"]


{rest}
for i, made in enumerate(predict(instances)):
    with open(f"{{i}}{suffix}", "xb") as file:
        file.write({data})
'''

GRPC = '''\
"""Asks {name} over gRPC: python {file}{arguments}

pip install tensorflow tensorflow-serving-api
"""

import argparse

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

LARGEST = [("grpc.max_receive_message_length", 2**28)]

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("given", nargs="*", metavar="{given}",
    help="{given_help}")
parser.add_argument("--server", default="localhost:8500", metavar="HOST:PORT")
{flags}args = parser.parse_args()


def predict(**inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "{name}"
    for key, value in inputs.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    with grpc.insecure_channel(args.server, options=LARGEST) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        return stub.Predict(request, timeout=60).outputs


{grpc}
outputs = {{key: tf.make_ndarray(value) for key, value in outputs.items()}}
for i, made in enumerate(outputs["{output}"]):
    with open(f"{{i}}{suffix}", "xb") as file:
        file.write(made)
'''


def write(
    gan: BaseGAN, folder: pathlib.Path, tell: Callable[[str], None] = lambda text: None
) -> list[pathlib.Path]:
    """Writes what serving a model needs into the folder beside the model's.

    That is `models.config`, `batching_parameters.txt`, a `Dockerfile`,
    `compose.yaml` and `kubernetes.yaml`, of all models that lie there, and
    `NAME_rest_client.py` and `NAME_grpc_client.py`.

    Args:
        gan: `BaseGAN` that was exported.
        folder: path of the model's folder, such as "models/emoji".
        tell: function that is told of what is left alone, a line each.

    Returns:
        The paths written. None where the models lie in the current directory,
        which is not theirs alone.
    """
    folder = pathlib.Path(folder).absolute()
    beside, name = folder.parent, folder.name
    if beside == pathlib.Path.cwd():
        tell(
            "No files for servers are written into the current directory: export to "
            f"a folder of models, such as models/{name}."
        )
        return []
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name, re.ASCII):
        tell(
            f"No files for servers are written: {name!r} is no name for a URL. Take "
            "letters, digits, '_', '-' and '.'."
        )
        return []
    names = sorted(p.name for p in beside.iterdir() if publishing.numbers(p))
    names = [n for n in names if re.fullmatch(r"[A-Za-z0-9][\w.-]*", n, re.ASCII)]
    contents = {
        "models.config": _models_config(names),
        "batching_parameters.txt": BATCHING,
        "Dockerfile": DOCKER.format(
            image=IMAGE,
            copies="\n".join(f"COPY {n} /models/{n}" for n in names),
            flags=", ".join(f'"{flag}"' for flag in FLAGS),
        ),
        "compose.yaml": COMPOSE.format(
            image=IMAGE, flags="\n".join(f"      - {flag}" for flag in FLAGS)
        ),
        "kubernetes.yaml": KUBERNETES.format(name=names[0]),
        **_clients(gan, name),
    }
    written = []
    for file, text in contents.items():
        path = beside / file
        if path.exists() and not _is_as_written(path):
            tell(f"{path} is not as it was written here: left as it is.")
            continue
        files.write_bytes(path, _marked(text).encode())
        written.append(path)
    return written


def _models_config(names):
    configs = "".join(
        f'  config {{\n    name: "{name}"\n    base_path: "/models/{name}"\n'
        '    model_platform: "tensorflow"\n  }\n'
        for name in names
    )
    return (
        "# The newest version of each is served. Of two, with labels:\n"
        "#   model_version_policy { specific { versions: 1 versions: 2 } }\n"
        '#   version_labels { key: "stable" value: 1 }\n'
        f"model_config_list {{\n{configs}}}\n"
    )


def _clients(gan, name):
    row, output = _row(gan), gan.modality.bytes_name
    translates = isinstance(gan, TranslatingGAN) and are_pictures(
        gan.source_shape[-1], gan.image_shape[-1]
    )
    if output is None or (row is None and not translates):
        return {}
    suffix = gan.modality.bytes_extension
    flags = ""
    if translates:
        rest = (
            "instances = []\nfor path in args.given:\n"
            '    with open(path, "rb") as file:\n'
            "        data = base64.b64encode(file.read()).decode()\n"
            '    instances.append({"image_bytes": {"b64": data}})'
        )
        grpc = (
            "files = [tf.io.read_file(path).numpy() for path in args.given]\n"
            "outputs = predict(image_bytes=files)"
        )
        arguments, about = "PICTURE.png", "a PNG or JPEG file"
    else:
        fields = [f'"{key}": {value}' for key, (value, _) in row.items()]
        fields = ", ".join(['"seed": int(seed) << 32', *fields])
        rest = (
            "seeds = args.given or [0, 1, 2, 3]\n"
            f"instances = [{{{fields}}} for seed in seeds]"
        )
        tensors = "".join(
            f",\n    {key}=tf.constant([{value}] * len(seeds), tf.{dtype})"
            for key, (value, dtype) in row.items()
        )
        grpc = (
            "seeds = [int(seed) << 32 for seed in args.given or [0, 1, 2, 3]]\n"
            f"outputs = predict(\n    seed=tf.constant(seeds, tf.int64){tensors}\n)"
        )
        arguments = "SEED"
        about = "of gan.sample(1, seed=SEED), sent as SEED * 2**32 (default: 0 to 3)"
        flags = _flags(gan)
    # An answer of one output alone is a bare value.
    alone = translates and None in gan.image_shape
    encoded = "made" if alone else f'made["{output}"]'
    # As the server answers them over REST, and gRPC always as bytes.
    binary = output.endswith(BINARY)
    data = f'base64.b64decode({encoded}["b64"])' if binary else f"{encoded}.encode()"
    text = {
        "name": name,
        "arguments": f" {arguments} ...",
        "given": arguments,
        "given_help": about,
        "flags": flags,
        "rest": rest,
        "grpc": grpc,
        "output": output,
        "suffix": suffix,
        "data": data,
    }
    return {
        f"{name}_{kind}_client.py": template.format(
            **text, file=f"{name}_{kind}_client.py"
        )
        for kind, template in (("rest", REST), ("grpc", GRPC))
    }


def _row(gan):
    """What a request gives beside the seed: (value, dtype); `None` without seeds."""
    names = {one.name for one in gan.inputs}
    if "z" not in names or any(one.needed for one in gan.inputs):
        return None
    row = {}
    for one in gan.inputs:
        if one.of_seeds:
            continue
        value = _default(one)
        for size in reversed(one.shape):
            value = [value] * size
        if one.shape == ():
            value = f"args.{one.name}"
        row[one.name] = (value, one.dtype)
    return row


def _default(one):
    return 1.0 if one.name == "truncation" else max(one.low or 0, 0)


def _flags(gan):
    """A client's flag for each input that is one number, such as the label."""
    lines = ""
    for one in gan.inputs:
        if not one.of_seeds and one.shape == ():
            kind = "int" if one.dtype.startswith("int") else "float"
            between = "" if one.low is None else f"from {one.low} to {one.high}, "
            lines += (
                f'parser.add_argument("--{one.name}", type={kind}, '
                f"default={_default(one)},\n    "
                f'help="{between}of all rows (default: {_default(one)})")\n'
            )
    return lines


def _marked(text):
    return f"{MARK}{_digest(text)}\n{text}"


def _digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _is_as_written(path):
    """Whether a file is one of ours, and nobody has changed it."""
    try:
        first, _, rest = path.read_text(encoding="utf-8").partition("\n")
    except (OSError, UnicodeDecodeError):
        return False
    return first == f"{MARK}{_digest(rest)}"
