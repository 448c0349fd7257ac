"""The training steps of our recipes that speed.py measures, in PyTorch.

    PYTHON benchmarks/speed/speed_torch.py

uses them. As in speed_torch_steps.py, reals and fakes go through a discriminator
in one pass where it has no batch norm.
"""

import speed_torch_recipes as networks
from speed_torch_steps import Trainer, fake_loss, real_loss, square_loss
import torch
from torch.nn import functional as F


class RecipeTrainer(Trainer):
    betas = 0.5, 0.999

    def networks(self, last):
        return getattr(networks, self.settings["model"])(self.settings, last)

    def optimizer(self, parameters):
        return torch.optim.Adam(parameters, 1e-4, self.betas, fused=True)

    def codes(self):
        dim = networks.CODES[self.settings["model"]]
        return torch.randn(self.settings["batch"], dim)

    def sample_alone(self):
        super().sample_alone()
        networks.fold(self.g)
        self.g.to(memory_format=self.layout)

    def infer(self):
        with torch.inference_mode(), self.cast():
            return self.sampled().float().cpu().numpy()


class ClassTrainer(RecipeTrainer):
    """BigGAN and SNGAN: hinge losses, classes of fakes of their own."""

    betas = 0.0, 0.9

    def prepare(self):
        n, self.classes = self.settings["batch"], self.settings["classes"]
        self.x, self.labels = self.images(), torch.arange(n) % self.classes

    def sampled(self):
        return self.g(self.codes(), self.labels)

    def fakes(self):
        labels = torch.randint(self.classes, (self.settings["batch"],))
        return self.g(self.codes(), labels).float(), labels

    def step(self):
        n = self.settings["batch"]
        with self.cast():
            with torch.no_grad():
                fake, labels = self.fakes()
            x, y = torch.cat([fake, self.x]), torch.cat([labels, self.labels])
            scores = self.d(x, y).float()
            loss = F.relu(1 + scores[:n]).mean() + F.relu(1 - scores[n:]).mean()
        self.update(self.d_adam, loss)
        self.through(lambda: -self.d(*self.fakes()).float().mean())


class SRGAN(RecipeTrainer):
    """The adversarial phase: pixels, features and the discriminator."""

    betas = 0.9, 0.999
    scales = 20.68, 4.007, 2.868  # of the maps

    def prepare(self):
        size = self.settings["size"]
        self.low, self.high = self.uniform(3, size // 4, size // 4), self.images()
        self.features = networks.Trunk().to(memory_format=self.layout)

    def sampled(self):
        return self.g(self.low)

    def step(self):
        with self.cast():
            fake = self.g(self.low)
            loss = real_loss(self.d(self.high)) + fake_loss(self.d(fake.detach()))
            with torch.no_grad():
                targets = self.features(self.high)
        self.update(self.d_adam, loss)

        def loss_of():
            loss = 2e-3 * real_loss(self.d(fake)) + F.l1_loss(fake, self.high)
            maps = self.features(fake)
            for scale, x, y in zip(self.scales, maps, targets, strict=True):
                loss = loss + F.l1_loss(x.float(), y.float()) / scale
            return loss

        self.through(loss_of)


class HiFiGAN(RecipeTrainer):
    """Least squares, features matched, and spectrograms."""

    hop, n_fft, bands = 256, 1024, 80

    def networks(self, last):
        return networks.hifigan(self.settings, last)

    def optimizer(self, parameters):
        return torch.optim.AdamW(parameters, 1e-3, (0.8, 0.99), fused=True)

    def prepare(self):
        self.x = self.uniform(1, 1, self.settings["size"])
        self.window = torch.hann_window(self.n_fft)
        self.filters = torch.rand(self.bands, self.n_fft // 2 + 1) / self.n_fft
        self.mel = self.spectrogram(self.x)

    def spectrogram(self, waveforms):
        """Log-mel, in float32: `[n, bands, 1, frames]`."""
        with torch.autocast(self.x.device.type, enabled=False):
            side = (self.n_fft - self.hop) // 2
            x = F.pad(waveforms[:, 0], (side, side), "reflect")[:, 0]
            own = {"window": self.window, "center": False, "return_complex": True}
            parts = torch.view_as_real(torch.stft(x, self.n_fft, self.hop, **own))
            magnitudes = (parts.square().sum(-1) + 1e-9).sqrt()
            mels = (self.filters @ magnitudes).clamp(min=1e-5).log()
        return mels[:, :, None]

    def sampled(self):
        return self.g(self.mel)

    def step(self):
        n, loss = self.settings["batch"], 0
        with self.cast():
            # At this rate, what is given and what is compared are the same.
            mel = self.spectrogram(self.x)
            fake = self.g(mel)
            both = torch.cat([self.x, fake.detach()])
            for d in self.d:
                logits = d(both)[0]
                loss = loss + square_loss(logits[:n], 1.0)
                loss = loss + square_loss(logits[n:], 0.0)
        self.update(self.d_adam, loss)

        def loss_of():
            loss = 45 * F.l1_loss(self.spectrogram(fake), mel)
            for d in self.d:
                with torch.no_grad():
                    real = d(self.x)
                found = d(fake)
                loss = loss + square_loss(found[0], 1.0)
                for x, y in zip(found, real, strict=True):
                    loss = loss + 2 * F.l1_loss(x.float(), y.float())
            return loss

        self.through(loss_of)


class WaveGAN(RecipeTrainer):
    """R1 in every 8th step."""

    betas = 0.5, 0.99

    def prepare(self):
        self.x = self.uniform(1, 1, self.settings["size"])

    def codes(self):
        return 2 * torch.rand(self.settings["batch"], 100) - 1

    def sampled(self):
        return self.g(self.codes())

    def shifts(self, n):
        """Of each map that is shuffled, one for each row."""
        return torch.randint(-2, 3, (networks.SHUFFLED, n)).tolist()

    def step(self):
        n = self.settings["batch"]
        due = self.steps % 8 == 0
        self.steps += 1
        with self.cast():
            with torch.no_grad():
                fake = self.g(self.codes()).float()
            real = self.x.clone().requires_grad_() if due else self.x
            logits = self.d(torch.cat([real, fake]), self.shifts(2 * n))
            loss = real_loss(logits[:n]) + fake_loss(logits[n:])
            if due:
                squares = self.slopes(real, logits[:n]).sum((1, 2, 3))
                loss = loss + 8 * 0.5 * squares.mean()
        self.update(self.d_adam, loss)
        self.through(lambda: real_loss(self.d(self.g(self.codes()), self.shifts(n))))


class VoxelGAN(RecipeTrainer):
    """WGAN-GP's step, of volumes."""

    betas = 0.0, 0.9
    channels_last = torch.channels_last_3d

    def prepare(self):
        size = self.settings["size"]
        self.x = self.uniform(1, size, size, size)

    def sampled(self):
        return self.g(self.codes())

    def step(self):
        self.wgan_gp()


class CTGAN(RecipeTrainer):
    """WGAN-GP's step, of rows beside their conditions, and a cross-entropy."""

    def optimizer(self, parameters):
        own = {"weight_decay": 1e-6, "fused": True}
        return torch.optim.Adam(parameters, 1e-3, (0.5, 0.9), **own)

    def prepare(self):
        width = self.settings["size"] * (1 + networks.MODES) + 2
        self.x = torch.cat([self.uniform(width), self.condition()], 1)

    def condition(self):
        places = torch.randint(2, (self.settings["batch"],))
        return F.one_hot(places, 2).float()

    def sampled(self):
        return self.g(self.codes(), self.condition())[0]

    def step(self):
        n = self.settings["batch"]
        with self.cast():
            with torch.no_grad():
                condition = self.condition()
                fake = self.g(self.codes(), condition)[0]
                fake = torch.cat([fake, condition], 1)
            scores = self.d(torch.cat([fake, self.x])).float()
            loss = scores[:n].mean() - scores[n:].mean()
            loss = loss + 10 * self.gradient_penalty(self.x, fake)
        self.update(self.d_adam, loss)

        def loss_of():
            condition = self.condition()
            rows, logits = self.g(self.codes(), condition)
            scores = self.d(torch.cat([rows, condition], 1)).float()
            return F.cross_entropy(logits, condition) - scores.mean()

        self.through(loss_of)


TRAINERS = {
    "biggan": ClassTrainer,
    "sngan": ClassTrainer,
    "srgan": SRGAN,
    "hifigan": HiFiGAN,
    "hifigan_scales": HiFiGAN,
    "wavegan": WaveGAN,
    "voxel_gan": VoxelGAN,
    "ctgan": CTGAN,
}
