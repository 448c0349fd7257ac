"""One server for the tests of its protocols."""

import pytest
import served

from keras_gans.serving.server import ModelServer


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """A SavedModel of `served.Pictures`."""
    return served.save(tmp_path_factory.mktemp("saved") / "1")


@pytest.fixture(scope="session")
def server(saved, tmp_path_factory):
    """A server of the models `pictures`, versions 1 and 3, and `other`."""
    models = tmp_path_factory.mktemp("models")
    for place in ("pictures/1", "pictures/3", "other/7"):
        (models / place).parent.mkdir(exist_ok=True)
        (models / place).symlink_to(saved)
    (models / "models.config").write_text(CONFIG)
    with ModelServer(
        models, port=0, grpc_port=0, max_batch_size=8, max_body=2**16, timeout=1
    ) as running:
        yield running


@pytest.fixture
def client(server):
    """An HTTP client of it."""
    made = served.Client(server.port)
    yield made
    made.close()


CONFIG = """
model_config_list {
  config {
    name: "pictures"
    base_path: "/models/pictures"
    model_platform: "tensorflow"
    model_version_policy { specific { versions: 1 versions: 3 } }
    version_labels { key: "stable" value: 1 }
  }
}
"""
