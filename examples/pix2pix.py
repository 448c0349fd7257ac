"""Pix2Pix: colours for grey emoji, or for a folder of your own pictures.

python examples/pix2pix.py
python examples/pix2pix.py path/to/pictures
"""

import sys

import keras
import tensorflow as tf

import keras_gans as kg

SIZE = 64
OUT = "runs/example_pix2pix"

source = sys.argv[1] if len(sys.argv) > 1 else "emoji"
epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 5

keras.utils.set_random_seed(0)
dataset = kg.data.load(source, image_size=SIZE, batch_size=1)
pairs = dataset.map(lambda x: (tf.image.rgb_to_grayscale(x), x))

gan = kg.Pix2Pix(
    image_shape=(SIZE, SIZE, 3),
    source_channels=1,
    width=16,
)
gan.compile(
    d_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5),
    g_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5),
)
gan.fit(pairs, epochs=epochs, callbacks=[kg.callbacks.NanGuard()])

columns = []
for grey, colour in pairs.take(8):  # source, output, target
    made = gan.translate(grey)
    columns += [tf.image.grayscale_to_rgb(grey), made, colour]
kg.images.save_grid(f"{OUT}/last.png", tf.concat(columns, 0), 3, overwrite=True)
gan.save(f"{OUT}/pix2pix.keras")
print(f"Translations and the model are in {OUT}")
