"""Fashion-MNIST, and the classifier that scores samples of it."""

import os
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from keras import layers
import numpy as np

import keras_gans
from keras_gans import data
from keras_gans.utils import files

SHAPE = (28, 28, 1)
CLASSES = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
N = len(CLASSES)
EPOCHS = 5
BATCH = 128


def load(data_dir, **options):
    """Batches of images in [-1, 1] `[n, 28, 28, 1]` and labels `[n]`."""
    source = "tfds:fashion_mnist"
    options |= {"image_size": 28, "channels": 1, "labels": True}
    return data.load(source, data_dir=data_dir, **options)


def arrays(split, data_dir):
    """The images and labels of a split, as two arrays."""
    batches = load(data_dir, split=split, batch_size=1000, shuffle=False)
    images, labels = zip(*batches.as_numpy_iterator(), strict=True)
    return np.concatenate(images), np.concatenate(labels)


def open_classifier(path, data_dir):
    """The classifier kept at `path`, trained first where there is none."""
    if path.exists():
        return keras.saving.load_model(path)
    images, labels = arrays("train", data_dir)
    keras.utils.set_random_seed(0)
    classifier = make_classifier(steps=EPOCHS * -(-len(images) // BATCH))
    start = time.perf_counter()
    classifier.fit(images, labels, batch_size=BATCH, epochs=EPOCHS, verbose=2)
    print(f"Classifier trained in {time.perf_counter() - start:.0f} s: {path}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(path) as temporary:
        classifier.save(temporary)
    return classifier


def make_classifier(steps):
    """A classifier that two cores train to 91 % in minutes."""
    classifier = keras.Sequential(
        [
            keras.Input(SHAPE),
            # Strides, not pooling: the large maps would cost most of the time.
            layers.Conv2D(48, 4, 2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(96, 3, 2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(N),
        ],
        name="classifier",
    )
    rate = keras.optimizers.schedules.CosineDecay(
        1e-4, steps - steps // 5, warmup_target=3e-3, warmup_steps=steps // 5
    )
    classifier.compile(
        keras.optimizers.Adam(rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return classifier


def classes(classifier, images):
    """The class that the classifier finds in each image: int `[n]`."""
    return classifier.predict(images, batch_size=500, verbose=0).argmax(axis=-1)


def spread(images, labels):
    """Mean standard deviation of a pixel among images of one label."""
    return np.mean([images[labels == i].std(axis=0) for i in range(N)])


def counts(rows, columns):
    """How often each pair of row and column occurs: int `[10, 10]`."""
    return np.bincount(N * rows + columns, minlength=N * N).reshape(N, N)


def purity(table):
    """The share of a row's most frequent column, over all rows."""
    return float(table.max(axis=1).sum() / table.sum())


def measure(gan, classifier, test, settings):
    """What the classifier finds in samples of known labels.

    Returns:
        dict: "share" of samples of the label asked for, or "purity" where the
        labels are categories without a meaning of their own; "labels", the
        class and its share for each label; and "spread", as a ratio to that of
        the test images, which tells when all samples of a label are one.
    """
    per_class, seed = settings["per_class"], settings["seed"]
    asked = np.repeat(np.arange(N), per_class)
    cut = settings.get("truncation")
    options = {} if cut is None else {"truncation": cut}
    samples = gan.sample(len(asked), seed=seed, labels=asked, **options)
    table = counts(asked, classes(classifier, samples))
    ratio = round(float(spread(samples, asked) / spread(*test)), 3)
    found = {"spread": ratio}
    if isinstance(gan, keras_gans.InfoGAN):
        q = gan.discriminator.predict(test[0], batch_size=500, verbose=0)[1]
        likeliest = table.argmax(axis=1)
        found |= {
            "purity": purity(table),
            "purity_of_reals_by_q": purity(counts(q.argmax(axis=-1), test[1])),
            "classes_covered": len(set(likeliest.tolist())),
        }
    else:
        likeliest = np.arange(N)
        found["share"] = float(table.trace() / table.sum())
    shares = (table[np.arange(N), likeliest] / per_class).tolist()
    names = [CLASSES[i] for i in likeliest]
    return {**found, "labels": list(zip(names, shares, strict=True))}
