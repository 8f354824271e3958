"""The gate that serves validation best, found so that chance moves it little."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from trefoil.fusion.ensemble.candidates import Candidates
from trefoil.fusion.ensemble.gate import Gate
from trefoil.fusion.ensemble.gate_ascents import bagged, within_domains
from trefoil.fusion.features.validation import Validation
from trefoil.fusion.plan.domains import asked_domain

RIDGE = 1e-3  # on the weights of the logit
START = 0.3  # of every weight
LOGIT_CASES = 600  # looked at by the logit
SHORT_WARM, SHORT_COLD = 60, 20  # items per base model and case that the ascent ranks
COLD_PRIOR = 5.0  # relevant cold items that weigh as much as the start of the cold weights
HIDDEN = -1e4  # an offset below which no cold item is seen
LIFT, MOST = 0.25, 8.0  # steps in which cold items are lifted or lowered, in logits
LOT = 1e-4  # of a score: by so little items differ that are alike
PRICE = 0.1  # of validation NDCG@10 per share of them among the relevant: see _lift_cold

# z-scores, what is asked, and which items are warm: of all items, or of some of each case.
Whole = tuple[Float[Tensor, "E n I"], Validation, Bool[Tensor, "n I"]]
Some = tuple[Float[Tensor, "E n C"], Validation, Bool[Tensor, "n C"]]


def fit_gate(
    names: Sequence[str], z: Float[Tensor, "E n I"], validation: Validation
) -> tuple[Gate, dict[str, float]]:
    """The gate that serves validation best, and its validation NDCG@10 on the way.

    ``z`` are the z-scores of the base models of these names, see ``standardise``.

    First a conditional logit (McFadden 1974) over the warm items not masked, then
    coordinate ascents on NDCG@10 from there, each on a sample of the cases; their
    mean is the gate (bagging, Breiman 1996). It gives way to the logit, or to the
    best base model alone and ascents from it, where these are better on validation.
    Cold items get weights of their own, and an offset, see ``_lift_cold``; domains get
    weights of their own, see ``within_domains``.
    """
    warm, cold = _warm_logit(z, validation), _cold_logit(z, validation)
    offset = _offset(z, validation, warm, cold)
    logit = Gate(tuple(names), tuple(warm.tolist()), tuple(cold.tolist()), offset)
    seen = validation.seen.expand_as(validation.relevant)
    return _best_gate(logit, _shortlist(z, validation), (z, validation, seen))


def fit_gate_on(candidates: Candidates, names: Sequence[str]) -> tuple[Gate, dict[str, float]]:
    """The same from candidates alone, where a table of all scores would not fit.

    In the logits a drawn item stands for as many as were not drawn.
    """
    z, told, seen = candidates.z, candidates.told, candidates.seen
    start, share = torch.full((len(z),), START), candidates.stands_for
    rows = torch.linspace(0, len(told) - 1, min(len(told), LOGIT_CASES)).long()
    hidden = told.masked | ~seen
    warm = _conditional(
        z[:, rows], told.relevant[rows], hidden[rows], start, RIDGE, 0.0, share[rows]
    )
    cold, offset = start, 0.0
    if bool((told.relevant & ~seen).any()):
        rows = (told.relevant & ~seen).any(1)
        wanted = told.relevant[rows] & ~seen[rows]
        ridge = COLD_PRIOR / float(wanted.sum())
        closed = (told.masked | seen)[rows]
        cold = _conditional(z[:, rows], wanted, closed, start, ridge, START, share[rows])
    if not bool(seen.all()):
        sides = ((~seen, warm), (seen, cold))
        level = [
            (torch.einsum("eni,e->ni", z, weights) + share)
            .masked_fill(told.masked | other, -1e9)
            .logsumexp(1)
            .mean()
            for other, weights in sides
        ]
        offset = float(level[0] - level[1] + _odds(told.relevant, seen))
    logit = Gate(tuple(names), tuple(warm.tolist()), tuple(cold.tolist()), offset)
    return _best_gate(logit, (z, told, seen), (z, told, seen))


def _best_gate(logit: Gate, some: Some, whole: Whole) -> tuple[Gate, dict[str, float]]:
    """The gate of a logit, or of ascents from there or from the best base model alone.

    Ascents look at ``some`` items of each case. How far cold items are lifted is told by
    the ``whole``: where they are much alike, all of them come up together.
    """
    z, validation, seen = some
    offset = logit.offset
    tried = [logit, bagged(z, seen, validation, logit)]
    # Judged without cold items: their offset was fitted beside the logit alone.
    marks = [validation.ndcg(replace(gate, offset=HIDDEN).mix(z, seen)) for gate in tried]
    named: dict[str, float] = {"logit": marks[0], "ascents": marks[1]}
    alone = _best_alone(z, seen, validation, replace(logit, offset=HIDDEN))
    mark = validation.ndcg(alone.mix(z, seen))
    if mark > max(marks):
        tried += [alone, bagged(z, seen, validation, alone)]
        marks += [mark, validation.ndcg(tried[-1].mix(z, seen))]
    gate = replace(tried[max(range(len(tried)), key=marks.__getitem__)], offset=offset)
    gate, named["chosen"] = _lift_cold(*whole, gate)
    within = within_domains(z, seen, validation, gate)
    if within:
        gate = replace(gate, within=within)
        asked = asked_domain(validation.cases.scenario)
        named["by domain"] = validation.ndcg(gate.mix(z, seen, asked))
    return gate, named


def _warm_logit(z: Float[Tensor, "E n I"], validation: Validation) -> Float[Tensor, " E"]:
    """Weights that maximise the likelihood of the relevant items among all unmasked warm ones.

    An even sample of the cases is enough for so few numbers.
    """
    rows = torch.linspace(0, len(validation) - 1, min(len(validation), LOGIT_CASES)).long()
    hidden = validation.masked[rows] | ~validation.seen
    start = torch.full((len(z),), START)
    return _conditional(z[:, rows], validation.relevant[rows], hidden, start, RIDGE, 0.0)


def _cold_logit(z: Float[Tensor, "E n I"], validation: Validation) -> Float[Tensor, " E"]:
    """The same for the order of cold items among themselves, over all cases that want one.

    They may be few, so a normal prior around the start holds the weights.
    """
    cold = ~validation.seen
    start = torch.full((len(z),), START)
    rows = validation.relevant[:, cold].any(1)
    if not bool(rows.any()):
        return start
    relevant, hidden = (part[rows][:, cold] for part in (validation.relevant, validation.masked))
    ridge = COLD_PRIOR / float((relevant & ~hidden).sum().clamp(min=1))
    return _conditional(z[:, rows][:, :, cold], relevant, hidden, start, ridge, START)


def _conditional(
    z: Float[Tensor, "E n I"],
    relevant: Bool[Tensor, "n I"],
    hidden: Bool[Tensor, "n I"],
    start: Float[Tensor, " E"],
    ridge: float,
    centre: float,
    stands_for: Float[Tensor, "n I"] | None = None,
) -> Float[Tensor, " E"]:
    """A conditional logit: ``-mean log p(relevant | not hidden) + ridge |w - centre|^2``.

    ``stands_for`` is the log of how many items a column stands for.
    """
    weights = start.clone().requires_grad_()
    case, item = (relevant & ~hidden).nonzero(as_tuple=True)
    if not len(case):
        return start
    optimiser = torch.optim.LBFGS([weights], max_iter=30, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        mixed = torch.einsum("eni,e->ni", z, weights)
        if stands_for is not None:
            mixed = mixed + stands_for
        mixed = mixed.masked_fill(hidden, -1e9)
        fit = torch.log_softmax(mixed, 1)[case, item].mean()
        value = ridge * (weights - centre).square().sum() - fit
        value.backward()
        return value.detach()

    optimiser.step(loss)
    return weights.detach()


def _offset(z: Float[Tensor, "E n I"], validation: Validation, warm: Tensor, cold: Tensor) -> float:
    """Puts as much of the softmax on cold items, in the mean, as they have of the relevant.

    Only cases with a candidate on both sides can say what a side weighs.
    """
    seen = validation.seen
    if bool(seen.all()):
        return 0.0
    both = torch.stack([(~validation.masked[:, part]).any(1) for part in (seen, ~seen)]).all(0)
    if not both.any():
        return 0.0
    level = [
        torch.einsum("eni,e->ni", z, weights)
        .masked_fill_(validation.masked | other, -1e9)
        .logsumexp(1)[both]
        .mean()
        for other, weights in ((~seen, warm), (seen, cold))
    ]
    return float(level[0] - level[1] + _odds(validation.relevant, seen))


def _odds(relevant: Bool[Tensor, "n I"], seen: Bool[Tensor, "..."]) -> Tensor:
    """The log of how much more often cold items are relevant than warm ones."""
    share = float((relevant & ~seen).sum() / relevant.sum())
    return torch.tensor(max(share, 1e-4) / max(1 - share, 1e-4)).log()


def _shortlist(z: Float[Tensor, "E n I"], validation: Validation) -> Some:
    """Per case, what could enter a top ten: the first items of each base model, and the relevant.

    The ascent tries hundreds of weights; on the shortlist each try costs a tenth.
    """
    listed = validation.relevant.clone()
    for columns, most in ((validation.seen, SHORT_WARM), (~validation.seen, SHORT_COLD)):
        at = columns.nonzero()[:, 0]
        if not len(at):
            continue
        closed = validation.masked[:, at]
        for one in z:  # one at a time: all of them are the largest tensor of the fusion
            open_scores = one[:, at].masked_fill(closed, -torch.inf)
            top = open_scores.topk(min(most, len(at)), dim=1).indices
            listed[torch.arange(len(top))[:, None], at[top]] = True
    picked, narrow = _narrow(listed, validation)
    return z.gather(2, picked.expand(len(z), -1, -1)), narrow, validation.seen[picked]


def _narrow(
    listed: Bool[Tensor, "n I"], validation: Validation
) -> tuple[Int[Tensor, "n C"], Validation]:
    """Where the items listed of each case stand, and validation of these alone."""
    width = int(listed.sum(1).max())
    picked = listed.float().topk(width, dim=1).indices
    masked = (validation.masked | ~listed).gather(1, picked)
    relevant = validation.relevant.gather(1, picked)
    return picked, Validation(validation.cases, masked, relevant, validation.seen)


def _best_alone(
    z: Float[Tensor, "E n C"], seen: Bool[Tensor, "n C"], validation: Validation, gate: Gate
) -> Gate:
    """The gate that hears one base model on warm items, the best on validation."""
    count, size = len(gate.base_models), sum(map(abs, gate.warm))
    tries = [replace(gate, warm=tuple(size * (i == k) for i in range(count))) for k in range(count)]
    return max(tries, key=lambda one: validation.ndcg(one.mix(z, seen)))


def _lift_cold(
    z: Float[Tensor, "E n C"],
    validation: Validation,
    seen: Bool[Tensor, "n C"],
    gate: Gate,
) -> tuple[Gate, float]:
    """Lift cold items as far as is worth it: likelihood alone hides nearly all of them.

    The largest lift that costs at most a tenth of the share that cold items have
    among the relevant: where every tenth of these is cold, one percent of the best
    validation NDCG@10; where none is, nothing.
    """
    if bool(seen.all()):
        return gate, validation.ndcg(gate.mix(z, seen))
    scores, told, warm = _leading(gate.mix(z, seen), validation, seen)
    lifts = torch.arange(-MOST, MOST + LIFT, LIFT).tolist()
    marks = [told.ndcg(scores + lift * ~warm) for lift in lifts]
    share = float((validation.relevant & ~seen).sum() / validation.relevant.sum())
    least = max(marks) * (1 - PRICE * share)
    last = max(at for at, mark in enumerate(marks) if mark >= least)
    return replace(gate, offset=gate.offset + lifts[last]), marks[last]


def _leading(
    mixed: Float[Tensor, "n C"], validation: Validation, seen: Bool[Tensor, "n C"]
) -> tuple[Float[Tensor, "n c"], Validation, Bool[Tensor, "n c"]]:
    """The first ten warm items of each case, the first ten cold ones, and the relevant.

    Nothing else can be in a first ten, however far all cold items are lifted. Equal scores
    fall by lot, as in an exam: items of which nothing is known are all alike.
    """
    lot = torch.rand(mixed.shape[1], generator=torch.Generator().manual_seed(0))
    mixed = mixed + LOT * lot
    listed = validation.relevant.clone()
    for other in (seen, ~seen):
        open_scores = mixed.masked_fill(validation.masked | other, -torch.inf)
        listed.scatter_(1, open_scores.topk(min(10, mixed.shape[1]), dim=1).indices, True)
    picked, narrow = _narrow(listed, validation)
    return mixed.gather(1, picked), narrow, seen.gather(1, picked)
