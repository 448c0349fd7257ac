"""Batch norm within the convolutions: the same features in less time."""

import keras
from keras import layers
import numpy as np

from keras_gans.networks.features.taps import folded


def network():
    x = images = keras.Input((None, None, 3))
    x = layers.Conv2D(8, 3, 2, "same", use_bias=False, name="conv")(x)
    x = layers.BatchNormalization(epsilon=0.1)(x)
    shortcut = x = layers.ReLU(6)(x)
    x = layers.DepthwiseConv2D(3, use_bias=False, padding="same")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Conv2D(8, (1, 3), padding="same", use_bias=False)(x)
    x = layers.Add()([layers.BatchNormalization()(x), shortcut])
    features = layers.GlobalAveragePooling2D()(x)
    logits = layers.Dense(5)(features)
    model = keras.Model(images, {"features": features, "logits": logits})
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in model.weights])
    return model


def test_norms_go_into_the_convolutions_and_nothing_changes():
    model = network()
    model.trainable = False
    fast = folded(model)
    kinds = [type(layer) for layer in fast.layers]
    assert layers.BatchNormalization not in kinds
    assert len(kinds) == len(model.layers) - 3
    assert fast.name == model.name and not fast.trainable_weights
    x = np.random.default_rng(1).uniform(0, 1, (2, 9, 12, 3))
    x = x.astype("float32")
    before, after = model.predict(x, verbose=0), fast.predict(x, verbose=0)
    assert set(after) == {"features", "logits"}
    for name, want in before.items():
        # Sums in another order: a few units of the last place.
        np.testing.assert_allclose(after[name], want, rtol=1e-5)
