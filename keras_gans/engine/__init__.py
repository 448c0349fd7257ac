"""Training on the chosen Keras backend; only that backend's file is imported.

`Engine` gives `BaseGAN` what Keras's own API does not: gradients of two
networks through one forward pass, replicas, and several batches a step.
"""

import keras

if keras.backend.backend() == "tensorflow":
    from keras_gans.engine.tensorflow import Engine
    from keras_gans.engine.tensorflow import gathered
    from keras_gans.engine.tensorflow import global_rows
    from keras_gans.engine.tensorflow import input_gradient
    from keras_gans.engine.tensorflow import make_deterministic
elif keras.backend.backend() == "jax":
    from keras_gans.engine.jax import Engine
    from keras_gans.engine.jax import gathered
    from keras_gans.engine.jax import global_rows
    from keras_gans.engine.jax import input_gradient
    from keras_gans.engine.jax import make_deterministic
else:
    raise ImportError(
        "keras_gans trains on TensorFlow and JAX. Received: the Keras backend "
        f"'{keras.backend.backend()}'. Set the environment variable "
        "KERAS_BACKEND to 'tensorflow' or 'jax' before importing keras."
    )

__all__ = [
    "Engine",
    "gathered",
    "global_rows",
    "input_gradient",
    "make_deterministic",
]
