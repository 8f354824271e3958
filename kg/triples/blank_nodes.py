"""Names for blank nodes, made from what is said of them: the same in any order of files."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trefoil.data.interactions import Ints
from trefoil.kg.triples.triples import Columns

PREFIX = "urn:trefoil:blank:"
_ROUNDS, _SINGLED_OUT = 64, 256

Colours = NDArray[np.uint64]


def name_blanks(columns: Columns) -> Columns:
    """Blank nodes as IRIs. Two nodes of which the same is said stay two.

    A node's colour is a hash of its statements and of the colours of the blank
    nodes in them, refined until no class splits (Weisfeiler and Leman 1968).
    Nodes that stay alike are told apart one by one; which comes first makes no
    difference unless they are alike without being interchangeable.
    """
    blank = columns.terms.str.starts_with("_:").to_numpy()
    used = np.zeros(len(blank), bool)
    used[columns.rows.ravel()] = True
    nodes = np.flatnonzero(blank & used)
    if not len(nodes):
        return columns
    row = np.full(len(blank), -1, np.int64)
    row[nodes] = np.arange(len(nodes))
    touching = columns.rows[blank[columns.rows[:, 0]] | blank[columns.rows[:, 2]]]
    touching = np.unique(touching, axis=0)
    colours = _refined(np.zeros((len(nodes), 2), np.uint64), row, touching, columns.terms)
    labels = columns.terms.gather(nodes).to_list()
    names = [f"{PREFIX}{a:016x}{b:016x}" for a, b in colours.tolist()]
    seen: dict[str, int] = {}
    for at in sorted(range(len(names)), key=lambda at: (names[at], labels[at])):
        seen[names[at]] = place = seen.get(names[at], 0) + 1
        names[at] += f"-{place}" if place > 1 else ""
    terms = columns.terms.clone().scatter(nodes, [f"<{name}>" for name in names])
    return Columns(terms, columns.rows)


def _refined(
    colours: Colours, row: Ints, statements: NDArray[np.integer], terms: pl.Series
) -> Colours:
    ends = _Ends(row, statements, terms)
    colours = ends.refine(colours)
    for _ in range(_SINGLED_OUT):
        _, first, count = np.unique(colours, axis=0, return_index=True, return_counts=True)
        alike = np.flatnonzero(count > 1)
        linked = [at for at in first[alike].tolist() if ends.linked[at]]
        if not linked:
            break
        colours[linked[0]] = _mix(colours[linked[0]], np.uint64(0x5EED))
        colours = ends.refine(colours)
    return colours


class _Ends:
    """For each end of a statement that is a blank node: the statement seen from there."""

    def __init__(self, row: Ints, statements: NDArray[np.integer], terms: pl.Series) -> None:
        used, inverse = np.unique(statements, return_inverse=True)
        inverse = inverse.reshape(statements.shape)
        fixed = _text_colours(terms.gather(used), row[used] >= 0)
        sides = []
        for here, there, salt in ((0, 2, 1), (2, 0, 2)):
            own = row[statements[:, here]]
            keep = own >= 0
            relation = _mix(fixed[inverse[keep, 1]], np.uint64(salt))
            other = row[statements[keep, there]]
            sides.append((own[keep], relation, other, fixed[inverse[keep, there]]))
        self.own, self.relation, self.other, self.text = (
            np.concatenate(parts) for parts in zip(*sides, strict=True)
        )
        self.linked = np.zeros(int((row >= 0).sum()), bool)
        self.linked[self.own[self.other >= 0]] = True

    def refine(self, colours: Colours) -> Colours:
        classes = 0
        for _ in range(_ROUNDS):
            end = np.where((self.other >= 0)[:, None], colours[self.other], self.text)
            said = _mix(end ^ (self.relation * np.uint64(0x9E3779B97F4A7C15)), np.uint64(3))
            total = np.zeros_like(colours)
            np.add.at(total, self.own, said)
            fresh = _mix(total ^ _mix(colours, np.uint64(4)), np.uint64(5))
            colours, before = fresh, classes
            classes = len(np.unique(colours, axis=0))
            if classes in (before, len(colours)):
                break
        return colours


def _text_colours(terms: pl.Series, blank: NDArray[np.bool_]) -> Colours:
    digests = b"".join(
        bytes(16) if hidden else hashlib.blake2b(text.encode(), digest_size=16).digest()
        for text, hidden in zip(terms.to_list(), blank.tolist(), strict=True)
    )
    return np.frombuffer(digests, np.uint64).reshape(-1, 2)


def _mix(values: Colours, salt: np.uint64) -> Colours:
    """A bijective scramble of 64-bit words (finaliser of SplitMix64, Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        z = values + salt * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))
