"""Planted shops of any size: tastes, a long tail, words, facts, times and contexts.

python -m benchmarks.shops FOLDER [--events 100000] [--seed 0] [--no-texts]

A shop is a dataset folder. Items lie in groups (a topic and a maker); words of titles and
descriptions tell the topic, facts tell maker and topic. A person loves a few groups and moves
from one to the next in time; what is often taken follows a power law within each group. Some
events follow from the one before, and some from the part of the day.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

WORDS = tuple(
    word
    for line in (
        "river forest winter garden ocean desert mountain island harbour valley castle village",
        "engine rocket wheel bridge tower tunnel train ship pilot sailor captain driver soldier",
        "doctor teacher farmer painter singer dancer writer hunter miller baker tailor smith",
        "piano violin guitar trumpet drum flute opera ballet concert theatre circus museum library",
        "coffee bread cheese butter honey pepper garlic tomato lemon orange cherry apple grape",
        "rabbit wolf eagle falcon tiger lion horse whale dolphin turtle spider beetle butterfly",
        "cotton silk wool leather linen copper silver golden iron steel glass marble paper candle",
        "planet comet galaxy gravity atom crystal magnet laser robot signal battery circuit",
        "kingdom empire senate treaty battle victory rebel prince queen knight dragon ghost",
        "murder secret shadow detective prison escape treasure pirate bandit sheriff spy traitor",
        "wedding family mother brother sister neighbour stranger orphan widow school college",
        "football tennis hockey boxing chess racing swimming climbing fishing cycling skiing",
        "market money banker merchant factory office lawyer judge election mayor strike union",
        "summer autumn spring midnight morning sunset thunder rainbow blizzard earthquake",
    )
    for word in line.split()
)
PARTS = ("morning", "noon", "evening", "night")
TOPIC_WORDS = 10  # of the words, that the texts of a topic are made of
MAKERS = 6  # of a topic
GROUP_ITEMS = 40  # about, in the mean
LOVED = 5  # groups that a person loves
OF_LOVED, OF_TOPIC, OF_NEXT = 0.6, 0.12, 0.15  # shares of events; the rest is what many take
DRAWN = 1.25  # pairs drawn for each event: some come twice
YEAR_S = 365 * 86_400
BEGIN = 1_700_000_000
TOML = """name = "planted shop of {events:,} events"
licence = "none: drawn by benchmarks/shops.py"

[interactions]
file = "events.parquet"
user = "user"
item = "item"
time = "at"
scenario = ["part"]

[items]
file = "items.parquet"
id = "item"
title = "title"
text = ["description"]
category = ["topic"]
numeric = ["price"]

[graph]
files = ["facts.nt"]

[split]
by = "leave-one-out"
"""


@dataclass(frozen=True)
class Shop:
    """The sizes of a shop and what lies behind its events."""

    users: int
    items: int
    events: int
    seed: int = 0

    @classmethod
    def of(cls, events: int, seed: int = 0) -> Shop:
        """Twenty events a person, ten an item."""
        return cls(max(events // 20, 50), max(events // 10, 100), events, seed)

    @property
    def topics(self) -> int:
        return max(4, round(self.items / (MAKERS * GROUP_ITEMS)))


@dataclass(frozen=True)
class Items:
    """Items ordered by group; group ``g`` holds the rows ``start[g]`` to ``start[g + 1]``."""

    group: np.ndarray
    start: np.ndarray
    worth: np.ndarray  # how much a group is loved, adds up to one

    @property
    def topic(self) -> np.ndarray:
        return self.group // MAKERS


def drawn_items(shop: Shop, rng: np.random.Generator) -> Items:
    """Groups of uneven size, and how much each is loved."""
    groups = shop.topics * MAKERS
    share = rng.gamma(3.0, size=groups)
    group = np.sort(rng.choice(groups, shop.items, p=share / share.sum()))
    worth = rng.pareto(1.5, groups) + 0.2
    worth[np.bincount(group, minlength=groups) == 0] = 0.0
    start = np.concatenate([[0], np.cumsum(np.bincount(group, minlength=groups))])
    return Items(group, start, worth / worth.sum())


def of_groups(items: Items, groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An item of each group; the first ones are taken most, by about one over their place."""
    size = np.diff(items.start)[groups]
    place = np.exp(rng.random(len(groups)) * np.log(size + 1)).astype(np.int64) - 1
    return items.start[groups] + np.minimum(place, size - 1)


def drawn_events(shop: Shop, items: Items, rng: np.random.Generator) -> pl.DataFrame:
    """user, item, at and part, as rows and codes; no pair comes twice."""
    wanted = int(DRAWN * shop.events)
    activity = rng.lognormal(0.0, 0.9, shop.users)
    user = np.sort(rng.choice(shop.users, wanted, p=activity / activity.sum()))
    first = np.searchsorted(user, np.arange(shop.users))
    count = np.bincount(user, minlength=shop.users)
    age = (np.arange(wanted) - first[user]) / np.maximum(count[user], 1)  # of the event, 0 to 1
    loved = rng.choice(len(items.worth), (shop.users, LOVED), p=items.worth)
    part = rng.choice(len(PARTS), wanted)
    # from group to group in time, a little by the part of the day
    slot = np.floor(age * LOVED + rng.normal(0.0, 1.2, wanted)).astype(np.int64)
    slot = np.where(rng.random(wanted) < 0.25, part, slot) % LOVED
    group = loved[user, slot]
    how = rng.random(wanted)
    same_topic = group // MAKERS * MAKERS + rng.integers(MAKERS, size=wanted)
    open_groups = np.diff(items.start)[same_topic] > 0
    by_topic = (how >= OF_LOVED) & (how < OF_LOVED + OF_TOPIC) & open_groups
    group = np.where(by_topic, same_topic, group)
    by_many = how >= OF_LOVED + OF_TOPIC + OF_NEXT
    group[by_many] = rng.choice(len(items.worth), int(by_many.sum()), p=items.worth)
    item = of_groups(items, group, rng)
    follower = rng.permutation(shop.items)
    after = (how >= OF_LOVED + OF_TOPIC) & ~by_many & (age > 0)
    at_after = np.flatnonzero(after)
    item[at_after] = follower[item[at_after - 1]]
    at = BEGIN + ((age + rng.random(shop.users)[user]) / 2 * YEAR_S).astype(np.int64)
    frame = pl.DataFrame({"user": user, "item": item, "at": at, "part": part})
    frame = frame.unique(["user", "item"], keep="first", maintain_order=True)
    if len(frame) > shop.events:
        frame = frame.sample(shop.events, seed=shop.seed)
    return frame.sort("user", "at")


def texts_of(shop: Shop, items: Items, rng: np.random.Generator) -> pl.DataFrame:
    """Titles and descriptions: words of the topic, and of any other topic now and then."""
    words = np.array(WORDS)
    of_topic = np.argsort(rng.random((shop.topics, len(words))), axis=1)[:, :TOPIC_WORDS]

    def said(count: int) -> list[pl.Series]:
        drawn = of_topic[items.topic[:, None], rng.integers(TOPIC_WORDS, size=(shop.items, count))]
        other = rng.integers(len(words), size=drawn.shape)
        table = words[np.where(rng.random(drawn.shape) < 0.2, other, drawn)]
        return [pl.Series(str(k), table[:, k]) for k in range(count)]

    title, description = said(3), said(12)
    numbers = pl.Series("n", np.arange(shop.items)).cast(pl.String)
    return pl.DataFrame(
        {
            "title": pl.select(pl.concat_str(*title, numbers, separator=" ")).to_series(),
            "description": pl.select(pl.concat_str(*description, separator=" ")).to_series(),
        }
    )


def facts_of(shop: Shop, items: Items, rng: np.random.Generator) -> pl.Series:
    """Lines of N-Triples: maker, series and one loose fact of each item."""
    item = pl.Series("item", np.arange(shop.items)).cast(pl.String)
    series = items.group * 4 + rng.integers(4, size=shop.items)
    ends = {
        "madeBy": ("maker", items.group),
        "inSeries": ("series", series),
        "shownIn": ("place", rng.integers(max(10, shop.items // 50), size=shop.items)),
    }
    lines = [
        pl.select(
            pl.concat_str(
                pl.lit("<urn:item:i"),
                item,
                pl.lit(f"> <https://example.org/{relation}> <https://example.org/{kind}-"),
                pl.Series(code).cast(pl.String),
                pl.lit("> ."),
            )
        ).to_series()
        for relation, (kind, code) in ends.items()
    ]
    return pl.concat(lines)


def write_shop(folder: Path, shop: Shop, *, texts: bool = True, facts: bool = True) -> Path:
    """The dataset folder of a shop; the same seed gives the same files."""
    rng = np.random.default_rng(shop.seed)
    folder.mkdir(parents=True, exist_ok=True)
    items = drawn_items(shop, rng)
    named = pl.Series("item", np.arange(shop.items)).cast(pl.String)
    frame = pl.DataFrame({"item": "i" + named, "topic": "t" + pl.Series(items.topic).cast(str)})
    frame = frame.with_columns(price=rng.lognormal(3.0, 0.7, shop.items).round(2))
    toml = TOML.format(events=shop.events)
    if texts:
        frame = frame.hstack(texts_of(shop, items, rng))
    else:
        toml = toml.replace('title = "title"\ntext = ["description"]\n', "")
    frame.write_parquet(folder / "items.parquet")
    if facts:
        (folder / "facts.nt").write_text("\n".join(facts_of(shop, items, rng)) + "\n", "utf-8")
    else:
        toml = toml.replace('[graph]\nfiles = ["facts.nt"]\n\n', "")
    events = drawn_events(shop, items, rng)
    events.with_columns(
        user="u" + pl.col("user").cast(pl.String),
        item="i" + pl.col("item").cast(pl.String),
        part=pl.Series(np.array(PARTS)[events["part"].to_numpy()]),
    ).write_parquet(folder / "events.parquet")
    (folder / "dataset.toml").write_text(toml, "utf-8")
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-texts", action="store_true")
    parser.add_argument("--no-facts", action="store_true")
    args = parser.parse_args()
    began, shop = time.perf_counter(), Shop.of(args.events, args.seed)
    write_shop(args.folder, shop, texts=not args.no_texts, facts=not args.no_facts)
    took = time.perf_counter() - began
    print(f"{args.folder}: {shop.users:,} users, {shop.items:,} items in {took:.1f} s")


if __name__ == "__main__":
    main()
