"""Teaching the second look on validation lists, and judging it on lists it was not taught on."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from trefoil.data.interactions import Ints
from trefoil.fusion.ensemble.candidates import Candidates
from trefoil.fusion.ensemble.gate import Gate
from trefoil.fusion.ensemble.reranker import (
    MEMBERS,
    ListNetwork,
    Reranker,
    Shortlist,
    shortlist,
    shortlist_of,
    sunk,
)
from trefoil.fusion.features.validation import Validation
from trefoil.fusion.plan.domains import asked_domain

FEWEST_CASES = 1000  # lists; with fewer the gate has the last word
EPOCHS, FEWEST_STEPS = 30, 330
BATCH = 128  # lists per step at most; so many at least must hold something relevant
RATE, DECAY, DROPOUT = 3e-3, 1e-4, 0.3


def fit_reranker(
    z: Float[Tensor, "E n I"],
    gate: Gate,
    validation: Validation,
    log_events: Float[Tensor, " items"],
    *,
    returning: bool,
    seed: int,
    domain: Ints | None = None,
) -> tuple[Reranker | None, dict[str, float]]:
    """The reranker, and the validation NDCG@10 of lists put in order by members new to them.

    Cases are dealt into as many parts as there are members, and each member is
    taught on all parts but one (cross-fitting, as in stacking: Wolpert 1992,
    doi:10.1016/S0893-6080(05)80023-1). None where too few lists teach anything, and
    where they are worse than those of the gate by a standard error: the gate was fitted
    on these very cases, so its own mark is too good.
    """
    if len(validation) < FEWEST_CASES:
        return None, {}
    asked = asked_domain(validation.cases.scenario)
    blended = sunk(gate.mix(z, validation.seen, asked), validation.cases, domain)
    history = validation.cases.history
    generator = torch.Generator().manual_seed(seed)
    part = torch.randperm(len(validation), generator=generator) % MEMBERS
    short = shortlist(z, blended, history, log_events, returning=returning)
    network, marks = _judged(short, blended, validation, part, generator)
    return network and Reranker(network, log_events, returning), marks


def fit_reranker_on(
    candidates: Candidates,
    gate: Gate,
    log_events: Float[Tensor, " items"],
    *,
    returning: bool,
    seed: int,
) -> tuple[Reranker | None, dict[str, float]]:
    """The same from candidates alone, where a table of all scores would not fit."""
    validation = candidates.told
    if len(validation) < FEWEST_CASES:
        return None, {}
    blended = gate.mix(candidates.z, candidates.seen, asked_domain(validation.cases.scenario))
    generator = torch.Generator().manual_seed(seed)
    part = torch.randperm(len(validation), generator=generator) % MEMBERS
    short = shortlist_of(candidates, blended, log_events)
    network, marks = _judged(short, blended, validation, part, generator)
    return network and Reranker(network, log_events, returning), marks


def _judged(
    short: Shortlist,
    blended: Float[Tensor, "n C"],
    validation: Validation,
    part: Int[Tensor, " n"],
    generator: torch.Generator,
) -> tuple[ListNetwork | None, dict[str, float]]:
    """The networks, unless lists in the order of members new to them are worse than before."""
    relevant = validation.relevant.gather(1, short.rows) & short.open
    if int(relevant.any(1).sum()) < BATCH:
        return None, {}
    closed = validation.masked.gather(1, short.rows) | ~short.open
    network = _taught(short, relevant, closed, part, generator)
    with torch.no_grad():
        marks = network.read(short)
    unseen = marks[part, torch.arange(len(part))]
    found = validation.gains(short.deal(blended, unseen))
    mark = float(found.mean())
    if _worse(found - validation.gains(blended)):
        return None, {"reranked, not taken": mark}
    return network, {"reranked": mark}


def marks_of_other(
    z: Float[Tensor, "E n I"],
    fitted: Gate,
    validation: Validation,
    gate: Gate,
    reranker: Reranker,
    domain: Ints | None = None,
) -> dict[str, float] | None:
    """Validation NDCG@10 of a blend learned elsewhere, without and with its reranker.

    None where it hears other base models, or is worse by a standard error than the gate
    fitted on these cases.
    """
    if gate.base_models != fitted.base_models:
        return None
    asked = asked_domain(validation.cases.scenario)
    blended = gate.mix(z, validation.seen, asked)
    found = validation.gains(reranker.rerank(z, blended, validation.cases, domain))
    if _worse(found - validation.gains(fitted.mix(z, validation.seen, asked))):
        return None
    return {"chosen": validation.ndcg(blended), "reranked": float(found.mean())}


def _worse(gain: Float[Tensor, " n"]) -> bool:
    """Whether the mean is below zero by more than its standard error."""
    return float(gain.mean()) < -float(gain.std()) / len(gain) ** 0.5


def _taught(
    short: Shortlist,
    relevant: Bool[Tensor, "n K"],
    closed: Bool[Tensor, "n K"],
    part: Int[Tensor, " n"],
    generator: torch.Generator,
) -> ListNetwork:
    """Members taught by ``listwise``, each on all parts of the lists but its own."""
    network = ListNetwork(short.features.shape[2])
    network.start(short.features[short.open], generator)
    own = (part != torch.arange(MEMBERS)[:, None]) & relevant.any(1)
    fewest = int(own.sum(1).min())
    size = min(max(fewest // 8, 16), BATCH, fewest)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    steps = max(EPOCHS * -(-fewest // size), FEWEST_STEPS)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for _ in range(steps):
        drawn = torch.rand(own.shape, generator=generator).masked_fill(~own, -1.0)
        cases = drawn.topk(size, dim=1).indices
        marks = network(short.scores[cases], short.features[cases], DROPOUT, generator)
        loss = listwise(marks.masked_fill(closed[cases], -1e4), relevant[cases])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return network.eval()


def listwise(
    marks: Float[Tensor, "*cases K"], relevant: Bool[Tensor, "*cases K"]
) -> Float[Tensor, ""]:
    """``-log p`` of the relevant items of a list, the mean per list; lists weigh by their root.

    The softmax of ListNet (Cao et al. 2007, doi:10.1145/1273496.1273513) with the
    relevant as target.
    """
    count = relevant.sum(-1).clamp(min=1)
    told = torch.log_softmax(marks, dim=-1).masked_fill(~relevant, 0.0)
    weight = count.sqrt() * relevant.any(-1)
    return -(weight * told.sum(-1) / count).sum() / weight.sum().clamp(min=1e-9)
