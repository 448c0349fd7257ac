"""VoxelGAN on the embedded furniture: scores, floors, meshes, turntables.

    python benchmarks/quality/volumes.py train --seed=0 --seconds=1200
    python benchmarks/quality/volumes.py vae --seed=0 --seconds=1200
    python benchmarks/quality/volumes.py floors
    python benchmarks/quality/volumes.py pictures --seed=0 --seconds=1200
    python benchmarks/quality/volumes.py picture_floors
    python benchmarks/quality/volumes.py reals
    python benchmarks/quality/volumes.py docs

`train` trains the recipe `voxel_gan` for so many seconds of processor time on 700
of the 820 solids, scores as many samples as there are solids held out, writes
their meshes and checks that each is closed, and appends a line to
results/volumes.jsonl. `vae` does the same by a conditional variational
autoencoder of the same generator. `floors` scores what has learned nothing.
`pictures` trains the recipe `image_to_volume` on pictures of the same solids and
their turns, and compares what it makes of pictures of those held out with them;
`picture_floors` does so for the mean, the nearest picture and ridge regression,
each at the threshold and the ridge that suit the solids held out best.
`reals` writes a turntable of some of the solids for
docs/voxel_gan.md; `docs` prints its tables and those of docs/image_to_volume.md, and
puts the pictures of samples there.

Near twins (an IoU of 0.95 or more) are held out together or not at all.
"""

import argparse
import json
import pathlib
import shutil
import time

import keras
from keras import layers, ops
import numpy as np

import keras_gans as kg
from keras_gans.data import furniture, render_volumes
from keras_gans.metrics import volume_iou, volume_scores
from keras_gans.networks.voxels import voxel_discriminator, voxel_generator
from keras_gans.training import recipes

HELD_OUT = 120
TWINS = 0.95
SOLIDS = kg.Volume(32)
FORM = "iwgan32"
IMAGES = pathlib.Path("docs/images")
SCORES = (
    "nearest_accuracy",
    "real_accuracy",
    "fake_accuracy",
    "coverage",
    "mmd_iou",
    "pair_iou",
)


def split():
    """(volumes, labels) to train on, and (volumes, labels) held out."""
    solids = furniture()
    volumes, labels = solids.volumes.astype("float32"), solids.labels
    held = held_out(volumes)
    return (volumes[~held], labels[~held]), (volumes[held], labels[held])


def held_out(volumes):
    """Which solids are held out: whole groups of near twins, drawn by one seed."""
    group = np.arange(len(volumes))
    for i, j in np.argwhere(np.triu(volume_iou(volumes, volumes) >= TWINS, 1)):
        group[group == group[j]] = group[i]
    held = np.zeros(len(volumes), bool)
    for one in np.random.default_rng(0).permutation(np.unique(group)):
        members = group == one
        if held.sum() + members.sum() <= HELD_OUT:
            held |= members
    return held


def scored(real, fake):
    scores = volume_scores(real, fake)
    return {name: round(getattr(scores, name), 3) for name in SCORES}


class Clock(keras.callbacks.Callback):
    """Ends training after so many seconds of processor time; scores on the way."""

    def __init__(self, seconds, score):
        super().__init__()
        self.seconds, self.score = seconds, score
        self.steps, self.spent, self.next, self.curve = 0, 0.0, seconds / 5, []

    def on_train_begin(self, logs=None):
        self.start = time.process_time()

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        self.spent = time.process_time() - self.start
        if self.spent >= self.next:
            begin = time.process_time()
            told = {k: round(float(v), 3) for k, v in (logs or {}).items()}
            self.curve.append({"seconds": round(self.spent), **self.score()})
            print(self.steps, self.curve[-1], told, flush=True)
            self.next += self.seconds / 5
            self.start += time.process_time() - begin  # scoring is not training
        if self.spent >= self.seconds:
            self.model.stop_training = True


def batches(volumes, labels, batch_size, seed):
    """Endless batches, of which each solid is mirrored or not."""
    rng = np.random.default_rng(seed)
    while True:
        order = rng.permutation(len(volumes))
        for i in range(0, len(order) - batch_size + 1, batch_size):
            rows = order[i : i + batch_size]
            x, mirrored = volumes[rows], rng.random(batch_size) < 0.5
            x[mirrored] = x[mirrored, ::-1]
            yield x, labels[rows]


def train(seed, seconds, work, results):
    recipe = recipes.get("voxel_gan")
    (volumes, labels), (real, wanted) = split()
    keras.utils.set_random_seed(seed)
    classes = len(furniture().label_names)
    gan = kg.VoxelGAN(**recipe.arguments, num_classes=classes, seed=seed)
    recipes.compile(recipe, gan)

    low, high = gan.modality.range

    def sample():
        made = gan.sample(len(real), seed=1, labels=wanted)
        return (made - low) / (high - low)

    clock = Clock(seconds, lambda: scored(real, sample()))
    data = (
        (low + (high - low) * x, label)
        for x, label in batches(volumes, labels, recipe.batch_size, seed)
    )
    gan.fit(data, epochs=10**6, steps_per_epoch=1000, verbose=0, callbacks=[clock])
    work.mkdir(parents=True, exist_ok=True)
    gan.save(work / f"seed{seed}.keras")
    fake = sample()
    show(fake, wanted, work / f"seed{seed}.png")
    write(
        results,
        {
            "what": f"VoxelGAN, seed {seed}",
            "seconds": round(clock.spent),
            "steps": clock.steps,
            **scored(real, fake),
            **checked(fake, volumes, work / f"meshes{seed}"),
            "curve": clock.curve,
        },
    )


def checked(fake, volumes, folder):
    """What meshes of samples are, and how near samples come to what was seen."""
    import trimesh

    nearest = volume_iou(fake, volumes).max(axis=1)
    folder.mkdir(parents=True, exist_ok=True)
    closed = empty = 0
    for i, solid in enumerate(fake):
        if not (solid > 0.5).any():
            empty += 1
            continue
        path = folder / f"{i:03d}.glb"
        SOLIDS.write(path, solid, overwrite=True)
        mesh = trimesh.load(path, force="mesh")
        closed += bool(mesh.is_watertight and mesh.volume > 0)
    return {
        "closed_meshes": closed,
        "empty": empty,
        "samples": len(fake),
        "copies": int((nearest >= TWINS).sum()),
        "seen_iou": round(float(nearest.mean()), 3),
    }


def show(fake, labels, path):
    """A picture of three solids of each class, and a GIF file beside it."""
    names = furniture().label_names
    order = [i for c in range(len(names)) for i in np.flatnonzero(labels == c)[:3]]
    order = sorted(order, key=lambda i: labels[i])
    told = [names[labels[i]] for i in order]
    preview = SOLIDS.preview(fake[order], 6, told)
    preview.save(path, overwrite=True)


class VAE(keras.Model):
    """A conditional variational autoencoder of VoxelGAN's generator."""

    def __init__(self, size, width, latent_dim, classes):
        super().__init__()
        # Its features are those of VoxelGAN's discriminator.
        seen = voxel_discriminator(FORM, size, 1, width)
        self.features = keras.Model(seen.input, seen.get_layer("features").output)
        self.code = layers.Dense(2 * latent_dim)
        self.generator = voxel_generator(
            FORM, size, 1, latent_dim, width, num_classes=classes
        )
        self.classes, self.latent_dim = classes, latent_dim
        self.noise = keras.random.SeedGenerator(0)

    def call(self, given, training=False):
        x, label = given
        shown = [self.features(x, training=training), ops.one_hot(label, self.classes)]
        mean, spread = ops.split(self.code(ops.concatenate(shown, axis=-1)), 2, -1)
        drawn = keras.random.normal(ops.shape(mean), seed=self.noise)
        z = mean + ops.exp(0.5 * spread) * drawn
        made = self.generator([z, label], training=training)
        kl = 0.5 * ops.sum(ops.square(mean) + ops.exp(spread) - spread - 1, axis=-1)
        made = (made + 1) / 2
        errors = ops.reshape(keras.losses.binary_crossentropy(x, made), (-1, 32**3))
        self.add_loss(ops.mean(ops.sum(errors, axis=-1) + kl))
        return made


def vae(seed, seconds, work, results):
    recipe = recipes.get("voxel_gan")
    (volumes, labels), (real, wanted) = split()
    keras.utils.set_random_seed(seed)
    own = {k: recipe.arguments[k] for k in ("width", "latent_dim")}
    model = VAE(32, **own, classes=len(furniture().label_names))
    model.compile(keras.optimizers.Adam(1e-3))

    def sample():
        z = np.random.default_rng(1).normal(size=(len(real), model.latent_dim))
        made = model.generator.predict([z.astype("float32"), wanted], verbose=0)
        return (made + 1) / 2

    clock = Clock(seconds, lambda: scored(real, sample()))
    data = (
        ((x, label), x)
        for x, label in batches(volumes, labels, recipe.batch_size, seed)
    )
    model.fit(data, epochs=10**6, steps_per_epoch=1000, verbose=0, callbacks=[clock])
    fake = sample()
    work.mkdir(parents=True, exist_ok=True)
    show(fake, wanted, work / f"vae{seed}.png")
    write(
        results,
        {
            "what": f"conditional VAE, seed {seed}",
            "seconds": round(clock.spent),
            "steps": clock.steps,
            **scored(real, fake),
            "curve": clock.curve,
        },
    )


def floors(results):
    (volumes, labels), (real, wanted) = split()
    rng = np.random.default_rng(0)
    drawn = rng.permutation(len(volumes))[: len(real)]
    told = "as many of the solids to train on"
    write(results, {"what": told, **scored(real, volumes[drawn])})
    means = np.stack([volumes[labels == c].mean(axis=0) for c in range(8)])[wanted]
    noise = rng.random(means.shape) < means
    told = "class mean with noise: each voxel drawn by it"
    write(results, {"what": told, **scored(real, noise)})
    # As many voxels as the median solid of the class has.
    most = np.stack(
        [
            _likeliest(mean, volumes[labels == c])
            for mean, c in zip(means, wanted, strict=True)
        ]
    )
    told = "class mean: its likeliest voxels"
    write(results, {"what": told, **scored(real, most)})
    flat = volumes.reshape(len(volumes), -1)
    centred = flat - flat.mean(axis=0)
    mixed = rng.normal(size=(len(real), len(flat))) @ centred
    gaussian = flat.mean(axis=0) + mixed / np.sqrt(len(flat) - 1)
    told = "PCA-Gaussian of the solids"
    write(results, {"what": told, **scored(real, gaussian.reshape(real.shape))})


def _likeliest(mean, solids):
    count = int(np.median(solids.sum(axis=(1, 2, 3, 4))))
    return mean >= np.sort(mean, axis=None)[-count]


def turned(volumes):
    """Solids in their four quarter turns, as they are and mirrored."""
    both = (volumes, volumes[:, ::-1])
    return np.concatenate([np.rot90(v, k, (1, 3)) for v in both for k in range(4)])


def shared(real, made):
    """The mean IoU of each solid with what was made of its picture."""
    a, b = (np.reshape(x, (len(x), -1)) > 0.5 for x in (real, made))
    return float(((a & b).sum(axis=1) / np.maximum((a | b).sum(axis=1), 1)).mean())


def pictures(seed, seconds, work, results):
    recipe = recipes.get("image_to_volume")
    (volumes, _), (real, _) = split()
    volumes = turned(volumes)
    seen = render_volumes(volumes)
    asked = render_volumes(real)
    keras.utils.set_random_seed(seed)
    gan = kg.ImageToVolume(**recipe.arguments, seed=seed)
    recipes.compile(recipe, gan)

    def made():
        return (gan.sample(len(real), source=asked) + 1) / 2

    def endless():
        rng = np.random.default_rng(seed)
        while True:
            rows = rng.integers(0, len(volumes), recipe.batch_size)
            yield seen[rows], 2 * volumes[rows] - 1

    clock = Clock(seconds, lambda: {"iou": round(shared(real, made()), 3)})
    gan.fit(endless(), epochs=10**6, steps_per_epoch=1000, verbose=0, callbacks=[clock])
    work.mkdir(parents=True, exist_ok=True)
    gan.save(work / f"pictures{seed}.keras")
    fake = made()
    sides, columns = beside(asked[:12], fake[:12], real[:12])
    grid = kg.Image(sides.shape[1:]).preview(sides, columns)
    grid.save(work / f"pictures{seed}.png", overwrite=True)
    line = {
        "what": f"ImageToVolume, seed {seed}",
        "seconds": round(clock.spent),
        "steps": clock.steps,
        "iou": round(shared(real, fake), 3),
        "curve": clock.curve,
    }
    write(results, line)


def beside(asked, fake, real):
    """Tiles of pictures, what was made of each, and what it shows."""
    views = [render_volumes(x, 96) for x in (fake, real)]
    large = np.repeat(np.repeat(asked, 3, axis=1), 3, axis=2)
    tiles = np.stack([large, *views], axis=1)
    return tiles.reshape(-1, 96, 96, 1), 6


def picture_floors(results):
    (volumes, _), (real, _) = split()
    seen, asked = render_volumes(volumes), render_volumes(real)
    x, y, p = (a.reshape(len(a), -1) for a in (seen, volumes, asked))
    cuts = np.arange(0.1, 0.55, 0.05)

    def best(made):
        return round(max(shared(real, 0.5 + (made - cut)) for cut in cuts), 3)

    mean = np.repeat(y.mean(axis=0)[None], len(p), axis=0)
    write(results, {"what": "mean solid", "iou": best(mean)})
    squares = (p**2).sum(axis=1)[:, None] + (x**2).sum(axis=1) - 2 * p @ x.T
    nearest = shared(real, volumes[squares.argmin(axis=1)])
    write(results, {"what": "nearest picture", "iou": round(nearest, 3)})
    centre = x.mean(axis=0)
    kernel, across = (x - centre) @ (x - centre).T, (p - centre) @ (x - centre).T
    scores = []
    for ridge in (3, 10, 30, 100, 300, 1000):
        solved = np.linalg.solve(kernel + ridge * np.eye(len(x)), y - y.mean(axis=0))
        scores.append(best(y.mean(axis=0) + across @ solved))
    write(results, {"what": "ridge regression of pixels", "iou": max(scores)})
    best_seen = volume_iou(real, volumes).max(axis=1).mean()
    write(
        results, {"what": "best of the solids seen", "iou": round(float(best_seen), 3)}
    )


def write(results, line):
    print(line, flush=True)
    results.parent.mkdir(exist_ok=True)
    with results.open("a") as file:
        file.write(json.dumps(line) + "\n")


def reals():
    """A picture of two solids of each class, and a GIF file beside it."""
    solids = furniture()
    classes = [c for c, name in enumerate(solids.label_names) if name != "other"]
    order = [i for c in classes for i in np.flatnonzero(solids.labels == c)[1:3]]
    names = [solids.label_names[solids.labels[i]] for i in order]
    shown = solids.volumes[order].astype("float32")
    path = IMAGES / "voxel_gan_reals.png"
    SOLIDS.preview(shown, 7, names).save(path, overwrite=True)


def docs(work, results):
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    newest = {line["what"]: line for line in lines}
    print("| pictures to solids | mean IoU |")
    print("|---|---|")
    for what, line in newest.items():
        if "iou" in line:
            steps = f", {line['steps']:,} steps" if "steps" in line else ""
            print(f"| {what}{steps} | {line['iou']:.3f} |")
    print()
    newest = {what: line for what, line in newest.items() if "coverage" in line}
    print("| | 1-NN accuracy | of reals | of fakes | coverage | MMD-IoU | pair IoU |")
    print("|---|---|---|---|---|---|---|")
    for what, line in newest.items():
        steps = f", {line['steps']:,} steps" if "steps" in line else ""
        numbers = " | ".join(f"{line[name]:.3f}" for name in SCORES)
        print(f"| {what}{steps} | {numbers} |")
    shutil.copy(work / "seed0.png", IMAGES / "voxel_gan_furniture.png")
    gif = work / "seed0-turntable.gif"
    shutil.copy(gif, IMAGES / "voxel_gan_furniture.gif")
    shutil.copy(work / "pictures0.png", IMAGES / "image_to_volume.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = ("train", "vae", "floors", "pictures", "picture_floors", "reals", "docs")
    parser.add_argument("command", choices=commands)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=1200)
    parser.add_argument(
        "--results", type=pathlib.Path, default=pathlib.Path("results/volumes.jsonl")
    )
    parser.add_argument(
        "--work", type=pathlib.Path, default=pathlib.Path("runs/volumes")
    )
    args = parser.parse_args()
    trained = {"train": train, "vae": vae, "pictures": pictures}
    if args.command in trained:
        run = trained[args.command]
        run(args.seed, args.seconds, args.work, args.results)
    elif args.command == "floors":
        floors(args.results)
    elif args.command == "reals":
        reals()
    elif args.command == "picture_floors":
        picture_floors(args.results)
    else:
        docs(args.work, args.results)


if __name__ == "__main__":
    main()
