"""Single pairs judged: a second gate, fitted where held-out events hold negatives."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from trefoil.evaluation.protocols.pointwise_exam import RowExam
from trefoil.fusion.ensemble.gate import Gate, standardise
from trefoil.fusion.models.base import ScoringModel

RIDGE = 1e-3  # on the weights
LEAST = 50  # rows of a kind, positive or negative, warm or cold, that weights are fitted to
BATCH = 256  # cases scored at once


def fit_clicks(
    base_models: Mapping[str, ScoringModel], seen: Bool[Tensor, " items"], rows: RowExam
) -> Gate | None:
    """Weights whose blend tells positive rows from negative ones; None with too few rows.

    The gate of ``fusion.ensemble.gate`` is fitted to the first ten of a list. Whether a
    single pair is a positive is another question, asked of all items alike:
    a logistic regression on the same z-scores answers it. Blends are log-odds up
    to a constant.
    """
    positive = int(rows.label.sum())
    if min(positive, len(rows) - positive) < LEAST:
        return None
    names = tuple(base_models)
    z = _of_rows(base_models, seen, rows)
    cold = ~seen[torch.from_numpy(rows.item)]
    own = int(cold.sum()) >= LEAST  # weights of their own for items without events
    columns = [z, z * cold[:, None], cold[:, None].float()] if own else [z]
    features = torch.cat([*columns, torch.ones(len(z), 1)], 1)
    theta = torch.zeros(features.shape[1], requires_grad=True)
    label = torch.from_numpy(rows.label)
    optimiser = torch.optim.LBFGS([theta], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = F.binary_cross_entropy_with_logits(features @ theta, label)
        value = value + RIDGE * theta[:-1].square().sum()
        value.backward()
        return value.detach()

    optimiser.step(loss)
    warm, rest = theta.detach()[: len(names)], theta.detach()[len(names) :]
    if not own:
        return Gate(names, tuple(warm.tolist()), tuple(warm.tolist()))
    further = warm + rest[: len(names)]
    return Gate(names, tuple(warm.tolist()), tuple(further.tolist()), float(rest[len(names)]))


def _of_rows(
    base_models: Mapping[str, ScoringModel], seen: Bool[Tensor, " items"], rows: RowExam
) -> Float[Tensor, "n E"]:
    """The z-score of each row's item in its case, by every base model."""
    out = torch.empty(len(rows), len(base_models))
    order = np.argsort(rows.case, kind="stable")
    case = rows.case[order]
    for first in range(0, len(rows.cases), BATCH):
        last = min(first + BATCH, len(rows.cases))
        cases = rows.cases.take(np.arange(first, last))
        z = standardise(
            {name: base_model.score(cases) for name, base_model in base_models.items()},
            [*base_models],
            seen,
        )
        picked = order[slice(*np.searchsorted(case, [first, last]))]
        out[picked] = z[:, rows.case[picked] - first, rows.item[picked]].T
    return out
