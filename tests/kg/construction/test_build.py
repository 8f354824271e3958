"""From a dataset to its graph: names, types, properties, and training events alone."""

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks.papers import LASTFM_KGCN
from trefoil.data import (
    GraphDataError,
    Interactions,
    Items,
    Labels,
    Users,
    Vocabulary,
    read_dataset,
)
from trefoil.data.dataset import Dataset, GraphSource, SplitRule
from trefoil.data.interactions import UNKNOWN_TIME, Categorical
from trefoil.data.report import DataReport
from trefoil.kg.construction.build import build, read_rdf
from trefoil.kg.construction.literals import score_column
from trefoil.kg.item_facts import item_facts
from trefoil.kg.naming import labels, relationship, relationship_types
from trefoil.kg.stores.comparison import differences

DATA = Path(os.environ.get("TREFOIL_DATA", Path(__file__).parents[3] / "../shared/datasets"))
SCHEMA = "https://schema.org/"


def real(name):
    """The folder of a real dataset."""
    if not (DATA / name).exists():
        pytest.skip(f"no {DATA / name}; set TREFOIL_DATA to the folder of data sets")
    return DATA / name


def dataset(graph=None, **more):
    n = 4
    events = Interactions(
        np.array([0, 0, 1, 1]),
        np.array([0, 1, 1, 2]),
        np.array([True, False, True, True]),
        np.array([5, 1, np.nan, 4], np.float32),
        np.array([10, 20, UNKNOWN_TIME, 40]),
        Categorical(np.array([0, 1, -1, 0]), ("view", "buy")),
    )
    items = Items(
        Vocabulary(["a", "b", "c"]),
        ("A", None, "C"),
        ("text of a", None, None),
        more.get("category", {}),
    )
    users = Users(Vocabulary(["u", "v"]))
    assert len(events) == n
    return Dataset("test", events, users, items, graph, SplitRule(), DataReport(), "0" * 64, None)


def write(folder, text, name="graph.ttl"):
    path = folder / name
    path.write_text(f"@prefix : <http://example.org/> . @prefix s: <{SCHEMA}> .\n{text}")
    return path


def test_training_events_become_edges_and_no_others():
    edges = build(dataset(), np.array([3, 0])).edges["User", "INTERACTED", "Item"]
    assert (edges.source.tolist(), edges.target.tolist()) == ([1, 0], [2, 0])
    assert edges.properties.to_dict(as_series=False) == {
        "stars": [4.0, 5.0],
        "at": [40, 10],
        "kind": ["view", "view"],
    }
    everything = build(dataset(), np.arange(4)).edges["User", "INTERACTED", "Item"]
    assert everything.properties.to_dict(as_series=False) == {
        "stars": [5.0, 1.0, None, 4.0],
        "at": [10, 20, None, 40],
        "kind": ["view", "buy", None, "view"],
        "positive": [True, False, True, True],
    }


def test_what_is_held_out_changes_nothing():
    one = dataset()
    events = one.interactions
    other = Interactions(
        np.array([0, 0, 1, 0]),
        np.array([0, 1, 1, 0]),
        np.array([True, False, True, False]),
        np.array([5, 1, np.nan, 2], np.float32),
        np.array([10, 20, UNKNOWN_TIME, 99]),
        Categorical(np.array([0, 1, -1, 1]), events.kind.names),
    )
    changed = Dataset(**{**vars(one), "interactions": other})
    train = np.arange(3)
    assert differences(build(one, train), build(changed, train)) == []


def test_without_a_graph_the_categories_are_one():
    genre = Labels(np.array([0, 2, 2, 3]), np.array([0, 1, 1]), ("film noir", "drama"))
    graph = build(dataset(category={"main genre": genre}), np.arange(2))
    edges = graph.edges["Item", "MAIN_GENRE", "MainGenre"]
    assert list(zip(edges.source, edges.target, strict=True)) == [(0, 0), (0, 1), (2, 1)]
    assert graph.nodes["MainGenre"].properties["name"].to_list() == ["film noir", "drama"]
    assert graph.nodes["Item"].properties["name"].to_list() == ["A", None, "C"]


def test_files_and_a_table_are_one_graph(tmp_path):
    ttl = write(tmp_path, ":a s:director :p . :p a s:Person ; s:name 'Pat' .")
    csv = tmp_path / "more.csv"
    csv.write_text(
        "head,relation,tail\nhttp://example.org/b,https://schema.org/director,http://example.org/p\n"
    )
    table = pl.DataFrame(
        {
            "head": ["http://example.org/a"],
            "relation": ["mood"],
            "tail": ["calm"],
        }
    )
    source = GraphSource(
        files=(ttl, csv),
        table=table,
        iri="http://example.org/{id}",
        names={SCHEMA + "director": "directed by", "calm": "Calm"},
    )
    graph = build(dataset(source), np.arange(2))
    assert set(graph.edges) == {
        ("User", "INTERACTED", "Item"),
        ("Item", "DIRECTED_BY", "Person"),
        ("Item", "MOOD", "Entity"),
    }
    assert graph.edges["Item", "DIRECTED_BY", "Person"].source.tolist() == [0, 1]
    assert graph.nodes["Person"].properties["name"].to_list() == ["Pat"]
    assert graph.nodes["Entity"].properties["name"].to_list() == ["Calm"]
    assert graph.predicates["DIRECTED_BY"] == SCHEMA + "director"
    facts = item_facts(graph)
    assert facts.matrix.toarray().tolist() == [[1, 1], [1, 0], [0, 0]]


def test_allow_deny_and_same_as_reach_the_files(tmp_path):
    text = (
        ":a s:director :p ; s:actor :p . <http://www.w3.org/2002/07/owl#sameAs> a :x . "
        "<urn:b> <http://www.w3.org/2002/07/owl#sameAs> :a ."
    )
    source = GraphSource(
        files=(write(tmp_path, text),), iri="urn:{id}", deny=("ACTOR",), same_as=True
    )
    graph = build(dataset(source), np.arange(1))
    assert ("Item", "DIRECTOR", "Entity") in graph.edges
    assert ("Item", "ACTOR", "Entity") not in graph.edges
    assert graph.edges["Item", "DIRECTOR", "Entity"].source.tolist() == [1]
    assert graph.nodes["Item"].properties["same_as"].to_list() == [None, ["urn:b"], None]


def test_base_contexts_and_titles_reach_the_files(tmp_path):
    path, context = tmp_path / "a.jsonld", tmp_path / "context.jsonld"
    path.write_text(
        '{"@context": "https://e.org/c", "@id": "a", "code": "X", "by": {"@id": "p", "code": "Y"}}'
    )
    context.write_text('{"@context": {"by": "http://e/by", "code": "http://e/code"}}')
    source = GraphSource(
        files=(path,),
        iri="http://e/items/{id}",
        base="http://e/items/",
        contexts={"https://e.org/c": context},
        title=("code",),
    )
    graph = build(dataset(source), np.arange(1))
    assert graph.report.counts["statements"] == 3
    assert "Y" in graph.nodes["Entity"].properties["name"].to_list()


def test_a_graph_without_a_source_is_an_error():
    with pytest.raises(GraphDataError, match="no files, no table and no server"):
        build(dataset(GraphSource()), np.arange(1))


def test_labels_are_the_larger_class_and_all_are_kept(tmp_path):
    graph = read_rdf(
        write(
            tmp_path,
            "@prefix owl: <http://www.w3.org/2002/07/owl#> . :a a :Film, :Work, owl:Thing . "
            ":b a :Work, owl:Thing . :c a owl:Thing . :d :r :a .",
        )
    )
    ids = {label: nodes.vocabulary.ids for label, nodes in graph.nodes.items()}
    e = "http://example.org/"
    assert ids == {"Entity": (e + "d",), "Work": (e + "a", e + "b"), "Thing": (e + "c",)}
    assert graph.nodes["Work"].properties["classes"].to_list()[0] == [
        e + "Film",
        e + "Work",
        "http://www.w3.org/2002/07/owl#Thing",
    ]


def test_names_and_texts_follow_language_and_predicate(tmp_path):
    path = write(
        tmp_path,
        """@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
        :a rdfs:label "Angst"@de, "Fear"@en-GB, "Fear of"@en ; s:name "La peur"@fr .
        :b s:name "only a name" ; rdfs:comment "short" ; s:description "longer" .
        :c rdfs:label "名"@ja . :The_%C3%89nd :r :c .""",
    )

    def told(*languages):
        nodes = read_rdf(path, languages=languages).nodes["Entity"]
        return dict(zip(nodes.vocabulary, nodes.properties["name"], strict=True))

    e = "http://example.org/"
    assert told("en") == {
        e + "a": "Fear of",
        e + "b": "only a name",
        e + "c": "名",
        e + "The_%C3%89nd": "The Énd",
    }
    assert told("fr", "en")[e + "a"] == "La peur"
    assert told("de")[e + "a"] == "Angst"
    texts = read_rdf(path).nodes["Entity"].properties["text"].to_list()
    assert texts.count("longer") == 1


def test_literals_become_columns_that_keep_datatype_and_language(tmp_path):
    graph = read_rdf(
        write(
            tmp_path,
            ':a s:year 1958 ; s:year 1959 ; s:title "A"@en, "B"@de, "C" ; s:id "x" ; s:good true ; '
            ':year "1958"^^<http://www.w3.org/2001/XMLSchema#gYear> .\n:b s:year 1960 .',
        )
    )
    table = graph.nodes["Entity"].properties
    assert table.drop("iri", "name").to_dict(as_series=False) == {
        "example_year": [1958, None],
        "good": [True, None],
        "schema_id": ["x", None],
        "title": ["C", None],
        "title_de": ["B", None],
        "title_en": ["A", None],
        "schema_year": [[1958, 1959], [1960]],
    }
    assert graph.predicates[".title_de"] == f"<{SCHEMA}title>@de"
    assert table["good"].to_list() == [True, None]


def test_numbers_and_dates_are_score_columns_on_request(tmp_path):
    graph = read_rdf(
        write(
            tmp_path,
            """@prefix x: <http://www.w3.org/2001/XMLSchema#> .
            :a s:price 2.5 ; s:on "1994-07-02"^^x:date ; s:odd "12x"^^x:integer, "7"^^x:integer .
            :b s:on "1994-01-01T10:00:00Z"^^x:dateTime ; s:price 1.50, 0.5 .
            :c s:on "never" ; s:runs "PT90M"^^x:duration .""",
        )
    )
    assert score_column(graph, "Entity", "price").tolist()[:2] == [2.5, 1.0]
    on = [name for name in graph.nodes["Entity"].properties.columns if name.startswith("on")]
    dates = {name: score_column(graph, "Entity", name) for name in on}
    assert dates["on"][0] == pytest.approx(1994.5, abs=0.01)
    assert dates["on_dateTime"][1] == pytest.approx(1994.0)
    assert np.isnan(dates["on_text"]).all()
    assert score_column(graph, "Entity", "odd")[0] == 7.0
    assert score_column(graph, "Entity", "runs")[2] == 5400.0
    with pytest.raises(GraphDataError, match="did you mean 'price'"):
        score_column(graph, "Entity", "prize")
    with pytest.raises(GraphDataError, match="'Thing'"):
        score_column(graph, "Thing", "price")


@pytest.mark.parametrize(
    ("iri", "name"),
    [
        ("http://e/directedBy", "DIRECTED_BY"),
        ("http://e/ns#HTMLPage2Text", "HTML_PAGE2_TEXT"),
        ("urn:kg:actor", "ACTOR"),
        ("film.person_or_entity.film", "FILM_PERSON_OR_ENTITY_FILM"),
        ("http://e/%C3%A9t%C3%A9", "ÉTÉ"),
        ("http://e/P57", "P57"),
        ("http://e/7up", "_7UP"),
        ("http://e/!", "_"),
    ],
)
def test_relationship_types_are_upper_snake(iri, name):
    assert relationship(iri) == name


def test_names_that_clash_get_their_prefix():
    types = relationship_types(
        ["http://schema.org/name", "http://xmlns.com/foaf/0.1/name", "http://e.org/x/interacted"]
    )
    assert types == {
        "http://schema.org/name": "SCHEMA_NAME",
        "http://xmlns.com/foaf/0.1/name": "FOAF_NAME",
        "http://e.org/x/interacted": "X_INTERACTED",
    }
    assert labels(["http://schema.org/Item", "http://e/item", "http://e/Person"]) == {
        "http://schema.org/Item": "SchemaItem",
        "http://e/item": "EItem",
        "http://e/Person": "Person",
    }
    many = relationship_types([f"http://a{row}.example/x/y" for row in range(3)])
    assert sorted(many.values()) == ["X_Y", "X_Y_2", "X_Y_3"]


def test_statements_twice_or_in_another_order_give_the_same_graph(tmp_path):
    text = ":a s:director :p . :p a s:Person . :b s:director :p . :a s:name 'x' ."
    one = read_rdf(write(tmp_path, text, "one.ttl"))
    two = read_rdf([write(tmp_path, text * 2, "two.ttl"), tmp_path / "one.ttl"])
    assert differences(one, two) == []
    assert two.report.counts["duplicates"] == 8


def test_broken_lines_reach_the_report(tmp_path):
    path = tmp_path / "a.nt"
    path.write_text("<http://e/s> <http://e/p> <http://e/o> .\n" * 200 + "words\n")
    assert read_rdf(path).report.reasons
    assert read_rdf(path).report.quarantined[0].line == 201


@pytest.mark.real
def test_movielens_and_its_names_graph_are_linked_whole():
    root = real("ml-latest-small-kg")
    graph = read_rdf(root / "derived/kg_names.nt.gz")
    assert graph.edge_count == 37_513 + 9_119 + 10_069 + 20_322 + 11_638 + 3_109
    assert {relation for _, relation, _ in graph.edges} == {
        "ACTOR",
        "DECADE",
        "DIRECTOR",
        "GENRE",
        "WRITER",
        "SAME_AS",
    }


@pytest.mark.real
def test_lastfm_joins_two_graphs_by_what_dbpedia_calls_its_artists():
    root = real("lastfm-hetrec-kg")
    both, one = (read_dataset(name, root=root) for name in ("lastfm", LASTFM_KGCN))
    whole, part = (build(dataset, np.zeros(0, np.int64)) for dataset in (both, one))
    assert whole.nodes["Item"].vocabulary.ids == part.nodes["Item"].vocabulary.ids
    row = both.items.vocabulary.row("0")
    iri = "http://dbpedia.org/resource/Diary_of_Dreams"
    assert whole.nodes["Item"].properties["iri"][row] == iri
    for key, edges in part.edges.items():  # nothing of KGCN's graph is lost or moved
        if "User" not in key:
            assert sorted(whole.edges[key].source) == sorted(edges.source)
    found = whole.edges["Item", "GENRE", "Entity"]
    names = whole.nodes["Entity"].properties["name"].gather(found.target[found.source == row])
    assert "Darkwave" in names.to_list()
    assert not any("ASSOCIATED_MUSICAL_ARTIST" in key for key in whole.edges)


@pytest.mark.real
def test_movielens_100k_has_casts_beside_dbpedia():
    known = read_dataset("movielens-100k", root=real("ml-100k-dbpedia"))
    graph = build(known, np.zeros(0, np.int64))
    cast, starring = (graph.edges["Item", name, "Entity"] for name in ("CAST", "STARRING"))
    assert (len(cast), len(starring)) == (82_127, 22_920)
    names = graph.nodes["Entity"].properties["name"]
    story = known.items.vocabulary.row("1")
    assert {"Tom Hanks", "Don Rickles"} <= set(names.gather(cast.target[cast.source == story]))
    assert len(np.unique(cast.source)) == 1_678
