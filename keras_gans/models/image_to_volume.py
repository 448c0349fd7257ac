"""ImageToVolume: the solid that a picture shows, by 3D-VAE-IWGAN."""

import dataclasses

import keras
from keras import ops

from keras_gans.core.gradient_penalty import GradientPenaltyGAN
from keras_gans.core.inputs import Source
from keras_gans.core.recipe import Recipe
from keras_gans.engine.phases import Phase
from keras_gans.modalities import Image, Volume
from keras_gans.networks.voxels import FORMS, image_to_volume, voxel_discriminator
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import is_number, one_of, within


@keras.saving.register_keras_serializable("keras_gans")
class ImageToVolume(GradientPenaltyGAN):
    """3D-VAE-IWGAN: an encoder of pictures before VoxelGAN's generator.

    `fit(pictures, volumes)` takes pictures float `[n, height, width, channels]`
    in [-1, 1], or of 8 bits, and the volumes that they show. `sample(n,
    source=pictures)` makes solids of pictures; `render_volumes` of
    `keras_gans.data` makes pictures of solids.

    Args:
        configuration: of VoxelGAN's networks: "iwgan32", whose volumes lie in
            [-1, 1], or "paper" or "dense", in [0, 1].
        size: int, voxels of a side.
        channels: int, values of a voxel.
        image_shape: tuple (height, width, channels) of pictures.
        latent_dim: int, length of a code.
        width: int, channels of the largest maps of voxels.
        encoder_width: int, channels of the largest map of pixels.
        d_norm: bool, whether the discriminator has batch norms; by default as
            published, or none beside a penalty on gradients.
        gp_weight: float of 0 or more, lambda of the gradient penalty.
        gp_axis: int or `None`, see `VoxelGAN`.
        adversarial_weight: float of 0 or more, of what the critic says.
        reconstruction_weight: float of 0 or more, of the mean squared error of
            voxels, 100 as published.
        kl_weight: float of 0 or more, of the mean distance of codes from N(0, 1),
            a number of a code.
        overlap_weight: float of 0 or more, of 1 less the Dice coefficient of
            volumes, which thin parts count in as much as thick ones; 0 as
            published.
        d_steps: int, updates of the critic a step.
        generator: `keras.Model` to use instead of `image_to_volume`, with its
            parts "encoder" and "decoder".
        discriminator: `keras.Model` to use instead of `voxel_discriminator`.
        **kwargs: the other arguments of `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    gan = keras_gans.ImageToVolume(
        size=4, image_shape=(8, 8, 1), latent_dim=4, width=2, encoder_width=2, d_steps=1
    )
    gan.compile()
    pictures = np.random.uniform(-1, 1, (2, 8, 8, 1))
    volumes = 2.0 * np.random.randint(0, 2, (2, 4, 4, 4, 1)) - 1.0
    gan.fit(pictures, volumes, batch_size=2, verbose=0)
    gan.sample(2, source=pictures).shape  # (2, 4, 4, 4, 1)
    ```

    Reference:
        https://arxiv.org/abs/1707.09557, section 4.2; the Dice coefficient:
        https://arxiv.org/abs/1606.04797, section 3
    """

    def __init__(
        self,
        configuration: str = "iwgan32",
        size: int = 32,
        channels: int = 1,
        image_shape: tuple[int, int, int] = (32, 32, 1),
        latent_dim: int = 200,
        width: int = 32,
        encoder_width: int = 32,
        *,
        d_norm: bool | None = None,
        gp_weight: float = 10.0,
        gp_axis: int | None = None,
        adversarial_weight: float = 1.0,
        reconstruction_weight: float = 100.0,
        kl_weight: float = 0.1,
        overlap_weight: float = 0.0,
        d_steps: int = 5,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        **kwargs,
    ):
        form = FORMS[one_of("configuration", configuration, tuple(FORMS))]
        weights = {
            "adversarial_weight": adversarial_weight,
            "reconstruction_weight": reconstruction_weight,
            "kl_weight": kl_weight,
            "overlap_weight": overlap_weight,
        }
        for name, value in weights.items():
            ok = is_number(value) and 0 <= value < float("inf")
            setattr(self, name, within(name, value, ok, "[0, inf)"))
        if generator is None:
            generator = image_to_volume(
                configuration,
                size,
                channels,
                image_shape,
                latent_dim,
                width,
                encoder_width,
            )
        if not {"encoder", "decoder"} <= {part.name for part in generator.layers}:
            raise ValueError(
                "`generator` has parts named 'encoder', of pictures to the mean and "
                "the log deviation of codes, and 'decoder', of codes to volumes. "
                f"Received: {generator.name} without them. Build it as "
                "`networks.voxels.image_to_volume` does."
            )
        if d_norm is None and gp_weight:
            d_norm = False
        if discriminator is None:

            def discriminator(shape):
                return voxel_discriminator(
                    configuration, size, shape[-1], width, norm=d_norm
                )

        super().__init__(
            generator,
            discriminator,
            gp_weight=gp_weight,
            gp_axis=gp_axis,
            d_steps=d_steps,
            modality=Volume(size, channels, form.range),
            inputs=(Source(Image(image_shape)),),
            **kwargs,
        )

    def default_optimizers(self) -> tuple:
        """The reference's Adam: 1e-4, betas 0.5 and 0.9."""

        def adam():
            return keras.optimizers.Adam(1e-4, 0.5, 0.9, epsilon=1e-8)

        return adam(), adam()

    def phases(self) -> list[Phase]:
        """The critic, then encoder and generator together."""
        d, g = super().phases()
        logs = ("reconstruction_loss", "kl_loss", "overlap_loss")
        return [d, dataclasses.replace(g, logs=logs)]

    def generate(self, batch: dict, training: bool) -> Tensor:
        """Volumes of pictures, of codes drawn around their means in training."""
        code, spread = self._encoded(batch, training)
        if training:
            noise = self.rng.normal(ops.shape(code)[0], code.shape[-1], "code")
            code = code + noise * ops.exp(spread)
        return self.forward(self.generator.get_layer("decoder"), code, training)

    def _encoded(self, batch, training):
        encoder = self.generator.get_layer("encoder")
        return self.forward(encoder, batch["source"], training)

    def generator_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """What the critic says, squared errors, overlaps and the codes' distance."""
        loss, _ = super().generator_loss(fake, batch, training)
        low, high = self.modality.range
        real = ops.cast(batch["real"], "float32")
        made, real = ((x - low) / (high - low) for x in (fake, real))
        error = ops.mean(ops.square(made - real))
        overlap = ops.mean(1.0 - dice(real, made))
        mean, spread = self._encoded(batch, training)
        # Of N(mean, exp(spread)^2) from N(0, 1), arXiv:1312.6114, appendix B.
        kl = ops.mean(ops.square(mean) + ops.exp(2 * spread) - 2 * spread - 1) / 2
        total = self.adversarial_weight * loss
        total += self.reconstruction_weight * error + self.kl_weight * kl
        total += self.overlap_weight * overlap
        return total, {
            "g_loss": total,
            "reconstruction_loss": error,
            "kl_loss": kl,
            "overlap_loss": overlap,
        }


def dice(real: Tensor, made: Tensor) -> Tensor:
    """The Dice coefficient of volumes; 1 is best.

    One is added to both parts of the fraction, so that empty volumes have one.

    Args:
        real: tensor `[n, ...]` in [0, 1].
        made: tensor `[n, ...]` in [0, 1].

    Returns:
        tensor `[n]`, in (0, 1].
    """
    axes = tuple(range(1, len(made.shape)))
    both = ops.sum(made * real, axis=axes)
    sizes = ops.sum(ops.square(made), axis=axes) + ops.sum(ops.square(real), axis=axes)
    return (2.0 * both + 1.0) / (sizes + 1.0)


RECIPE = Recipe(
    name="image_to_volume",
    model="ImageToVolume",
    summary="Solids that pictures show, arXiv:1707.09557",
    task="views",
    data="furniture",
    epochs=100,
    batch_size=16,
    arguments={
        "size": 32,
        "latent_dim": 128,
        "width": 8,
        "adversarial_weight": 0.01,
        "kl_weight": 0.05,
        "overlap_weight": 10.0,
        "d_steps": 1,
        "ema": 0.99,
    },
    optimizers={
        "d": ("adam", {"learning_rate": 5e-4, "beta_1": 0.0, "beta_2": 0.9}),
        "g": ("adam", {"learning_rate": 1e-3, "beta_1": 0.5, "beta_2": 0.99}),
    },
    data_options={"rotate": True, "up": "y", "surfaces": False},
    without=("data_dir", "evaluate_every", "diff_augment"),
)
