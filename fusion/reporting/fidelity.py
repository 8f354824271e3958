"""Deletion fidelity: does an item fall when the events that a reason cites had not happened?

The model is asked again, with that history: nothing is estimated. An item's fall without the
cited event is compared with its fall without an event of the same history drawn at random.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trefoil.data.histories import Cases
from trefoil.data.interactions import Ints
from trefoil.evaluation.exam import Exam, Sets
from trefoil.evaluation.ranking import rank
from trefoil.fusion.requests.state import State

DRAWS = 5  # random events of each history
LISTS = 50  # whose places after a deletion are compared with the exam's
BATCH = 256  # histories that are asked about at a time


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
            case, masked = exam.cases.take(np.array([row])), exam.masked.take(np.array([row])).item
            drawn = random.choice(np.unique(case.history.item), draws)
            dropped = np.unique(np.concatenate([[-1], events[told], drawn]))
            score, place = _asked(state, exam, case, masked, dropped, items[told])
            fell = np.stack([score[0] - score, place - place[0]])  # 2, dropped, items
            own = fell[:, np.searchsorted(dropped, events[told]), np.arange(int(told.sum()))]
            others = fell[:, np.searchsorted(dropped, drawn)].mean(1)
            found.append(np.concatenate([own, others]))
    columns = np.concatenate(found, axis=1)
    return Falls(columns[0], columns[2], columns[1], columns[3])


def exact(
    state: State, exam: Exam, rows: Ints, top: Ints, cited: Ints, lists: int = LISTS
) -> float:
    """Share of places without the cited event that the exam gives when asked with that history.

    Of the first item of up to ``lists`` lists. NaN without any.
    """
    told = [at for at in range(len(rows)) if cited[at, 0] >= 0][:lists]
    equal = 0
    for at in told:
        case, item = exam.cases.take(rows[[at]]), top[at, :1]
        masked = exam.masked.take(rows[[at]])
        place = _asked(state, exam, case, masked.item, cited[at, :1], item)[1][0, 0]
        wanted = Sets(np.array([0, 1]), item)
        other = replace(exam, cases=without(case, cited[at, :1]), relevant=wanted, masked=masked)
        equal += int(rank(state.scorer, other, 1).place[0]) == int(place) + 1
    return equal / len(told) if told else np.nan


def _asked(
    state: State, exam: Exam, case: Cases, masked: Ints, dropped: Ints, items: Ints
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores and places [dropped, items] where the events of one item had not happened each.

    What the exam masks stays masked. -1 drops nothing.
    """
    scores, places = [], []
    for first in range(0, len(dropped), BATCH):
        part = dropped[first : first + BATCH]
        told = state.scorer.score(without(case, part)).astype(np.float64)
        own = told[:, items]
        open_to = (
            np.ones(told.shape[1], bool) if exam.candidates is None else exam.candidates.copy()
        )
        open_to[masked] = False
        rivals = told[:, open_to]
        places.append(np.stack([(rivals > own[:, [at]]).sum(1) for at in range(len(items))], 1))
        scores.append(own)
    return np.concatenate(scores), np.concatenate(places).astype(np.float64)


def without(case: Cases, dropped: Ints) -> Cases:
    """A single case once for each item (row), without the events of that item."""
    every = np.zeros(len(dropped), np.int64)
    copies = case.take(every) if len(dropped) > 1 else case
    item = np.repeat(dropped, copies.history.lengths)
    return replace(copies, history=copies.history.where(copies.history.item != item))


def _ratio(one: float, other: float) -> float:
    """NaN where nothing falls at random."""
    return one / other if other > 0 else np.nan
