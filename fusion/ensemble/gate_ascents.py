"""Ascents on NDCG@10 from a gate: their mean, for all cases and for those of each domain."""

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from trefoil.fusion.ensemble.gate import Gate
from trefoil.fusion.features.validation import Validation
from trefoil.fusion.plan.domains import asked_domain

BAGS, SHARE, FEWEST, MOST_CASES = 20, 0.3, 100, 600  # ascents, and the cases each looks at
FEWEST_OF_DOMAIN = 200  # cases that ask in a domain, from which it has weights of its own


def bagged(
    z: Float[Tensor, "E n C"], seen: Bool[Tensor, "n C"], validation: Validation, start: Gate
) -> Gate:
    """The mean of ascents on samples of the cases, each scaled to the size of the start.

    NDCG does not see the size of the weights, but cold items do: what a logit more
    or less means to them.
    """
    count = len(validation)
    size = min(max(round(SHARE * count), FEWEST), MOST_CASES, -(-count // 2))
    generator = torch.Generator().manual_seed(0)
    size_before = float(torch.tensor(start.warm).abs().sum())
    total = torch.zeros(len(start.base_models))
    for _ in range(BAGS):
        rows = torch.randperm(count, generator=generator)[:size]
        weights = ascend(z[:, rows], seen[rows], validation.take(rows), start)
        total += weights * (size_before / weights.abs().sum().clamp(min=1e-9)) / BAGS
    return replace(start, warm=tuple(total.tolist()))


def ascend(
    z: Float[Tensor, "E n C"], seen: Bool[Tensor, "n C"], validation: Validation, gate: Gate
) -> Float[Tensor, " E"]:
    """Change one warm weight at a time as long as validation NDCG@10 rises."""
    weights = torch.tensor(gate.warm)
    mixed = gate.mix(z, seen)
    best = validation.ndcg(mixed)
    z = z.masked_fill(~seen, 0.0)
    unit = float(weights.abs().max())
    for step in (0.4 * unit, 0.15 * unit, 0.05 * unit):
        for row in range(len(weights)):
            for change in (step, -step):
                while float(weights[row]) + change >= 0 or weights[row] < 0:
                    tried = mixed + change * z[row]
                    value = validation.ndcg(tried)
                    if value <= best + 1e-6:
                        break
                    weights[row] += change
                    mixed, best = tried, value
    return weights


def within_domains(
    z: Float[Tensor, "E n C"], seen: Bool[Tensor, "n C"], validation: Validation, gate: Gate
) -> tuple[tuple[float, ...], ...]:
    """Warm weights of each domain: ascents from the gate of all on the cases that ask there.

    The gate's own where a domain has few cases, or its ascents serve them no better. Empty
    where fewer than two domains are asked in, or none has weights of its own.
    """
    asked = asked_domain(validation.cases.scenario)
    codes = np.unique(asked[asked >= 0]) if asked is not None else np.zeros(0, np.int64)
    if len(codes) < 2:
        return ()
    found = [gate.warm] * (int(codes[-1]) + 1)
    for code in codes:
        rows = torch.from_numpy(np.flatnonzero(asked == code))
        if len(rows) < FEWEST_OF_DOMAIN:
            continue
        own, told, open_to = z[:, rows], validation.take(rows), seen[rows]
        tried = bagged(own, open_to, told, gate)
        if told.ndcg(tried.mix(own, open_to)) > told.ndcg(gate.mix(own, open_to)):
            found[code] = tried.warm
    return () if all(one == gate.warm for one in found) else tuple(found)
