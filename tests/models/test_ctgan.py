"""CTGAN: the reference's networks and step, tables in and out, its training."""

import json

from checks import check_gan, rewinding
from golden.recipe import fill
import keras
from keras import ops
import numpy as np
from paths import GOLDEN
import pytest

import keras_gans as kg
from keras_gans.convert import from_state, read
from keras_gans.modalities.table_batches import RowSampler, odds
from keras_gans.models.ctgan import CTGAN


def close(got, want, bound=1e-5):
    got = ops.convert_to_numpy(got)
    assert got.shape == want.shape
    # (d_loss is the difference of two means that nearly cancel.)
    assert np.abs(got - want).max() <= bound * max(np.abs(want).max(), 0.01)


class ReferenceTable(kg.Table):
    """The reference's rows have a one-hot place of a single mode as well."""

    @property
    def blocks(self):
        found = []
        for block in super().blocks:
            found.append(block)
            if block[1] == "scalar" and len(dict(self.columns)[block[0]]) == 1:
                found.append((block[0], "mode", 1))
        return found


def table_of(spans):
    """A table whose rows have the spans of a fixture."""
    columns = {}
    for i, (kind, width) in enumerate(spans):
        if kind == "c":
            columns[f"c{i}"] = [(0.0, 1.0)] * width
        else:
            columns[f"d{i}"] = [f"v{j}" for j in range(width)]
    return ReferenceTable(columns)


def reference(name):
    """A GAN with the weights of a fixture, and its arrays."""
    about = json.loads((GOLDEN / f"{name}.json").read_text())
    call = about["call"]
    if "spans" in call:
        spans = call["spans"]
    else:
        spans = [
            ("c", info[1][0]) if len(info) > 1 else ("d", info[0][0])
            for info in call["output_info"]
        ]
    generator, critic = (
        from_state({n: fill(n, shape) for n, shape in about["weights"][side]})
        for side in "GD"
    )
    gan = CTGAN(
        table_of(spans),
        call["embedding_dim"],
        call["generator_dim"],
        call["discriminator_dim"],
        call["pac"],
        dropout=0.0,
    )
    gan.generator.get_layer("logits").set_weights(generator.get_weights())
    gan.discriminator.set_weights(critic.get_weights())
    return gan, np.load(GOLDEN / f"{name}.npz")


def norms(gan, name, loss):
    """The norms of the gradients of a loss, in the order of PyTorch's parameters."""
    _, _, pullback = gan.engine.differentiate(
        lambda: (loss(), None), gan.variables_of(name)
    )
    gradients, _ = pullback(ops.ones(()))
    return np.array([float(ops.norm(ops.reshape(g, (-1,)))) for g in gradients])


def given(gan, wanted):
    """The draws of a fixture, in the place of those of the GAN."""
    if "gumbel" in wanted:
        gumbel = wanted["gumbel"]
    else:
        places = [i for s, w in gan.generator.layers[-1].spans for i in range(s, s + w)]
        u = wanted["uniform"][:, places].astype("float64")
        gumbel = -np.log(-np.log(u))
    drawn = {"z": wanted["z"], "condition": wanted["cond"], "gumbel": gumbel}
    return {name: np.asarray(x, "float32") for name, x in drawn.items()}


@pytest.mark.parametrize(
    "name", [pytest.param("ctgan", marks=pytest.mark.full), "ctgan_step"]
)
def test_a_step_is_the_reference_s(name):
    gan, wanted = reference(name)
    old = name == "ctgan"
    weights = gan.generator.get_weights()
    drawn = given(gan, wanted)
    frozen = gan.rows_from(drawn, False)
    close(frozen["logits"], wanted["logits_eval" if old else "fake_eval"])
    fake = gan.rows_from(drawn, True)
    close(fake["logits"], wanted["logits" if old else "fake"])
    close(fake["rows"], wanted["activated" if old else "fake_activated"])
    if not old:
        for i in (0, 1):
            norm = gan.generator.get_layer("logits").get_layer(f"norm_{i}")
            close(norm.moving_mean, wanted[f"after:seq.{i}.bn.running_mean"])
            close(norm.moving_variance, wanted[f"after:seq.{i}.bn.running_var"])
    gan.generator.set_weights(weights)
    order = np.arange(len(wanted["cond"])) if old else wanted["perm"]
    batch = {"real": wanted["real"], "condition": wanted["cond"][order]}
    alpha = wanted["alpha"].reshape(-1, 1)
    gan.rng.uniform = lambda n, columns, purpose: alpha
    loss, logs = gan.discriminator_loss(fake, batch, True)
    close(logs["d_loss"], wanted["d_loss"])
    close(10 * logs["gradient_penalty"], wanted["penalty"])
    close(loss, wanted["d_loss"] + wanted["penalty"])
    close(logs["d_fake"], wanted["d_fake" if old else "y_fake"].mean())
    found = norms(gan, "d", lambda: gan.discriminator_loss(fake, batch, True)[0])
    # The last bias cancels between reals and fakes.
    np.testing.assert_allclose(found, wanted["d_grad_norms"], rtol=1e-4, atol=1e-6)

    def of_generator():
        return gan.generator_loss(gan.rows_from(drawn, True), batch, True)[0]

    own = wanted["condition_loss" if old else "cross_entropy"]
    _, logs = gan.generator_loss(fake, batch, True)
    close(logs["condition_loss"], own)
    close(logs["g_loss"] + logs["condition_loss"], wanted["g_loss"])
    found = norms(gan, "g", of_generator)
    np.testing.assert_allclose(found, wanted["g_grad_norms"], rtol=1e-4, atol=1e-6)


def test_step_of_the_reference_s_optimizer():
    """L2 joins the gradient before the moments: a large one makes sign steps."""
    from keras_gans.core.optimizers import L2Adam

    w = keras.Variable([2.0, -3.0])
    adam = L2Adam(0.1, beta_1=0.5, beta_2=0.9, epsilon=1e-8, l2=1e-3)
    adam.build([w])
    adam.apply([ops.zeros(2)], [w])
    # Whatever the size of l2 w, Adam's first step is the learning rate.
    np.testing.assert_allclose(ops.convert_to_numpy(w), [1.9, -2.9], rtol=1e-4)
    assert L2Adam.from_config(adam.get_config()).l2 == 1e-3
    with pytest.raises(ValueError, match=r"l2.*\[0, inf\)"):
        L2Adam(l2=-1)


@pytest.mark.parametrize("number", [0, 1])
def test_numbers_are_encoded_as_the_reference_s(number):
    """Of two columns of breast cancer: scalars and back, given the mode."""
    d = np.load(GOLDEN / "ctgan_step.npz")
    own = {
        k.partition("_")[2]: d[k] for k in d.files if k.startswith(f"column{number}_")
    }
    kept = own["valid"]
    modes = zip(
        own["means"][kept], own["stds"][kept], own["weights"][kept], strict=True
    )
    values = d[f"column{number}"].astype("float64")
    table = kg.Table({"x": [tuple(map(float, mode)) for mode in modes]})
    hot = np.eye(kept.sum(), dtype="float32")[own["component"]]
    rows = np.concatenate([own["normalized"][:, None], hot], axis=1)
    decoded = np.array(table.decode_table(rows)["x"])
    np.testing.assert_allclose(decoded, own["decoded"], rtol=1e-5)
    np.testing.assert_allclose(decoded, values, rtol=1e-4)
    encoded = table.encode_table({"x": values}, seed=0)
    # Modes are drawn: where it is the reference's, so is the scalar.
    same = encoded[:, 1:].argmax(1) == own["component"]
    assert 0.5 < same.mean() < 1
    np.testing.assert_allclose(encoded[same, 0], own["normalized"][same], atol=1e-5)


def test_checkpoints_are_read():
    state = read(GOLDEN / "ctgan_step.pth")
    wanted = np.load(GOLDEN / "ctgan_step.npz")
    body = from_state(state["generator"])
    codes = np.concatenate([wanted["z"], wanted["cond"]], axis=1)
    close(body(codes, training=False), wanted["fake_eval"])
    critic = from_state(state["discriminator"])
    assert critic.input_shape == (None, 120)
    broken = {k: v for k, v in state["generator"].items() if "bn.bias" not in k}
    with pytest.raises(ValueError, match=r"Missing: seq\.0\.bn\.bias"):
        from_state(broken)


# --- Its own ---


DATA = {
    "age": [30, 41, None, 50, 62, 28, 35, 47] * 8,
    "price": [1.25, 2.5, 2.75, 3.0, 9.5, 1.0, 2.25, 8.75] * 8,
    "sex": ["f", "m", "m", "f"] * 16,
    "plan": ["basic", None, "basic", "gold"] * 16,
}


@pytest.fixture(scope="module")
def table():
    return kg.Table.fit(DATA, modes=2)


def small(table, **kwargs):
    options = {"latent_dim": 4, "g_widths": (8,), "d_widths": (8,), "packing": 2}
    return CTGAN(table, **{**options, **kwargs})


@pytest.mark.full
@pytest.mark.backends
def test_ctgan(table):
    rows = table.encode_table(DATA, seed=0)[:16]
    rows, conditions = RowSampler(table, rows).batch(0, 16)
    make = lambda: small(table, ema=0.9)  # noqa: E731
    # The bias of a Wasserstein critic cancels.
    check_gan(make, rows, conditions, still="output/bias", executions=False)


@pytest.mark.full
@pytest.mark.backends
@pytest.mark.parametrize("columns", [["age", "price"], ["sex", "plan"]])
def test_columns_of_one_kind(columns):
    held = {name: DATA[name] for name in columns}
    table = kg.Table.fit(held, numbers=[c for c in columns if c == "age"], modes=2)
    rows = RowSampler(table, table.encode_table(held, seed=0)).batch(0, 16)
    labels = rows[1] if len(rows) > 1 else None
    make = lambda: small(table, packing=1, r1=1.0, r2=1.0)  # noqa: E731
    check_gan(make, rows[0], labels, still="output/bias", executions=False)


@pytest.mark.full
@pytest.mark.backends
def test_fit_of_a_table_sees_its_batches_in_order(table):
    """Those of `load_rows`, also where a second call of `fit` goes on."""
    gan = small(table, dropout=0.0, seed=0)
    gan.compile()
    again = rewinding(gan)
    gan.fit(DATA, batch_size=16, epochs=3, verbose=0)
    of_table = gan.get_weights()
    again().fit(DATA, batch_size=16, verbose=0)
    gan.fit(DATA, batch_size=16, epochs=2, verbose=0)
    in_parts = gan.get_weights()
    rows = kg.data.load_rows(DATA, table, batch_size=16, seed=0, repeat=True)
    again().fit(rows, epochs=3, steps_per_epoch=4, verbose=0)
    of_dataset = gan.get_weights()
    for other in (of_dataset, in_parts):
        for v, a, b in zip(gan.weights, of_table, other, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=v.path)


@pytest.mark.full
def test_an_epoch_of_a_table_ends(table):
    """Its batches do not. A step of `small` with d_steps=2 takes two of four."""
    gan, done = small(table, d_steps=2), []
    gan.compile()

    class Counting(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            done.append(batch)
            self.model.stop_training = len(done) > 9  # where there is no end

    fit = {"batch_size": 16, "verbose": 0, "callbacks": [Counting()]}
    for options, steps in (
        ({}, 2),
        ({"steps_per_epoch": None}, 2),
        ({"steps_per_epoch": 5}, 5),
    ):
        done.clear()
        gan.fit(DATA, **fit, **options)
        assert done == list(range(steps))
    with pytest.raises(ValueError, match=r"`steps_per_epoch` .*Received: 0"):
        gan.fit(DATA, **fit, steps_per_epoch=0)


@pytest.fixture(scope="module")
def learned():
    """A GAN that has learned a small table of two classes."""
    rng = np.random.default_rng(0)
    yes = rng.random(400) < 0.15
    held = {
        "x": np.where(yes, rng.normal(3, 0.5, 400), rng.normal(0, 0.5, 400)).round(2),
        "n": rng.integers(0, 40, 400),
        "kind": np.where(yes, "b", np.where(rng.random(400) < 0.5, "a", "b")),
        "class": np.where(yes, "yes", "no"),
    }
    held = {name: cells.tolist() for name, cells in held.items()}
    table = kg.Table.fit(held, ranges={"x": (-1, None)})
    keras.utils.set_random_seed(0)
    gan = CTGAN(table, 16, (32,), (32,), 1, dropout=0.0, learning_rate=2e-3, ema=0.99)
    gan.compile()
    gan.fit(held, batch_size=100, epochs=100, verbose=0)
    return gan, held


def test_a_table_is_learned(learned):
    pandas = pytest.importorskip("pandas")
    gan, held = learned
    made = gan.synthesize(300, seed=1)
    assert isinstance(made, pandas.DataFrame) and list(made) == list(held)
    assert made["n"].dtype.kind == "i" and made["x"].dtype.kind == "f"
    assert (made["x"] == made["x"].round(2)).all() and made["x"].min() >= -1
    assert made["n"].between(0, 39).all()
    assert kg.metrics.violations(gan.table, made) == 0
    # A prefix of a larger table, and another for another seed.
    pandas.testing.assert_frame_equal(made[:50], gan.synthesize(50, seed=1))
    assert not made[:50].equals(gan.synthesize(50, seed=2))
    # The link between the columns: the rare class has the large numbers.
    means = made.groupby("class")["x"].mean()
    assert means["yes"] > means["no"] + 1
    share = (made["class"] == "yes").mean()
    assert 0.08 < share < 0.25


def test_conditions_are_obeyed(learned):
    gan, _ = learned
    raw = gan.table.decode_rows(gan.sample(300, seed=0, where={"class": "yes"}))
    assert np.mean([row["class"] == "yes" for row in raw]) >= 0.9
    made = gan.synthesize(40, where={"class": "yes", "kind": "b"}, seed=3)
    assert (made["class"] == "yes").all() and (made["kind"] == "b").all()
    with pytest.raises(ValueError, match=r"more `tries`"):
        gan.synthesize(40, where={"class": "yes", "kind": "a"}, tries=1)
    for where, told in (
        ({"clas": "yes"}, "Did you mean class"),
        ({"class": "yess"}, r"'no', 'yes'.*Did you mean yes"),
        ({"x": 1}, "column of categories"),
    ):
        with pytest.raises(ValueError, match=told):
            gan.synthesize(1, where=where)
    with pytest.raises(ValueError, match="one column"):
        gan.sample(1, where={"class": "yes", "kind": "b"})
    for where in ("class=yes", ["class=yes"]):
        with pytest.raises(ValueError, match=r"Write where=\{'class': 'yes'\}"):
            gan.sample(1, where=where)
    with pytest.raises(ValueError, match=r"is a dict .* Received: 'yes'\.$"):
        gan.sample(1, where="yes")


def test_a_loaded_gan_has_its_table(learned, tmp_path):
    gan, held = learned
    gan.save(tmp_path / "table.keras")
    again = kg.load(tmp_path / "table.keras")
    assert again.table == gan.table
    np.testing.assert_array_equal(again.sample(4, seed=5), gan.sample(4, seed=5))
    other = {**held, "x": ["?"] * 400}
    with pytest.raises(ValueError, match="row 1 needs a number in column 'x'"):
        again.fit(other)
    other = {name: cells for name, cells in held.items() if name != "kind"}
    with pytest.raises(ValueError, match="Column 'kind' is missing"):
        again.fit(other)
    other = {**held, "kind": ["c", *held["kind"][1:]]}
    with pytest.raises(ValueError, match=r"row 1 needs a category.*'kind'.*'c'"):
        again.fit(other)


def test_rare_categories_are_shown_more_often():
    held = {"a": ["x"] * 90 + ["y"] * 10, "b": ["u"] * 99 + ["v"]}
    table = kg.Table.fit(held)
    rows = table.encode_table(held)
    sampler = RowSampler(table, rows, seed=3)
    taken, conditions = sampler.batch(0, 20_000)
    # Each condition is met by its row.
    assert ((taken * conditions).sum(1) == 1).all()
    logs = np.log1p([90, 10]), np.log1p([99, 1])
    wanted = np.concatenate([x / x.sum() / 2 for x in logs])
    np.testing.assert_allclose(odds(table, log=True), wanted)
    # A share of n draws is within 5 deviations.
    bound = 5 * np.sqrt(wanted * (1 - wanted) / 20_000)
    assert (np.abs(conditions.mean(0) - wanted) < bound).all()
    again = RowSampler(table, rows, seed=3).batch(0, 20_000)
    np.testing.assert_array_equal(taken, again[0])
    plain = RowSampler(table, rows, seed=3, balanced=False).batch(0, 20_000)
    np.testing.assert_allclose(plain[0].mean(0), rows.mean(0), atol=0.02)


def test_a_category_of_few_rows_is_told_of():
    names = ["no"] * 20 + ["ill"] * 3
    rows = tuple({"x": i / 7, "class": name} for i, name in enumerate(names))
    gan = small(kg.Table.fit(rows, modes=1), packing=1)
    gan.compile(run_eagerly=True)
    with pytest.warns(
        UserWarning, match=r"too few .*: class=ill \(3 rows\)\. "
    ) as told:
        gan.fit(rows, batch_size=23, verbose=0)
    (one,) = [w for w in told if w.category is UserWarning]
    assert one.filename == __file__
    with pytest.raises(ValueError, match="`validation_data` is of encoded rows"):
        gan.fit(rows, validation_data=rows, verbose=0)


def test_refusals(table):
    for build, told in (
        (lambda: CTGAN({"a": ["b"]}), "Table.fit"),
        (lambda: small(table, packing=0), "packing"),
        (lambda: small(table, g_widths=(8, 0)), "g_widths"),
        (lambda: small(table, dropout=1), "dropout"),
        (lambda: small(table, temperature=0), "temperature"),
        (lambda: small(table, learning_rate=0), "learning_rate"),
        (lambda: small(table, diff_augment="color"), "rows are no images"),
    ):
        with pytest.raises(ValueError, match=told):
            build()
    gan = small(table, packing=10)
    gan.compile()
    with pytest.raises(ValueError, match=r"multiple of packing=10"):
        gan.fit(DATA, batch_size=16)
    with pytest.raises(ValueError, match="A table is given alone"):
        gan.fit(DATA, np.zeros(len(DATA)))
