"""Two networks as one model: the two of a side that CycleGAN trains."""

import keras


@keras.saving.register_keras_serializable("keras_gans")
class Pair(keras.Model):
    """Two networks, each with an input of its own, trained and kept as one.

    Called on `[x, y]` it gives `[first(x), second(y)]`.

    Args:
        first: `keras.Model`, built.
        second: `keras.Model`, built; it may have the name of the first.
        name: str.

    Raises:
        ValueError: both are the same object.
    """

    def __init__(self, first, second, name=None):
        if first is second:
            raise ValueError(
                "The two networks of a side are trained apart. Received: "
                f"{first.name} twice. Build two."
            )
        super().__init__(name=name)
        self.first = first
        self.second = second
        self.built = True

    def call(self, inputs, training=False):
        x, y = inputs
        return [
            self.first(x, training=training),
            self.second(y, training=training),
        ]

    def map(self, fn):
        """The pair of `fn(first)` and `fn(second)`."""
        return Pair(fn(self.first), fn(self.second), name=self.name)

    def get_config(self):
        return {
            "first": keras.saving.serialize_keras_object(self.first),
            "second": keras.saving.serialize_keras_object(self.second),
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config):
        networks = [
            keras.saving.deserialize_keras_object(config[name])
            for name in ("first", "second")
        ]
        return cls(*networks, name=config["name"])
