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


STRUCTURE = {
    "added": "cold_items",
    "clicks": "click_gate",
    "leaves": "base_models",
    "newcomers": "cold_users",
    "rates": "rating_blend",
    "shape": "network_config",
}
MODELS = {
    "people": "demographics",
    "popular-lately": "recent-popularity",
    "ratings": "rating-process",
    "walks": "random-walks",
}


def with_todays_names(
    tensors: Mapping[str, Tensor], structure: Mapping[str, Any]
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and model.json of any version, under the names that this one gives."""
    tensors, structure = _with_heads(tensors, structure)
    if "leaves" not in structure:
        return tensors, structure
    found = {STRUCTURE.get(name, name): value for name, value in structure.items()}
    found["base_models"] = _renamed(found["base_models"])
    for name in ("gate", "click_gate", "cold_users"):
        if gate := found.get(name):
            names = [MODELS.get(one, one) for one in gate["leaves"]]
            found[name] = {key: gate[key] for key in gate if key != "leaves"} | {
                "base_models": names
            }
    if config := found.get("network_config"):
        spans = {"time_gaps": config["spans"]}
        found["network_config"] = {key: config[key] for key in config if key != "spans"} | spans
    if notes := found.get("notes"):
        of_models = {part: _renamed(notes[part]) for part in ("chosen", "seconds", "gate")}
        found["notes"] = {**notes, **of_models, "cold_users": notes.get("newcomers", {})}
    return _renamed(tensors), found


HEADS = {"choice": "category", "numbers": "attributes", "star": "rating"}


def _with_heads(
    tensors: Mapping[str, Tensor], structure: Mapping[str, Any]
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """A run from before heads had one place: each under the name of its task."""
    if "heads" in structure or "networks" not in structure:
        return dict(tensors), dict(structure)
    counts = {"category": structure["categories"], "attributes": structure.get("numbers", 0)}
    heads = {name: count for name, count in counts.items() if count} | {"rating": 1}
    found = {}
    for name, tensor in tensors.items():
        top, number, rest = [*name.split(".", 2), "", ""][:3]
        old, mark, part = rest.replace("star_", "star.").partition(".")
        kept = not (top == "network" and mark and old in HEADS)
        found[name if kept else f"network.{number}.heads.{HEADS[old]}.{part}"] = tensor
    return found, {**structure, "heads": heads}


def _renamed(named: Mapping[str, Any]) -> dict[str, Any]:
    """The same, with today's name of a base model where a name is, begins or ends with it."""
    found = {}
    for name, value in named.items():
        ahead = "only " if name.startswith("only ") else ""
        model, dot, rest = name.removeprefix(ahead).partition(".")
        found[f"{ahead}{MODELS.get(model, model)}{dot}{rest}"] = value
    return found


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
