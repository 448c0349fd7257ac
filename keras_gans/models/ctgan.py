"""CTGAN: rows of tables, of numbers and categories, under a condition."""

from collections.abc import Iterator, Mapping, Sequence
import types
from typing import TYPE_CHECKING, Any
import warnings

import keras
from keras import ops
import numpy as np

from keras_gans.core.gradient_penalty import GradientPenaltyGAN
from keras_gans.core.inputs import Input, Latent
from keras_gans.core.optimizers import L2Adam
from keras_gans.core.recipe import Recipe
from keras_gans.core.regularization import refuse
from keras_gans.core.statistics import unbias_generators
from keras_gans.core.translation import check_weight
from keras_gans.engine import rng
from keras_gans.engine.phases import Phase
from keras_gans.layers.spans import Spans
from keras_gans.modalities import Table, columns
from keras_gans.modalities.table_batches import RowSampler, odds, too_few
from keras_gans.networks.ctgan import (
    BODY,
    check_widths,
    ctgan_discriminator,
    ctgan_generator,
)
from keras_gans.utils.errors import outside
from keras_gans.utils.networks import input_shape_of
from keras_gans.utils.optional import require
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_count, check_size, is_number, within

if TYPE_CHECKING:
    import pandas

REFUSED = {"diff_augment": (None, "rows are no images")}
MOST_NAMED = 12  # categories of a warning
TRIES = 100  # rows made for each that is asked for, at most


@keras.saving.register_keras_serializable("keras_gans")
class Gumbel(Latent):
    """Draws of Gumbel's distribution, one for each category and mode of a row.

    Args:
        dim: int, numbers a row.

    Example:

    ```python
    from keras_gans.models.ctgan import Gumbel

    Gumbel(5).shape  # (5,)
    ```
    """

    name = "gumbel"
    help = "draws of Gumbel's distribution that categories are chosen by"

    def __init__(self, dim: int):
        super().__init__(dim, "unit")

    def get_config(self) -> dict:
        return {"dim": self.dim}

    def draw(self, generator: rng.RNG, n: int | Tensor) -> Tensor:
        return _gumbel(generator.uniform(n, self.dim, "gumbel"))

    def served(self, high: Tensor, low: Tensor) -> Tensor:
        return _gumbel(rng.uniform(("sample", high, "gumbel"), low, self.dim))


@keras.saving.register_keras_serializable("keras_gans")
class Condition(Latent):
    """The category of one column that a row is asked for, one-hot over all.

    In training it is drawn as `RowSampler` does; `sample` draws it as often as
    the data has it, unless `where={"class": "yes"}` gives it.

    Args:
        table: `Table` with columns of categories.

    Example:

    ```python
    from keras_gans.models.ctgan import Condition

    Condition(keras_gans.Table({"sex": ["f", "m"]})).shape  # (2,)
    ```
    """

    name = "condition"
    given = "where"
    help = "the category of a column that rows are asked for: class=yes"

    def __init__(self, table: Table):
        self.table = table
        super().__init__(len(table.conditions), "unit")

    def get_config(self) -> dict:
        return {"table": self.table}

    def draw(self, generator: rng.RNG, n: int | Tensor) -> Tensor:
        return self._chosen(generator.uniform(n, 1, "condition"), log=True)

    def served(self, high: Tensor, low: Tensor) -> Tensor:
        u = rng.uniform(("sample", high, "condition"), low, 1)
        return self._chosen(u, log=False)

    def _chosen(self, u, log):
        probabilities = odds(self.table, log=log)
        sums = np.cumsum(probabilities).astype("float32")
        # The last that can be is chosen by all draws beyond those before it.
        sums[np.flatnonzero(probabilities)[-1] :] = 2.0
        place = ops.sum(ops.cast(u >= sums[None], "int32"), axis=1)
        return ops.one_hot(place, self.dim, dtype="float32")

    def check(self, values: Any, n: int | None = None) -> np.ndarray:
        if isinstance(values, (str, Mapping)):
            values = [values]
        if isinstance(values, (list, tuple)) and all(
            isinstance(v, (str, Mapping)) for v in values
        ):
            places = [self.table.condition_of(where) for where in values]
            if wrong := [p for p in places if len(p) > 1]:
                raise ValueError(
                    "`where` asks for a category of one column. Received: "
                    f"{len(wrong[0])} columns. `synthesize(where=...)` takes several."
                )
            hot = np.zeros((len(places), self.dim), "float32")
            hot[np.arange(len(places)), [p for (p,) in places]] = 1
            values = hot[0] if len(hot) == 1 and n is not None else hot
        return super().check(values, n)

    def parse(self, text: str) -> dict:
        conditions = {}
        for part in str(text).split(","):
            name, equals, value = part.partition("=")
            if not equals or not name:
                raise ValueError(
                    f"--where takes COLUMN=CATEGORY, such as class=yes. Received: "
                    f"{text!r}."
                )
            conditions[name] = value
        return conditions


def _gumbel(u):
    # u of U(0, 1) may round to 1, of which the draw would be infinite.
    return -ops.log(-ops.log(ops.minimum(u, 1.0 - 2.0**-24)))


@keras.saving.register_keras_serializable("keras_gans")
class CTGAN(GradientPenaltyGAN):
    """Conditional tabular GAN: rows of numbers and categories of any table.

    `gan.fit(data)` takes a pandas `DataFrame`, a dict of columns, a list of dicts
    or a CSV file; `gan.synthesize(n)` makes a `DataFrame` like it. `gan.sample`
    makes rows as networks see them, `table.decode_rows` of which are values.

    Args:
        table: `Table` of the data, from `keras_gans.Table.fit(data)`. It is saved
            with the GAN.
        latent_dim: int, length of the latent code.
        g_widths: ints, widths of the generator's hidden layers.
        d_widths: ints, widths of the discriminator's hidden layers.
        packing: int, rows that the discriminator sees together (PacGAN,
            arXiv:1712.04086). A batch must be divisible by it.
        temperature: float above 0, tau of the Gumbel-softmax that rows end in.
        dropout: float in [0, 1), in the discriminator.
        condition_weight: float of 0 or more, of the cross-entropy between the
            category asked for and the one made.
        learning_rate: float above 0, of both of its own optimizers: 2e-4 in the
            reference; 1e-3 learns a small table in seconds.
        gp_weight: float of 0 or more, lambda of the gradient penalty, of packs.
        d_steps: int, updates of the discriminator a step.
        generator: `keras.Model` to use instead of `ctgan_generator`, whose layer
            "logits" makes logits of codes and conditions.
        discriminator: `keras.Model` to use instead of `ctgan_discriminator`.
        **kwargs: `ema`, `seed` and other arguments of `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    data = {"size": [1.5, 1.7, 3.1, 2.9] * 8, "kind": ["a", "a", "b", "b"] * 8}
    table = keras_gans.Table.fit(data, modes=1)
    gan = keras_gans.CTGAN(table, 4, (8,), (8,), packing=1)
    gan.compile()
    gan.fit(data, batch_size=8, verbose=0)
    rows = table.decode_rows(gan.sample(3, seed=0, where={"kind": "b"}))
    ```

    Reference:
        https://arxiv.org/abs/1907.00503
    """

    def __init__(
        self,
        table: Table,
        latent_dim: int = 128,
        g_widths: Sequence[int] = (256, 256),
        d_widths: Sequence[int] = (256, 256),
        packing: int = 10,
        *,
        temperature: float = 0.2,
        dropout: float = 0.5,
        condition_weight: float = 1.0,
        learning_rate: float = 2e-4,
        gp_weight: float = 10.0,
        d_steps: int = 1,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        **kwargs,
    ):
        refuse(type(self).__name__, kwargs, REFUSED)
        if not isinstance(table, Table):
            raise ValueError(
                "`table` is what Table.fit(data) makes. Received: a "
                f"{type(table).__name__}."
            )
        self.condition_weight = check_weight("condition_weight", condition_weight)
        ok = is_number(learning_rate) and 0 < learning_rate < float("inf")
        self.learning_rate = within("learning_rate", learning_rate, ok, "(0, inf)")
        ok = is_number(dropout) and 0 <= dropout < 1
        within("dropout", dropout, ok, "[0, 1)")
        check_size("packing", packing)
        (width,) = table.shape
        conditions = len(table.conditions)
        spans = list(_spans(table, ("mode", "category")))
        if generator is None:
            generator = ctgan_generator(
                width,
                spans,
                conditions,
                latent_dim,
                check_widths("g_widths", g_widths),
                temperature,
            )
        if BODY not in [layer.name for layer in generator.layers]:
            raise ValueError(
                f"`generator` has a layer {BODY!r}, of which its rows are made: see "
                f"`ctgan_generator`. Received: {generator.name}."
            )
        if discriminator is None:
            seen = (packing * (width + conditions),)
            widths = check_widths("d_widths", d_widths)
            discriminator = ctgan_discriminator(seen, widths, dropout)
        inputs = (Latent(latent_dim),)
        if conditions:
            inputs += (Condition(table),)
        if spans:
            inputs += (Gumbel(sum(size for _, size in spans)),)
        super().__init__(
            generator,
            discriminator,
            modality=table,
            inputs=inputs,
            packing=packing,
            gp_weight=gp_weight,
            d_steps=d_steps,
            **kwargs,
        )
        categories = list(_spans(table, ("category",)))
        places = [i for start, size in categories for i in range(start, start + size)]
        sizes = [size for _, size in categories]
        starts = np.cumsum([0, *sizes[:-1]]).tolist() if sizes else []
        self._categories = types.SimpleNamespace(
            places=np.array(places, "int32"),
            spans=Spans([*zip(starts, sizes, strict=True)]) if sizes else None,
        )
        unbias_generators(self)  # rows of the reference are sampled with it

    @property
    def table(self) -> Table:
        """The table that rows are of."""
        return self.modality

    @property
    def _seed(self):
        return vars(self._arguments).get("seed", 0)

    @property
    def conditional(self) -> bool:
        """Whether the table has columns of categories."""
        return self._categories.spans is not None

    @property
    def further_fields(self) -> tuple[str, ...]:
        """What a batch has beside its rows: the condition that each meets."""
        return ("condition",) if any(i.name == "condition" for i in self.inputs) else ()

    @property
    def seen_inputs(self) -> tuple[Input, ...]:
        return tuple(i for i in self.inputs if i.name == "condition")

    def default_optimizers(self) -> tuple:
        """The reference's Adam: betas 0.5 and 0.9, an L2 of 1e-6."""

        def adam():
            return L2Adam(
                self.learning_rate, beta_1=0.5, beta_2=0.9, epsilon=1e-8, l2=1e-6
            )

        return adam(), adam()

    def discriminator_inputs(self, name: str) -> list[keras.KerasTensor]:
        width = self.modality.shape[0] + len(self.modality.conditions)
        return [keras.KerasTensor((1, self.packing * width))]

    def check_discriminators(self, discriminators: dict[str, keras.Model]) -> None:
        for name, network in discriminators.items():
            (wanted,) = (x.shape[1:] for x in self.discriminator_inputs(name))
            seen = input_shape_of(network)
            if seen is not None and tuple(seen)[1:] != tuple(wanted):
                raise ValueError(
                    f"`{name}` sees packs of rows with their conditions, of shape "
                    f"{tuple(wanted)}. Received: {network.name}, of {seen[1:]}. Build "
                    "it for them."
                )

    # --- Losses ---

    def phases(self) -> list[Phase]:
        """D, then G through rows of codes and conditions of its own."""
        d, g = super().phases()
        logs = ("condition_loss",) if self.further_fields else ()
        return [d, Phase(g.name, g.loss, fakes=g.fakes, logs=(*g.logs, *logs))]

    def generate(self, batch: dict, training: bool) -> dict:
        """Rows, their logits and the conditions that they were asked for."""
        n = self.rows_of(batch)
        drawn = {i.name: i.draw(self.rng, n) for i in self.inputs_of_generator}
        return self.rows_from(drawn, training)

    def rows_from(self, drawn: dict, training: bool) -> dict:
        """Rows of the generator's inputs by name, with their logits.

        Args:
            drawn: dict of "z", "condition" and "gumbel".
            training: bool.
        """
        codes = [drawn[name] for name in ("z", "condition") if name in drawn]
        codes = ops.concatenate(codes, axis=1) if len(codes) > 1 else codes[0]
        body = self.generator.get_layer(BODY)
        logits = self.forward(body, codes, training)
        activate = self.generator.layers[-1]
        ends = [logits, drawn["gumbel"]] if "gumbel" in drawn else logits
        fake = {"rows": activate(ends), "logits": logits}
        if "condition" in drawn:
            fake["condition"] = drawn["condition"]
        return fake

    def _joined(self, rows, condition):
        if condition is None:
            return rows
        return ops.concatenate([rows, ops.cast(condition, rows.dtype)], axis=1)

    def _seen(self, fake, batch):
        """Fakes and a batch whose rows have their conditions beside them."""
        real = ops.cast(batch["real"], "float32")
        batch = {**batch, "real": self._joined(real, batch.get("condition"))}
        return self._joined(fake["rows"], fake.get("condition")), batch

    def discriminator_loss(
        self, fake: dict, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """Of packs of rows, each with its condition beside it."""
        return super().discriminator_loss(*self._seen(fake, batch), training)

    def penalties(self, fake: dict, batch: dict, training: bool) -> tuple[Tensor, dict]:
        return super().penalties(*self._seen(fake, batch), training)

    def call_discriminator(self, x: Tensor, batch: dict, training: bool) -> Tensor:
        if x.shape[-1] == self.modality.shape[0] and "condition" in batch:
            x = self._joined(x, batch["condition"])  # of an exported model
        return self.forward("discriminator", x, training)

    def generator_loss(
        self, fake: dict, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """The critic's, and whether the category asked for was made."""
        seen, batch = self._seen(fake, batch)
        loss, logs = super().generator_loss(seen, batch, training)
        if "condition" not in fake:
            return loss, logs
        own = ops.take(fake["logits"], self._categories.places, axis=1)
        likelihood = fake["condition"] * self._categories.spans.softmax(own, log=True)
        logs["condition_loss"] = -ops.mean(ops.sum(likelihood, axis=1))
        return loss + self.condition_weight * logs["condition_loss"], logs

    # --- Tables in and out ---

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        **kwargs,
    ) -> keras.callbacks.History:
        """Trains on a table, or on rows and conditions; see `BaseGAN.fit`.

        Of a table, batches are drawn as section 4.3 of the paper says: an epoch has
        as many rows as the table, of which rare categories have more than their
        share.

        Args:
            x: a pandas `DataFrame`, a dict of columns, a list of dicts, the path
                of a CSV file; or encoded rows `[n, width]`, or any other input of
                `BaseGAN.fit`.
            y: of encoded rows, the conditions `[n, conditions]` that they meet.
            batch_size: int, 500 by default of a table.
            epochs: int.
            **kwargs: the other arguments of `BaseGAN.fit`.

        Raises:
            ValueError: naming the column and the row, where the table is not that
                of the constructor; or as of `BaseGAN.fit`.
        """
        held = kwargs.get("validation_data")
        first = held[0] if isinstance(held, tuple) and held else held
        if _is_table(held) or _is_table(first):
            raise ValueError(
                "`validation_data` is of encoded rows and conditions. Received: a "
                "table. Leave it out: `keras_gans.metrics.table_scores` scores rows "
                "that are made."
            )
        if _is_table(x):
            if y is not None:
                raise ValueError(
                    "A table is given alone: it holds all columns. Received: a table, "
                    "and y. Add y to it as a column, and fit the `Table` to both."
                )
            rows = self.table.encode_table(x, seed=self._seed)
            size = 500 if batch_size is None else batch_size
            check_size("batch_size", size)
            size = min(size, len(rows) // self.packing * self.packing)
            if size < 1 or size % self.packing:
                raise ValueError(
                    f"`batch_size` is a multiple of packing={self.packing}. Received: "
                    f"batch_size={batch_size} for {len(rows)} rows. Give another, or "
                    "CTGAN(..., packing=1)."
                )
            first = int(ops.convert_to_numpy(self.step)) * self.d_steps
            sampler = RowSampler(self.table, rows, self._seed)
            if few := too_few(self.table, sampler.counts):
                more = f", and {len(few) - MOST_NAMED} more" * (len(few) > MOST_NAMED)
                warnings.warn(
                    "Categories have too few rows to learn from: "
                    f"{', '.join(few[:MOST_NAMED])}{more}. Find more rows, or join "
                    "such categories to others.",
                    UserWarning,
                    stacklevel=outside(),
                )
            x = _Batches(sampler, size, first)
            batch_size = None
            kwargs.setdefault("shuffle", False)
            if kwargs.get("steps_per_epoch") is None:
                kwargs["steps_per_epoch"] = max(1, len(rows) // size // self.d_steps)
            check_size("steps_per_epoch", kwargs["steps_per_epoch"])
        return super().fit(x, y, batch_size, epochs, **kwargs)

    def synthesize(
        self,
        n: int,
        where: Mapping[str, Any] | None = None,
        seed: int = 0,
        tries: int = TRIES,
    ) -> "pandas.DataFrame":
        """Makes a table of so many rows, like that of the data.

        The generator is asked for the category of `where`, of several columns for
        the rarest. Rows that have others are left out and more are made.

        Args:
            n: int, how many.
            where: dict of columns to the categories that rows are to have.
            seed: int in [0, 2**31). The first rows of a larger table are those of a
                smaller one.
            tries: int, how many rows are made at most for each that is asked for.

        Returns:
            A pandas `DataFrame`.

        Raises:
            ValueError: an argument is out of its range, or too few rows of `where`
                came.
            ImportError: pandas is not installed (the extra "tables").
        """
        require("pandas", "tables", "Data frames")
        cells_by_name = {name: [] for name in self.table.names}
        for part in self.synthesize_batches(n, where, seed, tries):
            for name, cells in part.items():
                cells_by_name[name] += cells
        return as_frame(self.table, cells_by_name)

    def synthesize_batches(
        self,
        n: int,
        where: Mapping[str, Any] | None = None,
        seed: int = 0,
        tries: int = TRIES,
    ) -> Iterator[dict[str, list]]:
        """The rows of `synthesize` as dicts of a few rows of each column.

        So any number of rows takes the memory of a few.
        """
        check_count(n)
        check_size("tries", tries)
        if not where:
            batches = self.sample_batches(n, seed)
            return (self.table.decode_table(part) for part in batches)
        places = self.table.condition_of(where)
        conditions = self.table.conditions
        counts = np.concatenate([self.table.counts(c) for c in self.table.categories])
        rarest = min(places, key=lambda p: counts[p])
        asked = dict([conditions[rarest]])
        batches = self.sample_batches(n * tries, seed, where=asked)
        return self._obeying(batches, [conditions[p] for p in places], n, tries)

    def _obeying(self, batches, wanted, n, tries):
        """The first n rows that have the categories wanted."""
        starts = dict(
            zip(self.table.categories, _spans(self.table, ("category",)), strict=True)
        )
        left = n
        for part in batches:
            ok = np.ones(len(part), bool)
            for name, category in wanted:
                start, size = starts[name]
                place = self.table.categories[name].index(category)
                ok &= part[:, start : start + size].argmax(1) == place
            kept = part[ok][:left]
            if len(kept):
                left -= len(kept)
                yield self.table.decode_table(kept)
            if not left:
                return
        told = ", ".join(f"{name}={category}" for name, category in wanted)
        raise ValueError(
            f"Of {n * tries} rows that were made, {n - left} have {told}, and {n} are "
            "asked for. Train for longer, ask for fewer columns, or give more `tries`."
        )


def as_frame(table: Table, cells_by_name: dict[str, list]) -> "pandas.DataFrame":
    """Columns, as `table.decode_table` gives them, as a pandas `DataFrame`."""
    import pandas

    series = {}
    for name, _ in table.columns:
        kind = dict(dict(table.rules).get(name, ())).get("kind")
        cells = cells_by_name[name]
        if kind in columns.UNITS:
            series[name] = pandas.to_datetime(pandas.Series(cells, dtype=object))
        elif kind == "int" and any(cell is None for cell in cells):
            series[name] = pandas.array(cells, dtype="Int64")
        else:
            series[name] = pandas.Series(cells)
    return pandas.DataFrame(series)


def _spans(table, kinds):
    """(start, width) of the blocks of some kinds, in their order."""
    at = 0
    for _, kind, width in table.blocks:
        if kind in kinds:
            yield at, width
        at += width


def _is_table(x):
    if isinstance(x, (str, Mapping)) or hasattr(x, "__fspath__"):
        return True
    if hasattr(x, "columns") and hasattr(x, "to_dict"):
        return True
    return isinstance(x, (list, tuple)) and bool(x) and isinstance(x[0], Mapping)


class _Batches(keras.utils.PyDataset):
    """Batches of `fit`, each a function of the step that it is for.

    They do not end: Keras makes a new pipeline for each epoch of what ends, which
    takes longer than the few steps that an epoch of a small table has.
    """

    def __init__(self, sampler, size, first):
        super().__init__()
        self._sampler, self._size, self._first = sampler, size, first

    @property
    def num_batches(self):
        return None

    def __getitem__(self, index):
        return self._sampler.batch(self._first + index, self._size)


RECIPE = Recipe(
    name="ctgan",
    model="CTGAN",
    summary="Tables of numbers and categories, arXiv:1907.00503",
    task="tables",
    data="breast_cancer",
    epochs=250,
    batch_size=100,
    arguments={
        "packing": 1,
        "learning_rate": 1e-3,
        "g_widths": (128, 128),
        "d_widths": (128, 128),
        "dropout": 0.0,
        "ema": 0.99,
    },
    data_options={
        "held_out": 0.2,
        "categories": None,
        "numbers": None,
        "leave_out": None,
        "ranges": None,
    },
    paper={
        "packing": 10,
        "learning_rate": 2e-4,
        "g_widths": (256, 256),
        "d_widths": (256, 256),
        "dropout": 0.5,
        "ema": None,
        "batch_size": 500,
        "epochs": 300,
    },
    without=("data_dir", "evaluate_every", "diff_augment"),
)
