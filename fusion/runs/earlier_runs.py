"""Runs of version 0.1.0 before catalogues had files of their own, read as they are."""

import logging
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from trefoil.data.interactions import UNKNOWN_TIME, Categorical, Interactions, Ints
from trefoil.data.split import TRAIN
from trefoil.evaluation.exam import Sets
from trefoil.fusion.catalogue import Catalogue
from trefoil.fusion.record import Record, load_history
from trefoil.fusion.runs.catalogue import load_vocabularies

log = logging.getLogger(__name__)


def earlier_catalogue(
    folder: Path, tensors: Mapping[str, Tensor], structure: Mapping[str, Any]
) -> Catalogue:
    """The catalogue of such a run: training and validation events, without their contexts."""
    users, items = load_vocabularies(folder)
    history = tensors["history.item"].numpy()
    start = tensors["history.start"].numpy()
    reader = np.repeat(np.arange(len(users)), np.diff(start))
    at = tensors["history.at"].numpy() if "history.at" in tensors else None
    met = Sets(tensors["met.start"].numpy(), tensors["met.item"].numpy())
    owner = np.repeat(np.arange(len(users)), np.diff(met.start))
    key = len(items)
    other = ~np.isin(owner * key + met.item, reader * key + history)
    events = _events(reader, history, at, owner[other], met.item[other])
    scenarios = structure["scenarios"]
    if scenarios:
        log.warning(
            "%s: an earlier version saved this run without the contexts of histories; train again "
            "where people return to items",
            folder,
        )
    unknown = np.full(len(events), -1)
    columns = {name: Categorical(unknown, tuple(names)) for name, names in scenarios.items()}
    events, part = replace(events, scenario=columns), np.full(len(events), TRAIN)
    return Catalogue(structure["name"], users, items, events, part, "hide", True)


def earlier_record(folder: Path, notes: Mapping[str, Any]) -> tuple[Record, dict[str, float]]:
    """What such a run tells of its training, and validation NDCG@10 of each model alone."""
    told = {one.name: notes[one.name] for one in fields(Record) if one.name in notes}
    only = {name: mark for name, mark in notes["gate"].items() if name.startswith("only ")}
    told["history"] = load_history(folder)
    return Record(**told), {name.removeprefix("only "): mark for name, mark in only.items()}


def _events(user: Ints, item: Ints, at: Ints | None, others: Ints, met: Ints) -> Interactions:
    """Positives that were read, and what else was met, of which no time is known."""
    return Interactions(
        np.concatenate([user, others]),
        np.concatenate([item, met]),
        np.arange(len(user) + len(others)) < len(user),
        at=None if at is None else np.concatenate([at, np.full(len(others), UNKNOWN_TIME)]),
    )
