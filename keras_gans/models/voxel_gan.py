"""VoxelGAN: solids on a grid of voxels, by 3D-GAN and 3D-IWGAN."""

import keras

from keras_gans.core.gradient_penalty import GradientPenaltyGAN
from keras_gans.core.inputs import Label, Latent
from keras_gans.core.networks import latent_of
from keras_gans.core.recipe import Recipe
from keras_gans.core.regularization import refuse
from keras_gans.modalities import Volume
from keras_gans.networks.voxels import FORMS, voxel_discriminator, voxel_generator
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import one_of

# What is published beside the networks; arguments of the same names change it.
PUBLISHED = {
    "paper": {"gp_weight": 0.0, "d_steps": 1, "objective": "non_saturating"},
    "dense": {"gp_weight": 0.0, "d_steps": 1, "objective": "non_saturating"},
    "iwgan32": {"gp_weight": 10.0, "d_steps": 5, "objective": "wasserstein"},
}
# Learning rates of the discriminator and the generator, and betas.
RATES = {
    "paper": (1e-5, 2.5e-3, 0.5, 0.999),
    "dense": (1e-5, 2.5e-3, 0.5, 0.999),
    "iwgan32": (1e-4, 1e-4, 0.5, 0.9),
}


@keras.saving.register_keras_serializable("keras_gans")
class VoxelGAN(GradientPenaltyGAN):
    """3D-GAN and 3D-IWGAN: generators of solids on a grid of voxels.

    Samples are volumes float `[n, size, size, size, channels]`, whose second
    axis points up: 0 is empty and 1 solid, or of "iwgan32" -1 and 1.
    `gan.modality.write("chair.glb", gan.sample(1)[0])` writes a mesh.

    Args:
        configuration: "paper", 3D-GAN (64 voxels); "iwgan32", 3D-IWGAN, a critic
            with a gradient penalty (32 voxels); or "dense", 3D-GAN as
            black0017/3D-GAN-pytorch has it. What follows changes it.
        size: int, voxels of a side; see `voxel_generator`.
        channels: int, values of a voxel. Meshes are of one.
        latent_dim: int, length of the latent code: of U(0, 1), or of "iwgan32"
            N(0, 1). 200 in the papers; that of `generator` where it is given.
        width: int, channels of the largest hidden maps; 64, or of "iwgan32" 32.
        num_classes: int, or `None` without labels. With classes, `fit` takes
            (volumes, labels), and `sample(n, labels=...)` makes one of them.
        d_norm: bool, whether the discriminator has batch norms; by default as
            published. A penalty on gradients wants none.
        gp_weight: float of 0 or more, lambda of the gradient penalty: 10 of
            "iwgan32", else 0.
        gp_axis: int or `None`. 3D-IWGAN's published code takes gradient norms
            along axis 1 alone, one for each column of voxels: `gp_axis=1`. The
            default, `None`, takes one norm of each volume, as the paper says.
        d_steps: int, updates of the discriminator a step: 5 of "iwgan32", else 1.
        generator: `keras.Model` to use instead of `voxel_generator`.
        discriminator: `keras.Model` to use instead of `voxel_discriminator`,
            with its inputs.
        **kwargs: the other arguments of `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    gan = keras_gans.VoxelGAN(size=8, latent_dim=4, width=4)
    gan.compile()
    volumes = np.random.randint(0, 2, (8, 8, 8, 8, 1)).astype("float32")
    gan.fit(volumes, batch_size=4, verbose=0)
    gan.sample(2, seed=0).shape  # (2, 8, 8, 8, 1)
    ```

    Reference:
        https://arxiv.org/abs/1610.07584; "iwgan32":
        https://arxiv.org/abs/1707.09557
    """

    labels_shown = True

    def __init__(
        self,
        configuration: str = "paper",
        size: int | None = None,
        channels: int = 1,
        latent_dim: int | None = None,
        width: int | None = None,
        num_classes: int | None = None,
        *,
        d_norm: bool | None = None,
        gp_weight: float | None = None,
        gp_axis: int | None = None,
        d_steps: int | None = None,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        **kwargs,
    ):
        form = FORMS[one_of("configuration", configuration, tuple(FORMS))]
        if num_classes is not None:
            reason = "each volume is shown with its label"
            refuse("conditional VoxelGAN", kwargs, {"packing": (1, reason)})
        size = form.size if size is None else size
        width = form.width if width is None else width
        if generator is None:
            dim = 200 if latent_dim is None else latent_dim
            generator = voxel_generator(
                configuration, size, channels, dim, width, num_classes=num_classes
            )
        if discriminator is None:

            def discriminator(shape):
                return voxel_discriminator(
                    configuration,
                    size,
                    shape[-1],
                    width,
                    norm=d_norm,
                    num_classes=num_classes,
                )

        drawn = "normal" if configuration == "iwgan32" else "unit"
        inputs = (Latent(latent_of(generator, latent_dim).dim, drawn),)
        if num_classes is not None:
            inputs += (Label(num_classes),)
        published = PUBLISHED[configuration]
        changed = {"gp_weight": gp_weight, "d_steps": d_steps}
        changed = {name: x for name, x in changed.items() if x is not None}
        super().__init__(
            generator,
            discriminator,
            gp_axis=gp_axis,
            modality=Volume(size, channels, form.range),
            inputs=inputs,
            **{**published, **changed, **kwargs},
        )
        self.configuration = configuration

    def default_optimizers(self) -> tuple:
        """The Adams that are published with the configuration.

        3D-GAN's learn at 1e-5 (discriminator) and 0.0025, with betas 0.5 and
        0.999; 3D-IWGAN's at 1e-4, with betas 0.5 and 0.9.
        """
        d_rate, g_rate, beta_1, beta_2 = RATES[self.configuration]

        def adam(rate):
            return keras.optimizers.Adam(rate, beta_1, beta_2, epsilon=1e-8)

        return adam(d_rate), adam(g_rate)

    def call_discriminator(self, x: Tensor, batch: dict, training: bool) -> Tensor:
        values = [x, batch["label"]] if self.labelled else x
        return self.forward("discriminator", values, training)


RECIPE = Recipe(
    name="voxel_gan",
    model="VoxelGAN",
    summary="Solids of voxels and meshes of them, arXiv:1610.07584",
    task="volumes",
    data="furniture",
    epochs=100,
    batch_size=16,
    arguments={
        "configuration": "iwgan32",
        "latent_dim": 64,
        "width": 8,
        "d_steps": 1,
        "ema": 0.99,
    },
    optimizers={
        "d": ("adam", {"learning_rate": 1e-3, "beta_1": 0.0, "beta_2": 0.9}),
        "g": ("adam", {"learning_rate": 5e-4, "beta_1": 0.0, "beta_2": 0.9}),
    },
    data_options={"rotate": False, "up": "y", "surfaces": False},
    without=("data_dir", "evaluate_every", "diff_augment"),
)
