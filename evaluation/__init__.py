"""Exams, metrics and baselines; rests on ``data`` alone and never sees a model's inside."""

from trefoil.evaluation.exam import Exam, Scorer, Sets
from trefoil.evaluation.metrics.list_metrics import Background
from trefoil.evaluation.metrics.ranking_metrics import measure
from trefoil.evaluation.protocols.protocols import full_exam
from trefoil.evaluation.ranking import Ranks, rank
from trefoil.evaluation.result import PLAIN, Result, examine, summarise

__all__ = [
    "PLAIN",
    "Background",
    "Exam",
    "Ranks",
    "Result",
    "Scorer",
    "Sets",
    "examine",
    "full_exam",
    "measure",
    "rank",
    "summarise",
]
