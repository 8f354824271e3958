"""Which statements to keep, and which entities are one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from trefoil.data.interactions import Bools
from trefoil.kg.naming import local, relationship
from trefoil.kg.triples.triples import SAME_AS, TYPE, Columns


@dataclass(frozen=True)
class Selection:
    """Relations and classes to keep or to leave out, by IRI or by name in the graph.

    ``allow`` and ``deny`` name relations: ``http://schema.org/actor`` or
    ``ACTOR``. With ``allow_classes``, an entity that has classes stays if one of
    them is allowed; an entity without any class stays. ``deny_classes`` wins.
    An entity that goes takes its statements along.
    """

    allow: Collection[str] = ()
    deny: Collection[str] = ()
    allow_classes: Collection[str] = ()
    deny_classes: Collection[str] = ()


def select(columns: Columns, chosen: Selection, tally: Counter[str]) -> Columns:
    """The statements that a selection keeps; the others are counted by reason."""
    terms, rows = columns.terms, columns.rows
    typing = _where(terms, TYPE)[rows[:, 1]]
    keep = np.ones(len(rows), bool)
    if chosen.allow:
        keep &= _named(terms, rows[:, 1], chosen.allow, relationship) | typing
    if chosen.deny:
        keep &= ~_named(terms, rows[:, 1], chosen.deny, relationship)
    tally["of a relation left out"] += int((~keep).sum())
    if chosen.allow_classes or chosen.deny_classes:
        gone = _gone(terms, rows[typing], chosen)
        out = keep & (gone[rows[:, 0]] | gone[rows[:, 2]])
        tally["of an entity whose class is left out"] += int(out.sum())
        keep &= ~out
    return Columns(terms, rows[keep])


def _gone(terms: pl.Series, types: NDArray[np.integer], chosen: Selection) -> Bools:
    gone = np.zeros(len(terms), bool)
    classes = types[:, 2]
    if chosen.allow_classes:
        gone[types[:, 0]] = True
        good = _named(terms, classes, chosen.allow_classes, local)
        gone[types[good, 0]] = False
    if chosen.deny_classes:
        gone[types[_named(terms, classes, chosen.deny_classes, local), 0]] = True
    return gone


def _named(
    terms: pl.Series, rows: NDArray[np.integer], names: Collection[str], short: Callable[[str], str]
) -> Bools:
    """Whether the IRI in each row is one of the names, or has one as its short name."""
    used, inverse = np.unique(rows, return_inverse=True)
    wanted = set(names)
    texts = [text.removeprefix("<").removesuffix(">") for text in terms.gather(used).to_list()]
    hit = np.array([text in wanted or short(text) in wanted for text in texts], bool)
    return hit[inverse] if len(used) else np.zeros(0, bool)


def _where(terms: pl.Series, iri: str) -> Bools:
    return (terms == f"<{iri}>").to_numpy()


def merge_same(columns: Columns, tally: Counter[str]) -> tuple[Columns, dict[str, str]]:
    """Entities that ``owl:sameAs`` joins become the one whose IRI sorts first.

    Returns the statements without ``owl:sameAs``, and the IRI that stands for
    each IRI that went.
    """
    terms, rows = columns.terms, columns.rows
    same = _where(terms, SAME_AS)[rows[:, 1]]
    same &= ~terms.str.starts_with('"').to_numpy()[rows[:, 2]]
    if not same.any():
        return columns, {}
    from scipy.sparse.csgraph import connected_components  # a tenth of what a service imports

    pairs = rows[same][:, [0, 2]]
    nodes, inverse = np.unique(pairs, return_inverse=True)
    inverse = inverse.reshape(-1, 2)
    links = sparse.coo_matrix((np.ones(len(pairs)), inverse.T), shape=(len(nodes),) * 2)
    _, group = connected_components(links, directed=False)
    order = np.lexsort((terms.gather(nodes).rank("ordinal").to_numpy(), group))
    first = order[np.searchsorted(group[order], group)]
    chosen = np.arange(len(terms))
    chosen[nodes] = nodes[first]
    rest = rows[~same].copy()
    rest[:, 0] = chosen[rest[:, 0]]
    things = ~terms.str.starts_with('"').to_numpy()[rest[:, 2]]
    rest[things, 2] = chosen[rest[things, 2]]
    gone = nodes[nodes[first] != nodes]
    old, new = (terms.gather(at).str.slice(1).str.strip_suffix(">") for at in (gone, chosen[gone]))
    tally["owl:sameAs, merged"] += int(same.sum())
    return Columns(terms, rest), dict(zip(old.to_list(), new.to_list(), strict=True))
