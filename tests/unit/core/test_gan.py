"""What every GAN inherits: fit, its inputs, its errors, its optimizers."""

from checks import rewinding
import keras
from keras import ops
import numpy as np
import pytest
from small import ready_gan, small_gan
import tensorflow as tf

import keras_gans as kg
from keras_gans.engine.phases import Phase
from keras_gans.networks.dcgan import dcgan_discriminator, dcgan_generator


def compiled(**kwargs):
    gan = small_gan(**kwargs)
    gan.compile()
    return gan


def steps(gan):
    return int(ops.convert_to_numpy(gan.step))


@pytest.mark.full
@pytest.mark.backends
def test_fit_takes_what_keras_takes(images):
    x = images(8, 8, 8)

    def generator():
        for i in range(0, 8, 4):
            yield (x[i : i + 4],)

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, i):
            return x[4 * i : 4 * i + 4]

    dataset = tf.data.Dataset.from_tensor_slices((x,)).batch(4)
    gan = compiled()
    for i, data in enumerate((x, dataset, generator(), Batches(workers=1))):
        options = {"batch_size": 4} if data is x else {}
        gan.fit(data, steps_per_epoch=2, verbose=0, **options)
        assert steps(gan) == 2 * (i + 1)
    logs = gan.train_on_batch(x[:4], return_dict=True)
    assert set(logs) >= {"d_loss", "g_loss"}


@pytest.mark.full
def test_steps_take_whole_groups_of_batches(images):
    gan = compiled(d_steps=3)
    dataset = tf.data.Dataset.from_tensor_slices(images(28, 8, 8)).batch(4)
    seen = []
    counter = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(batch)
    )
    gan.fit(dataset, epochs=2, verbose=0, callbacks=[counter])
    # 7 batches are 2 steps of 3; the seventh is left over.
    assert seen == [0, 1, 0, 1]
    assert [int(o.iterations) for o in gan.optimizer.optimizers] == [12, 4]


@pytest.mark.backends
def test_bad_batches_stop_before_training(images):
    good = images(8, 8, 8)
    places = np.arange(8)[:, None, None, None]
    nan = np.where(places == 6, np.nan, good)  # of the second batch
    data_set = tf.data.Dataset.from_tensor_slices(nan[4:]).batch(4)
    cases = [
        (127.5 * (good + 1), r"must lie in \[-1, 1\].*127.5 - 1"),
        (nan, "NaN in 1 of 8 images, the first at row 6"),
        (keras.ops.convert_to_tensor(nan), "NaN in 1 of 8 images"),
        (data_set, "NaN in 1 of 4 images, the first at row 2"),
        (np.where(places == 7, 77, good), "to 77, 1 of 8.* at row 7"),
        (good.astype(object), "Received: object. Convert them"),
        (images(8), "do not have the generator's shape"),
        ((good > 0).astype("uint8"), "must be floats"),
    ]
    gan = ready_gan()
    before = gan.get_weights()
    for data, message in cases:
        with pytest.raises(ValueError, match=message):
            gan.fit(data, batch_size=4, shuffle=False, verbose=0)
        for a, b in zip(before, gan.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match=r"lie in \[0, 1\]") as caught:
        gan.fit((good + 1) / 2, batch_size=4, verbose=0)
    [warning] = [one for one in caught if one.category is UserWarning]
    assert warning.filename == __file__  # the call of `fit`, not a line of Keras


def test_dictionaries_are_refused_with_the_remedy(images):
    rows = tf.data.Dataset.from_tensor_slices({"image": images(8, 8, 8)})
    with pytest.raises(ValueError, match="Map it first"):
        compiled().fit(rows.batch(4), verbose=0)


def test_too_little_data(images):
    empty = tf.data.Dataset.from_tensor_slices(images(3, 8, 8))
    with pytest.raises(ValueError, match="ended after 0 batches"):
        compiled().fit(empty.batch(4, drop_remainder=True), verbose=0)
    with pytest.raises(ValueError, match=r"ended after 2 batches.*takes 3"):
        compiled(d_steps=3).fit(images(8, 8, 8), batch_size=4, verbose=0)


@pytest.mark.backends
def test_a_one_shot_generator_loses_nothing(images):
    x = images(12, 8, 8)
    seen = []

    def generator():
        for i in range(0, 12, 4):
            seen.append(i)
            yield x[i : i + 4]

    gan = ready_gan()
    again = rewinding(gan)
    gan.fit(generator(), steps_per_epoch=3, verbose=0)
    assert seen == [0, 4, 8] and steps(gan) == 3
    one = gan.get_weights()
    again().fit(x, batch_size=4, shuffle=False, verbose=0)
    for a, b in zip(one, gan.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_keras_callbacks(images, tmp_path):
    gan = small_gan()
    gan.compile(keras.optimizers.Adam(4e-4), keras.optimizers.Adam(2e-4))
    rates = []
    gan.fit(
        images(8, 8, 8),
        validation_data=(images(8, 8, 8), None),
        batch_size=4,
        epochs=3,
        verbose=0,
        callbacks=[
            keras.callbacks.ModelCheckpoint(
                "best.keras", "val_g_loss", save_best_only=True, mode="min"
            ),
            keras.callbacks.LearningRateScheduler(lambda e, rate: rate / 2),
            keras.callbacks.CSVLogger("log.csv"),
            keras.callbacks.TensorBoard("board"),
            keras.callbacks.BackupAndRestore("backup"),
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda e, logs: rates.append(
                    [float(o.learning_rate) for o in gan.optimizer.optimizers]
                )
            ),
        ],
    )
    expected = np.outer([0.5, 0.25, 0.125], [4e-4, 2e-4])
    np.testing.assert_allclose(rates, expected, rtol=1e-6)
    header = (tmp_path / "log.csv").read_text().splitlines()[0]
    assert "d_loss" in header and "val_g_loss" in header
    assert list((tmp_path / "board" / "train").iterdir())
    assert keras.models.load_model("best.keras").compiled
    plateau = keras.callbacks.ReduceLROnPlateau(
        "d_loss", factor=0.5, patience=1, min_delta=100, mode="min"
    )
    before = [float(o.learning_rate) for o in gan.optimizer.optimizers]
    gan.fit(images(8, 8, 8), batch_size=4, epochs=3, verbose=0, callbacks=[plateau])
    after = [float(o.learning_rate) for o in gan.optimizer.optimizers]
    np.testing.assert_allclose(after, np.array(before) / 4, rtol=1e-6)


@pytest.mark.full
@pytest.mark.backends
def test_linear_decay(images):
    gan = small_gan(linear_decay=(2, 4), d_steps=2)
    gan.compile(keras.optimizers.SGD(0.5), keras.optimizers.SGD(0.1))
    rates = []
    record = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda e, logs: rates.append(
            [float(o.learning_rate) for o in gan.optimizer.optimizers]
        )
    )
    gan.fit(images(8, 8, 8), batch_size=4, epochs=5, verbose=0, callbacks=[record])
    expected = np.outer([1, 1, 0.5, 0, 0], [0.5, 0.1])
    np.testing.assert_allclose(rates, expected, rtol=1e-6)
    for start, end in ((4, 2), (1, "x")):
        with pytest.raises(ValueError, match="0 <= start < end"):
            kg.LinearDecay(0.1, start, end)
    with pytest.raises(ValueError, match="decays already"):
        small_gan(linear_decay=(1, 3)).compile(
            keras.optimizers.SGD(kg.LinearDecay(0.1, 2, 4)), keras.optimizers.SGD(0.1)
        )


def test_linear_decay_of_a_schedule_survives_saving():
    gan = small_gan(linear_decay=(0, 4))  # the default rates fall already
    gan.compile()
    config = gan.get_compile_config()
    rate = keras.saving.deserialize_keras_object(
        config["g_optimizer"]["config"]["learning_rate"]
    )
    inner = 0.1 * np.exp(-2 / 250_000)
    assert float(rate(2)) == pytest.approx(inner / 2, rel=1e-6)


@pytest.mark.backends
def test_moving_average(images):
    gan = compiled(ema=0.5)
    start = [np.array(w) for w in gan.generator.get_weights()]
    gan.fit(images(4, 8, 8), batch_size=4, verbose=0)
    # The decay of step 0 is min(0.5, 1 / 10).
    for a, b, average in zip(
        start, gan.generator.get_weights(), gan.ema_generator.get_weights(), strict=True
    ):
        np.testing.assert_allclose(average, 0.1 * a + 0.9 * b, rtol=1e-5)
    z = ops.ones((1, 6))
    np.testing.assert_array_equal(
        ops.convert_to_numpy(gan(z)), ops.convert_to_numpy(gan.ema_generator(z))
    )


def test_the_step_is_the_papers(images):
    """One step by the formulas, with a tape and the losses of the paper."""
    x = tf.constant(images(4))
    gan = kg.DCGAN((16, 16, 1), 8, width=4)
    gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
    g, d = (dcgan_generator((16, 16, 1), 8, 4), dcgan_discriminator((16, 16, 1), 4))
    g.set_weights(gan.generator.get_weights())
    d.set_weights(gan.discriminator.get_weights())
    with gan.rng.at("train", 0, 0):
        z = gan.rng.normal(4, 8, "latent")
    bce = keras.losses.BinaryCrossentropy(from_logits=True)
    with tf.GradientTape(persistent=True) as tape:
        fake = g(z, training=True)
        real_logits = d(x, training=True)
        fake_logits = d(tf.stop_gradient(fake), training=True)
        d_loss = bce(tf.ones((4, 1)), real_logits)
        d_loss += bce(tf.zeros((4, 1)), fake_logits)
        variables = [v.value for v in d.trainable_variables]
        d_gradients = tape.gradient(d_loss, variables)
        for v, gradient in zip(variables, d_gradients, strict=True):
            v.assign_sub(0.1 * gradient)
        # The generator meets the updated discriminator, on the same fakes.
        g_loss = bce(tf.ones((4, 1)), d(fake, training=True))
    variables = [v.value for v in g.trainable_variables]
    for v, gradient in zip(variables, tape.gradient(g_loss, variables), strict=True):
        v.assign_sub(0.1 * gradient)
    logs = gan.train_on_batch(x, return_dict=True)
    assert logs["d_loss"] == pytest.approx(float(d_loss), rel=1e-5)
    assert logs["g_loss"] == pytest.approx(float(g_loss), rel=1e-5)
    norm = float(tf.linalg.global_norm(d_gradients))
    assert logs["d_grad_norm"] == pytest.approx(norm, rel=1e-5)
    for ours, theirs in ((gan.generator, g), (gan.discriminator, d)):
        for a, b in zip(ours.weights, theirs.weights, strict=True):
            # Rounding of sums in another order, on weights of up to 1.
            np.testing.assert_allclose(a, b, atol=2e-6, err_msg=a.path)


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_loss_scaling_leaves_the_update_alone(images):
    def growing(optimizer):  # its scale doubles at every second step
        return keras.optimizers.LossScaleOptimizer(
            optimizer, initial_scale=64.0, dynamic_growth_steps=2
        )

    def trained(wrap):
        keras.utils.set_random_seed(3)
        gan = small_gan()
        gan.compile(wrap(keras.optimizers.SGD(0.1)), wrap(keras.optimizers.SGD(0.1)))
        x = images(4, 8, 8)
        return gan, [gan.train_on_batch(x, return_dict=True) for _ in range(4)]

    plain, plain_logs = trained(lambda o: o)
    scaled, scaled_logs = trained(growing)
    for a, b in zip(plain.get_weights(), scaled.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-7)
    for a, b in zip(plain_logs, scaled_logs, strict=True):
        for name, value in a.items():
            assert b[name] == pytest.approx(value, rel=1e-4), name


@pytest.mark.full
def test_loss_names_are_free(images):
    class Renamed(kg.GAN):
        def phases(self):
            critic = Phase("critic", self.critic_loss, optimizer="d")
            return [critic, Phase("g", self.generator_loss)]

        def critic_loss(self, fake, batch, training):
            loss, logs = self.discriminator_loss(fake, batch, training)
            del logs["d_loss"]
            return loss, logs

    gan = Renamed((8, 8, 1), 4)
    gan.compile()
    gan.train_on_batch(images(4, 8, 8))
    logs = gan.evaluate(images(8, 8, 8), verbose=0, return_dict=True)
    assert logs["critic_loss"] > 0
    assert gan.loss_names == ("critic_loss", "g_loss")


def test_half_precision_wraps_both_optimizers():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        gan = small_gan()
    finally:
        keras.config.set_dtype_policy("float32")
    gan.compile()
    for optimizer in gan.optimizer.optimizers:
        assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    assert gan.sample(1).dtype == np.float32


@pytest.mark.full
def test_dropout_of_keras_resumes_too(images):
    def make():
        keras.utils.set_random_seed(5)
        discriminator = keras.Sequential(
            [
                keras.Input((8, 8, 1)),
                keras.layers.Flatten(),
                keras.layers.Dropout(0.5),
                keras.layers.Dense(1),
            ]
        )
        gan = kg.GAN(generator=small_gan().generator, discriminator=discriminator)
        gan.compile()
        return gan

    options = {"batch_size": 4, "shuffle": False, "verbose": 0}
    gan = make()
    again = rewinding(gan)
    gan.fit(images(8, 8, 8), epochs=2, **options)
    straight = gan.get_weights()
    again().fit(images(8, 8, 8), epochs=1, **options)
    gan.save_weights("half.weights.h5")
    second = make()
    second.load_weights("half.weights.h5")
    second.fit(images(8, 8, 8), epochs=2, initial_epoch=1, **options)
    for a, b in zip(straight, second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_compile_refuses():
    adam = keras.optimizers.Adam()
    with pytest.raises(ValueError, match="same object"):
        small_gan().compile(adam, adam)
    small_gan().compile("adam", "adam")
    with pytest.raises(
        ValueError, match=r"Received: loss\. Drop `loss`: the losses are"
    ):
        small_gan().compile(loss="mse")
    with pytest.raises(
        ValueError, match=r"by d_optimizer and g_optimizer\. Drop `loss`"
    ):
        small_gan().compile(optimizer="adam", loss="mse")
    with pytest.raises(ValueError, match=r"Received: metrics\. Drop them: a GAN logs"):
        small_gan().compile(metrics=["mse"])
    with pytest.raises(ValueError, match="positive int"):
        small_gan().sample(0)
    with pytest.raises(ValueError, match="`seed` must lie"):
        small_gan().sample(1, seed=2**31)


def test_an_eager_run_agrees(images):
    """So does one by XLA: test_precision.py."""

    def loss(**kwargs):
        keras.utils.set_random_seed(2)
        gan = small_gan()
        gan.compile(**kwargs)
        return gan.fit(images(4, 8, 8), batch_size=4, verbose=0).history

    plain, other = loss(), loss(run_eagerly=True)
    for name in plain:
        assert other[name][0] == pytest.approx(plain[name][0], rel=1e-4)
