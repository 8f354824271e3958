"""What a plan holds ready: items in its own order, forms by kind, matrices side by side."""

from itertools import pairwise

import numpy as np

from trefoil.fusion.plan.asked import Reals
from trefoil.fusion.plan.forms import FactorForm, SameForAll
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
        forms = [one if self._sorted else one.ordered(order) for one in parts.forms]
        self._reranking = parts.reranking and parts.reranking.ordered(order[:learned])
        ends = (0, len(warm)), (len(warm), learned)
        told = (parts.warm, 0.0), (parts.cold, parts.offset)
        self.groups = [
            Group(slice(*end), np.array(weights), offset)
            for end, (weights, offset) in zip(ends, told, strict=True)
            if end[1] > end[0]
        ]
        self._fixed = [place for place, one in enumerate(forms) if isinstance(one, SameForAll)]
        self._factors = [place for place, one in enumerate(forms) if isinstance(one, FactorForm)]
        self._tables = [
            place for place in range(len(forms)) if place not in {*self._fixed, *self._factors}
        ]
        self._forms = forms
        self._prepare_fixed()
        self._prepare_factors()
        self._order = order
        self._domain = None if parts.domain is None else parts.domain[order]

    def _prepare_fixed(self) -> None:
        """z-scores that are the same for all, and what they and the offsets add up to."""
        learned = self.parts.learned
        self._fixed_z = np.zeros((len(self._fixed), learned), np.float32)
        for row, place in enumerate(self._fixed):
            form = self._forms[place]
            assert isinstance(form, SameForAll)
            self._fixed_z[row] = form.scores[:learned]
        self._start = np.zeros(learned, np.float32)
        for group in self.groups:
            _, inverse = centred(self._fixed_z, group.span)
            self._fixed_z[:, group.span] *= inverse[:, None].astype(np.float32)
            weights = group.weights[self._fixed].astype(np.float32)
            self._start[group.span] = group.offset + weights @ self._fixed_z[:, group.span]

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
        self._spread: tuple[Reals, Reals] | None = None
        self._moments = [[Moments.of(one[group.span]) for one in matrices] for group in self.groups]
