"""What tables are compared with: two ways to draw rows without a network."""

from typing import Any

import numpy as np

from keras_gans.modalities import columns


def independent_columns(rows: Any, n: int, seed: int = 0) -> dict[str, list]:
    """Rows whose columns are drawn each by itself from those of the data.

    Args:
        rows: see `Table.fit`.
        n: int, how many.
        seed: int.

    Returns:
        dict of lists by name.

    Raises:
        ValueError: `rows` is no table or a single row, or `n` or `seed` is negative.

    Example:

    ```python
    rows = {"x": [1.5, 2.5, 4.5], "y": ["a", "b", "b"]}
    fake = keras_gans.metrics.independent_columns(rows, 5)
    len(fake["x"])  # 5
    ```
    """
    rng, table = np.random.default_rng(seed), columns.read(rows)
    return {
        name: [cells[i] for i in rng.integers(len(cells), size=n)]
        for name, cells in table.items()
    }


def gaussian_copula(rows: Any, n: int, seed: int = 0) -> dict[str, list]:
    """Rows of a Gaussian copula: the columns of the data, and their correlations.

    Each column becomes normal by its ranks, ties in any order; categories rank by
    how often they are, missing values first. Normal rows of the same correlations
    are drawn, and each is given the value of the data that has its rank.

    Args:
        rows: see `Table.fit`.
        n: int, how many.
        seed: int.

    Returns:
        dict of lists by name.

    Raises:
        ValueError: `rows` is no table or a single row, or `n` or `seed` is negative.

    Example:

    ```python
    rows = {"x": [1.5, 2.5, 4.5], "y": ["a", "b", "b"]}
    fake = keras_gans.metrics.gaussian_copula(rows, 5)
    len(fake["x"])  # 5
    ```

    Reference:
        Nelsen, "An Introduction to Copulas", 2006, section 2.3
    """
    from statistics import NormalDist

    rng, table = np.random.default_rng(seed), columns.read(rows)
    size = len(next(iter(table.values())))
    if size < 2:
        raise ValueError(
            "Correlations are of 2 rows or more. Received: 1 row. Give more."
        )
    inverse = np.vectorize(NormalDist().inv_cdf, otypes=["float64"])
    distribution = np.vectorize(NormalDist().cdf, otypes=["float64"])
    ordered, normal = {}, []
    for name, cells in table.items():
        numbers = [columns.number(cell) for cell in cells]
        if None in numbers:
            labels = [
                None if columns.is_missing(c) else columns.label(c) for c in cells
            ]
            counts = {one: labels.count(one) for one in set(labels)}
            numbers = [(-1 if one is None else counts[one], str(one)) for one in labels]
            places = {key: i for i, key in enumerate(sorted(set(numbers)))}
            keys = np.array([places[key] for key in numbers], "float64")
        else:
            keys = np.array(numbers)
            keys = np.where(np.isnan(keys), -np.inf, keys)
        order = np.lexsort((rng.random(size), keys))
        ordered[name] = [cells[i] for i in order]
        ranks = np.empty(size)
        ranks[order] = np.arange(size)
        normal.append(inverse((ranks + 0.5) / size))
    correlations = np.corrcoef(normal) if len(normal) > 1 else np.ones((1, 1))
    drawn = rng.multivariate_normal(
        np.zeros(len(ordered)), correlations, n, method="eigh"
    )
    places = np.minimum((distribution(drawn) * size).astype(int), size - 1)
    return {
        name: [cells[i] for i in places[:, k]]
        for k, (name, cells) in enumerate(ordered.items())
    }
