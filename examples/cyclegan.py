"""CycleGAN between two groups of the emoji, or two folders of pictures.

python examples/cyclegan.py
python examples/cyclegan.py path/to/pictures  # with two subfolders
"""

import sys

import keras
import tensorflow as tf

import keras_gans as kg

SIZE = 64
OUT = "runs/example_cyclegan"

source = sys.argv[1] if len(sys.argv) > 1 else "emoji"
epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 5

keras.utils.set_random_seed(0)
dataset = kg.data.load(source, image_size=SIZE, batch_size=1, labels=True)


def group(k):
    chosen = dataset.filter(lambda image, label: label[0] == k)
    return chosen.map(lambda image, label: image)


domains = tf.data.Dataset.zip(group(0), group(1))

gan = kg.CycleGAN(
    image_shape=(SIZE, SIZE, 3),
    width=8,
    blocks=3,
)
gan.compile(
    d_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5),
    g_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5),
)
gan.fit(domains, epochs=epochs, callbacks=[kg.callbacks.NanGuard()])

columns = []
for a, b in domains.take(8):  # a, like b, b, like a
    columns += [a, gan.translate(a), b, gan.translate(b, direction="ba")]
kg.images.save_grid(f"{OUT}/last.png", tf.concat(columns, 0), 4, overwrite=True)
gan.save(f"{OUT}/cyclegan.keras")
print(f"Translations and the model are in {OUT}")
