"""What each event of a history adds to the score of an item, to first order.

Models that add up what events say are taken apart exactly: linear models, walks,
co-occurrence, profiles, and factors given their solved system. What a network learned of a
person, and what a Transformer makes of an order, is no single event's share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np

from trefoil.data.interactions import Ints
from trefoil.fusion.plan.asked import Asked, Reals
from trefoil.fusion.plan.forms import DenseRows, FactorForm, Form, ProfileForm, SparseRows
from trefoil.fusion.plan.groups import Group
from trefoil.fusion.plan.queries import LEAST, Averaged, Decayed, Propagated, Solved, Summed

SUMS = (FactorForm, DenseRows, SparseRows, ProfileForm)  # over events, if the query is


@dataclass(frozen=True)
class Contributions:
    """``value[k, h]`` is what the item ``seen[h]`` of a history adds to the score of item k.

    ``seen`` are the items of the history, each once, ascending. An event that raises all
    items alike adds nothing.
    """

    seen: Ints
    value: Reals  # items asked about x items of the history


class Influence:
    """What is needed of a plan to take its scores apart; means are made when first needed."""

    def __init__(self, forms: Sequence[Form], groups: Sequence[Group]) -> None:
        self.forms, self.groups = forms, groups
        self._heard = [place for place, one in enumerate(forms) if adds_up(one)]
        self._weights = np.stack([one.weights for one in groups]) if groups else None
        self._centres: dict[int, Reals] = {}

    def of(self, asked: Asked, place: Ints, inverse: Reals) -> Contributions:
        """Of a single case, for items at these places of the plan's order.

        ``inverse`` [groups, models] are ``1 / spread`` of the scores of the case.
        """
        total = np.zeros((len(asked.item), len(place)), np.float32)
        if len(asked.item) and len(place) and self._weights is not None:
            group = np.minimum(place >= self.groups[0].span.stop, len(self.groups) - 1).astype(int)
            told = (self._weights * inverse).astype(np.float32)
            weight = told.T[:, group]  # models x items
            heard = [number for number in self._heard if weight[number].any()]
            held: dict[int, Reals] = {}
            for number in heard:
                found = self._of_form(number, asked, place, group, held)
                if found is not None:
                    total += weight[number] * found
        return Contributions(asked.item, total.T)

    def _middle(self, number: int) -> Reals:
        """``centre`` of a form over each group, [groups, ...]."""
        if number not in self._centres:
            form = self.forms[number]
            self._centres[number] = np.stack([centre(form, group.span) for group in self.groups])
        return self._centres[number]

    def _of_form(
        self, number: int, asked: Asked, place: Ints, group: Ints, held: dict[int, Reals]
    ) -> Reals | None:
        """[events, items], each less the event's mean over the group; ``held`` are cells of
        tables that several forms share.
        """
        form, middle = self.forms[number], self._middle(number)
        assert isinstance(form, SUMS)
        if isinstance(form, FactorForm):
            if silent(form.query, asked):
                return None
            target = np.concatenate([form.items[place], middle]).T
            found = by_query(form.query, asked, target)
            if found is None:
                return None
            return found[:, : len(place)] - found[:, len(place) + group]
        key = id(form.weights) if isinstance(form, DenseRows) else -number - 1
        if key not in held:
            held[key] = rows(form, asked, place) - middle[:, asked.item][group].T
        weight = asked.weight() if isinstance(form, ProfileForm) else asked.weight(form.decay)
        return weight[:, None] * held[key]


def adds_up(form: Form) -> bool:
    """Whether a form is a sum over events, for some cases at least."""
    if isinstance(form, FactorForm):
        return by_query.dispatch(type(form.query)) is not by_query.dispatch(object)
    return isinstance(form, SUMS)


def silent(query: Any, asked: Asked) -> bool:
    """Whether a query is no sum over the events of this case: a person's own vector, whatever
    the history.
    """
    return isinstance(query, Propagated) and query.learned(int(asked.cases.user[0]))


@singledispatch
def centre(form: Any, span: slice) -> Reals:  # noqa: ARG001
    """The mean over some scored items: of their vectors, or of what each event says of them."""
    raise TypeError(f"a {type(form).__name__} is no sum over events")


@centre.register
def _(form: FactorForm, span: slice) -> Reals:
    return form.items[span].mean(0)


@centre.register
def _(form: DenseRows, span: slice) -> Reals:
    at = form.kept if form.columns is None else form.columns
    inside = (at >= span.start) & (at < span.stop)
    found = np.zeros(form.items, np.float32)
    found[form.kept] = form.weights @ inside.astype(np.float32) / max(span.stop - span.start, 1)
    return found


@centre.register
def _(form: SparseRows, span: slice) -> Reals:
    inside = np.zeros(form.table.shape[1], np.float32)
    inside[span] = 1 / max(span.stop - span.start, 1)
    return form.table @ inside


@centre.register
def _(form: ProfileForm, span: slice) -> Reals:
    scored = form.content if form.scored is None else form.scored
    return form.content @ np.asarray(scored[span].mean(0), np.float32).ravel()


@singledispatch
def rows(form: Any, asked: Asked, place: Ints) -> Reals:  # noqa: ARG001
    """What single events of weight one say of items at these places, [events, items]."""
    raise TypeError(f"a {type(form).__name__} is no sum over events")


@rows.register
def _(form: DenseRows, asked: Asked, place: Ints) -> Reals:
    row, column = form.cells_of(asked.item, place)
    if row is None or column is None:
        return form.weights[asked.item[:, None], place if column is None else column]
    found = form.weights[np.maximum(row, 0)[:, None], np.maximum(column, 0)]
    return np.where((row >= 0)[:, None] & (column >= 0), found, np.float32(0))


@rows.register
def _(form: SparseRows, asked: Asked, place: Ints) -> Reals:
    where = np.full(form.table.shape[1], -1, np.int32)
    where[place] = np.arange(len(place))
    entries = asked.entries(form.table)
    slot = where[entries.column]
    row, hit = entries.hits(slot >= 0)
    out = np.zeros((len(asked.item), len(place)), np.float32)
    out[row, slot[hit]] = entries.value[hit]
    return out


@rows.register
def _(form: ProfileForm, asked: Asked, place: Ints) -> Reals:
    """Products of sparse rows: those of the few items asked about are made dense."""
    scored = form.content if form.scored is None else form.scored
    item, source = _spread(scored, place)
    feature = scored.indices[source]
    slot = np.full(scored.shape[1], -1, np.int32)
    slot[feature] = np.arange(len(feature))  # the last of equals stands for all
    dense = np.zeros((len(feature), len(place)), np.float32)
    dense[slot[feature], item] = scored.data[source]
    entries = asked.entries(form.content)
    column = slot[entries.column]
    event, hit = entries.hits(column >= 0)
    out = np.zeros((len(asked.item), len(place)), np.float32)
    if len(event):
        parts = entries.value[hit, None] * dense[column[hit]]
        first = np.flatnonzero(np.diff(event, prepend=-1))
        out[event[first]] = np.add.reduceat(parts, first)
    return out


@singledispatch
def by_query(query: Any, asked: Asked, target: Reals) -> Reals | None:  # noqa: ARG001
    """Products of each event's part of a query with vectors ``target`` [width, items].

    None where the query is no sum over events.
    """
    return None


@by_query.register
def _(query: Summed, asked: Asked, target: Reals) -> Reals | None:
    return query.vectors[asked.item] @ target


@by_query.register
def _(query: Decayed, asked: Asked, target: Reals) -> Reals | None:
    return asked.weight(query.decay)[:, None] * (query.vectors[asked.item] @ target)


@by_query.register
def _(query: Solved, asked: Asked, target: Reals) -> Reals | None:
    own = query.items[asked.item]
    return (1 + query.alpha) * (own @ np.linalg.solve(query.left(own), target))


@by_query.register
def _(query: Propagated, asked: Asked, target: Reals) -> Reals | None:
    if silent(query, asked):
        return None
    sent = query.folded[asked.item]
    length = max(float(np.linalg.norm(sent.sum(0))), LEAST) * query.temperature
    return sent @ target[: sent.shape[1]] / np.float32(length)


@by_query.register
def _(query: Averaged, asked: Asked, target: Reals) -> Reals | None:
    total, first = None, 0
    for part, covariance in zip(query.parts, query.covariances, strict=True):
        own = target[first : first + len(covariance)]
        first += len(covariance)
        found = by_query(part, asked, own)
        if found is not None:
            vector = part.of(asked)[0]
            spread = np.sqrt(max(float(vector @ covariance @ vector), 0))
            told = found / np.float32(len(query.parts) * max(spread, 1e-6))
            total = told if total is None else total + told
    return total


def _spread(table: Any, at: Ints) -> tuple[Ints, Ints]:
    """The entries of some rows of a sparse table: position in ``at``, place in its data."""
    first, length = table.indptr[at], table.indptr[at + 1] - table.indptr[at]
    begin = np.cumsum(length) - length
    position = np.repeat(np.arange(len(at)), length)
    return position, np.arange(len(position)) + (first - begin)[position]
