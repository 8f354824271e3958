"""The shop of the tutorial is made as the page says, and is a dataset that can be read."""

import re
import subprocess
import sys
from pathlib import Path

from trefoil import read_dataset, split_events

PAGE = Path(__file__).parents[1] / "docs" / "tutorial.md"


def test_the_tutorial_makes_the_shop_that_it_shows(tmp_path):
    page = PAGE.read_text("utf-8")
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
