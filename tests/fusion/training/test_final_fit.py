"""The final fit learns from all events with the numbers chosen before; manners of fit."""

import numpy as np
import pytest
import torch
from planted_shop import TINY

from trefoil import evaluate
from trefoil.data.errors import ConfigError
from trefoil.fusion.network.training import best_epochs
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings

SETTINGS = [*TINY, "network.epochs=12", "behaviour.only_where_order_pays=false"]


@pytest.fixture(scope="module")
def both(shop):
    """A recommender that judges and one that serves, of the same data and settings."""
    settings = load_settings(None, SETTINGS)
    return Recommender(settings).fit(shop), Recommender(settings).fit(shop, final=True)


def test_the_final_fit_knows_every_event(both, shop):
    judge, final = both
    assert final.model.known.matrix.nnz > judge.model.known.matrix.nnz
    assert len(final.model.known.events) == len(shop.interactions)
    everything = final.graph.edges["User", "INTERACTED", "Item"]
    assert len(everything) == len(shop.interactions)


def test_what_was_chosen_is_chosen_alike(both):
    judge, final = both
    assert final.model.record.chosen == judge.model.record.chosen
    assert final.model.gate == judge.model.gate
    assert final.model.record.gate == judge.model.record.gate
    assert [*final.model.base_models] == [*judge.model.base_models]
    assert final.model.base_models["linear"].ridge == judge.model.base_models["linear"].ridge
    assert not torch.equal(
        final.model.base_models["linear"].weights, judge.model.base_models["linear"].weights
    )


def test_networks_are_trained_until_the_epoch_that_served_validation_best(both):
    judge, _ = both
    for journal in judge.model.record.history:
        ends = best_epochs(journal)
        assert set(ends) == {"ranking", "next_item"}
        for name, epoch in ends.items():
            marks = [row for row in journal if f"valid_ndcg@10_{name}" in row]
            best = max(marks, key=lambda row: row[f"valid_ndcg@10_{name}"])
            assert epoch == best["epoch"]
    weights = [net.user_id.weight for one in both for net in one.model.networks]
    assert not torch.equal(weights[0], weights[len(weights) // 2])


def test_a_final_run_serves_and_cannot_be_asked_as_an_exam(both, tmp_path):
    judge, final = both
    assert judge.recommend("u0", k=1).based_on.purpose == "judge"
    final.save(tmp_path / "run")
    again = Recommender.load(tmp_path / "run")
    for one in (final, again):
        assert one.about["purpose"] == "serve"
        assert one.recommend("u0", k=1).based_on.purpose == "serve"
        with pytest.raises(ConfigError, match="learned from all events"):
            one.recommend("u0", before="test")
    assert again.recommend("u0", k=5) == final.recommend("u0", k=5)


def test_a_final_run_is_not_evaluated(both, tmp_path, capsys):
    both[1].save(tmp_path / "run")
    assert evaluate.main([str(tmp_path / "run")]) == 2
    assert "nothing is held out to judge it by" in capsys.readouterr().err


def test_no_one_is_offered_what_they_have(both, shop):
    users, items = shop.users.vocabulary, shop.items.vocabulary
    events = shop.interactions
    met = set(zip(events.user.tolist(), events.item.tolist(), strict=True))
    for one in both:
        table = one.recommend_many(users.ids, k=10)
        rows = zip(users.rows(table["user"]), items.rows(table["item"]), strict=True)
        assert not met & {(int(user), int(item)) for user, item in rows}


def test_fit_leaves_generators_threads_and_modes_as_they_were(shop):
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    torch.set_num_threads(2)
    expected = torch.rand(3), np.random.rand(3)  # noqa: NPY002
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    try:
        Recommender(load_settings(None, [*TINY, "network.seeds=1", "network.epochs=2"])).fit(shop)
        assert torch.get_num_threads() == 2
        assert not torch.are_deterministic_algorithms_enabled()
        found = torch.rand(3), np.random.rand(3)  # noqa: NPY002
    finally:
        torch.set_num_threads(1)
    assert torch.equal(found[0], expected[0])
    assert np.array_equal(found[1], expected[1])
