"""Which data a comparison may be run on, and by which protocol."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from benchmarks.papers import LASTFM_COLAKG, LASTFM_KGCN, MOVIELENS_1M_COLAKG
from benchmarks.purchases import RETAIL_ROCKET, RETAIL_ROCKET_PURCHASES
from benchmarks.sequences import BEAUTY, BEAUTY_SHUFFLED, MOVIELENS_1M_ORDERED, SCIENTIFIC
from trefoil.data import Dataset, Split, SplitRule
from trefoil.data.sources import Source


@dataclasses.dataclass(frozen=True)
class Bench:
    """A source, the exam asked of it, and the rule in place of the source's own."""

    source: str | Source
    protocol: str  # full | context | ctr
    words: str
    rule: SplitRule | None = None
    metric: str = "ndcg@10"
    hidden: float = 0.0  # share of items that training is not shown
    # ours, with settings changed
    variants: Mapping[str, tuple[str, ...]] = dataclasses.field(
        default_factory=dict
    )  # ours, changed


SHUFFLED = {"trefoil-shuffled": ("text.shuffle=true", "graph.shuffle=true")}
ORDER_ALONE = {"trefoil-order-alone": ("tasks.category=0", "tasks.rating=0")}
TEXT_CONTROLS = {
    "trefoil-shuffled": ("text.shuffle=true",),
    "trefoil-without-text": ("text.on=false",),
    "trefoil-words": ("text.model=words",),
}
LEAST_EVENTS = 5  # of an item that may be hidden


def hide_items(dataset: Dataset, split: Split, share: float, seed: int) -> Split:
    """The same split without the training events of some items: they are cold by force."""
    items = dataset.interactions.take(split.train).item
    counts = np.bincount(items, minlength=len(dataset.items))
    often = np.flatnonzero(counts >= LEAST_EVENTS)
    hidden = np.random.default_rng(seed).choice(often, round(share * len(often)), replace=False)
    return dataclasses.replace(split, train=split.train[~np.isin(items, hidden)])


EIGHT = "random 8:1:1 of each user's positives, all items ranked"
LAST = "each user's last event is the test, the one before it validation; all items ranked"
GIVEN = "train and test as the paper gives them, validation carved from training; all items ranked"
PURCHASES = "one purchase of each user is the test, validation carved; all items ranked"
CLICKS = "rows with drawn negatives, random 6:2:2; AUC and F1 over the whole part"

SETS = {
    "demo": Bench(
        "demo",
        "full",
        "one border in time, 8:1:1 of all events; real films, simulated audience; all items ranked",
    ),
    "lastfm": Bench("lastfm", "full", EIGHT + "; graphs of KGCN and DBpedia", variants=SHUFFLED),
    "lastfm-kgcn": Bench(LASTFM_KGCN, "full", EIGHT + "; graph of KGCN alone", variants=SHUFFLED),
    "movielens-small": Bench("movielens-small", "full", EIGHT),
    "movielens-100k": Bench(
        "movielens-100k",
        "full",
        EIGHT + "; every rating is a positive",
        variants={**SHUFFLED, **ORDER_ALONE},
    ),
    "movielens-100k-cold": Bench(
        "movielens-100k",
        "full",
        EIGHT
        + f"; the training events of 15 % of the items with {LEAST_EVENTS} or more are hidden",
        hidden=0.15,
    ),
    "movielens-100k-next": Bench("movielens-100k", "full", LAST, SplitRule("leave-one-out")),
    "movielens-1m": Bench("movielens-1m", "full", EIGHT + "; every rating is a positive"),
    "book-crossing": Bench("book-crossing", "full", EIGHT),
    "frappe": Bench(
        "frappe",
        "context",
        "random 7:2:1 of (user, app, context) rows; all apps ranked for each row but those of "
        "the same user and context in earlier parts",
    ),
    "amazon": Bench("amazon", "full", LAST),
    "beauty": Bench(BEAUTY, "full", LAST + "; the file's order", variants=TEXT_CONTROLS),
    "beauty-shuffled": Bench(
        BEAUTY_SHUFFLED, "full", LAST + "; events of one day in an order drawn anew"
    ),
    "scientific": Bench(SCIENTIFIC, "full", LAST + "; the file's order"),
    "movielens-1m-ordered": Bench(MOVIELENS_1M_ORDERED, "full", LAST + "; SASRec's order"),
    "retailrocket": Bench(
        RETAIL_ROCKET,
        "full",
        PURCHASES + "; views and carts learned from",
        variants={"trefoil-kind-task": ("tasks.kind=0.1",)},
    ),
    "retailrocket-purchases": Bench(RETAIL_ROCKET_PURCHASES, "full", PURCHASES),
    "lastfm-colakg": Bench(LASTFM_COLAKG, "full", GIVEN, metric="ndcg@20"),
    "movielens-1m-colakg": Bench(MOVIELENS_1M_COLAKG, "full", GIVEN, metric="ndcg@20"),
    "lastfm-ctr": Bench("lastfm-ctr", "ctr", CLICKS, metric="auc"),
    "book-crossing-ctr": Bench("book-crossing-ctr", "ctr", CLICKS, metric="auc"),
}
