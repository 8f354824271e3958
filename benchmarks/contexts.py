"""A context nobody met in training: ``python -m benchmarks.contexts --column weekday --value V``.

The training events of one value of a scenario column are left out, and the joint network alone
is trained with and without vectors of names (``network.scenario_names``), on what is left and on
all. Told is NDCG@10 of the held-out cases of that value, each asked in its context, of those
asked as if the column were not known, and what not having met the value cost. Cases, masks and
histories are the same for all four trainings. ``--valid`` keeps the test part closed.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sets import SETS
from trefoil.data import Dataset, Split, read_dataset, split_events
from trefoil.data.histories import Histories
from trefoil.evaluation.exam import Exam
from trefoil.evaluation.protocols.protocols import exam_for
from trefoil.evaluation.ranking import rank
from trefoil.evaluation.result import Result, summarise
from trefoil.evaluation.significance import compare
from trefoil.fusion.models.base import ScoringModel
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings

NDCG = "ndcg@10"
ALONE = (
    "threads=1",
    "network.seeds=1",
    "behaviour.on=false",
    "linear.on=false",
    "factors=false",
    "random_walks=false",
    "returning=false",
    "reranker=false",
    "text.on=false",
    "graph.on=false",
)
PAIRS = (("hidden, names", "hidden"), ("all, names", "all"), ("hidden", "all"))


def without(dataset: Dataset, split: Split, column: str, code: int) -> Split:
    """The same split without the training events of a scenario value."""
    codes = dataset.interactions.scenario[column].codes
    return dataclasses.replace(split, train=split.train[codes[split.train] != code])


def asked_there(dataset: Dataset, whole: Split, left: Split, part: str) -> Exam:
    """The exam of all training, with histories of what is left of it."""
    exam = exam_for(dataset, whole, part)
    events = dataset.interactions.take(left.train)
    past = Histories.of(events, len(dataset.users)).take(exam.cases.user)
    return dataclasses.replace(exam, cases=dataclasses.replace(exam.cases, history=past))


def not_told(exam: Exam, column: str) -> Exam:
    """The same questions as if the column were not known."""
    scenario = exam.cases.scenario
    told = {**scenario, column: np.full(len(exam), -1)}
    return dataclasses.replace(exam, cases=dataclasses.replace(exam.cases, scenario=told))


def trained(dataset: Dataset, split: Split, changes: Sequence[str]) -> ScoringModel:
    settings = load_settings(None, [*ALONE, *changes])
    return Recommender(settings).fit(dataset, split=split).model.base_models["network"]


def main(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    bench = SETS[args.set]
    dataset = read_dataset(bench.source, root=args.data_root, rule=bench.rule)
    values = dataset.interactions.scenario[args.column].names
    if args.value not in values:
        print(f"no value {args.value!r} in {args.column!r}; there are {', '.join(values)}")
        return 2
    code, whole = values.index(args.value), split_events(dataset, args.seed)
    left = without(dataset, whole, args.column, code)
    exam = asked_there(dataset, whole, left, "valid" if args.valid else "test")
    exam = exam.take(np.flatnonzero(exam.cases.scenario[args.column] == code))
    blank = not_told(exam, args.column)
    print(f"{args.set}, {args.column}={args.value}: {len(exam)} cases, {exam.part}", flush=True)
    print(f"{len(whole.train) - len(left.train)} of {len(whole.train)} training events left out")
    found: dict[str, Result] = {}
    told: dict[str, Any] = {"set": args.set, "seed": args.seed, "value": args.value, "rows": {}}
    for name, split in (("hidden", left), ("all", whole)):
        for more in ("", ", names"):
            began = time.process_time()
            names = f"network.scenario_names={'true' if more else 'false'}"
            model = trained(dataset, split, [names, f"seed={args.seed}", *args.change])
            found[name + more] = summarise(name + more, rank(model, exam, 10), (NDCG,))
            aside = summarise(name + more, rank(model, blank, 10), (NDCG,)).means()[NDCG]
            mean, seconds = found[name + more].means()[NDCG], time.process_time() - began
            told["rows"][name + more] = {NDCG: mean, "not told": aside, "seconds": seconds}
            print(f"{name + more:14}{mean:8.4f}, column not told{aside:8.4f}{seconds:6.0f} CPU s")
    for one, other in PAIRS:
        first, second = found[one], found[other]
        columns = [first.users], [first.per_case[NDCG]], [second.per_case[NDCG]]
        print(compare(one, other, NDCG, *columns), flush=True)
    if args.json:
        args.json.write_text(json.dumps(told, indent=1, default=float), encoding="utf-8")
    return 0


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--set", choices=tuple(SETS), default="frappe")
    parser.add_argument("--data-root", type=Path, help="folder of data folders; else downloaded")
    parser.add_argument("--column", required=True, help="scenario column")
    parser.add_argument("--value", required=True, help="its value that training does not meet")
    parser.add_argument("--seed", type=int, default=0, help="of the split and the start")
    parser.add_argument("--change", action="append", default=[], help="a setting, a.b=value")
    parser.add_argument("--valid", action="store_true", help="rank validation; no test part")
    parser.add_argument("--json", type=Path, help="a file for the figures as well")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
