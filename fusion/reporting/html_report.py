"""``report.html`` of a run: how it was trained, and once evaluated how good it is."""

import json
from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trefoil.data.errors import DataError
from trefoil.evaluation.ablation import Verdict
from trefoil.evaluation.reporting.html import Example, Findings, Section, evaluation_page
from trefoil.evaluation.reporting.html_tables import (
    facts,
    groups_tables,
    means_table,
    words_table,
)
from trefoil.evaluation.result import PLAIN, Result
from trefoil.fusion.reporting.task_history import curves, tasks_table

if TYPE_CHECKING:  # torch takes seconds, which --help and a wrong flag need not wait for
    from trefoil.evaluation.table import Table

OURS = "trefoil"
KINDS = 12  # of edges shown
BRIEF = ("recall@10", "ndcg@10")  # of slices on the page; the JSON holds all
OF_REASONS = ("explained", "explanation-validity", "explanation-leaks", "explanation-diversity")
OF_ROWS = ("rmse", "mae", "auc", "gauc", "f1", "log-loss", "calibration-error")
MEANINGS = (
    "coverage and gini: reach and inequality of exposure; novelty: mean self-information; arp: "
    "mean number of training users of what is recommended; serendipity: hits that the most "
    "popular items would not have given; diversity: mean distance within a list by text or graph."
)
OF_GROUPS = (
    "Catalogue, events and wanted: the share of a group in all items, in training events and in "
    "what is held out; exposure: its share of the attention of all lists, place p drawing "
    "1 / log2(1 + p); ndcg: with these items alone relevant, or these users alone asked."
)
OF_DEBIASED = (
    "Over pairs of a case and a wanted item. Pairs weigh by training events to a negative power, "
    "for what is popular is held out more often than it is liked; plain: with equal weights; gain: "
    "1 / log2(1 + place) within ten."
)
PROTOCOLS = {
    "full": "all items ranked for every user of the test part",
    "next": "all items ranked for each user's next event",
    "cold": "only items without a training event are ranked, or only users without one asked",
    "ctr": "is this item one for this user? rows of the test part, one by one",
}


def training_page(report: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> str:
    """The page of a run that was trained and not yet evaluated."""
    about = report["dataset"]
    lead = (
        f"Trained on {about['train']:,} events of {about['users']:,} users and "
        f"{about['items']:,} items. Not evaluated yet: evaluate.py adds results to this page."
    )
    return evaluation_page(f"Trefoil on {about['name']}", lead, _trained(report, history))


def evaluated_page(
    report: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]],
    told: Mapping[str, Any],
    table: "Table",
    verdicts: Sequence[Verdict] = (),
    examples: Sequence[Example] = (),
) -> str:
    """The page of a run with the results of one evaluation; ``told`` is its JSON report."""
    about = told["dataset"]
    lead = (
        f"{about['users']:,} users, {about['items']:,} items, {about['train']:,} events to learn "
        f"from, {about['test']:,} to judge. Protocol {told['protocol']}: "
        f"{PROTOCOLS[told['protocol']]}."
    )
    trained = _trained(report, history)
    found = Findings(
        [one for one in (_plain(one) for one in table.results.values()) if one.means()],
        OURS,
        data=trained.data,
        warnings=trained.warnings,
        history=trained.history,
        slices={
            name: (meaning, [_brief(one) for one in results.values()])
            for name, (meaning, results) in table.slices.items()
        },
        more=[*_beyond(table), *trained.more],
        significance=table.significance,
        verdicts=verdicts,
        reliability={name: one for name, one in table.reliability.items() if name == OURS},
        examples=examples,
    )
    return evaluation_page(f"Trefoil on {about['name']}", lead, found, _foot(told))


def read_history(folder: Path) -> list[dict[str, Any]]:
    """The rows of ``history.jsonl``. Raises DataError for a line that is no object."""
    path = folder / "history.jsonl"
    try:
        return [dict(json.loads(line)) for line in path.read_text("utf-8").splitlines()]
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{path}: cannot be read ({error}); train again") from None


def _trained(report: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> Findings:
    data = dict(report["data"]["counts"]) | {
        "split by": report["split"]["by"],
        "fingerprint": report["dataset"]["fingerprint"],
    }
    aside = [f"{n} rows set aside: {why}" for why, n in report["data"]["quarantined"].items()]
    more = [
        Section("What each base model gives", _base_models(report)),
        Section("Graph", _graph(report)),
    ]
    if table := tasks_table(history):
        more.append(Section("Tasks of the network", table))
    warnings = [*aside, *report["data"]["warnings"]]
    return Findings((), OURS, data, warnings, curves(history), more=more)


def _base_models(report: Mapping[str, Any]) -> str:
    """Validation NDCG@10 of each base model alone, and its weight in the gate."""
    marks, gate = report["validation"], report["gate"]
    within = gate.get("within", {})
    none = [float("nan")] * (2 + len(within))
    rows = [
        [
            name,
            marks.get(f"only {name}", float("nan")),
            weight,
            *(own[name] for own in within.values()),
            gate["cold"][name],
            report["model_seconds"].get(name, float("nan")),
        ]
        for name, weight in gate["warm"].items()
    ]
    for name, key in (
        ("together", "chosen"),
        ("together, each domain by its weights", "by domain"),
        ("together, reranked", "reranked"),
    ):
        if key in marks:
            rows.append([name, marks[key], float("nan"), *none])
    own = [f"weight in {name}" for name in within]
    head = ["", "ndcg@10 alone", "weight", *own, "weight, new items", "seconds"]
    return words_table(head, rows) + (
        '<p class="note">On validation. Weights are of standardised scores; the second is for '
        "items without events. The network's seconds are not counted here.</p>"
    )


def _graph(report: Mapping[str, Any]) -> str:
    """How many nodes of each label, and edges of each type between which labels."""
    counts = sorted(report["graph"]["edges"].items(), key=lambda one: -one[1])
    edges = []
    for name, count in counts[:KINDS]:
        source, relation, target = name.split("-", 2)
        edges.append([f"{relation}, {source} to {target}", f"{count:,}"])
    if rest := counts[KINDS:]:
        edges.append([f"{len(rest)} other types", f"{sum(count for _, count in rest):,}"])
    return facts(report["graph"]["nodes"]) + words_table(["edges", "how many"], edges)


def _beyond(table: "Table") -> list[Section]:
    """What lists are like, rating errors, fairness and reasons: each a section where measured."""
    lists = {
        name: {key: value for key, value in one.means().items() if _is_of_lists(key)}
        for name, one in table.results.items()
    }
    lists = {name: values for name, values in lists.items() if values}
    sections = []
    if lists:
        note = f'<p class="note">{MEANINGS}</p>'
        sections.append(Section("Beyond accuracy", means_table(lists, OURS) + note))
    if table.fairness:
        rows = [
            [column, group, value]
            for column, groups in table.fairness.items()
            for group, value in groups.items()
        ]
        body = words_table(["users by", "group", "ndcg@10"], rows)
        note = '<p class="note">Gap: the best served group minus the worst served.</p>'
        sections.append(Section("Groups of users", body + note))
    sections += _fair(table)
    reasons = {key: table.results[OURS].overall.get(key) for key in OF_REASONS}
    told = {key: value for key, value in reasons.items() if value is not None and not isnan(value)}
    if told:
        note = (
            '<p class="note">Of the first reasons of ten items each: the share of items with one; '
            "the share whose every edge is in the graph or the training events; how many walk a "
            "held-out event; how varied their relations are.</p>"
        )
        sections.append(Section("Reasons", facts(told) + note))
    return sections


def _fair(table: "Table") -> list[Section]:
    """What groups of items and users get, and accuracy with popularity taken out."""
    found = []
    for name, groups in table.groups.items():
        found.append(groups_tables(name, groups, OURS))
    sections = (
        [Section("Groups", "".join(found) + f'<p class="note">{OF_GROUPS}</p>')] if found else []
    )
    if table.debiased:
        body = means_table(table.debiased, OURS)
        note = f'<p class="note">{OF_DEBIASED}</p>'
        sections.append(Section("Popularity taken out", body + note))
    return sections


def _is_of_lists(name: str) -> bool:
    return name not in (*PLAIN, *OF_REASONS, *OF_ROWS) or name == "coverage@10"


def _plain(result: Result) -> Result:
    """Accuracy alone."""
    per_case = {name: values for name, values in result.per_case.items() if name in PLAIN}
    overall = {name: value for name, value in result.overall.items() if name in OF_ROWS}
    return Result(result.name, per_case, result.seconds, overall, result.users)


def _brief(result: Result) -> Result:
    per_case = {name: values for name, values in result.per_case.items() if name in BRIEF}
    overall = {} if per_case else {n: v for n, v in result.overall.items() if n in ("auc", "f1")}
    return Result(result.name, per_case, result.seconds, overall, result.users)


def _foot(told: Mapping[str, Any]) -> str:
    seconds = told["seconds"]
    trained = "" if seconds["train"] is None else f"Trained in {seconds['train']:.0f} s. "
    return (
        f"{trained}Evaluated in {seconds['evaluate']:.0f} s, "
        f"{told['peak_rss_mb']:,.0f} MB at most. Data {told['dataset']['fingerprint']}."
    )
