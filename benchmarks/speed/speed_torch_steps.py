"""The training steps of speed.py in PyTorch: a model in one memory layout.

    PYTHON benchmarks/speed/speed_torch.py

uses them. What a step of ours computes, with nothing computed twice.
"""

import random

from speed_torch_networks import CLASSES, LATENT_DIMS, Pair, networks
import torch
from torch.nn import functional as F

POOL = 50
BETAS = {"wgan_gp": (0.0, 0.9), "r3gan": (0.0, 0.9), "stylegan2": (0.0, 0.99)}


def real_loss(logits):
    return F.softplus(-logits.float()).mean()


def fake_loss(logits):
    return F.softplus(logits.float()).mean()


def square_loss(logits, target):
    return (logits.float() - target).square().mean()


class Trainer:
    """A model in one memory layout, with a step of its own."""

    channels_last = torch.channels_last

    def __init__(self, settings, form):
        last = "channels_last" in form
        self.layout = self.channels_last if last else torch.contiguous_format
        self.settings = settings
        self.half = settings["dtype"] == "bfloat16"
        torch.manual_seed(0)
        self.g, self.d = (
            network.to(memory_format=self.layout) for network in self.networks(last)
        )
        if "compiled" in form:
            for module in (self.g, self.d):
                parts = module if isinstance(module, Pair) else [module]
                for part in parts:
                    part.compile(dynamic=False)
        self.g_adam, self.d_adam = (
            self.optimizer(network.parameters()) for network in (self.g, self.d)
        )
        self.steps = 0
        self.prepare()

    def networks(self, last):
        """The generator and the discriminator."""
        return networks(self.settings, last)

    def optimizer(self, parameters):
        betas = BETAS.get(self.settings["model"], (0.5, 0.999))
        return torch.optim.Adam(parameters, 2e-4, betas, fused=True)

    def prepare(self):
        """Makes the data, and what steps keep."""
        self.x, self.y = self.images(), self.images()
        self.labels = torch.arange(self.settings["batch"]) % CLASSES
        self.pools = [], []
        self.length = torch.zeros(())

    def step(self):
        getattr(self, self.settings["model"])()

    def images(self):
        size = self.settings["size"]
        return self.uniform(3, size, size)

    def uniform(self, *shape):
        """A batch of U(-1, 1), in the memory layout."""
        x = torch.rand(self.settings["batch"], *shape) * 2 - 1
        return x.to(memory_format=self.layout) if len(shape) > 2 else x

    def codes(self):
        dim = LATENT_DIMS[self.settings["model"]]
        return torch.randn(self.settings["batch"], dim)

    def cast(self):
        device = torch.get_default_device().type
        return torch.autocast(device, torch.bfloat16, enabled=self.half)

    def update(self, optimizer, loss):
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.item()

    def through(self, loss_of):
        """A step of G by a loss that only passes through D."""
        self.d.requires_grad_(False)
        with self.cast():
            loss = loss_of()
        self.update(self.g_adam, loss)
        self.d.requires_grad_(True)

    def dcgan(self, *labels):
        with self.cast():
            fake = self.g(self.codes(), *labels)
            loss = real_loss(self.d(self.x, *labels))
            loss = loss + fake_loss(self.d(fake.detach(), *labels))
        self.update(self.d_adam, loss)
        self.through(lambda: real_loss(self.d(fake, *labels)))

    def conditional(self):
        self.dcgan(self.labels)

    def wgan_gp(self):
        n = self.settings["batch"]
        for _ in range(self.settings["d_steps"]):
            with self.cast():
                with torch.no_grad():
                    fake = self.g(self.codes()).float()
                # No batch statistics: both in one pass.
                scores = self.d(torch.cat([fake, self.x])).float()
                loss = scores[:n].mean() - scores[n:].mean()
                loss = loss + 10 * self.gradient_penalty(self.x, fake)
            self.update(self.d_adam, loss)
        with self.cast():
            fake = self.g(self.codes())
        self.through(lambda: -self.d(fake).float().mean())

    def gradient_penalty(self, real, fake):
        alpha = torch.rand(len(real), *[1] * (real.ndim - 1))
        between = (alpha * real + (1 - alpha) * fake).requires_grad_()
        squares = self.slopes(between, self.d(between)).flatten(1).sum(1)
        return (squares.sqrt() - 1).square().mean()

    def slopes(self, inputs, outputs):
        """The squared gradient of each row's output."""
        found = torch.autograd.grad(outputs.float().sum(), inputs, create_graph=True)
        return found[0].float().square()

    def r3gan(self):
        with self.cast():
            with torch.no_grad():
                fake = self.g(self.codes()).float()
            logits, loss = [], 0
            for x in (self.x.clone(), fake):
                logits.append(self.d(x.requires_grad_()).float())
                penalties = self.slopes(x, logits[-1]).sum((1, 2, 3))
                loss = loss + 0.5 * 0.05 * penalties.mean()
            loss = loss + fake_loss(logits[1] - logits[0])
        self.update(self.d_adam, loss)
        with torch.no_grad(), self.cast():
            real = self.d(self.x).float()
        self.through(lambda: real_loss(self.d(self.g(self.codes()).float()) - real))

    def stylegan2(self):
        """Path lengths in every 4th step, R1 in every 16th."""
        self.through(lambda: real_loss(self.d(self.mixed())))
        if self.steps % 4 == 0:
            self.update(self.g_adam, self.path_length())
        with self.cast():
            with torch.no_grad():
                fake = self.mixed()
            loss = real_loss(self.d(self.x)) + fake_loss(self.d(fake))
        self.update(self.d_adam, loss)
        if self.steps % 16 == 0:
            x = self.x.clone().requires_grad_()
            with self.cast():
                penalties = self.slopes(x, self.d(x)).sum((1, 2, 3))
            self.update(self.d_adam, 16 * 0.05 * 0.5 * penalties.mean())
        self.steps += 1

    def mixed(self, share=1):
        """Images of codes of which nine in ten are of two."""
        z = self.codes()[:: 1 if share == 1 else 2]
        last = 2 * len(self.g.to_images)
        first = torch.randint(1, last, (len(z),))
        first = torch.where(torch.rand(len(z)) < 0.9, first, last)
        self.ws = self.g.styles(z, first)
        return self.g.synthesis(self.ws)

    def path_length(self):
        """Of half a batch."""
        with self.cast():
            images = self.mixed(share=2)
            noise = torch.randn_like(images) / self.settings["size"]
            squares = self.slopes(self.ws, (images * noise).sum((1, 2, 3)))
            lengths = squares.sum(2).mean(1).sqrt()
        mean = self.length.lerp(lengths.detach().mean(), 0.01)
        self.length = mean
        return 4 * 2 * (lengths - mean).square().mean()

    def pix2pix(self):
        with self.cast():
            fake = self.g(self.x).float()
            real_pair = torch.cat([self.x, self.y], 1)
            fake_pair = torch.cat([self.x, fake], 1)
            loss = real_loss(self.d(real_pair))
            loss = loss + fake_loss(self.d(fake_pair.detach()))
        self.update(self.d_adam, 0.5 * loss)
        self.through(
            lambda: real_loss(self.d(fake_pair)) + 100 * F.l1_loss(fake, self.y)
        )

    def cyclegan(self):
        fakes = []

        def loss_of():
            loss = 0
            ways = (self.x, self.y), (self.y, self.x)
            for i, (source, target) in enumerate(ways):
                there, back = self.g[i], self.g[1 - i]
                fake = there(source).float()
                fakes.append(fake.detach())
                loss = loss + square_loss(self.d[i](fake), 1.0)
                cycle = F.l1_loss(back(fake).float(), source)
                same = F.l1_loss(there(target).float(), target)
                loss = loss + 10 * cycle + 5 * same
            return loss

        self.through(loss_of)
        with self.cast():
            loss = 0
            for i, real in enumerate((self.y, self.x)):
                fake = self.pooled(i, fakes[i])
                loss = loss + square_loss(self.d[i](real), 1.0)
                loss = loss + square_loss(self.d[i](fake), 0.0)
        self.update(self.d_adam, 0.5 * loss)

    def pooled(self, i, fake):
        """A new fake or, once there are enough, a past one."""
        pool = self.pools[i]
        if len(pool) < POOL:
            pool.append(fake)
            return fake
        if random.random() < 0.5:
            return fake
        place = random.randrange(POOL)
        pool[place], fake = fake, pool[place]
        return fake

    def sample_alone(self):
        """Turns to sampling, for good."""
        self.g.eval()

    def infer(self):
        model = self.settings["model"]
        with torch.inference_mode(), self.cast():
            if model in ("pix2pix", "cyclegan"):
                g = self.g[0] if model == "cyclegan" else self.g
                return g(self.x).float().cpu().numpy()
            labels = [self.labels] if model == "conditional" else []
            return self.g(self.codes(), *labels).float().cpu().numpy()
