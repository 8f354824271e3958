"""A table of texts with classes or numbers, as ``[corpus]`` names it."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from trefoil.data.corpus import Corpus
from trefoil.data.dataset import Dataset
from trefoil.data.errors import DataError
from trefoil.data.fingerprint import corpus_digest
from trefoil.data.readers import columns as read
from trefoil.data.readers.quarantine import MAX_BAD_SHARE, Sieve
from trefoil.data.readers.tables import Table


def read_corpus(
    table: Table,
    text: tuple[str, ...],
    label: str | None = None,
    number: str | None = None,
    max_bad_share: float | None = None,
) -> Corpus:
    """Texts in order of the table; rows without a text, or without anything told, are left out.

    Raises DataError where none is left.
    """
    sieve = Sieve(table, MAX_BAD_SHARE if max_bad_share is None else max_bad_share)
    said = read.joined_texts([sieve.cells(name, "text") for name in text])
    classes = None if label is None else read.codes(sieve.cells(label, "label"))
    numbers = None
    if number is not None:
        numbers, bad = read.numbers(sieve.cells(number, "number", numeric=True))
        sieve.note(bad, f"{number!r} is no finite number; the row stays without it", number)
    told = np.zeros(len(said), bool)
    if classes is not None:
        told |= classes.codes >= 0
    if numbers is not None:
        told |= ~np.isnan(numbers)
    kept = np.flatnonzero(said.is_not_null().to_numpy() & told)
    if not len(kept):
        raise DataError(f"{table.source}: no row of the corpus has a text and a label or number")
    return Corpus(
        tuple(said[row] for row in kept.tolist()),
        None if classes is None else classes.take(kept),
        None if numbers is None else numbers[kept],
    )


def with_corpus(dataset: Dataset, corpus: Corpus) -> Dataset:
    """The dataset with texts beside it, and its own fingerprint."""
    counts = {**dataset.report.counts, "corpus_texts": len(corpus)}
    digest = hashlib.sha256(f"{dataset.fingerprint} {corpus_digest(corpus)}".encode()).hexdigest()
    report = replace(dataset.report, counts=counts)
    return replace(dataset, corpus=corpus, report=report, fingerprint=digest)
