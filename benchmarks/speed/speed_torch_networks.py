"""The networks of keras_gans that speed.py measures, in PyTorch.

    PYTHON benchmarks/speed/speed_torch.py

uses them. Same layers, widths and numbers of parameters as ours, and plain
layers of torch.nn throughout.
"""

import math
import sys

import speed_torch_styles
import torch
from torch import nn
from torch.nn import functional as F

LATENT_DIMS = {
    "dcgan": 100,
    "conditional": 100,
    "wgan_gp": 128,
    **speed_torch_styles.DIMS,
}
CLASSES = 10
EMBEDDING = 50


class ToMap(nn.Module):
    """Vectors as maps, in the memory layout wanted."""

    def __init__(self, last, sides=(4, 4)):
        super().__init__()
        self.last, self.sides = last, sides

    def forward(self, x):
        if self.last:
            return x.unflatten(1, (*self.sides, -1)).movedim(-1, 1)
        return x.unflatten(1, (-1, *self.sides))


def ladder(size, width):
    halvings = int(math.log2(size / 4))
    return [width * min(2**i, 16) for i in range(halvings)]


def up_blocks(codes, size, width, last):
    channels = ladder(size, width)
    made = [nn.Linear(codes, 16 * channels[-1], bias=False), ToMap(last)]
    made += [nn.BatchNorm2d(channels[-1]), nn.ReLU(inplace=True)]
    inputs = channels[-1]
    for filters in channels[-2::-1]:
        made.append(nn.ConvTranspose2d(inputs, filters, 4, 2, 1, bias=False))
        made += [nn.BatchNorm2d(filters), nn.ReLU(inplace=True)]
        inputs = filters
    made.append(nn.ConvTranspose2d(inputs, 3, 4, 2, 1, bias=False))
    return nn.Sequential(*made, nn.Tanh())


def down_blocks(inputs, size, width):
    made = []
    for i, filters in enumerate(ladder(size, width)):
        made.append(nn.Conv2d(inputs, filters, 4, 2, 1, bias=False))
        if i > 0:
            made.append(nn.BatchNorm2d(filters))
        made.append(nn.LeakyReLU(0.2, inplace=True))
        inputs = filters
    return nn.Sequential(*made, nn.Conv2d(inputs, 1, 4, bias=False))


class ConditionalGenerator(nn.Module):
    def __init__(self, size, width, last):
        super().__init__()
        codes = LATENT_DIMS["conditional"]
        self.embed = nn.Embedding(CLASSES, codes)
        self.body = up_blocks(2 * codes, size, width, last)

    def forward(self, z, label):
        return self.body(torch.cat([z, self.embed(label)], 1))


class ConditionalDiscriminator(nn.Module):
    def __init__(self, size, width):
        super().__init__()
        self.embed = nn.Embedding(CLASSES, EMBEDDING)
        self.to_map = nn.Linear(EMBEDDING, size * size)
        self.body = down_blocks(4, size, width)

    def forward(self, x, label):
        y = self.to_map(self.embed(label)).view(-1, 1, *x.shape[2:])
        return self.body(torch.cat([x, y.to(x.dtype)], 1))


def doubled(x):
    return F.interpolate(x, scale_factor=2, mode="bilinear")


class GeneratorBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(width)
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.shortcut = nn.Conv2d(width, width, 1)

    def forward(self, x):
        h = self.conv1(doubled(F.relu(self.norm1(x))))
        h = self.conv2(F.relu(self.norm2(h)))
        return h + doubled(self.shortcut(x))


class CriticBlock(nn.Module):
    """A block of relu(x); the first one is of the images themselves."""

    def __init__(self, inputs, width, halves):
        super().__init__()
        self.first, self.halves = inputs != width, halves
        self.conv1 = nn.Conv2d(inputs, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, width, 1) if halves else None

    def forward(self, x):
        x = x if self.first else F.relu(x)
        h = self.conv2(F.relu(self.conv1(x)))
        if not self.halves:
            return h + x
        return F.avg_pool2d(h, 2) + self.shortcut(F.avg_pool2d(x, 2))


class Critic(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.blocks = nn.Sequential(
            CriticBlock(3, width, True),
            CriticBlock(width, width, True),
            CriticBlock(width, width, False),
            CriticBlock(width, width, False),
        )
        self.score = nn.Linear(width, 1)

    def forward(self, x):
        return self.score(F.relu(self.blocks(x)).mean((2, 3)))


def resnet_generator(size, width, last):
    if size != 32:
        sys.exit("The residual networks are written out for 32 pixels.")
    return nn.Sequential(
        nn.Linear(LATENT_DIMS["wgan_gp"], 16 * width),
        ToMap(last),
        *[GeneratorBlock(width) for _ in range(3)],
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
        nn.Conv2d(width, 3, 3, padding=1),
        nn.Tanh(),
    )


class UNetLevel(nn.Module):
    """A level of the U-Net, joined with all below it."""

    def __init__(self, outer, inner, below, dropout):
        super().__init__()
        down = [nn.LeakyReLU(0.2), nn.Conv2d(outer, inner, 4, 2, 1, bias=False)]
        if below is not None:
            down.append(nn.BatchNorm2d(inner))
        inputs = inner if below is None else 2 * inner
        up = [
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(inputs, outer, 4, 2, 1, bias=False),
            nn.BatchNorm2d(outer),
        ]
        if dropout:
            up.append(nn.Dropout(0.5))
        self.body = nn.Sequential(*down, *([below] if below else []), *up)

    def forward(self, x):
        return torch.cat([x, self.body(x)], 1)


def unet(size, width):
    depth = min(8, int(math.log2(size)))
    widths = [width * min(2**i, 8) for i in range(depth)]
    x = None
    for i in range(depth - 1, 0, -1):
        x = UNetLevel(widths[i - 1], widths[i], x, 4 <= i < depth - 1)
    return nn.Sequential(
        nn.Conv2d(3, width, 4, 2, 1, bias=False),
        x,
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(2 * width, 3, 4, 2, 1),
        nn.Tanh(),
    )


def patch_discriminator(inputs, width, norm):
    made, bias = [], norm is nn.InstanceNorm2d
    for i in range(4):
        filters = width * 2**i
        stride = 2 if i < 3 else 1
        made.append(nn.Conv2d(inputs, filters, 4, stride, 1, bias=i == 0 or bias))
        if i > 0:
            made.append(norm(filters))
        made.append(nn.LeakyReLU(0.2, inplace=True))
        inputs = filters
    return nn.Sequential(*made, nn.Conv2d(inputs, 1, 4, 1, 1))


class ResidualBlock(nn.Module):
    def __init__(self, width):
        super().__init__()

        def conv():
            pad = nn.ReflectionPad2d(1)
            return [pad, nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width)]

        self.body = nn.Sequential(*conv(), nn.ReLU(inplace=True), *conv())

    def forward(self, x):
        return x + self.body(x)


def resnet_translator(size, width):
    def normed(conv, filters):
        return [conv, nn.InstanceNorm2d(filters), nn.ReLU(inplace=True)]

    w = width
    return nn.Sequential(
        nn.ReflectionPad2d(3),
        *normed(nn.Conv2d(3, w, 7), w),
        *normed(nn.Conv2d(w, 2 * w, 3, 2, 1), 2 * w),
        *normed(nn.Conv2d(2 * w, 4 * w, 3, 2, 1), 4 * w),
        *[ResidualBlock(4 * w) for _ in range(6 if size < 256 else 9)],
        *normed(nn.ConvTranspose2d(4 * w, 2 * w, 3, 2, 1, 1), 2 * w),
        *normed(nn.ConvTranspose2d(2 * w, w, 3, 2, 1, 1), w),
        nn.ReflectionPad2d(3),
        nn.Conv2d(w, 3, 7),
        nn.Tanh(),
    )


class Pair(nn.ModuleList):
    """Two networks that one optimizer trains."""


def networks(settings, last):
    """The generator and the discriminator of a model."""
    model, size, width = (settings[k] for k in ("model", "size", "width"))
    if model in speed_torch_styles.DIMS:
        return getattr(speed_torch_styles, model)(size, width)
    if model == "dcgan":
        g = up_blocks(LATENT_DIMS[model], size, width, last)
        return g, down_blocks(3, size, width)
    if model == "conditional":
        g = ConditionalGenerator(size, width, last)
        return g, ConditionalDiscriminator(size, width)
    if model == "wgan_gp":
        return resnet_generator(size, 2 * width, last), Critic(width)
    if model == "pix2pix":
        d = patch_discriminator(6, width, nn.BatchNorm2d)
        return unet(size, width), d
    g = Pair(resnet_translator(size, width) for _ in range(2))
    norm = nn.InstanceNorm2d
    return g, Pair(patch_discriminator(3, width, norm) for _ in range(2))
