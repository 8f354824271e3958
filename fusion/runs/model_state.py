"""The base models and the reranker of a model as tensors and plain values, and back."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from trefoil.data.errors import DataError
from trefoil.fusion.ensemble.reranker import ListNetwork, Reranker, log_events_of
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.base import BaseModel, ModelState, ScoringModel
from trefoil.fusion.models.listed import lines, listed_of


def under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin so, by the rest of the name."""
    return {name.removeprefix(prefix): tensors[name] for name in tensors if name.startswith(prefix)}


def put_models(tensors: dict[str, Tensor], models: Mapping[str, ScoringModel]) -> dict[str, Any]:
    """Adds the tensors of listed base models; their plain values by name are returned.

    A tensor is named for its model; a variant has those of the model it is a variant of.
    Raises TypeError for a model that is not listed.
    """
    values: dict[str, Any] = {}
    for line, model in listed_of(models):
        state = model.state()
        values[line.name] = dict(state.values)
        if not line.variant_of:
            tensors.update({f"{line.name}.{name}": one for name, one in state.tensors.items()})
    return values


def get_models(
    tensors: Mapping[str, Tensor], about: Mapping[str, Mapping[str, Any]], known: TrainingData
) -> dict[str, BaseModel]:
    """The models of ``put_models``. Raises DataError for a name that is not listed."""
    by_name = {line.name: line for line in lines()}
    models: dict[str, BaseModel] = {}
    for name, told in about.items():
        line = by_name.get(name)
        if line is None or (line.variant_of and line.variant_of not in models):
            raise DataError(f"model.json: base model {name!r} is unknown, or lacks its tensors")
        values = {key: value for key, value in told.items() if key != "kind"}  # of earlier runs
        if line.variant_of:
            models[name] = line.variant(models, values)
        else:
            state = ModelState(values, under(f"{name}.", tensors))
            models[name] = line.from_state(state, known)
    return models


PREFIX = "reranker."


def put_reranker(tensors: dict[str, Tensor], reranker: Reranker) -> dict[str, Any]:
    """Adds its tensors; what else it takes to read them back is returned."""
    network = reranker.network
    for name, tensor in network.state_dict().items():
        tensors[PREFIX + name] = tensor
    members, features, hidden = network.weight[0].shape
    sizes = {"features": features, "members": members, "hidden": hidden}
    return {"sizes": sizes, "returning": reranker.returning}


def get_reranker(
    tensors: Mapping[str, Tensor], about: Mapping[str, Any], known: TrainingData
) -> Reranker:
    network = ListNetwork(**about["sizes"])
    network.load_state_dict(under(PREFIX, tensors))
    return Reranker(network.eval(), log_events_of(known), about["returning"])
