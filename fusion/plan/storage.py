"""A plan's parts in a run folder, and back: plan.json with plain values, arrays in safetensors.

An array that another file of the run holds already is named, not written again.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from scipy import sparse

from trefoil.data.errors import DataError
from trefoil.data.mapped import mapped
from trefoil.fusion.plan import (
    attributes,
    forms,
    known,
    of_users,
    parts,
    queries,
    ratings,
    reranking,
    sequence,
)
from trefoil.fusion.plan.packing import packed, unpacked
from trefoil.fusion.plan.parts import Parts

FORMAT = 1  # of the two files; of another one the ensemble is compiled anew
PLAN, ARRAYS = "plan.json", "plan.safetensors"
LARGE = 65_536  # bytes from which an array is looked for in the other files
CELLS = 1 << 22  # of an array that are tried in half precision at once
KINDS: Mapping[str, type] = {
    one.__name__: one
    for module in (attributes, forms, known, of_users, parts, queries, ratings, reranking, sequence)
    for one in vars(module).values()
    if isinstance(one, type) and is_dataclass(one) and one.__module__ == module.__name__
}


def write_plan(
    made: Parts, folder: Path, others: Iterable[str], precision: str = "float32"
) -> None:
    """Write plan.json and plan.safetensors; ``others`` are files that may hold arrays of it.

    In another ``precision`` the plan stands alone, its arrays ``packed``.
    """
    arrays: dict[str, NDArray[Any]] = {}
    told = _told(made, "plan", arrays)
    if precision != "float32":
        _write_packed(told, arrays, folder, precision)
        return
    there = _digests(folder, others)
    kept, elsewhere = {}, {}
    for name, array in arrays.items():
        half, found = _half(array), None
        if array.nbytes >= LARGE:
            found = there.get(_digest(half))
            if found is None and half is not array:
                found = there.get(_digest(array))
        if found is None:
            kept[name] = np.ascontiguousarray(half)
        else:
            elsewhere[name] = found
    save_file(kept, folder / ARRAYS)
    text = json.dumps({"format": FORMAT, "parts": told, "elsewhere": elsewhere}, ensure_ascii=False)
    (folder / PLAN).write_text(text + "\n", "utf-8")


def _write_packed(
    told: Any, arrays: Mapping[str, NDArray[Any]], folder: Path, precision: str
) -> None:
    kept, kinds = {}, {}
    for name, array in arrays.items():
        parts = packed(array, precision)
        kept |= {_part(name, rest): np.ascontiguousarray(one) for rest, one in parts.items()}
        kinds[name] = [array.dtype.str, list(parts)]
    save_file(kept, folder / ARRAYS)
    about = {"format": FORMAT, "parts": told, "elsewhere": {}, "packed": kinds}
    (folder / PLAN).write_text(json.dumps(about, ensure_ascii=False) + "\n", "utf-8")


def _part(name: str, rest: str) -> str:
    return f"{name}:{rest}" if rest else name


def has_plan(folder: Path) -> bool:
    """Whether a run holds a plan of today's form; not so where a model has no form."""
    path = folder / PLAN
    try:
        return path.is_file() and json.loads(path.read_text("utf-8"))["format"] == FORMAT
    except (ValueError, KeyError, TypeError):
        return False


def read_plan(folder: Path) -> Parts:
    """What ``write_plan`` wrote. Raises DataError for files that do not hold it."""
    try:
        told = json.loads((folder / PLAN).read_text("utf-8"))
        arrays = _arrays(folder / ARRAYS, None)
        for file in {file for file, _ in told["elsewhere"].values()}:
            wanted = {own: name for own, (f, name) in told["elsewhere"].items() if f == file}
            arrays |= _arrays(folder / file, wanted)
        for name, (kind, rest) in told.get("packed", {}).items():
            parts = {one: arrays.pop(_part(name, one)) for one in rest}
            arrays[name] = unpacked(parts).astype(np.dtype(kind), copy=False)
        made = _made(told["parts"], arrays)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise DataError(f"{folder / PLAN}: cannot be read: {error}; train again") from None
    if not isinstance(made, Parts):
        raise DataError(f"{folder / PLAN}: holds no plan; train again")
    return made


def _arrays(path: Path, wanted: Mapping[str, str] | None) -> dict[str, NDArray[Any]]:
    """Arrays of a file as they lie there, once for all processes; half precision made whole."""
    there, whole = mapped(path), dict[str, NDArray[Any]]()
    names = wanted if wanted is not None else {name: name for name in there}
    for name in set(names.values()):  # several forms may have one array
        array = there[name]
        whole[name] = array.astype(np.float32) if array.dtype == np.float16 else array
    return {own: whole[name] for own, name in names.items()}


def _half(array: NDArray[Any]) -> NDArray[Any]:
    """In half precision where that loses nothing."""
    if array.dtype != np.float32 or array.nbytes < LARGE:
        return array
    half, rows = np.empty(array.shape, np.float16), max(1, CELLS * len(array) // array.size)
    with np.errstate(over="ignore"):
        for first in range(0, len(array), rows):
            part = slice(first, first + rows)
            half[part] = array[part]
            if not np.array_equal(half[part].astype(np.float32), array[part]):
                return array
    return half


def _digests(folder: Path, files: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Large arrays of other files by their digest."""
    found = {}
    for file in files:
        if (folder / file).is_file():
            with safe_open(folder / file, "numpy") as held:
                for name in held.keys():  # noqa: SIM118
                    array = held.get_tensor(name)
                    if array.nbytes >= LARGE // 2:
                        found[_digest(array)] = (file, name)
    return found


def _digest(array: NDArray[Any]) -> str:
    digest = hashlib.sha256(f"{array.dtype.str} {array.shape}".encode())
    digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _told(value: Any, name: str, arrays: dict[str, NDArray[Any]]) -> Any:
    """A value as JSON; arrays go into ``arrays`` under the name of their place."""
    if isinstance(value, np.ndarray):
        for known, array in arrays.items():  # one array of several forms
            if array is value:
                return {"array": known}
        arrays[name] = value
        return {"array": name}
    if sparse.issparse(value):
        rest = {
            part: _told(getattr(value, part), f"{name}.{part}", arrays)
            for part in ("data", "indices", "indptr")
        }
        return {"sparse": rest, "shape": list(value.shape)}
    if is_dataclass(value) and type(value).__name__ in KINDS:
        own = {
            one.name: _told(getattr(value, one.name), f"{name}.{one.name}", arrays)
            for one in fields(value)
        }
        return {"kind": type(value).__name__, "fields": own}
    if isinstance(value, tuple):
        return [_told(one, f"{name}.{place}", arrays) for place, one in enumerate(value)]
    if isinstance(value, Mapping):
        return {"map": {key: _told(one, f"{name}.{key}", arrays) for key, one in value.items()}}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{name}: a {type(value).__name__} has no place in {PLAN}")


def _made(told: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """The value of ``_told``."""
    if isinstance(told, list):
        return tuple(_made(one, arrays) for one in told)
    if not isinstance(told, dict):
        return told
    if "array" in told:
        return arrays[told["array"]]
    if "sparse" in told:
        rest = {part: _made(one, arrays) for part, one in told["sparse"].items()}
        whole = rest["data"], rest["indices"], rest["indptr"]
        return sparse.csr_matrix(whole, shape=tuple(told["shape"]))
    if "map" in told:
        return {key: _made(one, arrays) for key, one in told["map"].items()}
    own = {key: _made(one, arrays) for key, one in told["fields"].items()}
    return KINDS[told["kind"]](**own)
