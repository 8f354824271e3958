"""Boosts, pins, caps, variety, pages and shares: how a call deals its list."""

import re

import numpy as np
import polars as pl
import pytest

from trefoil.data.errors import ConfigError, DataError
from trefoil.fusion.requests.groups import Groups
from trefoil.fusion.requests.request import Request
from trefoil.fusion.requests.rules import Cap
from trefoil.fusion.requests.selection import choose


def items(answer):
    return [one.item for one in answer]


def test_a_boost_lifts_what_it_names_by_spreads_of_the_scores(served):
    plain = served.recommend("u0", k=40)
    kind = {"where": {"kind": "kind 1"}, "by": 0.5}
    lifted = served.recommend("u0", k=40, boost=[kind])
    before, after = ({one.item: one.score for one in answer} for answer in (plain, lifted))
    gains = {one: after[one] - before[one] for one in before}
    spread = served.state.scorer.score(
        served.catalogue.cases(np.array([0]), served.catalogue.scenario_codes(None, 1))
    ).std()
    for one, gain in gains.items():
        assert gain == pytest.approx(0.5 * spread if int(one[3:]) % 3 == 1 else 0, abs=1e-4)
    assert lifted == served.recommend("u0", k=40, boost=(kind,))
    twice = served.recommend("u0", k=40, boost=[kind, {**kind, "by": -0.5}])
    assert items(twice) == items(plain)


def test_pinned_items_stand_where_the_call_says(served):
    plain = items(served.recommend("u0", k=40))
    pinned = served.recommend("u0", k=10, pin={1: plain[20], "3": plain[0], 30: plain[1]})
    assert [pinned[0].item, pinned[2].item] == [plain[20], plain[0]]
    assert [one.pinned for one in pinned] == [True, False, True] + [False] * 7
    rest = [one for one in plain if one not in (plain[20], plain[0], plain[1])]
    assert [one for one in items(pinned) if one not in (plain[20], plain[0])] == rest[:8]
    seen = served.recommend("u0", k=3, pin={2: met(served)[0]}, where={"kind": "kind 1"})
    assert seen[1].item == met(served)[0]  # a rule of the shop goes before what was seen


def met(served):
    catalogue = served.catalogue
    rows = catalogue.events.item[catalogue.events.user == catalogue.users.row("u0")]
    return [catalogue.items.vocabulary[row] for row in rows]


def test_a_cap_by_what_people_did_is_no_suggestion(served):
    told = served.recommend("u0", per={"kinds": 1}).dropped.unknown
    assert "MADE_BY" in told[0]
    assert "INTERACTED" not in told[0]


def test_as_many_reasons_as_there_are(served):
    many = served.recommend("u0", k=2, reasons=10**12)
    assert [len(one.reasons) for one in many] == [
        len(one.reasons) for one in served.recommend("u0", k=2, reasons=500)
    ]


def test_pins_that_cannot_be_shown_are_told_and_lists_close_up(served):
    answer = served.recommend(
        "u0", k=5, only=["i0-1", "i0-2"], without=["i0-4"], seen="show",
        pin={1: "gone", 2: "i0-4", 5: "i0-3", 6: "i0-3"},
    )  # fmt: skip
    assert set(items(answer)) == {"i0-1", "i0-2", "i0-3"}
    assert answer[2].item == "i0-3"  # place 5 of a list of three
    told = ("pin 1=gone", "pin 2=i0-4: left out or removed", "pin 6=i0-3: pinned twice")
    assert answer.dropped.unknown == told
    assert answer.dropped.short == 2


def test_no_more_of_a_kind_than_the_call_says(served):
    plain = items(served.recommend("u0", k=40))
    capped = items(served.recommend("u0", k=40, per={"MADE_BY": 2}))
    expected, count = [], dict.fromkeys("0123", 0)
    for one in plain:
        if count[one[1]] < 2:
            count[one[1]] += 1
            expected.append(one)
    assert capped == expected
    assert served.recommend("u0", k=40, per={"MADE_BY": 2}).dropped.per == len(plain) - 8
    both = items(served.recommend("u0", k=40, per={"MADE_BY": 3, "kind": 1}))
    assert len(both) == 3
    pinned = served.recommend("u0", k=8, per={"MADE_BY": 1}, pin={1: "i2-1"})
    assert sorted(one[1] for one in items(pinned)) == list("0123")
    answer = served.recommend("u0", per={"colour": 2})
    assert answer.dropped.unknown[0].startswith("per colour: there is 'kind', 'price'")
    assert answer == served.recommend("u0")


def test_a_group_gets_its_share_of_the_places_and_the_best_of_it(served):
    plain = items(served.recommend("u0", k=40))
    rare = [one for one in plain if int(one[3:]) % 3 == 1][-4:]
    dealt = items(served.recommend("u0", k=8, least=[{"where": {"id": rare}, "share": 0.5}]))
    own = [place for place, one in enumerate(dealt, 1) if one in rare]
    assert own == [2, 4, 6, 8]  # the last items of the whole list, as late as the share allows
    assert [one for one in dealt if one in rare] == rare
    assert [one for one in dealt if one not in rare] == [one for one in plain if one not in rare][
        :4
    ]
    none = served.recommend("u0", k=8, least=[{"where": {"id": rare}, "share": 0.0}])
    assert items(none) == plain[:8]
    few = items(served.recommend("u0", k=8, least=[{"where": {"id": rare[:1]}, "share": 1}]))
    assert few == [rare[0], *[one for one in plain if one != rare[0]][:7]]
    pages = [
        items(
            served.recommend("u0", k=4, offset=first, least=[{"where": {"id": rare}, "share": 0.5}])
        )
        for first in (0, 4)
    ]
    assert [*pages[0], *pages[1]] == dealt


def test_a_share_of_the_places_for_rare_items(served):
    counts = np.bincount(served.catalogue.events.item, minlength=len(served.catalogue.items))
    masks = {name: served.state.popularity(name) for name in ("popular", "middle", "rare")}
    assert sum(masks.values()).tolist() == [1] * len(counts)
    assert counts[masks["popular"]].min() >= counts[masks["rare"]].max()
    rows = served.catalogue.items.vocabulary.rows
    people = [f"u{one}" for one in range(12)]
    table = served.recommend_many(people, k=5, least=[{"popularity": "rare", "share": 0.4}])
    kept = masks["rare"][rows(table["item"].to_list())].reshape(12, 5)
    assert (kept.cumsum(1) >= np.floor(0.4 * np.arange(1, 6))).all()
    told = served.recommend("u0", k=5, least=[{"where": {"colour": "red"}, "share": 0.4}]).dropped
    assert told.unknown[0].startswith("least where colour")


def test_variety_grows_with_the_number_and_none_is_the_plain_list(served):
    plan = served.state.scorer
    known = served.catalogue.items.vocabulary

    def alike(diversity):
        found = []
        for user in range(12):
            answer = served.recommend(f"u{user}", k=6, diversity=diversity, reasons=0)
            vectors = plan.vectors(known.rows(items(answer)))
            found.append((vectors @ vectors.T)[np.triu_indices(6, 1)].mean())
        return float(np.mean(found))

    marks = [alike(one) for one in (0.0, 0.3, 0.6, 1.0)]
    assert marks == sorted(marks, reverse=True)
    assert marks[0] - marks[-1] > 0.15  # of a cosine
    first = served.recommend("u0", k=1)
    assert served.recommend("u0", k=6, diversity=0.9)[0] == first[0]
    scores = [one.score for one in served.recommend("u0", k=6, diversity=0.0)]
    assert scores == sorted(scores, reverse=True)


def test_maximal_marginal_relevance_by_hand():
    """Three items; b is like a, c is not: with half of it for variety c goes second."""
    vectors = np.array([[[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]])
    score, rows = np.array([[1.0, 0.9, 0.5]], np.float32), np.array([[7, 8, 9]])
    places = choose(score, 3, rows, diversity=0.5, vectors=vectors).place
    assert places.tolist() == [[0, 2, 1]]  # b: .5 * .8 - .5 * .8, c: .5 * 0 - .5 * 0
    assert choose(score, 3, rows, diversity=0.2, vectors=vectors).place.tolist() == [[0, 1, 2]]


def test_a_cap_by_hand_with_lists_of_different_length():
    groups = Groups.of(np.array([0, 1, 1, 2, 3]), np.array([5, 5, 6, 6, 9]), 4)
    rows = np.array([[0, 1, 2, 3], [1, 2, -1, -1]])
    score = np.array([[4, 3, 2, 1], [4, 3, np.nan, np.nan]], np.float32)
    chosen = choose(score, 3, rows, (Cap(groups, 1),))
    assert chosen.place.tolist() == [[0, 2, 3], [0, -1, -1]]
    assert chosen.barred.tolist() == [[False, True, False, False], [False, True, False, False]]


def test_a_cap_looks_deeper_where_the_first_items_do_not_fill_a_list(served, monkeypatch):
    from trefoil.fusion.requests import listing

    whole = served.recommend("u0", k=8, per={"MADE_BY": 2})
    monkeypatch.setattr(listing, "POOL", 2)
    monkeypatch.setattr(listing, "DEEPER", 2)
    assert items(served.recommend("u0", k=8, per={"MADE_BY": 2})) == items(whole)
    assert len(whole) == 8


def test_pages_follow_each_other(served):
    whole = items(served.recommend("u0", k=12, per={"kind": 6}, pin={7: "i3-3"}))
    pages = [
        items(served.recommend("u0", k=4, offset=at, per={"kind": 6}, pin={7: "i3-3"}))
        for at in (0, 4, 8)
    ]
    assert [one for page in pages for one in page] == whole
    assert served.recommend("u0", k=4, offset=100) == []
    table = served.recommend_many(["u0"], k=4, offset=4)
    assert table["rank"].to_list() == [5, 6, 7, 8]


def test_shares_add_up_to_the_score(served):
    plain = served.recommend("u0", k=5)
    assert plain[0].shares is None
    names = set(served.state.scorer.parts.names)
    for call in ({}, {"boost": [{"where": {"kind": "kind 1"}, "by": 2.0}]}, {"history": ["i1-1"]}):
        for one in served.recommend("u0", k=5, shares=True, **call):
            assert sum(one.shares.values()) == pytest.approx(one.score, abs=2e-3)
            assert set(one.shares) <= names | {"other"}
    shown = served.recommend("u0", k=5, shares=True)
    assert items(shown) == items(plain)


def test_many_are_dealt_as_one_by_one(served):
    rules = {
        "where": {"price": {"<": 31}},
        "per": {"MADE_BY": 2},
        "diversity": 0.4,
        "pin": {2: "i1-5"},
        "boost": [{"where": {"kind": "kind 2"}, "by": 0.5}],
        "likes": ["i2-2"],
        "dislikes": ["i0-1"],
        "without": ["i1-1"],
    }
    users = [f"u{user}" for user in range(9)] + ["nobody"]
    table = served.recommend_many(users, k=5, batch=4, **rules)
    for user, part in table.group_by("user"):
        assert part["item"].to_list() == items(served.recommend(user[0], k=5, **rules))


def test_many_are_told_reasons_and_shares_as_one_by_one(served):
    users, call = ["u0", "u5", "nobody"], {"likes": ["i2-2"], "per": {"kind": 2}, "offset": 1}
    table = served.recommend_many(users, k=4, reasons=2, shares=True, **call)
    for user in users:
        part = table.filter(pl.col("user") == user)
        one = served.recommend(user, k=4, reasons=2, shares=True, **call)
        assert part["why"].to_list() == [found.why for found in one]
        told = [[reason.text for reason in found.reasons] for found in one]
        assert part["reasons"].to_list() == told
        assert any(told)
        for row, found in zip(part.to_dicts(), one, strict=True):
            own = {name[6:]: x for name, x in row.items() if name.startswith("share ")}
            assert own.keys() >= found.shares.keys()
            assert own == pytest.approx({**dict.fromkeys(own, 0.0), **found.shares}, abs=2e-3)
            assert sum(own.values()) == pytest.approx(row["score"], abs=1e-5)


def test_a_table_has_the_columns_that_were_asked_for(served):
    assert served.recommend_many(["u0"], k=2).columns == ["user", "rank", "item", "title", "score"]
    assert served.recommend_many(["u0"], k=2, reasons=1).columns[5:] == ["why"]
    nobody = served.recommend_many([], reasons=2, shares=True)
    names = [f"share {one}" for one in (*served.state.scorer.parts.names, "other")]
    assert nobody.columns[5:] == ["why", "reasons", *names]
    with pytest.raises(DataError, match="a column 'why' of its own"):
        served.recommend_many(pl.DataFrame({"user": ["u0"], "why": ["so"]}), reasons=1)


def test_shares_of_an_item_that_came_later_are_all_other(recommender):
    recommender.add_items(pl.DataFrame({"id": ["new"], "title": ["New"], "kind": ["kind 1"]}))
    row = recommender.recommend_many(["u0"], only=["new"], shares=True).to_dicts()[0]
    told = [value for name, value in row.items() if name.startswith("share ")]
    assert told == [0.0] * (len(told) - 1) + [row["score"]]


def test_an_answer_tells_why_it_is_short(recommender):
    served = recommender
    dropped = served.recommend("u0", k=40).dropped
    assert (dropped.seen, dropped.short) == (len(set(met(served))), len(set(met(served))))
    own = set(met(served))
    one = next(iter(own))
    answer = served.recommend("u0", k=40, without=["i3-3", one], only=[*own, "i3-3", "i3-4"])
    told = answer.dropped
    assert (told.without, told.only, told.seen) == (2, 40 - len(own) - 2, len(own) - 1)
    assert len(answer) + told.short == 40
    assert str(told) == (
        f"{told.short} fewer than asked for; 2 left out by the call, {told.only} not among those "
        f"to choose from, {told.seen} seen before"
    )
    served.remove_items(["i3-4"])
    assert served.recommend("u0", k=40).dropped.removed == 1


def test_an_answer_names_its_state_and_has_a_name_of_its_own(served):
    one, other = served.recommend("u0"), served.recommend("u0")
    assert one.state == served.state.token
    assert one.model == "shop"
    assert one.id != other.id
    assert one.id == one.id
    assert one[0].why == one[0].reasons[0].text


def test_a_request_of_json_is_the_call(served):
    said = {"user": "u0", "k": 3, "where": {"price": {"<": 21}}, "pin": {"1": "i3-3"}}
    assert served.answer(Request.of(said)) == served.recommend(**said)
    with pytest.raises(ConfigError, match=r"a request has no 'were'; did you mean 'where'\?"):
        Request.of({"were": {}})


@pytest.mark.parametrize(
    ("call", "named"),
    [
        ({"least": [{"where": {}}]}, "give share, and where or popularity"),
        ({"least": [{"popularity": "odd", "share": 0.1}]}, "least popularity = 'odd'"),
        ({"diversity": 1.5}, "diversity = 1.5: give a number from 0 to 1"),
        ({"offset": -1}, "offset = -1"),
        ({"boost": [{"by": 1}]}, "boost = {'by': 1}"),
        ({"boost": [{"where": {}, "by": 1e9}]}, "boost by = 1000000000.0"),
        ({"pin": {0: "i0-1"}}, "pin: a place = 0"),
        ({"pin": {1: "i0-1", "1": "i0-2"}}, "place 1 has an item already"),
        ({"pin": {10**30: "i0-1"}}, "is beyond 1,000,000,000"),
        ({"per": {"kind": 0}}, "per kind = 0"),
    ],
)
def test_rules_without_a_meaning_are_refused_by_name(served, call, named):
    with pytest.raises(ConfigError, match=re.escape(named)):
        served.recommend("u0", **call)
