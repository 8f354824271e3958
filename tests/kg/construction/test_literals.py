"""Literals as values: numbers in any form, dates, durations; asked of a store, and written back."""

import datetime as dt

import polars as pl
import pyoxigraph as ox
import pytest
import rdflib
import rdflib.compare

from trefoil.kg.construction.build import read_rdf
from trefoil.kg.construction.literals import score_column
from trefoil.kg.construction.values import XSD, lexical, typed
from trefoil.kg.export.rdf import statements
from trefoil.kg.stores.embedded.bulk_load import write_embedded
from trefoil.kg.stores.open import open_store
from trefoil.kg.triples.statements import ntriples_lines

HEAD = """@prefix : <http://e/> . @prefix s: <https://schema.org/> .
@prefix x: <http://www.w3.org/2001/XMLSchema#> .
"""


def graph_of(folder, text, **options):
    path = folder / "a.ttl"
    path.write_text(HEAD + text, "utf-8")
    return read_rdf(path, **options)


def column(graph, name, label="Entity"):
    table = graph.nodes[label].properties
    return dict(zip(table["name"], table[name], strict=True))


def said(folder):
    """The statements of the file, as another parser reads them."""
    return {f"{one.triple} ." for one in ox.parse(path=folder / "a.ttl")}


def back(graph):
    return {line.strip() for line in ntriples_lines(statements(graph))}


NUMBERS = ":a :p 12.50 . :b :p 1.99E1 . :c :p 100 . :d :p 9.99 . :e :p '0800'^^x:gYear ."


def test_numbers_of_any_form_and_datatype_are_one_property(tmp_path):
    graph = graph_of(tmp_path, NUMBERS)
    assert column(graph, "p") == {"a": 12.5, "b": 19.9, "c": 100.0, "d": 9.99, "e": 800.0}
    assert set(graph.nodes["Entity"].properties.columns) == {"iri", "name", "p", "p_written"}
    assert column(graph, "p_written")["a"] == "12.50"
    assert column(graph, "p_written")["d"] is None
    assert score_column(graph, "Entity", "p").tolist() == pytest.approx(
        [12.5, 19.9, 100, 9.99, 800]
    )


def test_numbers_are_asked_as_numbers_of_a_store_and_written_back_as_they_were(tmp_path):
    graph = graph_of(tmp_path, NUMBERS + ":f :p 1, 2.50, 3e0 .")
    assert back(graph) == said(tmp_path)
    graph = graph_of(tmp_path, NUMBERS)
    write_embedded(graph, tmp_path / "store")
    with open_store(tmp_path / "store") as store:
        found = store.query("MATCH (n:Entity) WHERE n.p < 50 RETURN n.name ORDER BY n.p")
        assert found["n.name"].to_list() == ["d", "a", "b"]
        assert store.query("MATCH (n) RETURN avg(n.p) AS m")["m"][0] == pytest.approx(188.478)
        assert back(store.read()) == said(tmp_path)


def test_whole_numbers_stay_whole(tmp_path):
    graph = graph_of(tmp_path, ":a :p 1 . :b :p 02 . :c :p '3'^^x:byte .")
    assert graph.nodes["Entity"].properties.schema["p"] == pl.Int64
    assert column(graph, "p_written") == {"a": None, "b": "02", "c": f'"3"^^<{XSD}byte>'}


def test_what_is_no_number_stands_beside_and_does_no_harm(tmp_path):
    graph = graph_of(
        tmp_path, ":a :p 1 . :b :p 'x1'^^x:integer . :c :p 'INF'^^x:double . :d :p 2 ."
    )
    assert column(graph, "p") == {"a": 1, "b": None, "c": None, "d": 2}
    assert column(graph, "p_integer")["b"] == "x1"
    assert column(graph, "p_double")["c"] == "INF"
    assert back(graph) == said(tmp_path)


def test_the_name_goes_to_values_unless_there_are_more_texts(tmp_path):
    graph = graph_of(tmp_path, ":a :p 1, 'one' ; :q 1, 'one', 'two' ; :r 'x'@de, 2 .")
    table = graph.nodes["Entity"].properties
    assert (table["p"][0], table["p_text"][0]) == (1, "one")
    assert (table["q"].to_list(), table["q_number"][0]) == ([["one", "two"]], 1)
    assert (table["r"][0], table["r_de"][0]) == (2, "x")


def test_dates_moments_and_durations_are_values(tmp_path):
    text = """:a :on '1999-05'^^x:gYearMonth ; :at '2020-01-01T10:00:00+02:00'^^x:dateTime ;
        :runs 'PT90M'^^x:duration ; :local '2020-01-01T10:00:00.5'^^x:dateTime .
    :b :on '1999-05-31+01:00'^^x:date ; :runs 'P1Y'^^x:duration ; :on '-0044-03-15'^^x:date ."""
    graph = graph_of(tmp_path, text)
    row = graph.nodes["Entity"].properties.row(0, named=True)
    assert row["on"] == dt.date(1999, 5, 1)
    assert row["at"] == dt.datetime(2020, 1, 1, 8, tzinfo=dt.UTC)
    assert row["runs"] == dt.timedelta(minutes=90)
    assert row["local"] == dt.datetime(2020, 1, 1, 10, 0, 0, 500_000)
    other = graph.nodes["Entity"].properties.row(1, named=True)
    assert (other["on"], other["on_date"]) == (dt.date(1999, 5, 31), "-0044-03-15")
    assert (other["runs"], other["runs_duration"]) == (None, "P1Y")
    assert score_column(graph, "Entity", "at")[0] == pytest.approx(2020.0)
    assert score_column(graph, "Entity", "runs")[0] == 5400
    assert back(graph) == said(tmp_path)


def test_a_value_that_a_store_changed_is_written_as_it_is_now(tmp_path):
    graph = graph_of(tmp_path, ":a :p 12.50 .")
    table = graph.nodes["Entity"].properties
    graph.nodes["Entity"].__dict__["properties"] = table.with_columns(p=pl.Series([13.0]))
    assert [str(o) for o in graph.to_rdf().objects()] == ["13.0"]


@pytest.mark.parametrize(
    ("form", "datatype", "value"),
    [
        ("+5", "integer", 5),
        ("-0", "integer", 0),
        (" 5", "integer", None),
        ("٣", "integer", None),
        ("99999999999999999999", "integer", None),
        (".5", "decimal", 0.5),
        ("1e3", "decimal", None),
        ("5.E2", "double", 500.0),
        ("NaN", "double", None),
        ("1999Z", "gYear", 1999),
        ("-0044", "gYear", -44),
        ("1999-02-30", "date", None),
        ("12000-01-01", "date", None),
        ("PT", "duration", None),
        ("-PT1.5S", "dayTimeDuration", dt.timedelta(seconds=-1.5)),
        ("1", "boolean", True),
        ("TRUE", "boolean", None),
    ],
)
def test_lexical_forms_mean_what_xsd_says(form, datatype, value):
    found = [values[0] for _, values in typed(pl.Series([form]), XSD + datatype)]
    assert [one for one in found if one is not None] == ([] if value is None else [value])


@pytest.mark.parametrize("text", ["P1DT2H3M4.5S", "PT0S", "-P400D", "PT90.000001S"])
def test_durations_are_written_most_simply(text):
    ((_, values),) = typed(pl.Series([text]), f"{XSD}duration")
    ((_, again),) = typed(pl.Series([lexical(values[0])]), f"{XSD}duration")
    assert again[0] == values[0]


def test_markup_is_text_to_read_and_markup_on_the_way_back(tmp_path):
    text = """@prefix r: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
    :a s:description "<p>A <b>bold</b> lamp</p><script>x()</script>"^^r:HTML ; :json "{}"^^r:JSON .
    :b s:description "<i>x</i> &amp; y"^^r:XMLLiteral ."""
    graph = graph_of(tmp_path, text)
    assert column(graph, "text") == {"a": "A bold lamp", "b": "x & y"}
    assert column(graph, "json")["a"] == "{}"
    assert back(graph) == said(tmp_path)


def test_names_of_any_script_stay_whole(tmp_path):
    text = """:a a <http://e/किताब> ; <http://e/शीर्षक> "x" ; <http://e/लेखक> :b ; <http://e/ชื่อ> 1 .
    :b a <http://e/Cafe\u0301> ."""
    graph = graph_of(tmp_path, text)
    assert set(graph.nodes) == {"किताब", "Café"}
    assert set(graph.edges) == {("किताब", "लेखक", "Café")}
    assert {"शीर्षक", "ชื่อ"} < set(graph.nodes["किताब"].properties.columns)
    assert len(back(graph)) == len(said(tmp_path))


def test_two_spellings_of_one_name_are_told_apart(tmp_path):
    graph = graph_of(tmp_path, ":a a <http://e/Cafe\u0301> . :b a <http://f/Caf\u00e9> .")
    assert len(graph.nodes) == 2


def test_blank_nodes_are_called_by_what_they_are_and_say(tmp_path):
    text = """:shop a s:Store ; s:address [ a s:PostalAddress ; s:addressCountry "GB" ;
        s:streetAddress "1 High Street" ] ; s:price [ s:value 5 ; s:unit "EUR" ] .
    :cafe a s:Store ; s:address [ a s:PostalAddress ; s:addressCountry "GB" ;
        s:streetAddress "2 Low Road" ] ; s:tags ( :x ) ; s:geo [ ] ; s:named [ s:name "Bob" ] ."""
    graph = graph_of(tmp_path, text)
    names = {one for part in graph.nodes.values() for one in part.properties["name"]}
    assert {"PostalAddress, 1 High Street", "PostalAddress, 2 Low Road", "price, EUR"} <= names
    assert {"tags", "geo", "Bob"} <= names
    assert rdflib.compare.isomorphic(
        graph.to_rdf(), rdflib.Graph().parse(tmp_path / "a.ttl", format="turtle")
    )


def test_a_node_is_named_by_its_title_or_by_a_chosen_property(tmp_path):
    text = ':a <http://purl.org/dc/terms/title> "Title" ; :code "X-7" . :b :caption "Caption" .'
    assert set(graph_of(tmp_path, text).nodes["Entity"].properties["name"]) == {"Title", "Caption"}
    for title in ("code", "http://e/code"):
        graph = graph_of(tmp_path, text, title=[title])
        assert set(graph.nodes["Entity"].properties["name"]) == {"X-7", "Caption"}
        assert back(graph) == said(tmp_path)
