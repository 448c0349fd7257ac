"""How one step updates a GAN, in terms of a backend's gradients."""

import keras
from keras import ops

from keras_gans.engine import draws
from keras_gans.engine import kernels
from keras_gans.engine import remat


class RunningMean(keras.metrics.Mean):
    """A mean over steps whose sum comes out the same after a restart.

    Replicas each have a sum of their own; a checkpoint keeps what they come to
    together. In float64 it does not show which of them has how much of it.
    """

    def result(self):
        return ops.cast(super().result(), "float32")


class Steps:
    """Updates and evaluation of a GAN; mixed into each engine."""

    accumulate = 1  # parts that each batch is cut into, see `compile`
    rematerialize = False  # see `compile`

    def forward(self, network, inputs, training):
        """`network(inputs)`; of training, rematerialized where asked for."""
        if training and self.rematerialize:
            return remat.call(network, inputs, self.rematerialized)
        return network(inputs, training=training)

    def update_with_shared_fakes(self, batches):
        """D on every batch, then G through the last fakes that D saw."""
        if self.accumulate > 1:
            return self._update_in_parts(batches, len(batches) - 1)
        d_logs = self._update_on(batches[:-1])
        batch = batches[-1]
        with self.draws.at(draws.TRAIN, self.step.value, len(batches) - 1):
            fake, to_generator = self._generate(batch)
            fixed = ops.stop_gradient(fake)
            d_logs.append(self.update_discriminator(fixed, batch))
            logs = self.update_generator(fake, batch, to_generator)
        return self._end_step(d_logs, logs)

    def update_with_fresh_fakes(self, batches):
        """D on every batch, then G through fakes that D never saw."""
        if self.accumulate > 1:
            return self._update_in_parts(batches, len(batches))
        d_logs = self._update_on(batches)
        with self.draws.at(draws.TRAIN, self.step.value, len(batches)):
            fake, to_generator = self._generate(batches[-1])
            logs = self.update_generator(fake, batches[-1], to_generator)
        return self._end_step(d_logs, logs)

    def update_generator_first(self, batches):
        """G on a batch, then D on what `remember` makes of the same fakes."""
        (batch,) = batches
        fakes = []

        def of_generator(batch):
            def through_fakes():
                fake = self.generate(batch, True)
                loss, logs = self.generator_loss(fake, batch, True)
                return loss, (logs, fake)

            loss, (logs, fake), pullback = self.differentiate(
                through_fakes, self.g_variables
            )
            fakes.append(keras.tree.map_structure(ops.stop_gradient, fake))
            gradients, _ = pullback(self._loss_scale(self.g_optimizer, loss))
            return gradients, logs

        def of_discriminator(batch):
            return self._d_gradients(self.remember(fakes.pop(0)), batch)

        logs = self._update_g(self._of_parts(of_generator, batch, 0))
        d_logs = self._update_d(self._of_parts(of_discriminator, batch, 0))
        return self._end_step([d_logs], logs)

    def _update_in_parts(self, batches, place):
        """The same in parts: fakes are made again for G, to be forgotten."""

        def of_discriminator(batch):
            fake = ops.stop_gradient(self.generate(batch, True))
            return self._d_gradients(fake, batch)

        def of_generator(batch):
            fake, to_generator = self._generate(batch)
            return self._g_gradients(fake, batch, to_generator)

        d_logs = [
            self._update_d(self._of_parts(of_discriminator, batch, k))
            for k, batch in enumerate(batches)
        ]
        found = self._of_parts(of_generator, batches[-1], place)
        return self._end_step(d_logs, self._update_g(found))

    def _of_parts(self, gradients_of, batch, place):
        """The mean of gradients and logs over the parts of a batch."""
        n = self.accumulate
        total, rows = None, []
        for i in range(n):
            part = batch
            if n > 1:
                part = keras.tree.map_structure(self._cutter(i), batch)
            if total is not None:  # one part in memory at a time
                part = self.after(total, part)
            with self.draws.at(
                draws.TRAIN, self.step.value, place, part=(i, n)
            ):
                gradients, logs = gradients_of(part)
            rows.append(logs)
            if total is None:
                total = gradients
            else:
                total = [
                    _add(a, b) for a, b in zip(total, gradients, strict=True)
                ]
        if n > 1:
            total = [None if g is None else g / n for g in total]
        return total, mean_logs(rows)

    def _cutter(self, i):
        n = self.accumulate

        def cut(x):
            if x is None:
                return None
            rows = x.shape[0]
            if rows is not None and rows % n:
                raise ValueError(
                    f"Gradients are accumulated over {n} parts of a batch. "
                    f"Received: a batch of {rows} on each replica. Use a batch "
                    f"size that {n} divides, and drop_remainder=True."
                )
            # Every n-th row: then each device has as many of a part.
            return x[i::n]

        return cut

    def remember(self, fake):
        """What the discriminator learns from where the generator goes first."""
        return fake

    def _update_on(self, batches):
        rows = []
        for k, batch in enumerate(batches):
            with self.draws.at(draws.TRAIN, self.step.value, k):
                fake = ops.stop_gradient(self.generate(batch, True))
                rows.append(self.update_discriminator(fake, batch))
        return rows

    def _generate(self, batch):
        fake, _, to_generator = self.differentiate(
            lambda: (self.generate(batch, True), None), self.g_variables
        )
        return fake, to_generator

    def _end_step(self, d_logs, g_logs):
        logs = {**mean_logs(d_logs), **g_logs}
        self.update_ema()
        self.step.assign_add(1)
        for name, value in logs.items():
            self._trackers[name].update_state(value)
        return logs

    def update_discriminator(self, fake, batch):
        """Minimizes `discriminator_loss` on fixed fakes; returns the logs."""
        return self._update_d(self._d_gradients(fake, batch))

    def _update_d(self, found):
        gradients, logs = found
        norm = self._apply(self.d_optimizer, gradients, self.d_variables)
        return {**logs, "d_grad_norm": norm}

    def _d_gradients(self, fake, batch):
        def penalized():
            loss, logs = self.discriminator_loss(fake, batch, True)
            penalty, more = self.penalties(fake, batch)
            return loss + penalty, {**logs, **more}

        loss, logs, pullback = self.differentiate(penalized, self.d_variables)
        gradients, _ = pullback(self._loss_scale(self.d_optimizer, loss))
        return gradients, logs

    def update_generator(self, fake, batch, to_generator):
        """Minimizes `generator_loss` through `fake`; returns the logs.

        Args:
            fake: the images the discriminator saw.
            batch: the batch they were made for.
            to_generator: the pullback of `differentiate` that carries a
                gradient of `fake` back to `g_variables`.
        """
        return self._update_g(self._g_gradients(fake, batch, to_generator))

    def _update_g(self, found):
        gradients, logs = found
        norm = self._apply(self.g_optimizer, gradients, self.g_variables)
        return {**logs, "g_grad_norm": norm}

    def _g_gradients(self, fake, batch, to_generator):
        loss, logs, pullback = self.differentiate(
            lambda fake: self.generator_loss(fake, batch, True),
            self.g_variables,
            (fake,),
        )
        # A loss may reach the variables directly, beside the path by `fake`.
        direct, (to_fake,) = pullback(self._loss_scale(self.g_optimizer, loss))
        through, _ = to_generator(to_fake)
        return [_add(a, b) for a, b in zip(direct, through, strict=True)], logs

    def evaluate_losses(self, batch):
        """The running mean of each loss and score, in inference mode."""
        seen = ops.cast(self._trackers[self.loss_names[0]].count, "int32")
        with self.draws.at(draws.EVALUATE, seen):
            fake = self.generate(batch, False)
            _, logs = self.discriminator_loss(fake, batch, False)
            logs |= self.generator_loss(fake, batch, False)[1]
        for name, value in logs.items():
            self._trackers[name].update_state(value)
        return {name: self._trackers[name].result() for name in logs}

    def _loss_scale(self, optimizer, loss):
        # Keras adds the gradients of replicas: each one's loss counts 1/n.
        return optimizer.scale_loss(ops.ones_like(loss)) / self.num_replicas

    def _apply(self, optimizer, gradients, variables):
        gradients = self.sum_over_replicas(gradients)
        scale = optimizer.scale_loss(ops.ones(()))  # `apply` may change it
        squares = [kernels.squared_norm(g) for g in gradients if g is not None]
        norm = ops.sqrt(sum(squares)) / scale
        self.apply(optimizer, gradients, variables)
        return norm

    def update_ema(self):
        if self.ema_generator is None:
            return
        t = ops.cast(self.step, "float32")
        decay = ops.minimum(self.ema, (1.0 + t) / (10.0 + t))
        pairs = zip(
            self.ema_generator.weights, self.generator.weights, strict=True
        )
        for average, weight in pairs:
            if keras.backend.is_float_dtype(weight.dtype):
                step = (1.0 - ops.cast(decay, weight.dtype)) * (
                    weight - average
                )
                average.assign_add(step)
            else:
                average.assign(weight)


def mean_logs(rows):
    """The mean of each value over the rows of several updates."""
    return {name: sum(r[name] for r in rows) / len(rows) for name in rows[0]}


def _add(a, b):
    if a is None or b is None:
        return b if a is None else a
    return a + b
