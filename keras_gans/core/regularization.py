"""Regularizers and augmentations that any discriminator can be trained with."""

from collections.abc import Callable
import math
from typing import TYPE_CHECKING
import warnings

import keras
from keras import ops

from keras_gans import losses
from keras_gans.augment import ADA, as_ada, check_policy, diff_augment
from keras_gans.core.controllers import AdaptiveP, Controller, ScheduledP
from keras_gans.engine.keras_internals import flatten_layers
from keras_gans.engine.replicas import count
from keras_gans.layers.minibatch_stddev import with_minibatch_stddev
from keras_gans.layers.spectral import spectrally_normalized
from keras_gans.modalities import Modality
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size, is_int, is_number, one_of, within

NORMS = (
    "The paper's advice (arXiv:1704.00028, section 4) is a critic without it, as "
    "WGANGP's, or with layer normalization (`discriminator`, built with norm=None or "
    "norm='layer')."
)

if TYPE_CHECKING:
    from keras_gans.core.gan import BaseGAN


class Regularization:
    """What changes the discriminator's input in training, and its penalties.

    Args:
        r1: float, gamma of R1; see `BaseGAN`.
        r2: float, gamma of R2.
        penalty_interval: int.
        instance_noise: `None`, a float or a tuple (sigma, steps).
        packing: int.
        diff_augment: `None`, an `ADA` or a text that means one, or a policy of
            DiffAugment.
        modality: `Modality` of the samples.

    Raises:
        ValueError: an argument is out of its range.
    """

    def __init__(
        self,
        r1: float,
        r2: float,
        penalty_interval: int,
        instance_noise: float | tuple[float, int] | None,
        packing: int,
        diff_augment: str | tuple[str, ...] | ADA | None,
        modality: Modality,
    ):
        for name, gamma in (("r1", r1), ("r2", r2)):
            ok = is_number(gamma) and 0 <= gamma < math.inf
            within(name, gamma, ok, "[0, inf)")
        self.gammas = {name: gamma for name, gamma in (("r1", r1), ("r2", r2)) if gamma}
        self.interval = check_size("penalty_interval", penalty_interval)
        self.noise = _check_noise(instance_noise)
        self.packing = check_size("packing", packing)
        self.policy = None
        self.ada = as_ada(diff_augment, ADA())
        if self.ada is not None:
            self.ada.check_shape(modality.shape)
        elif diff_augment is not None:
            self.policy = check_policy(diff_augment, modality.shape)

    def augmented(self, gan: "BaseGAN", x: Tensor, training: bool, role: str) -> Tensor:
        """`x` augmented, with noise and in packs.

        Args:
            gan: `BaseGAN`.
            x: samples `[n, ...]`.
            training: bool; noise and augmentation are for training alone.
            role: str, what x is: "real", "fake" (what D learns from),
                "generated" (what G learns through), "mixed" (between reals and
                fakes) or another: each is drawn numbers of its own.
        """
        x = ops.cast(x, "float32")
        n = ops.shape(x)[0]

        def uniform(columns, i):
            return gan.rng.uniform(n, columns, f"augment/{role}/{i}")

        if training and self.policy is not None:
            x = diff_augment(x, self.policy, uniform)
        if training and self.ada is not None:
            x = self.ada(x, self.probability(gan), uniform)
        if training and self.noise is not None:
            columns = math.prod(ops.shape(x)[1:])
            noise = gan.rng.normal(n, columns, f"noise/{role}")
            level = self._noise_level(gan.step)
            x = x + level * ops.reshape(noise, ops.shape(x))
        return self._pack(x)

    def controller_of_p(self, objective: losses.Objective) -> Controller | None:
        """What moves ADA's p, where it moves.

        Args:
            objective: `Objective` of the logits.

        Raises:
            ValueError: p is adaptive, and the sign of logits says nothing.
        """
        if self.ada is None or is_number(self.ada.p):
            return None
        if not self.ada.adaptive:
            return ScheduledP(self.ada, name="ada")
        unsigned = (losses.OBJECTIVES[n].d for n in ("least_squares", "wasserstein"))
        if objective.relativistic or objective.d in unsigned:
            raise ValueError(
                "Adaptive augmentation goes by the sign of D's logits of reals, "
                "which least_squares, wasserstein and relativistic leave open. "
                f"Received: diff_augment={self.ada}. Set p, as in "
                "diff_augment='ada:0.2', or take objective='non_saturating' or "
                "'hinge'."
            )
        return AdaptiveP(self.ada, name="ada")

    def probability(self, gan: "BaseGAN") -> float | Tensor:
        """ADA's p of this step."""
        controller = gan.controllers.get("ada")
        return self.ada.p if controller is None else controller.p

    def scores(self, gan: "BaseGAN", real: Tensor) -> dict[str, Tensor]:
        """What logs say of a p that moves.

        Args:
            gan: `BaseGAN`.
            real: D's logits of reals, of any shape.
        """
        scores = {}
        if self.adaptive:
            scores["d_sign"] = ops.mean(ops.sign(real))
        if "ada" in gan.controllers:
            scores["ada_p"] = gan.controllers["ada"].p
        return scores

    @property
    def adaptive(self) -> bool:
        """Whether ADA's p follows D's logits of reals."""
        return self.ada is not None and self.ada.adaptive

    def _noise_level(self, step):
        if is_number(self.noise):
            return self.noise
        sigma, steps = self.noise
        done = ops.cast(step.value, "float32") / steps
        return sigma * ops.maximum(1.0 - done, 0.0)

    def _pack(self, x):
        """Joins each `packing` neighbouring rows along the last axis."""
        m = self.packing
        if m == 1:
            return x
        n, *shape = x.shape
        if n is not None and n % m:
            replicas = count()
            each = f" on each of {replicas} replicas" if replicas > 1 else ""
            raise ValueError(
                f"The discriminator sees packs of {m} rows. Received: a "
                f"batch of {n}{each}, not divisible by packing={m}. Choose a batch "
                "size that is (and `drop_remainder=True`)."
            )
        x = ops.reshape(x, (-1, m, *shape))
        x = ops.moveaxis(x, 1, -2)
        return ops.reshape(x, (-1, *shape[:-1], m * shape[-1]))

    def penalties(
        self, gan: "BaseGAN", fake: Tensor, batch: dict
    ) -> tuple[Tensor, dict]:
        """R1 and R2 where they are on: `(scalar, {name: value})`.

        Each is worth `gamma / 2 E[||grad C(x)||^2]` over the steps: what is
        left out in between counts as many times more where it is taken.
        """

        def critic_of(role):
            return lambda x: logits_of(gan.discriminate(x, batch, True, role))

        def samples_of(x):
            return lambda: ops.cast(x, "float32")

        return self.penalties_of(
            gan,
            {
                "r1": (critic_of("real"), samples_of(batch["real"])),
                "r2": (critic_of("fake"), samples_of(fake)),
            },
        )

    def penalties_of(
        self, gan: "BaseGAN", terms: dict[str, tuple[Callable, Callable]]
    ) -> tuple[Tensor, dict]:
        """`penalties` on any critic.

        Args:
            gan: `BaseGAN`.
            terms: dict of "r1" and "r2" to (critic, function without arguments
                that returns what it is penalized at).
        """
        total, logs = 0.0, {}
        for name, gamma in self.gammas.items():
            critic, seen = terms[name]

            def penalty(critic=critic, seen=seen):
                return losses.zero_centred_penalty(critic, seen())

            value = gan.engine.in_some_steps(self.interval, penalty)
            logs[name] = gamma * self.interval * value
            total = total + logs[name]
        return total, logs


def regularized(
    discriminators: dict[str, keras.Model],
    spectral_norm: bool,
    minibatch_stddev: int | None,
) -> dict[str, keras.Model]:
    """Discriminators with the layers that were asked for.

    One that has them already, as a loaded one has, comes back as it is.

    Args:
        discriminators: dict of name to `keras.Model`.
        spectral_norm: bool.
        minibatch_stddev: `None`, or the int size of a group.

    Raises:
        ValueError: an argument is out of its range, or a network cannot be
            copied with other layers.
    """
    one_of("spectral_norm", spectral_norm, (True, False))
    if minibatch_stddev is not None:
        check_size("minibatch_stddev", minibatch_stddev)
    networks = {}
    for name, network in discriminators.items():
        if minibatch_stddev is not None:
            network = with_minibatch_stddev(network, minibatch_stddev)
        networks[name] = spectrally_normalized(network) if spectral_norm else network
    return networks


def warn_of_batch_norm(
    discriminator: keras.Model, penalty: str, num_replicas: int
) -> None:
    """Warns where a gradient is penalised that batch norm makes no row's own.

    Raises:
        ValueError: replicas would have to exchange gradients for it.
    """
    norms = (
        layer.name
        for layer in flatten_layers(discriminator)
        if isinstance(layer, keras.layers.BatchNormalization)
    )
    name = next(norms, None)
    if name is None:
        return
    if num_replicas > 1:
        raise ValueError(
            f"{penalty} penalizes gradients, which batch normalization spreads "
            f"over all replicas. Received: {num_replicas} replicas, and a "
            f"discriminator with the layer {name!r}. {NORMS}"
        )
    warnings.warn(
        f"{penalty} is a penalty on the gradient of each input, but batch "
        "normalization makes every output depend on the whole batch. "
        f"Received: a discriminator with the layer {name!r}. {NORMS}",
        stacklevel=4,
    )


def logits_of(outputs: Tensor) -> Tensor:
    """The logits of a discriminator's outputs: themselves, or the first."""
    return outputs[0] if isinstance(outputs, (tuple, list)) else outputs


def refuse(model: str, arguments: dict, refused: dict[str, tuple]) -> None:
    """Refuses arguments of `BaseGAN` that make no sense in a model.

    Args:
        model: str, its name.
        arguments: dict of those given.
        refused: dict of a name to (default, the reason).

    Raises:
        ValueError: one of the `arguments` is refused and not its default.
    """
    for name, (default, reason) in refused.items():
        if arguments.get(name, default) != default:
            remedy = "Drop it."
            if name == "packing":
                remedy = "Drop it, or try minibatch_stddev=4."
            raise ValueError(
                f"{model} does not take `{name}`: {reason}. Received: "
                f"{name}={arguments[name]!r}. {remedy}"
            )


def _check_noise(instance_noise):
    if instance_noise is None:
        return None
    pair = instance_noise
    if is_number(instance_noise):
        pair = (instance_noise, 1)
    ok = isinstance(pair, (tuple, list)) and len(pair) == 2
    ok = ok and is_number(pair[0]) and 0 < pair[0] < math.inf
    if not ok or not is_int(pair[1]) or pair[1] < 1:
        raise ValueError(
            "`instance_noise` is a standard deviation above 0, or (standard "
            "deviation, steps until it is 0). Received: "
            f"instance_noise={instance_noise!r}."
        )
    return instance_noise if is_number(instance_noise) else tuple(pair)
