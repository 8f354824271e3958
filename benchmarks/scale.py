"""How time, memory and quality grow with a shop, beside references in the same run.

python -m benchmarks.scale [--events 10000 100000] [--parts trefoil ials ...] [--set a.b=value]

Every part runs in a process of its own on the same planted shop (``benchmarks.shops``): what
it took of processor and memory is its own. References are tuned on validation; the test part
is read once by each, on the same sample of people.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import sparse

from benchmarks.shops import Shop, write_shop
from trefoil.data import Dataset, Split, read_dataset
from trefoil.data.histories import Cases
from trefoil.data.progress import Progress
from trefoil.evaluation.baselines import ItemNeighbours, Linear
from trefoil.evaluation.exam import Exam, Scorer
from trefoil.evaluation.protocols.protocols import full_exam
from trefoil.evaluation.result import examine
from trefoil.fusion.features.preparation import split_of
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings

JUDGED, CHOSEN_ON = 5_000, 1_000  # people of the test part, and of validation
EASE_ITEMS = 12_000  # beyond, the closed form does not fit in minutes
GRIDS: dict[str, list[dict[str, Any]]] = {
    "ials": [
        {"factors": factors, "regularization": ridge, "alpha": alpha}
        for factors, ridge, alpha in (
            (64, 20.0, 10.0),
            (64, 10.0, 30.0),
            (128, 20.0, 10.0),
            (64, 1.0, 1.0),
        )
    ],
    "item-neighbours": [{"k": 100, "shrink": 0.0}, {"k": 200, "shrink": 5.0}],
    "ease": [{"regularisation": 100.0}, {"regularisation": 500.0}],
}


@dataclass
class Clock:
    """Wall and processor seconds of each step, as its name is said."""

    steps: dict[str, tuple[float, float]] = field(default_factory=dict)
    what: str = ""
    began: tuple[float, float] = (0.0, 0.0)

    def __call__(self, done: int, total: int, what: str) -> None:
        del done, total
        kind = what.partition(":")[0]
        if kind == self.what:
            return
        now = time.perf_counter(), processor_seconds()
        if self.what:
            wall, cpu = self.steps.get(self.what, (0.0, 0.0))
            self.steps[self.what] = wall + now[0] - self.began[0], cpu + now[1] - self.began[1]
        self.what, self.began = kind, now
        print(f"  {what}", file=sys.stderr, flush=True)


def processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


@dataclass(frozen=True)
class FactorsOfImplicit:
    """iALS of the ``implicit`` package; a person's vector is solved from the history."""

    model: Any
    items: int

    @classmethod
    def fit(cls, events: sparse.csr_matrix, **settings: Any) -> FactorsOfImplicit:
        from implicit.als import AlternatingLeastSquares

        model = AlternatingLeastSquares(**settings, random_state=0, num_threads=1)
        model.fit(events, show_progress=False)
        return cls(model, events.shape[1])

    def score(self, cases: Cases) -> torch.Tensor:
        history = cases.history.matrix(self.items).astype(np.float32)
        users = self.model.recalculate_user(np.arange(len(cases)), history)
        return torch.from_numpy(np.asarray(users @ self.model.item_factors.T, np.float32))


def sampled(exam: Exam, most: int) -> Exam:
    """An even sample of the cases."""
    rows = np.unique(np.linspace(0, len(exam) - 1, min(most, len(exam))).astype(np.int64))
    sets = exam.relevant.take(rows), exam.masked.take(rows)
    return Exam(exam.cases.take(rows), *sets, exam.items, exam.protocol, exam.part)


def ndcg(scorer: Scorer, dataset: Dataset, split: Split, part: str) -> float:
    most = JUDGED if part == "test" else CHOSEN_ON
    exam = sampled(full_exam(dataset, split, part), most)
    return examine("", scorer, exam, ["ndcg@10"]).means()["ndcg@10"]


def reference(name: str, dataset: Dataset, split: Split, clock: Progress) -> Scorer:
    """A reference with the settings that serve validation best."""
    train = dataset.interactions.take(split.train)
    users, items = len(dataset.users), len(dataset.items)
    if name == "ials":
        from trefoil.data.histories import Histories

        events = Histories.of(train, users).matrix(items).astype(np.float32)

        def fit(**settings: Any) -> Scorer:
            return FactorsOfImplicit.fit(events, **settings)
    else:
        kind = {"item-neighbours": ItemNeighbours, "ease": Linear}[name]

        def fit(**settings: Any) -> Scorer:
            return kind.fit(train, users, items, **settings)

    best: tuple[float, Scorer] | None = None
    for number, settings in enumerate(GRIDS[name]):
        clock(0, 0, f"fit {number + 1}")
        model = fit(**settings)
        clock(0, 0, "validation")
        mark = ndcg(model, dataset, split, "valid")
        if best is None or mark > best[0]:
            best = mark, model
    assert best is not None
    return best[1]


def ours(folder: Path, changes: Sequence[str], clock: Clock) -> dict[str, Any]:
    """From the files to everybody's top ten in a Parquet file."""
    clock(0, 0, "read")
    dataset = read_dataset(folder)
    settings = load_settings(None, ["threads=1", *changes])
    clock(0, 0, "graph")
    recommender = Recommender(settings).fit(dataset, progress=clock)
    clock(0, 0, "save")
    recommender.save(folder / "run")
    clock(0, 0, "top ten of everybody")
    rows = recommender.recommend_all(folder / "top.parquet", 10)
    clock(0, 0, "end")
    split = split_of(dataset, settings)
    found = {"ndcg": ndcg(recommender, dataset, split, "test"), "rows": rows}
    model = recommender.model
    return found | {"alone": dict(model.alone), "cut": model.record.plan.get("cut")}


def measured(part: str, folder: Path, changes: Sequence[str]) -> dict[str, Any]:
    """One part, in this process."""
    torch.set_num_threads(1)
    clock = Clock()
    if part == "trefoil":
        found = ours(folder, changes, clock)
    else:
        clock(0, 0, "read")
        dataset = read_dataset(folder)
        split = split_of(dataset, load_settings())
        model = reference(part, dataset, split, clock)
        clock(0, 0, "end")
        found = {"ndcg": ndcg(model, dataset, split, "test")}
    wall, cpu = (sum(one[k] for one in clock.steps.values()) for k in (0, 1))
    return found | {"wall_s": wall, "cpu_s": cpu, "peak_gb": peak_gb(), "steps": clock.steps}


def apart(part: str, folder: Path, changes: Sequence[str]) -> dict[str, Any]:
    """One part in a process of its own."""
    out = folder / f"{part}.json"
    command = [sys.executable, "-m", "benchmarks.scale", "--folder", str(folder)]
    command += ["--parts", part, "--json", str(out)]
    for change in changes:
        command += ["--set", change]
    subprocess.run(command, check=True)
    return json.loads(out.read_text("utf-8"))


def told(events: int, found: dict[str, dict[str, Any]]) -> Iterable[str]:
    """Lines of one shop; ratios are to the first part."""
    first = next(iter(found.values()))
    yield f"{events:,} events"
    for part, one in found.items():
        ratios = [one[key] / max(first[key], 1e-9) for key in ("cpu_s", "peak_gb", "ndcg")]
        yield (
            f"  {part:16} cpu {one['cpu_s']:8.1f} s ({ratios[0]:.2f})  peak {one['peak_gb']:5.2f}"
            f" GB ({ratios[1]:.2f})  NDCG@10 {one['ndcg']:.4f} ({ratios[2]:.2f})"
        )
        for name, (wall, cpu) in one["steps"].items():
            yield f"      {name:34} wall {wall:8.2f} s  cpu {cpu:8.2f} s"


def grown(all_found: dict[int, dict[str, dict[str, Any]]]) -> Iterable[str]:
    """From each size to the next: how many times the time and the memory."""
    sizes = sorted(all_found)
    for less, more in pairwise(sizes):
        for part in all_found[less].keys() & all_found[more].keys():
            before, after = all_found[less][part], all_found[more][part]
            cpu, memory = (after[key] / before[key] for key in ("cpu_s", "peak_gb"))
            yield f"{part}: {less:,} to {more:,} events: cpu x {cpu:.1f}, memory x {memory:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--events", type=int, nargs="+", default=[10_000, 100_000])
    parts = ["trefoil", "ials", "item-neighbours", "ease"]
    parser.add_argument("--parts", nargs="+", default=parts, choices=parts)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--no-texts", action="store_true")
    parser.add_argument("--folder", type=Path, help="one shop that is there already")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    if "ials" in args.parts and find_spec("implicit") is None:
        parser.error("ials needs implicit: pip install 'trefoil[scale]', or name other --parts")
    show: Callable[[str], None] = print
    if args.folder is not None:
        found = measured(args.parts[0], args.folder, args.set)
        text = json.dumps(found, indent=1)
        if args.json is not None:
            args.json.write_text(text, "utf-8")
        else:
            show(text)
        return
    everything = {}
    for events in args.events:
        shop = Shop.of(events)
        fitting = [one for one in args.parts if one != "ease" or shop.items <= EASE_ITEMS]
        with tempfile.TemporaryDirectory() as place:
            folder = write_shop(Path(place), shop, texts=not args.no_texts)
            everything[events] = {one: apart(one, folder, args.set) for one in fitting}
        for line in told(events, everything[events]):
            show(line)
    for line in grown(everything):
        show(line)
    if args.json is not None:
        args.json.write_text(json.dumps(everything, indent=1), "utf-8")


if __name__ == "__main__":
    main()
