"""The fast pattern for N-Triples lines takes nothing that a real parser would not, and the same."""

import pyoxigraph as ox
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trefoil.kg.triples.ntriples import STRICT, WRITTEN, Statements

IRI = st.one_of(
    st.from_regex(r"<[a-z]{1,3}:[/?#@:a-z0-9%.\[\]é ​\\-]{0,12}>", fullmatch=True),
    st.from_regex(r"<[a-zA-Z0-9+.-]{0,4}:?(//)?[^ <>\n]{0,8}>", fullmatch=True),
)
LITERAL = st.one_of(
    st.from_regex(
        r'"[^\n ]{0,8}"(@[a-zA-Z0-9-]{0,9}|\^\^<[a-z]{0,2}:[a-z#/]{0,6}>)?', fullmatch=True
    ),
    st.from_regex(r'"([a-z"\\ ]|\\[a-zA-Z"\\])*"', fullmatch=True),
)
BLANK = st.from_regex(r"_:[a-zA-Z0-9_.-]{0,4}", fullmatch=True)
TERM = st.one_of(IRI, LITERAL, BLANK)
LINES = st.lists(
    st.tuples(TERM, TERM, TERM, st.sampled_from([" .", ".", " ", " . ."])).map(
        lambda parts: f"{parts[0]} {parts[1]} {parts[2]}{parts[3]}\n"
    ),
    min_size=1,
    max_size=20,
)


def taken(text, grammar):
    """Terms of each line that the columns hold, and which lines they come from."""
    statements = Statements()
    known = statements.add(text.encode(), grammar=grammar, scope="0")
    terms, rows = statements.columns()
    return known, [tuple(terms[int(at)] for at in row) for row in rows]


def parsed(line):
    """The terms of one line by the parser, in the form of the columns; None if it objects."""
    try:
        (quad,) = ox.parse(line, format=ox.RdfFormat.N_TRIPLES)
    except (SyntaxError, ValueError):
        return None
    return tuple(form(term) for term in (quad.subject, quad.predicate, quad.object))


def form(term):
    if isinstance(term, ox.NamedNode):
        return f"<{term.value}>"
    if isinstance(term, ox.BlankNode):
        return f"_:0.{term.value}"
    tail = f"@{term.language}" if term.language else f"^^<{term.datatype.value}>"
    plain = term.datatype.value.endswith("#string")
    return f'"{term.value}"' + ("" if plain else tail)


@settings(max_examples=150, deadline=None)
@given(LINES)
@example(["<http://a:b/> <a:> <a:> .\n"])
@example(["<a:b#c#d> <a:> <a:> .\n"])
@example(["<a://b//c> <a:> <a:////> .\n"])
@example(['<a:b> <a:> "x"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#langString> .\n'])
@example(['<a:b> <a:> "x"^^<http://www.w3.org/2001/XMLSchema#string> .\n'])
@example(["<a:%zz> <a:> <a:> .\n"])
@example(['<a:b> <a:> "a\\" .\n'])
@example(["_:a <a:> _:b .\n", "_:a. <a:> _:b- .\n"])
def test_what_the_pattern_takes_the_parser_reads_the_same(lines):
    known, found = taken("".join(lines), STRICT)
    expected = [parsed(line) for line, good in zip(lines, known, strict=True) if good]
    assert found == expected


@settings(max_examples=80, deadline=None)
@given(LINES)
def test_whatever_the_parser_reads_is_taken_once_it_is_written_out(lines):
    good = [line for line in lines if parsed(line)]
    if not good:
        return
    written = ox.serialize(
        ox.parse("".join(good), format=ox.RdfFormat.N_TRIPLES), format=ox.RdfFormat.N_QUADS
    )
    known, found = taken(written.decode(), WRITTEN)
    assert known.all()
    assert found == [parsed(line) for line in good]


def test_common_lines_are_taken_without_the_parser():
    known, _ = taken(
        "<http://e.org/A_(b)> <http://e.org/p#q> <http://e.org/%C3%A9> .\n"
        '<urn:a:b> <http://e/p> "a \\"b\\" \\n c"@en .\n'
        '_:b0 <http://e/p> "1"^^<http://www.w3.org/2001/XMLSchema#integer> .\n'
        "<https://www.wikidata.org/wiki/Q42?x=1&y=2> <http://e:80/p> _:b1 .\n"
        "<http://fr.dbpedia.org/resource/Été_(film,_1999)> <http://e/p> <mailto:a@b.c> .\n",
        STRICT,
    )
    assert known.all()
