"""The graph stores of served models, opened when first asked, closed when their model leaves."""

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from trefoil.kg.stores.base import GraphStore
from trefoil.kg.stores.open import open_store
from trefoil.serving.hosting.host import Model


@dataclass
class Held:
    """An open store, and how many statements are at it."""

    store: GraphStore
    asking: int = 0
    leaving: bool = False


class GraphStores:
    """One read-only store for each loaded model that was asked."""

    def __init__(self) -> None:
        self._open: dict[str, Held] = {}
        self._lock = threading.Lock()

    @contextmanager
    def of(self, model: Model) -> Iterator[GraphStore]:
        """The store of a model's run, which stays open as long. Raises StoreError, DataError."""
        with self._lock:
            held = self._open.get(model.name)
            if held is None:
                held = self._open[model.name] = Held(open_store(model.folder))
            held.asking += 1
        try:
            yield held.store
        finally:
            with self._lock:
                held.asking -= 1
                if held.leaving and not held.asking:
                    held.store.close()

    def keep(self, names: Collection[str]) -> None:
        """Close the stores of all other models, each after its last statement."""
        with self._lock:
            for name in [name for name in self._open if name not in names]:
                held = self._open.pop(name)
                held.leaving = True
                if not held.asking:
                    held.store.close()

    def close(self) -> None:
        """Close all of them."""
        self.keep(())
