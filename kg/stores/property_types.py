"""Types that a property may have in a graph store, by a short portable name."""

from __future__ import annotations

import re

import polars as pl

from trefoil.data.errors import StoreError

_PLAIN: dict[str, pl.DataType] = {
    "string": pl.String(),
    "bool": pl.Boolean(),
    "int8": pl.Int8(),
    "int16": pl.Int16(),
    "int32": pl.Int32(),
    "int64": pl.Int64(),
    "uint8": pl.UInt8(),
    "uint16": pl.UInt16(),
    "uint32": pl.UInt32(),
    "uint64": pl.UInt64(),
    "float32": pl.Float32(),
    "float64": pl.Float64(),
    "date": pl.Date(),
    "binary": pl.Binary(),
    "null": pl.Null(),
    "datetime[ms]": pl.Datetime("ms"),
    "datetime[us]": pl.Datetime("us"),
    "duration[ms]": pl.Duration("ms"),
    "duration[us]": pl.Duration("us"),
}
_NAMES = {dtype: name for name, dtype in _PLAIN.items()}
_ZONED = re.compile(r"datetime\[(ms|us), (.+)\]")


def type_name(dtype: pl.DataType, property: str = "?") -> str:
    """The portable name of a column type: ``"int64"``, ``"list[string]"``, ``"datetime[us, UTC]"``.

    Categories are stored as their text. Raises StoreError for a type that no
    store keeps without loss (structs, nested lists, decimals, nanoseconds).
    """
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return "string"
    if isinstance(dtype, pl.List):
        inner = type_name(dtype.inner, property)  # type: ignore[arg-type]
        if not inner.startswith("list") and inner != "null":
            return f"list[{inner}]"
    elif isinstance(dtype, pl.Datetime) and dtype.time_zone and dtype.time_unit in ("ms", "us"):
        return f"datetime[{dtype.time_unit}, {dtype.time_zone}]"
    elif dtype in _NAMES:
        return _NAMES[dtype]
    raise StoreError(
        f"property {property!r} has type {dtype}, which a graph store cannot keep without loss;"
        " cast it to text, a number, a date, a datetime in microseconds, or a list of those"
    )


def type_of(name: str) -> pl.DataType:
    """The column type behind a portable name. Raises StoreError on any other text."""
    if name in _PLAIN:
        return _PLAIN[name]
    if name.startswith("list[") and name.endswith("]"):
        return pl.List(type_of(name[5:-1]))
    if zoned := _ZONED.fullmatch(name):
        return pl.Datetime(zoned[1], zoned[2])  # type: ignore[arg-type]
    raise StoreError(f"unknown property type {name!r}; the store was written by another version")
