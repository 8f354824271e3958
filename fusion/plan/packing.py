"""Arrays in fewer bits: half precision, or eight bits with a scale for every few numbers."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from trefoil.data.errors import ConfigError

Precision = Literal["float32", "float16", "int8"]
PRECISIONS = ("float32", "float16", "int8")
BLOCK = 64  # numbers that share a scale
LEAST = 4096  # numbers of an array below which it stays as it is
LEVELS = 127
PARTS = ("levels", "scale", "shape")


def packed(array: NDArray[Any], precision: str) -> dict[str, NDArray[Any]]:
    """Arrays by the rest of their name, of which ``unpacked`` makes this one, nearly.

    Whole numbers take as few bytes as hold them. Of floats, ``int8`` keeps 127 levels to each
    side of zero, scaled to the largest of 64 neighbours: the error of a number is at
    most a 254th of that.
    """
    if array.dtype.kind == "i" and array.size >= LEAST:
        return {"": _narrow(array)}
    if array.dtype != np.float32 or array.size < LEAST or precision == "float32":
        return {"": array}
    if precision == "float16":
        with np.errstate(over="ignore"):
            half = array.astype(np.float16)
        return {"": half if np.isfinite(half).all() else array}
    flat = np.zeros(-(-array.size // BLOCK) * BLOCK, np.float32)
    flat[: array.size] = array.ravel()
    blocks = flat.reshape(-1, BLOCK)
    scale = np.maximum(np.abs(blocks).max(1), 1e-30) / LEVELS
    levels = np.rint(blocks / scale[:, None]).astype(np.int8).ravel()[: array.size]
    shape = np.array(array.shape, np.int64)
    return dict(zip(PARTS, (levels, scale.astype(np.float32), shape), strict=True))


def unpacked(parts: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """The array of ``packed``; whole numbers stay narrow."""
    if "" in parts:
        return parts[""]
    levels, scale, shape = (parts[name] for name in PARTS)
    whole = levels.astype(np.float32)
    whole *= np.repeat(scale, BLOCK)[: len(whole)]
    return whole.reshape(shape)


def checked(precision: object) -> str:
    """One of the precisions. Raises ConfigError."""
    if precision not in PRECISIONS:
        raise ConfigError(f"precision = {precision!r}; give one of {', '.join(PRECISIONS)}")
    return str(precision)


def _narrow(array: NDArray[Any]) -> NDArray[Any]:
    low, high = int(array.min()), int(array.max())
    for kind in (np.int8, np.int16, np.int32):
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return array.astype(kind) if np.dtype(kind).itemsize < array.itemsize else array
    return array


def held_bytes(value: Any) -> int:
    """Bytes of all arrays that a plan's parts hold, each counted once."""
    found: dict[int, int] = {}

    def look(one: Any) -> None:
        if isinstance(one, np.ndarray):
            found[id(one)] = one.nbytes
        elif sparse.issparse(one):
            for part in (one.data, one.indices, one.indptr):
                found[id(part)] = part.nbytes
        elif is_dataclass(one):
            for each in fields(one):
                look(getattr(one, each.name))
        elif isinstance(one, tuple | list):
            for each in one:
                look(each)
        elif isinstance(one, Mapping):
            for each in one.values():
                look(each)

    look(value)
    return sum(found.values())
