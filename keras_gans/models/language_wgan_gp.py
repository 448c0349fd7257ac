"""WGAN-GP's language model: sentences by convolutions, all letters at once."""

import keras

from keras_gans.core.gradient_penalty import GradientPenaltyGAN
from keras_gans.core.networks import latent_of
from keras_gans.core.recipe import Recipe
from keras_gans.core.regularization import refuse
from keras_gans.core.text import SentenceSamples
from keras_gans.modalities import Tokens
from keras_gans.networks.language import language_discriminator, language_generator

REFUSED = {
    "diff_augment": (None, "it changes pictures"),
    "packing": (1, "sentences are seen one by one"),
}


@keras.saving.register_keras_serializable("keras_gans")
class LanguageWGANGP(SentenceSamples, GradientPenaltyGAN):
    """WGAN-GP on text: the critic sees one-hot letters and soft ones alike.

    Samples are sentences: ints `[n, length]`, or probabilities `[n, length,
    vocabulary]`. The generator makes probabilities of all letters at once, without
    drawing any: its noise is the latent code.

    Args:
        length: int, tokens a sentence.
        vocabulary: the tokens, a tuple of str of which the first fills shorter
            sentences; or the int number of tokens, which are then written as numbers.
        separator: str between tokens: " ", or "" where they are letters.
        tokenizer: str, see `Tokens`, which splits and joins lines in its place.
        latent_dim: int, length of the latent code.
        dim: int, channels of the hidden maps; 512 in the reference.
        gp_weight: float of 0 or more, lambda of the penalty.
        generator: `keras.Model` to use instead of `language_generator`.
        discriminator: `keras.Model` to use instead of `language_discriminator`.
        d_steps: int, n_critic; 10 in the reference.
        **kwargs: the other arguments of `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    gan = keras_gans.LanguageWGANGP(4, ("", "a", "b"), "", dim=3, d_steps=1)
    gan.compile(run_eagerly=True)
    gan.fit(np.ones((4, 4), "int32"), batch_size=4, verbose=0)
    gan.sample(2)  # such as ["abba", "aab"]
    ```

    Reference:
        https://arxiv.org/abs/1704.00028, section 5.4
    """

    def __init__(
        self,
        length: int = 32,
        vocabulary: int | tuple[str, ...] = 100,
        separator: str = "",
        latent_dim: int | None = None,
        dim: int = 512,
        *,
        tokenizer: str | None = None,
        gp_weight: float = 10.0,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        d_steps: int = 10,
        **kwargs,
    ):
        refuse(type(self).__name__, kwargs, REFUSED)
        modality = Tokens(length, vocabulary, separator, tokenizer)
        size = modality.shape[1]
        if generator is None:
            latent = 128 if latent_dim is None else latent_dim
            generator = language_generator(length, size, latent, dim)
        if discriminator is None:
            discriminator = language_discriminator(length, size, dim)
        super().__init__(
            generator,
            discriminator,
            modality=modality,
            inputs=(latent_of(generator, latent_dim),),
            gp_weight=gp_weight,
            d_steps=d_steps,
            **kwargs,
        )

    def default_optimizers(self) -> tuple:
        """The reference's Adam: 1e-4, betas 0.5 and 0.9."""

        def adam():
            return keras.optimizers.Adam(1e-4, beta_1=0.5, beta_2=0.9, epsilon=1e-8)

        return adam(), adam()


RECIPE = Recipe(
    name="language_wgan_gp",
    model="LanguageWGANGP",
    summary="Lines of text by WGAN-GP, arXiv:1704.00028",
    task="lines",
    data="surnames",
    epochs=100,
    batch_size=64,
    arguments={"length": None, "vocabulary": None, "separator": "", "dim": 64},
    data_options={"column": None, "most_tokens": None, "tokenizer_file": None},
    without=("data_dir", "evaluate_every", "diff_augment", "packing"),
)
