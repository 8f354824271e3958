"""What a reading of texts gives beside everything else: ``python -m benchmarks.texts_in_engine``.

Takes a fitted engine (``benchmarks.quality --keep DIR``), lets ``nearest-texts`` read texts in
several ways (see ``benchmarks.texts``), and fits the gate and the reranker anew for each of them
on the same scores of the same other base models, or ``--without`` some of these. Printed are
HR@10 and NDCG@10 of a sample of test cases (``--valid``: of validation): of all, of those that
ask for an item with at most five training events, and of those asked on a later day; and whether
a row differs from the first, and each reading from "frozen", by more than chance over users. The
network is that of the run.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.base_models import sampled
from benchmarks.sets import SETS
from benchmarks.texts import CPU, FEW, READERS
from trefoil.data import Dataset, Split, read_dataset, split_events
from trefoil.data.histories import Cases
from trefoil.evaluation.exam import Exam, Scorer
from trefoil.evaluation.protocols.protocols import full_exam
from trefoil.evaluation.protocols.slices import slices_of
from trefoil.evaluation.ranking import BATCH_BYTES, Ranks, rank
from trefoil.evaluation.result import Result, summarise
from trefoil.evaluation.significance import compare, holm
from trefoil.fusion.ensemble.ensemble import Ensemble
from trefoil.fusion.ensemble.gate import standardise
from trefoil.fusion.ensemble.gate_fit import fit_gate
from trefoil.fusion.ensemble.reranker import log_events_of
from trefoil.fusion.ensemble.reranker_fit import fit_reranker
from trefoil.fusion.features.preparation import read_texts, validation_exam
from trefoil.fusion.features.validation import Validation
from trefoil.fusion.models.base import ScoringModel
from trefoil.fusion.models.fitting import FitInputs, Search
from trefoil.fusion.models.nearest_texts import fit_nearest_texts
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.record import Record
from trefoil.fusion.settings import load_settings
from trefoil.fusion.training.runtime import reproducible
from trefoil.fusion.training.text_tuning import taught_texts

METRICS = ("hit@10", "ndcg@10")
NDCG = "ndcg@10"
NEAREST = "nearest-texts"
FROZEN = "frozen"


@dataclass
class Remembered:
    """A base model that keeps its last answer: many blends ask it for the same cases."""

    model: ScoringModel
    asked: Cases | None = None
    answer: Tensor = field(default_factory=lambda: torch.empty(0))

    @property
    def reads(self) -> frozenset[str]:
        return self.model.reads

    def score(self, cases: Cases) -> Tensor:
        if cases is not self.asked:
            self.asked, self.answer = cases, self.model.score(cases)
        return self.answer


def readings(
    dataset: Dataset,
    split: Split,
    model: Ensemble,
    validation: Validation,
    args: argparse.Namespace,
) -> tuple[dict[str, ScoringModel], dict[str, Any]]:
    """``nearest-texts`` by the name of who read the texts, and what each reading cost and told."""
    train = dataset.interactions.take(split.train)
    found: dict[str, ScoringModel] = {}
    told: dict[str, Any] = {}
    for name in args.readers:
        changes = ["threads=1", "nearest_texts=true", f"seed={args.seed}"]
        settings = load_settings(None, [*changes, *READERS[name], *args.change])
        began, record = time.process_time(), Record()
        texts = read_texts(dataset, settings, CPU, None, record, None)
        assert texts is not None, "a set with texts"
        known = replace(model.known, text=texts.items)
        if settings.fine_tuning.method != FROZEN:
            given = dataset, train, texts, known, validation, settings, record
            texts = taught_texts(*given)
            known = replace(known, text=texts.items)
        fitted = fit_nearest_texts(FitInputs(known, Search(validation), settings))
        assert fitted is not None
        found[name], chosen = fitted
        told[name] = {"CPU seconds": time.process_time() - began, **chosen, **record.fine_tuning}
        print(f"  {name}: {json.dumps(told[name], default=float)}", flush=True)
    return found, told


def blends(
    model: Ensemble,
    nearest: Mapping[str, ScoringModel],
    without: Sequence[str],
    validation: Validation,
) -> dict[str, Ensemble]:
    """The engine as it is, without some of its base models, and with each reading beside all."""
    others: dict[str, ScoringModel] = {
        name: Remembered(one) for name, one in model.base_models.items() if name != NEAREST
    }
    rows: dict[str, dict[str, ScoringModel]] = {"engine": others}
    for row in without:
        left = row.split("+")
        rows[f"without {row}"] = {n: one for n, one in others.items() if n not in left}
    rows |= {name: {**others, NEAREST: one} for name, one in nearest.items()}
    events = log_events_of(model.known)
    how = {"returning": model.known.returning, "seed": model.settings.seed}
    found: dict[str, Ensemble] = {}
    for row, parts in rows.items():
        scores = {name: one.score(validation.cases) for name, one in parts.items()}
        names = tuple(parts)
        z = standardise(scores, names, validation.seen)
        with reproducible(model.settings):
            gate, marks = fit_gate(names, z, validation)
            reranker, more = fit_reranker(z, gate, validation, events, **how)
        changed = {"base_models": parts, "gate": gate, "reranker": reranker, "cold_users": None}
        found[row] = replace(model, **changed)
        weights = dict(zip(gate.base_models, gate.warm, strict=True))
        weight = ", ".join(f"{name} {one:.3f}" for name, one in weights.items())
        said = ", ".join(f"{name} {mark:.4f}" for name, mark in (marks | more).items())
        print(f"  {row}: validation {said}; weights {weight}", flush=True)
    return found


def ranked(scorers: Mapping[str, Scorer], exam: Exam) -> dict[str, Ranks]:
    """First ten items by each, batch by batch, so that what scorers share is asked once."""
    size = max(1, BATCH_BYTES // (4 * exam.items))
    parts: dict[str, list[Ranks]] = {row: [] for row in scorers}
    for first in range(0, len(exam), size):
        some = exam.take(np.arange(first, min(first + size, len(exam))))
        for row, one in scorers.items():
            parts[row].append(rank(one, some, 10))
    return {row: joined(exam, found) for row, found in parts.items()}


def joined(exam: Exam, parts: Sequence[Ranks]) -> Ranks:
    """Ranks of consecutive cases as those of the whole exam."""
    columns = ([one.place, one.top, one.candidates] for one in parts)
    place, top, candidates = (np.concatenate(column) for column in zip(*columns, strict=True))
    return Ranks(exam.cases.user, exam.relevant, place, top, candidates, exam.items)


def main(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    bench = SETS[args.set]
    dataset = read_dataset(bench.source, root=args.data_root, rule=bench.rule)
    split = split_events(dataset, args.seed)
    model = Recommender.load(args.run).model
    cells = int(model.record.plan["cells"])  # the cases that the run chose by
    validation = Validation.of(validation_exam(dataset, split), model.seen, cells)
    nearest, told = readings(dataset, split, model, validation, args)
    ensembles = blends(model, nearest, args.without, validation)
    exam = sampled(full_exam(dataset, split, "valid" if args.valid else "test"), args.cases)
    train = dataset.interactions.take(split.train)
    few = np.bincount(train.item, minlength=len(dataset.items)) <= FEW
    later = slices_of(dataset, split, exam).get("later-day")
    results: dict[str, dict[str, Result]] = {}
    print(f"{args.set}, seed {args.seed}, {exam.part}, {len(exam)} cases: HR@10 / NDCG@10")
    for row, ranks in ranked(ensembles, exam).items():
        cuts = {"all": ranks, f"at most {FEW} events": ranks.of_items(few)}
        cuts |= {} if later is None else {"later day": later.cut(ranks)}
        results[row] = {name: summarise(row, cut, METRICS) for name, cut in cuts.items()}
        means = {name: one.means() for name, one in results[row].items()}
        cells = [f"{name} {m['hit@10']:.4f} / {m[NDCG]:.4f}" for name, m in means.items()]
        print(f"  {row:22}" + "   ".join(cells), flush=True)
    pairs = [(row, "engine") for row in results if row != "engine"]
    pairs += [(row, FROZEN) for row in nearest if row != FROZEN and FROZEN in nearest]
    for part in results["engine"]:
        tests = []
        for first, second in pairs:
            one, other = results[first][part], results[second][part]
            values = [one.per_case[NDCG]], [other.per_case[NDCG]]
            tests.append(compare(first, second, NDCG, [one.users], *values))
        for test, corrected in zip(tests, holm(tests), strict=True):
            print(f"{part}: {test}; by Holm {corrected.p:.3g}")
    if args.json:
        means = {row: {p: r.means() for p, r in own.items()} for row, own in results.items()}
        args.json.write_text(json.dumps({"cost": told, "means": means}, indent=1, default=float))
    return 0


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--set", choices=tuple(SETS), required=True)
    parser.add_argument("--data-root", type=Path, help="folder of data folders; else downloaded")
    parser.add_argument("--run", type=Path, required=True, help="the fitted engine")
    parser.add_argument("--seed", type=int, default=0, help="of the split and of that run")
    parser.add_argument("--readers", nargs="+", default=[FROZEN], choices=READERS)
    parser.add_argument("--without", nargs="*", default=[], help="base models left out, as a+b")
    parser.add_argument("--change", action="append", default=[], help="a setting, a.b=value")
    parser.add_argument("--cases", type=int, default=30_000, help="that are ranked, at most")
    parser.add_argument("--valid", action="store_true", help="rank validation; no test part")
    parser.add_argument("--json", type=Path, help="a file for the figures as well")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
