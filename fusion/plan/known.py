"""What a run knows of people beforehand: their queries, for as long as their history stays.

Most of what a list costs, where a Transformer or a linear system makes a query, depends on the
person alone. It is made when a run is written, and taken from there until an event comes.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trefoil.data.histories import Cases, Histories
from trefoil.data.interactions import Ints
from trefoil.fusion.plan.asked import Reals

MOST_PEOPLE = 20_000  # of more, nothing is made beforehand: saving would take long
MOST_BYTES = 64_000_000


@dataclass(frozen=True)
class KnownQueries:
    """Queries of all factor forms side by side, for each person (row) without a context.

    ``names`` are the forms in order. ``digest`` stands for the history that they were made of.
    """

    names: tuple[str, ...]
    queries: Reals  # users x width of all forms
    digest: Ints  # users

    def of(self, cases: Cases) -> Reals | None:
        """The queries [1, width] of a single case; None where they must be made anew."""
        user = int(cases.user[0])
        if not 0 <= user < len(self.digest) or not _plain(cases):
            return None
        if digest_of(cases.history, 0) != self.digest[user]:
            return None
        return self.queries[user : user + 1]


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
