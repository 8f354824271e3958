"""Large data: the same questions answered in ways whose time grows with the data."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from planted_shop import TINY, read_shop
from scipy import sparse

from trefoil.fusion.ensemble import candidates as ensemble_candidates
from trefoil.fusion.ensemble.candidates import candidates_of
from trefoil.fusion.ensemble.gate import standardise
from trefoil.fusion.ensemble.gate_fit import fit_gate, fit_gate_on
from trefoil.fusion.features.preparation import split_of, validation_exam
from trefoil.fusion.features.validation import ManyCases, Validation
from trefoil.fusion.network.batches import Groups
from trefoil.fusion.network.by_rows import Drawn, RowGraph
from trefoil.fusion.network.negative_sampling import Sampler
from trefoil.fusion.network.training import best_epochs
from trefoil.fusion.network.vectors import SomeRows
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings
from trefoil.fusion.training import final_fit, update
from trefoil.fusion.training import large as sizes
from trefoil.fusion.training.large import sized_for
from trefoil.fusion.training.work_plan import Expected, spoken, told
from trefoil.kg.construction.build import build


@pytest.fixture(scope="module")
def shop_dataset(tmp_path_factory):
    return read_shop(tmp_path_factory.mktemp("large") / "data")


@pytest.fixture(scope="module")
def large(shop_dataset):
    """The planted shop learned as if forty items were very many."""
    changes = ["large_items=20", "network.epochs=12", "linear.head_items=16", "text.model=minilm"]
    settings = load_settings(None, [*TINY, "text.on=false", *changes])
    return Recommender(settings).fit(shop_dataset)


def test_large_data_are_learned_by_rows_and_the_plan_says_what_was_cut(large):
    network = large.model.networks[0]
    assert network.config.by_rows
    assert network.user_id is None
    plan = large.model.record.plan
    assert "the linear model knows 16 of 40 items" in plan["cut"]
    assert set(plan["expected"]) == {"linear", "factors", "random-walks", "network"}


def test_users_are_given_their_maker_by_the_network_alone(large):
    """Half and more of the first five items are of the maker that is loved; by chance a quarter."""
    users, items = large.catalogue.users, large.catalogue.items.vocabulary
    rows = np.arange(len(users))
    scores = large.model.base_models["network"].score(large.catalogue.cases(rows, {}))
    top = scores.topk(5, dim=1).indices
    maker = np.array([int(one[1]) for one in items.ids])
    loved = np.array([int(one[1:]) % 4 for one in users.ids])
    assert (maker[top.numpy()] == loved[:, None]).mean() > 0.5


def test_a_run_of_large_data_answers_as_before_it_was_saved(large, tmp_path):
    large.save(tmp_path / "run")
    again = Recommender.load(tmp_path / "run", live=False)
    users = large.catalogue.users.ids[:20]
    before, after = (one.recommend_many(users, 5) for one in (large, again))
    assert before["item"].to_list() == after["item"].to_list()
    who = list(again.catalogue.items.vocabulary.ids[:3])
    assert len(again.recommend(history=who)) == 10
    assert again.model.networks[0].config.by_rows


def test_rows_of_a_step_equal_those_of_a_pass_over_everything(large, monkeypatch):
    """With whole histories read, nothing gone and no dropout, a step sees the same vectors."""
    monkeypatch.setattr("trefoil.fusion.network.by_rows.READ", 1.0)
    model = large.model
    network, events = model.networks[0].eval(), model.known.events
    users, items = model.known.matrix.shape
    graph = RowGraph.of(events, users, items)
    people, drawn = np.array([1, 4, 9]), np.array([0, 7, 7, 30])
    gone = torch.zeros(items, dtype=torch.bool)
    rng = np.random.default_rng(0)
    with torch.no_grad():
        part, whole = graph.part(network, people, drawn, gone, rng), network.pass_messages()
    for some, every, numbers in (
        (part.vectors.users, whole.users, torch.from_numpy(people)),
        (part.vectors.items, whole.items, torch.from_numpy(drawn)),
    ):
        assert torch.allclose(some[numbers], every[numbers], atol=1e-5)
    met = graph.met[4].indices.astype(np.int64)
    assert not part.unread(np.full(len(met), 4), met).any()


def test_what_was_read_is_not_asked_for(large):
    model = large.model
    users, items = model.known.matrix.shape
    graph = RowGraph.of(model.known.events, users, items)
    gone = torch.zeros(items, dtype=torch.bool)
    people = np.arange(users)
    part = graph.part(model.networks[0], people, people[:1], gone, np.random.default_rng(0))
    user = np.repeat(people, np.diff(graph.met.indptr))
    item = graph.met.indices.astype(np.int64)
    left = part.unread(user, item)
    assert 0.2 < left.mean() < 0.6
    # those vectors do not depend on what was left
    read = set(part.read.tolist())
    assert not read & set((user[left] * items + item[left]).tolist())


def test_learning_on_takes_the_steps_of_large_data(large, monkeypatch):
    seen, make = [], update.one_network

    def noted(known, settings, *rest):
        seen.append(settings.network)
        return make(known, settings, *rest)

    monkeypatch.setattr(update, "one_network", noted)
    model = update.updated(large.state).model
    assert {(one.batch_size, one.sampled_items) for one in seen} == {(2_048, 4_096)}
    assert model.networks[0].config.by_rows


def test_few_events_of_many_items_in_order_take_steps_of_their_own(large, monkeypatch):
    """Not where order is unknown, where events are many, or where a setting says otherwise."""
    known, settings = replace(large.model.known, timed=True), load_settings(None, [])
    assert not known.dense
    assert sized_for(known, settings) is settings  # forty items are few
    monkeypatch.setattr(sizes, "SPARSE_ITEMS", 20)
    network = sized_for(known, settings).network
    steps = {name: getattr(network, name) for name in sizes.SPARSE}
    assert steps == sizes.SPARSE
    assert sized_for(replace(known, timed=False), settings) is settings
    often = replace(known, matrix=sparse.csr_matrix(np.ones(known.matrix.shape, np.float32)))
    assert often.dense
    assert sized_for(often, settings) is settings
    chosen = load_settings(None, ["network.batch_size=64"])
    assert sized_for(known, chosen).network.batch_size == 64


def test_the_final_fit_goes_on_for_the_share_that_was_held_out(large, shop_dataset, monkeypatch):
    """A tenth of the events was held out, so a large network sees all events once or twice."""
    begun, ends, train = [], [], final_fit.train_networks

    def noted(train_one, until, seed, checkpoints, say, first, begins):
        def make(*rest, begin, **named):
            def at(network):
                begin(network)
                begun.append(network.item_id.weight.detach().clone())

            return train_one(*rest, begin=at, **named)

        ends.extend(until)
        return train(make, until, seed, checkpoints, say, first, begins)

    monkeypatch.setattr(final_fit, "train_networks", noted)
    graph = build(shop_dataset, np.arange(len(shop_dataset.interactions)))
    before, journals = large.model.networks, large.model.record.history
    final = final_fit.refit_model(large.model, shop_dataset, graph)
    held_out = 1 - len(large.model.known.events) / len(shop_dataset.interactions)
    best = [best_epochs(journal)["ranking"] for journal in journals]
    assert ends == [{"ranking": max(1, round(held_out * epochs))} for epochs in best]
    for start, old, new in zip(begun, before, final.networks, strict=True):
        assert torch.equal(start, old.item_id.weight)
        assert not torch.equal(new.item_id.weight, old.item_id.weight)


def test_more_events_are_read_fewer_times(large, monkeypatch):
    known, settings = large.model.known, load_settings(None, ["large_items=20"])
    assert sized_for(known, settings).network.epochs == 8
    monkeypatch.setattr(sizes, "EVENTS_READ", 3 * known.matrix.nnz)
    assert sized_for(known, settings).network.epochs == 3
    monkeypatch.setattr(sizes, "EVENTS_READ", 1)
    assert sized_for(known, settings).network.epochs == 2
    asked = load_settings(None, ["large_items=20", "network.epochs=5"])
    assert sized_for(known, asked).network.epochs == 5


def test_a_sample_drawn_before_is_the_sample_of_the_step():
    rng = np.random.default_rng(0)
    drawn = Drawn.of(Sampler.of(np.ones(50), 8), rng)
    first, again = drawn.draw(rng), drawn.draw(rng)
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])


def test_a_plan_is_one_line_of_words():
    line = told({"linear": Expected(12.0, 0.5), "network": Expected(400.0, 0.2)})
    assert line == (
        "plan: about 7 min of one core and 0.5 GB more memory (linear 12 s, network 7 min)"
    )
    assert spoken(8000.0) == "2.2 h"


@pytest.fixture(scope="module")
def candidates(large, shop_dataset):
    """What could be in the lists of validation; of forty items all are candidates."""
    split = split_of(shop_dataset, large.model.settings)
    exam = validation_exam(shop_dataset, split)
    model = large.model
    parts = model.base_models, exam, model.seen
    return exam, candidates_of(*parts, scenarios=True, seed=0)


def test_candidates_are_scored_as_all_items_are(large, candidates):
    exam, found = candidates
    model, whole = large.model, Validation.of(candidates[0], large.model.seen)
    scores = {name: one.score(whole.cases) for name, one in model.base_models.items()}
    z = standardise(scores, tuple(scores), model.seen)
    there = ~found.told.masked
    rows, item = torch.arange(len(exam))[:, None], found.item
    assert torch.allclose(found.z[:, there], z[:, rows, item][:, there], atol=1e-3)
    for one, other in zip(found.z, z, strict=True):
        assert found.told.ndcg(one) == pytest.approx(whole.ndcg(other), abs=0.02)  # ties
    assert int(found.told.relevant.sum()) == int(whole.relevant.sum())


def test_the_gate_of_candidates_is_the_gate_of_all_items(large, candidates):
    """Where all items are candidates, both are fitted on the same."""
    _, found = candidates
    model, whole = large.model, Validation.of(candidates[0], large.model.seen)
    scores = {name: one.score(whole.cases) for name, one in model.base_models.items()}
    z = standardise(scores, tuple(scores), model.seen)
    one, _ = fit_gate(tuple(scores), z, whole)
    other, marks = fit_gate_on(found, tuple(scores))
    assert marks["chosen"] == pytest.approx(whole.ndcg(one.blend(scores, model.seen)), abs=0.02)
    assert whole.ndcg(other.blend(scores, model.seen)) == pytest.approx(marks["chosen"], abs=0.02)


def test_a_sample_of_the_others_stands_for_all_of_them(large, shop_dataset, monkeypatch):
    """Few first items and few others: their weights add up to the number of open items."""
    monkeypatch.setattr(ensemble_candidates, "WARM", 2)
    monkeypatch.setattr(ensemble_candidates, "OTHERS", (6, 6))
    model = large.model
    exam = validation_exam(shop_dataset, split_of(shop_dataset, model.settings))
    found = candidates_of(model.base_models, exam, model.seen, scenarios=True, seed=0)
    assert found.item.shape[1] < exam.items
    total = (found.stands_for.exp() * ~found.told.masked).sum(1).numpy()
    assert total == pytest.approx(exam.items - np.diff(exam.masked.start), rel=1e-5)


def test_a_look_in_blocks_says_what_a_look_at_all_says(large, candidates, monkeypatch):
    exam, _ = candidates
    monkeypatch.setattr("trefoil.fusion.features.validation.BLOCK_CELLS", 7 * exam.items)
    score = large.model.base_models["network"].score
    whole = Validation.of(exam, large.model.seen)
    assert ManyCases.of(exam, large.model.seen).mark(score) == pytest.approx(whole.mark(score))


def test_people_bring_all_their_groups():
    groups = Groups(np.array([2, 2, 5, 7, 7]), {}, np.arange(6), np.arange(5))
    assert groups.first_of_person.tolist() == [0, 2, 3, 5]
    assert groups.of_people(torch.tensor([2, 0])).tolist() == [3, 4, 0, 1]


def test_vectors_of_some_rows_are_asked_for_by_their_numbers_in_the_whole():
    made = torch.arange(6.0).reshape(3, 2)
    some = SomeRows(made, torch.tensor([4, 0, 7]), 9)
    assert some[torch.tensor([[7, 4], [0, 0]])].tolist() == [[[4, 5], [0, 1]], [[2, 3], [2, 3]]]
    assert len(some) == 9
    with pytest.raises(IndexError):
        some[torch.tensor([5])]
