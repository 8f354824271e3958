"""Nothing is open: routes × scopes, keys that are kept as hashes, limits."""

import re

import pytest
from starlette.testclient import TestClient

from trefoil.data.errors import ConfigError
from trefoil.serving.access.keys import KeyFile
from trefoil.serving.access.limits import Buckets
from trefoil.serving.access.scopes import ROUTES, scope_of
from trefoil.serving.app import create_app
from trefoil.serving.service import Limits, service_of

OF_THE_PROCESS = {"/", "/docs", "/live", "/ready", "/metrics", "/openapi.json"}


def test_each_route_opens_to_its_scope_alone(keyed):
    client, tokens = keyed
    for (method, path), scope in ROUTES.items():
        address = path.replace("{name:path}", "none.js")
        address = re.sub(r"\{\w+\}", "x", address)
        if path not in OF_THE_PROCESS and not path.startswith(("/assets", "/api/")):
            address = f"/v1{address}"
        bare = client.request(method, address)
        assert (bare.status_code == 401) == (scope != "open"), (method, path)
        for held, token in tokens.items():
            headers = {"Authorization": f"Bearer {token}"}
            status = client.request(method, address, headers=headers).status_code
            assert (status == 403) == (scope not in ("open", held)), (method, path, held)
            assert status != 401, (method, path, held)


def test_a_route_without_a_scope_cannot_be_made():
    with pytest.raises(ConfigError, match="no scope"):
        scope_of({"GET"}, "/anything")


def test_nothing_starts_off_loopback_without_a_key(served_run, tmp_path):
    with pytest.raises(ConfigError, match="without a key"):
        service_of([served_run], host="0.0.0.0")
    with pytest.raises(ConfigError, match="no key in it"):
        service_of([served_run], host="0.0.0.0", keys=tmp_path / "none.toml")


def test_a_key_is_kept_as_a_hash_and_goes_without_a_restart(tmp_path):
    file = KeyFile.load(tmp_path / "keys.toml")
    key, token = file.add("shop", ["read"])
    assert token not in file.path.read_text("utf-8")
    assert file.path.stat().st_mode & 0o077 == 0
    assert file.find(token) == key
    assert file.find(token[:-1]) is None
    KeyFile.load(file.path).remove(key.id)
    file.refresh()
    assert file.find(token) is None


def test_keys_stand_in_no_log(keyed, caplog):
    client, tokens = keyed
    caplog.set_level("DEBUG")
    for token in [*tokens.values(), "trefoil_x_wrong-secret"]:
        client.get("/v1/runs", headers={"Authorization": f"Bearer {token}"})
    assert not [t for t in [*tokens.values(), "wrong-secret"] if t in caplog.text]


def test_other_hosts_and_other_origins_are_refused(client):
    assert client.get("/live", headers={"Host": "evil.example"}).status_code == 421
    origin = {"Origin": "http://evil.example"}
    assert client.post("/v1/recommend", json={}, headers=origin).status_code == 403


def test_a_bucket_fills_at_its_rate():
    now = [0.0]
    buckets = Buckets(2.0, 1.0, lambda: now[0])
    assert [buckets.take("a") for _ in range(3)] == [0.0, 0.0, 0.5]
    assert buckets.take("b") == 0.0
    now[0] = 0.5
    assert buckets.take("a") == 0.0


def test_limits_of_rate_body_and_queue_are_told(served_run):
    limits = Limits(rate=1.0, body_bytes=100)
    service = service_of([served_run], limits=limits)
    with TestClient(create_app(service), base_url="http://127.0.0.1") as client:
        assert client.post("/v1/recommend", json={"text": "x" * 200}).status_code == 413
        statuses = [client.get("/v1/runs") for _ in range(4)]
        assert statuses[-1].status_code == 429
        assert int(statuses[-1].headers["retry-after"]) >= 1
        service.buckets.rate = 0.0
        service.workers.most = 0
        assert client.get("/v1/recommend").status_code == 200  # no thread is needed for it
        shed = client.get("/v1/recommend?diversity=0.5")
        assert (shed.status_code, shed.headers["retry-after"]) == (503, "1")
        assert client.get("/ready").status_code == 503


def test_what_goes_round_the_router_is_refused_as_on_the_long_way(keyed):
    client, tokens = keyed
    told = {"authorization": f"Bearer {tokens['read']}"}
    assert len(client.app.short.ways) > 20
    for path in ("/v1/recommend", "/v1/shop/recommend"):
        assert ("POST", path) in client.app.short.ways
        assert client.post(path, json={}).status_code == 401
        assert client.post(path, json={"k": 3}, headers=told).status_code == 200
        assert client.post(path, content="{", headers=told).status_code == 415
        odd = client.post(path, json={"kk": 3}, headers=told)
        assert (odd.status_code, odd.json()["errors"][0]["field"]) == (422, "kk")
        assert odd.headers["content-type"] == "application/problem+json"
        assert client.put(path, json={}, headers=told).status_code == 405
        wrong = {**told, "host": "elsewhere.example"}
        assert client.post(path, json={}, headers=wrong).status_code == 421
        foreign = {**told, "origin": "http://elsewhere.example"}
        assert client.post(path, json={}, headers=foreign).status_code == 403
    none = client.post("/v1/none/recommend", json={}, headers=told)
    assert (none.status_code, none.json()["remedy"][:10]) == (404, "there is '")
    counted = client.get("/metrics", headers=told).text
    assert 'trefoil_requests_total{method="POST",route="/recommend",status="200"} 2.0' in counted


def test_a_long_body_in_pieces_is_refused_on_the_short_way(served_run):
    service = service_of([served_run], limits=Limits(body_bytes=100))
    with TestClient(create_app(service), base_url="http://127.0.0.1") as client:
        kind = {"content-type": "application/json"}
        pieces = (b" " * 30 for _ in range(9))  # of no length told beforehand
        told = client.post("/v1/recommend", content=pieces, headers=kind)
        assert (told.status_code, told.json()["status"]) == (413, 413)


def test_every_reply_has_the_headers_that_keep_a_browser_safe(client):
    for address in ("/", "/v1/recommend", "/nowhere"):
        headers = client.get(address).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-request-id"]


def test_a_key_for_another_run_learns_which_it_opens(served_run, tmp_path, monkeypatch):
    monkeypatch.setattr("trefoil.serving.service.REFRESH_S", 0.0)
    path = tmp_path / "keys.toml"
    _, token = KeyFile.load(path).add("books", ["read"], runs=["next"])
    runs = [served_run, served_run.with_name("next")]
    with TestClient(create_app(service_of(runs, keys=path)), base_url="http://127.0.0.1") as client:
        client.headers["Authorization"] = f"Bearer {token}"
        told = client.get("/v1/runs").json()
        assert (told["runs"], told["first"]) == (["next"], "shop")
        assert client.get("/v1/card").status_code == 403
        assert client.get("/v1/shop/runs").status_code == 403
        assert client.get("/v1/next/card").status_code == 200
        path.write_text("[[key", "utf-8")  # somebody is editing it
        assert client.get("/v1/next/card").status_code == 200


def test_a_page_counts_as_many_requests_as_it_has_shelves(served_run):
    service = service_of([served_run], limits=Limits(rate=2.0))
    with TestClient(create_app(service), base_url="http://127.0.0.1") as client:
        assert client.post("/v1/recommend", json=[{"k": 1}] * 3).status_code == 200
        assert client.post("/v1/recommend", json={"k": 1}).status_code == 200
        assert client.post("/v1/recommend", json=[{"k": 1}] * 3).status_code == 429


def test_a_schema_names_no_user_to_who_may_only_read(keyed):
    client, tokens = keyed
    headers = {"Authorization": f"Bearer {tokens['read']}"}
    paths = client.get("/openapi.json", headers=headers).json()["paths"]
    body = paths["/v1/explain"]["post"]["requestBody"]["content"]["application/json"]
    users = client.app.state.service.host(None).current.recommender.catalogue.users
    assert body["example"]["user"] not in users
