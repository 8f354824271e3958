"""What is known of items and users before anything happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from trefoil.data.interactions import Floats, Ints
from trefoil.data.vocabulary import Vocabulary


@dataclass(frozen=True)
class Labels:
    """A multi-valued category column: row ``i`` has ``codes[start[i]:start[i + 1]]``."""

    start: Ints
    codes: Ints
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.start) == 0 or self.start[-1] != len(self.codes):
            raise ValueError("start must end with the number of codes")

    def matrix(self) -> NDArray[np.bool_]:
        """Dense membership, rows x names."""
        dense = np.zeros((len(self.start) - 1, len(self.names)), dtype=bool)
        dense[np.repeat(np.arange(len(dense)), np.diff(self.start)), self.codes] = True
        return dense

    def sparse_matrix(self) -> sparse.csr_matrix:
        """The same as single precision ones, rows x names."""
        ones, shape = np.ones(len(self.codes), np.float32), (len(self.start) - 1, len(self.names))
        return sparse.csr_matrix((ones, self.codes, self.start), shape=shape)

    def take(self, rows: Ints) -> Labels:
        """The labels of these rows, in that order."""
        lengths = np.diff(self.start)[rows]
        start = np.concatenate([[0], np.cumsum(lengths)])
        at = np.repeat(self.start[rows] - start[:-1], lengths) + np.arange(start[-1])
        return Labels(start, self.codes[at], self.names)

    def followed_by(self, others: Labels) -> Labels:
        """Rows of both, one after the other; names keep their codes, new ones come last."""
        names = (*self.names, *(name for name in others.names if name not in self.names))
        code_of = {name: code for code, name in enumerate(names)}
        moved = np.array([code_of[name] for name in others.names], np.int64)
        start = np.concatenate([self.start, self.start[-1] + others.start[1:]])
        return Labels(start, np.concatenate([self.codes, moved[others.codes]]), names)


@dataclass(frozen=True)
class Entities:
    """Items or users: ids, and columns of one row each.

    ``texts`` joins the text columns; None where an entity has no text.
    ``category`` feeds cross-entropy; ``score`` (NaN where missing) tells which items
    without events are alike, and feeds squared error.
    """

    vocabulary: Vocabulary
    titles: tuple[str | None, ...] = ()
    texts: tuple[str | None, ...] = ()
    category: Mapping[str, Labels] = field(default_factory=dict)
    score: Mapping[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.vocabulary)
        for name in ("titles", "texts"):
            if not getattr(self, name):
                object.__setattr__(self, name, (None,) * n)
            if len(getattr(self, name)) != n:
                raise ValueError(f"{name} has {len(getattr(self, name))} rows, ids have {n}")
        for name, labels in self.category.items():
            if len(labels.start) != n + 1:
                raise ValueError(f"category {name!r} has {len(labels.start) - 1} rows, not {n}")
        for name, column in self.score.items():
            if len(column) != n:
                raise ValueError(f"score {name!r} has {len(column)} rows, not {n}")

    def __len__(self) -> int:
        return len(self.vocabulary)

    def followed_by(self, others: Entities) -> Entities:
        """The same with others at the end; a column that one side lacks is empty there.

        Raises ValueError for an id that is on both sides.
        """
        category = {
            name: _labels(self, name).followed_by(_labels(others, name))
            for name in dict.fromkeys((*self.category, *others.category))
        }
        score = {
            name: np.concatenate([_numbers(self, name), _numbers(others, name)])
            for name in dict.fromkeys((*self.score, *others.score))
        }
        return Entities(
            Vocabulary([*self.vocabulary.ids, *others.vocabulary.ids]),
            (*self.titles, *others.titles),
            (*self.texts, *others.texts),
            category,
            score,
        )

    def take(self, rows: Ints) -> Entities:
        """These rows, in that order."""
        ids = self.vocabulary.ids
        return Entities(
            Vocabulary([ids[row] for row in rows]),
            tuple(self.titles[row] for row in rows),
            tuple(self.texts[row] for row in rows),
            {name: labels.take(rows) for name, labels in self.category.items()},
            {name: column[rows] for name, column in self.score.items()},
        )

    def title(self, row: int) -> str:
        """The title, or the id where there is none."""
        return self.titles[row] or self.vocabulary[row]


def _labels(entities: Entities, name: str) -> Labels:
    """A category column; without it, no label anywhere."""
    none = Labels(np.zeros(len(entities) + 1, np.int64), np.zeros(0, np.int64), ())
    return entities.category.get(name, none)


def _numbers(entities: Entities, name: str) -> Floats:
    """A column of numbers; without it, NaN everywhere."""
    missing = np.full(len(entities), np.nan, np.float32)
    return entities.score.get(name, missing)


Items = Entities
Users = Entities
