"""``torchrun train.py``: two processes learn one network, and one of them writes the run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from planted_shop import sets, write_shop

from trefoil import train

ROOT = Path(__file__).parents[1]
PARTS = (
    *(f"{name}=false" for name in ("random_walks", "next_item", "factors", "text.on")),
    *("behaviour.only_where_order_pays=false", "network.seeds=1", "network.epochs=8"),
)


def marks(run):
    rows = [json.loads(one) for one in (run / "history.jsonl").read_text("utf-8").splitlines()]
    return {name: max(row.get(name, 0.0) for row in rows) for name in rows[0] if "ndcg" in name}


@pytest.mark.slow
def test_two_processes_find_what_one_finds_and_one_of_them_writes(tmp_path):
    pytest.importorskip("accelerate")
    data = write_shop(tmp_path / "data", users=200)
    more = [word for one in PARTS for word in ("--set", one)]
    words = ["--data", str(data), *sets(), *more]
    assert train.main([*words, "--out", str(tmp_path / "one")]) == 0
    start = ["torch.distributed.run", "--nproc-per-node", "2", "--standalone", "train.py"]
    told = subprocess.run(
        [sys.executable, "-m", *start, *words, "--out", str(tmp_path / "two")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0, told.stderr[-2000:]
    assert told.stdout.count("written in") == 1
    one, two = marks(tmp_path / "one"), marks(tmp_path / "two")
    print(one, two)
    for name, mark in one.items():
        assert two[name] == pytest.approx(mark, abs=0.08)  # of 200 people: two standard errors
