"""Lists made by workers of other engines, Ray and Spark: each reads the run once."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa

from trefoil.fusion.batch import Seen, lists_of
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.requests import arguments


@dataclass(frozen=True)
class BatchScorer:
    """Lists for a table of users, from a run that each process reads once.

    For engines that send tables to workers: ``ray.data.Dataset.map_batches`` with
    ``batch_format="pyarrow"``, and ``mapInArrow`` of Spark by ``partitions``. What it holds is
    the place of the run, so that it travels.
    """

    run: str
    k: int = 10
    column: str = "user"
    seen: Seen = "auto"

    def __call__(self, batch: pa.Table) -> pa.Table:
        """The best ``k`` of each user of the column, as ``SCHEMA`` has them."""
        users = arguments.ids(self.column, batch.column(self.column).to_pylist())
        return lists_of(_run(self.run), users, self.k, self.seen)

    def partitions(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The same for a stream of batches."""
        for batch in batches:
            yield from self(pa.Table.from_batches([batch])).to_batches()


@lru_cache(maxsize=1)
def _run(place: str) -> Recommender:
    return Recommender.load(place)
