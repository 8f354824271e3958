"""Turtle means what the parser says, statement by statement, and faults are named by place."""

import pyoxigraph as ox
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trefoil.data.errors import GraphDataError
from trefoil.kg.triples.rdf import read_triples

HEADER = "@prefix ex: <http://e.org/a/> .\n@prefix : <http://e.org/b#> .\n"
TERMS = [
    *("ex:a", "ex:b.c", ":d", "ex:", "ex:%41-é", "ex:-a", "ex:a.", "no:a", "ex:it\\'s", "a", "A"),
    *("<http://e.org/a/a>", "<http://e.org/it's#x>", "<#rel>", "<http://e.org/ x>", "<urn:a:b>"),
    *("_:b0", "_:b.c", "[]", "[ ex:p 1 ]", "( 1 ex:a )", "[", "]", "(", ")", "{", "<<", ">>"),
    *("1", "-1.5", ".5", "1.", "1e3", "true", "TRUE", "+0", "1 .", "true."),
    *('""', '"x"', '"x . y"', '" ; "', '"x"@en', '"x"@en-GB', '"x"^^ex:t', '"x"^^<http://e.org/t>'),
    *('"a\\"b"', '"a\\\\"', '"a\\\\\\""', '"\\u0041"', '"it\'s # 5"', '"x"^^no:t', '"x" "y"', '"'),
    *("'x'", "' . '", "'\"'", "'''a\n\"b . ex:a ex:b ex:c .\n'''", '"""a " b"""', '"""a\n . \n"""'),
    *("# note", '# 5" . ', "\n# line . \" ' \n", "\n#", "ex:a#x", 'ex:a#"'),
    *("\r\n", "\t", "\r", "\r# ", "\\", "é"),
    *("@prefix ex: <http://e.org/c/> .\n", "PREFIX ex: <http://e.org/d/>\n", "@base <http://f/> ."),
]
MARKS = [
    " .",
    " .\n",
    " ;\n",
    ";",
    ",",
    " , ",
    ".",
    " . ",
    "\n",
    " ",
    "",
    " ;.",
    " ; .\n",
    " ; , ",
    " ; ; ",
]
WELL = st.tuples(
    st.sampled_from(["ex:a", "_:b0", ":d", "<urn:a:b>"]),
    st.sampled_from(["a", "ex:p", ":q", "<http://e.org/p>"]),
    st.one_of(
        st.sampled_from(["ex:c", '"x . \\" y"', "1", "true", "_:b0", '"1"^^ex:t', '""']),
        st.sampled_from([one for one in TERMS if one not in ("[", "]", "(", ")", "{", "<<")]),
    ),
    st.sampled_from(
        [" .\n", " . ", " .", " ;\n ex:r :s .\n", " ; .\n", " ;; a :u ;\n.\n", " , :t .\n"]
    ),
).map(lambda parts: f"{parts[0]} {parts[1]} {parts[2]}{parts[3]}")
SOUP = st.lists(
    st.tuples(st.sampled_from(TERMS), st.sampled_from(MARKS)).map("".join), min_size=1, max_size=4
).map(" ".join)
DOCUMENTS = st.lists(st.one_of(WELL, WELL, WELL, SOUP), min_size=1, max_size=8).map("".join)


def by_parser(folder, text):
    """What the parser makes of the text, read from the N-Quads it writes; None if it objects."""
    try:
        parser = ox.parse(text.encode(), format=ox.RdfFormat.TURTLE)
        lines = ox.serialize(parser, format=ox.RdfFormat.N_QUADS)
    except SyntaxError as fault:
        return fault
    path = folder / "parsed.nq"
    path.write_bytes(lines)
    return read_triples(path)


def parts(triples):
    """Everything that two readings must have in common, statements said twice included."""
    counts = {key: n for key, n in triples.counts.items() if "triple term" not in key}
    return (
        triples.head.tolist(),
        triples.relation.tolist(),
        triples.tail.tolist(),
        triples.member.tolist(),
        triples.literals.rows(),
        [list(v.ids) for v in (triples.entities, triples.relations, triples.classes)],
        counts,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("turtle")


@settings(max_examples=100, deadline=None)
@given(DOCUMENTS)
@example('ex:a ex:b ex:c . # 5" disk\nex:d ex:e " . ex:x ex:y ex:z . " .\n')
@example("ex:a ex:b ex:c .# see . ex:x ex:y ex:z .\n")
@example('ex:a ex:b \'" . \' , " . ex:x ex:y ex:z . " .\n')
@example('ex:a ex:b """ \n# no comment . \n """ . ex:x ex:y ex:z .\n')
@example("# a comment . \" over\n# blocks ' of text .\nex:a ex:b ex:c .\n")
@example("ex:a ex:b ex:c .\n")
@example("ex:a ex:b ex:c .\n" + " " * 99 + "ex:d ex:b ex:c .\n")
@example("# note\r ex:a ex:b ex:c .\n # note\r ex:d ex:b ex:c .\n")
@example("ex:a ex:b 1 . PREFIX ex: <http://e.org/d/> ex:a ex:b ex:c .\n")
def test_turtle_means_what_the_parser_says(folder, text):
    text = HEADER + text
    expected, path = by_parser(folder, text), folder / "a.ttl"
    path.write_text(text, newline="")
    if isinstance(expected, SyntaxError):
        with pytest.raises(GraphDataError, match=f"line {expected.lineno}, column"):
            read_triples(path)
        return
    assert parts(read_triples(path)) == parts(expected)


def test_a_text_that_is_no_utf8_is_refused_by_line(tmp_path):
    path = tmp_path / "a.ttl"
    path.write_bytes(HEADER.encode() + b'ex:a ex:b ex:c .\nex:a ex:b "\xff" .\n')
    with pytest.raises(GraphDataError, match=r"a\.ttl, line 4"):
        read_triples(path)


def test_an_error_late_in_a_file_is_named_by_line_and_column(tmp_path):
    path = tmp_path / "a.ttl"
    good = "".join(f"ex:s{n} ex:p ex:o{n} .\n" for n in range(50))
    path.write_text(HEADER + good + "ex:s ex:p ex:o .  é:a no:p ex:o .\n")
    with pytest.raises(GraphDataError, match=r"line 53, column 19"):
        read_triples(path)
