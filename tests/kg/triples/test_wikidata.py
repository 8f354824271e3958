"""Look-ups at a SPARQL endpoint of our own: batched, cached, resumed, nothing smuggled in."""

import http.server
import json
import threading
import urllib.parse

import pyoxigraph as ox
import pytest

from trefoil.data import GraphDataError
from trefoil.data.dataset import GraphSource
from trefoil.data.items import Items
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.construction.entity_linking import link
from trefoil.kg.construction.typed_graph import typed_graph
from trefoil.kg.triples.wikidata import DIRECT, ENTITY, Wikidata

WORLD = """
@prefix wd: <http://www.wikidata.org/entity/> .
@prefix wdt: <http://www.wikidata.org/prop/direct/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix schema: <http://schema.org/> .
wd:Q1 wdt:P345 "tt0052357" ; wdt:P4947 "426" ; wdt:P31 wd:Q90 ;
    rdfs:label "Vertigo"@en, "Vertigo"@de ; schema:description "1958 film"@en ;
    wdt:P57 wd:Q7 ; wdt:P161 wd:Q8 ; wdt:P495 wd:Q30 ;
    wdt:P1476 "Vertigo"@en ; wdt:P18 <http://commons.example/x.jpg> ; wdt:P9999 wd:Q8 .
wd:Q2 wdt:P345 "tt0054215" ; wdt:P31 wd:Q90 ; rdfs:label "Psycho"@en ; wdt:P57 wd:Q7 .
wd:Q3 wdt:P345 "tt0054215" ; rdfs:label "Psycho, a copy"@en .
wd:Q4 wdt:P212 "978-0-14-118776-1" ; wdt:P50 wd:Q9 ; rdfs:label "A book"@en .
wd:Q7 wdt:P31 wd:Q5 ; rdfs:label "Alfred Hitchcock"@en ; wdt:P57 wd:Q99 .
wd:Q8 wdt:P31 wd:Q5 ; rdfs:label "Kim Novak"@en .
wd:Q5 rdfs:label "human"@en . wd:Q90 rdfs:label "film"@en .
"""


class Endpoint:
    """A SPARQL endpoint on this machine, which may be told to fail."""

    def __init__(self):
        self.store = ox.Store()
        self.store.load(WORLD, format=ox.RdfFormat.TURTLE)
        self.queries, self.agents, self.faults = [], [], []
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                query = urllib.parse.parse_qs(body)["query"][0]
                endpoint.agents.append(self.headers["User-Agent"])
                if endpoint.faults:
                    status, headers, content = endpoint.faults.pop(0)
                else:
                    endpoint.queries.append(query)
                    assert "SERVICE" not in query.upper()
                    rows = endpoint.store.query(query)
                    content = rows.serialize(format=ox.QueryResultsFormat.JSON)
                    status, headers = 200, {}
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self.thread.start()
        self.address = f"http://127.0.0.1:{self.server.server_port}/sparql"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def endpoint():
    one = Endpoint()
    yield one
    one.close()


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.now, self.slept = 0.0, []

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds

    def time(self):
        return self.now


def source(endpoint, folder, **more):
    clock = Clock()
    options = {"cache": folder / "cache", "endpoint": endpoint.address, **more}
    return Wikidata(sleep=clock.sleep, clock=clock.time, **options), clock


FILMS = {"vertigo": "tt0052357", "psycho": "tt0054215", "unknown": "tt9999999"}


def edges(triples):
    e, r = triples.entities, triples.relations
    return {
        (e[h].removeprefix(ENTITY), r[k].removeprefix(DIRECT), e[t].removeprefix(ENTITY))
        for h, k, t in zip(triples.head, triples.relation, triples.tail, strict=True)
    }


def test_films_by_imdb_become_a_named_and_typed_graph(endpoint, tmp_path):
    triples, links = source(endpoint, tmp_path)[0].fetch(FILMS, "imdb")
    assert edges(triples) == {
        ("Q1", "P57", "Q7"),
        ("Q1", "P161", "Q8"),
        ("Q1", "P495", "Q30"),
        ("Q2", "P57", "Q7"),
    }
    assert dict(links.iter_rows()) == {"vertigo": ENTITY + "Q1", "psycho": ENTITY + "Q2"}
    items = Items(Vocabulary(FILMS))
    graph = link(typed_graph(triples), items, GraphSource(link=links))
    assert set(graph.edges) == {
        ("Item", "DIRECTOR", "Human"),
        ("Item", "CAST_MEMBER", "Human"),
        ("Item", "COUNTRY_OF_ORIGIN", "Entity"),
    }
    assert graph.nodes["Item"].properties["name"].to_list() == ["Vertigo", "Psycho", None]
    assert graph.nodes["Item"].properties["text"].to_list() == ["1958 film", None, None]
    assert set(graph.nodes["Human"].properties["name"]) == {"Alfred Hitchcock", "Kim Novak"}
    assert graph.predicates["DIRECTOR"] == DIRECT + "P57"
    assert graph.predicates[":Human"] == ENTITY + "Q5"


@pytest.mark.parametrize(
    ("scheme", "text", "qid"),
    [
        ("qid", "Q1", "Q1"),
        ("tmdb", "426", "Q1"),
        ("isbn13", "9780141187761", "Q4"),
        ("isbn13", "978-0-14-118776-1", "Q4"),
    ],
)
def test_other_identifiers_lead_to_the_same_entities(endpoint, tmp_path, scheme, text, qid):
    _, links = source(endpoint, tmp_path)[0].fetch({"one": text}, scheme)
    assert links.rows() == [("one", ENTITY + qid)]


def test_a_small_batch_asks_more_often_and_finds_the_same(endpoint, tmp_path):
    one, _ = source(endpoint, tmp_path / "1")[0].fetch(FILMS, "imdb")
    few = len(endpoint.queries)
    two, _ = source(endpoint, tmp_path / "2", batch=1)[0].fetch(FILMS, "imdb")
    assert len(endpoint.queries) - few > few
    assert edges(one) == edges(two)
    assert one.literals.equals(two.literals)


def test_requests_keep_their_pace_and_name_the_asker(endpoint, tmp_path):
    wikidata, clock = source(endpoint, tmp_path, pause_s=3.0, agent="test (me@example.org)")
    wikidata.fetch(FILMS, "imdb")
    assert clock.slept == [3.0] * (len(endpoint.queries) - 1)
    assert set(endpoint.agents) == {"test (me@example.org)"}


def test_answers_are_cached(endpoint, tmp_path):
    first, _ = source(endpoint, tmp_path)[0].fetch(FILMS, "imdb")
    asked = len(endpoint.queries)
    again, _ = source(endpoint, tmp_path)[0].fetch(FILMS, "imdb")
    assert len(endpoint.queries) == asked
    assert edges(first) == edges(again)
    damaged = next((tmp_path / "cache").glob("*.json"))
    damaged.write_bytes(damaged.read_bytes()[:-3])
    source(endpoint, tmp_path)[0].fetch(FILMS, "imdb")
    assert len(endpoint.queries) == asked + 1


def test_a_busy_server_is_asked_again_after_what_it_says(endpoint, tmp_path):
    endpoint.faults = [(429, {"Retry-After": "7"}, b""), (503, {}, b""), (500, {}, b"")]
    wikidata, clock = source(endpoint, tmp_path, pause_s=0.0)
    triples, _ = wikidata.fetch(FILMS, "imdb")
    assert clock.slept == [7.0, 2.0, 4.0]
    assert len(edges(triples)) == 4


def broken_off(wikidata, endpoint):
    """A look-up whose second request fails; None where it needed a second."""
    real, asked = wikidata._ask, []

    def ask(query):
        asked.append(query)
        endpoint.faults = [(503, {}, b"")] if len(asked) > 1 else []
        return real(query)

    object.__setattr__(wikidata, "_ask", ask)
    try:
        return wikidata.fetch(FILMS, "imdb")[0]
    except GraphDataError:
        return None


def test_a_look_up_that_broke_off_goes_on_where_it_stopped(endpoint, tmp_path):
    reference, _ = source(endpoint, tmp_path / "other", batch=1)[0].fetch(FILMS, "imdb")
    total = len(endpoint.queries)
    found = None
    while found is None:
        done = len(endpoint.queries)
        found = broken_off(source(endpoint, tmp_path, batch=1, retries=0)[0], endpoint)
        assert len(endpoint.queries) == done + 1
    assert len(endpoint.queries) == 2 * total
    assert edges(found) == edges(reference)


@pytest.mark.parametrize(
    ("scheme", "text"),
    [
        ("imdb", 'tt0052357" } SERVICE <http://x> { ?a ?b ?c } #'),
        ("imdb", "tt0052357\n"),
        ("imdb", "0052357"),
        ("qid", "Q1> . ?s ?p ?o . <x"),
        ("qid", "Q01"),
        ("tmdb", "４２６"),
        ("isbn13", "978-0-14-118776-1 OR 1"),
        ("asin", "B000"),
        ("imdb", None),
    ],
)
def test_what_is_no_identifier_is_refused_before_anything_is_asked(
    endpoint, tmp_path, scheme, text
):
    with pytest.raises(GraphDataError):
        source(endpoint, tmp_path)[0].fetch({"one": text}, scheme)
    assert not endpoint.agents


@pytest.mark.parametrize(
    "options", [{"relations": {"P57> ": "x"}}, {"languages": ['en"']}, {"languages": []}]
)
def test_properties_and_languages_are_checked_too(endpoint, tmp_path, options):
    with pytest.raises(GraphDataError):
        source(endpoint, tmp_path)[0].fetch({"one": "Q1"}, **options)
    assert not endpoint.agents


@pytest.mark.parametrize("content", [b"<html>", b"{}", b"[1]", b'{"results": {"bindings": [1]}}'])
def test_an_answer_that_is_no_result_is_named_and_not_kept(endpoint, tmp_path, content):
    endpoint.faults = [(200, {}, content)]
    with pytest.raises(GraphDataError, match="no SPARQL result"):
        source(endpoint, tmp_path)[0].fetch(FILMS, "imdb")
    assert not list(tmp_path.glob("cache/*"))


def test_hostile_answers_bring_no_strange_nodes(endpoint, tmp_path):
    cell = {"type": "uri", "value": "javascript:alert(1)"}
    good = {"type": "uri", "value": ENTITY + "Q1"}
    row = {"s": good, "p": {"type": "uri", "value": DIRECT + "P57"}, "o": cell}
    answer = {"results": {"bindings": [row, {**row, "p": cell, "o": good}]}}
    endpoint.faults = [(200, {}, json.dumps(answer).encode())]
    triples, _ = source(endpoint, tmp_path)[0].fetch({"one": "Q1"})
    assert edges(triples) == set()


def test_a_refusal_is_not_tried_again(endpoint, tmp_path):
    endpoint.faults = [(403, {}, b"blocked")]
    wikidata, clock = source(endpoint, tmp_path)
    with pytest.raises(GraphDataError, match=r"status 403.*blocked"):
        wikidata.fetch(FILMS, "imdb")
    assert clock.slept == []


def test_no_server_is_said_after_all_tries(tmp_path):
    clock = Clock()
    wikidata = Wikidata(
        tmp_path,
        endpoint="http://127.0.0.1:9/sparql",
        retries=2,
        sleep=clock.sleep,
        clock=clock.time,
        pause_s=0,
    )
    with pytest.raises(GraphDataError, match="no answer after 3 tries"):
        wikidata.fetch({"one": "Q1"})
    assert clock.slept == [1.0, 2.0]
