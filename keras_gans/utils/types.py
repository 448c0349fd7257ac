"""Names that type hints share."""

import os
from typing import Any, TypeAlias

Tensor: TypeAlias = Any  # a tensor of either backend, or what becomes one
Path: TypeAlias = str | os.PathLike[str]
Size: TypeAlias = int | tuple[int, int]  # of images: int or (height, width)
Shape: TypeAlias = tuple[int | None, int | None, int]  # None is any side
