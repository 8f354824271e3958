"""What a store of the embedded engine holds, and the digests of its files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from trefoil.data.errors import StoreError
from trefoil.data.files import file_digest, write_file
from trefoil.kg.graph import EdgeType
from trefoil.kg.stores.property_types import type_name

CARD, FILE, COLUMNS = "graph.json", "graph.kgl", "graph.columns"
FORMAT = 2


@dataclass(frozen=True)
class Part:
    """Nodes of a label, or edges between two labels: properties by type, and the columns' place."""

    properties: Mapping[str, str]
    rows: int
    at: int = 0
    size: int = 0

    @classmethod
    def of(cls, properties: pl.DataFrame, rows: int) -> Part:
        """Raises StoreError for a property that cannot be kept."""
        kinds = {name: type_name(dtype, name) for name, dtype in properties.schema.items()}
        return cls(kinds, rows)


@dataclass(frozen=True)
class Card:
    """``changed``: statements have written since, so that the engine's file alone is right."""

    nodes: Mapping[str, Part]
    edges: Mapping[EdgeType, Part]
    predicates: Mapping[str, str]
    changed: bool = False
    engine: str = field(default_factory=lambda: version("kglite"))
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def types(self) -> tuple[str, ...]:
        """Relationship types, each once."""
        return tuple(dict.fromkeys(relation for _, relation, _ in self.edges))

    def save(self, folder: Path) -> None:
        """Write the card of the files that lie in a folder."""

        def parts(part: Part) -> dict[str, Any]:
            place = [part.at, part.size]
            return {"rows": part.rows, "place": place, "properties": dict(part.properties)}

        names = [FILE] if self.changed else [FILE, COLUMNS]
        content = {
            "format": FORMAT,
            "engine": version("kglite"),
            "changed": self.changed,
            "files": {name: file_digest(folder / name) for name in names},
            "nodes": [{"label": label} | parts(part) for label, part in self.nodes.items()],
            "edges": [{"ends": list(ends)} | parts(part) for ends, part in self.edges.items()],
            "predicates": dict(self.predicates),
        }
        content["digest"] = _digest(content)
        write_file(folder / CARD, json.dumps(content, ensure_ascii=False, indent=1))

    @classmethod
    def load(cls, folder: Path) -> Card:
        """The card, with every file as it was written.

        Raises StoreError if a file is missing or damaged, or of another format.
        """
        path = folder / CARD
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                raise StoreError(
                    f"{path}: format {content['format']!r}, this version reads {FORMAT};"
                    " write the graph again"
                )
            if content.pop("digest") != _digest(content):
                raise ValueError("its SHA-256 is not the one that it states")
            card = cls(
                {one["label"]: _part(one) for one in content["nodes"]},
                {tuple(one["ends"]): _part(one) for one in content["edges"]},
                content["predicates"],
                content["changed"],
                content["engine"],
                content["files"],
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
            raise StoreError(f"{path}: damaged ({fault}); write the graph again") from fault
        for name, digest in card.files.items():
            if not (folder / name).is_file():
                raise StoreError(f"{folder / name}: missing; write the graph again")
            if file_digest(folder / name) != digest:
                raise StoreError(
                    f"{folder / name}: damaged (its SHA-256 is not the one in {CARD});"
                    " write the graph again"
                )
        return card


def _part(one: Mapping[str, Any]) -> Part:
    return Part(one["properties"], one["rows"], *one["place"])


def _digest(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
