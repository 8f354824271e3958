"""The graph stores of served models, opened when first asked."""

import threading

from trefoil.kg.stores.base import GraphStore
from trefoil.kg.stores.open import open_store
from trefoil.serving.hosting.host import Model


class GraphStores:
    """One read-only store for each model that was asked; all are closed with the service."""

    def __init__(self) -> None:
        self._open: dict[str, GraphStore] = {}
        self._lock = threading.Lock()

    def of(self, model: Model) -> GraphStore:
        """The store of a model's run. Raises StoreError, DataError."""
        with self._lock:
            if model.name not in self._open:
                self._open[model.name] = open_store(model.folder)
            return self._open[model.name]

    def close(self) -> None:
        """Close all of them."""
        with self._lock:
            for store in self._open.values():
                store.close()
            self._open.clear()
