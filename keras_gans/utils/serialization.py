"""Objects that are rebuilt from the arguments of their constructor."""

import inspect

import keras


class Configured:
    """A plain object whose config is its constructor's arguments.

    Each argument is kept as an attribute of the same name. Two objects of one
    class and config are equal.
    """

    def get_config(self):
        names = inspect.signature(type(self).__init__).parameters
        return {name: getattr(self, name) for name in list(names)[1:]}

    @classmethod
    def from_config(cls, config):
        return cls(**{name: _revived(x) for name, x in config.items()})

    def __eq__(self, other):
        same = type(self) is type(other)
        return same and self.get_config() == other.get_config()

    def __hash__(self):
        return hash((type(self), repr(self)))

    def __repr__(self):
        pairs = self.get_config().items()
        arguments = ", ".join(f"{name}={value!r}" for name, value in pairs)
        return f"{type(self).__name__}({arguments})"


def _revived(value):
    """An argument as the constructor took it: Keras serializes objects."""
    if isinstance(value, dict) and "class_name" in value:
        return keras.saving.deserialize_keras_object(value)
    return value
