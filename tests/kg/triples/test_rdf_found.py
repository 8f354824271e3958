"""RDF as it is found: relative IRIs, prefix entities, encodings, packed files, single faults."""

import bz2
import gzip
import io
import lzma
import zipfile

import pytest
import zstandard

from trefoil.data import GraphDataError
from trefoil.kg.triples.rdf import read_triples

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
CARD = "@prefix foaf: <http://xmlns.com/foaf/0.1/> .\n<#me> foaf:knows <../you>, <> .\n"
PROTEGE = """<?xml version="1.0"?>
<!DOCTYPE rdf:RDF [
    <!ENTITY rdf "http://www.w3.org/1999/02/22-rdf-syntax-ns#" >
    <!-- the one of this ontology -->
    <!ENTITY pizza "http://e/pizza" >
    <!ENTITY topping "&pizza;#topping/" >
] >
<rdf:RDF xmlns="&pizza;#" xmlns:rdf="&rdf;">
  <Pizza rdf:about="&pizza;#margherita"><has rdf:resource="&topping;basil"/>
    <note>made by &pizza; &amp; others</note></Pizza>
</rdf:RDF>
"""


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def edges(triples):
    e, r = triples.entities, triples.relations
    rows = zip(triples.head, triples.relation, triples.tail, strict=True)
    return sorted((e[h], r[k], e[t]) for h, k, t in rows)


def ends(triples):
    return sorted({one for head, _, tail in edges(triples) for one in (head, tail)})


def test_relative_iris_mean_the_place_of_the_file(tmp_path):
    (tmp_path / "a b").mkdir()
    path = write(tmp_path / "a b", "card.ttl", CARD)
    here, above = path.as_uri(), tmp_path.as_uri()
    assert "%20" in here
    assert ends(read_triples(path)) == sorted([f"{here}", f"{here}#me", f"{above}/you"])


def test_a_base_goes_before_the_place_of_the_file(tmp_path):
    path = write(tmp_path, "card.ttl", CARD)
    found = read_triples(path, base="http://e.org/people/card")
    assert ends(found) == [f"http://e.org/{x}" for x in ("people/card", "people/card#me", "you")]
    own = write(tmp_path, "own.ttl", "@base <http://own.org/> .\n" + CARD)
    assert "http://own.org/#me" in read_triples(own, base="http://e.org/").entities


def test_every_format_that_has_relative_iris_resolves_them(tmp_path):
    files = {
        "a.trig": "<g> { <#me> <p> <you> }",
        "a.n3": "<#me> <p> <you> .",
        "a.jsonld": '{"@id": "#me", "http://e/p": {"@id": "you"}}',
        "a.rdf": f'<rdf:RDF xmlns:rdf="{RDF}" xmlns="http://e/"><a rdf:ID="me">'
        '<p rdf:resource="you"/></a></rdf:RDF>',
    }
    for name, text in files.items():
        found = read_triples(write(tmp_path, name, text), base="http://e.org/x/doc")
        assert ends(found) == ["http://e.org/x/doc#me", "http://e.org/x/you"], name


def test_two_files_of_relative_iris_stay_apart(tmp_path):
    for name in ("a.ttl", "b.ttl"):
        write(tmp_path, name, CARD)
    assert len(ends(read_triples(tmp_path))) == 5  # both lead to the one <../you>


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_prefix_entities_are_expanded(tmp_path, encoding):
    text = PROTEGE.replace('"1.0"', f'"1.0" encoding="{encoding}"')
    triples = read_triples(write(tmp_path, "pizza.owl", text.encode(encoding)))
    assert edges(triples) == [
        ("http://e/pizza#margherita", "http://e/pizza#has", "http://e/pizza#topping/basil")
    ]
    assert triples.literals["value"].to_list() == ["made by http://e/pizza & others"]


def test_a_fault_after_a_doctype_is_named_with_its_true_line(tmp_path):
    path = write(tmp_path, "a.owl", PROTEGE.replace("</Pizza>", "</Piazza>"))
    with pytest.raises(GraphDataError, match=r"a\.owl, line 10"):
        read_triples(path)


LATIN = """<?xml version='1.0' encoding='{}'?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://e/">
<b rdf:about="http://e/{}"><t>{}</t></b></rdf:RDF>"""


WORDS = {
    "ISO-8859-1": "caf\xe9",
    "windows-1252": "“é”",
    "Shift_JIS": "映画",
    "koi8-r": "кино",
    "UTF-16": "映画",
    "utf8": "映画",
    "US-ASCII": "film",
}


@pytest.mark.parametrize(("encoding", "word"), list(WORDS.items()))
def test_xml_is_read_in_the_encoding_it_declares(tmp_path, encoding, word):
    path = write(tmp_path, "a.rdf", LATIN.format(encoding, "x", word).encode(encoding))
    assert read_triples(path).literals["value"].to_list() == [word]


def test_a_long_document_is_recoded_piece_by_piece(tmp_path):
    said = "".join(f'<b rdf:about="http://e/{n}"><t>é{n}</t></b>' for n in range(60_000))
    text = LATIN.format("latin-1", "x", "é").replace("</rdf:RDF>", said + "</rdf:RDF>")
    path = write(tmp_path, "a.rdf", text.encode("latin-1"))
    assert len(path.read_bytes()) > 2 << 20
    values = read_triples(path).literals["value"]
    assert len(values) == 60_001
    assert values.str.starts_with("é").all()


@pytest.mark.parametrize("encoding", ["klingon", "hex", "rot13"])
def test_an_unknown_encoding_is_named(tmp_path, encoding):
    path = write(tmp_path, "a.rdf", LATIN.format(encoding, "x", "y"))
    with pytest.raises(
        GraphDataError, match=rf"a\.rdf: the encoding '{encoding}' is unknown.*iconv"
    ):
        read_triples(path)


def test_bytes_that_are_not_of_the_declared_encoding_are_named(tmp_path):
    path = write(tmp_path, "a.rdf", LATIN.format("ascii", "x", "é").encode("latin-1"))
    with pytest.raises(GraphDataError, match=r"a\.rdf"):
        read_triples(path)


def zipped(content):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("inside", content)
    return out.getvalue()


PACKS = {
    ".gz": gzip.compress,
    ".zst": zstandard.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zip": zipped,
}


@pytest.mark.parametrize("suffix", list(PACKS))
def test_packed_files_are_read_in_every_format(tmp_path, suffix):
    said = {"a.nt": "<http://e/s> <http://e/p> <http://e/o> .\n"}
    said["a.ttl"] = "@prefix : <http://e/> . :s :p :o ."
    said["a.owl"] = f'<r:RDF xmlns:r="{RDF}" xmlns="http://e/"><r:Description r:about="http://e/s">'
    said["a.owl"] += '<p r:resource="http://e/o"/></r:Description></r:RDF>'
    said["a.jsonld"] = '{"@id": "http://e/s", "http://e/p": {"@id": "http://e/o"}}'
    for name, text in said.items():
        path = write(tmp_path, name + suffix, PACKS[suffix](text.encode()))
        assert edges(read_triples(path)) == [("http://e/s", "http://e/p", "http://e/o")], name


def test_an_archive_is_read_like_a_folder(tmp_path):
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("deep/a.ttl", "<http://e/a> <http://e/p> <http://e/b> .")
        archive.writestr("c.nt", "<http://e/c> <http://e/p> <http://e/d> .\nwords\n" * 1)
        archive.writestr("README.txt", "words")
        archive.writestr("__MACOSX/deep/._a.ttl", b"\x00\x05")
    found = read_triples(path, max_bad_share=0.5)
    assert ends(found) == ["http://e/a", "http://e/b", "http://e/c", "http://e/d"]
    assert [(one.file, one.line) for one in found.quarantined] == [(f"{path}/c.nt", 2)]
    assert ends(read_triples(path / "deep" / "a.ttl")) == ["http://e/a", "http://e/b"]
    with pytest.raises(GraphDataError, match=r"all\.zip.*name one of the 4 files"):
        read_triples(path / "b.ttl")


def test_a_file_that_is_no_archive_is_named(tmp_path):
    with pytest.raises(GraphDataError, match=r"a\.zip: damaged or no zip archive"):
        read_triples(write(tmp_path, "a.zip", "words"))


PAGES = [
    "<!DOCTYPE html>\n<html><head><title>404</title></head></html>",
    '<?xml version="1.0"?>\n<!-- x --> <!DOCTYPE HTML PUBLIC "-//W3C//DTD XHTML 1.0//EN" "x">',
    "\ufeff\n<html lang='en'>",
]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("suffix", [".ttl", ".rdf", ".owl", ".jsonld", ".nt", ".trig"])
def test_a_web_page_is_called_by_its_name(tmp_path, page, suffix):
    path = write(tmp_path, "a" + suffix, page)
    with pytest.raises(GraphDataError, match=rf"a\{suffix}: this is an HTML page"):
        read_triples(path)


def test_an_owl_file_in_turtle_is_read_and_functional_syntax_named(tmp_path):
    path = write(tmp_path, "a.owl", "# made by hand\n@prefix : <http://e/> .\n:a :b :c .")
    assert ends(read_triples(path)) == ["http://e/a", "http://e/c"]
    path = write(tmp_path, "b.owl", "Prefix(:=<http://e/>)\nOntology(<http://e/>)")
    with pytest.raises(GraphDataError, match=r"b\.owl: this is OWL in functional syntax"):
        read_triples(path)


TURTLE = """@prefix : <http://e/> .
:a :p :b ;
   :home <http://e/two words>, <http://e/fine> ;
   :q "text" .
:c :p <http://e/%zz> , :d .
"""


def test_one_bad_iri_sets_its_statement_aside_in_turtle(tmp_path):
    path = write(tmp_path, "a.ttl", TURTLE)
    triples = read_triples(path)
    assert len(triples) == 4
    assert [(one.line, one.row) for one in triples.quarantined] == [
        (3, "<http://e/a> <http://e/home> <http://e/two words> ."),
        (5, "<http://e/c> <http://e/p> <http://e/%zz> ."),
    ]
    assert all("IRI" in one.reason and one.file == str(path) for one in triples.quarantined)


def test_a_bad_iri_in_other_formats_is_set_aside_too(tmp_path):
    files = {
        "a.trig": ":g { :a :p <http://e/x y>, :b }",
        "a.n3": ":a :p <http://e/x y>, :b .",
    }
    for name, text in files.items():
        found = read_triples(write(tmp_path, name, "@prefix : <http://e/> .\n" + text))
        assert (len(found), [one.line for one in found.quarantined]) == (1, [2]), name
    xml = f'<r:RDF xmlns:r="{RDF}" xmlns="http://e/">\n<r:Description r:about="http://e/s">'
    xml += '\n<p r:resource="http://e/x y"/>\n<p r:resource="z"/></r:Description></r:RDF>'
    found = read_triples(write(tmp_path, "a.rdf", xml))
    assert (len(found), [one.line for one in found.quarantined]) == (1, [3])


def test_blank_nodes_are_not_doubled_by_the_second_reading(tmp_path):
    text = "@prefix : <http://e/> .\n[ :p 1 ] :q [ :p 2 ] .\n:a :home <http://e/x y> ."
    assert len(read_triples(write(tmp_path, "a.ttl", text))) == 3


def test_an_iri_is_no_excuse_for_bad_syntax(tmp_path):
    path = write(tmp_path, "a.ttl", TURTLE + ":e :p ] .\n")
    with pytest.raises(GraphDataError, match=r"a\.ttl, line 3.*mend the file"):
        read_triples(path)


def test_many_bad_iris_or_nothing_else_stop_the_reading(tmp_path):
    head = "@prefix : <http://e/> .\n"
    bad = "".join(f":a{n} :p <http://e/x {n}> .\n" for n in range(20))
    good = "".join(f":a{n} :p :b .\n" for n in range(500))
    with pytest.raises(GraphDataError, match=r"a\.ttl: 20 of 520 .*line 2 .*max_bad_share"):
        read_triples(write(tmp_path, "a.ttl", head + bad + good))
    assert len(read_triples(tmp_path / "a.ttl", max_bad_share=0.1)) == 500
    with pytest.raises(GraphDataError, match=r"b\.ttl: 1 of 1 "):
        read_triples(write(tmp_path, "b.ttl", head + ":a :p <http://e/x y> ."))


def test_a_bad_iri_in_a_small_file_of_lines_is_set_aside_too(tmp_path):
    text = "<http://e/a> <http://e/p> <http://e/x y> .\n<http://e/a> <http://e/p> <http://e/b> .\n"
    found = read_triples(write(tmp_path, "a.nt", text))
    assert (len(found), [one.line for one in found.quarantined]) == (1, [1])


@pytest.mark.parametrize("kind", ["XMLLiteral", "HTML", "JSON"])
@pytest.mark.parametrize("suffix", [".nt", ".ttl", ".nq", ".trig"])
def test_literals_of_rdf_datatypes_are_kept(tmp_path, kind, suffix):
    line = f'<http://e/s> <http://e/p> "<b>x</b> \\"y\\"^^<{RDF}langString>"^^<{RDF}{kind}> .'
    found = read_triples(write(tmp_path, "a" + suffix, line))
    value = f'<b>x</b> "y"^^<{RDF}langString>'
    assert found.literals.row(0)[2:] == (value, RDF + kind, "")
    assert found.counts == {"statements": 1}


def test_text_directions_are_kept(tmp_path):
    found = read_triples(write(tmp_path, "a.ttl", '<http://e/s> <http://e/p> "x"@ar--rtl .'))
    assert found.literals.row(0)[2:] == ("x", "", "ar--rtl")
