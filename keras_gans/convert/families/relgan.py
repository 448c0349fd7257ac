"""RelGAN's networks in TensorFlow, `relational_memory/lin_qkv/Matrix` and so on.

From weilinie/RelGAN, models/rmc_vanilla.py. Neither the length of sentences nor the
number of heads shows in weights: 20 and 2 unless `length` and `heads` say so.
"""

import numpy as np

from keras_gans.convert import weights
from keras_gans.networks.relgan import relgan_discriminator, relgan_generator

MEMORY = "relational_memory"


def detect(state):
    """Tells the configuration of a RelGAN's network from names and shapes.

    Args:
        state: Dict of the reference's name to numpy array.

    Returns:
        Dict for `build`, or None if the weights are of another family.
    """
    if any(np.ndim(x) != 2 for n, x in state.items() if n in ("g_emb", "d_emb", "Wo")):
        return None
    read = state.get(f"{MEMORY}/input_for_cancat/Matrix")
    if "g_emb" in state and "Wo" in state and np.ndim(read) == 2:
        vocabulary, embedding = state["g_emb"].shape
        size = read.shape[0]
        return {
            "network": "generator",
            "length": 20,
            "vocabulary": vocabulary,
            "embedding_dim": embedding,
            "slots": max(1, state["Wo"].shape[0] // max(1, size)),
            "heads": 2,
            "size": size,
        }
    widths = [k for k in range(1, 32) if np.ndim(state.get(f"conv-{k}/Matrix")) == 4]
    if "d_emb" not in state or not widths:
        return None
    vocabulary, embedding = state["d_emb"].shape
    _, each, _, filters = state[f"conv-{widths[0]}/Matrix"].shape
    return {
        "network": "discriminator",
        "length": 20,
        "vocabulary": vocabulary,
        "embedding_dim": embedding,
        "representations": max(1, embedding // max(1, each)),
        "filters": filters,
        "widths": tuple(widths),
    }


def build(state, config):
    """Makes the network that `config` describes, with the weights of `state`.

    Args:
        state: Dict of the reference's name to numpy array.
        config: Dict as `detect` returns it.

    Returns:
        `keras.Model`: of `relgan_generator` or `relgan_discriminator`.

    Raises:
        ValueError: If the weights do not fit the configuration.
    """
    config = dict(config)
    network = config.pop("network")
    if network == "generator":
        size, heads = config.pop("size"), config["heads"]
        if size % heads:
            raise ValueError(
                f"The memory's {size} numbers are shared out among the heads. "
                f"Received: heads={heads}. Give the number that it was trained with."
            )
        model = relgan_generator(**config, head_size=size // heads)
        entries = list(_of_writer(model.get_layer("writer")))
    elif network == "discriminator":
        model = relgan_discriminator(**config)
        entries = list(_of_discriminator(model, config["widths"]))
    else:
        raise ValueError(
            "`network` must be 'generator' or 'discriminator'. Received: "
            f"network={network!r}."
        )
    weights.assign(model, state, entries)
    return model


def _of_writer(writer):
    memory = writer.memory
    yield weights.vector("g_emb", writer.embeddings)
    yield weights.vector("Wo", writer.kernel)
    yield weights.vector("bo", writer.bias)
    kernels = {
        "input_for_cancat": memory.read,
        "lin_qkv": memory.attend,
        "linear_0": memory.mlp[0],
        "linear_1": memory.mlp[1],
        "gate_in": memory.gate_of_input,
        "gate_mem": memory.gate_of_memory,
    }
    biases = {
        "input_for_cancat": memory.read_bias,
        "linear_0": memory.mlp_biases[0],
        "linear_1": memory.mlp_biases[1],
    }
    for name, kernel in kernels.items():
        yield weights.dense(f"{MEMORY}/{name}/Matrix", kernel)
    for name, bias in biases.items():
        yield weights.vector(f"{MEMORY}/{name}/Bias", bias)
    for i, name in enumerate(("LayerNorm", "LayerNorm_1", "LayerNorm_2")):
        yield weights.vector(f"{MEMORY}/{name}/gamma", memory.gains[i])
        yield weights.vector(f"{MEMORY}/{name}/beta", memory.offsets[i])


def _of_discriminator(model, widths):
    yield weights.vector("d_emb", model.get_layer("embed").kernel)
    for k in widths:
        layer = model.get_layer(f"conv_{k}")
        yield weights.vector(f"conv-{k}/Matrix", layer.kernel)
        yield weights.vector(f"conv-{k}/Bias", layer.bias)
    for name, theirs in (("highway", "lin"), ("highway_gate", "gate")):
        kernel = model.get_layer(name).kernel
        yield weights.dense(f"Highway/highway_{theirs}_0/Matrix", kernel)
    for name in ("fc", "logits"):
        layer = model.get_layer(name)
        yield weights.dense(f"{name}/Matrix", layer.kernel)
        yield weights.vector(f"{name}/Bias", layer.bias)
