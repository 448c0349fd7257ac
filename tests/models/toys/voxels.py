"""Solids on a grid of voxels."""

import keras
from keras import layers

import keras_gans as kg

SIDE = 8


def generator():
    x = z = keras.Input((6,))
    x = layers.Reshape((4, 4, 4, 2))(layers.Dense(128)(x))
    x = layers.LeakyReLU(0.2)(x)
    x = layers.Conv3DTranspose(1, 4, 2, padding="same", activation="sigmoid")(x)
    return keras.Model(z, x)


def discriminator():
    x = volumes = keras.Input((SIDE, SIDE, SIDE, 1))
    x = layers.Conv3D(4, 4, 2, padding="same", activation="leaky_relu")(x)
    return keras.Model(volumes, layers.Dense(1)(layers.Flatten()(x)))


@keras.saving.register_keras_serializable("tests")
class VoxelGAN(kg.BaseGAN):
    def __init__(self, **kwargs):
        modality = kg.Volume(SIDE)
        super().__init__(generator(), discriminator(), modality=modality, **kwargs)
