"""Recommendations from behaviour, texts and a knowledge graph: the public names."""

from data import Dataset, SplitRule, read_dataset, split_events
from fusion.recommender import Recommendation, Recommender
from fusion.settings import Settings, load_settings
from kg import KnowledgeGraph, open_store, read_neo4j, read_rdf

__all__ = [
    "Dataset",
    "KnowledgeGraph",
    "Recommendation",
    "Recommender",
    "Settings",
    "SplitRule",
    "load_settings",
    "open_store",
    "read_dataset",
    "read_neo4j",
    "read_rdf",
    "split_events",
]
