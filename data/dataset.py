"""One dataset: events, items, users, and where the graph comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import polars as pl

from data.interactions import Interactions
from data.items import Items, Users
from data.report import DataReport


@dataclass(frozen=True)
class GraphSource:
    """Where the knowledge graph comes from and how items are linked to it.

    ``table`` holds columns head, relation, tail (text) where a source built the
    triples itself. ``link`` holds columns item, entity (text; an entity is an
    IRI, or a name of a table); without it an item's entity is ``iri`` with
    ``{id}`` replaced. The ``kg`` package reads it.
    """

    files: tuple[Path, ...] = ()
    table: pl.DataFrame | None = None
    neo4j: str | None = None
    link: pl.DataFrame | None = None
    iri: str = "urn:item:{id}"
    names: Mapping[str, str] = field(default_factory=dict)
    languages: tuple[str, ...] = ("en", "")
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


@dataclass(frozen=True)
class SplitRule:
    """How events are divided; see ``data.split``."""

    by: Literal["time", "ratio", "leave-one-out", "given"] = "ratio"
    valid: float = 0.1
    test: float = 0.1


@dataclass(frozen=True)
class Dataset:
    """Everything a model may learn from; rows of events point into ``users`` and ``items``.

    ``fingerprint`` is the SHA-256 of the parsed content, graph included.
    """

    name: str
    interactions: Interactions
    users: Users
    items: Items
    graph: GraphSource | None
    rule: SplitRule
    report: DataReport
    fingerprint: str
    licence: str | None = None
