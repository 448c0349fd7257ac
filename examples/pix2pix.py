"""Pix2Pix: emoji rendered from line art, or a folder of your own pairs.

python examples/pix2pix.py
python examples/pix2pix.py path/to/folder  # A/ and B/, or A beside B
"""

import sys

import keras
import numpy as np

import keras_gans as kg

SIZE = 64
OUT = "runs/example_pix2pix"

source = sys.argv[1] if len(sys.argv) > 1 else "emoji:line-3d"
epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 20

keras.utils.set_random_seed(0)
pairs = kg.data.load_pairs(source, image_size=SIZE, jitter=8, flip=True)

gan = kg.Pix2Pix(image_shape=(SIZE, SIZE, 3), width=16)
gan.compile(
    d_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5),
    g_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5),
)
gan.fit(pairs, epochs=epochs, callbacks=[kg.callbacks.NanGuard()])

held_out = source.startswith("emoji:")  # of a folder, those trained on
shown = kg.data.load_pairs(
    source,
    image_size=SIZE,
    split="test" if held_out else "train",
    batch_size=8,
    drop_remainder=False,
    shuffle=False,
)
sources, targets = map(np.array, next(iter(shown)))
columns = [sources, gan.translate(sources), targets]
rows = np.stack(columns, axis=1).reshape(-1, SIZE, SIZE, 3)
names = ["source", "made", "target"] * (len(rows) // 3)
kg.modalities.pictures.save_grid(
    f"{OUT}/last.png", rows, 3, overwrite=True, names=names
)
gan.save(f"{OUT}/pix2pix.keras")
print(f"Translations and the model are in {OUT}")
