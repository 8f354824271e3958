"""The reasons of a recommender as evidence: examples for people, and are they true?"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from trefoil.data.interactions import Interactions, Ints
from trefoil.evaluation.exam import Exam
from trefoil.evaluation.metrics.explanation_metrics import Edge, diversity, leaking, validity
from trefoil.evaluation.ranking import Ranks
from trefoil.evaluation.reporting.html import Example
from trefoil.fusion.explaining.reasons import reasons_for
from trefoil.fusion.recommendation import Recommendation
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.reporting.fidelity import exact, falls
from trefoil.kg.graph import INTERACTED, ITEM, USER, KnowledgeGraph
from trefoil.kg.paths.explain import Reason

CASES, K = 200, 10  # whose lists are explained, and how far down
HISTORY = 5  # newest titles shown of a history


def examples(recommender: Recommender, users: Sequence[str], k: int = 5) -> list[Example]:
    """For each user what was met last, and the best ``k`` with their reasons in words."""
    catalogue = recommender.catalogue
    found = []
    for user in users:
        row = catalogue.users.row(user)
        met = catalogue.before_test.histories(np.array([row])).item
        titles = [catalogue.items.title(int(item)) for item in met[-HISTORY:]]
        if len(met) > HISTORY:
            titles.insert(0, f"{len(met) - HISTORY} before")
        answers = recommender.recommend(user, k=k, before="test")
        items = [(one.title, one.score, [said(path) for path in one.reasons]) for one in answers]
        found.append(Example(user, titles, items))
    return found


def typical_users(recommender: Recommender, exam: Exam) -> list[str]:
    """Users of the exam with a short, a middling and a long history."""
    order = np.argsort(exam.cases.history.lengths, kind="stable")
    places = [int(share * (len(order) - 1)) for share in (0.5, 0.05, 0.95)] if len(order) else []
    rows = dict.fromkeys(int(exam.cases.user[order[place]]) for place in places)
    return [recommender.catalogue.users[row] for row in rows]


def said(path: Reason) -> str:
    """A path in words, titles in quotation marks instead of asterisks."""
    text = path.text
    for node in path.nodes:
        text = text.replace(f"*{node.name}*", f"“{node.name}”")
    return text


def marks(
    recommender: Recommender, ranks: Ranks, exam: Exam, train: Interactions
) -> dict[str, float]:
    """Are the first reasons of the recommended lists there, true, varied, and no pretext?

    Over the first ten items of up to 200 cases, evenly spread: ``explained``, the
    share with a reason, and ``explained-with-history``, of people with events;
    ``explanation-validity``, whose events are of the history and whose other edges are in
    the graph or among the ``train`` events; ``explanation-leaks``, how many walk an event
    that is asked for (must be 0); ``explanation-diversity`` of their relations. Then what
    ``falls`` says, and ``counterfactual-exact``, the share of places after a deletion that
    are those of the exam asked so.
    """
    rows = np.unique(np.linspace(0, len(ranks) - 1, min(CASES, len(ranks))).astype(np.int64))
    top, state = ranks.top[rows, :K], recommender.state
    vocabulary = recommender.catalogue.items.vocabulary
    cited, first, met = np.full(top.shape, -1), [], []
    others = Others(train, vocabulary.ids, recommender.catalogue.users.ids)
    for at, row in enumerate(rows.tolist()):
        case = exam.cases.take(np.array([row]))
        shown = top[at][top[at] >= 0]
        for place, own in enumerate(reasons_for(state, case, shown, 1)):
            if own:
                cited[at, place] = vocabulary.row(own[0].events[0])
                met.append(cited[at, place] in case.history.item)
                first.append(edges_of(others.named(own[0], int(case.user[0]))))
    asked = np.repeat(exam.cases.user, np.diff(exam.relevant.start))
    ids = recommender.catalogue.users, vocabulary
    held = [
        ((USER, ids[0][int(user)]), INTERACTED, (ITEM, ids[1][int(item)]))
        for user, item in zip(asked, exam.relevant.item, strict=True)
    ]
    graph, known = GraphEdges(recommender.graph, train), exam.cases.history.lengths[rows] > 0
    true = [path for path, own in zip(first, met, strict=True) if own]
    fell = falls(state, exam, rows, top, cited)
    return {
        "explained": len(first) / max(int((top >= 0).sum()), 1),
        "explained-with-history": float(
            (cited[known] >= 0).sum() / max((top[known] >= 0).sum(), 1)
        ),
        "explanation-validity": validity(true, graph.__contains__) * len(true) / max(len(first), 1),
        "explanation-leaks": float(leaking(first, held)),
        "explanation-diversity": diversity(first),
        **fell.marks(),
        "counterfactual-exact": exact(state, exam, rows, top, cited),
    }


class Others:
    """Who else met two items in training: the someone that a reason does not name."""

    def __init__(self, train: Interactions, items: Sequence[str], users: Sequence[str]) -> None:
        met = train.take(np.flatnonzero(train.positive))
        order = np.argsort(met.item, kind="stable")
        start = np.searchsorted(met.item[order], np.arange(len(items) + 1))
        self._by_item = np.split(met.user[order], start[1:-1])
        self._row = {one: row for row, one in enumerate(items)}
        self._users = users

    def named(self, reason: Reason, asker: int) -> Reason:
        """The same with the id of one of them; where there is none, it stays empty."""
        nodes = list(reason.nodes)
        for at, node in enumerate(nodes):
            if node.label == USER and not node.id:
                one, other = (self._row[nodes[at + side].id] for side in (-1, 1))
                met = np.intersect1d(self._by_item[one], self._by_item[other])
                both = met[met != asker]
                if len(both):
                    nodes[at] = node._replace(id=self._users[int(both[0])])
        return replace(reason, nodes=tuple(nodes))


def edges_of(path: Reason) -> list[Edge]:
    """A path as edges from source to target, ends as (label, id)."""
    found = []
    for one, edge, other in zip(path.nodes, path.edges, path.nodes[1:], strict=False):
        ends = (one.label, one.id), (other.label, other.id)
        source, target = ends if edge.forward else ends[::-1]
        found.append((source, edge.type, target))
    return found


class GraphEdges:
    """Which edges exist: facts of a graph, and training events in place of its own events."""

    def __init__(self, graph: KnowledgeGraph, train: Interactions) -> None:
        self.graph = graph
        self.known: dict[tuple[str, str, str], Ints] = {}
        for key, edges in graph.edges.items():
            if key[1] != INTERACTED:
                self.known[key] = np.unique(edges.source * len(graph.nodes[key[2]]) + edges.target)
        events = train.user[train.positive] * len(graph.nodes[ITEM]) + train.item[train.positive]
        self.known[USER, INTERACTED, ITEM] = np.unique(events)

    def __contains__(self, edge: Edge) -> bool:
        source, kind, target = edge
        assert isinstance(source, tuple)
        assert isinstance(target, tuple)
        known = self.known.get((source[0], str(kind), target[0]))
        if known is None:
            return False
        starts, ends = self.graph.nodes[source[0]], self.graph.nodes[target[0]]
        if source[1] not in starts.vocabulary or target[1] not in ends.vocabulary:
            return False
        key = starts.vocabulary.row(source[1]) * len(ends) + ends.vocabulary.row(target[1])
        place = int(np.searchsorted(known, key))
        return place < len(known) and int(known[place]) == key


def in_words(answers: Sequence[Recommendation]) -> list[str]:
    """Recommendations as lines for a terminal, each with its reasons below."""
    lines = []
    for place, one in enumerate(answers, 1):
        stars = f", {one.stars:.1f} stars expected" if one.stars is not None else ""
        lines.append(f"{place}. {one.title} (score {one.score:.2f}{stars})")
        lines += [f"   {said(path)}" for path in one.reasons]
    return lines
