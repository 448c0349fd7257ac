"""Features by one and by two replicas; prints how far they are apart.

Run in a process of its own: two strategies in one process can collide.
"""

import keras
import numpy as np
from scoring import pictures
from scoring import tiny
import tensorflow as tf

from keras_gans.metrics import FeatureNetwork
from keras_gans.metrics import sets
from keras_gans.metrics.extraction import extract


def main():
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * 2
    )
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    model = tiny()

    def features(model):
        # Odd batches, the last of them short.
        images = sets.of_images(pictures(), "real")
        network = FeatureNetwork(model)
        found = extract(images, network, ["features"], batch_size=15, verbose=0)
        return found.features

    one = features(model)
    with strategy.scope():
        copy = keras.models.clone_model(model)
        copy.set_weights(model.get_weights())
        two = features(copy)
    print(
        strategy.num_replicas_in_sync,
        np.abs(one - two).max(),
        np.abs(one).max(),
    )


if __name__ == "__main__":
    main()
