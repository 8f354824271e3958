"""The reranker of a model as tensors and plain values, and back."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from fusion.known import Known
from fusion.reranker import ListNetwork, Reranker, log_events_of

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
    own = {
        name.removeprefix(PREFIX): part for name, part in tensors.items() if name.startswith(PREFIX)
    }
    network = ListNetwork(**about["sizes"])
    network.load_state_dict(own)
    return Reranker(network.eval(), log_events_of(known), about["returning"])
