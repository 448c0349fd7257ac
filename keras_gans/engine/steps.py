"""How one step updates a GAN, in terms of a backend's gradients."""

import keras
from keras import ops

from keras_gans.engine import draws


class Steps:
    """Updates and evaluation of a GAN; mixed into each engine."""

    def update_with_shared_fakes(self, batches):
        """D on every batch, then G through the last fakes that D saw."""
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
        d_logs = self._update_on(batches)
        with self.draws.at(draws.TRAIN, self.step.value, len(batches)):
            fake, to_generator = self._generate(batches[-1])
            logs = self.update_generator(fake, batches[-1], to_generator)
        return self._end_step(d_logs, logs)

    def update_generator_first(self, batches):
        """G on a batch, then D on what `remember` makes of the same fakes."""
        (batch,) = batches

        def through_fakes():
            fake = self.generate(batch, True)
            loss, logs = self.generator_loss(fake, batch, True)
            return loss, (logs, fake)

        with self.draws.at(draws.TRAIN, self.step.value, 0):
            loss, (logs, fake), pullback = self.differentiate(
                through_fakes, self.g_variables
            )
            gradients, _ = pullback(self._loss_scale(self.g_optimizer, loss))
            norm = self._apply(self.g_optimizer, gradients, self.g_variables)
            fixed = keras.tree.map_structure(ops.stop_gradient, fake)
            d_logs = self.update_discriminator(self.remember(fixed), batch)
        return self._end_step([d_logs], {**logs, "g_grad_norm": norm})

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

        def penalized():
            loss, logs = self.discriminator_loss(fake, batch, True)
            penalty, more = self.penalties(fake, batch)
            return loss + penalty, {**logs, **more}

        loss, logs, pullback = self.differentiate(penalized, self.d_variables)
        gradients, _ = pullback(self._loss_scale(self.d_optimizer, loss))
        norm = self._apply(self.d_optimizer, gradients, self.d_variables)
        return {**logs, "d_grad_norm": norm}

    def update_generator(self, fake, batch, to_generator):
        """Minimizes `generator_loss` through `fake`; returns the logs.

        Args:
            fake: the images the discriminator saw.
            batch: the batch they were made for.
            to_generator: the pullback of `differentiate` that carries a
                gradient of `fake` back to `g_variables`.
        """
        loss, logs, pullback = self.differentiate(
            lambda fake: self.generator_loss(fake, batch, True),
            self.g_variables,
            (fake,),
        )
        # A loss may reach the variables directly, beside the path by `fake`.
        direct, (to_fake,) = pullback(self._loss_scale(self.g_optimizer, loss))
        through, _ = to_generator(to_fake)
        gradients = [_add(a, b) for a, b in zip(direct, through, strict=True)]
        norm = self._apply(self.g_optimizer, gradients, self.g_variables)
        return {**logs, "g_grad_norm": norm}

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
        squares = [
            ops.sum(ops.square(ops.cast(g, "float32")))
            for g in gradients
            if g is not None
        ]
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
