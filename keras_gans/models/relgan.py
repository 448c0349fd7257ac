"""RelGAN: sentences written token by token, of soft choices that D sees."""

import keras
from keras import ops

from keras_gans.core.controllers import Schedule
from keras_gans.core.gan import BaseGAN
from keras_gans.core.inputs import Latent, Truncation
from keras_gans.core.recipe import Recipe
from keras_gans.core.regularization import refuse
from keras_gans.core.text import SentenceSamples
from keras_gans.engine.phases import Phase
from keras_gans.modalities import Tokens
from keras_gans.networks.relgan import relgan_discriminator, relgan_generator
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import is_int, is_number, within

REFUSED = {
    "diff_augment": (None, "it changes pictures"),
    "packing": (1, "sentences are seen one by one"),
    "spectral_norm": (False, "as published"),
    "minibatch_stddev": (None, "it is of maps"),
}
CLIPNORM = 5.0


@keras.saving.register_keras_serializable("keras_gans")
class Temperature(Truncation):
    """What logits are divided by when tokens are drawn: 1 in training.

    `sample(n, temperature=0.7)` gives up variety for likelier sentences.

    Example:

    ```python
    from keras_gans.models.relgan import Temperature

    Temperature()
    ```
    """

    name = "temperature"
    given = "temperature"
    help = "what logits are divided by, of all rows, or of each: below 1 likelier ones"
    low = 0.001
    high = 1000.0


@keras.saving.register_keras_serializable("keras_gans")
class RelGAN(SentenceSamples, BaseGAN):
    """RelGAN: a language model that is trained by likelihood, then against D.

    The generator writes sentences token by token. For `pretrain_steps` steps it
    learns each token given those before it, as any language model (MLE). Then the
    discriminator sees softmax(beta (l + g)), l the logits and g Gumbel noise: soft
    choices, through which gradients reach the generator, and which the growing
    beta makes harder. The discriminator reads each sentence in several ways; the
    loss is relativistic.

    Samples are sentences: ints `[n, length]`, of which the first token fills those
    that are shorter and is learned as any other.

    Args:
        length: int, tokens a sentence, at least 5.
        vocabulary: the tokens, a tuple of str of which the first fills shorter
            sentences; or the int number of tokens, which are then written as numbers.
        separator: str between tokens: " ", or "" where they are letters.
        tokenizer: str, see `Tokens`, which splits and joins lines in its place.
        embedding_dim: int, numbers that the generator reads a token as.
        slots: int, rows of the generator's memory.
        heads: int, of its attention.
        head_size: int, numbers of a head.
        d_embedding_dim: int, numbers that the discriminator reads a token as.
        representations: int, ways that it reads a sentence in; they divide
            `d_embedding_dim`.
        filters: int, of each of its four convolutions.
        beta: float of 1 or more, what beta has grown to after `beta_steps` steps
            against D, from 1.
        beta_steps: int, steps against D in which beta grows to its end.
        beta_schedule: "exponential", beta^(i/N), "linear" or "cosine".
        pretrain_steps: int of 0 or more, each of `d_steps` batches.
        pretrain_rate: float above 0, the learning rate of that.
        generator: `keras.Model` to use instead of `relgan_generator`, with a layer
            "writer".
        discriminator: `keras.Model` to use instead of `relgan_discriminator`.
        d_steps: int, batches (and updates of the discriminator) a step.
        **kwargs: `objective`, `ema`, `r1`, `seed` and other arguments of `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    small = {"head_size": 2, "d_embedding_dim": 2, "representations": 2, "filters": 2}
    gan = keras_gans.RelGAN(5, ("", "a", "b"), "", d_steps=1, pretrain_steps=1, **small)
    gan.compile(run_eagerly=True)
    gan.fit(np.ones((8, 5), "int32"), batch_size=4, verbose=0)
    gan.sample(2, temperature=0.7)  # such as ["aab", "abba"]
    ```

    Reference:
        https://openreview.net/forum?id=rJedV3R5tm
    """

    def __init__(
        self,
        length: int = 20,
        vocabulary: int | tuple[str, ...] = 5000,
        separator: str = " ",
        embedding_dim: int = 32,
        slots: int = 1,
        heads: int = 2,
        head_size: int = 256,
        *,
        tokenizer: str | None = None,
        d_embedding_dim: int = 64,
        representations: int = 64,
        filters: int = 300,
        beta: float = 100.0,
        beta_steps: int = 3000,
        beta_schedule: str = "exponential",
        pretrain_steps: int = 4500,
        pretrain_rate: float = 1e-2,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        d_steps: int = 5,
        **kwargs,
    ):
        refuse(type(self).__name__, kwargs, REFUSED)
        ok = is_number(beta) and 1 <= beta < float("inf")
        self.beta = within("beta", beta, ok, "[1, inf)")
        ok = is_int(pretrain_steps) and pretrain_steps >= 0
        self.pretrain_steps = within("pretrain_steps", pretrain_steps, ok, "0, 1, ...")
        ok = is_number(pretrain_rate) and 0 < pretrain_rate < float("inf")
        self.pretrain_rate = within("pretrain_rate", pretrain_rate, ok, "(0, inf)")
        modality = Tokens(length, vocabulary, separator, tokenizer)
        size = modality.shape[1]
        if generator is None:
            generator = relgan_generator(
                length, size, embedding_dim, slots, heads, head_size
            )
        if discriminator is None:
            discriminator = relgan_discriminator(
                length, size, d_embedding_dim, representations, filters
            )
        kwargs.setdefault("objective", "relativistic")
        super().__init__(
            generator,
            discriminator,
            modality=modality,
            inputs=(Latent(length * size, "unit"), Temperature()),
            d_steps=d_steps,
            **kwargs,
        )
        self.writer_of(self.generator)
        self.controllers["beta"] = _Beta(
            beta, beta_steps, beta_schedule, pretrain_steps
        )

    def writer_of(self, generator: keras.Model) -> keras.Layer:
        """The `layers.TokenWriter` of a generator.

        Raises:
            ValueError: it has none.
        """
        known = {layer.name: layer for layer in generator.layers}
        if "writer" not in known:
            raise ValueError(
                "A generator of RelGAN has a layer `writer` that gives the logits of "
                f"tokens. Received: {generator.name} with {', '.join(known)}. Build "
                "it as `relgan_generator` does."
            )
        return known["writer"]

    # --- Training ---

    @property
    def optimizer_networks(self) -> dict[str, tuple[str, ...]]:
        """`mle` is an optimizer of the same generator, if there is the phase."""
        networks = {"d": self.discriminator_names, "g": self.generator_names}
        if self.pretrain_steps:
            networks["mle"] = self.generator_names
        return networks

    def default_optimizers(self) -> tuple:
        """Adam of 1e-4, gradients clipped to a norm of 5."""
        d = keras.optimizers.Adam(1e-4, epsilon=1e-8, global_clipnorm=CLIPNORM)
        g, mle = type(d).from_config(d.get_config()), d.get_config()
        if not self.pretrain_steps:
            return d, g
        return d, g, type(d).from_config({**mle, "learning_rate": self.pretrain_rate})

    def phases(self) -> list[Phase]:
        """Likelihood for `pretrain_steps` steps, then D and G."""
        start, batches = self.pretrain_steps, self.d_steps
        d = Phase(
            "d",
            self.discriminator_loss,
            penalty=self.penalties,
            batches=batches,
            start=start,
        )
        g = Phase("g", self.generator_loss, fakes="fresh", start=start)
        if not start:
            return [d, g]
        mle = Phase("mle", self.mle_loss, batches=batches, fakes=None, end=start)
        return [mle, d, g]

    def mle_loss(self, fake: None, batch: dict, training: bool) -> tuple[Tensor, dict]:
        """The mean over tokens of -log p(token | those before it)."""
        logits = self.logits_of(ops.argmax(batch["real"], axis=-1), training)
        likelihoods = batch["real"] * ops.log_softmax(logits)
        loss = -ops.mean(ops.sum(likelihoods, axis=-1))
        return loss, {"mle_loss": loss}

    def logits_of(self, ids: Tensor, training: bool = False) -> Tensor:
        """The logits of each token, given those before it.

        Args:
            ids: int tensor `[n, length]`.
            training: bool; else the moving average is asked, where there is one.

        Returns:
            float32 tensor `[n, length, vocabulary]`.
        """
        network = self.generator if training else self.sampling_network()
        return self.forward(self.writer_of(network), ids, training)

    def generate(self, batch: dict, training: bool) -> Tensor:
        """softmax(beta (l + g)): equation 4."""
        logits = super().generate(batch, training)
        return ops.softmax(self.controllers["beta"].value * logits)

    # --- Samples ---

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """One-hot tokens, drawn by the probabilities of the model."""
        logits = self.sampling_network()(inputs, training=training)
        return ops.one_hot(ops.argmax(logits, axis=-1), self.modality.shape[1])


@keras.saving.register_keras_serializable("keras_gans")
class _Beta(Schedule):
    """beta of the steps after pre-training."""

    def __init__(self, beta, steps, kind, first):
        super().__init__(1.0, float(beta), steps, kind, name="beta")
        self.first = first

    def at(self, step: Tensor) -> Tensor:
        return super().at(ops.maximum(step - self.first, 0))


RECIPE = Recipe(
    name="relgan",
    model="RelGAN",
    summary="Lines of text, token by token, ICLR 2019",
    task="lines",
    data="surnames",
    epochs=30,
    batch_size=64,
    arguments={
        "length": None,
        "vocabulary": None,
        "separator": "",
        "head_size": 64,
        "d_embedding_dim": 16,
        "representations": 8,
        "filters": 64,
        "beta_steps": 1000,
        "pretrain_steps": 1000,
        "pretrain_rate": 3e-3,
    },
    data_options={"column": None, "most_tokens": None, "tokenizer_file": None},
    without=("data_dir", "evaluate_every", "diff_augment", "packing"),
)
