"""`keras-gans export`: versions, files beside them, and what is refused."""

import concurrent.futures
import json
import pathlib

from command_line import call, files
import numpy as np
import pytest
from small import small_gan

import keras_gans as kg
from keras_gans.serving import deployment, publishing


@pytest.fixture(scope="module")
def gan():
    return small_gan()


def test_versions_follow_each_other(gan, monkeypatch):
    def export(path):
        path.mkdir()
        (path / "saved_model.pb").touch()

    monkeypatch.setattr(gan, "export", export)
    # What a kill left half is no version, and goes.
    pathlib.Path("models/emoji/.tmp.1").mkdir(parents=True)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(publishing.write, gan, "models/emoji") for _ in range(4)]
        made = sorted(str(job.result()) for job in jobs)
    assert made == [f"models/emoji/{i}" for i in (1, 2, 3, 4)]
    assert set(map(str, pathlib.Path("models/emoji").iterdir())) == set(made)
    assert publishing.write(gan, "models/emoji/9", class_names=["a"]).name == "9"
    names = pathlib.Path("models/emoji/9/assets.extra/class_names.json")
    assert json.loads(names.read_text()) == ["a"]
    assert publishing.write(gan, "models/emoji").name == "10"
    with pytest.raises(ValueError, match="overwritten unasked"):
        publishing.write(gan, "models/emoji/9")

    def fail(path):
        export(path)
        raise OSError("disk full")

    monkeypatch.setattr(gan, "export", fail)
    before = files("models")
    with pytest.raises(OSError, match="disk full"):
        publishing.write(gan, "models/emoji")
    with pytest.raises(ValueError, match="beside versions of models/emoji"):
        publishing.write(gan, "models/emoji/abc")
    assert files("models") == before


@pytest.mark.parametrize("after", range(4))
def test_a_first_version_that_appears_meanwhile_is_no_other_file(
    after, tmp_path, monkeypatch
):
    """Another process may write it after any look into the folder."""
    folder = tmp_path / "emoji"
    folder.mkdir()
    found, looks = pathlib.Path.iterdir, []

    def late(path):
        names = list(found(path))
        if path == folder:
            looks.append(path)
            if len(looks) > after:
                (folder / "1").mkdir(exist_ok=True)
        return iter(names)

    monkeypatch.setattr(pathlib.Path, "iterdir", late)
    publishing.check(folder)


@pytest.mark.parametrize(
    ("path", "overwrite", "why"),
    [
        ("models/emoji/v2", False, "A version is a whole number"),
        ("models/emoji/-1", False, "A version is a whole number"),
        ("models/emoji/1.5", False, "A version is a whole number"),
        ("models/emoji/007", False, "A version is a whole number"),
        ("models/emoji", True, "which names none"),
        ("notes", False, "holds other files and no version"),
        ("notes/thesis.txt", False, "a file"),
    ],
)
def test_paths_that_are_refused(gan, path, overwrite, why):
    pathlib.Path("notes").mkdir()
    pathlib.Path("notes/thesis.txt").write_text("precious")
    with pytest.raises(ValueError, match=why):
        publishing.write(gan, path, overwrite)
    assert set(files(".")) == {"notes/thesis.txt"}


def test_files_for_servers(gan):
    text_format = pytest.importorskip("google.protobuf.text_format")
    config = pytest.importorskip("tensorflow_serving.config.model_server_config_pb2")
    for name in ("emoji", "faces"):
        pathlib.Path(f"models/{name}/1").mkdir(parents=True)
    deployment.write(gan, pathlib.Path("models/faces"))
    written = files("models")
    assert set(written) == {
        "models.config",
        "batching_parameters.txt",
        "Dockerfile",
        "compose.yaml",
        "kubernetes.yaml",
        "faces_rest_client.py",
        "faces_grpc_client.py",
    }
    read = text_format.Parse(written["models.config"], config.ModelServerConfig())
    served = {c.name: c.base_path for c in read.model_config_list.config}
    assert served == {"emoji": "/models/emoji", "faces": "/models/faces"}
    yaml = pytest.importorskip("yaml")
    kinds = [one["kind"] for one in yaml.safe_load_all(written["kubernetes.yaml"])]
    assert kinds == ["Deployment", "Service", "HorizontalPodAutoscaler"]
    assert list(yaml.safe_load(written["compose.yaml"])["services"]) == ["serving"]
    for name in ("rest", "grpc"):
        compile(written[f"faces_{name}_client.py"], name, "exec")
    # A file of the user's stays; one of ours follows what is there.
    pathlib.Path("models/compose.yaml").write_text("services: {}\n")
    pathlib.Path("models/dogs/1").mkdir(parents=True)
    told = []
    deployment.write(gan, pathlib.Path("models/dogs"), told.append)
    assert len(told) == 1 and "compose.yaml is not as it was written" in told[0]
    now = files("models")
    assert now["compose.yaml"] == b"services: {}\n"
    assert b"/models/dogs" in now["models.config"]
    assert now["faces_rest_client.py"] == written["faces_rest_client.py"]
    # Its clients write the pictures that the model answers.
    loop = written["faces_grpc_client.py"].decode().partition("\nfor i, made in")
    exec("".join(loop[1:]), {"outputs": {"image_bytes": [b"one", b"two"]}})
    assert pathlib.Path("1.png").read_bytes() == b"two"
    with pytest.raises(FileExistsError):  # nothing is overwritten unasked
        exec("".join(loop[1:]), {"outputs": {"image_bytes": [b"three"]}})
    # The current directory is not a folder of models.
    pathlib.Path("alone/1").mkdir(parents=True)
    assert deployment.write(gan, pathlib.Path("alone"), told.append) == []
    assert "current directory" in told[-1] and not pathlib.Path("Dockerfile").exists()


def test_clients_ask_for_a_label(monkeypatch, capsys):
    shape = {"image_shape": (16, 16, 1), "latent_dim": 4, "width": 2}
    gan = kg.ConditionalGAN(num_classes=3, **shape)
    pathlib.Path("models/shapes/1").mkdir(parents=True)
    deployment.write(gan, pathlib.Path("models/shapes"))
    client = pathlib.Path("models/shapes_rest_client.py").read_text()
    monkeypatch.setattr("sys.argv", ["client", "5", "--label=2"])
    asked = client.partition("\nfor i, made in")[0]
    space = {"__doc__": ""}
    exec(asked, space)
    assert space["instances"] == [{"seed": 5 << 32, "label": 2}]
    monkeypatch.setattr("sys.argv", ["client", "--help"])
    with pytest.raises(SystemExit):
        exec(asked, space)
    told = " ".join(capsys.readouterr().out.split())
    assert "from 0 to 2, of all rows" in told
    assert "gan.sample(1, seed=SEED), sent as SEED * 2**32" in told
    assert (
        "[args.label] * len(seeds), tf.int32"
        in files("models")["shapes_grpc_client.py"].decode()
    )


def test_clients_write_text_as_text():
    """Which crosses REST as it is: only what ends in "_bytes" is base64."""
    import tensorflow as tf

    from keras_gans.serving import tensors

    words = kg.LanguageWGANGP(4, ("", "a", "ü"), latent_dim=4, dim=3, d_steps=1)
    table = kg.Table({"age": [(40.0, 10.0)], "sex": ["f", "m"]})
    rows = kg.CTGAN(table, latent_dim=4, g_widths=(8,), d_widths=(8,))
    texts = ["a ü", '{"age": 41, "sex": "f"}']
    for gan, output, suffix in ((words, "sentences", "txt"), (rows, "json", "json")):
        pathlib.Path(f"models/{output}/1").mkdir(parents=True)
        deployment.write(gan, pathlib.Path(f"models/{output}"))
        spec = tensors.Spec(output, tf.string, (None,))
        data = np.array([text.encode() for text in texts], object)
        answers = [{output: one} for one in tensors.to_json(spec, data)]
        for kind, names in (
            ("rest", {"predict": list, "instances": answers}),
            ("grpc", {"outputs": {output: data}}),
        ):
            client = pathlib.Path(f"models/{output}_{kind}_client.py").read_text(
                "utf-8"
            )
            loop = client.partition("\nfor i, made in")
            exec("".join(loop[1:]), names)
            for i, text in enumerate(texts):
                written = pathlib.Path(f"{i}.{suffix}")
                assert written.read_text("utf-8") == text
                written.unlink()


def test_what_cannot_be_written_is_told_before_a_model_is_loaded(capsys):
    for words in (
        ["--to=/proc/models/emoji"],
        ["--to=/proc/models/emoji/3"],
        ["--to=/proc/emoji.onnx", "--format=onnx"],
    ):
        assert call("export", "nowhere", *words) == 1
        assert "could not be written" in capsys.readouterr().err
    assert call("sample", "nowhere", "--out=/proc/s.png") == 1
    assert "/proc/s.png could not be written" in capsys.readouterr().err


def test_the_command(capsys):
    small_gan().save("gan.keras")
    assert call("export", "gan.keras", "--to=models/emoji") == 0
    out = capsys.readouterr().out
    assert "SavedModel: models/emoji/1" in out
    assert "keras-gans serve models  # over REST" in out
    assert "models.config" in files("models")
    for words, why in (
        (["nowhere", "--to=models/emoji"], "No run directory"),
        (["gan.keras", "--to=models/emoji/v2"], "A version is a whole number"),
        (["gan.keras", "--to=models/emoji/1"], "ask for --overwrite"),
        (["gan.keras", "--to=a", "--precision=int8"], "Received: --precision=int8"),
        (["gan.keras", "--to=a.pb", "--format=onnx"], "end in .onnx"),
        (
            ["gan.keras", "--to=a.onnx", "--format=onnx", "--precision=int8"],
            "--format=litert",
        ),
    ):
        assert call("export", *words) == 1
        assert why in capsys.readouterr().err
