"""A query of events tells labels, keys and the way from users to items."""

import pytest

from trefoil.data.dataset import EventQuery
from trefoil.kg.construction.event_query import Step, named_in


def test_one_relationship_is_one_step():
    text = "MATCH (u:User)-[r:RATED]->(m:Movie) RETURN u.userId AS user, m.movieId AS item"
    named = named_in(EventQuery(text, "user", "item"))
    assert named.user == ("User", "userId")
    assert named.item == ("Movie", "movieId")
    assert named.steps == (Step(("RATED",), True, "Movie"),)
    assert named.keys == {"User": "userId", "Movie": "movieId"}


def test_events_through_a_node_are_two_steps():
    text = """MATCH (c:Customer)-[:PURCHASED]->(o:Order {paid: true})
    MATCH (o)-[d:ORDERS]->(p:Product)-[:PART_OF]->(:Category)
    WHERE d.quantity > 1
    RETURN toString(c.customerID) AS user, p.`product id` AS item, o.at AS time"""
    named = named_in(EventQuery(text, "user", "item"))
    assert named.keys == {"Customer": "customerID", "Product": "product id"}
    assert named.steps == (Step(("PURCHASED",), True, "Order"), Step(("ORDERS",), True, "Product"))


def test_direction_alternatives_and_columns_without_a_name():
    text = "MATCH (m:Movie)<-[:RATED|LIKED]-(u) RETURN u.id, m.id"
    named = named_in(EventQuery(text, "u.id", "m.id"))
    assert named.user == (None, "id")
    assert named.steps == (Step(("RATED", "LIKED"), True, "Movie"),)


@pytest.mark.parametrize(
    "text",
    [
        "MATCH (n) RETURN n.a AS user, n.b AS item",
        "MATCH (u:User)-[:RATED]->(m) WITH u.id AS user, m.id AS i RETURN user, i + 1 AS item",
        "UNWIND $rows AS row RETURN row AS user",
        "MATCH (u RETURN 'open",
        "",
    ],
)
def test_what_is_not_plain_tells_nothing(text):
    assert named_in(EventQuery(text, "user", "item")) is None
