"""The graph of a run in memory, asked in Cypher as Neo4j has it; no server is needed."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from trefoil.data.errors import StoreError
from trefoil.data.progress import Progress
from trefoil.kg.cypher.guard import check
from trefoil.kg.cypher.parameters import check_parameters
from trefoil.kg.graph import KnowledgeGraph
from trefoil.kg.stores.base import ROWS, SECONDS, Answer, GraphStore, Schema, chosen
from trefoil.kg.stores.folder import found, replacing
from trefoil.kg.stores.kglite.card import CARD, COLUMNS, FILE, Card
from trefoil.kg.stores.kglite.changes import changed_card, counts, read_back
from trefoil.kg.stores.kglite.columns import Columns, check_integers, write_columns
from trefoil.kg.stores.kglite.elsewhere import Failed, build_elsewhere
from trefoil.kg.stores.kglite.engine import Engine
from trefoil.kg.stores.kglite.library import ROOM, has_room
from trefoil.kg.stores.kglite.values import KgliteCells
from trefoil.kg.stores.run_graph import FOLDER, begin_changing, check_graph, end_changing


class KgliteStore(GraphStore):
    """A store folder, or the ``graph/`` folder of a run.

    Opened read-only by any number of threads and processes, each with the graph in
    memory from the first question on, its own or that of a process it starts for the
    engine; reading the graph back needs no engine.
    ``write``, and each statement that writes, put a whole new store in the place of
    the old one, which open readers keep.
    """

    dialect = "kglite"

    def __init__(self, target: str | Path, *, read_only: bool = True) -> None:
        self.path = store_folder(Path(target))
        self.read_only = read_only
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._card: Card | None = None
        self._open = False
        if (found(self.path, CARD) / FILE).exists():
            self._begin()
        elif read_only:
            raise StoreError(
                f"{target}: no graph store here (no {FILE}); give a run folder, a store folder"
                " or a neo4j:// address"
            )

    def _begin(self) -> None:
        self._lies = found(self.path, CARD)
        self._card = Card.load(self._lies)
        check_graph(self.path)
        self._open = True
        if not self.read_only:
            begin_changing(self.path)

    def close(self) -> None:
        if self._open and not self.read_only:
            end_changing(self.path)
        if self._engine is not None:
            self._engine.close()
        self._open, self._engine = False, None

    @property
    def card(self) -> Card:
        if self._card is None or not self._open:
            raise StoreError(f"{self.path}: the store is closed or was never written")
        return self._card

    @property
    def engine(self) -> Engine:
        """The graph in memory, loaded when it is first asked."""
        card = self.card
        with self._lock:
            if self._engine is None or self._engine.ended:
                self._engine = self._loaded(card)
            return self._engine

    def _loaded(self, card: Card) -> Engine:
        try:
            return Engine.load(self._lies / FILE, card.nodes, card.types, frozen=self.read_only)
        except StoreError:
            if card.changed:
                raise
            # a file of another version of the engine: the columns say what was in it
            with tempfile.TemporaryDirectory() as folder:
                fresh = Path(folder) / FOLDER
                write_kglite(self.read(), fresh)
                return Engine.load(fresh / FILE, card.nodes, card.types, frozen=self.read_only)

    def schema(self) -> Schema:
        card = self.card
        return Schema(
            {label: {"id": "string"} | dict(part.properties) for label, part in card.nodes.items()},
            {ends: dict(part.properties) for ends, part in card.edges.items()},
        )

    def write(self, graph: KnowledgeGraph, progress: Progress | None = None) -> None:
        """Replace the store by this graph."""
        if self.read_only:
            raise StoreError(f"{self.path} was opened read-only; open it with read_only=False")
        self._engine = None
        write_kglite(graph, self.path, progress=progress)
        self._begin()

    def read(
        self,
        *,
        labels: Collection[str] | None = None,
        relationships: Collection[str] | None = None,
        properties: Collection[str] | None = None,
    ) -> KnowledgeGraph:
        card, schema = self.card, self.schema()
        kept = chosen(labels, schema.labels, "label")
        types = chosen(relationships, schema.types, "relationship type")
        chosen(properties, schema.properties, "property")
        if card.changed:
            graph = read_back(self.engine, card, kept, types, properties)
        else:
            graph = Columns(self._lies / COLUMNS, card).graph(kept, types, properties)
        predicates = card.predicates
        if labels is not None or relationships is not None:
            present = {relation for _, relation, _ in graph.edges}
            predicates = {name: iri for name, iri in predicates.items() if name in present}
        return KnowledgeGraph(graph.nodes, graph.edges, dict(predicates))

    def verify(self, graph: KnowledgeGraph) -> list[str]:
        """As every store, and that the engine holds as many nodes and edges as the columns."""
        return super().verify(graph) + counts(self.engine, self.card)

    def ask(
        self,
        cypher: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        limit: int = ROWS,
        timeout_s: float = SECONDS,
        write: bool = False,
    ) -> Answer:
        checked = check(cypher, "kglite", write=write)
        if write and self.read_only:
            raise StoreError(f"{self.path} was opened read-only; open it with read_only=False")
        check_parameters(checked.tokens, parameters or {})
        started = time.perf_counter()
        engine = self.engine
        rows = engine.ask(checked, parameters, limit=limit, timeout_s=timeout_s)
        table = KgliteCells(engine).table(rows)
        if write:
            self._keep(engine)
        return Answer(table, rows.cut, time.perf_counter() - started)

    def _keep(self, engine: Engine) -> None:
        """Save what a statement has made of the graph; where that is wrong, forget it."""
        try:
            card = changed_card(engine, self.card)
        except StoreError:
            self._engine = None
            raise
        with replacing(self.path) as fresh:
            engine.save(fresh / FILE)
            card.save(fresh)
        self._card, self._lies = card, self.path
        engine.labels, engine.types = set(card.nodes), set(card.types)


def write_kglite(
    graph: KnowledgeGraph, path: str | Path, *, progress: Progress | None = None
) -> None:
    """Write a graph as a store folder, such as ``runs/demo/graph``; an old one is replaced.

    ``path`` never holds half a graph. Raises StoreError for names or values that
    cannot be kept.
    """
    try:
        check_integers(graph)
    except OverflowError as fault:
        raise StoreError(f"the graph cannot be kept by the embedded engine: {fault}") from fault
    with replacing(Path(path)) as fresh:
        card = Card(*write_columns(graph, fresh / COLUMNS), dict(graph.predicates))
        if has_room():
            from trefoil.kg.stores.kglite.build import built  # pandas, which readers do without

            Engine(built(graph, progress)).save(fresh / FILE)
        else:
            (fresh / FILE).touch()
            card.save(fresh)
            try:
                build_elsewhere(fresh, ROOM)
            except Failed as fault:
                raise StoreError(f"{path}: the graph engine could not keep it: {fault}") from None
        card.save(fresh)


def build(folder: str) -> None:
    """Make the engine's file of a folder from its columns and card, in a process of its own."""
    from trefoil.kg.stores.kglite.build import built

    card = Card.load(Path(folder))
    graph = Columns(Path(folder) / COLUMNS, card).graph(card.nodes, card.types)
    Engine(built(graph)).save(Path(folder) / FILE)


def store_folder(target: Path) -> Path:
    """The folder that holds the store's files: itself, or ``graph/`` of a run."""
    if target.name == FILE:
        return target.parent
    inner = target / FOLDER
    if not (target / FILE).exists() and (found(inner, CARD) / FILE).exists():
        return inner
    return target
