"""InfoGAN: codes that the images must tell again."""

import keras
from keras import layers
from keras import ops
import numpy as np

from keras_gans.base import BaseGAN
from keras_gans.checks import check_labels
from keras_gans.checks import check_shape
from keras_gans.checks import check_size
from keras_gans.checks import images_of
from keras_gans.checks import is_int
from keras_gans.checks import is_number
from keras_gans.checks import output_shape_of
from keras_gans.checks import within
from keras_gans.engine import draws
from keras_gans.labels import MAX_COLUMNS
from keras_gans.models.dcgan import ladder_down
from keras_gans.models.dcgan import ladder_up
from keras_gans.models.dcgan import score
from keras_gans.sampling import Condition
from keras_gans.sampling import check_count
from keras_gans.switches import refuse_packing

Q_UNITS = 128  # of the hidden layer of Q


def check_categories(num_categories, num_codes):
    """Checks how many codes there are.

    Raises:
        ValueError: not an int of 2 or more, and an int of 1 or more.
    """
    ok = is_int(num_categories) and num_categories >= 2
    within("num_categories", num_categories, ok, "2, 3, ...")
    check_size("num_codes", num_codes)


def infogan_generator(
    image_shape=(64, 64, 3),
    num_categories=10,
    num_codes=2,
    latent_dim=62,
    width=64,
    name="generator",
):
    """DCGAN's generator of noise, a category and continuous codes.

    Args:
        image_shape: tuple (height, width, channels), 16 pixels or more.
        num_categories: int, values of the categorical code.
        num_codes: int, continuous codes.
        latent_dim: int, incompressible noise z.
        width: int, channels of the largest hidden map; they double downwards.
        name: str.

    Returns:
        `keras.Model` from `[z, label, codes]`, float32 `[n, latent_dim]`,
        int32 `[n]` and float32 `[n, num_codes]` in [-1, 1], to images
        `[n, *image_shape]` in [-1, 1].

    Raises:
        ValueError: an argument is out of its range.

    Reference:
        https://arxiv.org/abs/1606.03657, appendix C
    """
    check_categories(num_categories, num_codes)
    check_size("latent_dim", latent_dim)
    z = keras.Input((latent_dim,), name="z")
    label = keras.Input((), dtype="int32", name="label")
    codes = keras.Input((num_codes,), name="codes")
    parts = [z, ops.one_hot(label, num_categories), codes]
    code = layers.Concatenate(name="code")(parts)
    images = ladder_up(code, image_shape, width)
    return keras.Model([z, label, codes], images, name=name)


def infogan_discriminator(
    image_shape=(64, 64, 3),
    num_categories=10,
    num_codes=2,
    width=64,
    norm=None,
    minibatch_stddev=None,
    name="discriminator",
):
    """DCGAN's discriminator, and Q on top of the same features.

    Without batch norm by default, as ACGAN's, for the same reason.

    Args:
        image_shape: tuple (height, width, channels), 16 pixels or more.
        num_categories: int, values of the categorical code.
        num_codes: int, continuous codes.
        width: int, channels of the first map; they double downwards.
        norm: "batch", "layer" or `None`: see `dcgan_discriminator`.
        minibatch_stddev: `None`, or the int size of `MinibatchStdDev` groups.
        name: str.

    Returns:
        `keras.Model` from `[n, *image_shape]` to a list: logits `[n, 1]`, Q's
        logits `[n, num_categories]` of the category, Q's mean `[n, num_codes]`
        of the continuous codes.

    Raises:
        ValueError: an argument is out of its range.

    Reference:
        https://arxiv.org/abs/1606.03657, appendix C
    """
    check_categories(num_categories, num_codes)
    images = keras.Input(check_shape(image_shape), name="images")
    x = ladder_down(images, width, norm, minibatch_stddev)
    q = layers.Dense(Q_UNITS, name="q_hidden")(layers.Flatten()(x))
    q = layers.LeakyReLU(0.2, name="q_lrelu")(q)
    outputs = [
        score(x),
        layers.Dense(num_categories, dtype="float32", name="q_category")(q),
        layers.Dense(num_codes, dtype="float32", name="q_codes")(q),
    ]
    return keras.Model(images, outputs, name=name)


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

    loss_names = (
        "d_loss",
        "g_loss",
        "category_loss",
        "codes_loss",
    )

    def __init__(
        self,
        image_shape=None,
        num_categories=10,
        num_codes=2,
        latent_dim=None,
        width=64,
        *,
        info_weight=1.0,
        generator=None,
        discriminator=None,
        **kwargs,
    ):
        refuse_packing("InfoGAN", kwargs, "codes are those of one image")
        check_categories(num_categories, num_codes)
        self.num_categories = num_categories
        self.num_codes = num_codes
        self.width = width
        ok = is_number(info_weight) and 0 <= info_weight < float("inf")
        self.info_weight = within("info_weight", info_weight, ok, "[0, inf)")
        if generator is None:
            generator = infogan_generator(
                (64, 64, 3) if image_shape is None else image_shape,
                num_categories,
                num_codes,
                62 if latent_dim is None else latent_dim,
                width,
            )
        if discriminator is None:
            discriminator = infogan_discriminator(
                images_of(generator, latent_dim, self.conditions)[1],
                num_categories,
                num_codes,
                width,
                minibatch_stddev=kwargs.get("minibatch_stddev"),
            )
        super().__init__(
            generator,
            discriminator,
            image_shape=image_shape,
            latent_dim=latent_dim,
            **kwargs,
        )
        _check_outputs(self.discriminator, num_categories, num_codes)

    @property
    def conditions(self):
        return (
            Condition("label", (), "int32", 0, self.num_categories - 1),
            Condition("codes", (self.num_codes,), "float32", -1.0, 1.0),
        )

    @property
    def grid_columns(self):
        few = self.num_categories <= MAX_COLUMNS
        return self.num_categories if few else None

    def codes(self, n):
        """The category int32 `[n]` and codes `[n, num_codes]` of this step."""
        label = self.draws.integers(n, 1, self.num_categories, draws.CODES)
        codes = self.draws.uniform(n, self.num_codes, draws.CODES + 1)
        return label[:, 0], 2.0 * codes - 1.0

    def generate(self, batch, training):
        n = ops.shape(self.real(batch))[0]
        z = self.draws.normal(n, self.latent_dim)
        images = self.forward(self.generator, [z, *self.codes(n)], training)
        return ops.cast(images, "float32")

    def discriminator_loss(self, fake, batch, training):
        """The adversarial loss minus lambda L_I of the fakes, equation 6."""
        real = self.judge(self.real(batch), batch, training, draws.REAL)
        fake = self.judge(fake, batch, training, draws.FAKE)
        loss, logs = self.d_adversarial(real[0], fake[0])
        return loss + self.info_weight * sum(self._info_losses(fake)), logs

    def generator_loss(self, fake, batch, training):
        """The adversarial loss minus lambda L_I of the fakes, equation 6."""
        fake = self.judge(fake, batch, training, draws.GENERATED)
        loss, logs = self.g_adversarial(fake[0], batch, training)
        category, codes = self._info_losses(fake)
        logs |= {"category_loss": category, "codes_loss": codes}
        return loss + self.info_weight * (category + codes), logs

    def _info_losses(self, outputs):
        """-log Q(c|x) of category and codes, but for constants."""
        _, logits, mean = outputs
        label, codes = self.codes(ops.shape(logits)[0])
        category = ops.sparse_categorical_crossentropy(
            label, logits, from_logits=True
        )
        squares = ops.sum(ops.square(mean - codes), axis=-1)
        return ops.mean(category), 0.5 * ops.mean(squares)

    def sample(self, n, seed=0, labels=None, codes=None):
        """Generates images of given codes.

        Row i is a function of `(seed, i)` and its codes alone.

        Args:
            n: int, how many.
            seed: int in [0, 2**31).
            labels: ints in [0, num_categories): one for all, or `[n]`. By
                default row i is of category `i % num_categories`.
            codes: floats in [-1, 1], `[n, num_codes]` or `[num_codes]` for
                all; drawn from the seed by default.

        Returns:
            float32 array `[n, height, width, channels]` in [-1, 1].

        Raises:
            ValueError: `n`, `seed`, a label or a code is out of range, or
                there are not `n` of them.
        """
        batches = self.sample_batches(n, seed, labels, codes)
        return np.concatenate(list(batches))

    def sample_batches(self, n, seed=0, labels=None, codes=None):
        """The images of `sample`, as an iterator of batches."""
        check_count(n)
        if labels is None:
            labels = np.arange(n) % self.num_categories
        labels = check_labels(labels, self.num_categories, n)
        if codes is not None:
            codes = _check_codes(codes, n, self.num_codes)

        def conditions(rows):
            if codes is not None:
                return [labels[rows % n], codes[rows % n]]
            u = draws.uniform(
                (draws.SAMPLE, int(seed), draws.CODES),
                rows.astype("uint32"),
                self.num_codes,
            )
            return [labels[rows % n], 2.0 * ops.convert_to_numpy(u) - 1.0]

        return self._batches(n, seed, conditions)


def _check_codes(codes, n, num_codes):
    codes = np.asarray(codes, "float32")
    if codes.shape == (num_codes,):
        codes = np.broadcast_to(codes, (n, num_codes))
    ok = codes.shape == (n, num_codes)
    if not ok or not (np.abs(codes) <= 1).all():
        raise ValueError(
            f"`codes` has the shape ({n}, {num_codes}), or ({num_codes},) for "
            f"all, and values in [-1, 1]. Received: shape {codes.shape}"
            + (f", values from {codes.min()} to {codes.max()}." if ok else ".")
        )
    return codes


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
            "`keras_gans.models.infogan.infogan_discriminator`."
        )
