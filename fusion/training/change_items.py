"""Items that are described anew in a fitted model: other words, numbers and facts."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from scipy import sparse

from trefoil.data.errors import DataError, UnknownId
from trefoil.data.interactions import Floats, Ints
from trefoil.encoders.graph import FactMean
from trefoil.encoders.view import View
from trefoil.fusion.ensemble.ensemble import Ensemble
from trefoil.fusion.features.texts import Texts
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.listed import models_with_content
from trefoil.fusion.network.module import JointNetwork
from trefoil.fusion.network.scorers import network_scorers
from trefoil.fusion.requests.held_model import HeldModel
from trefoil.fusion.requests.state import HeldGraph, State
from trefoil.fusion.training.add_items import read_alike
from trefoil.kg.construction.new_items import Triple, facts_of
from trefoil.kg.construction.told_facts import Told, with_names, with_triples, without_triples

WORDS = ("title", "text")


def with_facts(state: State, triples: Sequence[Triple]) -> tuple[State, Ints]:
    """The state with more facts of its items, and the rows of those that they are of."""
    return _retold(state, with_triples(state.held.graph, triples))


def without_facts(state: State, triples: Sequence[Triple]) -> tuple[State, Ints]:
    """The state without these facts, and the rows of the items that they were of."""
    return _retold(state, without_triples(state.held.graph, triples))


def with_other_words(state: State, told: Sequence[Mapping[str, Any]]) -> tuple[State, Ints]:
    """The state where items have another title, text or number, and their rows.

    ``told`` has an id in each row; a value that is missing or None leaves what is there.
    Raises UnknownId, and DataError for an id that comes twice, a row without one and a
    column that is unknown.
    """
    items, known = state.catalogue.items, state.model.known.numbers
    columns = dict.fromkeys(name for row in told for name in row if name != "id")
    numbers = [name for name in columns if name in {*items.score, *known}]
    if left := [name for name in columns if name not in (*WORDS, *numbers)]:
        there = ", ".join([*WORDS, *dict.fromkeys((*items.score, *known))])
        raise DataError(f"items: no column {left[0]!r}; there is {there}; facts are triples")
    rows = _rows(state, told)
    words = {name: _words(told, name) for name in WORDS}
    values = {name: _column(told, name) for name in numbers}
    titles, texts = list(items.titles), list(items.texts)
    for held, name in ((titles, "title"), (texts, "text")):
        for row, word in zip(rows.tolist(), words[name], strict=True):
            held[row] = held[row] if word is None else word or None
    score = {name: _put(column, rows, values.get(name)) for name, column in items.score.items()}
    other = replace(items, titles=tuple(titles), texts=tuple(texts), score=score)
    names = {"name": words["title"], "text": words["text"]}
    graph = with_names(state.held.graph, rows, names)
    state = replace(state, catalogue=state.catalogue.described(other))
    if not numbers and all(word is None for word in words["text"]):  # no model reads titles
        return replace(state, held=_held(state, graph)), rows
    reread = rows[[row.get("text") is not None for row in told]]
    model = _reread(state.model, reread, [other.texts[row] for row in reread])
    kept = {name: _put(column, rows, values.get(name)) for name, column in known.items()}
    model = redescribed(model, rows, replace(model.known, numbers=kept))
    return replace(state, voice=HeldModel(model), held=_held(state, graph)), rows


def redescribed(model: Ensemble, changed: Ints, known: TrainingData) -> Ensemble:
    """The model where the items ``changed`` (rows) are described as ``known`` says.

    What reads descriptions as they are, reads the new ones; what was learned from the old
    ones stays until it is learned again.
    """
    networks = [network_told(one, known) for one in model.networks]
    base_models = network_scorers(networks, known.learned)
    base_models |= models_with_content(model.listed, known, changed)
    return replace(model, known=known, base_models=base_models, networks=networks)


def network_told(network: JointNetwork, known: TrainingData) -> JointNetwork:
    """The same weights over other facts and texts; they are shared, for nothing changes them."""
    other = copy.copy(network)
    other._modules, other._buffers = dict(network._modules), dict(network._buffers)
    if network.facts is not None and known.facts is not None:
        facts = known.facts
        with torch.random.fork_rng(devices=[]):
            other.facts = FactMean(facts.matrix, facts.relation, facts.entity)
        other.facts.to(network.item_bias.device)
        other.facts.weight = network.facts.weight
    if network.text is not None and known.text is not None:
        other.text_vectors = known.text.vectors.to(network.item_bias.device)
    return other


def _retold(state: State, told: Told) -> tuple[State, Ints]:
    model, held = state.model, _held(state, told.graph)
    facts, changed = model.known.facts, told.items
    if facts is None or model.settings.graph.shuffle or not len(changed):
        return replace(state, held=held), changed
    now = sparse.csr_matrix(facts_of(facts, told.graph, changed))
    before = facts.matrix[changed]
    moved = np.flatnonzero(np.diff((before != now).tocsr().indptr))  # in facts that models know
    if not len(moved):
        return replace(state, held=held), changed
    place = np.arange(facts.matrix.shape[0])
    place[changed] = len(place) + np.arange(len(changed))
    matrix = sparse.vstack([facts.matrix, now]).tocsr()[place]
    known = replace(model.known, facts=replace(facts, matrix=matrix))
    model = redescribed(model, changed[moved], known)
    return replace(state, voice=HeldModel(model), held=held), changed


def _held(state: State, graph: Any) -> HeldGraph:
    return HeldGraph(graph, low_below=state.catalogue.low_below)


def _reread(model: Ensemble, rows: Ints, words: Sequence[str | None]) -> Ensemble:
    """The model with the texts of these items read again."""
    texts: Texts | None = model.texts
    if texts is None or not len(rows) or model.settings.text.shuffle:
        return model
    view, warnings = read_alike(texts, words)
    at = torch.from_numpy(rows)
    vectors, known = texts.items.vectors.clone(), texts.items.known.clone()
    vectors[at], known[at] = view.vectors, view.known
    items = View(vectors, known)
    record = replace(model.record, added_warnings=[*model.record.added_warnings, *warnings])
    texts = replace(texts, items=items)
    return replace(model, texts=texts, known=replace(model.known, text=items), record=record)


def _rows(state: State, told: Sequence[Mapping[str, Any]]) -> Ints:
    ids = [row.get("id") for row in told]
    if None in ids or "" in ids:
        raise DataError(f"items: row {1 + ids.index(None if None in ids else '')} has no id")
    texts = [str(one) for one in ids]
    if len(set(texts)) < len(texts):
        twice = next(one for at, one in enumerate(texts) if one in texts[:at])
        raise DataError(f"items: {twice!r} comes twice; give each item one row")
    rows = state.catalogue.items.vocabulary.rows(texts)
    if (rows < 0).any():
        raise UnknownId(f"unknown item {texts[int(np.argmin(rows))]!r}; add_items takes new ones")
    return rows


def _words(told: Sequence[Mapping[str, Any]], name: str) -> list[str | None]:
    return [None if (word := row.get(name)) is None else str(word) for row in told]


def _column(told: Sequence[Mapping[str, Any]], name: str) -> Floats:
    try:
        values = [row.get(name) for row in told]
        with np.errstate(over="ignore"):
            found = np.array([np.nan if one is None else float(one) for one in values], np.float32)
    except (TypeError, ValueError):
        raise DataError(f"items: {name} has values that are no numbers") from None
    if np.isinf(found).any():
        raise DataError(f"items: {name} has values that are not finite")
    return found


def _put(column: Floats, rows: Ints, values: Floats | None) -> Floats:
    """A column with other values in these rows, where there are any."""
    if values is None:
        return column
    told = ~np.isnan(values)
    longer = column.copy()
    longer[rows[told]] = values[told]
    return longer
