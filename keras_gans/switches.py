"""What any GAN can switch on against collapse and imbalance."""

import math
import warnings

import keras
from keras import ops

from keras_gans.augment import check_policy
from keras_gans.augment import diff_augment
from keras_gans.checks import check_size
from keras_gans.checks import is_int
from keras_gans.checks import is_number
from keras_gans.checks import within
from keras_gans.engine import draws
from keras_gans.layers.minibatch_stddev import with_minibatch_stddev
from keras_gans.layers.spectral import spectrally_normalized
from keras_gans.networks.pair import Pair
from keras_gans.regularizers import zero_centred_penalty


def switched_discriminator(discriminator, spectral_norm, minibatch_stddev):
    """A discriminator with the layers that were asked for.

    One that has them already, as a loaded one has, comes back as it is.

    Args:
        discriminator: `keras.Model`.
        spectral_norm: bool.
        minibatch_stddev: `None`, or the int size of a group.
    """
    if isinstance(discriminator, Pair):
        return discriminator.map(
            lambda d: switched_discriminator(d, spectral_norm, minibatch_stddev)
        )
    if minibatch_stddev is not None:
        check_size("minibatch_stddev", minibatch_stddev)
        discriminator = with_minibatch_stddev(discriminator, minibatch_stddev)
    if spectral_norm:
        discriminator = spectrally_normalized(discriminator)
    return discriminator


def check_noise(instance_noise):
    """Returns `instance_noise` as `None`, a float or a tuple (sigma, steps).

    Raises:
        ValueError: it is something else.
    """
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


def warn_of_batch_norm(discriminator, penalty, num_replicas):
    """Warns where a slope is penalized that batch norm makes no row's own.

    Raises:
        ValueError: replicas would have to exchange slopes for it.
    """
    norms = (
        layer.name
        for layer in discriminator._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    )
    name = next(norms, None)
    if name is None:
        return
    if num_replicas > 1:
        raise ValueError(
            f"{penalty} penalizes slopes, which batch normalization spreads "
            f"over all replicas. Received: {num_replicas} replicas, and a "
            f"discriminator with `{name}`. Pass one as `discriminator`, built "
            "with norm=None or norm='layer'."
        )
    warnings.warn(
        f"{penalty} is a penalty on the gradient of each input, but batch "
        "normalization makes every output depend on the whole batch. "
        f"Received: a discriminator with `{name}`. The paper's advice "
        "(arXiv:1704.00028, section 4) is a critic without it, or with "
        "layer normalization: pass one as `discriminator`, built with "
        "norm=None or norm='layer'.",
        stacklevel=4,
    )


class Switches:
    """Packing, noise, augmentation and penalties; mixed into `BaseGAN`."""

    def set_switches(
        self, r1, r2, penalty_interval, instance_noise, packing, diff_augment
    ):
        """Checks and keeps the switches; see `BaseGAN`.

        Raises:
            ValueError: one is out of its range.
        """
        for name, gamma in (("r1", r1), ("r2", r2)):
            ok = is_number(gamma) and 0 <= gamma < math.inf
            within(name, gamma, ok, "[0, inf)")
            if gamma:
                warn_of_batch_norm(
                    self.discriminator, f"`{name}`", self.num_replicas
                )
        self.r1 = r1
        self.r2 = r2
        self.penalty_interval = check_size("penalty_interval", penalty_interval)
        self.instance_noise = check_noise(instance_noise)
        self.packing = packing
        self.diff_augment = diff_augment
        if diff_augment is not None:
            self.diff_augment = check_policy(diff_augment, self.image_shape)

    @property
    def penalty_names(self):
        """The penalties that are on, as logs name them."""
        return tuple(name for name in ("r1", "r2") if getattr(self, name))

    def judge(self, x, batch, training, role):
        """What `discriminate` says of `x` as the switches show it.

        Args:
            x: images or other rows `[n, ...]`.
            batch: the batch that they belong to.
            training: bool; noise and augmentation are for training alone.
            role: `draws.REAL`, `FAKE`, `GENERATED` or `MIXED`: each is drawn
                numbers of its own.
        """
        return self.discriminate(self.shown(x, training, role), batch, training)

    def shown(self, x, training, role):
        """`x` augmented, with noise and in packs; see `judge`."""
        x = ops.cast(x, "float32")
        n = ops.shape(x)[0]
        if training and self.diff_augment is not None:
            first = draws.AUGMENT + draws.ROLE * role
            x = diff_augment(
                x,
                self.diff_augment,
                lambda columns, i: self.draws.uniform(n, columns, first + i),
            )
        if training and self.instance_noise is not None:
            columns = math.prod(ops.shape(x)[1:])
            noise = self.draws.normal(n, columns, draws.NOISE + role)
            x = x + self._noise_level() * ops.reshape(noise, ops.shape(x))
        return self.pack(x)

    def _noise_level(self):
        if is_number(self.instance_noise):
            return self.instance_noise
        sigma, steps = self.instance_noise
        done = ops.cast(self.step.value, "float32") / steps
        return sigma * ops.maximum(1.0 - done, 0.0)

    def pack(self, x):
        """Joins each `packing` neighbouring rows along the last axis.

        Raises:
            ValueError: the batch has another multiple of rows.
        """
        m = self.packing
        if m == 1:
            return x
        n, *shape = x.shape
        if n is not None and n % m:
            raise ValueError(
                f"The discriminator judges packs of {m} rows. Received: a "
                f"batch of {n}, not divisible by packing={m}. Choose a batch "
                "size that is, and drop_remainder=True."
            )
        x = ops.reshape(x, (-1, m, *shape))
        x = ops.moveaxis(x, 1, -2)
        return ops.reshape(x, (-1, *shape[:-1], m * shape[-1]))

    def penalties(self, fake, batch):
        """R1 and R2 where they are on: `(scalar, {name: value})`.

        Each is worth `gamma / 2 E[||grad C(x)||^2]` over the steps: what is
        left out in between counts as many times more where it is taken.
        """
        interval = self.penalty_interval
        total, logs = 0.0, {}
        for name, gamma, x, role in (
            ("r1", self.r1, self.real(batch), draws.REAL),
            ("r2", self.r2, fake, draws.FAKE),
        ):
            if not gamma:
                continue

            def critic(x, role=role):
                return logits_of(self.judge(x, batch, True, role))

            def penalty(x=x, critic=critic):
                return zero_centred_penalty(critic, ops.cast(x, "float32"))

            value = self.in_some_steps(interval, penalty)
            logs[name] = gamma * interval * value
            total = total + logs[name]
        return total, logs


def logits_of(outputs):
    """The logits of what a discriminator says: itself, or the first of it."""
    return outputs[0] if isinstance(outputs, (tuple, list)) else outputs


def refuse_packing(model, arguments, reason):
    """Refuses packing where packs make no sense.

    Raises:
        ValueError: it is among the `arguments`.
    """
    packing = arguments.get("packing", 1)
    if packing != 1:
        raise ValueError(
            f"{model} cannot pack: {reason}. Received: packing={packing}. "
            "Drop it, or try minibatch_stddev=4."
        )
