"""ACGAN on the 9 groups of the embedded emoji.

python examples/acgan.py
python examples/acgan.py path/to/pictures  # a subfolder a class
"""

import sys

import keras

import keras_gans as kg

SIZE = 32
OUT = "runs/example_acgan"

source = sys.argv[1] if len(sys.argv) > 1 else "emoji"
epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 50

keras.utils.set_random_seed(0)
dataset = kg.data.load(source, image_size=SIZE, batch_size=32, labels=True)
classes = 1 + max(int(labels.numpy().max()) for _, labels in dataset)

gan = kg.ACGAN(
    image_shape=(SIZE, SIZE, 3),
    num_classes=classes,
    width=32,
    ema=0.995,
    label_smoothing=0.1,
    spectral_norm=True,
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
    f"{OUT}/last.png", gan.sample(8 * classes, seed=0), classes, overwrite=True
)
gan.save(f"{OUT}/acgan.keras")
print(f"Samples and the model are in {OUT}")
