"""Small samples of the kinds of RDF that people have: each is read, named, and written back."""

from pathlib import Path

import pyoxigraph as ox
import pytest

from trefoil.kg.construction.build import read_rdf
from trefoil.kg.export.rdf import statements
from trefoil.kg.triples.statements import ntriples_lines

FOUND = Path(__file__).parent / "found"
BASE = "http://example.org/doc"
SCHEMA = [FOUND / f"schema.{suffix}" for suffix in ("ttl", "nt", "rdf", "jsonld")]
# One label of each file, and a name that a reader should meet.
KINDS = {
    "skos.ttl": ("ConceptScheme", "film noir"),
    "ontology.owl": ("Restriction", "Margherita"),
    "shapes.ttl": ("NodeShape", "FilmShape"),
    "dcat.ttl": ("Dataset", "Films"),
    "wikidata.ttl": ("Statement", "Douglas Adams"),
    "bibframe.rdf": ("Work", "Emma"),
    "cidoc.jsonld": ("E22HumanMadeObject", "Vase"),
    "nanopub.trig": ("Nanopublication", "np1"),
    "foaf.ttl": ("Person", "Ana"),
    "doap.rdf": ("Project", "A project"),
    "activity.jsonld": ("Note", "n1"),
    "crate.jsonld": ("Dataset", "Data"),
    **{path.name: ("Product", "Lamp") for path in SCHEMA},
}
# Those that another parser reads by itself: no named context, no other encoding, no fault.
PLAIN = [
    name
    for name in KINDS
    if not name.endswith(".jsonld") and name not in ("schema.rdf", "foaf.ttl")
]


def canonical(said):
    """Statements with their blank nodes named canonically (RDFC-1.0)."""
    data = ox.Dataset(ox.Quad(one.subject, one.predicate, one.object) for one in said)
    data.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return sorted(map(str, data))


def test_every_sample_is_named():
    assert {path.name for path in FOUND.iterdir()} == set(KINDS)


@pytest.mark.parametrize("name", list(KINDS))
def test_each_kind_is_read_and_named(name):
    label, called = KINDS[name]
    graph = read_rdf(FOUND / name)
    assert label in graph.nodes
    assert called in {one for part in graph.nodes.values() for one in part.properties["name"]}


@pytest.mark.parametrize("name", PLAIN)
def test_each_kind_comes_back_as_another_parser_reads_it(name):
    graph = read_rdf(FOUND / name, base=BASE)
    lines = "".join(ntriples_lines(statements(graph)))
    back = ox.parse(lines, format=ox.RdfFormat.N_TRIPLES)
    form = {"owl": ox.RdfFormat.RDF_XML}.get(name[-3:])
    assert canonical(back) == canonical(ox.parse(path=FOUND / name, format=form, base_iri=BASE))


@pytest.mark.parametrize(
    ("name", "count"), [("cidoc.jsonld", 13), ("activity.jsonld", 4), ("crate.jsonld", 5)]
)
def test_pages_with_named_contexts_say_so_much(name, count):
    assert read_rdf(FOUND / name).report.counts["statements"] == count


def test_four_syntaxes_of_one_page_say_the_same():
    one, *others = (read_rdf(path) for path in SCHEMA)
    for other in others:
        assert set(other.to_rdf()) == set(one.to_rdf())
    assert one.nodes["Offer"].properties["price"].to_list() == [19.9]
    assert str(one.nodes["Product"].properties["releaseDate"][0]) == "2020-05-01"


def test_the_one_bad_iri_of_a_card_is_set_aside():
    graph = read_rdf(FOUND / "foaf.ttl")
    assert [one.line for one in graph.report.quarantined] == [4]
    assert (FOUND / "foaf.ttl").as_uri() + "#me" in graph.nodes["Person"].vocabulary
