"""HiFi-GAN's generator in PyTorch, timed: what vocoder.py compares with.

    python benchmarks/quality/vocoder_torch.py '{"channels": 512, ...}' FRAMES

Written from the paper, without weight norm, as vocoders run. Prints seconds.
"""

import json
import sys
import time

import torch
from torch import nn
import torch.nn.functional as F


class Block(nn.Module):
    def __init__(self, width, kernel, dilations, kind):
        super().__init__()

        def conv(dilation):
            side = dilation * (kernel - 1) // 2
            return nn.Conv1d(width, width, kernel, dilation=dilation, padding=side)

        each = [[conv(d)] + ([conv(1)] if kind == "1" else []) for d in dilations]
        self.parts = nn.ModuleList(nn.ModuleList(part) for part in each)

    def forward(self, x):
        for part in self.parts:
            y = x
            for conv in part:
                y = conv(F.leaky_relu(y, 0.1))
            x = x + y
        return x


class Generator(nn.Module):
    def __init__(self, bands, c):
        super().__init__()
        self.before = nn.Conv1d(bands, c["channels"], 7, padding=3)
        self.ups, self.blocks = nn.ModuleList(), nn.ModuleList()
        width = c["channels"]
        for rate, kernel in zip(c["rates"], c["kernels"], strict=True):
            side = (kernel - rate) // 2
            up = nn.ConvTranspose1d(width, width // 2, kernel, rate, side)
            self.ups.append(up)
            width //= 2
            sizes = zip(c["block_kernels"], c["dilations"], strict=True)
            found = [Block(width, k, d, c["block"]) for k, d in sizes]
            self.blocks.append(nn.ModuleList(found))
        self.after = nn.Conv1d(width, 1, 7, padding=3)

    def forward(self, x):
        x = self.before(x)
        for up, blocks in zip(self.ups, self.blocks, strict=True):
            x = up(F.leaky_relu(x, 0.1))
            x = sum(block(x) for block in blocks) / len(blocks)
        return torch.tanh(self.after(F.leaky_relu(x)))


def main():
    configuration, frames = json.loads(sys.argv[1]), int(sys.argv[2])
    network = Generator(80, configuration).eval()
    mel = torch.randn(1, 80, frames)
    with torch.inference_mode():
        network(mel)
        seconds = []
        for _ in range(5):
            start = time.perf_counter()
            network(mel)
            seconds.append(time.perf_counter() - start)
    print(json.dumps(sorted(seconds)[2]))


if __name__ == "__main__":
    main()
