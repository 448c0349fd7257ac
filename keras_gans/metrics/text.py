"""The likelihood that a language model gives to sentences."""

from keras import ops
import numpy as np

from keras_gans.core.gan import BaseGAN
from keras_gans.utils.validation import check_size


def text_nll(gan: BaseGAN, sentences: np.ndarray, batch_size: int = 256) -> float:
    """-log p of each token given those before it, the mean in nats.

    What fills a sentence is a token as any other. Of real sentences that were not
    trained on, it is low where the GAN knows of all of them: NLL_gen of the papers.

    Args:
        gan: `RelGAN`, or another GAN with `logits_of`.
        sentences: ints `[n, length]`.
        batch_size: int.

    Returns:
        float of 0 or more.

    Raises:
        ValueError: the GAN gives no probabilities of tokens, or has other sentences.

    Example:

    ```python
    small = {"head_size": 2, "d_embedding_dim": 2, "representations": 2, "filters": 2}
    gan = keras_gans.RelGAN(5, ("", "a", "b"), "", **small)
    keras_gans.metrics.text_nll(gan, np.ones((4, 5), "int32"))  # such as 1.1
    ```

    Reference:
        https://arxiv.org/abs/1609.05473, section 4.1
    """
    check_size("batch_size", batch_size)
    if not hasattr(gan, "logits_of"):
        raise ValueError(
            "The likelihood of sentences is of a GAN that writes token by token, "
            f"such as RelGAN. Received: a {type(gan).__name__}."
        )
    ids = gan.modality.ids(sentences)
    total = 0.0
    for i in range(0, len(ids), batch_size):
        part = ids[i : i + batch_size]
        logs = ops.convert_to_numpy(ops.log_softmax(gan.logits_of(part)))
        total -= np.take_along_axis(logs, part[..., None], -1).sum(dtype="float64")
    return float(total / ids.size)
