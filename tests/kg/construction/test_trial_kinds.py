"""Small samples of the kinds of RDF that people have: read, named, written back; or refused."""

import json
import re
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib

from trefoil.data import GraphDataError
from trefoil.kg.construction.build import read_rdf
from trefoil.kg.export.rdf import statements
from trefoil.kg.triples.jsonld import Contexts
from trefoil.kg.triples.safety import Limits
from trefoil.kg.triples.statements import ntriples_lines

KINDS = Path(__file__).parent / "kinds"
BASE = "http://example.org/doc"
# Of each file: a label, a name that a reader should meet, how many nodes and edges.
READ = {
    "activity.jsonld": ("Note", "n1", 2, 1),
    "bibframe.rdf": ("Work", "Emma", 8, 7),
    "card.n3": ("Person", "Tim", 3, 2),
    "cidoc.jsonld": ("E22HumanMadeObject", "Vase", 5, 4),
    "cidoc.rdf": ("E12Production", "Bronze helmet", 7, 6),
    "containers.rdf": ("Seq", "book", 5, 4),
    "crate.jsonld": ("Dataset", "Data", 2, 1),
    "cube.ttl": ("Observation", "o1", 10, 9),
    "dbpedia.ttl": ("Film", "Alien (film)", 6, 5),
    "dcat-ap.rdf": ("Catalog", "Air quality", 6, 5),
    "dcat.ttl": ("Dataset", "Films", 5, 4),
    "doap.rdf": ("Project", "A project", 3, 2),
    "doap.ttl": ("Version", "Parser", 5, 4),
    "edm.rdf": ("ProvidedCHO", "La Joconde", 5, 3),
    "foaf.rdf": ("Person", "Bo Lind", 6, 5),
    "foaf.ttl": ("Person", "Ana", 4, 3),
    "freebase.nt": ("Entity", "m.0bxtg", 2, 1),
    "geosparql.ttl": ("Envelope", "tower", 3, 2),
    "goodrelations.rdf": ("Offering", "Depot", 5, 4),
    "ical.ttl": ("Vevent", "Vtodo, Call", 7, 6),
    "logic.n3": ("Entity", "ana", 4, 2),
    "lom.rdf": ("LearningObject", "Course", 3, 2),
    "lrmoo.ttl": ("F1Work", "Emma (work)", 4, 3),
    "mads.rdf": ("Authority", "TopicElement, Music", 7, 6),
    "nanopub.trig": ("Nanopublication", "np1", 6, 4),
    "notepad.ttl": ("Entity", "café", 1, 0),
    "obo.owl": ("Axiom", "mitochondrion inheritance", 6, 4),
    "odrl.ttl": ("Offer", "88", 16, 15),
    "ontolex.ttl": ("LexicalEntry", "cat-n", 5, 4),
    "ontology.owl": ("Restriction", "Margherita", 7, 6),
    "org.ttl": ("Membership", "Cabinet Office", 7, 6),
    "prov.trig": ("Bundle", "writing", 6, 5),
    "quads.nq": ("Person", "Ana", 2, 1),
    "recipe.jsonld": ("HowToStep", "Banana bread", 10, 8),
    "rss.rdf": ("RssItem", "News", 4, 3),
    "schema.jsonld": ("Product", "Lamp", 3, 2),
    "schema.nt": ("Product", "Lamp", 3, 2),
    "schema.rdf": ("Product", "Lamp", 3, 2),
    "schema.ttl": ("Product", "Lamp", 3, 2),
    "shapes.ttl": ("NodeShape", "FilmShape", 15, 15),
    "sioc.rdf": ("Post", "Café & thé", 3, 2),
    "skos-xl.rdf": ("Label", "maize", 3, 2),
    "skos.ttl": ("ConceptScheme", "film noir", 3, 4),
    "sosa.ttl": ("Observation", "346344", 7, 6),
    "spdx.jsonld": ("SpdxDocument", "sbom", 8, 7),
    "star.ttl": ("Entity", "Bo", 4, 2),
    "time.ttl": ("Instant", "meeting", 5, 3),
    "tracks.rdf": ("Track", "Carey", 3, 2),
    "turtle.owl": ("FunctionalProperty", "wine", 11, 7),
    "underscore.nt": ("Entity", "a", 1, 0),
    "uniprot.rdf": ("Protein", "P05067", 6, 6),
    "utf16.rdf": ("Entity", "七人の侍", 1, 0),
    "vcard.rdf": ("Home", "corky", 4, 3),
    "void.ttl": ("Linkset", "DBpedia", 7, 6),
    "wikidata.jsonld": ("OntologyItem", "Douglas Adams", 6, 5),
    "wikidata.ttl": ("Statement", "Douglas Adams", 5, 5),
    "windows.rdf": ("Entity", "L’été – à la mer", 1, 0),
    "zotero.rdf": ("Memo", "BPR", 5, 3),
}
# What is no fault of Trefoil, and what the message says of it.
REFUSED = {
    "ampersand.rdf": r"line 2, column 54: not well-formed XML",
    "comment.jsonld": r"not valid JSON",
    "data.hdt": r"this is HDT",
    "dublin-core.rdf": r"line 3: remove <!DOCTYPE ...>: it names a file outside",
    "functional.owl": r"this is OWL in functional syntax",
    "graphml.xml": r"this is GraphML",
    "latin1.ttl": r"line 2, column 17: .*UTF-8",
    "line-break.ttl": r"line 2, column 17: .*use \\n",
    "manchester.owl": r"this is OWL in Manchester syntax",
    "no-dot.ttl": r"line 3, column 1: .*dot is expected",
    "no-namespace.rdf": r"line 2: Unknown prefix dc:; declare it",
    "no-prefix.ttl": r"line 2, column 15: .*prefix foaf: has not been declared",
    "odrl.jsonld": r"line 1: the context .*odrl.jsonld.*contexts=",
    "ontology.obo": r"this is an OBO file",
    "owl-xml.owl": r"this is OWL/XML.*save it as RDF/XML",
    "page.html": r"this is an HTML page; .*ld\+json",
    "plain.json": r'JSON without @context.*"@vocab"',
    "rdfa.xml": r"this is an HTML page",
    "sparql-results.json": r"this is SPARQL results, no graph; ask with CONSTRUCT",
    "sparql-results.xml": r"this is SPARQL results",
    "talis.json": r"this is RDF/JSON",
    "trailing-comma.jsonld": r"not valid JSON: .*line 1 column 65",
    "trix.xml": r"this is TriX",
    "typographic.ttl": r"line 2, column 13",
    "unprefixed.rdf": r"write elements and attributes with their prefix, such as rdf:about",
    "wikidata-entity.json": r"this is Wikidata's own JSON.*\.ttl",
    "xmp.rdf": r"line 2: .*rdf:RDF stands inside another element",
}
# rdflib knows no directions and no annotations, folds line ends in texts, writes doubles and
# XML literals anew, and stops at a bad IRI: pyoxigraph itself is asked, where it can be.
NOT_RDFLIB = {"star.ttl", "notepad.ttl", "schema.jsonld", "tracks.rdf"}
NO_OTHER = {"foaf.ttl", "logic.n3", "underscore.nt", "empty.ttl"}
FORMS = {".owl": "xml", ".rdf": "xml", ".ttl": "turtle", ".nq": "nquads", ".jsonld": "json-ld"}


def lower(term):
    """Tags of languages say the same in any case."""
    if isinstance(term, ox.Literal) and term.language:
        return ox.Literal(term.value, language=term.language.lower(), direction=term.direction)
    return term


def canonical(said):
    """Statements with their blank nodes named canonically (RDFC-1.0)."""
    plain = (one for one in said if not isinstance(one.object, ox.Triple))
    data = ox.Dataset(ox.Quad(one.subject, one.predicate, lower(one.object)) for one in plain)
    data.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return sorted(map(str, data))


def written_out(value, key=""):
    """A document of JSON-LD, its contexts put in whole."""
    if isinstance(value, list):
        return [written_out(one, key) for one in value]
    if key == "@context" and isinstance(value, str):
        return Contexts({}, Limits())[value]
    return {k: written_out(v, k) for k, v in value.items()} if isinstance(value, dict) else value


def text_of(path):
    """The content as UTF-8, by the encoding that its XML declares."""
    content = path.read_bytes()
    if content.startswith(b"\xff\xfe"):
        content = content.decode("utf-16").encode()
    elif declared := re.match(rb"""<\?xml[^>]*encoding=["']([\w-]+)""", content):
        content = content.decode(declared[1].decode()).encode()
    if path.suffix == ".jsonld":
        content = json.dumps(written_out(json.loads(content))).encode()
    return re.sub(rb"<\?xml.*?\?>", b"", content.removeprefix(b"\xef\xbb\xbf"))


def as_another_parser_reads(path):
    form = "turtle" if path.name == "turtle.owl" else FORMS.get(path.suffix, path.suffix[1:])
    if path.name in NOT_RDFLIB:
        own = ox.RdfFormat.from_extension(path.suffix[1:])
        assert own is not None
        return ox.parse(text_of(path), format=own, base_iri=BASE)
    data, merged = rdflib.Dataset(), rdflib.Graph()
    data.parse(data=text_of(path), format=form, publicID=BASE)
    for subject, predicate, value, _ in data.quads():
        merged.add((subject, predicate, value))
    return ox.parse(merged.serialize(format="nt"), format=ox.RdfFormat.N_TRIPLES)


def test_every_sample_is_named():
    assert {path.name for path in KINDS.iterdir()} == {*READ, *REFUSED, "empty.ttl"}


@pytest.mark.parametrize("name", list(READ))
def test_each_kind_is_read_and_named(name):
    label, called, nodes, edges = READ[name]
    graph = read_rdf(KINDS / name)
    assert label in graph.nodes
    assert called in {one for part in graph.nodes.values() for one in part.properties["name"]}
    assert (graph.node_count, graph.edge_count) == (nodes, edges)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib")
@pytest.mark.parametrize("name", sorted({*READ} - NO_OTHER))
def test_each_kind_comes_back_as_another_parser_reads_it(name, monkeypatch):
    monkeypatch.setattr(rdflib, "NORMALIZE_LITERALS", False)
    graph = read_rdf(KINDS / name, base=BASE)
    lines = "".join(ntriples_lines(statements(graph)))
    back = ox.parse(lines, format=ox.RdfFormat.N_TRIPLES)
    assert canonical(back) == canonical(as_another_parser_reads(KINDS / name))


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_is_no_rdf_or_faulty_is_told(name):
    with pytest.raises(GraphDataError, match=re.escape(name) + "[:,] ?.*" + REFUSED[name]):
        read_rdf(KINDS / name)


def test_a_context_that_is_given_makes_a_policy_readable(tmp_path):
    context = {"@vocab": "http://www.w3.org/ns/odrl/2/", "uid": "@id"}
    (tmp_path / "odrl.jsonld").write_text(json.dumps({"@context": context}))
    given = {"http://www.w3.org/ns/odrl.jsonld": tmp_path / "odrl.jsonld"}
    assert "Set" in read_rdf(KINDS / "odrl.jsonld", contexts=given).nodes


def test_an_empty_file_is_an_empty_graph():
    assert read_rdf(KINDS / "empty.ttl").node_count == 0


def test_rules_of_n3_say_nothing_of_anyone():
    graph = read_rdf(KINDS / "logic.n3")
    assert {kind for _, kind, _ in graph.edges} == {"PARENT", "IMPLIES"}
    assert graph.nodes["Entity"].properties["age"].drop_nulls().to_list() == [34]


def test_four_syntaxes_of_one_page_say_the_same():
    one, *others = (read_rdf(KINDS / f"schema.{end}") for end in ("ttl", "nt", "rdf", "jsonld"))
    for other in others:
        assert set(other.to_rdf()) == set(one.to_rdf())
    assert one.nodes["Offer"].properties["price"].to_list() == [19.9]
    assert str(one.nodes["Product"].properties["releaseDate"][0]) == "2020-05-01"


def test_the_one_bad_iri_of_a_card_is_set_aside():
    graph = read_rdf(KINDS / "foaf.ttl")
    assert [one.line for one in graph.report.quarantined] == [4]
    assert (KINDS / "foaf.ttl").as_uri() + "#me" in graph.nodes["Person"].vocabulary


def test_a_locale_in_the_place_of_a_language_is_set_aside():
    (one,) = read_rdf(KINDS / "underscore.nt").report.quarantined
    assert (one.line, one.row) == (1, '<http://example.org/a> <http://example.org/p> "x"@en_US .')
