"""Texts with a class or a number each, learned beside the recommendations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trefoil.data.errors import DataError
from trefoil.data.interactions import Categorical, Floats


@dataclass(frozen=True)
class Corpus:
    """Texts; ``classes`` is -1 where none is known, ``numbers`` NaN; one of the two is there."""

    texts: tuple[str, ...]
    classes: Categorical | None = None
    numbers: Floats | None = None

    def __post_init__(self) -> None:
        if self.classes is None and self.numbers is None:
            raise DataError("a corpus needs a class or a number for its texts")
        told = {
            "classes": None if self.classes is None else self.classes.codes,
            "numbers": self.numbers,
        }
        for name, column in told.items():
            if column is not None and len(column) != len(self.texts):
                raise DataError(f"{len(column)} {name} for {len(self.texts)} texts of a corpus")

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: np.ndarray) -> Corpus:
        """These texts, in that order."""
        return Corpus(
            tuple(self.texts[row] for row in rows),
            None if self.classes is None else self.classes.take(rows),
            None if self.numbers is None else self.numbers[rows],
        )
