"""Arrays of a file as they lie there: read when they are asked for, once for all processes."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

LENGTH = 8  # bytes that say how long the header is
KINDS = {  # of numbers that numpy has, by their names in safetensors
    "BOOL": "bool",
    "U8": "uint8",
    "U16": "<u2",
    "U32": "<u4",
    "U64": "<u8",
    "I8": "int8",
    "I16": "<i2",
    "I32": "<i4",
    "I64": "<i8",
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
}


def mapped(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a safetensors file, mapped; what is written to them stays in this process.

    The file may be replaced by another one, but must not change. Where a mapped file cannot be
    replaced (Windows) the arrays are read. Raises OSError, and ValueError or KeyError for a
    file that is none.
    """
    if os.name == "nt":
        return load_file(path)
    with path.open("rb") as file:
        first = LENGTH + int.from_bytes(file.read(LENGTH), "little")
        header = json.loads(file.read(first - LENGTH))
    header.pop("__metadata__", None)
    content = np.memmap(path, np.uint8, mode="c", offset=0).view(np.ndarray)[first:]
    found = {}
    for name, one in header.items():
        begin, end = one["data_offsets"]
        found[name] = content[begin:end].view(KINDS[one["dtype"]]).reshape(one["shape"])
    return found
