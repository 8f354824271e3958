"""What a plan holds ready: items in its own order, forms by kind, matrices side by side."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from trefoil.data.interactions import Ints
from trefoil.fusion.plan.asked import Reals
from trefoil.fusion.plan.forms import DenseRows, FactorForm, Form, SameForAll
from trefoil.fusion.plan.groups import Group, Moments, centred
from trefoil.fusion.plan.parts import Parts


class Prepared:
    """The parts of a plan, brought into the form in which scores are made.

    Items stand in order: those with events, those without, those that came after training.
    """

    def __init__(self, parts: Parts) -> None:
        self.parts = parts = parts.heard()
        self.items, learned = parts.items, parts.learned
        warm, cold = (np.flatnonzero(one) for one in (parts.seen[:learned], ~parts.seen[:learned]))
        order = np.concatenate([warm, cold, np.arange(learned, self.items)])
        self._position = np.empty(self.items, np.int64)
        self._position[order] = np.arange(self.items)
        self._sorted = bool((order == np.arange(self.items)).all())
        forms = list(parts.forms) if self._sorted else _ordered(parts.forms, order)
        self._reranking = parts.reranking and parts.reranking.ordered(order[:learned])
        self._ends = (0, len(warm)), (len(warm), learned)
        self.groups = self._groups(parts.warm)
        self._fixed = [place for place, one in enumerate(forms) if isinstance(one, SameForAll)]
        self._factors = [place for place, one in enumerate(forms) if isinstance(one, FactorForm)]
        self._tables = [p for p in range(len(forms)) if p not in {*self._fixed, *self._factors}]
        self._forms = forms
        self._prepare_fixed()
        self._start = self._started()
        self._prepare_factors()
        self._order = order
        self._domain = None if parts.domain is None else parts.domain[order]

    def _groups(self, warm: Sequence[float]) -> list[Group]:
        """Items with events, weighed so, and those without, where there are any."""
        told = (warm, 0.0), (self.parts.cold, self.parts.offset)
        return [
            Group(slice(*end), np.array(weights), offset)
            for end, (weights, offset) in zip(self._ends, told, strict=True)
            if end[1] > end[0]
        ]

    def weigh(self, warm: Sequence[float]) -> None:
        """Weigh items with events so from now on."""
        self.groups = self._groups(warm)
        self._start = self._started()

    @cached_property
    def inside(self) -> Reals:
        """Which items are in which group [items, groups], as ones."""
        found = np.zeros((self.items, len(self.groups)))
        for number, group in enumerate(self.groups):
            found[group.span, number] = 1.0
        return found

    def _prepare_fixed(self) -> None:
        """z-scores that are the same for all."""
        learned = self.parts.learned
        self._fixed_z = np.zeros((len(self._fixed), learned), np.float32)
        for row, place in enumerate(self._fixed):
            form = self._forms[place]
            assert isinstance(form, SameForAll)
            self._fixed_z[row] = form.scores[:learned]
        for group in self.groups:
            _, inverse = centred(self._fixed_z, group.span)
            self._fixed_z[:, group.span] *= inverse[:, None].astype(np.float32)

    def _started(self) -> Reals:
        """What z-scores that are the same for all, and the offsets, add up to [learned]."""
        start = np.zeros(self.parts.learned, np.float32)
        for group in self.groups:
            weights = group.weights[self._fixed].astype(np.float32)
            start[group.span] = group.offset + weights @ self._fixed_z[:, group.span]
        return start

    def _prepare_factors(self) -> None:
        """The matrices of all factor forms side by side, and the moments of each by group."""
        matrices = [
            form.items
            for place in self._factors
            if isinstance(form := self._forms[place], FactorForm)
        ]
        self._stack = np.concatenate(
            [np.zeros((self.items, 0), np.float32), *matrices], axis=1, dtype=np.float32
        )
        ends = np.cumsum([0, *(one.shape[1] for one in matrices)]).tolist()
        self._columns = [slice(a, b) for a, b in pairwise(ends)]
        names = tuple(self.parts.names[place] for place in self._factors)
        known, width = self.parts.known, self._stack.shape[1]
        fits = known is not None and known.names == names and 0 < width == known.queries.shape[1]
        self._known = known if fits else None
        self._spread: tuple[Reals, Reals] | None = None
        spans = [group.span for group in self.groups]
        self._moments = [Moments.of(one, spans) for one in matrices]
        self._starts = np.array(ends[:-1], np.int64)  # of the columns of each
        self._owner = np.repeat(np.arange(len(matrices)), np.diff(ends))
        none = np.zeros((len(spans), 0))
        self._means = np.concatenate([none, *(one.mean for one in self._moments)], axis=1)


def _ordered(forms: Sequence[Form], order: Ints) -> list[Form]:
    """The forms with the scored items in another order; a table of several stays one."""
    found: list[Form] = []
    held: dict[int, DenseRows] = {}  # by their place in memory, which several arrays may share
    for form in forms:
        if isinstance(form, DenseRows):
            key = form.weights.ctypes.data
            held[key] = held.get(key) or form.ordered(order)
            found.append(replace(held[key], decay=form.decay))
        else:
            found.append(form.ordered(order))
    return found
