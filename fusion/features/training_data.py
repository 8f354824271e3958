"""What is known before anything is learned: training events, and what describes items."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool
from scipy import sparse
from torch import Tensor

from trefoil.data.histories import Histories
from trefoil.data.interactions import Floats, Interactions, Ints
from trefoil.encoders.view import View
from trefoil.fusion.features.corpus import CorpusTexts
from trefoil.fusion.plan.attributes import AttributeColumn
from trefoil.kg.item_facts import Facts

MOST_ITEMS = 20_000  # up to which tables of pairs are made unasked: more are not measured
DENSE = 20.0  # positives per user from which users weigh by n ** -.5


@dataclass(frozen=True)
class TrainingData:
    """What all base models are fitted from."""

    events: Interactions  # training events
    matrix: sparse.csr_matrix  # users x items, training positives
    history: Histories  # of every user, training positives
    facts: Facts | None
    text: View | None  # whitened
    timed: bool
    returning: bool = False  # people come back to items, in other contexts
    added: int = 0  # the last items, which came after training and were not learned from
    numbers: Mapping[str, Floats] = field(default_factory=dict)  # of items; NaN where missing
    attributes: sparse.csr_matrix | None = None  # see ``fusion.models.demographics``
    fields: Mapping[str, sparse.csr_matrix] = field(default_factory=dict)  # of items; hashed
    attribute_columns: tuple[AttributeColumn, ...] = ()
    corpus: CorpusTexts | None = None  # texts that tasks learn from; no run holds them
    domain: Ints | None = None  # of each item, -1 for none; None where there are no domains
    wordings: Tensor | None = None  # of item texts, whitened [wordings, items, T]

    @property
    def dense(self) -> bool:
        """Whether people have many events: those with most would drown the others."""
        people = int(np.count_nonzero(np.diff(self.matrix.indptr)))
        return self.matrix.nnz >= DENSE * max(1, people)

    @property
    def describes(self) -> frozenset[str]:
        """What but events tells items apart: "graph", "text", "numbers"."""
        there = {"graph": self.facts is not None, "text": self.text is not None}
        there["numbers"] = bool(self.numbers)
        return frozenset(name for name, found in there.items() if found)

    @property
    def learned(self) -> int:
        """How many items there were in training."""
        return self.matrix.shape[1] - self.added

    def seen_items(self) -> Bool[Tensor, " I"]:
        """Which items have a training event."""
        events = np.bincount(self.matrix.indices, minlength=self.matrix.shape[1])
        return torch.from_numpy(events > 0)


def most_met(matrix: sparse.csr_matrix, most: int) -> np.ndarray:
    """Rows of the ``most`` items with most events, ascending; equal counts keep row order."""
    counts = np.asarray(matrix.sum(0)).ravel()
    return np.sort(np.argsort(-counts, kind="stable")[:most])
