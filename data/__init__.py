"""What happened, as arrays: events, items, users and their split."""

from data.dataset import Dataset, GraphSource, SplitRule
from data.errors import ConfigError, DataError, GraphDataError, SplitError, StoreError, UnknownId
from data.histories import Cases, Histories
from data.interactions import Categorical, Interactions
from data.items import Items, Labels, Users
from data.read import read_dataset
from data.report import DataReport
from data.split import Split, split_events
from data.vocabulary import Vocabulary

__all__ = [
    "Cases",
    "Categorical",
    "ConfigError",
    "DataError",
    "DataReport",
    "Dataset",
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
    "UnknownId",
    "Users",
    "Vocabulary",
    "read_dataset",
    "split_events",
]
