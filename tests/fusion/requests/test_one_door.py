"""What a call may limit and how, and that each argument is checked."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest

from trefoil.data.errors import ConfigError, DataError
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.requests import arguments
from trefoil.kg.stores.open import open_store


def items(answer):
    return [one.item for one in answer]


def own(recommender, user):
    """Ids of all that a user met, in the order of time."""
    catalogue = recommender.catalogue
    events = catalogue.events
    rows = np.flatnonzero(events.user == catalogue.users.row(user))
    rows = rows[np.argsort(events.at[rows], kind="stable")]
    return [catalogue.items.vocabulary[row] for row in events.item[rows]]


def test_only_and_without_limit_the_candidates_and_keep_the_order(recommender):
    whole = items(recommender.recommend("u0", k=40))
    some = whole[3:9]
    assert items(recommender.recommend("u0", k=40, only=some)) == some
    assert items(recommender.recommend("u0", k=40, without=some)) == whole[:3] + whole[9:]
    assert items(recommender.recommend("u0", k=40, only=some, without=some[:2])) == some[2:]
    assert recommender.recommend("u0", only=[]) == []
    assert recommender.recommend("u0", only=["no such item"]) == []


def test_seen_says_whether_items_met_before_are_candidates(recommender):
    met = set(own(recommender, "u0"))
    assert not met & set(items(recommender.recommend("u0", k=40)))
    assert not met & set(items(recommender.recommend("u0", k=40, seen="hide")))
    shown = items(recommender.recommend("u0", k=40, seen="show"))
    assert met <= set(shown)
    assert len(shown) == 40


def test_at_a_moment_nothing_later_is_known(recommender):
    catalogue, met = recommender.catalogue, own(recommender, "u0")
    at = np.sort(catalogue.events.at[catalogue.events.user == catalogue.users.row("u0")])
    when = int(at[4])  # four events were before
    answer = recommender.recommend("u0", k=40, at=when)
    assert answer.based_on.events == 4
    assert set(met[4:]) <= set(items(answer))
    assert not set(met[:4]) & set(items(answer))
    for same in (datetime.fromtimestamp(when, UTC), datetime.fromtimestamp(when, UTC).isoformat()):
        assert recommender.recommend("u0", k=40, at=same) == answer
    many = recommender.recommend_many(["u0"], k=40, at=when)
    assert many["item"].to_list() == items(answer)


def test_before_the_test_a_held_out_item_can_be_recommended(recommender):
    """And with all that is known it cannot: the user has it."""
    catalogue = recommender.catalogue
    row = catalogue.users.row("u0")
    mine = (catalogue.events.user == row) & (catalogue.part == 2)
    held = {catalogue.items.vocabulary[item] for item in catalogue.events.item[mine]}
    assert held
    assert held <= set(items(recommender.recommend("u0", k=40, before="test")))
    assert not held & set(items(recommender.recommend("u0", k=40)))


@pytest.mark.parametrize(
    "history",
    [
        ["i2-1", "i2-4"],
        ("i2-1", "i2-4"),
        np.array(["i2-1", "i2-4"]),
        pl.Series(["i2-1", "i2-4"]),
        pd.Series(["i2-1", "i2-4"]),
    ],
    ids=["list", "tuple", "numpy", "polars", "pandas"],
)
def test_a_history_is_anything_with_one_dimension(recommender, history):
    answer = recommender.recommend(history=history, k=5)
    assert answer.based_on.told == 2
    assert answer == recommender.recommend(history=["i2-1", "i2-4"], k=5)


def test_text_as_history_is_one_item_and_none_is_no_history(recommender):
    assert recommender.recommend(history="i2-1") == recommender.recommend(history=["i2-1"])
    assert recommender.recommend(history=None) == recommender.recommend()


def test_an_answer_says_what_it_rests_on(recommender):
    basis = recommender.recommend("u0", history=["i2-1", "gone"], without=["lost"]).based_on
    assert basis.user_known
    assert basis.told == 1
    assert basis.unknown == ("gone", "lost")
    assert basis.purpose == "judge"
    assert not recommender.recommend("nobody").based_on.user_known


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda r: r.recommend("u5", k=-1), "k = -1"),
        (lambda r: r.recommend("u5", k=True), "k = True"),
        (lambda r: r.recommend("u5", reasons=-1), "reasons = -1"),
        (lambda r: r.explain("u5", "i0-1", k=0), "k = 0"),
        (lambda r: r.recommend_many(["u5"], batch=0), "batch = 0"),
        (lambda r: r.recommend("u5", at="noon"), "at = 'noon'"),
        (lambda r: r.recommend("u5", history={"i0-1": 1}), "history: a dict"),
        (lambda r: r.recommend(True), "user True"),
        # What types forbid, as a caller without a type checker may say it:
        (lambda _: arguments.whole("k", 2.0, 0), "k = 2.0"),
        (lambda _: arguments.scenario_of(["x"]), "scenario = ['x']"),
        (lambda _: arguments.one_of("seen", "yes", ("auto", "hide")), "seen = 'yes'"),
        (lambda _: arguments.words("text", 5), "text = 5"),
        (lambda _: arguments.ids("only", [None]), "only None"),
        (lambda _: arguments.ids("only", pl.DataFrame({"item": ["i0-1"]})), "only: a DataFrame"),
    ],
)
def test_an_argument_without_a_meaning_is_refused_by_name(recommender, call, named):
    with pytest.raises(ConfigError, match=re.escape(named)):
        call(recommender)


def test_contexts_told_per_row_stand_in_the_table(recommender):
    asked = pl.DataFrame({"user": ["u0", "u0", "u1"], "device": ["phone", "tv", None]})
    table = recommender.recommend_many(asked, k=3)
    assert table.columns == ["user", "device", "rank", "item", "title", "score"]
    for user, device in asked.rows():
        told = {} if device is None else {"device": device}
        one = recommender.recommend(user, k=3, scenario=told)
        part = table.filter(pl.col("user") == user, pl.col("device") == (device or ""))
        assert part["item"].to_list() == items(one)


def test_a_column_of_users_that_is_no_scenario_is_refused(recommender):
    asked = pl.DataFrame({"user": ["u0"], "devise": ["phone"]})
    said = r"users: 'devise' is no scenario column of this run; did you mean 'device'\? there is"
    with pytest.raises(DataError, match=said):
        recommender.recommend_many(asked)


def test_what_nothing_has_is_told_in_the_log_as_in_a_basis(recommender, caplog):
    asked = pl.DataFrame({"user": ["u0", "u1", "u0"], "device": ["phnoe", "phone", None]})
    recommender.recommend_many(asked, without=["gone"], where={"kind": "kind 9"})
    (line,) = caplog.messages
    assert line.startswith("recommend_many: nothing has gone, device=phnoe, ")
    assert "kind 9" in line
    told = recommender.recommend("u0", scenario={"device": "phnoe"}, without=["gone"])
    assert told.based_on.unknown == ("gone", "device=phnoe")
    caplog.clear()
    recommender.recommend_many(asked[1:], k=2)
    assert not caplog.messages


@pytest.mark.parametrize("kind", [pd.Series, np.array, set, tuple, iter])
def test_users_are_anything_with_one_dimension(recommender, kind):
    assert recommender.recommend_many(kind(["u3"]), k=2)["user"].to_list() == ["u3", "u3"]


def test_a_table_without_users_is_refused(recommender):
    with pytest.raises(DataError, match="no column 'user'"):
        recommender.recommend_many(pl.DataFrame({"name": ["u0"]}))


def test_similar_items_leave_out_the_item_itself(recommender):
    assert "i2-1" not in items(recommender.similar("i2-1", k=40))
    assert len(recommender.similar("i2-1", k=40)) == 39


def test_reasons_hold_no_id_of_another_person(recommender):
    users = set(recommender.catalogue.users.ids)
    shown = [
        (user, why)
        for user in ("u0", "u1", "u2", "u3")
        for one in recommender.recommend(user, k=40, reasons=3)
        for why in one.reasons
    ]
    crossed = [why for _, why in shown if "people who" in why.text]
    assert crossed
    for user, why in shown:
        told = {node.id for node in why.nodes} | set(why.parameters.values())
        assert not (told & users) - {user}
        assert len(recommender_rows(recommender, why)) == 1
    for why in recommender.explain("u0", "i0-1"):
        assert not ({node.id for node in why.nodes} & users) - {"u0"}


def recommender_rows(recommender, why):
    """What the statement of a reason finds in the run's own store."""
    with open_store(recommender.state.folder) as store:
        return store.query(why.cypher, **why.parameters)


def test_scores_of_a_loaded_run_are_read_by_many_threads_alike(shop_run):
    recommender = Recommender.load(shop_run)
    users = [f"u{user}" for user in range(24)]
    alone = [recommender.recommend(user, k=5) for user in users]
    fresh = Recommender.load(shop_run)
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda user: fresh.recommend(user, k=5), users))
    assert together == alone


def test_reasons_at_a_moment_cite_nothing_later(recommender):
    catalogue, met = recommender.catalogue, own(recommender, "u0")
    at = np.sort(catalogue.events.at[catalogue.events.user == catalogue.users.row("u0")])
    answer = recommender.recommend("u0", k=40, at=int(at[1]), reasons=5)
    later = [catalogue.items.title(catalogue.items.vocabulary.row(one)) for one in met[1:]]
    said = " ".join(why.text for one in answer for why in one.reasons)
    assert catalogue.items.title(catalogue.items.vocabulary.row(met[0])) in said
    cited = re.findall(r"because you [a-z]+ (.+?)[,:]", said)
    assert not set(cited) & set(later)


def test_a_context_that_no_event_has_is_told(recommender):
    answer = recommender.recommend("u0", scenario={"device": "abacus", "planet": "Mars"})
    assert {"device=abacus", "planet=Mars"} <= set(answer.based_on.unknown)


def test_a_run_that_was_replaced_is_not_mixed_with_the_loaded_one(recommender, tmp_path):
    run = tmp_path / "run"
    recommender.save(run)
    loaded = Recommender.load(run)
    other = Recommender.load(run)
    other.add_items(pl.DataFrame({"id": ["later"], "title": ["Later"]}))
    other.save(run)
    with pytest.raises(DataError, match="gone or replaced after it was loaded"):
        loaded.recommend("u0")
    assert loaded.recommend("u0", reasons=0) == recommender.recommend("u0", reasons=0)
