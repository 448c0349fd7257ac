"""Metrics of features and scores: reference numbers, laws, bad input."""

import json
import tracemalloc
import warnings

import keras
import numpy as np
from paths import GOLDEN
import pytest

from keras_gans import metrics


def rows(n, d=6, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def naive_squared_distances(x, y):
    return np.square(x[:, None] - y).sum(axis=-1)


def naive_reach(x, k):
    return np.sort(naive_squared_distances(x, x), axis=1)[:, k]  # 0: itself


def naive_precision_recall(real, fake, k):
    squared = naive_squared_distances(real, fake)
    precision = (squared <= naive_reach(real, k)[:, None]).any(axis=0).mean()
    recall = (squared <= naive_reach(fake, k)).any(axis=1).mean()
    return precision, recall


def test_numbers_of_the_references():
    arrays = np.load(GOLDEN / "metrics_features.npz")
    about = json.loads((GOLDEN / "metrics_features.json").read_text())
    want = {
        f"{part}.{name}": value
        for part, values in about["values"].items()
        for name, value in values.items()
    }
    real, fake = arrays["real"], arrays["fake"]
    subsets = metrics.kernel_distance(real, fake, 20, 100, seed=2020)
    score = metrics.inception_score(arrays["logits"])
    overlap = metrics.precision_recall(real, fake)
    density = metrics.density_coverage(real, fake)
    kid, isc = "kernel_inception_distance", "inception_score"
    got = {
        "fid.frechet_inception_distance": metrics.frechet_distance(real, fake),
        f"kid_subsets20_size100_seed2020.{kid}_mean": subsets.mean,
        f"kid_subsets20_size100_seed2020.{kid}_std": subsets.std,
        f"kid_one_subset_of_400.{kid}_mean": metrics.kernel_distance(
            real[:400], fake[:400]
        ),
        f"isc_10_splits_unshuffled.{isc}_mean": score.mean,
        f"isc_10_splits_unshuffled.{isc}_std": score.std,
        "precision_recall_k3.precision": overlap.precision,
        "precision_recall_k3.recall": overlap.recall,
        "prdc_k5.density": density.density,
        "prdc_k5.coverage": density.coverage,
    }
    # The references sum in float32: they differ by up to 6e-7, relatively.
    assert got == pytest.approx({key: want[key] for key in got}, rel=1e-6)


def test_a_set_against_itself():
    x = rows(300)
    assert metrics.frechet_distance(x, x) == pytest.approx(0, abs=1e-12)
    assert metrics.precision_recall(x, x) == (1, 1)
    assert metrics.density_coverage(x, x) == (1, 1)


def test_distances_are_symmetric_and_overlap_changes_sides():
    x, y = rows(300), rows(200, seed=1) + 0.5
    for distance in (metrics.frechet_distance, metrics.kernel_distance):
        assert distance(x, y) > 0.1
        assert type(distance(x, y)) is float
        assert distance(x, y) == pytest.approx(distance(y, x), rel=1e-12)
    precision, recall = metrics.precision_recall(x, y)
    assert metrics.precision_recall(y, x) == (recall, precision)


def of_moments(mean, covariance):
    """Features that have just these moments."""
    x = rows(100, len(mean))
    x -= x.mean(axis=0)
    white = np.linalg.solve(np.linalg.cholesky(np.cov(x, rowvar=False)), x.T)
    return (np.linalg.cholesky(covariance) @ white).T + mean


def test_frechet_distance_of_gaussians():
    mean, a, b = np.array([1.0, 2, 3]), [1.0, 4, 9], [4.0, 1, 16]
    x = of_moments(np.zeros(3), np.diag(a))
    y = of_moments(mean, np.diag(b))
    want = 14 + np.square(np.sqrt(a) - np.sqrt(b)).sum()
    assert metrics.frechet_distance(x, y) == pytest.approx(want, rel=1e-12)
    # That do not commute: tr (AB)^(1/2) = (tr AB + 2 det(AB)^(1/2))^(1/2).
    a, b = np.array([[2.0, 1], [1, 3]]), np.array([[4.0, -1], [-1, 1]])
    root = np.sqrt(np.trace(a @ b) + 2 * np.sqrt(np.linalg.det(a @ b)))
    got = metrics.frechet_distance(
        of_moments(np.zeros(2), a), of_moments(np.zeros(2), b)
    )
    want = np.trace(a) + np.trace(b) - 2 * root
    assert got == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("dimensions", [20, 80, 130])
def test_frechet_distance_of_singular_covariances(dimensions):
    """Turned into more dimensions, features are as far as they were."""
    x, y = rows(100), 2 * rows(60, seed=1) + 1
    turned = np.linalg.qr(rows(dimensions, 6, seed=2))[0].T
    want = metrics.frechet_distance(x, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        got = metrics.frechet_distance(x @ turned, y @ turned)
        same = metrics.frechet_distance(x @ turned, x @ turned)
        back = metrics.frechet_distance(y @ turned, x @ turned)
    # With one side of fewer rows, eigenvalues 0 but for rounding (1e-16)
    # count by their roots, 1e-8 each.
    assert [got, back] == pytest.approx([want, want], rel=3e-7)
    assert same == pytest.approx(0, abs=1e-10)
    constant = np.ones((200, dimensions))
    assert metrics.frechet_distance(constant, constant) == 0


def test_fewer_samples_than_dimensions_warn():
    with pytest.warns(UserWarning, match=r"biased.*5 fakes are fewer than the 6.*KID"):
        metrics.frechet_distance(rows(20), rows(5))


def test_kernel_distance_is_its_equation():
    x, y = rows(1100, 4), rows(30, 4, seed=1) + 0.3  # of two blocks, and of one

    def mean_kernel(a, b):
        return np.mean((a @ b.T / 4 + 1) ** 3)

    def mean_of_pairs(a):
        k = (a @ a.T / 4 + 1) ** 3
        return (k.sum() - np.trace(k)) / (len(a) * (len(a) - 1))

    want = mean_of_pairs(x) + mean_of_pairs(y) - 2 * mean_kernel(x, y)
    assert metrics.kernel_distance(x, y) == pytest.approx(want, rel=1e-9)


def test_kernel_distance_is_unbiased():
    values = [
        metrics.kernel_distance(rows(12, seed=i), rows(7, seed=1000 + i))
        for i in range(400)
    ]
    # Four standard errors; the biased estimate is 15 standard errors off.
    assert abs(np.mean(values)) < 4 * np.std(values) / 20


def test_kernel_distance_of_subsets():
    x, y = rows(50), rows(40, seed=1)
    draw = np.random.RandomState(3).choice
    values = [
        metrics.kernel_distance(
            x[draw(50, 20, replace=False)], y[draw(40, 20, replace=False)]
        )
        for _ in range(5)
    ]
    got = metrics.kernel_distance(x, y, subsets=5, subset_size=20, seed=3)
    assert (got.mean, got.std) == (np.mean(values), np.std(values))


def test_inception_score_of_sure_and_of_unsure_logits():
    logits = np.zeros((40, 4))
    assert metrics.inception_score(logits) == pytest.approx((1, 0))
    logits[np.arange(40), np.arange(40) % 4] = 2000.0  # exp overflows
    assert metrics.inception_score(logits, 5) == pytest.approx((4, 0))
    # Sorted by class, each split holds one: order counts.
    ordered = logits[np.argsort(np.arange(40) % 4)]
    assert metrics.inception_score(ordered, 4) == pytest.approx((1, 0))
    assert metrics.inception_score(ordered, 1) == pytest.approx((4, 0))


def test_overlap_by_hand():
    """With ties, and two reals alike."""
    real = np.array([[0], [1], [1], [5]])
    fake = np.array([[2], [3], [8]])
    # k = 1: reals reach 1, 0, 0, 4; fakes 1, 1, 5.
    assert metrics.precision_recall(real, fake, k=1) == (1, 3 / 4)
    # Without surfaces: 2 and 3 and 8 lie about 5 alone.
    assert metrics.density_coverage(real, fake, k=1) == (1, 1 / 4)


def with_duplicates(n, seed):
    x = rows(n, 3, seed) + 1e3
    x[n // 2 :: 2] = x[: len(x[n // 2 :: 2])]  # a quarter, exactly
    x[1::8] = x[2::8][: len(x[1::8])] + 1e-6  # and an eighth, nearly
    return x


@pytest.mark.full
@pytest.mark.parametrize("k", [1, 3])
def test_overlap_of_many_blocks_and_of_duplicates(k):
    real, fake = with_duplicates(1100, 0), with_duplicates(1048, 1)
    fake[:10] = real[:10]
    got = metrics.precision_recall(real, fake, k)
    assert got == naive_precision_recall(real, fake, k)
    inside = naive_squared_distances(real, fake) < naive_reach(real, k)[:, None]
    want = inside.sum() / (k * len(fake)), inside.any(axis=1).mean()
    assert metrics.density_coverage(real, fake, k) == want


def test_overlap_of_tight_and_distant_modes():
    """|x|^2 + |y|^2 - 2 x.y has no digit of these distances left."""
    real, fake = (
        1e-6 * rows(60, 3, seed) + np.where(np.arange(60) % 2, 1e3, -1e3)[:, None]
        for seed in (0, 1)
    )
    want = naive_precision_recall(real, fake, 3)
    assert metrics.precision_recall(real, fake) == want


@pytest.mark.full
def test_overlap_needs_little_memory():
    x, y = rows(4096, 16), rows(4096, 16, seed=1)
    tracemalloc.start()
    metrics.precision_recall(x, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64e6  # one matrix of all distances: 134e6


def modes(n, dropped=0, seed=0):
    """Samples of eight clusters, in 8 dimensions, but for those dropped."""
    rng = np.random.default_rng(seed)
    centres = 6 * np.eye(8)
    return centres[rng.integers(dropped, 8, n)] + rng.normal(size=(n, 8))


def noise(strength):
    return modes(400, seed=1) + strength * rows(400, 8, seed=2)


def dropped_modes(strength):
    return modes(400, dropped=int(2 * strength), seed=1)


def duplicates(strength):
    fake = modes(400, seed=1)
    return fake[np.arange(400) % int(400 / 4**strength)]


@pytest.mark.parametrize(
    ("corrupt", "falling"),
    [
        (noise, ["precision", "density"]),
        (dropped_modes, ["recall", "coverage"]),
        (duplicates, ["coverage"]),  # recall is 0 from k + 1 copies on
    ],
)
def test_corruption_shows(corrupt, falling):
    real = modes(400)
    seen = []
    for strength in (0, 1, 2, 3):
        fake = corrupt(strength)
        overlap = metrics.precision_recall(real, fake)._asdict()
        overlap |= metrics.density_coverage(real, fake)._asdict()
        frechet = metrics.frechet_distance(real, fake)
        seen.append([overlap[name] for name in falling] + [-frechet])
        if corrupt is not duplicates:  # these have the same distribution
            seen[-1].append(-metrics.kernel_distance(real, fake))
    assert (np.diff(seen, axis=0) < 0).all(), np.array(seen)


BAD = np.where(np.arange(60).reshape(10, 6) == 20, np.nan, 1.0)  # in row 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.frechet_distance(rows(9)[0], rows(9)), "`real`.*n, d"),
        (lambda: metrics.frechet_distance(rows(9), rows(9, 4)), "of 6 .* of 4"),
        (lambda: metrics.frechet_distance(rows(9), BAD), "`fake`.*row 3"),
        (lambda: metrics.frechet_distance(rows(9), rows(1)), "`fake`.*2 rows"),
        (lambda: metrics.frechet_distance(rows(9), [["a"]]), "`fake`.*dtype"),
        (lambda: metrics.kernel_distance(rows(1), rows(9)), "`real`.*2 rows"),
        (lambda: metrics.kernel_distance(rows(9), rows(9), 3), "go together"),
        (lambda: metrics.kernel_distance(rows(9), rows(5), 3, 6), "`fake`.* 6"),
        (lambda: metrics.kernel_distance(rows(9), rows(9), 3, 1), "size=1"),
        (lambda: metrics.kernel_distance(rows(9), rows(9), 0, 3), "`subsets`"),
        (lambda: metrics.inception_score(rows(9), splits=0), "`splits`"),
        (lambda: metrics.inception_score(rows(9)), "`logits`.*10 rows"),
        (lambda: metrics.inception_score(BAD), "`logits`.*row 3"),
        (lambda: metrics.precision_recall(rows(9), rows(3)), "`fake`.*4 rows"),
        (lambda: metrics.precision_recall(rows(9), rows(9), 0), "`k`"),
        (lambda: metrics.density_coverage(rows(5), rows(9)), "`real`.*6 rows"),
        (lambda: metrics.density_coverage(rows(9), rows(9, 4)), "of 6 .* of 4"),
    ],
)
def test_bad_features_are_met_at_the_door(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def labelled(n, seed=0):
    """Dark and bright images, and which they are."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    images = rng.uniform(-0.2, 0.2, (n, 8, 8, 1))
    return images + (labels - 0.5)[:, None, None, None], labels


@pytest.mark.full
def test_classification_accuracy_score():
    images, labels = labelled(100)
    settings = {"epochs": 4, "batch_size": 25}

    def score(labels, seed=0):
        return metrics.classification_accuracy_score(
            labelled(50, seed=1), (images, labels), seed=seed, **settings
        )

    keras.utils.set_random_seed(3)
    assert score(labels) == 1
    draws = np.random.normal(), np.asarray(keras.random.normal((2,)))
    # The training around it goes on as if there had been no score.
    keras.utils.set_random_seed(3)
    again = np.random.normal(), np.asarray(keras.random.normal((2,)))
    assert draws[0] == again[0]
    np.testing.assert_array_equal(draws[1], again[1])
    assert score(1 - labels) == 0


def test_classification_accuracy_score_by_another_classifier():
    """It sees images of mean 0 and deviation 1, each epoch in another order."""
    seen = []

    def classifier(image_shape, num_classes):
        assert (image_shape, num_classes) == ((8, 8, 1), 2)
        model = keras.Sequential([keras.Input(image_shape), keras.layers.Flatten()])
        model.add(keras.layers.Dense(num_classes))
        model.compile("sgd", "sparse_categorical_crossentropy")
        fit = model.fit

        def recorded(images, labels, **options):
            seen.append(images)
            return fit(images, labels, **options)

        model.fit = recorded
        return model

    images, labels = labelled(64)
    pair = (100 * images + 50, labels)
    metrics.classification_accuracy_score(pair, pair, classifier, epochs=2)
    assert np.mean(seen[0]) == pytest.approx(0, abs=1e-6)
    assert np.std(seen[0]) == pytest.approx(1, abs=1e-6)
    assert not np.array_equal(*seen)
    np.testing.assert_array_equal(*(np.sort(x, axis=0) for x in seen))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fake": labelled(8)[0]}, r"`fake`.*tuple"),
        ({"fake": (labelled(8)[0], np.eye(2)[labelled(8)[1]])}, "argmax"),
        ({"fake": (labelled(8)[0], labelled(9)[1])}, "`fake`.*label for each"),
        ({"fake": (labelled(8)[0][:, :4], labelled(8)[1])}, "same shape"),
        ({"fake": (labelled(8)[0].astype("uint8"), labelled(8)[1])}, "uint8"),
        ({"real": (labelled(8)[0] * np.nan, labelled(8)[1])}, "`real`.*image 0"),
        ({"real": (labelled(8)[0], labelled(8)[1] - 1)}, "`real`.*-1"),
        ({"epochs": 0}, "`epochs`"),
        ({"classifier": lambda *_: keras.Sequential()}, "compile"),
    ],
)
def test_bad_labelled_images_are_met_at_the_door(change, message):
    arguments = {"real": labelled(8), "fake": labelled(8)} | change
    with pytest.raises(ValueError, match=message):
        metrics.classification_accuracy_score(**arguments)
