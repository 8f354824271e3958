"""A second look at the top of each list: a small network puts its first items in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from trefoil.data.histories import Cases, Histories
from trefoil.data.interactions import Ints
from trefoil.fusion.ensemble.candidates import Candidates
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.plan.domains import FAR, outside

FIRST = 100  # items of a list that are looked at
FRONT = 20  # of them, those that scores are compared with
MEMBERS = 4  # networks, whose mean is heard
HIDDEN = 32
WIDEST = 5.0  # standard deviations at which features are cut


@dataclass(frozen=True)
class Shortlist:
    """The first items of each case, best first, and what is known of each."""

    rows: Int[Tensor, "n K"]
    scores: Float[Tensor, "n K"]  # of the gate
    open: Bool[Tensor, "n K"]  # not met before
    features: Float[Tensor, "n K F"]

    def deal(
        self, blended: Float[Tensor, "n I"], marks: Float[Tensor, "n K"]
    ) -> Float[Tensor, "n I"]:
        """The scores of the gate, those of the open first items dealt anew, the best mark first.

        Scores keep their meaning beside items that were not looked at. Met items keep theirs.
        """
        order = marks.masked_fill(~self.open, -torch.inf).argsort(
            dim=1, descending=True, stable=True
        )
        return blended.scatter(1, self.rows.gather(1, order), self.scores)


class ListNetwork(nn.Module):
    """Several small networks side by side, each a mark per item on top of the gate's score.

    ``a s + f(x)`` with the gate's score s and features x; f is zero at the start.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, features: int, members: int = MEMBERS, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("spread", torch.ones(features))
        self.scale = nn.Parameter(torch.ones(members, 1, 1))
        sizes = (features, hidden, hidden, 1)
        self.weight = nn.ParameterList(torch.zeros(members, *ends) for ends in pairwise(sizes))
        self.bias = nn.ParameterList(torch.zeros(members, 1, size) for size in sizes[1:])

    def start(self, features: Float[Tensor, "n F"], generator: torch.Generator) -> None:
        """Scale features by these; random weights but for the last layer."""
        self.mean.copy_(features.mean(0))
        self.spread.copy_(features.std(0).clamp(min=1e-6))
        for weight, bias in list(zip(self.weight, self.bias, strict=True))[:-1]:
            bound = weight.shape[1] ** -0.5
            for part in (weight, bias):
                nn.init.uniform_(part, -bound, bound, generator=generator)

    def read(self, short: Shortlist) -> Float[Tensor, "M n K"]:
        """The marks of every member for the same lists."""
        members = len(self.scale)
        scores, features = short.scores, short.features
        return self(scores.expand(members, -1, -1), features.expand(members, -1, -1, -1))

    def forward(
        self,
        scores: Float[Tensor, "M n K"],
        features: Float[Tensor, "M n K F"],
        dropout: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "M n K"]:
        """A mark for each item; the list is ordered by them."""
        told = ((features - self.mean) / self.spread).clamp(-WIDEST, WIDEST)
        members, n, k, width = told.shape
        x = told.reshape(members, n * k, width)
        for layer, (weight, bias) in enumerate(zip(self.weight, self.bias, strict=True), 1):
            x = torch.baddbmm(bias, x, weight)
            if layer < len(self.weight):
                x = nn.functional.gelu(x)
                if dropout:
                    x = dropped(x, dropout, generator)
        return self.scale * scores + x.view(members, n, k)


def dropped(
    x: Float[Tensor, "*shape"], share: float, generator: torch.Generator | None
) -> Float[Tensor, "*shape"]:
    """``x`` with a share of it zero, in steps of 1 / 256, and the rest larger by as much.

    A byte is drawn for each value, eight of them at once: draws are what dropout costs.
    """
    zero = round(256 * share)
    drawn = torch.empty(-(-x.numel() // 8), dtype=torch.int64)
    drawn.random_(torch.iinfo(drawn.dtype).min, None, generator=generator)
    kept = (drawn.view(torch.uint8)[: x.numel()] >= zero).view(x.shape)
    return x * kept.to(x.dtype).mul_(256 / (256 - zero))


@dataclass(frozen=True)
class Reranker:
    """Puts the first items of a list in order, from all base models and from both sides.

    The gate weighs base models alike for everyone; how much to trust which base model hangs on
    how far ahead an item is, how often it was met, and how much is known of the
    person. ``log_events`` are of items in training; with ``returning`` items met
    before are looked at, too.
    """

    network: ListNetwork
    log_events: Float[Tensor, " items"]
    returning: bool

    @torch.no_grad()
    def rerank(
        self,
        z: Float[Tensor, "E n I"],
        blended: Float[Tensor, "n I"],
        cases: Cases,
        domain: Ints | None = None,
    ) -> Float[Tensor, "n I"]:
        """The gate's scores with the first items put in order; without a history as they are.

        Where a case asks in a ``domain`` [items], its first items are those of the domain.
        """
        history, first = cases.history, sunk(blended, cases, domain)
        short = shortlist(z, first, history, self.log_events, returning=self.returning)
        marks = self.network.read(short).mean(0)
        known = torch.from_numpy(history.lengths > 0)[:, None]
        dealt = torch.where(known, short.deal(first, marks), first)
        return dealt if first is blended else dealt + (blended - first)


def sunk(scores: Float[Tensor, "n I"], cases: Cases, domain: Ints | None) -> Float[Tensor, "n I"]:
    """Items of another domain than a case asks in stand behind all others."""
    others = outside(cases.scenario, domain)
    return scores if others is None else scores - FAR * torch.from_numpy(others)


def log_events_of(known: TrainingData) -> Float[Tensor, " learned"]:
    """``log(1 + n)`` for the n training events of each item."""
    events = np.asarray(known.matrix.sum(0), np.float32).ravel()[: known.learned]
    return torch.from_numpy(events).log1p()


def shortlist(
    z: Float[Tensor, "E n I"],
    blended: Float[Tensor, "n I"],
    history: Histories,
    log_events: Float[Tensor, " I"],
    *,
    returning: bool,
) -> Shortlist:
    """The first items by the gate; those met before come last, or are open where people return.

    Per base model the z-score, and how far it is from the mean of the front; the same of
    the gate's score; the place; how often the item was met; how much the person
    met, and how often others met that.
    """
    n, items = blended.shape
    case = np.repeat(np.arange(n), history.lengths)
    old = history.item < items  # not added later
    case, item = torch.from_numpy(case[old]), torch.from_numpy(history.item[old])
    met = torch.zeros(n, items, dtype=torch.bool)
    if not returning:
        met[case, item] = True
    first = min(FIRST, items)
    rows = blended.masked_fill(met, -torch.inf).topk(first, dim=1).indices
    scores = blended.gather(1, rows)
    heard = [*(one.gather(1, rows) for one in z), scores]
    length = torch.from_numpy(history.lengths).float()
    usual = torch.zeros(n).index_add(0, case, log_events[item]) / length.clamp(min=1)
    features = described(heard, log_events[rows], length, usual)
    return Shortlist(rows, scores, ~met.gather(1, rows), features)


def described(
    heard: Sequence[Float[Tensor, "n K"]],
    events: Float[Tensor, "n K"],
    length: Float[Tensor, " n"],
    usual: Float[Tensor, " n"],
) -> Float[Tensor, "n K F"]:
    """The features of the first items; ``heard`` are z-scores and, last, the gate's score.

    ``events`` are logs of how often items were met, ``usual`` the mean of it over a history.
    """
    columns = [*heard, *(one - one[:, :FRONT].mean(1, keepdim=True) for one in heard)]
    place = torch.arange(events.shape[1]) / FIRST
    columns += [events, (events == 0).float()]
    parts = place, length.log1p()[:, None], usual[:, None]
    return torch.stack([*columns, *(part.expand(*events.shape) for part in parts)], dim=2)


def shortlist_of(
    candidates: Candidates,
    blended: Float[Tensor, "n C"],
    log_events: Float[Tensor, " I"],
) -> Shortlist:
    """``shortlist`` from candidates: rows are their places, masked ones come last."""
    history, masked = candidates.told.cases.history, candidates.told.masked
    rows = blended.masked_fill(masked, -torch.inf).topk(min(FIRST, blended.shape[1])).indices
    scores = blended.gather(1, rows)
    heard = [*(one.gather(1, rows) for one in candidates.z), scores]
    length = torch.from_numpy(history.lengths).float()
    case = torch.from_numpy(np.repeat(np.arange(len(length)), history.lengths))
    told = log_events[torch.from_numpy(history.item)]
    usual = torch.zeros(len(length)).index_add(0, case, told) / length.clamp(min=1)
    features = described(heard, log_events[candidates.item.gather(1, rows)], length, usual)
    return Shortlist(rows, scores, ~masked.gather(1, rows), features)
