"""WGAN: a critic whose weights are clipped to a box."""

import keras
from keras import ops

from keras_gans.base import BaseGAN
from keras_gans.checks import images_of
from keras_gans.checks import is_number
from keras_gans.checks import packed
from keras_gans.checks import within
from keras_gans.models.dcgan import dcgan_discriminator
from keras_gans.models.dcgan import dcgan_generator


@keras.saving.register_keras_serializable("keras_gans")
class WGAN(BaseGAN):
    """Wasserstein GAN with weight clipping.

    The critic, DCGAN's, learns from `d_steps` batches a step; after each
    update its weights are clipped to [-clip, clip], which bounds its slope.
    The generator learns once, through fakes that the critic has not seen.

    Args:
        image_shape: tuple (height, width, channels), from 16 pixels up;
            (64, 64, 3) by default, or what `generator` makes.
        latent_dim: int; 100 by default, or what `generator` takes.
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
        image_shape=None,
        latent_dim=None,
        width=64,
        *,
        clip=0.01,
        generator=None,
        discriminator=None,
        d_steps=5,
        **kwargs,
    ):
        self.width = width
        ok = is_number(clip) and 0 < clip < float("inf")
        self.clip = within("clip", clip, ok, "(0, inf)")
        if generator is None:
            generator = dcgan_generator(
                (64, 64, 3) if image_shape is None else image_shape,
                100 if latent_dim is None else latent_dim,
                width,
            )
        if discriminator is None:
            made = images_of(generator, latent_dim)[1]
            discriminator = dcgan_discriminator(
                packed(made, kwargs.get("packing", 1)), width
            )
        kwargs.setdefault("objective", "wasserstein")
        super().__init__(
            generator,
            discriminator,
            image_shape=image_shape,
            latent_dim=latent_dim,
            d_steps=d_steps,
            **kwargs,
        )

    def default_optimizers(self):
        """The paper's RMSProp, learning rate 5e-5."""

        def rmsprop():  # PyTorch's decay and epsilon
            return keras.optimizers.RMSprop(5e-5, rho=0.99, epsilon=1e-8)

        return rmsprop(), rmsprop()

    def update(self, batches):
        return self.update_with_fresh_fakes(batches)

    def update_discriminator(self, fake, batch):
        """Algorithm 1, lines 5 to 7: a step, then w = clip(w, -c, c)."""
        logs = super().update_discriminator(fake, batch)
        for v in self.d_variables:
            v.assign(ops.clip(v.value, -self.clip, self.clip))
        return logs
