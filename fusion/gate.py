"""Many leaves, one score: a small calibrated blend fitted on validation events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from fusion.validation import Validation

Scores = Mapping[str, Tensor]  # per leaf [cases, items]

RIDGE = 1e-3  # on the weights of the logit
LOGIT_CASES = 600  # looked at by the logit
SHORT_WARM, SHORT_COLD = 60, 20  # items per leaf and case that the ascent ranks
LIFT, MOST = 0.25, 8.0  # steps in which cold items are lifted or lowered, in logits
PRICE = 0.1  # of validation NDCG@10 per share of them among the wanted: see _lift_cold


@dataclass(frozen=True)
class Gate:
    """``sum_k w_k z_k``: per-case z-scores of the leaves, weighted.

    Items without training events have weights and one offset of their own,
    because leaves that live from events know nothing of them. Few numbers, so
    they can be printed: they say what each leaf gave.
    """

    leaves: tuple[str, ...]
    warm: tuple[float, ...]
    cold: tuple[float, ...]
    offset: float = 0.0

    def blend(self, scores: Scores, seen: Bool[Tensor, " items"]) -> Float[Tensor, "cases items"]:
        """One score per case and item. ``seen`` marks items with training events."""
        z = standardise(scores, self.leaves, seen)
        return self._mix(z, seen)

    def _mix(self, z: Float[Tensor, "E n I"], seen: Tensor) -> Float[Tensor, "n I"]:
        """``seen`` is [I], or [n, I] where each case has candidates of its own."""
        mixed = torch.einsum("eni,e->ni", z, z.new_tensor(self.warm))
        if bool(seen.all()):
            return mixed
        cold = self.offset + torch.einsum("eni,e->ni", z, z.new_tensor(self.cold))
        return torch.where(seen, mixed, cold)


def standardise(
    scores: Scores, leaves: Sequence[str], seen: Bool[Tensor, " items"]
) -> Float[Tensor, "E n items"]:
    """z-scores per case, over the warm items and over the cold ones separately.

    A leaf with nothing to say of a case (all scores equal) gives zeros.
    """
    z = torch.stack([scores[name] for name in leaves]).float()
    for columns in (seen, ~seen):
        if not bool(columns.any()):
            continue
        part = z[:, :, columns]
        part = part - part.mean(2, keepdim=True)
        spread = part.pow(2).mean(2, keepdim=True).sqrt()
        z[:, :, columns] = torch.where(spread > 1e-6, part / spread.clamp(min=1e-6), 0.0)
    return z


def fit_gate(scores: Scores, validation: Validation) -> tuple[Gate, dict[str, float]]:
    """The gate that serves validation best, and its validation NDCG@10 on the way.

    First a conditional logit (McFadden 1974) over all items not masked, then
    coordinate ascent on NDCG@10 from there; the better of the two on validation,
    unless the best leaf alone is better still, and the ascent starts from it.
    Last the cold offset, see ``_lift_cold``.
    """
    leaves = tuple(scores)
    z = standardise(scores, leaves, validation.seen)
    logit = gate = _logit(z, validation, leaves)
    z, validation, seen = _shortlist(z, validation)
    marks = {"logit": validation.ndcg(gate._mix(z, seen))}
    ascent, marks["ascent"] = _ascend(z, seen, validation, gate)
    if marks["ascent"] > marks["logit"]:
        gate = ascent
    alone = _best_alone(z, seen, validation, gate)
    if validation.ndcg(alone._mix(z, seen)) > max(marks.values()):
        gate, marks["ascent"] = _ascend(z, seen, validation, alone)
    scaled = _scaled(gate, sum(map(abs, logit.warm)))
    gate, marks["chosen"] = _lift_cold(z, seen, validation, [scaled, gate])
    return gate, marks


def _shortlist(
    z: Float[Tensor, "E n I"], validation: Validation
) -> tuple[Float[Tensor, "E n C"], Validation, Bool[Tensor, "n C"]]:
    """Per case, what could enter a top ten: each leaf's first items, warm and cold, and the wanted.

    The ascent tries hundreds of weights; on the shortlist each try costs a tenth.
    """
    n, items = validation.masked.shape
    listed = validation.wanted.clone()
    for columns, most in ((validation.seen, SHORT_WARM), (~validation.seen, SHORT_COLD)):
        at = columns.nonzero()[:, 0]
        if not len(at):
            continue
        for leaf in z[:, :, at]:
            open_scores = leaf.masked_fill(validation.masked[:, at], -torch.inf)
            top = open_scores.topk(min(most, len(at)), dim=1).indices
            listed[torch.arange(n)[:, None], at[top]] = True
    width = int(listed.sum(1).max())
    picked = listed.float().topk(min(width, items), dim=1).indices
    masked = validation.masked | ~listed
    narrow = Validation(
        validation.cases,
        masked.gather(1, picked),
        validation.wanted.gather(1, picked),
        validation.seen,
    )
    return z.gather(2, picked.expand(len(z), -1, -1)), narrow, validation.seen[picked]


def _logit(z: Float[Tensor, "E n I"], validation: Validation, leaves: tuple[str, ...]) -> Gate:
    """Weights that maximise the log-likelihood of the wanted items among all unmasked ones.

    An even sample of the cases is enough for so few numbers.
    """
    rows = torch.linspace(0, len(validation) - 1, min(len(validation), LOGIT_CASES)).long()
    z, wanted, masked = z[:, rows], validation.wanted[rows], validation.masked[rows]
    count, cold_items = len(leaves), ~validation.seen
    any_cold = bool((wanted & cold_items).any())
    theta = torch.full((2 * count + 1,), 0.3)
    theta[-1] = 0.0
    start = theta.clone()
    theta.requires_grad_()
    case, item = wanted.nonzero(as_tuple=True)
    hidden = masked if any_cold else masked | cold_items
    z_cold = z[:, :, cold_items]
    optimiser = torch.optim.LBFGS([theta], max_iter=30, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        mixed = torch.einsum("eni,e->ni", z, theta[:count])
        if any_cold:
            cold = torch.einsum("eni,e->ni", z_cold, theta[count:-1]) + theta[-1]
            mixed = mixed.masked_scatter(cold_items.expand_as(mixed), cold)
        logs = torch.log_softmax(mixed.masked_fill(hidden, -1e9), 1)[case, item]
        value = -logs[logs > -1e8].mean() + RIDGE * theta[:-1].square().sum()
        value.backward()
        return value.detach()

    optimiser.step(loss)
    fitted = theta.detach()
    cold = fitted[count:-1] if any_cold else start[count:-1]
    offset = float(fitted[-1]) if any_cold else -3.0
    return Gate(leaves, tuple(fitted[:count].tolist()), tuple(cold.tolist()), offset)


def _best_alone(
    z: Float[Tensor, "E n C"], seen: Bool[Tensor, "n C"], validation: Validation, gate: Gate
) -> Gate:
    """The gate that hears one leaf on warm items, the best on validation."""
    count = len(gate.leaves)
    tries = [replace(gate, warm=tuple(float(i == k) for i in range(count))) for k in range(count)]
    return max(tries, key=lambda one: validation.ndcg(one._mix(z, seen)))


def _ascend(
    z: Float[Tensor, "E n C"], seen: Bool[Tensor, "n C"], validation: Validation, gate: Gate
) -> tuple[Gate, float]:
    """Change one warm weight at a time as long as validation NDCG@10 rises."""
    weights = torch.tensor(gate.warm)
    mixed = gate._mix(z, seen)
    best = validation.ndcg(mixed)
    z = z.masked_fill(~seen, 0.0)
    unit = float(weights.abs().max())
    for step in (0.4 * unit, 0.15 * unit, 0.05 * unit):
        for leaf in range(len(weights)):
            for change in (step, -step):
                while float(weights[leaf]) + change >= 0 or weights[leaf] < 0:
                    tried = mixed + change * z[leaf]
                    value = validation.ndcg(tried)
                    if value <= best + 1e-6:
                        break
                    weights[leaf] += change
                    mixed, best = tried, value
    return replace(gate, warm=tuple(weights.tolist())), best


def _scaled(gate: Gate, size: float) -> Gate:
    """The same order of warm items, with weights that add up to ``size``.

    The ascent changes the size of the weights, which NDCG does not see, and with
    it what a logit more or less means to a cold item.
    """
    now = sum(map(abs, gate.warm)) or 1.0
    return replace(gate, warm=tuple(weight * size / now for weight in gate.warm))


def _lift_cold(
    z: Float[Tensor, "E n C"],
    seen: Bool[Tensor, "n C"],
    validation: Validation,
    gates: Sequence[Gate],
) -> tuple[Gate, float]:
    """Lift cold items as far as is worth it: likelihood alone hides nearly all of them.

    The largest lift that costs at most a tenth of the share that cold items have
    among the wanted: where every tenth of these is cold, one percent of the best
    validation NDCG@10; where none is, nothing. Of the first gate that has one.
    """
    if bool(seen.all()):
        return gates[-1], validation.ndcg(gates[-1]._mix(z, seen))
    lifts = torch.arange(-MOST, MOST + LIFT, LIFT).tolist()
    tried = [[replace(gate, offset=gate.offset + lift) for lift in lifts] for gate in gates]
    marks = [[validation.ndcg(one._mix(z, seen)) for one in lifted] for lifted in tried]
    share = float((validation.wanted & ~seen).sum() / validation.wanted.sum())
    least = max(max(row) for row in marks) * (1 - PRICE * share)
    place = next(at for at, row in enumerate(marks) if max(row) >= least)
    last = max(at for at, mark in enumerate(marks[place]) if mark >= least)
    return tried[place][last], marks[place][last]
