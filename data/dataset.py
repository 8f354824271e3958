"""One dataset: events, items, users, and where the graph comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import polars as pl

from trefoil.data.corpus import Corpus
from trefoil.data.errors import ConfigError
from trefoil.data.given import given
from trefoil.data.interactions import Interactions
from trefoil.data.items import Items, Users
from trefoil.data.report import DataReport
from trefoil.data.shown import Shown
from trefoil.data.suggest import closest

RULES = ("time", "ratio", "leave-one-out", "given", "rows")
FOLDED = ("ratio", "rows", "given")  # rules that draw, and so can draw otherwise


@dataclass(frozen=True)
class EventQuery:
    """The statement that returned the events, and its columns of users and items."""

    text: str
    user: str
    item: str


@dataclass(frozen=True)
class GraphSource:
    """Where the knowledge graph comes from and how items are linked to it.

    ``table`` holds columns head, relation, tail (text) where a source built the
    triples itself. ``link`` holds columns item, entity (text; an entity is an
    IRI, or a name of a table); without it an item's entity is ``iri`` with
    ``{id}`` replaced. ``same_as`` says that owl:sameAs statements join entities
    into one. ``base`` resolves relative IRIs, else the place of each file does.
    ``contexts`` are local files for contexts that JSON-LD names by address. ``title``
    are predicates (IRIs or local names) that name nodes before all others. The ``kg``
    package reads it.

    Of a server, ``labels``, ``relationships`` and ``properties`` say what to read, all where
    they are empty, and ``keys`` which property of a label holds ids. ``events`` is the
    query of the events where the same database answered it: the relationships that it
    follows from users to items are no facts.
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
    same_as: bool = False
    base: str | None = None
    contexts: Mapping[str, Path] = field(default_factory=dict)
    title: tuple[str, ...] = ()
    database: str | None = None
    labels: tuple[str, ...] = ()
    relationships: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    events: EventQuery | None = None


@dataclass(frozen=True)
class SplitRule:
    """How events are divided; see ``data.split``.

    ``repeats`` keeps held-out events whose pair is also in training, for data in
    which people return to an item. ``fold`` turns what ``ratio`` and ``rows`` shuffle, and the
    validation that ``given`` carves, by so many parts: with a share of 1 / k each event is
    held out in one of the folds 0 to k - 1. With ``negatives`` a held-out item is ranked among
    so many items drawn for its case, as some papers have it, and not among all.
    """

    by: Literal["time", "ratio", "leave-one-out", "given", "rows"] = "ratio"
    valid: float = 0.1
    test: float = 0.1
    repeats: bool = False
    fold: int = 0
    negatives: int = 0

    @classmethod
    def checked(cls, value: object) -> SplitRule:
        """A rule as it is. Raises ConfigError for anything else, such as the name of one."""
        return given("split rule", value, cls, "give a SplitRule, such as SplitRule('time')")

    def __post_init__(self) -> None:
        if self.by not in RULES:
            raise ConfigError(f"split by {self.by!r}; {closest(self.by, RULES)}")
        if not (0 < self.valid < 1 and 0 < self.test < 1 and self.valid + self.test < 1):
            raise ConfigError(
                f"split shares valid={self.valid}, test={self.test}: each must lie between 0 and 1 "
                "and leave something for training"
            )
        if self.fold and (self.fold < 0 or self.by not in FOLDED):
            raise ConfigError(
                f"split.fold = {self.fold} by {self.by!r}: give 0 or more, and split by one of "
                f"{', '.join(FOLDED)}; the other rules have one way to divide"
            )


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
    columns: Mapping[str, Any] = field(default_factory=dict)  # of events, as ``EventColumns``
    corpus: Corpus | None = None  # texts with classes or numbers, beside all else
    domains: tuple[str, ...] = ()  # the shops that it was joined from; see ``data.domains``

    @classmethod
    def checked(cls, value: object) -> Dataset:
        """A dataset as it is. Raises ConfigError for anything else, such as a folder's name."""
        return given("dataset", value, cls, "give a Dataset, as read_dataset(folder) makes one")

    def shown(self) -> Shown:
        """As a table for people: what there is, and how much."""
        events, graph = self.interactions, self.graph
        rows = [
            ("users", len(self.users), ", ".join([*self.users.category, *self.users.score])),
            ("items", len(self.items), ", ".join([*self.items.category, *self.items.score])),
            ("events", len(events), ", ".join(events.scenario)),
            ("graph", None if graph is None else "yes", f"split by {self.rule.by}"),
        ]
        return Shown(self.name, ("what", "how many", "columns"), rows)

    def __repr__(self) -> str:
        counts = f"{len(self.users):,} users, {len(self.items):,} items"
        return f"Dataset({self.name!r}, {counts}, {len(self.interactions):,} events)"

    def _repr_html_(self) -> str:
        return self.shown().html()
