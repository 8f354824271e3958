"""What the language model gives: ``python -m benchmarks.texts --set beauty --data-root DIR``.

Counts of what comes with what, words and categories (TF-IDF), and items nearest by text
vectors, each read by several encoders: frozen, with a taught map, with LoRA. A blend is a sum
of z-scores whose weights are chosen on validation from a few. Printed are NDCG@10 of a sample
of test cases (``--valid``: of validation), of those that ask for an item with at most five
training events, and whether blends differ by more than chance over users (paired
randomisation; values of one user in several draws are averaged first).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.base_models import sampled
from benchmarks.sets import SETS
from trefoil.data import Dataset, Split, read_dataset, split_events
from trefoil.data.histories import Cases
from trefoil.evaluation.protocols.protocols import full_exam
from trefoil.evaluation.ranking import Ranks, rank
from trefoil.evaluation.result import Result, summarise
from trefoil.evaluation.significance import compare
from trefoil.fusion.features.preparation import known_of, read_texts
from trefoil.fusion.features.validation import Validation
from trefoil.fusion.models.base import ScoringModel
from trefoil.fusion.models.cooccurrence import fit_cooccurrence
from trefoil.fusion.models.fields import fit_fields
from trefoil.fusion.models.fitting import FitInputs, Search
from trefoil.fusion.models.nearest_texts import fit_nearest_texts
from trefoil.fusion.record import Record
from trefoil.fusion.settings import load_settings
from trefoil.fusion.training.text_tuning import taught_texts

FEW = 5  # training events of an item that has few
WEIGHTS = (0.0, 0.3, 0.6, 1.0)  # of a part beside counts; tried
NDCG = "ndcg@10"
CPU = torch.device("cpu")
READERS: Mapping[str, tuple[str, ...]] = {
    "frozen": (),
    "linear": ("fine_tuning.method=linear",),
    "lora": ("fine_tuning.method=lora",),
    "shuffled": ("text.shuffle=true",),
    "smollm2": ("text.model=smollm2",),
    "smollm2 linear": ("text.model=smollm2", "fine_tuning.method=linear"),
}


@dataclass(frozen=True)
class Blend:
    """A weighted sum of z-scores of base models."""

    parts: Mapping[str, ScoringModel]
    weights: Mapping[str, float]

    def score(self, cases: Cases) -> torch.Tensor:
        return summed({n: spread(self.parts[n].score(cases)) for n in self.weights}, self.weights)


def spread(scores: torch.Tensor) -> torch.Tensor:
    """z-scores of each case."""
    return (scores - scores.mean(1, keepdim=True)) / scores.std(1, keepdim=True).clamp(min=1e-6)


def summed(scores: Mapping[str, torch.Tensor], weights: Mapping[str, float]) -> torch.Tensor:
    return torch.stack([weight * scores[name] for name, weight in weights.items()]).sum(0)


def blended(
    parts: Mapping[str, ScoringModel], names: Sequence[str], validation: Validation
) -> Blend:
    """The first part weighs one; each further weight is chosen on validation, one by one."""
    first, *rest = names
    total = spread(parts[first].score(validation.cases))
    weights = {first: 1.0}
    for name in rest:
        own = spread(parts[name].score(validation.cases))
        weights[name] = max(WEIGHTS, key=lambda w: validation.ndcg(total + w * own))
        total = total + weights[name] * own
    return Blend(parts, weights)


def fitted(
    dataset: Dataset, split: Split, seed: int, readers: Sequence[str], args: argparse.Namespace
) -> tuple[dict[str, ScoringModel], Validation, dict[str, Any]]:
    """Base models by name, the validation part, and what each reading cost and told."""
    train = dataset.interactions.take(split.train)
    parts: dict[str, ScoringModel] = {}
    told: dict[str, Any] = {}
    validation: Validation | None = None
    for name in readers:
        changes = ["threads=1", "nearest_texts=true", f"seed={seed}", *READERS[name], *args.change]
        settings = load_settings(None, changes)
        began, record = time.process_time(), Record()
        texts = read_texts(dataset, settings, CPU, None, record, None)
        assert texts is not None, "a set with texts"
        known = known_of(dataset, train, None, texts, settings, returning=False)
        if validation is None:
            exam = full_exam(dataset, split, "valid")
            cells = args.choose * len(dataset.items)
            validation = Validation.of(exam, known.seen_items(), cells)
            search = Search(validation)
            parts |= {"counts": _first(fit_cooccurrence(FitInputs(known, search, settings)))}
            parts |= {"words": _first(fit_fields(FitInputs(known, search, settings)))}
        if settings.fine_tuning.method != "frozen":
            given = dataset, train, texts, known, validation, settings, record
            known = replace(known, text=taught_texts(*given).items)
        parts[name] = _first(fit_nearest_texts(FitInputs(known, Search(validation), settings)))
        told[name] = {"CPU seconds": time.process_time() - began, **record.fine_tuning}
        print(f"  {name}: {json.dumps(told[name], default=float)}", flush=True)
    assert validation is not None
    return parts, validation, told


def _first(found: tuple[ScoringModel, Any] | None) -> ScoringModel:
    assert found is not None
    return found[0]


def judged(
    parts: Mapping[str, ScoringModel], validation: Validation, exam: Any, few: np.ndarray
) -> dict[str, tuple[Result, Result]]:
    """Results of parts alone and of blends: of all cases, and of those that ask for few."""
    readers = [name for name in parts if name not in ("counts", "words")]
    rows = [("counts",), ("words",), ("counts", "words")]
    rows += [(one,) for one in readers] + [("counts", "words", one) for one in readers]
    found = {}
    for names in rows:
        blend = blended(parts, names, validation)
        ranks = rank(blend, exam, 10)
        name = " + ".join(names)
        found[name] = summarise(name, ranks, (NDCG,)), _few(name, ranks, few)
        means = [one.means()[NDCG] for one in found[name]]
        shown = ", ".join(f"{weight:g}" for weight in blend.weights.values())
        print(f"  {name:28}{means[0]:10.4f}{means[1]:10.4f}   weights {shown}", flush=True)
    return found


def _few(name: str, ranks: Ranks, few: np.ndarray) -> Result:
    return summarise(name, ranks.of_items(few), (NDCG,))


def main(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    bench = SETS[args.set]
    dataset = read_dataset(bench.source, root=args.data_root, rule=bench.rule)
    rows: list[dict[str, tuple[Result, Result]]] = []
    told = []
    for draw in args.draws:
        split = split_events(dataset, draw)
        print(f"{args.set}, draw {draw}, {'validation' if args.valid else 'test'}", flush=True)
        parts, validation, cost = fitted(dataset, split, draw, args.readers, args)
        train = dataset.interactions.take(split.train)
        few = np.bincount(train.item, minlength=len(dataset.items)) <= FEW
        exam = sampled(full_exam(dataset, split, "valid" if args.valid else "test"), args.cases)
        rows.append(judged(parts, validation, exam, few))
        told.append(cost)
    for first, second in [pair.split(":") for pair in args.against]:
        for at, which in enumerate(("all", f"at most {FEW} events")):
            pair = [[row[name][at] for row in rows] for name in (first, second)]
            values = [[one.per_case[NDCG] for one in side] for side in pair]
            print(which, compare(first, second, NDCG, [one.users for one in pair[0]], *values))
    if args.json:
        means = [{n: [r.means()[NDCG] for r in two] for n, two in row.items()} for row in rows]
        args.json.write_text(json.dumps({"cost": told, "means": means}, indent=1, default=float))
    return 0


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--set", choices=tuple(SETS), required=True)
    parser.add_argument("--data-root", type=Path, help="folder of data folders; else downloaded")
    parser.add_argument("--readers", nargs="+", default=["frozen", "linear"], choices=READERS)
    parser.add_argument("--draws", type=int, nargs="+", default=[0], help="splits and starts")
    parser.add_argument("--change", action="append", default=[], help="a setting, a.b=value")
    parser.add_argument("--against", nargs="+", default=[], metavar="BLEND:BLEND")
    parser.add_argument("--cases", type=int, default=5000, help="that are ranked, at most")
    parser.add_argument("--choose", type=int, default=1500, help="validation cases chosen by")
    parser.add_argument("--valid", action="store_true", help="rank validation; no test part")
    parser.add_argument("--json", type=Path, help="a file for the figures as well")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
