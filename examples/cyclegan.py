"""CycleGAN between drawn and rendered emoji, or two folders of pictures.

python examples/cyclegan.py
python examples/cyclegan.py path/to/folder  # trainA/ and trainB/, or A/ and B/
"""

import sys

import keras
import numpy as np

import keras_gans as kg

SIZE = 64
OUT = "runs/example_cyclegan"

source = sys.argv[1] if len(sys.argv) > 1 else "emoji:flat-3d"
epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 5

keras.utils.set_random_seed(0)
domains = kg.data.load_unpaired(source, image_size=SIZE, jitter=8, flip=True)

gan = kg.CycleGAN(image_shape=(SIZE, SIZE, 3), width=8, blocks=3)
gan.compile(
    d_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5),
    g_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5),
)
gan.fit(domains, epochs=epochs, callbacks=[kg.callbacks.NanGuard()])

held_out = source.startswith("emoji:")  # of a folder, those trained on
shown = kg.data.load_unpaired(
    source,
    image_size=SIZE,
    split="test" if held_out else "train",
    batch_size=8,
    drop_remainder=False,
    shuffle=False,
)
a, b = map(np.array, next(iter(shown)))
like_b, like_a = gan.translate(a), gan.translate(b, direction="ba")
rows = np.stack([a, like_b, b, like_a], axis=1).reshape(-1, SIZE, SIZE, 3)
names = ["a", "made b", "b", "made a"] * (len(rows) // 4)
kg.modalities.pictures.save_grid(
    f"{OUT}/last.png", rows, 4, overwrite=True, names=names
)
gan.save(f"{OUT}/cyclegan.keras")
print(f"Translations and the model are in {OUT}")
