"""What GANs of sentences have in common: samples are read, not looked at."""

import numpy as np

from keras_gans.modalities import Tokens


class SentenceSamples:
    """The methods of a GAN of `Tokens`; it stands before `BaseGAN`."""

    modality: Tokens

    def sample(self, n: int, seed: int = 0, **given) -> list[str]:
        """Writes sentences.

        Sentence i is a function of `(seed, i)` and what is given for it alone.
        `sample_batches` gives the same as probabilities of tokens.

        Args:
            n: int, how many.
            seed: int in [0, 2**31).
            **given: values of the generator's inputs, as of `BaseGAN.sample`.

        Returns:
            List of str.

        Raises:
            ValueError: `n` is below 1, `seed` out of range, or what is given is
                unknown or does not fit.
        """
        return self.modality.sentences(self.sample_ids(n, seed, **given))

    def sample_ids(self, n: int, seed: int = 0, **given) -> np.ndarray:
        """The sentences of `sample` as numbers of tokens: int32 `[n, length]`."""
        batches = self.sample_batches(n, seed, **given)
        return np.concatenate([self.modality.ids(batch) for batch in batches])
