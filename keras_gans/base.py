"""`BaseGAN`: what every GAN shares, and what a new one may override."""

import keras
from keras import ops

from keras_gans import losses
from keras_gans import serialization
from keras_gans.checks import check_compile
from keras_gans.checks import check_decay
from keras_gans.checks import check_images
from keras_gans.checks import check_seed
from keras_gans.checks import is_int
from keras_gans.checks import is_number
from keras_gans.checks import within
from keras_gans.engine import Engine
from keras_gans.engine import draws
from keras_gans.engine import global_rows
from keras_gans.optimizers import Optimizers
from keras_gans.optimizers import adam
from keras_gans.optimizers import decay_linearly
from keras_gans.optimizers import scale_losses
from keras_gans.sampling import Sampling
from keras_gans.switches import Switches
from keras_gans.switches import logits_of
from keras_gans.switches import switched_discriminator


class BaseGAN(Sampling, Switches, Engine, keras.Model):
    """A generator and a discriminator trained against each other.

    A GAN is a subclass that builds its networks and overrides what differs:
    `real`, `generate`, `discriminate`, `discriminator_loss`, `generator_loss`,
    `d_variables`, `g_variables`, `loss_names`, `default_optimizers`, `update`.

    One step takes `d_steps` batches of reals. The discriminator learns from
    each; the generator learns once, through the last batch of fakes that the
    discriminator saw.

    Args:
        generator: `keras.Model` from latent codes `[n, latent_dim]` to images
            `[n, height, width, channels]` in [-1, 1].
        discriminator: `keras.Model` from images to logits of any shape.
        image_shape: tuple, checked against the generator where given.
        latent_dim: int, checked against the generator where given.
        objective: a name of `keras_gans.losses.OBJECTIVES` or an `Objective`.
        ema: `None`, or the decay in (0, 1) of an exponential moving average of
            the generator, which then samples, predicts and is exported. The
            decay of step t is `min(ema, (1 + t) / (10 + t))`.
        label_smoothing: float in [0, 0.5), subtracted from the discriminator's
            target for reals.
        d_steps: int, batches (and updates of the discriminator) a step.
        linear_decay: `None`, or `(start, end)`: steps between which both
            learning rates fall linearly to 0.
        r1: float, gamma of the R1 penalty `gamma / 2 E[||grad C(x)||^2]` on
            reals (arXiv:1801.04406); 0 leaves it out.
        r2: float, gamma of the same penalty on fakes.
        penalty_interval: int, take R1 and R2 in every so-manieth step only,
            where they count as many times more (arXiv:1912.04958, appendix B).
        instance_noise: `None`, or the standard deviation of Gaussian noise on
            all that the discriminator sees in training (arXiv:1610.04490), or
            (standard deviation, steps in which it falls linearly to 0).
        packing: int, how many rows the discriminator judges together
            (PacGAN, arXiv:1712.04086): its input has as many times more
            channels. A batch must be divisible by it.
        diff_augment: `None`, or which of "color,translation,cutout" change
            what the discriminator sees in training (arXiv:2006.10738).
        spectral_norm: bool, normalize every layer of the discriminator
            spectrally (arXiv:1802.05957): a copy of the one given.
        minibatch_stddev: `None`, or the int size of the groups whose standard
            deviation the discriminator's last layer sees (arXiv:1710.10196):
            a copy of the one given.
        seed: int in [0, 2**31): every random draw of training is a function of
            it, the step and the row of the batch.
        name: str, the model's name.

    Raises:
        ValueError: an argument is out of its range, or the networks do not fit
            each other.

    Example:

    ```python
    generator = keras.Sequential(
        [
            keras.Input((16,)),
            keras.layers.Dense(64, activation="tanh"),
            keras.layers.Reshape((8, 8, 1)),
        ]
    )
    discriminator = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )
    gan = keras_gans.BaseGAN(generator, discriminator, objective="hinge")
    gan.compile()
    gan.fit(np.random.uniform(-1, 1, (64, 8, 8, 1)), verbose=0)
    gan.sample(4, seed=0).shape  # (4, 8, 8, 1)
    ```
    """

    loss_names = ("d_loss", "g_loss")
    score_names = ("d_real", "d_fake")
    norm_names = ("d_grad_norm", "g_grad_norm")

    def __init__(
        self,
        generator,
        discriminator,
        *,
        image_shape=None,
        latent_dim=None,
        objective="non_saturating",
        ema=None,
        label_smoothing=0.0,
        d_steps=1,
        linear_decay=None,
        r1=0.0,
        r2=0.0,
        penalty_interval=1,
        instance_noise=None,
        packing=1,
        diff_augment=None,
        spectral_norm=False,
        minibatch_stddev=None,
        seed=0,
        name=None,
    ):
        super().__init__(name=name)
        self.latent_dim, self.image_shape = self.check_networks(
            generator, discriminator, latent_dim, image_shape, packing
        )
        ok = isinstance(spectral_norm, bool)
        within("spectral_norm", spectral_norm, ok, "True, False")
        self.generator = generator
        self.discriminator = switched_discriminator(
            discriminator, spectral_norm, minibatch_stddev
        )
        self.spectral_norm = spectral_norm
        self.minibatch_stddev = minibatch_stddev
        self.set_switches(
            r1, r2, penalty_interval, instance_noise, packing, diff_augment
        )
        self.objective = losses.get(objective)
        ok = ema is None or (is_number(ema) and 0 < ema < 1)
        self.ema = within("ema", ema, ok, "(0, 1), or be None")
        self.label_smoothing = within(
            "label_smoothing",
            label_smoothing,
            is_number(label_smoothing) and 0 <= label_smoothing < 0.5,
            "[0, 0.5)",
        )
        if label_smoothing and not self.objective.smoothable:
            raise ValueError(
                "Label smoothing needs an objective with a target for reals: "
                "minimax, non_saturating, least_squares or relativistic. "
                f"Received: label_smoothing={label_smoothing}, "
                f"objective={objective!r}."
            )
        self.d_steps = within(
            "d_steps", d_steps, is_int(d_steps) and d_steps > 0, "1, 2, ..."
        )
        self.linear_decay = check_decay(linear_decay)
        self.seed = check_seed(seed)
        self.draws = draws.Draws(seed, global_rows)
        self.step = self.add_weight(
            name="step",
            dtype="int32",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )
        self.ema_generator = None
        if ema is not None:
            self.ema_generator = serialization.copy(
                generator, self.generator_inputs()
            )
            self.ema_generator.trainable = False
        self.built = True

    # --- What a GAN may override ---

    @property
    def d_variables(self):
        """What the discriminator's optimizer trains."""
        return self.discriminator.trainable_variables

    @property
    def g_variables(self):
        """What the generator's optimizer trains."""
        return self.generator.trainable_variables

    def default_optimizers(self):
        """The paper's optimizers, `(d_optimizer, g_optimizer)`."""
        return adam(), adam()

    def real(self, batch):
        """The real images of a batch: itself, or the first of a tuple."""
        return batch[0] if isinstance(batch, (tuple, list)) else batch

    def generate(self, batch, training):
        """Fakes for a batch: as many as it has reals, in [-1, 1]."""
        n = ops.shape(self.real(batch))[0]
        z = self.draws.normal(n, self.latent_dim)
        images = self.forward(self.generator, z, training)
        return ops.cast(images, "float32")

    def discriminate(self, x, batch, training):
        """Logits of images `x` of `batch`, as the switches show them.

        Where the discriminator has several outputs, a list of them, logits
        first. Losses call `judge`, which calls this.
        """
        outputs = self.forward(self.discriminator, x, training)
        return keras.tree.map_structure(
            lambda y: ops.cast(y, "float32"), outputs
        )

    def discriminator_loss(self, fake, batch, training):
        """The discriminator's loss: `(scalar, {name: value})`."""
        real = self.judge(self.real(batch), batch, training, draws.REAL)
        fake = self.judge(fake, batch, training, draws.FAKE)
        return self.d_adversarial(logits_of(real), logits_of(fake))

    def d_adversarial(self, real, fake):
        """The objective's D side, of logits: `(scalar, {name: value})`."""
        scores = {"d_real": self._score(real), "d_fake": self._score(fake)}
        if self.label_smoothing:
            loss = self.objective.d(real, fake, 1.0 - self.label_smoothing)
        else:
            loss = self.objective.d(real, fake)
        return loss, {"d_loss": loss, **scores}

    def generator_loss(self, fake, batch, training):
        """The generator's loss: `(scalar, {name: value})`."""
        fake = self.judge(fake, batch, training, draws.GENERATED)
        return self.g_adversarial(logits_of(fake), batch, training)

    def g_adversarial(self, fake, batch, training):
        """The objective's G side, of logits: `(scalar, {name: value})`."""
        if self.objective.relativistic:
            real = self.judge(self.real(batch), batch, training, draws.REAL)
            loss = self.objective.g(fake, logits_of(real))
        else:
            loss = self.objective.g(fake)
        return loss, {"g_loss": loss}

    def _score(self, logits):
        if self.objective.probability:
            logits = ops.sigmoid(logits)
        return ops.mean(logits)

    def update(self, batches):
        """One step of `d_steps` batches; the engine has three orders."""
        return self.update_with_shared_fakes(batches)

    # --- The Keras model ---

    def compile(
        self,
        d_optimizer=None,
        g_optimizer=None,
        *,
        accumulate=1,
        rematerialize=False,
        **kwargs,
    ):
        """Configures training.

        Args:
            d_optimizer: Keras optimizer of the discriminator; `None` takes
                the paper's.
            g_optimizer: Keras optimizer of the generator; `None` takes the
                paper's.
            accumulate: int, parts that each batch is cut into: one is in
                memory at a time, and their gradients are added up. Batch norm
                sees the parts.
            rematerialize: bool, keep only some of the networks' maps for the
                gradients and compute the others again: less memory, more time.
            **kwargs: `jit_compile`, `steps_per_execution`, `run_eagerly` and
                `auto_scale_loss` of `keras.Model.compile`.

        Raises:
            ValueError: an unknown argument, one optimizer given for both
                networks, or XLA asked for under a distribution strategy.
        """
        own = {"accumulate": accumulate, "rematerialize": rematerialize}
        check_compile(d_optimizer, g_optimizer, kwargs, own, self.num_replicas)
        super().compile(optimizer=None, **kwargs)
        self.accumulate, self.rematerialize = accumulate, rematerialize
        self._compile_options = kwargs | own
        default = self.default_optimizers()
        d_optimizer = keras.optimizers.get(d_optimizer or default[0])
        g_optimizer = keras.optimizers.get(g_optimizer or default[1])
        if kwargs.get("auto_scale_loss", True):
            d_optimizer = scale_losses(d_optimizer, self.discriminator)
            g_optimizer = scale_losses(g_optimizer, self.generator)
        if self.linear_decay:
            start, end = self.linear_decay
            n = self.d_steps
            decay_linearly(d_optimizer, start * n, end * n)
            decay_linearly(g_optimizer, start, end)
        self.d_optimizer = self.prepare_optimizer(d_optimizer, self.d_variables)
        self.g_optimizer = self.prepare_optimizer(g_optimizer, self.g_variables)
        self.optimizer = Optimizers(self.d_optimizer, self.g_optimizer)
        names = (
            *self.loss_names,
            *self.penalty_names,
            *self.score_names,
            *self.norm_names,
        )
        with self.under_strategy():
            self._trackers = {n: self.running_mean(n) for n in names}

    @property
    def metrics(self):
        return list(self._trackers.values()) if self.compiled else []

    def fit(self, x=None, y=None, batch_size=None, epochs=1, **kwargs):
        """Trains, as `keras.Model.fit` does.

        Args:
            x: images in [-1, 1], float `[n, height, width, channels]`: a
                `tf.data.Dataset` of batches, an array, a generator or any
                other input of Keras. Data sets of (image, label) serve too.
            y: labels of an array `x`, unused by unconditional GANs.
            batch_size: int, for arrays (32 by default).
            epochs: int.
            **kwargs: the other arguments of `keras.Model.fit`.

        Returns:
            A `keras.callbacks.History`; `d_loss`, `g_loss`, `d_real` (mean
            D(x)), `d_fake` (mean D(G(z))), `d_grad_norm`, `g_grad_norm`, each
            the mean over the epoch.

        Raises:
            ValueError: the first batch holds images outside of [-1, 1], NaN,
                or of another shape than the generator makes; or there is no
                whole step of data.
        """
        self.start_feed()
        kwargs |= {"batch_size": batch_size, "epochs": epochs}
        x, y = self.feed_inputs(x, y, kwargs)
        history = super().fit(x, y, **kwargs)
        self.d_optimizer.finalize_variable_values(self.d_variables)
        self.g_optimizer.finalize_variable_values(self.g_variables)
        return history

    def evaluate(self, *args, **kwargs):
        """The losses and scores without training, as Keras's `evaluate`."""
        self.start_feed()
        return super().evaluate(*args, **kwargs)

    def check_batch(self, batch):
        """Checks the first batch of a `fit`, as numpy arrays.

        Raises:
            ValueError: the images are not what the generator makes.
        """
        if isinstance(batch, dict):
            raise ValueError(
                "Data sets yield images or tuples that begin with images. "
                f"Received: a dict with keys {', '.join(map(str, batch))}. Map "
                "it first, e.g. `ds.map(lambda row: row['image'])`."
            )
        check_images(self.real(batch), self.image_shape)

    # --- Configuration and state ---

    def get_config(self):
        return serialization.arguments(self, BaseGAN)

    @classmethod
    def from_config(cls, config):
        return cls(**serialization.revive(config))

    def get_compile_config(self):
        if not self.compiled:
            return None
        config = {
            "d_optimizer": self.d_optimizer,
            "g_optimizer": self.g_optimizer,
            **self._compile_options,
        }
        return serialization.plain(config)

    def compile_from_config(self, config):
        self.compile(**serialization.revive(config))

    def save_own_variables(self, store):
        super().save_own_variables(store)
        serialization.save_seeds(self, store)

    def load_own_variables(self, store):
        super().load_own_variables(serialization.without_seeds(store))
        serialization.load_seeds(self, store)
