"""R3GAN's and StyleGAN2's networks in PyTorch, for speed.py.

Same layers, widths and numbers of parameters as ours. Filters are depthwise
convolutions; styles scale the maps before and after one convolution of all rows,
which costs CPUs less than a kernel for each row.
"""

import itertools
import math

import torch
from torch import nn
from torch.nn import functional as F

SLOPE, GAIN = 0.2, math.sqrt(2.0)
DIMS = {"r3gan": 64, "stylegan2": 64}
GROUP = 16  # hidden channels that a grouped convolution of R3GAN mixes
NEIGHBOURS = 4  # rows whose deviation is one feature


class Filter(nn.Module):
    """[1, 3, 3, 1] along both axes, of gain 1, or 4 where it doubles the size."""

    def __init__(self, channels, up=False, stride=1, padding=1):
        super().__init__()
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / (4 if up else 8)
        kernel = torch.outer(taps, taps).expand(channels, 1, 4, 4).contiguous()
        self.register_buffer("kernel", kernel)
        self.up, self.stride, self.padding = up, stride, padding

    def forward(self, x):
        own = {"padding": self.padding, "groups": x.shape[1]}
        kernel = self.kernel.to(x.dtype)
        if self.up:
            return F.conv_transpose2d(x, kernel, stride=2, **own)
        return F.conv2d(x, kernel, stride=self.stride, **own)


# --- R3GAN ---


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        hidden = 2 * width
        groups = hidden // GROUP
        self.body = nn.Sequential(
            nn.Conv2d(width, hidden, 1),
            nn.LeakyReLU(SLOPE, inplace=True),
            nn.Conv2d(hidden, hidden, 3, padding=1, groups=groups),
            nn.LeakyReLU(SLOPE, inplace=True),
            nn.Conv2d(hidden, width, 1, bias=False),
        )

    def forward(self, x):
        return x + self.body(x)


def pointwise(inputs, outputs):
    return [nn.Conv2d(inputs, outputs, 1, bias=False)] if inputs != outputs else []


class R3Generator(nn.Module):
    def __init__(self, widths):
        super().__init__()
        self.project = nn.Linear(DIMS["r3gan"], widths[0], bias=False)
        self.basis = nn.Parameter(torch.randn(widths[0], 4, 4))
        made = [Residual(widths[0])]
        for inputs, outputs in itertools.pairwise(widths):
            made += pointwise(inputs, outputs)
            made += [Filter(outputs, up=True), Residual(outputs)]
        self.body = nn.Sequential(*made, nn.Conv2d(widths[-1], 3, 1, bias=False))

    def forward(self, z):
        return self.body(self.basis * self.project(z)[..., None, None])


class R3Discriminator(nn.Sequential):
    def __init__(self, widths):
        made = [nn.Conv2d(3, widths[-1], 1, bias=False), Residual(widths[-1])]
        for inputs, outputs in zip(widths[::-1], widths[-2::-1], strict=False):
            made += [Filter(inputs, stride=2), *pointwise(inputs, outputs)]
            made.append(Residual(outputs))
        last = widths[0]
        basis = nn.Conv2d(last, last, 4, groups=last, bias=False)
        super().__init__(*made, basis, nn.Flatten(), nn.Linear(last, 1, bias=False))


def r3gan(size, width):
    widths = (2 * width,) * int(math.log2(size / 4)) + (width,)
    return R3Generator(widths), R3Discriminator(widths)


# --- StyleGAN2 ---


def activated(x):
    return F.leaky_relu(x, SLOPE) * GAIN


class Dense(nn.Module):
    """A linear layer of weights N(0, 1), scaled as it runs."""

    def __init__(self, inputs, outputs, rate=1.0, bias=0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.rate, self.gain = rate, rate / math.sqrt(inputs)

    def forward(self, x):
        return F.linear(x, self.weight * self.gain, self.bias * self.rate)


class Conv(nn.Module):
    def __init__(self, inputs, outputs, size, stride=1, bias=True):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, size, size))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.gain = 1.0 / math.sqrt(inputs * size**2)
        self.own = {"stride": stride, "padding": size // 2 if stride == 1 else 0}

    def forward(self, x):
        return F.conv2d(x, self.weight * self.gain, self.bias, **self.own)


class Styled(nn.Module):
    def __init__(self, inputs, outputs, side, codes, up):
        super().__init__()
        self.style = Dense(codes, inputs, bias=1.0)
        shape = (inputs, outputs, 3, 3) if up else (outputs, inputs, 3, 3)
        self.weight = nn.Parameter(torch.randn(shape))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.strength = nn.Parameter(torch.zeros(()))
        self.side, self.up = side, up
        self.filter = Filter(outputs) if up else None

    def forward(self, x, w):
        s = self.style(w)
        x = x * s[..., None, None].to(x.dtype)
        squares = self.weight.square().sum((2, 3))
        if self.up:
            y, squares = F.conv_transpose2d(x, self.weight, stride=2), squares.t()
        else:
            y = F.conv2d(x, self.weight, padding=1)
        scale = (s.float().square() @ squares.t() + 1e-8).rsqrt()
        y = y * scale[..., None, None].to(y.dtype)
        if self.up:
            y = self.filter(y) * 4.0
        noise = torch.randn(len(y), 1, self.side, self.side)
        y = y + (noise * self.strength).to(y.dtype)
        return activated(y + self.bias[:, None, None].to(y.dtype))


class ToImages(nn.Module):
    def __init__(self, inputs, codes):
        super().__init__()
        self.style = Dense(codes, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(3, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))
        self.gain = 1.0 / math.sqrt(inputs)

    def forward(self, x, w):
        s = self.style(w) * self.gain
        return F.conv2d(x * s[..., None, None].to(x.dtype), self.weight, self.bias)


class StyleGenerator(nn.Module):
    """`g(z)` is `g.synthesis(g.styles(z))`."""

    def __init__(self, widths, mapping_layers):
        super().__init__()
        codes = DIMS["stylegan2"]
        self.mapping = nn.ModuleList(
            Dense(codes, codes, rate=0.01) for _ in range(mapping_layers)
        )
        self.start = nn.Parameter(torch.randn(widths[0], 4, 4))
        self.styled, self.to_images = nn.ModuleList(), nn.ModuleList()
        inputs = widths[0]
        for i, width in enumerate(widths):
            side = 4 * 2**i
            if i:
                self.styled.append(Styled(inputs, width, side, codes, True))
            self.styled.append(Styled(width, width, side, codes, False))
            self.to_images.append(ToImages(width, codes))
            inputs = width
        self.doubled = Filter(3, up=True)

    def map(self, z):
        x = z * (z.square().mean(1, keepdim=True) + 1e-8).rsqrt()
        for dense in self.mapping:
            x = activated(dense(x))
        return x

    def styles(self, z, mixed=None):
        """`[n, layers, codes]`; those from a layer on are of `mixed`."""
        count = 2 * len(self.to_images)
        ws = self.map(z)[:, None].expand(-1, count, -1)
        if mixed is None:
            return ws
        other = self.map(torch.randn_like(z))[:, None]
        own = torch.arange(count)[:, None] < mixed[:, None, None]
        return torch.where(own, ws, other)

    def synthesis(self, ws):
        x = self.start.expand(len(ws), -1, -1, -1)
        images, place = None, 0
        for i, to_images in enumerate(self.to_images):
            for layer in self.styled[max(0, 2 * i - 1) : 2 * i + 1]:
                x = layer(x, ws[:, place])
                place += 1
            y = to_images(x, ws[:, place]).float()
            images = y if images is None else self.doubled(images) + y
        return images

    def forward(self, z):
        return self.synthesis(self.styles(z))


class Halved(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = Conv(inputs, inputs, 3)
        self.smooth, self.decimate = Filter(inputs, padding=2), Filter(inputs, stride=2)
        self.down = Conv(inputs, outputs, 3, stride=2)
        self.skip = Conv(inputs, outputs, 1, bias=False)

    def forward(self, x):
        h = activated(self.down(self.smooth(activated(self.conv(x)))))
        return (h + self.skip(self.decimate(x))) * 0.5**0.5


class StyleDiscriminator(nn.Module):
    def __init__(self, widths):
        super().__init__()
        self.first = Conv(3, widths[-1], 1)
        pairs = zip(widths[::-1], widths[-2::-1], strict=False)
        self.blocks = nn.Sequential(*[Halved(*pair) for pair in pairs])
        last = widths[0]
        self.conv = Conv(last + 1, last, 3)
        self.fc, self.logits = Dense(16 * last, last), Dense(last, 1)

    def forward(self, x):
        x = self.blocks(activated(self.first(x))).float()
        groups = x.view(NEIGHBOURS, -1, *x.shape[1:])
        deviation = (groups.var(0, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3))
        deviation = deviation.repeat(NEIGHBOURS)[:, None, None, None]
        x = torch.cat([x, deviation.expand(-1, 1, *x.shape[2:])], 1)
        x = activated(self.conv(x)).flatten(1)
        return self.logits(activated(self.fc(x.float())))


def stylegan2(size, width):
    widths = (width,) * (int(math.log2(size / 4)) + 1)
    return StyleGenerator(widths, 2), StyleDiscriminator(widths)
