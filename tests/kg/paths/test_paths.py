"""Explanation paths: every edge exists, the telling ones come first, hubs do no harm."""

import gc
import itertools

import numpy as np
import polars as pl
import pytest
from graph_strategies import marked
from hypothesis import given, settings
from hypothesis import strategies as st

from trefoil.data import Vocabulary
from trefoil.kg.cypher.names import quoted
from trefoil.kg.graph import Edges, KnowledgeGraph, Nodes
from trefoil.kg.paths.diversify import varied
from trefoil.kg.paths.explain import PathIndex, explain
from trefoil.kg.paths.index import Index
from trefoil.kg.paths.links import Pairs, links
from trefoil.kg.paths.nearest import ItemFacts, nearest
from trefoil.kg.stores.embedded.store import EmbeddedStore
from trefoil.kg.stores.open import open_store


def graph(nodes, edges, at=None, positive=None, stars=None):
    """Nodes as counts by label, edges as pairs by (source, type, target)."""
    made = {
        label: Nodes(
            Vocabulary(f"{label[0].lower()}{row}" for row in range(count)),
            pl.DataFrame({"name": [f"{label} {row}" for row in range(count)]}),
        )
        for label, count in nodes.items()
    }
    out = {}
    for key, pairs in edges.items():
        source, target = np.array(pairs, np.int64).reshape(-1, 2).T.copy()
        table = {}
        if key[1] == "INTERACTED":
            table = {"at": at} if at is not None else {}
            table |= {"positive": positive} if positive is not None else {}
            table |= {"stars": stars} if stars is not None else {}
        out[key] = Edges(source, target, pl.DataFrame(table))
    return KnowledgeGraph(made, out)


SEEN = ("User", "INTERACTED", "Item")
DIRECTOR = ("Item", "DIRECTOR", "Person")
GENRE = ("Item", "GENRE", "Genre")


def films(**more):
    """User 0 liked items 0 and 1; item 2 shares a director with 0 and a genre with all."""
    return graph(
        {"User": 3, "Item": 5, "Person": 3, "Genre": 1},
        {
            SEEN: [(0, 0), (0, 1), (1, 4)],
            DIRECTOR: [(0, 0), (2, 0), (1, 1), (4, 2)],
            GENRE: [(row, 0) for row in range(5)],
        }
        | more,
    )


def ids(path):
    return [node.id for node in path.nodes]


def test_a_shared_director_goes_before_a_genre_of_everything():
    (paths,) = explain(films(), [0], [2])
    assert [ids(path) for path in paths] == [["u0", "i0", "p0", "i2"], ["u0", "i1", "g0", "i2"]]
    assert paths[0].text == "because you liked *Item 0*, also directed by Person 0"
    assert paths[1].text == "because you liked *Item 1*, same genre: Genre 0"
    assert 1 > paths[0].weight > 2 * paths[1].weight > 0
    assert [(edge.type, edge.forward) for edge in paths[0].edges] == [
        ("INTERACTED", True),
        ("DIRECTOR", True),
        ("DIRECTOR", False),
    ]


def test_weights_are_those_worked_by_hand():
    (paths,) = explain(films(), [0], [2])
    # 5 items: the director is a fact of 2 of them, of 1 liked; the genre of all 5, of 2 liked
    assert paths[0].weight == pytest.approx(np.log(6 / 2) / np.log(6) / 2)
    assert paths[1].weight == pytest.approx(np.log(6 / 5) / np.log(6) * 2 / 3)


@pytest.mark.parametrize("id", ["urn:trefoil:blank:0af3", "neo4j:4:958827e2:616"])
def test_a_shared_node_without_a_name_is_called_by_what_it_is(id):
    world = films()
    nameless = Nodes(Vocabulary([id, "p1", "p2"]), pl.DataFrame({"name": [None, "A", "B"]}))
    world = KnowledgeGraph(
        {**world.nodes, "CustomerOrder": nameless} | {},
        {
            SEEN: world.edges[SEEN],
            ("Item", "ORDERS", "CustomerOrder"): world.edges[DIRECTOR],
        },
    )
    (path,) = explain(world, [0], [2], k=1)[0]
    assert path.text == "because you liked *Item 0*, by a shared customer order"
    assert path.nodes[2].id == id


def test_two_hops_find_items_that_are_joined_either_way():
    world = graph(
        {"User": 1, "Item": 5},
        {SEEN: [(0, 0), (0, 1)], ("Item", "SEQUEL_OF", "Item"): [(3, 0), (1, 4)]},
    )
    forward, backward = explain(world, [0, 0], [3, 4], max_hops=2)
    assert [ids(path) for path in forward] == [["u0", "i0", "i3"]]
    assert forward[0].edges[1][:2] == ("SEQUEL_OF", False)
    assert forward[0].text == "because you liked *Item 0*, and this is a sequel of it"
    assert [ids(path) for path in backward] == [["u0", "i1", "i4"]]
    assert backward[0].edges[1][:2] == ("SEQUEL_OF", True)
    assert backward[0].text == "because you liked *Item 1*, which is a sequel of this"


def test_people_who_met_both_are_a_reason():
    world = graph(
        {"User": 4, "Item": 3}, {SEEN: [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2), (3, 2)]}
    )
    paths, nothing = explain(world, [0, 0], [1, 0])
    assert [ids(path) for path in paths] == [["u0", "i0", "u1", "i1"]]  # u1 met fewer than u2
    assert paths[0].weight == pytest.approx(0.6 * 2 / np.sqrt(3 * 2))
    assert nothing == []


def test_who_met_both_is_counted_alike_by_bits_and_by_lists(monkeypatch):
    random = np.random.default_rng(0)
    world = graph({"User": 70, "Item": 9}, {SEEN: random.integers(0, (70, 9), (160, 2))})
    met = np.zeros((70, 9), bool)
    edges = world.edges[SEEN]
    met[edges.source, edges.target] = True
    one, other = random.integers(0, 9, (2, 40))
    expected = (met[:, one] & met[:, other]).sum(0)
    assert PathIndex(world).index.together(one, other).tolist() == expected.tolist()
    monkeypatch.setattr("trefoil.kg.paths.index.MOST_BITS", 0)
    assert PathIndex(world).index.together(one, other).tolist() == expected.tolist()


def test_another_user_is_in_the_query_but_never_by_name():
    world = graph({"User": 3, "Item": 2}, {SEEN: [(0, 0), (1, 0), (1, 1)]})
    ((path,),) = explain(world, [0], [1])
    assert [node.name for node in path.nodes] == ["User 0", "Item 0", "someone else", "Item 1"]
    assert path.parameters["n2"] == "u1"
    assert "User 1" not in path.text


def test_what_anyone_may_see_holds_no_id_of_another_person():
    world = graph({"User": 3, "Item": 2}, {SEEN: [(0, 0), (1, 0), (1, 1)]})
    ((path,),) = explain(world, [0], [1])
    shown = path.shown()
    assert ids(shown) == ["u0", "i0", "", "i1"]
    assert set(shown.parameters.values()) == {"u0", "i0", "i1"}
    assert "(n2:`User`)" in shown.cypher
    assert (shown.text, shown.weight) == (path.text, path.weight)


def test_words_never_say_that_something_rated_low_was_liked():
    """Users 0 and 1 have one item that leads on; one of them rated it with a star of five."""
    world = graph(
        {"User": 2, "Item": 2, "Person": 1},
        {SEEN: [(0, 0), (1, 0)], DIRECTOR: [(0, 0), (1, 0)]},
        stars=[1.0, 5.0],
    )
    low, high = PathIndex(world, low_below=4.0).explain([0, 1], [1, 1], k=1)
    assert low[0].text.startswith("because you had *Item 0*")
    assert high[0].text.startswith("because you liked *Item 0*")
    (unknown,) = PathIndex(world).explain([0], [1], k=1)
    assert unknown[0].text.startswith("because you liked *Item 0*")


def test_what_was_liked_goes_before_what_was_rated_low():
    world = graph(
        {"User": 1, "Item": 3, "Person": 1, "Genre": 1},
        {SEEN: [(0, 0), (0, 1)], DIRECTOR: [(0, 0), (2, 0)], GENRE: [(1, 0), (2, 0)]},
        stars=[1.0, 5.0],
    )
    ((path,),) = PathIndex(world, low_below=4.0).explain([0], [2], k=1)
    assert path.text == "because you liked *Item 1*, same genre: Genre 0"


def test_the_asker_is_no_witness():
    world = graph({"User": 1, "Item": 2}, {SEEN: [(0, 0), (0, 1)]})
    assert explain(world, [0], [1]) == [[]]


def test_an_item_is_no_reason_for_itself():
    world = graph({"User": 1, "Item": 2, "Person": 1}, {SEEN: [(0, 0)], DIRECTOR: [(0, 0), (1, 0)]})
    assert explain(world, [0], [0]) == [[]]
    twice = graph(
        {"User": 1, "Item": 2, "Person": 1},
        {SEEN: [(0, 0), (0, 1)], DIRECTOR: [(0, 0), (1, 0)], ("Item", "ACTOR", "Person"): [(0, 0)]},
    )
    assert [ids(path) for path in explain(twice, [0], [0])[0]] == [
        ["u0", "i1", "p0", "i0"],
        ["u0", "i1", "p0", "i0"],
    ]


def test_another_role_of_the_same_person_counts_less():
    world = graph(
        {"User": 1, "Item": 3, "Person": 1},
        {SEEN: [(0, 0)], DIRECTOR: [(0, 0), (2, 0)], ("Item", "ACTOR", "Person"): [(1, 0), (2, 0)]},
    )
    role, both = explain(world, [0, 0], [1, 2])
    assert role[0].text == "because you liked *Item 0*, whose director Person 0 is an actor here"
    assert [edge.type for edge in role[0].edges] == ["INTERACTED", "DIRECTOR", "ACTOR"]
    assert role[0].weight < both[0].weight


def test_four_hops_go_through_two_entities():
    world = graph(
        {"User": 1, "Item": 3, "Person": 3},
        {
            SEEN: [(0, 0)],
            DIRECTOR: [(0, 0), (1, 1), (2, 2)],
            ("Person", "TAUGHT", "Person"): [(0, 1), (2, 0)],
        },
    )
    assert explain(world, [0, 0], [1, 2]) == [[], []]
    taught, teacher = explain(world, [0, 0], [1, 2], max_hops=4)
    assert ids(taught[0]) == ["u0", "i0", "p0", "p1", "i1"]
    assert [edge.forward for edge in taught[0].edges] == [True, True, True, False]
    assert ids(teacher[0]) == ["u0", "i0", "p0", "p2", "i2"]
    assert [edge.forward for edge in teacher[0].edges] == [True, True, False, False]


def test_the_newest_goes_first_among_equals():
    pairs = [(0, row) for row in range(4)]
    for newest in range(4):
        at = [10 * (row == newest) + row for row in range(4)]
        world = graph(
            {"User": 1, "Item": 5, "Person": 1},
            {SEEN: pairs, DIRECTOR: [(row, 0) for row in range(5)]},
            at=at,
        )
        assert ids(explain(world, [0], [4])[0][0])[1] == f"i{newest}"


def test_disliked_items_are_no_reason():
    world = graph(
        {"User": 1, "Item": 3, "Person": 1},
        {SEEN: [(0, 0), (0, 1)], DIRECTOR: [(row, 0) for row in range(3)]},
        positive=[True, False],
    )
    assert [ids(path)[1] for path in explain(world, [0], [2])[0]] == ["i0"]


def test_the_second_reason_is_of_another_kind():
    persons = 6
    world = graph(
        {"User": 1, "Item": 4, "Person": persons, "Genre": 1},
        {
            SEEN: [(0, 0), (0, 1)],
            DIRECTOR: [(row, one) for row in (0, 2) for one in range(persons)],
            GENRE: [(1, 0), (2, 0), (3, 0)],
        },
    )
    first, second, *_ = explain(world, [0], [2], k=3)[0]
    assert (first.edges[1].type, second.edges[1].type) == ("DIRECTOR", "GENRE")


def test_someone_never_seen_is_answered_from_a_history():
    index = PathIndex(films())
    known, (paths,) = index.explain([0], [2]), index.explain_history([0, 1], [2])
    assert [ids(path) for path in paths] == [ids(path)[1:] for path in known[0]]
    assert paths[0].cypher.startswith("MATCH p = (n0:`Item`")
    assert index.explain([-1], [2]) == [[]]
    assert index.explain_history([], [2]) == [[]]


def test_isolated_items_and_empty_graphs_give_no_paths():
    assert explain(films(), [2, 0], [2, 3], k=5)[0] == []
    empty = KnowledgeGraph({"Item": Nodes(Vocabulary([]), pl.DataFrame())}, {})
    assert explain(empty, [], []) == []


def test_parts_of_any_size_give_equal_paths(monkeypatch):
    rng = np.random.default_rng(0)
    world = random_world(rng, users=12, items=20)
    users, items = rng.integers(0, 12, 60), rng.integers(0, 20, 60)
    reference = explain(world, users, items, k=4, max_hops=4)
    for work in (1, 50, 500):
        monkeypatch.setattr("trefoil.kg.paths.search.WORK", work)
        assert explain(world, users, items, k=4, max_hops=4) == reference


def test_a_large_clique_and_a_hub_stay_bounded():
    size = 200
    pairs = list(itertools.permutations(range(size), 2))
    world = graph(
        {"User": 2, "Item": size, "Person": size, "Genre": 1},
        {
            SEEN: [(0, row) for row in range(size)] + [(1, 0)],
            ("Item", "LIKE", "Item"): pairs,
            ("Person", "KNOWS", "Person"): pairs,
            DIRECTOR: [(row, row) for row in range(size)],
            GENRE: [(row, 0) for row in range(size)],
        },
    )
    users, items = np.repeat([0, 1], size), np.tile(np.arange(size), 2)
    found = explain(world, users, items, k=3, max_hops=4)
    assert all(len(paths) == 3 for paths in found[:size])
    assert all(np.isfinite(path.weight) and 0 < path.weight <= 1 for p in found for path in p)


def random_world(rng, users=6, items=9, people=4):
    def pairs(a, b, n):
        return np.stack([rng.integers(0, a, n), rng.integers(0, b, n)], axis=1)

    return graph(
        {"User": users, "Item": items, "Person": people, "Genre": 2},
        {
            SEEN: pairs(users, items, 3 * users),
            DIRECTOR: pairs(items, people, items),
            ("Item", "ACTOR", "Person"): pairs(items, people, items),
            GENRE: pairs(items, 2, items),
            ("Item", "SEQUEL_OF", "Item"): pairs(items, items, 3),
            ("Person", "KNOWS", "Person"): pairs(people, people, 3),
        },
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_few_pairs_are_told_the_path_that_columns_choose(seed):
    rng = np.random.default_rng(seed)
    index = Index.of(random_world(rng))
    cells = np.argwhere(rng.random((9, 9)) < 0.4)
    cells = cells[cells[:, 0] != cells[:, 1]]
    at = np.unique(cells[:, 0], return_inverse=True)[1]
    factor = rng.choice([0.5, 1.0], len(at))  # many ties
    pairs = Pairs(at, cells[:, 1], cells[:, 0], cells[:, 1] % 4, factor, factor)
    asker = int(rng.integers(-1, 6))
    columns = varied(links(index, pairs, asker, 1), 1, index)
    chosen = list(zip(*(one.tolist() for one in columns), strict=True))
    facts = ItemFacts(index)
    assert nearest(facts, pairs, asker) == chosen
    if seed % 10 == 0:  # what is kept of an item is nothing that a collector looks through
        for _ in range(2):  # first what lies inside, then what holds it
            gc.collect()
        kept = [part for item in facts._kept.values() for part in item]
        assert not any(gc.is_tracked(part) for part in kept)


def joined(world):
    """Every edge as ((label, id), type, (label, id))."""
    out = set()
    for (source, relation, target), edges in world.edges.items():
        a, b = world.nodes[source].vocabulary, world.nodes[target].vocabulary
        for s, t in zip(edges.source, edges.target, strict=True):
            out.add(((source, a[s]), relation, (target, b[t])))
    return out


def steps(path):
    """The edges a path says it has."""
    for (one, other), edge in zip(itertools.pairwise(path.nodes), path.edges, strict=True):
        ends = (one[:2], other[:2]) if edge.forward else (other[:2], one[:2])
        yield ends[0], edge.type, ends[1]


def ways(world, user, item, hops):
    """By brute force: whether any path of at most so many hops leads from user to item."""
    near = {}
    for one, _, other in joined(world):
        near.setdefault(one, set()).add(other)
        near.setdefault(other, set()).add(one)
    start, goal = ("User", f"u{user}"), ("Item", f"i{item}")
    seen = {one for one in near.get(start, ()) if one != goal}
    if hops >= 2 and any(goal in near.get(one, ()) for one in seen):
        return True
    second = {two for one in seen for two in near.get(one, ()) if two != start}
    return hops >= 3 and any(goal in near.get(two, ()) for two in second)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_every_edge_exists_and_a_path_is_found_where_there_is_one(seed):
    rng = np.random.default_rng(seed)
    world = random_world(rng)
    users, items = np.repeat(np.arange(6), 9), np.tile(np.arange(9), 6)
    edges = joined(world)
    index = PathIndex(world)
    for hops in (2, 3, 4):
        for user, item, paths in zip(
            users, items, index.explain(users, items, k=5, max_hops=hops), strict=True
        ):
            for path in paths:
                assert set(steps(path)) <= edges
                assert (path.nodes[0].id, path.nodes[-1].id) == (f"u{user}", f"i{item}")
                assert path.hops <= hops
                assert path.nodes[1].label == "Item"
                assert path.nodes[1].id != f"i{item}"
            assert len({(tuple(ids(p)), p.edges) for p in paths}) == len(paths)
            if hops < 4:
                assert bool(paths) == ways(world, user, item, hops)


def check_cypher(store, world, mark=""):
    users, items = np.repeat(np.arange(6), 9), np.tile(np.arange(9), 6)
    asked = 0
    for path in itertools.chain(*explain(world, users, items, k=4, max_hops=4)):
        cypher = path.cypher
        for name in {*(node.label for node in path.nodes), *(edge.type for edge in path.edges)}:
            cypher = cypher.replace(quoted(name), quoted(mark + name))
        table = store.query(cypher, **path.parameters)
        assert len(table) == 1
        cell = table.row(0)[0]
        nodes = [(one["label"].removeprefix(mark), one["id"]) for one in cell["nodes"]]
        types = [one["type"].removeprefix(mark) for one in cell["relationships"]]
        assert nodes == [node[:2] for node in path.nodes]
        assert types == [edge.type for edge in path.edges]
        asked += 1
    assert asked > 50


def awkward():
    """A random world whose names need quoting, and whose ids are statements."""
    world = random_world(np.random.default_rng(3))
    nodes = dict(world.nodes)
    person = nodes["Person"]
    names = [f"p`{row}'}}) DETACH DELETE n //" for row in range(len(person))]
    nodes["Person"] = Nodes(Vocabulary(names), person.properties)
    edges = {
        (s, "order `by` it" if r == "DIRECTOR" else r, t): part
        for (s, r, t), part in world.edges.items()
    }
    return KnowledgeGraph(nodes, edges)


@pytest.mark.parametrize("world", [random_world(np.random.default_rng(1)), awkward()])
def test_the_query_returns_that_path_from_the_embedded_store(tmp_path, world):
    with EmbeddedStore(tmp_path / "graph", read_only=False) as store:
        store.write(world)
    with open_store(tmp_path / "graph") as store:
        check_cypher(store, world)


@pytest.mark.neo4j
def test_the_query_returns_that_path_from_neo4j(neo4j, mark):
    world = awkward()
    with neo4j.store() as store:
        store.write(marked(world, mark))
        check_cypher(store, world, mark)


@pytest.mark.parametrize("name", ["users", "items"])
def test_pairs_of_unequal_length_are_refused(name):
    pair = {"users": [0], "items": [1]} | {name: [0, 1]}
    with pytest.raises(ValueError, match=r"users.*items"):
        explain(films(), pair["users"], pair["items"])
