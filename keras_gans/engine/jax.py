"""The training engine on JAX."""

import contextlib
import itertools
import os

import jax
from jax.experimental import multihost_utils
import jax.numpy as jnp
import keras
from keras.src.backend.common.stateless_scope import get_stateless_scope
import numpy as np

from keras_gans.engine.feed import Feed
from keras_gans.engine.steps import RunningMean
from keras_gans.engine.steps import Steps


def global_rows(n):
    """Indices of `n` rows in the global batch: int32 `[n]`.

    JAX arrays are global: sharding cuts them after the draw.
    """
    return jnp.arange(n, dtype="int32")


def gathered(x):
    """What each replica has for `x`, stacked: here one, arrays are global."""
    return x[None]


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


def input_gradient(fn, x):
    """The gradient of the sum of `fn(x)` with respect to `x`.

    It can itself be differentiated, as gradient penalties need.

    Args:
        fn: function of a tensor that returns a tensor.
        x: float tensor.

    Returns:
        `(fn(x), gradient)`, the gradient of the shape of `x`.
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


def _one(parts):
    return parts if len(parts) > 1 else parts[0]


def _inner_scope(seen):
    scope = keras.StatelessScope(initialize_variables=False)
    scope.state_mapping.update(seen)
    return scope


class Engine(Feed, Steps):
    """Gradients and step functions of `BaseGAN` on JAX."""

    end_of_data = ()
    num_replicas = 1
    _predict_here = None

    def prepare_optimizer(self, optimizer, variables):
        """Builds `optimizer` for `variables`."""
        optimizer.build(variables)
        return optimizer

    @property
    def is_chief(self):
        """Whether this process writes what several of them train."""
        return jax.process_index() == 0

    def predict_here(self, inputs):
        """Predicts one batch, as a numpy array, in this process alone."""
        if jax.process_count() == 1:
            return self.predict_on_batch(inputs)
        variables = self.variables
        if self._predict_here is None:

            def predict(values, inputs):
                mapping = zip(variables, values, strict=True)
                with keras.StatelessScope(state_mapping=list(mapping)):
                    return self(inputs, training=False)

            self._predict_here = jax.jit(predict)
        # Copies: what is computed of arrays of all processes waits for all.
        values = [np.asarray(v.value) for v in variables]
        return np.asarray(self._predict_here(values, inputs))

    def feed_inputs(self, x, y, kwargs):
        """See `Feed`; of a data set, a process takes its rows of a batch."""
        n, i = jax.process_count(), jax.process_index()
        # Of a `tf.data.Dataset`, which need not be installed.
        if n > 1 and hasattr(x, "element_spec"):

            def own(rows):
                size = rows.shape[0]
                if size is None or size % n:
                    raise ValueError(
                        f"Batches are shared out to {n} processes. Received: "
                        f"batches of {size or 'unknown size'}. Use a batch "
                        f"size that {n} divides, and drop_remainder=True."
                    )
                return rows[i * size // n : (i + 1) * size // n]

            x = x.map(lambda *parts: keras.tree.map_structure(own, _one(parts)))
        return super().feed_inputs(x, y, kwargs)

    def running_mean(self, name):
        """What gathers a log over the steps of an epoch."""
        return RunningMean(name)  # whole, and JAX has no float64

    def meet(self):
        """Waits until every process is here."""
        if jax.process_count() > 1:
            multihost_utils.sync_global_devices("keras_gans")

    def sync_state(self):
        """Brings variables up to date within `fit`, which threads values."""
        self.jax_state_sync()

    def under_strategy(self):
        """A context in which variables are made (Keras places them)."""
        return contextlib.nullcontext()

    def _state_variables(self):
        return (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
            self.metrics_variables,
        )

    def differentiate(self, fn, variables, inputs=()):
        """Runs `fn` so that its output can be differentiated once, later.

        Args:
            fn: function of `inputs` that returns `(output, auxiliary)`.
            variables: list of `keras.Variable`.
            inputs: tuple of tensors.

        Returns:
            `(output, auxiliary, pullback)`. `pullback(cotangent)` returns the
            gradients of `sum(output * cotangent)`: those of the variables and
            those of the inputs, as two lists.
        """
        own = {id(v) for v in variables}
        others = [
            v
            for group in self._state_variables()
            for v in group
            if id(v) not in own
        ]
        values = [v.value for v in variables]
        outside = [(v, v.value) for v in others]

        def run(values, inputs):
            mapping = [*outside, *zip(variables, values, strict=True)]
            with keras.StatelessScope(state_mapping=mapping) as scope:
                before = [scope.get_current_value(v) for v in others]
                output, auxiliary = fn(*inputs)
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
            return vjp(jnp.asarray(cotangent, output.dtype))

        return output, auxiliary, pullback

    def rematerialized(self, fn):
        """`fn`, of a list of tensors, computed once more for its gradients."""
        return jax.checkpoint(fn)

    def after(self, values, batch):
        """`batch`, computed on once `values` are there."""
        return jax.lax.optimization_barrier((batch, values))[0]

    def in_some_steps(self, interval, fn):
        """`fn()`, a scalar, in every `interval`-th step; else 0.

        Variables keep their values: on TensorFlow, replicas cannot agree on
        new ones within a branch.
        """
        seen = get_stateless_scope().state_mapping

        def without_updates():
            with _inner_scope(seen):
                return fn()

        if interval == 1:
            return without_updates()
        due = self.step.value % interval == 0
        return jax.lax.cond(due, without_updates, lambda: jnp.zeros(()))

    def sum_over_replicas(self, gradients):
        """Gradients of global arrays are sums over devices already."""
        return gradients

    def rows_of_all_replicas(self, x):
        """Arrays are global: `x` itself."""
        return x

    def apply(self, optimizer, gradients, variables):
        """Updates `variables` and the optimizer's own."""
        new_values, new_state = optimizer.stateless_apply(
            [v.value for v in optimizer.variables],
            gradients,
            [v.value for v in variables],
        )
        for v, value in zip(variables, new_values, strict=True):
            v.assign(value)
        for v, value in zip(optimizer.variables, new_state, strict=True):
            v.assign(value)

    def train_step(self, state, data):
        """One update of each network on `data`, a tuple of batches."""
        return self._with_state(
            self._state_variables(), state, lambda: self.update(data)
        )

    def test_step(self, state, data):
        """The losses of `data`, a tuple of one batch, without training."""
        trainable, non_trainable, _, metrics = self._state_variables()
        return self._with_state(
            (trainable, non_trainable, metrics),
            state,
            lambda: self.evaluate_losses(*data),
        )

    def _with_state(self, groups, state, fn):
        mapping = [
            pair
            for group, values in zip(groups, state, strict=True)
            for pair in zip(group, values, strict=True)
        ]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            logs = fn()
        new = tuple(
            [scope.get_current_value(v) for v in group] for group in groups
        )
        return logs, new

    def local_batch(self, batch):
        """This process's rows of `batch`, as numpy arrays."""
        return keras.tree.map_structure(self.all_rows, batch)

    def all_rows(self, x):
        """This process's rows of `x`, as one numpy array."""
        if x is None or getattr(x, "is_fully_addressable", True):
            return np.asarray(x)
        parts = {s.index[0].start: s.data for s in x.addressable_shards}
        return np.concatenate([np.asarray(parts[i]) for i in sorted(parts)])

    def make_train_function(self, force=False):
        if self.train_function is None or force:
            super().make_train_function(force=True)
            step = self.train_function

            def function(state, iterator):
                if self.skipping():
                    return self._skipped_logs, state
                return self._on_steps(
                    step, state, iterator, self.d_steps, training=True
                )

            self.train_function = function
        return self.train_function

    def make_test_function(self, force=False):
        if self.test_function is None or force:
            super().make_test_function(force=True)
            step = self.test_function
            self.test_function = lambda state, iterator: self._on_steps(
                step, state, iterator, 1, training=False
            )
        return self.test_function

    def _on_steps(self, step, state, iterator, batches, training):
        try:
            first = self.take(iterator, batches, training)
            rest = self._rest(iterator, batches, training)
            return step(state, itertools.chain([first], rest))
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

    def _rest(self, iterator, batches, training):
        """The steps after the first, for `steps_per_execution`."""
        while True:
            try:
                yield self.take(iterator, batches, training)
            except StopIteration:
                return

    def _symbolic_build(self, iterator=None, data_batch=None):
        # Everything is built in the constructor and in `compile`.
        pass
