"""Domains in the network: rivals of one domain, adapters, and what one domain tells of another."""

import numpy as np
import torch
from planted_events import dataset_of
from planted_shop import ALONE

from trefoil.data import Interactions, SplitRule, split_events
from trefoil.data.domains import alone
from trefoil.data.joining import joined
from trefoil.evaluation.protocols.protocols import exam_for
from trefoil.evaluation.ranking import rank
from trefoil.evaluation.result import summarise
from trefoil.fusion.network.domains import DomainAdapters, Rivals
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings


def test_items_are_numbered_within_their_domain():
    rivals = Rivals(torch.tensor([1, 0, -1, 1, 0]))
    assert len(rivals) == 2
    assert rivals.items(0).tolist() == [1, 4]
    assert rivals.items(1).tolist() == [0, 3]
    assert rivals.place[[1, 4, 0, 3]].tolist() == [0, 1, 0, 1]
    out = rivals.outside(torch.tensor([0, -1]))
    assert out.tolist() == [[True, False, True, True, False], [False] * 5]


def test_adapters_start_as_nothing_and_move_items_of_their_domain_alone():
    torch.manual_seed(0)
    adapters, x = DomainAdapters(torch.tensor([0, 1, -1]), 4, 2), torch.randn(3, 4)
    assert torch.equal(adapters(x), x)
    with torch.no_grad():
        adapters.up[1] = 1.0
    moved = adapters(x)
    assert torch.equal(adapters(x[[1]], torch.tensor([1])), moved[[1]])
    assert torch.equal(moved[[0, 2]], x[[0, 2]])
    assert torch.allclose(moved[1], x[1] + (x[1] @ adapters.down[1]) @ torch.ones(2, 4))


GROUPS, ITEMS, USERS = 4, 24, 80


def tastes(seed=0):
    """People of a group like its items in both shops; of the second little is known of each."""
    rng = np.random.default_rng(seed)
    parts = {}
    for name, count in (("large", 10), ("small", 3)):
        rows = [
            (user, group * (ITEMS // GROUPS) + item)
            for user in range(USERS)
            for group in [user % GROUPS]
            for item in rng.integers(0, ITEMS // GROUPS, count)
        ]
        user, item = np.array(sorted(set(rows))).T
        at = 1000 + rng.permutation(len(user))
        log = Interactions(user, item, np.ones(len(user), bool), at=at)
        parts[name] = dataset_of(log, USERS, ITEMS, SplitRule("ratio"))
    return joined("tastes", parts, SplitRule("ratio", 0.3, 0.3))


def test_one_shop_tells_what_people_like_in_the_other():
    dataset = tastes()
    split = split_events(dataset, 0)
    more = "network.epochs=10", "network.evaluate_every=10", "network.domain_rank=2"
    settings = load_settings(None, [*ALONE, *more, "network.seeds=1"])
    marks = []
    for data, own in ((dataset, split), alone(dataset, split, "small")):
        model = Recommender(settings).fit(data, split=own)
        assert model.model.networks[0].domain_own is not None
        exam = exam_for(data, own, "test")
        assert exam.within is not None
        rows = np.flatnonzero(exam.within.of_case == data.domains.index("small"))
        found = summarise("network", rank(model, exam.take(rows), 10), ["ndcg@10"])
        marks.append(found.means()["ndcg@10"])
    assert marks[0] > marks[1] + 0.05, marks
