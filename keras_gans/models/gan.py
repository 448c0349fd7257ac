"""The generative adversarial network of 2014: multilayer perceptrons."""

import functools
import math

import keras

from keras_gans.core.gan import BaseGAN
from keras_gans.core.networks import latent_of, modality_of
from keras_gans.core.recipe import Recipe
from keras_gans.networks.mlp import mlp_discriminator, mlp_generator
from keras_gans.utils.validation import check_seed


@keras.saving.register_keras_serializable("keras_gans")
class GAN(BaseGAN):
    """The generative adversarial network of 2014.

    Args:
        image_shape: tuple (height, width, channels), or (d,) for vectors of
            any range; (28, 28, 1) by default, or what `generator` makes.
        latent_dim: int, length of the latent code; 100 by default, or what
            `generator` takes.
        generator: `keras.Model` to use instead of `mlp_generator`.
        discriminator: `keras.Model` to use instead of `mlp_discriminator`.
        **kwargs: `objective` ("minimax", the saturating original,
            "non_saturating", "least_squares", "hinge", "wasserstein",
            "relativistic"), `seed` and the other arguments of `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, or the networks do not fit.

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
        image_shape: tuple[int, ...] | None = None,
        latent_dim: int | None = None,
        *,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        seed: int = 0,
        **kwargs,
    ):
        shape = (28, 28, 1) if image_shape is None else image_shape
        if generator is None:
            dim = 100 if latent_dim is None else latent_dim
            generator = mlp_generator(shape, dim)
        if discriminator is None:
            check_seed(seed)
            discriminator = functools.partial(mlp_discriminator, seed=seed)
        super().__init__(
            generator,
            discriminator,
            modality=modality_of(image_shape),
            inputs=(latent_of(generator, latent_dim),),
            seed=seed,
            **kwargs,
        )

    def default_optimizers(self) -> tuple:
        """SGD with momentum, as in the authors' MNIST experiments."""

        def sgd():
            # Divided by 1.000004 a batch, a number that float32 cannot hold
            # well: by e in 250,000 batches.
            rate = keras.optimizers.schedules.ExponentialDecay(
                0.1, decay_steps=250_000, decay_rate=1 / math.e
            )
            return keras.optimizers.SGD(rate, momentum=0.5)

        return sgd(), sgd()


RECIPE = Recipe(
    name="gan",
    model="GAN",
    summary="The multilayer perceptrons of 2014, arXiv:1406.2661",
    epochs=50,
    batch_size=64,
    arguments={"image_shape": (32, 32, 3), "ema": 0.99},
    optimizers={
        "d": ("adam", {"learning_rate": 2e-4, "beta_1": 0.5, "epsilon": 1e-8}),
        "g": ("adam", {"learning_rate": 2e-4, "beta_1": 0.5, "epsilon": 1e-8}),
    },
)
