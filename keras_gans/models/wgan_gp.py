"""WGAN-GP: a critic whose slope is held at one between reals and fakes."""

import keras
from keras import ops

from keras_gans.base import BaseGAN
from keras_gans.checks import check_shape
from keras_gans.checks import images_of
from keras_gans.checks import is_number
from keras_gans.checks import packed
from keras_gans.checks import within
from keras_gans.engine import draws
from keras_gans.networks.resnet import resnet_critic
from keras_gans.networks.resnet import resnet_generator
from keras_gans.regularizers import gradient_penalty
from keras_gans.switches import logits_of
from keras_gans.switches import warn_of_batch_norm


def reference_widths(image_shape):
    """The widths of mimicry's generator and critic at a size."""
    side = min(check_shape(image_shape)[:2])
    if side <= 32:
        return 256, 128
    return (512 if side <= 48 else 1024), 1024


@keras.saving.register_keras_serializable("keras_gans")
class WGANGP(BaseGAN):
    """Wasserstein GAN with gradient penalty.

    Residual networks as mimicry's, whose published weights fit at 32 and 64
    pixels. The critic learns from `d_steps` batches a step, each with fresh
    fakes; the generator learns once, through fakes that the critic has not
    seen.

    Args:
        image_shape: tuple (height, width, channels); (32, 32, 3) by default,
            or what `generator` makes.
        latent_dim: int; 128 by default, or what `generator` takes.
        g_width: int, channels of the generator's first map; mimicry's by
            default: 256 up to 32 pixels, 512 up to 48, 1024 beyond.
        d_width: int, channels of the critic's last map; mimicry's by default:
            128 up to 32 pixels, 1024 beyond.
        gp_weight: float of 0 or more, lambda of the penalty.
        generator: `keras.Model` to use instead of `resnet_generator`.
        discriminator: `keras.Model` to use instead of `resnet_critic`, e.g.
            `dcgan_discriminator(image_shape, norm="layer")`.
        d_steps: int, n_critic; 5 in the paper.
        **kwargs: the other arguments of `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    gan = keras_gans.WGANGP((16, 16, 3), g_width=8, d_width=8, d_steps=1)
    gan.compile()
    gan.fit(np.random.uniform(-1, 1, (8, 16, 16, 3)), batch_size=4, verbose=0)
    ```

    Reference:
        https://arxiv.org/abs/1704.00028, algorithm 1
    """

    loss_names = ("d_loss", "g_loss", "gradient_penalty")

    def __init__(
        self,
        image_shape=None,
        latent_dim=None,
        g_width=None,
        d_width=None,
        *,
        gp_weight=10.0,
        generator=None,
        discriminator=None,
        d_steps=5,
        **kwargs,
    ):
        self.g_width = g_width
        self.d_width = d_width
        ok = is_number(gp_weight) and 0 <= gp_weight < float("inf")
        self.gp_weight = within("gp_weight", gp_weight, ok, "[0, inf)")
        if generator is None:
            generator = resnet_generator(
                (32, 32, 3) if image_shape is None else image_shape,
                128 if latent_dim is None else latent_dim,
                reference_widths(image_shape or (32, 32, 3))[0]
                if g_width is None
                else g_width,
            )
        if discriminator is None:
            made = images_of(generator, latent_dim)[1]
            discriminator = resnet_critic(
                packed(made, kwargs.get("packing", 1)),
                reference_widths(made)[1] if d_width is None else d_width,
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
        if gp_weight:
            warn_of_batch_norm(
                self.discriminator, "`gp_weight`", self.num_replicas
            )

    def default_optimizers(self):
        """The paper's Adam for residual networks: 2e-4, betas 0 and 0.9."""

        def adam():
            return keras.optimizers.Adam(
                2e-4, beta_1=0.0, beta_2=0.9, epsilon=1e-8
            )

        return adam(), adam()

    def update(self, batches):
        return self.update_with_fresh_fakes(batches)

    def discriminator_loss(self, fake, batch, training):
        loss, logs = super().discriminator_loss(fake, batch, training)
        x = self._between(self.real(batch), fake)
        penalty = gradient_penalty(
            lambda x: logits_of(self.judge(x, batch, training, draws.MIXED)), x
        )
        logs |= {"gradient_penalty": penalty}
        return loss + self.gp_weight * penalty, logs

    def _between(self, real, fake):
        """alpha x + (1 - alpha) G(z), an alpha of U(0, 1) for each judged."""
        real = ops.cast(real, "float32")
        m = self.packing
        alpha = self.draws.uniform(ops.shape(real)[0] // m, 1, draws.ALPHA)
        alpha = ops.repeat(alpha, m, axis=0)
        alpha = ops.reshape(alpha, (-1, *[1] * (len(real.shape) - 1)))
        return alpha * real + (1.0 - alpha) * fake
