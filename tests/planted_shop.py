"""A small shop in which every user loves one maker, written as a dataset folder.

Items ``i<maker>-<number>`` are made by one of four makers, in the graph, in
words and by their price; user ``u<number>`` loves maker ``number % 4``. Club and
age of users have nothing to do with that.
"""

import re
from pathlib import Path

import numpy as np

from trefoil.data import read_dataset

MAKERS = ("Ada", "Grace", "Emmy", "Mary")
WORDS = (
    "ocean sailor harbour storm",
    "desert camel caravan dune",
    "forest wolf winter cabin",
    "city jazz night taxi",
)
TINY = (
    "threads=1",
    "text.model=ngrams",
    "text.dimensions=6",  # as few as the themes, so that whitening keeps them
    "embedding_size=8",
    "network.epochs=4",
    "network.evaluate_every=2",
    "network.ema_decay=0",
    "behaviour.layers=1",
)
ALONE = (  # the joint network by propagation, and little beside it
    *TINY,
    "behaviour.on=false",
    "factors=false",
    "linear.on=false",
    "random_walks=false",
    "rating_process=false",
    "reranker=false",
)
TOML = """
name = "shop"

[interactions]
file = "events.csv"
user = "user_id"
item = "item_id"
rating = "stars"
time = "at"
scenario = ["device"]

[items]
file = "items.csv"
id = "item_id"
title = "title"
text = ["description"]
category = ["kind"]
score = ["price"]

[users]
file = "users.csv"
id = "user_id"
category = ["club"]
score = ["age"]

[graph]
files = ["graph.ttl"]

[split]
by = "ratio"
"""


def sets(*changes: str) -> list[str]:
    """Command line flags for tiny settings and these."""
    return [part for change in (*TINY, *changes) for part in ("--set", change)]


def write_shop(
    folder: Path,
    *,
    users: int = 60,
    per_maker: int = 10,
    events: int = 7,
    first: int = 0,
    prefix: str = "",
    pairs: bool = False,
    seed: int = 0,
) -> Path:
    """The files; ``first`` and ``prefix`` give other items and users of the same makers.

    With ``pairs``, who loves Ada loves Grace, and who loves Emmy loves Mary.
    """
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    (folder / "dataset.toml").write_text(TOML, "utf-8")
    items, triples = (
        ["item_id,title,description,kind,price"],
        ["@prefix e: <https://example.org/> ."],
    )
    for maker, name in enumerate(MAKERS):
        for number in range(first, first + per_maker):
            item = f"i{maker}-{number}"
            words, price = f"{WORDS[maker]} {number}", 10 * maker + number % 3
            items.append(f"{item},Title {item},{words},kind {number % 3},{price}")
            triples.append(f"<urn:item:{item}> e:madeBy e:{name} ; e:inYear e:year{number % 5} .")
    rows, people = ["user_id,item_id,stars,at,device"], ["user_id,club,age"]
    for user in range(users):
        people.append(f"{prefix}u{user},club {user % 3},{20 + 7 * user % 31}")
        liked = user % len(MAKERS)
        numbers = rng.permutation(np.arange(first, first + per_maker))[:events]
        chosen = [
            f"i{liked ^ (step % 2 if pairs else 0)}-{number}" for step, number in enumerate(numbers)
        ]
        other = (liked + int(rng.integers(1, 4))) % 4
        chosen.insert(2, f"i{other}-{first + int(rng.integers(per_maker))}")
        for step, item in enumerate(chosen):
            stars = int(rng.integers(1, 6))
            device = ("phone", "tv")[int(rng.integers(2))]
            rows.append(f"{prefix}u{user},{item},{stars},{1_700_000_000 + 977 * step},{device}")
    (folder / "items.csv").write_text("\n".join(items) + "\n", "utf-8")
    (folder / "users.csv").write_text("\n".join(people) + "\n", "utf-8")
    (folder / "graph.ttl").write_text("\n".join(triples) + "\n", "utf-8")
    (folder / "events.csv").write_text("\n".join(rows) + "\n", "utf-8")
    return folder


def read_shop(folder: Path, **options):
    return read_dataset(write_shop(folder, **options))


def beside_progress(printed: str) -> list[str]:
    """The lines that do not tell how far the work is."""
    return [line for line in printed.splitlines() if not re.match(r"\[ *[\d.]+ s\] ", line)]
