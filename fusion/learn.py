"""Learning: every leaf from training events, every choice on validation events."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from data.dataset import Dataset
from data.split import Split, rehearsal
from evaluation.protocol import carved, people_return
from evaluation.rows import RowExam, ctr_exam, stars_exam
from fusion.clicks import fit_clicks
from fusion.fit import Progress, shape_of
from fusion.gate import Gate
from fusion.gate_fit import fit_gate
from fusion.known import Known
from fusion.leaves import Fitted, Search, fit_cheap_leaves
from fusion.material import (
    known_of,
    lessons_of,
    read_texts,
    validation_exam,
)
from fusion.model import Model, network_leaves
from fusion.network import JointNetwork
from fusion.network_leaf import NetworkLeaf
from fusion.newcomers import newcomers_gate
from fusion.ratings import RatingProcess, fit_ratings
from fusion.record import Record
from fusion.reranker import Reranker, log_events_of
from fusion.reranker_fit import FEWEST_CASES, fit_reranker, marks_of_other
from fusion.runtime import device_of, reproducible
from fusion.settings import Settings
from fusion.stars import Stars, fit_stars
from fusion.train_networks import beginning, few_threads, one_network, sayer, train_networks
from fusion.transfer import Source
from fusion.unfinished import Unfinished
from fusion.validation import MOST_CELLS, Validation
from kg.graph import KnowledgeGraph

log = logging.getLogger(__name__)

SMALL_PASS = 10_000_000  # users x items up to which a network is cheap enough to train three
REHEARSED = 0.1  # share of training that the blend is learned on, where validation is thin
SMALLEST_VALIDATION = 20  # cases; with fewer the gate keeps equal weights


def fit_model(
    dataset: Dataset,
    split: Split,
    graph: KnowledgeGraph | None,
    settings: Settings,
    progress: Progress | None = None,
    checkpoints: Unfinished | None = None,
    source: Source | None = None,
) -> Model:
    """Learn from training events, choose on validation events; the test part stays closed.

    ``checkpoints`` keeps the state of each network after every look, and gives
    it back where training was stopped; ``source`` is a run to start from. Raises
    TrainingError where training diverges.
    """
    rehearsed = _rehearse(dataset, split, graph, settings, progress, source)
    with reproducible(settings):
        return _fit(dataset, split, graph, settings, progress, checkpoints, source, rehearsed)


def _fit(
    dataset: Dataset,
    split: Split,
    graph: KnowledgeGraph | None,
    settings: Settings,
    progress: Progress | None,
    checkpoints: Unfinished | None,
    source: Source | None,
    rehearsed: Model | None,
) -> Model:
    say = sayer(progress)
    train = dataset.interactions.take(split.train)
    record = Record()
    texts = read_texts(dataset, settings, device_of(settings), progress, record, source)
    returning = people_return(dataset, split)
    known = known_of(dataset, train, graph, texts, settings, returning=returning)
    seen = seen_items(known)
    validation = Validation.of(validation_exam(dataset, split), seen)
    fitted = fit_cheap_leaves(known, Search(validation), settings, say)
    given, exam = _fit_ratings(dataset, split, known, settings, fitted, say)
    record.order_pays = settings.behaviour.on and known.timed and _order_pays(fitted, settings)
    networks = list[JointNetwork]()
    if settings.network.on:
        lessons = lessons_of(dataset, train, known, settings, behaviour=record.order_pays)
        shape = shape_of(settings, lessons, behaviour=record.order_pays)
        begin = beginning(source, dataset, known, graph, texts, record)
        train_one = one_network(
            dataset, known, settings, shape, lessons, validation, progress, begin
        )
        cheap = not record.order_pays and np.prod(known.matrix.shape) <= SMALL_PASS
        count = settings.network.seeds or (3 if cheap else 1)
        with few_threads(dataset, settings):
            networks, journals = train_networks(
                train_one, [{}] * count, settings.seed, checkpoints, say
            )
        record.history = [journal.rows for journal in journals]
        fitted.leaves = network_leaves(networks) | fitted.leaves
    say("gate")
    gate, reranker, alone, record.gate = _fit_gate(fitted, known, validation, settings, rehearsed)
    record.chosen, record.seconds = fitted.chosen, fitted.seconds
    newcomers, record.newcomers = _fit_newcomers(fitted, gate, validation)
    clicks, rates = _fit_clicks(dataset, split, fitted, seen), _fit_rates(fitted, given, exam)
    parts = settings, known, fitted.leaves, gate, networks, texts, seen, record, alone, clicks
    return Model(*parts, rates=rates, newcomers=newcomers, reranker=reranker)


def seen_items(known: Known) -> Tensor:
    """Which items have a training event."""
    return torch.from_numpy(np.diff(known.matrix.tocsc().indptr) > 0)


def _rehearse(
    dataset: Dataset,
    split: Split,
    graph: KnowledgeGraph | None,
    settings: Settings,
    progress: Progress | None,
    source: Source | None,
) -> Model | None:
    """A model without a tenth of training, asked for it: how to blend leaves is learned there.

    None unless validation was carved from given training events. Then it is thin, so
    that leaves lose little: enough to choose by, but not to teach a reranker.
    """
    people = len(np.unique(dataset.interactions.user[split.valid]))
    lists = min(people, MOST_CELLS // len(dataset.items))
    if not (settings.rerank and carved(dataset, split) and lists >= FEWEST_CASES):
        return None
    sayer(progress)("rehearsal without a tenth of training")
    part = rehearsal(dataset, split, REHEARSED)
    return fit_model(dataset, part, graph, settings, progress, source=source)


def _order_pays(fitted: Fitted, settings: Settings) -> bool:
    """Whether a history weighted towards the present served validation better."""
    if not settings.behaviour.only_where_order_pays or "linear-recent" not in fitted.chosen:
        return True
    return fitted.chosen["linear-recent"]["ndcg"] > fitted.chosen["linear"]["ndcg"]


def _fit_gate(
    fitted: Fitted,
    known: Known,
    validation: Validation,
    settings: Settings,
    rehearsed: Model | None,
) -> tuple[Gate, Reranker | None, dict[str, float], dict[str, float]]:
    """The gate, the reranker, validation NDCG@10 of each model alone, and of blends on the way."""
    names = tuple(fitted.leaves)
    if len(validation) < SMALLEST_VALIDATION:
        equal = (1.0,) * len(names)
        return Gate(names, equal, equal, -3.0), None, {}, {}
    scores = {name: leaf.score(validation.cases) for name, leaf in fitted.leaves.items()}
    alone = {name: validation.ndcg(part) for name, part in scores.items()}
    gate, marks = fit_gate(scores, validation)
    marks = {f"only {name}": mark for name, mark in alone.items()} | marks
    if not settings.rerank:
        return gate, None, alone, marks
    events = log_events_of(known)
    if rehearsed is not None and rehearsed.reranker is not None:
        reranker = replace(rehearsed.reranker, log_events=events)
        other = marks_of_other(scores, gate, validation, rehearsed.gate, reranker)
        if other is not None:
            return rehearsed.gate, reranker, alone, marks | other
    returning, seed = known.returning, settings.seed
    reranker, more = fit_reranker(scores, gate, validation, events, returning=returning, seed=seed)
    return gate, reranker, alone, marks | more


def _fit_newcomers(
    fitted: Fitted, gate: Gate, validation: Validation
) -> tuple[Gate | None, dict[str, float]]:
    if len(validation) < SMALLEST_VALIDATION:
        return None, {}
    return newcomers_gate(fitted.leaves, gate, validation)


def _fit_clicks(dataset: Dataset, split: Split, fitted: Fitted, seen: Tensor) -> Gate | None:
    positive = dataset.interactions.positive[split.valid]
    if positive.all() or not positive.any():
        return None
    return fit_clicks(fitted.leaves, seen, ctr_exam(dataset, split, "valid"))


def _fit_ratings(
    dataset: Dataset,
    split: Split,
    known: Known,
    settings: Settings,
    fitted: Fitted,
    say: Callable[[str], None],
) -> tuple[np.ndarray, RowExam | None]:
    """The leaf of ratings, where there are any; those of training, and those held out."""
    stars = dataset.interactions.stars
    if stars is None or not settings.tasks.stars:
        return np.empty(0, np.float32), None
    given = stars[split.train]
    given = given[~np.isnan(given)]
    exam = None if np.isnan(stars[split.valid]).all() else stars_exam(dataset, split, "valid")
    if settings.ratings and len(given):
        say("ratings")
        began = time.perf_counter()
        fitted.add("ratings", fit_ratings(known, exam), began)
    return given, exam


def _fit_rates(fitted: Fitted, given: np.ndarray, exam: RowExam | None) -> Stars | None:
    """How expected ratings are put together, where networks were taught any."""
    network, process = fitted.leaves.get("network"), fitted.leaves.get("ratings")
    if not len(given) or not isinstance(network, NetworkLeaf):
        return None
    assert process is None or isinstance(process, RatingProcess)
    return fit_stars(network, process, given, exam)
