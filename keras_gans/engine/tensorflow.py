"""The training engine on TensorFlow, with `tf.distribute` replicas."""

from collections.abc import Callable
import threading
import warnings

import keras
import numpy as np
import tensorflow as tf

from keras_gans.engine import keras_internals, kernels, phases, tensorflow_internals
from keras_gans.engine.data_adapter import StepIterator
from keras_gans.engine.replicas import first_row, gathered
from keras_gans.utils import startup
from keras_gans.utils.errors import outside

EAGER_CALLS = 2  # of a shape, before it is compiled: that takes longer than a call
MOST_SHAPES = 16  # of one network, the latest: a graph takes memory


def make_deterministic():
    """Makes GPU kernels give the same bits each time, for this process."""
    tf.config.experimental.enable_op_determinism()


def input_gradient(
    fn: Callable[[tf.Tensor], tf.Tensor], x: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
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
    x = tf.convert_to_tensor(x)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        y = fn(x)
    zero = tf.UnconnectedGradients.ZERO
    return y, tape.gradient(y, x, unconnected_gradients=zero)


def compiled(fn: Callable) -> Callable:
    """A function of tensors that is compiled for each of their shapes."""

    def traced(*args):
        results = fn(*args)
        tensorflow_internals.release_gradients()
        return results

    return tf.function(traced, autograph=False)


class Inference:
    """A network in inference, compiled for shapes that come again.

    Args:
        network: `keras.Model` of one input.
        scope: function that gives the context in which it is called.
    """

    def __init__(self, network, scope):
        self.network, self._scope = network, scope
        # By type and shape, the latest at the end: how often it came, or compiled.
        self._compiled = {}
        self._lock = threading.Lock()  # one compiles, the others wait for it

    def _eager(self, x):
        with self._scope():
            return self.network(x, training=False)

    def __call__(self, x):
        x = tf.convert_to_tensor(x)
        key = x.dtype, tuple(x.shape)
        with self._lock:
            run = self._compiled.pop(key, 0)
            if run == EAGER_CALLS:
                run = compiled(self._eager).get_concrete_function(x)
            elif not callable(run):
                run += 1
            self._compiled[key] = run
            if len(self._compiled) > MOST_SHAPES:
                del self._compiled[next(iter(self._compiled))]
        return run(x) if callable(run) else self._eager(x)


class Engine:
    """What a step needs of TensorFlow; see `keras_gans.engine`."""

    def __init__(self, model):
        self._model = model
        self.choices = kernels.Choices()
        self._predict = None
        self._inference = None
        self._largest = None

    @property
    def _strategy(self):
        return self._model.distribute_strategy

    # --- Replicas and processes ---

    @property
    def num_replicas(self):
        return self._strategy.num_replicas_in_sync

    @property
    def is_chief(self):
        return self._strategy.extended.should_checkpoint

    def scope(self):
        return self._strategy.scope()

    def barrier(self):
        if self.num_replicas > 1:
            run = lambda: self._strategy.run(gathered, (tf.ones(()),))  # noqa: E731
            compiled(run)()

    def largest(self, x):
        strategy = self._strategy
        if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            return x
        if self._largest is None:
            run = lambda x: strategy.run(gathered, (x,))  # noqa: E731
            self._largest = compiled(run)
        per_replica = self._largest(tf.constant(x))
        return int(tf.reduce_max(strategy.experimental_local_results(per_replica)[0]))

    def sync_state(self):
        """Variables are always up to date here."""

    def current_step(self):
        return int(self._model.step.numpy())

    def sum_over_replicas(self, gradients):
        if self.num_replicas == 1:
            return gradients
        context = tf.distribute.get_replica_context()
        some = [g for g in gradients if g is not None]
        summed = iter(context.all_reduce(tf.distribute.ReduceOp.SUM, some))
        return [None if g is None else next(summed) for g in gradients]

    def mean_over_replicas(self, x):
        if self.num_replicas == 1:
            return x
        context = tf.distribute.get_replica_context()
        return context.all_reduce(tf.distribute.ReduceOp.MEAN, x)

    def rows_of_all_replicas(self, x):
        if self.num_replicas == 1:
            return x
        return tf.distribute.get_replica_context().all_gather(x, axis=0)

    def first_row(self, n):
        return first_row(n)

    def check_even(self, batch):
        if self.num_replicas == 1:
            return
        for x in keras.tree.flatten(batch):
            if x is None:  # no labels in `train_on_batch`
                continue
            sizes = [len(x) for x in self._strategy.experimental_local_results(x)]
            if len(set(sizes)) > 1:
                raise ValueError(
                    "Each replica learns from as many rows as the others. "
                    f"Received: a batch cut into {sizes}. Use a batch size "
                    f"that {len(sizes)} divides (and `drop_remainder=True`)."
                )

    def local_batch(self, batch):
        def first(x):
            if x is None:
                return None
            return np.asarray(self._strategy.experimental_local_results(x)[0])

        return keras.tree.map_structure(first, batch)

    def all_rows(self, x):
        parts = self._strategy.experimental_local_results(x)
        return np.concatenate([np.asarray(part) for part in parts])

    def share_out(self, x):
        return x

    # --- Gradients ---

    def differentiate(self, fn, variables, inputs=()):
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
        @tf.custom_gradient
        def run(*tensors):
            def gradients(*cotangents):
                # Else the graph would find that all of it is there already.
                with tf.control_dependencies(cotangents):
                    again = [tf.identity(x) for x in tensors]
                with tf.GradientTape(watch_accessed_variables=False) as tape:
                    tape.watch([x for x in again if x.dtype.is_floating])
                    outputs = fn(again)
                pairs = [
                    (y, cotangent)
                    for y, cotangent in zip(outputs, cotangents, strict=True)
                    if y.dtype.is_floating
                ]
                outputs, cotangents = zip(*pairs, strict=True)
                return tape.gradient(outputs, again, output_gradients=list(cotangents))

            return fn(tensors), gradients

        return lambda tensors: run(*tensors)

    def dense(self, gradient):
        return tf.convert_to_tensor(gradient)

    def after(self, values, batch):
        some = [v for v in values if v is not None]
        with tf.control_dependencies(some):
            return keras.tree.map_structure(
                lambda x: None if x is None else tf.identity(x), batch
            )

    def in_some_steps(self, interval, fn):
        def without_updates():
            with keras.StatelessScope(initialize_variables=False):
                return fn()

        if interval == 1:
            return without_updates()
        due = self._model.step.value % interval == 0
        return tf.cond(due, without_updates, lambda: tf.zeros(()))

    # --- Optimizers and metrics ---

    def prepare_optimizer(self, optimizer, variables):
        # An optimizer made outside of the strategy's scope would train each
        # replica apart without an error; it is made again from its config.
        strategy = self._strategy
        with strategy.scope():
            if strategy.num_replicas_in_sync > 1 and (
                not keras_internals.is_made_under(optimizer, strategy)
            ):
                optimizer = type(optimizer).from_config(optimizer.get_config())
            optimizer.build(variables)
        if strategy.num_replicas_in_sync == 1:
            kernels.fuse_adam(optimizer)
        else:
            # Keras would clip each replica's gradients and then add them up;
            # ours come added up, so that clipping sees what one replica would.
            keras_internals.keep_gradients(optimizer)
        return optimizer

    def apply(self, optimizer, gradients, variables):
        # Those of embeddings come as rows, a class as often as the batch has it.
        # Keras's Adam would square each of these, not their sum.
        optimizer.apply([self.dense(g) for g in gradients], variables)

    def running_mean(self, name):
        return phases.RunningMean(name, dtype="float64")

    def predict_here(self, inputs):
        # Keras's `predict_on_batch` would wait for the other processes of a
        # strategy, and compute the batch once for each replica.
        if self.num_replicas == 1:
            return self._model.predict_on_batch(inputs)
        if self._predict is None:
            self._predict = compiled(lambda x: self._model(x, training=False))
        return self._predict(inputs).numpy()

    def inference(self):
        return self._model._kernels(trains=False)

    def inference_of(self, network):
        kept = self._inference
        if kept is None or kept.network is not network:
            kept = self._inference = Inference(network, self.inference)
        return kept


class Trainer:
    """Keras's hooks into training, which `BaseGAN` inherits."""

    def _start_engine(self):
        self.engine = Engine(self)
        self.step_iterator = StepIterator(self, (tf.errors.OutOfRangeError,))

    @property
    def _takes_kernels(self):
        return not (self.jit_compile or self.run_eagerly)

    def _kernels(self, trains):
        return kernels.scope(self._takes_kernels, self.engine.choices, trains)

    def train_step(self, data):
        return phases.run_step(self, *data)

    def test_step(self, data):
        return phases.evaluate(self, *data)

    def predict_step(self, data):
        with self._kernels(trains=False):
            predicted = super().predict_step(data)
        tensorflow_internals.release_gradients()
        return predicted

    def make_train_function(self, force=False):
        if self.train_function is None or force:
            _warn_of_volumes(self.networks)
            step = self._step_function(self.train_step)

            def function(iterator):
                skipped = self.step_iterator.skipped()
                if skipped is not None:
                    return skipped
                return self.told(step(self.step_iterator.take_step, iterator))

            self.train_function = function
        return self.train_function

    def make_test_function(self, force=False):
        if self.test_function is None or force:
            step = self._step_function(self.test_step, means=True)
            take = self.step_iterator.take
            self.test_function = lambda iterator: step(
                lambda iterator: take(iterator, 1), iterator
            )
        return self.test_function

    def _step_function(self, step, means=False):
        # Keras's own loop over `steps_per_execution` fails under a
        # distribution strategy; an unrolled one gives the same numbers.
        strategy = self.distribute_strategy

        def in_scope(data):
            with self._kernels(trains=not means):
                return step(data)

        @tf.autograph.experimental.do_not_convert
        def run(executions):
            for data in executions:
                logs = strategy.run(in_scope, args=(data,))
            tensorflow_internals.release_gradients()
            if means:  # over the rows of all replicas
                return {name: self.trackers[name].result() for name in logs}
            return {
                name: strategy.reduce("MEAN", value, axis=None)
                for name, value in logs.items()
            }

        if not self.run_eagerly:
            run = tf.function(run, jit_compile=self.jit_compile)

        def function(take, iterator):
            executions = [take(iterator)]
            try:
                while len(executions) < self.steps_per_execution:
                    executions.append(take(iterator))
            except StopIteration:
                pass  # the epoch ends within this execution
            return run(tuple(executions))

        return function

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # Everything is built in the constructor and in `compile`.
        pass


def _warn_of_volumes(networks):
    """Where a processor convolves volumes without oneDNN: steps may take minutes."""
    fine = tensorflow_internals.has_one_dnn() or "avx2" not in startup.instructions()
    if fine or tf.config.list_physical_devices("GPU"):
        return
    for network in networks.values():
        for layer in keras_internals.flatten_layers(network):
            if isinstance(layer, (keras.layers.Conv3D, keras.layers.Conv3DTranspose)):
                warnings.warn(
                    "TensorFlow computes gradients of 3D convolutions very slowly "
                    f"without oneDNN. Received: the layer {layer.name!r}, and a "
                    "process in which oneDNN is off. Set TF_ENABLE_ONEDNN_OPTS=1 in "
                    "the environment before TensorFlow is imported.",
                    UserWarning,
                    stacklevel=outside(),
                )
                return
