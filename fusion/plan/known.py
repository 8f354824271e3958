"""What a run knows of people beforehand, for as long as their history stays.

Most of what a list costs, where a Transformer or a linear system makes a query, depends on the
person alone, and so do reasons. They are made when a run is written, and taken from there until
an event comes.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trefoil.data.histories import Cases, Histories
from trefoil.data.interactions import Bools, Ints
from trefoil.fusion.plan.asked import Reals

Codes = NDArray[np.integer[Any]]  # of 32 bits
MOST_PEOPLE = 20_000  # of more, nothing is made beforehand: saving would take long
MOST_BYTES = 64_000_000


@dataclass(frozen=True)
class KnownQueries:
    """Queries of all factor forms side by side, for each person (row) without a context.

    ``names`` are the forms in order. ``digest`` stands for the history that they were made of.
    ``scales`` are mean and ``1 / spread`` of their scores over each group of items.
    """

    names: tuple[str, ...]
    queries: Reals  # users x width of all forms
    digest: Ints  # users
    scales: Reals | None = None  # users x 2 x groups x forms; runs of an earlier form have none

    def of(self, cases: Cases) -> int | None:
        """The row of a single case; None where what it needs must be made anew."""
        return row_of(cases, self.digest)


@dataclass(frozen=True)
class KnownReasons:
    """The reasons of the first items of each person's list, as codes of a graph's facts.

    ``graph`` stands for the facts that have these codes, ``digest`` for the history. Columns
    are [users, items]; ``item`` is -1 where there are fewer, ``kind`` -1 where an item has no
    reason. ``seen`` is the item of the history that is cited, ``adds`` what it adds.
    """

    graph: str
    digest: Ints
    item: Codes
    liked: Bools
    kind: Codes
    seen: Codes
    fact: Codes
    other: Codes
    weight: Reals
    adds: Reals


@dataclass(frozen=True)
class Shortlist:
    """How many candidates there are, and what that costs: measured on people of the run.

    ``recall`` is the share of the exact first items that are found, ``equal`` the share of
    places with the same item. ``narrow`` says that of many items without events only the best
    by a first look are candidates; runs of an earlier form have all.
    """

    size: int
    recall: float
    equal: float
    narrow: bool = False


def row_of(cases: Cases, digest: Ints) -> int | None:
    """The user of a single case whose history is that of ``digest`` [users]; else None."""
    user = int(cases.user[0])
    if not 0 <= user < len(digest) or cases.attributes is not None or not _plain(cases):
        return None
    return user if digest_of(cases.history, 0) == digest[user] else None


def digests_of(histories: Histories) -> Ints:
    """A number for each history, by its items and their times."""
    return np.array([digest_of(histories, case) for case in range(len(histories))], np.int64)


def digest_of(histories: Histories, case: int) -> int:
    """A number for a history, by its items and their times."""
    span = slice(int(histories.start[case]), int(histories.start[case + 1]))
    told = hashlib.blake2b(histories.item[span].astype(np.int64).tobytes(), digest_size=8)
    if histories.at is not None:
        told.update(histories.at[span].astype(np.int64).tobytes())
    return int.from_bytes(told.digest(), "little", signed=True)


def room_for(people: int, widths: Sequence[int]) -> bool:
    """Whether queries of these widths are made beforehand for so many people."""
    return 0 < people <= MOST_PEOPLE and 0 < 4 * people * sum(widths) <= MOST_BYTES


def _plain(cases: Cases) -> bool:
    """Whether a case names no context that a query may read."""
    return all(codes[0] < 0 for codes in cases.scenario.values())
