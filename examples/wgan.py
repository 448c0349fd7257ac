"""WGAN on the embedded emoji, or on a folder of your own pictures.

python examples/wgan.py
python examples/wgan.py path/to/pictures
"""

import sys

import keras

import keras_gans as kg

SIZE = 32
OUT = "runs/example_wgan"

source = sys.argv[1] if len(sys.argv) > 1 else "emoji"
epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 100

keras.utils.set_random_seed(0)
dataset = kg.data.load(source, image_size=SIZE, batch_size=32)

gan = kg.WGAN(image_shape=(SIZE, SIZE, 3), width=32, ema=0.995)
gan.compile(
    d_optimizer=keras.optimizers.RMSprop(5e-5, rho=0.99),
    g_optimizer=keras.optimizers.RMSprop(5e-5, rho=0.99),
)
gan.fit(
    dataset,
    epochs=epochs,
    callbacks=[
        kg.callbacks.NanGuard(),
        kg.callbacks.SampleGrid(f"{OUT}/samples", every=50),
    ],
)
kg.modalities.pictures.save_grid(
    f"{OUT}/last.png", gan.sample(64, seed=0), overwrite=True
)
gan.save(f"{OUT}/wgan.keras")
print(f"Samples and the model are in {OUT}")
