"""How much memory a training may take, and what is cut to size so that it does not take more."""

import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.features.validation import MOST_CELLS
from trefoil.fusion.models.listed import lines
from trefoil.fusion.settings import Settings

log = logging.getLogger(__name__)

GB = 1e9
NUMBER = 4  # bytes of a float32
MOST_GB, FREE_SHARE = 3.6, 0.75  # where settings leave it open; estimates run a tenth short of 4 GB
IDLE_GB = 1.0  # of an interpreter with torch, the events and the texts
LINEAR_SHARE = 0.75  # of the rest that solving the linear model may take
SOLVING = 2  # tables of all pairs while it is solved; one stays
BESIDE = 4  # blocks [cases, items] beside one of each base model
STEP = 5  # blocks [rows, items] of a step with the whole softmax
STEP_SHARE = 0.5  # of what the linear model leaves that a step may take


@dataclass(frozen=True)
class MemoryPlan:
    """Sizes that fit a budget, and words for what had to be cut."""

    budget_gb: float
    linear_items: int  # that take part in the linear model
    cells: int  # validation cases x items that base models are blended on
    softmax_items: int  # beyond which the softmax sees a sample
    cut: tuple[str, ...]
    expected: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # seconds, gb by part

    def applied(self, settings: Settings) -> Settings:
        """Settings that keep to it."""
        linear = settings.linear.model_copy(update={"max_items": self.linear_items})
        network = settings.network.model_copy(update={"softmax_items": self.softmax_items})
        return settings.model_copy(update={"linear": linear, "network": network})

    def record(self) -> dict[str, object]:
        """For the record of a training."""
        return asdict(self)


def plan_memory(
    known: TrainingData, settings: Settings, budget_gb: float | None = None
) -> MemoryPlan:
    """From users, items and base models; ``budget_gb`` stands for what is free."""
    budget = budget_gb or settings.memory_gb or min(MOST_GB, FREE_SHARE * free_gb())
    items = max(known.matrix.shape[1], 1)
    left = max(budget - IDLE_GB, 0.1 * budget) * GB
    cut: list[str] = []
    part, large = settings.linear, items > settings.large_items
    asked = min(part.max_items, items, part.head_items if large else items)
    linear = min(asked, int((LINEAR_SHARE * left / (SOLVING * NUMBER)) ** 0.5))
    if part.on and linear < items:
        cut.append(f"the linear model knows {linear:,} of {items:,} items")
    if settings.linear.on:
        left -= NUMBER * linear**2
    rows = _rows_of_a_step(known, settings)
    softmax = settings.network.softmax_items
    if (
        settings.network.on
        and items <= softmax
        and STEP * NUMBER * rows * items > STEP_SHARE * left
    ):
        softmax = max(1, min(softmax, items - 1))
        cut.append(
            f"the softmax over {items:,} items sees {settings.network.sampled_items:,} a step"
        )
    per_cell = NUMBER * (base_models(known, settings) + BESIDE)
    cells = min(MOST_CELLS, max(int(left / per_cell), items))
    if cells < min(MOST_CELLS, known.matrix.shape[0] * items):
        cut.append(f"choices look at up to {cells // items:,} validation cases")
    for one in cut:
        log.warning("memory: %s (memory_gb = %.1f)", one, budget)
    kept = linear if linear < items else settings.linear.max_items
    return MemoryPlan(round(budget, 2), max(1, kept), cells, softmax, tuple(cut))


def base_models(known: TrainingData, settings: Settings) -> int:
    """How many base models there can be."""
    networks = settings.network.on * (1 + known.timed)
    return networks + sum(line.on(settings, known) for line in lines())


def _rows_of_a_step(known: TrainingData, settings: Settings) -> float:
    """Rows of scores over all items that one step of the network makes."""
    people = max(int((known.history.lengths > 0).sum()), 1)
    mean = known.matrix.nnz / people
    windows = settings.behaviour.batch_size * min(mean, settings.behaviour.max_events)
    return float(min(settings.network.batch_size, people) + (windows if known.timed else 0))


def free_gb() -> float:
    """Memory that this process could take, by the system and by the limit of its group."""
    found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / GB]
    available = [one for one in _lines(Path("/proc/meminfo")) if one.startswith("MemAvailable:")]
    found += [int(one.split()[1]) * 1024 / GB for one in available]
    limits = _lines(Path("/sys/fs/cgroup/memory.max"))
    found += [int(one) / GB for one in limits if one.strip().isdigit()]
    return min(found)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
