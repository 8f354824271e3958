"""Reasons cite events that moved the item, say what they rest on, and name no other person."""

from dataclasses import replace

import numpy as np
import pytest

from trefoil.data.errors import ConfigError, GraphDataError, UnknownId
from trefoil.evaluation.protocols.protocols import full_exam
from trefoil.evaluation.ranking import rank
from trefoil.fusion.explaining.reasons import LEAST_SHARE, reasons_for
from trefoil.fusion.explaining.standing import Life
from trefoil.fusion.features.preparation import split_of
from trefoil.fusion.reporting.fidelity import exact, falls

USERS = [f"u{number}" for number in range(0, 60, 7)]


def listed(answer):
    return [one.item for one in answer]


def without_events(recommender, user, items):
    """The same recommender where a user never met some items."""
    state = recommender.state
    catalogue = state.catalogue
    rows = catalogue.items.vocabulary.rows(items)
    events = catalogue.events
    gone = (events.user == catalogue.users.row(user)) & np.isin(events.item, rows)
    kept = np.flatnonzero(~gone)
    fewer = replace(catalogue, events=events.take(kept), part=catalogue.part[kept])
    assert len(kept) < len(events)
    other = type(recommender)(recommender.settings)
    other._state = replace(state, catalogue=fewer)
    return other


def test_the_event_that_a_reason_cites_is_one_that_carried_the_item(recommender):
    state, vocabulary = recommender.state, recommender.catalogue.items.vocabulary
    seen = strong = 0
    for user in USERS:
        life = Life.of(state, recommender.catalogue.users.row(user))
        answer = recommender.recommend(user, 5, reasons=2)
        told = state.scorer.contributions(life.cases, vocabulary.rows(listed(answer)))
        history = life.cases.history
        assert history.stars is not None
        stars = dict(zip(history.item.tolist(), history.stars.tolist(), strict=True))
        liked = np.array(
            [not stars[row] < recommender.catalogue.low_below for row in told.seen.tolist()]
        )
        for one, added in zip(answer, told.value, strict=True):
            for why in one.reasons:
                at = np.searchsorted(told.seen, vocabulary.row(why.events[0]))
                assert why.adds == pytest.approx(float(added[at]), abs=1e-4)
                if liked[at] and added[liked].max() > 0:
                    strong += why.adds >= LEAST_SHARE * added[liked].max() - 1e-4
                    seen += 1
    assert strong >= 0.9 * seen  # the others: no path joins a strong event to the item
    assert seen > 40


def test_evidence_is_an_event_of_the_person_and_facts_of_the_graph(recommender):
    graph, facts = recommender.graph, 0
    for user in USERS:
        met = set(listed_history(recommender, user))
        for one in recommender.recommend(user, 5, reasons=3):
            for why in one.reasons:
                assert set(why.events) <= met
                facts += len(why.facts)
                for source, kind, target in why.facts:
                    assert any(
                        key[1] == kind and source in graph.nodes[key[0]].vocabulary
                        and target in graph.nodes[key[2]].vocabulary for key in graph.edges
                    )  # fmt: skip
                others = {node.id for node in why.nodes if node.label == "User"} - {user, ""}
                assert not others
    assert facts


def listed_history(recommender, user):
    life = Life.of(recommender.state, recommender.catalogue.users.row(user))
    return [recommender.catalogue.items.vocabulary[row] for row in life.cases.history.item]


@pytest.mark.parametrize("user", USERS[:4])
def test_what_if_is_the_list_of_somebody_who_never_met_the_item(recommender, user):
    gone = listed_history(recommender, user)[:1]
    told = recommender.what_if(user, without=gone, k=6)
    other = without_events(recommender, user, gone).recommend(user, 6, reasons=0)
    assert [one.item for one in told.after] == listed(other)
    assert [one.score for one in told.after] == pytest.approx([one.score for one in other])
    now = recommender.recommend(user, 6, reasons=0)
    assert [one.item for one in told.before] == listed(now)
    before = {one.item: one.before for one in told.moves}
    assert [before[one.item] for one in now] == [1, 2, 3, 4, 5, 6]
    after = {one.item: one.after for one in told.moves}
    assert [after[one.item] for one in other] == [1, 2, 3, 4, 5, 6]
    if gone[0] in after:  # it was hidden, and is a candidate then
        assert before[gone[0]] is None


def test_what_if_somebody_met_more_is_the_list_with_that_history(recommender):
    more = ["i2-1", "i2-4"]
    told = recommender.what_if(with_=more, k=5)
    other = recommender.recommend(history=more, k=5, reasons=0, seen="hide")
    assert [one.item for one in told.after] == listed(other)
    assert [one.item for one in told.before] == listed(recommender.recommend(k=5, reasons=0))
    assert "→" in str(told)


def test_what_if_a_fact_did_not_hold_is_the_list_without_that_fact(recommender):
    told = recommender.recommend("u0", 8, reasons=3)
    items = recommender.catalogue.items.vocabulary
    facts = {fact for one in told for why in one.reasons for fact in why.facts}
    mine = sorted(fact for fact in facts if fact[0] in items and fact[2] not in items)
    assert mine
    before, state = listed(told), recommender.state
    found = recommender.what_if("u0", without_facts=mine, k=8)
    assert [one.item for one in found.before] == before
    assert recommender.state is state  # nothing was changed
    recommender.remove_triples(mine)
    after = recommender.recommend("u0", 8, reasons=0)
    assert [one.item for one in found.after] == listed(after)
    assert [one.score for one in found.after] == pytest.approx([one.score for one in after])
    assert [one.score for one in found.before] != [one.score for one in found.after]
    with pytest.raises(GraphDataError, match="does not say so"):
        recommender.what_if("u0", without_facts=mine)


def test_what_was_met_and_not_liked_was_met(recommender):
    catalogue = recommender.catalogue
    columns = {**catalogue.columns, "positive_from": 3}
    recommender.become(replace(recommender.state, catalogue=replace(catalogue, columns=columns)))
    recommender.add_events([{"user": "u0", "item": "i2-7", "stars": 1}])
    told = recommender.what_if("u0", without=["i2-7", "i2-8"], k=40)
    assert told.not_met == ("i2-8",)
    assert next(one for one in told.moves if one.item == "i2-7").before is None


def test_what_if_says_what_changes_nothing(recommender):
    met = listed_history(recommender, "u0")
    other = next(one for one in recommender.catalogue.items.vocabulary.ids if one not in met)
    told = recommender.what_if("u0", without=[other])
    assert told.not_met == (other,)
    assert told.before == told.after
    assert str(told) == "nothing moves"
    with pytest.raises(ConfigError, match="without="):
        recommender.what_if("u0")
    with pytest.raises(UnknownId):
        recommender.what_if("u0", without=["no such item"])


def test_why_not_tells_place_score_and_who_holds_the_item_back(recommender):
    order = recommender.recommend("u7", 30, reasons=0)
    told = recommender.why_not("u7", order[20].item, k=5)
    assert (told.listed, told.kept_out, told.place) == (False, None, 21)
    assert told.score == pytest.approx(order[20].score)
    assert (told.last, told.last_score) == (order[4].item, pytest.approx(order[4].score))
    assert told.models
    assert all(one.there > one.here for one in (*told.models, *told.events))
    mine, theirs = (recommender.shares("u7", one) for one in (told.item, told.last))
    for one in told.models:
        assert one.here == pytest.approx(mine[one.name], abs=1e-5)
        assert one.there == pytest.approx(theirs[one.name], abs=1e-5)
    assert told.reasons[0].nodes[-1].id == told.last
    assert "stands at place 21" in str(told)


def test_why_not_tells_what_keeps_an_item_out(recommender):
    assert recommender.why_not("u7", recommender.recommend("u7", 3)[1].item, k=3).listed
    seen = listed_history(recommender, "u7")[0]
    told = recommender.why_not("u7", seen)
    assert told.kept_out == "seen"
    assert told.place >= 1
    assert "was met before" in str(told)
    gone = recommender.recommend("u7", 1)[0].item
    recommender.remove_items([gone])
    told = recommender.why_not("u7", gone)
    assert (told.kept_out, told.place) == ("removed", 1)
    with pytest.raises(UnknownId):
        recommender.why_not("nobody", gone)
    assert recommender.why_not(None, seen).title  # for someone never seen


def test_shares_add_up_to_the_score_where_nothing_is_dealt_anew(recommender):
    one = recommender.recommend("u7", 1, reasons=0)[0]
    shares = recommender.shares("u7", one.item)
    parts = recommender.state.scorer.parts
    assert set(shares) == set(parts.names)
    if parts.reranking is None:
        assert sum(shares.values()) == pytest.approx(one.score, abs=1e-3)


def test_reasons_that_cite_what_carried_the_item_are_truer_than_others(recommender, shop):
    split = split_of(shop, recommender.settings)
    exam = full_exam(shop, split, "valid")
    ranks, rows = rank(recommender, exam, 5), np.arange(len(exam))
    state, vocabulary = recommender.state, recommender.catalogue.items.vocabulary
    cited = np.full(ranks.top.shape, -1)
    weakest = cited.copy()
    for row in rows.tolist():
        case, top = exam.cases.take(np.array([row])), ranks.top[row]
        told = state.scorer.contributions(case, top)
        weakest[row] = told.seen[told.value.argmin(1)]
        for at, own in enumerate(reasons_for(state, case, top, 1)):
            if own:
                cited[row, at] = vocabulary.row(own[0].events[0])
    assert (cited >= 0).mean() > 0.9
    true = falls(state, exam, rows, ranks.top, cited)
    assert true.cited.mean() > max(2 * true.drawn.mean(), 0)  # drawn events may add nothing
    assert falls(state, exam, rows, ranks.top, weakest).marks()["fall-cited"] < true.drawn.mean()
    assert exact(state, exam, rows, ranks.top, cited) == 1.0
    nothing = falls(state, exam, rows, ranks.top, np.full(cited.shape, -1)).marks()
    assert np.isnan(nothing["fidelity"])
