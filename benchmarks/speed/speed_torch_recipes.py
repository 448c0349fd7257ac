"""The networks of our recipes that speed.py measures, in PyTorch.

    PYTHON benchmarks/speed/speed_torch.py

uses them. Same layers, widths and numbers of parameters as ours. Sounds are maps
of height 1, `[n, channels, 1, time]`: PyTorch convolves them as such anyway, and
so they too have two memory layouts.
"""

import itertools
import math

from speed_torch_networks import CriticBlock, Pair, ToMap
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

# Numbers of a latent code.
CODES = {"biggan": 80, "sngan": 128, "wavegan": 100, "voxel_gan": 64, "ctgan": 128}
CHUNK = 20  # of BigGAN's code, for the first map and for each block
SHARED = 32  # of BigGAN's embedding of a class
SHUFFLED = 3  # maps of WaveGAN's discriminator that are shifted
MODES = 3  # of each number of CTGAN's rows


def normalized(network, but=()):
    """Divides each kernel by its spectral norm, but for those of the layers named."""
    kinds = nn.Conv2d, nn.Linear, nn.Embedding
    for name, layer in list(network.named_modules()):
        if isinstance(layer, kinds) and name not in but:
            spectral_norm(layer, eps=1e-12)
    return network


def fold(network):
    """Keeps normalized kernels as they are now: to sample."""
    for layer in network.modules():
        if parametrize.is_parametrized(layer, "weight"):
            parametrize.remove_parametrizations(layer, "weight")


# --- BigGAN and SNGAN ---


class CodeNorm(nn.Module):
    """Batch norm with a gain and a bias that are layers of a code."""

    def __init__(self, width, layer, offset):
        super().__init__()
        self.norm = nn.BatchNorm2d(width, affine=False)
        self.gain, self.bias, self.offset = layer(width), layer(width), offset

    def forward(self, x, code):
        gain, bias = self.gain(code) + self.offset, self.bias(code)
        gain, bias = (y[..., None, None].to(x.dtype) for y in (gain, bias))
        return torch.addcmul(bias, self.norm(x), gain)


class UpBlock(nn.Module):
    def __init__(self, width, norm, mode):
        super().__init__()
        self.norm1, self.norm2, self.mode = norm(), norm(), mode
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.shortcut = nn.Conv2d(width, width, 1)

    def doubled(self, x):
        return F.interpolate(x, scale_factor=2, mode=self.mode)

    def forward(self, x, code):
        h = self.conv1(self.doubled(F.relu(self.norm1(x, code))))
        h = self.conv2(F.relu(self.norm2(h, code)))
        return h + self.doubled(self.shortcut(x))


class ClassGenerator(nn.Module):
    """Of a code and of what its norms are of."""

    def __init__(self, dim, width, norm, mode, last):
        super().__init__()
        self.start = nn.Sequential(nn.Linear(dim, 16 * width), ToMap(last))
        self.blocks = nn.ModuleList(UpBlock(width, norm, mode) for _ in range(3))
        self.end = nn.Sequential(
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, 3, 3, padding=1),
            nn.Tanh(),
        )

    def forward(self, z, codes):
        x = self.start(z)
        for block, code in zip(self.blocks, codes, strict=True):
            x = block(x, code)
        return self.end(x)


class SNGenerator(ClassGenerator):
    def __init__(self, width, classes, last):
        def norm():
            return CodeNorm(width, lambda n: nn.Embedding(classes, n), 0.0)

        super().__init__(CODES["sngan"], width, norm, "bilinear", last)

    def forward(self, z, label):
        return super().forward(z, [label] * 3)


class BigGenerator(ClassGenerator):
    def __init__(self, width, classes, last):
        def norm():
            layer = lambda n: nn.Linear(SHARED + CHUNK, n, bias=False)  # noqa: E731
            return CodeNorm(width, layer, 1.0)

        super().__init__(CHUNK, width, norm, "nearest", last)
        self.shared = nn.Embedding(classes, SHARED)

    def forward(self, z, label):
        shared = self.shared(label)
        first, *chunks = z.split(CHUNK, 1)
        return super().forward(first, [torch.cat([shared, c], 1) for c in chunks])


class BigCriticBlock(CriticBlock):
    """Its shortcut is of x, not of relu(x)."""

    def forward(self, x):
        h = self.conv1(x if self.first else F.relu(x))
        h = self.conv2(F.relu(h))
        if not self.halves:
            return h + x
        return F.avg_pool2d(h, 2) + self.shortcut(F.avg_pool2d(x, 2))


class ProjectionCritic(nn.Module):
    def __init__(self, width, classes, block):
        super().__init__()
        self.blocks = nn.Sequential(
            block(3, width, True),
            block(width, width, True),
            block(width, width, False),
            block(width, width, False),
        )
        self.score, self.embed = nn.Linear(width, 1), nn.Embedding(classes, width)

    def forward(self, x, label):
        h = F.relu(self.blocks(x)).float().sum((2, 3))
        return self.score(h) + (self.embed(label) * h).sum(1, keepdim=True)


def biggan(settings, last):
    width, classes = 4 * settings["width"], settings["classes"]
    g = normalized(BigGenerator(width, classes, last), but=("shared",))
    return g, normalized(ProjectionCritic(width, classes, BigCriticBlock))


def sngan(settings, last):
    width, classes = settings["width"], settings["classes"]
    d = normalized(ProjectionCritic(width, classes, CriticBlock))
    return SNGenerator(width, classes, last), d


# --- SRGAN ---


class Added(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.body = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.body(x)


def conv3(inputs, outputs, stride=1):
    return nn.Conv2d(inputs, outputs, 3, stride, 1)


class Enlarger(nn.Module):
    """Four times as high and wide: what is added to the image enlarged."""

    def __init__(self, width, blocks):
        super().__init__()
        made = [conv3(3, width), nn.LeakyReLU(0.1, inplace=True)]
        for _ in range(blocks):
            relu = nn.ReLU(inplace=True)
            made.append(Added(conv3(width, width), relu, conv3(width, width)))
        for _ in range(2):
            made += [conv3(width, 4 * width), nn.PixelShuffle(2)]
            made.append(nn.LeakyReLU(0.1, inplace=True))
        made += [conv3(width, width), nn.LeakyReLU(0.1, inplace=True)]
        self.body = nn.Sequential(*made, conv3(width, 3))

    def forward(self, x):
        x = 0.5 * x + 0.5
        base = F.interpolate(x, scale_factor=4, mode="bicubic")
        return 2.0 * (self.body(x).float() + base) - 1.0


def enlarged_critic(size, width, dense):
    made, inputs = [], 3
    for i in range(4):
        filters = width * 2**i
        made.append(conv3(inputs, filters))
        if i:
            made.append(nn.BatchNorm2d(filters))
        made.append(nn.LeakyReLU(0.2, inplace=True))
        made += [conv3(filters, filters, 2), nn.BatchNorm2d(filters)]
        made.append(nn.LeakyReLU(0.2, inplace=True))
        inputs = filters
    made += [nn.Flatten(), nn.Linear(inputs * (size // 16) ** 2, dense)]
    return nn.Sequential(*made, nn.LeakyReLU(0.2, inplace=True), nn.Linear(dense, 1))


class Trunk(nn.Module):
    """VGG16's to relu3_3, of random weights: maps of relu1_2, relu2_2, relu3_3."""

    def __init__(self):
        super().__init__()
        widths = (3, 64, 64), (64, 128, 128), (128, 256, 256, 256)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                *[
                    layer
                    for pair in itertools.pairwise(own)
                    for layer in (conv3(*pair), nn.ReLU(inplace=True))
                ]
            )
            for own in widths
        )
        self.register_buffer("means", torch.tensor([104.0, 116.7, 122.7]))
        self.requires_grad_(False)

    def forward(self, images):
        x = (images.flip(1) + 1.0) * 127.5 - self.means[:, None, None]
        maps = []
        for i, block in enumerate(self.blocks):
            x = block(F.max_pool2d(x, 2) if i else x)
            maps.append(x)
        return maps


def srgan(settings, last):
    size, width = settings["size"], settings["width"]
    return Enlarger(width, 8), enlarged_critic(size, width // 2, 64)


# --- HiFi-GAN ---


class LinearConvs(nn.Sequential):
    """A residual block: a convolution for each dilation."""

    def __init__(self, width, kernel, dilations):
        super().__init__(
            *[
                Added(nn.LeakyReLU(0.1), weight_norm(conv_in_time(*own)))
                for own in ((width, width, kernel, d) for d in dilations)
            ]
        )


def conv_in_time(inputs, outputs, kernel, dilation=1, stride=1, groups=1):
    side = dilation * (kernel // 2)
    return nn.Conv2d(
        inputs, outputs, (1, kernel), (1, stride), (0, side), (1, dilation), groups
    )


class Vocoder(nn.Module):
    """Spectrograms `[n, bands, 1, frames]` to waveforms `[n, 1, 1, samples]`."""

    def __init__(self, width, bands=80):
        super().__init__()
        self.before = weight_norm(conv_in_time(bands, width, 7))
        self.ups, self.blocks = nn.ModuleList(), nn.ModuleList()
        for rate, kernel in ((8, 16), (8, 16), (4, 8)):
            up = nn.ConvTranspose2d(
                width, width // 2, (1, kernel), (1, rate), (0, (kernel - rate) // 2)
            )
            self.ups.append(weight_norm(up))
            width //= 2
            blocks = (LinearConvs(width, k, (1, 3)) for k in (3, 7))
            self.blocks.append(nn.ModuleList(blocks))
        self.after = weight_norm(conv_in_time(width, 1, 7))

    def forward(self, mel):
        x = self.before(mel)
        for up, (first, second) in zip(self.ups, self.blocks, strict=True):
            x = up(F.leaky_relu(x, 0.1))
            x = (first(x) + second(x)) / 2
        return torch.tanh(self.after(F.leaky_relu(x)).float())


class Listener(nn.Module):
    """Logits, then the maps of all layers before."""

    def __init__(self, *convs):
        super().__init__()
        self.convs = nn.ModuleList(convs)

    def seen(self, audio):
        return audio

    def forward(self, audio):
        x, maps = self.seen(audio), []
        *convs, last = self.convs
        for conv in convs:
            x = F.leaky_relu(conv(x), 0.1, inplace=True)
            maps.append(x)
        return [last(x), *maps]


class PeriodListener(Listener):
    def __init__(self, period, width):
        widths = 1, width, 4 * width, 16 * width, 32 * width, 32 * width
        convs = [
            nn.Conv2d(*pair, (5, 1), (stride, 1), (2, 0))
            for pair, stride in zip(
                itertools.pairwise(widths), (3, 3, 3, 3, 1), strict=True
            )
        ]
        convs.append(nn.Conv2d(32 * width, 1, (3, 1), padding=(1, 0)))
        super().__init__(*map(weight_norm, convs))
        self.period = period

    def seen(self, audio):
        x = F.pad(audio[:, 0], (0, -audio.shape[-1] % self.period), "reflect")
        return x.unflatten(2, (-1, self.period))


class ScaleListener(Listener):
    def __init__(self, halvings, width, norm):
        layers = (
            (1, width, 15, 1, 1),
            (width, width, 41, 2, 4),
            (width, 2 * width, 41, 2, 16),
            (2 * width, 4 * width, 41, 4, 16),
            (4 * width, 8 * width, 41, 4, 16),
            (8 * width, 8 * width, 41, 1, 16),
            (8 * width, 8 * width, 5, 1, 1),
            (8 * width, 1, 3, 1, 1),
        )
        convs = (
            conv_in_time(i, o, kernel, stride=stride, groups=groups)
            for i, o, kernel, stride, groups in layers
        )
        super().__init__(*map(norm, convs))
        self.halvings = halvings

    def seen(self, audio):
        for _ in range(self.halvings):
            audio = F.avg_pool2d(audio, (1, 4), (1, 2), (0, 2))
        return audio


def hifigan(settings, last):
    width, scales = settings["width"], settings.get("given", {}).get("scales", 0)
    d = [PeriodListener(period, width // 32) for period in (2, 5, 11)]
    for i in range(scales):
        norm = weight_norm if i else spectral_norm
        d.append(ScaleListener(i, width // 8, norm))
    return Vocoder(width), Pair(d)


# --- WaveGAN ---


def shifted(x, shifts, most=2):
    """Rows shifted in time, and reflected at the ends."""
    padded = F.pad(x[:, :, 0], (most, most), "reflect")
    rows = [
        row.narrow(-1, most - shift, x.shape[-1])
        for row, shift in zip(padded, shifts, strict=True)
    ]
    return torch.stack(rows)[:, :, None]


class WaveDiscriminator(nn.Module):
    def __init__(self, widths, samples):
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv2d(*pair, (1, 25), (1, 4), (0, 11))
            for pair in itertools.pairwise((1, *widths))
        )
        samples //= 4 ** len(widths)
        self.logits = nn.Linear(samples * widths[-1], 1)

    def forward(self, x, shifts):
        """Of ints, a list for each map that is shifted."""
        for i, conv in enumerate(self.convs):
            x = F.leaky_relu(conv(x), 0.2)
            if i < SHUFFLED:
                x = shifted(x, shifts[i])
        return self.logits(x.flatten(1))


def wavegan(settings, last):
    size, dim = settings["size"], settings["width"]
    widths = [dim << i for i in range(4)]
    start = size // 4**4
    made = [nn.Linear(CODES["wavegan"], start * widths[-1])]
    made += [ToMap(last, (1, start)), nn.ReLU(inplace=True)]
    for pair in itertools.pairwise((*widths[::-1], 1)):
        own = (1, 25), (1, 4), (0, 11), (0, 1)
        made += [nn.ConvTranspose2d(*pair, *own), nn.ReLU(inplace=True)]
    g = nn.Sequential(*made[:-1], nn.Tanh())
    return g, WaveDiscriminator(widths, size)


# --- VoxelGAN ---


def voxel_gan(settings, last):
    count = int(math.log2(settings["size"] / 2))
    widths = [settings["width"] << i for i in range(count)]
    up = [nn.Linear(CODES["voxel_gan"], 8 * widths[-1]), ToMap(last, (2, 2, 2))]
    for inputs, outputs in itertools.pairwise((*widths[::-1], 1)):
        up += [nn.BatchNorm3d(inputs), nn.ReLU(inplace=True)]
        up.append(nn.ConvTranspose3d(inputs, outputs, 4, 2, 1))
    down = []
    for pair in itertools.pairwise((1, *widths)):
        down += [nn.Conv3d(*pair, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
    down += [nn.Flatten(), nn.Linear(8 * widths[-1], 1)]
    return nn.Sequential(*up, nn.Tanh()), nn.Sequential(*down)


# --- CTGAN ---


class Rows(nn.Module):
    """Rows of numbers, each a scalar and its mode, and one category of two."""

    def __init__(self, columns, width):
        super().__init__()
        inputs = CODES["ctgan"] + 2
        self.hidden = nn.ModuleList()
        for _ in range(2):
            self.hidden.append(
                nn.Sequential(
                    nn.Linear(inputs, width), nn.BatchNorm1d(width), nn.ReLU(True)
                )
            )
            inputs += width
        self.logits = nn.Linear(inputs, columns * (1 + MODES) + 2)

    def forward(self, z, condition):
        """Rows and the logits of the category."""
        x = torch.cat([z, condition], 1)
        for hidden in self.hidden:
            x = torch.cat([hidden(x), x], 1)
        x = self.logits(x).float()
        numbers, category = x[:, :-2].unflatten(1, (-1, 1 + MODES)), x[:, -2:]
        scalars, modes = numbers.split((1, MODES), 2)
        numbers = torch.cat([scalars.tanh(), chosen(modes)], 2).flatten(1)
        return torch.cat([numbers, chosen(category)], 1), category


def chosen(logits, temperature=0.2):
    """By a Gumbel-softmax."""
    gumbel = -torch.empty_like(logits).exponential_().log()
    return ((logits + gumbel) / temperature).softmax(-1)


def ctgan(settings, last):
    columns, width = settings["size"], settings["width"]
    made, inputs = [], columns * (1 + MODES) + 4
    for _ in range(2):
        made += [nn.Linear(inputs, width), nn.LeakyReLU(0.2, inplace=True)]
        inputs = width
    return Rows(columns, width), nn.Sequential(*made, nn.Linear(inputs, 1))
