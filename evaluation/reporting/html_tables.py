"""Tables of a page: means with the best marked, facts, and plain words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from trefoil.evaluation.metrics.ranking_metrics import split_name

LOWER_IS_BETTER = ("rmse", "mae", "log-loss", "calibration-error", "gini", "arp")


def means_table(rows: Mapping[str, Mapping[str, float]], ours: str = "", head: str = "") -> str:
    """Models by metrics; the best of each column is marked where there are several rows."""
    columns = list(dict.fromkeys(name for values in rows.values() for name in values))
    best = {column: _best(column, rows) for column in columns} if len(rows) > 1 else {}
    body = []
    for name, values in rows.items():
        cells = "".join(
            f'<td class="best">{number_text(values.get(column))}</td>'
            if best.get(column) is not None and values.get(column) == best[column]
            else f"<td>{number_text(values.get(column))}</td>"
            for column in columns
        )
        kind = ' class="ours"' if name == ours else ""
        body.append(f"<tr{kind}><td>{escape(name)}</td>{cells}</tr>")
    return html_table([head, *columns], body)


def groups_tables(
    name: str, groups: Mapping[str, Mapping[str, Mapping[str, float]]], ours: str
) -> str:
    """For each metric a table of groups by models, the most accurate of each row marked.

    ``groups`` are numbers by group, model and metric. What is the same for all models is said
    of the group itself.
    """
    models = list(dict.fromkeys(model for told in groups.values() for model in told))
    names = dict.fromkeys(n for told in groups.values() for one in told.values() for n in one)
    common = [n for n in names if all(_same(n, told) for told in groups.values())]
    parts = []
    for metric in [n for n in names if n not in common]:
        body = []
        for group, told in groups.items():
            values = [told.get(model, {}).get(metric, math.nan) for model in models]
            best = None if metric.startswith("exposure") else best_of(metric, values)
            first = next(iter(told.values()), {})
            cells = [f"<td>{number_text(first.get(one))}</td>" for one in common]
            cells += [
                f"<td{' class=best' if best is not None and value == best else ''}>"
                f"{number_text(value)}</td>"
                for value in values
            ]
            body.append(f"<tr><td>{escape(group)}</td>{''.join(cells)}</tr>")
        title = f"<h3>{escape(name)}: {escape(metric)}</h3>"
        parts.append(title + html_table(["", *common, *models], body, ours))
    return "".join(parts)


def facts(values: Mapping[str, object]) -> str:
    """Name and value pairs in a grid."""
    if not values:
        return ""
    pairs = "".join(
        f"<div><dt>{escape(str(name))}</dt>"
        f"<dd{' class=long' if len(_plain(value)) > 16 else ''}>{escape(_plain(value))}</dd></div>"
        for name, value in values.items()
    )
    return f"<dl>{pairs}</dl>"


def words_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table of texts and numbers; texts of more than 30 letters may wrap."""
    body = []
    for row in rows:
        cells = []
        for value in row:
            text = number_text(value) if isinstance(value, float) else str(value)
            kind = ' class="words"' if len(text) > 30 else ""
            cells.append(f"<td{kind}>{escape(text)}</td>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    return html_table(head, body)


def html_table(head: Sequence[str], body: Sequence[str], ours: str = "") -> str:
    names = "".join(
        f'<th class="ours">{escape(name)}</th>'
        if ours and name == ours
        else f"<th>{escape(name)}</th>"
        for name in head
    )
    return (
        f'<div class="wide"><table><thead><tr>{names}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def _best(column: str, rows: Mapping[str, Mapping[str, float]]) -> float | None:
    return best_of(column, [values[column] for values in rows.values() if column in values])


def _same(metric: str, told: Mapping[str, Mapping[str, float]]) -> bool:
    """Whether all models have one value of a metric."""
    return len({one.get(metric) for one in told.values()}) < 2


def best_of(metric: str, values: Sequence[float]) -> float | None:
    """The best value; None where there is nothing to choose between."""
    found = [value for value in values if math.isfinite(value)]
    if len(set(found)) < 2:
        return None
    return min(found) if split_name(metric)[0] in LOWER_IS_BETTER else max(found)


def notes_html(notes: Sequence[str]) -> str:
    return "".join(f'<p class="note">{escape(note)}</p>' for note in notes)


def number_text(value: object) -> str:
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return "–"
    if abs(value) >= 10 and value == int(value):
        return f"{value:,.0f}"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:,.1f}"


def _plain(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
