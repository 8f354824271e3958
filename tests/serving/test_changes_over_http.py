"""What is told over HTTP counts at once, is durable, and the token of its state is obeyed."""

import threading
import time

import pytest

from trefoil.fusion.recommender import Recommender


def hidden(client, user):
    listed = client.post("/v1/recommend", json={"user": user, "k": 1000, "seen": "hide"}).json()
    return {one["item"] for one in listed["items"]}


def test_an_event_is_in_the_next_list_and_on_the_disk(client, service):
    item = client.post("/v1/recommend", json={"user": "u3", "k": 1}).json()["items"][0]["item"]
    event = {"id": "e-1", "user": "u3", "item": item}
    told = client.post("/v1/events", json={"events": [event]})
    assert told.status_code == 201
    assert told.json()["events"] == 1
    after = client.post(
        "/v1/recommend", json={"user": "u3", "seen": "hide", "state": told.json()["state"]}
    ).json()
    assert item not in {one["item"] for one in after["items"]}
    assert after["state"] == told.json()["state"]
    again = client.post("/v1/events", json={"events": [event]}).json()
    assert (again["events"], again["repeated"]) == (0, 1)
    service.close()
    kept = Recommender.load(service.host(None).current.folder)
    assert item not in {one.item for one in kept.recommend("u3", k=1000, seen="hide")}


def test_a_state_that_does_not_come_is_refused_and_one_that_came_is_answered(client, monkeypatch):
    monkeypatch.setattr("trefoil.serving.routes.guarded.STATE_WAIT_S", 0.05)
    state = client.get("/v1/recommend?user=u3&k=1").json()["state"]
    number, _, digest = state.partition("-")
    for address in ("recommend?user=u3", "similar?item=i0-1", "explain?user=u3&item=i0-1"):
        assert client.get(f"/v1/{address}&state={state}").json()["state"] == state
        late = client.get(f"/v1/{address}&state={int(number) + 1}-{digest}")
        assert (late.status_code, late.json()["type"]) == (409, "urn:trefoil:problem:state")
        assert client.get(f"/v1/{address}&state=0-other").status_code == 409
        assert client.get(f"/v1/{address}&state=nonsense").status_code == 422


def test_a_change_reaches_the_canary_and_the_model_before(client):
    client.post("/v1/models/current", json={"action": "canary", "run": "next", "share": 1.0})
    told = client.post("/v1/events", json={"events": [{"user": "fresh", "item": "i0-1"}]}).json()
    assert told["without"] == []
    answer = client.post("/v1/recommend", json={"user": "fresh", "state": told["state"]}).json()
    assert answer["model"].startswith("next@")
    assert answer["based_on"]["user_known"]


def test_removed_items_are_candidates_no_more_until_they_return(client):
    assert "i0-1" in hidden(client, "nobody")
    assert client.post("/v1/items/remove", json={"ids": ["i0-1"]}).status_code == 200
    assert "i0-1" not in hidden(client, "nobody")
    assert client.post("/v1/items/return", json={"ids": ["i0-1"]}).status_code == 200
    assert "i0-1" in hidden(client, "nobody")
    assert client.post("/v1/items/remove", json={"ids": ["no-item"]}).status_code == 404


@pytest.mark.parametrize(
    "events", [[{"user": "u3"}], [{"item": "i0-1"}], [{"user": "", "item": "i0-1"}], []]
)
def test_events_that_cannot_be_used_are_refused_whole(client, events):
    good = {"user": "u3", "item": "i0-1"}
    body = {"events": [good, *events] if events else []}
    before = client.get("/v1/recommend?user=u3").json()["based_on"]["events"]
    assert client.post("/v1/events", json=body).status_code == 422
    assert client.get("/v1/recommend?user=u3").json()["based_on"]["events"] == before


def test_who_may_read_learns_of_no_user(keyed):
    client, tokens = keyed
    search, headers = "/v1/search?kind=user&q=", {"Authorization": f"Bearer {tokens['read']}"}
    assert client.get(f"{search}u", headers=headers).json()["found"] == []
    assert client.get(f"{search}u3", headers=headers).json()["found"][0]["id"] == "u3"


def test_a_store_of_the_graph_is_closed_when_its_model_leaves(client, service):
    ask = {"cypher": "MATCH (i:Item) RETURN count(i) AS n"}
    assert client.post("/v1/cypher", json=ask).status_code == 200
    first = next(iter(service.stores._open.values()))
    for name in ("next", "next"):
        assert client.post("/v1/models/current", json={"run": name}).status_code == 200
    assert first.leaving
    assert client.post("/v1/cypher", json=ask).status_code == 200
    assert len(service.stores._open) == 1


def test_the_facts_of_an_item_are_the_edges_of_the_graph(client, service):
    graph = service.host(None).current.recommender.graph
    id = "i0-1"
    row = graph.nodes["Item"].vocabulary.row(id)
    expected = sum(
        int((edges.source == row).sum()) * (source == "Item")
        + int((edges.target == row).sum()) * (target == "Item")
        for (source, _, target), edges in graph.edges.items()
        if "User" not in (source, target)
    )
    told = client.get(f"/v1/items/{id}").json()
    assert len(told["facts"]) == expected > 0


def test_a_fact_can_be_looked_at_told_and_taken_back(client, service):
    graph = service.host(None).current.recommender.graph
    relation = next(kind for source, kind, to in graph.edges if "User" not in (source, to))
    told = client.get("/v1/items/i0-1").json()["facts"]
    fact = ["i0-0", told[0]["relation"], told[0]["id"]]
    before = client.get("/v1/items/i0-0").json()["facts"]
    look = client.post("/v1/triples?preview=true", json={"triples": [fact]})
    assert look.status_code == 200, (relation, look.text)
    assert {"people", "changed", "entering", "leaving"} <= set(look.json()["preview"])
    assert client.get("/v1/items/i0-0").json()["facts"] == before
    assert client.post("/v1/triples", json={"triples": [fact]}).json()["items"] == ["i0-0"]
    assert len(client.get("/v1/items/i0-0").json()["facts"]) >= len(before)
    assert client.post("/v1/triples/remove", json={"triples": [fact]}).status_code == 200
    wrong = client.post("/v1/triples", json={"triples": [["no-item", fact[1], fact[2]]]})
    assert wrong.status_code in (404, 422)


def test_statements_see_what_was_told_since(client, service):
    facts = client.get("/v1/items/i0-1").json()["facts"]
    relation, tail = facts[0]["relation"], facts[0]["id"]
    asked = "MATCH (i:Item {id: $id})-[r]->({id: $tail}) WHERE type(r) = $relation RETURN i.name"

    def rows(item):
        parameters = {"id": item, "tail": tail, "relation": relation}
        told = client.post("/v1/cypher", json={"cypher": asked, "parameters": parameters})
        return told.json()["rows"]

    assert (len(rows("i0-1")), rows("late")) == (1, [])
    first = service.stores._open.copy()
    late = {"items": [{"id": "late", "title": "Late"}], "triples": [["late", relation, tail]]}
    assert client.post("/v1/items", json=late).status_code == 201
    assert rows("late") == [["Late"]]
    assert all(held.leaving for held in first.values())
    written = next(iter(service.stores._open.values()))
    assert rows("late") == [["Late"]]
    assert next(iter(service.stores._open.values())) is written  # nothing was told in between
    change = {"items": [{"id": "late", "title": "Later"}]}
    assert client.post("/v1/items/change", json=change).status_code == 200
    assert rows("late") == [["Later"]]
    gone = {"triples": [["late", relation, tail]]}
    assert client.post("/v1/triples/remove", json=gone).status_code == 200
    assert rows("late") == []


def test_an_item_is_described_anew(client):
    body = {"items": [{"id": "i0-1", "title": "Another title"}]}
    assert client.post("/v1/items/change", json=body).json()["items"] == ["i0-1"]
    assert client.get("/v1/items/i0-1").json()["title"] == "Another title"
    body = {"items": [{"id": "i0-1", "title": 1984}]}
    assert client.post("/v1/items/change", json=body).status_code == 200
    assert client.get("/v1/items/i0-1").json()["title"] == "1984"


def test_a_person_is_told_merged_and_forgotten(client):
    told = client.post("/v1/recommend", json={"user": "u3", "k": 2}).json()
    known = client.get("/v1/users/u3").json()
    assert len(known["events"]) >= told["based_on"]["events"]
    client.post("/v1/events", json={"events": [{"user": "anon-9", "item": "i0-1"}]})
    assert client.post("/v1/users/anon-9/merge", json={"into": "u4"}).status_code == 200
    assert client.get("/v1/users/anon-9").status_code == 404
    gone = client.delete("/v1/users/u3").json()
    assert gone["events"] == len(known["events"])
    assert gone["answers"] == 1
    assert "u3" not in str(gone)
    assert client.get(f"/v1/answers/{told['id']}").status_code == 404
    assert client.get("/v1/users/u3").status_code == 404
    after = client.post("/v1/recommend", json={"user": "u3", "reasons": 1}).json()
    assert not after["based_on"]["user_known"]
    ask = {"cypher": "MATCH (u:User {id: $id}) RETURN count(u) AS n", "parameters": {"id": "u3"}}
    assert client.post("/v1/cypher", json=ask).json()["rows"] == [[0]]


def test_a_model_that_alone_knows_a_person_forgets_them(client):
    client.post("/v1/events", json={"events": [{"user": "fresh", "item": "i0-1"}]})
    client.post("/v1/models/current", json={"run": "next"})
    assert client.get("/v1/users/fresh").status_code == 404
    gone = client.delete("/v1/users/fresh")
    assert (gone.status_code, gone.json()["without"]) == (200, [])
    client.post("/v1/models/current", json={"action": "rollback"})
    assert client.get("/v1/users/fresh").status_code == 404
    assert client.delete("/v1/users/fresh").status_code == 200  # again: the list knows them
    assert client.delete("/v1/users/nobody").status_code == 404


def test_a_person_who_is_forgotten_while_a_list_is_made_is_kept_nowhere(
    client, service, monkeypatch
):
    named = client.get("/openapi.json").json()["paths"]["/v1/explain"]["post"]
    user = named["requestBody"]["content"]["application/json"]["example"]["user"]
    begun, go, real = threading.Event(), threading.Event(), Recommender.recommend

    def slowly(self, *args, **said):
        found = real(self, *args, **said)
        if said.get("user") == user:
            begun.set()
            go.wait(20)
        return found

    monkeypatch.setattr(Recommender, "recommend", slowly)
    asking = threading.Thread(
        target=client.post, args=("/v1/recommend",), kwargs={"json": {"user": user}}
    )
    asking.start()
    assert begun.wait(20)
    assert client.delete(f"/v1/users/{user}").status_code == 200
    go.set()
    asking.join()
    assert len(service.kept) == 0
    assert f'"{user}"' not in client.get("/openapi.json").text


def test_a_job_learns_on_and_its_run_takes_over(client):
    events = [{"user": "newcomer", "item": f"i0-{number}"} for number in range(3)]
    client.post("/v1/events", json={"events": events})
    job = client.post("/v1/jobs", json={"kind": "update", "out": "updated"}).json()
    until = time.monotonic() + 120
    while job["state"] in ("waiting", "running") and time.monotonic() < until:
        time.sleep(0.2)
        job = client.get(f"/v1/jobs/{job['id']}").json()
    assert job["state"] == "done", job["said"]
    late = {"id": "late", "user": "newcomer", "item": "i1-1"}
    client.post("/v1/events", json={"events": [late]})
    swapped = client.post("/v1/models/current", json={"run": "updated"})
    assert swapped.status_code == 200
    told = client.post("/v1/recommend", json={"user": "newcomer"}).json()
    assert told["model"].startswith("updated@")
    assert told["based_on"]["events"] == 4
    assert client.post("/v1/events", json={"events": [late]}).json()["repeated"] == 1


def test_a_model_on_trial_hears_what_came_before_it_and_takes_over(client, service):
    client.post("/v1/events", json={"events": [{"user": "first", "item": "i0-1"}]})
    learned = Recommender.load(service.host(None).current.folder)
    learned.update()
    learned.save(learned.state.folder.with_name("learned"))
    client.post("/v1/events", json={"events": [{"id": "e-1", "user": "fresh", "item": "i0-1"}]})
    for step in ({"action": "canary", "run": "learned", "share": 1.0}, {"run": "learned"}, {}):
        body = step or {"action": "rollback"}
        assert client.post("/v1/models/current", json=body).status_code == 200
        answer = client.post("/v1/recommend", json={"user": "fresh"}).json()
        assert answer["based_on"]["events"] == 1
        event = {"id": f"e-{body}", "user": "other", "item": "i0-2"}
        assert client.post("/v1/events", json={"events": [event]}).json()["without"] == []
    told = client.get("/v1/users/other").json()
    assert len(told["events"]) == 3


def test_a_model_that_was_on_trial_is_told_nothing_twice_after_somebody_was_forgotten(
    client, service
):
    folder = service.host(None).current.folder
    Recommender.load(folder, live=False).save(folder.with_name("twin"))
    client.post("/v1/events", json={"events": [{"user": "first", "item": "i0-1"}] * 3})
    for _ in range(2):  # a second time, as a client does that got no reply
        assert client.delete("/v1/users/first").status_code == 200
    change = lambda **body: client.post("/v1/models/current", json=body)  # noqa: E731
    assert change(action="canary", run="twin", share=0.5).status_code == 200
    event = {"user": "fresh", "item": "i0-1"}
    client.post("/v1/events", json={"events": [event]})
    client.post("/v1/events", json={"events": [{**event, "id": "e-1"}]})
    assert change(action="end_canary").status_code == 200
    client.post("/v1/events", json={"events": [{**event, "id": "e-2"}]})
    for step in ({"run": "twin"}, {"action": "rollback"}):
        assert change(**step).status_code == 200
        assert len(client.get("/v1/users/fresh").json()["events"]) == 3


def test_what_a_model_on_trial_could_not_take_shifts_nothing_that_it_did(client, service):
    folder = service.host(None).current.folder
    Recommender.load(folder, live=False).save(folder.with_name("small"), precision="int8")
    change = lambda **body: client.post("/v1/models/current", json=body)  # noqa: E731
    assert change(action="canary", run="small", share=0.5).status_code == 200
    late = {"items": [{"id": "late", "title": "Late"}]}
    assert client.post("/v1/items", json=late).json()["without"]
    client.post("/v1/events", json={"events": [{"user": "fresh", "item": "i0-1"}]})
    assert change(action="end_canary").status_code == 200
    assert change(run="small").status_code == 200
    told = client.post("/v1/recommend", json={"user": "fresh"}).json()
    assert (told["model"].split("@")[0], told["based_on"]["events"]) == ("small", 1)
