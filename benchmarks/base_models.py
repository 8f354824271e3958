"""What each base model is worth: ``python -m benchmarks.base_models --set beauty --data-root DIR``.

Fits the engine once and ranks for each of its base models, for the blend of all and for the
reranked blend: NDCG@10 of validation, HR@10 and NDCG@10 of the test part, and NDCG@10 of two
slices where events have times: users whose last event is of the day of the one before, and of a
later day. ``--change network.on=false`` leaves out what takes long. ``--valid`` keeps the test
part closed: the same columns are of validation cases then, and choices may be made by them.
Ranking for all users costs more than many a fit, so an even sample of ``--cases`` is asked.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sets import SETS, hide_items
from trefoil.data import Dataset, Split, read_dataset, split_events
from trefoil.evaluation.exam import Exam
from trefoil.evaluation.protocols.protocols import context_exam, full_exam
from trefoil.evaluation.protocols.slices import Slice, slices_of
from trefoil.evaluation.ranking import rank
from trefoil.evaluation.result import summarise

SLICES = ("same-day", "later-day", "rare-items", "cold-items")
METRICS = ("recall@10", "ndcg@10")


def rows_of(scorers: Mapping[str, Any], exam: Exam, slices: Mapping[str, Slice]) -> dict[str, Any]:
    """HR@10 and NDCG@10 of each scorer, whole and by slice, and the CPU seconds of ranking."""
    found: dict[str, Any] = {}
    for name, scorer in scorers.items():
        began = time.process_time()
        ranks = rank(scorer, exam, 10)
        row = summarise(name, ranks, METRICS).means()
        for part in SLICES:
            if part in slices:
                means = summarise(name, slices[part].cut(ranks), METRICS).means()
                row[f"{part} ndcg@10"] = means["ndcg@10"]
        found[name] = row | {"seconds": time.process_time() - began}
    return found


def sampled(exam: Exam, most: int) -> Exam:
    """An even sample of the cases."""
    rows = np.unique(np.linspace(0, len(exam) - 1, min(most, len(exam))).astype(np.int64))
    parts = {name: getattr(exam, name).take(rows) for name in ("cases", "relevant", "masked")}
    return dataclasses.replace(exam, **parts)


def fitted(dataset: Dataset, split: Split, changes: Sequence[str]) -> tuple[dict[str, Any], Any]:
    """Scorers by name, base models first, and the fitted ensemble."""
    from trefoil.fusion.recommender import Recommender
    from trefoil.fusion.settings import load_settings

    whole = Recommender(load_settings(None, changes=list(changes))).fit(dataset, split=split)
    model = whole.model
    return {
        **model.base_models,
        "blend": dataclasses.replace(model, reranker=None),
        "reranked blend": model,
    }, model


def main(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    bench = SETS[args.set]
    dataset = read_dataset(bench.source, root=args.data_root, rule=bench.rule)
    split = split_events(dataset, args.seed)
    if bench.hidden:
        split = hide_items(dataset, split, bench.hidden, args.seed)
    began = time.process_time()
    scorers, model = fitted(dataset, split, [f"seed={args.seed}", *args.change])
    seconds = time.process_time() - began
    make = context_exam if bench.protocol == "context" else full_exam
    exam = sampled(make(dataset, split, "valid" if args.valid else "test"), args.cases)
    rows = rows_of(scorers, exam, slices_of(dataset, split, exam))
    alone = {**model.alone, "reranked blend": np.nan}
    warm = dict(zip(model.gate.base_models, model.gate.warm, strict=True))
    print(f"{args.set}, seed {args.seed}, {exam.part}: fitted in {seconds:.0f} CPU s")
    shown = [key for key in next(iter(rows.values())) if key != "seconds"]
    heads = ("chosen on", "weight", "fitting", *shown)
    print(f"{'':18}" + "".join(f"{head.removesuffix(' ndcg@10'):>10}" for head in heads))
    for name, row in rows.items():
        row |= {"chosen on": alone.get(name, np.nan), "weight": warm.get(name, np.nan)}
        row |= {"fitting": model.record.seconds.get(name, np.nan)}
        first = f"{row['chosen on']:10.4f}{row['weight']:10.3f}{row['fitting']:10.1f}"
        print(f"{name:18}{first}" + "".join(f"{row[key]:10.4f}" for key in shown), flush=True)
    told = {"set": args.set, "seed": args.seed, "part": exam.part, "changes": args.change}
    told |= {"CPU seconds": seconds, "rows": rows, "chosen": model.record.chosen}
    told |= {"gate": model.record.gate, "plan": model.record.plan}
    if args.json:
        args.json.write_text(json.dumps(told, indent=1, default=float), encoding="utf-8")
    return 0


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--set", choices=tuple(SETS), required=True)
    parser.add_argument("--data-root", type=Path, help="folder of data folders; else downloaded")
    parser.add_argument("--seed", type=int, default=0, help="of split and models")
    parser.add_argument("--change", action="append", default=[], help="a setting, a.b=value")
    parser.add_argument("--cases", type=int, default=5000, help="that are ranked, at most")
    parser.add_argument("--valid", action="store_true", help="rank validation; no test part")
    parser.add_argument("--json", type=Path, help="a file for the figures as well")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
