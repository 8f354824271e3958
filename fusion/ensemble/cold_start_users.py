"""Cold-start users: answered by what is popular and what is told of them."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from trefoil.data.histories import Cases, Histories
from trefoil.fusion.ensemble.gate import Gate, Scores
from trefoil.fusion.features.validation import Validation
from trefoil.fusion.models.base import ScoringModel, needs_no_history
from trefoil.fusion.plan.domains import asked_domain

AT_ONCE = 512  # cases that all base models score


def cold_users_gate(
    base_models: Mapping[str, ScoringModel], gate: Gate, validation: Validation
) -> tuple[Gate | None, dict[str, float]]:
    """The gate for cases without history, and validation NDCG@10 of both when asked so.

    None where the usual ``gate`` serves them better. Validation cases are asked as if
    nothing were known of their past: histories are empty, and only what
    reads attributes is told who asks.
    """
    names = tuple(name for name, base_model in base_models.items() if needs_no_history(base_model))
    own = Gate(names, (1.0,) * len(names), (1.0,) * len(names))
    seen, usual, alone = validation.seen, [], []
    for rows in np.array_split(np.arange(len(validation)), -(-len(validation) // AT_ONCE)):
        cases = validation.cases.take(rows)
        empty = Histories(np.zeros(len(cases) + 1, np.int64), np.zeros(0, np.int64))
        scores = {}
        for name, base_model in base_models.items():
            user = cases.user if "attributes" in base_model.reads else np.full(len(cases), -1)
            scores[name] = base_model.score(Cases(user, empty, cases.at, cases.scenario))
        usual.append(gate.blend(scores, seen, asked_domain(cases.scenario)))
        alone.append(cold_user_scores(own, scores, len(seen)))
    blends = {"usual": usual, "cold_users": alone}
    marks = {name: validation.ndcg(torch.cat(parts)) for name, parts in blends.items()}
    return (own if marks["cold_users"] > marks["usual"] else None), marks


def cold_user_scores(gate: Gate, scores: Scores, learned: int) -> Float[Tensor, "cases items"]:
    """Items without events are the least popular, and no kind apart.

    Those that came after the first ``learned`` follow at the end and move no others.
    """
    old = {name: scores[name][:, :learned] for name in gate.base_models}
    blended = gate.blend(old, torch.ones(learned, dtype=torch.bool))
    added = scores[gate.base_models[0]].shape[1] - learned
    last = blended.amin(1, keepdim=True).expand(-1, added)
    return torch.cat([blended, last], 1)
