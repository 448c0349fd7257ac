"""The training engine on JAX."""

from collections.abc import Callable
import contextlib
import functools
import itertools
import os

import jax
from jax.experimental import multihost_utils
import jax.numpy as jnp
import keras
import numpy as np

from keras_gans.engine import phases
from keras_gans.engine.data_adapter import StepIterator
from keras_gans.engine.keras_internals import get_stateless_scope
from keras_gans.engine.replicas import first_row


def make_deterministic():
    """Checks that GPU kernels give the same bits each time.

    Raises:
        ValueError: XLA was started without that; it cannot be set later.
    """
    flag = "--xla_gpu_deterministic_ops=true"
    on_gpu = jax.default_backend() == "gpu"
    if on_gpu and flag not in os.environ.get("XLA_FLAGS", ""):
        raise ValueError(
            "On JAX, determinism is set before the program starts. Set the "
            f"environment variable XLA_FLAGS={flag}."
        )


def input_gradient(
    fn: Callable[[jax.Array], jax.Array], x: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The gradient of the sum of `fn(x)` with respect to `x`.

    It can itself be differentiated, as gradient penalties need.

    Args:
        fn: function of a tensor that returns a tensor.
        x: float tensor.

    Returns:
        `(fn(x), gradient)`, the gradient of the shape of `x`.

    Example:

    ```python
    from keras_gans.engine import input_gradient

    x = keras.ops.ones((4, 9))
    y, gradient = input_gradient(lambda x: 2 * x, x)  # gradient: 2 everywhere
    ```
    """
    outer = get_stateless_scope()
    seen = {} if outer is None else outer.state_mapping

    def run(x):
        with _inner_scope(seen) as scope:
            y = fn(x)
        # Values that `fn` gave to variables must leave the trace as outputs.
        changed = {
            key: value
            for key, value in scope.state_mapping.items()
            if value is not seen.get(key)
        }
        return y, changed

    y, pullback, changed = jax.vjp(run, jnp.asarray(x), has_aux=True)
    seen.update(changed)
    return y, pullback(jnp.ones_like(y))[0]


def compiled(fn: Callable) -> Callable:
    """A function of arrays that is compiled for each of their shapes."""
    return jax.jit(fn)


def _one(parts):
    return parts if len(parts) > 1 else parts[0]


def _inner_scope(seen):
    scope = keras.StatelessScope(initialize_variables=False)
    scope.state_mapping.update(seen)
    return scope


class Engine:
    """What a step needs of JAX; see `keras_gans.engine`."""

    num_replicas = 1  # arrays are global

    def __init__(self, model):
        self._model = model
        self.choices = None  # XLA's
        self._predict = None
        self.loop_state = None  # of Keras, which empties variables within `fit`

    # --- Replicas and processes ---

    @property
    def is_chief(self):
        return jax.process_index() == 0

    def scope(self):
        return contextlib.nullcontext()

    def barrier(self):
        if jax.process_count() > 1:
            multihost_utils.sync_global_devices("keras_gans")

    def largest(self, x):
        if jax.process_count() == 1:
            return x
        return int(multihost_utils.process_allgather(np.int32(x)).max())

    def sync_state(self):
        self._model.jax_state_sync()

    def current_step(self):
        step = self._model.step
        if self.loop_state is None:
            return int(step.value)
        variables = self._model.non_trainable_variables
        place = next(i for i, v in enumerate(variables) if v is step)
        return int(self.loop_state[1][place])

    def sum_over_replicas(self, gradients):
        return gradients

    def mean_over_replicas(self, x):
        return x

    def rows_of_all_replicas(self, x):
        return x

    def first_row(self, n):
        return first_row(n)

    def check_even(self, batch):
        """Arrays are global, and JAX itself refuses to cut them unevenly."""

    def local_batch(self, batch):
        return keras.tree.map_structure(
            lambda x: None if x is None else self.all_rows(x), batch
        )

    def all_rows(self, x):
        if getattr(x, "is_fully_addressable", True):
            return np.asarray(x)
        parts = {s.index[0].start: s.data for s in x.addressable_shards}
        return np.concatenate([np.asarray(parts[i]) for i in sorted(parts)])

    def share_out(self, x):
        n, i = jax.process_count(), jax.process_index()
        # Of a `tf.data.Dataset`, which need not be installed.
        if n == 1 or not hasattr(x, "element_spec"):
            return x

        def own(rows):
            size = rows.shape[0]
            if size is None or size % n:
                raise ValueError(
                    f"Batches are shared out to {n} processes. Received: "
                    f"batches of {size or 'unknown size'}. Use a batch "
                    f"size that {n} divides (and `drop_remainder=True`)."
                )
            return rows[i * size // n : (i + 1) * size // n]

        return x.map(lambda *parts: keras.tree.map_structure(own, _one(parts)))

    # --- Gradients ---

    def differentiate(self, fn, variables, inputs=()):
        own = {id(v) for v in variables}
        others = [
            v
            for group in _state_variables(self._model)
            for v in group
            if id(v) not in own
        ]
        values = [v.value for v in variables]
        outside = [(v, v.value) for v in others]

        reached = []

        def run(values, inputs):
            mapping = [*outside, *zip(variables, values, strict=True)]
            with keras.StatelessScope(state_mapping=mapping) as scope:
                before = [scope.get_current_value(v) for v in others]
                output, auxiliary = fn(*inputs)
                output = jax.tree.map(_noting(reached), output)
                after = [scope.get_current_value(v) for v in others]
            changed = {
                i: new
                for i, (old, new) in enumerate(zip(before, after, strict=True))
                if new is not old
            }
            return output, (auxiliary, changed)

        output, vjp, (auxiliary, changed) = jax.vjp(
            run, values, list(inputs), has_aux=True
        )
        for i, value in changed.items():
            others[i].assign(value)

        def pullback(cotangent):
            if not reached:  # JAX itself gives zeros
                return [None] * len(values), [None] * len(inputs)
            return vjp(
                jax.tree.map(lambda c, y: jnp.asarray(c, y.dtype), cotangent, output)
            )

        return output, auxiliary, pullback

    def rematerialized(self, fn):
        return jax.checkpoint(fn)

    def dense(self, gradient):
        return gradient

    def after(self, values, batch):
        return jax.lax.optimization_barrier((batch, values))[0]

    def in_some_steps(self, interval, fn):
        seen = get_stateless_scope().state_mapping

        def without_updates():
            with _inner_scope(seen):
                return fn()

        if interval == 1:
            return without_updates()
        due = self._model.step.value % interval == 0
        return jax.lax.cond(due, without_updates, lambda: jnp.zeros(()))

    # --- Optimizers and metrics ---

    def prepare_optimizer(self, optimizer, variables):
        optimizer.build(variables)
        return optimizer

    def apply(self, optimizer, gradients, variables):
        new_values, new_state = optimizer.stateless_apply(
            [v.value for v in optimizer.variables],
            gradients,
            [v.value for v in variables],
        )
        for v, value in zip(variables, new_values, strict=True):
            v.assign(value)
        for v, value in zip(optimizer.variables, new_state, strict=True):
            v.assign(value)

    def running_mean(self, name):
        return phases.RunningMean(name)  # whole, and JAX has no float64

    def inference(self):
        return contextlib.nullcontext()

    def inference_of(self, network):
        return functools.partial(network, training=False)

    def predict_here(self, inputs):
        model = self._model
        if jax.process_count() == 1:
            return model.predict_on_batch(inputs)
        variables = model.variables
        if self._predict is None:

            def predict(values, inputs):
                mapping = zip(variables, values, strict=True)
                with keras.StatelessScope(state_mapping=list(mapping)):
                    return model(inputs, training=False)

            self._predict = jax.jit(predict)
        # Copies: what is computed of arrays of all processes waits for all.
        values = [np.asarray(v.value) for v in variables]
        return np.asarray(self._predict(values, inputs))


def _noting(reached):
    """The identity, which adds to a list where it has a gradient."""

    @jax.custom_jvp
    def identity(x):
        return x

    def derive(primals, tangents):
        (x,), (tangent,) = primals, tangents
        if not isinstance(tangent, jax.custom_derivatives.SymbolicZero):
            reached.append(True)
        return x, tangent

    identity.defjvp(derive, symbolic_zeros=True)
    return identity


def _state_variables(model):
    return (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )


class Trainer:
    """Keras's hooks into training, which `BaseGAN` inherits."""

    def _start_engine(self):
        self.engine = Engine(self)
        self.step_iterator = StepIterator(self)

    def train_step(self, state, data):
        return _with_state(
            _state_variables(self), state, lambda: phases.run_step(self, *data)
        )

    def test_step(self, state, data):
        trainable, non_trainable, _, metrics = _state_variables(self)
        return _with_state(
            (trainable, non_trainable, metrics),
            state,
            lambda: phases.evaluate(self, *data),
        )

    def make_train_function(self, force=False):
        if self.train_function is None or force:
            super().make_train_function(force=True)
            step = self.train_function

            def function(state, iterator):
                skipped = self.step_iterator.skipped()
                if skipped is not None:
                    return skipped, state
                take = self.step_iterator.take_step
                logs, state = self._on_steps(step, state, iterator, take)
                return self.told(logs), state

            self.train_function = function
        return self.train_function

    def make_test_function(self, force=False):
        if self.test_function is None or force:
            super().make_test_function(force=True)
            step = self.test_function
            take = self.step_iterator.take
            self.test_function = lambda state, iterator: self._on_steps(
                step, state, iterator, lambda iterator: take(iterator, 1)
            )
        return self.test_function

    def _on_steps(self, step, state, iterator, take):
        try:
            self.engine.loop_state = state
            try:
                first = take(iterator)
            finally:
                self.engine.loop_state = None
            return step(state, itertools.chain([first], _rest(take, iterator)))
        except ValueError:
            # Keras has emptied the variables into `state` by now: it fills
            # them again from here.
            groups = ("trainable", "non_trainable", "optimizer", "metrics")
            if len(state) == 3:  # of `evaluate`
                groups = ("trainable", "non_trainable", "metrics")
            self._jax_state = {
                f"{name}_variables": values
                for name, values in zip(groups, state, strict=True)
            }
            raise

    def _symbolic_build(self, iterator=None, data_batch=None):
        # Everything is built in the constructor and in `compile`.
        pass


def _with_state(groups, state, fn):
    mapping = [
        pair
        for group, values in zip(groups, state, strict=True)
        for pair in zip(group, values, strict=True)
    ]
    with keras.StatelessScope(state_mapping=mapping) as scope:
        logs = fn()
    new = tuple([scope.get_current_value(v) for v in group] for group in groups)
    return logs, new


def _rest(take, iterator):
    """The steps after the first, for `steps_per_execution`."""
    while True:
        try:
            yield take(iterator)
        except StopIteration:
            return
