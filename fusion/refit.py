"""The final fit: every number as chosen on validation, and all events to learn from."""

from dataclasses import replace

import numpy as np

from data.dataset import Dataset
from fusion.fit import Progress, best_epochs
from fusion.known import Known
from fusion.learn import seen_items
from fusion.leaves import Fitted, Search, fit_cheap_leaves
from fusion.material import known_of, lessons_of
from fusion.model import Model, network_leaves
from fusion.network import JointNetwork
from fusion.ratings import RatingProcess, fit_ratings
from fusion.reranker import log_events_of
from fusion.runtime import reproducible
from fusion.train_networks import beginning, few_threads, one_network, sayer, train_networks
from fusion.transfer import Source
from fusion.unfinished import Unfinished
from kg.graph import KnowledgeGraph


def refit_model(
    model: Model,
    dataset: Dataset,
    graph: KnowledgeGraph,
    progress: Progress | None = None,
    checkpoints: Unfinished | None = None,
    source: Source | None = None,
) -> Model:
    """The same model, learned from every event: of training, validation and test.

    Base models keep the numbers chosen for them, networks are trained for as many
    epochs as served validation best, and the blend stays: it was learned where events
    were held out, which are none any more. Nothing is judged.
    """
    with reproducible(model.settings):
        return _refit(model, dataset, graph, progress, checkpoints, source)


def _refit(
    model: Model,
    dataset: Dataset,
    graph: KnowledgeGraph,
    progress: Progress | None,
    checkpoints: Unfinished | None,
    source: Source | None,
) -> Model:
    say, settings, events = sayer(progress), model.settings, dataset.interactions
    say("all events, with the numbers chosen")
    returning = model.known.returning
    known = known_of(dataset, events, graph, model.texts, settings, returning=returning)
    fitted = fit_cheap_leaves(known, Search(None, model.record.chosen), settings, say)
    rates = model.rates
    process = model.leaves.get("ratings")
    if isinstance(process, RatingProcess):
        say("ratings")
        process = fit_ratings(known, None, rounds=process.rounds)
        fitted.leaves["ratings"] = process
    if rates is not None and events.stars is not None:
        low, high = float(np.nanmin(events.stars)), float(np.nanmax(events.stars))
        rates = replace(rates, low=low, high=high, process=process)
    networks = _networks(model, dataset, known, graph, fitted, progress, checkpoints, source)
    seen, reranker = seen_items(known), model.reranker
    if reranker is not None:
        reranker = replace(reranker, log_events=log_events_of(known))
    return replace(
        model,
        known=known,
        leaves=fitted.leaves,
        networks=networks,
        seen=seen,
        rates=rates,
        reranker=reranker,
    )


def _networks(
    model: Model,
    dataset: Dataset,
    known: Known,
    graph: KnowledgeGraph,
    fitted: Fitted,
    progress: Progress | None,
    checkpoints: Unfinished | None,
    source: Source | None,
) -> list[JointNetwork]:
    """The networks of the model trained anew, each part until its best epoch."""
    if not model.networks:
        return []
    settings, order_pays = model.settings, model.record.order_pays
    lessons = lessons_of(dataset, dataset.interactions, known, settings, behaviour=order_pays)
    begin = beginning(source, dataset, known, graph, model.texts, replace(model.record))
    shape = model.networks[0].shape
    train_one = one_network(dataset, known, settings, shape, lessons, None, progress, begin)
    until = [best_epochs(journal) for journal in model.record.history]
    with few_threads(dataset, settings):
        networks, _ = train_networks(
            train_one, until, settings.seed, checkpoints, sayer(progress), first=len(until)
        )
    fitted.leaves = network_leaves(networks) | fitted.leaves
    return networks
