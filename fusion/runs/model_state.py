"""The cheap leaves of a model as tensors and plain values, and back."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from trefoil.data.errors import DataError
from trefoil.fusion.ensemble.reranker import ListNetwork, Reranker, log_events_of
from trefoil.fusion.features.idf import idf_rows
from trefoil.fusion.features.training_data import Known
from trefoil.fusion.models.als import Factors
from trefoil.fusion.models.base import Leaf
from trefoil.fusion.models.demographics import People
from trefoil.fusion.models.gaussian_process import RatingProcess
from trefoil.fusion.models.linear import Linear
from trefoil.fusion.models.neighbours import Profile, Returning, Similar
from trefoil.fusion.models.popularity import Popularity, popular
from trefoil.fusion.network.scorers import NetworkLeaf, SequenceLeaf


def put_sparse(tensors: dict[str, Tensor], name: str, matrix: sparse.csr_matrix) -> None:
    matrix.sort_indices()
    tensors[f"{name}.indptr"] = torch.from_numpy(matrix.indptr.astype(np.int64))
    tensors[f"{name}.indices"] = torch.from_numpy(matrix.indices.astype(np.int32))
    tensors[f"{name}.data"] = torch.from_numpy(matrix.data.astype(np.float32))
    tensors[f"{name}.shape"] = torch.tensor(matrix.shape)


def get_sparse(tensors: Mapping[str, Tensor], name: str) -> sparse.csr_matrix:
    parts = (tensors[f"{name}.{piece}"].numpy() for piece in ("data", "indices", "indptr"))
    return sparse.csr_matrix(tuple(parts), shape=tuple(tensors[f"{name}.shape"].tolist()))


def under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin so, by the rest of the name."""
    return {name.removeprefix(prefix): tensors[name] for name in tensors if name.startswith(prefix)}


def put_leaf(
    tensors: dict[str, Tensor], about: dict[str, dict[str, Any]], name: str, leaf: Leaf
) -> None:
    """Leaves that other state rebuilds (networks, profiles, popularity) store no tensors."""
    if isinstance(leaf, Linear):
        about[name] = {"kind": "linear", "decay": leaf.decay, "ridge": leaf.ridge}
        about[name]["rows"] = dict(leaf.rows)
        tensors.setdefault("linear.weights", leaf.weights.half())
        tensors.setdefault("linear.kept", torch.from_numpy(leaf.kept))
    elif isinstance(leaf, Factors):
        about[name] = {"kind": "factors", "ridge": leaf.ridge, "alpha": leaf.alpha}
        tensors["factors.items"] = leaf.items
        if leaf.carried is not None:
            tensors["factors.carried"] = leaf.carried
    elif isinstance(leaf, Similar):
        about[name] = {"kind": "similar", "decay": leaf.decay}
        put_sparse(tensors, name, leaf.table)  # type: ignore[arg-type]
    elif isinstance(leaf, Profile):
        about[name] = {"kind": "profile"}
    elif isinstance(leaf, Popularity):
        about[name] = {"kind": "popularity", "half_life": leaf.half_life}
    elif isinstance(leaf, People):
        about[name] = {"kind": "people"}
        tensors["people.weights"] = leaf.weights
        put_sparse(tensors, "people.attributes", leaf.attributes)
    elif isinstance(leaf, Returning):
        about[name] = {"kind": "returning", "pull": leaf.pull}
    elif isinstance(leaf, RatingProcess):
        about[name] = {"kind": "ratings", "mean": leaf.mean}
        about[name] |= {"rounds": leaf.rounds, "unit": leaf.unit}
        tensors["ratings.offset"] = leaf.offset
        tensors["ratings.kernel"] = leaf.kernel.half()
        tensors["ratings.kept"] = torch.from_numpy(leaf.kept)
        put_sparse(tensors, "ratings.pull", leaf.pull)
    elif not isinstance(leaf, NetworkLeaf | SequenceLeaf):  # those are stored as networks
        raise TypeError(f"base model {name!r} is a {type(leaf).__name__}, which no run can hold")


def get_leaf(
    tensors: Mapping[str, Tensor], name: str, about: Mapping[str, Any], known: Known
) -> Leaf:
    kind = about["kind"]
    if kind == "linear":
        weights, kept = tensors["linear.weights"].float(), tensors["linear.kept"].numpy()
        ridge, rows = about.get("ridge", 0.0), about.get("rows", {})
        return Linear(weights, kept, known.matrix.shape[1], about["decay"], ridge, rows)
    if kind == "factors":
        items, told = tensors["factors.items"], tensors.get("factors.carried")
        return Factors(items, about["ridge"], about["alpha"], told)
    if kind == "similar":
        return Similar(get_sparse(tensors, name), about["decay"])
    if kind == "profile" and name == "graph-neighbours":
        assert known.facts is not None
        return Profile(idf_rows(known.facts.matrix, known.learned))
    if kind == "profile":
        assert known.text is not None
        return Profile(known.text.vectors.numpy())
    if kind == "popularity":
        return popular(known, about.get("half_life", 0.0))
    if kind == "people":
        return People(get_sparse(tensors, "people.attributes"), tensors["people.weights"])
    if kind == "returning":
        return Returning(known.matrix.shape[1], about["pull"])
    if kind == "ratings":
        return RatingProcess(
            about["mean"],
            tensors["ratings.offset"],
            tensors["ratings.kernel"].float(),
            get_sparse(tensors, "ratings.pull"),
            tensors["ratings.kept"].numpy(),
            known.matrix.shape[1],
            about.get("rounds", 1),
            about.get("unit", 1.0),
        )
    raise DataError(f"model.json: leaf {name!r} is of an unknown kind {kind!r}")


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
