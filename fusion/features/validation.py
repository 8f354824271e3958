"""The validation part as tensors: what early stopping and the gate look at, and nothing else."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from trefoil.data.histories import Cases
from trefoil.evaluation.exam import Exam, Sets

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

    def gains(self, scores: Float[Tensor, "n I"], k: int = 10) -> Float[Tensor, " n"]:
        """NDCG at k of each case."""
        k = min(k, scores.shape[1])
        top = scores.masked_fill(self.masked, -torch.inf).topk(k, dim=1).indices
        gain = 1 / torch.log2(torch.arange(2.0, k + 2))
        hits = self.relevant.gather(1, top).float()
        ideal = torch.cat([gain.new_zeros(1), gain.cumsum(0)])[self.relevant.sum(1).clamp(max=k)]
        return (hits * gain).sum(1) / ideal.clamp(min=1e-9)


def _dense(sets: Sets, items: int) -> Bool[Tensor, "n I"]:
    mask = torch.zeros(len(sets), items, dtype=torch.bool)
    case = np.repeat(np.arange(len(sets)), np.diff(sets.start))
    mask[torch.from_numpy(case), torch.from_numpy(sets.item)] = True
    return mask
