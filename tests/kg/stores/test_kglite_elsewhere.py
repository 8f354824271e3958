"""The engine in a process of its own: what is asked there is answered as it is here."""

from __future__ import annotations

import datetime as dt
import math
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import polars as pl
import pytest
from graph_strategies import films
from hypothesis import given, settings
from hypothesis import strategies as st

from trefoil.data.errors import StoreError
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.graph import KnowledgeGraph, Nodes
from trefoil.kg.stores.comparison import differences
from trefoil.kg.stores.embedded.store import EmbeddedStore
from trefoil.kg.stores.kglite import library, store
from trefoil.kg.stores.kglite.card import FILE
from trefoil.kg.stores.kglite.elsewhere import GraphElsewhere
from trefoil.kg.stores.kglite.served import decoded, encoded
from trefoil.kg.stores.kglite.store import KgliteStore
from trefoil.kg.stores.open import open_store, write_graph

ROOT = Path(__file__).parents[3]
SLOW = "UNWIND range(1, 1000000) AS x UNWIND range(1, 1000000) AS y RETURN sum(x + y) AS s"
FILMS = len(films().nodes["Item"])
QUESTIONS = (
    "MATCH (n) RETURN n ORDER BY n.id",
    "MATCH p = (a:Item)-[r*1..2]->(b) RETURN p, r, length(p) AS steps ORDER BY a.id, b.id",
    "MATCH (a)-[r]->(b) RETURN type(r) AS type, a.id AS a, b.id AS b ORDER BY type, a, b",
    "RETURN date('2020-02-29') AS d, localdatetime('2020-01-01T10:00:00.5') AS m, 1.5 AS f,"
    " datetime('2020-01-01T10:00:00+02:00') AS z, time('10:00:00+01:00') AS t, null AS nothing,"
    " duration('P1DT2S') AS l, duration('P1M') AS months, [1, {a: [true, 'é']}] AS deep",
)


@pytest.fixture
def no_room(monkeypatch):
    monkeypatch.setattr(library, "has_room", lambda: False)
    monkeypatch.setattr(store, "has_room", lambda: False)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    write_graph(films(), folder / "graph")
    return folder


@pytest.mark.usefixtures("no_room")
def test_answers_are_the_same_as_in_this_process(run, monkeypatch):
    with KgliteStore(run) as there:
        found = [there.query(cypher) for cypher in QUESTIONS]
        assert isinstance(there.engine.graph, GraphElsewhere)
        assert there.verify(films()) == []
    monkeypatch.undo()
    with KgliteStore(run) as here:
        assert not isinstance(here.engine.graph, GraphElsewhere)
        for cypher, table in zip(QUESTIONS, found, strict=True):
            due = here.query(cypher)
            assert table.schema == due.schema
            assert table.equals(due)


@pytest.mark.usefixtures("no_room")
def test_a_graph_is_built_there_whatever_else_has_our_name(tmp_path, monkeypatch):
    for name in ("trefoil", "data", "kg"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('another module was imported')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "kglite", None)
    write_graph(films(), tmp_path / "graph")
    with open_store(tmp_path / "graph") as opened:
        assert differences(opened.read(), films()) == []
        assert opened.query("MATCH (n:Item) RETURN count(*) AS n").item() == FILMS
    monkeypatch.undo()
    with open_store(tmp_path / "graph") as opened:
        assert opened.verify(films()) == []


@pytest.mark.usefixtures("no_room")
def test_a_file_of_another_engine_is_built_again_there(tmp_path):
    write_graph(films(), tmp_path / "graph")
    with open_store(tmp_path) as opened:
        (tmp_path / "graph" / FILE).write_bytes(b"a later format")
        assert opened.query("MATCH (n:Item) RETURN count(*) AS n").item() == FILMS


@pytest.mark.usefixtures("no_room")
def test_statements_that_write_are_kept(tmp_path):
    write_graph(films(), tmp_path / "graph")
    with open_store(tmp_path, read_only=False) as opened:
        opened.query("CREATE (:Item {id: 'new', name: $name})", write=True, name="A new one")
        with pytest.raises(StoreError, match="NOT NULL"):
            opened.query("CREATE (:Item {name: 'without an id'})", write=True)
        assert opened.query("MATCH (n:Item) RETURN count(*) AS n").item() == FILMS + 1
    with open_store(tmp_path) as opened:
        assert opened.query("MATCH (n {id: 'new'}) RETURN n.name AS name").item() == "A new one"


@pytest.mark.usefixtures("no_room")
def test_faults_and_limits_are_those_of_the_store(run):
    with open_store(run) as opened:
        with pytest.raises(StoreError, match="longer than"):
            opened.query(SLOW, timeout_s=0.2)
        with pytest.raises(StoreError, match="cannot be given"):
            opened.query("RETURN $x AS x", x={1, 2})
        with pytest.raises(StoreError, match="signed 64-bit"):
            opened.query("RETURN $x AS x", x=2**70)
        with pytest.raises(StoreError, match="division by zero"):
            opened.query("MATCH (n:Item) RETURN 1 / 0 AS x")
        assert opened.ask("UNWIND range(1, 50) AS x RETURN x", limit=3).cut
        assert opened.query("RETURN 1 AS n").item() == 1


@pytest.mark.usefixtures("no_room")
def test_a_process_that_ends_or_is_interrupted_is_begun_again(run):
    with KgliteStore(run) as opened:
        process = opened.engine.graph._process
        process.kill()
        process.wait()
        assert opened.query("RETURN 1 AS n").item() == 1
        first = opened.engine.graph._process.pid
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            opened.query(SLOW)
        assert opened.query("RETURN 2 AS n").item() == 2
        last = opened.engine.graph._process
        assert last.pid != first
    assert last.returncode is not None


@pytest.mark.usefixtures("no_room")
def test_threads_take_turns(run):
    with open_store(run) as opened:
        found: list[int] = []
        ask = [
            threading.Thread(
                target=lambda k=k: found.append(opened.query("RETURN $k AS k", k=k).item())
            )
            for k in range(20)
        ]
        for thread in ask:
            thread.start()
        for thread in ask:
            thread.join()
    assert sorted(found) == list(range(20))


@pytest.mark.usefixtures("no_room")
def test_large_integers_go_to_the_other_store_there_too(tmp_path):
    column = pl.DataFrame({"n": pl.Series([2**63], dtype=pl.UInt64)})
    write_graph(KnowledgeGraph({"Item": Nodes(Vocabulary(["a"]), column)}, {}), tmp_path / "graph")
    with open_store(tmp_path) as opened:
        assert isinstance(opened, EmbeddedStore)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    | st.dates() | st.times() | st.datetimes(timezones=st.none() | st.just(dt.UTC))
    | st.timedeltas(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(values)
@settings(max_examples=40, deadline=None)
def test_every_value_crosses_the_pipe(value):
    assert decoded(encoded(value)) == value


def test_infinities_cross_and_other_kinds_are_refused():
    assert decoded(encoded(math.inf)) == math.inf
    with pytest.raises(TypeError, match="bytes"):
        encoded([b"x"])


@pytest.mark.parametrize("first", ["torch, sklearn.linear_model", "trefoil.kg.stores.open"])
def test_questions_and_learning_share_a_process_without_a_variable(run, first):
    """The libraries of both have no room beside each other, whichever comes first."""
    code = (
        f"import {first}\n"
        "from trefoil import open_store\n"
        f"with open_store({str(run)!r}) as store:\n"
        f"    assert store.query('MATCH (n:Item) RETURN count(*) AS n').item() == {FILMS}\n"
        "import torch, sklearn.linear_model, polars, pandas\n"
        "assert torch.ones(2).sum() == 2\n"
        "sklearn.linear_model.Ridge().fit([[0.0], [1.0]], [0.0, 1.0])\n"
    )
    bare = {name: value for name, value in os.environ.items() if name != "GLIBC_TUNABLES"}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=bare, timeout=300)
