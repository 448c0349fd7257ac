"""The other side of metrics.py: torch-fidelity's functions, in PyTorch.

    PYTHON benchmarks/speed/torch_metrics.py

A process of its own, as the threads of PyTorch and of TensorFlow would disturb
each other in one. It waits for a line of JSON, {"call": name, "arguments":
{...}}, does that, and answers with a line of JSON; between its turns it idles.
Needs torch and torch-fidelity, and nothing of keras_gans.
"""

import os
import pathlib
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
import torch_fidelity
from torch_fidelity.metric_fid import (
    fid_features_to_statistics,
    fid_statistics_to_metric,
)
from torch_fidelity.metric_prc import calculate_precision_recall_full

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import workers

LITE0_SIZE = 96
# (blocks, kernel size, stride of the first block, expansion, channels)
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


class Inception(torch_fidelity.FeatureExtractorInceptionV3):
    """torch-fidelity's, with weights drawn at random, resizing included."""

    def __init__(self, path):
        torch.save({}, path)
        super().__init__("inception", ["2048"], path)
        torch.manual_seed(0)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight)
        torch.save(self.state_dict(), path)

    def load_state_dict(self, state):
        """There are none yet."""

    def forward(self, x):
        return super().forward(x)[0]


class Block(nn.Module):
    """An inverted bottleneck."""

    def __init__(self, inputs, channels, kernel_size, stride, expansion):
        super().__init__()
        width = inputs * expansion
        self.shortcut = stride == 1 and inputs == channels
        if expansion > 1:
            self._expand_conv = nn.Conv2d(inputs, width, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(width, 1e-3)
        self._depthwise_conv = nn.Conv2d(
            width,
            width,
            kernel_size,
            stride,
            padding=kernel_size // 2 if stride == 1 else 0,
            groups=width,
            bias=False,
        )
        self._bn1 = nn.BatchNorm2d(width, 1e-3)
        self._project_conv = nn.Conv2d(width, channels, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(channels, 1e-3)

    def forward(self, x):
        h = x
        if hasattr(self, "_expand_conv"):
            h = F.relu6(self._bn0(self._expand_conv(h)))
        h = same(h, self._depthwise_conv)
        h = F.relu6(self._bn1(self._depthwise_conv(h)))
        h = self._bn2(self._project_conv(h))
        return x + h if self.shortcut else h


class Lite0(nn.Module):
    """EfficientNet-Lite0, features alone, as its package names the weights."""

    def __init__(self, path, resizes):
        super().__init__()
        self.resizes = resizes
        self._conv_stem = nn.Conv2d(3, 32, 3, 2, bias=False)
        self._bn0 = nn.BatchNorm2d(32, 1e-3)
        blocks, inputs = [], 32
        for count, kernel_size, stride, expansion, channels in STAGES:
            for i in range(count):
                strides = stride if i == 0 else 1
                blocks.append(Block(inputs, channels, kernel_size, strides, expansion))
                inputs = channels
        self._blocks = nn.Sequential(*blocks)
        self._conv_head = nn.Conv2d(320, 1280, 1, bias=False)
        self._bn1 = nn.BatchNorm2d(1280, 1e-3)
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.load_state_dict(
            {k: v for k, v in state.items() if not k.startswith("_fc.")}
        )

    def forward(self, x):
        x = x.float()
        if self.resizes:  # bicubic with antialiasing, as Pillow's
            x = F.interpolate(
                x, (LITE0_SIZE, LITE0_SIZE), mode="bicubic", antialias=True
            ).clamp(0, 255)
        x = (x - 127) / 128
        x = F.relu6(self._bn0(self._conv_stem(same(x, self._conv_stem))))
        x = self._blocks(x)
        return F.relu6(self._bn1(self._conv_head(x))).mean((2, 3))


def same(x, conv):
    """Padded as TensorFlow pads a convolution that halves."""
    (size, _), (stride, _) = conv.kernel_size, conv.stride
    if stride == 1:
        return x
    pads = []
    for side in (x.shape[3], x.shape[2]):
        total = max((-(-side // stride) - 1) * stride + size - side, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


class Peer:
    """What can be asked for; all times in seconds, taken in this process."""

    def __init__(self):
        self.networks = {}
        self.features = None

    def versions(self):
        return {
            "torch": torch.__version__,
            "torch_fidelity": torch_fidelity.__version__,
        }

    def open(self, kind, path, images):
        """Makes a network ready in its fastest form; returns their seconds.

        `path` is the file of its weights, Inception's to be written; `images`
        one of uint8 [n, height, width, 3].
        """
        made = {
            "inception": lambda: Inception(path),
            "lite0": lambda: Lite0(path, resizes=False),
            "lite0_resized": lambda: Lite0(path, resizes=True),
        }[kind]()
        made = made.eval().requires_grad_(False)
        x = torch.from_numpy(np.load(images).transpose(0, 3, 1, 2).copy())
        last = made.to(memory_format=torch.channels_last)
        x = x.contiguous(memory_format=torch.channels_last)
        forms = {"eager": last, "compiled": compiled(last)}
        times = {form: [] for form in forms}
        for _ in range(3):
            for form, network in forms.items():
                times[form].append(timed(network, x)[0])
        best = min(times, key=lambda form: min(times[form][1:]))
        self.networks[kind] = (forms[best], x)
        return {form: min(seconds[1:]) for form, seconds in times.items()}

    def run(self, kind, batches=1, out=None):
        """Seconds of some batches; `out` is a file for the features of one."""
        network, x = self.networks[kind]
        runs = [timed(network, x) for _ in range(batches)]
        seconds, y = sum(taken for taken, _ in runs), runs[-1][1]
        if out is not None:
            np.save(out, y.numpy())
        return seconds

    def load(self, real, fake):
        self.features = [torch.from_numpy(np.load(f)) for f in (real, fake)]

    def frechet(self):
        start = time.perf_counter()
        statistics = [fid_features_to_statistics(x) for x in self.features]
        found = fid_statistics_to_metric(*statistics, verbose=False)
        seconds = time.perf_counter() - start
        return [seconds, found["frechet_inception_distance"]]

    def precision_recall(self):
        real, fake = self.features
        start = time.perf_counter()
        found = calculate_precision_recall_full(fake, real)
        return [time.perf_counter() - start, *found, self.peak()]

    def peak(self):
        return workers.memory()


def compiled(network):
    """By torch.compile, which folds batch norm into the convolutions."""
    import torch._inductor.config as config

    config.freezing = True
    return torch.compile(network, dynamic=False)


def timed(network, x):
    with torch.inference_mode():
        start = time.perf_counter()
        y = network(x)
        return time.perf_counter() - start, y


def main():
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    workers.serve(Peer())


if __name__ == "__main__":
    main()
