"""What a caller without a type checker may hand over: refused by name, never a fault of Python."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trefoil.data.errors import ConfigError

ROOT = Path(__file__).parents[2]
CALLS = {
    "r.save(3)": "folder = 3: give a path",
    'r.save("a\\0b")': "folder = 'a\\x00b': give a path",
    "r.load(None)": "folder = None: give a path",
    'Recommender("x")': "settings = 'x': give Settings",
    'Recommender().fit("my-shop")': "dataset = 'my-shop': give a Dataset, as read_data",
    "Recommender().fit(events)": "dataset = a DataFrame: give a Dataset",
    'r.evaluate("my-shop")': "dataset = 'my-shop'",
    'r.recommend(k="ten")': "k = 'ten': give a whole number",
    'r.recommend(shares="no")': "shares = 'no': give True or False",
    'r.recommend_many(["u0"], shares="no")': "shares = 'no'",
    'r.recommend_many(["u0"], reasons="all")': "reasons = 'all'",
    "r.recommend(diversity=None)": "diversity = None",
    'r.answer({"user": "u0"})': "request = {'user': 'u0'}: give a Request",
    "r.score(3)": "pairs = 3: give a list",
    'r.recommend_nodes("u0", None)': "label = None: give the name",
    "r.reword(3)": "reasons = 3",
    "r.add_items(3)": "items = 3: give a table",
    "r.add_triples(3)": "triples = 3: give rows of head",
    "r.add_triples([1])": "triple 1: (1,); give head, relation and tail",
    "r.drift(3)": "seen = 3",
    "r.follow(3)": "other = 3: give a Recommender",
    "r.at_new_shop(None)": "items = None: give Items",
    "r.recommend_all(3)": "path = 3: give a path",
    'r.recommend_all("x.parquet", threads="all")': "threads = 'all': give 0",
    'check_recommender(r, 3.5, ["i0-1"])': "users: a float; give a list of ids",
    "read_dataset(None)": "dataset = None: give a path",
    'read_dataset("demo", forgotten=3)': "forgotten = 3: give a path",
    'read_dataset("demo", max_bad_share="few")': "max_bad_share = 'few'",
    'read_frames(events, positive_from="four")': "positive_from = 'four': give a number",
    "read_frames(events, scenario=3)": "scenario = 3: give a list of columns",
    'read_frames(events, split="time")': "split rule = 'time': give a SplitRule",
    'split_events("my-shop", 0)': "dataset = 'my-shop'",
    "load_settings(3)": "settings = 3: give a path",
    "load_settings(changes=3)": "changes = 3: give a list of a.b=value",
    "load_settings(changes=[3])": "change = 3: write a.b=value",
    "open_store(None)": "graph = None: give a path",
    "read_rdf(3)": "paths = 3: give a path",
    "read_neo4j(3)": "uri = 3: give the address",
}
SCRIPT = r"""
import json, sys
import polars as pl
from trefoil import *
from trefoil.data import errors

ours = errors.ConfigError, errors.DataError
events = pl.DataFrame({"user": ["a"], "item": ["b"], "rating": [1.0]})
r, told = Recommender.load(sys.argv[1], live=False), {}
for call in sys.argv[2:]:
    try:
        told[call] = f"returned {eval(call)!r}"
    except ours as error:
        told[call] = str(error)
    except Exception as error:
        told[call] = f"a fault of Python: {error!r}"
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(shop_run):
    """What each call says in a process of its own, where no test checks the types first."""
    command = [sys.executable, "-c", SCRIPT, str(shop_run), *CALLS]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("call", CALLS)
def test_what_is_of_another_kind_is_refused_by_name(told, call):
    assert told[call].startswith(CALLS[call])


@pytest.mark.parametrize("place", ["/proc/run", "x" * 300], ids=["no files there", "long name"])
def test_a_run_that_cannot_be_written_is_told_with_its_place(served, tmp_path, place):
    with pytest.raises(ConfigError, match=r"cannot be written \(.*\); name another place") as told:
        served.save(tmp_path / place)
    assert str(told.value).startswith(str(tmp_path / place))
    with pytest.raises(ConfigError, match="cannot be written"):
        served.recommend_all(f"/proc/{'x' * 300}.parquet", 2)
    with pytest.raises(ConfigError, match="is a folder; name a file"):
        served.recommend_all(tmp_path, 2)
    assert list(tmp_path.iterdir()) == []
