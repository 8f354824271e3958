"""A shop of which nothing is known but its items: what another shop taught of texts, used there."""

import uuid
from dataclasses import replace

import numpy as np
import torch
from scipy import sparse

from trefoil.data.dataset import Dataset, SplitRule
from trefoil.data.errors import ConfigError
from trefoil.data.histories import Histories
from trefoil.data.interactions import Interactions
from trefoil.data.items import Entities, Items
from trefoil.data.report import DataReport
from trefoil.data.vocabulary import Vocabulary
from trefoil.encoders.text.encoder import Whitening
from trefoil.fusion.catalogue import Catalogue
from trefoil.fusion.ensemble.ensemble import Ensemble
from trefoil.fusion.ensemble.gate import Gate
from trefoil.fusion.features.fields import WORDS, fields_of
from trefoil.fusion.features.texts import Texts
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.alike import DECAYS
from trefoil.fusion.models.base import ScoringModel
from trefoil.fusion.models.fields import FieldNeighbours, content_of, neighbours
from trefoil.fusion.models.profiles import TextProfile
from trefoil.fusion.requests.held_model import HeldModel
from trefoil.fusion.requests.state import HeldGraph, State
from trefoil.kg.construction.build import build

NONE = np.zeros(0, np.int64)
FEWEST = 3  # texts that a whitening is fitted on


def at_new_shop(model: Ensemble, items: Items) -> Ensemble:
    """The model for other items, none of which anybody met; people are their histories.

    What reads texts and words alone goes along: items near in the vectors of the text encoder,
    whitened by the texts of this shop, and items alike by words and categories, counted here.
    Each weighs by what it was worth alone on validation of the first shop, and both read a
    past with the decay that was chosen there. Ids, factors, popularity and what was learned of
    people stay behind. Raises ConfigError where no base model reads texts or words.
    """
    texts = _texts(model, items)
    known = _known(model, items, texts)
    fields = (one for one in model.listed.values() if isinstance(one, FieldNeighbours))
    decay = next((one.decay for one in fields), DECAYS[0])
    base_models: dict[str, ScoringModel] = {}
    for name, one in model.listed.items():
        if isinstance(one, TextProfile) and known.text is not None:
            base_models[name] = TextProfile(known.text.vectors.numpy(), decay)
        elif isinstance(one, FieldNeighbours) and known.fields:
            content = content_of(known.fields, len(items))
            table = neighbours(content, np.arange(len(items)))
            base_models[name] = FieldNeighbours(table, one.decay)
    if not base_models:
        raise ConfigError(
            "nothing of this run reads texts or words alone; train it on items with texts, or "
            "with item_fields=true"
        )
    worth = tuple(max(model.alone.get(name, 1.0), 0.0) for name in base_models)
    gate = Gate(tuple(base_models), worth, worth)
    seen = torch.ones(len(items), dtype=torch.bool)  # none is colder than another
    bare = {"clicks": None, "added": None, "rates": None, "cold_users": None, "reranker": None}
    return replace(
        model,
        known=known,
        base_models=base_models,
        gate=gate,
        networks=[],
        texts=texts,
        seen=seen,
        **bare,
    )


def _texts(model: Ensemble, items: Items) -> Texts | None:
    """Texts of the new items by the same encoder, whitened by themselves; None for too few."""
    if model.texts is None:
        return None
    raw, _ = model.texts.encoder.encode(items.texts)
    if int(raw.known.sum()) < FEWEST:
        return None
    whitening = Whitening.fit(raw, model.settings.text.dimensions)
    return Texts(model.texts.encoder, whitening, whitening(raw))


def _known(model: Ensemble, items: Items, texts: Texts | None) -> TrainingData:
    """Training data without an event."""
    none = np.zeros(0, bool)
    events = Interactions(NONE, NONE, none, at=NONE)
    fields = fields_of(items)
    if not model.settings.text.on:
        fields.pop(WORDS, None)
    return TrainingData(
        events,
        sparse.csr_matrix((0, len(items)), dtype=np.float32),
        Histories(np.zeros(1, np.int64), NONE, NONE),
        None,
        texts.items if texts else None,
        timed=True,
        fields=fields if model.settings.item_fields else {},
    )


def opened(state: State, items: Items, name: str) -> State:
    """The state of a shop without people and events."""
    model = at_new_shop(state.model, items)
    events, nobody = model.known.events, Entities(Vocabulary([]))
    told = SplitRule(), DataReport(), ""
    dataset = Dataset(name, events, nobody, items, None, *told)
    catalogue = Catalogue(name, nobody.vocabulary, items, events, NONE, "hide", False)
    held, digest = HeldGraph(build(dataset, NONE)), uuid.uuid4().hex[:12]
    return State(HeldModel(model), catalogue, held, "serve", digest=digest)
