"""PyTorch's side of speed.py: the same networks in a plain training step.

    PYTHON benchmarks/speed/speed_torch.py

It waits for lines of JSON, as speed.py sends them, and idles between. Needs
torch, and nothing of keras_gans.
"""

import os
import pathlib
import random
import statistics
import sys
import time

from speed_torch_networks import CLASSES, LATENT_DIMS, Pair, networks
import torch
from torch.nn import functional as F

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import workers

POOL = 50
BETAS = {"wgan_gp": (0.0, 0.9), "r3gan": (0.0, 0.9), "stylegan2": (0.0, 0.99)}
WARM_UP = 2


def real_loss(logits):
    return F.softplus(-logits.float()).mean()


def fake_loss(logits):
    return F.softplus(logits.float()).mean()


def square_loss(logits, target):
    return (logits.float() - target).square().mean()


class Trainer:
    """A model in one memory layout, with a step of its own."""

    def __init__(self, settings, form):
        last = "channels_last" in form
        self.layout = torch.channels_last if last else torch.contiguous_format
        self.settings = settings
        self.half = settings["dtype"] == "bfloat16"
        torch.manual_seed(0)
        self.g, self.d = (
            network.to(memory_format=self.layout)
            for network in networks(settings, last)
        )
        if "compiled" in form:
            for module in (self.g, self.d):
                parts = module if isinstance(module, Pair) else [module]
                for part in parts:
                    part.compile(dynamic=False)
        beta_1, beta_2 = BETAS.get(settings["model"], (0.5, 0.999))
        self.g_adam, self.d_adam = (
            torch.optim.Adam(network.parameters(), 2e-4, (beta_1, beta_2), fused=True)
            for network in (self.g, self.d)
        )
        self.x, self.y = self.images(), self.images()
        self.labels = torch.arange(settings["batch"]) % CLASSES
        self.pools = [], []
        self.steps, self.length = 0, torch.zeros(())
        self.step = getattr(self, settings["model"])

    def images(self):
        size = self.settings["size"]
        x = torch.rand(self.settings["batch"], 3, size, size) * 2 - 1
        return x.to(memory_format=self.layout)

    def codes(self):
        dim = LATENT_DIMS[self.settings["model"]]
        return torch.randn(self.settings["batch"], dim)

    def cast(self):
        return torch.autocast("cpu", torch.bfloat16, enabled=self.half)

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
                alpha = torch.rand(n, 1, 1, 1)
                between = (alpha * self.x + (1 - alpha) * fake).requires_grad_()
                slopes = torch.autograd.grad(
                    self.d(between).float().sum(), between, create_graph=True
                )[0]
                norms = slopes.float().flatten(1).square().sum(1).sqrt()
                loss = loss + 10 * (norms - 1).square().mean()
            self.update(self.d_adam, loss)
        with self.cast():
            fake = self.g(self.codes())
        self.through(lambda: -self.d(fake).float().mean())

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

    def infer(self):
        model = self.settings["model"]
        with torch.inference_mode(), self.cast():
            if model in ("pix2pix", "cyclegan"):
                g = self.g[0] if model == "cyclegan" else self.g
                return g(self.x).float().numpy()
            labels = [self.labels] if model == "conditional" else []
            return self.g(self.codes(), *labels).float().numpy()


def timed(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


class Contender:
    """What speed.py can ask for."""

    def calibrate(self, settings, steps, compiled):
        """Median seconds of each form, in turns; a compiled one may fail."""
        forms = ["contiguous", "channels_last"]
        if compiled:
            forms.append("channels_last, compiled")
        return {
            use: self._of_forms(settings, forms, use, steps)
            for use in ("train", "infer")
        }

    def _of_forms(self, settings, forms, use, steps):
        found, runs = {}, {}
        for form in forms:
            trainer = Trainer(settings, form)
            if use == "infer":
                trainer.g.eval()
            runs[form] = trainer.step if use == "train" else trainer.infer
        seconds = {form: [] for form in forms}
        for _ in range(WARM_UP + steps):
            for form in [form for form in forms if form not in found]:
                try:
                    seconds[form].append(timed(runs[form]))
                except Exception as error:
                    if "compiled" not in form:
                        raise
                    line = str(error).strip().splitlines()[0]
                    found[form] = f"{type(error).__name__}: {line}"
        for form in [form for form in forms if form not in found]:
            median = statistics.median(seconds[form][WARM_UP:])
            found[form] = round(median, 5)
        return found

    def open(self, settings, forms):
        """Makes a model ready; returns the parameters of G and of D."""
        self.settings, self.forms = settings, forms
        self.trainer = Trainer(settings, forms["train"])
        self.train(WARM_UP - 1)
        return [
            sum(p.numel() for p in network.parameters())
            for network in (self.trainer.g, self.trainer.d)
        ]

    def versions(self):
        return {"torch": torch.__version__}

    def train(self, steps):
        size = self.settings.get("round", 1)
        seconds = [timed(self.trainer.step) for _ in range(steps * size + 1)][1:]
        return workers.rounds(seconds, size)

    def infer(self, steps):
        if not hasattr(self, "sampler"):
            # The optimizers' state is not needed any more.
            self.trainer = None
            self.sampler = Trainer(self.settings, self.forms["infer"])
            self.sampler.g.eval()
        return [timed(self.sampler.infer) for _ in range(steps + 1)][1:]

    def multiply(self, steps):
        """Seconds of matrix products of 2048, in the type of the model."""
        a, b = torch.rand(2, 2048, 2048).to(getattr(torch, self.settings["dtype"]))
        return [timed(lambda: a @ b) for _ in range(steps + 1)][1:]

    def peak(self):
        return round(workers.memory())


if __name__ == "__main__":
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    workers.serve(Contender())
