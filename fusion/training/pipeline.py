"""Learning: every base model from training events, every choice on validation events."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np
import torch
from torch import Tensor

from trefoil.data.dataset import Dataset
from trefoil.data.progress import Progress
from trefoil.data.split import Split, inner_split
from trefoil.evaluation.exam import Exam
from trefoil.evaluation.protocols.pointwise_exam import RowExam, ctr_exam, stars_exam
from trefoil.evaluation.protocols.protocols import carved, people_return
from trefoil.fusion.ensemble.candidates import candidates_of
from trefoil.fusion.ensemble.click_gate import fit_clicks
from trefoil.fusion.ensemble.cold_start_users import cold_users_gate
from trefoil.fusion.ensemble.ensemble import Ensemble
from trefoil.fusion.ensemble.gate import Gate
from trefoil.fusion.ensemble.gate_fit import fit_gate, fit_gate_on
from trefoil.fusion.ensemble.rating_blend import RatingBlend, fit_stars, raters
from trefoil.fusion.ensemble.reranker import Reranker, log_events_of
from trefoil.fusion.ensemble.reranker_fit import (
    FEWEST_CASES,
    fit_reranker,
    fit_reranker_on,
    marks_of_other,
)
from trefoil.fusion.features.preparation import known_of, read_texts, validation_exam
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.features.validation import MOST_CELLS, ManyCases, Validation
from trefoil.fusion.models.base import ScoringModel
from trefoil.fusion.models.fitting import Search
from trefoil.fusion.network.checkpoints import Checkpoints
from trefoil.fusion.network.inputs import training_inputs_of
from trefoil.fusion.network.module import JointNetwork
from trefoil.fusion.network.scorers import network_scorers
from trefoil.fusion.network.tasks.base import Task
from trefoil.fusion.network.training import config_of
from trefoil.fusion.network.warm_start import Source
from trefoil.fusion.plan.domains import without_contexts
from trefoil.fusion.record import Record
from trefoil.fusion.settings import Settings
from trefoil.fusion.training.large import is_large, sized_for
from trefoil.fusion.training.memory_plan import plan_memory
from trefoil.fusion.training.model_selection import Fitted, fit_base_models
from trefoil.fusion.training.networks import (
    beginning,
    few_threads,
    one_network,
    sayer,
    train_networks,
)
from trefoil.fusion.training.runtime import device_of, give_back_memory, reproducible
from trefoil.fusion.training.side_by_side import begun, room_beside
from trefoil.fusion.training.text_tuning import taught_texts
from trefoil.fusion.training.work_plan import plan_work, told
from trefoil.kg.graph import KnowledgeGraph

log = logging.getLogger(__name__)

SMALL_PASS = 10_000_000  # users x items up to which a network is cheap enough to train three
INNER_SHARE = 0.1  # share of training that the blend is learned on, where validation is thin
FEW_CASES = 64  # that say, of a large catalogue, who answers people without events
SMALLEST_VALIDATION = 20  # cases; with fewer the gate keeps equal weights


def fit_model(
    dataset: Dataset,
    split: Split,
    graph: KnowledgeGraph | None,
    settings: Settings,
    progress: Progress | None = None,
    checkpoints: Checkpoints | None = None,
    source: Source | None = None,
    tasks: Sequence[Task] = (),
) -> Ensemble:
    """Learn from training events, choose on validation events; the test part stays closed.

    ``checkpoints`` keeps the state of each network after every look, and gives
    it back where training was stopped; ``source`` is a run to start from; ``tasks``
    are learned beside the listed ones. Raises TrainingError where training diverges.
    """
    cross_fitted = _cross_fit(dataset, split, graph, settings, progress, source, tasks)
    with reproducible(settings):
        parts = progress, checkpoints, source, tasks, cross_fitted
        return _fit(dataset, split, graph, settings, *parts)


def _fit(
    dataset: Dataset,
    split: Split,
    graph: KnowledgeGraph | None,
    settings: Settings,
    progress: Progress | None,
    checkpoints: Checkpoints | None,
    source: Source | None,
    tasks: Sequence[Task],
    cross_fitted: Ensemble | None,
) -> Ensemble:
    say, record = sayer(progress), Record()
    train = dataset.interactions.take(split.train)
    kept = source.whitening_for if source else None
    texts = read_texts(dataset, settings, device_of(settings), progress, record, kept)
    give_back_memory()
    returning = people_return(dataset, split)
    known = known_of(dataset, train, graph, texts, settings, returning=returning)
    large, sized = is_large(known, settings), sized_for(known, settings)
    seen, plan = seen_items(known), plan_memory(known, sized)
    sized = plan.applied(sized)
    work, beside = plan_work(known, sized), large and room_beside(settings)
    record.plan = plan.record() | {"expected": {name: asdict(one) for name, one in work.items()}}
    say(told(work, beside=beside))
    asked = _asked(dataset, split, settings)
    validation = Validation.of(asked, seen, plan.cells)
    if texts is not None and settings.fine_tuning.method != "frozen":
        taught = dataset, train, texts, known, validation, sized, record, progress
        texts = taught_texts(*taught, tasks)
        known = replace(known, text=texts.items, wordings=texts.wordings)
    given, search = _ratings(dataset, split, settings, validation)
    fitting = begun(lambda: fit_base_models(known, search, sized, say), beside=beside)
    pays = record.order_pays = not large and _order_pays(known, fitting.result(), settings)
    networks = list[JointNetwork]()
    if settings.network.on:
        inputs = training_inputs_of(dataset, train, known, settings, behaviour=pays, tasks=tasks)
        config = config_of(sized, inputs, behaviour=pays, by_rows=large)
        begin = beginning(source, dataset, known, graph, texts, record)
        looks = ManyCases.of(asked, seen) if large else validation
        train_one = one_network(known, sized, config, inputs, looks, progress, begin)
        cheap = not pays and np.prod(known.matrix.shape) <= SMALL_PASS
        count = settings.network.seeds or (3 if cheap else 1)
        with few_threads(dataset, settings):
            networks, journals = train_networks(
                train_one, [{}] * count, settings.seed, checkpoints, say
            )
        record.history = [journal.rows for journal in journals]
    fitted = fitting.result()
    base_models = network_scorers(networks) | fitted.models
    say("gate")
    blend = base_models, known, validation, settings, cross_fitted
    gate, reranker, alone, record.gate = (
        _blend_candidates(base_models, known, asked, settings) if large else _fit_gate(*blend)
    )
    record.chosen, record.seconds = fitted.chosen, fitted.seconds
    cold_users, record.cold_users = _fit_cold_users(base_models, gate, validation, few=large)
    clicks = _fit_clicks(dataset, split, base_models, seen, settings)
    rates = _fit_rates(base_models, given, search.ratings)
    parts = settings, known, base_models, gate, networks, texts, seen, record, alone, clicks
    return Ensemble(*parts, rates=rates, cold_users=cold_users, reranker=reranker)


def _asked(dataset: Dataset, split: Split, settings: Settings) -> Exam:
    """What choices are made on; without scenarios nobody is asked in a context."""
    exam = validation_exam(dataset, split)
    return exam if settings.scenarios else replace(exam, cases=without_contexts(exam.cases))


def seen_items(known: TrainingData) -> Tensor:
    """Which items have a training event."""
    return torch.from_numpy(np.diff(known.matrix.tocsc().indptr) > 0)


def _cross_fit(
    dataset: Dataset,
    split: Split,
    graph: KnowledgeGraph | None,
    settings: Settings,
    progress: Progress | None,
    source: Source | None,
    tasks: Sequence[Task],
) -> Ensemble | None:
    """A model without a tenth of training, asked for it: how to blend base models is learned there.

    None unless validation was carved from given training events. Then it is thin, so
    that base models lose little: enough to choose by, but not to teach a reranker.
    """
    people = len(np.unique(dataset.interactions.user[split.valid]))
    lists = min(people, MOST_CELLS // len(dataset.items))
    if not (settings.reranker and carved(dataset, split) and lists >= FEWEST_CASES):
        return None
    sayer(progress)("cross-fitting: a model without a tenth of training")
    part = inner_split(dataset, split, INNER_SHARE)
    return fit_model(dataset, part, graph, settings, progress, source=source, tasks=tasks)


def _order_pays(known: TrainingData, fitted: Fitted, settings: Settings) -> bool:
    """Whether a history weighted towards the present served validation better."""
    if not (settings.behaviour.on and known.timed):
        return False
    if not settings.behaviour.only_where_order_pays or "linear-recent" not in fitted.chosen:
        return True
    return fitted.chosen["linear-recent"]["ndcg"] > fitted.chosen["linear"]["ndcg"]


def _fit_gate(
    base_models: Mapping[str, ScoringModel],
    known: TrainingData,
    validation: Validation,
    settings: Settings,
    cross_fitted: Ensemble | None,
) -> tuple[Gate, Reranker | None, dict[str, float], dict[str, float]]:
    """The gate, the reranker, validation NDCG@10 of each model alone, and of blends on the way."""
    names = tuple(base_models)
    if len(validation) < SMALLEST_VALIDATION:
        equal = (1.0,) * len(names)
        return Gate(names, equal, equal, -3.0), None, {}, {}
    scores = {name: base_model.score(validation.cases) for name, base_model in base_models.items()}
    alone = {name: validation.ndcg(part) for name, part in scores.items()}
    gate, marks = fit_gate(scores, validation)
    marks = {f"only {name}": mark for name, mark in alone.items()} | marks
    if not settings.reranker:
        return gate, None, alone, marks
    events = log_events_of(known)
    if cross_fitted is not None and cross_fitted.reranker is not None:
        reranker = replace(cross_fitted.reranker, log_events=events)
        parts = scores, gate, validation, cross_fitted.gate, reranker, known.domain
        other = marks_of_other(*parts)
        if other is not None:
            return cross_fitted.gate, reranker, alone, marks | other
    returning, seed = known.returning, settings.seed
    how = {"returning": returning, "seed": seed, "domain": known.domain}
    reranker, more = fit_reranker(scores, gate, validation, events, **how)
    return gate, reranker, alone, marks | more


def _blend_candidates(
    base_models: Mapping[str, ScoringModel],
    known: TrainingData,
    asked: Exam,
    settings: Settings,
) -> tuple[Gate, Reranker | None, dict[str, float], dict[str, float]]:
    """As ``_fit_gate``, for a large catalogue: from the first items of each base model."""
    names = tuple(base_models)
    if len(asked) < SMALLEST_VALIDATION:
        equal = (1.0,) * len(names)
        return Gate(names, equal, equal, -3.0), None, {}, {}
    scenarios, seed = settings.scenarios, settings.seed
    candidates = candidates_of(
        base_models, asked, seen_items(known), scenarios=scenarios, seed=seed
    )
    give_back_memory()  # of the plan and of whole rows of scores
    told = candidates.told
    alone = {name: told.ndcg(one) for name, one in zip(names, candidates.z, strict=True)}
    gate, marks = fit_gate_on(candidates, names)
    marks = {f"only {name}": mark for name, mark in alone.items()} | marks
    if not settings.reranker:
        return gate, None, alone, marks
    events = log_events_of(known)
    reranker, more = fit_reranker_on(candidates, gate, events, returning=known.returning, seed=seed)
    return gate, reranker, alone, marks | more


def _fit_cold_users(
    base_models: Mapping[str, ScoringModel], gate: Gate, validation: Validation, *, few: bool
) -> tuple[Gate | None, dict[str, float]]:
    if few:
        validation = validation.take(torch.arange(len(validation))[:FEW_CASES])
    if len(validation) < SMALLEST_VALIDATION:
        return None, {}
    return cold_users_gate(base_models, gate, validation)


def _fit_clicks(
    dataset: Dataset,
    split: Split,
    base_models: Mapping[str, ScoringModel],
    seen: Tensor,
    settings: Settings,
) -> Gate | None:
    positive = dataset.interactions.asked[split.valid]
    if positive.all() or not positive.any():
        return None
    rows = ctr_exam(dataset, split, "valid")
    if not settings.scenarios:
        rows = replace(rows, cases=replace(rows.cases, scenario={}))
    return fit_clicks(base_models, seen, rows)


def _ratings(
    dataset: Dataset, split: Split, settings: Settings, validation: Validation
) -> tuple[np.ndarray, Search]:
    """Ratings of training, and what to choose by: with those of validation, if they are a task."""
    stars = dataset.interactions.stars
    if stars is None or not settings.tasks.rating:
        return np.empty(0, np.float32), Search(validation)
    given = stars[split.train]
    exam = None if np.isnan(stars[split.valid]).all() else stars_exam(dataset, split, "valid")
    return given[~np.isnan(given)], Search(validation, ratings=exam)


def _fit_rates(
    base_models: Mapping[str, ScoringModel], given: np.ndarray, exam: RowExam | None
) -> RatingBlend | None:
    """How expected ratings are put together, where networks were taught any."""
    network, process = raters(base_models)
    return fit_stars(network, process, given, exam) if len(given) and network else None
