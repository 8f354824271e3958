"""What the pages show runs as it is shown: the shop of the tutorial, the toy base model."""

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import torch

from trefoil import read_dataset, split_events

DOCS = Path(__file__).parents[1] / "docs"


def test_the_tutorial_makes_the_shop_that_it_shows(tmp_path):
    page = (DOCS / "tutorial.md").read_text("utf-8")
    script = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    shown = re.search(r"```\n(reader,book,stars,at\n.*?)```", page, re.DOTALL)
    assert script
    assert shown
    (tmp_path / "make_shop.py").write_text(script[1], "utf-8")
    subprocess.run([sys.executable, "make_shop.py"], cwd=tmp_path, check=True)
    shop = read_dataset(tmp_path / "lantern-books")
    events = (tmp_path / "lantern-books/events.csv").read_text("utf-8").replace("\r", "")
    assert events.startswith(shown[1])
    assert (len(shop.users), len(shop.items), len(shop.interactions)) == (300, 48, 3000)
    assert split_events(shop, 0).rule.by == "time"


def test_the_toy_base_model_scores_every_item_for_every_query(tmp_path, monkeypatch):
    shown = re.search(r"```python\n(.*?)```", (DOCS / "extending.md").read_text("utf-8"), re.DOTALL)
    assert shown
    (tmp_path / "toy_base_model.py").write_text(shown[1], "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    from toy_base_model import Newest  # type: ignore[import-not-found]

    scores = Newest(torch.arange(5.0)).score(SimpleNamespace(user=torch.zeros(3)))
    assert scores.shape == (3, 5)
    assert (scores.argmax(dim=1) == 4).all()
