"""The generative adversarial network of 2014: multilayer perceptrons."""

import math

import keras
from keras import layers

from keras_gans.base import BaseGAN
from keras_gans.checks import check_row_shape
from keras_gans.checks import check_seed
from keras_gans.checks import check_size
from keras_gans.checks import images_of
from keras_gans.checks import packed
from keras_gans.layers import Dropout

# Published MNIST hyper-parameters of the paper's authors.
INIT_G = 0.05
INIT_D = 0.005


def mlp_generator(
    image_shape=(28, 28, 1), latent_dim=100, width=1200, name="generator"
):
    """Two layers of rectified units, then the pixels.

    The paper's sigmoid in [0, 1] is a tanh in [-1, 1] here: the same family,
    for tanh(x) = 2 sigmoid(2x) - 1.

    Args:
        image_shape: tuple (height, width, channels), or (d,) for vectors: they
            may have any range, so that their last layer is linear.
        latent_dim: int.
        width: int, hidden units a layer.
        name: str.

    Returns:
        `keras.Model` from `[n, latent_dim]` to `[n, *image_shape]`.

    Reference:
        https://arxiv.org/abs/1406.2661
    """

    image_shape = check_row_shape(image_shape)
    check_size("latent_dim", latent_dim)
    check_size("width", width)

    def dense(units, activation):
        initializer = keras.initializers.RandomUniform(-INIT_G, INIT_G)
        return layers.Dense(
            units, activation=activation, kernel_initializer=initializer
        )

    z = keras.Input((latent_dim,), name="z")
    x = dense(width, "relu")(z)
    x = dense(width, "relu")(x)
    x = dense(math.prod(image_shape), None)(x)
    x = layers.Reshape(image_shape)(x)
    last = "linear" if len(image_shape) == 1 else "tanh"
    images = layers.Activation(last, dtype="float32", name="images")(x)
    return keras.Model(z, images, name=name)


def mlp_discriminator(
    image_shape=(28, 28, 1), width=240, pieces=5, seed=0, name="discriminator"
):
    """Two layers of maxout units with dropout, then one logit.

    Args:
        image_shape: tuple (height, width, channels), or (d,) for vectors.
        width: int, maxout units a layer.
        pieces: int, linear pieces a unit.
        seed: int in [0, 2**29), of the dropout masks.
        name: str.

    Returns:
        `keras.Model` from `[n, *image_shape]` to logits `[n, 1]`.

    Reference:
        https://arxiv.org/abs/1406.2661; maxout:
        https://arxiv.org/abs/1302.4389
    """

    image_shape = check_row_shape(image_shape)
    check_size("width", width)
    check_size("pieces", pieces)

    def dense(units, **kwargs):
        initializer = keras.initializers.RandomUniform(-INIT_D, INIT_D)
        return layers.Dense(units, kernel_initializer=initializer, **kwargs)

    images = keras.Input(image_shape, name="images")
    x = layers.Flatten()(images)
    for i, rate in enumerate((0.2, 0.5)):
        x = Dropout(rate, seed=4 * seed + i)(x)
        x = dense(width * pieces)(x)
        x = layers.Reshape((pieces, width))(x)
        x = layers.GlobalMaxPooling1D()(x)
    x = Dropout(0.5, seed=4 * seed + 2)(x)
    logits = dense(1, dtype="float32", name="logits")(x)
    return keras.Model(images, logits, name=name)


@keras.saving.register_keras_serializable("keras_gans")
class GAN(BaseGAN):
    """The generative adversarial network of 2014.

    Args:
        image_shape: tuple (height, width, channels), or (d,) for vectors of
            any range; (28, 28, 1) by default, or what `generator` makes.
        latent_dim: int; 100 by default, or what `generator` takes.
        generator: `keras.Model` to use instead of `mlp_generator`.
        discriminator: `keras.Model` to use instead of `mlp_discriminator`.
        **kwargs: `objective` ("minimax", the saturating original,
            "non_saturating", "least_squares", "hinge", "wasserstein",
            "relativistic"), `seed` and the other arguments of `BaseGAN`.

    Example:

    ```python
    gan = keras_gans.GAN(image_shape=(28, 28, 1), objective="minimax")
    gan.compile()
    gan.fit(np.random.uniform(-1, 1, (64, 28, 28, 1)), verbose=0)
    images = gan.sample(16, seed=0)
    ```

    Reference:
        https://arxiv.org/abs/1406.2661
    """

    def __init__(
        self,
        image_shape=None,
        latent_dim=None,
        *,
        generator=None,
        discriminator=None,
        seed=0,
        **kwargs,
    ):
        if generator is None:
            generator = mlp_generator(
                (28, 28, 1) if image_shape is None else image_shape,
                100 if latent_dim is None else latent_dim,
            )
        if discriminator is None:
            discriminator = mlp_discriminator(
                packed(
                    images_of(generator, latent_dim)[1],
                    kwargs.get("packing", 1),
                ),
                seed=check_seed(seed),
            )
        super().__init__(
            generator,
            discriminator,
            image_shape=image_shape,
            latent_dim=latent_dim,
            seed=seed,
            **kwargs,
        )

    def default_optimizers(self):
        """SGD with momentum, as in the authors' MNIST experiments."""

        def sgd():
            # Divided by 1.000004 a batch, a number that float32 cannot hold
            # well: by e in 250,000 batches.
            rate = keras.optimizers.schedules.ExponentialDecay(
                0.1, decay_steps=250_000, decay_rate=1 / math.e
            )
            return keras.optimizers.SGD(rate, momentum=0.5)

        return sgd(), sgd()
