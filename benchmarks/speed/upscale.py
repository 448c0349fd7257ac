"""Seconds a megapixel and the memory of upscaling, beside PyTorch's.

    taskset -c 1 python benchmarks/speed/upscale.py --torch=TORCH_ENV/bin/python
    python benchmarks/speed/upscale.py --peak=4000x3000 --networks=tiny,srvgg

Speed: the same network, with weights of the same sizes, enlarges an image of
--side pixels a side whole, in a process for each package. The two take turns, one
image each; figures are medians of the turns, and of their ratios. With one thread,
time is the processor's, so that other work on the machine counts little. PyTorch
computes in inference mode with maps that have their channels last, which is its
faster layout here. Megapixels are the small image's.

Memory: `keras_gans.upscale` makes a file into a file, by default tiles; the figure
is the most that the process held, of everything in it. Of a network, "tiny" is for
what a large photo itself takes. --tiles ends after so many, which tells as much:
all are alike. Rows go to --results.
"""

import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

import workers

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

NETWORKS = ("srvgg", "msrresnet", "rrdbnet_6")


# --- Ours ---


def network_of(name):
    import numpy as np

    from keras_gans.networks.rrdbnet import rrdbnet
    from keras_gans.networks.srresnet import msrresnet
    from keras_gans.networks.srvgg import srvgg

    makers = {
        "tiny": lambda: srvgg(convs=1, width=8),  # what files and strips take
        "srvgg": srvgg,
        "msrresnet": msrresnet,
        "rrdbnet_6": lambda: rrdbnet(blocks=6),
        "rrdbnet": rrdbnet,
    }
    network = makers[name]()
    # Some start at 0, and would depend on no pixels around.
    kernel = network.get_layer("last").kernel
    kernel.assign(np.random.default_rng(0).normal(0, 0.02, kernel.shape))
    return network


def enlarger(name, side, threads, precision):
    import numpy as np
    import tensorflow as tf

    from keras_gans.inference.tiles import Enlarger

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    run = Enlarger(network_of(name), tile=0, precision=precision)
    image = np.random.default_rng(0).uniform(-1, 1, (side, side, 3))
    image = image.astype("float32")
    return lambda: run(image)


class Enough(Exception):
    """As many tiles as were asked for."""


def ended_after(tiles):
    """Lets `upscale` end after so many tiles; returns their count so far."""
    from keras_gans.inference.tiles import Enlarger

    run, count = Enlarger.run, [0]

    def counted(self, images):
        if len(images) == 1:  # not what the overlap is measured on
            if count[0] == tiles:
                raise Enough
            count[0] += 1
        return run(self, images)

    Enlarger.run = counted
    return count


def peak(options, name):
    import numpy as np
    from PIL import Image

    import keras_gans

    width, height = map(int, options.peak.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        # Noise, made small: PIL enlarges it to what photos are like.
        noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3), "uint8")
        photo = Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)
        photo.save(f"{folder}/photo.jpg", quality=95)
        del photo
        count = ended_after(options.tiles)
        report = None
        with contextlib.suppress(Enough):
            report = keras_gans.upscale(
                network_of(name),
                f"{folder}/photo.jpg",
                f"{folder}/out",
                precision=options.precision,
                overlap=options.overlap,
                verbose=0,
            )
        assert report is None or len(report.written) == 1, report.failed
    return {
        "mebibytes": workers.memory(),
        "tiles": count[0],
        "whole": report is not None,
    }


# --- PyTorch's ---


def torch_network(name):
    from torch import nn
    from torch.nn import functional as F

    def conv(i, o):
        return nn.Conv2d(i, o, 3, padding=1)

    class Plain(nn.Module):  # SRVGGNetCompact
        def __init__(self):
            super().__init__()
            layers = [conv(3, 64), nn.PReLU(64)]
            for _ in range(32):
                layers += [conv(64, 64), nn.PReLU(64)]
            self.body = nn.Sequential(*layers, conv(64, 48))

        def forward(self, x):
            made = F.pixel_shuffle(self.body(x), 4)
            return made + F.interpolate(x, scale_factor=4)

    class Residual(nn.Module):  # MSRResNet
        def __init__(self):
            super().__init__()
            self.pairs = nn.ModuleList(conv(64, 64) for _ in range(32))
            self.first, self.high, self.last = conv(3, 64), conv(64, 64), conv(64, 3)
            self.ups = nn.ModuleList(conv(64, 256) for _ in range(2))

        def forward(self, x):
            h = F.leaky_relu(self.first(x), 0.1)
            for a, b in zip(self.pairs[::2], self.pairs[1::2], strict=True):
                h = h + b(F.relu(a(h)))
            for up in self.ups:
                h = F.leaky_relu(F.pixel_shuffle(up(h), 2), 0.1)
            h = self.last(F.leaky_relu(self.high(h), 0.1))
            return h + F.interpolate(x, scale_factor=4, mode="bilinear")

    class Dense(nn.Module):  # RRDBNet of 6 blocks
        def __init__(self):
            super().__init__()
            self.first, self.body, self.high = conv(3, 64), conv(64, 64), conv(64, 64)
            self.dense = nn.ModuleList(
                nn.ModuleList(conv(64 + 32 * i, 32 if i < 4 else 64) for i in range(5))
                for _ in range(18)
            )
            self.ups, self.last = nn.ModuleList([conv(64, 64)] * 2), conv(64, 3)

        def forward(self, x):
            import torch

            first = h = block = self.first(x)
            for k, dense in enumerate(self.dense):
                maps = [h]
                for one in dense:
                    made = one(torch.cat(maps, 1))
                    maps.append(F.leaky_relu(made, 0.2))
                h = h + 0.2 * made
                if k % 3 == 2:
                    h = block = block + 0.2 * h
            h = first + self.body(h)
            for up in self.ups:
                h = F.leaky_relu(up(F.interpolate(h, scale_factor=2)), 0.2)
            return self.last(F.leaky_relu(self.high(h), 0.2))

    return {"srvgg": Plain, "msrresnet": Residual}.get(name, Dense)().eval()


def torch_runner(name, side, threads, precision):
    import torch

    torch.set_num_threads(threads)
    network = torch_network(name).to(memory_format=torch.channels_last)
    image = torch.rand(1, 3, side, side).to(memory_format=torch.channels_last)
    half = torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16")

    def run():
        with torch.inference_mode(), half:
            network(image)

    return run


# --- Measuring ---


class Contender:
    """One package's network: a turn is an image."""

    def __init__(self, options):
        name, way = options.child.split(":")
        make = {"keras_gans": enlarger, "torch": torch_runner}[way]
        self.run = make(name, options.side, options.threads, options.precision)
        self.now = time.process_time if options.threads == 1 else time.perf_counter
        self.megapixels = options.side**2 / 1e6
        self.run()

    def turn(self):
        start = self.now()
        self.run()
        return (self.now() - start) / self.megapixels


def child(options):
    name, way = options.child.split(":")
    if way == "peak":
        print(json.dumps(peak(options, name)))
    else:
        workers.serve(Contender(options))


def speed(options, name, words):
    """A row: medians over the turns."""
    ways = {"keras_gans": sys.executable}
    if options.torch:
        ways["torch"] = options.torch
    contenders = {
        way: workers.Worker([python, __file__, f"--child={name}:{way}", *words])
        for way, python in ways.items()
    }
    seconds = {way: [] for way in ways}
    for _ in range(options.turns + 1):
        for way, contender in contenders.items():
            seconds[way].append(contender("turn"))
    for contender in contenders.values():
        contender.close()
    # The first turns are those of cold caches.
    seconds = {way: s[1:] for way, s in seconds.items()}
    row = {f"{way}_seconds": statistics.median(s) for way, s in seconds.items()}
    if options.torch:
        pairs = zip(seconds["keras_gans"], seconds["torch"], strict=True)
        row["ratio"] = statistics.median(theirs / ours for ours, theirs in pairs)
    about = {"side": options.side, "threads": options.threads}
    return about | row | {"turns": options.turns}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--torch", help="a Python that has PyTorch")
    add("--networks", default=",".join(NETWORKS))
    add("--side", type=int, default=192)
    add("--threads", type=int, default=1)
    add("--turns", type=int, default=7)
    add("--precision", default="float32", choices=("float32", "bfloat16"))
    add("--peak", metavar="WIDTHxHEIGHT", help="measure memory of a photo instead")
    add("--tiles", type=int, help="with --peak: end after so many")
    add("--overlap", type=int, help="with --peak: of tiles")
    add("--results", type=pathlib.Path, default=pathlib.Path("results/upscale.jsonl"))
    add("--child", help=argparse.SUPPRESS)
    options, words = parser.parse_args(), sys.argv[1:]
    if options.child:
        return child(options)
    for name in options.networks.split(","):
        row = {"network": name, "precision": options.precision}
        if options.peak:
            command = [sys.executable, __file__, f"--child={name}:peak", *words]
            made = subprocess.run(command, check=True, stdout=subprocess.PIPE)
            row |= {"size": options.peak, "overlap": options.overlap}
            row |= json.loads(made.stdout.splitlines()[-1])
        else:
            row |= speed(options, name, words)
        print(json.dumps(row), flush=True)
        with options.results.open("a") as file:
            file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
