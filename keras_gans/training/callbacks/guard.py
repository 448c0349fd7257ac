"""An end to trainings that diverged."""

import math

import keras

from keras_gans.training.callbacks.steps import StepCallback


class NanGuard(StepCallback):
    """Stops a training that has diverged, before it spoils a checkpoint.

    Put it before the callbacks that save.

    Args:
        every: int, steps between two looks.

    Raises:
        FloatingPointError: from `fit`, at the first loss, score or gradient
            norm that is NaN or infinite. Under loss scaling only losses and
            scores count: there, a step with infinite gradients is skipped.

    Example:

    ```python
    gan.fit(dataset, callbacks=[keras_gans.callbacks.NanGuard()])
    ```
    """

    def after_step(self, logs: dict) -> None:
        for name, value in (logs or {}).items():
            if name in self._expected_infinite() or math.isfinite(value):
                continue
            values = ", ".join(f"{k}={float(v):.4g}" for k, v in logs.items())
            raise FloatingPointError(
                f"Training diverged at step {self.step}: {name} is "
                f"{float(value)} ({values}). Checkpoints written before stay. "
                "Try a lower learning rate, clipped gradients, by `clipnorm=1.0` "
                "(--global_clipnorm=1), label smoothing, or float32 instead of mixed "
                "precision."
            )

    def _expected_infinite(self):
        """Gradient norms of the phases whose own losses are scaled."""
        return [
            f"{phase.name}_grad_norm"
            for phase in self.model.phases()
            if isinstance(
                self.model.optimizers[phase.optimizer],
                keras.optimizers.LossScaleOptimizer,
            )
        ]
