"""A state with one person less: their rows go from everything that has rows of people."""

from dataclasses import replace

import numpy as np
from scipy import sparse
from torch import Tensor

from trefoil.data.histories import Histories
from trefoil.data.interactions import Interactions, Ints
from trefoil.data.vocabulary import Vocabulary
from trefoil.fusion.catalogue import Catalogue, Learned
from trefoil.fusion.ensemble.ensemble import Ensemble
from trefoil.fusion.ensemble.rating_blend import raters
from trefoil.fusion.ensemble.reranker import log_events_of
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.listed import models_without_user
from trefoil.fusion.network.scorers import network_scorers
from trefoil.fusion.requests.held_model import HeldModel
from trefoil.fusion.requests.state import HeldGraph, State
from trefoil.fusion.training.add_items import with_other_rows
from trefoil.kg.construction.known_users import renamed_user, without_user


def state_without(state: State, user: str, into: str | None = None) -> State:
    """The state in which nobody has this id; ``into``, a known id, gets the events.

    Whatever has a row for the person loses it: vectors, ratings, attributes, events, edges.
    Counts are made again. What was learned from many people together stays until it is
    learned again.
    """
    catalogue = state.catalogue
    row = catalogue.users.row(user)
    target = None if into is None else catalogue.users.row(into)
    held = state.held
    if row < catalogue.knowledge.users:
        model = model_without(state.model, row, target)
        graph = without_user(held.graph, user, into)
        held = HeldGraph(graph, low_below=catalogue.low_below)
        state = replace(state, voice=HeldModel(model))
    return replace(state, catalogue=_catalogue(catalogue, row, target), held=held)


def state_renamed(state: State, user: str, name: str) -> State:
    """The state in which a person has another id, which nobody had."""
    catalogue, held = state.catalogue, state.held
    ids = [name if one == user else one for one in catalogue.users.ids]
    if catalogue.users.row(user) < catalogue.knowledge.users:
        graph = renamed_user(held.graph, user, name)
        held = HeldGraph(graph, low_below=catalogue.low_below)
    waiting = tuple(
        one._replace(user=name) if one.user == user else one for one in catalogue.waiting
    )
    other = replace(catalogue, users=Vocabulary(ids), waiting=waiting)
    other.__dict__["now"] = catalogue.now
    return replace(state, catalogue=other, held=held)


def model_without(model: Ensemble, row: int, into: int | None) -> Ensemble:
    """The model without the person in this row of training; ``into`` gets the events."""
    known = _known(model.known, row, into)
    users = len(model.known.history)

    def shorter(name: str, tensor: Tensor) -> Tensor:
        assert len(tensor) == users, name  # a table of users
        return tensor[np.delete(np.arange(users), row)]

    networks = [with_other_rows(one, known, shorter) for one in model.networks]
    base_models = network_scorers(networks, known.learned)
    base_models |= models_without_user(model.listed, known, row)
    rates, reranker = model.rates, model.reranker
    if rates is not None and rates.process is not None:
        rates = replace(rates, process=raters(base_models)[1])
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
    )


def _known(known: TrainingData, row: int, into: int | None) -> TrainingData:
    users, items = known.matrix.shape
    events = _events(known.events, row, into if into is None or into < users else None)
    history = Histories.of(events, users - 1)
    matrix = history.matrix(items)
    attributes = known.attributes
    if attributes is not None:
        attributes = without_row(attributes, row)
    return replace(known, events=events, history=history, matrix=matrix, attributes=attributes)


def without_row(table: sparse.csr_matrix, row: int) -> sparse.csr_matrix:
    """A table without one row."""
    return table[np.delete(np.arange(table.shape[0]), row)]


def _events(events: Interactions, row: int, into: int | None) -> Interactions:
    """Events without those of a person, or with those of another; rows behind move up."""
    if into is None:
        events = events.take(events.user != row)
    user = events.user if into is None else np.where(events.user == row, into, events.user)
    return replace(events, user=_moved(user, row))


def _moved(user: Ints, row: int) -> Ints:
    return user - (user > row)


def _catalogue(catalogue: Catalogue, row: int, into: int | None) -> Catalogue:
    events, part = catalogue.every_event, catalogue.every_part
    user = catalogue.users[row]
    if into is None:
        part = part[events.user != row]
    told = None if into is None else catalogue.users[into]
    waiting = tuple(
        one if one.user != user else one._replace(user=told)
        for one in catalogue.waiting
        if one.user != user or told is not None
    )
    learned = catalogue.knowledge
    fewer = Learned(learned.users - (row < learned.users), learned.contexts)
    ids = catalogue.users.ids
    return replace(
        catalogue,
        users=Vocabulary([*ids[:row], *ids[row + 1 :]]),
        events=_events(events, row, into),
        part=part,
        later=(),
        learned=fewer if catalogue.learned is not None or catalogue.later else None,
        waiting=waiting,
    )
