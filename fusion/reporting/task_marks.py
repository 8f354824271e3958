"""How well each task is done on the test part, with the other tasks beside it and without."""

from collections.abc import Mapping
from typing import Any

from trefoil.data.items import Items
from trefoil.evaluation.exam import Exam, Scorer
from trefoil.evaluation.result import Result
from trefoil.fusion.network.tasks.listed import tasks_of
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import Settings


def task_marks(
    ours: str,
    scorers: Mapping[str, Scorer],
    results: Mapping[str, Result],
    exam: Exam,
    items: Items,
) -> dict[str, dict[str, Any]]:
    """By task its ``metric``, the ``value`` of our run, and ``without`` other tasks.

    ``scorers`` are our run and those retrained without a part (``without PART``), and
    ``results`` are theirs on the exam. Cross-entropy and RMSE are better where they are lower.
    Tasks that our run did not learn are left out.
    """
    names = [task.name for task in tasks_of(Settings())]
    rows = {ours: ours} | {f"without {name}": name for name in names}
    marks = {
        name: _marks(scorers[row], results[row], exam, items)
        for row, name in rows.items()
        if row in scorers
    }
    told: dict[str, dict[str, Any]] = {}
    for task, (metric, value) in marks.pop(ours).items():
        without = {name: mark[task][1] for name, mark in marks.items() if task in mark}
        told[task] = {"metric": metric, "value": value, "without": without}
    return told


def _marks(
    scorer: Scorer, result: Result, exam: Exam, items: Items
) -> dict[str, tuple[str, float]]:
    """Metric and figure by task, of a run that learned it."""
    means, told = result.means(), {}
    networks = scorer.model.networks if isinstance(scorer, Recommender) else []
    for task in tasks_of(Settings()):
        own = task.metric not in means
        value = task.mark(networks, exam, items) if own else means[task.metric]
        if task.metric and value is not None:
            told[task.name] = task.metric, value
    return told
