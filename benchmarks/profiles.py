"""What written profiles give: ``python -m benchmarks.profiles --set lastfm --data-root DIR``.

On the two splits of CoLaKG (SIGIR 2025): ``none`` reads no text of items, ``own`` what the set
tells of them, ``large`` what CoLaKG's large model wrote of each in its place, ``dealt`` the same
sentences dealt to other items, ``small`` what the instruct model of ``profiles.model`` writes of
items, ``people`` what it writes of people's taste. Each world is learned with the same settings.
Printed are NDCG@20 and recall@20 of the test part (``--valid``: of validation) over all items,
CPU seconds, and whether a world differs from ``own``, and ``large`` from ``dealt``, by more than
chance over users.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.papers import LASTFM_COLAKG, MOVIELENS_1M_COLAKG, read_map
from trefoil.data import Dataset, read_dataset, split_events
from trefoil.data.compression import read_bytes
from trefoil.evaluation.protocols.protocols import full_exam
from trefoil.evaluation.ranking import rank
from trefoil.evaluation.result import Result, summarise
from trefoil.evaluation.significance import compare
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings

SOURCES = {"lastfm": LASTFM_COLAKG, "movielens-1m": MOVIELENS_1M_COLAKG}
SENTENCES = "llm_response_item.json.gz"
METRICS = ("ndcg@20", "recall@20")
WORLDS: Mapping[str, tuple[str, ...]] = {
    "own": (),
    "none": ("text.on=false",),
    "large": (),
    "dealt": (),
    "small": ("profiles.of=items",),
    "people": ("profiles.of=users",),
}
PAIRS = (*((world, "own") for world in WORLDS if world != "own"), ("large", "dealt"))


def sentences(name: str, root: Path, dataset: Dataset) -> list[str]:
    """What the large model wrote of each item row; empty where it wrote nothing."""
    folder = SOURCES[name].root(root) / "colakg"
    told = json.loads(read_bytes(folder / SENTENCES))
    if name == "lastfm":  # its keys are internal numbers, those of MovieLens the publisher's ids
        ids = read_map(folder / "item_map.txt")
        told = {str(ids[int(number)]): text for number, text in told.items()}
    return [told.get(one, "") for one in dataset.items.vocabulary.ids]


def with_texts(dataset: Dataset, written: Sequence[str]) -> Dataset:
    """The dataset with what was written of an item, where anything was, in place of its text.

    Behind it nothing would be heard: the texts of films alone are as long as is read.
    """
    pairs = zip(dataset.items.texts, written, strict=True)
    texts = tuple(new or old for old, new in pairs)
    return replace(dataset, items=replace(dataset.items, texts=texts))


def world_of(world: str, dataset: Dataset, written: Sequence[str], seed: int) -> Dataset:
    """The dataset as one world reads it."""
    if world not in ("large", "dealt"):
        return dataset
    order = np.arange(len(written))
    if world == "dealt":
        np.random.default_rng(seed).shuffle(order)
    return with_texts(dataset, [written[at] for at in order.tolist()])


def main(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    dataset = read_dataset(SOURCES[args.set], root=args.data_root)
    split = split_events(dataset, args.seed)
    exam = full_exam(dataset, split, "valid" if args.valid else "test")
    written = sentences(args.set, args.data_root, dataset)
    told: dict[str, Any] = {"set": args.set, "seed": args.seed, "part": exam.part}
    told |= {"changes": args.change, "rows": {}, "differences": []}
    many = sum(map(bool, written))
    print(f"{args.set}, seed {args.seed}, {exam.part}: {many:,} items written of")
    found: dict[str, Result] = {}
    for world in args.worlds:
        changes = [f"seed={args.seed}", *args.change, *WORLDS[world]]
        began = time.process_time()
        data = world_of(world, dataset, written, args.seed)
        model = Recommender(load_settings(None, changes=changes)).fit(data, split=split).model
        seconds = time.process_time() - began
        found[world] = summarise(world, rank(model, exam, 20), METRICS)
        means = found[world].means()
        told["rows"][world] = {**means, "CPU seconds": seconds, "gate": model.record.gate}
        values = " ".join(f"{name} {means[name]:.4f}" for name in METRICS)
        print(f"  {world:8} {values}  {seconds:6.0f} CPU s", flush=True)
    for first, second in PAIRS:
        if first in found and second in found:
            one, other = found[first], found[second]
            values = [one.per_case[METRICS[0]]], [other.per_case[METRICS[0]]]
            words = str(compare(first, second, METRICS[0], [one.users], *values))
            told["differences"].append(words)
            print(f"  {words}")
    if args.json:
        args.json.write_text(json.dumps(told, indent=1, default=float), encoding="utf-8")
    return 0


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--set", choices=tuple(SOURCES), required=True)
    parser.add_argument("--data-root", type=Path, required=True, help="folder of data folders")
    parser.add_argument("--worlds", nargs="+", choices=tuple(WORLDS), default=list(WORLDS))
    parser.add_argument("--seed", type=int, default=0, help="of split, deals and models")
    parser.add_argument("--change", action="append", default=[], help="a setting, a.b=value")
    parser.add_argument("--valid", action="store_true", help="rank validation; no test part")
    parser.add_argument("--json", type=Path, help="a file for the figures as well")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
