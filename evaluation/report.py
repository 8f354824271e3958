"""``report.html``: one self-contained file for people; no script, no other file, no network."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib import resources
from string import Template

from evaluation.ablation import Verdict
from evaluation.charts import Bar, bars, calibration, lines
from evaluation.metrics import split_name
from evaluation.pointwise import Reliability
from evaluation.result import Result
from evaluation.significance import Difference, interval

LOWER_IS_BETTER = ("rmse", "mae", "log-loss", "calibration-error", "gini", "arp")


@dataclass(frozen=True)
class Section:
    """A heading and its HTML, already escaped."""

    title: str
    html: str


@dataclass(frozen=True)
class Example:
    """What one person met, and what was recommended: title, score, reasons in words."""

    who: str
    history: Sequence[str]
    items: Sequence[tuple[str, float, Sequence[str]]]


@dataclass(frozen=True)
class Findings:
    """What a report may show; parts that are empty are left out.

    ``slices`` maps a slice's name to its meaning and results; ``more`` are sections
    shown after them. ``history`` rows
    are those of ``history.jsonl``: numbers by name, with ``epoch`` or ``step``.
    """

    results: Sequence[Result] = ()
    ours: str = "trefoil"
    data: Mapping[str, object] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    history: Sequence[Mapping[str, object]] = ()
    slices: Mapping[str, tuple[str, Sequence[Result]]] = field(default_factory=dict)
    more: Sequence[Section] = ()
    significance: Sequence[Difference] = ()
    verdicts: Sequence[Verdict] = ()
    reliability: Mapping[str, Reliability] = field(default_factory=dict)
    examples: Sequence[Example] = ()
    notes: Sequence[str] = ()


def page(title: str, lead: str, sections: Sequence[Section], foot: str = "") -> str:
    """The whole HTML text. ``title``, ``lead`` and ``foot`` are plain text and get escaped."""
    filled = [section for section in sections if section.html]
    text = resources.files("evaluation").joinpath("report.html").read_text(encoding="utf-8")
    return Template(text).substitute(
        title=escape(title),
        lead=escape(lead),
        foot=escape(foot),
        contents="".join(
            f'<a href="#{_anchor(one.title)}">{escape(one.title)}</a>' for one in filled
        ),
        sections="\n".join(
            f'<section id="{_anchor(one.title)}"><h2>{escape(one.title)}</h2>{one.html}</section>'
            for one in filled
        ),
    )


def evaluation_page(title: str, lead: str, found: Findings, foot: str = "") -> str:
    """The report of one run or one evaluation."""
    return page(
        title,
        lead,
        [
            Section("Results", results_html(found.results, found.ours) + _notes(found.notes)),
            Section("Differences", differences_html(found.significance)),
            Section("What each part gave", verdicts_html(found.verdicts)),
            Section("Slices", slices_html(found.slices, found.ours)),
            *found.more,
            Section("Calibration", _calibrations(found.reliability)),
            Section("Examples", examples_html(found.examples)),
            Section("Learning curves", curves_html(found.history)),
            Section("Data", facts(found.data) + _notes(found.warnings)),
        ],
        foot,
    )


def results_html(results: Sequence[Result], ours: str, chart: str = "ndcg@10") -> str:
    """A table of means, best values marked, and bars with 95 % intervals of one metric."""
    if not results:
        return ""
    drawn = ""
    if any(chart in result.per_case for result in results):
        rows = []
        for result in results:
            if chart in result.per_case:
                low, high = interval(result.per_case[chart])
                rows.append(Bar(result.name, result.means()[chart], low, high, result.name == ours))
        drawn = (
            f"<h3>{escape(chart)}, with 95 % intervals over users</h3>"
            f"{bars(rows, f'{chart} by model')}"
        )
    return means_table({result.name: result.means() for result in results}, ours) + drawn


def means_table(rows: Mapping[str, Mapping[str, float]], ours: str = "", head: str = "") -> str:
    """Models by metrics; the best of each column is marked where there are several rows."""
    columns = list(dict.fromkeys(name for values in rows.values() for name in values))
    best = {column: _best(column, rows) for column in columns} if len(rows) > 1 else {}
    body = []
    for name, values in rows.items():
        cells = "".join(
            f'<td class="best">{_number(values.get(column))}</td>'
            if best.get(column) is not None and values.get(column) == best[column]
            else f"<td>{_number(values.get(column))}</td>"
            for column in columns
        )
        kind = ' class="ours"' if name == ours else ""
        body.append(f"<tr{kind}><td>{escape(name)}</td>{cells}</tr>")
    return _table([head, *columns], body)


def differences_html(tests: Sequence[Difference]) -> str:
    """Each paired test; what is not significant is said in words."""
    if not tests:
        return ""
    rows = []
    for test in tests:
        sure = f"p = {test.p:.2g}" if test.significant() else f"not significant (p = {test.p:.2f})"
        rows.append(
            f"<tr><td>{escape(test.first)} vs {escape(test.second)}</td>"
            f"<td>{escape(test.metric)}</td><td>{test.difference:+.4f}</td>"
            f"<td>{test.low:+.4f} to {test.high:+.4f}</td><td>{sure}</td>"
            f"<td>{test.users}</td><td>{test.seeds}</td></tr>"
        )
    corrected = all(test.corrected for test in tests)
    return _table(["", "metric", "difference", "95 %", "", "users", "seeds"], rows) + _notes(
        [
            "Paired randomisation test over users, values of several seeds averaged per user"
            + ("; p corrected by Holm." if corrected else "; p not corrected.")
        ]
    )


def verdicts_html(found: Sequence[Verdict]) -> str:
    return "".join(f"<p>{escape(verdict.words)}</p>" for verdict in found)


def slices_html(slices: Mapping[str, tuple[str, Sequence[Result]]], ours: str) -> str:
    """For each metric a table of slices by models, the best of each row marked."""
    if not slices:
        return ""
    metrics = dict.fromkeys(
        name for _, results in slices.values() for one in results for name in one.means()
    )
    models = list(dict.fromkeys(one.name for _, found in slices.values() for one in found))
    parts = []
    for metric in metrics:
        body = []
        for name, (_, results) in slices.items():
            values = {one.name: one.means().get(metric, math.nan) for one in results}
            best = _best_of(metric, list(values.values()))
            cells = "".join(
                f'<td class="best">{_number(values[model])}</td>'
                if best is not None and values.get(model) == best
                else f"<td>{_number(values.get(model))}</td>"
                for model in models
            )
            cases = len(results[0].users) if results else 0
            body.append(
                f"<tr><td>{escape(name)}</td><td>{f'{cases:,}' if cases else '–'}</td>{cells}</tr>"
            )
        parts.append(f"<h3>{escape(metric)}</h3>" + _table(["", "cases", *models], body, ours))
    meanings = [f"{name}: {meaning}." for name, (meaning, _) in slices.items() if meaning]
    return "".join(parts) + _notes([" ".join(meanings)])


def curves_html(history: Sequence[Mapping[str, object]]) -> str:
    """A chart per family of numbers ("loss/order", "loss/stars" share one), over epochs."""
    families: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for row_number, row in enumerate(history):
        x = row.get("epoch", row.get("step", row_number))
        if not isinstance(x, (int, float)):
            continue
        for name, value in _flat(row):
            if name not in ("epoch", "step"):
                family, _, member = name.partition("/")
                curve = families.setdefault(family, {}).setdefault(member or family, [])
                curve.append((float(x), value))
    unit = "epoch" if any("epoch" in row for row in history) else "step"
    return "".join(
        f"<h3>{escape(family)}</h3>{lines(curves, family, unit)}"
        for family, curves in families.items()
        if any(len(points) > 1 for points in curves.values())
    )


def examples_html(examples: Sequence[Example]) -> str:
    """Lists with their reasons; all text comes from data and is escaped."""
    parts = []
    for example in examples:
        items = "".join(
            f"<li>{escape(title)} <span class='note'>{_number(score)}</span>"
            + "".join(f'<span class="reason">{escape(reason)}</span>' for reason in reasons)
            + "</li>"
            for title, score, reasons in example.items
        )
        met = escape(", ".join(example.history)) or "nothing yet"
        parts.append(
            f"<h3>{escape(example.who)}</h3><p class='history'>Met: {met}</p>"
            f'<ol class="list">{items}</ol>'
        )
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
            text = _number(value) if isinstance(value, float) else str(value)
            kind = ' class="words"' if len(text) > 30 else ""
            cells.append(f"<td{kind}>{escape(text)}</td>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    return _table(head, body)


def _table(head: Sequence[str], body: Sequence[str], ours: str = "") -> str:
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
    return _best_of(column, [values[column] for values in rows.values() if column in values])


def _best_of(metric: str, values: Sequence[float]) -> float | None:
    """The best value; None where there is nothing to choose between."""
    found = [value for value in values if math.isfinite(value)]
    if len(set(found)) < 2:
        return None
    return min(found) if split_name(metric)[0] in LOWER_IS_BETTER else max(found)


def _calibrations(found: Mapping[str, Reliability]) -> str:
    return "".join(
        f"<h3>{escape(name)}</h3><p class='note'>expected calibration error {bins.error:.4f} over "
        f"{int(bins.count.sum())} rows</p>{calibration(bins, f'Calibration of {name}')}"
        for name, bins in found.items()
    )


def _flat(row: Mapping[str, object], prefix: str = "") -> list[tuple[str, float]]:
    out = []
    for name, value in row.items():
        if isinstance(value, Mapping):
            out += _flat(value, f"{prefix}{name}/")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            out.append((f"{prefix}{name}", float(value)))
    return out


def _notes(notes: Sequence[str]) -> str:
    return "".join(f'<p class="note">{escape(note)}</p>' for note in notes)


def _number(value: object) -> str:
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return "–"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:,.1f}"


def _plain(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
