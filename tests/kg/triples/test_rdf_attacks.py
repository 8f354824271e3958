"""What a hostile file may not do: reach out, nest or grow without end."""

import http.server
import threading

import pytest

from trefoil.data import GraphDataError
from trefoil.kg.triples.rdf import read_triples
from trefoil.kg.triples.safety import Limits

RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://e/"'


def xml(body, before=""):
    return f'<?xml version="1.0"?>\n{before}<rdf:RDF {RDF}>{body}</rdf:RDF>'


@pytest.fixture
def canary(tmp_path):
    """An address and a file that nothing may read; the list of requests that came."""
    hits = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            hits.append(self.path)
            body = b'{"@context": {"p": "http://e/p"}}'
            self.send_response(200)
            self.send_header("Content-Type", "application/ld+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    secret = tmp_path / "secret.jsonld"
    secret.write_text('{"@context": {"p": "http://e/secret"}}')
    yield f"http://127.0.0.1:{server.server_port}/context", secret.as_uri(), hits
    server.shutdown()
    server.server_close()
    thread.join()


HEAD = "<!DOCTYPE rdf:RDF [\n"
DOCTYPES = {
    "nested": HEAD
    + "<!ENTITY a0 'xxxxxxxxxx'>"
    + "".join(f"<!ENTITY a{i + 1} '{f'&a{i};' * 10}'>" for i in range(9))
    + "]>\n",
    "nested the other way round": HEAD + "<!ENTITY a '&b;'><!ENTITY b 'x'>]>\n",
    "long": HEAD + f"<!ENTITY a '{'x' * 3000}'>]>\n",
    "many": HEAD + "".join(f"<!ENTITY a{i} 'x'>" for i in range(2000)) + "]>\n",
    "markup": HEAD + "<!ENTITY a '<p>x</p>'>]>\n",
    "reference": HEAD + "<!ENTITY a '&#60;p>x&#60;/p>'>]>\n",
    "external": '<!DOCTYPE r SYSTEM "WHERE">\n',
    "external entity": '<!DOCTYPE r [<!ENTITY a SYSTEM "WHERE">]>\n',
    "parameter entity": '<!DOCTYPE r [<!ENTITY % a SYSTEM "WHERE"> %a;]>\n',
    "inner parameter entity": "<!DOCTYPE r [<!ENTITY % a \"<!ENTITY b 'x'>\"> %a;]>\n",
    "public": '<!DOCTYPE r PUBLIC "-//X//Y" "WHERE">\n',
    "attributes": "<!DOCTYPE r [<!ATTLIST p q CDATA 'x'>]>\n",
    "notation": "<!DOCTYPE r [<!NOTATION n SYSTEM 'WHERE'><!ENTITY a SYSTEM 'x' NDATA n>]>\n",
    "after a comment": "<!-- x -->\n<?pi?>\n<!DOCTYPE r [<!ENTITY a SYSTEM 'WHERE'>]>\n",
    "after much": f"<!--{' ' * (2 << 20)}-->\n<!DOCTYPE r [<!ENTITY a SYSTEM 'WHERE'>]>\n",
    "without end": "<!DOCTYPE r [" + "<!-- x -->" * 200_000,
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", list(DOCTYPES))
def test_a_document_type_declaration_with_more_than_short_entities_is_refused(
    tmp_path, canary, name, encoding
):
    address, file, hits = canary
    for where in (address, file):
        text = xml("<a rdf:about='http://e/s'><p>&a9;&a;</p></a>", DOCTYPES[name])
        path = tmp_path / "bomb.rdf"
        path.write_bytes(text.replace("WHERE", where).encode(encoding))
        with pytest.raises(GraphDataError, match=r"bomb\.rdf, line \d+: remove <!DOCTYPE"):
            read_triples(path)
    assert not hits


def test_a_comment_hides_no_entity_from_the_check(tmp_path):
    hidden = "<!-- <!ENTITY b '" + "x" * 5000 + "'> --><?p <!ENTITY b 'y'> ?>"
    path = tmp_path / "a.rdf"
    path.write_text(xml("<a rdf:about='http://e/s'><p>&b;</p></a>", f"{HEAD}{hidden}]>\n"))
    with pytest.raises(GraphDataError, match="undefined entity"):
        read_triples(path)
    said = f"{HEAD}{hidden}<!ENTITY b 'z'><!ENTITY b '{'w' * 9}'>]>\n"
    path.write_text(xml("<a rdf:about='http://e/s'><p>&b;</p></a>", said))
    assert read_triples(path).literals["value"].to_list() == ["z"]  # the first one holds


def test_a_document_may_not_grow_without_bounds_by_its_entities(tmp_path):
    path = tmp_path / "a.rdf"
    body = "".join(f"<a><p>{'&a;' * 400}</p></a>" for _ in range(60))
    path.write_text(xml(body, f"{HEAD}<!ENTITY a '{'x' * 2000}'>]>\n"))
    with pytest.raises(GraphDataError, match=r"a\.rdf, line \d+.*(without bounds|amplification)"):
        read_triples(path)


CONTEXTS = [
    '{"@context": "WHERE", "@id": "http://e/s", "p": "x"}',
    '{"@context": ["WHERE"], "@id": "http://e/s", "p": "x"}',
    '{"@context": [{"q": "http://e/q"}, "WHERE"], "@id": "http://e/s", "p": "x"}',
    '{"@context": {"@version": 1.1, "@import": "WHERE"}, "@id": "http://e/s", "p": "x"}',
    '{"@context": {"p": {"@id": "http://e/p", "@context": "WHERE"}}, "p": {"q": 1}}',
    '{"@graph": [{"@id": "http://e/s", "http://e/p": {"@context": "WHERE", "p": "x"}}]}',
    '[{"@context": {}, "@id": "http://e/s"},\n {"@context": "WHERE", "p": 1}]',
    '{"\\u0040context": "WHERE", "@id": "http://e/s", "p": "x"}',
    '{"@context": "relative.jsonld", "@id": "http://e/s", "p": "x"}',
]


@pytest.mark.parametrize("text", CONTEXTS)
def test_a_context_outside_the_file_is_refused(tmp_path, canary, text):
    address, file, hits = canary
    for where in (address, file):
        path = tmp_path / "doc.jsonld"
        path.write_text("\n" + text.replace("WHERE", where))
        with pytest.raises(GraphDataError, match=r"doc\.jsonld, line [23]: the context .*fetched"):
            read_triples(path)
    assert not hits


def test_a_context_in_the_file_is_read(tmp_path):
    path = tmp_path / "doc.jsonld"
    path.write_text('{"@context": [{"p": "http://e/p"}], "@id": "http://e/s", "p": "x"}')
    assert read_triples(path).literals["value"].to_list() == ["x"]


BIG = 5 << 20
LONG_LITERALS = {
    "a.nt": ("<http://e/s> <http://e/p> <http://e/o> .\n", '<http://e/s> <http://e/p> "{}" .\n'),
    "a.nq": ("", '<http://e/s> <http://e/p> "{}" <http://e/g> .\n'),
    "a.ttl": ("<http://e/s> <http://e/p> <http://e/o> .\n", '<http://e/s> <http://e/p> "{}" .\n'),
    "a.trig": ("\n", '<http://e/g> {{ <http://e/s> <http://e/p> """{}""" }}\n'),
    "a.jsonld": ("\n", '{{"@id": "http://e/s", "http://e/p": "{}"}}'),
    "a.rdf": (
        "",
        f'<rdf:RDF {RDF}>\n<rdf:Description rdf:about="http://e/s"><p>{{}}</p>'
        "</rdf:Description></rdf:RDF>",
    ),
}


@pytest.mark.parametrize("name", list(LONG_LITERALS))
def test_a_literal_over_the_limit_is_refused_with_its_place(tmp_path, name):
    lead, body = LONG_LITERALS[name]
    path = tmp_path / name
    path.write_text(lead + body.format("x" * BIG))
    line = 1 + (lead + body.partition("{}")[0]).count("\n")
    with pytest.raises(GraphDataError, match=rf"{name}, line {line}: .*limit"):
        read_triples(path)
    path.write_text(lead + body.format("x" * 1000))
    assert len(read_triples(path).literals) == 1
    with pytest.raises(GraphDataError, match=rf"{name}, line {line}: .*limit"):
        read_triples(path, limits=Limits(literal=500))


@pytest.mark.parametrize("size", [20_000, 20 << 20])
@pytest.mark.parametrize("name", ["a.nt", "a.ttl", "a.rdf", "a.jsonld"])
def test_an_iri_over_the_limit_is_refused(tmp_path, name, size):
    iri = "http://e/" + "x" * size
    text = f"<http://e/s> <http://e/p> <{iri}> .\n"
    if name == "a.rdf":
        text = xml(f'<rdf:Description rdf:about="{iri}"><p>x</p></rdf:Description>')
    if name == "a.jsonld":
        text = f'{{"@id": "{iri}", "http://e/p": "x"}}'
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(GraphDataError, match=name):
        read_triples(path)


def test_a_line_without_end_is_refused_before_it_is_held(tmp_path):
    path = tmp_path / "a.nt"
    path.write_bytes(b"<http://e/s> <http://e/p> <http://e/o> .\n" + b"x" * (30 << 20))
    with pytest.raises(GraphDataError, match=r"a\.nt, line 2: longer than"):
        read_triples(path)


DEEP = 100_000
NESTED = {
    "list.ttl": "<http://e/s> <http://e/p>\n" + "(" * DEEP,
    "node.ttl": "<http://e/s> <http://e/p>\n" + "[ <http://e/p> " * DEEP,
    "hidden.ttl": '<http://e/s> <http://e/p> ")))", <http://e/))> ;\n<http://e/q> ' + "([" * DEEP,
    "formula.n3": "\n" + "{ <http://e/s> <http://e/p> " * DEEP,
    "deep.rdf": xml("\n" + "<a><p>" * DEEP),
    "closed.rdf": xml("\n" + "<a><p>" * DEEP + "</p></a>" * DEEP),
    "array.jsonld": "\n" + "[" * DEEP,
    "object.jsonld": '\n{"http://e/p":' * DEEP + "1" + "}" * DEEP,
    "graph.trig": "<http://e/g> {\n <http://e/s> <http://e/p> " + "(" * DEEP,
}


@pytest.mark.parametrize("name", list(NESTED))
def test_a_nesting_bomb_is_refused(tmp_path, name):
    path = tmp_path / name
    path.write_text(NESTED[name])
    with pytest.raises(GraphDataError, match=rf"{name}, line \d+: nested deeper than 100 levels"):
        read_triples(path)


def test_brackets_in_texts_names_and_comments_are_no_nesting(tmp_path):
    said = (
        '<http://e/s> <http://e/p> "((((" , \'[[[[\', """(("(( \\" """, <http://e/(((> . # (((((\n'
    )
    path = tmp_path / "a.ttl"
    path.write_text("@prefix e: <http://e/> .\n" + said * 200 + "e:a\\(b e:p e:o .\n")
    triples = read_triples(path)
    assert len(triples.literals) == 3
    assert "http://e/a(b" in triples.entities


def test_moderate_nesting_is_read(tmp_path):
    path = tmp_path / "a.ttl"
    path.write_text("<http://e/s> <http://e/p> " + "(" * 99 + ")" * 99 + " .")
    assert len(read_triples(path)) == 2 * 98 + 1


def test_an_entity_that_was_never_declared_is_a_syntax_error(tmp_path):
    path = tmp_path / "a.rdf"
    path.write_text(xml("<a rdf:about='http://e/s'><p>&never;</p></a>"))
    with pytest.raises(GraphDataError, match=r"a\.rdf, line 2"):
        read_triples(path)


def test_a_json_document_over_the_limit_is_refused(tmp_path):
    path = tmp_path / "a.jsonld"
    path.write_text("[" + "{}," * 2000 + "{}]")
    with pytest.raises(GraphDataError, match="larger than 1000 bytes"):
        read_triples(path, limits=Limits(document=1000))
