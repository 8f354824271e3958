"""Deletion fidelity: does an item fall when the events that a reason cites had not happened?

The model is asked again, with that history: nothing is estimated. An item's fall without the
cited event is compared with its fall without an event of the same history drawn at random.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trefoil.data.histories import Cases
from trefoil.data.interactions import Ints
from trefoil.evaluation.exam import Exam, Sets
from trefoil.evaluation.ranking import rank
from trefoil.fusion.requests.state import State

DRAWS = 5  # random events of each history
LISTS = 50  # whose places after a deletion are compared with the exam's


@dataclass(frozen=True)
class Falls:
    """How far items fell, one row per item recommended with a reason.

    Scores and places, without the event that is cited and, in the mean, without one drawn.
    """

    cited: NDArray[np.float64]
    drawn: NDArray[np.float64]
    cited_places: NDArray[np.float64]
    drawn_places: NDArray[np.float64]

    def marks(self) -> dict[str, float]:
        """Mean falls, and how many times the cited fall is the drawn one."""
        means = {
            "fall-cited": self.cited,
            "fall-drawn": self.drawn,
            "places-cited": self.cited_places,
            "places-drawn": self.drawn_places,
        }
        found = {name: float(one.mean()) if len(one) else np.nan for name, one in means.items()}
        found["fidelity"] = _ratio(found["fall-cited"], found["fall-drawn"])
        found["fidelity-places"] = _ratio(found["places-cited"], found["places-drawn"])
        return found


def falls(
    state: State, exam: Exam, rows: Ints, top: Ints, cited: Ints, draws: int = DRAWS, seed: int = 0
) -> Falls:
    """Of items ``top`` [rows, k] of some cases of an exam, -1 for none.

    ``cited`` [rows, k] are the items of the history that the reasons cite, -1 without one.
    """
    random, found = np.random.default_rng(seed), [np.zeros((4, 0))]
    for row, items, events in zip(rows.tolist(), top, cited, strict=True):
        told = events >= 0
        if told.any():
            drawn = random.choice(np.unique(exam.cases.take(np.array([row])).history.item), draws)
            dropped = np.unique(np.concatenate([[-1], events[told], drawn]))
            score, place = _asked(state, exam, row, dropped, items[told])
            fell = np.stack([score[0] - score, place - place[0]])  # 2, dropped, items
            own = fell[:, np.searchsorted(dropped, events[told]), np.arange(int(told.sum()))]
            others = fell[:, np.searchsorted(dropped, drawn)].mean(1)
            found.append(np.concatenate([own, others]))
    columns = np.concatenate(found, axis=1)
    return Falls(columns[0], columns[2], columns[1], columns[3])


def exact(
    state: State, exam: Exam, rows: Ints, top: Ints, cited: Ints, lists: int = LISTS
) -> float:
    """Share of places without the cited event that are the same asked together and one by one.

    Of the first item of up to ``lists`` lists. NaN without any.
    """
    told = np.flatnonzero(cited[:, 0] >= 0)[:lists]
    if not len(told):
        return np.nan
    asked = _exam(exam, rows[told], cited[told, 0], top[told, :1])
    places = rank(state.scorer, asked, 1).place
    alone = [
        rank(state.scorer, _exam(exam, rows[[at]], cited[at, :1], top[[at], :1]), 1).place[0]
        for at in told.tolist()
    ]
    return float((places == np.array(alone)).mean())


def _asked(
    state: State, exam: Exam, row: int, dropped: Ints, items: Ints
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores and places [dropped, items] where the events of one item had not happened each.

    What the exam masks stays masked. -1 drops nothing.
    """
    many = len(dropped)
    asked = _exam(exam, np.full(many, row), dropped, np.tile(items, (many, 1)))
    told = _Told(state.scorer.score(asked.cases))
    places = rank(told, asked, 1, batch=many).place.reshape(many, len(items))
    return told.scores[:, items].astype(np.float64), places.astype(np.float64)


@dataclass(frozen=True)
class _Told:
    """Scores that are known already."""

    scores: NDArray[Any]

    def score(self, cases: Cases) -> NDArray[Any]:
        assert len(cases) == len(self.scores)
        return self.scores


def _exam(exam: Exam, rows: Ints, dropped: Ints, items: Ints) -> Exam:
    """Cases of an exam (rows), each without the events of one item, asked for items [rows, k]."""
    cases = exam.cases.take(rows)
    history = cases.history
    history = history.where(history.item != np.repeat(dropped, history.lengths))
    wanted = Sets(np.arange(len(rows) + 1) * items.shape[1], items.ravel())
    cases, masked = replace(cases, history=history), exam.masked.take(rows)
    return replace(exam, cases=cases, relevant=wanted, masked=masked)


def _ratio(one: float, other: float) -> float:
    """NaN where nothing falls at random."""
    return one / other if other > 0 else np.nan
