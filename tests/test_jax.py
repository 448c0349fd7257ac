"""The tests marked `backends` once more, on JAX."""

import keras
import pytest


@pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="this is the JAX run"
)
def test_the_marked_tests_pass_on_jax(jax_run):
    status, output = jax_run
    assert status == 0, output[-4000:]
    assert " passed" in output
