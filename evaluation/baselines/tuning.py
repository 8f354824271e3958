"""The same small budget for every baseline, spent on validation."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from trefoil.data.interactions import Interactions
from trefoil.evaluation.exam import Exam, Scorer
from trefoil.evaluation.result import examine

BUDGET = 6  # settings tried per baseline, at most; printed with every table


@dataclass(frozen=True)
class Candidate:
    """One setting of one baseline: how to fit it, and how to print it."""

    fit: Callable[[Interactions, int, int], Scorer]
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Tuned:
    """The best candidate; ``tried`` holds (settings, validation value) of each."""

    scorer: Scorer
    settings: Mapping[str, object]
    value: float
    tried: tuple[tuple[Mapping[str, object], float], ...]
    seconds: float


def settings_of(
    fit: Callable[..., Scorer], settings: Sequence[Mapping[str, object]]
) -> list[Candidate]:
    """One candidate per mapping of keyword arguments."""

    def bound(chosen: Mapping[str, object]) -> Callable[[Interactions, int, int], Scorer]:
        return lambda train, users, items: fit(train, users, items, **chosen)

    return [Candidate(bound(chosen), chosen) for chosen in settings]


def tune(
    candidates: Sequence[Candidate],
    train: Interactions,
    users: int,
    exam_valid: Exam,
    metric: str = "ndcg@10",
) -> Tuned:
    """Fit each candidate on training events; keep the best on validation (the first of equals).

    Raises ValueError for more candidates than ``BUDGET``, none, or a test exam.
    """
    if exam_valid.part != "valid":
        raise ValueError(f"settings are chosen on validation, not on {exam_valid.part!r}")
    if not 1 <= len(candidates) <= BUDGET:
        raise ValueError(f"{len(candidates)} candidates; the budget is 1..{BUDGET}")
    began, best, tried = time.perf_counter(), None, []
    for candidate in candidates:
        scorer = candidate.fit(train, users, exam_valid.items)
        value = examine("", scorer, exam_valid, [metric]).means()[metric]
        tried.append((candidate.settings, value))
        if best is None or value > best[2]:
            best = (scorer, candidate.settings, value)
    assert best is not None
    return Tuned(*best, tuple(tried), time.perf_counter() - began)
