"""`evaluate`: scores of images, with all that they depend on."""

from collections.abc import Mapping, Sequence
import os
from typing import Any
import warnings

import numpy as np

from keras_gans.core.gan import BaseGAN
from keras_gans.metrics import sets
from keras_gans.metrics.features.extraction import extract
from keras_gans.metrics.features.network import FeatureNetwork
from keras_gans.metrics.record import Record
from keras_gans.metrics.table import METRICS, check_metrics, check_settings, name_of
from keras_gans.utils.types import Path, Size
from keras_gans.utils.validation import check_count, check_seed, check_size
from keras_gans.version import __version__


def evaluate(
    fake: Any,
    real: Any = None,
    metrics: str | Sequence[str] = ("fid", "kid"),
    network: Any = "lite0",
    *,
    n: int | None = None,
    reals: int | None = None,
    seed: int = 0,
    weights: Path | None = None,
    input_size: Size | None = None,
    resize: str | None = None,
    value_range: tuple[float, float] | None = None,
    image_size: Size | None = None,
    split: str | None = None,
    data_dir: Path | None = None,
    on_error: str = "raise",
    settings: Mapping[str, dict] | None = None,
    batch_size: int = 64,
    cache_dir: Path | None = None,
    verbose: int = 1,
) -> list[Record]:
    """Scores fakes against reals.

    Both are given as

    - an array `[n, height, width, channels]`, uint8, uint16 or floats in
      `value_range`, of 1 or 3 channels;
    - a tuple `(array, labels)`;
    - an iterable of batches of such images, or of tuples that begin with
      them: a `tf.data.Dataset`;
    - the path of a folder or zip archive of image files of any sizes,
      searched with its subfolders; or `"emoji"`, `"tfds:NAME"`, as
      `keras_gans.data.load` has them;
    - for fakes: a GAN, which draws `sample(n, seed)`. A conditional one draws
      the labels of the reals where these have labels, and else class i % number
      of classes for sample i. Folders and named sets of reals then are
      cropped and scaled to the GAN's size and channels, as for training.

    Whatever they are, the network sees them rounded to 8 bits a channel, as
    files hold them, and resized one by one. Grey becomes colour.

    Features are computed once, in one pass over each set, and serve all
    metrics. Where only "fid" and none of the others but "is" is asked, memory
    does not depend on the number of images.

    Args:
        fake: see above.
        real: see above; `None` where only "is" is asked.
        metrics: names of what to measure, in the order of the result:

            - `"fid"`: `frechet_distance`, lower is better;
            - `"kid"`: `kernel_distance`, lower is better;
            - `"is"`: `inception_score` of the network's logits;
            - `"precision"`, `"recall"`: `precision_recall`;
            - `"density"`, `"coverage"`: `density_coverage`.
        network: `"lite0"`, `"inception"`, a Keras model, a function, or a
            `FeatureNetwork`.
        n: int, how many samples of a GAN (by default as many as the reals), or
            the first how many of other fakes (by default all).
        reals: int, how many of the reals to see, the first; by default all.
        seed: int, of the samples and of random subsets.
        weights: see `FeatureNetwork`, as for the next two.
        input_size: int or `(height, width)`.
        resize: str.
        value_range: tuple `(lo, hi)` of float images; [-1, 1] by default.
        image_size: int or `(height, width)` to which folders and named sets
            of reals are cropped and scaled first; by default a GAN's, or none.
        split: str, which split of a "tfds:" set (`"train"`); of others, what
            the record shall say.
        data_dir: where tensorflow-datasets keeps its data.
        on_error: "raise", or "skip" to leave out files that cannot be read.
        settings: dict of metric to dict of its arguments, e.g.
            `{"kid": {"subsets": 100, "subset_size": 1000}}`.
        batch_size: int, images that the network sees at a time.
        cache_dir: str or path where features of images are kept by their
            content, for the next time; those of a GAN's samples are not. By
            default nothing is kept.
        verbose: 0 or 1, whether to show progress bars.

    Returns:
        A list of `Record`, one for each of `metrics`.

    Raises:
        ValueError: an argument, an image or a set is unusable; the message
            names it.
        FileNotFoundError: a network's weights are not there.

    Warns:
        UserWarning: there are fewer images than features for "fid", or reals
            and fakes differ in size.

    Example:

    ```python
    rng = np.random.default_rng(0)
    real = rng.integers(0, 256, (8, 16, 16, 3), "uint8")
    records = keras_gans.metrics.evaluate(
        gan, real, ["kid"], n=8, input_size=32, batch_size=8, verbose=0
    )
    print(records[0])
    ```

    Reference:
        Each metric's own function names its paper.
    """
    if n is not None:
        check_count(n)
    if reals is not None:
        check_size("reals", reals)
    gan = fake if isinstance(fake, BaseGAN) else None
    if gan is not None:
        sets.check_gan(gan)
    else:  # bad ones are met before the reals take their time
        fake = sets.of_images(fake, "fake", value_range, n, on_error)
    if not isinstance(network, FeatureNetwork):
        network = FeatureNetwork(network, weights, input_size, resize)
    elif (weights, input_size, resize) != (None, None, None):
        raise ValueError(
            "`weights`, `input_size` and `resize` are given where the "
            "FeatureNetwork is made. Received: both it and them."
        )
    evaluator = Evaluator(
        real,
        metrics,
        network,
        gan=gan,
        value_range=value_range,
        image_size=image_size,
        split=split,
        data_dir=data_dir,
        on_error=on_error,
        settings=settings,
        batch_size=batch_size,
        cache_dir=cache_dir,
        verbose=verbose,
        n=reals,
    )
    return evaluator.score(fake, n, seed)


class Evaluator:
    """Scores many sets of fakes against the same reals, seen once.

    Args:
        real: see `evaluate`, as for all the others.
        metrics: names.
        network: `FeatureNetwork`.
        gan: `BaseGAN`, whose size and labels the reals are read for.
        value_range: tuple.
        image_size: int or tuple.
        split: str.
        data_dir: str or path.
        on_error: str.
        settings: dict.
        batch_size: int.
        cache_dir: str or path.
        verbose: 0 or 1.
        n: int, how many of the reals to see.
    """

    def __init__(
        self,
        real: Any,
        metrics: str | Sequence[str],
        network: FeatureNetwork,
        gan: BaseGAN | None = None,
        value_range: tuple[float, float] | None = None,
        image_size: Size | None = None,
        split: str | None = None,
        data_dir: Path | None = None,
        on_error: str = "raise",
        settings: Mapping[str, dict] | None = None,
        batch_size: int = 64,
        cache_dir: Path | None = None,
        verbose: int = 1,
        n: int | None = None,
    ) -> None:
        self.metrics = check_metrics(metrics)
        self.settings = check_settings(settings, self.metrics)
        self.network = network
        self.split = split
        if split is None and _is_named(real, "tfds"):
            self.split = "train"
        self._keep = {
            METRICS[name].takes
            for name in self.metrics
            if METRICS[name].takes != "moments"
        }
        self._options = {
            "network": network,
            "batch_size": batch_size,
            "cache_dir": cache_dir,
            "verbose": verbose,
        }
        self.real, self.real_name = None, None
        if set(self.metrics) == {"is"}:
            return
        if real is None:
            raise ValueError(
                f"Metrics but 'is' compare with reals. Received: real=None, "
                f"metrics={', '.join(self.metrics)}."
            )
        reals = _real_set(
            real, n, gan, value_range, image_size, self.split, data_dir, on_error
        )
        self.real_name = reals.name
        self.real = extract(reals, keep=self._keep - {"logits"}, **self._options)

    def score(
        self, fake: BaseGAN | sets.ImageSet, n: int | None = None, seed: int = 0
    ) -> list[Record]:
        """The records of a GAN's samples or of an `ImageSet`."""
        check_seed(seed)
        fakes = fake
        if isinstance(fake, BaseGAN):
            fakes = self._samples(fake, n, seed)
        features = extract(fakes, keep=self._keep, **self._options)
        self._check(features)
        values = {}
        return [
            self._record(name, fakes, features, seed, values) for name in self.metrics
        ]

    def _samples(self, gan, n, seed):
        if n is None and self.real is None:
            raise ValueError(
                "How many samples of the GAN? Pass `n`, e.g. n=5000. Received: none."
            )
        n = self.real.count if n is None else n
        labels = None
        if gan.labelled and self.real is not None:
            labels = _spread(self.real.labels, n)
        return sets.of_gan(gan, n, seed, labels)

    def _check(self, fake):
        if "fid" in self.metrics:
            for role, side in (("real", self.real), ("fake", fake)):
                if side.count < 2:
                    raise ValueError(
                        f"'fid' needs 2 images or more. Received: {side.count} "
                        f"in `{role}`."
                    )
        if self.real is None:
            return
        real, fake = self.real.size, fake.size
        if real and fake and real != fake:  # None where sizes are mixed
            warnings.warn(
                f"Reals are {real[0]} x {real[1]} pixels and fakes "
                f"{fake[0]} x {fake[1]}: they differ in sharpness "
                "before anything else. Bring them to one size, e.g. by "
                "`image_size` (--image_size).",
                UserWarning,
                stacklevel=4,
            )

    def _record(self, name, fakes, features, seed, values):
        metric, settings = METRICS[name], self.settings[name]
        call = (metric.function, str(settings))
        if call not in values:  # precision and recall come together
            real = None if self.real is None else _taken(self.real, metric)
            values[call] = metric.function(
                real, _taken(features, metric), seed, **settings
            )
        value, std = values[call], None
        if name in ("precision", "recall", "density", "coverage"):
            value = getattr(value, name)
        elif isinstance(value, tuple):
            value, std = value
        compares = name != "is"
        return Record(
            metric=name,
            name=name_of(name, self.network),
            value=float(value),
            std=std,
            reals=self.real.count if compares else None,
            fakes=features.count,
            real=self.real_name if compares else None,
            fake=fakes.name,
            split=self.split if compares else None,
            network=self.network.name,
            weights=self.network.weights,
            resize=self.network.resize,
            input_size=self.network.input_size,
            seed=int(seed),
            settings={k: v for k, v in settings.items() if v is not None},
            version=__version__,
        )


def _taken(features, metric):
    """What a metric takes of a set; features where there are no moments."""
    taken = getattr(features, metric.takes)
    return features.features if taken is None else taken


def _spread(labels, n):
    """`n` labels in the proportions of `labels`; `None` of none."""
    if labels is None:
        return None
    rows = np.arange(n)
    if n <= len(labels):
        return labels[rows * len(labels) // n]
    return labels[rows % len(labels)]


def _is_named(source, *kinds):
    """Whether `source` is a name of `data.load`, "emoji:flat" or "tfds:x"."""
    return isinstance(source, str) and source.partition(":")[0] in kinds


def _real_set(real, n, gan, value_range, image_size, split, data_dir, on_error):
    if not isinstance(real, (str, os.PathLike)):
        return sets.of_images(real, "real", value_range, n)
    source = os.fspath(real)
    named = _is_named(source, "emoji", "tfds")
    if not named and image_size is None and gan is None:
        return sets.of_images(source, "real", n=n, on_error=on_error)
    from keras_gans import data
    from keras_gans.data.places import find_place

    channels = 3
    if gan is not None:
        image_size = image_size or gan.modality.shape[:2]
        channels = gan.modality.shape[-1]
    labels = gan is not None and gan.labelled
    if labels and not named:
        place = find_place(source)
        labels = place is not None and bool(place.children()[0])
    options = {"split": split} if _is_named(source, "tfds") else {}
    batches = data.load(
        source,
        image_size=image_size,
        channels=channels,
        labels=labels,
        data_dir=data_dir,
        on_error=on_error,
        shuffle=False,
        drop_remainder=False,
        **options,
    )
    # Every byte of a set has a place in [-1, 1]: no doubt about the range.
    image_set = sets.of_images(batches, "real", sets.UNIT, n)
    name = source
    if not named:
        name = f"folder {os.path.basename(os.path.normpath(source))}"
    return image_set._replace(name=name)
