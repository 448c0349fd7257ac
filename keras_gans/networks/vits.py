"""VITS's networks: from symbols to waveforms, with alignments that are found."""

import math
from typing import NamedTuple

import keras
from keras import layers, ops

from keras_gans.layers.flows import BINS, ScaleAndShift, ShiftCoupling, SplineCoupling
from keras_gans.layers.relative_attention import RelativeAttention
from keras_gans.layers.weight_norm import WeightNormalization
from keras_gans.networks.building import check_channels_last
from keras_gans.networks.hifigan import (
    SLOPE,
    Configuration,
    check_configuration,
    check_periods,
    convolved,
    period_discriminator,
    strided_conv,
    upsampled,
)
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size

WIDE = ((1, 3, 5),) * 3
DECODER = Configuration(512, (8, 8, 2, 2), (16, 16, 4, 4), "1", (3, 7, 11), WIDE)
EPSILON = 1e-5
LOG_2PI = math.log(2 * math.pi)
TINY = 1e-6  # added to durations before their logarithm
NEVER = -1e9  # the log-likelihood of a path that is not allowed
WINDOW = 4  # of relative attention
POSTERIOR_LAYERS, FLOW_LAYERS, FLOW_KERNEL = 16, 4, 5
SPLINES, SEPARABLE = 4, 3
DURATION_WIDTH = 256
DURATION_DROPOUT = 0.5


class Sizes(NamedTuple):
    """The numbers of VITS's networks, but for the decoder's.

    Attributes:
        symbols: int, how many there are.
        bins: int, frequencies of a spectrogram.
        latent: int, channels of z, even.
        hidden: int, channels inside.
        filters: int, of the text encoder's convolutions.
        heads: int, of attention.
        layers: int, of the text encoder.
        kernel: int, odd, of its convolutions.
        dropout: float, in it.
    """

    symbols: int
    bins: int = 513
    latent: int = 192
    hidden: int = 192
    filters: int = 768
    heads: int = 2
    layers: int = 6
    kernel: int = 3
    dropout: float = 0.1


def text_encoder(s: Sizes, name: str = "text") -> keras.Model:
    """Transformer with relative positions, over symbols.

    Args:
        s: `Sizes`.
        name: str.

    Returns:
        `keras.Model` from int32 `[n, symbols]`, -1 after the end, to `[hidden, mean,
        log_deviation]` of the prior, each `[n, symbols, channels]`.

    Reference:
        https://arxiv.org/abs/2106.06103, section 2.5.3
    """
    ids = keras.Input((None,), dtype="int32", name="ids")
    mask = ops.cast(ids >= 0, "float32")[..., None]
    normal = keras.initializers.RandomNormal(stddev=s.hidden**-0.5)
    embed = layers.Embedding(s.symbols, s.hidden, normal, name="emb")
    x = embed(ops.maximum(ids, 0)) * (s.hidden**0.5) * mask
    for i in range(s.layers):
        attend = RelativeAttention(s.heads, WINDOW, s.dropout, name=f"attn_layers_{i}")
        y = layers.Dropout(s.dropout)(attend([x, mask]))
        x = _norm(x + y, f"norm_layers_1_{i}")
        y = _conv(x * mask, s.filters, s.kernel, f"ffn_layers_{i}_conv_1")
        y = layers.Dropout(s.dropout)(layers.ReLU()(y))
        y = _conv(y * mask, s.hidden, s.kernel, f"ffn_layers_{i}_conv_2") * mask
        x = _norm(x + layers.Dropout(s.dropout)(y), f"norm_layers_2_{i}")
    x = x * mask
    mean, log_deviation = ops.split(_conv(x, 2 * s.latent, 1, "proj") * mask, 2, -1)
    return keras.Model(ids, [x, mean, log_deviation], name=name)


def posterior_encoder(s: Sizes, name: str = "posterior") -> keras.Model:
    """WaveNet over spectrograms.

    Args:
        s: `Sizes`.
        name: str.

    Returns:
        `keras.Model` from `[n, frames, bins]` and a mask `[n, frames, 1]` to `[mean,
        log_deviation]`, each `[n, frames, latent]`.

    Reference:
        https://arxiv.org/abs/2106.06103, section 2.5.1
    """
    spectra = keras.Input((None, s.bins), name="spectrogram")
    mask = keras.Input((None, 1), name="mask")
    x = _conv(spectra, s.hidden, 1, "pre") * mask
    x = _wavenet(x, mask, s.hidden, FLOW_KERNEL, POSTERIOR_LAYERS)
    mean, log_deviation = ops.split(_conv(x, 2 * s.latent, 1, "proj") * mask, 2, -1)
    return keras.Model([spectra, mask], [mean, log_deviation], name=name)


def flow(s: Sizes, couplings: int = 4, name: str = "flow") -> keras.Model:
    """Couplings that make of the posterior's z what the prior is simple for.

    Args:
        s: `Sizes`.
        couplings: int.
        name: str.

    Returns:
        `keras.Model` from `[n, frames, latent]` and a mask to the same shape;
        `inverted` goes back.

    Reference:
        https://arxiv.org/abs/2106.06103, section 2.5.2
    """
    z = keras.Input((None, s.latent), name="z")
    mask = keras.Input((None, 1), name="mask")
    x = z
    for i in range(couplings):
        half = keras.Input((None, s.latent // 2), name="half")
        own_mask = keras.Input((None, 1), name="mask")
        y = _conv(half, s.hidden, 1, "pre") * own_mask
        y = _wavenet(y, own_mask, s.hidden, FLOW_KERNEL, FLOW_LAYERS)
        shift = _conv(y, s.latent // 2, 1, "post", zeros=True) * own_mask
        network = keras.Model([half, own_mask], shift, name=f"shift_{i}")
        x = ShiftCoupling(network, name=f"flows_{2 * i}")([x, mask])
    return keras.Model([z, mask], x, name=name)


def inverted(network: keras.Model, z: Tensor, mask: Tensor) -> Tensor:
    """The z that `flow` makes `z` of."""
    for layer in reversed(network.layers):
        if isinstance(layer, ShiftCoupling):
            z = layer.inverse([z, mask])
    return z


def decoder(
    s: Sizes, configuration: Configuration = DECODER, name: str = "decoder"
) -> keras.Model:
    """HiFi-GAN's generator, of z: the first and the last convolution are plain.

    Args:
        s: `Sizes`.
        configuration: `networks.hifigan.Configuration`.
        name: str.

    Returns:
        `keras.Model` from `[n, frames, latent]` to `[n, frames * hop, 1]`.

    Reference:
        https://arxiv.org/abs/2106.06103, section 2.5.4
    """
    check_channels_last()
    c = check_configuration(configuration)
    z = keras.Input((None, s.latent), name="z")
    x = convolved(z, c.channels, 7, "conv_pre", weight_norm=False)
    x = upsampled(x, c)
    x = convolved(x, 1, 7, "conv_post", weight_norm=False, use_bias=False)
    audio = layers.Activation("tanh", dtype="float32", name="audio")(x)
    return keras.Model(z, audio, name=name)


def plain_durations(s: Sizes, name: str = "durations") -> keras.Model:
    """How long symbols are, one number each.

    Args:
        s: `Sizes`.
        name: str.

    Returns:
        `keras.Model` from `[n, symbols, hidden]` and a mask to logarithms of frames,
        `[n, symbols, 1]`.
    """
    hidden = keras.Input((None, s.hidden), name="hidden")
    mask = keras.Input((None, 1), name="mask")
    x = hidden
    for i in (1, 2):
        x = layers.ReLU()(_conv(x * mask, DURATION_WIDTH, 3, f"conv_{i}"))
        x = layers.Dropout(DURATION_DROPOUT)(_norm(x, f"norm_{i}"))
    x = _conv(x * mask, 1, 1, "proj") * mask
    return keras.Model([hidden, mask], x, name=name)


def stochastic_durations(s: Sizes, name: str = "durations") -> keras.Model:
    """How long symbols are, as a flow of noise.

    Args:
        s: `Sizes`.
        name: str.

    Returns:
        `keras.Model` from `[n, symbols, hidden]`, a mask, frames `[n, symbols, 1]` and
        noise `[n, symbols, 2]` to a bound on the negative log-likelihood of frames,
        `[n]`. `drawn_durations` goes back.

    Reference:
        https://arxiv.org/abs/2106.06103, section 2.2.2 and appendix A
    """
    hidden = keras.Input((None, s.hidden), name="hidden")
    mask = keras.Input((None, 1), name="mask")
    frames = keras.Input((None, 1), name="frames")
    noise = keras.Input((None, 2), name="noise")
    condition = _condition(s, s.hidden, DURATION_DROPOUT, "condition")([hidden, mask])
    seen = _condition(s, 1, DURATION_DROPOUT, "post")([frames, mask])
    # Of the noise, the part of a frame that is cut off, and a second number.
    x, volume = _splines(s, noise * mask, mask, condition + seen, "post_flows")
    cut, second = ops.split(x, 2, axis=-1)
    whole = (frames - ops.sigmoid(cut) * mask) * mask
    folded = ops.log_sigmoid(cut) + ops.log_sigmoid(-cut)
    volume = volume + ops.sum(folded * mask, axis=(1, 2))
    own = -_gaussian(noise * mask, mask) - volume
    logarithm = ops.log(ops.maximum(whole, 1e-5)) * mask
    x = ops.concatenate([logarithm, second], axis=-1)
    x, volume = _splines(s, x, mask, condition, "flows")
    volume = volume - ops.sum(logarithm, axis=(1, 2))
    bound = _gaussian(x, mask) - volume + own
    return keras.Model([hidden, mask, frames, noise], bound, name=name)


def drawn_durations(
    network: keras.Model, hidden: Tensor, mask: Tensor, noise: Tensor
) -> Tensor:
    """Logarithms of frames `[n, symbols, 1]`, of `stochastic_durations` and noise."""
    condition = network.get_layer("condition")([hidden, mask], training=False)
    x = noise
    # The reference leaves out the spline that comes first in training.
    for i in reversed(range(2, SPLINES + 1)):
        x = network.get_layer(f"flows_{2 * i - 1}").inverse([x, mask, condition])
    x = ops.flip(x, axis=-1)
    return network.get_layer("flows_0").inverse([x, mask])[..., :1]


def _gaussian(x, mask):
    """Minus the log-density of N(0, 1), summed over a row."""
    return ops.sum(0.5 * (LOG_2PI + ops.square(x)) * mask, axis=(1, 2))


def _splines(s, x, mask, condition, stem):
    x, volume = ScaleAndShift(name=f"{stem}_0")([x, mask])
    for i in range(1, SPLINES + 1):
        half = keras.Input((None, 1), name="half")
        own_mask = keras.Input((None, 1), name="mask")
        own = keras.Input((None, s.hidden), name="condition")
        y = _conv(half, s.hidden, 1, "pre") + own
        y = _separable(y, own_mask, s.hidden, 0.0)
        y = _conv(y, 3 * BINS - 1, 1, "proj", zeros=True) * own_mask
        network = keras.Model([half, own_mask, own], y, name=f"spline_{i}")
        layer = SplineCoupling(network, s.hidden, name=f"{stem}_{2 * i - 1}")
        x, more = layer([x, mask, condition])
        volume = volume + more
    return x, volume


def _condition(s, channels, dropout, name):
    x = keras.Input((None, channels), name="x")
    mask = keras.Input((None, 1), name="mask")
    y = _conv(x, s.hidden, 1, "pre")
    y = _separable(y, mask, s.hidden, dropout)
    y = _conv(y, s.hidden, 1, "proj") * mask
    return keras.Model([x, mask], y, name=name)


def _separable(x, mask, width, dropout):
    """Residual depthwise convolutions, each three times as wide as the last."""
    for i in range(SEPARABLE):
        y = layers.DepthwiseConv1D(
            3, padding="same", dilation_rate=3**i, name=f"convs_sep_{i}", **_uniform(3)
        )(x * mask)
        y = layers.Activation("gelu")(_norm(y, f"norms_1_{i}"))
        y = _conv(y, width, 1, f"convs_1x1_{i}")
        y = layers.Activation("gelu")(_norm(y, f"norms_2_{i}"))
        x = x + (layers.Dropout(dropout)(y) if dropout else y)
    return x * mask


def _wavenet(x, mask, width, kernel, count):
    """Gated residual convolutions; the sum of what each puts by."""
    total = 0.0
    for i in range(count):
        y = convolved(x, 2 * width, kernel, f"in_layers_{i}")
        first, second = ops.split(y, 2, axis=-1)
        y = ops.tanh(first) * ops.sigmoid(second)
        if i < count - 1:
            y = convolved(y, 2 * width, 1, f"res_skip_layers_{i}")
            kept, put_by = ops.split(y, 2, axis=-1)
            x = (x + kept) * mask
        else:
            put_by = convolved(y, width, 1, f"res_skip_layers_{i}")
        total = put_by if i == 0 else total + put_by
    return total * mask


def _conv(x, filters, kernel, name, zeros=False):
    if zeros:  # couplings are the identity at first
        return layers.Conv1D(filters, kernel, kernel_initializer="zeros", name=name)(x)
    return convolved(x, filters, kernel, name, weight_norm=False)


def _uniform(fan_in):
    bound = fan_in**-0.5
    init = keras.initializers.RandomUniform(-bound, bound)
    return {"depthwise_initializer": init, "bias_initializer": init}


def _norm(x, name):
    return layers.LayerNormalization(epsilon=EPSILON, name=name)(x)


def best_path(likelihood: Tensor, symbols: Tensor, frames: Tensor) -> Tensor:
    """The monotonic alignment of frames to symbols that is likeliest.

    It begins at the first symbol and ends at the last; each frame stays at its
    symbol or goes to the next. There is no gradient.

    Args:
        likelihood: float `[n, frames, symbols]`, of each frame at each symbol.
        symbols: int `[n]`, how many there are.
        frames: int `[n]`, how many there are, as many as symbols or more.

    Returns:
        float32 `[n, frames, symbols]` of 0 and 1.

    Reference:
        https://arxiv.org/abs/2005.11129, algorithm 1
    """
    likelihood = ops.stop_gradient(ops.cast(likelihood, "float32"))
    n, time, count = (ops.shape(likelihood)[i] for i in range(3))
    steps = ops.arange(time)
    place = ops.arange(count)[None]

    def forward(best, step):
        t, score = step
        first = ops.where(t == 0, 0.0, NEVER) * ops.ones((n, 1))
        moved = ops.concatenate([first, best[:, :-1]], axis=1)
        # Symbol t is reached at frame t, at the earliest.
        stayed = ops.where(place >= t, NEVER, best)
        new = score + ops.maximum(moved, stayed)
        new = ops.where(place > t, NEVER, new)
        return new, ops.cast(ops.logical_or(place == t, stayed < moved), "float32")

    start = NEVER * ops.ones((n, count))
    scores = ops.transpose(likelihood, (1, 0, 2))
    _, moves = ops.scan(forward, start, (steps, scores))
    symbols, frames = ops.cast(symbols, "int32"), ops.cast(frames, "int32")

    def backward(here, step):
        t, moved = step
        live = ops.cast(t < frames, "float32")[:, None]
        back = live * ops.sum(
            moved * here * ops.cast(place > 0, "float32"), axis=1, keepdims=True
        )
        before = ops.concatenate([here[:, 1:], ops.zeros((n, 1))], axis=1)
        return (1.0 - back) * here + back * before, here * live

    # The place is one-hot: Keras's scan collects what is like its state alone.
    last = ops.cast(place == symbols[:, None] - 1, "float32")
    _, path = ops.scan(backward, last, (steps, moves), reverse=True)
    return ops.transpose(path, (1, 0, 2))


def log_likelihood(z: Tensor, mean: Tensor, log_deviation: Tensor) -> Tensor:
    """Of each frame of z under each symbol's Gaussian: `[n, frames, symbols]`."""
    precision = ops.exp(-2.0 * log_deviation)
    own = -0.5 * LOG_2PI - log_deviation
    own = own - 0.5 * ops.square(mean) * precision
    shared = ops.sum(own, axis=-1)[:, None]
    square = ops.matmul(-0.5 * ops.square(z), ops.transpose(precision, (0, 2, 1)))
    return shared + square + ops.matmul(z, ops.transpose(mean * precision, (0, 2, 1)))


def wide_scale_discriminator(
    samples: int, width: int = 16, name: str = "scale_0"
) -> keras.Model:
    """The one discriminator of VITS that sees the waveform itself.

    Args:
        samples: int, the length of a waveform.
        width: int, channels of the first map, a multiple of 4.
        name: str.

    Returns:
        `keras.Model` from `[n, samples, 1]` to a list: logits `[n, time, 1, 1]`, and
        the maps of the six layers before.
    """
    check_size("samples", samples)
    if check_size("width", width) % 4:
        raise ValueError(f"`width` is divisible by 4. Received: width={width}.")
    audio = keras.Input((samples, 1), name="audio")
    x = layers.Reshape((-1, 1, 1))(audio)
    maps = []
    for i, (filters, kernel, stride, groups) in enumerate(
        (
            (width, 15, 1, 1),
            (4 * width, 41, 4, 4),
            (16 * width, 41, 4, width),
            (64 * width, 41, 4, 4 * width),
            (64 * width, 41, 4, 16 * width),
            (64 * width, 5, 1, 1),
        )
    ):
        own = (WeightNormalization, groups)
        x = strided_conv(x, filters, kernel, stride, f"convs_{i}", *own)
        x = layers.LeakyReLU(SLOPE)(x)
        maps.append(x)
    logits = strided_conv(x, 1, 3, 1, "conv_post", WeightNormalization)
    return keras.Model(audio, [logits, *maps], name=name)


def vits_discriminators(
    samples: int, periods: tuple[int, ...] = (2, 3, 5, 7, 11), width: int = 32
) -> dict[str, keras.Model]:
    """VITS's discriminators by name: "scale_0", "period_2", and so on.

    Args:
        samples: int, the length of a segment.
        periods: tuple of int.
        width: int, channels of the first map of periods, a multiple of 8; the scale
            has half as many.

    Raises:
        ValueError: an argument is out of its range.
    """
    check_periods(periods)
    discriminators = [wide_scale_discriminator(samples, width // 2)]
    discriminators += [
        period_discriminator(samples, period, width) for period in periods
    ]
    return {network.name: network for network in discriminators}
