"""``where`` limits a list to what it says; what nothing has fits nothing, and is told."""

import re
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from trefoil.data.errors import ConfigError


def items(answer):
    return {one.item for one in answer}


def fitting(served, where):
    """All items that fit, by asking for all of them."""
    return items(served.recommend(k=100, where=where, reasons=0))


class One(NamedTuple):
    """An item as ``planted_shop`` has it."""

    maker: int
    number: int

    @property
    def price(self):
        return 10 * self.maker + self.number % 3


def every(test):
    """Ids of the items for which a test holds."""
    shop = [One(maker, number) for maker in range(4) for number in range(10)]
    return {f"i{one.maker}-{one.number}" for one in shop if test(one)}


@pytest.mark.parametrize(
    ("where", "test"),
    [
        ({"kind": "kind 1"}, lambda o: o.number % 3 == 1),
        ({"kind": ["kind 1", "kind 2"]}, lambda o: o.number % 3),
        ({"kind": {"!=": "kind 1"}}, lambda o: o.number % 3 != 1),
        ({"kind": {"not in": ["kind 0", "kind 1"]}}, lambda o: o.number % 3 == 2),
        ({"price": 11}, lambda o: o.price == 11),
        ({"price": [11, 12.0, "21"]}, lambda o: o.price in (11, 12, 21)),
        ({"price": {">=": 11, "<": 21}}, lambda o: 11 <= o.price < 21),
        ({"price": {"<": 21}, "kind": "kind 1"}, lambda o: o.price < 21 and o.number % 3 == 1),
        (
            {"any": [{"price": {">": 31}}, {"id": "i0-0"}]},
            lambda o: o.price > 31 or (o.maker, o.number) == (0, 0),
        ),
        ({"not": {"price": {"<=": 20}}}, lambda o: o.price > 20),
        ({"title": "Title i2-3"}, lambda o: (o.maker, o.number) == (2, 3)),
        ({"MADE_BY": "Ada"}, lambda o: o.maker == 0),
        ({"made_by": {"!=": "Ada"}, "IN_YEAR": "year2"}, lambda o: o.maker and o.number % 5 == 2),
        ({"path": "(i)-[:MADE_BY]->({name: 'Ada'})"}, lambda o: o.maker == 0),
        (
            {"path": ["(i)-[:MADE_BY]->({name: 'Ada'})", "(i)-[:IN_YEAR]->({name: 'year1'})"]},
            lambda o: o.maker == 0 and o.number % 5 == 1,
        ),
        ({}, lambda _: True),
        ({"any": []}, lambda _: False),
        ({"kind": []}, lambda _: False),
    ],
)
def test_a_list_holds_what_fits_and_nothing_else(served, where, test):
    wanted = every(test)
    answer = served.recommend(k=100, where=where, reasons=0)
    assert items(answer) == wanted
    assert answer.dropped.where == 40 - len(wanted)
    assert answer.dropped.unknown == ()


def test_filtered_lists_keep_the_order_and_the_rank_is_by_the_whole_catalogue(served):
    whole = [one.item for one in served.recommend("u3", k=40)]
    some = served.recommend("u3", k=4, where={"kind": "kind 1"})
    assert [one.item for one in some] == [one for one in whole if int(one[3:]) % 3 == 1][:4]


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ({"kind": ["kind 1", "kind 9"]}, "where kind=kind 9"),
        ({"price": 7}, "where price=7"),
        ({"price": "dear"}, "where price=dear"),
        ({"MADE_BY": "Nobody"}, "where MADE_BY=Nobody"),
        ({"colour": "red"}, "where colour: there is 'kind', 'price', 'id', 'title'"),
        ({"path": "(i)-[:MADE]->(:Robot)"}, "where path: label Robot"),
    ],
)
def test_what_nothing_has_is_told_and_never_raises(served, where, told):
    answer = served.recommend("u0", where=where)
    assert any(one.startswith(told) for one in answer.dropped.unknown)
    assert items(answer) <= every(lambda o: o.number % 3 == 1)
    assert len(served.recommend_many(["u0", "u1"], where=where)) <= 2 * 10


@pytest.mark.parametrize(
    ("where", "named"),
    [
        ({"price": {"=>": 3}}, "compare by >=, >, <=, < together"),
        ({"price": {"=": 3, ">": 2}}, "where price = "),
        ({"price": {}}, "where price = {}"),
        ({"price": {"<": 10**400}}, "where price: a number of more than 300 digits"),
        ({"price": None}, "where price = None"),
        ({"price": {">": [1]}}, "where price = [1]"),
        ({"any": {"price": 3}}, "where any = "),
        ({"not": 3}, "where = 3"),
        ({"path": 3}, "where path = 3"),
        ({"path": "(i"}, "')' is expected"),
        ({"MADE_BY": {">": "A"}}, "where MADE_BY"),
    ],
)
def test_what_is_no_filter_is_refused_by_name(served, where, named):
    with pytest.raises(ConfigError, match=re.escape(named)):
        served.recommend("u0", where=where)


def test_text_is_no_filter(served):
    with pytest.raises(ConfigError, match="where = 'noir': give a mapping"):
        served.state.fitting("noir")


def test_a_filter_that_is_nested_without_end_is_refused(served):
    where: dict = {"price": 1}
    for _ in range(20):
        where = {"not": where}
    with pytest.raises(ConfigError, match="nested more than 8 deep"):
        served.recommend("u0", where=where)
    for _ in range(10_000):
        where = {"any": [where]}
    with pytest.raises(ConfigError, match="nested more than 8 deep"):
        served.recommend("u0", where=where)
    deepest: dict = {"price": {"in": [11]}}
    for _ in range(7):
        deepest = {"any": [deepest]}
    assert fitting(served, deepest) == fitting(served, {"price": 11})


def test_what_can_be_read_once_says_the_same_as_a_list(recommender):
    said = ["kind 1", "kind 2"]
    one = fitting(recommender, {"any": ({"kind": kind} for kind in said)})
    two = fitting(recommender, {"kind": (kind for kind in said)})
    assert one == two == fitting(recommender, {"kind": said}) == every(lambda o: o.number % 3)
    assert fitting(recommender, {"price": {"<": 1e300}, "kind": set(said)}) == one
    assert fitting(recommender, {"kind": said, 7: "x"}) == set()


def test_a_filter_is_remembered_until_items_come(recommender):
    import polars as pl

    state = recommender.state
    first = state.fitting({"price": 11})
    assert state.fitting({"price": 11}) is first
    recommender.add_events([("u0", "i1-1")])
    assert recommender.state.fitting({"price": 11}) is first
    recommender.add_items(pl.DataFrame({"id": ["new"], "title": ["New"], "price": [11.0]}))
    assert "new" in fitting(recommender, {"price": 11})
    assert np.packbits(first.mask).tolist() == first.bits.tolist()


def test_a_filter_is_known_once_it_was_read_and_until_an_item_changes(served):
    where, state = {"price": {">=": 12.5}, "kind": "kind 2"}, served.state
    assert state.has_read(None)
    assert not state.has_read(where)
    served.recommend(k=3, where=where, reasons=0)
    assert state.has_read({"kind": "kind 2", "price": {">=": 12.5}})
    assert not state.has_read({**where, "kind": "kind 1"})
    other = replace(state, catalogue=state.catalogue.described(replace(state.catalogue.items)))
    assert not other.has_read(where)
