"""What is a fact of an item, and what is not."""

import numpy as np
import polars as pl

from trefoil.data import Vocabulary
from trefoil.kg.graph import Edges, KnowledgeGraph, Nodes
from trefoil.kg.item_facts import item_facts


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
