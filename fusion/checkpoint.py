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

from data.errors import DataError
from data.histories import Histories
from data.interactions import Categorical, Interactions
from data.items import Items
from data.vocabulary import Vocabulary
from encoders.text import TextEncoder, Whitening
from encoders.view import View
from evaluation.exam import Sets
from fusion.added import Added
from fusion.catalogue import Catalogue
from fusion.gate import Gate
from fusion.known import Known
from fusion.leaves import Leaf
from fusion.model import Model, network_leaves
from fusion.network import Evidence, JointNetwork, Shape
from fusion.ratings import RatingProcess
from fusion.settings import Settings
from fusion.stars import Stars
from fusion.stored_leaves import get_leaf, get_sparse, put_leaf, put_sparse, under
from fusion.stored_reranker import get_reranker, put_reranker
from fusion.texts import Texts, as_read
from kg.facts import Facts

MODEL, TEXT, STRUCTURE, VOCABULARY = (
    "model.safetensors",
    "text.safetensors",
    "model.json",
    "vocabulary",
)


def save_model(model: Model, catalogue: Catalogue, folder: Path) -> None:
    """Write model.safetensors, text.safetensors, model.json and the vocabularies."""
    tensors: dict[str, Tensor] = {}
    structure: dict[str, Any] = {
        "name": catalogue.name,
        "gate": asdict(model.gate),
        "clicks": model.clicks and asdict(model.clicks),
        "newcomers": model.newcomers and asdict(model.newcomers),
        "scenarios": {name: list(names) for name, names in catalogue.scenarios.items()},
        "leaves": {},
        "added": model.added and asdict(model.added),
        "notes": {key: model.notes[key] for key in model.notes if key != "history"},
    }
    _put_events(tensors, structure, model.known.events, catalogue)
    if model.known.facts is not None:
        facts = model.known.facts
        put_sparse(tensors, "facts", facts.matrix)
        tensors["facts.relation"] = torch.from_numpy(facts.relation)
        tensors["facts.entity"] = torch.from_numpy(facts.entity)
        structure["relations"] = list(facts.relations)
        structure["entities"] = [list(entity) for entity in facts.entities]
    for name, column in model.known.numbers.items():
        tensors[f"numbers.{name}"] = torch.from_numpy(column)
    if model.rates is not None:
        parts = ("low", "high", "mean", "both", "alone")
        structure["rates"] = {part: getattr(model.rates, part) for part in parts}
    for name, leaf in model.leaves.items():
        put_leaf(tensors, structure["leaves"], name, leaf)
    structure["reranker"] = model.reranker and put_reranker(tensors, model.reranker)
    if model.networks:
        network = model.networks[0]
        structure["shape"] = asdict(network.shape)
        structure["networks"] = len(model.networks)
        structure["categories"] = network.choice.out_features if network.choice else 0
        structure["numbers"] = network.numbers.out_features if network.numbers else 0
        structure["network_reads"] = {
            "facts": network.facts is not None,
            "text": network.text is not None,
            "scenarios": {name: len(part) for name, part in network.scale.items()},
        }
        for number, one in enumerate(model.networks):
            for name, tensor in one.state_dict().items():
                tensors[f"network.{number}.{name}"] = tensor.cpu()
    if model.texts is not None:
        texts = model.texts
        save_file(
            {
                "items": texts.items.vectors.contiguous(),
                "known": texts.items.known.contiguous(),
                "mean": texts.whitening.mean.contiguous(),
                "directions": texts.whitening.directions.contiguous(),
            },
            folder / TEXT,
        )
    save_file({name: part.contiguous().clone() for name, part in tensors.items()}, folder / MODEL)
    text = json.dumps(structure, ensure_ascii=False, indent=1, default=_plain)
    (folder / STRUCTURE).write_text(text + "\n", "utf-8")
    _save_vocabularies(catalogue, folder / VOCABULARY)


def load_model(folder: Path, settings: Settings) -> tuple[Model, Catalogue]:
    """The model and catalogue of a run. Raises DataError for a file that cannot be used."""
    try:
        tensors = _read(folder / MODEL)
        structure = json.loads((folder / STRUCTURE).read_text("utf-8"))
        items = _load_items(folder / VOCABULARY)
        users = Vocabulary(pl.read_parquet(folder / VOCABULARY / "users.parquet")["id"])
    except (OSError, ValueError, SafetensorError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{folder}: cannot be read: {error}") from None
    events = _get_events(tensors, structure, len(items))
    catalogue = Catalogue(
        structure["name"],
        users,
        items,
        {name: tuple(names) for name, names in structure["scenarios"].items()},
        Histories(
            tensors["history.start"].numpy(),
            tensors["history.item"].numpy(),
            tensors["history.at"].numpy() if "history.at" in tensors else None,
        ),
        Sets(tensors["met.start"].numpy(), tensors["met.item"].numpy()),
    )
    texts = _load_texts(folder, settings, structure["notes"])
    added = structure["added"] and Added(
        **structure["added"] | {"weights": tuple(structure["added"]["weights"])}
    )
    history = Histories.of(events, len(users))
    known = Known(
        events,
        history.matrix(len(items)),
        history,
        _get_facts(tensors, structure),
        texts.items if texts else None,
        events.at is not None,
        added=added.count if added else 0,
        numbers={name: part.numpy() for name, part in under("numbers.", tensors).items()},
    )
    networks = _load_networks(tensors, structure, known)
    leaves: dict[str, Leaf] = network_leaves(networks, known.learned) if networks else {}
    for name, about in structure["leaves"].items():
        leaves[name] = get_leaf(tensors, name, about, known)
    gate = _load_gate(structure["gate"])
    clicks, newcomers = (
        _load_gate(structure[name]) if structure.get(name) else None
        for name in ("clicks", "newcomers")
    )
    seen = torch.from_numpy(np.diff(known.matrix.tocsc().indptr) > 0)
    notes = structure["notes"]
    rates = _load_rates(structure["rates"], leaves) if "rates" in structure else None
    parts = settings, known, leaves, gate, networks, texts, seen, notes
    about = structure.get("reranker")
    reranker = get_reranker(tensors, about, known) if about else None
    return Model(*parts, clicks, added, rates, newcomers, reranker), catalogue


def _get_facts(tensors: Mapping[str, Tensor], structure: Mapping[str, Any]) -> Facts | None:
    if "facts.relation" not in tensors:
        return None
    return Facts(
        get_sparse(tensors, "facts"),
        tensors["facts.relation"].numpy(),
        tensors["facts.entity"].numpy(),
        tuple(structure["relations"]),
        tuple((name, int(row)) for name, row in structure["entities"]),
    )


def _load_gate(about: Mapping[str, Any]) -> Gate:
    warm, cold = tuple(about["warm"]), tuple(about["cold"])
    return Gate(tuple(about["leaves"]), warm, cold, about["offset"])


def _load_rates(about: Mapping[str, Any], leaves: Mapping[str, Leaf]) -> Stars:
    both, alone, process = tuple(about["both"]), tuple(about["alone"]), leaves.get("ratings")
    assert process is None or isinstance(process, RatingProcess)
    return Stars(about["low"], about["high"], about["mean"], both, alone, process)


def _read(file: Path) -> dict[str, Tensor]:
    """Tensors in memory of their own: products round by how their numbers are aligned."""
    return {name: tensor.clone() for name, tensor in load_file(file).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no place in {STRUCTURE}")


def _put_events(
    tensors: dict[str, Tensor],
    structure: dict[str, Any],
    events: Interactions,
    catalogue: Catalogue,
) -> None:
    tensors["events.user"] = torch.from_numpy(events.user)
    tensors["events.item"] = torch.from_numpy(events.item)
    tensors["events.positive"] = torch.from_numpy(events.positive)
    if events.at is not None:
        tensors["events.at"] = torch.from_numpy(events.at)
    for name, column in events.scenario.items():
        tensors[f"events.scenario.{name}"] = torch.from_numpy(column.codes)
    tensors["history.start"] = torch.from_numpy(catalogue.history.start)
    tensors["history.item"] = torch.from_numpy(catalogue.history.item)
    if catalogue.history.at is not None:
        tensors["history.at"] = torch.from_numpy(catalogue.history.at)
    tensors["met.start"] = torch.from_numpy(catalogue.met.start)
    tensors["met.item"] = torch.from_numpy(catalogue.met.item)
    structure["users"] = len(catalogue.users)


def _get_events(
    tensors: Mapping[str, Tensor], structure: Mapping[str, Any], items: int
) -> Interactions:
    item = tensors["events.item"].numpy()
    if len(item) and item.max() >= items:
        raise DataError(f"{MODEL}: events name items beyond the vocabulary")
    return Interactions(
        tensors["events.user"].numpy(),
        item,
        tensors["events.positive"].numpy(),
        at=tensors["events.at"].numpy() if "events.at" in tensors else None,
        scenario={
            name: Categorical(tensors[f"events.scenario.{name}"].numpy(), tuple(names))
            for name, names in structure["scenarios"].items()
        },
    )


def _load_networks(
    tensors: Mapping[str, Tensor], structure: Mapping[str, Any], known: Known
) -> list[JointNetwork]:
    networks = []
    for number in range(structure.get("networks", 0)):
        reads = structure["network_reads"]
        facts = known.facts if reads["facts"] else None
        evidence = Evidence(
            known.matrix,
            facts.matrix if facts else None,
            facts.relation if facts else None,
            facts.entity if facts else None,
            known.text.vectors if reads["text"] and known.text else None,
            structure["categories"],
            structure.get("numbers", 0),
            reads["scenarios"],
        )
        network = JointNetwork(evidence, Shape(**structure["shape"]))
        network.load_state_dict(under(f"network.{number}.", tensors))
        networks.append(network.eval())
    return networks


def _load_texts(folder: Path, settings: Settings, notes: Mapping[str, Any]) -> Texts | None:
    if not (folder / TEXT).exists():
        return None
    part = _read(folder / TEXT)
    text = settings.text
    return Texts(
        as_read(
            TextEncoder(text.model, text.revision, text.max_tokens, text.batch),
            notes["text_warnings"],
        ),
        Whitening(part["mean"], part["directions"]),
        View(part["items"], part["known"]),
    )


def _save_vocabularies(catalogue: Catalogue, folder: Path) -> None:
    folder.mkdir()
    pl.DataFrame({"id": list(catalogue.users.ids)}, schema={"id": pl.String}).write_parquet(
        folder / "users.parquet"
    )
    items = catalogue.items
    text = {"id": pl.String, "title": pl.String, "text": pl.String}
    columns = {"id": items.vocabulary.ids, "title": items.titles, "text": items.texts}
    pl.DataFrame(columns, schema=text).write_parquet(folder / "items.parquet")


def _load_items(folder: Path) -> Items:
    table = pl.read_parquet(folder / "items.parquet")
    return Items(Vocabulary(table["id"]), tuple(table["title"]), tuple(table["text"]))
