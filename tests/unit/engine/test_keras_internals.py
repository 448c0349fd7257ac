"""Each private name of Keras that is used is there, and does what it did."""

import ast
import functools
from pathlib import Path
import random

import keras
from keras import layers, ops
import numpy as np
import pytest

import keras_gans
from keras_gans.engine import keras_internals as internals

PACKAGE = Path(keras_gans.__file__).parent
on_tensorflow = keras.backend.backend() == "tensorflow"


def functional():
    x = keras.Input((4,), name="x")
    y = layers.Dropout(0.5)(layers.Dense(3, name="dense")(x))
    return keras.Model(x, {"y": ops.relu(y)})


@pytest.mark.backends
def test_names_of_modules():
    assert issubclass(internals.Functional, keras.Model)
    assert internals.get_stateless_scope() is None
    with keras.StatelessScope() as scope:
        assert internals.get_stateless_scope() is scope
        assert scope.state_mapping == {}
    v = keras.Variable(np.ones(2), dtype="float32")
    with internals.AutocastScope("bfloat16"), internals.AutocastScope(None):
        assert keras.backend.standardize_dtype(v.value.dtype) == "float32"
    with internals.AutocastScope("bfloat16"):
        assert keras.backend.standardize_dtype(v.value.dtype) == "bfloat16"
    adapter = internals.get_data_adapter(x=np.zeros((5, 2)), batch_size=2)
    assert isinstance(adapter, internals.DataAdapter)
    assert adapter.num_batches == 3


@pytest.mark.backends
def test_graphs():
    model = functional()
    sequential = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    names = [layer.name for layer in internals.flatten_layers(model)]
    assert {model.name, "dense"} <= set(names)
    assert internals.is_graph(model) and internals.is_graph(sequential)
    assert not internals.is_graph(layers.Dense(2))
    assert internals.graph_of(model) is model
    graph = internals.graph_of(sequential)
    assert [n.operation for n in internals.nodes_of(graph)] == sequential.layers
    nodes = list(internals.nodes_of(model))
    dense, dropout, relu = (node.operation for node in nodes)
    assert isinstance(dense, layers.Dense) and not isinstance(relu, keras.Layer)
    assert [internals.takes_training(n.operation) for n in nodes] == [True, True, False]
    assert set(internals.outputs_structure(model)) == {"y"}
    operation, (before,) = internals.producer(model.outputs[0])
    assert operation is relu
    assert internals.producer(before)[0] is dropout
    x = keras.Input((5, 2))
    assert [internals.output_index(part) for part in ops.unstack(x, 5, 1)] == [
        *range(5)
    ]
    taken = keras.Model(x, [x[:, 3], x[:, -1], x[:, 1:], x[0], ops.sum(x, 1)])
    for graph in (taken, keras.models.clone_model(taken)):
        found = {internals.place_of(node) for node in internals.nodes_of(graph)}
        assert found == {3, -1, None}
    called = []

    def call(operation, args, kwargs):
        called.append(operation)
        return operation(*args, **kwargs)

    ones = np.ones((2, 4), "float32")
    found = internals.replayed(model, [ones], call)
    assert called == [dense, dropout, relu]
    np.testing.assert_array_equal(found["y"], model(ones)["y"])

    class Own(keras.Model):
        def call(self, x):
            return x

    assert internals.graph_of(Own()) is None
    assert not internals.is_graph(Own())


@pytest.mark.backends
def test_moments_are_bound():
    norm = layers.BatchNormalization(epsilon=0.0)
    internals.bind_moments(norm, lambda mean, variance: (mean + 1, 4 * variance))
    x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    want = (x - x.mean(0) - 1) / (2 * x.std(0))
    np.testing.assert_allclose(norm(x, training=True), want, atol=1e-5)


@pytest.mark.backends
def test_optimizers():
    adam = keras.optimizers.Adam(0.1)
    v = keras.Variable(np.zeros(2), dtype="float32")
    adam.build([v])
    m, square = internals.adam_moments(adam, v)
    adam.apply([ops.ones(2)], [v])
    np.testing.assert_allclose(m, [0.1, 0.1], rtol=1e-5)
    np.testing.assert_allclose(square, [0.001, 0.001], rtol=1e-5)


@pytest.mark.skipif(not on_tensorflow, reason="of TensorFlow's strategies")
def test_strategies():
    import tensorflow as tf

    strategy = tf.distribute.OneDeviceStrategy("CPU:0")
    with strategy.scope():
        inside = keras.optimizers.SGD()
    assert internals.is_made_under(inside, strategy)
    assert not internals.is_made_under(keras.optimizers.SGD(), strategy)
    for optimizer in (inside, keras.optimizers.LossScaleOptimizer(inside)):
        internals.keep_gradients(optimizer)
    # What it takes the place of.
    assert callable(keras.optimizers.SGD._all_reduce_sum_gradients)


@pytest.mark.backends
def test_methods_that_the_engines_override():
    for name in (
        ("_maybe_symbolic_build", "predict_step", "train_step")
        if on_tensorflow
        else ("_symbolic_build", "jax_state_sync", "train_step")
    ):
        assert callable(getattr(keras.Model, name)), name


@functools.cache
def modules_imported(path):
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


@pytest.mark.parametrize("place", ["keras.src", "tensorflow.python"])
def test_no_other_module_imports_them(place):
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if any(name.startswith(place) for name in modules_imported(path))
    }
    assert users == {f"engine/{place.split('.')[0]}_internals.py"}


def test_core_and_engine_alone_import_kernels():
    users = {
        path.relative_to(PACKAGE).parts[0]
        for path in PACKAGE.rglob("*.py")
        if any(
            name.startswith("keras_gans.engine.kernels")
            for name in modules_imported(path)
        )
    }
    assert users == {"core", "engine"}


@pytest.mark.backends
def test_variables_without_values():
    """Of any size, and none of them is made afterwards."""
    seen, state = [], random.getstate()
    with internals.without_values(seen.append):
        layer = keras.layers.Dense(10**6)
        layer.build((None, 10**6))
        assert random.getstate() != state  # a seed was drawn
    assert random.getstate() == state
    assert [tuple(v.shape) for v in seen] == [(10**6, 10**6), (10**6,)]
    with keras.StatelessScope():  # whose end gives values to new variables
        pass
    assert keras.layers.Dense(2).compute_output_shape((1, 3)) == (1, 2)
