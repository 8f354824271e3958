"""The Python of the README runs as it is printed, on a dataset as the README describes it."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BLOCK = re.compile(r"(?P<mark><!-- not run: [^\n]+ -->\s*)?```python\n(?P<code>.*?)```", re.DOTALL)

TOML = re.compile(r"```toml\n(.*?)```", re.DOTALL)


def blocks() -> list[str]:
    """Blocks of Python but those under ``<!-- not run: why -->``."""
    found = BLOCK.finditer(README.read_text("utf-8"))
    return [match["code"] for match in found if not match["mark"]]


def write_shop(folder: Path) -> None:
    """A shop of two tastes: 24 users, 24 items, in the ids that the README speaks of."""
    rng = np.random.default_rng(0)
    makers = ["Ada", "Grace", "Emmy", "Mary"]
    folder.mkdir()
    told = TOML.search(README.read_text("utf-8"))
    assert told, "the README shows no dataset.toml"
    (folder / "dataset.toml").write_text(told[1], "utf-8")
    with (folder / "items.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["item_id", "title", "description", "genre", "year"])
        for item in range(24):
            kind = ("quiet story", "loud song")[item % 2]
            words = f"Number {item}", f"A {kind} of {item}"
            table.writerow([f"item-{item}", *words, kind, 2000 + item])
    with (folder / "users.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["user_id", "occupation", "age"])
        table.writerows(
            [f"user-{user}", ("baker", "pilot")[user % 2], 20 + user] for user in range(24)
        )
    lines = ["@prefix e: <https://example.org/> ."]
    lines += [f"<urn:item:item-{item}> e:madeBy e:{makers[item % 4]} ." for item in range(24)]
    (folder / "graph.ttl").write_text("\n".join(lines) + "\n", "utf-8")
    with (folder / "events.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["user_id", "item_id", "stars", "at", "device", "daypart"])
        for user in range(24):
            liked = rng.permutation(np.arange(user % 2, 24, 2))[:10]
            for step, item in enumerate(liked):
                device = ("phone", "tv")[int(rng.integers(2))]
                at = 1_700_000_000 + 86_400 * step + user
                stars = int(rng.integers(3, 6))
                table.writerow([f"user-{user}", f"item-{item}", stars, at, device, "evening"])


@pytest.mark.slow
@pytest.mark.skipif(not README.exists(), reason="no README.md")
def test_the_python_of_the_readme_runs(tmp_path):
    code = blocks()
    assert code, "the README shows no Python"
    write_shop(tmp_path / "my-shop")
    (tmp_path / "catalogue.ttl").write_text((tmp_path / "my-shop/graph.ttl").read_text())
    (tmp_path / "readme.py").write_text("\n".join(code), "utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "readme.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
