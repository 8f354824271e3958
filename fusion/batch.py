"""Everybody's list, block by block into a Parquet file."""

import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import polars as pl
import pyarrow as pa
from pyarrow import parquet
from threadpoolctl import threadpool_limits

from trefoil.data.errors import ConfigError
from trefoil.data.files import writing
from trefoil.data.given import path_of
from trefoil.data.progress import Progress
from trefoil.fusion.requests import arguments
from trefoil.fusion.requests.state import State

BLOCK = 2_048  # users whose lists are made, and written, together
CELLS, MOST, FEWEST = 6_400_000, 512, 32  # scores held at once, and users that they may be of
SCHEMA = pa.schema(
    [
        ("user", pa.string()),
        ("rank", pa.int32()),
        ("item", pa.string()),
        ("score", pa.float32()),
    ]
)
Seen = Literal["auto", "hide", "show"]


@runtime_checkable
class Lists(Protocol):
    """Whoever has a state and lists for many: a ``Recommender``."""

    @property
    def state(self) -> State: ...

    def recommend_many(
        self, users: Iterable[str | int], k: int, *, seen: Seen, batch: int
    ) -> pl.DataFrame: ...


def lists_of(recommender: Lists, users: Sequence[str], k: int, seen: Seen = "auto") -> pa.Table:
    """A table user, rank, item, score (``SCHEMA``): the best ``k`` of each user, best first."""
    items = max(len(recommender.state.catalogue.items), 1)
    batch = min(max(CELLS // items, FEWEST), MOST)  # larger blocks cost their pages each time
    table = recommender.recommend_many(users, k, seen=seen, batch=batch)
    return table.select(SCHEMA.names).to_arrow().cast(SCHEMA)


def recommend_all(
    recommender: Lists,
    path: str | Path,
    k: int = 10,
    *,
    users: Iterable[str | int] | None = None,
    seen: Seen = "auto",
    threads: int = 0,
    progress: Progress | None = None,
) -> int:
    """Write the best ``k`` of everybody, or of ``users``, to a Parquet file; how many rows.

    A row group for each ``BLOCK`` of users, in their order: memory does not grow with them.
    ``threads`` blocks are made at once (0: as many as there are processors). The file is
    there when all is written. Raises ConfigError where its folder is not, for lists of
    nothing, and for fewer threads than none.
    """
    path = path_of("path", path)
    if not isinstance(threads, int) or threads < 0:
        raise ConfigError(f"threads = {threads!r}: give 0 (all processors) or more")
    if not path.parent.is_dir():
        raise ConfigError(f"{path}: no such folder; make {path.parent} first")
    if path.is_dir():
        raise ConfigError(f"{path}: is a folder; name a file in it")
    k = arguments.whole("k", k, 1)
    known = recommender.state.catalogue.users.ids
    names = known if users is None else arguments.ids("users", users)
    blocks = [names[start : start + BLOCK] for start in range(0, len(names), BLOCK)]
    beside, rows = path.with_name(f".{path.name}.{secrets.token_hex(4)}"), 0
    try:
        with writing(path), parquet.ParquetWriter(beside, SCHEMA, compression="zstd") as writer:
            made = in_order(lambda part: lists_of(recommender, part, k, seen), blocks, threads)
            for number, table in enumerate(made):
                writer.write_table(table)
                rows += len(table)
                if progress:
                    done = min((number + 1) * BLOCK, len(names))
                    progress(done, len(names), f"best {k} of everybody")
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    return rows


def in_order(
    make: Callable[[Sequence[str]], pa.Table], blocks: Sequence[Sequence[str]], threads: int
) -> Iterator[pa.Table]:
    """The tables of the blocks, ``threads`` made at once; no more than that wait."""
    count = threads or processors()
    # one thread each inside: threads within threads wait for each other
    with threadpool_limits(1), ThreadPoolExecutor(count) as pool:
        waiting = [pool.submit(make, part) for part in blocks[:count]]
        for following in [*blocks[count:], *[None] * len(waiting)]:
            first = waiting.pop(0)
            yield first.result()
            if following is not None:
                waiting.append(pool.submit(make, following))


def processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
