"""Models are found, loaded, swapped and dropped as their directory changes."""

import os
import shutil
import threading
import time

import numpy as np
import pytest
import served
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from keras_gans.serving import rest
from keras_gans.serving.server import ModelServer
from keras_gans.serving.status import ServingError
from keras_gans.serving.versions import Models, Place


@pytest.fixture(scope="module")
def brighter(tmp_path_factory):
    return served.save(tmp_path_factory.mktemp("brighter") / "1", 1.0)


@pytest.fixture
def directory(tmp_path, saved):
    """A directory of one model, `pictures/1`."""
    shutil.copytree(saved, tmp_path / "models" / "pictures" / "1")
    return tmp_path / "models"


def images(models, seeds=(1, 2), **place):
    number, _, future = models.predict(
        Place("pictures", **place), "", {"seed": np.array(seeds)}, ["images"]
    )
    return number, future.result(10)["images"]


def appear(saved, path):
    """Puts a version there as an export does: whole or not at all."""
    shutil.copytree(saved, path.with_name("copying"))
    os.rename(path.with_name("copying"), path)


def test_a_directory_may_be_one_model(directory):
    with Models(directory / "pictures") as models:
        assert models.names() == ["pictures"]
        assert images(models)[0] == 1


def test_the_model_of_a_run_has_its_name(directory, saved):
    shutil.copytree(saved, directory / "export" / "1")
    with Models(directory) as models:
        assert models.names() == ["export", "pictures"]
    (directory / "config.json").write_text("{}")
    with Models(directory) as models:
        assert models.names() == ["models", "pictures"]
    directory = directory.rename(directory.with_name("my own"))  # no name of a URL
    with Models(directory) as models:
        assert models.names() == ["export", "pictures"]


def test_the_newest_version_is_served_and_others_are_dropped(directory, brighter):
    with Models(directory) as models:
        appear(brighter, directory / "pictures" / "10")
        assert images(models)[0] == 1  # until it looks
        models.look()
        number, made = images(models)
        assert number == 10
        np.testing.assert_array_equal(made, served.images_of([1, 2], 1.0))
        with pytest.raises(ServingError, match=r"has no version 1\. Versions: 10"):
            models.find(Place("pictures", 1))
        shutil.rmtree(directory / "pictures" / "10")
        models.look()
        assert images(models)[0] == 1  # it is there still, and the newest
        shutil.rmtree(directory / "pictures")
        models.look()
        assert models.names() == [] and not models.ready()


def test_a_request_of_a_version_that_goes_meanwhile_is_answered(directory, brighter):
    """By the newer one, though the old one was found first."""
    with Models(directory) as models:

        def read(signature):
            if not (directory / "pictures" / "2").exists():
                appear(brighter, directory / "pictures" / "2")
                models.look()
            return {"seed": np.array([1])}

        number, _, future = models.predict(Place("pictures"), "", read, ["images"])
        made = future.result(10)["images"]
    assert number == 2
    np.testing.assert_array_equal(made, served.images_of([1], 1.0))


@pytest.mark.parametrize(
    ("policy", "numbers"),
    [
        ("all {}", [1, 4, 7]),
        ("latest { num_versions: 2 }", [4, 7]),
        ("specific { versions: 1 }", [1]),
    ],
)
def test_policies_of_the_configuration(directory, saved, policy, numbers):
    for number in (4, 7):
        (directory / "pictures" / str(number)).symlink_to(saved)
    (directory / "models.config").write_text(
        'model_config_list { config { name: "pictures" version_labels { key: "old" '
        f"value: {numbers[0]} }} model_version_policy {{ {policy} }} }} }}"
    )
    with Models(directory) as models:
        assert sorted(models.versions(Place("pictures"))) == numbers
        assert images(models, label="old")[0] == numbers[0]


def test_a_configuration_that_is_none_is_told(directory):
    (directory / "models.config").write_text("models: [pictures]")
    with pytest.raises(ValueError, match=r"models.config is no ModelServerConfig"):
        Models(directory)


def damage(path):
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def test_a_damaged_model_is_reported_and_the_others_are_served(
    directory, saved, caplog
):
    shutil.copytree(saved, directory / "damaged" / "1")
    damage(directory / "damaged" / "1" / "saved_model.pb")
    with Models(directory) as models:
        assert "damaged/1 is not served: " in caplog.text
        assert images(models)[0] == 1
        version = models.versions(Place("damaged"))[1]
        assert version.state == "END"
        assert "cannot be loaded" in version.error
        with pytest.raises(ServingError, match="'damaged' is not served now"):
            models.find(Place("damaged"))
        # Mended, it is served.
        shutil.copy(saved / "saved_model.pb", directory / "damaged" / "1")
        models.look()
        assert models.find(Place("damaged"))[0] == 1


def test_a_damaged_new_version_leaves_the_old_one(directory, saved):
    with Models(directory) as models:
        shutil.copytree(saved, directory / "pictures" / "2")
        damage(directory / "pictures" / "2" / "variables" / VARIABLES)
        models.look()
        assert images(models)[0] == 1
        assert models.versions(Place("pictures"))[2].error
        shutil.copy(saved / "variables" / VARIABLES, directory / "pictures/2/variables")
        models.look()
        assert images(models)[0] == 2
        assert list(models.versions(Place("pictures"))) == [2]


def test_an_older_version_is_served_where_the_newest_is_damaged(directory, saved):
    shutil.copytree(saved, directory / "pictures" / "5")
    shutil.copytree(saved, directory / "pictures" / "4")
    for number in "45":
        damage(directory / "pictures" / number / "saved_model.pb")
    with Models(directory) as models:
        states = {n: v.state for n, v in models.versions(Place("pictures")).items()}
        assert states == {5: "END", 4: "END", 1: "AVAILABLE"}
        assert images(models)[0] == 1
        models.look()
        assert images(models)[0] == 1
        shutil.copy(saved / "saved_model.pb", directory / "pictures" / "5")
        models.look()
        assert list(models.versions(Place("pictures"))) == [5]


VARIABLES = "variables.data-00000-of-00001"


def warm_up_of(*seeds):
    log = prediction_log_pb2.PredictionLog()
    proto = tf.make_tensor_proto(np.array(seeds))
    log.predict_log.request.inputs["seed"].CopyFrom(proto)
    return log.SerializeToString()


@pytest.mark.parametrize("bad", [False, True])
def test_warm_up_requests_are_run(directory, caplog, bad):
    caplog.set_level("INFO")
    extra = directory / "pictures" / "1" / "assets.extra"
    extra.mkdir()
    path = extra / "tf_serving_warmup_requests"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(warm_up_of(1, 2))
        writer.write(warm_up_of([3]) if bad else warm_up_of(3))
    with Models(directory) as models:
        if bad:
            error = models.versions(Place("pictures"))[1].error
            assert "request 2 cannot be answered" in error
            assert "Remove the file, or write it anew" in error
        else:
            assert "pictures/1 is served (2 warm-up requests)" in caplog.text


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (b'["circle", "square"]', "Its classes: 0 is 'circle', 1 is 'square'."),
        (b"[damaged", "Received: 'circle'."),
        (b"3", "Received: 'circle'."),
    ],
)
def test_a_class_asked_for_by_name_is_told_its_number(directory, names, told):
    path = directory / "pictures" / "1" / "assets.extra" / "class_names.json"
    path.parent.mkdir()
    path.write_bytes(names)
    with Models(directory) as models:
        signature = models.find(Place("pictures"))[1].servable.signature("generate")
        with pytest.raises(ServingError, match="label is int32") as refused:
            rest.from_rows(signature, [{"z": [1, 1], "label": "circle"}])
    assert str(refused.value).endswith(told)


@pytest.mark.parametrize(
    ("layout", "told"),
    [
        ([], "There is no directory.*keras-gans export RUN --to=.*models/NAME"),
        (["x/y.txt"], "holds no model. A directory holds NAME/VERSION"),
        (["saved_model.pb"], "is a SavedModel and not a directory of models"),
        (["emoji/best/saved_model.pb"], "A version is a number. Received: .*best"),
        (["best/saved_model.pb"], "A version is a number. Received: .*best"),
    ],
)
def test_a_path_that_is_no_model_is_told(tmp_path, layout, told):
    for name in layout:
        path = tmp_path / "models" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(b"")
    with pytest.raises(ValueError, match=told):
        Models(tmp_path / "models")


def test_a_version_that_is_no_number_is_told_beside_good_ones(directory, saved, caplog):
    (directory / "pictures" / "best").symlink_to(saved)
    (directory / "a name").mkdir()
    (directory / "a name" / "1").symlink_to(saved)
    with Models(directory) as models:
        models.look()
        assert models.names() == ["pictures"]
    assert caplog.text.count("best' is not served: a version is a number") == 1
    assert caplog.text.count("a name' is not served: a model's name") == 1


def test_versions_are_swapped_under_load_without_a_failed_request(
    directory, saved, brighter
):
    """Each answer is that of the version that it says."""
    answers, failures, done = [], [], threading.Event()

    def ask(port, worker):
        client = served.Client(port)
        seed = worker * 10**6
        while not done.is_set():
            seed += 1
            status, told = client.predict({"inputs": [seed]})
            if status != 200:
                failures.append(told)
                continue
            made = np.float32(told["outputs"]["images"])
            dark, bright = (served.images_of([seed], b) for b in (0.0, 1.0))
            answers.append(
                "dark"
                if (made == dark).all()
                else "bright"
                if (made == bright).all()
                else "wrong"
            )
        client.close()

    with ModelServer(directory, port=0, grpc_port=0, poll=0.02) as server:
        workers = [
            threading.Thread(target=ask, args=(server.port, i)) for i in range(4)
        ]
        for worker in workers:
            worker.start()
        until(lambda: len(answers) > 4)  # of the first version
        for number in (2, 3, 4):
            source = brighter if number % 2 == 0 else saved
            appear(source, directory / "pictures" / str(number))
            until(lambda n=number: list(server.models.versions(PLACE)) == [n])
            shutil.rmtree(directory / "pictures" / str(number - 1))
            count = len(answers)
            until(lambda n=count: len(answers) > n + 20)
        done.set()
        for worker in workers:
            worker.join()
    assert failures == []
    assert set(answers) == {"dark", "bright"}
    assert answers[0] == "dark" and answers[-1] == "bright"


PLACE = Place("pictures")


def until(condition, patience=20):
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
