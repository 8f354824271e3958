"""A model that goes on learning: from what came in, with all earlier events beside it."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from trefoil.data.dataset import Dataset, SplitRule
from trefoil.data.items import Entities
from trefoil.data.progress import Progress
from trefoil.data.report import DataReport
from trefoil.data.split import TRAIN
from trefoil.fusion.catalogue import LIVE
from trefoil.fusion.ensemble.ensemble import Ensemble
from trefoil.fusion.ensemble.rating_blend import raters
from trefoil.fusion.ensemble.reranker import log_events_of
from trefoil.fusion.features.preparation import known_of
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.demographics import Demographics
from trefoil.fusion.models.fitting import Search
from trefoil.fusion.network.inputs import training_inputs_of
from trefoil.fusion.network.module import JointNetwork
from trefoil.fusion.network.scorers import network_scorers
from trefoil.fusion.network.training import best_epochs, config_with
from trefoil.fusion.plan.attributes import AttributeColumn
from trefoil.fusion.requests.held_model import HeldModel
from trefoil.fusion.requests.state import HeldGraph, State
from trefoil.fusion.settings import Settings
from trefoil.fusion.training.going_on import GoingOn, some_epochs
from trefoil.fusion.training.large import sized_for
from trefoil.fusion.training.memory_plan import MemoryPlan
from trefoil.fusion.training.model_selection import fit_base_models
from trefoil.fusion.training.networks import few_threads, one_network, sayer, train_networks
from trefoil.fusion.training.runtime import reproducible
from trefoil.kg.construction.known_users import with_events

GO_ON = 0.1  # of the epochs that served validation best: the most that a network goes on


@dataclass(frozen=True)
class Lesson:
    """Events to learn from, in rows of the catalogue, and what the graph says with them."""

    dataset: Dataset
    known: TrainingData
    graph: HeldGraph
    fresh: float  # share of the events that came since the model learned


def updated(state: State, progress: Progress | None = None, *, anew: bool = False) -> State:
    """The state whose model also learned from events and items that came.

    Models in closed form and counts are fitted again, with the numbers chosen before: they
    equal those of a refit. Networks go on from their weights, over old and new events: for as
    large a share of the epochs that served validation best as what came is of all events, at
    most a tenth, at least one epoch. ``anew`` trains them from the start.
    The blend stays. Events held back for an exam are not looked at.
    """
    with reproducible(state.model.settings):
        lesson = _lesson(state)
        model = _learned(state, lesson, progress, anew)
    catalogue = state.catalogue.settled()
    part = np.where(catalogue.part == LIVE, TRAIN, catalogue.part)
    catalogue = replace(catalogue, part=part, learned=None)
    return replace(state, voice=HeldModel(model), catalogue=catalogue, held=lesson.graph)


def _lesson(state: State) -> Lesson:
    model, catalogue = state.model, state.catalogue.settled()
    learned = np.isin(catalogue.part, _parts(state))
    events = catalogue.events.take(learned)
    users = Entities(catalogue.users)
    told = SplitRule(), DataReport(), ""
    parts = catalogue.name, events, users, catalogue.items, None, *told
    dataset = Dataset(*parts, domains=catalogue.domains)
    graph = with_events(state.held.graph, catalogue.users, events)
    settings, returning = model.settings, model.known.returning
    known = known_of(dataset, events, graph, model.texts, settings, returning=returning)
    attributes, columns = _attributes(model, len(users))
    known = replace(known, attributes=attributes, attribute_columns=columns)
    fresh = float((catalogue.part[learned] == LIVE).mean()) if learned.any() else 0.0
    return Lesson(dataset, known, HeldGraph(graph, low_below=catalogue.low_below), fresh)


def _parts(state: State) -> list[int]:
    """The parts of events that may be learned from."""
    every = state.purpose == "serve"
    return [*np.unique(state.catalogue.every_part).tolist()] if every else [TRAIN, LIVE]


def _attributes(
    model: Ensemble, users: int
) -> tuple[sparse.csr_matrix | None, tuple[AttributeColumn, ...]]:
    """What is told of people, and by which columns; of those who came since, nothing is.

    A run holds that in the model that reads it.
    """
    held = next((one for one in model.base_models.values() if isinstance(one, Demographics)), None)
    table, columns = model.known.attributes, model.known.attribute_columns
    if held is not None:
        table, columns = held.attributes, held.columns
    if table is None:
        return None, ()
    missing = users + 1 - table.shape[0]
    nothing = sparse.csr_matrix((max(missing, 0), table.shape[1]), dtype=table.dtype)
    return sparse.vstack([table[:-1], nothing, table[-1:]]).tocsr(), columns


def _learned(state: State, lesson: Lesson, progress: Progress | None, anew: bool) -> Ensemble:
    model, known, say = state.model, lesson.known, sayer(progress)
    settings = _sized(model)
    fitted = fit_base_models(known, Search(None, model.record.chosen), settings, say)
    networks = _networks(model, lesson, progress, anew)
    base_models, rates = network_scorers(networks) | fitted.models, model.rates
    stars = lesson.dataset.interactions.stars
    if rates is not None and stars is not None and not np.isnan(stars).all():
        low, high = float(np.nanmin(stars)), float(np.nanmax(stars))
        rates = replace(rates, low=low, high=high, process=raters(base_models)[1])
    reranker = model.reranker
    if reranker is not None:
        reranker = replace(reranker, log_events=log_events_of(known))
    return replace(
        model,
        known=known,
        base_models=base_models,
        networks=networks,
        seen=known.seen_items(),
        rates=rates,
        reranker=reranker,
        added=None,
    )


def _sized(model: Ensemble) -> Settings:
    """The settings of the model as its training was cut to size."""
    told: dict[str, Any] = {**model.record.plan, "cut": tuple(model.record.plan["cut"])}
    return MemoryPlan(**told).applied(model.settings)


def _networks(
    model: Ensemble, lesson: Lesson, progress: Progress | None, anew: bool
) -> list[JointNetwork]:
    """The networks, each gone on with from its weights, or trained from the start."""
    if not model.networks:
        return []
    settings = sized_for(lesson.known, _sized(model))
    part = settings.network.model_copy(update={"evaluate_every": 1})
    settings = settings.model_copy(update={"network": part})
    dataset, known = lesson.dataset, lesson.known
    events = dataset.interactions
    order_pays = model.record.order_pays
    inputs = training_inputs_of(dataset, events, known, settings, behaviour=order_pays)
    config = config_with(model.networks[0].config, inputs)
    share = 1.0 if anew else min(lesson.fresh, GO_ON)
    until = [some_epochs(best_epochs(journal), share) for journal in model.record.history]
    begins = [] if anew else [GoingOn(one, model.known, known) for one in model.networks]
    train_one = one_network(known, settings, config, inputs, None, progress)
    with few_threads(dataset, settings):
        networks, _ = train_networks(
            train_one, until, settings.seed, None, sayer(progress), begins=begins
        )
    return networks
