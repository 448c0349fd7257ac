"""Snapshots of StyleGAN2, StyleGAN3 and R3GAN: pickles of whole networks.

Such a file names classes and holds their source, which its own loader runs.
Here a network is a tree of attributes: parameters and buffers are taken from it,
of TensorFlow's its variables; all else is left where it is.
"""

import math
import re

import numpy as np

from keras_gans.convert.readers import pickles
from keras_gans.convert.readers.pickles import MAX_DEPTH, MAX_NAME, Machine, refuse
from keras_gans.convert.readers.storages import (
    MAX_SHARED,
    Refused,
    Storage,
    is_shape,
    item_size,
)

# Classes of networks, of which only the name is used.
_CLASSES = re.compile(
    r"(training\.networks|torch\.nn\.modules\.(container|conv|linear)"
    r"|(R3GAN|BaselineGAN)\.(Networks|Resamplers|FusedOperators))\.[A-Za-z0-9_]{1,64}"
)
_ARRAY = "numpy.ndarray"
_DICTS = ("dnnlib.util.EasyDict", "dnnlib.EasyDict")
_TENSORFLOW = "dnnlib.tflib.network.Network"  # with variables of its own
_TRIPLE = ("G", "D", "G_ema")  # what a file of TensorFlow holds
_NUMBERS = {  # of NumPy
    "f8": "float64",
    "f4": "float32",
    "f2": "float16",
    "i8": "int64",
    "i4": "int32",
    "b1": "bool",
}
_PARTS = ("_parameters", "_buffers", "_modules")
RATE = "mapping_lrmul"  # an argument of TensorFlow's networks
_DEVIATION, GROUP = "mbstd", "group_size"  # a layer, and an attribute of it
MAX_TENSORS = 100_000


def load(source, storage_of):
    """Reads the networks of a snapshot.

    Args:
        source: A binary file whose `read(n)` may be asked for any `n`.
        storage_of: Function of the bytes of a storage that returns a `Storage`.

    Returns:
        Dict of each network's name to its state dict: names to numpy arrays;
        and of what else is a number, a string or None.

    Raises:
        Refused: If the pickle needs anything else, or holds no network.
    """
    value = _Snapshot(storage_of).run(source)
    if type(value) is tuple and [*map(type, value)] == [_Network] * len(_TRIPLE):
        value = dict(zip(_TRIPLE, value, strict=True))
    if type(value) is not dict:
        refuse("The pickle is no dict of networks.")
    networks, others, left = {}, [], [MAX_TENSORS]
    for name, part in value.items():
        if type(part) is _Network:
            state = {}
            _collect(part, "", state, left)
            if state:
                networks[name] = state
            else:
                others.append(f"{name}, of the class {part.kind[:200]!r}")
    if not networks:
        others_named = f" It holds {', '.join(others)[:400]}." if others else ""
        raise Refused(
            "It is a pickle that holds no network of a class that is known. Expected "
            "a file of torch.save, safetensors, or a snapshot of StyleGAN2, StyleGAN3 "
            f"or R3GAN.{others_named}"
        )
    rest = {
        name: part
        for name, part in value.items()
        if name not in networks and type(part) in (int, float, str, bool)
    }
    return {**networks, **rest}


class _Network:
    """A network or a layer: what was set on it, whatever its class is.

    Attributes:
        kind: The name of its class, of which nothing but messages depends.
        attributes: Dict, or `None` until they are set.
    """

    def __init__(self, kind, attributes=None):
        self.kind, self.attributes = kind, attributes


class _Kind:
    """A type of numbers of NumPy."""

    def __init__(self, code):
        self.code = code


class _Array:
    """An array of NumPy: made first, and given its numbers later."""

    value = None
    named = 0  # how often, of which `MAX_SHARED` is the most

    def taken(self):
        self.named += 1
        if self.named > MAX_SHARED:
            refuse(f"More than {MAX_SHARED} variables of the pickle are one array.")
        return self.value


class _Snapshot(Machine):
    """A machine that also makes networks, numbers of NumPy and sets."""

    def __init__(self, storage_of):
        super().__init__(self.refuse_storage, SNAPSHOT)
        self.storage_of = storage_of
        self.storages = {}  # by the bytes that they are of, which it keeps

    def refuse_storage(self, dtype, key, size):
        refuse("The pickle refers to a storage outside of it.")

    def new_object(self, _):
        kind, arguments = self.pop(2)
        if type(kind) is not pickles.Named or arguments != ():
            refuse(f"The pickle makes an object of a {pickles.describe(kind)}.")
        if kind.name in _DICTS:
            self.stack.append({})
        elif kind.name == _TENSORFLOW or _CLASSES.fullmatch(kind.name):
            self.stack.append(_Network(kind.name))
        else:
            refuse(f"The pickle makes an object of {kind.name[:200]!r}.")

    def build_object(self, _):
        target, state = self.pop(2)
        if type(target) is _Network and target.attributes is None:
            if type(state) is not dict:
                refuse("The pickle sets something else than attributes.")
            target.attributes = state
            self.stack.append(target)
        elif type(target) is _Kind:  # its byte order, which is told by `code`
            if type(state) is not tuple or state[1:2] not in (("<",), ("|",)):
                refuse("The pickle has numbers in another byte order.")
            self.stack.append(target)
        elif type(target) is _Array and target.value is None:
            target.value = self.filled(state)
            self.stack.append(target)
        else:
            self.stack += [target, state]
            self.build(_)

    def add_items(self, _):
        values = self.pop_mark()
        self.top(list).extend(values)

    def persistent_object(self, meta):
        """A network with its source: the source is not looked at."""
        state = meta.get("state") if type(meta) is dict else None
        if type(state) is not dict:
            refuse("The pickle has a network without its attributes.")
        kind = meta.get("class_name")
        return _Network(kind if type(kind) is str else "", state)

    def storage(self, raw):
        if type(raw) is not bytes:
            refuse(f"The pickle loads a storage of a {pickles.describe(raw)}.")
        if id(raw) not in self.storages:
            self.storages[id(raw)] = raw, self.storage_of(raw)
        return self.storages[id(raw)][1]

    def new_array(self, kind, shape, code):
        if type(kind) is not pickles.Named or kind.name != _ARRAY:
            refuse(f"The pickle makes an array of a {pickles.describe(kind)}.")
        return _Array()

    def filled(self, state):
        """An array of (version, shape, type, whether in Fortran's order, bytes)."""
        if type(state) is not tuple or len(state) != 5:
            refuse("The pickle has an array without its numbers.")
        _, shape, kind, fortran, raw = state
        if type(kind) is not _Kind or type(raw) is not bytes or not is_shape(shape):
            refuse("The pickle has an array of other than numbers.")
        dtype = _NUMBERS[kind.code]
        if id(raw) not in self.storages:
            storage = Storage(dtype, len(raw) // item_size(dtype))
            storage.fill(raw)
            self.storages[id(raw)] = raw, storage
        storage = self.storages[id(raw)][1]
        if storage.dtype != dtype or storage.array.size != math.prod(shape):
            refuse("The pickle has an array of another size than its numbers.")
        sides = shape if fortran else shape[::-1]
        strides = [math.prod(sides[:i]) for i in range(len(sides))]
        return storage.view(0, shape, strides if fortran else strides[::-1])

    def encoded(self, text, encoding):
        """Bytes, as Python 2 could not write them: a text of their letters."""
        if type(text) is not str or encoding != "latin1":
            refuse(f"The pickle encodes a {pickles.describe(text)}.")
        if id(text) not in self.storages:
            self.storages[id(text)] = text, text.encode("latin1")
        return self.storages[id(text)][1]

    def dtype(self, code, align, copy):
        if type(code) is not str or code not in _NUMBERS:
            refuse("The pickle has numbers of another type.")
        return _Kind(code)

    def scalar(self, kind, raw):
        size = np.dtype(kind.code).itemsize if type(kind) is _Kind else -1
        if type(raw) is not bytes or len(raw) != size:
            refuse("The pickle has a number of the wrong length.")
        return np.frombuffer(raw, np.dtype(f"<{kind.code}"))[0].item()


SNAPSHOT = pickles.Dialect(
    {*pickles.TORCH.arguments, "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"},
    {**pickles.TORCH.fresh, "EMPTY_SET": list},
    {
        **pickles.TORCH.steps,
        "NEWOBJ": _Snapshot.new_object,
        "BUILD": _Snapshot.build_object,
        "ADDITEMS": _Snapshot.add_items,
    },
    {
        **pickles.TORCH.functions,
        "torch.storage._load_from_bytes": ((1,), _Snapshot.storage),
        "torch_utils.persistence._reconstruct_persistent_obj": (
            (1,),
            _Snapshot.persistent_object,
        ),
        "numpy.dtype": ((3,), _Snapshot.dtype),
        **{
            f"numpy.{core}.multiarray.scalar": ((2,), _Snapshot.scalar)
            for core in ("core", "_core")
        },
        **{
            f"numpy.{core}.multiarray._reconstruct": ((3,), _Snapshot.new_array)
            for core in ("core", "_core")
        },
        "_codecs.encode": ((2,), _Snapshot.encoded),
    },
    lambda name: (
        name in (*_DICTS, _ARRAY, _TENSORFLOW) or bool(_CLASSES.fullmatch(name))
    ),
)


def _collect(network, prefix, state, left, depth=0):
    """Adds the tensors of a network to `state`, by the names PyTorch gives them.

    Args:
        network: `_Network`.
        prefix: Its own name, with a dot.
        state: Dict to add to.
        left: List of one int, how many tensors and layers there may be yet: a
            layer may be in many places, or within itself.
        depth: Layers around it.
    """
    if depth > MAX_DEPTH or len(prefix) > MAX_NAME:
        refuse(f"The pickle nests layers deeper than {MAX_DEPTH}.")
    attributes = network.attributes or {}
    if "variables" in attributes:  # of TensorFlow
        attributes = {
            "_parameters": _pairs(attributes["variables"]),
            "_buffers": _told(attributes.get("static_kwargs")) if not prefix else {},
            "_modules": attributes.get("components"),
        }
    if prefix.endswith(f"{_DEVIATION}."):
        state |= _group(attributes.get(GROUP), f"{prefix}{GROUP}")
    parameters, buffers, modules = (attributes.get(name) or {} for name in _PARTS)
    if not all(type(part) is dict for part in (parameters, buffers, modules)):
        refuse("The pickle has a layer whose parts are no dicts.")
    left[0] -= 1 + len(parameters) + len(buffers) + len(modules)
    if left[0] < 0:
        refuse(f"The pickle has more than {MAX_TENSORS} layers and tensors.")
    for name, value in {**parameters, **buffers}.items():
        value = value.taken() if type(value) is _Array else value
        if type(value) is np.ndarray:
            state[f"{prefix}{name}"] = value
        elif value is not None:
            refuse(f"The pickle has a {pickles.describe(value)} as a parameter.")
    for name, layer in modules.items():
        if type(layer) is _Network:
            _collect(layer, f"{prefix}{name}.", state, left, depth + 1)
        elif layer is not None:
            refuse(f"The pickle has a {pickles.describe(layer)} as a layer.")


def _pairs(variables):
    """A list of (name, array) as a dict."""
    ok = type(variables) is list and all(
        type(pair) is tuple and len(pair) == 2 and pickles.is_name(pair[0])
        for pair in variables
    )
    if not ok:
        refuse("The pickle has variables that are no pairs of a name and an array.")
    return dict(variables)


def _told(arguments):
    """What a network of TensorFlow was told that its variables do not tell."""
    told = arguments if type(arguments) is dict else {}
    rate, group = told.get(RATE), told.get(f"{_DEVIATION}_{GROUP}")
    arrays = {RATE: np.asarray(rate, "float32")} if type(rate) is float else {}
    return arrays | _group(group, f"{_DEVIATION}.{GROUP}")


def _group(size, name):
    """The rows of a group by a name, where that is a size."""
    ok = type(size) is int and 0 < size < 2**24
    return {name: np.asarray(size, "float32")} if ok else {}
