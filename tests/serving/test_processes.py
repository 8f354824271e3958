"""A service of two processes answers as one: nobody can tell which of them was met."""

import json
import os
import time
from collections import Counter
from pathlib import Path

import pytest
from two_processes import TIMEOUT_S, gone, two_of


@pytest.fixture(scope="module")
def two(served_run, tmp_path_factory):
    """A service with keys, on two processes, for all tests of this file."""
    with two_of(tmp_path_factory.mktemp("two"), served_run) as two:
        yield two


QUESTIONS = [
    ("POST", "/v1/recommend", {"user": "u3", "k": 4, "reasons": 2}),
    ("POST", "/v1/shop/recommend", {"history": ["i0-1"], "k": 4, "where": {"price": {">": 1}}}),
    ("POST", "/v1/recommend", [{"user": "u3", "k": 2}, {"user": "u3", "k": 2}]),
    ("POST", "/v1/similar", {"item": "i0-1", "k": 3}),
    ("POST", "/v1/rank", {"user": "u3", "items": ["i0-1", "none"]}),
    ("POST", "/v1/score", {"pairs": [["u3", "i0-1"]]}),
    ("POST", "/v1/explain", {"user": "u3", "item": "i0-1"}),
    ("GET", "/v1/recommend?user=u3&k=2", None),
    ("POST", "/v1/similar", {"item": "none"}),
    ("POST", "/v1/recommend", {"k": "many"}),
    ("POST", "/v1/recommend", b"{"),
    ("POST", "/v1/recommend", b" " * (2 << 20)),
    ("POST", "/v1/recommend", {"user": "u3", "state": "9-other"}),
    ("POST", "/v1/none/recommend", {"user": "u3"}),
    ("GET", "/v1/items/i0-1", None),
    ("GET", "/v1/models/current", None),
    ("PUT", "/v1/recommend", {}),
    ("GET", "/nowhere?a=%C3%A4", None),
    ("GET", "/docs", None),
]


@pytest.mark.parametrize(("method", "path", "body"), QUESTIONS)
def test_a_reply_is_the_same_from_either_process(two, method, path, body):
    replies = []
    for place in (0, 1):
        status, headers, told = two.both[place].ask(method, path, body)
        if b'"based_on"' in told:
            told = without_ids(json.loads(told))
        replies.append((status, headers, told))
        if status == 413:
            two.settle()  # who sends too much is sent away
    assert replies[0] == replies[1]
    assert replies[0][0] < 500


def without_ids(told):
    """An answer without the ids that each answer has for itself, and a page of them so."""
    shelves = [without_ids(one) for one in told.get("shelves", [])]
    return {name: one for name, one in told.items() if name != "id"} | {"shelves": shelves}


def test_connections_are_dealt_out_in_turn(two):
    clients = [two.client() for _ in range(8)]
    for one in clients:
        one.json("POST", "/v1/recommend", {"user": "u1", "k": 1})
    assert Counter(one.process() for one in clients) == {two.first: 4, two.reader_id: 4}


def test_the_reader_answers_itself_what_is_asked_most(two):
    two.caught_up()


def test_an_answer_of_the_reader_is_counted_and_found_by_its_id(two):
    def counted():
        text = two.writer.ask("GET", "/metrics")[2].decode()
        lines = [one for one in text.splitlines() if 'route="/recommend",status="200"' in one]
        return sum(float(one.split()[-1]) for one in lines)

    before = counted()
    told = [two.reader.json("POST", "/v1/recommend", {"user": "u2", "k": 2}) for _ in range(30)]
    assert counted() == before + 30
    for one in told[-3:]:
        assert two.writer.json("GET", f"/v1/answers/{one['id']}") == one
        assert two.reader.json("GET", f"/v1/answers/{one['id']}") == one


def test_what_is_acknowledged_is_in_the_next_answers_of_both(two):
    for turn in range(12):
        teller = two.both[turn % 2]
        event = {"user": "newcomer", "item": f"i{turn % 4}-{turn % 10}", "id": f"e-{turn}"}
        state = teller.json("POST", "/v1/events", {"events": [event]})["state"]
        for number in range(50):
            asked = {"user": "newcomer", "k": 3, "reasons": 0}
            if number % 10 == 9:
                asked["state"] = state
            told = two.both[(turn + number) % 2].json("POST", "/v1/recommend", asked)
            assert told["state"] == state
            assert told["based_on"]["events"] == turn + 1
    two.caught_up()
    two.reader.json("POST", "/v1/items/remove", {"ids": ["i1-1"]})
    for one in two.both:
        answer = one.json("POST", "/v1/recommend", {"user": "newcomer", "only": ["i1-1", "i1-3"]})
        assert [item["item"] for item in answer["items"]] == ["i1-3"]


def test_after_a_swap_nobody_answers_from_the_model_before(two):
    for name in ("next", "shop"):
        two.reader.json("POST", "/v1/models/current", {"run": name})
        for number in range(100):
            told = two.both[number % 2].json("POST", "/v1/recommend", {"user": "u1", "k": 2})
            assert told["model"].startswith(name + "@")
        two.caught_up()
        assert two.reader.json("POST", "/v1/recommend", {"user": "u1"})["model"] == told["model"]


def test_a_canary_answers_its_share_whichever_process_is_asked(two):
    two.writer.json("POST", "/v1/models/current", {"action": "canary", "run": "next", "share": 0.5})
    asked = [{"user": f"u{number}", "k": 1} for number in range(12)]
    models = [
        [one.json("POST", "/v1/recommend", body)["model"] for body in asked] for one in two.both
    ]
    two.writer.json("POST", "/v1/models/current", {"action": "end_canary"})
    assert models[0] == models[1]
    assert {one.partition("@")[0] for one in models[0]} == {"shop", "next"}
    two.caught_up()


@pytest.mark.slow
def test_who_was_forgotten_is_in_no_answer(two):
    two.reader.json("DELETE", "/v1/users/u5")
    two.settle()  # that took longer than connections stay open
    for one in two.both:
        assert not one.json("POST", "/v1/recommend", {"user": "u5"})["based_on"]["user_known"]
    two.caught_up()
    told = [one.json("POST", "/v1/recommend", {"user": "u6", "k": 3}) for one in two.both]
    assert told[0]["state"] == told[1]["state"]
    assert told[0]["model"] == told[1]["model"]
    assert not two.reader.json("POST", "/v1/recommend", {"user": "u5"})["based_on"]["user_known"]


def test_keys_are_refused_alike_and_a_rate_is_one_for_all_processes(two):
    for token, status in ((two.other, 403), ("trefoil_none_none", 401)):
        replies = [one.ask("POST", "/v1/recommend", {"k": 1}, token) for one in two.both]
        assert replies[0] == replies[1]
        assert replies[0][0] == status
    statuses = [
        two.both[turn % 2].ask("POST", "/v1/recommend", {"k": 1}, two.slow)[0] for turn in range(6)
    ]
    assert sorted(statuses) == [200] + [429] * 5


def test_a_reader_that_dies_is_started_again(two):
    os.kill(two.reader_id, 9)
    before = two.reader_id
    while not gone(before):
        time.sleep(0.01)
    two.settle()
    assert two.reader_id != before
    two.caught_up()


def test_readers_end_with_the_first_process_and_nothing_acknowledged_is_lost(two):
    event = {"user": "last", "item": "i0-2", "id": "last-1"}
    two.reader.json("POST", "/v1/events", {"events": [event]})
    command = Path(f"/proc/{two.reader_id}/cmdline").read_text().split("\0")
    folder = Path(json.loads(command[3])["folder"])
    assert folder.is_dir()
    two.served.process.kill()
    two.served.process.wait(timeout=TIMEOUT_S)
    until = time.monotonic() + 5
    while not gone(two.reader_id):
        assert time.monotonic() < until
        time.sleep(0.01)
    assert not folder.exists()
    two.begin()
    assert two.writer.json("POST", "/v1/recommend", {"user": "last"})["based_on"]["events"] == 1
    assert two.reader.json("POST", "/v1/recommend", {"user": "last"})["based_on"]["events"] == 1
