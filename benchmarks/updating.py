"""Is learning on as good as learning anew? Daily updates against daily refits.

python -m benchmarks.updating [--data DIR|NAME] [--data-root DIR] [--steps 10] [--share 0.02]
    [--set a.b=value ...] [--json FILE]

The events are put in order of time and cut: a beginning, then ``steps`` days of ``share`` of all
events each. One recommender learns the beginning, is told each day's events and updates; beside
it a recommender is fitted anew after each day, from the start, with its search, on the same events.
Both rank the items of the next day for the people who met any, without what these met before.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from trefoil.data import Dataset, read_dataset
from trefoil.data.interactions import UNKNOWN_TIME, Interactions
from trefoil.fusion.preview import first_items
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings

K = 10


def days(events: Interactions, steps: int, share: float) -> list[np.ndarray]:
    """Rows of the beginning, of each day, and of the day after the last, in order of time."""
    if events.at is None or (events.at == UNKNOWN_TIME).any():
        raise SystemExit("every event needs a time")
    order = np.argsort(events.at, kind="stable")
    size = round(share * len(order))
    ends = len(order) - size * np.arange(steps + 1, -1, -1)
    return np.split(order, ends[:-1])


def told(dataset: Dataset, rows: np.ndarray) -> list[dict[str, Any]]:
    """Events as people tell them."""
    events = dataset.interactions.take(rows)
    found = []
    for at in range(len(rows)):
        one: dict[str, Any] = {
            "user": dataset.users.vocabulary[int(events.user[at])],
            "item": dataset.items.vocabulary[int(events.item[at])],
            "time": int(events.at[at]),
            "positive": bool(events.positive[at]),
        }
        if events.stars is not None and not np.isnan(events.stars[at]):
            one["stars"] = float(events.stars[at])
        if events.kind is not None and events.kind.codes[at] >= 0:
            one["kind"] = events.kind.names[events.kind.codes[at]]
        for name, column in events.scenario.items():
            if column.codes[at] >= 0:
                one[name] = column.names[column.codes[at]]
        found.append(one)
    return found


def ndcg(recommender: Recommender, dataset: Dataset, rows: np.ndarray, met: np.ndarray) -> float:
    """NDCG@10 of the next day's new items, over the people who met any."""
    events = dataset.interactions.take(rows)
    pairs = events.user * len(dataset.items) + events.item
    before = dataset.interactions.take(met)
    new = events.positive & ~np.isin(pairs, before.user * len(dataset.items) + before.item)
    users = np.unique(events.user[new])
    names = [dataset.users.vocabulary[row] for row in users.tolist()]
    table = recommender.recommend_many(names, k=K, seen="hide")
    row_of = {item: row for row, item in enumerate(dataset.items.vocabulary.ids)}
    gains = []
    for user, name in zip(users.tolist(), names, strict=True):
        wanted = set(events.item[new & (events.user == user)].tolist())
        items = [row_of[one] for one in table.filter(user=name)["item"].to_list()]
        gain = sum(1 / np.log2(at + 2) for at, item in enumerate(items) if item in wanted)
        gains.append(gain / sum(1 / np.log2(at + 2) for at in range(min(len(wanted), K))))
    return float(np.mean(gains)) if gains else float("nan")


def fitted(dataset: Dataset, rows: np.ndarray, settings: Any) -> tuple[Recommender, float]:
    """A recommender that learned from these events alone, and the CPU seconds it took."""
    part = replace(dataset, interactions=dataset.interactions.take(np.sort(rows)))
    began = time.process_time()
    recommender = Recommender(settings).fit(part, final=True)
    return recommender, time.process_time() - began


def compared(dataset: Dataset, settings: Any, steps: int, share: float) -> list[dict[str, float]]:
    """A row for each day."""
    beginning, *parts = days(dataset.interactions, steps, share)
    on, _ = fitted(dataset, beginning, settings)
    stale, _ = fitted(dataset, beginning, settings)
    met, rows = beginning, []
    for number, (today, tomorrow) in enumerate(itertools.pairwise(parts), 1):
        met = np.concatenate([met, today])
        for one in (on, stale):
            one.add_events(told(dataset, today))
        began = time.process_time()
        on.update()
        update_s = time.process_time() - began
        anew, refit_s = fitted(dataset, met, settings)
        lists = [first_items(one.state, K) for one in (on, anew)]
        shared = [len(np.intersect1d(a, b)) / K for a, b in zip(*lists, strict=True)]
        marks = [ndcg(one, dataset, tomorrow, met) for one in (on, anew, stale)]
        row = {
            "day": number,
            "update_s": round(update_s, 2),
            "refit_s": round(refit_s, 2),
            "overlap": round(float(np.mean(shared)), 4),
            **dict(
                zip(("update", "refit", "no_update"), (round(m, 5) for m in marks), strict=True)
            ),
        }
        print(row, flush=True)
        rows.append(row)
    return rows


def summary(rows: list[dict[str, float]]) -> dict[str, float]:
    """Means over the days: what counts."""
    mean = {name: float(np.mean([row[name] for row in rows])) for name in rows[0] if name != "day"}
    return {
        **{name: round(value, 5) for name, value in mean.items()},
        "ndcg_of_refit": round(mean["update"] / mean["refit"], 4),
        "time_of_refit": round(mean["update_s"] / mean["refit_s"], 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default="demo")
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--share", type=float, default=0.02, help="of all events, a day")
    parser.add_argument("--set", action="append", default=[], metavar="a.b=value")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    dataset = read_dataset(args.data, root=args.data_root)
    rows = compared(dataset, load_settings(None, args.set), args.steps, args.share)
    found = summary(rows)
    print(found)
    if args.json:
        args.json.write_text(json.dumps({"days": rows, "summary": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
