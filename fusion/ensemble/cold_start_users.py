"""Cold-start users: answered by what is popular and what is told of them."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from trefoil.data.histories import Cases, Histories
from trefoil.fusion.ensemble.gate import Gate, Scores
from trefoil.fusion.features.validation import Validation
from trefoil.fusion.models.base import Leaf, needs_no_history


def newcomers_gate(
    leaves: Mapping[str, Leaf], gate: Gate, validation: Validation
) -> tuple[Gate | None, dict[str, float]]:
    """The gate for cases without history, and validation NDCG@10 of both when asked so.

    None where the usual ``gate`` serves them better. Validation cases are asked as if
    nothing were known of their past: histories are empty, and only what
    reads attributes is told who asks.
    """
    names = tuple(name for name, leaf in leaves.items() if needs_no_history(leaf))
    own = Gate(names, (1.0,) * len(names), (1.0,) * len(names))
    cases = validation.cases
    none = np.zeros(0, np.int64)
    empty = Histories(np.zeros(len(cases) + 1, np.int64), none)
    scores = {}
    for name, leaf in leaves.items():
        user = cases.user if "attributes" in leaf.reads else np.full(len(cases), -1)
        scores[name] = leaf.score(Cases(user, empty, cases.at, cases.scenario))
    marks = {
        "usual": validation.ndcg(gate.blend(scores, validation.seen)),
        "newcomers": validation.ndcg(newcomer_scores(own, scores, len(validation.seen))),
    }
    return (own if marks["newcomers"] > marks["usual"] else None), marks


def newcomer_scores(gate: Gate, scores: Scores, learned: int) -> Float[Tensor, "cases items"]:
    """Items without events are the least popular, and no kind apart.

    Those that came after the first ``learned`` follow at the end and move no others.
    """
    old = {name: scores[name][:, :learned] for name in gate.leaves}
    blended = gate.blend(old, torch.ones(learned, dtype=torch.bool))
    added = scores[gate.leaves[0]].shape[1] - learned
    last = blended.amin(1, keepdim=True).expand(-1, added)
    return torch.cat([blended, last], 1)
