"""New items in a fitted model: known by text and facts, without training anything again."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import torch
from scipy import sparse
from torch import Tensor

from trefoil.data.domains import domain_codes
from trefoil.data.errors import DataError
from trefoil.data.interactions import Floats, Ints
from trefoil.data.items import Entities, Items
from trefoil.data.readers.frames import items_of, triples_in
from trefoil.data.suggest import closest
from trefoil.encoders.view import View
from trefoil.fusion.ensemble.cold_start_items import FEWEST_COLD, ColdStartItems
from trefoil.fusion.ensemble.ensemble import Ensemble
from trefoil.fusion.features.fields import COLUMNS, fields_of
from trefoil.fusion.features.texts import Texts
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.base import tells_new_items_apart
from trefoil.fusion.models.listed import models_with_items
from trefoil.fusion.network.module import JointNetwork, NetworkInputs
from trefoil.fusion.network.scorers import network_scorers
from trefoil.fusion.requests.held_model import HeldModel
from trefoil.fusion.requests.state import HeldGraph, State
from trefoil.kg.construction.new_items import facts_of_new, with_items
from trefoil.kg.item_facts import Facts

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)


def with_new_items(
    state: State,
    items: "Items | pl.DataFrame | pd.DataFrame",
    triples: "pl.DataFrame | pd.DataFrame | Iterable[Sequence[str]]",
) -> State:
    """The state with more items in model, catalogue and graph; see ``Recommender.add_items``.

    Raises DataError for an id that is taken or empty and for a triple that cannot be
    placed.
    """
    model, before = state.model, state.catalogue.items
    numbers = dict.fromkeys((*model.known.numbers, *before.score))
    fresh = items if isinstance(items, Entities) else items_of(items, numbers=numbers)
    known = ("id", "title", "text", *numbers)
    for name in () if isinstance(items, Entities) else sorted({*items.columns} - {*known}):
        log.warning("items: column %r is not read; %s", name, closest(name, known))
    for one in fresh.vocabulary.ids:
        if one in before.vocabulary:
            raise DataError(f"item {one!r} is in the catalogue already; leave it out")
    extended = with_items(state.held.graph, fresh, triples_in(triples))
    facts = model.known.facts
    told = None if facts is None else facts_of_new(facts, extended.graph, len(before))
    catalogue = state.catalogue.with_items(fresh)
    return replace(
        state,
        voice=HeldModel(
            grow(
                model,
                fresh.texts,
                told,
                fresh.score,
                fields_of(fresh),
                domain_codes(fresh, catalogue.domains),
            )
        ),
        catalogue=catalogue,
        held=HeldGraph(extended.graph, low_below=catalogue.low_below),
    )


def grow(
    model: Ensemble,
    texts: Sequence[str | None],
    facts: np.ndarray | None,
    numbers: Mapping[str, Floats],
    fields: Mapping[str, sparse.csr_matrix] = MappingProxyType({}),
    domain: Ints | None = None,
) -> Ensemble:
    """The model with ``len(texts)`` more items at the end.

    ``facts`` [new items, facts] says which of the known facts hold for them,
    ``numbers`` has their columns of numbers, of which any may be missing, and so
    ``fields`` their words and categories (see ``fields_of``); ``domain`` is that of each,
    where there are domains. Only
    what reads these can rank them; an item of which none says anything ranks
    low. Scores of the other items stay as they were, up to rounding of larger
    products.
    """
    count, before = len(texts), model.known.matrix.shape[1]
    read, warnings = _read(model.texts, texts)
    view = read.items if read else None
    known = grown_known(model.known, count, view, facts, numbers, fields)
    if known.domain is not None:
        fresh = np.full(count, -1, np.int64) if domain is None else domain
        known = replace(known, domain=np.concatenate([known.domain, fresh]))
    networks = [grown_network(one, known, before, model.seen) for one in model.networks]
    base_models = network_scorers(networks, known.learned) | models_with_items(
        model.listed, known, before
    )
    learned = model.seen[: known.learned]
    speaking = [
        name for name, base_model in base_models.items() if tells_new_items_apart(base_model)
    ]
    worth = {name: model.alone.get(name, 1.0) for name in speaking}
    added = ColdStartItems.of(model.gate, learned, worth, known.added)
    seen = torch.cat([model.seen, torch.zeros(count, dtype=torch.bool)])
    record = replace(model.record, added_warnings=warnings)
    return replace(
        model,
        known=known,
        base_models=base_models,
        networks=networks,
        texts=read,
        seen=seen,
        record=record,
        added=added,
    )


def grown_known(
    known: TrainingData,
    count: int,
    text: View | None,
    facts: np.ndarray | None,
    numbers: Mapping[str, Floats],
    fields: Mapping[str, sparse.csr_matrix] = MappingProxyType({}),
) -> TrainingData:
    """What base models were fitted from, with empty columns for the new items."""
    users, before = known.matrix.shape
    events = known.matrix
    matrix = sparse.csr_matrix(
        (events.data, events.indices, events.indptr), shape=(users, before + count)
    )
    told: Facts | None = known.facts
    if told is not None:
        rows = np.zeros((count, told.matrix.shape[1]), np.float32) if facts is None else facts
        whole = sparse.vstack([told.matrix, sparse.csr_matrix(rows)]).tocsr()
        told = replace(told, matrix=whole)
    none = np.full(count, np.nan, np.float32)
    longer = {n: np.concatenate([one, numbers.get(n, none)]) for n, one in known.numbers.items()}
    silent = sparse.csr_matrix((count, COLUMNS), dtype=np.float32)
    filed = {
        name: sparse.vstack([one, fields.get(name, silent)], format="csr")
        for name, one in known.fields.items()
    }
    parts = {"matrix": matrix, "facts": told, "text": text, "numbers": longer, "fields": filed}
    return replace(known, **parts, added=known.added + count)


def grown_network(
    network: JointNetwork, known: TrainingData, before: int, seen: Tensor
) -> JointNetwork:
    """The same weights with rows for the new items: no id, content from texts and facts.

    Their bias is the mean over items without events, or over all where those are few.
    """
    count = known.matrix.shape[1] - before

    def longer(name: str, tensor: Tensor) -> Tensor:
        assert tensor.shape[0] == before, name  # a table of items
        return torch.cat([tensor, tensor.new_zeros(count, *tensor.shape[1:])])

    extended = with_other_rows(network, known, longer)
    cold = ~seen
    cold[known.learned :] = False
    alike = cold if int(cold.sum()) >= FEWEST_COLD else torch.arange(before) < known.learned
    bias = network.item_bias.detach()
    with torch.no_grad():
        extended.item_bias[before:] = bias[alike.to(bias.device)].mean()
    return extended


def with_other_rows(
    network: JointNetwork, known: TrainingData, changed: Callable[[str, Tensor], Tensor]
) -> JointNetwork:
    """A network of the same form that reads ``known``.

    ``changed`` gives tables another number of rows, by name; all other weights stay.
    """
    facts = known.facts if network.facts is not None else None
    network_inputs = NetworkInputs(
        known.matrix,
        facts.matrix if facts else None,
        facts.relation if facts else None,
        facts.entity if facts else None,
        known.text.vectors if network.text is not None and known.text else None,
        network.head_plans,
        {name: len(part) for name, part in network.scale.items()},
        {} if network.named is None else network.named.vectors(),
        known.domain,
    )
    with torch.random.fork_rng(devices=[]):
        other = JointNetwork(network_inputs, network.config).to(network.item_bias.device)
    state, fresh = dict(network.state_dict()), other.state_dict()
    for name, tensor in state.items():
        if tensor.shape != fresh[name].shape:
            state[name] = changed(name, tensor)
    other.load_state_dict(state)
    return other.eval()


def read_alike(texts: Texts, new: Sequence[str | None]) -> tuple[View, list[str]]:
    """Vectors of texts by the same encoder and whitening, and warnings.

    Where the encoder would fall back on another way of reading, vectors would not
    be comparable: such texts count as unknown, with a warning.
    """
    raw, warnings = texts.encoder.encode(new)
    known, old = raw.known, texts.items
    if warnings or not bool(known.any()):
        none = old.vectors.new_zeros(len(new), old.vectors.shape[1])
        return View(none, torch.zeros_like(known)), warnings
    return texts.whitening(raw), warnings


def _read(texts: Texts | None, new: Sequence[str | None]) -> tuple[Texts | None, list[str]]:
    """The texts of all items, the new ones behind the others."""
    if texts is None:
        return None, []
    view, warnings = read_alike(texts, new)
    old = texts.items
    both = View(torch.cat([old.vectors, view.vectors]), torch.cat([old.known, view.known]))
    return replace(texts, items=both), warnings
