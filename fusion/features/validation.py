"""The validation part as tensors: what early stopping and the gate look at, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from trefoil.data.histories import Cases
from trefoil.evaluation.exam import Exam, Sets

MOST_LOOKED_AT, BLOCK_CELLS = 2_000, 6_400_000  # cases of a large catalogue; scores held at once
BLOCK_CASES = 512  # that are ranked at once
MOST_CELLS = 32_000_000  # cases x items looked at; more cases are sampled evenly


@dataclass(frozen=True)
class Validation:
    """Validation cases with dense masks of what is relevant and what is not asked for."""

    cases: Cases
    masked: Bool[Tensor, "n I"]
    relevant: Bool[Tensor, "n I"]
    seen: Bool[Tensor, " all"]  # items with training events; not cut where cases are shortlisted

    @classmethod
    def of(cls, exam: Exam, seen: Bool[Tensor, " I"], most_cells: int = MOST_CELLS) -> "Validation":
        """From an exam of the validation part; an even sample of cases bounds memory."""
        if exam.part != "valid":
            raise ValueError(f"only the validation part may be looked at, not {exam.part!r}")
        most = max(1, most_cells // max(exam.items, 1))
        rows = np.unique(np.linspace(0, len(exam) - 1, min(most, len(exam))).astype(np.int64))
        masked, relevant = (_dense(s.take(rows), exam.items) for s in (exam.masked, exam.relevant))
        closed = exam.closed(rows)
        if closed is not None:
            masked |= torch.from_numpy(closed)
        return cls(exam.cases.take(rows), masked, relevant, seen)

    def __len__(self) -> int:
        return len(self.cases)

    def take(self, rows: Int[Tensor, " m"]) -> "Validation":
        """Only these cases."""
        cases = self.cases.take(rows.numpy())
        return Validation(cases, self.masked[rows], self.relevant[rows], self.seen)

    def ndcg(self, scores: Float[Tensor, "n I"], k: int = 10) -> float:
        """Mean NDCG at k; real-valued scores hardly tie, and here ties fall as top-k puts them."""
        return float(self.gains(scores, k).mean()) if len(self) else 0.0

    def mark(self, score: Callable[[Cases], Tensor]) -> float:
        """Mean NDCG at 10 of what scores cases."""
        return self.ndcg(score(self.cases))

    def gains(self, scores: Float[Tensor, "n I"], k: int = 10) -> Float[Tensor, " n"]:
        """NDCG at k of each case."""
        k = min(k, scores.shape[1])
        blocks = zip(scores.split(BLOCK_CASES), self.masked.split(BLOCK_CASES), strict=True)
        found = [
            one.masked_fill(closed, -torch.inf).topk(k, dim=1).indices for one, closed in blocks
        ]
        top = torch.cat(found)
        gain = 1 / torch.log2(torch.arange(2.0, k + 2))
        hits = self.relevant.gather(1, top).float()
        ideal = torch.cat([gain.new_zeros(1), gain.cumsum(0)])[self.relevant.sum(1).clamp(max=k)]
        return (hits * gain).sum(1) / ideal.clamp(min=1e-9)


@dataclass(frozen=True)
class ManyCases:
    """Validation cases of a large catalogue, looked at some at a time; nothing dense is kept."""

    exam: Exam
    seen: Bool[Tensor, " all"]

    @classmethod
    def of(cls, exam: Exam, seen: Bool[Tensor, " I"], most: int = MOST_LOOKED_AT) -> "ManyCases":
        """From an exam of the validation part; an even sample of its cases."""
        if exam.part != "valid":
            raise ValueError(f"only the validation part may be looked at, not {exam.part!r}")
        rows = np.unique(np.linspace(0, len(exam) - 1, min(most, len(exam))).astype(np.int64))
        parts = exam.cases.take(rows), exam.relevant.take(rows), exam.masked.take(rows)
        return cls(replace(exam, cases=parts[0], relevant=parts[1], masked=parts[2]), seen)

    def mark(self, score: Callable[[Cases], Tensor]) -> float:
        """Mean NDCG at 10 of what scores cases."""
        exam, total = self.exam, 0.0
        size = max(1, BLOCK_CELLS // max(exam.items, 1))
        for first in range(0, len(exam), size):
            rows = np.arange(first, min(first + size, len(exam)))
            masked, relevant = (
                _dense(s.take(rows), exam.items) for s in (exam.masked, exam.relevant)
            )
            part = Validation(exam.cases.take(rows), masked, relevant, self.seen)
            total += part.mark(score) * len(rows)
        return total / max(len(exam), 1)


def _dense(sets: Sets, items: int) -> Bool[Tensor, "n I"]:
    mask = torch.zeros(len(sets), items, dtype=torch.bool)
    case = np.repeat(np.arange(len(sets)), np.diff(sets.start))
    mask[torch.from_numpy(case), torch.from_numpy(sets.item)] = True
    return mask
