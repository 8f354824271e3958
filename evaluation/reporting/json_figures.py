"""The figures of an evaluation, as JSON holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from trefoil.data.dataset import Dataset
from trefoil.data.errors import ConfigError
from trefoil.data.manifest import MANIFEST
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
    if table.groups:
        told["groups"] = {
            name: {
                group: {model: finite(numbers) for model, numbers in models.items()}
                for group, models in groups.items()
            }
            for name, groups in table.groups.items()
        }
        told["debiased"] = {name: finite(part) for name, part in table.debiased.items()}
    if verdicts:
        told["ablation"] = {
            one.source: {"earned": one.earned, "words": one.words, "tests": as_json(one.tests)}
            for one in verdicts
        }
    return told


def check_writable(path: Path) -> None:
    """Raises ConfigError where no file can be written, and in a run; nothing is left behind."""
    there = path.exists()
    runs = [one for one in path.absolute().parents if (one / MANIFEST).exists()]
    if runs:
        raise ConfigError(f"--json {path}: lies in the run {runs[0]}; name a place outside of it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a"):
            pass
    except OSError as error:
        raise ConfigError(f"--json {path}: cannot be written ({error.strerror})") from None
    if not there:
        path.unlink()


def finite(values: Mapping[str, float]) -> dict[str, float | None]:
    """JSON knows no NaN: what could not be measured is null."""
    return {name: value if abs(value) < float("inf") else None for name, value in values.items()}


def _number(value: object) -> object:
    return None if isinstance(value, float) and not isfinite(value) else value
