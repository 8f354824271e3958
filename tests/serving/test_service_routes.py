"""Routes answer what the Python calls answer, and say which model did."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

from trefoil.fusion.recommender import Recommender
from trefoil.serving.metrics import Metrics


def test_a_list_over_http_is_the_list_in_python(client, served_run):
    told = client.post("/v1/recommend", json={"user": "u3", "k": 4, "reasons": 1}).json()
    own = Recommender.load(served_run).recommend("u3", k=4)
    assert [one["item"] for one in told["items"]] == [one.item for one in own]
    assert [one["reasons"][0]["text"] for one in told["items"]] == [r.reasons[0].text for r in own]
    by_address = client.get("/v1/shop/recommend?user=u3&k=4").json()
    assert by_address["items"] == told["items"]
    assert told["model"].startswith("shop@")
    assert client.get(f"/v1/answers/{told['id']}").json() == told


@pytest.mark.parametrize(
    "said",
    [
        {"likes": ["i0-1"], "dislikes": ["i0-2"], "shares": True},
        {"only": ["i0-1", "i0-2", "i1-1"], "k": 5},
        {"pin": {"1": "i0-1"}, "offset": 0},
        {"diversity": 0.5, "offset": 2},
        {"least": [{"popularity": "rare", "share": 0.3}]},
        {"history": ["i0-1", ["i0-2", 5.0, "2026-01-02"]]},
        {"boost": [{"where": {"id": "i0-1"}, "by": 3.0}]},
        {"where": {"id": ["i0-1", "i0-2"]}},
    ],
)
def test_options_over_http_are_those_in_python(client, served_run, said):
    own = Recommender.load(served_run, live=False).recommend("u3", **{"k": 4, **said})
    told = client.post("/v1/recommend", json={"user": "u3", "k": 4, **said}).json()
    assert [one["item"] for one in told["items"]] == [one.item for one in own]
    assert told["dropped"]["text"] == str(own.dropped)
    assert [one["shares"] for one in told["items"]] == [one.shares for one in own]
    assert [one["pinned"] for one in told["items"]] == [one.pinned for one in own]


def test_other_questions_over_http_are_those_in_python(client, served_run):
    own = Recommender.load(served_run, live=False)
    label = next(name for name in own.graph.nodes if name not in ("User", "Item"))
    bodies = {
        "rank": {"user": "u3", "items": ["i0-1", "i0-2", "none"]},
        "score": {"pairs": [["u3", "i0-1"], ["nobody", "i0-2"]]},
        "users-for": {"item": "i0-1", "k": 3},
        "nodes": {"user": "u3", "label": label, "k": 3},
    }
    told = {name: client.post(f"/v1/{name}", json=body).json() for name, body in bodies.items()}
    ranked = own.rank("u3", ["i0-1", "i0-2", "none"])
    assert [one["item"] for one in told["rank"]["items"]] == [one.item for one in ranked]
    assert told["rank"]["based_on"]["unknown"] == ["none"]
    scores = own.score([("u3", "i0-1"), ("nobody", "i0-2")])["score"].to_list()
    assert [one["score"] for one in told["score"]["pairs"]] == pytest.approx(scores, abs=1e-5)
    suited = own.users_for("i0-1", 3)["user"].to_list()
    assert [one["user"] for one in told["users-for"]["users"]] == suited
    named = [one.id for one in own.recommend_nodes("u3", label, 3)]
    assert [one["id"] for one in told["nodes"]["nodes"]] == named
    assert client.post("/v1/nodes", json={"label": "User"}).status_code == 404


def test_why_not_and_what_if_over_http_are_those_in_python(client, served_run):
    own = Recommender.load(served_run, live=False)
    late = own.recommend("u3", k=12)[-1].item
    told = client.post("/v1/why-not", json={"user": "u3", "item": late}).json()
    expected = own.why_not("u3", late)
    assert (told["text"], told["place"]) == (str(expected), expected.place)
    assert told["reasons"][0]["text"] == expected.reasons[0].text
    met = own.catalogue.events.item[own.catalogue.events.user == own.catalogue.users.row("u3")]
    item = own.catalogue.items.vocabulary[int(met[0])]
    told = client.post("/v1/what-if", json={"user": "u3", "without": [item], "with": ["i1-1"]})
    expected = own.what_if("u3", without=[item], with_=["i1-1"])
    assert told.json()["text"] == str(expected)
    assert [one["item"] for one in told.json()["after"]] == [one.item for one in expected.after]
    assert client.post("/v1/what-if", json={"user": "u3"}).status_code == 422
    assert client.post("/v1/why-not", json={"user": "u3", "item": "none"}).status_code == 404


def test_a_page_of_shelves_shows_no_item_twice(client):
    page = client.post("/v1/recommend", json=[{"user": "u3", "k": 5}, {"user": "u3", "k": 5}])
    items = [one["item"] for shelf in page.json()["shelves"] for one in shelf["items"]]
    assert len(items) == len(set(items)) == 10


def test_what_is_unknown_is_served_in_lists_and_refused_elsewhere(client):
    told = client.post("/v1/recommend", json={"user": "nobody", "history": ["no-item"]}).json()
    assert told["based_on"]["unknown"] == ["no-item"]
    assert len(told["items"]) == 10
    refused = client.get("/v1/similar?item=no-item")
    assert refused.status_code == 404
    assert refused.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "remedy"} <= set(refused.json())


@pytest.mark.parametrize(
    ("body", "field"), [({"k": -1}, "k"), ({"kk": 3}, "kk"), ({"seen": "no"}, "seen")]
)
def test_a_wrong_field_is_named(client, body, field):
    refused = client.post("/v1/recommend", json=body)
    assert refused.status_code == 422
    assert any(field in one["field"] for one in refused.json()["errors"])
    assert refused.json()["remedy"]


def test_new_items_are_in_the_next_list(client):
    row = {"id": "fresh", "title": "Fresh", "text": "ocean sailor harbour storm"}
    assert client.post("/v1/items", json={"items": [row]}).status_code == 201
    found = client.post("/v1/recommend", json={"k": 50, "only": ["fresh"]}).json()
    assert [one["item"] for one in found["items"]] == ["fresh"]
    assert client.get("/v1/items/fresh").json()["title"] == "Fresh"
    assert client.post("/v1/items", json={"items": [row]}).status_code == 422


def test_new_items_reach_the_model_that_answers_whatever_the_others_hold(client, service):
    folder = service.host(None).current.folder.parent
    row = {"id": "known-to-next", "title": "Early", "text": "ocean sailor"}
    early = Recommender.load(folder / "next")
    early.add_items(pl.DataFrame([row]))
    early.close()
    client.post("/v1/models/current", json={"run": "next"})
    client.post("/v1/models/current", json={"action": "rollback"})
    reply = client.post("/v1/items", json={"items": [row]})
    assert reply.status_code == 201
    assert [one.partition("@")[0] for one in reply.json()["without"]] == ["next"]


def test_a_run_that_was_written_again_takes_over_with_its_log(client, service):
    folder = service.host(None).current.folder
    assert client.post("/v1/items", json={"items": [{"id": "first"}]}).status_code == 201
    assert client.post("/v1/models/current", json={"run": folder.name}).status_code == 200
    assert client.post("/v1/items", json={"items": [{"id": "second"}]}).status_code == 201
    service.close()
    kept = Recommender.load(folder).catalogue.items.vocabulary
    assert "first" in kept
    assert "second" in kept


def test_statements_read_and_writes_are_refused(client):
    ask = {"cypher": "MATCH (i:Item {id: $id}) RETURN i.id AS id", "parameters": {"id": "i0-1"}}
    assert client.post("/v1/cypher", json=ask).json()["rows"] == [["i0-1"]]
    refused = client.post("/v1/cypher", json={"cypher": "MATCH (n) DELETE n"})
    assert refused.status_code == 422
    assert "DELETE" in refused.json()["detail"]


def test_swaps_under_load_mix_nothing_and_fail_nothing(client, service):
    told, stop = [], threading.Event()
    folder = service.host(None).current.folder.parent
    expected = {
        name: [one.score for one in Recommender.load(folder / name).recommend("u3", k=3)]
        for name in ("shop", "next")
    }
    assert expected["shop"] != pytest.approx(expected["next"])

    def ask() -> None:
        while not stop.is_set():
            reply = client.get("/v1/recommend?user=u3&k=3")
            scores = [one["score"] for one in reply.json()["items"]]
            told.append((reply.status_code, reply.json()["model"].partition("@")[0], scores))

    asking = [threading.Thread(target=ask) for _ in range(3)]
    for one in asking:
        one.start()
    for name in ("next", "shop") * 10:
        assert client.post("/v1/models/current", json={"run": name}).status_code == 200
    stop.set()
    for one in asking:
        one.join()
    assert {status for status, _, _ in told} == {200}
    assert {name for _, name, _ in told} == {"shop", "next"}
    assert all(scores == pytest.approx(expected[name]) for _, name, scores in told)
    assert service.host(None).swaps == 20


def test_a_canary_has_its_users_and_a_rollback_goes_back(client):
    client.post("/v1/models/current", json={"action": "canary", "run": "next", "share": 0.5})
    names = {
        user: client.get(f"/v1/recommend?user={user}&k=1").json()["model"].partition("@")[0]
        for user in [f"u{n}" for n in range(40)] * 2
    }
    assert 8 < list(names.values()).count("next") < 32
    client.post("/v1/models/current", json={"action": "end_canary"})
    assert client.get("/v1/models/current").json()["canary"] is None
    assert client.post("/v1/models/current", json={"action": "rollback"}).status_code == 422
    for name in ("../shop", "no-such-run", "0" * 200, "nul\0", "data", None):
        assert client.post("/v1/models/current", json={"run": name}).status_code == 422, name


def test_metrics_and_health_tell_what_happened(client):
    client.post("/v1/recommend", json={"user": "u3"})
    client.post("/v1/recommend", json={"user": "nobody"})
    text = client.get("/metrics").text
    assert 'trefoil_answers_total{based_on="user",run="shop"} 1.0' in text
    assert 'trefoil_cold_answers_total{run="shop"} 1.0' in text
    assert client.get("/v1/health").json()["recent"]["answers"] == 2
    assert client.get("/live").json() == {"live": True}
    assert client.get("/ready").status_code == 200


def test_the_examples_of_the_schema_are_answered(client):
    schema = client.get("/openapi.json").json()
    tried = 0
    for path, methods in schema["paths"].items():
        for method, told in methods.items():
            body = told.get("requestBody", {}).get("content", {}).get("application/json", {})
            query = {
                one["name"]: one["example"]
                for one in told.get("parameters", ())
                if "example" in one
            }
            if "example" not in body and not query:
                continue
            address = path.format(**query)
            query = {name: value for name, value in query.items() if f"{{{name}}}" not in path}
            reply = client.request(method, address, json=body.get("example"), params=query)
            tried += 1
            good = (200, 201) if path != "/v1/models/current" else (200, 422)
            assert reply.status_code in good, (path, reply.text)
    assert tried >= 12


@pytest.mark.parametrize(
    "body",
    [
        {"at": ""},
        {"history": [["i0-1", None, ""]]},
        {"where": {"path": f"(i {{price: {'9' * 400}}})"}},
        {"where": {"path": "(i)-->(:User)"}},
        {"k": 1, "kk": 1},
        [{"kk": 1}],
    ],
)
def test_what_has_no_meaning_is_refused_by_name(client, body):
    refused = client.post("/v1/recommend", json=body)
    assert refused.status_code == 422
    fields = [one["field"] for one in refused.json().get("errors", ())]
    assert fields in ([], ["kk"], ["0.kk"])
    assert client.get("/v1/recommend?at=--5").status_code == 422


def test_ids_with_slashes_and_of_numbers_have_addresses(client):
    row = {"id": "http://shop/new", "title": "New", "text": "ocean"}
    assert client.post("/v1/items", json={"items": [row]}).status_code == 201
    assert client.get("/v1/items/http%3A%2F%2Fshop%2Fnew").json()["title"] == "New"
    events = [{"user": one, "item": "i0-1"} for one in ("a/b", "a/b/merge", 7)]
    assert client.post("/v1/events", json={"events": events}).status_code == 201
    assert client.get("/v1/users/a%2Fb%2Fmerge").json()["user"] == "a/b/merge"
    merged = client.post("/v1/users/a%2Fb%2Fmerge/merge", json={"into": "a/b"})
    assert merged.status_code == 200
    assert len(client.get("/v1/users/a%2Fb").json()["events"]) == 2
    assert client.delete("/v1/users/a%2Fb").json()["events"] == 2
    assert client.post("/v1/why-not", json={"user": 7, "item": "i0-2"}).json()["user"] == "7"


def test_those_who_wait_at_once_are_scored_at_once_and_get_their_own_lists(
    client, service, monkeypatch
):
    monkeypatch.setattr("trefoil.serving.routes.lists.QUICK_ITEMS", 0)
    monkeypatch.setattr("trefoil.fusion.plan.plan.LARGE", 1)
    recommender = service.hosts["shop"].current.recommender
    users, scored = recommender.catalogue.users.ids[:6], []
    plan = recommender.state.scorer
    together = plan.score_together

    def counted(parts):
        scored.append(len(parts))
        together(parts)

    monkeypatch.setattr(plan, "score_together", counted)

    def ask(user):
        return client.post("/v1/recommend", json={"user": user, "k": 4}).json()["items"]

    free, waiting = threading.Event(), service.hosts["shop"].together
    for _ in range(service.workers.threads):
        service.workers._pool.submit(free.wait)
    with ThreadPoolExecutor(len(users)) as pool:
        asked = pool.map(ask, users)
        until = time.monotonic() + 20
        while len(waiting._waiting) < len(users) and time.monotonic() < until:
            time.sleep(0.01)
        free.set()
        found = dict(zip(users, asked, strict=True))
    for user in users:
        alone = recommender.recommend(user, 4)
        assert [one["item"] for one in found[user]] == [one.item for one in alone]
        assert [one["score"] for one in found[user]] == pytest.approx([o.score for o in alone])
    assert scored == [len(users)]
    assert waiting._waiting == []


def test_a_value_of_no_kind_that_may_be_is_told_once_by_its_field(client):
    for address, body, field in (
        ("recommend", {"user": ["u1"]}, "user"),
        ("recommend", {"history": ["i0-1", 1.5]}, "history.1"),
        ("recommend", {"about": {"age": []}}, "about.age"),
        ("users/u1/merge", {"into": ""}, "into"),
        ("events", {"events": [{"user": ["u1"], "item": "i0-1"}]}, "events.0.user"),
        ("events", {"events": [{"user": True, "item": "i0-1"}]}, "events.0.user"),
        ("events", {"events": [{"user": "u" * 1001, "item": "i0-1"}]}, "events.0.user"),
        ("items", {"items": [{"id": ["late"]}]}, "items.0.id"),
        ("items/change", {"items": [{"id": "i0-1", "title": ["a"]}]}, "items.0.title"),
    ):
        told = client.post(f"/v1/{address}", json=body)
        assert (told.status_code, told.json()["remedy"]) == (422, f"mend {field}")
        assert [one["field"] for one in told.json()["errors"]] == [field]


def test_a_statement_that_would_write_is_told_what_to_do_here(client):
    told = client.post("/v1/cypher", json={"cypher": "CREATE (n:Item)"})
    assert told.status_code == 422
    assert "--write" not in told.json()["remedy"]
    assert "/v1/triples" in told.json()["remedy"]


def test_only_a_fault_of_the_service_counts_as_one():
    metrics = Metrics()
    for status in (200, 422, 500, 503, 504):
        metrics.request("/cypher", "POST", status, 0.1)
    assert metrics.recent()["faults"] == 1
