"""SRGAN: a folder of photos in, a network that enlarges pictures out.

python examples/srgan.py path/to/photos
python examples/srgan.py  # the embedded emoji, to try it out
"""

import sys

import keras
import numpy as np

import keras_gans as kg

SCALE, SIZE = 4, 64
OUT = "runs/example_srgan"

source = sys.argv[1] if len(sys.argv) > 1 else "emoji"
steps = int(sys.argv[2]) if len(sys.argv) > 2 else 1000

keras.utils.set_random_seed(0)
options = {"image_size": SIZE, "scale": SCALE}
pairs = kg.data.load_crops(source, tries=4, repeat=True, **options)

# Four fifths of the steps by pixels, the rest against the discriminator.
gan = kg.SRGAN(
    (SIZE, SIZE, 3),
    SCALE,
    configuration="msrresnet",
    blocks=8,
    width=32,
    d_width=16,
    dense=64,
    pretrain_steps=max(1, steps * 4 // 5),
    pretrain_rate=1e-3,
    pixel_loss="l1",
    pixel_weight=0.1,
    feature_layers="conv2_2",
)
gan.compile()
gan.fit(pairs, steps_per_epoch=steps, callbacks=[kg.callbacks.NanGuard()])

small, good = map(np.array, next(iter(kg.data.load_crops(source, seed=1, **options))))
gan.preview(given=(small[:4], good[:4])).save(f"{OUT}/last.png", overwrite=True)
gan.save(f"{OUT}/srgan.keras")
print(f"Enlarged crops and the model are in {OUT}")
