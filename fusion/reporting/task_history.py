"""What a history tells of the tasks: curves of losses, weights and gradients, and a table."""

from collections.abc import Mapping, Sequence
from math import nan
from typing import Any

from trefoil.evaluation.reporting.html_tables import words_table

Row = Mapping[str, Any]
MARK = "valid_ndcg@10_"  # before the name of a part of the network
TITLES = {
    "weight": "weight of the loss",
    "gradient": "length of the gradient",
    "cosine": "cosine of gradients",
}
NOTE = (
    '<p class="note">At the last look of the first network. Gradients are of unweighted losses, '
    "on the first batch after a look; a cosine is taken on the weights that both tasks read. "
    "Below zero, two tasks pull against each other.</p>"
)


def curves(history: Sequence[Row]) -> list[dict[str, float]]:
    """History rows for charts: losses, weights and marks apart, a curve per network."""
    several = len({row.get("network", 0) for row in history}) > 1
    found = []
    for row in history:
        told = {"epoch": float(row["epoch"])}
        for name, value in row.items():
            if name in ("epoch", "network", "seconds"):
                continue
            which = f" {row['network'] + 1}" if several else ""
            told[_label(name) + which] = float(value)
        found.append(told)
    return found


def _label(name: str) -> str:
    """The chart and the curve in it, as ``chart/curve``."""
    _, mark, part = name.partition(MARK)
    if mark:
        return f"validation ndcg@10/{part}"
    kind, slash, tasks = name.partition("/")
    if slash:
        return f"{TITLES[kind]}/{tasks.replace('/', ' and ')}"
    return f"loss, {name}/{name}"


def tasks_table(history: Sequence[Row]) -> str:
    """Each task's loss at the first look and the last, weight, gradient and cosines; else empty."""
    rows = [row for row in history if row.get("network", 0) == 0]
    measured = [row for row in rows if any(name.startswith("weight/") for name in row)]
    if not measured:
        return ""
    last = measured[-1]
    tasks = [name.removeprefix("weight/") for name in last if name.startswith("weight/")]
    table = []
    for task in tasks:
        losses = [row[task] for row in rows if task in row]
        cosines = [_cosine(last, task, other) for other in tasks]
        weight, length = last[f"weight/{task}"], last.get(f"gradient/{task}", nan)
        table.append([task, losses[0], losses[-1], float(weight), float(length), *cosines])
    head = ["", "loss at first", "loss at last", "weight", "gradient", *(f"∠ {t}" for t in tasks)]
    return words_table(head, table) + NOTE


def _cosine(row: Row, one: str, other: str) -> float:
    pair = row.get(f"cosine/{one}/{other}", row.get(f"cosine/{other}/{one}", nan))
    return 1.0 if one == other else float(pair)
