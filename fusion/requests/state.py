"""What a recommender knows at one moment: never changed, only replaced by another."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trefoil.data.errors import ConfigError, DataError
from trefoil.fusion.catalogue import Catalogue
from trefoil.fusion.ensemble.ensemble import Ensemble
from trefoil.kg.graph import KnowledgeGraph
from trefoil.kg.paths.explain import PathIndex
from trefoil.kg.stores.embedded.run_graph import graph_files
from trefoil.kg.stores.open import open_store

Purpose = Literal["judge", "serve"]


class HeldGraph:
    """A graph in memory, or in the store of a run, read once when first needed."""

    def __init__(
        self,
        graph: KnowledgeGraph | None = None,
        store: Path | None = None,
        low_below: float | None = None,
        files: Mapping[str, str] | None = None,
    ) -> None:
        """``files`` are the digests that the run's manifest had when the model was read."""
        self._graph, self._store, self._low_below = graph, store, low_below
        self._files = files
        self._paths: PathIndex | None = None
        self._lock = threading.RLock()

    @property
    def graph(self) -> KnowledgeGraph:
        with self._lock:
            if self._graph is None:
                if self._store is None:
                    raise ConfigError("this recommender has no graph; call fit() or load()")
                if self._files is not None and graph_files(self._store) != self._files:
                    raise DataError(
                        f"{self._store}: its graph was replaced after this run was loaded; load "
                        "the run again"
                    )
                with open_store(self._store) as store:
                    self._graph = store.read()
            return self._graph

    @property
    def paths(self) -> PathIndex:
        with self._lock:
            if self._paths is None:
                self._paths = PathIndex(self.graph, self._low_below)
            return self._paths


@dataclass(frozen=True)
class State:
    """A model, its catalogue and its graph; ``folder`` is the run that they were read from.

    ``purpose`` is "serve" where all events were learned from, "judge" where some are
    held back for an exam.
    """

    model: Ensemble
    catalogue: Catalogue
    held: HeldGraph
    purpose: Purpose = "judge"
    folder: Path | None = None
