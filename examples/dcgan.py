"""DCGAN on the embedded emoji, or on a folder of your own pictures.

python examples/dcgan.py
python examples/dcgan.py path/to/pictures
"""

import sys

import keras

import keras_gans as kg

SIZE = 32
OUT = "runs/example_dcgan"

source = sys.argv[1] if len(sys.argv) > 1 else "emoji"
epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 300

keras.utils.set_random_seed(0)
dataset = kg.data.load(source, image_size=SIZE, batch_size=32)

gan = kg.DCGAN(
    image_shape=(SIZE, SIZE, 3),
    width=32,
    ema=0.998,
    diff_augment="color,translation,cutout",
)
gan.compile(
    d_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5),
    g_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5),
)
gan.fit(
    dataset,
    epochs=epochs,
    callbacks=[
        kg.callbacks.NanGuard(),
        kg.callbacks.SampleGrid(f"{OUT}/samples", every=200),
    ],
)
kg.modalities.pictures.save_grid(
    f"{OUT}/last.png", gan.sample(64, seed=0), overwrite=True
)
gan.save(f"{OUT}/dcgan.keras")
print(f"Samples and the model are in {OUT}")
