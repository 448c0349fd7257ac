"""WGAN-GP: a critic of gradient norm one between reals and fakes."""

import functools

import keras

from keras_gans.core.gradient_penalty import GradientPenaltyGAN
from keras_gans.core.networks import latent_of, modality_of
from keras_gans.core.recipe import Recipe
from keras_gans.networks.resnet import resnet_critic, resnet_generator
from keras_gans.utils.validation import check_shape


def reference_widths(image_shape: tuple[int, int, int]) -> tuple[int, int]:
    """The widths of mimicry's generator and critic at a size."""
    side = min(check_shape(image_shape)[:2])
    if side <= 32:
        return 256, 128
    return (512 if side <= 48 else 1024), 1024


@keras.saving.register_keras_serializable("keras_gans")
class WGANGP(GradientPenaltyGAN):
    """Wasserstein GAN with gradient penalty.

    Residual networks as mimicry's, whose published weights fit at 32 and 64
    pixels. The critic learns from `d_steps` batches a step, each with fresh
    fakes; the generator learns once, through fakes that the critic has not
    seen.

    Args:
        image_shape: tuple (height, width, channels); (32, 32, 3) by default,
            or what `generator` makes.
        latent_dim: int, length of the latent code; 128 by default, or what
            `generator` takes.
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

    def __init__(
        self,
        image_shape: tuple[int, int, int] | None = None,
        latent_dim: int | None = None,
        g_width: int | None = None,
        d_width: int | None = None,
        *,
        gp_weight: float = 10.0,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        d_steps: int = 5,
        **kwargs,
    ):
        shape = (32, 32, 3) if image_shape is None else image_shape
        if generator is None:
            dim = 128 if latent_dim is None else latent_dim
            width = reference_widths(shape)[0] if g_width is None else g_width
            generator = resnet_generator(shape, dim, width)
        if discriminator is None:
            discriminator = functools.partial(_critic, width=d_width)
        super().__init__(
            generator,
            discriminator,
            modality=modality_of(image_shape),
            inputs=(latent_of(generator, latent_dim),),
            gp_weight=gp_weight,
            d_steps=d_steps,
            **kwargs,
        )

    def default_optimizers(self) -> tuple:
        """The paper's Adam for residual networks: 2e-4, betas 0 and 0.9."""

        def adam():
            return keras.optimizers.Adam(2e-4, beta_1=0.0, beta_2=0.9, epsilon=1e-8)

        return adam(), adam()


def _critic(shape, width):
    """mimicry's critic, of its own width at a size unless told otherwise."""
    if width is None:
        width = reference_widths(shape)[1]
    return resnet_critic(shape, width)


RECIPE = Recipe(
    name="wgan_gp",
    model="WGANGP",
    summary="Wasserstein GAN with gradient penalty, arXiv:1704.00028",
    epochs=50,
    batch_size=32,
    arguments={"image_shape": (32, 32, 3), "g_width": 64, "d_width": 64, "ema": 0.995},
)
