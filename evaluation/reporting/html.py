"""``report.html``: one self-contained file for people; no script, no other file, no network."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib import resources
from string import Template

from trefoil.evaluation.ablation import Verdict
from trefoil.evaluation.metrics.pointwise_metrics import Reliability
from trefoil.evaluation.reporting.charts import Bar, bars, calibration, lines
from trefoil.evaluation.reporting.html_tables import (
    best_of,
    facts,
    html_table,
    means_table,
    notes_html,
    number_text,
)
from trefoil.evaluation.result import Result
from trefoil.evaluation.significance import Difference, by_user, interval


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
    text = (
        resources.files("trefoil.evaluation.reporting")
        .joinpath("report.html")
        .read_text(encoding="utf-8")
    )
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
            Section("Results", results_html(found.results, found.ours) + notes_html(found.notes)),
            Section("Differences", differences_html(found.significance)),
            Section("What each part gave", verdicts_html(found.verdicts)),
            Section("Slices", slices_html(found.slices, found.ours)),
            *found.more,
            Section("Calibration", _calibrations(found.reliability)),
            Section("Examples", examples_html(found.examples)),
            Section("Learning curves", curves_html(found.history)),
            Section("Data", facts(found.data) + notes_html(found.warnings)),
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
                _, values = by_user([result.users], [result.per_case[chart]])
                low, high = interval(values)
                rows.append(Bar(result.name, result.means()[chart], low, high, result.name == ours))
        drawn = (
            f"<h3>{escape(chart)}, with 95 % intervals over users</h3>"
            f"{bars(rows, f'{chart} by model')}"
        )
    return means_table({result.name: result.means() for result in results}, ours) + drawn


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
    return html_table(
        ["", "metric", "difference", "95 %", "", "users", "seeds"], rows
    ) + notes_html(
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
            best = best_of(metric, list(values.values()))
            cells = "".join(
                f'<td class="best">{number_text(values[model])}</td>'
                if best is not None and values.get(model) == best
                else f"<td>{number_text(values.get(model))}</td>"
                for model in models
            )
            cases = len(results[0].users) if results else 0
            body.append(
                f"<tr><td>{escape(name)}</td><td>{f'{cases:,}' if cases else '–'}</td>{cells}</tr>"
            )
        parts.append(f"<h3>{escape(metric)}</h3>" + html_table(["", "cases", *models], body, ours))
    meanings = [f"{name}: {meaning}." for name, (meaning, _) in slices.items() if meaning]
    return "".join(parts) + notes_html([" ".join(meanings)])


def curves_html(history: Sequence[Mapping[str, object]]) -> str:
    """A chart per family of numbers (what stands before the slash is the family), over epochs."""
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
            f"<li>{escape(title)} <span class='note'>{number_text(score)}</span>"
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


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
