"""Variables with other values for a while, on either backend."""

import keras
from keras import ops

from keras_gans.engine.keras_internals import get_stateless_scope


def forgetful_scope(values=()):
    """A scope that forgets on leaving what variables were assigned inside.

    Args:
        values: pairs of a `keras.Variable` and the value it has inside.
    """
    outer = get_stateless_scope()
    scope = keras.StatelessScope(initialize_variables=False)
    if outer is not None:
        scope.state_mapping.update(outer.state_mapping)
    for variable, value in values:
        scope.add_update((variable, ops.cast(value, variable.dtype)))
    return scope
