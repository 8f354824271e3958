"""RDF there and back, HeteroData and networkx keep every node, edge, property and id."""

import logging

import polars as pl
import pyoxigraph as ox
import pytest
import rdflib
import torch
from graph_strategies import films, graphs
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import BNode, Literal, URIRef

from trefoil.data import DataReport, GraphDataError, Vocabulary
from trefoil.kg.construction.typed_graph import typed_graph
from trefoil.kg.export.rdf import statements
from trefoil.kg.graph import Edges, KnowledgeGraph, Nodes
from trefoil.kg.stores.comparison import differences
from trefoil.kg.triples.rdf import read_triples
from trefoil.kg.triples.statements import from_rdflib, ntriples_lines

E = "http://example.org/"


@settings(max_examples=120, deadline=None)
@given(graphs())
def test_hetero_data_keeps_ids_properties_and_parallel_edges(graph):
    data = graph.to_hetero_data()
    assert set(data.node_types) == set(graph.nodes)
    for label, nodes in graph.nodes.items():
        assert list(data[label].node_id) == list(nodes.vocabulary.ids)
        assert data[label].properties.equals(nodes.properties)
    for key, edges in graph.edges.items():
        ends = [edges.source.tolist(), edges.target.tolist()]
        assert data[key].edge_index.tolist() == ends
        assert data[key].properties.equals(edges.properties)
    assert data.predicates == graph.predicates


@settings(max_examples=120, deadline=None)
@given(graphs())
def test_networkx_keeps_every_node_edge_and_property(graph):
    out = graph.to_networkx()
    assert (out.number_of_nodes(), out.number_of_edges()) == (graph.node_count, graph.edge_count)
    for label, nodes in graph.nodes.items():
        for one, properties in zip(nodes.vocabulary.ids, present(nodes), strict=True):
            assert repr(out.nodes[label, one]["properties"]) == repr(properties)
    for (source, relation, target), edges in graph.edges.items():
        heads, tails = (graph.nodes[label].vocabulary.ids for label in (source, target))
        said = [
            (head, tail, values["properties"])
            for (start, head), (end, tail), values in out.edges(data=True)
            if (start, values["type"], end) == (source, relation, target)
        ]
        rows = zip(edges.source.tolist(), edges.target.tolist(), present(edges), strict=True)
        expected = [(heads[s], tails[t], properties) for s, t, properties in rows]
        assert sorted(map(repr, said)) == sorted(map(repr, expected))


def present(part):
    """The properties of each node or edge, without those that are missing."""
    rows = part.properties.to_dicts() if part.properties.width else [{}] * len(part)
    return [{k: v for k, v in row.items() if v is not None} for row in rows]


def test_hetero_data_is_what_pyg_expects():
    graph = films()
    data = graph.to_hetero_data()
    data.validate()
    events = data["User", "INTERACTED", "Item"]
    assert events.edge_index.tolist()[0] == [0, 0, 0, 1, 1, 2, 1]
    assert torch.isnan(events.stars).tolist() == [False, False, True, False, False, False, False]
    assert "at" not in events  # a whole number is missing
    assert data["Item"].num_nodes == 6
    assert data["Item"].node_id[0] == "q1"
    assert data.to("cpu").num_edges == graph.edge_count


def test_networkx_counts_parallel_edges():
    graph = films()
    out = graph.to_networkx()
    assert out.number_of_edges("X", "Y") == 0
    assert out.number_of_edges(("User", "u1"), ("Item", "q1")) == 2
    assert (out.number_of_nodes(), out.number_of_edges()) == (graph.node_count, graph.edge_count)


IRIS = st.sampled_from([E + x for x in ("a", "b", "C/d#e", "f%20g", "é")] + ["urn:x:y"])
LANGUAGE = st.sampled_from(["en", "de", "en-gb"])
XSD = "http://www.w3.org/2001/XMLSchema#"
FORMS = [
    "1", "01", "1.0", "1.50", "1e3", "true", "x", "", "-0", "0800", "INF", "1958", "1958-01",
    "-0044", "1958-01-02", "1958-01-02+01:00", "1958-01-02T03:04:05Z", "1958-01-02T03:04:05.120",
    "2000-02-03T01:00:00+02:00", "PT90M", "PT1H30M", "P1Y",
]  # fmt: skip
DATATYPES = [
    "integer", "double", "boolean", "date", "decimal", "gYear", "gYearMonth", "dateTime",
    "duration", "float", "unsignedByte",
]  # fmt: skip
LITERALS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6).map(Literal),
    st.builds(
        lambda text, tag: Literal(text, lang=tag), st.text('ab é"\\\n', max_size=4), LANGUAGE
    ),
    st.builds(
        lambda text, kind: Literal(text, datatype=URIRef(XSD + kind), normalize=False),
        st.sampled_from(FORMS),
        st.sampled_from(DATATYPES),
    ),
    st.builds(
        lambda text, kind: Literal(text, datatype=rdflib.RDF[kind], normalize=False),
        st.sampled_from(["<b>x</b> & y", "{}", "x"]),
        st.sampled_from(["XMLLiteral", "HTML", "JSON"]),
    ),
)
PREDICATES = st.sampled_from(
    [
        E + "knows",
        "http://other.org/knows",
        E + "KNOWS",
        E + "name",
        E + "id",
        "http://www.w3.org/2000/01/rdf-schema#label",
        "http://www.w3.org/2000/01/rdf-schema#comment",
        "https://schema.org/name",
    ]
)
NODES = st.one_of(IRIS.map(URIRef), st.sampled_from([BNode("x"), BNode("y"), BNode("z")]))
CLASSES = st.sampled_from(
    [E + "Person", E + "Item", "http://other.org/Person", "http://www.w3.org/2002/07/owl#Thing"]
)
STATEMENTS = st.lists(
    st.one_of(
        st.tuples(NODES, PREDICATES.map(URIRef), st.one_of(NODES, LITERALS)),
        st.tuples(NODES, st.just(rdflib.RDF.type), st.one_of(CLASSES.map(URIRef), NODES)),
    ),
    max_size=14,
)


@pytest.fixture(autouse=True, scope="module")
def _quiet():
    """rdflib logs each literal that it cannot turn into a value."""
    logger = logging.getLogger("rdflib.term")
    before = logger.level
    logger.setLevel(logging.ERROR)
    yield
    logger.setLevel(before)


def canonical(said):
    """Statements of rdflib, blank nodes named canonically (RDFC-1.0), as N-Quads."""

    def term(one):
        if isinstance(one, BNode):
            return ox.BlankNode(str(one))
        if not isinstance(one, Literal):
            return ox.NamedNode(str(one))
        if one.language:
            return ox.Literal(str(one), language=one.language)
        return ox.Literal(str(one), datatype=ox.NamedNode(str(one.datatype or XSD + "string")))

    data = ox.Dataset(ox.Quad(*map(term, one)) for one in said)
    data.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return sorted(map(str, data))


def as_rdf(said):
    out = rdflib.Graph()
    for one in said:
        out.add(one)
    return out


@settings(max_examples=250, deadline=None)
@given(STATEMENTS)
def test_rdf_to_graph_to_rdf_keeps_every_statement(said):
    before = as_rdf(said)
    graph = typed_graph(from_rdflib(before))
    assert canonical(before) == canonical(graph.to_rdf())
    data = ox.Dataset(
        ox.parse("".join(ntriples_lines(statements(graph))), format=ox.RdfFormat.N_TRIPLES)
    )
    data.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    assert canonical(before) == sorted(map(str, data))


@settings(max_examples=60, deadline=None)
@given(STATEMENTS)
def test_graph_to_rdf_to_graph_is_the_same_graph(said):
    graph = typed_graph(from_rdflib(as_rdf(said)))
    assert differences(graph, typed_graph(from_rdflib(graph.to_rdf()))) == []


def test_lexical_forms_survive_a_file(tmp_path):
    path = tmp_path / "a.nt"
    forms = ["01", "1", "1.0", "12x", "TRUE", "1e3"]
    text = "".join(
        f'<{E}s> <{E}p> "{form}"^^<{XSD}{kind}> .\n'
        for form in forms
        for kind in ("integer", "double", "boolean", "decimal")
    )
    path.write_text(text)
    lines = ntriples_lines(statements(typed_graph(read_triples(path))))
    assert sorted(lines) == sorted(text.splitlines(True))


def test_an_rdflib_dataset_is_read_with_its_named_graphs():
    data = rdflib.Dataset()
    data.graph(URIRef(E + "g")).add((URIRef(E + "a"), URIRef(E + "b"), URIRef(E + "c")))
    triples = from_rdflib(data)
    assert (len(triples), triples.counts["in a named graph"]) == (1, 1)


@pytest.mark.filterwarnings("ignore")
def test_terms_that_rdf_does_not_allow_are_refused():
    bad = rdflib.Graph()
    bad.add((URIRef("no scheme"), URIRef(E + "b"), URIRef(E + "c")))
    with pytest.raises(GraphDataError, match="rdflib graph"):
        from_rdflib(bad)


def test_nodes_without_iri_get_one_and_events_are_left_out():
    said = {tuple(map(str, one)) for one in films().to_rdf()}
    assert not any("INTERACTED" in p or "user" in p for _, p, _ in said)
    iri = "http://example.org/film/0"
    assert (iri, "http://schema.org/director", "urn:trefoil:node:Person:p1") in said
    assert (iri, "urn:trefoil:property:year", "1972") in said
    assert (
        "urn:trefoil:node:Genre:sf",
        "http://www.w3.org/2000/01/rdf-schema#label",
        "Science fiction",
    ) in said


def test_events_are_written_on_request_each_by_itself():
    out = films().to_rdf(events=True)
    stars = URIRef("urn:trefoil:stars")
    assert len(set(out.subjects(rdflib.RDF.type, URIRef("urn:trefoil:Event")))) == 7
    assert sorted(float(o) for o in out.objects(None, stars)) == [1, 2, 3, 4, 5, 5]


def test_items_that_share_an_entity_stay_apart_in_rdf():
    iri = pl.DataFrame({"iri": [E + "x", E + "x"]})
    graph = KnowledgeGraph({"Item": Nodes(Vocabulary(["1", "2"]), iri)}, {}, {}, DataReport())
    same = URIRef("http://www.w3.org/2002/07/owl#sameAs")
    assert set(graph.to_rdf()) == {
        (URIRef("urn:item:1"), same, URIRef(E + "x")),
        (URIRef("urn:item:2"), same, URIRef(E + "x")),
    }


def test_edges_out_of_range_are_refused():
    nodes = {"Item": Nodes(Vocabulary(["1"]), pl.DataFrame())}
    for ends in ([0], [1]), ([-1], [0]), ([0], [7]):
        rows = [pl.Series(end).to_numpy() for end in ends]
        with pytest.raises(ValueError, match="outside 'Item'"):
            KnowledgeGraph(nodes, {("Item", "R", "Item"): Edges(*rows)})
