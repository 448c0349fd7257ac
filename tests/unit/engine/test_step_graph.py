"""What a compiled step leaves out: detours that only a GPU would show."""

import keras
import numpy as np
import pytest
from small import small_gan
import tensorflow as tf

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="graphs of TensorFlow"
)
# Operations that wait for Python, or for a file or a terminal.
HOST = {"PyFunc", "PyFuncStateless", "EagerPyFunc", "PrintV2", "WriteFile"}


def test_a_step_is_one_graph_on_the_device(images, monkeypatch):
    """Of all phases, traced once, without Python and without large float64."""
    gan = small_gan(d_steps=2, ema=0.9, seed=0)
    gan.compile(*(keras.optimizers.Adam(1e-3) for _ in range(2)))
    traced, step = [], type(gan).train_step

    def noted(data):
        traced.append(tf.compat.v1.get_default_graph())
        return step(gan, data)

    monkeypatch.setattr(gan, "train_step", noted)
    x = images(24, 8, 8)
    gan.fit(x, batch_size=4, epochs=2, verbose=0)
    assert int(gan.step) == 6
    # Both updates of D and that of G, six times: traced once.
    (graph,) = traced
    operations = graph.get_operations()
    types = {operation.type for operation in operations}
    assert "ResourceApplyAdam" in types and not types & HOST
    updates = [o for o in operations if o.type == "ResourceApplyAdam"]
    d, g = (len(v) for v in (gan.variables_of("d"), gan.variables_of("g")))
    assert len(updates) == 2 * d + g
    wide = [
        tensor.name
        for operation in operations
        for tensor in operation.outputs
        if tensor.dtype == tf.float64 and tensor.shape.num_elements() != 1
    ]
    assert not wide, "float64 is for running means alone"
    assert np.isfinite(gan.get_weights()[0]).all()
