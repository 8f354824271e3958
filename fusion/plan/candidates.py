"""Candidates for the first items of one person's list, and what the base models say of them.

Sparse tables name some thousand items for a history. The best of these, by all tables and by what
is the same for all, are candidates, and so are items without events, which tables of events cannot
name: all, or of many the best. Mean and spread are those over all items: what is not named scores
zero.
"""

from typing import Any

import numpy as np

from trefoil.data.interactions import Ints
from trefoil.fusion.plan.asked import Asked, Entries, Reals, entries_of
from trefoil.fusion.plan.forms import DenseRows, ProfileForm, SparseRows
from trefoil.fusion.plan.groups import inverse_of
from trefoil.fusion.plan.prepared import Prepared
from trefoil.fusion.plan.said_of_one import SaidOfOne, query_of
from trefoil.fusion.plan.without_events import WithoutEvents

MOST_NAMED = 0.25  # share of the items from which naming tells little, or too many have no event


class InColumns:
    """A form that says something of the items in its columns alone."""

    def __init__(self, form: Any, plan: Prepared) -> None:
        self.form, columns = form, np.arange(plan.items)
        if isinstance(form, DenseRows):
            columns = form.kept if form.columns is None else form.columns
        self.slot = np.full(plan.items, -1, np.int32)
        self.slot[columns] = np.arange(len(columns))
        self.inside = plan.inside[columns]
        self.last = int(columns.max(initial=-1))

    def of(self, asked: Asked) -> Reals:
        """What it says of its columns for a single case."""
        if isinstance(self.form, DenseRows):
            return self.form.of_kept(asked)[0]
        out = np.empty((1, asked.items), np.float32)
        self.form.fill(asked, out)
        return out[0]

    def at(self, told: Reals, place: Ints, out: Reals) -> None:
        """The same of some places of the plan's order, ascending, written into ``out``."""
        some = int(np.searchsorted(place, self.last, "right"))
        slot = self.slot[place[:some]]
        out[:some] = np.where(slot >= 0, told[slot], np.float32(0))
        out[some:] = 0.0

    def sums(self, told: Reals) -> tuple[Reals, Reals]:
        """Of what it says, and of its square, over each group."""
        told = told.astype(np.float64)
        return told @ self.inside, (told * told) @ self.inside


class Candidates:
    """Names candidates; what that needs of a plan is made once."""

    def __init__(self, plan: Prepared, size: int, *, narrow: bool) -> None:
        """``size`` is how many candidates have events; with ``narrow`` others are few as well."""
        self.plan, self.size = plan, size
        self._warm = len(plan.groups[0])
        forms = [plan._forms[place] for place in plan._tables]
        named = [isinstance(one, SparseRows | ProfileForm) for one in forms]
        self._sparse = [number for number, one in enumerate(named) if one]
        self._others = {n: InColumns(forms[n], plan) for n, one in enumerate(named) if not one}
        few = plan.items - self._warm <= MOST_NAMED * plan.items
        self.possible = few and plan.parts.added is None and bool(self._sparse)
        self._new = WithoutEvents.of(plan) if narrow and self.possible else None
        self.narrow = self._new is not None

    def of(self, asked: Asked) -> SaidOfOne | None:
        """What is said of them for a single case; None where tables name too many items."""
        plan = self.plan
        entries = [_told(plan._forms[plan._tables[number]], asked) for number in self._sparse]
        named = self._named([one.column for one, _ in entries])
        if named is None:
            return None
        slot = np.empty(plan.items, np.int32)
        slot[named] = np.arange(len(named))
        rows = np.empty((len(entries), len(named)), np.float32)
        for row, (one, weight) in zip(rows, entries, strict=True):
            row[:] = one._replace(column=slot[one.column]).summed(weight, len(named))
        others = {number: one.of(asked) for number, one in self._others.items()}
        query, mean, spread = query_of(plan, asked)
        warm = int(np.searchsorted(named, self._warm))
        self._scale(rows, others, warm, mean, spread)
        old, new = np.arange(warm), np.arange(warm, len(named))
        if len(old) > self.size:
            cheap = self._cheap(named[:warm], rows[:, :warm], spread, 0)
            old = np.argpartition(cheap, warm - self.size)[warm - self.size :]
            old.sort()
        if self._new is not None:
            cheap = self._cheap(named[warm:], rows[:, warm:], spread, 1)
            new = warm + self._new.best(query, spread, cheap)
        chosen = np.concatenate([old, new])
        place = named[chosen]
        tables = np.empty((len(plan._tables), len(place)), np.float32)
        for row, number in zip(rows, self._sparse, strict=True):
            row.take(chosen, out=tables[number], mode="clip")
        for number, one in self._others.items():
            one.at(others[number], place, tables[number])
        return SaidOfOne(plan, asked, query, tables, mean, spread, place)

    def _named(self, columns: list[Any]) -> Ints | None:
        """Places that tables name or cannot name, ascending; None where they name too many."""
        mark = np.zeros(self.plan.items, bool)
        for one in columns:
            mark[one] = True
        if np.count_nonzero(mark) > MOST_NAMED * len(mark):
            return None
        mark[self._warm :] = True
        return np.flatnonzero(mark)

    def _scale(
        self, rows: Reals, others: dict[int, Reals], warm: int, mean: Reals, spread: Reals
    ) -> None:
        """Write mean and ``1 / spread`` of all tables, over all items of each group."""
        plan, ends = self.plan, (slice(0, warm), slice(warm, None))
        sums = np.empty((2, len(plan.groups), len(plan._tables)))
        for number, (_, part) in enumerate(zip(plan.groups, ends, strict=False)):
            own = rows[:, part]
            sums[0, number, self._sparse] = own.sum(1, dtype=np.float64)
            sums[1, number, self._sparse] = np.square(own).sum(1, dtype=np.float64)
        for number, one in self._others.items():
            sums[:, :, number] = one.sums(others[number])
        sums /= np.array([len(one) for one in plan.groups])[:, None]
        mean[:, plan._tables] = sums[0]
        spread[:, plan._tables] = inverse_of(np.sqrt(np.maximum(sums[1] - sums[0] ** 2, 0)))

    def _cheap(self, named: Ints, rows: Reals, spread: Reals, group: int) -> Reals:
        """What sparse tables, and what is the same for all, add up to at places of a group."""
        plan = self.plan
        heard = [plan._tables[number] for number in self._sparse]
        weight = (plan.groups[group].weights * spread[group])[heard].astype(np.float32)
        return plan._start[named] + weight @ rows


def _told(form: Any, asked: Asked) -> tuple[Entries, Reals]:
    """What a sparse form says of a single case: entries, and the weight of each row of them."""
    if isinstance(form, SparseRows):
        return asked.entries(form.table), asked.weight(form.decay)
    profile = asked.entries(form.content).summed(asked.weight(), form.content.shape[1])
    feature = np.flatnonzero(profile)
    return entries_of(form.turned, feature), profile[feature]
