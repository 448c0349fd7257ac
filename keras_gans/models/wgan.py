"""WGAN: a critic whose weights are clipped to a box."""

import functools

import keras
from keras import ops

from keras_gans.core.gan import BaseGAN
from keras_gans.core.networks import latent_of, modality_of
from keras_gans.core.recipe import Recipe
from keras_gans.engine.phases import Phase
from keras_gans.networks.dcgan import dcgan_discriminator, dcgan_generator
from keras_gans.utils.validation import is_number, within


@keras.saving.register_keras_serializable("keras_gans")
class WGAN(BaseGAN):
    """Wasserstein GAN with weight clipping.

    The critic, DCGAN's, learns from `d_steps` batches a step; after each
    update its weights are clipped to [-clip, clip], which bounds the norm of
    its gradient. The generator learns once, through fakes that the critic has
    not seen.

    Args:
        image_shape: tuple (height, width, channels), from 16 pixels up;
            (64, 64, 3) by default, or what `generator` makes.
        latent_dim: int, length of the latent code; 100 by default, or what
            `generator` takes.
        width: int, channels of the largest hidden map of the networks built
            here.
        clip: float above 0, the bound c of every weight of the critic.
        generator: `keras.Model` to use instead of `dcgan_generator`.
        discriminator: `keras.Model` to use instead of `dcgan_discriminator`.
        d_steps: int, n_critic; 5 in the paper.
        **kwargs: the other arguments of `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    gan = keras_gans.WGAN(image_shape=(16, 16, 1), width=4, d_steps=2)
    gan.compile()
    gan.fit(np.random.uniform(-1, 1, (16, 16, 16, 1)), batch_size=8, verbose=0)
    ```

    Reference:
        https://arxiv.org/abs/1701.07875, algorithm 1
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int] | None = None,
        latent_dim: int | None = None,
        width: int = 64,
        *,
        clip: float = 0.01,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        d_steps: int = 5,
        **kwargs,
    ):
        ok = is_number(clip) and 0 < clip < float("inf")
        self.clip = within("clip", clip, ok, "(0, inf)")
        shape = (64, 64, 3) if image_shape is None else image_shape
        if generator is None:
            dim = 100 if latent_dim is None else latent_dim
            generator = dcgan_generator(shape, dim, width)
        if discriminator is None:
            discriminator = functools.partial(dcgan_discriminator, width=width)
        kwargs.setdefault("objective", "wasserstein")
        super().__init__(
            generator,
            discriminator,
            modality=modality_of(image_shape),
            inputs=(latent_of(generator, latent_dim),),
            d_steps=d_steps,
            **kwargs,
        )

    def default_optimizers(self) -> tuple:
        """The paper's RMSProp, learning rate 5e-5."""

        def rmsprop():  # PyTorch's decay and epsilon
            return keras.optimizers.RMSprop(5e-5, rho=0.99, epsilon=1e-8)

        return rmsprop(), rmsprop()

    def phases(self) -> list[Phase]:
        """Algorithm 1: the critic is clipped after each of its updates."""
        return [
            Phase(
                "d",
                self.discriminator_loss,
                penalty=self.penalties,
                batches=self.d_steps,
                after=self._clip,
            ),
            Phase("g", self.generator_loss, fakes="fresh"),
        ]

    def _clip(self):
        """Line 7: w = clip(w, -c, c)."""
        for v in self.variables_of("d"):
            v.assign(ops.clip(v.value, -self.clip, self.clip))


RECIPE = Recipe(
    name="wgan",
    model="WGAN",
    summary="Wasserstein GAN with weight clipping, arXiv:1701.07875",
    epochs=100,
    batch_size=32,
    arguments={"image_shape": (32, 32, 3), "width": 32, "ema": 0.995},
)
