"""The graph stores of served models, opened when first asked, closed when their model leaves."""

import tempfile
import threading
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from trefoil.fusion.requests.state import HeldGraph
from trefoil.kg.stores.base import GraphStore
from trefoil.kg.stores.open import open_store, write_graph
from trefoil.serving.hosting.host import Model


@dataclass
class Held:
    """An open store of a graph, and how many statements are at it."""

    graph: HeldGraph
    store: GraphStore
    room: ExitStack  # what goes with the store: the folder of one that was written for asking
    asking: int = 0
    leaving: bool = False

    def close(self) -> None:
        """Close the store and remove its folder, unless a statement is at it."""
        self.leaving = True
        if not self.asking:
            self.room.close()


class GraphStores:
    """One read-only store for each loaded model that was asked.

    It holds the graph as the model knows it: that of the run's folder until facts or items
    are told, then one that is written beside, when next asked.
    """

    def __init__(self) -> None:
        self._open: dict[str, Held] = {}
        self._opening = threading.Lock()  # held for as long as a store is written
        self._lock = threading.Lock()

    @contextmanager
    def of(self, model: Model) -> Iterator[GraphStore]:
        """The store of a model's graph, which stays open as long. Raises StoreError, DataError."""
        held = self._current(model)
        try:
            yield held.store
        finally:
            with self._lock:
                held.asking -= 1
                if held.leaving:
                    held.close()

    def _current(self, model: Model) -> Held:
        """The store of the graph as it is now, with one statement more at it."""
        graph = model.recommender.state.held
        with self._opening:
            held = self._asked(model.name, graph)
            if held is None:
                made = _opened(model.folder, graph)
                with self._lock:
                    before = self._open.get(model.name)
                    self._open[model.name] = held = made
                    held.asking += 1
                    if before is not None:
                        before.close()
            return held

    def _asked(self, name: str, graph: HeldGraph) -> Held | None:
        with self._lock:
            held = self._open.get(name)
            if held is None or held.graph is not graph:
                return None
            held.asking += 1
            return held

    def keep(self, names: Collection[str]) -> None:
        """Close the stores of all other models, each after its last statement."""
        with self._lock:
            for name in [name for name in self._open if name not in names]:
                self._open.pop(name).close()

    def close(self) -> None:
        """Close all of them."""
        self.keep(())


def _opened(run: Path, graph: HeldGraph) -> Held:
    """The store of a run's folder, or one of a graph that was told more."""
    with ExitStack() as room:
        if not graph.told:
            store = open_store(run)
        else:
            folder = Path(room.enter_context(tempfile.TemporaryDirectory())) / "graph"
            write_graph(graph.graph, folder)
            store = open_store(folder)
        room.callback(store.close)
        return Held(graph, store, room.pop_all())
