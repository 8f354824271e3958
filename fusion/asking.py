"""The other way round: given items in order, pairs, people for an item, nodes of the graph."""

from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import polars as pl
from scipy import sparse

from trefoil.data.errors import ConfigError, DataError, UnknownId
from trefoil.data.given import given
from trefoil.data.histories import Cases
from trefoil.data.interactions import Floats, Ints
from trefoil.data.suggest import closest
from trefoil.fusion.answering import Answering
from trefoil.fusion.recommendation import Answer
from trefoil.fusion.requests import arguments
from trefoil.fusion.requests.question import SEEN
from trefoil.fusion.requests.request import Request, Seen
from trefoil.fusion.requests.state import State
from trefoil.kg.graph import ITEM, USER, KnowledgeGraph

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

BATCH_CELLS = 4_000_000  # scores that are held at once
SHRINK = 2.0  # items that draw a node towards the mean of all
WITNESSES = 3  # items that are told with a node


@dataclass(frozen=True)
class NodeRecommendation:
    """A node of the graph for someone; ``items`` are those of it that speak most for it.

    ``score`` is the mean of its items' standardised scores, drawn towards zero as if two
    more items scored zero.
    """

    label: str
    id: str
    name: str
    score: float
    items: tuple[str, ...]


class Asking(Answering):
    """Questions that are not a list of items for a person."""

    def rank(self, user: str | int | None, items: Iterable[str | int], **said: Any) -> Answer:
        """These items, the best first, whether met before or not; ``said`` as ``recommend``.

        All of them, or the first ``k``. Items that nobody knows are told in
        ``based_on.unknown``. Raises ConfigError for ``only``, which ``items`` says.
        """
        if "only" in said:
            raise ConfigError("rank: items says which to choose from; leave only out")
        given = arguments.ids("items", items)
        ours = {"k": len(given), "reasons": 0, "seen": "show"}
        return self.answer(Request.of({**ours, **said, "user": user, "only": given}))

    @overload
    def score(self, cases: Cases) -> "Tensor": ...

    @overload
    def score(self, cases: "pl.DataFrame | pd.DataFrame | Iterable[Sequence[Any]]") -> Any: ...

    def score(self, cases: Any) -> Any:
        """Pairs (user, item) with their score and expected rating, as a table in their order.

        ``cases`` is a table with columns user and item, or a list of pairs; a pandas table
        gives one. Scores of one user compare items; an unknown user gets those of anybody,
        an unknown item null. Of ``Cases``, for evaluation, scores [cases, items]. Raises
        DataError for a table that has no such columns, or one called score or stars already.
        """
        if isinstance(cases, Cases):
            return super().score(cases)
        frame, pandas = _pairs(cases)
        told = _scored(self.state, frame["user"].to_list(), frame["item"].to_list())
        found = frame.with_columns(
            pl.Series("score", told[0], pl.Float32).fill_nan(None),
            pl.Series("stars", told[1], pl.Float32).fill_nan(None),
        )
        return found.to_pandas() if pandas else found

    def users_for(
        self,
        item: str | int,
        k: int = 10,
        *,
        among: Iterable[str | int] | None = None,
        seen: Seen = "auto",
    ) -> pl.DataFrame:
        """A table user, rank, probability: whom an item suits best.

        People are compared by how likely, among all items, this one is their next
        (``exp(s_i) / sum_j exp(s_j)`` over the scores s, which the stacking weights are
        fitted as logits of). Who met the item is left out as ``seen`` says. ``among``
        are users to choose from. Every person is scored for every item. Raises UnknownId.
        """
        state, k = self.state, arguments.whole("k", k, 0)
        row = state.catalogue.items.vocabulary.row(arguments.one_id("item", item))
        users = state.catalogue.users
        rows = np.arange(len(users))
        if among is not None:
            rows = users.rows(arguments.ids("among", among))
            rows = np.unique(rows[rows >= 0])
        hides = SEEN[arguments.one_of("seen", seen, SEEN)] or state.catalogue.hides
        codes = state.catalogue.scenario_codes(None, len(rows))
        hidden = state.catalogue.now.hidden(rows, codes, hides)
        met = np.repeat(np.arange(len(rows)), np.diff(hidden.start))[hidden.item == row]
        rows = np.delete(rows, met)
        likely = np.concatenate([np.zeros(0, np.float32), *_likely(state, rows, row)])
        best = np.argsort(-likely, kind="stable")[:k]
        names = [users[one] for one in rows[best].tolist()]
        return pl.DataFrame(
            {"user": names, "rank": np.arange(1, len(best) + 1), "probability": likely[best]},
            schema={"user": pl.String, "rank": pl.Int64, "probability": pl.Float32},
        )

    def recommend_nodes(
        self, user: str | int | None, label: str, k: int = 10
    ) -> list[NodeRecommendation]:
        """Nodes of a label, such as directors, whose items suit a user, the best first.

        Items that were removed speak for none and are not told.
        Raises UnknownId for a label that the graph does not have.
        """
        state, k = self.state, arguments.whole("k", k, 0)
        graph, label = state.held.graph, given("label", label, str, "give the name of a label")
        if label not in graph.nodes or label == USER:
            there = [name for name in graph.nodes if name != USER]
            raise UnknownId(f"no label {label!r} in the graph; {closest(label, there)}")
        names = [] if user is None else [arguments.one_id("user", user)]
        found = state.catalogue.users.rows(names)
        rows = found if len(found) else np.array([-1])
        codes = state.catalogue.scenario_codes(None, 1)
        scores = state.scorer.score(state.catalogue.cases(rows, codes))[0]
        z = (scores - scores.mean()) / max(float(scores.std()), 1e-6)
        joined = _joined(graph, label, len(z))
        if (removed := state.catalogue.removed) is not None:
            joined = sparse.csr_matrix(joined.multiply(~removed))
            joined.eliminate_zeros()
        return _nodes(state, joined, z, label, k)


def _pairs(asked: Any) -> tuple[pl.DataFrame, bool]:
    """A table of user and item ids, and whether it was a pandas one. Raises DataError."""
    pandas = type(asked).__module__.partition(".")[0] == "pandas"
    frame = pl.from_pandas(asked) if pandas else asked
    frame = frame.collect() if isinstance(frame, pl.LazyFrame) else frame
    if not isinstance(frame, pl.DataFrame):
        rows = list(given("pairs", frame, Iterable, "give a list of (user, item), or a table"))
        if any(isinstance(one, str) or not isinstance(one, Sized) or len(one) != 2 for one in rows):
            raise DataError("pairs: give (user, item), or a table with columns user and item")
        rows = [tuple(one) for one in rows]
        frame = pl.DataFrame(
            {"user": [one[0] for one in rows], "item": [one[1] for one in rows]}, strict=False
        )
    missing = {"user", "item"} - set(frame.columns)
    if missing:
        raise DataError(f"pairs: no column {sorted(missing)[0]!r}; there is {frame.columns}")
    arguments.free_of(frame.columns, ("score", "stars"), "pairs")
    return frame, pandas


def _scored(state: State, users: list[Any], items: list[Any]) -> tuple[Floats, Floats]:
    """Score and stars of each pair; NaN for an unknown item, stars too where none were learned."""
    catalogue = state.catalogue
    who = catalogue.users.rows(arguments.one_id("user", one) for one in users)
    what = catalogue.items.vocabulary.rows(arguments.one_id("item", one) for one in items)
    rows, place = np.unique(who, return_inverse=True)
    score, stars = np.full((2, len(who)), np.nan, np.float32)
    step = max(1, BATCH_CELLS // max(len(catalogue.items), 1))
    order = np.argsort(place, kind="stable")
    ends = np.searchsorted(place[order], np.arange(0, len(rows) + step, step))
    for number, first in enumerate(range(0, len(rows), step)):
        own = order[ends[number] : ends[number + 1]]
        own = own[what[own] >= 0]
        part = rows[first : first + step]
        codes = catalogue.scenario_codes(None, len(part))
        cases = catalogue.cases(part, codes)
        score[own] = state.scorer.score(cases)[place[own] - first, what[own]]
        expected = state.scorer.stars(cases)
        if expected is not None:
            rated = own[who[own] >= 0]
            stars[rated] = expected[place[rated] - first, what[rated]]
    return score, stars


def _likely(state: State, rows: Ints, item: int) -> Iterable[Floats]:
    """How likely an item is the next of each person, some at a time."""
    catalogue = state.catalogue
    step = max(1, BATCH_CELLS // max(len(catalogue.items), 1))
    for first in range(0, len(rows), step):
        part = rows[first : first + step]
        cases = catalogue.cases(part, catalogue.scenario_codes(None, len(part)))
        scores = state.scorer.score(cases).astype(np.float64)
        scores -= scores.max(1, keepdims=True)
        np.exp(scores, out=scores)
        yield (scores[:, item] / scores.sum(1)).astype(np.float32)


def _joined(graph: KnowledgeGraph, label: str, items: int) -> sparse.csr_matrix:
    """Nodes of a label x items, 1 where an edge joins them."""
    nodes, found = [], []
    for (source, _, target), edges in graph.edges.items():
        if USER in (source, target):
            continue
        if (source, target) == (ITEM, label):
            nodes.append(edges.target)
            found.append(edges.source)
        elif (source, target) == (label, ITEM):
            nodes.append(edges.source)
            found.append(edges.target)
    if not nodes:
        raise ConfigError(f"no edge joins an item with a {label}; ask for another label")
    ends = np.concatenate(nodes), np.concatenate(found)
    shape = len(graph.nodes[label]), items
    table = sparse.csr_matrix((np.ones(len(ends[0]), np.float32), ends), shape=shape)
    table.data[:] = 1.0
    return table


def _nodes(
    state: State, table: sparse.csr_matrix, z: Floats, label: str, k: int
) -> list[NodeRecommendation]:
    nodes, items = state.held.graph.nodes[label], state.catalogue.items.vocabulary
    count = np.diff(table.indptr)
    score = np.asarray(table @ z) / (count + SHRINK)
    best = np.argsort(np.where(count > 0, -score, np.inf), kind="stable")[:k]
    found = []
    for row in best[count[best] > 0].tolist():
        own = table.indices[table.indptr[row] : table.indptr[row + 1]]
        own = own[np.argsort(-z[own], kind="stable")[:WITNESSES]]
        name = nodes.properties["name"][row] if "name" in nodes.properties.columns else None
        told = tuple(items[int(one)] for one in own)
        id = nodes.vocabulary[row]
        found.append(NodeRecommendation(label, id, name or id, float(score[row]), told))
    return found
