"""One kglite graph that is asked by our names, and answers with what the graph holds."""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from trefoil.data.errors import StoreError
from trefoil.kg.cypher.columns import column_names
from trefoil.kg.cypher.guard import Checked
from trefoil.kg.stores.kglite.dialect import FAILS, UNLABELLED, stored_parameters, to_kglite
from trefoil.kg.stores.kglite.elsewhere import GraphElsewhere
from trefoil.kg.stores.kglite.library import failed, opened, slow
from trefoil.kg.stores.kglite.names import shown, shown_kind

NODE = {"id", "labels", "properties"}
RELATIONSHIP = {"id", "start", "end", "type", "properties"}
_DURATION = {"months", "days", "seconds"}


@dataclass(frozen=True)
class Rows:
    """The columns and rows of an answer as Python values; ``cut`` where there were more."""

    columns: list[str]
    rows: list[list[Any]]
    cut: bool


class Engine:
    """A graph of the engine; ``frozen`` ones are read by any number of threads.

    Nodes come as ``{"id", "labels", "properties"}``, relationships as ``{"id",
    "start", "end", "type", "properties"}``, paths as ``{"nodes", "relationships"}``;
    ``id``, ``start`` and ``end`` are the engine's numbers of nodes.
    """

    def __init__(
        self,
        graph: Any,
        labels: Collection[str] = (),
        types: Collection[str] = (),
        *,
        frozen: bool = False,
    ) -> None:
        self.graph, self.labels, self.types = graph, set(labels), set(types)
        self._asked = graph.freeze() if frozen else graph

    @classmethod
    def load(
        cls, path: Path, labels: Collection[str], types: Collection[str], *, frozen: bool
    ) -> Engine:
        """Raises StoreError where the file cannot be read."""
        try:
            return cls(opened(path, frozen=frozen), labels, types, frozen=frozen)
        except failed() as fault:
            raise StoreError(f"{path}: cannot be opened: {fault}") from fault

    @property
    def ended(self) -> bool:
        """Whether the process that held the graph is gone, so that it must be loaded again."""
        return isinstance(self.graph, GraphElsewhere) and self.graph.ended

    def close(self) -> None:
        if isinstance(self.graph, GraphElsewhere):
            self.graph.close()

    def ask(
        self,
        checked: Checked,
        parameters: Mapping[str, Any] | None = None,
        *,
        limit: int,
        timeout_s: float,
    ) -> Rows:
        """At most ``limit`` rows of a statement. Raises StoreError."""
        text = to_kglite(checked, limit + 1, self.labels, self.types)
        given = {name: stored_parameters(value) for name, value in (parameters or {}).items()}
        found = self.run(text, given, limit=limit + 1, timeout_s=timeout_s)
        own, names = list(found.columns), column_names(checked)
        rows = [[self.clean(row[name]) for name in own] for row in found.to_list()]
        columns = names if names and len(names) == len(own) else own
        return Rows(columns, rows[:limit], len(rows) > limit)

    def run(
        self,
        text: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        limit: int | None = None,
        timeout_s: float = 0,
    ) -> Any:
        """The engine's own answer to a statement of ours, in stored names."""
        try:
            return self._asked.cypher(
                text,
                params=dict(parameters or {}),
                row_limit=limit,
                timeout_ms=max(1, int(timeout_s * 1000)) if timeout_s else 0,
            )
        except slow() as fault:
            raise StoreError(
                f"the statement took longer than {timeout_s:g} s and was stopped;"
                " bound its paths, add LIMIT, or raise the time limit"
            ) from fault
        except failed() as fault:
            raise StoreError(explained(str(fault))) from fault

    def clean(self, value: Any) -> Any:
        """A value without what the engine has added, and with the names of the graph."""
        if isinstance(value, list):
            return [self.clean(part) for part in value]
        if not isinstance(value, dict):
            return value
        if value.keys() == NODE:
            labels = [shown_kind(one) for one in value["labels"] if self._is_label(one)]
            properties = self._map(value["properties"])
            return {"id": value["id"], "labels": labels, "properties": properties}
        if value.keys() == RELATIONSHIP:
            kind = shown_kind(value["type"])
            return {**value, "type": kind, "properties": self._map(value["properties"])}
        if _DURATION <= value.keys() <= _DURATION | {"nanoseconds"}:
            return _duration(**value)
        return self._map(value)

    def _is_label(self, name: str) -> bool:
        return name != UNLABELLED or name in self.labels

    def _map(self, found: Mapping[str, Any]) -> dict[str, Any]:
        names = {name: own for name in found if (own := shown(name)) is not None}
        return {own: self.clean(found[name]) for name, own in names.items()}

    def save(self, path: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # which parts a memory map cannot serve
            self.graph.save(str(path))


def _duration(months: int, days: int, seconds: int, nanoseconds: int = 0) -> timedelta | str:
    """A duration as Python has it; one with months or parts of microseconds as ISO 8601 text."""
    if not months and not nanoseconds % 1000:
        return timedelta(days=days, seconds=seconds, microseconds=nanoseconds // 1000)
    # the engine's nanoseconds always add to the seconds, which may be negative
    whole, rest = divmod(abs(seconds * 10**9 + nanoseconds), 10**9)
    sign = "-" if seconds < 0 else ""
    fraction = f".{rest:09}".rstrip("0") if rest else ""
    return f"P{months}M{days}DT{sign}{whole}{fraction}S"


# what people write that the engine does not read, and the words that work
_SPELLINGS = {
    r"start of clause: (<|>|<=|>=|=|<>)": "write a chain of comparisons as a < b AND b < c",
    r"start of clause: (IN|\[|\+)|Expected RParen, found In": "put the parts of IN in brackets",
    r"EXISTS pattern: (RETURN|WITH)|Expected RBrace, found Return": "leave RETURN and WITH out of"
    " EXISTS { }",
    r"character '!'|pattern: %": "write the label's condition after WHERE: NOT n:Label",
    r"projection, got MATCH": "collect in a subquery:"
    " CALL (n) { MATCH ... RETURN collect(x) AS l }",
    r"found '\{'|trailing input|SHORTEST|pattern: \+|found 'identifier'": "write steps as"
    " -[:TYPE*1..3]-> and a shortest path as shortestPath((a)-[*]-(b))",
    r"Unknown function: point": "compare latitude and longitude, or ask Neo4j",
    r"cannot be used outside of RETURN": "put the aggregate into a WITH of its own first",
    r"ORDER BY cannot compute": "give the aggregate a name in RETURN and order by that",
    r"Undefined variable": "return what ORDER BY needs, or order in a WITH before",
}
GUIDE = "docs/cypher.md lists what runs in the embedded store"


def explained(text: str) -> str:
    """An error of the engine in the names that the reader wrote, with what works instead."""
    text = re.sub(r"^Cypher (execution|syntax) error(?: at line \d+, col \d+)?: ", "", text)
    text = re.sub(r"(\w) '(?=[\s,.]|$)", r"\1'", text.split("\n")[0].removeprefix("Schema error: "))
    if own := re.search(f"'{FAILS}(.*?)' as a date", text):
        return own[1]
    for sign, instead in _SPELLINGS.items():
        if re.search(sign, text):
            return f"{text[:1].lower()}{text[1:]}; {instead}"
    known = "exists" in text or "takes no" in text
    return f"{text[:1].lower()}{text[1:]}" + ("" if known else f"; {GUIDE}")
