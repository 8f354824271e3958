"""Named public datasets, one module each."""

from data.sources import lastfm, movielens_small
from data.sources.source import Source

SOURCES = {module.SOURCE.name: module.SOURCE for module in (movielens_small, lastfm)}

__all__ = ["SOURCES", "Source"]
