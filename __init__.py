"""Recommendations from behaviour, texts and a knowledge graph: the public names.

A name is imported when it is first asked for, so ``import trefoil`` alone loads nothing heavy.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trefoil.data import Dataset, SplitRule, read_dataset, read_frames, split_events
    from trefoil.fusion.checking import check_recommender
    from trefoil.fusion.recommendation import Recommendation
    from trefoil.fusion.recommender import Recommender
    from trefoil.fusion.settings import Settings, load_settings
    from trefoil.kg import KnowledgeGraph, open_store, read_neo4j, read_rdf

# Threads that wait give their core away, where torch and numpy are not there yet: those that spin
# cost twice the time of one thread.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "14")  # of numpy: after 2^14 turns of a clock

_HOMES = {
    "Dataset": "trefoil.data",
    "KnowledgeGraph": "trefoil.kg",
    "Recommendation": "trefoil.fusion.recommendation",
    "Recommender": "trefoil.fusion.recommender",
    "Settings": "trefoil.fusion.settings",
    "SplitRule": "trefoil.data",
    "check_recommender": "trefoil.fusion.checking",
    "load_settings": "trefoil.fusion.settings",
    "open_store": "trefoil.kg",
    "read_dataset": "trefoil.data",
    "read_frames": "trefoil.data",
    "read_neo4j": "trefoil.kg",
    "read_rdf": "trefoil.kg",
    "split_events": "trefoil.data",
}

__all__ = [
    "Dataset",
    "KnowledgeGraph",
    "Recommendation",
    "Recommender",
    "Settings",
    "SplitRule",
    "check_recommender",
    "load_settings",
    "open_store",
    "read_dataset",
    "read_frames",
    "read_neo4j",
    "read_rdf",
    "split_events",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
