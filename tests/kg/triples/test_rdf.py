"""Reading RDF: every format the same, in any order, nothing lost, broken lines set aside."""

import gzip
import random

import polars as pl
import pyoxigraph as ox
import pytest
import rdflib
import zstandard

from trefoil.data import GraphDataError
from trefoil.kg.triples.rdf import read_triples
from trefoil.kg.triples.selection import Selection

FILMS = """
@prefix : <http://example.org/> .
@prefix schema: <https://schema.org/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
:vertigo a schema:Movie ; schema:director :hitchcock ; schema:actor :novak, :stewart ;
    schema:datePublished "1958"^^xsd:integer ; rdfs:label "Vertigo"@en, "Sueurs froides"@fr ;
    schema:abstract "A detective,\\n \\"afraid\\" of heights\\u2026" .
:psycho a schema:Movie ; schema:director :hitchcock ; schema:datePublished "196x"^^xsd:integer .
:hitchcock a schema:Person ; rdfs:label "Alfred Hitchcock" .
:novak a schema:Person ; rdfs:label "Kim Novak" .
:é%20 schema:sequel :psycho .
"""
FORMATS = {
    ".nt": ox.RdfFormat.N_TRIPLES,
    ".nq": ox.RdfFormat.N_QUADS,
    ".ttl": ox.RdfFormat.TURTLE,
    ".trig": ox.RdfFormat.TRIG,
    ".rdf": ox.RdfFormat.RDF_XML,
    ".jsonld": ox.RdfFormat.JSON_LD,
    ".n3": ox.RdfFormat.N3,
}


def write(folder, text, name="films.ttl"):
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def quads(text=FILMS):
    return list(ox.parse(text, format=ox.RdfFormat.TURTLE))


def lines(text=FILMS):
    return ox.serialize(quads(text), format=ox.RdfFormat.N_TRIPLES).decode().splitlines()


def content(triples):
    """Everything that was said, as text, without row numbers."""
    e, r = triples.entities, triples.relations
    out = {
        (e[h], r[k], e[t])
        for h, k, t in zip(triples.head, triples.relation, triples.tail, strict=True)
    }
    out |= {(e[one], "a", triples.classes[k]) for one, k in triples.member}
    for one, p, *value in triples.literals.iter_rows():
        out.add((e[one], triples.predicates[p], *value))
    return out


def equal(one, other):
    """The same arrays in the same order, not only the same statements."""
    assert one.entities == other.entities
    assert one.relations == other.relations
    assert one.classes == other.classes
    assert one.predicates == other.predicates
    for name in ("head", "relation", "tail", "member"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist()
    assert one.literals.equals(other.literals)
    return True


@pytest.mark.parametrize("suffix", list(FORMATS))
def test_every_format_gives_equal_triples(tmp_path, suffix):
    text = ox.serialize(quads(), format=FORMATS[suffix])
    assert equal(
        read_triples(write(tmp_path, text, "other" + suffix)), read_triples(write(tmp_path, FILMS))
    )


def test_statements_are_those_of_another_parser(tmp_path):
    found = content(read_triples(write(tmp_path, FILMS)))
    graph = rdflib.Graph().parse(data=FILMS, format="turtle", publicID="http://example.org/")
    expected = set()
    for s, p, o in graph:
        if str(p) == str(rdflib.RDF.type):
            expected.add((str(s), "a", str(o)))
        elif isinstance(o, rdflib.Literal):
            lexical = "196x" if "psycho" in s and "date" in p else str(o)
            expected.add((str(s), str(p), lexical, str(o.datatype or ""), o.language or ""))
        else:
            expected.add((str(s), str(p), str(o)))
    assert found == expected


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gz", "zst"])
def test_packed_files_read_like_plain_ones(tmp_path, pack):
    suffix = ".gz" if pack is gzip.compress else ".zst"
    packed = write(tmp_path, pack(FILMS.encode()), "films.ttl" + suffix)
    assert equal(read_triples(packed), read_triples(write(tmp_path, FILMS)))


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_packed_file_that_was_cut_is_refused(tmp_path, suffix):
    pack = gzip.compress if suffix == ".gz" else zstandard.compress
    whole = pack("\n".join(lines() * 50).encode())
    path = write(tmp_path, whole[:-9], "films.nt" + suffix)
    with pytest.raises(GraphDataError, match=r"films\.nt.*cut short"):
        read_triples(path)


def test_order_of_lines_and_files_changes_nothing(tmp_path):
    said = lines()
    reference = read_triples(write(tmp_path, "\n".join(said), "all.nt"))
    for seed in range(5):
        random.Random(seed).shuffle(said)
        folder = tmp_path / str(seed)
        folder.mkdir()
        write(folder, "\n".join(said[:5]) + "\n", "b.nt")
        write(folder, "\n".join(said[5:]), "a.nq")
        assert equal(read_triples(folder), reference)
        assert equal(read_triples([folder / "b.nt", folder / "a.nq"]), reference)


def test_duplicates_are_removed_and_counted(tmp_path):
    once = read_triples(write(tmp_path, FILMS))
    twice = read_triples(write(tmp_path, "\n".join(lines() * 2), "twice.nt"))
    assert equal(once, twice)
    assert twice.counts["duplicates"] == len(once)


def test_blocks_of_any_size_give_equal_triples(tmp_path, monkeypatch):
    path = write(tmp_path, "\n".join(lines() * 20), "films.nt")
    reference = read_triples(path)
    for size in (1, 7, 100, 1000):
        monkeypatch.setattr("trefoil.kg.triples.lines.BLOCK", size)
        assert equal(read_triples(path), reference)


def test_terms_merge_while_reading(tmp_path, monkeypatch):
    monkeypatch.setattr("trefoil.kg.triples.ntriples.SLACK", 3)
    monkeypatch.setattr("trefoil.kg.triples.lines.BLOCK", 200)
    path = write(tmp_path, "\n".join(lines() * 3), "films.nt")
    assert equal(read_triples(path), read_triples(write(tmp_path, FILMS)))


def test_literals_keep_their_lexical_form(tmp_path):
    said = '<http://e/s> <http://e/p> "{}"^^<http://www.w3.org/2001/XMLSchema#integer> .'
    forms = ["01", "1", "+1", "12x", ""]
    path = write(tmp_path, "\n".join(said.format(form) for form in forms), "a.nt")
    assert sorted(read_triples(path).literals["value"]) == sorted(forms)


@pytest.mark.parametrize(
    "line",
    [
        "<http://e/s> <http://e/p> <http://e/o>.",
        "<http://e/s>\t<http://e/p>\t<http://e/o>\t.",
        "  <http://e/s> <http://e/p> <http://e/o> . # why",
        "<http://e/s> <http://e/p> <http://e/\\u006f> .",
        "<http://e/s> <http://e/p> <http://e/o> .\r",
    ],
)
def test_unusual_lines_are_read_by_the_parser(tmp_path, line):
    triples = read_triples(write(tmp_path, f"# first\n\n{line}\n", "a.nt"))
    assert content(triples) == {("http://e/s", "http://e/p", "http://e/o")}


@pytest.mark.parametrize(
    "value",
    ['a\\tb\\n\\"c\\\\', "\\u00e9\\U0001F600", "it's", "\\u0000", "'\\'", 'a #b <c> . \\" .'],
)
def test_escapes_read_as_the_parser_reads_them(tmp_path, value):
    line = f'<http://e/s> <http://e/p> "{value}"@en-GB .'
    expected = next(iter(ox.parse(line, format=ox.RdfFormat.N_TRIPLES))).object
    found = read_triples(write(tmp_path, line, "a.nt")).literals.row(0, named=True)
    assert (found["value"], found["language"]) == (expected.value, expected.language)


BROKEN = [
    '<http://e/s> <http://e/p> "unclosed .',
    "<http://e/s> <http://e/p>",
    "<http://e/s> <http://e/p> <relative> .",
    "<http://e/s> <http://e/p> <http://e/%zz> .",
    "just words",
    '<http://e/s> <http://e/p> "x"@toolonglanguage .',
    '"literal" <http://e/p> <http://e/o> .',
    "<http://e/s> <http://e/p> <http://e/o> . <http://e/s> <http://e/p> <http://e/q> .",
]


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("suffix", [".nt", ".nq"])
def test_a_broken_line_is_set_aside_with_its_place(tmp_path, broken, suffix):
    good = [f"<http://e/s{i}> <http://e/p> <http://e/o> ." for i in range(200)]
    path = write(tmp_path, "\n".join([*good[:70], broken, *good[70:]]), "a" + suffix)
    triples = read_triples(path)
    assert len(triples) == 200
    (bad,) = triples.quarantined
    assert (bad.file, bad.line, bad.row) == (str(path), 71, broken)
    assert bad.reason


def test_a_line_that_is_no_utf8_is_set_aside(tmp_path):
    good = [f"<http://e/s{i}> <http://e/p> <http://e/o> .".encode() for i in range(200)]
    bad = b'<http://e/s> <http://e/p> "caf\xe9" .'
    path = write(tmp_path, b"\n".join([*good[:3], bad, *good[3:]]), "a.nt")
    triples = read_triples(path)
    assert len(triples) == 200
    assert [(one.line, one.reason) for one in triples.quarantined] == [(4, "not UTF-8")]


def test_too_many_broken_lines_stop_the_reading(tmp_path):
    good = [f"<http://e/s{i}> <http://e/p> <http://e/o> ." for i in range(50)]
    path = write(tmp_path, "\n".join([*good, "words"]), "a.nt")
    with pytest.raises(GraphDataError, match=r"a\.nt: 1 of 51 lines.*line 51.*words"):
        read_triples(path)
    assert len(read_triples(path, max_bad_share=0.1)) == 50


def test_a_syntax_error_in_turtle_names_line_and_column(tmp_path):
    path = write(tmp_path, "@prefix : <http://e/> .\n:a :b :c .\n:a :b ] .\n")
    with pytest.raises(GraphDataError, match=r"films\.ttl, line 3, column 7"):
        read_triples(path)


def test_a_syntax_error_in_xml_names_its_line(tmp_path):
    path = write(tmp_path, '<a xmlns="http://e/">\n<b>\n</a>', "a.rdf")
    with pytest.raises(GraphDataError, match=r"a\.rdf, line 3"):
        read_triples(path)


@pytest.mark.parametrize("name", ["missing.ttl", "films.doc", "empty"])
def test_what_is_no_graph_file_is_named(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "films.doc").write_text("x")
    with pytest.raises(GraphDataError, match=name):
        read_triples(tmp_path / name)


def test_same_as_merges_on_request_alone(tmp_path):
    path = write(
        tmp_path,
        "@prefix : <http://e/> . @prefix owl: <http://www.w3.org/2002/07/owl#> .\n"
        ":b owl:sameAs :c . :d owl:sameAs :c . :a :knows :b . :c :knows :x . :d a :Person .",
    )
    apart, merged = read_triples(path), read_triples(path, same_as=True)
    assert ("http://e/b", "http://www.w3.org/2002/07/owl#sameAs", "http://e/c") in content(apart)
    assert content(merged) == {
        ("http://e/a", "http://e/knows", "http://e/b"),
        ("http://e/b", "http://e/knows", "http://e/x"),
        ("http://e/b", "a", "http://e/Person"),
    }
    assert merged.aliases == {"http://e/c": "http://e/b", "http://e/d": "http://e/b"}


@pytest.mark.parametrize("name", ["https://schema.org/director", "DIRECTOR"])
def test_relations_are_allowed_and_denied_by_iri_or_name(tmp_path, name):
    path = write(tmp_path, FILMS)
    only = read_triples(path, selection=Selection(allow=[name]))
    assert only.relations.ids == ("https://schema.org/director",)
    assert len(only.literals) == 0
    without = read_triples(path, selection=Selection(deny=[name]))
    assert "https://schema.org/director" not in without.relations
    assert len(without) + len(only.head) == len(read_triples(path))
    assert without.counts["of a relation left out"] == 2


def test_classes_are_allowed_and_denied_with_their_statements(tmp_path):
    path = write(tmp_path, FILMS)
    without = read_triples(path, selection=Selection(deny_classes=["Person"]))
    assert without.classes.ids == ("https://schema.org/Movie",)
    assert "http://example.org/hitchcock" not in without.entities
    assert "http://example.org/stewart" in without.entities  # of no class
    only = read_triples(path, selection=Selection(allow_classes=["https://schema.org/Movie"]))
    assert equal(without, only)


def test_named_graphs_join_the_others_and_are_counted(tmp_path):
    text = '@prefix : <http://e/> . :g { :a :b :c . :a :b "x <http://e/g> ." } :a :b :d .'
    trig = read_triples(write(tmp_path, text, "a.trig"))
    quads = ox.serialize(ox.parse(text, format=ox.RdfFormat.TRIG), format=ox.RdfFormat.N_QUADS)
    assert equal(trig, read_triples(write(tmp_path, quads, "a.nq")))
    assert (len(trig), trig.counts["in a named graph"]) == (3, 2)


def test_a_formula_is_not_said(tmp_path):
    text = "@prefix : <http://e/> . :a :b { :c :d :e } . :a :b :f ."
    triples = read_triples(write(tmp_path, text, "a.n3"))
    assert ("http://e/c", "http://e/d", "http://e/e") not in content(triples)
    assert ("http://e/a", "http://e/b", "http://e/f") in content(triples)


def test_a_byte_order_mark_is_no_fault(tmp_path):
    for name, text in (("a.nt", "\n".join(lines())), ("a.ttl", FILMS)):
        path = write(tmp_path, b"\xef\xbb\xbf" + text.encode(), name)
        assert equal(read_triples(path), read_triples(write(tmp_path, FILMS)))


def test_an_empty_file_gives_no_triples(tmp_path):
    for suffix in (".nt", ".ttl", ".nq"):
        assert len(read_triples(write(tmp_path, "", "a" + suffix))) == 0


def test_literal_columns_have_stated_types(tmp_path):
    frame = read_triples(write(tmp_path, FILMS)).literals
    assert frame.schema == {
        "entity": pl.Int64,
        "predicate": pl.Int64,
        "value": pl.String,
        "datatype": pl.String,
        "language": pl.String,
    }
