"""A generator taken apart: latent codes z, intermediate codes w, samples."""

from collections.abc import Callable, Sequence

import keras
from keras import ops
import numpy as np

from keras_gans.core.gan import BaseGAN
from keras_gans.core.inputs import Latent, check_given
from keras_gans.core.networks import style_parts
from keras_gans.core.samples import SAMPLE_BATCH
from keras_gans.engine.keras_internals import graph_of, nodes_of
from keras_gans.utils.validation import check_seed, is_int, one_of

DRAWS = ("keras_gans", "numpy")
SPACES = ("z", "w")


class LatentSpace:
    """The codes that a noise GAN's samples are made of.

    Every noise GAN has z. Those whose generator has the layers "mapping" and
    "synthesis" (StyleGAN) also have w: `[n, layers, w_dim]`, a code for each
    layer of the synthesis. Samples are those of the moving average, where there
    is one, and the noise of layers is the one that is part of the weights.

    Args:
        gan: `BaseGAN` that samples from latent codes.

    Attributes:
        gan: `BaseGAN`.
        has_w: bool.
        dim: int, numbers of a z.
        layers: int, codes w of a sample; 0 without w.

    Raises:
        ValueError: it is no such GAN.

    Example:

    ```python
    gan = keras_gans.StyleGAN2((8, 8, 3), latent_dim=8, w_dim=8, channel_base=64)
    space = keras_gans.latent.LatentSpace(gan)
    values = space.values([3, 8], truncation=0.7)
    space.synthesize(space.styles(values)).shape  # (2, 8, 8, 3)
    ```
    """

    def __init__(self, gan: BaseGAN):
        inputs = gan.inputs if isinstance(gan, BaseGAN) else ()
        latents = [i for i in inputs if isinstance(i, Latent)]
        if isinstance(gan, keras.Model) and not isinstance(gan, BaseGAN):
            raise ValueError(
                "A latent space is that of a GAN. Received: the network "
                f"{gan.name!r} alone. Open its file as one: `gan, _ = "
                "keras_gans.inference.opening.open_gan(path)`."
            )
        if not latents:
            raise ValueError(
                "A latent space is that of a GAN which makes samples of noise. "
                f"Received: {type(gan).__name__}, which takes "
                f"{', '.join(i.name for i in inputs) or 'no latent codes'}."
            )
        self.gan = gan
        self.latent = latents[0]
        self.dim = self.latent.dim
        self.network = gan.sampling_network()
        parts = style_parts(self.network)
        self.has_w = parts is not None
        self.layers = 0
        if self.has_w:
            self.mapping, self._truncation, self.synthesis = parts
            self.layers = self.synthesis.input.shape[1]

    @property
    def default(self) -> str:
        """ "w" where there is one, else "z"."""
        return "w" if self.has_w else "z"

    def check_space(self, space: str | None, spaces: Sequence[str] = SPACES) -> str:
        """Returns `space`, or the default.

        Raises:
            ValueError: it is unknown, or there is no w.
        """
        space = one_of("space", space or self.default, spaces)
        if space != "z":
            self.check_w(f"space={space!r}")
        return space

    def check_w(self, asked: str) -> None:
        """Refuses what only a generator with intermediate codes can do.

        Raises:
            ValueError: there is no w.
        """
        if not self.has_w:
            raise ValueError(
                f"{type(self.gan).__name__}'s generator has no intermediate codes "
                f"w, as StyleGAN's has. Received: {asked}. Leave it out, or use a "
                "StyleGAN2."
            )

    def check_layers(self, layers: Sequence[int] | None) -> list[int]:
        """Returns which codes w are meant, all of them by default.

        Raises:
            ValueError: there is no such layer.
        """
        if layers is None:
            return list(range(self.layers))
        self.check_w(f"layers={list(layers)}")
        layers = list(layers)
        if not layers or any(not is_int(i) or not 0 <= i < self.layers for i in layers):
            raise ValueError(
                f"`layers` are ints in [0, {self.layers}), the coarsest first. "
                f"Received: layers={layers}."
            )
        return layers

    # --- What samples are made of ---

    def values(
        self, seeds: Sequence[int], draws: str = "keras_gans", **given
    ) -> dict[str, np.ndarray]:
        """All that the generator takes, a row for each seed.

        Args:
            seeds: list of int in [0, 2**31).
            draws: "keras_gans", the codes of `gan.seed_batches`, or "numpy", those
                that StyleGAN's own scripts draw from
                `numpy.random.RandomState(seed)`.
            **given: as of `gan.sample`, one for all or one for each seed.

        Returns:
            dict of the inputs' names to arrays `[n, ...]`.

        Raises:
            ValueError: a seed or a value is out of range, or the codes are not
                normal and `draws` is "numpy".
        """
        one_of("draws", draws, DRAWS)
        seeds = [check_seed(seed) for seed in seeds]
        if not seeds:
            raise ValueError("There are no seeds. Received: []. Pass some, as [0, 1].")
        given = check_given(self.gan.inputs, given, len(seeds))
        unique, places = np.unique(seeds, return_inverse=True)
        values = {
            i.name: given[i.name] if i.name in given else _default(i, unique)[places]
            for i in self.gan.inputs
        }
        if draws == "numpy":
            values["z"] = np.concatenate([self.numpy_codes(1, seed) for seed in seeds])
        return values

    def numpy_codes(self, n: int, seed: int) -> np.ndarray:
        """Codes z of `numpy.random.RandomState(seed)`: float32 `[n, dim]`.

        Raises:
            ValueError: codes are not normal.
        """
        if self.latent.distribution != "normal":
            raise ValueError(
                "NumPy's codes are normal numbers. Received: draws='numpy' of a "
                f"generator of {self.latent.distribution} ones. Leave it out."
            )
        return np.random.RandomState(seed).randn(n, self.dim).astype("float32")

    def mapped(self, values: dict) -> np.ndarray:
        """The codes w as the mapping makes them: float32 `[n, w_dim]`.

        Raises:
            ValueError: there is no w, or `values` are others.
        """
        self.check_w("a use of w")
        wanted = [i.name for i in self.gan.inputs]
        if not isinstance(values, dict) or not set(wanted) <= set(values):
            received = type(values).__name__
            if isinstance(values, dict):
                received = f"a dict of {', '.join(map(str, values))}"
            raise ValueError(
                f"`values` is a dict of {', '.join(wanted)}. Received: {received}. "
                "Take `space.values(seeds)`, with a z of yours as "
                '`{**space.values(seeds), "z": z}`.'
            )
        self.latent.check(values["z"])
        rows = [values[name] for name in ("z", "label") if name in values]
        return in_batches(
            lambda x: self.mapping.predict_on_batch(x if len(x) > 1 else x[0]), rows
        )

    def styles(self, values: dict, cutoff: int | None = None) -> np.ndarray:
        """The codes w of every layer, truncated: float32 `[n, layers, w_dim]`.

        Args:
            values: dict, as of `values`.
            cutoff: int, layers that are truncated, from the coarsest on; all by
                default.

        Raises:
            ValueError: there is no w, `values` are others, or `cutoff` is out of
                range.
        """
        ws = np.tile(self.mapped(values)[:, None], (1, self.layers, 1))
        psi = np.tile(values["truncation"][:, None], (1, self.layers))
        if cutoff is not None:
            if not is_int(cutoff) or not 0 <= cutoff <= self.layers:
                raise ValueError(
                    f"`cutoff` is an int in [0, {self.layers}], the layers that are "
                    f"truncated. Received: cutoff={cutoff!r}."
                )
            psi[:, cutoff:] = 1.0
        mean = ops.convert_to_numpy(self._truncation.mean)
        return (mean + psi[..., None] * (ws - mean)).astype("float32")

    # --- Samples ---

    def samples(self, values: dict, clip: bool = True) -> np.ndarray:
        """Samples of all that the generator takes: float32 `[n, ...]`.

        Args:
            values: dict, as of `values`.
            clip: bool, whether they are cut to their range.
        """
        rows = [values[i.name] for i in self.gan.inputs]
        network = self.network
        predict = self.gan.engine.predict_here if clip else network.predict_on_batch
        return in_batches(lambda x: predict(x if len(x) > 1 else x[0]), rows)

    def synthesize(self, ws: np.ndarray, clip: bool = True) -> np.ndarray:
        """Samples of codes w `[n, layers, w_dim]`, as of `samples`.

        Raises:
            ValueError: there is no w, or the codes have another shape or are not
                finite.
        """
        self.check_w("codes w")
        ws = np.asarray(ws, "float32")
        wanted = tuple(self.synthesis.input.shape[1:])
        if ws.ndim != 3 or ws.shape[1:] != wanted or not len(ws):
            raise ValueError(
                "Codes w have the shape (n, layers, w_dim), here (n, "
                f"{wanted[0]}, {wanted[1]}). Received: shape {ws.shape}. Take those "
                "of `space.styles`; `ws[None]` makes a batch of one."
            )
        check_finite("Codes w", ws)
        samples = in_batches(lambda x: self.synthesis.predict_on_batch(x[0]), [ws])
        samples = samples.astype("float32")
        return (
            ops.convert_to_numpy(self.gan.modality.clip(samples)) if clip else samples
        )

    def of_classes(self) -> tuple[keras.Model, keras.Model] | None:
        """What makes vectors of a class, and samples of z and such vectors.

        So classes can be interpolated where there is no w.

        Returns:
            `(vectors, samples)`: from `[label]` to a list, and from the other
            inputs, in their order, and that list; `None` where the generator does
            not take the class by layers of its own.
        """
        graph = graph_of(self.network)
        place = next(
            (p for p, i in enumerate(self.gan.inputs) if i.name == "label"), None
        )
        if graph is None or place is None:
            return None
        label, vectors = graph.inputs[place], []
        for node in nodes_of(graph):
            if any(x is label for x in node.input_tensors):
                if len(node.input_tensors) > 1:
                    return None
                vectors += node.output_tensors
        others = [x for x in graph.inputs if x is not label]
        if not vectors or any("float" not in x.dtype for x in vectors):
            return None
        return (
            keras.Model(label, vectors),
            keras.Model([*others, *vectors], graph.outputs[0]),
        )


def _default(one, seeds):
    """Row 0 of an input that nothing is given for, of each seed."""
    rows = [one.rows(int(seed), np.zeros(1, int), None) for seed in seeds]
    return np.concatenate([ops.convert_to_numpy(x) for x in rows])


def check_finite(what: str, numbers: np.ndarray) -> None:
    """Refuses NaN and infinity.

    Raises:
        ValueError: there are some.
    """
    bad = int((~np.isfinite(numbers)).sum())
    if bad:
        raise ValueError(
            f"{what} are finite numbers. Received: NaN or infinity, {bad} of "
            f"{np.size(numbers)}. Leave them out."
        )


def in_batches(predict: Callable, arrays: list[np.ndarray]) -> np.ndarray:
    """What a function gives for rows, a batch of at most 32 at a time.

    Args:
        predict: function of a list of arrays of one batch.
        arrays: list of arrays `[n, ...]`.
    """
    n = len(arrays[0])
    size, parts = min(n, SAMPLE_BATCH), []
    for start in range(0, n, size):
        count = min(size, n - start)
        rows = start + np.resize(np.arange(count), size)  # of one size
        batch = predict([x[rows] for x in arrays])
        parts.append(np.asarray(ops.convert_to_numpy(batch))[:count])
    return np.concatenate(parts)
