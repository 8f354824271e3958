"""An evaluation on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from trefoil.evaluation.ablation import Verdict

SHOWN = ("recall@10", "ndcg@10", "mrr@10", "hit@10", "recall@20", "ndcg@20", "coverage@10", "rmse")


def show(report: Mapping[str, Any], verdicts: Sequence[Verdict], console: Console) -> None:
    """The figures of an evaluation: results, then what is significant, then the verdicts."""
    title = f"{report['dataset']['name']}, {report['protocol']}, test part"
    console.print(grid(title, report["results"]))
    slices = report["slices"].items() if report["protocol"] in ("cold", "ctr") else ()
    for name, part in slices:
        among = " among all items" if report["protocol"] == "cold" else ""
        console.print(grid(name + among, part))
    for pair, test in report["significance"].items():
        if test["difference"] is None:
            continue
        said = f"p = {test['p']:.3g}" if test["p"] < 0.05 else "not significant"
        console.print(f"{pair}: ndcg@10 {test['difference']:+.4f} ({said}, Holm-corrected)")
    for sentence in report.get("leaks", {}).get("words", ()):
        console.print(f"leak meter: {sentence}", highlight=False, markup=False)
    for verdict in verdicts:
        console.print(verdict.words, highlight=False, markup=False)


def grid(title: str, results: Mapping[str, Mapping[str, float | None]]) -> Table:
    """Models by the metrics that fit a terminal."""
    shown = [name for name in SHOWN if any(name in one for one in results.values())]
    shown = shown or list(next(iter(results.values()), {}))
    table = Table(title=title)
    table.add_column("model")
    for name in shown:
        table.add_column(name, justify="right")
    for model, values in results.items():
        cells = [values.get(name) for name in shown]
        table.add_row(model, *("" if cell is None else f"{cell:.4f}" for cell in cells))
    return table
