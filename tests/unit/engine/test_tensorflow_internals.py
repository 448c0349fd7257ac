"""The private names of TensorFlow that are used are there, and do what they did."""

import gc
import warnings

import keras
from keras import layers
import numpy as np
import pytest

import keras_gans as kg

if keras.backend.backend() != "tensorflow":
    pytest.skip("TensorFlow's registry of gradients", allow_module_level=True)

import tensorflow as tf
from tensorflow.python.framework import ops


def registered():
    """The names of gradients that single calls in graphs have."""
    names = ops._gradient_registry.list()
    return {name for name in names if name.startswith("CustomGradient-")}


def train():
    """One step of a GAN, which looks at the reals' gradients in every other step."""
    generator = keras.Sequential([keras.Input((2,)), layers.Dense(2, "silu")])
    hidden = [layers.Dense(2), layers.LeakyReLU(), layers.Dense(1)]
    discriminator = keras.Sequential([keras.Input((2,)), *hidden])
    gan = kg.GAN(
        generator=generator, discriminator=discriminator, r1=1.0, penalty_interval=2
    )
    gan.compile(rematerialize=True)
    gan.train_on_batch(np.zeros((2, 2), "float32"))
    gan.sample(2, seed=0)
    return gan


def graphs():
    gc.collect()
    return [x for x in gc.get_objects() if type(x).__name__ == "FuncGraph"]


@pytest.mark.full
def test_graphs_of_steps_go_with_their_gan():
    before, names = graphs(), registered()
    for _ in range(3):
        gan = train()
    assert registered() - names  # of the last one
    del gan
    known = {id(graph) for graph in before}
    left = [graph.name for graph in graphs() if id(graph) not in known]
    assert (left, registered() - names) == ([], set())


def test_gradients_serve_while_their_graph_is_there():
    graph = {}

    @tf.function(autograph=False)
    def fn(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.nn.silu(x)
        kg.engine.tensorflow_internals.release_gradients()
        kg.engine.tensorflow_internals.release_gradients()  # as a second replica does
        graph["kept"] = tf.compat.v1.get_default_graph()
        return y, tape.gradient(y, x)

    x = tf.constant([0.5, -2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y, expected = fn(x)
    gc.collect()
    np.testing.assert_array_equal(tape.gradient(y, x), expected)


@pytest.mark.parametrize("on", [True, False])
def test_fit_warns_of_volumes_where_one_dnn_is_off(monkeypatch, on):
    internals, startup = kg.engine.tensorflow_internals, kg.utils.startup
    assert isinstance(internals.has_one_dnn(), bool)
    monkeypatch.setattr(internals, "has_one_dnn", lambda: on)
    monkeypatch.setattr(startup, "instructions", lambda: frozenset({"avx2"}))
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: [])
    gan = kg.VoxelGAN("iwgan32", 8, latent_dim=2, width=1)
    gan.compile()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        gan.make_train_function()
    told = [str(one.message) for one in told]
    assert len(told) == (0 if on else 1)
    assert on or ("TF_ENABLE_ONEDNN_OPTS=1" in told[0] and "'" in told[0])
