"""A training step: phases one after the other, then the controllers.

`run_step` is the whole step. What it needs of the backend, gradients above all,
are methods of `gan.engine`; what it needs of the model is written in the model.
"""

from collections.abc import Callable, Collection
import dataclasses
from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from keras_gans.engine import kernels
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size, is_int, one_of, within

if TYPE_CHECKING:
    from keras_gans.core.gan import BaseGAN


FAKES = ("shared", "fresh", None)
REALS = ("shared", "fresh")


@dataclasses.dataclass(frozen=True)
class Phase:
    """A part of a training step: one loss, minimised by one optimizer.

    Args:
        name: str; the phase reports `{name}_loss` and `{name}_grad_norm`.
        loss: function `(fake, batch, training)` that returns
            `(scalar, {name: value})`.
        optimizer: str, the optimizer that the phase drives: "d", "g" or
            another of `BaseGAN.optimizer_networks`; `name` by default.
        penalty: function `(fake, batch, training)` like `loss`, added to it in
            training and left out in evaluation.
        logs: names of the values that loss and penalty report beside the
            phase's own.
        keeps: names of values that the loss reports for the phases after it,
            not for logs: they find them as `batch[name]`, without gradients.
        batches: int, batches of data that the phase learns from in a step, one
            after the other. A phase of fewer than the others takes the last.
        reals: "shared", those batches are also other phases', or "fresh", they
            are this phase's alone.
        every: int; the phase is run in every n-th step alone (lazy
            regularisation, https://arxiv.org/abs/1912.04958, appendix B).
        start: int, the first step that the phase is run in.
        end: int, the step from which it is run no more; `None` for never.
        fakes: "shared", the fakes of the batch are made once for all phases
            that share them, or "fresh", made for this phase alone; `None`
            calls the loss with `None`.
        generate: function `(batch, training)` that makes the fakes of a phase
            that has its own; `BaseGAN.generate` by default.
        after: function without arguments, called after each update.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.engine.phases import Phase

    def path_length(fake, batch, training):
        ...

    Phase("g_reg", path_length, optimizer="g", every=4, fakes=None)
    ```
    """

    name: str
    loss: Callable
    optimizer: str | None = None
    penalty: Callable | None = None
    logs: tuple = ()
    keeps: tuple = ()
    batches: int = 1
    reals: str = "shared"
    every: int = 1
    start: int = 0
    end: int | None = None
    fakes: str | None = "shared"
    generate: Callable | None = None
    after: Callable | None = None

    def __post_init__(self):
        if self.optimizer is None:
            object.__setattr__(self, "optimizer", self.name)
        check_size("batches", self.batches)
        check_size("every", self.every)
        ok = is_int(self.start) and self.start >= 0
        within("start", self.start, ok, "0, 1, ...")
        ok = self.end is None or (is_int(self.end) and self.end > self.start)
        within("end", self.end, ok, "(start, inf), or be None")
        one_of("reals", self.reals, REALS)
        one_of("fakes", self.fakes, FAKES)
        if self.generate is not None and self.fakes != "fresh":
            raise ValueError(
                f"Phase {self.name!r} makes its fakes by a function of its own. "
                f"Received: fakes={self.fakes!r}. Give it fakes='fresh'."
            )
        for name in ("logs", "keeps"):
            names = getattr(self, name)
            if not isinstance(names, (tuple, list)):
                raise ValueError(
                    f"`{name}` is a tuple of names. Received: {names!r}. Write "
                    f"({names!r},)."
                )
        if self.keeps and not self.always:
            raise ValueError(
                f"Phase {self.name!r} keeps values for the phases after it, "
                "which run in every step. Received: every="
                f"{self.every}, start={self.start}, end={self.end}. Keep them "
                "in a phase of every step."
            )

    @property
    def always(self) -> bool:
        """Whether the phase is part of every step."""
        return self.every == 1 and self.start == 0 and self.end is None

    def is_due(self, step: int) -> bool:
        """Whether the phase is part of a step, counted from 0."""
        over = self.end is not None and step >= self.end
        waits = step < self.start or (step - self.start) % self.every
        return not (over or waits)

    def is_due_within(self, first: int, last: int) -> bool:
        """Whether the phase is part of a step from `first` to before `last`."""
        step = max(first, self.start)
        step += -(step - self.start) % self.every
        return step < last and (self.end is None or step < self.end)


def places(phases: list[Phase]) -> dict[str, range]:
    """Which of a step's batches each phase learns from, by its name."""
    shared = max((p.batches for p in phases if p.reals == "shared"), default=0)
    ranges, taken = {}, shared
    for phase in phases:
        if phase.reals == "shared":
            ranges[phase.name] = range(shared - phase.batches, shared)
        else:
            ranges[phase.name] = range(taken, taken + phase.batches)
            taken += phase.batches
    return ranges


class RunningMean(keras.metrics.Mean):
    """A mean over rows whose sum comes out the same after a restart.

    Replicas each have a sum of their own; a checkpoint keeps what they come to
    together. In float64 it does not show which of them has how much of it.

    Attributes:
        batches: int variable, how many batches were counted.
    """

    def __init__(self, name: str, dtype: str | None = None):
        super().__init__(name=name, dtype=dtype)
        self.batches = self.add_variable(
            shape=(),
            initializer=keras.initializers.Zeros(),
            dtype=self.dtype,
            name="batches",
        )

    def update_state(self, value: Tensor, rows: int | Tensor) -> None:
        """Counts the mean of a batch as often as the batch has rows."""
        if not is_int(rows):
            # Of a replica that got no rows of a short last batch, NaN.
            value = ops.where(rows, value, ops.zeros_like(value))
        # As Keras's `Mean`, whose many operations take long to build.
        rows = ops.cast(rows, self.dtype)
        self.total.assign_add(ops.cast(value, self.dtype) * rows)
        self.count.assign_add(rows)
        self.batches.assign_add(1)

    def reset_state(self) -> None:
        super().reset_state()
        self.batches.assign(0)

    def result(self) -> Tensor:
        return ops.cast(super().result(), "float32")


def run_step(gan: "BaseGAN", due: Collection[str], batches: tuple) -> dict:
    """One training step of a GAN; returns its logs.

    Args:
        gan: `BaseGAN`.
        due: names of the phases that this step consists of.
        batches: tuple of as many batches as all phases take.
    """
    phases = gan.phases()
    taken = places(phases)
    phases = [phase for phase in phases if phase.name in due]
    batches = [gan.read_batch(batch) for batch in batches]
    sizes = [gan.rows_of(batch) for batch in batches]
    fakes_at = {}  # fakes by the place they were drawn at
    kept = {}  # what phases keep for those after them, by batch and part
    fresh = len(batches)  # the next place that no fakes were drawn at
    logs, counts = {}, {}
    for i, phase in enumerate(phases):
        updates = []
        for k in taken[phase.name]:
            place = k
            if phase.fakes == "fresh":
                place, fresh = fresh, fresh + 1
            # The last of a phase's batches is that of the shorter phases too.
            last = k == taken[phase.name][-1]
            later = [p for p in phases[i + 1 :] if last and k in taken[p.name]]
            kept_here = kept.setdefault(k, {})
            compute = _PhaseGradients(gan, phase, later, fakes_at, kept_here)
            gradients, row = _over_parts(gan, compute, batches[k], place)
            row[f"{phase.name}_grad_norm"] = _apply(gan, phase, gradients)
            if gan.trains_generator(phase):
                # It is another generator now: a phase to come that learns
                # through shared fakes makes them anew.
                for fakes in fakes_at.values():
                    fakes.pullback = None
            if phase.after is not None:
                phase.after()
            updates.append(row)
        seen = [sizes[k] for k in taken[phase.name]]
        row = mean_logs(updates, seen)
        logs |= row
        counts |= dict.fromkeys(row, sum(seen))
    rows = sizes[0] * gan.engine.num_replicas
    for controller in gan.controllers.values():
        controller.update(gan, logs, rows)
    gan.step.assign_add(1)
    _track(gan, logs, counts)
    # Keras wants every name in every step: of a phase that was not due, its
    # mean so far.
    means = {n: t.result() for n, t in gan.trackers.items() if n not in logs}
    return {**logs, **means}


def evaluate(gan: "BaseGAN", batch: Any) -> dict:
    """The running mean of each loss and score, in inference mode.

    Of the phases of every step: lazy ones are left out. A phase that starts or
    ends counts whatever the step is.
    """
    batch = gan.read_batch(batch)
    phases = [p for p in gan.phases() if p.every == 1]
    if not phases:
        raise ValueError(
            "Evaluation takes the phases that are run in every step. Received: "
            "lazy phases alone. Pass no `validation_data`."
        )
    # How many batches came before: the numbers of each are its own.
    seen = ops.cast(gan.trackers[f"{phases[0].name}_loss"].batches, "int32")
    rows = gan.rows_of(batch)
    logs = {}
    with gan.rng.at("evaluate", seen, first=gan.engine.first_row(rows)):
        fake = None
        if any(phase.fakes for phase in phases):
            fake = gan.generate(batch, False)
        for phase in phases:
            phase_fake = fake if phase.fakes else None
            more = _named(phase, *phase.loss(phase_fake, batch, False))[1]
            batch = {**batch, **_kept(phase, more)}
            logs |= more
    _track(gan, logs, dict.fromkeys(logs, rows))
    return {name: gan.trackers[name].result() for name in logs}


@dataclasses.dataclass
class _Fakes:
    """Fakes, and what carries a gradient of them back to the generator."""

    values: object
    pullback: Callable | None = None


class _PhaseGradients:
    """The gradients of a phase for a batch or a part of one."""

    def __init__(self, gan, phase, later, fakes_at, kept):
        self.gan, self.phase, self.fakes_at, self.kept = gan, phase, fakes_at, kept
        self.generate = phase.generate or gan.generate
        self.variables = gan.variables_of(phase.optimizer)
        self.through_fakes = phase.fakes and gan.trains_generator(phase)
        # Whether a phase to come learns through the fakes made here.
        self.handed_on = gan.accumulate == 1 and any(
            other.fakes == "shared" and gan.trains_generator(other) for other in later
        )
        self.handed_on = self.handed_on and phase.fakes == "shared"

    def __call__(self, batch, key):
        """Returns `(gradients, logs)`; `key` tells the place and the part."""
        kept = self.kept.setdefault(key[1], {})
        gradients, logs = self._of({**batch, **kept}, key)
        kept |= _kept(self.phase, logs)
        return gradients, logs

    def _of(self, batch, key):
        if self.phase.fakes is None:
            return self._of_loss(lambda: self._total(None, batch))
        shared = self.fakes_at.get(key) if self.phase.fakes == "shared" else None
        if not self.through_fakes:
            if shared is None:
                shared = self._generate(batch)
                self.fakes_at[key] = shared
            fake = keras.tree.map_structure(ops.stop_gradient, shared.values)
            return self._of_loss(lambda: self._total(fake, batch))
        if shared is not None and shared.pullback is not None:
            return self._through(shared, batch)
        gradients, (logs, fake) = self._of_loss(lambda: self._of_own(batch))
        if self.phase.fakes == "shared":
            fake = keras.tree.map_structure(ops.stop_gradient, fake)
            self.fakes_at[key] = _Fakes(fake)
        return gradients, logs

    def _total(self, fake, batch):
        """Loss and penalty: `(scalar, logs)`."""
        loss, logs = self.phase.loss(fake, batch, True)
        if len(loss.shape):
            raise ValueError(
                f"The loss of phase {self.phase.name!r} is a scalar. Received: "
                f"shape {tuple(loss.shape)}. Take its mean."
            )
        loss, logs = _named(self.phase, loss, logs)
        if self.phase.penalty is not None:
            penalty, more = self.phase.penalty(fake, batch, True)
            loss, logs = loss + penalty, {**logs, **more}
        return loss, logs

    def _of_own(self, batch):
        fake = self.generate(batch, True)
        loss, logs = self._total(fake, batch)
        return loss, (logs, fake)

    def _generate(self, batch):
        gan = self.gan
        if not self.handed_on:
            return _Fakes(self.generate(batch, True))
        structure = []

        def generate():
            fake = self.generate(batch, True)
            structure.append(fake)
            return keras.tree.flatten(fake), None

        variables = gan.generator_variables
        flat, _, pullback = gan.engine.differentiate(generate, variables)
        values = keras.tree.pack_sequence_as(structure[0], flat)
        return _Fakes(values, pullback)

    def _of_loss(self, loss_of):
        loss, auxiliary, pullback = self.gan.engine.differentiate(
            loss_of, self.variables
        )
        gradients, _ = pullback(self._scale(loss))
        return gradients, auxiliary

    def _through(self, shared, batch):
        """Gradients through fakes that an earlier phase has made."""
        gan = self.gan
        flat = keras.tree.flatten(shared.values)

        def total(*flat):
            fake = keras.tree.pack_sequence_as(shared.values, flat)
            return self._total(fake, batch)

        loss, logs, pullback = gan.engine.differentiate(
            total, self.variables, tuple(flat)
        )
        # A loss may reach the variables directly, beside the path by `fake`.
        direct, to_fakes = pullback(self._scale(loss))
        to_fakes = [
            ops.zeros_like(x) if g is None else g
            for x, g in zip(flat, to_fakes, strict=True)
        ]
        through, _ = shared.pullback(to_fakes)
        by_id = {
            id(v): g for v, g in zip(gan.generator_variables, through, strict=True)
        }
        gradients = [
            _add(g, by_id.get(id(v)))
            for v, g in zip(self.variables, direct, strict=True)
        ]
        return gradients, logs

    def _scale(self, loss):
        # Keras adds the gradients of replicas: each one's loss counts 1/n.
        scale = self.gan.optimizers[self.phase.optimizer].scale_loss
        return scale(ops.ones_like(loss)) / self.gan.engine.num_replicas


def _named(phase, loss, logs):
    """Logs with the phase's own loss; refuses names it does not declare."""
    own = f"{phase.name}_loss"
    return loss, {own: logs.get(own, loss), **logs}


def _kept(phase, logs):
    """Takes what a phase keeps out of its logs."""
    missing = [name for name in phase.keeps if name not in logs]
    if missing:
        raise ValueError(
            f"Phase {phase.name!r} keeps {', '.join(phase.keeps)}. Received: a "
            f"loss that reports {', '.join(logs)}. Return {missing[0]!r} among "
            "its values, or leave it out of `keeps`."
        )
    return {name: logs.pop(name) for name in phase.keeps}


def _over_parts(gan, compute, batch, place):
    """The mean of gradients and logs over the parts of a batch."""
    n = gan.accumulate
    total, rows = None, []
    for i in range(n):
        part = batch
        if n > 1:
            part = keras.tree.map_structure(_cutter(i, n), batch)
        if total is not None:  # one part in memory at a time
            part = gan.engine.after(total, part)
        with gan.rng.at("train", gan.step.value, place, part=(i, n)):
            gradients, logs = compute(part, (place, i))
        rows.append(logs)
        if n > 1:
            gradients = [None if g is None else gan.engine.dense(g) for g in gradients]
        if total is None:
            total = gradients
        else:
            total = [_add(a, b) for a, b in zip(total, gradients, strict=True)]
    if n > 1:
        total = [None if g is None else g / n for g in total]
    return total, mean_logs(rows, [1] * n)


def _cutter(i, n):
    def cut(x):
        if x is None:
            return None
        rows = x.shape[0]
        if rows is not None and rows % n:
            raise ValueError(
                f"Gradients are accumulated over {n} parts of a batch. "
                f"Received: a batch of {rows} on each replica. Use a batch "
                f"size that {n} divides (and `drop_remainder=True`)."
            )
        # Every n-th row: then each device has as many of a part.
        return x[i::n]

    return cut


def _apply(gan, phase, gradients):
    """Updates the variables of a phase; returns the gradients' norm."""
    optimizer = gan.optimizers[phase.optimizer]
    variables = gan.variables_of(phase.optimizer)
    if all(g is None for g in gradients):
        raise ValueError(
            f"The loss of phase {phase.name!r} does not depend on any variable "
            f"that the optimizer {phase.optimizer!r} trains: "
            f"{', '.join(gan.optimizer_networks[phase.optimizer])}. Give the "
            "phase another optimizer, or mend its loss."
        )
    gradients = gan.engine.sum_over_replicas(gradients)
    scale = optimizer.scale_loss(ops.ones(()))  # `apply` may change it
    squares = [kernels.squared_norm(g) for g in gradients if g is not None]
    norm = ops.sqrt(sum(squares)) / scale
    # Of what the loss does not reach, as JAX has it: moments decay alike.
    gradients = [
        ops.zeros_like(v) if g is None else g
        for v, g in zip(variables, gradients, strict=True)
    ]
    gan.engine.apply(optimizer, gradients, variables)
    return norm


def _track(gan, logs, counts):
    for name, value in logs.items():
        if name not in gan.trackers:
            known = ", ".join(gan.trackers)
            raise ValueError(
                "A loss reports a value that its phase does not name. "
                f"Received: {name!r}. Known: {known}. Name it in the phase: "
                f"Phase(..., logs=({name!r},))."
            )
        gan.trackers[name].update_state(value, counts[name])
    gan.note_reported(logs)


def mean_logs(updates: list[dict], rows: list[int | Tensor]) -> dict:
    """The mean of each value over the rows of several updates."""
    if len(updates) == 1:
        return updates[0]
    if all(is_int(n) and n == rows[0] for n in rows):
        return {
            name: sum(u[name] for u in updates) / len(updates) for name in updates[0]
        }
    rows = [ops.cast(n, "float32") for n in rows]
    pairs = list(zip(rows, updates, strict=True))
    return {name: sum(n * u[name] for n, u in pairs) / sum(rows) for name in updates[0]}


def _add(a, b):
    if a is None or b is None:
        return b if a is None else a
    return a + b
