"""InfoGAN: codes that the images must tell again."""

import functools

import keras
from keras import ops

from keras_gans.core.endings import check_gives_logits
from keras_gans.core.gan import BaseGAN
from keras_gans.core.inputs import Code
from keras_gans.core.networks import latent_of, modality_of
from keras_gans.core.recipe import Recipe
from keras_gans.core.regularization import refuse
from keras_gans.engine.phases import Phase
from keras_gans.networks.infogan import (
    check_categories,
    infogan_discriminator,
    infogan_generator,
)
from keras_gans.utils.networks import output_shape_of
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import is_number, within

REFUSED = {"packing": (1, "codes are those of one image")}


@keras.saving.register_keras_serializable("keras_gans")
class InfoGAN(BaseGAN):
    """InfoGAN: learns without labels what a category and codes may mean.

    Both networks also minimize -L_I, the variational bound on the mutual
    information between images and codes: the cross-entropy of the category,
    and of the continuous codes under Q's Gaussian of variance 1.

    Args:
        image_shape: tuple (height, width, channels), from 16 pixels up;
            (64, 64, 3) by default.
        num_categories: int, values of the categorical code, each as likely.
        num_codes: int, continuous codes of U(-1, 1).
        latent_dim: int, incompressible noise; 62 by default.
        width: int, channels of the largest hidden map of the networks built
            here.
        info_weight: float of 0 or more, lambda of L_I.
        generator: `keras.Model` to use instead of `infogan_generator`.
        discriminator: `keras.Model` to use instead of `infogan_discriminator`.
        **kwargs: `objective`, `ema`, `d_steps`, `seed` and the other arguments
            of `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, networks do not fit, or
            packing is asked for: codes are those of one image.

    Example:

    ```python
    gan = keras_gans.InfoGAN((16, 16, 1), num_categories=3, width=4)
    gan.compile()
    gan.fit(np.random.uniform(-1, 1, (32, 16, 16, 1)), verbose=0)
    left_to_right = np.linspace(-1, 1, 5)[:, None] * [[1, 0]]
    images = gan.sample(5, labels=2, codes=left_to_right)
    ```

    Reference:
        https://arxiv.org/abs/1606.03657, equations 5 and 6
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int] | None = None,
        num_categories: int = 10,
        num_codes: int = 2,
        latent_dim: int | None = None,
        width: int = 64,
        *,
        info_weight: float = 1.0,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        **kwargs,
    ):
        refuse("InfoGAN", kwargs, REFUSED)
        check_categories(num_categories, num_codes)
        self.num_categories = num_categories
        self.num_codes = num_codes
        ok = is_number(info_weight) and 0 <= info_weight < float("inf")
        self.info_weight = within("info_weight", info_weight, ok, "[0, inf)")
        shape = (64, 64, 3) if image_shape is None else image_shape
        if generator is None:
            dim = 62 if latent_dim is None else latent_dim
            generator = infogan_generator(shape, num_categories, num_codes, dim, width)
        if discriminator is None:
            discriminator = functools.partial(
                infogan_discriminator,
                num_categories=num_categories,
                num_codes=num_codes,
                width=width,
                minibatch_stddev=kwargs.get("minibatch_stddev"),
            )
        inputs = (
            latent_of(generator, latent_dim),
            Code(num_categories, "categorical"),
            Code(num_codes, "uniform"),
        )
        super().__init__(
            generator,
            discriminator,
            modality=modality_of(image_shape),
            inputs=inputs,
            **kwargs,
        )

    def check_discriminators(self, discriminators: dict[str, keras.Model]) -> None:
        super().check_discriminators(discriminators)
        network = discriminators["discriminator"]
        _check_outputs(network, self.num_categories, self.num_codes)
        seen = self.discriminator_inputs("discriminator")
        check_gives_logits("discriminator", network, output=1, inputs=seen)

    def phases(self) -> list[Phase]:
        """Equation 6: both sides also minimise -lambda L_I of the fakes."""
        return [
            Phase(
                "d",
                self.discriminator_loss,
                penalty=self.penalties,
                batches=self.d_steps,
            ),
            Phase("g", self.generator_loss, logs=("category_loss", "codes_loss")),
        ]

    def discriminator_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """The adversarial loss minus lambda L_I of the fakes, equation 6."""
        real = self.discriminate(batch["real"], batch, training, "real")
        fake = self.discriminate(fake, batch, training, "fake")
        loss, logs = self.d_adversarial(real[0], fake[0])
        return loss + self.info_weight * sum(self._info_losses(fake)), logs

    def generator_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """The adversarial loss minus lambda L_I of the fakes, equation 6."""
        fake = self.discriminate(fake, batch, training, "generated")
        loss, logs = self.g_adversarial(fake[0], batch, training)
        category, codes = self._info_losses(fake)
        logs |= {"category_loss": category, "codes_loss": codes}
        return loss + self.info_weight * (category + codes), logs

    def _info_losses(self, outputs):
        """-log Q(c|x) of category and codes, but for constants."""
        _, logits, mean = outputs
        n = ops.shape(logits)[0]
        # The same numbers as the generator's: one place, one purpose.
        label, codes = (i.draw(self.rng, n) for i in self.inputs[1:])
        category = ops.sparse_categorical_crossentropy(label, logits, from_logits=True)
        squares = ops.sum(ops.square(mean - codes), axis=-1)
        return ops.mean(category), 0.5 * ops.mean(squares)


def _check_outputs(discriminator, num_categories, num_codes):
    shapes = output_shape_of(discriminator)
    if shapes is None:
        return
    wanted = [(None, num_categories), (None, num_codes)]
    if not isinstance(shapes, list) or [tuple(s) for s in shapes[1:]] != wanted:
        raise ValueError(
            "InfoGAN's discriminator has three outputs: logits, and Q's of "
            f"shapes {wanted}. Received: {discriminator.name} with output "
            f"shape {shapes}. See "
            "`keras_gans.networks.infogan.infogan_discriminator`."
        )


RECIPE = Recipe(
    name="infogan",
    model="InfoGAN",
    summary="Codes learned without labels, arXiv:1606.03657",
    epochs=50,
    batch_size=32,
    arguments={
        "image_shape": (32, 32, 3),
        "width": 32,
        "ema": 0.995,
        "label_smoothing": 0.1,
    },
    without=("packing",),
)
