"""What happened, as arrays: events, items, users and their split."""

from trefoil.data.dataset import Dataset, GraphSource, SplitRule
from trefoil.data.errors import (
    ConfigError,
    DataError,
    GraphDataError,
    SplitError,
    StoreError,
    TrainingError,
    UnknownId,
)
from trefoil.data.histories import Cases, Histories
from trefoil.data.interactions import Categorical, Interactions
from trefoil.data.items import Items, Labels, Users
from trefoil.data.read import read_dataset
from trefoil.data.readers.entities import EntityColumns
from trefoil.data.readers.events import EventColumns
from trefoil.data.readers.frames import dataset_of
from trefoil.data.readers.in_memory import read_frames
from trefoil.data.readers.quarantine import write_quarantine
from trefoil.data.report import DataReport
from trefoil.data.split import Split, split_events
from trefoil.data.vocabulary import Vocabulary, id_text

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
    "read_frames",
    "split_events",
    "write_quarantine",
]
