"""Text to image on the embedded emoji: colours and shapes never seen together.

    python benchmarks/quality/text_to_image.py train dfgan --encoder=minilm --seed=0
    python benchmarks/quality/text_to_image.py train regressor --encoder=minilm
    python benchmarks/quality/text_to_image.py score stackgan --seconds=371 --steps=2800
    python benchmarks/quality/text_to_image.py floors

Of the 21 emoji that are a heart, a circle or a square in one of seven colours, 8 are
held out; each colour and each shape is seen, these pairs of them are not. `train`
trains a recipe (dfgan, stackgan), or `regressor`: DFGAN's generator by the mean
absolute error alone (or the squared one, --loss=mse), on the 1,562 others with their
captions, for --seconds of --clock. A classifier then names the colour, the nearest of
12 mean colours of real emoji, and the shape, the mean mask of real ones with the
largest IoU, of 0.8 at least, of 64 samples of each prompt held out. `right` is the mean
number of prompts, of 8, of which both are right; `right_each` has it prompt by prompt.
`edges` is the mean step between neighbouring pixels of samples of all captions seen, as
a share of that of the real pictures; `text` is R-precision with its ceiling and floors.
A line goes to --results, and a picture to --work. With --resume a training goes on
from what an earlier one left in --work, until --seconds of both.

`score` does the same for what a training that was ended early left in --work after so
many seconds and steps, as its log tells. `floors` scores real pictures and those of the
nearest training caption.
"""

import argparse
import json
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as the command line does

import keras
from keras import ops
import numpy as np

import keras_gans as kg
from keras_gans.data import emoji, load, load_captions
from keras_gans.data.captions import emoji_captions
from keras_gans.metrics import edge_ratio, text_to_image_scores
from keras_gans.modalities import text_encoders
from keras_gans.training import recipes

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import timed

SIZE = 32
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "brown")
SHAPES = ("heart", "circle", "square")
HELD_OUT = (
    "blue heart",
    "green circle",
    "red square",
    "yellow heart",
    "orange square",
    "purple circle",
    "brown heart",
    "blue square",
)
# Hearts alone have them: what is of such a colour is of none of the seven.
OTHERS = ("black", "white", "grey", "pink", "light blue")
INSIDE = 0.25  # how far from white a pixel of a shape is
LEAST_IOU = 0.8
SAMPLES = 64  # of each prompt
PRECISION_ROWS = 200  # pictures that R-precision is taken of


def pictures():
    """All pictures in [-1, 1], their names, and which are held out."""
    batches = load("emoji", image_size=SIZE, batch_size=157, shuffle=False)
    names = emoji().names
    held = np.isin(names, HELD_OUT)
    return np.concatenate(list(batches)), names, held


class Classifier:
    """Tells what colour and shape a picture is of."""

    def __init__(self, images, names):
        self.names = names
        of = {name: images[i] for i, name in enumerate(names)}
        self.colours = {
            c: np.mean([colour(of[f"{c} {s}"]) for s in SHAPES], axis=0)
            for c in COLOURS
        }
        self.colours |= {c: colour(of[f"{c} heart"]) for c in OTHERS}
        self.shapes = {
            s: np.mean([inside(of[f"{c} {s}"]) for c in COLOURS], axis=0)
            for s in SHAPES
        }

    def __call__(self, image):
        own = colour(image)
        nearest = min(self.colours, key=lambda c: np.linalg.norm(own - self.colours[c]))
        iou = {s: _iou(inside(image), mask) for s, mask in self.shapes.items()}
        best = max(iou, key=iou.get)
        return nearest, best if iou[best] >= LEAST_IOU else None

    def right(self, image, prompt):
        """Whether the colour and the shape are those of a prompt: two bools."""
        return tuple(
            a == b for a, b in zip(self(image), prompt.rsplit(" ", 1), strict=True)
        )


def inside(image):
    return (1.0 - (image + 1) / 2).max(axis=-1) > INSIDE


def colour(image):
    mask = inside(image)
    return (image[mask].mean(axis=0) + 1) / 2 if mask.any() else np.ones(3)


def _iou(a, b):
    return np.minimum(a, b).sum() / np.maximum(a, b).sum()


def scores_of(classifier, made):
    """The scores of `[prompts, samples, ...]`."""
    rights = np.array(
        [
            [classifier.right(x, prompt) for x in rows]
            for prompt, rows in zip(HELD_OUT, made, strict=True)
        ]
    )
    both = rights.all(axis=-1).mean(axis=1)
    return {
        "right": round(float(both.sum()), 2),
        "colour": round(float(rights[..., 0].mean(axis=1).sum()), 2),
        "shape": round(float(rights[..., 1].mean(axis=1).sum()), 2),
        "right_most": int((both > 0.5).sum()),
        "right_each": {
            p: round(float(x), 2) for p, x in zip(HELD_OUT, both, strict=True)
        },
    }


class Regressor(keras.Model):
    """A generator trained by an error of pixels alone."""

    def __init__(self, generator):
        super().__init__()
        self.generator = generator

    def call(self, vectors, training=False):
        # The most likely code: no other could be told from the sentence.
        codes = ops.zeros((ops.shape(vectors)[0], self.generator.inputs[0].shape[1]))
        return self.generator([codes, vectors], training=training)


def train(args):
    images, names, held = pictures()
    kept = np.flatnonzero(~held)
    captions = emoji_captions()
    keras.utils.set_random_seed(args.seed)
    encoder = text_encoders.resolve(args.encoder)
    left = args.work / f"{_name(args)}.json"
    before = json.loads(left.read_text()) if args.resume else {"seconds": 0, "steps": 0}
    data = load_captions(
        (images[kept], [captions[i] for i in kept]),
        encoder,
        batch_size=args.batch_size,
        key=encoder.key,
        seed=args.seed,
        repeat=True,
        start=before["steps"],
    )
    budget = timed.Budget(args.seconds - before["seconds"], args.clock)
    fit = {"epochs": 10**6, "steps_per_epoch": 200, "verbose": 0}
    fit["callbacks"] = [budget]
    if args.model == "regressor":
        recipe = recipes.get("dfgan")
        gan = kg.DFGAN(**{**recipe.arguments, "encoder": args.encoder}, seed=args.seed)
        model = Regressor(gan.generator)
        model.compile(keras.optimizers.Adam(5e-4, 0.5, 0.9), loss=args.loss)
        budget.loss = "loss"
        fit["callbacks"] = [OfRegressor(budget)]
        model.fit(data.map(lambda x, v: (v, x)), **fit)

        def sample(vectors, seed):
            return model.predict(vectors, verbose=0)
    else:
        recipe = recipes.get(args.model)
        gan = recipes.model_of(recipe)(
            **{**recipe.arguments, "encoder": args.encoder}, seed=args.seed
        )
        recipes.compile(recipe, gan)
        if args.resume:
            gan = keras.models.load_model(args.work / f"{_name(args)}.keras")
        classifier = Classifier(images, names)
        fit["callbacks"].append(Grids(args.work / _name(args), gan, classifier))
        gan.fit(data, **fit)
        args.work.mkdir(parents=True, exist_ok=True)
        gan.save(args.work / f"{_name(args)}.keras", overwrite=True)
        before["seconds"] += budget.seconds
        before["steps"] += budget.steps
        left.write_text(json.dumps(before))

        def sample(vectors, seed):
            return gan.sample(len(vectors), seed=seed, text=vectors)

    row = {
        "model": args.model,
        **({"loss": args.loss} if args.model == "regressor" else {}),
        "encoder": args.encoder,
        "seed": args.seed,
        "seconds": args.seconds,
        "clock": args.clock,
        "steps": budget.steps if args.model == "regressor" else before["steps"],
        "batch_size": args.batch_size,
        **scored(encoder, images, names, held, sample),
    }
    show(sample, encoder, args.work / f"{_name(args)}.png")
    write(args.results, row)


def score(args):
    """A training that was ended, by what it saved last."""
    images, names, held = pictures()
    gan = keras.models.load_model(args.work / _name(args) / "now.keras")
    encoder = gan.text.encoder

    def sample(vectors, seed):
        return gan.sample(len(vectors), seed=seed, text=vectors)

    about = ("model", "encoder", "seed", "seconds", "clock", "steps", "batch_size")
    row = {name: getattr(args, name) for name in about}
    row |= {"ended_early": True, **scored(encoder, images, names, held, sample)}
    show(sample, encoder, args.work / f"{_name(args)}.png")
    write(args.results, row)


def _name(args):
    model = f"regressor-{args.loss}" if args.model == "regressor" else args.model
    return f"{model}-{args.encoder}-{args.seed}"


def scored(encoder, images, names, held, sample):
    """All scores of a function from (vectors, seed) to pictures."""
    classifier = Classifier(images, names)
    prompts = encoder(HELD_OUT)
    made = sample(prompts.repeat(SAMPLES, axis=0), 1)
    scores = scores_of(
        classifier, made.reshape(len(HELD_OUT), SAMPLES, *made.shape[1:])
    )
    seen = np.flatnonzero(~held)
    vectors = encoder([names[i] for i in seen])
    fake = sample(vectors, 2)
    scores["edges"] = round(edge_ratio(images[seen], fake), 3)
    rows = np.random.default_rng(0).permutation(len(seen))
    few, others = rows[:PRECISION_ROWS], rows[PRECISION_ROWS:]
    told = text_to_image_scores(
        fake[few],
        vectors[few],
        real=images[seen][few],
        train=images[seen][others],
        train_vectors=vectors[others],
    )
    return {**scores, "text": told.rounded()}


class Grids(keras.callbacks.Callback):
    """Pictures on the way, and what the classifier says of a few."""

    def __init__(self, folder, gan, classifier):
        super().__init__()
        self.folder, self.gan, self.classifier = folder, gan, classifier

    def on_epoch_end(self, epoch, logs=None):
        texts = list(HELD_OUT) * 2 + ["red heart", "cat", "tree", "smiling face"] * 2
        preview = self.gan.modality.preview(self.gan.sample(texts=texts), 8, texts)
        self.folder.mkdir(parents=True, exist_ok=True)
        preview.save(self.folder / "now.png", overwrite=True)
        vectors = self.gan.encode(HELD_OUT).repeat(8, axis=0)
        made = self.gan.sample(len(vectors), seed=1, text=vectors)
        made = made.reshape(len(HELD_OUT), 8, *made.shape[1:])
        print(json.dumps(scores_of(self.classifier, made)), flush=True)
        self.gan.save(self.folder / "now.keras")


class OfRegressor(keras.callbacks.Callback):
    """`timed.Budget` of a model whose loss has Keras's name."""

    def __init__(self, budget):
        super().__init__()
        self.budget = budget

    def set_model(self, model):
        super().set_model(model)
        self.budget.set_model(model)

    def on_train_begin(self, logs=None):
        self.budget.on_train_begin()

    def on_train_batch_end(self, batch, logs=None):
        self.budget.on_train_batch_end(batch, {"g_loss": logs["loss"]})

    def on_epoch_end(self, epoch, logs=None):
        self.budget.on_epoch_end(epoch, {"loss": logs["loss"]})


def show(sample, encoder, path):
    """Six samples of each prompt held out, and some of captions that were seen."""
    seen = ("red heart", "blue circle", "green square", "cat face", "smiling face")
    seen += ("deciduous tree", "red apple", "sun")
    prompts = [*HELD_OUT, *seen]
    made = sample(encoder(prompts).repeat(6, axis=0), 3)
    made = made.reshape(len(prompts), 6, *made.shape[1:])
    tiles = np.concatenate([np.moveaxis(made[i : i + 8], 1, 0) for i in (0, 8)])
    titles = [p for i in (0, 8) for p in prompts[i : i + 8] * 6]
    image = kg.Image(made.shape[2:])
    preview = image.preview(tiles.reshape(-1, *made.shape[2:]), 8, titles)
    path.parent.mkdir(parents=True, exist_ok=True)
    preview.save(path, overwrite=True)


def floors(args):
    """Real pictures, and those of the nearest caption that was seen."""
    images, names, held = pictures()
    classifier = Classifier(images, names)
    seen = np.flatnonzero(~held)
    own = images[[names.index(p) for p in HELD_OUT]][:, None]
    write(
        args.results, {"model": "real", "encoder": None, **scores_of(classifier, own)}
    )
    for name in text_encoders.NAMES:
        encoder = text_encoders.resolve(name)
        vectors = encoder([names[i] for i in seen])

        def nearest(wanted, seed):
            return images[seen][(wanted @ vectors.T).argmax(axis=1)]  # noqa: B023

        made = nearest(encoder(HELD_OUT), 0)[:, None]
        row = {
            "model": "nearest caption",
            "encoder": name,
            **scores_of(classifier, made),
        }
        write(args.results, row)


def write(path, row):
    print(json.dumps(row, indent=1))
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a") as file:
        file.write(json.dumps(row) + "\n")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("what", choices=("train", "score", "floors"))
    add("model", nargs="?", default="dfgan")
    add("--encoder", choices=text_encoders.NAMES, default="words")
    add("--loss", choices=("mae", "mse"), default="mae", help="of `regressor`")
    add("--seed", type=int, default=0)
    add("--seconds", type=float, default=900.0)
    add("--clock", choices=tuple(timed.CLOCKS), default="cpu")
    add("--steps", type=int, help="of `score`")
    add("--resume", action="store_true", help="of `train` of a recipe")
    add("--batch_size", type=int, default=32)
    add("--results", type=pathlib.Path, default="results/text_to_image.jsonl")
    add("--work", type=pathlib.Path, default="runs/text_to_image")
    args = parser.parse_args()
    {"train": train, "score": score, "floors": floors}[args.what](args)


if __name__ == "__main__":
    main()
