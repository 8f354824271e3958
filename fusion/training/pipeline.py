"""Learning: every base model from training events, every choice on validation events."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np
from torch import Tensor

from trefoil.data.dataset import Dataset
from trefoil.data.progress import Progress
from trefoil.data.split import Split, inner_split
from trefoil.evaluation.exam import Exam
from trefoil.evaluation.protocols.pointwise_exam import RowExam, ctr_exam, stars_exam
from trefoil.evaluation.protocols.protocols import carved, people_return
from trefoil.fusion.ensemble.click_gate import fit_clicks
from trefoil.fusion.ensemble.ensemble import Ensemble
from trefoil.fusion.ensemble.gate import Gate
from trefoil.fusion.ensemble.rating_blend import RatingBlend, fit_stars, raters
from trefoil.fusion.ensemble.reranker_fit import FEWEST_CASES
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
from trefoil.fusion.training.blending import blend, blend_candidates, fit_cold_users
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
    seen, plan = known.seen_items(), plan_memory(known, sized)
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
            each = [{}] * count
            networks, journals = train_networks(train_one, each, settings.seed, checkpoints, say)
        record.history = [journal.rows for journal in journals]
    fitted = fitting.result()
    base_models = network_scorers(networks) | fitted.models
    say("gate")
    if large:
        blended = blend_candidates(base_models, known, asked, settings)
    else:
        blended = blend(base_models, known, validation, settings, cross_fitted)
    gate, record.gate = blended.gate, blended.marks
    record.chosen, record.seconds = fitted.chosen, fitted.seconds
    cold_users, record.cold_users = fit_cold_users(base_models, gate, validation, few=large)
    clicks = _fit_clicks(dataset, split, base_models, seen, settings)
    rates = _fit_rates(base_models, given, search.ratings)
    parts = settings, known, base_models, gate, networks, texts, seen, record, blended.alone, clicks
    return Ensemble(*parts, rates=rates, cold_users=cold_users, reranker=blended.reranker)


def _asked(dataset: Dataset, split: Split, settings: Settings) -> Exam:
    """What choices are made on; without scenarios nobody is asked in a context."""
    exam = validation_exam(dataset, split)
    return exam if settings.scenarios else replace(exam, cases=without_contexts(exam.cases))


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
