"""How alike items are by facts and texts, and what that says of items without events."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from fusion.known import Known, most_met
from fusion.neighbours import idf_rows

ALIKE = {"all": 0.4, "facts": 0.6, "text": 0.2}  # prior covariance, in parts of a common unit
NOISE = 0.4  # variance of an item's vector that content does not tell, in the same unit
TEACHERS = 3000  # items with most events that a map is learned from; it costs their cube


def likeness(
    known: Known, rows: Int[np.ndarray, " rows"], others: Int[np.ndarray, " others"] | None = None
) -> Float[Tensor, "rows others"]:
    """Covariance of two items: what all share, and cosines of their facts and of their texts."""
    others = rows if others is None else others
    total = torch.full((len(rows), len(others)), ALIKE["all"])
    if known.facts is not None:
        facts = idf_rows(known.facts.matrix, known.learned)
        total += ALIKE["facts"] * torch.from_numpy((facts[rows] @ facts[others].T).toarray())
    if known.text is not None:
        text = torch.nn.functional.normalize(known.text.vectors, dim=1)
        total += ALIKE["text"] * text[rows] @ text[others].T
    return total


def carried(vectors: Float[Tensor, "learned D"], known: Known) -> Float[Tensor, "items D"] | None:
    """What content says the vectors of items without events would be; zero for the others.

    Kernel ridge regression from content to the vectors learned from events, after
    the maps from attributes to factors of Gantner et al. 2010
    (doi:10.1109/ICDM.2010.129). None where there are neither facts nor texts.
    """
    if known.facts is None and known.text is None:
        return None
    events = np.asarray(known.matrix.sum(0)).ravel()
    cold = np.flatnonzero(events == 0)
    taught = most_met(known.matrix, TEACHERS)
    taught = taught[events[taught] > 0]
    told = vectors.new_zeros(known.matrix.shape[1], vectors.shape[1])
    covariance = likeness(known, taught)
    covariance.diagonal().add_(NOISE)
    right = vectors[torch.from_numpy(taught)]
    pull = torch.cholesky_solve(right, torch.linalg.cholesky(covariance))
    for part in np.array_split(cold, max(1, -(-len(cold) // TEACHERS))):
        told[torch.from_numpy(part)] = likeness(known, part, taught) @ pull
    return told
