"""Named public datasets, one module for each."""

from trefoil.data.sources.amazon import AMAZON
from trefoil.data.sources.book_crossing import BOOK_CROSSING, BOOK_CROSSING_CTR
from trefoil.data.sources.embedded import DEMO
from trefoil.data.sources.frappe import FRAPPE
from trefoil.data.sources.lastfm import LASTFM, LASTFM_CTR
from trefoil.data.sources.movielens_1m import MOVIELENS_1M
from trefoil.data.sources.movielens_100k import MOVIELENS_100K
from trefoil.data.sources.movielens_small import SMALL
from trefoil.data.sources.source import Remote, Source

SOURCES = {
    source.name: source
    for source in (
        DEMO, SMALL, MOVIELENS_100K, MOVIELENS_1M, LASTFM, LASTFM_CTR, BOOK_CROSSING,
        BOOK_CROSSING_CTR, FRAPPE, AMAZON,
    )
}  # fmt: skip

__all__ = ["SOURCES", "Remote", "Source"]
