"""A Neo4j database, whoever filled it, as a graph: read in pages, each a few columns."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from trefoil.data.errors import StoreError
from trefoil.data.interactions import Ints
from trefoil.data.neo4j.columns import Tally
from trefoil.data.report import DataReport, Quarantined
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.graph import LABELS, MADE_UP, Edges, EdgeType, Key, KnowledgeGraph, Nodes, Origin
from trefoil.kg.stores.base import chosen
from trefoil.kg.stores.neo4j.homes import CONSTRAINTS, ID, Homes, keys_of
from trefoil.kg.stores.neo4j.manifest import KEY, Card
from trefoil.kg.stores.neo4j.pages import Page, Run, node_pages, relationship_pages
from trefoil.kg.stores.neo4j.properties import gathered, table

logger = logging.getLogger(__name__)
OTHER_ID = "id_"  # a property called id where another is the key
TRIES = 3  # to read a database that changes meanwhile


@dataclass(frozen=True)
class Choice:
    """What of a database is read; None is all. ``keys`` is one property, or one per label."""

    labels: Collection[str] | None = None
    relationships: Collection[str] | None = None
    properties: Collection[str] | None = None
    keys: Mapping[str, str] | str = field(default_factory=dict)
    likely: Mapping[str, str] = field(default_factory=dict)
    deny: Collection[str] = ()


@dataclass
class Part:
    """Nodes of one type as they come: element ids, ids, labels and properties."""

    places: list[int] = field(default_factory=list)  # among all nodes read
    pages: list[Page] = field(default_factory=list)


class Neo4jReader:
    """Reads what was asked for."""

    def __init__(self, run: Run, card: Card, choice: Choice, uri: str = "") -> None:
        self.run, self.card, self.choice, self.uri = run, card, choice, uri
        self.tally = Tally()
        self.aside: list[Quarantined] = []
        self.elements: list[str] = []  # element id of every node, in the order of reading
        self.degrees: list[int] = []
        self.found: dict[str, list[str]] = {}  # element ids of each type, in order of its rows

    def graph(self) -> KnowledgeGraph:
        """Raises StoreError for a name that is not there, or an id that occurs twice."""
        sets = self.run("MATCH (n) RETURN labels(n), count(*)")
        homes = Homes.of(sets, self.card, self.choice.labels)
        keys = keys_of(homes, self.run(CONSTRAINTS), self.choice.keys, self.choice.likely)
        types = self.types()
        nodes, found = {}, {}
        parts = self.parts(homes, keys)
        where = np.full((2, len(self.elements)), -1, np.int64)  # type and row of every node
        for at, home in enumerate(homes.order):
            nodes[home], found[home], rows = self.nodes(home, keys[home], parts[home])
            where[0, parts[home].places], where[1, parts[home].places] = at, rows
        edges = self.edges(homes, types, where) if types else {}
        predicates = self.card.predicates
        if self.choice.labels is not None or self.choice.relationships is not None:
            kept = {relation for _, relation, _ in edges}
            predicates = {name: iri for name, iri in predicates.items() if name in kept}
        made_up = [home for home, key in found.items() if key.property is None and nodes[home]]
        report = DataReport(dict(self.tally.counts), tuple(self.aside), self.warnings(made_up))
        name = self.run("CALL db.info() YIELD id RETURN id")[0][0]
        return KnowledgeGraph(nodes, edges, dict(predicates), report, Origin(self.uri, name, found))

    def types(self) -> list[str]:
        """Relationship types to read: those asked for, without those denied."""
        there = {row[0] for row in self.run("MATCH ()-[r]->() RETURN DISTINCT type(r)")}
        known = dict.fromkeys([*(r for _, r, _ in self.card.edges), *sorted(there)])
        for names in (self.choice.relationships, self.choice.deny):
            chosen(names, known, "relationship type")
        kept = chosen(self.choice.relationships, known, "relationship type")
        return [name for name in kept if name not in self.choice.deny]

    def parts(self, homes: Homes, keys: Mapping[str, str]) -> dict[str, Part]:
        """All nodes; again where others change the database meanwhile and nodes are missed."""
        for _ in range(TRIES):
            parts = {home: Part() for home in homes.order}
            self.elements, self.degrees = [], []
            met: set[str] = set()
            wanted = self._with(self.choice.properties, keys.values())
            for label in [None] if self.choice.labels is None else homes.order:
                for page in node_pages(self.run, label, wanted):
                    home = homes.sets.get(page.labels)
                    if home is None or label not in (None, home):
                        continue
                    parts[home].places += range(
                        len(self.elements), len(self.elements) + len(page.ids)
                    )
                    parts[home].pages.append(page)
                    self.elements += page.ids
                    self.degrees += page.degrees
                    met.update(page.ids)
            sizes = self.run("MATCH (n) RETURN labels(n), count(*)")
            total = sum(count for labels, count in sizes if tuple(labels) in homes.sets)
            if len(met) == len(self.elements) == total:
                return parts
        raise StoreError(
            f"{self.uri}: nodes came and went each of the {TRIES} times that the database was "
            "read; read it when nobody writes, or read a copy"
        )

    def nodes(self, home: str, key: str, part: Part) -> tuple[Nodes, Key, Ints]:
        """Nodes of a type in order of id, how they are found, and the row of each as it came."""
        elements = [one for page in part.pages for one in page.ids]
        values = gathered([(len(page.ids), page.values) for page in part.pages])
        own = values.get(key, [None] * len(elements))
        kinds = {value.__class__ for value in own} - {type(None)}
        usable = kinds <= {str, int} and bool(kinds)
        ids = [
            str(value) if usable and value is not None else MADE_UP + element
            for value, element in zip(own, elements, strict=True)
        ]
        order = np.array(sorted(range(len(ids)), key=ids.__getitem__), np.int64)
        ids = [ids[at] for at in order.tolist()]
        self.found[home] = [elements[at] for at in order.tolist()]
        twice = next((a for a, b in pairwise(ids) if a == b), None)
        if twice is not None:
            raise StoreError(
                f"two {home} nodes have the {key} {twice!r}; make it unique, or name another "
                f"property as the key of {home}"
            )
        given = values.pop(ID, None)
        if given is not None and key != ID:
            values[OTHER_ID] = given
        sets = [page.labels for page in part.pages for _ in page.ids]
        if any(len(labels) > 1 for labels in sets) and home not in self.card.nodes:
            name = LABELS if LABELS not in values else f"{LABELS}_"
            values[name] = [[home, *(one for one in labels if one != home)] for labels in sets]
        types = self.card.nodes.get(home, {})
        frame = table(values, order, types, self.choice.properties, self.tally)
        self.set_aside(home, ids)
        rows = np.empty(len(ids), np.int64)
        rows[order] = np.arange(len(ids))
        whole = kinds == {int}
        return Nodes(Vocabulary(ids), frame), Key(home, key if usable else None, whole), rows

    def edges(self, homes: Homes, types: Sequence[str], where: Ints) -> dict[EdgeType, Edges]:
        """Edges by the types of their ends, in order of the rows of their ends."""
        order = list(homes.order)
        asked = self.choice.relationships
        out: dict[EdgeType, Edges] = {}
        for ends in self.card.edges:
            if ends[0] in order and ends[2] in order and (asked is None or ends[1] in asked):
                out[ends] = self.joined(ends, np.zeros((2, 0), np.int64), {})
        pages = relationship_pages(
            self.run, self.elements, self.degrees, types, self._with(self.choice.properties, [KEY])
        )
        found: dict[str, list[Any]] = {}
        for page in pages:
            found.setdefault(page.type, []).append(page)
        for type in sorted(found):
            source = np.concatenate([page.source for page in found[type]])
            target = np.concatenate([page.target for page in found[type]])
            places = np.stack([source, target])
            values = gathered([(len(page.source), page.values) for page in found.pop(type)])
            inside = np.flatnonzero(places[1] >= 0)  # both ends were there when nodes were read
            kinds = where[0][places[:, inside]]
            for pair in np.unique(kinds, axis=1).T:
                held = inside[(kinds == pair[:, None]).all(0)]
                ends = order[pair[0]], type, order[pair[1]]
                rows = where[1][places[:, held]]
                some = {
                    name: [column[at] for at in held.tolist()] for name, column in values.items()
                }
                out[ends] = self.joined(ends, rows, some)
        written = [ends for ends in self.card.edges if ends in out]
        return {ends: out[ends] for ends in dict.fromkeys([*written, *sorted(out)])}

    def joined(self, ends: EdgeType, rows: Ints, values: dict[str, list[Any]]) -> Edges:
        """Edges between two types; parallel ones in the order in which they were written."""
        number = [value or 0 for value in values.pop(KEY, [0] * rows.shape[1])]
        order = np.lexsort((np.asarray(number, np.int64), rows[1], rows[0]))
        types = self.card.edges.get(ends, {})
        frame = table(values, order, types, self.choice.properties, self.tally)
        self.set_aside(f"[:{ends[1]}]", [f"{ends[0]}-{ends[2]} {k}" for k in range(len(order))])
        return Edges(rows[0][order], rows[1][order], frame)

    def set_aside(self, label: str, ids: Sequence[str]) -> None:
        """Values that the last table left out, with the node that they are of."""
        for name, row, value in self.tally.left_out:
            told = {"label": label, "id": ids[row], "property": name, "value": value}
            self.aside.append(Quarantined(self.uri, 0, "a date that no calendar has", told))
        self.tally.left_out.clear()

    def _with(self, properties: Collection[str] | None, more: Iterable[str]) -> list[str] | None:
        return None if properties is None else [*properties, *more]

    def warnings(self, made_up: Sequence[str]) -> tuple[str, ...]:
        """What a person should know; ids that were made up are logged as well."""
        out = []
        for home in made_up:
            out.append(
                f"no key of {home} nodes: their ids are made of element ids, which change when "
                f"the database is restored; name one: keys.{home} = a property"
            )
            logger.warning(out[-1])
        for row in self.aside[:3]:
            told = row.row
            assert not isinstance(told, str)
            out.append(
                f"{told['label']} {told['id']}: {told['property']} is {told['value']}, "
                "a date that no calendar has; left out"
            )
        return tuple(out)
