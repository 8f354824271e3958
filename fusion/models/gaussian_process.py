"""Ratings as a Gaussian process over items: who liked this will like what facts say is alike."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy import sparse
from torch import Tensor

from trefoil.data.histories import Cases
from trefoil.evaluation.metrics.pointwise_metrics import rmse
from trefoil.evaluation.protocols.pointwise_exam import RowExam, row_answers
from trefoil.fusion.features.content import Content
from trefoil.fusion.features.star_scale import rated_once, scale_of
from trefoil.fusion.features.training_data import TrainingData, most_met
from trefoil.fusion.models.base import ModelState, sparse_of, sparse_tensors
from trefoil.fusion.models.fitting import FitInputs
from trefoil.fusion.plan.of_users import RatedKernel

MOST_ITEMS = 3000  # with most ratings; a round costs the cube of them
MOST_RATINGS = 2000  # of one person, the newest; a round costs the cube of them too
NOISE = 0.65  # of the variance that item means leave
OWN = 0.1  # and of what an item shares with no other
PRIOR = 20.0  # people that the prior counts for
DAMP = 5.0  # ratings at the mean, added to every item
ROUNDS, GAIN = 10, 5e-4  # of the fit; it stops where validation RMSE, in units, falls by less
LEAST = 1e-6  # of that variance, in units: all ratings may be equal
CELLS = 4_000_000  # of one batch of covariance matrices


@dataclass(frozen=True)
class RatingProcess:
    """``mean + unit (b_i + k_i (K + noise)^-1 (r - b))`` over the ratings r of one person.

    r have mean zero and variance one, so that no number in here depends on the scale
    of the data. K is the covariance of what one person thinks of two items, the same for all
    people: at first what facts and texts have in common, then learned by
    expectation maximisation. After Yu et al. 2009, doi:10.1145/1571941.1571979,
    who start it from nothing. Items outside ``kept`` get no answer. What
    is a person's own in it is also a base model of the ranking.
    """

    mean: float
    offset: Float[Tensor, " kept"]  # b
    kernel: Float[Tensor, "kept kept"]  # K
    pull: sparse.csr_matrix  # users x kept: (K + noise)^-1 (r - b)
    kept: Int[np.ndarray, " kept"]
    items: int
    rounds: int = 1  # of expectation maximisation that it took
    unit: float = 1.0

    def score(self, cases: Cases) -> Float[Tensor, "cases items"]:
        """What a person's expected ratings are above those of everybody; else zero."""
        scores = torch.zeros(len(cases), self.items)
        scores[:, torch.from_numpy(self.kept)] = self._own(cases)
        return scores

    def stars(self, cases: Cases) -> Float[Tensor, "cases kept"]:
        """Expected ratings; of someone without training ratings, those of the items."""
        return self.mean + self.unit * (self.offset + self._own(cases))

    def _own(self, cases: Cases) -> Float[Tensor, "cases kept"]:
        pull = self.pull[np.maximum(cases.user, 0)]
        own = torch.from_numpy(np.asarray(pull @ self.kernel.numpy(), np.float32))
        return own.masked_fill(torch.from_numpy(cases.user < 0)[:, None], 0.0)

    @property
    def reads(self) -> frozenset[str]:
        """Ratings given in training; new items are outside ``kept``."""
        return frozenset({"stars"})

    def form(self) -> RatedKernel:
        return RatedKernel(self.pull, self.kernel.numpy(), self.kept, self.items)

    def state(self) -> ModelState:
        tensors = {
            "offset": self.offset,
            "kernel": self.kernel.half(),
            "kept": torch.from_numpy(self.kept),
        }
        values = {"mean": self.mean, "rounds": self.rounds, "unit": self.unit}
        return ModelState(values, tensors | sparse_tensors(self.pull, "pull."))

    @classmethod
    def from_state(cls, state: ModelState, known: TrainingData) -> "RatingProcess":
        values, tensors = state.values, state.tensors
        return cls(
            values["mean"],
            tensors["offset"],
            tensors["kernel"].float(),
            sparse_of(tensors, "pull."),
            tensors["kept"].numpy(),
            known.matrix.shape[1],
            values.get("rounds", 1),
            values.get("unit", 1.0),
        )

    def with_items(self, known: TrainingData, before: int) -> "RatingProcess":
        return replace(self, items=known.matrix.shape[1])

    def without_user(self, row: int) -> "RatingProcess":
        return replace(self, pull=self.pull[np.delete(np.arange(self.pull.shape[0]), row)])


@dataclass(frozen=True)
class Rated:
    """Who rated what of the kept items, once each, grouped by user; in units around the mean."""

    start: Int[np.ndarray, " _"]  # users + 1
    item: Int[Tensor, " n"]
    stars: Float[Tensor, " n"]
    mean: float
    unit: float

    @classmethod
    def of(cls, known: TrainingData, kept: np.ndarray) -> "Rated":
        """The mean of what a person rated more than once; the newest ``MOST_RATINGS`` of each."""
        users, items = known.matrix.shape
        place = np.full(items, -1)
        place[kept] = np.arange(len(kept))
        user, item, stars = rated_once(known.events, MOST_RATINGS, place >= 0)
        mean, unit = scale_of(stars)
        return cls(
            np.concatenate([[0], np.cumsum(np.bincount(user, minlength=users))]),
            torch.from_numpy(place[item]),
            torch.from_numpy(((stars - mean) / unit).astype(np.float32)),
            mean,
            unit,
        )

    def batches(self) -> Iterator[tuple[Int[Tensor, "B L"], Bool[Tensor, "B L"]]]:
        """Rows of the ratings of each user, padded; users with like counts share a batch."""
        lengths = np.diff(self.start)
        order = np.argsort(lengths, kind="stable")
        at = int(np.searchsorted(lengths[order], 1))
        while at < len(order):
            longest = max(int(1.3 * lengths[order[at]]), 8)
            stop = int(np.searchsorted(lengths[order], longest, side="right"))
            users = order[at : min(stop, at + max(1, CELLS // longest**2))]
            at += len(users)
            place = np.arange(lengths[users].max())
            there = place < lengths[users][:, None]
            rows = np.where(there, self.start[users][:, None] + place, 0)
            yield torch.from_numpy(rows), torch.from_numpy(there)


def fit_process(given: FitInputs) -> tuple[RatingProcess, dict[str, float]] | None:
    """As many rounds as serve validation ratings; None where ratings are no task, or missing."""
    known, search, stars = given.known, given.search, given.known.events.stars
    if stars is None or np.isnan(stars).all() or not given.settings.tasks.rating:
        return None
    rounds = None if search.given is None else int(search.given["rating-process"]["rounds"])
    process = fit_ratings(known, search.ratings, rounds=rounds)
    return process, {"rounds": float(process.rounds)}


def fit_ratings(
    known: TrainingData, exam: RowExam | None, *, rounds: int | None = None
) -> RatingProcess:
    """Rounds of expectation maximisation, as long as they serve validation ratings.

    Without any, the first round: the covariance that facts and texts give. ``rounds``
    says how many, where that was chosen before.
    """
    events = known.events
    assert events.stars is not None
    rated = ~np.isnan(events.stars)
    pairs = (events.user[rated], events.item[rated])
    met = sparse.csr_matrix((np.ones(len(pairs[0])), pairs), known.matrix.shape)
    kept = most_met(met, MOST_ITEMS)
    ratings = Rated.of(known, kept)
    process, noise = _start(known, ratings, kept)
    prior, best, least = process.kernel, process, np.inf
    for number in range(1, (rounds or ROUNDS) + 1):
        pull, moment = _posterior(process, ratings, noise)
        process = replace(process, pull=pull)
        error = 0.0 if exam is None else _error(process, exam)
        if rounds is None and error > least - GAIN:
            break
        best, least = replace(process, rounds=number), error
        process = _update(process, moment, prior)
    return replace(best, kernel=best.kernel.half().float())  # as a run stores it


def _start(known: TrainingData, rated: Rated, kept: np.ndarray) -> tuple[RatingProcess, float]:
    """Damped item means, and a covariance from what facts and texts say is alike."""
    count = torch.bincount(rated.item, minlength=len(kept)).float()
    offset = torch.bincount(rated.item, rated.stars, len(kept)).float() / (count + DAMP)
    left = max(float((rated.stars - offset[rated.item]).square().mean()), LEAST)
    content = Content.of(known, numbers=False)  # a year adds nothing here (decision 069)
    kernel = left * content.likeness(kept, kept)
    kernel.diagonal().add_(OWN * left)
    none = sparse.csr_matrix((len(rated.start) - 1, len(kept)), dtype=np.float32)
    items = known.matrix.shape[1]
    process = RatingProcess(rated.mean, offset, kernel, none, kept, items, unit=rated.unit)
    return process, NOISE * left


def _posterior(
    process: RatingProcess, rated: Rated, noise: float
) -> tuple[sparse.csr_matrix, Float[Tensor, "kept kept"]]:
    """What pulls each person's ratings, ``a = C^-1 e``, and ``sum a a^T - C^-1`` over people."""
    size = len(process.kept)
    total = torch.zeros(size * size)
    pull = torch.zeros(len(rated.item))
    for rows, there in rated.batches():
        item = rated.item[rows]
        both = there[:, :, None] & there[:, None, :]
        cell = item[:, :, None] * size + item[:, None, :]
        left = process.kernel.view(-1)[cell] * both
        left.diagonal(dim1=1, dim2=2).add_(torch.where(there, noise, 1.0))
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(left)) * both
        rest = (rated.stars[rows] - process.offset[item]) * there
        pulled = (inverse @ rest[:, :, None])[:, :, 0]
        moment = pulled[:, :, None] * pulled[:, None, :] - inverse
        total.index_add_(0, cell.flatten(), moment.flatten())
        pull[rows[there]] = pulled[there]
    shape = (len(rated.start) - 1, size)
    table = sparse.csr_matrix((pull.numpy(), rated.item.numpy(), rated.start), shape)
    table.sort_indices()  # as a run stores it: sums round by their order
    return table, total.view(size, size)


def _update(process: RatingProcess, moment: Tensor, prior: Tensor) -> RatingProcess:
    """``K + K M K / n`` for n people, held by the prior; item means move along."""
    people = float((np.diff(process.pull.indptr) > 0).sum())
    kernel = process.kernel + process.kernel @ moment @ process.kernel / people
    kernel = (people * kernel + PRIOR * prior) / (people + PRIOR)
    kernel = (kernel + kernel.T) / 2
    pulled = torch.from_numpy(np.asarray(process.pull.sum(0), np.float32).ravel())
    return replace(process, kernel=kernel, offset=process.offset + kernel @ pulled / people)


def expected_rows(
    process: RatingProcess, exam: RowExam
) -> tuple[Int[np.ndarray, " m"], Float[np.ndarray, " m"]]:
    """The rows of an exam that the process answers, and the ratings that it expects there."""
    rows = np.flatnonzero(np.isin(exam.item, process.kept))
    offset = process.offset.numpy()[np.searchsorted(process.kept, exam.item[rows])]
    own = row_answers(process.score, "rating-process", exam)[rows]
    return rows, process.mean + process.unit * (offset + own)


def _error(process: RatingProcess, exam: RowExam) -> float:
    """Root mean squared error, in units, of the ratings asked for, where there is an answer."""
    rows, expected = expected_rows(process, exam)
    return rmse(exam.label[rows], expected) / process.unit if len(rows) else 0.0
