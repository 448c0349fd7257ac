"""The training step of WGAN-GP: a critic of gradient norm one."""

import keras
from keras import ops

from keras_gans.core.gan import BaseGAN
from keras_gans.core.regularization import logits_of
from keras_gans.engine.phases import Phase
from keras_gans.losses.penalties import gradient_penalty
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import is_int, is_number, within


class GradientPenaltyGAN(BaseGAN):
    """A GAN whose critic has a gradient norm of one between reals and fakes.

    The critic learns from `d_steps` batches a step, each with fresh fakes; the
    generator learns once, through fakes that the critic has not seen.

    Args:
        generator: as of `BaseGAN`.
        discriminator: as of `BaseGAN`.
        gp_weight: float of 0 or more, lambda of the penalty.
        gp_axis: int, the axis of a batch along which alone gradient norms are
            taken; `None`, as published, takes one norm of each sample.
        **kwargs: the other arguments of `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Reference:
        https://arxiv.org/abs/1704.00028, algorithm 1
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        gp_weight: float = 10.0,
        gp_axis: int | None = None,
        **kwargs,
    ):
        ok = is_number(gp_weight) and 0 <= gp_weight < float("inf")
        self.gp_weight = within("gp_weight", gp_weight, ok, "[0, inf)")
        kwargs.setdefault("objective", "wasserstein")
        super().__init__(generator, discriminator, **kwargs)
        rank = len(self.modality.shape)
        ok = gp_axis is None or (is_int(gp_axis) and 0 < gp_axis <= rank)
        allowed = f"1 to {rank}, or be None"
        self.gp_axis = within("gp_axis", gp_axis, ok, allowed)
        if gp_weight:
            self.warn_of_batch_norm("`gp_weight`")

    def phases(self) -> list[Phase]:
        """Algorithm 1."""
        return [
            Phase(
                "d",
                self.discriminator_loss,
                penalty=self.penalties,
                logs=("gradient_penalty",) if self.gp_weight else (),
                batches=self.d_steps,
            ),
            Phase("g", self.generator_loss, fakes="fresh"),
        ]

    def discriminator_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """Line 7: E[C(G(z))] - E[C(x)] and the penalty of equation 3."""
        loss, logs = super().discriminator_loss(fake, batch, training)
        if not self.gp_weight:
            return loss, logs
        penalty = gradient_penalty(
            lambda x: logits_of(self.discriminate(x, batch, training, "mixed")),
            self._between(batch["real"], fake),
            axis=self.gp_axis,
        )
        logs |= {"gradient_penalty": penalty}
        return loss + self.gp_weight * penalty, logs

    def _between(self, real, fake):
        """alpha x + (1 - alpha) G(z), an alpha of U(0, 1) for each pack."""
        real = ops.cast(real, "float32")
        m = self.packing
        n = ops.shape(real)[0] // m
        alpha = self.rng.uniform(n, 1, "interpolation")
        alpha = ops.repeat(alpha, m, axis=0)
        alpha = ops.reshape(alpha, (-1, *[1] * (len(real.shape) - 1)))
        return alpha * real + (1.0 - alpha) * fake
