"""A language model taught which items come together: a contrastive stage before all else."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from scipy import sparse
from torch import Tensor, nn
from torch.nn import functional as F

from trefoil.encoders.text.adapters import Adapter
from trefoil.encoders.text.encoder import Whitening
from trefoil.encoders.text.precision import Precision
from trefoil.encoders.text.reader import Reader
from trefoil.encoders.view import View

MASKED = -1e9
POOL = 16  # batches whose texts are put in order of length before they are cut
LEAST = 0.3  # partners that an item without any is taken to have


@dataclass(frozen=True)
class Lesson:
    """How it is taught; see the settings of ``fine_tuning``."""

    method: str
    rank: int
    epochs: int
    patience: int
    batch_size: int
    accumulate: int
    learning_rate: float
    map_rate: float
    temperature: float
    popularity: float
    candidates: int
    max_tokens: int
    checkpointing: bool
    precision: Precision
    seed: int


@dataclass
class Taught:
    """What came of it: the map that whitening was, and what changed in the model, if anything.

    ``marks`` is what ``look`` said before the first epoch and after each.
    """

    whitening: Whitening
    adapter: Adapter | None
    marks: list[float] = field(default_factory=list)


class Teaching:
    """Rows of items, the vectors they have now, and the map that makes them comparable.

    The chance that item j comes with item i is a softmax over all items of
    ``cos(f_i, f_j) / temperature + popularity log n_j``, where ``f`` is the whitened vector,
    and ``n`` counts what came with an item: what is popular anyway need not be told by vectors
    (log-q correction, Yi et al. 2019, doi:10.1145/3298689.3346996). Items of the batch are
    read anew and learn from both ends; the others stand as they were read last. Items without a
    text take no part: nobody can tell that one of them comes.
    """

    def __init__(
        self, raw: View, whitening: Whitening, together: sparse.csr_matrix, lesson: Lesson
    ) -> None:
        self.raw, self.known, self.lesson = raw.vectors.clone(), raw.known, lesson
        self.mean = whitening.mean
        told = sparse.diags_array(self.known.numpy().astype(np.float32))
        self.together = sparse.csr_matrix(told @ together @ told)
        self.together.eliminate_zeros()
        self.directions = nn.Parameter(whitening.directions.clone())
        self.degree = degree = np.asarray(self.together.sum(1)).ravel()
        self.bias = lesson.popularity * torch.from_numpy(np.log(np.maximum(degree, LEAST))).float()
        self.bias[~self.known] = MASKED
        self.rows = np.flatnonzero(degree > 0)
        self.rng = np.random.default_rng(lesson.seed)

    def begin(self, whitening: Whitening, lesson: Lesson) -> None:
        """Go on from another map, by another lesson."""
        self.lesson = lesson
        with torch.no_grad():
            self.directions.copy_(whitening.directions)

    def whitening(self) -> Whitening:
        """The map as it stands now."""
        return Whitening(self.mean, self.directions.detach().clone())

    def vectors(self) -> View:
        """The items as they stand now."""
        return self.whitening()(View(self.raw, self.known))

    def loss(
        self, rows: np.ndarray, fresh: Float[Tensor, "B D"] | None = None
    ) -> Float[Tensor, ""]:
        """Mean over items of the batch of the cross-entropy of what comes with them."""
        columns, correction = self._columns(rows)
        place = torch.from_numpy(np.searchsorted(columns, rows))
        raw = self.raw[torch.from_numpy(columns)]
        if fresh is not None:
            raw = raw.index_copy(0, place, fresh)
        unit = F.normalize((raw - self.mean) @ self.directions, dim=1)
        column = torch.from_numpy(columns)
        scores = unit[place] @ unit.T / self.lesson.temperature + self.bias[column] + correction
        scores = scores.index_put(
            (torch.arange(len(rows)), place), torch.tensor(MASKED)
        )  # no item comes with itself
        partners = self.together[rows][:, columns]
        share = torch.from_numpy(partners.multiply(1 / self.degree[rows][:, None]).toarray())
        weight = torch.from_numpy(np.sqrt(self.degree[rows])).float()
        per_row = -(share.float() * F.log_softmax(scores, dim=1)).sum(1)
        return (weight * per_row).sum() / weight.sum()

    def _columns(self, rows: np.ndarray) -> tuple[np.ndarray, Tensor]:
        """Items told apart, ascending: all, or partners and a sample; and log 1 / share drawn."""
        count = len(self.known)
        if count <= self.lesson.candidates:
            return np.arange(count), torch.zeros(count)
        sure = np.unique(np.concatenate([rows, self.together[rows].indices]))
        drawn = self.rng.choice(count, self.lesson.candidates, replace=False)
        columns = np.union1d(sure, drawn)
        rest = np.isin(columns, sure, invert=True)
        share = (len(columns) - len(sure)) / max(1, count - len(sure))
        return columns, torch.from_numpy(np.where(rest, -np.log(share), 0.0)).float()


def teach(
    teaching: Teaching,
    look: Callable[[View], float],
    reader: Reader | None = None,
    tell: Callable[[int], None] | None = None,
) -> Taught:
    """The map, and the model behind ``reader`` if there is one, as ``look`` liked them best.

    ``look`` is a mark of item vectors, the higher the better. Without a better one for
    ``patience`` epochs teaching ends. Before it, items that nothing comes with are read anew.
    """
    lesson = teaching.lesson
    optimiser = torch.optim.Adam(_groups(teaching, reader), betas=(0.9, 0.98))
    best = Taught(teaching.whitening(), None, [look(teaching.vectors())])
    marks, waited, step = best.marks, 0, 0
    others = np.setdiff1d(np.flatnonzero(teaching.known.numpy()), teaching.rows)
    for epoch in range(lesson.epochs):
        for rows in _batches(teaching, reader):
            fresh = None if reader is None else reader.read(rows)
            (teaching.loss(rows, fresh) / lesson.accumulate).backward()
            if fresh is not None:
                teaching.raw[torch.from_numpy(rows)] = fresh.detach()
            step += 1
            if step % lesson.accumulate == 0:
                optimiser.step()
                if reader is not None:
                    reader.tuner.stepped(step // lesson.accumulate)
                optimiser.zero_grad(set_to_none=True)
        if reader is not None:
            teaching.raw[torch.from_numpy(others)] = reader.read_all(others)
        marks.append(look(teaching.vectors()))
        if tell:
            tell(epoch + 1)
        waited = 0 if marks[-1] > max(marks[:-1]) else waited + 1
        if not waited:
            adapter = None if reader is None else reader.tuner.taken()
            best = Taught(teaching.whitening(), adapter, marks)
        elif waited >= lesson.patience:
            break
    return best


def _groups(teaching: Teaching, reader: Reader | None) -> list[dict[str, object]]:
    """What learns, each at its own rate: that of the map is a share of its mean entry."""
    lesson, directions = teaching.lesson, teaching.directions
    size = float(directions.detach().abs().mean())
    groups: list[dict[str, object]] = [{"params": [directions], "lr": lesson.map_rate * size}]
    if reader is not None:
        groups.append({"params": reader.tuner.parameters(), "lr": lesson.learning_rate})
    return groups


def _batches(teaching: Teaching, reader: Reader | None) -> Iterator[np.ndarray]:
    """Rows of each step, ascending; where texts are read, those of like length together."""
    lesson, rng = teaching.lesson, teaching.rng
    rows = rng.permutation(teaching.rows)
    if reader is None:
        parts = np.array_split(rows, max(1, -(-len(rows) // lesson.batch_size)))
    else:
        parts = list[np.ndarray]()
        for start in range(0, len(rows), POOL * lesson.batch_size):
            pool = rows[start : start + POOL * lesson.batch_size]
            pool = pool[np.argsort(reader.lengths[pool], kind="stable")]
            parts += np.array_split(pool, max(1, -(-len(pool) // lesson.batch_size)))
        parts = [parts[at] for at in rng.permutation(len(parts))]
    for part in parts:
        yield np.sort(part)
