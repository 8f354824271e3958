"""What is told counts at once, stays after a kill, and is neither lost nor doubled."""

import shutil
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import polars as pl
import pytest

from trefoil.data import read_frames
from trefoil.data.errors import ConfigError, DataError, UnknownId
from trefoil.data.histories import Histories
from trefoil.data.interactions import Interactions
from trefoil.data.vocabulary import Vocabulary
from trefoil.fusion.live.log import place_of
from trefoil.fusion.past import Past
from trefoil.fusion.recommender import Recommender

NEW = {"user": "stranger", "item": "i2-1", "time": 1_800_000_000, "stars": 5, "device": "tv"}


def items(answer):
    return [one.item for one in answer]


@pytest.fixture
def run(shop_run, tmp_path):
    """A copy of the run of the planted shop."""
    shutil.copytree(shop_run, tmp_path / "run")
    return tmp_path / "run"


def test_an_event_is_history_hidden_and_a_reason_in_the_next_answer(recommender):
    told = recommender.add_events([NEW, {**NEW, "item": "i2-4"}])
    assert (told.events, told.users, told.waiting, told.repeated) == (2, ("stranger",), (), 0)
    assert told.state == recommender.state.token
    answer = recommender.recommend("stranger", k=40)
    assert answer.based_on.user_known
    assert answer.based_on.events == 2
    assert not {"i2-1", "i2-4"} & set(items(answer))
    assert sum(one.startswith("i2-") for one in items(answer)[:5]) >= 4
    assert "Title i2-" in answer[0].reasons[0].text
    assert recommender.explain("stranger", "i2-5")
    asked = recommender.recommend(history=["i2-1", "i2-4"], k=5)
    assert items(asked) == items(answer)[:5]


def test_an_event_of_a_known_user_joins_the_history_in_order_of_time(recommender):
    catalogue = recommender.catalogue
    row = np.array([catalogue.users.row("u0")])
    before = catalogue.now.histories(row)
    recommender.add_events([{**NEW, "user": "u0"}, {**NEW, "user": "u0", "time": 1}])
    after = recommender.catalogue.now.histories(row)
    item = catalogue.items.vocabulary.row("i2-1")
    assert after.item.tolist() == [item, *before.item.tolist(), item]
    assert recommender.catalogue.now.histories(np.array([-1])).item.size == 0


def test_forms_of_tables_say_the_same(shop_run):
    rows = [("a", "i0-1", 5, 4.0), ("b", "i1-1", 6, 2.0)]
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "at", "stars"], orient="row")
    forms = (rows, frame, pd.DataFrame(frame.to_dict(as_series=False)), frame.to_dicts())
    told = []
    for form in forms:
        one = Recommender.load(shop_run, live=False)
        one.add_events(form)
        told.append(one.catalogue.every_event)
    for other in told[1:]:
        for name in ("user", "item", "at", "stars", "positive"):
            np.testing.assert_array_equal(getattr(other, name), getattr(told[0], name))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([{"user": "a"}], "no column 'item'"),
        ([{"user": "a", "item": "i0-1"}, {"user": "", "item": "i0-1"}], "row 2 has no user"),
        ([{"user": "a", "item": "i0-1", "time": "noon"}], "time is neither.*; mend them$"),
        ([("a",)], "no column 'item'"),
        (5, "no table"),
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_is_taken(recommender, given, said):
    before = recommender.state
    with pytest.raises(DataError, match=said):
        recommender.add_events(given)
    assert recommender.state is before


def test_events_of_an_unknown_item_wait_until_it_is_added(run):
    recommender = Recommender.load(run)
    told = recommender.add_events([{**NEW, "item": "later"}])
    assert (told.events, told.waiting) == (0, ("later",))
    recommender.add_items(pl.DataFrame({"id": ["later"]}), [("later", "MADE_BY", "Ada")])
    assert recommender.recommend("stranger").based_on.events == 1
    again = Recommender.load(run)
    assert again.recommend("stranger", k=9) == recommender.recommend("stranger", k=9)
    assert again.state.token == recommender.state.token


def test_an_event_with_an_id_counts_once(run):
    recommender = Recommender.load(run)
    one = {**NEW, "id": "e1"}
    assert recommender.add_events([one, one]).repeated == 1
    assert recommender.add_events([one]).repeated == 1
    recommender.close()
    again = Recommender.load(run)
    assert again.add_events([one]).events == 0
    assert again.recommend("stranger").based_on.events == 1


def test_a_removed_item_is_no_candidate_and_can_return(run):
    recommender = Recommender.load(run)
    best = recommender.recommend("u0", k=3)[0].item
    recommender.remove_items([best])
    for one in (recommender, Recommender.load(run)):
        assert best not in items(one.recommend("u0", k=40))
        assert one.recommend(history=[best]).based_on.told == 1
    recommender.return_items([best])
    assert recommender.recommend("u0", k=3)[0].item == best
    with pytest.raises(UnknownId, match="unknown item 'no'"):
        recommender.remove_items([best, "no"])


def test_what_was_told_is_in_a_saved_run_and_is_not_doubled(run, tmp_path):
    recommender = Recommender.load(run)
    recommender.add_events([{**NEW, "id": "e1"}, {**NEW, "item": "later"}])
    answer = recommender.recommend("stranger", k=9)
    for place in (tmp_path / "other", run):
        recommender.save(place)
    recommender.close()
    for place in (tmp_path / "other", run):
        again = Recommender.load(place)
        assert again.recommend("stranger", k=9) == answer
        assert again.add_events([{**NEW, "id": "e1"}]).repeated == 1
        assert [one.item for one in again.catalogue.waiting] == ["later"]
        assert not Recommender.load(place, live=False).catalogue.later


def test_a_run_that_learned_on_from_nothing_goes_on_with_its_log(run, tmp_path):
    recommender, beside = Recommender.load(run), Recommender.load(run)
    beside.update()  # other weights, no change
    beside.save(tmp_path / "next")
    recommender.add_events([NEW])
    following = Recommender.load(tmp_path / "next")
    assert following.follow(recommender) == 1
    assert following.recommend("stranger").based_on.events == 1
    recommender.close()
    following.close()
    shutil.rmtree(place_of(tmp_path / "next"))
    following = Recommender.load(tmp_path / "next")
    following.update()
    following.save(tmp_path / "next")  # over itself
    following.add_events([NEW])
    following.close()
    assert Recommender.load(tmp_path / "next").recommend("stranger").based_on.events == 1


def test_a_run_that_takes_the_place_of_another_does_not_take_its_log(run, tmp_path):
    recommender = Recommender.load(run)
    recommender.save(tmp_path / "next")
    other = Recommender.load(tmp_path / "next")
    other.add_events([NEW])
    other.close()
    recommender.save(tmp_path / "next")
    assert not Recommender.load(tmp_path / "next").recommend("stranger").based_on.user_known


def test_of_two_events_of_one_id_the_first_counts(run):
    recommender = Recommender.load(run)
    told = recommender.add_events([{**NEW, "id": "e"}, {**NEW, "id": "e", "item": "i3-1"}])
    assert (told.events, told.repeated) == (1, 1)
    assert [one["item"] for one in recommender.export("stranger")["events"]] == [NEW["item"]]


def test_items_that_were_told_with_categories_have_them_in_the_next_load(run):
    recommender = Recommender.load(run)
    events = pl.DataFrame({"user": ["a"], "item": ["n0"]})
    films = pl.DataFrame({"id": ["n0", "n1"], "kind": ["kind 1", "new kind"], "price": [1.0, None]})
    recommender.add_items(read_frames(events, items=films).items)
    before = recommender.state.catalogue.items
    recommender.close()
    again = Recommender.load(run)
    assert again.recommend(where={"kind": "new kind"})[0].item == "n1"
    after = again.state.catalogue.items
    np.testing.assert_array_equal(after.category["kind"].matrix(), before.category["kind"].matrix())
    np.testing.assert_array_equal(after.score["price"], before.score["price"])
    assert again.recommend("u1", k=42, seen="show") == recommender.recommend(
        "u1", k=42, seen="show"
    )


def test_changes_of_a_log_left_alone_stay_in_memory(run):
    recommender = Recommender.load(run, live=False)
    recommender.add_events([NEW])
    assert not place_of(run).exists()
    assert not Recommender.load(run).recommend("stranger").based_on.user_known


def test_a_second_writer_is_refused(run):
    first, second = Recommender.load(run), Recommender.load(run)
    first.add_events([NEW])
    with pytest.raises(ConfigError, match="another process is writing"):
        second.add_events([NEW])
    first.close()
    second.add_events([{**NEW, "item": "i2-4"}])
    assert second.recommend("stranger").based_on.events == 2  # it read what the first had written


WRITER = """
import sys
from pathlib import Path
from trefoil.fusion.live.log import EVENT, Log
log = Log(Path(sys.argv[1]), sys.argv[2], "", 0)
log.claim()
first = int(sys.argv[3])
for number in range(first, first + 100_000):
    rows = [(f"{number}-{part}", "stranger", "i2-1", number, None, None, None, None)
            for part in range(2)]
    log.append(EVENT, rows)
    print(number, flush=True)
"""


def test_nothing_acknowledged_is_lost_or_doubled_by_killing_the_writer(run):
    recommender = Recommender.load(run)
    recommender.add_events([{**NEW, "user": "u0"}])
    lineage = recommender.log.lineage
    recommender.close()
    acknowledged: list[int] = []
    for turn in range(20):
        asked = [sys.executable, "-c", WRITER, str(place_of(run)), lineage, str(turn * 100_000)]
        with subprocess.Popen(asked, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            acknowledged.append(int(writer.stdout.readline()))
            time.sleep(0.003 * turn)
            writer.kill()
            acknowledged += [int(line) for line in writer.stdout if line.endswith("\n")]
    events = Recommender.load(run).catalogue.every_event
    at = events.at[events.at < 20 * 100_000]
    moments, count = np.unique(at, return_counts=True)
    assert set(count.tolist()) == {2}  # both events of a change, or neither
    assert set(acknowledged) <= set(moments.tolist())
    assert len(acknowledged) >= 20


def test_layers_hold_what_one_table_of_all_events_holds():
    rng = np.random.default_rng(0)

    def drawn(size, users):
        at = rng.integers(0, 50, size)
        return Interactions(
            rng.integers(0, users, size), rng.integers(0, 30, size), rng.random(size) < 0.8, at=at
        )

    whole = drawn(300, 20)
    past = Past.of(whole, whole, 20)
    for size in (1, 1, 5, 40, 1, 200, 3):
        more = drawn(size, 26)
        whole, past = whole.followed_by(more), past.followed_by(more)
        users = rng.integers(-1, 26, 40)
        expected, found = Histories.of(whole, 26), past.histories(users)
        for case, user in enumerate(users):
            own = slice(*found.start[case : case + 2])
            right = slice(*expected.start[user : user + 2]) if user >= 0 else slice(0, 0)
            np.testing.assert_array_equal(found.item[own], expected.item[right])
            np.testing.assert_array_equal(found.at[own], expected.at[right])
        hidden = past.hidden(users, {}, "hide", until=30)
        for case, user in enumerate(users):
            met = np.unique(whole.item[(whole.user == user) & (whole.at < 30)])
            got = hidden.item[hidden.start[case] : hidden.start[case + 1]]
            np.testing.assert_array_equal(got, met)
    assert len(past.layers) < 4


def test_a_longer_vocabulary_shares_and_the_shorter_one_does_not_see_it():
    short = Vocabulary(["a", "b"])
    long, other = short.followed_by(["c"]), short.followed_by(["d"])
    assert (short.ids, long.ids, other.ids) == (("a", "b"), ("a", "b", "c"), ("a", "b", "d"))
    assert "c" not in short
    assert short.rows(["c", "b"]).tolist() == [-1, 1]
    assert (long.row("c"), other.row("d"), "c" in other) == (2, 2, False)
    with pytest.raises(ValueError, match="occurs twice"):
        long.followed_by(["a"])
