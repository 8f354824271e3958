"""The final fit: every number as chosen on validation, and all events to learn from."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from trefoil.data.dataset import Dataset
from trefoil.data.progress import Progress
from trefoil.fusion.ensemble.ensemble import Ensemble
from trefoil.fusion.ensemble.rating_blend import raters
from trefoil.fusion.ensemble.reranker import log_events_of
from trefoil.fusion.features.preparation import known_of
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.fitting import Search
from trefoil.fusion.network.checkpoints import Checkpoints
from trefoil.fusion.network.inputs import training_inputs_of
from trefoil.fusion.network.module import JointNetwork
from trefoil.fusion.network.scorers import network_scorers
from trefoil.fusion.network.tasks.base import Task
from trefoil.fusion.network.training import best_epochs, config_with
from trefoil.fusion.network.warm_start import Source
from trefoil.fusion.settings import Settings
from trefoil.fusion.training.going_on import GoingOn, some_epochs
from trefoil.fusion.training.large import is_large, sized_for
from trefoil.fusion.training.memory_plan import MemoryPlan
from trefoil.fusion.training.model_selection import fit_base_models
from trefoil.fusion.training.networks import (
    Begin,
    beginning,
    few_threads,
    one_network,
    sayer,
    train_networks,
)
from trefoil.fusion.training.runtime import reproducible
from trefoil.fusion.training.side_by_side import begun, room_beside
from trefoil.kg.graph import KnowledgeGraph


def without_base_models(model: Ensemble) -> Ensemble:
    """What a final fit goes on from: it makes base models anew, in the memory of the old ones."""
    return replace(model, base_models={})


def refit_model(
    model: Ensemble,
    dataset: Dataset,
    graph: KnowledgeGraph,
    progress: Progress | None = None,
    checkpoints: Checkpoints | None = None,
    source: Source | None = None,
    tasks: Sequence[Task] = (),
) -> Ensemble:
    """The same model, learned from every event: of training, validation and test.

    Base models keep the numbers chosen for them, networks are trained for as many
    epochs as served validation best, and the blend stays: it was learned where events
    were held out, which are none any more. Nothing is judged.
    """
    with reproducible(model.settings):
        return _refit(model, dataset, graph, progress, checkpoints, source, tasks)


def _refit(
    model: Ensemble,
    dataset: Dataset,
    graph: KnowledgeGraph,
    progress: Progress | None,
    checkpoints: Checkpoints | None,
    source: Source | None,
    tasks: Sequence[Task],
) -> Ensemble:
    say, events = sayer(progress), dataset.interactions
    settings = MemoryPlan(**model.record.plan).applied(model.settings)
    say("all events, with the numbers chosen")
    returning = model.known.returning
    known = known_of(dataset, events, graph, model.texts, settings, returning=returning)
    settings = sized_for(known, settings)
    search = Search(None, model.record.chosen)
    beside = is_large(known, settings) and room_beside(settings)
    fitting = begun(lambda: fit_base_models(known, search, settings, say), beside=beside)
    parts = progress, checkpoints, source, tasks
    networks = _networks(model, settings, dataset, known, graph, *parts)
    base_models, rates = network_scorers(networks) | fitting.result().models, model.rates
    if rates is not None and events.stars is not None:
        low, high = float(np.nanmin(events.stars)), float(np.nanmax(events.stars))
        rates = replace(rates, low=low, high=high, process=raters(base_models)[1])
    seen, reranker = known.seen_items(), model.reranker
    if reranker is not None:
        reranker = replace(reranker, log_events=log_events_of(known))
    return replace(
        model,
        known=known,
        base_models=base_models,
        networks=networks,
        seen=seen,
        rates=rates,
        reranker=reranker,
    )


def _networks(
    model: Ensemble,
    settings: Settings,
    dataset: Dataset,
    known: TrainingData,
    graph: KnowledgeGraph,
    progress: Progress | None,
    checkpoints: Checkpoints | None,
    source: Source | None,
    tasks: Sequence[Task],
) -> list[JointNetwork]:
    """The networks of the model trained anew, each part until its best epoch.

    Of large data they go on over all events, for the share of it that was held out; not those
    that began with the weights of another run, of which some may have to stay.
    """
    if not model.networks:
        return []
    order_pays = model.record.order_pays
    inputs = training_inputs_of(
        dataset, dataset.interactions, known, settings, behaviour=order_pays, tasks=tasks
    )
    config = config_with(model.networks[0].config, inputs)
    until = [best_epochs(journal) for journal in model.record.history]
    begins: list[Begin] = []
    if config.by_rows and source is None:
        held_out = 1 - len(model.known.events) / len(dataset.interactions)
        until = [some_epochs(one, held_out) for one in until]
        begins = [GoingOn(one, model.known, known) for one in model.networks]
    begin = beginning(source, dataset, known, graph, model.texts, replace(model.record))
    train_one = one_network(known, settings, config, inputs, None, progress, begin)
    parts = checkpoints, sayer(progress), len(until), begins
    with few_threads(dataset, settings):
        networks, _ = train_networks(train_one, until, settings.seed, *parts)
    return networks
