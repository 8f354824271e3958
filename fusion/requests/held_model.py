"""A model as it serves: a scoring plan; the ensemble behind it is read when something needs it."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from trefoil.fusion.plan.parts import Parts
from trefoil.fusion.plan.plan import Plan

if TYPE_CHECKING:
    from trefoil.fusion.ensemble.ensemble import Ensemble


class HeldModel:
    """A plan that scores, and the ensemble it stands for: each made when first asked for.

    Scoring from a plan that a run holds imports no torch; training, new items and
    ablations need the ensemble.
    """

    def __init__(
        self,
        ensemble: "Ensemble | None" = None,
        parts: Parts | None = None,
        read: "Callable[[], Ensemble] | None" = None,
    ) -> None:
        """An ``ensemble``, or what ``read`` returns; ``parts`` are those of its plan, if known."""
        self._ensemble, self._parts, self._read = ensemble, parts, read
        self._plan: Plan | None = None
        self._lock = threading.RLock()

    @property
    def ensemble(self) -> "Ensemble":
        """All base models, gates and networks. Raises DataError where a run went."""
        with self._lock:
            if self._ensemble is None:
                assert self._read is not None
                self._ensemble = self._read()
            return self._ensemble

    @property
    def plan(self) -> Plan:
        """The same as arrays, compiled once."""
        if self._plan is None:
            with self._lock:
                if self._plan is None:
                    self._plan = self._compiled()
        return self._plan

    def _compiled(self) -> Plan:
        if self._parts is None:
            from trefoil.fusion.ensemble.compiled import plan_of

            return plan_of(self.ensemble)
        parts, self._parts = self._parts, None  # the plan has what it needs of them
        return Plan(parts)
