"""The training engine on TensorFlow, with `tf.distribute` replicas."""

import keras
import numpy as np
import tensorflow as tf

from keras_gans.engine import kernels
from keras_gans.engine.feed import Feed
from keras_gans.engine.steps import RunningMean
from keras_gans.engine.steps import Steps


def global_rows(n):
    """Indices of `n` local rows in the global batch: int32 `[n]`."""
    context = tf.distribute.get_replica_context()
    replica = 0 if context is None else context.replica_id_in_sync_group
    return replica * n + tf.range(n)


def gathered(x):
    """What each replica has for `x`, stacked: `[replicas, ...]`."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return x[None]
    # A sum with the others' rows 0: one exchange, where `all_gather` makes
    # three, as it asks for sizes first.
    n = context.num_replicas_in_sync
    own = tf.range(n) == context.replica_id_in_sync_group
    own = tf.reshape(own, (n,) + (1,) * len(x.shape))
    rows = tf.where(own, x[None], tf.zeros_like(x)[None])
    return context.all_reduce(tf.distribute.ReduceOp.SUM, rows)


def make_deterministic():
    """Makes GPU kernels give the same bits each time, for this process."""
    tf.config.experimental.enable_op_determinism()


def input_gradient(fn, x):
    """The gradient of the sum of `fn(x)` with respect to `x`.

    It can itself be differentiated, as gradient penalties need.

    Args:
        fn: function of a tensor that returns a tensor.
        x: float tensor.

    Returns:
        `(fn(x), gradient)`, the gradient of the shape of `x`.
    """
    x = tf.convert_to_tensor(x)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        y = fn(x)
    zero = tf.UnconnectedGradients.ZERO
    return y, tape.gradient(y, x, unconnected_gradients=zero)


def _same(x):
    return None if x is None else tf.identity(x)


class Engine(Feed, Steps):
    """Gradients, replicas and step functions of `BaseGAN` on TensorFlow."""

    end_of_data = (tf.errors.OutOfRangeError,)
    _predict_here = None

    @property
    def num_replicas(self):
        return self.distribute_strategy.num_replicas_in_sync

    def prepare_optimizer(self, optimizer, variables):
        """Builds `optimizer` under the model's distribution strategy.

        An optimizer made outside the strategy's scope would train each replica
        apart without an error; it is made again inside from its config.
        """
        strategy = self.distribute_strategy
        with strategy.scope():
            if strategy.num_replicas_in_sync > 1 and (
                optimizer._distribution_strategy is not strategy
            ):
                optimizer = type(optimizer).from_config(optimizer.get_config())
            optimizer.build(variables)
        if strategy.num_replicas_in_sync == 1:
            kernels.fuse_adam(optimizer)
        else:
            # Keras would clip each replica's gradients and then add them up;
            # ours come added up, so that clipping sees what one replica would.
            inner = getattr(optimizer, "inner_optimizer", optimizer)
            inner._all_reduce_sum_gradients = lambda pairs: list(pairs)
        return optimizer

    @property
    def is_chief(self):
        """Whether this process writes what several of them train."""
        return self.distribute_strategy.extended.should_checkpoint

    def predict_here(self, inputs):
        """Predicts one batch, as a numpy array, in this process alone.

        Keras's `predict_on_batch` would wait for the other processes of a
        strategy, and compute the batch once for each replica.
        """
        if self.num_replicas == 1:
            return self.predict_on_batch(inputs)
        if self._predict_here is None:
            self._predict_here = tf.function(
                lambda inputs: self(inputs, training=False), autograph=False
            )
        return self._predict_here(inputs).numpy()

    def running_mean(self, name):
        """What gathers a log over the steps of an epoch."""
        return RunningMean(name, dtype="float64")

    def meet(self):
        """Waits until every process of the strategy is here."""
        strategy = self.distribute_strategy
        if strategy.num_replicas_in_sync > 1:
            tf.function(lambda: strategy.run(gathered, (tf.ones(()),)))()

    def sync_state(self):
        """Brings variables up to date within `fit`; here they always are."""

    def under_strategy(self):
        """A context in which variables belong to every replica."""
        return self.distribute_strategy.scope()

    def differentiate(self, fn, variables, inputs=()):
        """Runs `fn` so that its output can be differentiated once, later.

        Args:
            fn: function of `inputs` that returns `(output, auxiliary)`.
            variables: list of `keras.Variable`.
            inputs: tuple of tensors.

        Returns:
            `(output, auxiliary, pullback)`. `pullback(cotangent)` returns the
            gradients of `sum(output * cotangent)`: those of the variables and
            those of the inputs, as two lists, `None` where unconnected.
        """
        values = [v.value for v in variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([*values, *inputs])
            output, auxiliary = fn(*inputs)

        def pullback(cotangent):
            gradients = tape.gradient(
                output, [*values, *inputs], output_gradients=cotangent
            )
            return gradients[: len(values)], gradients[len(values) :]

        return output, auxiliary, pullback

    def rematerialized(self, fn):
        """`fn`, of a list of tensors, computed once more for its gradients."""

        @tf.custom_gradient
        def run(*tensors):
            def gradients(*cotangents):
                # Else the graph would find that all of it is there already.
                with tf.control_dependencies(cotangents):
                    again = [tf.identity(x) for x in tensors]
                with tf.GradientTape(watch_accessed_variables=False) as tape:
                    tape.watch([x for x in again if x.dtype.is_floating])
                    made = fn(again)
                pairs = [
                    (y, cotangent)
                    for y, cotangent in zip(made, cotangents, strict=True)
                    if y.dtype.is_floating
                ]
                made, cotangents = zip(*pairs, strict=True)
                return tape.gradient(
                    made, again, output_gradients=list(cotangents)
                )

            return fn(tensors), gradients

        return lambda tensors: run(*tensors)

    def after(self, values, batch):
        """`batch`, computed on once `values` are there."""
        some = [v for v in values if v is not None]
        with tf.control_dependencies(some):
            return keras.tree.map_structure(_same, batch)

    def in_some_steps(self, interval, fn):
        """`fn()`, a scalar, in every `interval`-th step; else 0.

        Variables keep their values: replicas cannot agree on new ones within
        a branch.
        """

        def without_updates():
            with keras.StatelessScope(initialize_variables=False):
                return fn()

        if interval == 1:
            return without_updates()
        due = self.step.value % interval == 0
        return tf.cond(due, without_updates, lambda: tf.zeros(()))

    def sum_over_replicas(self, gradients):
        """Adds the replicas' gradients up."""
        if self.num_replicas == 1:
            return gradients
        context = tf.distribute.get_replica_context()
        some = [g for g in gradients if g is not None]
        summed = iter(context.all_reduce(tf.distribute.ReduceOp.SUM, some))
        return [None if g is None else next(summed) for g in gradients]

    def rows_of_all_replicas(self, x):
        """The rows of every replica's `x`, in the order of `global_rows`."""
        if self.num_replicas == 1:
            return x
        return tf.distribute.get_replica_context().all_gather(x, axis=0)

    def apply(self, optimizer, gradients, variables):
        """Updates `variables` by gradients that are summed over replicas."""
        optimizer.apply(gradients, variables)

    def train_step(self, data):
        """One update of each network on `data`, a tuple of batches."""
        return self.update(data)

    def predict_step(self, data):
        """Images of one batch of inputs."""
        with kernels.scope(self.takes_kernels):
            return super().predict_step(data)

    @property
    def takes_kernels(self):
        """Whether steps may have the forms of `kernels.scope`."""
        return not (self.jit_compile or self.run_eagerly)

    def test_step(self, data):
        """The losses of `data`, a tuple of one batch, without training."""
        return self.evaluate_losses(*data)

    def local_batch(self, batch):
        """The first replica's part of `batch`, as numpy arrays.

        Raises:
            ValueError: the replicas' parts differ in size.
        """

        def first(x):
            if x is None:  # no labels in `train_on_batch`
                return None
            parts = self.distribute_strategy.experimental_local_results(x)
            sizes = [len(part) for part in parts]
            if len(set(sizes)) > 1:
                raise ValueError(
                    "Each replica needs as many images as the others. "
                    f"Received: a batch cut into {sizes}. Use a batch size "
                    f"that {len(sizes)} divides, and drop_remainder=True."
                )
            return np.asarray(parts[0])

        return keras.tree.map_structure(first, batch)

    def all_rows(self, x):
        """`x`, of all replicas of this process, as one numpy array."""
        parts = self.distribute_strategy.experimental_local_results(x)
        return np.concatenate([np.asarray(part) for part in parts])

    def make_train_function(self, force=False):
        if self.train_function is None or force:
            self.train_function = self._step_function(
                self.train_step, self.d_steps, training=True
            )
        return self.train_function

    def make_test_function(self, force=False):
        if self.test_function is None or force:
            self.test_function = self._step_function(
                self.test_step, 1, training=False
            )
        return self.test_function

    def _step_function(self, step, batches, training):
        # Keras's own loop over `steps_per_execution` fails under a
        # distribution strategy; an unrolled one gives the same numbers.
        strategy = self.distribute_strategy

        def in_scope(data):
            with kernels.scope(self.takes_kernels):
                return step(data)

        @tf.autograph.experimental.do_not_convert
        def run(executions):
            for data in executions:
                logs = strategy.run(in_scope, args=(data,))
            return {
                name: strategy.reduce("MEAN", value, axis=None)
                for name, value in logs.items()
            }

        if not self.run_eagerly:
            run = tf.function(run, jit_compile=self.jit_compile)

        def function(iterator):
            if self.skipping():
                return self._skipped_logs
            executions = [self.take(iterator, batches, training)]
            try:
                while len(executions) < self.steps_per_execution:
                    executions.append(self.take(iterator, batches, training))
            except StopIteration:
                pass  # the epoch ends within this execution
            return run(tuple(executions))

        return function

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # Everything is built in the constructor and in `compile`.
        pass
