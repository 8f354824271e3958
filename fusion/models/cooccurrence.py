"""What comes with what, and what comes next: counts of pairs within a visit and between visits."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from trefoil.data.histories import Histories
from trefoil.data.interactions import UNKNOWN_TIME
from trefoil.fusion.models.fitting import FitInputs
from trefoil.fusion.models.neighbours import Similar, strongest

REACH = 10  # events between which pairs are counted
FADE = 5.0  # events over which a pair weighs 1 / e
VISIT_S = 43_200  # seconds without an event after which a visit is over
DECAYS = (2.0, 5.0)  # of histories; tried
BACKWARD = (0.0, 0.3, 1.0)  # weight of "i after j" beside "j after i"; tried
BASKET = (1.0, 0.5, 2.0)  # weight of pairs of one visit; tried
KEPT = 500  # largest entries of an item


@dataclass(frozen=True)
class Pairs:
    """Counts [items, items], faded by distance: j after i in the same visit, and in a later one."""

    basket: sparse.csr_matrix
    later: sparse.csr_matrix
    events: np.ndarray  # of each item

    @classmethod
    def of(cls, history: Histories, items: int) -> "Pairs":
        """From histories whose events have times."""
        visit = visits(history)
        end = np.repeat(history.start[1:], history.lengths)
        here = np.arange(len(history.item))
        tables = []
        for same in (True, False):
            total = sparse.csr_matrix((items, items), dtype=np.float32)
            for step in range(1, REACH + 1):
                first = here[here + step < end]
                first = first[(visit[first] == visit[first + step]) == same]
                ends = history.item[first], history.item[first + step]
                weight = np.full(len(first), np.exp(-(step - 1) / FADE), np.float32)
                total = total + sparse.csr_matrix((weight, ends), shape=(items, items))
            tables.append(total.tocsr())
        return cls(tables[0], tables[1], np.bincount(history.item, minlength=items))

    def table(self, basket: float, backward: float) -> sparse.csr_matrix:
        """What stands for what: rows scaled by ``n^-1/2`` for the n events of an item."""
        total = basket * self.basket + self.later
        total = total + backward * total.T
        scaled = sparse.diags(np.maximum(self.events, 1.0) ** -0.5) @ total
        scaled.setdiag(0)
        return strongest(scaled.tocsr().astype(np.float32), KEPT)


def visits(history: Histories) -> np.ndarray:
    """A number for each event, the same for events of one history in one visit."""
    assert history.at is not None
    new = np.ones(len(history.item), bool)
    known = (history.at[1:] != UNKNOWN_TIME) & (history.at[:-1] != UNKNOWN_TIME)
    new[1:] = ~known | (history.at[1:] - np.where(known, history.at[:-1], 0) > VISIT_S)
    new[history.start[:-1][history.lengths > 0]] = True
    return np.cumsum(new)


def fit_cooccurrence(given: FitInputs) -> tuple[Similar, dict[str, float]]:
    """Decay of histories, weight of what went before, weight of a visit: one after the other."""
    search = given.search
    pairs = Pairs.of(given.known.history, given.known.matrix.shape[1])
    grids = {"decay": DECAYS, "backward": BACKWARD, "basket": BASKET}
    chosen = {"decay": DECAYS[1], "backward": BACKWARD[1], "basket": BASKET[0]}
    best, mark = None, float("nan")
    for number, grid in grids.items():
        tried = (chosen[number],) if given.large else grid
        values = search.values("co-occurrence", number, tried)
        tries = [
            Similar(pairs.table(one["basket"], one["backward"]), one["decay"])
            for one in ({**chosen, number: value} for value in values)
        ]
        best, mark = search.best(tries)
        chosen[number] = values[next(at for at, one in enumerate(tries) if one is best)]
    assert best is not None
    return best, {**chosen, "ndcg": mark}
