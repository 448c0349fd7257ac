"""VITS's networks, `enc_p.emb.weight` and so on: of one speaker.

From jaywalnut310/vits, models.py. Rates and dilations have no weights: kernels are
twice the rates and dilations the paper's, unless told otherwise.
"""

import re

import numpy as np

from keras_gans.convert import weights
from keras_gans.convert.families import hifigan
from keras_gans.layers.flows import ScaleAndShift, ShiftCoupling, SplineCoupling
from keras_gans.layers.relative_attention import RelativeAttention
from keras_gans.layers.weight_norm import WeightNormalization
from keras_gans.models.vits import PARTS, VITS

# What pretrained_ljs.pth is written in: a blank, punctuation, letters and IPA.
PUNCTUATION = ';:,.!?¡¿—…"«»“” '
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
IPA = (
    "ɑɐɒæɓʙβɔɕçɗɖðʤəɘɚɛɜɝɞɟʄɡɠɢʛɦɧħɥʜɨɪʝɭɬɫɮʟɱɯɰŋɳɲɴøɵɸθœɶʘɹɺɾɻʀʁɽʂʃʈʧʉʊʋⱱʌɣɤʍχʎʏʑʐʒʔʡ"
    "ʕʢǀǁǂǃˈˌːˑʼʴʰʱʲʷˠˤ˞↓↑→↗↘'̩'ᵻ"
)
DECODER = re.compile(r"dec\.(ups\.\d+|resblocks\.\d+\.convs[12]?\.\d+)\.weight(_v)?")


def symbols_of(count: int) -> tuple[str, ...]:
    """The symbols of a file with so many: LJ Speech's, or numbers."""
    symbols = ("_", *PUNCTUATION, *LETTERS, *IPA)
    if count == len(symbols):  # an apostrophe stands in the list twice
        first = symbols.index("'")  # the second is what texts are read with
        return (*symbols[:first], "''", *symbols[first + 1 :])
    return ("_", *map(str, range(1, count)))


def detect(state):
    """Tells the configuration from names and shapes.

    Args:
        state: Dict of the reference's name to numpy array.

    Returns:
        Dict for `build`, or None if the weights are of another family.
    """
    needed = ("enc_p.emb.weight", "enc_q.pre.weight", "dec.conv_pre.weight")
    shapes = {name: np.shape(value) for name, value in state.items()}
    ranks = {len(shapes.get(name, ())) for name in needed[1:]}
    if ranks != {3} or len(shapes.get(needed[0], ())) != 2 or "emb_g.weight" in shapes:
        return None
    rel = shapes.get("enc_p.encoder.attn_layers.0.emb_rel_k", ())
    ffn = shapes.get("enc_p.encoder.ffn_layers.0.conv_1.weight", ())
    decoder = {
        match[1]: shape
        for name, shape in shapes.items()
        if (match := DECODER.fullmatch(name)) and len(shape) == 3
    }
    vocoder = {f"{name}.weight": np.empty(s, "bool") for name, s in decoder.items()}
    vocoder["conv_pre.weight"] = np.empty(shapes["dec.conv_pre.weight"], "bool")
    numbers = hifigan.detect(vocoder)
    if len(rel) != 3 or len(ffn) != 3 or numbers is None:
        return None
    symbols, hidden = shapes["enc_p.emb.weight"]
    layers = {n for n in shapes if re.fullmatch(r"enc_p\.encoder\..*\.emb_rel_k", n)}
    known = {"channels", "rates", "kernels", "block", "block_kernels", "dilations"}
    return {
        "symbols": symbols_of(symbols),
        "n_fft": 2 * (shapes["enc_q.pre.weight"][1] - 1),
        "latent": shapes["dec.conv_pre.weight"][1],
        "hidden": hidden,
        "filters": ffn[0],
        "heads": max(1, hidden // max(1, rel[2])),
        "depth": len(layers),
        "kernel": ffn[2],
        "stochastic": "dp.flows.0.m" in shapes,
        **{name: numbers[name] for name in known},
        "rate": 22050,
        "segment": 8192,
        "d_width": 32,
    }


def build(state, config):
    """Makes the GAN that `config` describes, with the weights of `state`.

    Args:
        state: Dict of the reference's name to numpy array; weight norm may be kept
            or folded.
        config: Dict as `detect` returns it.

    Returns:
        `VITS`; its discriminators are new, see `restore_discriminators`.

    Raises:
        ValueError: If the weights do not fit the configuration.
    """
    gan = VITS(**config)
    restore(gan, state)
    return gan


def restore(gan, state):
    """Gives a VITS the weights of a file's `model`.

    Args:
        gan: `VITS` of the same sizes.
        state: Dict of the reference's name to numpy array.

    Raises:
        ValueError: If the weights do not fit.
    """
    own = entries(gan)
    state = _unfolded(state, {entry.name for entry in own})
    weights.check("VITS", state, {entry.name: entry.shape for entry in own})
    for entry in own:
        entry.variable.assign(np.array(entry.convert(state[entry.name])))


def restore_discriminators(gan, state):
    """Gives a VITS the weights of a `D_....pth` file's `model`.

    Args:
        gan: `VITS` of the same sizes.
        state: Dict of the reference's name to numpy array.

    Raises:
        ValueError: If the weights do not fit.
    """
    own = discriminator_entries(gan.networks, gan.discriminator_names)
    weights.check("discriminators", state, {e.name: e.shape for e in own})
    for entry in own:
        entry.variable.assign(np.array(entry.convert(state[entry.name])))


def discriminator_entries(networks, names):
    """The reference's tensors of discriminators, the scale's first.

    Args:
        networks: Dict of name to `keras.Model`.
        names: List of the names of discriminators in their order.
    """
    return [
        entry
        for i, name in enumerate(names)
        for entry in hifigan.entries(networks[name], f"discriminators.{i}.")
    ]


def _unfolded(state, wanted):
    """Weights whose norms were folded in, as directions and lengths again."""
    unfolded = {}
    for name, value in state.items():
        stem, _, leaf = name.rpartition(".")
        if leaf == "weight" and f"{stem}.weight_g" in wanted and value.ndim == 3:
            norms = np.sqrt(np.square(value).sum(axis=(1, 2), keepdims=True))
            unfolded[f"{stem}.weight_v"], unfolded[f"{stem}.weight_g"] = value, norms
        else:
            unfolded[name] = value
    return unfolded


def entries(gan):
    """The reference's tensors of all networks but discriminators.

    Args:
        gan: `VITS`.

    Returns:
        List of `weights.Entry`.
    """
    text, posterior, flow, decoder, durations = (gan.networks[n] for n in PARTS)
    tensors = _of_text(text)
    tensors += _of_layers(posterior, "enc_q.")
    for layer in flow.layers:
        if isinstance(layer, ShiftCoupling):
            tensors += _of_layers(layer.layer, f"flow.{_dotted(layer.name)}.")
    tensors += hifigan.entries(decoder, "dec.")
    tensors += _of_durations(durations)
    every = [v for name in PARTS for v in gan.networks[name].weights]
    kept = {id(entry.variable) for entry in tensors}
    left = [v.path for v in every if id(v) not in kept and "seed" not in v.path]
    if left:
        raise RuntimeError(f"The name map must have each weight once. Left: {left}.")
    return tensors


def _of_text(model):
    tensors = []
    for layer in model.layers:
        name = layer.name
        if isinstance(layer, RelativeAttention):
            stem = f"enc_p.encoder.{_dotted(name)}"
            for leaf, conv in (
                ("conv_q", layer.query_conv),
                ("conv_k", layer.key_conv),
                ("conv_v", layer.value_conv),
                ("conv_o", layer.output_conv),
            ):
                tensors += _plain(f"{stem}.{leaf}", conv)
            for leaf, variable in (
                ("emb_rel_k", layer.near_keys),
                ("emb_rel_v", layer.near_values),
            ):
                shape = (1, *variable.shape)
                entry = (f"{stem}.{leaf}", variable, shape, lambda x: x[0])
                tensors.append(weights.Entry(*entry))
        elif name == "emb":
            tensors.append(weights.vector("enc_p.emb.weight", layer.embeddings))
        elif name.startswith(("ffn", "norm")):
            tensors += _plain(f"enc_p.encoder.{_dotted(name)}", layer)
        elif name == "proj":
            tensors += _plain("enc_p.proj", layer)
    return tensors


def _of_durations(model):
    tensors = []
    for layer in model.layers:
        if isinstance(layer, ScaleAndShift):
            stem = f"dp.{_dotted(layer.name)}"
            for leaf, variable in (("m", layer.shift), ("logs", layer.log_scale)):
                shape = (*variable.shape, 1)
                tensors.append(
                    weights.Entry(f"{stem}.{leaf}", variable, shape, np.ravel)
                )
        elif isinstance(layer, SplineCoupling):
            tensors += _of_layers(layer.layer, f"dp.{_dotted(layer.name)}.")
        elif layer.name in ("condition", "post"):
            tensors += _of_layers(
                layer, "dp." if layer.name == "condition" else "dp.post_"
            )
        elif layer.weights:
            tensors += _plain(f"dp.{layer.name}", layer)
    return tensors


def _of_layers(model, prefix):
    tensors = []
    for layer in model.layers:
        name = layer.name
        if name.startswith(("in_layers", "res_skip")):
            tensors += _normed(f"{prefix}enc.{_dotted(name)}", layer)
        elif name.startswith(("convs_", "norms_")):
            tensors += _plain(f"{prefix}convs.{_dotted(name)}", layer)
        elif layer.weights:
            tensors += _plain(f"{prefix}{name}", layer)
    return tensors


def _dotted(name):
    """`attn_layers_0` as `attn_layers.0`: the number that ends a name, or stands
    before another word."""
    name = re.sub(r"(layers)_(\d+)_(?=conv)", r"\1.\2.", name)
    return re.sub(r"_(\d+)$", r".\1", name) if "conv_" not in name else name


def _plain(stem, layer):
    if hasattr(layer, "gamma"):
        return [
            weights.vector(f"{stem}.gamma", layer.gamma),
            weights.vector(f"{stem}.beta", layer.beta),
        ]
    kernel = layer.kernel
    if type(layer).__name__ == "DepthwiseConv1D":
        shape = (kernel.shape[1], 1, kernel.shape[0])
        convert = lambda x: np.transpose(x, (2, 0, 1))  # noqa: E731
        entry = weights.Entry(f"{stem}.weight", kernel, shape, convert)
    else:
        entry = weights.conv(f"{stem}.weight", kernel)
    return [entry, weights.vector(f"{stem}.bias", layer.bias)]


def _normed(stem, layer):
    if not isinstance(layer, WeightNormalization):
        return _plain(stem, layer)
    inner = layer.layer
    shape = (layer.g.shape[0], 1, 1)
    return [
        weights.vector(f"{stem}.bias", inner.bias),
        weights.Entry(f"{stem}.weight_g", layer.g, shape, np.ravel),
        weights.conv(f"{stem}.weight_v", inner.kernel),
    ]
