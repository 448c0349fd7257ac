"""Training on the chosen Keras backend; only that backend's file is imported.

Each backend's file has five functions, `compiled`, `global_rows`, `gathered`,
`input_gradient` and `make_deterministic`, and two classes. `Trainer` is what
`BaseGAN` inherits: Keras's own hooks (`train_step`, `make_train_function` ...).
`Engine`, as `gan.engine`, is what `phases.run_step` needs of a backend:

- `num_replicas`: int, over which gradients are summed.
- `is_chief`: whether this process writes what several of them train.
- `scope()`: a context in which variables belong to every replica.
- `barrier()`: waits until every process is here.
- `largest(x)`: the largest of the int `x` that each process has.
- `sync_state()`: brings variables up to date within `fit`.
- `current_step()`: int, outside of a step.
- `sum_over_replicas(gradients)`, `mean_over_replicas(x)` and
  `rows_of_all_replicas(x)`, in the order of `global_rows`.
- `first_row(n)`: the global index of the first of `n` rows, where replicas have
  unlike numbers of them.
- `check_even(batch)`: refuses a batch of which replicas have unlike parts.
- `local_batch(batch)`: the first replica's part of a batch in NumPy;
  `all_rows(x)`: all rows of this process.
- `share_out(dataset)`: this process's rows of each batch.
- `differentiate(fn, variables, inputs)`: runs `fn(*inputs)`, which returns
  `(output, auxiliary)`, so that it can be differentiated once, later: gives
  `(output, auxiliary, pullback)`. `pullback(cotangent)` gives the gradients of
  `sum(output * cotangent)` for variables and inputs, as two lists, `None` where
  there is no connection.
- `rematerialized(fn)`: `fn`, of a list of tensors, computed once more for its
  gradients.
- `dense(gradient)`: a gradient as one array, of embeddings too.
- `after(values, batch)`: the batch, computed on once `values` are there.
- `in_some_steps(interval, fn)`: `fn()`, a scalar, in every n-th step, else 0;
  variables keep their values.
- `prepare_optimizer(optimizer, variables)`: the optimizer, built; and
  `apply(optimizer, gradients, variables)`, of gradients that are summed.
- `running_mean(name)`: what gathers a log over the steps of an epoch.
- `predict_here(inputs)`: one batch, as a NumPy array, in this process alone.
- `inference()`: a context in which a network called by itself takes what is fastest,
  as steps do; and `inference_of(network)`, a function of its inputs that calls it so,
  compiled from a shape's third time on.
"""

import keras

from keras_gans.engine.replicas import gathered, global_rows

if keras.backend.backend() == "tensorflow":
    from keras_gans.engine.tensorflow import (
        Trainer,
        compiled,
        input_gradient,
        make_deterministic,
    )
elif keras.backend.backend() == "jax":
    from keras_gans.engine.jax import (
        Trainer,
        compiled,
        input_gradient,
        make_deterministic,
    )
else:
    raise ImportError(
        "keras_gans trains on TensorFlow and JAX. Received: the Keras backend "
        f"'{keras.backend.backend()}'. Set the environment variable "
        "KERAS_BACKEND to 'tensorflow' or 'jax' before importing keras."
    )

__all__ = [
    "Trainer",
    "compiled",
    "gathered",
    "global_rows",
    "input_gradient",
    "make_deterministic",
]
