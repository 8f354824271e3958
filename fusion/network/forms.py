"""Trained networks as arrays: the forms that a scoring plan holds of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn

from trefoil.encoders.behaviour import BehaviourEncoder
from trefoil.fusion.network.module import JointNetwork
from trefoil.fusion.network.naming import own
from trefoil.fusion.network.vectors import Vectors
from trefoil.fusion.plan.asked import Reals
from trefoil.fusion.plan.forms import FactorForm
from trefoil.fusion.plan.queries import Averaged, Newest, Propagated, Query, Scenario
from trefoil.fusion.plan.sequence import Affine, Block, Norm, Transformer


def propagation_form(
    networks: Sequence[JointNetwork], vectors: Sequence[Vectors], learned: int | None
) -> FactorForm:
    """Scores by propagated vectors; ``learned`` items were trained on."""
    parts = []
    for network, passed in zip(networks, vectors, strict=True):
        root = network.config.width**-0.5
        contexts = {}
        for name in network.scale:
            scale, shift = (array(one) for one in network.scenario_tables(name))
            contexts[column_of(name)] = Scenario(scale, shift * np.float32(root))
        folded = array(passed.base) + array(passed.items)
        query = Propagated(array(passed.users), folded, network.config.temperature, contexts)
        parts.append((query, with_bias(array(passed.items), network.item_bias)))
    return averaged(parts, learned)


def sequence_form(networks: Sequence[JointNetwork], learned: int | None) -> FactorForm:
    """Scores by sequence."""
    parts = []
    for network in networks:
        assert network.behaviour is not None
        table = array(network.sequence_table())
        query = Newest(transformer(network.behaviour, network.config.max_events), table)
        parts.append((query, with_bias(array(network.sequence_output()), network.sequence_bias)))
    return averaged(parts, learned)


def averaged(parts: Sequence[tuple[Query, Reals]], learned: int | None) -> FactorForm:
    """One form of several: the mean of their z-scores over the items in training."""
    if len(parts) == 1:
        return FactorForm(parts[0][1], parts[0][0])
    queries, matrices = zip(*parts, strict=True)
    covariances = tuple(np.cov(one[:learned].T, bias=True).astype(np.float64) for one in matrices)
    return FactorForm(np.concatenate(matrices, axis=1), Averaged(queries, covariances))


def transformer(encoder: BehaviourEncoder, max_events: int) -> Transformer:
    """The weights of the encoder of events."""
    between, since = encoder.between, encoder.since
    return Transformer(
        max_events,
        array(encoder.distance.weight),
        None if between is None else array(between.weight),
        None if since is None else array(since.weight),
        tuple(_block(one) for one in encoder.blocks),
        _norm(encoder.norm),
    )


def _block(block: Any) -> Block:
    inner = block.inner
    return Block(
        block.heads,
        _norm(block.asked[0]),
        _affine(block.asked[1]),
        _affine(block.mixed[0]),
        _norm(inner[0]),
        _affine(inner[1]),
        _affine(inner[4]),
    )


def _norm(norm: nn.LayerNorm) -> Norm:
    return Norm(array(norm.weight), array(norm.bias))


def _affine(layer: nn.Linear) -> Affine:
    return Affine(np.ascontiguousarray(array(layer.weight).T), array(layer.bias))


def with_bias(matrix: Reals, bias: Tensor) -> Reals:
    """The matrix with the biases as its last column."""
    return np.concatenate([matrix, array(bias)[:, None]], axis=1)


def column_of(name: str) -> str:
    """The scenario column that ``own`` gave this name."""
    try:
        column = bytes.fromhex(name.removeprefix("column_")).decode()
    except ValueError:
        return name
    return column if own(column) == name else name


def array(tensor: Tensor) -> Reals:
    """The numbers of a tensor, wherever it lies."""
    return tensor.detach().cpu().numpy()
