"""Directions in which samples change, found without labels."""

from collections.abc import Sequence
import dataclasses
import io
from typing import Self

import keras
from keras import ops
import numpy as np

from keras_gans.core.gan import BaseGAN
from keras_gans.engine.keras_internals import graph_of, nodes_of, place_of
from keras_gans.inference.latent.space import LatentSpace, check_finite, in_batches
from keras_gans.layers import ModulatedConv2D
from keras_gans.utils import files
from keras_gans.utils.types import Path
from keras_gans.utils.validation import check_seed, check_size, is_int, one_of

METHODS = ("sefa", "pca")
PCA_SAMPLES = 10000
FEATURES = 2**25  # numbers of first features that are held at a time


@dataclasses.dataclass(frozen=True)
class Directions:
    """Directions of a latent space, the strongest first.

    Attributes:
        vectors: float32 array `[k, d]`, each of length 1.
        values: float32 array `[k]`, eigenvalues of "sefa", deviations of components
            of "pca".
        deviations: float32 array `[k]`, of codes along the vectors: edits by a few
            of them stay among codes that the generator knows.
        space: "w" or "z".
        method: "sefa" or "pca".
        layers: list of ints, the codes w that edits change; empty for z.
    """

    vectors: np.ndarray
    values: np.ndarray
    deviations: np.ndarray
    space: str
    method: str
    layers: list

    def save(self, path: Path, overwrite: bool = False) -> None:
        """Writes a .npz file, which `load` reads.

        Raises:
            ValueError: `path` exists.
        """
        files.check_free(path, overwrite)
        stream = io.BytesIO()
        np.savez(stream, **dataclasses.asdict(self))
        files.write_bytes(path, stream.getvalue())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            ValueError: the file is no such file.
        """
        arrays = read_npz(path, [field.name for field in dataclasses.fields(cls)])
        texts = {name: str(arrays[name]) for name in ("space", "method")}
        layers = arrays["layers"].astype(int).tolist()
        return cls(**{**arrays, **texts, "layers": layers})


def read_npz(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """The arrays of a .npz file, of which no code runs.

    Raises:
        ValueError: it is no such file, or holds others than `names`.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in names}
    except (OSError, ValueError, KeyError, EOFError, TypeError) as error:
        raise ValueError(
            f"A .npz file with {', '.join(names)} is read. Received: {path} ({error})."
        ) from error


def directions(
    gan: BaseGAN,
    method: str = "sefa",
    number: int = 5,
    *,
    layers: Sequence[int] | None = None,
    samples: int = PCA_SAMPLES,
    seed: int = 0,
    **given,
) -> Directions:
    """The directions of w, or of z without w, along which samples change most.

    "sefa" takes them from the weights that read the code: the styles of the
    chosen layers, or the first layer of z. "pca" takes the principal components
    of w, or those of the first features brought back to z by least squares.

    Args:
        gan: `BaseGAN` that samples from latent codes.
        method: "sefa" or "pca".
        number: int, how many.
        layers: list of ints, codes w whose styles "sefa" takes, and which edits
            change; all by default.
        samples: int, codes of which "pca" is computed.
        seed: int in [0, 2**31), of these.
        **given: as of `gan.sample`, one for all, of these: `labels`.

    Returns:
        `Directions`.

    Raises:
        ValueError: an argument is out of range, or the first layer is not linear
            in z.

    Example:

    ```python
    gan = keras_gans.DCGAN(image_shape=(16, 16, 1), width=8)
    directions = keras_gans.latent.directions(gan, number=3)
    directions.vectors.shape  # (3, 100)
    ```

    Reference:
        "sefa": https://arxiv.org/abs/2007.06600, equation 7; "pca":
        https://arxiv.org/abs/2004.02546, section 2
    """
    one_of("method", method, METHODS)
    space = LatentSpace(gan)
    check_size("number", number)
    check_size("samples", samples)
    most = space.synthesis.input.shape[2] if space.has_w else space.dim
    if number > most:
        raise ValueError(
            f"`number` lies in [1, {most}], the numbers of a code. Received: "
            f"number={number}."
        )
    layers = space.check_layers(layers)
    check_seed(seed)
    codes = _codes(space, samples, seed, given)
    if method == "sefa":
        weights = style_weights(space, layers) if space.has_w else first_weights(space)
        values, vectors = closed_form(weights)
    elif space.has_w:
        _, values, vectors = principal_components(codes)
    else:
        values, vectors = _components(space, codes)
    vectors = vectors[:number]
    return Directions(
        np.float32(vectors),
        np.float32(values[:number]),
        np.float32(np.std(codes @ vectors.T, axis=0)),
        space.default,
        method,
        layers,
    )


def closed_form(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """SeFa: eigenvectors of A A^T, of columns of A of length 1.

    Args:
        weights: array A `[d, outputs]` that a code is multiplied by: code @ A.

    Returns:
        `(values, vectors)`: float64 `[d]`, falling, and `[d, d]`, a row each.

    Reference:
        https://arxiv.org/abs/2007.06600, equation 7
    """
    a = np.asarray(weights, "float64")
    length = np.linalg.norm(a, axis=0)
    a = a / np.where(length > 0, length, 1.0)
    values, vectors = np.linalg.eigh(a @ a.T)
    return values[::-1], vectors.T[::-1]


def principal_components(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The mean of rows `[n, d]`, deviations along components, and components.

    Returns:
        `(mean, deviations, components)`: `[d]`, `[k]`, falling, and `[k, d]`.
    """
    rows = np.asarray(rows, "float64")
    mean = rows.mean(axis=0)
    _, singular, components = np.linalg.svd(rows - mean, full_matrices=False)
    return mean, singular / np.sqrt(max(1, len(rows) - 1)), components


def style_weights(space: LatentSpace, layers: Sequence[int]) -> np.ndarray:
    """What the codes w of some layers are multiplied by: `[w_dim, outputs]`.

    Layers that make images count where no other layer reads the code.
    """
    graph = graph_of(space.synthesis)
    nodes, (ws,) = list(nodes_of(graph)), graph.inputs
    readers = {i: [] for i in range(space.layers)}
    for taken in nodes:
        if any(x is ws for x in taken.input_tensors):
            place = place_of(taken)
            for node in nodes if place is not None else ():
                if any(x is taken.output_tensors[0] for x in node.input_tensors):
                    readers[place % space.layers].append(node)

    def makes_images(reader):
        takers = [
            node.operation
            for node in nodes
            if any(x is reader.output_tensors[0] for x in node.input_tensors)
        ]
        return any(isinstance(t, ModulatedConv2D) and not t.demodulate for t in takers)

    kernels = []
    for i in layers:
        layer_readers = [r for r in readers[i] if not makes_images(r)] or readers[i]
        kernels += [ops.convert_to_numpy(r.operation.kernel) for r in layer_readers]
    return np.concatenate(kernels, axis=1)


def first_weights(space: LatentSpace) -> np.ndarray:
    """What z is multiplied by in the first layer with weights: `[dim, outputs]`.

    Raises:
        ValueError: there is no such layer, or it is not linear in z.
    """
    first, values = _first(space, 1)
    codes = np.concatenate([np.zeros((1, space.dim)), np.eye(space.dim)])
    outputs = first(np.float32(codes), values)
    double = first(np.float32(2 * codes[1:2]), values)[0] - outputs[0]
    bound = 1e-3 * np.abs(outputs[1] - outputs[0]).max()
    if np.abs(double - 2 * (outputs[1] - outputs[0])).max() > bound:
        raise ValueError(
            "SeFa needs a first layer that is linear in z. Received: "
            f"{type(space.gan).__name__}'s generator, whose is not. Take "
            "method='pca'."
        )
    return outputs[1:] - outputs[0]


def _first(space, seed):
    """A function of z that gives the first layer's outputs `[n, outputs]`."""
    graph = graph_of(space.network)
    place = [i is space.latent for i in space.gan.inputs].index(True)
    seen = {id(graph.inputs[place])} if graph is not None else set()
    output = None
    for node in nodes_of(graph) if seen else ():
        if not any(id(x) in seen for x in node.input_tensors):
            continue
        seen.update(id(x) for x in node.output_tensors)
        if getattr(node.operation, "weights", ()):
            output = node.output_tensors[0]
            break
    if output is None:
        raise ValueError(
            f"{type(space.gan).__name__}'s generator has no first layer that could "
            "be found: it is no Functional or Sequential model of layers. Received: "
            f"{type(space.network).__name__}."
        )
    network = keras.Model(graph.inputs, output)
    values = space.values([seed])

    def first(codes, values):
        rows = [
            codes if i is space.latent else np.repeat(values[i.name], len(codes), 0)
            for i in space.gan.inputs
        ]
        outputs = in_batches(
            lambda x: network.predict_on_batch(x if len(x) > 1 else x[0]), rows
        )
        return outputs.reshape(len(outputs), -1).astype("float64")

    return first, values


def _components(space, codes):
    """Principal components of the first features, brought back to z."""
    first, values = _first(space, 0)
    width = first(codes[:1], values).shape[1]
    codes = codes[: max(space.dim + 1, FEATURES // width)]
    features = first(codes, values)
    mean, deviations, components = principal_components(features)
    count = min(space.dim, len(components))
    along = (features - mean) @ components[:count].T
    # codes = along @ back, by least squares: what a component is in z.
    back, *_ = np.linalg.lstsq(along, codes - codes.mean(axis=0), rcond=None)
    length = np.linalg.norm(back, axis=1, keepdims=True)
    return deviations[:count], back / np.where(length > 0, length, 1.0)


def _codes(space, n, seed, given):
    """Codes w, or z without w: `[n, d]`."""
    if space.latent.bounds is not None:
        numbers = np.random.RandomState(seed)
        z = np.float32(numbers.uniform(*space.latent.bounds, (n, space.dim)))
    else:
        z = space.numpy_codes(n, seed)
    if not space.has_w:
        return z
    rows = space.values([0], **given)
    rows = {name: np.repeat(x, n, axis=0) for name, x in rows.items()}
    if "labels" not in given and "label" in rows:
        rows["label"] = np.arange(n) % (space.gan.class_input.high + 1)
    return space.mapped({**rows, "z": z})


def edit(
    codes: np.ndarray,
    vector: np.ndarray,
    amounts: Sequence[float],
    layers: Sequence[int] | None = None,
) -> np.ndarray:
    """Codes moved along a direction.

    Args:
        codes: array `[n, d]` of z, or `[n, layers, d]` of w.
        vector: array `[d]`.
        amounts: list of floats, by how much.
        layers: list of ints, which codes w are moved; all by default.

    Returns:
        float32 array `[n, amounts, ...]`.

    Raises:
        ValueError: a shape does not fit, a number is not finite, or there is no
            such layer.

    Example:

    ```python
    keras_gans.latent.edit(np.zeros((2, 6, 4)), np.ones(4), [-1, 0, 1]).shape
    # (2, 3, 6, 4)
    ```
    """
    codes = np.asarray(codes, "float32")
    vector, moved = np.asarray(vector, "float32"), np.asarray(amounts, "float32")
    if codes.ndim not in (2, 3):
        raise ValueError(
            "`codes` are z [n, d], or w [n, layers, d]. Received: shape "
            f"{codes.shape}. `codes[None]` makes a batch of one."
        )
    if vector.shape != codes.shape[-1:]:
        raise ValueError(
            f"`vector` has the length of a code, ({codes.shape[-1]},). Received: "
            f"shape {vector.shape}. Take one of `directions(gan).vectors`."
        )
    if moved.ndim != 1:
        raise ValueError(
            "`amounts` is a list of floats, such as [-1, 0, 1]. Received: "
            f"amounts={amounts!r}."
        )
    for name, numbers in (("codes", codes), ("vector", vector), ("amounts", moved)):
        check_finite(f"`{name}`", numbers)
    moved = moved.reshape(1, -1, *[1] * (codes.ndim - 1)) * vector
    if layers is not None and (codes.ndim == 3 or len(layers)):
        count = codes.shape[1] if codes.ndim == 3 else 0
        if any(not is_int(i) or not 0 <= i < count for i in layers):
            among = f"ints in [0, {count})" if count else "of codes w [n, layers, d]"
            raise ValueError(
                f"`layers` are {among}. Received: layers={list(layers)} with codes of "
                f"shape {codes.shape}. Leave out those that there are not."
            )
        taken = np.isin(np.arange(count), layers)
        moved = moved * taken[:, None].astype("float32")
    return codes[:, None] + moved
