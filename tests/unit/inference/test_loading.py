"""Keras files are loaded by several threads, and others build meanwhile."""

import threading

import keras
import numpy as np
import pytest

import keras_gans as kg
from keras_gans.inference.loading import load_model


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_nothing_of_the_process_is_changed():
    """Large networks are built while small files are loaded, and after."""
    small = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)])
    small.save("small.keras")
    before = keras.Layer.add_weight
    failed, stop = [], threading.Event()

    def load():
        while not stop.is_set():
            try:
                load_model("small.keras")
            except Exception as error:
                failed.append(error)
                return

    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):  # of far more weights than the files hold
            keras.layers.Dense(2000).build((None, 1500))
            assert keras.Layer.add_weight is before
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failed
    loaded = load_model("small.keras")
    for a, b in zip(small.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_a_gan_with_its_average_is_loaded():
    gan = kg.DCGAN((16, 16, 1), 4, width=2, ema=0.9)
    gan.save("gan.keras")
    loaded = load_model("gan.keras")
    np.testing.assert_array_equal(gan.sample(2), loaded.sample(2))
