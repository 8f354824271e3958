"""Exams, metrics and baselines; rests on ``data`` alone and never sees a model's inside."""

from evaluation.exam import Exam, Scorer, Sets
from evaluation.lists import Background
from evaluation.metrics import measure
from evaluation.protocol import full_exam
from evaluation.ranking import Ranks, rank
from evaluation.result import PLAIN, Result, examine, summarise

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
