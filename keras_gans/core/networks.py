"""Whether a GAN's networks fit each other and what they take and make."""

from typing import NamedTuple, NoReturn

import keras

from keras_gans.core.inputs import Input, Latent
from keras_gans.engine.keras_internals import flatten_layers, graph_of, nodes_of
from keras_gans.layers import Truncation
from keras_gans.modalities import Image, Modality, Points
from keras_gans.utils.networks import build, check_network, input_shape_of
from keras_gans.utils.validation import agree, check_size, packed


class StyleParts(NamedTuple):
    """The parts of a generator with intermediate codes w (StyleGAN).

    Attributes:
        mapping: `keras.Model` from z, and perhaps a class, to w.
        truncation: `layers.Truncation` from `[w, psi]` to a w for each layer.
        synthesis: `keras.Model` from those to samples.
    """

    mapping: keras.Model
    truncation: Truncation
    synthesis: keras.Model


def style_parts(generator: keras.Model) -> StyleParts | None:
    """The parts of a generator that has intermediate codes w, else `None`."""
    parts = {layer.name: layer for layer in getattr(generator, "layers", ())}
    cut = [part for part in parts.values() if isinstance(part, Truncation)]
    if not cut or not {"mapping", "synthesis"} <= set(parts):
        return None
    return StyleParts(parts["mapping"], cut[0], parts["synthesis"])


def latent_of(generator: keras.Model, latent_dim: int | None = None) -> Latent:
    """The latent code that a generator takes first.

    Args:
        generator: `keras.Model`.
        latent_dim: int, needed where the model does not tell.

    Raises:
        ValueError: it takes none, or another.
    """
    check_network("generator", generator)
    shape = input_shape_of(generator)
    if shape is None:
        if latent_dim is None:
            raise ValueError(
                "A subclassed generator, or one that is not built, does not tell "
                "what it takes: pass `latent_dim` with it. Received: "
                f"{generator.name} (of type {type(generator).__name__})."
            )
        return Latent(latent_dim)
    first = shape[0] if isinstance(shape, list) else shape
    if not isinstance(first, tuple) or len(first) != 2:
        raise ValueError(
            "The generator takes a latent code z of shape (None, latent_dim) "
            f"first. Received: {generator.name} with input shape {shape}. For "
            "other inputs pass `inputs`."
        )
    if latent_dim not in (None, first[1]):
        raise ValueError(
            "`latent_dim` does not fit the generator. Received: latent_dim="
            f"{latent_dim}, a generator with {first[1]}. Drop `latent_dim`: it "
            "follows from the generator."
        )
    return Latent(first[1])


def modality_of(image_shape: tuple[int, ...] | None) -> Modality | None:
    """Images of a shape, or points (vectors); `None` where it is `None`."""
    if image_shape is None:
        return None
    if isinstance(image_shape, (tuple, list)) and len(image_shape) == 1:
        return Points(check_size("image_shape[0]", image_shape[0]))
    return Image(image_shape)


def made_by(generator: keras.Model, inputs: tuple[Input, ...]) -> tuple:
    """The shape of a sample that a generator makes of `inputs`.

    Raises:
        ValueError: it takes something else.
    """
    specs = [keras.KerasTensor((1, *i.shape), i.dtype) for i in inputs]
    build("generator", generator, specs)
    shape = input_shape_of(generator)
    if shape is not None:
        shapes = [shape] if isinstance(shape, tuple) else list(shape)
        wanted = [(None, *i.shape) for i in inputs]
        if len(shapes) != len(wanted) or not all(
            agree(tuple(s), w) for s, w in zip(shapes, wanted, strict=True)
        ):
            names = ", ".join(i.name for i in inputs)
            raise ValueError(
                f"The generator takes [{names}] of shapes "
                f"{', '.join(map(str, wanted))}. Received: {generator.name} "
                f"with input shape {shape}."
            )
    sample = generator.compute_output_spec(specs if len(specs) > 1 else specs[0])
    return tuple(sample.shape)[1:]


def check_modality(modality: Modality | None, shape: tuple) -> Modality:
    """Returns the modality of what a generator makes, given or found.

    Args:
        modality: `Modality` or `None`.
        shape: tuple, the shape of a sample that the generator makes.

    Raises:
        ValueError: it is another, or cannot be told from the shape.
    """
    if modality is None:
        if len(shape) not in (1, 3):
            raise ValueError(
                "What are the samples? Pass `modality`, e.g. "
                "keras_gans.Volume(32). Received: a generator of samples of "
                f"shape {shape}."
            )
        return modality_of(shape)
    if not agree(modality.shape, shape):
        plain = isinstance(modality, (Image, Points))
        name = "image_shape" if plain else "modality"
        argument = modality.shape if plain else modality
        raise ValueError(
            f"`{name}` does not fit the generator. Received: {name}={argument}, a "
            f"generator with {shape}. Drop `{name}`: it follows from the "
            "generator."
        )
    return modality


def check_sees(discriminator: keras.Model, shape: tuple, packing: int = 1) -> None:
    """Checks that a discriminator takes samples of a shape, first or alone.

    Raises:
        ValueError: it does not.
    """
    wanted = input_shape_of(discriminator)
    if isinstance(wanted, list):
        wanted = wanted[0]
    seen = packed(shape, packing)
    if wanted is not None and not agree(tuple(wanted)[1:], seen):
        packs = f" (packing={packing})" if packing > 1 else ""
        raise ValueError(
            "The generator's samples do not fit the discriminator. Received: "
            f"samples of shape {seen}{packs}, a discriminator of "
            f"{tuple(wanted)[1:]}. Build both for one shape."
        )


def check_layout(name: str, network: keras.Model) -> None:
    """Refuses a network of images that have their channels first.

    Raises:
        ValueError: a layer takes them so; the message names it.
    """
    for layer in flatten_layers(network):
        if getattr(layer, "data_format", None) == "channels_first":
            raise ValueError(
                f"`{name}` takes samples [n, ..., channels]. Received: "
                f"{network.name}, whose layer {layer.name!r} has data_format="
                "'channels_first'. Build it with 'channels_last', which "
                "`keras.config.set_image_data_format` sets for all layers."
            )


def check_precision(name: str, network: keras.Model) -> None:
    """Refuses to train weights that are not held in float32.

    Raises:
        ValueError: a network holds others, or Keras's `floatx` is another.
    """
    dtypes = {v.dtype for v in network.trainable_variables}
    dtypes = sorted((dtypes | {keras.config.floatx()}) - {"float32"})
    if not dtypes:
        return
    mixed = [f" or 'mixed_{f}'" for f in dtypes if f in ("float16", "bfloat16")]
    raise ValueError(
        "Weights are trained in float32: lower precision loses their updates, and "
        f"losses have no higher one. Received: `{name}` with weights or floatx of "
        f"{', '.join(dtypes)}. Build it under the policy 'float32'{''.join(mixed)}, by "
        "`keras.config.set_dtype_policy(policy)` (--dtype_policy), with a floatx of "
        "'float32' (`keras.config.set_floatx('float32')`)."
    )


def freeze_first(name: str, discriminator: keras.Model, n: int) -> None:
    """Freezes the layers of a discriminator that samples meet first.

    A layer is one with a kernel; the norms and biases after it are part of it.

    Args:
        name: str, of messages.
        discriminator: `keras.Model`, a graph of layers that takes samples first.
        n: int, how many layers.

    Raises:
        ValueError: it is no graph, or has no more layers than those.

    Reference:
        https://arxiv.org/abs/2002.10964
    """
    graph = graph_of(discriminator)
    if graph is None:
        raise ValueError(
            f"`freeze_d` counts the layers of a graph. Received: `{name}`, a "
            f"{type(discriminator).__name__}. Set `trainable = False` of its layers "
            "yourself, before `compile`."
        )
    of_samples = {id(graph.inputs[0])}
    layers = {}
    for node in nodes_of(graph):  # labels have layers of their own, left alone
        if any(id(x) in of_samples for x in node.input_tensors):
            of_samples.update(map(id, node.outputs))
            if isinstance(node.operation, keras.Layer):
                layers[id(node.operation)] = node.operation
    frozen, count = [], 0
    for layer in layers.values():
        count += any(len(v.shape) > 1 for v in layer.weights)
        if count <= n:
            frozen.append(layer)
    if count <= n:
        raise ValueError(
            f"`freeze_d` leaves a layer to train. Received: freeze_d={n}, and "
            f"`{name}` has {count} layers from its samples on. Freeze fewer."
        )
    for layer in frozen:
        layer.trainable = False


def trained_by(networks: dict[str, keras.Model]) -> dict[str, tuple[int, ...]]:
    """Which variables of each network are trained, to compare by `check_trained`."""
    return {
        name: tuple(id(v) for v in network.trainable_variables)
        for name, network in networks.items()
    }


def check_trained(before: dict[str, tuple], networks: dict[str, keras.Model]) -> None:
    """Refuses to train on after a network or layer was frozen, or set free.

    Optimizers and compiled steps hold what was trained at `compile`.

    Args:
        before: dict, `trained_by` at `compile`.
        networks: dict of name to `keras.Model`.

    Raises:
        ValueError: other variables are trained now.
    """
    now = trained_by(networks)
    if before == now:
        return
    changed = ", ".join(
        f"{name} with {len(now[name])} trained variables, {len(variables)} at `compile`"
        for name, variables in before.items()
        if variables != now[name]
    )
    raise ValueError(
        "What is trained has changed since `compile`: `trainable` of a network or "
        f"layer was set. Received: {changed}. Call `compile` again, before `fit`."
    )


def refuse_frozen(optimizer: str, names: tuple[str, ...]) -> NoReturn:
    """Refuses an optimizer of networks that have no variable to train.

    Args:
        optimizer: str, its name.
        names: names of its networks.

    Raises:
        ValueError: always.
    """
    raise ValueError(
        f"`{optimizer}_optimizer` trains a variable or more. Received: "
        f"{' and '.join(names)} without any, as where `trainable = False` was set of "
        "all layers. Set one free and call `compile` again; a learning rate of 0 "
        "leaves weights as they are."
    )
