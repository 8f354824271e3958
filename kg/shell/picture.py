"""A drawing of nodes and relationships as one HTML file that needs nothing else.

Positions are computed here, so that the page only pans, zooms and answers
clicks. Text reaches the page as data and is shown as text; a content security
policy lets only the page's own script run and nothing be fetched.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from trefoil.data.errors import StoreError
from trefoil.kg.shell.layout import layout

TEMPLATE = Path(__file__).with_name("picture.html")
MOST_NODES, MOST_EDGES = 600, 3000

Key = tuple[str, str]  # label, id


@dataclass
class Drawing:
    """Nodes by (label, id), and distinct relationships between them."""

    nodes: dict[Key, dict[str, Any]] = field(default_factory=dict)
    edges: dict[tuple[str, Key, Key, str], dict[str, Any]] = field(default_factory=dict)
    left_out: int = 0

    @classmethod
    def of(cls, table: pl.DataFrame) -> Drawing:
        """All nodes, relationships and paths in the cells of a table.

        Raises StoreError where there are none. At most 600 nodes and 3,000
        relationships are drawn; ``left_out`` counts the rest.
        """
        drawing = cls()
        for column in table.get_columns():
            if isinstance(column.dtype, pl.Struct | pl.List):
                drawing._add(column.to_list())
        if not drawing.nodes:
            raise StoreError(
                "there is nothing to draw: return nodes, relationships or paths,"
                " for example MATCH p = (i:Item)-[:DIRECTOR]->(:Person) RETURN p LIMIT 50"
            )
        return drawing

    def _add(self, value: Any) -> None:
        if isinstance(value, list):
            for part in value:
                self._add(part)
        elif not isinstance(value, Mapping):
            return
        elif value.keys() == {"nodes", "relationships"}:
            self._add(value["nodes"])
            self._add(value["relationships"])
        elif value.keys() == {"label", "id", "name", "properties"}:
            self._node((value["label"], value["id"]), value["name"], value["properties"])
        elif "source_label" in value:
            self._edge(value)

    def _node(self, key: Key, name: str, properties: str = "{}") -> bool:
        if key not in self.nodes:
            if len(self.nodes) >= MOST_NODES:
                self.left_out += 1
                return False
            self.nodes[key] = {"name": name, "properties": _read(properties)}
        elif properties != "{}":
            self.nodes[key] = {"name": name, "properties": _read(properties)}
        return True

    def _edge(self, cell: Mapping[str, Any]) -> None:
        source = (cell["source_label"], cell["source"])
        target = (cell["target_label"], cell["target"])
        key = (cell["type"], source, target, cell["properties"])
        if key in self.edges:
            return
        drawn = all(end in self.nodes or self._node(end, end[1]) for end in (source, target))
        if not drawn or len(self.edges) >= MOST_EDGES:
            self.left_out += 1
            return
        self.edges[key] = {"type": cell["type"], "properties": _read(cell["properties"])}


def _read(properties: str | None) -> dict[str, Any]:
    return json.loads(properties or "{}")


def write_picture(table: pl.DataFrame, path: str | Path, *, title: str = "Graph") -> Drawing:
    """Draw what a table holds into one HTML file. Raises StoreError if that is nothing."""
    drawing = Drawing.of(table)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(page(drawing, title), encoding="utf-8")
    return drawing


def page(drawing: Drawing, title: str) -> str:
    """The HTML text of a drawing."""
    numbers = {key: k for k, key in enumerate(drawing.nodes)}
    ends = [(numbers[s], numbers[t]) for _, s, t, _ in drawing.edges]
    widths = [min(len(part["name"]), 26) * 6.4 + 12 for part in drawing.nodes.values()]
    places = layout(ends, widths)
    data = {
        "title": title,
        "leftOut": drawing.left_out,
        "nodes": [
            {"label": label, "id": id, **part, "x": round(x, 1), "y": round(y, 1)}
            for ((label, id), part), (x, y) in zip(drawing.nodes.items(), places, strict=True)
        ],
        "edges": [
            {"source": s, "target": t, **part}
            for (s, t), part in zip(ends, drawing.edges.values(), strict=True)
        ],
    }
    text = TEMPLATE.read_text(encoding="utf-8")
    script = _between(text, "<script>", "</script>")
    style = _between(text, "<style>", "</style>")
    policy = f"default-src 'none'; script-src {_allowed(script)}; style-src {_allowed(style)}"
    values = {"POLICY": policy, "TITLE": html.escape(title), "DATA": _harmless(data)}
    head, *rest = text.split("{{")
    parts = (part.split("}}", 1) for part in rest)
    return head + "".join(values[name] + after for name, after in parts)


def _between(text: str, start: str, end: str) -> str:
    return text.split(start, 1)[1].split(end, 1)[0]


def _allowed(code: str) -> str:
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _harmless(data: Any) -> str:
    """JSON in which nothing can end the script element that holds it."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, default=str)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text
