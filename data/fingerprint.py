"""One SHA-256 for the content of a dataset, and one for its split, whatever the order of rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl

from trefoil.data.corpus import Corpus
from trefoil.data.dataset import GraphSource
from trefoil.data.errors import GraphDataError
from trefoil.data.files import file_digest
from trefoil.data.interactions import Categorical, Interactions, Ints
from trefoil.data.items import Entities


class Digest(Protocol):
    """What ``hashlib`` makes: it takes bytes in."""

    def update(self, content: bytes, /) -> None: ...


def fingerprint(
    events: Interactions, users: Entities, items: Entities, graph: GraphSource | None
) -> str:
    """SHA-256 over ids, events in canonical order, what is known of entities, and the graph."""
    digest = hashlib.sha256(b"trefoil dataset 1")
    for entities in (users, items):
        _add_entities(digest, entities)
    _add_events(digest, events)
    if graph is not None:
        _add_graph(digest, graph)
    return digest.hexdigest()


def corpus_digest(corpus: Corpus) -> str:
    """SHA-256 over texts, classes and numbers, in their order."""
    digest = hashlib.sha256(b"trefoil corpus 1")
    _add(digest, "texts", _texts(corpus.texts))
    if corpus.classes is not None:
        _add(digest, "names", _texts(corpus.classes.names))
        _add(digest, "classes", corpus.classes.codes)
    if corpus.numbers is not None:
        _add(digest, "numbers", _plain(corpus.numbers))
    return digest.hexdigest()


def split_digest(events: Interactions, part: Ints) -> str:
    """SHA-256 over the events in canonical order, each with the part that a split gave it."""
    digest = hashlib.sha256(b"trefoil split 1")
    _add_events(digest, events, divided=part)
    return digest.hexdigest()


def _add(digest: Digest, label: str, content: bytes | str | np.ndarray) -> None:
    """Every part carries its name and length, so that no two contents run together."""
    if isinstance(content, np.ndarray):
        content = np.ascontiguousarray(content, content.dtype.newbyteorder("<")).tobytes()
    elif isinstance(content, str):
        content = content.encode()
    digest.update(f"{label}:{len(content)}:".encode())
    digest.update(content)


def _texts(texts: Iterable[str | None]) -> str:
    return json.dumps(list(texts), ensure_ascii=False)


def _add_entities(digest: Digest, entities: Entities) -> None:
    _add(digest, "ids", _texts(entities.vocabulary.ids))
    _add(digest, "titles", _texts(entities.titles))
    _add(digest, "texts", _texts(entities.texts))
    for name, labels in sorted(entities.category.items()):
        _add(digest, f"category {name}", _texts(labels.names))
        _add(digest, "start", labels.start)
        _add(digest, "codes", labels.codes)
    for name, score in sorted(entities.score.items()):
        _add(digest, f"score {name}", _plain(score))


def _add_events(digest: Digest, events: Interactions, **more: Ints) -> None:
    """All columns of the events, and ``more`` columns beside them."""
    columns: dict[str, np.ndarray] = {"user": events.user, "item": events.item, **more}
    columns["positive"] = events.positive.astype(np.int8)
    wished = None if events.wished is None else events.wished.astype(np.int8)
    given = {"at": events.at, "part": events.part, "wished": wished}
    columns |= {name: column for name, column in given.items() if column is not None}
    if events.stars is not None:
        columns["stars"] = _plain(events.stars)
    named: dict[str, Categorical] = {f"scenario {k}": v for k, v in events.scenario.items()}
    if events.kind is not None:
        named["kind"] = events.kind
    for name, column in named.items():
        columns[name] = column.codes
        _add(digest, f"names {name}", _texts(column.names))
    names = sorted(columns)
    order = np.lexsort([columns[name] for name in names])
    for name in names:
        _add(digest, name, columns[name][order])


def _plain(floats: np.ndarray) -> np.ndarray:
    """Bits of floats with one NaN and one zero, so that equal values are equal bytes."""
    return np.where(np.isnan(floats), np.float32("nan"), floats + np.float32(0)).view(np.int32)


def _add_graph(digest: Digest, graph: GraphSource) -> None:
    for one in sorted(_file_digest(path) for path in graph.files):
        _add(digest, "file", one)
    for name, frame in (("table", graph.table), ("link", graph.link)):
        if frame is not None:
            for column in sorted(frame.columns):
                ordered = frame.sort(sorted(frame.columns))[column].cast(pl.String)
                _add(digest, f"{name} {column}", _texts(ordered))
    said = [graph.neo4j, graph.iri, sorted(graph.names.items()), sorted(graph.languages)]
    said += [sorted(graph.allow), sorted(graph.deny), graph.same_as]
    chosen = [graph.database, sorted(graph.labels), sorted(graph.relationships)]
    chosen += [sorted(graph.properties), sorted(graph.keys.items())]
    said += [chosen] if any(chosen) else []
    _add(digest, "graph", json.dumps(said, ensure_ascii=False))
    if graph.base is not None or graph.contexts or graph.title:  # absent, as before they existed
        for address, path in sorted(graph.contexts.items()):
            _add(digest, f"context {address}", _file_digest(path))
        _add(digest, "reading", json.dumps([graph.base, *graph.title], ensure_ascii=False))


def _file_digest(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError as fault:
        raise GraphDataError(f"{path}: graph file cannot be read ({fault.strerror})") from None
