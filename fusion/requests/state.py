"""What a recommender knows at one moment: never changed, only replaced by another."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from trefoil.data.errors import ConfigError, DataError
from trefoil.data.interactions import Bools
from trefoil.data.manifest import load_manifest
from trefoil.evaluation.by_group import popularity_parts
from trefoil.fusion.catalogue import Catalogue
from trefoil.fusion.plan.plan import Plan
from trefoil.fusion.plan.remembered import Remembered
from trefoil.fusion.requests.filters import Filter, Filters
from trefoil.fusion.requests.groups import Groups, groups_of
from trefoil.fusion.requests.held_model import HeldModel
from trefoil.kg.graph import KnowledgeGraph, Origin
from trefoil.kg.paths.explain import PathIndex
from trefoil.kg.stores.open import open_store
from trefoil.kg.stores.run_graph import graph_files

if TYPE_CHECKING:
    from trefoil.fusion.ensemble.ensemble import Ensemble

Purpose = Literal["judge", "serve"]
MOST_REASONS = 20_000  # items whose reasons are remembered


class HeldGraph:
    """A graph in memory, or in the store of a run, read once when first needed.

    The run's manifest tells which database the graph came from, if it did.
    """

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
        self.reasons: Remembered[Any] = Remembered(MOST_REASONS, len)
        self._lock = threading.RLock()

    @classmethod
    def of_run(cls, run: Path, low_below: float | None) -> "HeldGraph":
        """The graph of a run as it is now: one that is put in its place later is refused."""
        return cls(None, run.absolute(), low_below, graph_files(run))

    @property
    def told(self) -> bool:
        """Whether it is another graph than that of the run's folder."""
        return self._store is None

    @property
    def graph(self) -> KnowledgeGraph:
        with self._lock:
            if self._graph is None:
                if self._store is None:
                    raise ConfigError("this recommender has no graph; call fit() or load()")
                self._check(self._store)
                with open_store(self._store) as store:
                    graph = store.read()
                told = load_manifest(self._store).get("origin")
                self._graph = replace(graph, origin=told and Origin.parse(told))
            return self._graph

    def _check(self, run: Path) -> None:
        """Raises DataError where the run went, or another has its place."""
        if self._files is None:
            return
        try:
            now = graph_files(run)
        except (OSError, DataError):
            now = None
        if now != self._files:
            raise DataError(
                f"{run}: gone or replaced after it was loaded, so its graph cannot be read; load "
                "it again, or ask with reasons=0"
            )

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
    held back for an exam. ``number`` counts the changes since training, and ``digest`` names
    the model.
    """

    voice: HeldModel
    catalogue: Catalogue
    held: HeldGraph
    purpose: Purpose = "judge"
    folder: Path | None = None
    number: int = 0
    digest: str = ""
    filters: Filters = field(default_factory=Filters, compare=False)  # remembered, no knowledge

    @property
    def name(self) -> str:
        """The name of the run, of one that is not saved the name of its data."""
        return self.catalogue.name if self.folder is None else self.folder.name

    @property
    def token(self) -> str:
        """Names this state; of one model, a later one has a higher number before the dash."""
        return f"{self.number}-{self.digest}"

    def fitting(self, where: object) -> Filter:
        """The items that fit a filter. Raises ConfigError for what is none."""
        return self.filters.of(where, self.catalogue.items, self.held, lambda: self.held.graph)

    def has_read(self, where: object) -> bool:
        """Whether the items that fit a filter are known already; so where there is none."""
        return where is None or self.filters.has(where, self.catalogue.items, self.held)

    def groups(self, name: str) -> Groups | None:
        """Items by a column or a relation; None where there is none of that name."""
        items = self.catalogue.items
        return self.filters.kept(
            f"groups {name}", items, self.held, lambda: groups_of(name, items, self.held.graph)
        )

    def popularity(self, part: str) -> Bools:
        """The popular, middle or rare items [items], by the positive events of the run."""
        events, size = self.catalogue.events, len(self.catalogue.items)

        def made() -> Mapping[str, Bools]:
            return popularity_parts(np.bincount(events.item[events.positive], minlength=size))

        key = f"popularity {self.token}"
        return self.filters.kept(key, self.catalogue.items, self.held, made)[part]

    def has(self, token: str) -> bool:
        """Whether this is the state of a token, or a later one of the same model."""
        number, _, digest = token.partition("-")
        return digest == self.digest and int(number) <= self.number

    @property
    def model(self) -> "Ensemble":
        """All that was learned; read from the run when first needed, for more than scores."""
        return self.voice.ensemble

    def with_model(self, model: "Ensemble") -> "State":
        """The same with another model."""
        return replace(self, voice=HeldModel(model))

    @property
    def scorer(self) -> Plan:
        """What scores and expects ratings."""
        return self.voice.plan

    @property
    def added(self) -> int:
        """How many items came after training."""
        return self.scorer.items - self.scorer.parts.learned
