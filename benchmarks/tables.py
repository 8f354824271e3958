"""The outcome of a comparison as JSON, Markdown and one HTML page."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sets import SETS
from trefoil.evaluation.baselines import BUDGET
from trefoil.evaluation.reporting.html import (
    Section,
    differences_html,
    page,
    results_html,
    slices_html,
)
from trefoil.evaluation.reporting.html_tables import words_table
from trefoil.evaluation.result import Result
from trefoil.evaluation.significance import Difference, as_json, by_user, compare, holm

OURS = "trefoil"
Found = Mapping[str, Mapping[int, Mapping[str, Any]]]  # set -> seed -> model -> Measured
PARTS = (
    "`one-network` and `one-sequence` are single networks of the engine without the rest; "
    "`trefoil-shuffled` has texts and facts dealt to other items; `trefoil-order-alone` learns "
    "no categories and no ratings. CPU s: processor seconds of tuning and training, on one thread."
)
COLD = {"cold-items": "among all items", "cold-items-alone": "among themselves"}
DAYS = {"same-day": "the day of the event before", "later-day": "a later day"}
COLUMNS = ("recall@10", "ndcg@10", "mrr@10", "hit@10", "recall@20", "ndcg@20", "coverage@10")
CLICKS = ("auc", "gauc", "f1", "log-loss", "calibration-error")
RULES = (
    f"Each baseline tried at most {BUDGET} settings, chosen by validation ndcg@10 on the same "
    "exam; learned ones also stop on it. Means over users, then over seeds; ± is the standard "
    "deviation over seeds. One rule for ties, a seeded shuffle of items, holds for all models."
)


def write_tables(out: Path, found: Found, command: str) -> None:
    """``quality.json``, ``quality.md``, ``quality.html`` and ``tables/SET.md`` in ``out``."""
    published = read_published()
    sets = {name: summary(name, seeds) for name, seeds in found.items()}
    for name, one in sets.items():
        one["published"] = published.get(name, [])
    text = json.dumps({"command": command, "rules": RULES, "sets": sets}, indent=1)
    (out / "quality.json").write_text(text + "\n", encoding="utf-8")
    (out / "quality.md").write_text(markdown(sets, command), encoding="utf-8")
    (out / "tables").mkdir(exist_ok=True)
    for name in sets:
        own = markdown({name: sets[name]}, command_of(command, sets, name), level=1)
        (out / "tables" / f"{name}.md").write_text(own, encoding="utf-8")
    (out / "quality.html").write_text(html(found, sets, command), encoding="utf-8")


def read_published() -> dict[str, list[dict[str, Any]]]:
    """Figures of others, with source and how far the protocol matches."""
    with (Path(__file__).parent / "published.toml").open("rb") as file:
        return tomllib.load(file)


def summary(name: str, seeds: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """Means, deviations, settings and tests of one set."""
    models = list(dict.fromkeys(model for found in seeds.values() for model in found))
    results: dict[str, Any] = {}
    for model in models:
        means = [found[model].result.means() for found in seeds.values() if model in found]
        keys = dict.fromkeys(key for row in means for key in row)
        results[model] = {key: float(np.mean([row[key] for row in means])) for key in keys}
        results[model]["std"] = {
            key: float(np.std([row[key] for row in means], ddof=1 if len(means) > 1 else 0))
            for key in keys
        }
    first = next(iter(seeds.values()))
    return {
        "protocol": SETS[name].words,
        "metric": SETS[name].metric,
        "seeds": list(seeds),
        "fingerprint": next((one.about.get("fingerprint") for one in first.values()), None),
        "made": made(seeds),
        "results": results,
        "settings": {
            model: {seed: found[model].about.get("settings") for seed, found in seeds.items()}
            for model in models
            if model != OURS
        },
        "seconds": {
            model: float(np.mean([found[model].about["seconds"] for found in seeds.values()]))
            for model in models
        },
        "slices": slice_means(seeds),
        "significance": as_json(differences(name, seeds)),
    }


def made(seeds: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """Commits and dates of the measurements, the earliest date first."""
    abouts = [measured.about for found in seeds.values() for measured in found.values()]
    known = {(one["date"], one["commit"]) for one in abouts if "date" in one}
    return [f"{commit}, {date}" for date, commit in sorted(known)]


def command_of(command: str, sets: Mapping[str, Any], name: str) -> str:
    """The command for one of the sets alone."""
    return command.replace(f"--set {','.join(sets)}", f"--set {name}")


def slice_means(seeds: Mapping[int, Mapping[str, Any]]) -> dict[str, dict[str, dict[str, float]]]:
    """Slice -> model -> metric: means over the cases of a seed, then over seeds."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for part, (_, results) in pooled_slices(seeds).items():
        for model in (one.name for one in results):
            means = [one[model].slices[part].means() for one in seeds.values()]
            row = {key: float(np.mean([mean[key] for mean in means])) for key in means[0]}
            found.setdefault(part, {})[model] = row
    return found


def differences(name: str, seeds: Mapping[int, Mapping[str, Any]]) -> list[Difference]:
    """Ours against every other model (without ours: the first), one family per set."""
    metric = SETS[name].metric
    models = list(next(iter(seeds.values())))
    models = [
        model
        for model in models
        if all(metric in found[model].result.per_case for found in seeds.values())
    ]
    if len(models) < 2:
        return []
    columns = {
        model: [found[model].result.per_case[metric] for found in seeds.values()]
        for model in models
    }
    users = [found[models[0]].result.users for found in seeds.values()]
    first = OURS if OURS in models else models[0]
    return holm(
        [
            compare(first, other, metric, users, columns[first], columns[other])
            for other in models
            if other != first
        ]
    )


def pooled(name: str, results: list[Result]) -> Result:
    """One value per user: the mean over seeds and cases."""
    per_case, users = {}, np.empty(0, np.int64)
    for metric in results[0].per_case:
        users, per_case[metric] = by_user(
            [one.users for one in results], [one.per_case[metric] for one in results]
        )
    overall = {
        key: float(np.mean([one.overall[key] for one in results])) for key in results[0].overall
    }
    return Result(name, per_case, sum(one.seconds for one in results), overall, users)


def pooled_slices(
    seeds: Mapping[int, Mapping[str, Any]],
) -> dict[str, tuple[str, list[Result]]]:
    """Slices over all seeds; the meaning is that of the first seed."""
    first = next(iter(seeds.values()))
    out = {}
    for part in dict.fromkeys(name for one in first.values() for name in one.slices):
        results = [
            pooled(model, [found[model].slices[part] for found in seeds.values()])
            for model in first
            if all(part in found[model].slices for found in seeds.values())
        ]
        meaning = next(iter(first.values())).about.get("slices", {}).get(part, "")
        out[part] = (meaning, results)
    return out


def markdown(sets: Mapping[str, Any], command: str, level: int = 2) -> str:
    """The tables of these sets, under headings of this level."""
    lines = [] if level == 1 else ["# Results", "", RULES, "", PARTS, ""]
    for name, one in sets.items():
        lines += [f"{'#' * level} {name}", "", "Command:", ""]
        lines += [f"    {command_of(command, sets, name)}", ""]
        if one.get("made"):
            lines += [f"Commit and date: {'; '.join(one['made'])}.", ""]
        lines += [RULES, "", PARTS, ""] if level == 1 else []
        lines += [one["protocol"].capitalize() + ".", ""]
        lines += [*_model_table(one), *_published(one)]
        lines += _parts_table(one["slices"], COLD, "Items without a training event", "recall@10")
        lines += _parts_table(one["slices"], DAYS, "Events by their day", "ndcg@10")
        lines += [*_tests(one), ""]
    return "\n".join(lines)


def _model_table(one: Mapping[str, Any]) -> list[str]:
    """Models as rows; figures of others below, in italics."""
    columns = [
        column
        for column in (*COLUMNS, *CLICKS, "rmse")
        if any(column in row for row in one["results"].values())
    ]
    lines = ["| model | " + " | ".join(columns) + " | CPU s |"]
    lines += ["|---" + "|--:" * (len(columns) + 1) + "|"]
    for model, row in one["results"].items():
        cells = [_cell(row, column, len(one["seeds"])) for column in columns]
        lines.append(f"| {model} | " + " | ".join(cells) + f" | {one['seconds'][model]:.0f} |")
    for row in one["published"]:
        cells = [f"{row['values'][c]:.4f}" if c in row["values"] else "" for c in columns]
        lines.append(f"| *{row['model']}*¹ | " + " | ".join(cells) + " | |")
    return lines


def _published(one: Mapping[str, Any]) -> list[str]:
    """Where the figures of others come from, and how far their protocol is ours."""
    if not one["published"]:
        return []
    rows = [
        f"- {row['model']}: {row['source']}. Protocol matches: {row['match']}."
        for row in one["published"]
    ]
    return ["", "¹ Figures of others:", "", *rows]


def _tests(one: Mapping[str, Any]) -> list[str]:
    """The differences to ours, in words."""
    if not one["significance"]:
        return []
    lines = ["", "Paired randomisation tests over users, corrected by Holm:", ""]
    for pair, test in one["significance"].items():
        sure = f"p = {test['p']:.2g}" if test["significant"] else "not significant"
        lines.append(
            f"- {pair}, {test['metric']}: {test['difference']:+.4f} "
            f"[{test['low']:+.4f}, {test['high']:+.4f}], {sure}"
        )
    return lines


def _parts_table(
    slices: Mapping[str, Mapping[str, Mapping[str, float]]],
    words: Mapping[str, str],
    heading: str,
    metric: str,
) -> list[str]:
    """How models fare on some slices, by their names in words, where a set has them."""
    parts = [part for part in words if part in slices]
    if not parts:
        return []
    lines = ["", f"{heading}, {metric}:", ""]
    lines += ["| model | " + " | ".join(words[part] for part in parts) + " |"]
    lines += ["|---" + "|--:" * len(parts) + "|"]
    for model in slices[parts[0]]:
        cells = [f"{slices[part][model][metric]:.4f}" for part in parts]
        lines.append(f"| {model} | " + " | ".join(cells) + " |")
    return lines


def html(found: Found, sets: Mapping[str, Any], command: str) -> str:
    """One section per set, with plots."""
    sections = []
    for name, seeds in found.items():
        one, first = sets[name], next(iter(seeds.values()))
        results = [
            pooled(model, [part[model].result for part in seeds.values()])
            for model in first
            if all(model in part for part in seeds.values())
        ]
        body = f"<p>{one['protocol'].capitalize()}.</p>"
        body += results_html(results, OURS, SETS[name].metric)
        if one["published"]:
            rows = [
                [
                    row["model"],
                    ", ".join(f"{key} {value:.4f}" for key, value in row["values"].items()),
                    row["match"],
                    row["source"],
                ]
                for row in one["published"]
            ]
            body += "<h3>Figures of others</h3>"
            body += words_table(["model", "values", "protocol matches", "source"], rows)
        tests = differences_html(differences(name, seeds))
        body += f"<h3>Differences</h3>{tests}" if tests else ""
        slices = slices_html(pooled_slices(seeds), OURS)
        body += f"<h3>Slices</h3>{slices}" if slices else ""
        sections.append(Section(name, body))
    return page("How good, against whom", RULES, sections, command)


def _cell(row: Mapping[str, Any], column: str, seeds: int) -> str:
    if column not in row:
        return ""
    spread = f" ± {row['std'][column]:.4f}" if seeds > 1 else ""
    return f"{row[column]:.4f}{spread}"
