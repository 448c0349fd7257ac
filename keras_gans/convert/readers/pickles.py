"""Pickles as `torch.save` writes them, read without running what they name.

A pickle is a program for a small stack machine. Python's own machine imports
and calls whatever the file asks for; this one knows the instructions that
PyTorch writes, the few names in `_GLOBALS`, and nothing else.
"""

from collections.abc import Callable, Collection
import pickletools
from typing import NamedTuple

import numpy as np

from keras_gans.convert.readers.storages import (
    DTYPES,
    Refused,
    Storage,
    is_count,
    is_shape,
)
from keras_gans.utils.text import brief

MAX_STEPS = 2_000_000  # about 70,000 tensors
MAX_DEPTH = 64
# Of keys and devices. The same long text may be asked for in every step.
MAX_NAME = 4096

_REMEDY = (
    "Only tensors, numbers, strings, lists, tuples and dicts are read. "
    "Re-save the file where it came from as a plain state dict, with "
    "torch.save(model.state_dict(), path), or as safetensors."
)
_STORAGE_NAMES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}
# Files of before 2020 name the storages of tensors on a GPU torch.cuda.*.
_STORAGES = {
    f"{module}.{name}": dtype
    for module in ("torch", "torch.cuda")
    for name, dtype in _STORAGE_NAMES.items()
}
_DTYPE_NAMES = {f"torch.{name}" for name in DTYPES}
_SCALARS = (str, int, float, bool, type(None))


def load(stream, claim, plain=True):
    """Reads one pickle from `stream`, up to and with its STOP.

    Args:
        stream: A binary file whose `read(n)` may be asked for any `n`.
        claim: Function of (dtype, key, size) that returns the `Storage` of
            that key.
        plain: Bool. Whether a storage by itself is refused as the result.

    Returns:
        Dicts, lists, tuples, strings, numbers, None, and numpy arrays.

    Raises:
        Refused: If the pickle needs anything else.
    """
    value = Machine(claim).run(stream)
    if plain or type(value) is not Storage:
        check_plain(value)
    return value


def check_plain(value):
    """Refuses all but plain containers of tensors, numbers and strings."""
    _check_plain(value, 0, {})


def refuse(what):
    """Refuses a file, with what to do about it."""
    raise Refused(f"{what} {_REMEDY}")


class Named:
    """A name that is known, on the stack: not a value by itself."""

    def __init__(self, name):
        self.name = name


class Dialect(NamedTuple):
    """What a pickle may do.

    Attributes:
        arguments: Names of instructions that push their argument.
        fresh: Dict of those that push a new value, to a function that makes it.
        steps: Dict of the others to functions of the machine and the argument.
        functions: Dict of names that may be called, to (how many arguments, a
            function of the machine and those).
        is_class: Function of a name: whether it is that of a known class.
    """

    arguments: Collection
    fresh: dict
    steps: dict
    functions: dict
    is_class: Callable = bool


class Machine:
    """The stack, the marks in it, and the memo of one pickle."""

    def __init__(self, claim, dialect=None):
        self.claim = claim
        self.dialect = dialect or TORCH
        self.stack = []
        self.marks = []
        self.memo = {}
        self.steps = 0

    def run(self, stream):
        for opcode, argument, _ in pickletools.genops(stream):
            self.spend(1)
            name = opcode.name
            if name == "STOP":
                return self.finish()
            if name in self.dialect.arguments:
                self.stack.append(argument)
            elif name in self.dialect.fresh:
                self.stack.append(self.dialect.fresh[name]())
            elif name in _TUPLES:
                self.stack.append(tuple(self.pop(_TUPLES[name])))
            elif name in self.dialect.steps:
                self.dialect.steps[name](self, argument)
            elif name not in _NOTHING:
                refuse(f"The pickle uses the instruction {name}.")
        raise Refused("The pickle has no end. The file is cut short.")

    def finish(self):
        if self.marks or len(self.stack) != 1:
            raise Refused("The pickle does not end in one value.")
        return self.stack[0]

    def spend(self, steps):
        """Bounds the work, so a small file cannot ask for much."""
        self.steps += steps
        if self.steps > MAX_STEPS:
            refuse(f"The pickle takes more than {MAX_STEPS} steps.")

    def pop(self, count):
        """Takes the last `count` values off the stack, above the last mark."""
        floor = self.marks[-1] if self.marks else 0
        if len(self.stack) - floor < count:
            raise Refused("The pickle takes a value that it never gave.")
        start = len(self.stack) - count
        values = self.stack[start:]
        del self.stack[start:]
        return values

    def pop_mark(self, _=None):
        """Takes the last mark and all values above it off the stack."""
        if not self.marks:
            raise Refused("The pickle closes a mark that it never set.")
        values = self.stack[self.marks[-1] :]
        del self.stack[self.marks.pop() :]
        return values

    def top(self, kind):
        """The value that an instruction adds to: a list or a dict."""
        (value,) = self.pop(1)
        self.stack.append(value)
        if type(value) is not kind:
            refuse(f"The pickle adds items to a {describe(value)}.")
        return value

    def mark(self, _):
        self.marks.append(len(self.stack))

    def tuple_of_mark(self, _):
        values = self.pop_mark()
        self.stack.append(tuple(values))

    def append(self, _):
        values = self.pop(1)
        self.top(list).extend(values)

    def appends(self, _):
        values = self.pop_mark()
        self.top(list).extend(values)

    def set_item(self, _):
        pair = self.pop(2)
        _set_items(self.top(dict), [pair])

    def set_items(self, _):
        values = self.pop_mark()
        if len(values) % 2:
            raise Refused("The pickle sets a key without a value.")
        pairs = zip(values[::2], values[1::2], strict=True)
        _set_items(self.top(dict), pairs)

    def put(self, index):
        (self.memo[index],) = self.pop(1)
        self.stack.append(self.memo[index])

    def memoize(self, _):
        self.put(len(self.memo))

    def get(self, index):
        if index not in self.memo:
            raise Refused("The pickle recalls a value that it never kept.")
        self.stack.append(self.memo[index])

    def named(self, argument):
        self.push_global(argument.replace(" ", ".", 1))

    def stack_named(self, _):
        names = self.pop(2)
        if not all(type(name) is str for name in names):
            refuse("The pickle gives a name that is no string.")
        self.push_global(".".join(names))

    def push_global(self, name):
        if name in _DTYPE_NAMES:
            self.stack.append(name)
        elif (
            name in self.dialect.functions
            or name in _STORAGES
            or self.dialect.is_class(name)
        ):
            self.stack.append(Named(name))
        else:
            refuse(f"The pickle asks for {name[:200]!r}.")

    def reduce(self, _):
        function, arguments = self.pop(2)
        name = function.name if type(function) is Named else None
        if name not in self.dialect.functions or type(arguments) is not tuple:
            refuse(f"The pickle calls a {describe(function)}.")
        counts, call = self.dialect.functions[name]
        if len(arguments) not in counts:
            refuse(f"The pickle gives {name} {len(arguments)} arguments.")
        self.stack.append(call(self, *arguments))

    def build(self, _):
        """Sets attributes: a state dict has one, which nothing here needs."""
        target, state = self.pop(2)
        if type(target) is not dict or type(state) is not dict:
            refuse(f"The pickle sets attributes of a {describe(target)}.")
        if any(key != "_metadata" for key in state):
            refuse(f"The pickle sets attributes: {brief(list(state), 200)}.")
        self.stack.append(target)

    def persistent(self, _):
        """A storage: ("storage", type, key, device, size[, view])."""
        (reference,) = self.pop(1)
        if type(reference) is not tuple or len(reference) not in (5, 6):
            refuse(f"The pickle refers to {describe(reference)} outside of it.")
        kind, storage, key, _, size = reference[:5]
        dtype = type(storage) is Named and _STORAGES.get(storage.name)
        if (
            type(kind) is not str
            or kind != "storage"
            or not dtype
            or not is_name(key)
            or not is_count(size)
            or not _all_none(reference[5:])
        ):
            refuse("The pickle refers to something other than a storage.")
        self.stack.append(self.claim(dtype, key, size))

    def ordered_dict(self, pairs=()):
        """An OrderedDict; Python 2 gave its items as a list of pairs."""
        if type(pairs) not in (list, tuple):
            refuse(f"The pickle makes a dict of a {describe(pairs)}.")
        self.spend(len(pairs))
        if not all(type(pair) in (list, tuple) and len(pair) == 2 for pair in pairs):
            refuse("The pickle makes a dict of something other than pairs.")
        result = {}
        _set_items(result, pairs)
        return result

    def tensor(self, storage, offset, size, stride, *extra):
        """A tensor; `extra` is (requires grad, hooks[, conj and neg bits])."""
        if type(storage) is not Storage or not _all_none(extra[2:]):
            refuse("The pickle makes a tensor that is no view of a storage.")
        return storage.view(offset, size, stride)

    def parameter(self, data, requires_grad, hooks):
        if type(data) is not np.ndarray:
            refuse(f"The pickle makes a parameter of a {describe(data)}.")
        return data

    def size(self, values):
        if not is_shape(values):
            refuse("The pickle makes a torch.Size of other than counts.")
        return tuple(values)

    def device(self, kind, index=None):
        if not is_name(kind) or not (index is None or is_count(index)):
            refuse("The pickle makes a torch.device of other than a name.")
        return kind if index is None else f"{kind}:{index}"


_ARGUMENT = {
    "BININT",
    "BININT1",
    "BININT2",
    "LONG1",
    "BINFLOAT",
    "BINUNICODE",
    "BINUNICODE8",
    "SHORT_BINUNICODE",
    "BINSTRING",  # Python 2
    "SHORT_BINSTRING",
}
_FRESH = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_NOTHING = {"PROTO", "FRAME"}
_STEPS = {
    "MARK": Machine.mark,
    "TUPLE": Machine.tuple_of_mark,
    "APPEND": Machine.append,
    "APPENDS": Machine.appends,
    "SETITEM": Machine.set_item,
    "SETITEMS": Machine.set_items,
    "BINPUT": Machine.put,
    "LONG_BINPUT": Machine.put,
    "MEMOIZE": Machine.memoize,
    "BINGET": Machine.get,
    "LONG_BINGET": Machine.get,
    "GLOBAL": Machine.named,
    "STACK_GLOBAL": Machine.stack_named,
    "REDUCE": Machine.reduce,
    "BUILD": Machine.build,
    "BINPERSID": Machine.persistent,
}
# Name: (how many arguments it may be given, what is done with them).
_GLOBALS = {
    "collections.OrderedDict": ((0, 1), Machine.ordered_dict),
    "torch._utils._rebuild_tensor": ((4,), Machine.tensor),
    "torch._utils._rebuild_tensor_v2": ((6, 7), Machine.tensor),
    "torch._utils._rebuild_parameter": ((3,), Machine.parameter),
    "torch.Size": ((1,), Machine.size),
    "torch.device": ((1, 2), Machine.device),
}


TORCH = Dialect(_ARGUMENT, _FRESH, _STEPS, _GLOBALS, lambda name: False)


def _set_items(target, pairs):
    for key, value in pairs:
        # Hashing a nested tuple, or many integers made to collide, can take
        # as long as its author likes.
        if type(key) not in _SCALARS or (
            type(key) is int and not -(2**63) <= key < 2**63
        ):
            refuse(f"A dict of the pickle has a {describe(key)} as a key.")
        # So can comparing long texts, each time that one is a key.
        if type(key) is str and not is_name(key):
            refuse(f"A key of the pickle is longer than {MAX_NAME} letters.")
        target[key] = value


def is_name(value):
    """Whether `value` is a text that may be a key."""
    return type(value) is str and len(value) <= MAX_NAME


def _all_none(values):
    return all(value is None for value in values)


def describe(value):
    """A value in the words of messages."""
    name = getattr(value, "name", None)
    return type(value).__name__ if name is None else repr(name)


def _check_plain(value, depth, known):
    """Bounds depth and size, as one who walks the result will meet them.

    A container may appear many times in the result, or within itself: a small
    pickle can describe a tree that no memory holds.

    Args:
        value: Any part of the result.
        depth: Containers around it.
        known: Dict to remember `id: (height, size)` of containers in.

    Returns:
        Tuple (height, size) of the tree below `value`.
    """
    kind = type(value)
    if kind in _SCALARS or kind is np.ndarray:
        return 0, 1
    if kind not in (dict, list, tuple):
        refuse(f"The pickle keeps a {describe(value)} as a value.")
    if depth > MAX_DEPTH:
        refuse(f"The pickle nests deeper than {MAX_DEPTH} containers.")
    if id(value) not in known:
        height, size = 0, 1
        for child in value.values() if kind is dict else value:
            below, count = _check_plain(child, depth + 1, known)
            height, size = max(height, below), size + count
        known[id(value)] = height + 1, size
    height, size = known[id(value)]
    if depth + height > MAX_DEPTH + 1 or size > MAX_STEPS:
        refuse("The pickle repeats or nests its containers too often.")
    return height, size
