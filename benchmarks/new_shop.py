"""A shop without events: ``python -m benchmarks.new_shop --data-root DIR``.

The engine learns Amazon Beauty (base models that read texts and words, no network) and opens
Amazon Industrial & Scientific with ``Recommender.at_new_shop``: of that shop it is given titles,
descriptions, brands and categories, and no event. Then each test case there is asked as someone
whose history of texts is known and nothing else; nothing is counted over people, so popularity
cannot help. Printed are HR@10 and NDCG@10 of the blend and of each base model, and beside them
of plain cosines of words and of text vectors over the whole history.
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
import polars as pl

from benchmarks.sequences import BEAUTY, SCIENTIFIC
from trefoil.data import Dataset, read_dataset, split_events
from trefoil.data.compression import read_bytes
from trefoil.data.readers.columns import labels
from trefoil.evaluation.protocols.protocols import full_exam
from trefoil.evaluation.ranking import rank
from trefoil.evaluation.result import summarise
from trefoil.fusion.models.fields import FieldNeighbours
from trefoil.fusion.models.profiles import TextProfile
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings

SETTINGS = (
    "network.on=false",
    "linear.on=false",
    "factors=false",
    "random_walks=false",
    "next_item=false",
    "cooccurrence=false",
    "item_fields=true",
    "reranker=false",
)
METRICS = ("recall@10", "ndcg@10")


def read_scientific(root: Path) -> Dataset:
    """The shop with brands and categories beside titles and descriptions."""
    dataset = read_dataset(SCIENTIFIC, root=root)
    told = json.loads(read_bytes(SCIENTIFIC.root(root) / "item.json.gz"))
    ids = dataset.items.vocabulary.ids
    category = {}
    for name, mark in (("brand", "|"), ("categories", ",")):
        cells = pl.Series(name, [told[one].get(name) or "" for one in ids], dtype=pl.String)
        category[name] = labels(cells, mark, np.arange(len(ids)), len(ids))
    return dataclasses.replace(dataset, items=dataclasses.replace(dataset.items, category=category))


def main(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    first = read_dataset(BEAUTY, root=args.data_root)
    began = time.process_time()
    taught = Recommender(load_settings(None, [*SETTINGS, *args.change])).fit(first)
    learning = time.process_time() - began
    shop = read_scientific(args.data_root)
    began = time.process_time()
    opened = taught.at_new_shop(shop.items, "scientific")
    opening = time.process_time() - began
    print(f"learning {learning:.0f} CPU s, opening {opening:.0f} CPU s")
    exam = full_exam(shop, split_events(shop, 0), "valid" if args.valid else "test")
    nobody = dataclasses.replace(exam.cases, user=np.full(len(exam), -1))
    exam = dataclasses.replace(exam, cases=nobody)
    model = opened.model
    scorers: dict[str, Any] = {"blend": model, **model.base_models}
    for name, one in model.base_models.items():
        if isinstance(one, TextProfile | FieldNeighbours):
            scorers[f"{name}, whole past"] = dataclasses.replace(one, decay=0.0)
    weights = dict(zip(model.gate.base_models, model.gate.warm, strict=True))
    told: dict[str, Any] = {"part": exam.part, "cases": len(exam), "weights": weights, "rows": {}}
    for name, scorer in scorers.items():
        means = summarise(name, rank(scorer, exam, 10), METRICS).means()
        told["rows"][name] = means
        values = " ".join(f"{key} {means[key]:.4f}" for key in METRICS)
        print(f"  {name:32} {values} {weights.get(name, float('nan')):.4f}", flush=True)
    if args.json:
        args.json.write_text(json.dumps(told, indent=1, default=float), encoding="utf-8")
    return 0


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data-root", type=Path, required=True, help="folder of data folders")
    parser.add_argument("--change", action="append", default=[], help="a setting, a.b=value")
    parser.add_argument("--valid", action="store_true", help="ask validation; no test part")
    parser.add_argument("--json", type=Path, help="a file for the figures as well")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
