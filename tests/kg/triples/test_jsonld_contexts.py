"""JSON-LD whose contexts are named: those of the package, and those given as files."""

import json

import pytest

from trefoil.data import GraphDataError
from trefoil.kg.triples import jsonld
from trefoil.kg.triples.rdf import read_triples
from trefoil.kg.triples.safety import Limits


def write(folder, name, content):
    path = folder / name
    path.write_text(content)
    return path


def edges(triples):
    e, r = triples.entities, triples.relations
    rows = zip(triples.head, triples.relation, triples.tail, strict=True)
    return sorted((e[h], r[k], e[t]) for h, k, t in rows)


def test_a_page_of_schema_org_is_read_by_the_context_at_hand(tmp_path):
    said = {
        "@type": "Product",
        "@id": "http://e/lamp",
        "name": "Lamp",
        "url": "http://e/lamp.html",
        "releaseDate": "2020-05-01",
        "offers": {"@type": "Offer", "price": "19.90", "priceCurrency": "EUR"},
        "foaf:maker": {"@id": "http://e/me"},
    }
    lead = {"@context": "https://schema.org"}
    for n, address in enumerate(
        [
            "https://schema.org",
            "http://schema.org/",
            "http://www.schema.org",
            ["https://schema.org/"],
        ]
    ):
        path = write(tmp_path, f"{n}.jsonld", json.dumps({"@context": address} | said))
        found = read_triples(path)
        assert found.classes.ids == ("http://schema.org/Offer", "http://schema.org/Product")
        assert "http://e/lamp.html" in found.entities  # url is an IRI, as the context says
        dated = found.literals.filter(found.literals["value"] == "2020-05-01")
        assert dated["datatype"].to_list() == ["http://schema.org/Date"]
        assert "http://xmlns.com/foaf/0.1/maker" in found.relations
    parts = write(tmp_path, "parts.jsonld", json.dumps([lead | said, {"@graph": [lead | said]}]))
    assert len(read_triples(parts)) >= 8


def test_numbers_keep_their_form_beside_a_named_context(tmp_path):
    text = '{"@context": "https://schema.org", "@id": "http://e/a", "x": 1.50, "y": 7, "z": 1e3}'
    named = read_triples(write(tmp_path, "a.jsonld", text))
    plain = text.replace('"https://schema.org"', '{"@vocab": "http://schema.org/"}')
    assert named.literals.equals(read_triples(write(tmp_path, "b.jsonld", plain)).literals)


def test_contexts_are_given_as_files(tmp_path):
    inner = {"@context": {"p": {"@id": "http://e/p", "@type": "@id"}, "unused": "http://e/u"}}
    write(tmp_path, "inner.jsonld", json.dumps(inner))
    outer = {"@context": ["https://e.org/inner", {"q": "http://e/q"}]}
    write(tmp_path, "outer.jsonld", json.dumps(outer))
    text = '{"@context": "https://e.org/outer", "@id": "http://e/a", "p": "http://e/b", "q": 1}'
    path = write(tmp_path, "a.jsonld", text)
    given = {f"https://e.org/{x}": tmp_path / f"{x}.jsonld" for x in ("inner", "outer")}
    found = read_triples(path, contexts=given)
    assert edges(found) == [("http://e/a", "http://e/p", "http://e/b")]
    assert found.predicates.ids == ("http://e/q",)
    imported = '{"@version": 1.1, "@import": "http://e.org/inner/", "q": "http://e/r"}'
    path = write(tmp_path, "b.jsonld", text.replace('"https://e.org/outer"', imported))
    assert read_triples(path, contexts=given).predicates.ids == ("http://e/r",)
    with pytest.raises(
        GraphDataError, match=r"a\.jsonld, line 1: the context .*contexts=.*dataset"
    ):
        read_triples(tmp_path / "a.jsonld", contexts={})


def test_contexts_that_name_each_other_come_to_an_end(tmp_path):
    loop = write(
        tmp_path, "loop.jsonld", '{"@context": ["https://e.org/loop", {"p": "http://e/p"}]}'
    )
    path = write(tmp_path, "a.jsonld", '{"@context": "https://e.org/loop", "p": 1}')
    with pytest.raises(GraphDataError, match="lies outside the file"):
        read_triples(path, contexts={"https://e.org/loop": loop})


def test_a_context_file_that_is_none_is_named(tmp_path):
    path = write(tmp_path, "a.jsonld", '{"@context": "https://e.org/x", "p": 1}')
    for content, said in (("[]", "holds one object"), ("{", "not valid JSON")):
        given = {"https://e.org/x": write(tmp_path, "x.json", content)}
        with pytest.raises(GraphDataError, match=rf"x\.json: .*{said}"):
            read_triples(path, contexts=given)


def test_every_context_of_the_package_is_listed_and_read():
    folder = jsonld._FOLDER
    listed = json.loads((folder / "addresses.json").read_text())
    assert sorted(listed) == sorted(path.name for path in folder.glob("*.jsonld"))
    known = jsonld.Contexts({}, Limits())
    for addresses in listed.values():
        for address in addresses:
            assert isinstance(known["https://" + address], dict)
    notes = (folder / "README.md").read_text()
    assert all(name in notes for name in listed)


def test_a_bad_iri_in_json_is_set_aside_and_told(tmp_path):
    text = """{"@context": {"p": {"@id": "http://e/p", "@type": "@id"}, "q": "http://e/q"},
     "@id": "http://e/a", "q": 1,
     "p": ["http://e/two words", "http://e/b"]}"""
    found = read_triples(write(tmp_path, "a.jsonld", text))
    assert (len(found), [one.line for one in found.quarantined]) == (2, [3])
    with pytest.raises(GraphDataError, match=r"b\.jsonld: .*@context"):
        read_triples(write(tmp_path, "b.jsonld", '{"@context": 7, "http://e/p": 1}'))
