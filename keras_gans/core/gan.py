"""`BaseGAN`: what every GAN has, and what a new one may override."""

from collections.abc import Callable, Iterable, Iterator, Sequence
import contextlib
import inspect
import types
from typing import Any, Self

import keras
from keras import ops
import numpy as np

from keras_gans import losses
from keras_gans.augment import ADA
from keras_gans.core import (
    batches,
    endings,
    networks,
    presets,
    previews,
    samples,
    serialization,
)
from keras_gans.core.controllers import EMA, Controller, MovingAverage, as_ema
from keras_gans.core.export import FORMAT, check_format
from keras_gans.core.export import export as write_saved_model
from keras_gans.core.inputs import Input, Label, Latent, check_inputs, renamed
from keras_gans.core.optimizers import (
    Optimizers,
    adam,
    check_compile,
    check_rate,
    decay_linearly,
    scale_losses,
    with_rates_by_name,
)
from keras_gans.core.regularization import (
    Regularization,
    logits_of,
    regularized,
    warn_of_batch_norm,
)
from keras_gans.engine import Trainer, global_rows, kernels, rematerialization
from keras_gans.engine.keras_internals import let_export
from keras_gans.engine.phases import Phase, places
from keras_gans.engine.rng import RNG
from keras_gans.modalities import Modality, Preview
from keras_gans.utils.networks import build, check_network
from keras_gans.utils.types import Path, Tensor
from keras_gans.utils.validation import (
    check_decay,
    check_seed,
    check_size,
    is_int,
    is_number,
    packed,
    within,
)


@keras.saving.register_keras_serializable("keras_gans")
class BaseGAN(Trainer, keras.Model):
    """Generators and discriminators trained against each other.

    A GAN says what its samples are (`modality`), what its generator takes
    (`inputs`), and how a training step goes (`phases`). One of your own is a
    subclass that overrides what differs: `phases`, `discriminator_loss`,
    `generator_loss`, `generate`, `call_discriminator`, `optimizer_networks`,
    `default_optimizers`.

    Within losses a batch is a dict: `batch["real"]`, and each input that is
    read from the data by its name, such as `batch["label"]`.

    Args:
        generator: `keras.Model` from `inputs` to samples; or a dict of several
            by name.
        discriminator: `keras.Model` from samples to logits of any shape; a
            function from the shape of what it sees to one; or a dict of
            several models by name.
        modality: `Modality` of the samples; images or points by default, as
            the generator makes them.
        inputs: tuple of `Input`s that the generator takes, in their order; by
            default one latent code.
        objective: a name of `keras_gans.losses.OBJECTIVES` or an `Objective`.
        ema: `None`, an `EMA`, or the decay in (0, 1) of an exponential moving
            average of the generator, which then samples, predicts and is
            exported.
        label_smoothing: float in [0, 0.5), subtracted from the discriminator's
            target for reals.
        d_steps: int, batches (and updates of the discriminator) a step.
        linear_decay: `None`, or `(start, end)`: steps between which all
            learning rates fall linearly to 0.
        r1: float, gamma of the R1 penalty `gamma / 2 E[||grad C(x)||^2]` on
            reals (arXiv:1801.04406); 0 leaves it out.
        r2: float, gamma of the same penalty on fakes.
        penalty_interval: int, take R1 and R2 in every n-th step only, where
            they count n times (arXiv:1912.04958, appendix B).
        instance_noise: `None`, or the standard deviation of Gaussian noise on
            all that the discriminator sees in training (arXiv:1610.04490), or
            (standard deviation, steps in which it falls linearly to 0).
        packing: int, how many rows the discriminator sees together (PacGAN,
            arXiv:1712.04086): its input has as many times more channels. A
            batch must be divisible by it.
        diff_augment: `None`, or how what the discriminator sees in training is
            augmented: some of "color,translation,cutout" (arXiv:2006.10738); an
            `ADA`; "ada", an adaptive one; or "ada:0.2", one of a constant p.
        spectral_norm: bool, normalize every layer of the discriminator
            spectrally (arXiv:1802.05957): a copy of the one given.
        minibatch_stddev: `None`, or the int size of the groups whose standard
            deviation the discriminator's last layer sees (arXiv:1710.10196):
            a copy of the one given.
        freeze_d: int of 0 or more, layers of the discriminator, counted from the
            samples on, that keep their weights: for fine-tuning on few samples
            (arXiv:2002.10964).
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

    pair_names = None  # what a translator calls the two parts of a batch
    labels_shown = False  # whether a discriminator takes [samples, label]
    further_fields = ()  # what a batch has last, beside samples and inputs
    scores = True  # whether there is a discriminator whose logits mean something

    def __new__(cls, *args, **kwargs):
        gan = super().__new__(cls, *args, **kwargs)
        arguments = serialization.constructor_arguments(cls, args, kwargs)
        # In an object that Keras does not look into for networks.
        gan._arguments = types.SimpleNamespace(**arguments)
        return gan

    @serialization.refuses_unknown
    def __init__(
        self,
        generator: keras.Model | dict[str, keras.Model],
        discriminator: keras.Model | dict[str, keras.Model] | Callable,
        *,
        modality: Modality | None = None,
        inputs: tuple[Input, ...] | None = None,
        objective: str | losses.Objective = "non_saturating",
        ema: float | EMA | None = None,
        label_smoothing: float = 0.0,
        d_steps: int = 1,
        linear_decay: tuple[int, int] | None = None,
        r1: float = 0.0,
        r2: float = 0.0,
        penalty_interval: int = 1,
        instance_noise: float | tuple[float, int] | None = None,
        packing: int = 1,
        diff_augment: str | tuple[str, ...] | ADA | None = None,
        spectral_norm: bool = False,
        minibatch_stddev: int | None = None,
        freeze_d: int = 0,
        seed: int = 0,
        name: str | None = None,
    ):
        super().__init__(name=name)
        self._start_engine()
        generators = _by_name("generator", generator)
        if inputs is None and set(generators) == {"generator"}:
            inputs = (networks.latent_of(generators["generator"]),)
        self.inputs_of_generator = check_inputs(inputs)
        self.modality = self.check_generators(generators, modality)
        self.packing = check_size("packing", packing)
        if not isinstance(discriminator, (keras.Model, dict)):
            if not callable(discriminator):
                check_network("discriminator", discriminator)  # which refuses
            seen = packed(self.modality.shape, packing)
            discriminator = discriminator(seen)
        discriminators = _by_name("discriminator", discriminator)
        _check_sides(generators, discriminators)
        for role, network in discriminators.items():
            seen = self.discriminator_inputs(role)
            build(role, network, seen)
            endings.check_gives_logits(role, network, inputs=seen)
        for role, network in generators.items():
            endings.check_reaches(role, network, self.modality)
        if len(self.modality.shape) > 1:
            for role, network in {**generators, **discriminators}.items():
                networks.check_layout(role, network)
        self.check_discriminators(discriminators)
        discriminators = regularized(discriminators, spectral_norm, minibatch_stddev)
        ok = is_int(freeze_d) and freeze_d >= 0
        if within("freeze_d", freeze_d, ok, "0, 1, ..."):
            for role, network in discriminators.items():
                networks.freeze_first(role, network, freeze_d)
        self.networks = {**generators, **discriminators}
        self.generator_names = tuple(generators)
        self.discriminator_names = tuple(discriminators)
        for network in self.networks.values():
            kernels.accelerate(network)
            let_export(network)
        self.regularization = Regularization(
            r1,
            r2,
            penalty_interval,
            instance_noise,
            packing,
            diff_augment,
            self.modality,
        )
        for penalty in self.regularization.gammas:
            self.warn_of_batch_norm(f"`{penalty}`")
        self.objective = losses.get(objective)
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
        self.rng = RNG(check_seed(seed), global_rows)
        self.step = self.add_weight(
            name="step",
            dtype="int32",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )
        self.controllers: dict[str, Controller] = {}
        ema = as_ema(ema)
        if ema is not None:
            self.controllers["ema"] = MovingAverage(ema, self.generator_copies())
        controller = self.regularization.controller_of_p(self.objective)
        if controller is not None:
            self.controllers["ada"] = controller
        self._classes_seen = batches.ClassesSeen()
        self._first_given = None  # in an object that Keras does not track
        self.built = True

    def generator_copies(self) -> dict[str, keras.Model]:
        """Copies of the generators by name, of the same weights: to average."""
        shapes = self.generator_input_shapes()
        copies = {
            name: serialization.copy(self.networks[name], shapes[name])
            for name in self.generator_names
        }
        for network in copies.values():
            kernels.accelerate(network)
            let_export(network)
        return copies

    def warn_of_batch_norm(self, penalty: str) -> None:
        """Warns where a penalty on gradients meets batch norm."""
        for name in self.discriminator_names:
            warn_of_batch_norm(self.networks[name], penalty, self.engine.num_replicas)

    # --- What a GAN may override ---

    def phases(self) -> list[Phase]:
        """The parts of a training step, in their order."""
        return [
            Phase(
                "d",
                self.discriminator_loss,
                penalty=self.penalties,
                batches=self.d_steps,
            ),
            Phase("g", self.generator_loss),
        ]

    @property
    def optimizer_networks(self) -> dict[str, tuple[str, ...]]:
        """The names of the networks that each optimizer trains."""
        return {"d": self.discriminator_names, "g": self.generator_names}

    def default_optimizers(self) -> tuple:
        """The paper's optimizers, in the order of `optimizer_networks`."""
        return tuple(adam() for _ in self.optimizer_networks)

    def check_generators(
        self, generators: dict[str, keras.Model], modality: Modality | None
    ) -> Modality:
        """Checks the generators; returns the modality of their samples."""
        if set(generators) != {"generator"}:
            if modality is None or not self.inputs:
                raise ValueError(
                    "A GAN of generators by name says what it makes and of "
                    f"what. Received: generators {', '.join(generators)}, "
                    f"modality={modality}, inputs={self.inputs}. Pass "
                    "`modality` and `inputs`."
                )
            return modality
        (generator,) = generators.values()
        shape = networks.made_by(generator, self.inputs_of_generator)
        return networks.check_modality(modality, shape)

    def check_discriminators(self, discriminators: dict[str, keras.Model]) -> None:
        """Checks that the discriminators take the samples."""
        for network in discriminators.values():
            networks.check_sees(network, self.modality.shape, self.packing)

    def generate(self, batch: dict, training: bool) -> Tensor:
        """Fakes for a batch: as many as it has reals."""
        n = self.rows_of(batch)
        values = [
            i.draw(self.rng, n) if i.drawn else batch[i.name]
            for i in self.inputs_of_generator
        ]
        return self.forward("generator", values, training)

    def call_discriminator(self, x: Tensor, batch: dict, training: bool) -> Tensor:
        """What the discriminator says of samples `x`: logits, or a list.

        Where it has several outputs, logits come first. Losses call
        `discriminate`, which augments x and then calls this. Labels are shown
        beside where the class sets `labels_shown = True`.
        """
        values = [x]
        if self.labels_shown and self.labelled:
            labels = batch["label"]
            if self.packing > 1:
                labels = ops.reshape(labels, (-1, self.packing))
            values.append(labels)
        return self.forward("discriminator", values, training)

    def discriminator_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """The discriminator's loss: `(scalar, {name: value})`."""
        real = self.discriminate(batch["real"], batch, training, "real")
        fake = self.discriminate(fake, batch, training, "fake")
        return self.d_adversarial(logits_of(real), logits_of(fake))

    def generator_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """The generator's loss: `(scalar, {name: value})`."""
        fake = self.discriminate(fake, batch, training, "generated")
        return self.g_adversarial(logits_of(fake), batch, training)

    # --- What losses are made of ---

    def discriminate(self, x: Tensor, batch: dict, training: bool, role: str) -> Tensor:
        """What the discriminator says of `x`, augmented where that is on.

        Args:
            x: samples or other rows `[n, ...]`.
            batch: the batch that they belong to.
            training: bool; noise and augmentation are for training alone.
            role: str: "real", "fake", "generated", "mixed" or another; each is
                drawn random numbers of its own.
        """
        x = self.regularization.augmented(self, x, training, role)
        return self.call_discriminator(x, batch, training)

    def forward(
        self, name: str | keras.Model, inputs: Tensor, training: bool
    ) -> Tensor:
        """A network's outputs in float32; rematerialized where asked for.

        Args:
            name: str, of `networks`, or a part of one of them.
            inputs: tensor, or a list of them.
            training: bool.
        """
        if isinstance(inputs, list) and len(inputs) == 1:
            inputs = inputs[0]
        network = self._network(name) if isinstance(name, str) else name
        if training and self.rematerialize:
            wrap = self.engine.rematerialized
            outputs = rematerialization.call(network, inputs, wrap)
        else:
            outputs = network(inputs, training=training)
        return keras.tree.map_structure(lambda y: ops.cast(y, "float32"), outputs)

    def d_adversarial(self, real: Tensor, fake: Tensor) -> tuple[Tensor, dict]:
        """The objective's D side, of logits: `(scalar, {name: value})`."""
        scores = {
            "d_real": self._score(real),
            "d_fake": self._score(fake),
            **self.regularization.scores(self, real),
        }
        if self.label_smoothing:
            loss = self.objective.d(real, fake, 1.0 - self.label_smoothing)
        else:
            loss = self.objective.d(real, fake)
        return loss, {"d_loss": loss, **scores}

    def g_adversarial(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """The objective's G side, of logits: `(scalar, {name: value})`."""
        if self.objective.relativistic:
            real = self.discriminate(batch["real"], batch, training, "real")
            loss = self.objective.g(fake, logits_of(real))
        else:
            loss = self.objective.g(fake)
        return loss, {"g_loss": loss}

    def _score(self, logits):
        if self.objective.probability:
            logits = ops.sigmoid(logits)
        return ops.mean(logits)

    def penalties(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """R1 and R2 where they are on: `(scalar, {name: value})`."""
        return self.regularization.penalties(self, fake, batch)

    # --- Networks, optimizers and batches by name ---

    @property
    def inputs(self) -> tuple[Input, ...]:
        """What samples are made of: what the generator takes, perhaps more."""
        return self.inputs_of_generator

    @property
    def generator(self) -> keras.Model:
        """The generator, of a GAN with one."""
        return self._network("generator")

    @property
    def discriminator(self) -> keras.Model:
        """The discriminator, of a GAN with one."""
        return self._network("discriminator")

    def _network(self, name):
        if name not in self.networks:
            raise ValueError(
                f"The networks are {', '.join(self.networks)}. Received: "
                f"{name!r}. Take one by its name, `gan.networks[name]`; "
                "`generate` and `call_discriminator` are to be overridden "
                "where networks have other names."
            )
        return self.networks[name]

    @property
    def ema_generator(self) -> keras.Model | None:
        """The moving average of the generator, or `None`."""
        average = self.controllers.get("ema")
        return None if average is None else average.networks["generator"]

    def sampling_network(self, name: str = "generator") -> keras.Model:
        """A generator as it samples: its moving average where there is one."""
        average = self.controllers.get("ema")
        return (self if average is None else average).networks[name]

    def sampling_networks(self) -> list[keras.Model]:
        """All networks that samples are made by."""
        return [self.sampling_network()]

    def variables_of(self, optimizer: str) -> list:
        """The variables that an optimizer trains."""
        return [
            v
            for name in self.optimizer_networks[optimizer]
            for v in self.networks[name].trainable_variables
        ]

    @property
    def generator_variables(self) -> list:
        """The variables of all generators."""
        return [
            v
            for name in self.generator_names
            for v in self.networks[name].trainable_variables
        ]

    def trains_generator(self, phase: Phase) -> bool:
        """Whether a phase learns through fakes: it trains a generator."""
        trained = self.optimizer_networks[phase.optimizer]
        return not set(trained).isdisjoint(self.generator_names)

    @property
    def batches_per_step(self) -> int:
        """How many batches of data a step takes."""
        return max(place.stop for place in places(self.phases()).values())

    def generator_input_shapes(self) -> dict[str, list]:
        """The shapes of a row of each generator's inputs."""
        return {"generator": [i.shape for i in self.inputs_of_generator]}

    def discriminator_inputs(self, name: str) -> list[keras.KerasTensor]:
        """The shape and dtype of each input of a discriminator, of one row."""
        shape = packed(self.modality.shape, self.packing)
        seen = [keras.KerasTensor((1, *shape))]
        if self.labels_shown and self.labelled:
            labels = (1,) if self.packing == 1 else (1, self.packing)
            seen.append(keras.KerasTensor(labels, "int32"))
        return seen

    @property
    def seen_inputs(self) -> tuple[Input, ...]:
        """The inputs that `call_discriminator` may look at beside samples."""
        if type(self).call_discriminator is not BaseGAN.call_discriminator:
            return tuple(i for i in self.inputs if not isinstance(i, Latent))
        shown = self.labels_shown and self.labelled
        return tuple(i for i in self.inputs if shown and isinstance(i, Label))

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of a batch's parts, in their order in the data."""
        leading = [i.name for i in self.inputs if i.leads]
        rest = [i.name for i in self.inputs if not i.leads and not i.drawn]
        return (*leading, "real", *rest, *self.further_fields)

    @property
    def samples_from_seed(self) -> bool:
        """Whether samples are drawn, not made of other samples."""
        return any(i.drawn for i in self.inputs)

    @property
    def labelled(self) -> bool:
        """Whether the data has class labels beside the samples."""
        return any(isinstance(i, Label) for i in self.inputs)

    def parts(self, batch: Any) -> tuple:
        """The tensors of a batch, from data sets and arrays alike."""
        if not isinstance(batch, (tuple, list)):
            return (batch,)
        if len(batch) == 1 and isinstance(batch[0], (tuple, list)):
            batch = batch[0]
        if len(batch) > 1 and isinstance(batch[1], tuple):  # `fit(x, (y, z))`
            batch = (batch[0], *batch[1], *batch[2:])
        # Of `train_on_batch`, weights of the images, which are none.
        return tuple(part for part in batch if part is not None)

    def given_parts(self, batch: Any) -> dict:
        """The parts of a batch by name, but for those that are made of others."""
        return dict(zip(self.fields, self.parts(batch), strict=False))

    def read_batch(self, batch: Any) -> dict:
        """A batch as losses take it: a dict of its `fields`."""
        read = dict(zip(self.fields, self.parts(batch), strict=False))
        if "real" in read:
            read["real"] = self.modality.as_seen(read["real"])
        for i in self.inputs:
            if i.name in read:
                read[i.name] = i.read(read[i.name])
        return read

    def rows_of(self, batch: dict) -> int | Tensor:
        """How many rows a batch has, on this replica."""
        return ops.shape(batch[self.fields[0]])[0]

    # --- The Keras model ---

    def compile(
        self,
        d_optimizer: keras.optimizers.Optimizer | None = None,
        g_optimizer: keras.optimizers.Optimizer | None = None,
        *,
        accumulate: int = 1,
        rematerialize: bool = False,
        **kwargs,
    ) -> None:
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
            **kwargs: `{name}_optimizer` of a GAN that names more than two, and
                `jit_compile`, `steps_per_execution`, `run_eagerly` and
                `auto_scale_loss` of `keras.Model.compile`.

        Raises:
            ValueError: an unknown argument, one optimizer given for several
                networks, a negative learning rate, weights that are
                not in float32, or XLA asked for under a distribution strategy.
        """
        optimizers = {"d": d_optimizer, "g": g_optimizer}
        names = list(self.optimizer_networks)
        self._check_phases(names)
        optimizers |= {
            name: kwargs.pop(f"{name}_optimizer")
            for name in names
            if f"{name}_optimizer" in kwargs
        }
        own = {"accumulate": accumulate, "rematerialize": rematerialize}
        replicas = self.engine.num_replicas
        check_compile(names, optimizers, kwargs, own, replicas)
        for name in {n for x in self.optimizer_networks.values() for n in x}:
            networks.check_precision(name, self.networks[name])
        super().compile(optimizer=None, **kwargs)
        self.accumulate, self.rematerialize = accumulate, rematerialize
        self._compile_options = kwargs | own
        self.optimizers = {}
        updates = dict.fromkeys(names, 0)  # of a step, on the average
        for phase in self.phases():
            updates[phase.optimizer] += phase.batches / phase.every
        defaults = self.default_optimizers()
        for name, default in zip(names, defaults, strict=True):
            optimizer = keras.optimizers.get(optimizers.get(name) or default)
            check_rate(name, optimizer)
            if kwargs.get("auto_scale_loss", True):
                trained = self.optimizer_networks[name]
                trained = [self.networks[n] for n in trained]
                optimizer = scale_losses(optimizer, trained)
            if self.linear_decay:
                start, end = self.linear_decay
                n = updates[name] or 1
                decay_linearly(optimizer, round(start * n), round(end * n))
            variables = self.variables_of(name)
            self.optimizers[name] = self.engine.prepare_optimizer(optimizer, variables)
        self.optimizer = Optimizers(list(self.optimizers.values()))
        names = dict.fromkeys(
            (
                *(f"{phase.name}_loss" for phase in self.phases()),
                *self.loss_names,
                *self.penalty_names,
                *self.score_names,
                *self.norm_names,
            )
        )
        self._reported = set()
        with self.engine.scope():
            self.trackers = {n: self.engine.running_mean(n) for n in names}
        self._trained = networks.trained_by(self.networks)

    accumulate = 1
    rematerialize = False

    def _check_phases(self, optimizers):
        phases = self.phases()
        names = [phase.name for phase in phases]
        if not phases or len(set(names)) < len(names):
            raise ValueError(
                "`phases` gives each phase a name of its own. Received: "
                f"{', '.join(names) or 'no phases'}."
            )
        for phase in phases:
            if phase.optimizer not in optimizers:
                raise ValueError(
                    f"Phase {phase.name!r} is driven by one of the optimizers "
                    f"{', '.join(optimizers)}. Received: optimizer="
                    f"{phase.optimizer!r}. Name it in `optimizer_networks`."
                )
        trained = [n for x in self.optimizer_networks.values() for n in x]
        if unknown := sorted(set(trained) - set(self.networks)):
            raise ValueError(
                f"The networks are {', '.join(self.networks)}. Received: "
                f"`optimizer_networks` with {', '.join(unknown)}."
            )
        count = len(self.default_optimizers())
        if count != len(optimizers):
            raise ValueError(
                f"`default_optimizers` gives one for each of "
                f"{', '.join(optimizers)}. Received: {count}."
            )

    @property
    def d_optimizer(self) -> keras.optimizers.Optimizer:
        """The discriminator's optimizer."""
        return self.optimizers["d"]

    @property
    def g_optimizer(self) -> keras.optimizers.Optimizer:
        """The generator's optimizer."""
        return self.optimizers["g"]

    @property
    def loss_names(self) -> tuple[str, ...]:
        """The names of the losses in logs, each phase's own first."""
        phases = self.phases()
        own = [f"{phase.name}_loss" for phase in phases]
        return (*own, *(name for phase in phases for name in phase.logs))

    @property
    def score_names(self) -> tuple[str, ...]:
        """What logs say of D's logits, and of an augmentation that moves."""
        names = ["d_real", "d_fake"]
        if self.regularization.adaptive:
            names.append("d_sign")
        if "ada" in self.controllers:
            names.append("ada_p")
        return tuple(names)

    @property
    def penalty_names(self) -> tuple[str, ...]:
        """The penalties that are on, as logs name them."""
        return tuple(self.regularization.gammas)

    @property
    def norm_names(self) -> tuple[str, ...]:
        """The gradient norms in logs."""
        return tuple(f"{phase.name}_grad_norm" for phase in self.phases())

    @property
    def metrics(self) -> list:
        return list(self.trackers.values()) if self.compiled else []

    def get_metrics_result(self) -> dict:
        return self.told(super().get_metrics_result())

    def note_reported(self, names: Iterable[str]) -> None:
        """Notes what phases report, while a step is traced."""
        self._reported.update(names)

    def told(self, logs: dict) -> dict:
        """Logs without what no phase has reported yet, which Keras has as 0."""
        silent = set(self.trackers) - self._reported
        return {name: value for name, value in logs.items() if name not in silent}

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        **kwargs,
    ) -> keras.callbacks.History:
        """Trains, as `keras.Model.fit` does.

        Args:
            x: samples as `modality` has them, for images float
                `[n, height, width, channels]` in [-1, 1], or uint8 in
                [0, 255], which is scaled to that: a `tf.data.Dataset`
                of batches, an array, a generator or any other input of Keras.
                Data sets of (sample, label) serve too: a GAN without
                classes leaves labels out, and warns. Inputs that lead, such
                as the images to translate, come first: (source, target).
            y: labels of an array `x`, or the targets of an array of
                sources.
            batch_size: int, for arrays (32 by default).
            epochs: int.
            **kwargs: the other arguments of `keras.Model.fit`, but for
                `sample_weight` and `class_weight`.

        Returns:
            A `keras.callbacks.History`: `d_loss`, `g_loss`, `d_real` (mean
            D(x)), `d_fake` (mean D(G(z))), `d_grad_norm`, `g_grad_norm`, each
            the mean over the rows of the epoch.

        Raises:
            ValueError: arrays of strings or of unlike lengths; a row of an
                array, or the first batch of a data set, holds samples that
                `modality` does not allow; there is no whole
                step of data; a network was frozen after `compile`; weights of
                samples or classes are given.
        """
        batches.refuse_weights(kwargs)
        self._start_fit()
        kwargs |= {"batch_size": batch_size, "epochs": epochs}
        kwargs["callbacks"] = with_rates_by_name(kwargs.get("callbacks"))
        if kwargs.get("validation_data") is not None:
            kwargs["validation_data"] = self._validation(kwargs["validation_data"])
        x, y = batches.readable(self, x, y)
        batches.check_arrays(self, x, y)
        x, y = self.step_iterator.inputs(self.engine.share_out(x), y, kwargs)
        # What callbacks enter ends with `fit`, also where it raises.
        with contextlib.ExitStack() as self.during_fit:
            history = super().fit(x, y, **kwargs)
        for name, optimizer in self.optimizers.items():
            optimizer.finalize_variable_values(self.variables_of(name))
        if kwargs.get("steps_per_epoch") is None:  # else some were not seen
            self._classes_seen.warn_of_missing()
        return history

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: None = None,
        class_weight: None = None,
        return_dict: bool = False,
    ) -> Any:
        """One step on one batch, as Keras's `train_on_batch`."""
        batches.refuse_weights(
            {"sample_weight": sample_weight, "class_weight": class_weight}
        )
        self._start_fit()
        x, y = batches.readable(self, x, y)
        return super().train_on_batch(x, y, return_dict=return_dict)

    def test_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: None = None,
        return_dict: bool = False,
    ) -> Any:
        """The losses and scores of a batch, as Keras's `test_on_batch`."""
        batches.refuse_weights({"sample_weight": sample_weight})
        self.step_iterator.start()
        x, y = batches.readable(self, x, y)
        return super().test_on_batch(x, y, return_dict=return_dict)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: None = None,
        **kwargs,
    ) -> Any:
        """The losses and scores without training, as Keras's `evaluate`.

        Each is the mean over all rows, however they are cut into batches.
        """
        batches.refuse_weights({"sample_weight": sample_weight, **kwargs})
        self.step_iterator.start()
        x, y = batches.readable(self, x, y)
        return super().evaluate(x, y, batch_size, verbose, **kwargs)

    def _validation(self, data):
        """`validation_data` as Keras takes it."""
        if not isinstance(data, (tuple, list)):
            return batches.readable(self, data)[0]
        x, y, *weights = (*data, None)[: max(2, len(data))]
        batches.refuse_weights({"sample_weight": (*weights, None)[0]})
        return batches.readable(self, x, y)

    def _start_fit(self):
        self.step_iterator.start()
        if self.compiled:  # else Keras says so
            self.check_trained()

    def reset_metrics(self) -> None:
        """Begins an epoch: Keras calls it then, before any callback."""
        super().reset_metrics()
        self.step_iterator.start_epoch()

    def check_trained(self) -> None:
        """Refuses to train other variables than at `compile`, or none in a phase."""
        networks.check_trained(self._trained, self.networks)
        for phase in self.phases():
            if not self.variables_of(phase.optimizer):
                networks.refuse_frozen(
                    phase.optimizer, self.optimizer_networks[phase.optimizer]
                )

    def check_batch(self, batch: Any) -> None:
        """Checks the first batch of a `fit`, as numpy arrays.

        Raises:
            ValueError: the samples are not what the generator makes, or the
                inputs not what it takes.
        """
        read = batches.check_first(self, batch)
        self._first_given = types.SimpleNamespace(
            **{
                i.given: np.asarray(read[i.name])[: previews.PREVIEWED]
                for i in self.inputs
                if i.needed
            }
        )

    def check_every_batch(self, batch: Any, trains: bool) -> None:
        """Checks what may differ from batch to batch, such as labels."""
        for i, values in batches.check_each(self, batch):
            if trains and isinstance(i, Label):
                self._classes_seen.note(i, values)

    # --- Samples ---

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Samples of the generator's inputs, by its moving average."""
        samples = self.sampling_network()(inputs, training=training)
        return self.modality.clip(ops.cast(samples, "float32"))

    @property
    def class_input(self) -> Input | None:
        """The input that is a class or a category, or `None`."""
        return samples.class_input(self.inputs)

    def sample(self, n: int | None = None, seed: int = 0, **given) -> np.ndarray:
        """Generates samples.

        Row i is a function of `(seed, i)` and what is given for it alone:
        `sample(8, seed=3)[:4]` equals `sample(4, seed=3)`. It is the exported
        model's sample for the seed number `seed * 2**32 + i`.

        Args:
            n: int, how many. It may be left out where `texts` are given: then
                one of each.
            seed: int in [0, 2**31).
            **given: values of the generator's inputs, one for all or `[n]` of
                them: `labels` of conditional GANs, `codes` of InfoGAN, `texts`,
                `source`, each as its `Input` says.

        Returns:
            float32 array `[n, *modality.shape]`.

        Raises:
            ValueError: `n` is below 1, `seed` out of range, or what is given
                is unknown or does not fit.

        Example:

        ```python
        samples = keras_gans.DCGAN(image_shape=(16, 16, 1), width=8).sample(4)
        ```
        """
        given = renamed(self.inputs, given)
        n = samples.count_texts(self.inputs, given) if n is None else n
        return np.concatenate(list(self.sample_batches(n, seed, **given)))

    def sample_batches(self, n: int, seed: int = 0, **given) -> Iterator[np.ndarray]:
        """The samples of `sample` as an iterator of batches of at most 32.

        So any number of them takes the memory of one batch.
        """
        return samples.of_seed(self, n, seed, given)

    def seed_batches(self, seeds: Sequence[int], **given) -> Iterator[np.ndarray]:
        """One sample for each seed, row 0 of `sample(1, seed)`, in batches.

        Args:
            seeds: list of int in [0, 2**31).
            **given: as of `sample`, one for all or one for each seed.

        Returns:
            Iterator of float32 arrays `[up to 32, *modality.shape]`.

        Raises:
            ValueError: as of `sample`.

        Example:

        ```python
        gan = keras_gans.DCGAN(image_shape=(16, 16, 1), width=8)
        samples = np.concatenate(list(gan.seed_batches([0, 1, 77])))
        samples.shape  # (3, 16, 16, 1)
        ```
        """
        return samples.of_seeds(self, seeds, given)

    # --- Previews ---

    @property
    def preview_legend(self) -> str:
        """What the samples of a preview are."""
        return previews.legend(self)

    def keep_for_previews(
        self, given: dict | None, n: int | None = None
    ) -> dict | None:
        """What previews are made of, checked; see `callbacks.SampleGrid`.

        Args:
            given: dict of arguments of `sample`, or `None`: then previews show
                the first that `fit` saw, where samples cannot do without.
            n: int, unused: each value serves as often as it takes.

        Raises:
            ValueError: something is given that samples are not made of.
        """
        return previews.checked(self, given)

    def preview(
        self,
        n: int | None = None,
        seed: int = 0,
        columns: int | None = None,
        *,
        given: Any = None,
        picture: Callable | None = None,
        class_names: Sequence[str] | None = None,
    ) -> Preview:
        """Samples to be looked at.

        Args:
            n: int, how many; by default 64, or the whole rows among them.
            seed: int in [0, 2**31).
            columns: int, samples a row; by default what suits the GAN.
            given: dict of arguments of `sample`; by default those that `fit`
                saw first, where there is no other.
            picture: function of samples that gives what is to be seen.
            class_names: list of str, a name for each class.

        Returns:
            `Preview`: `gan.preview(16).save("samples.png")`.

        Raises:
            ValueError: there is another number of classes.
        """
        if given is None and self._first_given is not None:
            given = vars(self._first_given)
        return previews.preview(self, n, seed, columns, given, picture, class_names)

    def show(
        self,
        samples: np.ndarray,
        what: str,
        labels: Any = None,
        columns: int | None = None,
        class_names: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
        rows: Sequence[str] | None = None,
    ) -> Preview:
        """Samples that are made, with their classes and a caption.

        Args:
            samples: array `[n, *modality.shape]`.
            what: str, what they are, for the caption.
            labels: the classes that they were made of, one for all or `[n]`;
                by default those that `sample` takes by itself.
            columns: int, samples a row; by default what suits the GAN.
            class_names: list of str, a name for each class.
            names: list of str, what stands beside each sample before its class.
            rows: list of str, what each row is of, where a row shows every class
                once; of more than 16 classes, samples are named one by one.

        Raises:
            ValueError: there is another number of classes.
        """
        return previews.show(
            self, samples, what, labels, columns, class_names, names, rows
        )

    # --- Files ---

    def export(
        self, filepath: Path, overwrite: bool = False, *, format: str = FORMAT
    ) -> None:
        """Writes a SavedModel for TF Serving: see `keras_gans.core.export`."""
        check_format(format, overwrite)
        write_saved_model(self, filepath, overwrite=overwrite)

    def save(self, filepath: Path, *args, **kwargs) -> None:
        """Saves all of the GAN, as `keras.Model.save`, to a `.keras` file.

        Raises:
            ValueError: `filepath` has another ending.
        """
        if not str(filepath).endswith(".keras"):
            raise ValueError(
                "A GAN is saved to a .keras file, which holds its networks, "
                f"optimizers and random state. Received: filepath={filepath}. For "
                "the weights alone, call `save_weights('x.weights.h5')`."
            )
        super().save(filepath, *args, **kwargs)

    def save_to_preset(
        self,
        directory: Path,
        overwrite: bool = False,
        *,
        class_names: Sequence[str] | None = None,
        recipe: dict | None = None,
        metrics: dict | None = None,
        dtype: str = "float32",
        facts: dict[str, str] | None = None,
    ) -> None:
        """Writes the GAN as a directory of plain files, to share and fine-tune.

        All networks, moving averages and other state of controllers are kept;
        optimizers are not. `keras_gans.from_preset` reads it; a hub's own client
        uploads it, `huggingface_hub.upload_folder(repo_id=..., folder_path=...)`.

        Args:
            directory: str or path, written whole or not at all.
            overwrite: bool, whether a preset there is replaced.
            class_names: list of str, a name for each class.
            recipe: dict that JSON can hold, how it was trained; of a run
                `keras-gans convert RUN` fills it in.
            metrics: dict likewise, what came of it.
            dtype: "float32", or "float16" for half the bytes, of weights; loaded,
                they are what the GAN computes in.
            facts: dict of names to texts: what else the model card says, such as
                `{"licence": "MIT"}`.

        Raises:
            ValueError: something else stands there, there is another number of
                classes, or a weight is beyond float16.

        Example:

        ```python
        keras_gans.DCGAN((16, 16, 1), width=4).save_to_preset("my_dcgan")
        ```
        """
        presets.write(
            self,
            directory,
            overwrite,
            class_names=None if class_names is None else list(class_names),
            recipe=recipe,
            metrics=metrics,
            dtype=dtype,
            facts=facts,
        )

    # --- Configuration and state ---

    def constructor_config(self) -> dict:
        """The config with networks only where the constructor was given them."""
        arguments, config = vars(self._arguments), self.get_config()
        sides = (*self.networks, "generator", "discriminator")
        built = [
            name for name in sides if name in arguments and arguments[name] is None
        ]
        return {**config, **dict.fromkeys(built)}

    def get_config(self) -> dict:
        config = {**vars(self._arguments), "name": self.name}
        for side, names in (
            ("generator", self.generator_names),
            ("discriminator", self.discriminator_names),
        ):
            own = {name: self.networks[name] for name in names}
            # By its signature, or through its `**kwargs`.
            parameters = inspect.signature(type(self).__init__).parameters
            taken = {*parameters, *config}
            if len(own) > 1 and side in taken:
                config[side] = own
            else:
                config |= {k: v for k, v in own.items() if k in taken}
        return serialization.plain(config)

    @classmethod
    def fine_tuning_config(cls, config: dict, changed: dict) -> dict:
        """A preset's arguments as training from it begins; see `StackGAN`.

        Args:
            config: dict, arguments of the preset.
            changed: dict, those that are to be others.
        """
        return config

    def begins_from(self, config: dict) -> bool:
        """Whether `start_from` takes the weights of a preset of these arguments."""
        return False

    @classmethod
    def from_config(cls, config: dict) -> Self:
        return cls(**serialization.revive(config))

    def get_compile_config(self) -> dict | None:
        if not self.compiled:
            return None
        config = {
            **{f"{name}_optimizer": o for name, o in self.optimizers.items()},
            **self._compile_options,
        }
        choices = self.engine.choices
        if choices is not None and choices.names:
            config["kernels"] = dict(choices.names)
        return serialization.plain(config)

    def compile_from_config(self, config: dict) -> None:
        config = dict(config)
        kernels_taken = config.pop("kernels", None)
        self.compile(**serialization.revive(config))
        if kernels_taken and self.engine.choices is not None:
            self.engine.choices.restore(kernels_taken)

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        serialization.save_seeds(self, store)

    def load_own_variables(self, store: Any) -> None:
        super().load_own_variables(serialization.without_seeds(store))
        serialization.load_seeds(self, store)


def _check_sides(generators, discriminators):
    both = [*generators.values(), *discriminators.values()]
    alike = set(generators) & set(discriminators)
    if alike or len({id(network) for network in both}) < len(both):
        raise ValueError(
            "Each network has a name, and belongs to one side. Received: "
            f"generators {', '.join(generators)}, discriminators "
            f"{', '.join(discriminators)}. Rename one, or build another."
        )


def _by_name(side, network):
    """One network or several, as a dict by name."""
    if not isinstance(network, dict):
        return {side: network}
    if not network or not all(isinstance(name, str) for name in network):
        raise ValueError(
            f"`{side}` is a keras.Model or a dict of them by name. Received: "
            f"a dict with keys {list(network)}."
        )
    if len({id(n) for n in network.values()}) < len(network):
        raise ValueError(
            "The networks of a side are trained apart. Received: one network "
            f"under two names of `{side}`. Build two."
        )
    return dict(network)
