"""Eight small dataset folders, one for each kind of data that a recommender has to keep."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from planted_shop import write_shop

USERS, ITEMS, EVENTS = 40, 24, 9
DAY = 86_400


def _events(seed: int) -> list[tuple[str, str, int]]:
    """User, item and number of each event; users of one parity share a taste."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(USERS):
        liked = np.arange(user % 2, ITEMS, 2)
        items = rng.permutation(liked)[: EVENTS - 2].tolist() + rng.permutation(ITEMS)[:2].tolist()
        rows += [(f"u{user}", f"i{item}", step) for step, item in enumerate(dict.fromkeys(items))]
    return rows


def _write(folder: Path, toml: str, header: str, lines: list[str]) -> Path:
    folder.mkdir(parents=True)
    (folder / "dataset.toml").write_text(toml, "utf-8")
    (folder / "events.csv").write_text("\n".join([header, *lines]) + "\n", "utf-8")
    return folder


COLUMNS = '[interactions]\nfile = "events.csv"\nuser = "user"\nitem = "item"\n'


def plain(folder: Path) -> Path:
    """Who met what, and nothing else."""
    return _write(folder, COLUMNS, "user,item", [f"{u},{i}" for u, i, _ in _events(1)])


def contexts(folder: Path) -> Path:
    """People return to items in other contexts, and each context has its items."""
    rng = np.random.default_rng(2)
    lines = [
        f"{user},{item},{place},{('am', 'pm')[int(rng.integers(2))]}"
        for user, item, _ in _events(2)
        for place in ("home", "work", "way")
        if rng.random() < 0.5
    ]
    toml = COLUMNS + 'scenario = ["place", "part"]\n[split]\nby = "rows"\nvalid = 0.2\n'
    return _write(folder, toml, "user,item,place,part", lines)


def ratings(folder: Path) -> Path:
    """Stars from one to five, of which all count as met."""
    rng = np.random.default_rng(3)
    lines = [f"{u},{i},{int(rng.integers(1, 6))}" for u, i, _ in _events(3)]
    return _write(folder, COLUMNS + 'rating = "stars"\n', "user,item,stars", lines)


def ties(folder: Path) -> Path:
    """Days instead of moments: a user's last events share one."""
    lines = [f"{u},{i},{1_600_000_000 + DAY * (step // 3)}" for u, i, step in _events(4)]
    toml = COLUMNS + 'time = "at"\n[split]\nby = "leave-one-out"\n'
    return _write(folder, toml, "user,item,at", lines)


def negatives(folder: Path) -> Path:
    """Shown and clicked, or shown and passed over."""
    rng = np.random.default_rng(5)
    lines = []
    for user, item, _ in _events(5):
        lines.append(f"{user},{item},1")
        lines.append(f"{user},i{int(rng.integers(ITEMS))}x,0")
    toml = COLUMNS + 'rating = "clicked"\npositive_from = 1\n'
    return _write(folder, toml, "user,item,clicked", sorted(set(lines)))


def staples(folder: Path) -> Path:
    """The same items again and again, in contexts of awkward names; one says nothing."""
    rng = np.random.default_rng(6)
    lines = [
        f"{user},{item},{1_600_000_000 + DAY * (7 * week + step)},{rng.random() < 0.5},{place},NA"
        for user, item, step in _events(6)
        for week in range(3)
        for place in ("home",)
    ]
    toml = COLUMNS + 'time = "at"\nscenario = ["type", "time.of", "empty"]\n'
    toml += '[split]\nby = "time"\nrepeats = true\n'
    return _write(folder, toml, "user,item,at,type,time.of,empty", lines)


def everything(folder: Path) -> Path:
    """Times, stars, contexts, texts, categories, numbers, user attributes and a graph."""
    return write_shop(folder, users=40, per_maker=6, events=6)


def shops(folder: Path) -> Path:
    """Two shops with the same people, each with items of its own."""
    for name, seed in (("books", 7), ("films", 8)):
        lines = [f"{u},{i},{1_600_000_000 + 10 * step + seed}" for u, i, step in _events(seed)]
        _write(folder / name, COLUMNS + 'time = "at"\n', "user,item,at", lines)
    toml = '[[domains]]\npath = "books"\n[[domains]]\npath = "films"\n'
    (folder / "dataset.toml").write_text(toml + '[split]\nby = "leave-one-out"\n', "utf-8")
    return folder


WORLDS: dict[str, Callable[[Path], Path]] = {
    one.__name__: one
    for one in (plain, contexts, ratings, ties, negatives, staples, everything, shops)
}
