"""What could be in the lists of a large catalogue: the first items of each base model, by case.

A table of all scores of thousands of cases would not fit. What is fitted on validation needs
the first items of each base model, what was taken, and a sample that stands for all others.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from trefoil.data.interactions import Ints
from trefoil.evaluation.exam import Exam
from trefoil.fusion.ensemble.model_form import form_of
from trefoil.fusion.features.validation import Validation
from trefoil.fusion.models.base import ScoringModel
from trefoil.fusion.plan.asked import Asked, Reals
from trefoil.fusion.plan.forms import SameForAll
from trefoil.fusion.plan.parts import Parts
from trefoil.fusion.plan.prepared import Prepared
from trefoil.fusion.plan.said_of_many import SaidOfMany

CASES = 2_000  # of validation that are looked at
CELLS = 6_400_000  # scores of one model that are held at once
WARM, COLD = 60, 20  # first items of a base model that are candidates
OTHERS = 150, 50  # drawn from all items with events, and from those without
MASKED, RELEVANT = 1, 2


@dataclass(frozen=True)
class Candidates:
    """Candidates of each case, side by side: ``told`` is a validation whose items they are.

    ``z`` are standardised over all items; ``stands_for`` is the log of how many items a
    candidate stands for, 0 but for the sample. ``item`` are item rows.
    """

    z: Float[Tensor, "E n C"]
    told: Validation
    seen: Bool[Tensor, "n C"]
    stands_for: Float[Tensor, "n C"]
    item: Int[Tensor, "n C"]


def sampled(exam: Exam, most: int = CASES) -> Ints:
    """Rows of an even sample of the cases."""
    return np.unique(np.linspace(0, len(exam) - 1, min(most, len(exam))).astype(np.int64))


def candidates_of(
    base_models: Mapping[str, ScoringModel], exam: Exam, seen: Tensor, *, scenarios: bool, seed: int
) -> Candidates:
    """Candidates of an even sample of the cases of a validation exam."""
    if exam.part != "valid":
        raise ValueError(f"only the validation part may be looked at, not {exam.part!r}")
    plan = _prepared(base_models, seen, scenarios=scenarios)
    rows, rng = sampled(exam), np.random.default_rng(seed)
    size = max(32, CELLS // exam.items)
    parts = [_block(plan, exam, rows[at : at + size], rng) for at in range(0, len(rows), size)]
    width = max(one[0].shape[1] for one in parts)
    item, masked, relevant, weight = (
        np.concatenate([_padded(one[place], width, blank) for one in parts])
        for place, blank in enumerate((0, True, False, 0.0))
    )
    z = np.zeros((len(plan._forms), len(rows), width), np.float32)
    first = 0
    for *_, own in parts:
        z[:, first : first + own.shape[1], : own.shape[2]] = own
        first += own.shape[1]
    told = Validation(
        exam.cases.take(rows), torch.from_numpy(masked), torch.from_numpy(relevant), seen
    )
    place = torch.from_numpy(item)
    return Candidates(torch.from_numpy(z), told, seen[place], torch.from_numpy(weight), place)


def _prepared(
    base_models: Mapping[str, ScoringModel], seen: Tensor, *, scenarios: bool
) -> Prepared:
    """All base models side by side, each heard alike."""
    names, equal = tuple(base_models), (1.0,) * len(base_models)
    forms = tuple(form_of(one) for one in base_models.values())
    return Prepared(Parts(names, forms, equal, equal, 0.0, seen.numpy(), len(seen), scenarios))


def _block(
    plan: Prepared, exam: Exam, rows: Ints, rng: np.random.Generator
) -> tuple[Ints, np.ndarray, np.ndarray, Reals, Reals]:
    """Of some cases: items, masked, relevant and log weights [n, C], and z-scores [E, n, C]."""
    said = SaidOfMany(plan, Asked(exam.cases.take(rows), plan.items))
    flags = np.zeros((len(rows), plan.items), np.int8)
    pairs = {}
    for bit, sets in ((MASKED, exam.masked.take(rows)), (RELEVANT, exam.relevant.take(rows))):
        case = np.repeat(np.arange(len(rows)), np.diff(sets.start))
        pairs[bit] = case, plan._position[sets.item]
        flags[pairs[bit]] |= bit
    closed = (flags & MASKED) > 0
    listed = np.zeros(flags.shape, bool)
    listed[pairs[RELEVANT]] = True
    for scores in _scores(plan, said):
        scores[closed] = -np.inf
        for number, group in enumerate(plan.groups):
            listed[_first(scores, group.span, COLD if number else WARM)] = True
    weight = np.zeros(flags.shape, np.float32)
    for number, group in enumerate(plan.groups):
        _draw(group.span, OTHERS[number], ~(listed | closed), listed, weight, rng)
    place = _places(listed)
    there, position = place >= 0, np.maximum(place, 0)
    every = np.arange(len(rows))[:, None]
    found = flags[every, position]
    masked, relevant = ~there | ((found & MASKED) > 0), there & ((found & RELEVANT) > 0)
    return plan._order[position], masked, relevant, weight[every, position], said.z_of(position)


def _draw(
    span: slice, most: int, free: np.ndarray, listed: np.ndarray, weight: Reals, rng: Any
) -> None:
    """List some more items of a span, that stand for all that are ``free`` there."""
    size = span.stop - span.start
    drawn = span.start + rng.choice(size, min(most, size), replace=False)
    new = free[:, drawn]
    stands_for = free[:, span].sum(1) / np.maximum(new.sum(1), 1)
    told = np.log(np.maximum(stands_for, 1)).astype(np.float32)
    weight[:, drawn] = np.where(new, told[:, None], 0.0)
    listed[:, drawn] |= new


def _places(listed: np.ndarray) -> Ints:
    """The columns that are listed in each row [n, most], -1 behind the last."""
    count = listed.sum(1)
    row, column = np.nonzero(listed)
    found = np.full((len(listed), int(count.max(initial=0))), -1, np.int64)
    found[row, np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)] = column
    return found


def _scores(plan: Prepared, said: SaidOfMany) -> Iterator[Reals]:
    """Scores [cases, items] of each base model, one after another in the same memory."""
    out = np.empty((len(said.asked), plan.items), np.float32)
    for number, query in enumerate(said.queries):
        columns = plan._stack[:, plan._columns[number]]
        np.matmul(query.astype(np.float32), columns.T, out=out)
        yield out
    for one in said.tables:
        out[:] = 0.0
        one.add(out, np.ones((1, len(out)), np.float32), plan.items)
        yield out
    for place in plan._fixed:
        form = plan._forms[place]
        assert isinstance(form, SameForAll)
        out[:] = form.scores
        yield out


def _first(scores: Reals, span: slice, most: int) -> tuple[Ints, Ints]:
    """Pairs (case, item) of the first items of each case within a span, those at zero left out."""
    part = torch.from_numpy(scores[:, span])
    top = part.topk(min(most, part.shape[1]), dim=1)
    case, place = np.nonzero(np.isfinite(top.values.numpy()))
    return case, span.start + top.indices.numpy()[case, place]


def _padded(table: np.ndarray, width: int, blank: bool | int | float) -> np.ndarray:
    """The table with columns of ``blank`` up to a width."""
    return np.pad(table, ((0, 0), (0, width - table.shape[1])), constant_values=blank)
