"""The second look is judged on lists new to those who judge, and refused where it is noise."""

import numpy as np
import pytest
import torch

from trefoil.data.histories import Cases, Histories
from trefoil.fusion.ensemble import reranker_fit
from trefoil.fusion.ensemble.gate import Gate, standardise
from trefoil.fusion.ensemble.reranker import MEMBERS, ListNetwork, shortlist
from trefoil.fusion.ensemble.reranker_fit import fit_reranker
from trefoil.fusion.features.validation import Validation

LISTS, ITEMS = 240, 30
GATE = Gate(("one", "other"), (1.0, 1.0), (1.0, 1.0))
EVENTS = torch.zeros(ITEMS)


@pytest.fixture(autouse=True)
def few_lists(monkeypatch):
    """Lists enough to teach a little in a second."""
    monkeypatch.setattr(reranker_fit, "FEWEST_CASES", LISTS)
    monkeypatch.setattr(reranker_fit, "EPOCHS", 1)
    monkeypatch.setattr(reranker_fit, "FEWEST_STEPS", 60)


def world(seed: int, signal: float):
    """Two items of each list are wanted; ``signal`` marks them for the first base model alone."""
    generator = torch.Generator().manual_seed(seed)
    relevant = torch.rand(LISTS, ITEMS, generator=generator).argsort(1) < 2
    noise = torch.randn(2, LISTS, ITEMS, generator=generator)
    none = Histories(np.zeros(LISTS + 1, np.int64), np.zeros(0, np.int64))
    told = Validation(
        Cases(np.arange(LISTS), none),
        torch.zeros_like(relevant),
        relevant,
        torch.ones(ITEMS, dtype=torch.bool),
    )
    return {"one": noise[0] + signal * relevant, "other": noise[1]}, told


def taught(scores, told):
    z = standardise(scores, GATE.base_models, told.seen)
    return fit_reranker(z, GATE, told, EVENTS, returning=False, seed=0)


def test_a_list_is_judged_by_the_one_member_that_never_learned_from_it(monkeypatch):
    monkeypatch.setattr(reranker_fit, "FEWEST_STEPS", 150)  # so that each draws all of its lists
    scores, told = world(0, signal=2.0)
    z = standardise(scores, GATE.base_models, told.seen)
    blended = GATE.mix(z, told.seen)
    history = told.cases.history
    short = shortlist(z, blended, history, EVENTS, returning=False)
    of_best = {float(best): row for row, best in enumerate(short.scores[:, 0])}
    assert len(of_best) == LISTS
    learned = torch.zeros(MEMBERS, LISTS, dtype=torch.bool)
    forward = ListNetwork.forward

    def counted(self, scores, features, dropout=0.0, generator=None):
        if dropout:  # teaching
            for member, lists in enumerate(scores[:, :, 0].tolist()):
                learned[member, [of_best[best] for best in lists]] = True
        return forward(self, scores, features, dropout, generator)

    monkeypatch.setattr(ListNetwork, "forward", counted)
    reranker, said = taught(scores, told)
    assert reranker is not None
    assert (learned.sum(0) == MEMBERS - 1).all()
    with torch.no_grad():
        marks = reranker.network.read(short)
    unseen = marks[learned.int().argmin(0), torch.arange(LISTS)]
    expected = float(told.gains(short.deal(blended, unseen)).mean())
    assert said == {"reranked": pytest.approx(expected)}


def test_lists_put_in_a_worse_order_are_refused(monkeypatch):
    scores, told = world(0, signal=2.0)

    def turned(_, short):
        return -short.scores.expand(MEMBERS, -1, -1)

    monkeypatch.setattr(ListNetwork, "read", turned)
    reranker, said = taught(scores, told)
    assert reranker is None
    assert set(said) == {"reranked, not taken"}


def test_noise_alone_is_seldom_a_reason_to_refuse():
    """On lists new to it, noise is worse than the gate by a standard error one time in six."""
    refused, lower = 0, 0
    for seed in range(8):
        scores, told = world(seed, signal=0.0)
        reranker, said = taught(scores, told)
        gate = told.ndcg(GATE.mix(standardise(scores, GATE.base_models, told.seen), told.seen))
        (mark,) = said.values()
        assert reranker is not None or mark < gate
        refused, lower = refused + (reranker is None), lower + (mark < gate)
    assert refused < lower
    assert refused <= 4
