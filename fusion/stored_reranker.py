"""The reranker of a model as tensors and plain values, and back."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from fusion.known import Known
from fusion.reranker import ListNetwork, Reranker, log_events_of
from fusion.stored_leaves import under

PREFIX = "reranker."


def put_reranker(tensors: dict[str, Tensor], reranker: Reranker) -> dict[str, Any]:
    """Adds its tensors; what else it takes to read them back is returned."""
    network = reranker.network
    for name, tensor in network.state_dict().items():
        tensors[PREFIX + name] = tensor
    members, features, hidden = network.weight[0].shape
    sizes = {"features": features, "members": members, "hidden": hidden}
    return {"sizes": sizes, "returning": reranker.returning}


def get_reranker(tensors: Mapping[str, Tensor], about: Mapping[str, Any], known: Known) -> Reranker:
    network = ListNetwork(**about["sizes"])
    network.load_state_dict(under(PREFIX, tensors))
    return Reranker(network.eval(), log_events_of(known), about["returning"])
