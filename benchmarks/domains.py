"""Pairs of shops: ``python -m benchmarks.domains --set beauty-electronics --data-root DIR``.

``beauty-electronics`` and ``food-kitchen`` are sequences of people who bought in both shops, as
ABXI has them (Bian et al. 2025, arXiv:2501.15118): the last event of a person is the test, the one
before it validation, each ranked among 999 items of its shop that are drawn anew by seed. Days
hold events in the order of item numbers, shop by shop, as in the file; the slice "later-day"
leaves out whose last event is of the day of the one before. The other sets are pairs of DisenCDR
(Cao et al. 2022): one event of a person and shop is the test, validation is carved from training,
and there are no times.

The engine is trained on both shops (``joint``) and on each alone, whose tests are the same cases
with the same draws. Told is NDCG@10 by shop of each base model, of the blend and of the reranked
blend, and whether joint is better than alone, over users. ``--valid`` keeps the test part closed.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trefoil.data import Dataset, EventColumns, Split, SplitRule, split_events
from trefoil.data.compression import read_bytes
from trefoil.data.domains import alone
from trefoil.data.interactions import DAY_S
from trefoil.data.joining import joined
from trefoil.data.readers.assemble import Tables, assemble
from trefoil.data.readers.tables import Table
from trefoil.evaluation.baselines import Popularity
from trefoil.evaluation.exam import Scorer
from trefoil.evaluation.protocols.protocols import exam_for
from trefoil.evaluation.protocols.slices import slices_of
from trefoil.evaluation.ranking import rank
from trefoil.evaluation.result import Result, summarise
from trefoil.evaluation.significance import compare

NEGATIVES = 999
METRICS = ("ndcg@10", "recall@10", "recall@5", "mrr@1000")
LATER = "later-day"
BOTH = "joint"


def read_sequences(folder: Path, shops: Sequence[str]) -> Dataset:
    """Events of the people of both shops; each has a second of its own within its day."""
    file = next(folder.glob("*_preprocessed.txt*"))
    places = json.loads(next(folder.glob("map_item_*")).read_text("utf-8")).values()
    shop_of = dict(places)
    rows: list[list[tuple[str, str, int]]] = [[], []]
    for line in read_bytes(file).decode().splitlines():
        user, *told = line.split()
        for place, one in enumerate(told):
            item, at = (int(part) for part in one.split("|"))
            rows[shop_of[item]].append((user, f"{item:06d}", at // DAY_S * DAY_S + place))
    columns = EventColumns("user", "item", time="at")
    rule = SplitRule("leave-one-out", negatives=NEGATIVES)
    parts = {
        shop: _dataset(shop, pl.DataFrame(own, ["user", "item", "at"], orient="row"), columns, rule)
        for shop, own in zip(shops, rows, strict=True)
    }
    return joined("-".join(shops), parts, rule)


def read_pair(root: Path, shops: Sequence[str]) -> Dataset:
    """Events of the people of both shops without times, training and test as they are given."""
    columns = EventColumns("user", "item", split="split")
    rule = SplitRule("given", valid=0.1, negatives=NEGATIVES)
    parts = {}
    for shop, other in (tuple(shops), tuple(reversed(shops))):
        folder = root / f"{shop}_{other}"
        frames = [
            pl.read_csv(
                read_bytes(next(folder.glob(f"{part}.txt*"))),
                separator="\t",
                has_header=False,
                new_columns=["user", "item", "one"],
            ).select(pl.col("user", "item").cast(pl.String), split=pl.lit(part))
            for part in ("train", "test")
        ]
        parts[shop] = _dataset(shop, pl.concat(frames), columns, rule)
    return joined("-".join(shops), parts, rule)


def _dataset(name: str, frame: pl.DataFrame, columns: EventColumns, rule: SplitRule) -> Dataset:
    return assemble(name, Tables(Table.of(frame, name), columns), rule)


SEQUENCES = {"beauty-electronics": "abe", "food-kitchen": "afk"}
PAIRS = ("cloth-sport", "phone-sport", "electronic-phone", "cloth-electronic")


def read(name: str, root: Path) -> Dataset:
    """A pair of shops by its name."""
    shops = name.split("-")
    if name in SEQUENCES:
        return read_sequences(root / "amazon-crossdomain-seq" / SEQUENCES[name], shops)
    return read_pair(root / "amazon-crossdomain-pairs" / "disencdr", shops)


def fitted(dataset: Dataset, split: Split, changes: Sequence[str]) -> tuple[dict[str, Scorer], Any]:
    """Scorers by name and the ensemble that they are of."""
    from trefoil.fusion.recommender import Recommender
    from trefoil.fusion.settings import load_settings

    model = Recommender(load_settings(None, changes=list(changes))).fit(dataset, split=split).model
    train = dataset.interactions.take(split.train)
    counted = Popularity.fit(train, len(dataset.users), len(dataset.items))
    blends = {"blend": dataclasses.replace(model, reranker=None), "reranked": model}
    return {"popular items": counted, **model.base_models, **blends}, model


def results(
    dataset: Dataset, split: Split, scorers: Mapping[str, Scorer], part: str
) -> Iterator[tuple[str, str, str, Result]]:
    """Shop, slice, model and result."""
    exam = exam_for(dataset, split, part)
    later = slices_of(dataset, split, exam).get(LATER)
    assert exam.within is not None
    for name, scorer in scorers.items():
        ranks = rank(scorer, exam, 20)
        for code, shop in enumerate(dataset.domains):
            rows = np.flatnonzero(exam.within.of_case == code)
            yield shop, "", name, summarise(name, ranks.of_cases(rows), METRICS)
            if later is not None:
                kept = np.zeros(len(dataset.users), bool)
                kept[later.cut(ranks).user] = True  # one case of each user
                some = rows[kept[exam.cases.user[rows]]]
                yield shop, LATER, name, summarise(name, ranks.of_cases(some), METRICS)


def main(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    dataset = read(args.set, args.data_root)
    split = split_events(dataset, args.seed)
    worlds = {BOTH: (dataset, split)}
    worlds |= {shop: alone(dataset, split, shop) for shop in dataset.domains}
    part = "valid" if args.valid else "test"
    told: dict[str, Any] = {"set": args.set, "seed": args.seed, "part": part}
    told |= {"changes": args.change, "rows": [], "joint against alone": []}
    best: dict[tuple[str, str, str], Result] = {}
    for world in [one for one in worlds if one in (args.only or worlds)]:
        began = time.process_time()
        scorers, model = fitted(*worlds[world], [f"seed={args.seed}", *args.change])
        seconds = time.process_time() - began
        weights = dict(zip(model.gate.base_models, model.gate.warm, strict=True))
        print(f"{args.set}, seed {args.seed}, {part}, {world}: fitted in {seconds:.0f} CPU s")
        for shop, cut, name, result in results(*worlds[world], scorers, part):
            means = result.means()
            best[world, f"{shop} {cut}".strip(), name] = result
            row = {"world": world, "shop": shop, "slice": cut, "model": name, **means}
            row |= {"cases": len(result.users), "weight": weights.get(name)}
            row |= {"alone on validation": model.alone.get(name)}
            told["rows"].append(row)
            values = " ".join(f"{key} {means[key]:.4f}" for key in METRICS)
            weight = f"{weights[name]:6.3f}" if name in weights else " " * 6
            print(f"  {shop:12}{cut:10} {name:18} {weight} {values} n {row['cases']}", flush=True)
        told[f"CPU seconds {world}"] = seconds
        told[f"chosen {world}"] = model.record.chosen
        told[f"seconds {world}"] = model.record.seconds
        told[f"gate {world}"] = model.record.gate
    for (world, shop, name), single in best.items():
        one = best.get((BOTH, shop, name))
        if world == BOTH or one is None or shop.endswith(LATER):  # there cases differ
            continue
        both = compare(
            BOTH, world, "ndcg@10", [one.users],
            [one.per_case["ndcg@10"]], [single.per_case["ndcg@10"]],
        )  # fmt: skip
        print(f"  {shop}, {name}: {both}")
        told["joint against alone"].append({"shop": shop, "model": name, "words": str(both)})
    if args.json:
        args.json.write_text(json.dumps(told, indent=1, default=float), encoding="utf-8")
    return 0


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--set", choices=(*SEQUENCES, *PAIRS), required=True)
    parser.add_argument("--data-root", type=Path, required=True, help="folder of data folders")
    parser.add_argument("--seed", type=int, default=0, help="of draws and models")
    parser.add_argument("--change", action="append", default=[], help="a setting, a.b=value")
    parser.add_argument("--only", action="append", help="joint, or a shop alone; without it all")
    parser.add_argument("--valid", action="store_true", help="rank validation; no test part")
    parser.add_argument("--json", type=Path, help="a file for the figures as well")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
