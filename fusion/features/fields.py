"""What items are called and filed under: words of their texts and values of their categories."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from zlib import crc32

import numpy as np
from scipy import sparse

from trefoil.data.items import Entities, Labels
from trefoil.fusion.features.shuffling import permuted

COLUMNS = 2**20  # that features are hashed into; of 20,000 about one in fifty shares its own
WORDS = "words"
IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff"  # written without spaces: each counts as a word
WORD = re.compile(rf"[{IDEOGRAPHS}]|[^\W_{IDEOGRAPHS}]+")


def fields_of(items: Entities) -> dict[str, sparse.csr_matrix]:
    """Per field 0/1 features [items, ``COLUMNS``]: "words", and a field for each category.

    Features are hashed by their text (Weinberger et al. 2009, arXiv:0902.2206), so items that
    come later have theirs in the same columns. Fields that say nothing are left out.
    """
    told: dict[str, Iterable[Sequence[str]]] = {}
    told[WORDS] = (words_of(text) for text in items.texts)
    for name, labels in items.category.items():
        told[f"category {name}"] = _values(labels, len(items))
    found = {name: _hashed(rows) for name, rows in told.items()}
    return {name: one for name, one in found.items() if one.nnz}


def _values(labels: Labels, items: int) -> Iterator[list[str]]:
    """The values of each item in a column."""
    for codes in np.split(labels.codes, labels.start[1:-1]) if items else []:
        yield [labels.names[code] for code in codes]


def words_of(text: str | None) -> list[str]:
    """The words of a text, each once, in small letters."""
    return list(dict.fromkeys(WORD.findall((text or "").casefold())))


def dealt(
    fields: Mapping[str, sparse.csr_matrix], *, words: bool, categories: bool, seed: int
) -> dict[str, sparse.csr_matrix]:
    """The same with the features of some fields dealt to other items: a control."""
    found = dict(fields)
    for name, one in fields.items():
        if words if name == WORDS else categories:
            found[name] = one[permuted(np.diff(one.indptr) > 0, seed)]
    return found


def _hashed(rows: Iterable[Sequence[str]]) -> sparse.csr_matrix:
    """A row of ones per list of features."""
    known: dict[str, int] = {}
    columns: list[int] = []
    ends = [0]
    for row in rows:
        for one in row:
            if one not in known:
                known[one] = crc32(one.encode("utf-8", "surrogatepass")) % COLUMNS
            columns.append(known[one])
        ends.append(len(columns))
    ones = np.ones(len(columns), np.float32)
    shape = len(ends) - 1, COLUMNS
    table = sparse.csr_matrix((ones, np.array(columns, np.int64), ends), shape=shape)
    table.sum_duplicates()
    table.data[:] = 1.0
    return table
