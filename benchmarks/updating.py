"""Is learning on as good as learning anew? Daily updates against daily refits.

python -m benchmarks.updating [--data DIR|NAME] [--data-root DIR] [--steps 10] [--share 0.02]
    [--every 1] [--again] [--people 1] [--set a.b=value ...] [--json FILE]

The events are put in order of time and cut: a beginning, then ``steps`` days of ``share`` of all
events each. One recommender learns the beginning, is told each day's events and updates; beside
it a recommender is fitted anew after each day, from the start, with its search, on the same events.
Both rank the items of the next day for the people who met any, without what these met before.

Where refits cost much, ``--every 5`` makes one after each fifth day, while updates stay daily.
``--again`` makes a second refit with another seed: how far refits agree with each other is as
far as an update can be expected to agree with one.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from trefoil.data import Dataset, read_dataset
from trefoil.data.interactions import UNKNOWN_TIME, Interactions
from trefoil.fusion.preview import first_items
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import Settings, load_settings

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
    assert events.at is not None
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


def gains(
    recommender: Recommender, dataset: Dataset, rows: np.ndarray, met: np.ndarray
) -> np.ndarray:
    """NDCG@10 of the next day's new items, for each of the people who met any."""
    events = dataset.interactions.take(rows)
    pairs = events.user * len(dataset.items) + events.item
    before = dataset.interactions.take(met)
    new = events.positive & ~np.isin(pairs, before.user * len(dataset.items) + before.item)
    users = np.unique(events.user[new])
    names = [dataset.users.vocabulary[row] for row in users.tolist()]
    table = recommender.recommend_many(names, k=K, seen="hide")
    row_of = {item: row for row, item in enumerate(dataset.items.vocabulary.ids)}
    found = []
    for user, name in zip(users.tolist(), names, strict=True):
        wanted = set(events.item[new & (events.user == user)].tolist())
        items = [row_of[one] for one in table.filter(user=name)["item"].to_list()]
        gain = sum(1 / np.log2(at + 2) for at, item in enumerate(items) if item in wanted)
        found.append(gain / sum(1 / np.log2(at + 2) for at in range(min(len(wanted), K))))
    return np.array(found)


def fitted(dataset: Dataset, rows: np.ndarray, settings: Settings) -> tuple[Recommender, float]:
    """A recommender that learned from these events alone, and the CPU seconds it took."""
    part = replace(dataset, interactions=dataset.interactions.take(np.sort(rows)))
    began = time.process_time()
    recommender = Recommender(settings).fit(part, final=True)
    return recommender, time.process_time() - began


def shared(one: Recommender, other: Recommender) -> float:
    """The mean share of first items that two have in common, over people."""
    lists = [first_items(each.state, K) for each in (one, other)]
    return float(np.mean([len(np.intersect1d(a, b)) / K for a, b in zip(*lists, strict=True)]))


@dataclass
class Compared:
    """A row for each day with a refit, and what each recommender gained from each person."""

    rows: list[dict[str, float]] = field(default_factory=list)
    gains: dict[str, list[np.ndarray]] = field(default_factory=dict)

    def told(self, row: dict[str, float], gained: dict[str, np.ndarray]) -> None:
        """One day more."""
        for name, found in gained.items():
            self.gains.setdefault(name, []).append(found)
            row[name] = round(float(found.mean()), 5)
        print(row, flush=True)
        self.rows.append(row)

    def summary(self) -> dict[str, float]:
        """Means over days, and NDCG over people of all days as a share of the refit's.

        ``..._error`` is the standard error of such a share, from the differences of each person.
        """
        times = {
            name: np.mean([row[name] for row in self.rows]) for name in ("update_s", "refit_s")
        }
        found = {name: float(value) for name, value in times.items()}
        found["time_of_refit"] = found["update_s"] / found["refit_s"]
        for name in ("overlap", "overlap_of_refits"):
            if name in self.rows[0]:
                found[name] = float(np.mean([row[name] for row in self.rows]))
        gained = {name: np.concatenate(parts) for name, parts in self.gains.items()}
        refit = gained.pop("refit")
        found |= {"people": len(refit), "refit": float(refit.mean())}
        for name, own in gained.items():
            share = float(own.mean() / refit.mean())
            error = float((own - share * refit).std() / refit.mean()) / len(own) ** 0.5
            found |= {f"{name}_of_refit": share, f"{name}_error": error}
        return {name: round(value, 4) for name, value in found.items()}


def compared(
    dataset: Dataset, settings: Settings, steps: int, share: float, every: int, *, again: bool
) -> Compared:
    """Updates after each day beside refits after each ``every``-th."""
    beginning, *parts = days(dataset.interactions, steps, share)
    on, _ = fitted(dataset, beginning, settings)
    stale = Recommender(settings)
    stale.become(on.state)
    met, found = beginning, Compared()
    for number, (today, tomorrow) in enumerate(itertools.pairwise(parts), 1):
        met = np.concatenate([met, today])
        for one in (on, stale):
            one.add_events(told(dataset, today))
        began = time.process_time()
        on.update()
        update_s = time.process_time() - began
        if number % every:
            continue
        anew, refit_s = fitted(dataset, met, settings)
        row = {"day": number, "update_s": round(update_s, 2), "refit_s": round(refit_s, 2)}
        judged = {"update": on, "refit": anew, "no_update": stale}
        row["overlap"] = round(shared(on, anew), 4)
        if again:
            other = settings.model_copy(update={"seed": settings.seed + 1})
            judged["refit_again"], _ = fitted(dataset, met, other)
            row["overlap_of_refits"] = round(shared(judged["refit_again"], anew), 4)
        found.told(row, {n: gains(one, dataset, tomorrow, met) for n, one in judged.items()})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n")[0])
    parser.add_argument("--data", default="demo")
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--share", type=float, default=0.02, help="of all events, a day")
    parser.add_argument("--every", type=int, default=1, help="days from refit to refit")
    parser.add_argument("--again", action="store_true", help="refit twice, with two seeds")
    parser.add_argument("--people", type=int, default=1, help="3: events of each third person")
    parser.add_argument("--set", action="append", default=[], metavar="a.b=value")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    dataset = read_dataset(args.data, root=args.data_root)
    events = dataset.interactions
    events = events.take(events.user % args.people == 0)
    settings = load_settings(None, args.set)
    parts = replace(dataset, interactions=events), settings, args.steps, args.share, args.every
    found = compared(*parts, again=args.again)
    print(found.summary())
    if args.json:
        told = {"days": found.rows, "summary": found.summary()}
        args.json.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
