"""The list of tasks: the one place that knows them, and which setting weighs each."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from trefoil.fusion.network.heads import HeadPlan, KeptHead
from trefoil.fusion.network.naming import own
from trefoil.fusion.network.tasks.base import Task
from trefoil.fusion.network.tasks.behaviours import Kind, Like
from trefoil.fusion.network.tasks.categories import Category
from trefoil.fusion.network.tasks.consistency import Consistency
from trefoil.fusion.network.tasks.contents import Facts, ItemTexts
from trefoil.fusion.network.tasks.corpus import CorpusClass, CorpusNumber
from trefoil.fusion.network.tasks.numbers import Attributes, Rating
from trefoil.fusion.network.tasks.ranking import NextItem, ranking_of
from trefoil.fusion.settings import Settings


def tasks_of(settings: Settings, more: Sequence[Task] = ()) -> tuple[Task, ...]:
    """All tasks with their weights, in the order of a step; ``more`` are a user's own."""
    weight, sequence = settings.tasks, settings.behaviour
    return (
        NextItem(weight.ranking, sequence.label_smoothing, sequence.only_new, weight.debias),
        ranking_of(weight.ranking, weight.ranking_loss, weight.negatives, weight.debias),
        Category(weight.category),
        Attributes(weight.attributes),
        Rating(weight.rating),
        Kind(weight.kind),
        Like(weight.like),
        Facts(weight.facts),
        ItemTexts(weight.texts),
        CorpusClass(weight.corpus),
        CorpusNumber(weight.corpus),
        Consistency(weight.consistency),
        *more,
    )


def saved_plans(
    outputs: Mapping[str, int], tensors: Mapping[str, Tensor], settings: Settings
) -> dict[str, HeadPlan]:
    """How the heads of a saved network are built, from their outputs and tensors by name.

    The head of a task that is not listed, which a user brought along, is only kept.
    """
    listed = {task.name: task for task in tasks_of(settings)}
    plans = {}
    for name, count in outputs.items():
        if name in listed:
            plans[name] = HeadPlan(listed[name].head, count)
        else:
            shapes = _shapes(tensors, f"{own(name)}.")
            plans[name] = HeadPlan(lambda _, shapes=shapes: KeptHead(shapes), count)
    return plans


def _shapes(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, torch.Size]:
    found = {n.removeprefix(prefix): one for n, one in tensors.items() if n.startswith(prefix)}
    return {name: one.shape for name, one in found.items()}
