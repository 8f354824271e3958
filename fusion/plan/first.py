"""The first items of one person's list in a large catalogue, in two stages.

To read the vectors of all items is most of what a list costs. Tables of pairs name some thousand
items for a history, and what none of them names is seldom among the first, but for items without
events, which they cannot name. So the best of these by the tables and by what is the same for
all, and all items without events, are candidates, and their scores are those of the plan up to
rounding: base models, blend and reranker. How often that gives the same first items is measured
when a run is written.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from trefoil.data.histories import Cases
from trefoil.data.interactions import Ints
from trefoil.fusion.plan.asked import Asked, Reals, entries_of
from trefoil.fusion.plan.domains import outside
from trefoil.fusion.plan.forms import DenseRows, FactorForm, ProfileForm, SparseRows
from trefoil.fusion.plan.groups import Scale, inverse_of
from trefoil.fusion.plan.known import Codes
from trefoil.fusion.plan.prepared import Prepared
from trefoil.fusion.plan.remembered import MOST_BYTES, Remembered
from trefoil.fusion.plan.said import (
    inverse_by_group,
    known_row,
    queries_of,
    scales_of,
)
from trefoil.fusion.plan.said_of_many import Columns, scaled

FIRST = 20  # items of a list that may come from candidates
CANDIDATES = 2_000
MOST_NAMED = 0.25  # share of the items from which naming tells little, or too many have no event
BEHIND = 1.0  # what items that are no candidates score less than the last of these


class Scored(NamedTuple):
    """Rows of the candidates of one case, their scores, and ``1 / spread`` [groups, models]."""

    item: Codes
    score: Reals
    inverse: Reals


class FirstItems:
    """Scores whose first items are those of a plan; all that is no candidate stands behind."""

    def __init__(self, plan: Prepared, size: int = CANDIDATES) -> None:
        self.plan, self.size = plan, size
        self._kept: Remembered[Scored] = Remembered(MOST_BYTES, _bytes)
        sparse = [isinstance(plan._forms[at], SparseRows | ProfileForm) for at in plan._tables]
        few = plan.items - len(plan.groups[0]) <= MOST_NAMED * plan.items
        self.possible = few and plan.parts.added is None and any(sparse)

    def scores(self, cases: Cases, asked: Asked) -> Reals | None:
        """Scores [1, items] of a single case; None where candidates cannot be told."""
        elsewhere = outside(cases.scenario, self.plan._domain) is not None
        if not self.possible or asked.empty[0] or elsewhere:
            return None
        kept = self._kept.get(cases.digest, lambda: self._made(asked))
        if not len(kept.item):
            return None
        least = kept.score.min() - np.float32(BEHIND)
        found = np.full((1, self.plan.items), least, np.float32)
        found[0, kept.item] = kept.score
        return found

    def inverse(self, cases: Cases) -> Reals | None:
        """``1 / spread`` [groups, models] of a case that was scored here lately."""
        kept = self._kept.peek(cases.digest)
        return None if kept is None or not len(kept.item) else kept.inverse

    def _made(self, asked: Asked) -> Scored:
        """Of nothing where too many are named."""
        plan = self.plan
        said = SaidOfCandidates.of(plan, asked, self.size)
        if said is None:
            return Scored(np.zeros(0, np.int32), np.zeros(0, np.float32), np.zeros((0, 0)))
        blended = said.blended()[None]
        if plan._reranking is not None:
            plan._reranking.rerank(blended, asked, plan._position, said.z_of, said.place)
        inverse = inverse_by_group(plan, said.scales, said.table_scales)
        return Scored(plan._order[said.place].astype(np.int32), blended[0], inverse)


def _bytes(kept: Scored) -> int:
    return sum(array.nbytes for array in kept)


@dataclass(frozen=True)
class SaidOfCandidates:
    """What the base models say of the candidates of one case, standardised by group.

    ``place`` are their places in the plan's order, ascending; ``tables`` [tables, candidates].
    """

    plan: Prepared
    place: Ints
    tables: Reals
    queries: list[Reals]
    scales: list[Scale]
    table_scales: list[Scale]

    @classmethod
    def of(cls, plan: Prepared, asked: Asked, size: int) -> "SaidOfCandidates | None":
        """None where tables name so many items that they tell little."""
        queries = queries_of(plan, asked, known_row(plan, asked))
        named, rows, others = _named(plan, asked)
        if named is None:
            return None
        ends = [np.searchsorted(named, [one.span.start, one.span.stop]) for one in plan.groups]
        told = scales_of(plan, queries, 1), _scales(plan, rows, others, ends)
        cheap = plan._start[named].astype(np.float64)
        for group, (a, b), scale in zip(plan.groups, ends, told[1], strict=True):
            weight = group.weights[plan._tables] * scale.inverse[:, 0]
            cheap[a:b] -= weight @ scale.mean[:, 0]
            for heard, row in zip(weight, rows, strict=True):
                if row is not None:
                    cheap[a:b] += heard * row[a:b]
        kept, warm = np.arange(len(named)), ends[0][1]
        if warm > size:
            best = np.sort(np.argpartition(-cheap[:warm], size)[:size])
            kept = np.concatenate([best, kept[warm:]])
        place = named[kept]
        tables = np.zeros((len(rows), len(place)), np.float32)
        for number, (row, other) in enumerate(zip(rows, others, strict=True)):
            tables[number] = _at(other, place) if row is None else row[kept]
        return cls(plan, place, tables, queries, *told)

    def blended(self) -> Reals:
        """The weighted z-scores added up, [candidates]."""
        plan, out = self.plan, self.plan._start[self.place].copy()
        for group, scale, own in zip(plan.groups, self.scales, self.table_scales, strict=True):
            part = slice(*np.searchsorted(self.place, [group.span.start, group.span.stop]))
            weight = group.weights[plan._factors] * scale.inverse[:, 0]
            of_tables = group.weights[plan._tables] * own.inverse[:, 0]
            parts = [q[0] * w for q, w in zip(self.queries, weight, strict=True)]
            if parts:
                own_rows = self.place[part]
                whole = len(own_rows) == len(group)
                vectors = plan._stack[group.span] if whole else plan._stack.take(own_rows, axis=0)
                out[part] += vectors @ np.concatenate(parts).astype(np.float32)
            out[part] += of_tables.astype(np.float32) @ self.tables[:, part]
            out[part] -= np.float32(weight @ scale.mean[:, 0] + of_tables @ own.mean[:, 0])
        return out

    def z_of(self, rows: Ints) -> Reals:
        """z-scores [models, 1, K] of candidates [1, K], by their number."""
        plan = self.plan
        z = np.empty((len(plan._forms), *rows.shape), np.float32)
        cold = self.place[rows] >= plan.groups[0].span.stop
        z[plan._fixed] = plan._fixed_z[:, self.place[rows]]
        block = plan._stack.take(self.place[rows[0]], axis=0)
        for number, form in enumerate(plan._factors):
            raw = block[:, plan._columns[number]] @ self.queries[number][0]
            z[form] = scaled(raw[None], cold, self.scales, number)
        for number, form in enumerate(plan._tables):
            z[form] = scaled(self.tables[number][rows], cold, self.table_scales, number)
        return z


def _named(
    plan: Prepared, asked: Asked
) -> tuple[Ints | None, list[Reals | None], list[Columns | None]]:
    """Places that sparse tables name or cannot name, and what each table says: of these, or in
    its own columns. None where they name too many.
    """
    entries: list[tuple[Codes, Reals] | None] = []
    others: list[Columns | None] = []
    mark = np.zeros(plan.items, bool)
    for place in plan._tables:
        form = plan._forms[place]
        told = None
        if isinstance(form, SparseRows):
            column, value, length = asked.entries(form.table)
            told = column, value * np.repeat(asked.weight(form.decay), length)
        elif isinstance(form, ProfileForm):
            told = _profile(form, asked)
        if told is not None:
            mark[told[0]] = True
        entries.append(told)
        others.append(None if told is not None else _columns(form, asked))
    if np.count_nonzero(mark) > MOST_NAMED * plan.items:
        return None, [], []
    mark[len(plan.groups[0]) :] = True
    named = np.flatnonzero(mark)
    slot = np.empty(plan.items, np.int32)
    slot[named] = np.arange(len(named))
    rows: list[Reals | None] = [
        None if one is None else np.bincount(slot[one[0]], one[1], len(named)).astype(np.float64)
        for one in entries
    ]
    return named, rows, others


def _profile(form: ProfileForm, asked: Asked) -> tuple[Codes, Reals]:
    """Places and what a profile adds to each, not yet added up."""
    column, value, _ = asked.entries(form.content)
    feature, back = np.unique(column, return_inverse=True)
    weight = np.bincount(back, value, len(feature)).astype(np.float32)
    table = form.turned
    first, last = table.indptr[feature], table.indptr[feature + 1]
    spans = [slice(a, b) for a, b in zip(first.tolist(), last.tolist(), strict=True)]
    told = entries_of(table.indices, table.data, spans, last - first)
    return told.column, told.value * np.repeat(weight, told.length)


def _columns(form: object, asked: Asked) -> Columns:
    """What any other form says, of the items that it has columns for."""
    if isinstance(form, DenseRows):
        columns = form.kept if form.columns is None else form.columns
        return Columns(columns, form.of_kept(asked))
    assert not isinstance(form, FactorForm)
    out = np.empty((1, asked.items), np.float32)
    form.fill(asked, out)  # type: ignore[attr-defined]
    return Columns(np.arange(asked.items), out)


def _at(other: Columns | None, place: Ints) -> Reals:
    """What a table says of some places; zero of those that it has no column for."""
    assert other is not None
    order = np.argsort(other.columns)
    found = np.minimum(np.searchsorted(other.columns, place, sorter=order), len(order) - 1)
    column = order[found]
    return np.where(other.columns[column] == place, other.value[0, column], np.float32(0))


def _scales(
    plan: Prepared, rows: list[Reals | None], others: list[Columns | None], ends: list[Ints]
) -> list[Scale]:
    """Mean and ``1 / spread`` of each table by group: what is not named scores zero."""
    sums = np.zeros((len(plan.groups), 2, len(rows)))
    for number, (row, other) in enumerate(zip(rows, others, strict=True)):
        if row is not None:
            for group, (a, b) in enumerate(ends):
                sums[group, :, number] = row[a:b].sum(), np.square(row[a:b]).sum()
        elif other is not None:
            plain, square = other.sums(plan.inside)
            sums[:, 0, number], sums[:, 1, number] = plain[:, 0], square[:, 0]
    found = []
    for group, (plain, square) in zip(plan.groups, sums, strict=True):
        mean = plain / len(group)
        spread = np.sqrt(np.maximum(square / len(group) - mean**2, 0))
        found.append(Scale(mean[:, None], inverse_of(spread)[:, None]))
    return found
