"""A model as tensors and plain values, and back; nothing is pickled."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from trefoil.data.errors import DataError
from trefoil.data.histories import Histories
from trefoil.encoders.text.adapters import Adapter
from trefoil.encoders.text.encoder import TextEncoder, Whitening
from trefoil.encoders.text.sentence_model import AUTO
from trefoil.encoders.view import View
from trefoil.fusion.catalogue import Catalogue
from trefoil.fusion.ensemble.cold_start_items import ColdStartItems
from trefoil.fusion.ensemble.ensemble import Ensemble
from trefoil.fusion.ensemble.gate import Gate
from trefoil.fusion.ensemble.rating_blend import RatingBlend, raters
from trefoil.fusion.features.texts import Texts, as_read
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.base import ScoringModel, sparse_of, sparse_tensors
from trefoil.fusion.network.module import JointNetwork, NetworkConfig, NetworkInputs
from trefoil.fusion.network.scorers import network_scorers
from trefoil.fusion.network.tasks.listed import saved_plans
from trefoil.fusion.record import load_record, save_record
from trefoil.fusion.runs.catalogue import (
    ABOUT,
    event_columns,
    events_of,
    load_catalogue,
    save_catalogue,
)
from trefoil.fusion.runs.earlier_runs import (
    earlier_catalogue,
    earlier_record,
    with_todays_names,
)
from trefoil.fusion.runs.folder import ADAPTER, MODEL, STRUCTURE, TEXT
from trefoil.fusion.runs.model_state import (
    get_models,
    get_reranker,
    put_models,
    put_reranker,
    under,
)
from trefoil.fusion.settings import Settings
from trefoil.kg.item_facts import Facts


def save_model(model: Ensemble, catalogue: Catalogue, folder: Path) -> None:
    """Write what was learned: model.safetensors, text.safetensors, model.json; the catalogue."""
    known = model.known
    tensors = {
        f"events.{name}": torch.from_numpy(one) for name, one in event_columns(known.events).items()
    }
    structure: dict[str, Any] = {
        "gate": asdict(model.gate),
        "click_gate": model.clicks and asdict(model.clicks),
        "cold_users": model.cold_users and asdict(model.cold_users),
        "returning": known.returning,
        "base_models": put_models(tensors, model.listed),
        "cold_items": model.added and asdict(model.added),
        "alone": dict(model.alone),
    }
    if known.facts is not None:
        facts = known.facts
        tensors |= sparse_tensors(facts.matrix, "facts.")
        tensors["facts.relation"] = torch.from_numpy(facts.relation)
        tensors["facts.entity"] = torch.from_numpy(facts.entity)
        structure["relations"] = list(facts.relations)
        structure["entities"] = [list(entity) for entity in facts.entities]
    for name, column in known.numbers.items():
        tensors[f"numbers.{name}"] = torch.from_numpy(column)
    structure["fields"] = list(known.fields)
    for place, table in enumerate(known.fields.values()):
        tensors |= sparse_tensors(table, f"fields.{place}.")
    if model.rates is not None:
        parts = ("low", "high", "mean", "both", "alone")
        structure["rating_blend"] = {part: getattr(model.rates, part) for part in parts}
    structure["reranker"] = model.reranker and put_reranker(tensors, model.reranker)
    _put_networks(tensors, structure, model.networks)
    if model.texts is not None:
        texts = model.texts
        encoder = texts.encoder
        reads = ("model", "revision", "max_tokens", "batch")
        structure["text_encoder"] = {name: getattr(encoder, name) for name in reads}
        if encoder.pooling != AUTO:
            structure["text_encoder"]["pooling"] = encoder.pooling
        if encoder.half:
            structure["text_encoder"]["half"] = True
        if encoder.adapter is not None:
            encoder.adapter.save(folder / ADAPTER)
        save_file(
            {
                "items": texts.items.vectors.contiguous(),
                "known": texts.items.known.contiguous(),
                "mean": texts.whitening.mean.contiguous(),
                "directions": texts.whitening.directions.contiguous(),
            },
            folder / TEXT,
        )
    save_file(_apart(tensors), folder / MODEL)
    text = json.dumps(structure, ensure_ascii=False, indent=1, default=_plain)
    (folder / STRUCTURE).write_text(text + "\n", "utf-8")
    save_record(model.record, folder)
    save_catalogue(catalogue, folder)


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Whole tensors of which no two share memory, as the file wants them; few need a copy."""
    found, places = {}, set[int]()
    for name, one in tensors.items():
        storage = one.untyped_storage()
        own = one.is_contiguous() and storage.nbytes() == one.nbytes
        found[name] = one if own and storage.data_ptr() not in places else one.contiguous().clone()
        places.add(storage.data_ptr())
    return found


def load_model(folder: Path, settings: Settings) -> tuple[Ensemble, Catalogue]:
    """The model and catalogue of a run. Raises DataError for a file that cannot be used."""
    try:
        tensors = _read(folder / MODEL)
        structure = json.loads((folder / STRUCTURE).read_text("utf-8"))
        tensors, structure = with_todays_names(tensors, structure)
        earlier = not (folder / ABOUT).exists()
        catalogue = (
            earlier_catalogue(folder, tensors, structure) if earlier else load_catalogue(folder)
        )
    except (OSError, ValueError, KeyError, SafetensorError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{folder}: cannot be read: {error}") from None
    users, items = catalogue.knowledge.users, len(catalogue.items)
    events = events_of(_arrays(under("events.", tensors)), *_names(tensors, catalogue))
    if len(events) and events.item.max() >= items:
        raise DataError(f"{MODEL}: events name items beyond the vocabulary")
    texts = _load_texts(folder, settings, structure)
    added = structure["cold_items"] and ColdStartItems(
        **structure["cold_items"] | {"weights": tuple(structure["cold_items"]["weights"])}
    )
    history = Histories.of(events, users)
    known = TrainingData(
        events,
        history.matrix(items),
        history,
        _get_facts(tensors, structure),
        texts.items if texts else None,
        events.at is not None,
        returning=structure.get("returning", False),
        added=added.count if added else 0,
        numbers={name: part.numpy() for name, part in under("numbers.", tensors).items()},
        fields={
            name: sparse_of(tensors, f"fields.{place}.")
            for place, name in enumerate(structure.get("fields", []))
        },
        domain=catalogue.item_domains,
    )
    networks = _load_networks(tensors, structure, known, settings)
    base_models = network_scorers(networks, known.learned)
    base_models |= get_models(tensors, structure["base_models"], known)
    gate = _load_gate(structure["gate"])
    clicks, cold_users = (
        _load_gate(structure[name]) if structure.get(name) else None
        for name in ("click_gate", "cold_users")
    )
    seen = known.seen_items()
    if earlier:
        record, alone = earlier_record(folder, structure["notes"])
    else:
        record, alone = load_record(folder), structure["alone"]
    rates = (
        _load_rates(structure["rating_blend"], base_models) if "rating_blend" in structure else None
    )
    parts = settings, known, base_models, gate, networks, texts, seen, record, alone
    about = structure.get("reranker")
    reranker = get_reranker(tensors, about, known) if about else None
    return Ensemble(*parts, clicks, added, rates, cold_users, reranker), catalogue


def _get_facts(tensors: Mapping[str, Tensor], structure: Mapping[str, Any]) -> Facts | None:
    if "facts.relation" not in tensors:
        return None
    return Facts(
        sparse_of(tensors, "facts."),
        tensors["facts.relation"].numpy(),
        tensors["facts.entity"].numpy(),
        tuple(structure["relations"]),
        tuple((name, int(row)) for name, row in structure["entities"]),
    )


def _load_gate(about: Mapping[str, Any]) -> Gate:
    warm, cold = tuple(about["warm"]), tuple(about["cold"])
    within = tuple(tuple(one) for one in about.get("within", ()))
    return Gate(tuple(about["base_models"]), warm, cold, about["offset"], within)


def _load_rates(about: Mapping[str, Any], base_models: Mapping[str, ScoringModel]) -> RatingBlend:
    both, alone = tuple(about["both"]), tuple(about["alone"])
    return RatingBlend(
        about["low"], about["high"], about["mean"], both, alone, raters(base_models)[1]
    )


def _read(file: Path) -> dict[str, Tensor]:
    """Tensors in memory of their own: products round by how their numbers are aligned."""
    return {name: tensor.clone() for name, tensor in load_file(file).items()}


def _arrays(tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no place in {STRUCTURE}")


def _names(
    tensors: Mapping[str, Tensor], catalogue: Catalogue
) -> tuple[dict[str, list[str]], tuple[str, ...] | None]:
    """The scenario columns and kinds of the training events, with the names of their codes."""
    there, kind = under("events.scenario.", tensors), catalogue.events.kind
    named = {name: list(names) for name, names in catalogue.scenarios.items() if name in there}
    return named, None if kind is None else kind.names


def _put_networks(
    tensors: dict[str, Tensor], structure: dict[str, Any], networks: list[JointNetwork]
) -> None:
    """The weights of the networks, their shape, and which inputs they read."""
    if not networks:
        return
    network = networks[0]
    structure["network_config"] = asdict(network.config)
    structure["networks"] = len(networks)
    structure["heads"] = {name: plan.outputs for name, plan in network.head_plans.items()}
    structure["network_reads"] = {
        "facts": network.facts is not None,
        "text": network.text is not None,
        "scenarios": {name: len(part) for name, part in network.scale.items()},
    }
    for number, one in enumerate(networks):
        for name, tensor in one.state_dict().items():
            tensors[f"network.{number}.{name}"] = tensor.cpu()


def _load_networks(
    tensors: Mapping[str, Tensor],
    structure: Mapping[str, Any],
    known: TrainingData,
    settings: Settings,
) -> list[JointNetwork]:
    networks = []
    for number in range(structure.get("networks", 0)):
        reads = structure["network_reads"]
        facts = known.facts if reads["facts"] else None
        network_inputs = NetworkInputs(
            known.matrix,
            facts.matrix if facts else None,
            facts.relation if facts else None,
            facts.entity if facts else None,
            known.text.vectors if reads["text"] and known.text else None,
            saved_plans(structure["heads"], under(f"network.{number}.heads.", tensors), settings),
            reads["scenarios"],
            under(f"network.{number}.named.of_", tensors),
            known.domain,
        )
        network = JointNetwork(network_inputs, NetworkConfig(**structure["network_config"]))
        network.load_state_dict(under(f"network.{number}.", tensors))
        networks.append(network.eval())
    return networks


def _load_texts(folder: Path, settings: Settings, structure: Mapping[str, Any]) -> Texts | None:
    if not (folder / TEXT).exists():
        return None
    part, text = _read(folder / TEXT), settings.text
    if "text_encoder" in structure:
        adapter = Adapter.read(folder / ADAPTER) if (folder / ADAPTER).exists() else None
        encoder = TextEncoder(**structure["text_encoder"], adapter=adapter)
    else:  # as earlier runs have it
        encoder = TextEncoder(text.model, text.revision, text.max_tokens, text.batch_size)
        encoder = as_read(encoder, structure["notes"]["text_warnings"])
    whitening = Whitening(part["mean"], part["directions"])
    return Texts(encoder, whitening, View(part["items"], part["known"]))
