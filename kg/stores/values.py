"""Nodes, relationships and paths as table cells of one shape, whichever store they came from."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

NODE = pl.Struct({"label": pl.String, "id": pl.String, "name": pl.String, "properties": pl.String})
RELATIONSHIP = pl.Struct(
    {
        "type": pl.String,
        "source_label": pl.String,
        "source": pl.String,
        "target_label": pl.String,
        "target": pl.String,
        "properties": pl.String,
    }
)
PATH = pl.Struct({"nodes": pl.List(NODE), "relationships": pl.List(RELATIONSHIP)})


def node_cell(label: str, id: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """One node; ``properties`` becomes JSON text, so that all nodes share one column type."""
    name = properties.get("name") or properties.get("title")
    return {
        "label": label,
        "id": id,
        "name": name if isinstance(name, str) else id,
        "properties": _json(properties),
    }


def relationship_cell(
    type: str, source: tuple[str, str], target: tuple[str, str], properties: Mapping[str, Any]
) -> dict[str, Any]:
    """One relationship between two (label, id) ends, in its stored direction."""
    return {
        "type": type,
        "source_label": source[0],
        "source": source[1],
        "target_label": target[0],
        "target": target[1],
        "properties": _json(properties),
    }


def path_cell(nodes: Iterable[Any], relationships: Iterable[Any]) -> dict[str, Any]:
    return {"nodes": list(nodes), "relationships": list(relationships)}


def _json(properties: Mapping[str, Any]) -> str:
    kept = {name: _finite(value) for name, value in properties.items() if value is not None}
    return json.dumps(kept, ensure_ascii=False, default=str)


def _finite(value: Any) -> Any:
    # JSON has no NaN and no infinity
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def table_of(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> pl.DataFrame:
    """Rows of Python values as a table; a column of unlike values becomes JSON text."""
    names = unique_names(columns)
    values = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return pl.DataFrame(
        [_series(name, list(column)) for name, column in zip(names, values, strict=True)]
    )


def unique_names(columns: Iterable[str]) -> list[str]:
    """Column names made distinct: a repeated one gets a number."""
    seen: dict[str, int] = {}
    names = []
    for name in columns:
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return names


def _series(name: str, values: list[Any]) -> pl.Series:
    dtype = next((found for value in values if (found := shape_of(value)) is not None), None)
    if dtype is not None:
        return pl.Series(name, values, dtype=dtype)
    try:
        return pl.Series(name, values)
    except (TypeError, pl.exceptions.PolarsError, OverflowError):
        text = [
            value if value is None or isinstance(value, str) else _text(value) for value in values
        ]
        return pl.Series(name, text, dtype=pl.String)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def shape_of(value: Any) -> pl.DataType | None:
    """The column type of a cell that is, or is a list of, nodes, relationships or paths."""
    if isinstance(value, list):
        inner = next((found for part in value if (found := shape_of(part)) is not None), None)
        return None if inner is None else pl.List(inner)
    if isinstance(value, dict):
        for shape in (NODE, RELATIONSHIP, PATH):
            if list(value) == [part.name for part in shape.fields]:
                return shape
    return None
