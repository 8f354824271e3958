"""What many meet, ever or lately: the same answer for everyone."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from trefoil.data.histories import Cases
from trefoil.data.interactions import UNKNOWN_TIME, faded
from trefoil.fusion.features.training_data import Known


@dataclass(frozen=True)
class Popularity:
    """log(1 + events) of each item, the same for everyone."""

    events: Float[Tensor, " items"]
    half_life: float = 0.0  # days in which an event loses half its weight; 0: never

    def score(self, cases: Cases) -> Float[Tensor, "cases items"]:
        return torch.log1p(self.events).expand(len(cases), -1)


def popular(known: Known, half_life: float = 0.0) -> Popularity:
    """How many met each item; with a half-life, events weigh by age and need a time."""
    if not half_life:
        met = np.asarray(known.matrix.sum(0), np.float32).ravel()
        return Popularity(torch.from_numpy(met))
    history = known.history
    assert history.at is not None
    weight = np.bincount(history.item, faded(history.at, half_life), known.matrix.shape[1])
    return Popularity(torch.from_numpy(weight.astype(np.float32)), half_life)


def asked_later(known: Known, cases: Cases) -> bool:
    """Whether all cases are asked after the newest training event, as in a split by time."""
    at = known.history.at
    if at is None or cases.at is None or not len(cases):
        return False
    return int(cases.at.min()) > int(at.max(initial=UNKNOWN_TIME)) > UNKNOWN_TIME
