"""How alike items are by facts, texts and numbers, and what that says of items without events."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy import sparse
from torch import Tensor

from trefoil.data.interactions import Floats
from trefoil.fusion.features.idf import idf_rows
from trefoil.fusion.features.training_data import TrainingData, most_met

ALIKE = {"all": 0.4, "facts": 0.6, "text": 0.2, "numbers": 0.3}  # covariance, in a common unit
NEAR = 0.1  # standard deviation of the Gaussian over ranks, which go from 0 to 1
NOISE = 0.4  # variance of an item's vector that content does not tell, in the same unit
TEACHERS = 3000  # items with most events that a map is learned from; it costs their cube


@dataclass(frozen=True)
class Content:
    """Facts and texts of items, each a row of length one, or zero where nothing is known.

    ``ranks``: for each column of numbers (a year, a price) the share of the items
    that have less; NaN where an item has none.
    """

    facts: sparse.csr_matrix | None
    text: Float[Tensor, "items T"] | None
    ranks: Float[Tensor, "C items"]

    @classmethod
    def of(cls, known: TrainingData, *, numbers: bool = True) -> "Content":
        facts = known.facts and idf_rows(known.facts.matrix, known.learned)
        text = known.text and torch.nn.functional.normalize(known.text.vectors, dim=1)
        columns = list(known.numbers.values()) if numbers else []
        ranks = torch.zeros(len(columns), known.matrix.shape[1])
        for row, column in zip(ranks, columns, strict=True):
            row[:] = _ranks(column, known.learned)
        return cls(facts, text, ranks)

    def likeness(
        self, rows: Int[np.ndarray, " rows"], others: Int[np.ndarray, " others"]
    ) -> Float[Tensor, "rows others"]:
        """Covariance of two items: what all share, cosines of facts and texts, nearness of numbers.

        Numbers are near by a Gaussian of their ranks, the mean over columns.
        """
        total = torch.full((len(rows), len(others)), ALIKE["all"])
        if self.facts is not None:
            cosine = (self.facts[rows] @ self.facts[others].T).toarray()
            total += ALIKE["facts"] * torch.from_numpy(cosine)
        if self.text is not None:
            total += ALIKE["text"] * self.text[rows] @ self.text[others].T
        for rank in self.ranks:
            apart = (rank[rows, None] - rank[None, others]) / NEAR
            near = torch.nan_to_num(torch.exp(-apart.square() / 2))
            total += ALIKE["numbers"] / len(self.ranks) * near
        return total


def _ranks(column: Floats, learned: int) -> Float[Tensor, " items"]:
    """Share of the first ``learned`` items with a smaller number, half of equal ones included."""
    there = np.sort(column[:learned][~np.isnan(column[:learned])])
    below, upto = (np.searchsorted(there, column, side) for side in ("left", "right"))
    rank = (below + upto) / 2 / max(len(there), 1)
    return torch.from_numpy(np.where(np.isnan(column), np.nan, rank).astype(np.float32))


@dataclass(frozen=True)
class Carrier:
    """A map from content to vectors, learned from the items with most events.

    Kernel ridge regression, after the maps from attributes to factors of Gantner et al. 2010
    (doi:10.1109/ICDM.2010.129). ``pull`` is what each of the items ``taught`` adds.
    """

    taught: Int[np.ndarray, " taught"]
    pull: Float[Tensor, "taught D"]

    @classmethod
    def of(cls, vectors: Float[Tensor, "items D"], known: TrainingData) -> "Carrier":
        """From the vectors of items with events."""
        events = np.asarray(known.matrix.sum(0)).ravel()
        taught = most_met(known.matrix, TEACHERS)
        taught = taught[events[taught] > 0]
        covariance = Content.of(known).likeness(taught, taught)
        covariance.diagonal().add_(NOISE)
        right = vectors[torch.from_numpy(taught)]
        return cls(taught, torch.cholesky_solve(right, torch.linalg.cholesky(covariance)))

    def told(self, known: TrainingData, rows: Int[np.ndarray, " rows"]) -> Float[Tensor, "rows D"]:
        """What content says the vectors of these items would be."""
        content = Content.of(known)
        parts = np.array_split(rows, max(1, -(-len(rows) // TEACHERS)))
        return torch.cat([content.likeness(part, self.taught) @ self.pull for part in parts])


def carried(
    vectors: Float[Tensor, "items D"], known: TrainingData
) -> Float[Tensor, "items D"] | None:
    """What content says the vectors of items without events would be; zero for the others.

    None where there are no such items, and where nothing describes items.
    """
    cold = np.flatnonzero(np.asarray(known.matrix.sum(0)).ravel() == 0)
    if not len(cold) or not known.describes:
        return None
    told = vectors.new_zeros(known.matrix.shape[1], vectors.shape[1])
    told[torch.from_numpy(cold)] = Carrier.of(vectors, known).told(known, cold)
    return told
