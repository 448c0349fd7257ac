"""What SNGAN, SAGAN and BigGAN share: classes, truncated codes, statistics."""

from collections.abc import Iterable
import math
import types

import keras
from keras import ops
import numpy as np

from keras_gans import losses
from keras_gans.augment import diff_augment
from keras_gans.core.controllers import RunningAverage
from keras_gans.core.gan import BaseGAN
from keras_gans.core.inputs import Input, Label, Threshold
from keras_gans.core.regularization import logits_of, refuse
from keras_gans.core.statistics import unbias_generators
from keras_gans.engine.keras_internals import flatten_layers
from keras_gans.engine.phases import Phase
from keras_gans.layers.truncated import TruncatedNormal
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import (
    check_count,
    check_seed,
    is_int,
    is_number,
    within,
)

REFUSED = {
    "r2": (0.0, "its fakes have classes of their own"),
    "packing": (1, "each image is shown with its label"),
    "spectral_norm": (False, "its discriminator is normalized already"),
}
LECAM_RATE = 0.01  # of the running means that LeCam compares with


class ClassConditionalGAN(BaseGAN):
    """A GAN that learns classes by projection, as its subclasses' papers do.

    The discriminator learns from `d_steps` batches a step, then the generator
    through fakes of codes that the discriminator has not seen. Classes of fakes
    are uniform, not those of the batch. `sample(n, truncation=t)` keeps latent
    codes within [-t, t].

    Args:
        generator: as of `BaseGAN`.
        discriminator: as of `BaseGAN`.
        consistency: float, or tuple (of reals, of fakes), weights of consistency
            regularization: logits of images and of the same images moved by up to
            1/8 of a side are to be equal, both augmented alike where D sees them
            augmented. A float is of reals alone.
        lecam: float of 0 or more, weight of LeCam regularization, for few data.
        top_k: `None`, or tuple (share, steps): the generator learns from the
            fakes of the highest logits alone, from all of a batch down to that
            share of it within so many steps.
        **kwargs: the other arguments of `BaseGAN`, but for `r2`, `packing` and
            `spectral_norm`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Reference:
        https://arxiv.org/abs/1802.05637 (projection);
        https://arxiv.org/abs/1910.12027, equation 4, and
        https://arxiv.org/abs/2002.04724, section 3 (consistency);
        https://arxiv.org/abs/2104.03310, equation 6 (LeCam);
        https://arxiv.org/abs/2002.06224, algorithm 1 (top-k)
    """

    labels_shown = True
    threshold = Threshold()  # one, as inputs are told apart by what they are

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        consistency: float | tuple[float, float] = (0.0, 0.0),
        lecam: float = 0.0,
        top_k: tuple[float, int] | None = None,
        **kwargs,
    ):
        refuse(type(self).__name__, kwargs, REFUSED)
        kwargs.setdefault("objective", "hinge")
        super().__init__(generator, discriminator, **kwargs)
        self.consistency = _check_consistency(consistency)
        self.lecam = within("lecam", lecam, _is_weight(lecam), "[0, inf)")
        self.top_k = _check_top_k(top_k)
        if self.top_k and self.objective.g is not losses.wasserstein_g:
            raise ValueError(
                "`top_k` takes the generator's mean logit. Received: objective="
                f"{kwargs['objective']!r}. Take 'hinge' or 'wasserstein'."
            )
        unbias_generators(self)  # the reference evaluates with it
        self._sampling = types.SimpleNamespace(network=None)
        if self.lecam:
            self.controllers |= {
                name: RunningAverage(log, LECAM_RATE)
                for name, log in (("lecam_real", "d_real"), ("lecam_fake", "d_fake"))
            }

    @property
    def inputs(self) -> tuple[Input, ...]:
        """What the generator takes, and how far its codes may go."""
        return (*self.inputs_of_generator, self.threshold)

    def sampling_network(self, name: str = "generator") -> keras.Model:
        """The generator as it samples: of z, perhaps a label, and truncation."""
        if self._sampling.network is None:
            network = super().sampling_network(name)
            inputs = [
                keras.Input(i.shape, dtype=i.dtype, name=i.name) for i in self.inputs
            ]
            z, *label, threshold = inputs
            z = TruncatedNormal(name="truncated")([z, threshold])
            samples = network([z, *label] if label else z)
            self._sampling.network = keras.Model(inputs, samples, name="sampling")
        return self._sampling.network

    # --- Training ---

    def phases(self) -> list[Phase]:
        """D learns `d_steps` times, then G through fakes of its own."""
        logs = [name for name, on in self._regularizers() if on]
        return [
            Phase(
                "d",
                self.discriminator_loss,
                penalty=self.penalties,
                logs=tuple(logs),
                batches=self.d_steps,
            ),
            Phase("g", self.generator_loss, fakes="fresh"),
        ]

    def _regularizers(self):
        return (("consistency", any(self.consistency)), ("lecam", self.lecam))

    def generate(self, batch: dict, training: bool) -> Tensor | dict:
        """Fakes as many as reals; with classes, a dict of them and of those."""
        if not self.labelled:
            return super().generate(batch, training)
        n = self.rows_of(batch)
        values = {
            i.name: i.draw(self.rng, n) if i.drawn else self.labels_of_fakes(n)
            for i in self.inputs_of_generator
        }
        images = self.forward("generator", list(values.values()), training)
        return {"images": images, "label": values["label"]}

    def labels_of_fakes(self, n: int | Tensor) -> Tensor:
        """Classes, each as likely as the others: int32 `[n]`."""
        (label,) = (i for i in self.inputs_of_generator if isinstance(i, Label))
        drawn = self.rng.integers(n, 1, label.num_classes, "labels of fakes")
        return ops.cast(drawn[:, 0], "int32")

    def shown(self, fake: Tensor | dict, batch: dict) -> tuple[Tensor, dict]:
        """Fakes, and the batch with their classes in place of the reals'."""
        if not self.labelled:
            return fake, batch
        return fake["images"], {**batch, "label": fake["label"]}

    def discriminate_all(self, parts: list[tuple], training: bool) -> list[Tensor]:
        """Logits of several parts, `(role, samples, batch)`, one after the other."""
        return [
            logits_of(self.discriminate(x, batch, training, role))
            for role, x, batch in parts
        ]

    def discriminator_loss(
        self, fake: Tensor | dict, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """The objective's, and what regularizes it."""
        fake, of_fakes = self.shown(fake, batch)
        parts = [("real", batch["real"], batch), ("fake", fake, of_fakes)]
        weights = self.consistency if training else (0.0, 0.0)
        moved = [
            # By the role of x: DiffAugment and noise are those of x itself.
            (role, self._moved(x, role), own)
            for (role, x, own), weight in zip(parts, weights, strict=True)
            if weight
        ]
        real, fake, *others = self.discriminate_all([*parts, *moved], training)
        loss, logs = self.d_adversarial(real, fake)
        others = iter(others)
        if any(self.consistency):
            pairs = zip(weights, (real, fake), strict=True)
            terms = [
                weight * losses.consistency(logits, next(others))
                for weight, logits in pairs
                if weight
            ]
            logs["consistency"] = sum(terms) if terms else ops.zeros(())
            loss = loss + logs["consistency"]
        if self.lecam:
            anchors = (
                self.controllers[f"lecam_{side}"].value.value
                for side in ("real", "fake")
            )
            logs["lecam"] = self.lecam * losses.lecam(real, fake, *anchors)
            loss = loss + logs["lecam"]
        return loss, logs

    def _moved(self, x, role):
        n = ops.shape(x)[0]

        def uniform(columns, i):
            return self.rng.uniform(n, columns, f"consistency/{role}/{i}")

        return diff_augment(ops.cast(x, "float32"), "translation", uniform)

    def generator_loss(
        self, fake: Tensor | dict, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """The objective's, perhaps of the best fakes alone."""
        fake, batch = self.shown(fake, batch)
        (logits,) = self.discriminate_all([("generated", fake, batch)], training)
        if self.top_k is None or not training:
            return self.g_adversarial(logits, batch, training)
        share, steps = self.top_k
        done = ops.minimum(ops.cast(self.step.value, "float32") / steps, 1.0)
        loss = losses.top_k_g(logits, ops.power(share, done))
        return loss, {"g_loss": loss}

    # --- Standing statistics ---

    def standing_statistics(
        self,
        batches: int = 16,
        batch_size: int = 32,
        seed: int = 0,
        momentum: float | None = None,
    ) -> None:
        """Sets the batch norms of the sampling generator to means of new batches.

        Moving statistics lag behind the weights, or average over unlike ones.
        The mean and variance of each norm become the mean of those of `batches`
        batches of samples, in training mode.

        Args:
            batches: int, how many.
            batch_size: int, rows of each; classes take turns.
            seed: int in [0, 2**31), of the latent codes.
            momentum: `None`, every batch counts alike and nothing else; or a float
                in [0, 1), moving statistics go on with it, as the reference's do
                but with its own batch norm: 0.9.

        Raises:
            ValueError: an argument is out of its range.

        Reference:
            https://arxiv.org/abs/1809.11096, appendix C.1
        """
        check_count(batches)
        check_count(batch_size)
        check_seed(seed)
        if momentum is not None:
            ok = is_number(momentum) and 0 <= momentum < 1
            within("momentum", momentum, ok, "[0, 1), or be None")
        network = super().sampling_network()

        def of_batch(i):
            rows = np.arange(i * batch_size, (i + 1) * batch_size)
            values = [x.default_rows(seed, rows) for x in self.inputs_of_generator]
            return [ops.convert_to_tensor(x) for x in values]

        inputs = (of_batch(i) for i in range(batches))
        standing_statistics(network, inputs, momentum)


def standing_statistics(
    network: keras.Model, inputs: Iterable[list], momentum: float | None = None
) -> None:
    """Sets batch norms to the mean of their statistics of several batches.

    Args:
        network: `keras.Model`, called in training mode.
        inputs: iterable of what the network takes, a list for each batch.
        momentum: `None` or float, as of `ClassConditionalGAN.standing_statistics`.
    """
    norms = [
        layer
        for layer in flatten_layers(network)
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    settings = [(norm.momentum, norm.trainable) for norm in norms]
    others = {id(v): v for v in network.non_trainable_variables if v.name in ("u", "v")}
    kept = [ops.copy(v.value) for v in others.values()]
    try:
        for i, values in enumerate(inputs):
            for norm in norms:
                # Of the first batch all, of the second a half, and so on.
                norm.trainable = True
                norm.momentum = i / (i + 1) if momentum is None else momentum
            network(values if len(values) > 1 else values[0], training=True)
    finally:
        for norm, (momentum, trainable) in zip(norms, settings, strict=True):
            norm.momentum, norm.trainable = momentum, trainable
        for v, value in zip(others.values(), kept, strict=True):
            v.assign(value)


def _is_weight(x):
    return is_number(x) and 0 <= x < math.inf


def _check_consistency(consistency):
    pair = (consistency, 0.0) if is_number(consistency) else consistency
    ok = isinstance(pair, (tuple, list)) and len(pair) == 2
    ok = ok and all(map(_is_weight, pair))
    within("consistency", consistency, ok, "[0, inf), or be a pair (reals, fakes)")
    return tuple(pair)


def _check_top_k(top_k):
    if top_k is None:
        return None
    ok = isinstance(top_k, (tuple, list)) and len(top_k) == 2
    ok = ok and is_number(top_k[0]) and 0 < top_k[0] <= 1
    if not ok or not is_int(top_k[1]) or top_k[1] < 1:
        raise ValueError(
            "`top_k` is (share in (0, 1], steps until it is reached). Received: "
            f"top_k={top_k!r}."
        )
    return tuple(top_k)
