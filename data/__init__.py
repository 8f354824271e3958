"""What happened, as arrays: events, items, users and their split."""

from data.dataset import Dataset, GraphSource, SplitRule
from data.entities import EntityColumns
from data.errors import (
    ConfigError,
    DataError,
    GraphDataError,
    SplitError,
    StoreError,
    TrainingError,
    UnknownId,
)
from data.events import EventColumns
from data.frames import dataset_of
from data.histories import Cases, Histories
from data.interactions import Categorical, Interactions
from data.items import Items, Labels, Users
from data.read import read_dataset
from data.report import DataReport
from data.sieve import write_quarantine
from data.split import Split, split_events
from data.vocabulary import Vocabulary, id_text

__all__ = [
    "Cases",
    "Categorical",
    "ConfigError",
    "DataError",
    "DataReport",
    "Dataset",
    "EntityColumns",
    "EventColumns",
    "GraphDataError",
    "GraphSource",
    "Histories",
    "Interactions",
    "Items",
    "Labels",
    "Split",
    "SplitError",
    "SplitRule",
    "StoreError",
    "TrainingError",
    "UnknownId",
    "Users",
    "Vocabulary",
    "dataset_of",
    "id_text",
    "read_dataset",
    "split_events",
    "write_quarantine",
]
