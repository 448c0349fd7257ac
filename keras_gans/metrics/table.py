"""The metrics of `evaluate`: names, directions, settings."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from keras_gans.metrics.functional.distances import frechet_distance, kernel_distance
from keras_gans.metrics.functional.manifolds import density_coverage, precision_recall
from keras_gans.metrics.functional.scores import inception_score
from keras_gans.utils.suggestions import hint

if TYPE_CHECKING:
    from keras_gans.metrics.features.network import FeatureNetwork


class Metric(NamedTuple):
    """What `evaluate` knows of a metric.

    Args:
        published: str, its name with the published Inception weights; `None`
            where it has no name of its own with these.
        name: str, its name with another network, after the network's.
        lower: bool, whether lower is better.
        takes: what it takes: "moments", "features" or "logits".
        settings: dict, what it may be told, and the defaults.
        function: function of `(real, fake, seed, **settings)`.
    """

    published: str | None
    name: str
    lower: bool
    takes: str
    settings: dict
    function: Any


def _fid(real, fake, seed):
    return frechet_distance(real, fake)


def _kid(real, fake, seed, subsets, subset_size):
    return kernel_distance(real, fake, subsets, subset_size, seed)


def _is(real, fake, seed, splits):
    return inception_score(fake, splits)


def _precision_recall(real, fake, seed, k):
    return precision_recall(real, fake, k)


def _density_coverage(real, fake, seed, k):
    return density_coverage(real, fake, k)


def _manifold(name, k, function):
    return Metric(None, name, False, "features", {"k": k}, function)


METRICS = {
    "fid": Metric("FID", "Fréchet distance", True, "moments", {}, _fid),
    "kid": Metric(
        "KID",
        "kernel distance",
        True,
        "features",
        {"subsets": None, "subset_size": None},
        _kid,
    ),
    "is": Metric(
        "Inception score", "inception score", False, "logits", {"splits": 10}, _is
    ),
    "precision": _manifold("precision", 3, _precision_recall),
    "recall": _manifold("recall", 3, _precision_recall),
    "density": _manifold("density", 5, _density_coverage),
    "coverage": _manifold("coverage", 5, _density_coverage),
}


def name_of(metric: str, network: "FeatureNetwork") -> str:
    """What a score may be called: FID with Inception's true weights only."""
    known = METRICS[metric]
    if network.is_published and known.published:
        return known.published
    return f"{network.title} {known.name}"


def check_metrics(metrics: str | Sequence[str]) -> tuple[str, ...]:
    """Returns names of metrics as a tuple.

    Raises:
        ValueError: one is unknown or comes twice, or there is none.
    """
    names = (metrics,) if isinstance(metrics, str) else tuple(metrics)
    for name in names:
        if name not in METRICS:
            raise ValueError(
                f"Unknown metric. Received: {name!r}. Expected some of "
                f"{', '.join(METRICS)}.{hint(name, METRICS)}"
            )
    if not names or len(set(names)) < len(names):
        raise ValueError(
            f"`metrics` are one or more different names of "
            f"{', '.join(METRICS)}. Received: {metrics!r}."
        )
    return names


def check_settings(
    settings: Mapping[str, dict] | None, metrics: Sequence[str]
) -> dict[str, dict]:
    """The settings of each metric, defaults filled in.

    Raises:
        ValueError: a metric is not asked for, or does not know a setting.
    """
    settings = dict(settings or {})
    for name, options in settings.items():
        if name not in metrics:
            raise ValueError(
                f"`settings` are of the metrics asked for, "
                f"{', '.join(metrics)}. Received: {name!r}."
                f"{hint(name, metrics)}"
            )
        known = METRICS[name].settings
        for key in options:
            if key not in known:
                raise ValueError(
                    f"The settings of {name!r} are "
                    f"{', '.join(known) or 'none'}. Received: {key!r}."
                    f"{hint(key, known)}"
                )
    return {
        name: {**METRICS[name].settings, **settings.get(name, {})} for name in metrics
    }
