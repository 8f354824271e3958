"""A run that only answers, in fewer bits: written, weighed and judged on validation."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from trefoil.data.files import write_file
from trefoil.data.interactions import Interactions
from trefoil.data.privacy import ForgottenPeople
from trefoil.data.split import TRAIN, VALID
from trefoil.evaluation.exam import Exam, Scorer, Sets
from trefoil.evaluation.ranking import rank
from trefoil.evaluation.result import PLAIN, deepest, summarise
from trefoil.fusion.catalogue import Catalogue
from trefoil.fusion.past import Past
from trefoil.fusion.plan.packing import held_bytes
from trefoil.fusion.plan.parts import Parts
from trefoil.fusion.plan.plan import Plan
from trefoil.fusion.plan.storage import ARRAYS, PLAN, read_plan, write_plan
from trefoil.fusion.requests.state import State
from trefoil.fusion.runs.catalogue import save_catalogue
from trefoil.fusion.runs.folder import MODELS, carry_over
from trefoil.fusion.settings import Settings
from trefoil.kg.stores.open import write_graph

METRIC, K, BATCH = "ndcg@10", 10, 256


@dataclass(frozen=True)
class Compressed:
    """What fewer bits saved and cost.

    ``learned_bytes`` on the disk of what was learned, before (None where the model was not
    read from a run) and after; ``memory_bytes`` of the arrays that a loaded run holds. ``ndcg``
    is NDCG@10 on validation events, ``overlap`` the share of first ten items that stay.
    """

    precision: str
    learned_bytes: tuple[int | None, int]
    memory_bytes: int
    ndcg: tuple[float, float] | None
    overlap: float | None

    @property
    def loss(self) -> float | None:
        """The share of NDCG@10 that is lost; negative where it rose."""
        return None if self.ndcg is None else 1 - self.ndcg[1] / max(self.ndcg[0], 1e-12)

    def told(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "loss": self.loss}

    def __str__(self) -> str:
        before, after = self.learned_bytes
        size = f"{after / 1e6:.1f} MB" + (
            "" if before is None else f" of {before / 1e6:.1f} ({after / before:.0%})"
        )
        said = f"{self.precision}: what was learned takes {size} on the disk"
        said += f" and {self.memory_bytes / 1e6:.1f} MB of memory"
        if self.ndcg is None:
            return f"{said}; no validation events to judge by"
        return (
            f"{said}; NDCG@10 on validation {self.ndcg[0]:.4f} before and {self.ndcg[1]:.4f} after "
            f"({self.loss:+.2%} lost), {self.overlap:.1%} of the first ten are the same"
        )

    def section(self) -> str:
        """For a model card."""
        return f"\n## Size\n\n{self}.\n"


def write_small(
    state: State, settings: Settings, folder: Path, precision: str, left_out: ForgottenPeople
) -> Compressed:
    """All files of a run that only answers, but the manifest; the card tells what that cost.

    Of people ``left_out`` earlier reports stay behind.
    """
    write_file(folder / "settings.toml", settings.toml())
    small = write_compressed(state, folder, precision)
    write_graph(state.held.graph, folder / "graph")
    if state.folder is not None:
        carry_over(state.folder, folder, left_out)
    with (folder / "MODEL_CARD.md").open("a", encoding="utf-8") as card:
        card.write(small.section())
    return small


def write_compressed(state: State, folder: Path, precision: str) -> Compressed:
    """Write catalogue and plan of a state in fewer bits, and judge what that costs."""
    save_catalogue(state.catalogue, folder)
    parts = replace(state.scorer.parts, known=None, reasons=None, shortlist=None)
    write_plan(parts, folder, (), precision)
    small = read_plan(folder)
    after = sum((folder / name).stat().st_size for name in (PLAN, ARRAYS))
    before = None if state.folder is None else _learned_bytes(state.folder)
    exam = validation_exam(state.catalogue)
    ndcg, overlap = _judged(state.scorer, small, exam)
    return Compressed(precision, (before, after), held_bytes(small), ndcg, overlap)


def _learned_bytes(run: Path) -> int:
    files = (run / name for name in (*MODELS, PLAN, ARRAYS))
    return sum(file.stat().st_size for file in files if file.exists())


def _judged(
    scorer: Scorer, small: Parts, exam: Exam | None
) -> tuple[tuple[float, float] | None, float | None]:
    if exam is None:
        return None, None
    ranks = [rank(one, exam, deepest(PLAIN), batch=BATCH) for one in (scorer, Plan(small))]
    before, after = (summarise(METRIC, one, PLAIN).means()[METRIC] for one in ranks)
    shared = [
        len(np.intersect1d(a[a >= 0], b[b >= 0])) / max(1, (a >= 0).sum())
        for a, b in zip(*(one.top[:, :K] for one in ranks), strict=True)
    ]
    return (float(before), float(after)), float(np.mean(shared))


def validation_exam(catalogue: Catalogue) -> Exam | None:
    """Validation events asked of training histories, all items ranked; None without any.

    Contexts are left out. A run that learned from validation events as well is judged
    above its worth, by either precision alike.
    """
    events, part = catalogue.every_event, catalogue.every_part
    plain: Interactions = replace(events, scenario={})
    train, valid = plain.take(part == TRAIN), plain.take((part == VALID) & plain.asked)
    if not len(valid):
        return None
    users, case = np.unique(valid.user, return_inverse=True)
    past = Past.of(train, train, len(catalogue.users))
    cases = replace(catalogue, events=plain).cases(users, {}, past=past)
    hidden = past.hidden(users, {}, "show" if catalogue.hides == "context" else catalogue.hides)
    relevant = Sets.of(case, valid.item, len(users))
    return Exam(cases, relevant, hidden, len(catalogue.items), "full", "valid")
