"""`check_gan`: puts any GAN through what every GAN must do."""

import keras
from keras import ops
import numpy as np

from keras_gans.core.translation import TranslatingGAN
from keras_gans.utils.validation import agree


def weights(gan):
    """Copies of all that training changes: networks and both optimizers."""
    variables = [*gan.variables, *gan.optimizer.variables]
    return [np.array(ops.convert_to_numpy(v)) for v in variables]


def rewinding(gan):
    """A function that takes a GAN back to what it is now, and returns it.

    For tests that would make the same GAN again: its steps stay compiled.
    """
    variables = [*gan.variables, *gan.optimizer.variables]
    held = weights(gan)

    def rewind():
        for v, x in zip(variables, held, strict=True):
            v.assign(x)
        return gan

    return rewind


def assert_same(a, b):
    """Bitwise equality of two lists of arrays."""
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        np.testing.assert_array_equal(x, y, err_msg=f"array {i}")


def check_gan(
    make, data, labels=None, batch_size=4, still=None, atol=0.0, executions=True
):
    """Checks a GAN on either backend.

    Args:
        make: function that returns a new GAN, not compiled; called after the
            seed is set, so that each has the same weights.
        data: array of samples, at least 4 batches of them; of a GAN with
            sources, those.
        labels: array, what comes second in a batch, where the GAN needs it:
            labels, vectors, or the samples that are made of sources; a tuple of
        arrays where a batch has more than two parts.
        batch_size: int.
        still: str, the end of the path of a variable that no loss can move.
        atol: float, how far two steps an execution may be from one at a time:
            TensorFlow adds three gradients of a variable in any order.
        executions: bool, whether two steps an execution are tried, too.
    """

    def start(**kwargs):
        keras.utils.set_random_seed(1)
        gan = make()
        gan.compile(**kwargs)
        return gan

    options = {"batch_size": batch_size, "shuffle": False, "verbose": 0}
    gan = start()
    again = rewinding(gan)
    straight = _check_training(gan, data, labels, still, options)
    options["y"] = labels
    if isinstance(gan, TranslatingGAN):
        _check_translating(gan, data)
    else:
        _check_sampling(gan, given_for(gan, data, labels))
    trained = _check_saving(again(), data, options, straight)
    if not executions:
        return
    several = start(steps_per_execution=2)
    several.fit(data, **options)
    for one, two in zip(trained, weights(several), strict=True):
        np.testing.assert_allclose(one, two, rtol=0, atol=atol)


def _check_training(gan, data, labels, still, options):
    """Trained and evaluated. Returns its weights and last losses."""
    before = weights(gan)
    history = gan.fit(
        data, labels, validation_data=(data, labels), epochs=2, **options
    ).history
    names = {*gan.loss_names, *gan.penalty_names}
    names |= set(gan.norm_names)
    assert set(history) >= names | {f"val_{n}" for n in evaluated(gan)}
    # Phases that are not due in an epoch are not in its logs.
    lazy = [phase for phase in gan.phases() if not phase.always]
    own = {f"{p.name}_{x}" for p in lazy for x in ("loss", "grad_norm", *p.logs)}
    scores = gan.score_names if "d" in {p.name for p in lazy} else ()
    lazy = {*own, *scores, *(name for p in lazy for name in p.logs)}
    for name, values in history.items():
        least = 1 if name in lazy else 2
        assert least <= len(values) <= 2 and np.isfinite(values).all(), name
    straight = kept(gan), last_of(history)
    steps = 2 * (len(data) // (options["batch_size"] * gan.batches_per_step))
    assert int(ops.convert_to_numpy(gan.step)) == steps
    for name, network in gan.networks.items():
        own = {
            id(v)
            for v in network.trainable_variables
            if still is None or not v.path.endswith(still)
        }
        if not own:
            continue
        index = [i for i, v in enumerate(gan.variables) if id(v) in own]
        after = weights(gan)
        still_ones = [
            gan.variables[i].path
            for i in index
            if not np.abs(before[i] - after[i]).max() > 0
        ]
        assert not still_ones, f"variables of {name} stand still: {still_ones}"
    trained = weights(gan)
    batch = options["batch_size"]
    logs = gan.evaluate(data, labels, batch, verbose=0, return_dict=True)
    assert set(logs) >= evaluated(gan)
    again = gan.evaluate(data, labels, batch, verbose=0, return_dict=True)
    assert logs == again
    assert_same(trained[: len(gan.weights)], weights(gan)[: len(gan.weights)])
    return straight


def kept(gan):
    """Copies of what training leaves: all but the means of its logs."""
    variables = [*gan.weights, *gan.optimizer.variables]
    return [np.array(ops.convert_to_numpy(v)) for v in variables]


def last_of(history):
    """What training, not validation, told in its last epoch."""
    return {k: v[-1] for k, v in history.items() if not k.startswith("val_")}


def evaluated(gan):
    """The names of the losses that `evaluate` reports."""
    phases = [p for p in gan.phases() if p.every == 1 and p.fakes is not None]
    own = {f"{phase.name}_loss" for phase in phases}
    return own | {name for phase in phases for name in phase.logs}


def given_for(gan, data, labels):
    """Values of the inputs that `sample` cannot do without, by argument."""
    labels = labels if isinstance(labels, tuple) else (labels,)
    parts = dict(zip(gan.fields, (data, *labels), strict=False))
    return {
        i.given: parts[i.name][:4]
        for i in gan.inputs
        if not i.drawn and i.name in parts and not _is_class(i)
    }


def _is_class(i):
    """Whether an input is a class, or another number of a row."""
    return i.dtype == "int32" and not i.shape


def _check_sampling(gan, given):
    def sample(n, seed):
        values = {k: np.resize(v, (n, *v.shape[1:])) for k, v in given.items()}
        # `sample` of some is what these are written as.
        return np.concatenate(list(gan.sample_batches(n, seed, **values)))

    samples = sample(8, 3)
    assert agree(samples.shape, (8, *gan.modality.shape))
    assert samples.dtype == np.float32
    if gan.modality.range is not None:
        low, high = gan.modality.range
        assert low <= samples.min() and samples.max() <= high
    np.testing.assert_array_equal(samples[:4], sample(4, 3))
    np.testing.assert_array_equal(sample(40, 3)[:8], samples)
    if any(i.drawn for i in gan.inputs):
        assert np.abs(samples - sample(8, 4)).max() > 0
    assert np.abs(samples[0] - samples[1]).max() > 0
    rng = np.random.default_rng(0)
    values = [
        np.ones((3,), "int32")
        if _is_class(i)
        else given[i.given][:3]
        if i.dtype == "int32"
        else rng.uniform(0, 1, (3, *(side or 8 for side in i.shape))).astype("float32")
        for i in gan.inputs
    ]
    values = values if len(values) > 1 else values[0]
    called = ops.convert_to_numpy(gan(values))
    # One matrix product of 3 rows or of a padded batch: rounding apart.
    made = gan.predict(values, verbose=0)
    np.testing.assert_allclose(made, called, atol=1e-5)
    if any(map(_is_class, gan.inputs)):
        _check_labels(gan)


def _check_labels(gan):
    ones = gan.sample(4, seed=3, labels=1)
    assert np.abs(ones - gan.sample(4, seed=3, labels=0)).max() > 0
    mixed = gan.sample(4, seed=3, labels=[0, 1, 1, 0])
    np.testing.assert_array_equal(mixed[1:3], ones[1:3])


def _check_translating(gan, data):
    before = weights(gan)
    made = gan.translate(data[:3], seed=3)
    assert made.shape == (3, *gan.image_shape)
    assert made.dtype == np.float32
    assert np.abs(made).max() <= 1
    np.testing.assert_array_equal(made[:2], gan.translate(data[:2], seed=3))
    assert np.abs(made[0] - made[1]).max() > 0
    assert_same(before, weights(gan))
    inferred = gan.translate(data[:3], evaluation=True)
    # Convolutions of one image or of three: rounding apart.
    called = ops.convert_to_numpy(gan(data[:3]))
    np.testing.assert_allclose(called, inferred, atol=1e-5)
    predicted = gan.predict(data[:3], verbose=0)
    np.testing.assert_allclose(predicted, inferred, atol=1e-5)


def _made(gan, data, labels):
    if isinstance(gan, TranslatingGAN):
        return gan.translate(data[:2])
    given = given_for(gan, data, labels)
    return gan.sample(2, **{k: v[:2] for k, v in given.items()})


def _check_saving(gan, data, options, straight):
    """Saved, loaded and resumed, as if never stopped nor validated.

    Returns the weights after an epoch.
    """
    gan.fit(data, epochs=1, **options)
    gan.save("gan.keras")
    loaded = keras.models.load_model("gan.keras")
    assert type(loaded) is type(gan)
    trained = weights(gan)
    assert_same(trained, weights(loaded))
    np.testing.assert_array_equal(
        *(_made(g, data, options["y"]) for g in (gan, loaded))
    )
    resumed = loaded.fit(data, epochs=2, initial_epoch=1, **options).history
    assert_same(straight[0], kept(loaded))
    resumed = last_of(resumed)  # without phases that were not due since
    assert {name: straight[1][name] for name in resumed} == resumed
    return trained
