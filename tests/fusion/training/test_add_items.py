"""New items without training: found by those who love their maker, and nobody else moves."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from planted_shop import MAKERS, TINY, WORDS, read_shop
from small_cases import histories

from trefoil.data.errors import DataError, GraphDataError
from trefoil.data.items import Items
from trefoil.data.vocabulary import Vocabulary
from trefoil.evaluation.baselines.linear import with_diagonal
from trefoil.fusion.ensemble.cold_start_items import ColdStartItems
from trefoil.fusion.ensemble.gate import Gate
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.linear_fit import solve_linear
from trefoil.fusion.models.linear_new_items import (
    inverse_diagonal,
    solved_together,
    stacked,
    without,
)
from trefoil.fusion.models.linear_rows import DROPPED, linear_blocks
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings

ADA = "https://example.org/Ada"


def frame(*ids, text=None):
    return pl.DataFrame(
        {"id": ids, "title": [f"New {one}" for one in ids], "text": [text] * len(ids)},
        schema={"id": pl.String, "title": pl.String, "text": pl.String},
    )


def every_case(recommender):
    users = len(recommender.catalogue.users)
    codes = recommender.catalogue.scenario_codes(None, users)
    return recommender.catalogue.cases(np.arange(users), codes)


def takers(recommender, item, k=5):
    """Share of a new item's lovers, and of all others, who find it among their first k.

    By chance 5 of the 33 items not met: 0.15.
    """
    table = recommender.recommend_many(recommender.catalogue.users.ids, k)
    found = set(table.filter(pl.col("item") == item)["user"])
    lovers = {f"u{user}" for user in range(0, 60, 4)}
    others = set(recommender.catalogue.users.ids) - lovers
    return len(found & lovers) / len(lovers), len(found & others) / len(others)


def test_an_item_of_the_loved_maker_reaches_those_who_love_her_and_says_why(recommender):
    recommender.add_items(frame("new"), [("new", "MADE_BY", ADA)])
    lovers, others = takers(recommender, "new")
    assert lovers >= 0.8
    assert others <= 0.15
    reasons = recommender.explain("u0", "new")
    assert "Ada" in reasons[0].text
    assert [node.label for node in reasons[0].nodes] == ["User", "Item", "Entity", "Item"]


def test_the_factors_of_a_new_item_come_from_its_maker(recommender):
    recommender.add_items(frame("new"), [("new", "MADE_BY", ADA)])
    score = recommender.model.base_models["factors"].score(every_case(recommender))[:, -1]
    user = np.array([int(one[1:]) for one in recommender.catalogue.users.ids])
    lovers = torch.from_numpy(user % 4 == 0)
    assert score[lovers].mean() > 2 * score[~lovers].mean()


def test_the_maker_can_be_named_in_several_ways(recommender):
    triples = [
        ("one", "MADE_BY", "Ada"),
        ("two", "https://example.org/madeBy", ADA),
        ("three", "madeBy", "Ada"),
    ]
    recommender.add_items(frame("one", "two", "three"), triples)
    scores = recommender.score(every_case(recommender))[:, -3:]
    assert torch.equal(scores[:, 0], scores[:, 1])
    assert torch.equal(scores[:, 0], scores[:, 2])


def test_text_alone_brings_items_near_those_like_them(recommender):
    for maker, words in enumerate(WORDS):
        recommender.add_items(frame(f"new{maker}", text=f"{words} 3"))
    alike = [
        one.item.startswith(f"i{maker}-")
        for maker in range(len(WORDS))
        for one in recommender.similar(f"new{maker}", 5)
    ]
    assert sum(alike) >= 12  # of 20, by chance 5; over five seeds 15 to 18


def test_old_items_keep_their_scores_and_their_order(recommender):
    cases = every_case(recommender)
    before = recommender.score(cases)
    recommender.add_items(frame("a", "b", text=WORDS[1]), [("a", "MADE_BY", "Ada")])
    after = recommender.score(cases)
    assert after.shape == (60, 42)
    assert torch.allclose(after[:, :40], before, atol=1e-5)
    assert torch.equal(after[:, :40].argsort(1), before.argsort(1))


def test_old_items_keep_their_scores_where_several_networks_speak(tmp_path):
    shop = read_shop(tmp_path / "data", users=24, per_maker=6, events=5)
    several = Recommender(load_settings(None, [*TINY, "network.seeds=2"])).fit(shop)
    base_model, cases = several.model.base_models["network"], every_case(several)
    before = base_model.score(cases)
    several.add_items(frame("a", "b", text=WORDS[1]), [("a", "MADE_BY", "Ada")])
    assert torch.allclose(
        several.model.base_models["network"].score(cases)[:, :24], before, atol=1e-5
    )
    several.save(tmp_path / "run")
    again = Recommender.load(tmp_path / "run").model.base_models["network"]
    assert torch.allclose(again.score(cases)[:, :24], before, atol=1e-5)


def test_a_grown_run_is_saved_and_read_with_equal_scores_and_grows_again(recommender, tmp_path):
    recommender.add_items(frame("a", text=WORDS[1]), [("a", "MADE_BY", "Grace")])
    recommender.save(tmp_path / "grown")
    again = Recommender.load(tmp_path / "grown")
    cases = every_case(again)
    assert torch.equal(again.score(cases), recommender.score(cases))
    assert again.explain("u1", "a")[0].text == recommender.explain("u1", "a")[0].text
    for one in (again, recommender):
        one.add_items(frame("new"), [("new", "MADE_BY", "Ada")])
        lovers, others = takers(one, "new")
        assert lovers >= 0.8
        assert others <= 0.15
    assert torch.equal(again.score(cases), recommender.score(cases))


def test_a_new_item_may_be_the_history_that_is_asked_about(recommender):
    recommender.add_items(frame("new"), [("new", "MADE_BY", "Ada")])
    answer = recommender.recommend(history=["new"], k=5)
    assert sum(one.item.startswith("i0-") for one in answer) >= 4
    assert "Ada" in answer[0].reasons[0].text


def test_the_price_alone_brings_items_to_those_who_love_their_maker(recommender, tmp_path):
    recommender.add_items(frame("dear", "cheap").with_columns(price=pl.Series(["31", "1"])))
    recommender.save(tmp_path / "grown")
    base_model = Recommender.load(tmp_path / "grown").model.base_models["factors"]
    dear, cheap = base_model.score(every_case(recommender))[:, -2:].T
    user = np.array([int(one[1:]) for one in recommender.catalogue.users.ids])
    for maker, more, less in ((3, dear, cheap), (0, cheap, dear)):
        lovers = torch.from_numpy(user % 4 == maker)
        assert more[lovers].min() > less[lovers].max()


def test_numbers_are_read_back_with_those_of_added_items(recommender, tmp_path):
    before = recommender.model.known.numbers["price"]
    recommender.add_items(frame("dear", "free").with_columns(price=pl.Series(["31", None])))
    recommender.save(tmp_path / "grown")
    after = Recommender.load(tmp_path / "grown").model.known.numbers["price"]
    np.testing.assert_array_equal(after, [*before, 31, np.nan])


def test_pandas_frames_and_items_are_taken_alike(shop_run):
    triples = pd.DataFrame({"head": ["new"], "relation": ["MADE_BY"], "tail": ["Ada"]})
    table = pd.DataFrame({"id": ["new"], "title": ["New"], "text": [WORDS[0]]})
    items = Items(Vocabulary(["new"]), ("New",), (WORDS[0],))
    one, two = (
        Recommender.load(shop_run, live=False).add_items(new, triples) for new in (table, items)
    )
    assert torch.equal(one.score(every_case(one)), two.score(every_case(two)))


def test_facts_that_nobody_had_stay_in_the_graph(recommender):
    width = recommender.model.known.facts.matrix.shape[1]
    recommender.add_items(frame("new"), [("new", "MADE_BY", "Sophie"), ("new", "IN_YEAR", "year1")])
    assert recommender.model.known.facts.matrix.shape == (41, width)
    assert recommender.model.known.facts.matrix[40].nnz == 1  # the year, which others share
    names = recommender.graph.nodes["Entity"].properties["name"].to_list()
    assert names[-1] == "Sophie"


@pytest.mark.parametrize(
    ("items", "triples", "fault", "said"),
    [
        (["i0-1"], [], DataError, "'i0-1' is in the catalogue already"),
        (["new", ""], [], DataError, "empty item id"),
        (["new"], [("i0-1", "MADE_BY", "Ada")], GraphDataError, r"triple 1 .*no new item"),
        (["new"], [("new", "MADEBY", "Ada")], GraphDataError, "did you mean 'MADE_BY'"),
        (["new"], [("new", "MADE_BY")], DataError, "triple 1: .*head, relation and tail"),
        (["new"], [("new", "MADE_BY", None)], DataError, "triple 1"),
    ],
)
def test_what_cannot_be_placed_is_refused_and_nothing_changes(
    recommender, items, triples, fault, said
):
    before = recommender.score(every_case(recommender))
    with pytest.raises(fault, match=said):
        recommender.add_items(frame(*items), triples)
    assert torch.equal(recommender.score(every_case(recommender)), before)
    assert len(recommender.graph.nodes["Item"]) == 40


def test_a_text_in_a_language_the_encoder_does_not_know_counts_as_no_text(recommender, monkeypatch):
    encoder = type(recommender.model.texts.encoder)
    read = encoder.encode
    monkeypatch.setattr(
        encoder, "encode", lambda self, texts, step=None: (read(self, texts, step)[0], ["unknown"])
    )
    recommender.add_items(frame("new", text="科幻电影"))
    assert not recommender.model.texts.items.known[-1]
    assert recommender.model.record.added_warnings == ["unknown"]


@pytest.mark.parametrize("dense", [False, True])
def test_the_linear_model_grows_to_what_solving_the_larger_system_gives(
    shop_run, monkeypatch, dense
):
    """Old weights aside, the new columns and rows are those of the closed form."""
    monkeypatch.setattr("trefoil.fusion.features.training_data.DENSE", 1.0 if dense else 1e9)
    recommender = Recommender.load(shop_run, live=False)
    chosen = recommender.model.record.chosen["linear"]
    old = np.arange(40)
    base_model = solve_linear(linear_blocks(recommender.model.known, old), chosen, old, 40)
    recommender.add_items(
        frame("a", "b", text=WORDS[2]), [("a", "MADE_BY", "Ada"), ("b", "IN_YEAR", "year1")]
    )
    known: TrainingData = recommender.model.known
    assert known.dense == dense
    extended = base_model.with_items(known, 40)
    rows = [np.asarray(r.toarray() if hasattr(r, "toarray") else r) for r in
            stacked(known, chosen, np.arange(42))]  # fmt: skip
    whole = torch.from_numpy(sum(r.T @ r for r in rows))
    if dense:
        whole.diagonal().add_(torch.from_numpy(DROPPED * (rows[0] ** 2).sum(0)))
    expected, inverse = with_diagonal(whole, chosen["ridge"])
    assert torch.allclose(extended.diagonal.double(), inverse.double(), rtol=1e-3)
    assert torch.allclose(extended.weights[:, 40:].double(), expected[:, 40:], atol=2e-4)
    assert torch.allclose(extended.weights[40:, :].double(), expected[40:, :], atol=2e-4)
    assert extended.weights[40:, 40:].abs().max() > 0
    assert expected[:40, 40:].abs().max() > 0.01  # so that the bound says something
    assert torch.equal(extended.weights[:40, :40], base_model.weights)
    found = inverse_diagonal(base_model.weights, old, chosen["ridge"], base_model.rows, known)
    assert torch.allclose(found, base_model.diagonal, rtol=1e-3)
    left = without(extended.weights, extended.diagonal, old, np.array([40, 41]))
    assert torch.allclose(left, base_model.diagonal, rtol=1e-3)
    again = extended.with_content(known, np.array([41]))
    assert torch.allclose(again.weights, extended.weights, atol=2e-4)
    assert torch.allclose(again.diagonal, extended.diagonal, rtol=1e-3)


def test_stacked_rows_are_those_the_model_learned_from(recommender):
    known, chosen = recommender.model.known, recommender.model.record.chosen["linear"]
    parts = stacked(known, chosen, np.arange(40))
    total = sum(np.asarray((rows.T @ rows).todense() if hasattr(rows, "todense") else rows.T @ rows)
                for rows in parts)  # fmt: skip
    blocks = linear_blocks(known, np.arange(40))
    expected = sum(chosen.get(name, 1.0) ** 2 * block for name, block in blocks.items())
    assert np.allclose(total, expected.numpy(), atol=1e-4)


def test_columns_are_solved_together_and_a_system_without_end_is_told_of(caplog):
    rng = np.random.default_rng(0)
    half = rng.normal(size=(30, 30))
    matrix = half @ half.T + np.eye(30)
    expected = rng.normal(size=(30, 4))
    solved = solved_together(lambda x: matrix @ x, expected, np.diag(matrix))
    assert np.allclose(matrix @ solved, expected, atol=1e-5)
    assert not solved_together(lambda x: matrix @ x, 0 * expected, np.diag(matrix)).any()
    with caplog.at_level("WARNING"):
        solved_together(lambda x: rng.normal(size=x.shape), expected, np.ones(30))
    assert "did not solve" in caplog.text


def test_added_items_by_hand():
    """Two old items score 1 and 3, so the new one with 4 lies two deviations above their mean."""
    gate = Gate(("content", "events"), (0.0, 1.0), (1.0, 1.0), -3.0)
    seen = torch.tensor([True, True, False])
    added = ColdStartItems.of(gate, seen[:2], {"content": 0.5}, 1)
    assert added == ColdStartItems(1, (0.5, 0.0), False)
    scores = {"content": torch.tensor([[1.0, 3.0, 4.0]]), "events": torch.tensor([[9.0, 5.0, 0.0]])}
    none = torch.zeros(1, dtype=torch.bool)
    blended = torch.tensor([[1.0, -1.0]])
    assert added.follow(blended, gate, scores, seen, none).tolist() == [[1.0, -1.0, 2.0]]
    by_content = added.follow(blended, gate, scores, seen, ~none)
    assert by_content.tolist() == [[-0.5, 0.5, 1.0]]
    assert added.alone(histories([0, 2], [2], [], [1]), 2).tolist() == [False, True, False, False]


def test_with_enough_cold_items_added_ones_are_treated_like_them():
    gate = Gate(("content", "events"), (0.0, 1.0), (2.0, 1.0), -3.0)
    seen = torch.cat([torch.ones(2), torch.zeros(11)]).bool()
    added = ColdStartItems.of(gate, seen[:12], {"content": 0.5}, 1)
    assert added == ColdStartItems(1, (2.0, 0.0), True)
    cold = [0.0, 2.0] * 5
    content = torch.tensor([[50.0, 60.0, *cold, 3.0]])
    scores = {"content": content, "events": torch.zeros(1, 13)}
    none = torch.zeros(1, dtype=torch.bool)
    blended = torch.zeros(1, 12)
    assert added.follow(blended, gate, scores, seen, none)[0, -1] == 2.0 * 2.0 - 3.0


def test_growing_works_with_every_part_switched_off(tmp_path):
    shop = read_shop(tmp_path / "data", users=24, per_maker=6, events=5)
    for off in ("network.on=false", "linear.on=false", "text.on=false", "graph.on=false"):
        recommender = Recommender(load_settings(None, [*TINY, off])).fit(shop)
        before = recommender.score(every_case(recommender))
        recommender.add_items(frame("new", text=WORDS[0]), [("new", "MADE_BY", MAKERS[0])])
        after = recommender.score(every_case(recommender))
        assert torch.allclose(after[:, :-1], before, atol=1e-5), off
        assert torch.isfinite(after).all(), off


def test_no_items_change_nothing(recommender):
    before = recommender.score(every_case(recommender))
    recommender.add_items(frame())
    assert torch.equal(recommender.score(every_case(recommender)), before)
