"""A word where the discriminator has won."""

import warnings

from keras_gans.training.callbacks.steps import StepCallback
from keras_gans.utils.errors import outside
from keras_gans.utils.validation import check_size

# Probabilities of being real, as D gives them. Runs whose samples got better had
# at least 0.19 for fakes, those that knew 30 pictures by heart at most 0.04.
MOST_OF_FAKES, LEAST_OF_REALS = 0.1, 0.7


class Balance(StepCallback):
    """Warns, once, where the discriminator has won: the generator learns little more.

    It has where running means of its probabilities are below 0.1 for samples and
    above 0.7 for data. Objectives without probabilities (hinge, Wasserstein, least
    squares, relativistic) are not looked at.

    Args:
        steps: int, steps that the means go back; nothing is told before.

    Raises:
        ValueError: `steps` is no positive int.

    Example:

    ```python
    gan.fit(dataset, callbacks=[keras_gans.callbacks.Balance()])
    ```
    """

    def __init__(self, steps: int = 200):
        super().__init__()
        self.steps = check_size("steps", steps)

    def on_train_begin(self, logs: dict | None = None) -> None:
        super().on_train_begin(logs)
        self._seen, self._told = 0, False
        self._means = dict.fromkeys(("d_real", "d_fake"), 0.0)

    def after_step(self, logs: dict) -> None:
        self._seen += 1
        share = max(1 / self._seen, 1 / self.steps)
        for name in self._means:
            value = float((logs or {}).get(name, 0.5))
            self._means[name] += share * (value - self._means[name])
        if self.has_won() and not self._told and self.model.engine.is_chief:
            self._told = True
            warnings.warn(self._advice(), stacklevel=outside())

    def has_won(self) -> bool:
        """Whether the discriminator has won, as of the last steps."""
        objective = self.model.objective
        return (
            self._seen >= self.steps
            and objective.probability
            and not objective.relativistic
            and self._means["d_fake"] < MOST_OF_FAKES
            and self._means["d_real"] > LEAST_OF_REALS
        )

    def _advice(self):
        regularization = self.model.regularization
        if regularization.policy or regularization.ada:
            first = "`diff_augment='ada'`"
        else:
            first = "`diff_augment='color,translation,cutout'`"
        return (
            f"The discriminator has won by step {self.step:,}: on average it holds "
            f"samples for real with probability {self._means['d_fake']:.2f}, data with "
            f"{self._means['d_real']:.2f}, and the generator learns little more. Small "
            f"sets are soon known by heart. Train anew with {first}, more data, or a "
            "lower learning rate of the discriminator (--d_learning_rate)."
        )
