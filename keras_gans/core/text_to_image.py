"""What GANs from sentences to pictures share: their encoder, and other sentences."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops
import numpy as np

from keras_gans.core.gan import BaseGAN
from keras_gans.core.inputs import Text
from keras_gans.core.regularization import refuse
from keras_gans.engine.replicas import count, gathered, global_rows
from keras_gans.modalities import text_encoders
from keras_gans.utils.networks import input_shape_of
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size

DIM = 256  # of vectors that nobody says more of, as published
REFUSED = {"packing": (1, "each picture is shown with its sentence")}


def text_input(encoder: Any, text_dim: int | None) -> Text:
    """The `Text` of an encoder, of vectors as long as it makes them.

    Args:
        encoder: see `text_encoders.resolve`.
        text_dim: int, or `None` for the encoder's own.

    Raises:
        ValueError: the encoder makes vectors of another length.
    """
    if text_dim is not None:
        check_size("text_dim", text_dim)
    encoder = text_encoders.resolve(encoder)
    if encoder is None:
        return Text(DIM if text_dim is None else text_dim)
    if encoder.dim is None and text_dim is None:
        encoder.dim = int(np.asarray(encoder(["a"])).shape[-1])
    if encoder.dim is None:
        encoder.dim = text_dim
    if text_dim not in (None, encoder.dim):
        raise ValueError(
            f"`encoder` makes vectors of {encoder.dim} numbers. Received: text_dim="
            f"{text_dim}. Leave it out."
        )
    return Text(encoder.dim, encoder)


class TextToImageGAN(BaseGAN):
    """A GAN whose pictures are of sentences, each a vector of a frozen encoder.

    `fit` takes (pictures, sentences) or (pictures, vectors), and
    `sample(texts=["a red heart"])` sentences.

    Args:
        generator: as of `BaseGAN`.
        discriminator: as of `BaseGAN`, from pictures and vectors to logits.
        encoder: "words", "minilm", a `keras.Model` from strings to vectors, a
            function from a list of str to vectors, or `None`: then vectors are
            given. A function is not saved with the GAN: see `use_encoder`.
        **kwargs: the other arguments of `BaseGAN`, but for `packing`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        encoder: Any = None,
        **kwargs,
    ):
        refuse(type(self).__name__, kwargs, REFUSED)
        super().__init__(generator, discriminator, **kwargs)
        if self.objective.relativistic:
            raise ValueError(
                f"{type(self).__name__} has more fakes than reals: pictures of other "
                "sentences are among them. Received: objective="
                f"{kwargs.get('objective')!r}. Take another, such as 'hinge'."
            )
        self._keep_model(text_encoders.resolve(encoder))

    def _keep_model(self, encoder):
        # An attribute of its own, which Keras saves with the GAN.
        if encoder is not None and encoder.model is not None:
            encoder.model.trainable = False
            self.text_model = encoder.model

    @property
    def text(self) -> Text:
        """The input that is a sentence."""
        return next(i for i in self.inputs if isinstance(i, Text))

    def use_encoder(self, encoder: Any) -> None:
        """Sets what encodes sentences from now on.

        It is to be that of training: others' vectors mean other things.

        Args:
            encoder: as of the constructor.

        Raises:
            ValueError: it makes vectors of another length.
        """
        self.text.encoder = text_input(encoder, self.text.dim).encoder
        self._keep_model(self.text.encoder)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """The vectors of sentences: float32 `[n, text_dim]`.

        Raises:
            ValueError: one is empty, or there is no encoder.
        """
        return self.text.encode([texts] if isinstance(texts, str) else texts)

    def discriminator_inputs(self, name: str) -> list[keras.KerasTensor]:
        pictures = super().discriminator_inputs(name)
        return [*pictures, keras.KerasTensor((1, self.text.dim))]

    def check_discriminators(self, discriminators: dict[str, keras.Model]) -> None:
        wanted = [(None, *self.modality.shape), (None, self.text.dim)]
        for name, network in discriminators.items():
            seen = input_shape_of(network)
            if seen is None:  # its own code tells nothing
                continue
            seen = list(map(tuple, seen)) if isinstance(seen, list) else [seen]
            if seen != wanted:
                raise ValueError(
                    f"`{name}` sees pictures and vectors of sentences, {wanted[0]} and "
                    f"{wanted[1]}. Received: {network.name}, of {seen}. Build it for "
                    "them."
                )

    def call_discriminator(self, x: Tensor, batch: dict, training: bool) -> Tensor:
        """Logits of pictures, each with its sentence."""
        return self.forward("discriminator", [x, batch["text"]], training)

    def get_config(self) -> dict:
        config = super().get_config()
        encoder = vars(self._arguments).get("encoder")
        if callable(encoder) and not isinstance(encoder, keras.Model):
            config["encoder"] = None  # a function: it has no config
            config["text_dim"] = self.text.dim
        return config


def of_all(x: Tensor) -> Tensor:
    """The rows of all replicas, in their order.

    Args:
        x: tensor `[n, ...]` of one replica.

    Returns:
        tensor `[replicas n, ...]`.
    """
    rows = gathered(x)
    if rows.shape[0] == 1:
        return x
    return ops.reshape(rows, (-1, *x.shape[1:]))


def lone(x: Tensor) -> int | Tensor:
    """1 where the rows of all replicas are a single one, else 0.

    Its sentence is no other's: nothing is mismatched.

    Args:
        x: tensor `[n, ...]` of one replica.
    """
    return 1 // (count() * ops.shape(x)[0])


def of_others(text: Tensor) -> Tensor:
    """Each row's vector given to the next row, over all replicas: `[n, dim]`."""
    last = gathered(text[-1])
    replicas = last.shape[0]
    if replicas == 1:
        return ops.roll(text, 1, axis=0)
    before = ops.mod(global_rows(1)[0] - 1, replicas)
    return ops.concatenate([ops.take(last, [before], axis=0), text[:-1]], axis=0)
