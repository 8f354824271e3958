"""Learning on: closed forms equal a refit, networks go on, and what came counts as learned."""

import numpy as np
import polars as pl
import pytest

from trefoil.fusion.catalogue import LIVE
from trefoil.fusion.models.listed import listed_of
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.training.update import updated
from trefoil.kg.graph import INTERACTED, ITEM, USER

CLOSED = ("linear", "linear-recent", "factors", "random-walks", "next-items", "popularity")


def told(recommender):
    """Forty people who love maker 2, new to the run, and an item that came."""
    recommender.add_items(
        pl.DataFrame({"id": ["late"], "text": ["forest wolf winter 99"]}),
        [("late", "MADE_BY", "Emmy")],
    )
    rng = np.random.default_rng(0)
    events = [
        {
            "user": f"new{user}",
            "item": item,
            "time": 1_800_000_000 + step,
            "stars": 4,
            "device": "tv",
        }
        for user in range(40)
        for step, item in enumerate(["late", *(f"i2-{n}" for n in rng.permutation(10)[:5])])
    ]
    recommender.add_events(events)
    return events


@pytest.fixture
def grown(recommender):
    told(recommender)
    return recommender


def test_closed_forms_equal_those_of_a_refit_and_networks_go_on(grown):
    before = grown.state
    on, anew = updated(before).model, updated(before, anew=True).model
    of_on, of_anew = ({one.name: m for one, m in listed_of(x.listed)} for x in (on, anew))
    for name in CLOSED:
        if name in of_anew:
            one, other = of_on[name].state(), of_anew[name].state()
            assert dict(one.values) == dict(other.values)
            for tensor in one.tensors:
                np.testing.assert_array_equal(one.tensors[tensor], other.tensors[tensor])
    assert on.known.learned == before.model.known.learned + 1
    old, new, fresh = (
        m.networks[0].item_id.weight.detach().numpy() for m in (before.model, on, anew)
    )
    near = [np.linalg.norm(old[:40] - one[:40]) for one in (new, fresh)]
    assert 0 < near[0] < near[1] / 3


def test_people_and_items_that_came_are_learned(grown):
    late = grown.catalogue.items.vocabulary.row("late")
    before = grown.state.model.seen[late]
    answer = grown.update(compare=True)
    assert answer.events == 240
    assert (answer.users, answer.items) == (40, 1)
    assert 0.5 < answer.agreement <= 1
    assert answer.state == grown.state.token
    assert "agree with a refit" in str(answer)
    assert (bool(before), bool(grown.state.model.seen[late])) == (False, True)
    assert grown.state.added == 0
    assert LIVE not in grown.catalogue.every_part
    assert grown.catalogue.learned is None
    best = [one.item for one in grown.recommend(history=["i2-1", "i2-4"], k=5)]
    assert "late" in best
    graph = grown.graph
    assert graph.nodes[USER].vocabulary == grown.catalogue.users
    assert len(graph.nodes[ITEM]) == len(grown.catalogue.items)
    assert any(edge.type == INTERACTED for edge in grown.recommend("new0", k=1)[0].reasons[0].edges)


def test_what_is_told_while_it_learns_counts_after_and_the_run_holds_all(
    shop_run, tmp_path, monkeypatch
):
    import shutil

    from trefoil.fusion.training import update

    shutil.copytree(shop_run, tmp_path / "run")
    recommender = Recommender.load(tmp_path / "run")
    events = told(recommender)
    learn = update.updated

    def slowly(state, *rest, **options):
        found = learn(state, *rest, **options)
        recommender.add_events([{**events[0], "user": "meanwhile", "item": "i2-9"}])
        return found

    monkeypatch.setattr(update, "updated", slowly)
    recommender.update()
    assert recommender.recommend("meanwhile").based_on.events == 1
    recommender.save(tmp_path / "next")
    again = Recommender.load(tmp_path / "next")
    assert again.recommend("new3", k=9) == recommender.recommend("new3", k=9)
    assert again.recommend("meanwhile").based_on.events == 1
    assert again.state.number == recommender.state.number
    recommender.close()
    unsaved = Recommender.load(tmp_path / "run")  # an update that was not saved loses no event
    assert unsaved.recommend("meanwhile").based_on.events == 1


def test_events_held_back_stay_held_back(recommender):
    part = recommender.catalogue.part
    recommender.update()
    assert len(recommender.model.known.events) == int((part == 0).sum())
    np.testing.assert_array_equal(np.sort(recommender.catalogue.part), np.sort(part))


def test_networks_go_on_for_the_share_that_came(recommender, monkeypatch):
    from trefoil.fusion.training import update

    learned, asked = len(recommender.model.known.events), []
    train = update.train_networks
    best = update.best_epochs(recommender.model.record.history[0])

    def noted(make, until, *rest, begins):
        asked.extend(until)
        return train(make, until, *rest, begins=begins)

    monkeypatch.setattr(update, "train_networks", noted)
    few = [{"user": f"few{at}", "item": "i2-1"} for at in range(max(1, learned // 50))]
    recommender.add_events(few)
    recommender.update()
    assert all(one == dict.fromkeys(best, 1) for one in asked)  # a fiftieth of a few epochs
    users = recommender.model.networks[0].user_id.weight.detach()
    assert float(users[-len(few) :].norm(dim=1).max()) < float(users[:40].norm(dim=1).mean())
