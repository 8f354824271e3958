"""Are the reasons true, and are they more than one phrase repeated?

An explanation is a sequence of edges (head, relation, tail), of any hashable
values; the caller says what the training graph holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Sequence

Edge = tuple[Hashable, Hashable, Hashable]
Path = Sequence[Edge]


def validity(paths: Sequence[Path], exists: Callable[[Edge], bool]) -> float:
    """Share of paths whose every edge exists and that hang together; NaN without paths.

    A path hangs together when each edge starts at a node of the one before
    (edges may be walked backwards). Faithfulness after Geng et al. 2022, "Path
    language modeling over knowledge graphs".
    """
    if not paths:
        return float("nan")
    return sum(bool(path) and _linked(path) and all(map(exists, path)) for path in paths) / len(
        paths
    )


def leaking(paths: Sequence[Path], held_out: Collection[Edge]) -> int:
    """How many paths walk a held-out edge in either direction: must be 0."""
    hidden = set(held_out)
    return sum(any(edge in hidden or edge[::-1] in hidden for edge in path) for path in paths)


def diversity(paths: Sequence[Path]) -> float:
    """1 - sum_t (n_t / n)^2 over path types t (their sequence of relations).

    0 when all reasons have one form, near 1 when none repeats; NaN without
    paths. Path type concentration as in Balloccu et al. 2022, "Post processing
    recommender systems with knowledge graphs" (arXiv:2204.11241), with
    Simpson's index.
    """
    if not paths:
        return float("nan")
    kinds = Counter(tuple(edge[1] for edge in path) for path in paths)
    return 1.0 - sum((count / len(paths)) ** 2 for count in kinds.values())


def _linked(path: Path) -> bool:
    ends = {path[0][0], path[0][2]}
    for head, _, tail in path[1:]:
        if head not in ends and tail not in ends:
            return False
        ends = {head, tail}
    return True
