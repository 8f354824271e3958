"""Blank nodes get names from what is said of them."""

import random

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trefoil.kg.triples.rdf import read_triples


def read(folder, *texts, suffix=".nt"):
    paths = []
    for at, text in enumerate(texts):
        paths.append(folder / f"{random.random()}-{at}{suffix}")
        paths[-1].write_text(text)
    return read_triples(paths)


def statements(triples):
    e, r = triples.entities, triples.relations
    return sorted(
        (e[h], r[k], e[t])
        for h, k, t in zip(triples.head, triples.relation, triples.tail, strict=True)
    )


def line(s, p, o):
    return f"{s} <http://e/{p}> {o} .\n"


def renamed(lines, seed):
    """The same graph with other labels, in another order."""
    chance = random.Random(seed)
    labels = [f"x{i}" for i in range(20)]
    chance.shuffle(labels)
    out = []
    for one in lines:
        for old in range(20):
            one = one.replace(f"_:b{old} ", f"_:{labels[old]} ")
        out.append(one)
    chance.shuffle(out)
    return "".join(out)


def test_names_depend_on_neither_labels_nor_order(tmp_path):
    lines = [
        line("_:b0 ", "knows", "_:b1 "),
        line("_:b1 ", "knows", "_:b2 "),
        line("_:b2 ", "name", "<http://e/end>"),
        line("_:b3 ", "name", "<http://e/end>"),
    ]
    reference = statements(read(tmp_path, "".join(lines)))
    for seed in range(6):
        assert statements(read(tmp_path, renamed(lines, seed))) == reference


def test_nodes_of_which_the_same_is_said_stay_apart(tmp_path):
    triples = read(tmp_path, line("_:b0", "p", "<http://e/o>") + line("_:b1", "p", "<http://e/o>"))
    assert len(triples.entities) == 3


def test_equal_labels_in_two_files_are_two_nodes(tmp_path):
    triples = read(tmp_path, line("_:b0", "p", "<http://e/x>"), line("_:b0", "p", "<http://e/y>"))
    assert len(triples.entities) == 4


def test_a_label_never_meets_an_iri(tmp_path):
    triples = read(tmp_path, line("_:b0", "p", "<b0:>") + line("<b0:>", "p", "<http://e/o>"))
    assert len(triples.entities) == 3


@pytest.mark.parametrize("rings", [(3, 3), (6,), (4, 4, 4)])
def test_alike_and_linked_nodes_are_told_apart_the_same_way(tmp_path, rings):
    lines, first = [], 0
    for size in rings:
        lines += [
            line(f"_:b{first + at} ", "next", f"_:b{first + (at + 1) % size} ")
            for at in range(size)
        ]
        first += size
    results = {tuple(statements(read(tmp_path, renamed(lines, seed)))) for seed in range(8)}
    assert len(results) == 1
    assert len(next(iter(results))) == sum(rings)


def test_anonymous_nodes_read_the_same_twice(tmp_path):
    text = "@prefix : <http://e/> . :a :b [ :c ( 1 2 [ :d :e ] ) ], [ :c 3 ] ."
    one, two = (read(tmp_path, text, suffix=".ttl") for _ in range(2))
    assert statements(one) == statements(two)
    assert one.literals.equals(two.literals)


edges = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from("pq"), st.integers(0, 7)), min_size=1, max_size=12
)


@settings(max_examples=60, deadline=None)
@given(edges, st.integers(0, 99))
def test_any_small_graph_keeps_its_shape_and_its_names(tmp_path_factory, pairs, seed):
    folder = tmp_path_factory.mktemp("blank")
    lines = [line(f"_:b{s} ", p, f"_:b{o} " if o < 6 else f"<http://e/{o}>") for s, p, o in pairs]
    found = read(folder, "".join(lines))
    assert statements(found) == statements(read(folder, renamed(lines, seed)))
    data = ox.Dataset(ox.parse("".join(lines), format=ox.RdfFormat.N_TRIPLES))
    rebuilt = ox.Dataset(
        ox.Quad(_node(s), ox.NamedNode(p), _node(o)) for s, p, o in statements(found)
    )
    for one in (data, rebuilt):
        one.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    assert data == rebuilt


def _node(text):
    blank = text.startswith("urn:trefoil:blank:")
    return ox.BlankNode("n" + text.rpartition(":")[2]) if blank else ox.NamedNode(text)
