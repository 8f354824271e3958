"""The demo that comes with the package: real films, simulated people.

Films rated three stars or more, or not rated at all, are positives. One border
in time divides the events 80:10:10, so that the last films and people are new.
"""

from __future__ import annotations

from pathlib import Path

from trefoil.data.dataset import GraphSource, SplitRule
from trefoil.data.demo import read_catalogue, simulate, turtle_files
from trefoil.data.readers.assemble import Tables
from trefoil.data.readers.entities import EntityColumns
from trefoil.data.readers.events import EventColumns
from trefoil.data.readers.tables import Table
from trefoil.data.sources.source import Source


def read(_: Path) -> Tables:
    """The catalogue, its Turtle as graph, and a freshly simulated audience, always the same."""
    catalogue = read_catalogue()
    return Tables(
        Table.of(simulate(catalogue), "demo events"),
        EventColumns(
            "user_id", "item_id", "rating", 3, "at", "kind", scenario=("device", "daypart")
        ),
        Table.of(catalogue.items, "demo items"),
        EntityColumns("item_id", "title", ("title", "synopsis"), ("genre", "country"), ("year",)),
        graph=GraphSource(tuple(turtle_files())),
    )


DEMO = Source(
    "demo", "part of Trefoil; films are real, events are simulated", read, SplitRule("time")
)
