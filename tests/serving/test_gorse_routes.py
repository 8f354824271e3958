"""A client of Gorse asks as it always did."""

from dataclasses import replace

import numpy as np
import pytest

from trefoil.data.interactions import UNKNOWN_TIME


def test_lists_are_those_of_the_own_routes(client):
    own = client.post("/v1/recommend", json={"user": "u3", "k": 6, "reasons": 0}).json()["items"]
    ids = [one["item"] for one in own]
    assert client.get("/api/recommend/u3?n=6").json() == ids
    assert client.get("/api/recommend/u3?n=2&offset=4").json() == ids[4:]
    near = client.get("/v1/similar?item=i0-1&k=3").json()["items"]
    for address in ("/api/item/i0-1/neighbors?n=3", "/api/item/i0-1/neighbors/?n=3"):
        assert client.get(address).json() == [
            {"Id": one["item"], "Score": one["score"]} for one in near
        ]
    session = client.post("/api/session/recommend?n=4", json=[feedback("x", "i0-1")]).json()
    met = client.post("/v1/recommend", json={"history": ["i0-1"], "k": 4}).json()["items"]
    assert [one["Id"] for one in session] == [one["item"] for one in met]


def feedback(user, item, kind="star"):
    return {
        "FeedbackType": kind,
        "UserId": user,
        "ItemId": item,
        "Timestamp": "2026-01-02T03:04:05Z",
        "Comment": "",
    }


def test_feedback_counts_once_and_reaches_the_next_list(client):
    first = client.get("/api/recommend/new-one?n=1").json()[0]
    told = client.post("/api/feedback", json=[feedback("new-one", first)])
    assert (told.status_code, told.json()) == (200, {"RowAffected": 1})
    assert client.post("/api/feedback", json=[feedback("new-one", first)]).json() == {
        "RowAffected": 0
    }
    basis = client.post("/v1/recommend", json={"user": "new-one"}).json()["based_on"]
    assert (basis["user_known"], basis["events"]) == (True, 1)
    client.post("/api/feedback", json=[feedback("reader", first, "read")])
    basis = client.post("/v1/recommend", json={"user": "reader"}).json()["based_on"]
    assert basis["events"] == 0  # met, so not told again, and no taste
    assert first not in client.get("/api/popular?n=1000&user-id=reader").json()


def test_items_come_are_hidden_and_listed(client):
    row = {"ItemId": "g-1", "Categories": ["sea"], "Labels": {"tags": ["sailor", "storm"]}}
    assert client.post("/api/item", json={**row, "Comment": "ocean"}).json() == {"RowAffected": 1}
    assert client.get("/api/item/g-1").json()["Comment"] == "ocean sea sailor storm"
    assert client.get("/api/latest?n=1").json()[0]["Id"] == "g-1"
    assert client.post("/api/items", json=[{**row, "IsHidden": True}]).json()["RowAffected"] == 1
    assert client.get("/api/item/g-1").json()["IsHidden"]
    client.post("/api/items", json=[row])
    assert not client.get("/api/item/g-1").json()["IsHidden"]
    assert client.delete("/api/item/g-1").json() == {"RowAffected": 1}
    assert client.get("/api/item/g-1").json()["IsHidden"]
    seen, cursor = [], ""
    while True:
        page = client.get(f"/api/items?n=7&cursor={cursor}").json()
        seen += [one["ItemId"] for one in page["Items"]]
        cursor = page["Cursor"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == client.get("/v1/health").json()["items"]


def test_popular_items_have_the_most_events(client, service):
    events = service.host(None).current.recommender.catalogue.events.item.tolist()
    ids = service.host(None).current.recommender.catalogue.items.vocabulary.ids
    told = client.get("/api/popular?n=5").json()
    counts = {id: events.count(row) for row, id in enumerate(ids)}
    assert [one["Score"] for one in told] == sorted(counts.values(), reverse=True)[:5]
    assert all(counts[one["Id"]] == one["Score"] for one in told)


@pytest.mark.parametrize(
    ("method", "address", "body", "status"),
    [
        ("GET", "/api/recommend/u3?write-back-type=read", None, 501),
        ("GET", "/api/recommend/u3/no-category", None, 404),
        ("GET", "/api/item/none", None, 404),
        ("GET", "/api/user/none", None, 404),
        ("POST", "/api/feedback", [{"UserId": "u"}], 422),
        ("POST", "/api/feedback", [{**feedback("u", "i"), "Timestamp": "soon"}], 422),
    ],
)
def test_what_cannot_be_done_is_told(client, method, address, body, status):
    refused = client.request(method, address, json=body)
    assert refused.status_code == status
    assert refused.json()["remedy"]


def test_the_key_of_gorse_is_a_key_of_ours(keyed):
    client, tokens = keyed
    assert client.get("/api/recommend/u3").status_code == 401
    headers = {"X-API-Key": tokens["read"]}
    assert client.get("/api/recommend/u3", headers=headers).status_code == 200
    assert client.post("/api/feedback", json=[], headers=headers).status_code == 403


def test_an_item_that_nobody_knows_when_it_was_met_is_not_the_latest(client, service):
    recommender = service.host(None).current.recommender
    catalogue = recommender.catalogue
    first = client.get("/api/latest?n=1").json()[0]["Id"]
    row = catalogue.items.vocabulary.row(first)
    events = catalogue.events
    at = np.where(events.item == row, UNKNOWN_TIME, events.at)
    undated = replace(catalogue, events=replace(events, at=at))
    recommender._state = replace(recommender.state, catalogue=undated)
    found = client.get("/api/latest?n=1000").json()
    assert found[-1]["Id"] == first


def test_events_that_came_since_the_fit_count_for_what_is_popular(client):
    least = client.get("/api/popular?n=1000").json()[-1]["Id"]
    events = [{"user": f"came-{number}", "item": least} for number in range(50)]
    client.post("/v1/events", json={"events": events})
    found = client.get("/api/popular?n=1").json()
    assert found[0]["Id"] == least
    assert client.get(f"/v1/items/{least}").json()["events"] == found[0]["Score"]
