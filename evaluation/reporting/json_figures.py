"""The figures of an evaluation, as JSON holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from trefoil.data.dataset import Dataset
from trefoil.data.split import Split
from trefoil.evaluation.ablation import Verdict
from trefoil.evaluation.significance import as_json
from trefoil.evaluation.table import Table


def figures(
    protocol: str,
    table: Table,
    verdicts: Sequence[Verdict],
    dataset: Dataset,
    split: Split,
    leaks: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Everything that ``evaluate.py --json`` promises but what it cost."""
    told: dict[str, Any] = {
        "dataset": {**split.about(dataset), "test": len(split.open_test())},
        "protocol": protocol,
        "split": "test",
        "results": {name: finite(one.means()) for name, one in table.results.items()},
        "slices": {
            label: {name: finite(one.means()) for name, one in part.items()}
            for label, (_, part) in table.slices.items()
        },
        "significance": {
            name: {key: _number(value) for key, value in test.items()}
            for name, test in as_json(table.significance).items()
        },
    }
    if leaks is not None:
        told["leaks"] = leaks
    if table.fairness:
        told["fairness"] = {name: finite(part) for name, part in table.fairness.items()}
    if verdicts:
        told["ablation"] = {
            one.source: {"earned": one.earned, "words": one.words, "tests": as_json(one.tests)}
            for one in verdicts
        }
    return told


def finite(values: Mapping[str, float]) -> dict[str, float | None]:
    """JSON knows no NaN: what could not be measured is null."""
    return {name: value if abs(value) < float("inf") else None for name, value in values.items()}


def _number(value: object) -> object:
    return None if isinstance(value, float) and not isfinite(value) else value
