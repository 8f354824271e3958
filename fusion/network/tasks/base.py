"""What a task is: labels taken once, a head, the rows of a step, and a loss per row."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from trefoil.data.errors import ConfigError
from trefoil.data.interactions import Interactions
from trefoil.data.items import Items
from trefoil.evaluation.exam import Exam
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.network.heads import HeadPlan, Sizes, linear_head
from trefoil.fusion.network.steps import Step, UserStep


@dataclass(frozen=True)
class TaskData:
    """What labels may be taken from: training events, and what describes items."""

    events: Interactions  # of training, ratings and negatives among them
    items: Items
    known: TrainingData


@dataclass(frozen=True)
class Target:
    """The labels of a task. ``tensors`` move to the device; ``outputs`` is what a head gives."""

    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    outputs: int = 0
    other: Any = None  # what stays where it is, such as a table that steps take rows of

    def to(self, device: torch.device) -> "Target":
        return replace(self, tensors={name: one.to(device) for name, one in self.tensors.items()})


@dataclass(frozen=True)
class Rows:
    """The labelled rows of one step: what ``Task.loss`` reads, and how much each row weighs."""

    reads: tuple[Tensor, ...]
    weight: Float[Tensor, " n"] | None = None


@dataclass(frozen=True)
class Task(ABC):
    """One thing that is learned from the shared vectors, and how much it weighs.

    A task that ``reads`` ``UserStep`` shares the vectors of users and items with the
    ranking; one that reads ``WindowStep`` the states after events. Labels come from
    training data alone. A task is taken to read items ``everywhere``, which a training of
    large data can only give it in steps that cost more; one that keeps to the users of a
    step, what they met and what is ``within`` it, says so. ``metric`` names the figure that
    tells how well it is done on held-out events; none for tasks that are only there for others.
    """

    name: ClassVar[str]
    reads: ClassVar[type[Step]] = UserStep
    weight: float = 1.0  # 0 switches the task off
    everywhere: ClassVar[bool] = True  # whether it reads items that no user of a step met
    metric: ClassVar[str] = ""

    @abstractmethod
    def target(self, data: TaskData) -> Target | None:
        """The labels; None where the data have none."""

    def head(self, sizes: Sizes) -> nn.Module:
        """What turns shared vectors into ``Target.outputs`` numbers; built where there are any."""
        return linear_head(sizes)

    @abstractmethod
    def rows(self, step: Any, target: Target) -> Rows | None:
        """What this step has to learn from: labelled rows alone; None where it has none.

        Masking comes first: a loss of an unlabelled row would send NaN back though its
        weight were zero.
        """

    @abstractmethod
    def loss(self, *reads: Tensor) -> Float[Tensor, " n"]:
        """One loss per row, from what ``rows`` gives it to read."""

    def start(self, head: nn.Module, target: Target) -> None:  # noqa: B027 - no must
        """Give the head a start better than chance."""

    def finish(self, head: nn.Module, target: Target) -> None:  # noqa: B027 - no must
        """Bring a trained head into the units of the data."""

    def mark(self, networks: Sequence[Any], exam: Exam, items: Items) -> float | None:
        """``metric`` of networks on an exam, where it is none of the exam's own; None without."""
        return None


@dataclass(frozen=True)
class TaughtTask:
    """A task with its labels."""

    task: Task
    target: Target

    def to(self, device: torch.device) -> "TaughtTask":
        return TaughtTask(self.task, self.target.to(device))

    def mean_loss(self, step: Step) -> Tensor | None:
        """The mean over labelled rows, by their weight; None where a step has none."""
        rows = self.task.rows(step, self.target)
        if rows is None:
            return None
        per_row = self.task.loss(*rows.reads)
        if not len(per_row):
            return None
        if rows.weight is None:
            return per_row.mean()
        return (rows.weight * per_row).sum() / rows.weight.sum().clamp(min=1e-12)


def taught(tasks: Iterable[Task], data: TaskData) -> tuple[TaughtTask, ...]:
    """The tasks that have a weight and something to learn from, with their labels.

    Raises ConfigError where two have one name, or a name or weight cannot be.
    """
    found: dict[str, TaughtTask] = {}
    for task in tasks:
        if task.name in found:
            raise ConfigError(f"two tasks are called {task.name!r}; give one another name")
        if not task.name.isidentifier():
            raise ConfigError(f"task {task.name!r}: a name is letters, digits and underscores")
        if not 0 <= task.weight < float("inf"):
            raise ConfigError(f"task {task.name!r}: weight = {task.weight}; give 0 or more")
        target = task.target(data) if task.weight else None
        if target is not None:
            found[task.name] = TaughtTask(task, target)
    return tuple(found.values())


def mean_losses(tasks: Sequence[TaughtTask], made: Sequence[Step]) -> dict[int, Tensor]:
    """The mean loss of each task that finds labelled rows in a step, by its place in the list.

    Raises ValueError where none does.
    """
    steps = {type(one): one for one in made}
    found: dict[int, Tensor] = {}
    for place, one in enumerate(tasks):
        mean = one.mean_loss(steps[one.task.reads]) if one.task.reads in steps else None
        if mean is not None:
            found[place] = mean
    if not found:
        raise ValueError("no task found labelled rows in this step")
    return found


def head_plans(tasks: Sequence[TaughtTask]) -> dict[str, HeadPlan]:
    """How the heads of these tasks are built."""
    return {
        one.task.name: HeadPlan(one.task.head, one.target.outputs)
        for one in tasks
        if one.target.outputs
    }
