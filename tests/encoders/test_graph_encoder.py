"""Propagation over fixed edges: equal to plain loops and to PyG's own layer."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from torch_geometric.nn import LGConv

from trefoil.encoders.graph import FactMean, FixedEdges, LightPropagation

USERS, ITEMS, WIDTH = 7, 9, 4


def seen_matrix(seed=0, users=USERS, items=ITEMS, density=0.4):
    rng = np.random.default_rng(seed)
    return sparse.csr_matrix((rng.random((users, items)) < density).astype(np.float32))


def vectors(rows, seed=0):
    return torch.randn(rows, WIDTH, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_light_propagation_equals_the_layer_mean_of_lgconv(layers):
    events = seen_matrix()
    users, items = vectors(USERS, 1), vectors(ITEMS, 2)
    row, column = map(torch.from_numpy, events.nonzero())
    ends = torch.stack([row, column + USERS]).long()
    edges = torch.cat([ends, ends.flip(0)], dim=1)
    convolution, x = LGConv(), torch.cat([users, items])
    total = x
    for _ in range(layers):
        x = convolution(x, edges)
        total = total + x
    ours = torch.cat(LightPropagation(events, layers)(users, items))
    assert torch.allclose(ours, total / (layers + 1), atol=1e-6)


def test_gone_items_send_nothing_and_receive_nothing():
    events = seen_matrix()
    users, items = vectors(USERS, 1), vectors(ITEMS, 2)
    gone = torch.zeros(ITEMS, dtype=torch.bool)
    gone[[2, 5]] = True
    propagation = LightPropagation(events, 2)
    changed = items.masked_fill(gone[:, None], 77.0)
    out_users, out_items = propagation(users, items, gone)
    same_users, same_items = propagation(users, changed, gone)
    assert torch.equal(out_users, same_users)
    assert torch.equal(out_items[~gone], same_items[~gone])
    assert torch.allclose(out_items[gone], items[gone] / 3)
    other_users, _ = propagation(vectors(USERS, 3), items, gone)
    assert not torch.equal(out_users, other_users)


def test_without_gone_items_the_mask_changes_nothing():
    propagation = LightPropagation(seen_matrix(), 2)
    users, items = vectors(USERS, 1), vectors(ITEMS, 2)
    for plain, masked in zip(
        propagation(users, items),
        propagation(users, items, torch.zeros(ITEMS, dtype=torch.bool)),
        strict=True,
    ):
        assert torch.equal(plain, masked)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_renumbering_users_and_items_only_renumbers_the_answer(seed):
    rng = np.random.default_rng(seed)
    events = seen_matrix(seed)
    people, things = rng.permutation(USERS), rng.permutation(ITEMS)
    users, items = vectors(USERS, 1), vectors(ITEMS, 2)
    plain = LightPropagation(events, 2)(users, items)
    turned = LightPropagation(events[people][:, things].tocsr(), 2)(users[people], items[things])
    assert torch.allclose(plain[0][people], turned[0], atol=1e-6)
    assert torch.allclose(plain[1][things], turned[1], atol=1e-6)


def test_the_order_of_edges_changes_nothing():
    matrix = seen_matrix().tocoo()
    order = np.random.default_rng(3).permutation(matrix.nnz)
    parts = matrix.data[order], (matrix.row[order], matrix.col[order])
    shuffled = sparse.coo_matrix(parts, matrix.shape)
    x = vectors(ITEMS, 2)
    assert torch.equal(FixedEdges(matrix)(x), FixedEdges(shuffled)(x))


def test_users_and_items_without_events_keep_a_share_of_their_own_vector():
    events = sparse.csr_matrix((USERS, ITEMS), dtype=np.float32)
    users, items = vectors(USERS, 1), vectors(ITEMS, 2)
    out_users, out_items = LightPropagation(events, 2)(users, items)
    assert torch.allclose(out_users, users / 3)
    assert torch.allclose(out_items, items / 3)


def test_the_gradient_of_fixed_edges_is_the_transposed_product():
    matrix = seen_matrix(seed=5)
    edges = FixedEdges(matrix)
    x = vectors(ITEMS, 2).requires_grad_()
    weight = vectors(USERS, 4)
    (edges(x) * weight).sum().backward()
    assert torch.allclose(x.grad, torch.from_numpy(matrix.T.toarray()) @ weight, atol=1e-6)


def test_fixed_edges_hold_no_state_that_a_checkpoint_would_keep():
    assert not FixedEdges(seen_matrix()).state_dict()


# Facts: (relation, entity) per fact column; items x facts.
RELATION = np.array([0, 0, 1, 2, 1])
ENTITY = np.array([3, 0, 1, 2, 0])


def facts(seed=1, items=6):
    rng = np.random.default_rng(seed)
    held = (rng.random((items, len(RELATION))) < 0.5).astype(np.float32)
    held[2] = 0  # an item of which nothing is known
    return sparse.csr_matrix(held)


def test_fact_mean_equals_a_plain_loop():
    held = facts()
    module = FactMean(held, RELATION, ENTITY)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[0.3], [-1.0], [2.0]]))
    entities = vectors(4, 7)
    strength = torch.nn.functional.softplus(module.weight)[:, 0]
    expected = torch.zeros(6, WIDTH)
    for item in range(6):
        own = held[item].indices
        for fact in own:
            scale = strength[RELATION[fact]] / len(own) ** 0.5
            expected[item] += scale * entities[ENTITY[fact]]
    assert torch.allclose(module(entities), expected, atol=1e-6)
    assert not module(entities)[2].any()


def test_relations_start_equal_at_weight_one():
    module = FactMean(facts(), RELATION, ENTITY)
    strength = torch.nn.functional.softplus(module.weight)
    assert torch.allclose(strength, torch.ones(3, 1), atol=1e-4)


def test_gradients_reach_every_relation_and_every_entity_with_facts():
    module = FactMean(facts(), RELATION, ENTITY)
    entities = vectors(4, 7).requires_grad_()
    (module(entities) * vectors(6, 8)).sum().backward()
    assert (module.weight.grad != 0).all()
    assert (entities.grad.abs().sum(1) > 0).all()


def test_fact_weights_learn_which_relation_matters():
    """Wanted vectors come from relation 0 alone; relation 1 points at random entities."""
    rng = np.random.default_rng(0)
    items, entities = 60, 20
    telling, noise = rng.integers(0, entities, items), rng.integers(0, entities, items)
    columns = np.concatenate([telling, entities + noise])
    rows = np.tile(np.arange(items), 2)
    held = sparse.csr_matrix((np.ones(2 * items, np.float32), (rows, columns)), (items, 40))
    module = FactMean(held, np.repeat([0, 1], entities), np.tile(np.arange(entities), 2))
    vector = torch.randn(entities, 8, generator=torch.Generator().manual_seed(0))
    optimiser = torch.optim.Adam(module.parameters(), lr=0.1)
    for _ in range(150):
        optimiser.zero_grad()
        (module(vector) - vector[telling]).square().mean().backward()
        optimiser.step()
    strength = torch.nn.functional.softplus(module.weight.detach())[:, 0]
    assert strength[0] > 5 * strength[1]


def test_facts_may_be_empty():
    none = np.zeros(0, np.int64)
    module = FactMean(sparse.csr_matrix((3, 0), dtype=np.float32), none, none)
    assert not module(torch.zeros(0, WIDTH)).any()
