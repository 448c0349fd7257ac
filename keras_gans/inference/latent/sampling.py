"""Samples of seeds, and tables in which two seeds share the layers of one."""

from collections.abc import Sequence

import numpy as np

from keras_gans.core.gan import BaseGAN
from keras_gans.inference.latent.space import LatentSpace


def generate(
    gan: BaseGAN,
    seeds: Sequence[int],
    *,
    draws: str = "keras_gans",
    cutoff: int | None = None,
    **given,
) -> np.ndarray:
    """A sample of each seed.

    By default those of `gan.seed_batches`. With `draws="numpy"` a StyleGAN2 of
    published weights makes the pictures that its own scripts make.

    Args:
        gan: `BaseGAN` that samples from latent codes.
        seeds: list of int in [0, 2**31).
        draws: "keras_gans", or "numpy": codes of `numpy.random.RandomState(seed)`.
        cutoff: int, layers that are truncated, the coarsest first; all by default.
        **given: as of `gan.sample`, one for all or one for each seed: `truncation`,
            `labels`.

    Returns:
        float32 array `[n, *modality.shape]`.

    Raises:
        ValueError: an argument is out of range, or something is given that the
            generator does not take.

    Example:

    ```python
    gan = keras_gans.StyleGAN2((8, 8, 3), latent_dim=8, w_dim=8, channel_base=64)
    keras_gans.latent.generate(gan, [0, 1, 77], truncation=0.7).shape  # (3, 8, 8, 3)
    ```

    Reference:
        https://arxiv.org/abs/1812.04948, appendix B
    """
    space = LatentSpace(gan)
    if cutoff is not None:
        space.check_w(f"cutoff={cutoff}")
    values = space.values(seeds, draws, **given)
    if cutoff is None:
        return space.samples(values)
    return space.synthesize(space.styles(values, cutoff))


def mix(
    gan: BaseGAN,
    rows: Sequence[int],
    columns: Sequence[int],
    layers: Sequence[int] | None = None,
    *,
    draws: str = "keras_gans",
    **given,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A table of pictures with some layers' styles of another seed.

    Args:
        gan: `StyleGAN2`, or another with intermediate codes.
        rows: list of seeds that the rows are of.
        columns: list of seeds whose w the layers take in each column.
        layers: list of ints, the layers that take it: of the coarse half by
            default.
        draws: as of `generate`.
        **given: as of `gan.sample`, one for all: `truncation`, `labels`.

    Returns:
        `(rows, columns, mixed)`: pictures of the seeds, `[r, ...]` and `[c, ...]`,
        and `[r, c, ...]`.

    Raises:
        ValueError: there is no w, a layer is out of range, or as of `generate`.

    Example:

    ```python
    gan = keras_gans.StyleGAN2((8, 8, 3), latent_dim=8, w_dim=8, channel_base=64)
    _, _, mixed = keras_gans.latent.mix(gan, [0, 5], [3, 2, 9], layers=[1, 2])
    mixed.shape  # (2, 3, 8, 8, 3)
    ```

    Reference:
        https://arxiv.org/abs/1812.04948, section 3.1
    """
    space = LatentSpace(gan)
    space.check_w("style mixing")
    if layers is None:
        layers = range(max(1, space.layers // 2))
    layers = space.check_layers(layers)
    rows, columns = list(rows), list(columns)
    ws = [space.styles(space.values(s, draws, **given)) for s in (rows, columns)]
    mixed = np.repeat(ws[0], len(columns), axis=0)
    mixed[:, layers] = np.tile(ws[1], (len(rows), 1, 1))[:, layers]
    pictures = space.synthesize(np.concatenate([*ws, mixed]))
    first, second = len(rows), len(rows) + len(columns)
    table = pictures[second:].reshape(len(rows), len(columns), *pictures.shape[1:])
    return pictures[:first], pictures[first:second], table
