"""Random knowledge graphs, and one small graph that has everything awkward in it."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
from hypothesis import strategies as st

from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.cypher.tokens import label_positions, text_of, tokens_of
from trefoil.kg.graph import Edges, KnowledgeGraph, Nodes
from trefoil.kg.stores.comparison import differences

TYPES = [
    pl.String(),
    pl.Int64(),
    pl.Int32(),
    pl.UInt8(),
    pl.Float64(),
    pl.Float32(),
    pl.Boolean(),
    pl.Date(),
    pl.Datetime("us"),
    pl.Datetime("us", "UTC"),
    pl.Datetime("ms", "Europe/Berlin"),
    pl.Duration("us"),
    pl.List(pl.String()),
    pl.List(pl.Float64()),
    pl.List(pl.Int64()),
    pl.Binary(),
    pl.Null(),
]

_letters = st.characters(exclude_categories=["Cs"])
_moments = st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2250, 1, 1))


def _values(dtype: pl.DataType) -> st.SearchStrategy:
    if isinstance(dtype, pl.List):
        return st.lists(_values(dtype.inner), max_size=3)
    if isinstance(dtype, pl.Datetime):
        if dtype.time_unit == "ms":
            moments = _moments.map(lambda at: at.replace(microsecond=0))
        else:
            moments = _moments
        return moments.map(lambda at: at.replace(tzinfo=dt.UTC)) if dtype.time_zone else moments
    return {
        pl.String(): st.text(_letters, max_size=5),
        pl.Int64(): st.integers(-(2**63), 2**63 - 1),
        pl.Int32(): st.integers(-(2**31), 2**31 - 1),
        pl.UInt8(): st.integers(0, 255),
        pl.Float64(): st.floats(),
        pl.Float32(): st.floats(width=32),
        pl.Boolean(): st.booleans(),
        pl.Date(): st.dates(dt.date(1, 1, 1), dt.date(9999, 1, 1)),
        pl.Duration("us"): st.timedeltas(dt.timedelta(-10_000), dt.timedelta(10_000)),
        pl.Binary(): st.binary(max_size=4),
        pl.Null(): st.none(),
    }[dtype]


_names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6)
_common = st.sampled_from(
    ["name", "Name", "id", "ID", "_row", "text", "order by", "from", "`x", "电影"]
)


@st.composite
def _frames(draw: st.DrawFn, rows: int) -> pl.DataFrame:
    names = draw(st.lists(_names | _common, max_size=3, unique=True))
    columns = []
    for name in names:
        dtype = draw(st.sampled_from(TYPES))
        values = draw(st.lists(st.none() | _values(dtype), min_size=rows, max_size=rows))
        if isinstance(dtype, pl.Datetime) and dtype.time_zone:
            utc = pl.Series(name, values, dtype=pl.Datetime(dtype.time_unit, "UTC"))
            columns.append(utc.dt.convert_time_zone(dtype.time_zone))
        else:
            columns.append(pl.Series(name, values, dtype=dtype))
    return pl.DataFrame(columns)


@st.composite
def graphs(draw: st.DrawFn) -> KnowledgeGraph:
    """Small graphs with names that clash, parallel edges, loops, nulls and every type."""
    labels = draw(
        st.lists(
            st.sampled_from(["Item", "Genre", "GENRE", "genre", "User"]) | _names,
            min_size=1,
            max_size=3,
            unique=True,
        )
    )
    nodes = {}
    for label in labels:
        ids = draw(st.lists(st.text(_letters, max_size=6), max_size=4, unique=True))
        nodes[label] = Nodes(Vocabulary(ids), draw(_frames(len(ids))))
    kinds = draw(
        st.lists(
            st.tuples(
                st.sampled_from(labels),
                st.sampled_from(["GENRE", "Genre", "INTERACTED"]) | _names,
                st.sampled_from(labels),
            ),
            max_size=4,
            unique=True,
        )
    )
    edges = {}
    for source, relation, target in kinds:
        n, m = len(nodes[source]), len(nodes[target])
        count = draw(st.integers(0, 6)) if n and m else 0
        ends = [
            np.array(
                draw(st.lists(st.integers(0, max(k - 1, 0)), min_size=count, max_size=count)),
                np.int64,
            )
            for k in (n, m)
        ]
        edges[source, relation, target] = Edges(*ends, draw(_frames(count)))
    predicates = {relation: f"http://example.org/{relation}" for _, relation, _ in kinds}
    return KnowledgeGraph(nodes, edges, predicates)


def films() -> KnowledgeGraph:
    """Six films, their people and genres, three users; ``GENRE`` is a type, ``Genre`` a label."""
    items = pl.DataFrame(
        {
            "iri": [f"http://example.org/film/{k}" for k in range(6)],
            "name": ["Solaris", "Stalker", "Mirror", "Alien", "Blade Runner", "Quiet <b>Night</b>"],
            "text": ["a planet thinks", None, "", "a ship", "rain & neon", "it's 'quiet'"],
            "year": [1972, 1979, 1975, 1979, 1982, None],
            "score": [8.0, 8.1, float("nan"), 8.5, None, 0.0],
            "tags": [["slow", "sf"], ["sf"], [], None, ["sf"], ["quiet"]],
            "seen_at": pl.Series(
                [
                    dt.datetime(2020, 1, 1),
                    None,
                    None,
                    dt.datetime(2021, 2, 3, 4, 5, 6, 7),
                    None,
                    None,
                ],
                dtype=pl.Datetime("us", "UTC"),
            ),
            "released": [dt.date(1972, 3, 20), None, None, None, dt.date(1982, 6, 25), None],
            "colour": [True, True, None, True, False, None],
        }
    )
    people = pl.DataFrame({"name": ["Andrei Tarkovsky", "Ridley Scott"]})
    genres = pl.DataFrame({"name": ["Science fiction", "Drama", "Horror"]})
    ids = Vocabulary(["q1", "q2", "q3", "q4", "q5", "Robert'); DROP TABLE Item;--"])

    def edges(*pairs: tuple[int, int], properties: pl.DataFrame | None = None) -> Edges:
        source, target = np.array(pairs, np.int64).reshape(-1, 2).T
        return Edges(source, target, pl.DataFrame() if properties is None else properties)

    events = pl.DataFrame(
        {
            "stars": pl.Series([5.0, 3.0, None, 4.0, 5.0, 1.0, 2.0], dtype=pl.Float32),
            "at": [10, 20, 20, 30, 40, None, 60],
            "kind": ["view", "buy", "view", None, "view", "view", "buy"],
        }
    )
    return KnowledgeGraph(
        {
            "User": Nodes(Vocabulary(["u1", "u2", "u3"]), pl.DataFrame()),
            "Item": Nodes(ids, items),
            "Person": Nodes(Vocabulary(["p1", "p2"]), people),
            "Genre": Nodes(Vocabulary(["sf", "drama", "horror"]), genres),
            "Theme": Nodes(Vocabulary([]), pl.DataFrame({"name": []}, schema={"name": pl.String})),
        },
        {
            # u1 saw q1 twice, and the third event of u2 is its second of q4
            ("User", "INTERACTED", "Item"): edges(
                (0, 0), (0, 1), (0, 0), (1, 3), (1, 3), (2, 4), (1, 1), properties=events
            ),
            ("Item", "DIRECTOR", "Person"): edges((0, 0), (1, 0), (2, 0), (3, 1), (4, 1)),
            ("Item", "GENRE", "Genre"): edges(
                (0, 0), (0, 1), (1, 0), (2, 1), (3, 0), (3, 2), (4, 0), (5, 1)
            ),
            ("Person", "INFLUENCED_BY", "Person"): edges((1, 0), (0, 0)),
            ("Item", "INFLUENCED_BY", "Item"): edges((4, 0), (4, 0)),
            ("Item", "THEME", "Theme"): edges(),
        },
        {"DIRECTOR": "http://schema.org/director", "GENRE": "http://schema.org/genre"},
    )


def marked(graph: KnowledgeGraph, mark: str) -> KnowledgeGraph:
    """The same graph with every label and type begun by a mark."""
    return KnowledgeGraph(
        {mark + label: part for label, part in graph.nodes.items()},
        {(mark + s, mark + r, mark + t): part for (s, r, t), part in graph.edges.items()},
        {mark + name: iri for name, iri in graph.predicates.items()},
    )


def marked_query(cypher: str, mark: str) -> str:
    """A question about ``films()`` as one about ``marked(films(), mark)``."""
    tokens = tokens_of(cypher)
    names = {k: f"`{mark}{tokens[k].named}`" for k in label_positions(tokens)}
    return text_of(tokens, names)


def assert_same(found: KnowledgeGraph, wanted: KnowledgeGraph) -> None:
    """Equal to the last row number, not only as sets."""
    assert list(found.nodes) == list(wanted.nodes)
    assert list(found.edges) == list(wanted.edges)
    assert dict(found.predicates) == dict(wanted.predicates)
    for label, part in wanted.nodes.items():
        assert found.nodes[label].vocabulary == part.vocabulary
        assert found.nodes[label].properties.equals(part.properties), label
        assert found.nodes[label].properties.schema == part.properties.schema
    for ends, part in wanted.edges.items():
        assert np.array_equal(found.edges[ends].source, part.source)
        assert np.array_equal(found.edges[ends].target, part.target)
        assert found.edges[ends].properties.equals(part.properties), ends
    assert differences(found, wanted) == []
