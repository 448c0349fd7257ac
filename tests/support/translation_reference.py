"""The networks of pix2pix and CycleGAN in numpy, by the reference's names.

Channels first. Whether a layer has a bias and which norm follows is read off
the state, as PyTorch's modules would have it: nothing is shared with the
package.
"""

import numpy as np


def windows(x, size, stride):
    view = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(2, 3))
    return view[:, :, ::stride, ::stride]


def padded(x, amount, mode="constant"):
    return np.pad(x, ((0, 0), (0, 0), (amount,) * 2, (amount,) * 2), mode)


def biased(y, state, name):
    bias = state.get(f"{name}.bias")
    return y if bias is None else y + bias[:, None, None]


def conv(x, state, name, stride=1, pad=0):
    weight = state[f"{name}.weight"]
    views = windows(padded(x, pad), weight.shape[-1], stride)
    y = np.tensordot(views, weight, ((1, 4, 5), (1, 2, 3)))
    return biased(np.moveaxis(y, -1, 1), state, name)


def conv_transpose(x, state, name, output_pad=0):
    """Stride 2 and padding 1: every pixel adds its kernel, the rim is cut."""
    weight = state[f"{name}.weight"]
    size = weight.shape[-1]
    n, _, h, w = x.shape
    y = np.zeros((n, weight.shape[1], 2 * h + size, 2 * w + size))
    for i in range(size):
        for j in range(size):
            part = np.tensordot(x, weight[:, :, i, j], (1, 0))
            y[:, :, i : i + 2 * h : 2, j : j + 2 * w : 2] += np.moveaxis(part, -1, 1)
    sides = [2 * (side - 1) + size - 2 + output_pad for side in (h, w)]
    y = y[:, :, 1 : 1 + sides[0], 1 : 1 + sides[1]]
    return biased(y, state, name)


def norm(x, state, name, kind, training):
    if kind is None:
        return x
    axes = (0, 2, 3) if kind == "batch" else (2, 3)
    mean, var = (f(x, axis=axes, keepdims=True) for f in (np.mean, np.var))
    if kind == "batch" and not training:
        mean, var = (
            state[f"{name}.running_{leaf}"][:, None, None] for leaf in ("mean", "var")
        )
    y = (x - mean) / np.sqrt(var + 1e-5)
    if kind == "instance":
        return y
    gain = state[f"{name}.weight"][:, None, None]
    return biased(y * gain, state, name)


def relu(x, slope=0):
    return np.where(x > 0, x, slope * x)


def unet(state, x, kind, training, prefix="model.model"):
    outermost = prefix == "model.model"
    skip = x if outermost else relu(x, 0.2)  # in place: the skip has it too
    down, inner, up = (0, 1, 3) if outermost else (1, 3, 5)
    h = conv(skip, state, f"{prefix}.{down}", 2, 1)
    if f"{prefix}.{inner}.model.1.weight" in state:
        if not outermost:
            h = norm(h, state, f"{prefix}.2", kind, training)
        h = unet(state, h, kind, training, f"{prefix}.{inner}.model")
    else:
        up = 3
    h = conv_transpose(relu(h), state, f"{prefix}.{up}")
    if outermost:
        return np.tanh(h)
    h = norm(h, state, f"{prefix}.{up + 1}", kind, training)
    return np.concatenate([skip, h], 1)


def resnet(state, x, kind, training, blocks, dropout=False):
    def normed(h, name):
        prefix, _, place = name.rpartition(".")
        after = f"{prefix}.{int(place) + 1}"
        return norm(h, state, after, kind, training)

    x = conv(padded(x, 3, "reflect"), state, "model.1")
    x = relu(normed(x, "model.1"))
    for name in ("model.4", "model.7"):
        x = relu(normed(conv(x, state, name, 2, 1), name))
    for i in range(10, 10 + blocks):
        h = x
        for place in (1, 6 if dropout else 5):
            name = f"model.{i}.conv_block.{place}"
            h = normed(conv(padded(h, 1, "reflect"), state, name), name)
            h = relu(h) if place == 1 else h
        x = x + h
    for i in (10 + blocks, 13 + blocks):
        x = relu(normed(conv_transpose(x, state, f"model.{i}", 1), f"model.{i}"))
    return np.tanh(conv(padded(x, 3, "reflect"), state, f"model.{blocks + 17}"))


def patches(state, x, kind, training, n_layers):
    x = relu(conv(x, state, "model.0", 2, 1), 0.2)
    for i in range(1, n_layers + 1):
        place = 3 * i - 1
        stride = 2 if i < n_layers else 1
        x = conv(x, state, f"model.{place}", stride, 1)
        x = norm(x, state, f"model.{place + 1}", kind, training)
        x = relu(x, 0.2)
    return conv(x, state, f"model.{3 * n_layers + 2}", 1, 1)


def pixels(state, x, kind, training):
    x = conv(relu(conv(x, state, "net.0"), 0.2), state, "net.2")
    x = relu(norm(x, state, "net.3", kind, training), 0.2)
    return conv(x, state, "net.5")


# --- Names and shapes ---


class Shapes(dict):
    """The shapes of a network whose norms are all of one kind."""

    def __init__(self, kind):
        self.kind = kind

    def conv(self, name, outputs, inputs, size, normed=True, bias=None):
        """A convolution and, in the next place, its norm."""
        self[f"{name}.weight"] = (outputs, inputs, size, size)
        self.after(name, outputs, normed, bias)

    def transposed(self, name, inputs, outputs, size, normed=True, bias=None):
        self[f"{name}.weight"] = (inputs, outputs, size, size)
        self.after(name, outputs, normed, bias)

    def after(self, name, channels, normed, bias):
        if bias or (bias is None and self.kind == "instance"):
            self[f"{name}.bias"] = (channels,)
        if normed and self.kind == "batch":
            prefix, _, place = name.rpartition(".")
            for leaf in ("weight", "bias", "running_mean", "running_var"):
                self[f"{prefix}.{int(place) + 1}.{leaf}"] = (channels,)


def unet_shapes(kind, inputs, outputs, depth, width):
    shapes, widths = Shapes(kind), [width * min(2**i, 8) for i in range(depth)]
    shapes.conv("model.model.0", width, inputs, 4, normed=False)
    for i in range(1, depth):
        prefix = "model.model.1.model" + ".3.model" * (i - 1)
        outer, inner = widths[i - 1 : i + 1]
        last = i == depth - 1
        shapes.conv(f"{prefix}.1", inner, outer, 4, normed=not last)
        up, joined = (3, inner) if last else (5, 2 * inner)
        shapes.transposed(f"{prefix}.{up}", joined, outer, 4)
    shapes.transposed("model.model.3", 2 * width, outputs, 4, normed=False, bias=True)
    return shapes


def resnet_shapes(kind, inputs, outputs, blocks, width, dropout=False):
    shapes, wide = Shapes(kind), 4 * width
    shapes.conv("model.1", width, inputs, 7)
    shapes.conv("model.4", 2 * width, width, 3)
    shapes.conv("model.7", wide, 2 * width, 3)
    for i in range(10, 10 + blocks):
        for place in (1, 6 if dropout else 5):
            shapes.conv(f"model.{i}.conv_block.{place}", wide, wide, 3)
    shapes.transposed(f"model.{10 + blocks}", wide, 2 * width, 3)
    shapes.transposed(f"model.{13 + blocks}", 2 * width, width, 3)
    last = f"model.{17 + blocks}"
    shapes.conv(last, outputs, width, 7, normed=False, bias=True)
    return shapes


def patch_shapes(kind, inputs, n_layers, width):
    shapes = Shapes(kind)
    widths = [width * min(2**i, 8) for i in range(n_layers + 1)]
    shapes.conv("model.0", width, inputs, 4, normed=False, bias=True)
    for i in range(1, n_layers + 1):
        shapes.conv(f"model.{3 * i - 1}", widths[i], widths[i - 1], 4)
    last = f"model.{3 * n_layers + 2}"
    shapes.conv(last, 1, widths[-1], 4, normed=False, bias=True)
    return shapes


def pixel_shapes(kind, inputs, width):
    shapes = Shapes(kind)
    shapes.conv("net.0", width, inputs, 1, normed=False, bias=True)
    shapes.conv("net.2", 2 * width, width, 1)
    shapes.conv("net.5", 1, 2 * width, 1, normed=False)
    return shapes
