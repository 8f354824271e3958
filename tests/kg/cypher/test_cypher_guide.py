"""What docs/cypher.md promises: each of its questions has an answer on the demo."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from trefoil.data import read_dataset
from trefoil.kg.construction.build import build
from trefoil.kg.cypher.tokens import tokens_of
from trefoil.kg.shell.picture import Drawing
from trefoil.kg.stores.open import open_store, write_graph

GUIDE = (Path(__file__).parents[3] / "docs/cypher.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```cypher\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture(scope="module")
def graph():
    dataset = read_dataset("demo")
    return build(dataset, np.arange(len(dataset.interactions)))


@pytest.fixture(scope="module")
def store(graph, tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    write_graph(graph, run / "graph")
    with open_store(run) as opened:
        yield opened


def test_there_are_twelve():
    assert len(BLOCKS) == 12


@pytest.mark.parametrize("number", range(1, 13))
def test_each_question_has_an_answer_on_the_demo(store, number):
    table = store.query(BLOCKS[number - 1])
    assert len(table)
    # every column is named on purpose, and by hand: Rashomon has one director
    assert not [name for name in table.columns if "(" in name]
    if number == 2:
        assert ("DIRECTOR", "Akira Kurosawa") in table.rows()
    if number == 10:
        assert Drawing.of(table).edges


def test_the_schema_of_the_demo_is_as_listed(store):
    schema = store.schema()
    rows = re.findall(r"^\| (`[A-Z]\w+`.*?) \| (`[A-Z_]+`.*?) \|$", GUIDE, re.MULTILINE)
    names = [re.findall(r"`(\w+)`", text) for row in rows for text in row]
    labels = {name for part in names[0::2] for name in part}
    types = {name for part in names[1::2] for name in part}
    assert labels | {"User", "Item"} == set(schema.labels)
    assert types | {"INTERACTED"} == set(schema.types)


@pytest.mark.neo4j
def test_the_same_answers_come_from_neo4j(neo4j, store):
    names = list(store.schema().labels)
    with neo4j.store() as server:
        if server._run("MATCH (n) WHERE any(l IN labels(n) WHERE l IN $l) RETURN 1", l=names):
            pytest.skip("the server holds nodes of somebody with labels of the demo")
        try:
            server.write(store.read())
            for block in BLOCKS:
                one, other = server.query(block), store.query(block)
                assert one.columns == other.columns
                if any(token.word == "ORDER" for token in tokens_of(block)):
                    assert rows_of(one) == rows_of(other), block
                else:
                    assert len(one) == len(other)
        finally:
            server._write(
                [
                    (
                        "MATCH (n) WHERE any(l IN labels(n) WHERE l IN $l) DETACH DELETE n",
                        {"l": names},
                    )
                ]
            )


def rows_of(table) -> list[tuple]:
    """Rows with lists sorted, for they are collected in any order, and floats to 6 digits."""

    def cell(value):
        if isinstance(value, list):
            return sorted(value)
        return round(value, 6) if isinstance(value, float) else value

    return [tuple(map(cell, row)) for row in table.rows()]
