"""Seconds a megapixel and the memory of upscaling, beside PyTorch's.

    python benchmarks/speed/upscale.py --torch=TORCH_ENV/bin/python
    python benchmarks/speed/upscale.py --peak=4000x3000 --networks=srvgg,msrresnet

Speed: the same network, with weights of the same sizes, enlarges an image of
--side pixels a side whole, in a process of its own for each package; turns are
interleaved, A B A B, figures are medians of the turns' fastest of three. PyTorch
computes in inference mode with maps that have their channels last, which is its
faster layout here. Megapixels are the small image's.

Memory: `keras_gans.upscale` makes a file into a file, by default tiles; the figure
is the most that the process held, of everything in it. Of a network, "tiny" is for
what a large photo itself takes. Rows go to --results.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

NETWORKS = ("srvgg", "msrresnet", "rrdbnet_6")
REPEATS = 3


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


def peak(name, size, precision):
    import numpy as np
    from PIL import Image
    import workers

    import keras_gans

    width, height = size
    with tempfile.TemporaryDirectory() as folder:
        # Noise, made small: PIL enlarges it to what photos are like.
        noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3), "uint8")
        photo = Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)
        photo.save(f"{folder}/photo.jpg", quality=95)
        del photo
        start = time.perf_counter()
        report = keras_gans.upscale(
            network_of(name),
            f"{folder}/photo.jpg",
            f"{folder}/out",
            precision=precision,
            verbose=0,
        )
        assert len(report.written) == 1, report.failed
        seconds = time.perf_counter() - start
        large = os.path.getsize(report.written[0])
    return {
        "mebibytes": workers.memory(),
        "seconds_a_megapixel": seconds / (width * height / 1e6),
        "file_bytes": large,
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


def timed(run):
    run()
    found = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return min(found)


def child(options):
    name, way = options.child.split(":")
    if way == "peak":
        size = tuple(map(int, options.peak.split("x")))
        row = peak(name, size, options.precision)
    else:
        make = {"keras_gans": enlarger, "torch": torch_runner}[way]
        run = make(name, options.side, options.threads, options.precision)
        row = {"seconds_a_megapixel": timed(run) / (options.side**2 / 1e6)}
    print(json.dumps(row))


def measured(python, name, way):
    words = [word for word in sys.argv[1:] if not word.startswith("--child")]
    command = [python, __file__, f"--child={name}:{way}", *words]
    made = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(made.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--torch", help="a Python that has PyTorch")
    add("--networks", default=",".join(NETWORKS))
    add("--side", type=int, default=192)
    add("--threads", type=int, default=1)
    add("--turns", type=int, default=3)
    add("--precision", default="float32", choices=("float32", "bfloat16"))
    add("--peak", metavar="WIDTHxHEIGHT", help="measure memory of a photo instead")
    add("--results", type=pathlib.Path, default=pathlib.Path("upscale.jsonl"))
    add("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return child(options)
    ways = {"keras_gans": sys.executable}
    if options.peak:
        ways = {"peak": sys.executable}
    elif options.torch:
        ways["torch"] = options.torch
    about = {"side": options.side, "threads": options.threads}
    if options.peak:
        about = {"size": options.peak}
    for name in options.networks.split(","):
        rows = {way: [] for way in ways}
        for _ in range(1 if options.peak else options.turns):
            for way, python in ways.items():
                rows[way].append(measured(python, name, way))
        for way, found in rows.items():
            row = {"network": name, "way": way, "precision": options.precision}
            row |= about
            row |= {k: statistics.median(r[k] for r in found) for k in found[0]}
            row["turns"] = len(found)
            print(json.dumps(row))
            with options.results.open("a") as file:
                file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
