"""What is a fact or a number of an item, and what is not."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from trefoil.data import Vocabulary
from trefoil.kg.graph import Edges, KnowledgeGraph, Nodes
from trefoil.kg.item_facts import item_facts
from trefoil.kg.item_numbers import item_numbers


def test_an_edge_towards_an_item_is_a_fact_under_its_inverse():
    """A person who directed two items is named by both, as ^DIRECTED."""
    nodes = {
        "Item": Nodes(Vocabulary(["a", "b"]), pl.DataFrame({"name": ["A", "B"]})),
        "Person": Nodes(Vocabulary(["p"]), pl.DataFrame({"name": ["P"]})),
    }
    ends = np.array([0, 0]), np.array([0, 1])
    edges = {("Person", "DIRECTED", "Item"): Edges(*ends, pl.DataFrame({"year": [1, 2]}))}
    facts = item_facts(KnowledgeGraph(nodes, edges))
    assert [facts.relations[code] for code in facts.relation] == ["^DIRECTED"]
    assert facts.entities == (("Person", 0),)
    assert facts.matrix.toarray().tolist() == [[1.0], [1.0]]


def test_numbers_of_items_are_columns_and_identifiers_are_not():
    years = [1979, 1979, None, 1995] * 20
    table = pl.DataFrame(
        {
            "name": [str(row) for row in range(80)],
            "year": years,
            "released": [one and date(one, 7, 2) for one in years],
            "length": pl.Series(
                [[timedelta(hours=1), timedelta(hours=2)], None, [timedelta(0)], None] * 20
            ),
            "price": [9.5, 12.0] * 40,
            "imdb": list(range(80)),
            "rare": pl.Series([1.5, 2.5]).extend(pl.Series([None] * 78, dtype=pl.Float64)),
            "constant": [3] * 80,
        }
    )
    nodes = Nodes(Vocabulary([str(row) for row in range(80)]), table)
    found = item_numbers(KnowledgeGraph({"Item": nodes}, {}))
    assert list(found) == ["price", "released", "year", "length"]
    np.testing.assert_equal(found["year"][:4], np.array([1979, 1979, np.nan, 1995]))
    np.testing.assert_allclose(found["released"][[0, 3]], [1979.5, 1995.5], atol=0.01)
    assert found["length"][0] == 5400
