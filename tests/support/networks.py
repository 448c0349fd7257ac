"""Networks of a few units, for what does not depend on the architecture."""

import keras
from keras import layers, ops

CLASSES = 3
CODES = 2


def tiny_generator(labelled=True, codes=0):
    """8 x 8 grey images of `[z, label, codes]`."""
    z = keras.Input((6,), name="z")
    inputs, parts = [z], [z]
    if labelled:
        inputs.append(keras.Input((), dtype="int32", name="label"))
        parts.append(ops.one_hot(inputs[1], CLASSES))
    if codes:
        inputs.append(keras.Input((codes,), name="codes"))
        parts.append(inputs[2])
    x = layers.Concatenate()(parts) if labelled else z
    x = layers.Dense(16, activation="relu")(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.Dense(64, activation="tanh")(x)
    images = layers.Reshape((8, 8, 1))(x)
    return keras.Model(inputs if labelled else z, images)


def tiny_critic(outputs=(1,), labelled=False):
    """Outputs of so many units each, of images or `[images, label]`."""
    inputs = [keras.Input((8, 8, 1), name="images")]
    x = layers.Flatten()(inputs[0])
    if labelled:
        inputs.append(keras.Input((), dtype="int32", name="label"))
        x = layers.Concatenate()([x, ops.one_hot(inputs[1], CLASSES)])
    x = layers.LeakyReLU(0.2)(layers.Dense(16)(x))
    made = [layers.Dense(units, name=f"score_{units}")(x) for units in outputs]
    return keras.Model(
        inputs if labelled else inputs[0], made if len(made) > 1 else made[0]
    )


def tiny_translator(source=1, made=1, side=8, dropout=0.0, name=None):
    """Images of `made` channels from those of `source`."""
    images = keras.Input((side, side, source), name="source")
    x = layers.Conv2D(4, 3, padding="same", use_bias=False)(images)
    x = layers.BatchNormalization(momentum=0.9)(x)
    if dropout:
        x = layers.Dropout(dropout, seed=0)(x)
    x = layers.LeakyReLU(0.2)(x)
    x = layers.Conv2D(made, 3, padding="same", activation="tanh")(x)
    return keras.Model(images, x, name=name)


def tiny_judge(channels=1, side=8, name=None):
    """A map of logits of images."""
    images = keras.Input((side, side, channels), name="images")
    x = layers.LeakyReLU(0.2)(layers.Conv2D(4, 4, 2, padding="same")(images))
    return keras.Model(images, layers.Conv2D(1, 3)(x), name=name)
