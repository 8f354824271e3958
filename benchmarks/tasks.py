"""What tasks give each other: ``python -m benchmarks.tasks --set movielens-100k``.

Trains the joint network alone (no other base model, no order): ranking, category and
rating together, by every weighting and trunk, and each task alone. Each training stops
at the best look at validation, which for a single task is the mark of that task. Printed
are the marks on the test part: NDCG@10 of the network, cross-entropy of the categories of
what was taken, and the root of the mean squared error of ratings, with processor seconds.
"""

from __future__ import annotations

import argparse
import copy
import json
import resource
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.sets import SETS
from trefoil.data import Dataset, Split, read_dataset
from trefoil.data.split import split_events
from trefoil.evaluation.exam import Exam
from trefoil.evaluation.protocols.pointwise_exam import RowExam, stars_exam, stars_result
from trefoil.evaluation.protocols.protocols import full_exam
from trefoil.fusion.features.preparation import known_of, read_texts
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.features.validation import Validation
from trefoil.fusion.network.inputs import TrainingInputs, network_inputs_of, training_inputs_of
from trefoil.fusion.network.module import JointNetwork
from trefoil.fusion.network.scorers import NetworkScorer, order_scores
from trefoil.fusion.network.tasks.categories import Category
from trefoil.fusion.network.trainer import Trainer
from trefoil.fusion.network.training import config_of
from trefoil.fusion.record import Record
from trefoil.fusion.settings import Settings, load_settings
from trefoil.kg.construction.build import build

CPU = torch.device("cpu")
TASKS = ("ranking", "category", "rating")
ALWAYS = ("threads=1", "behaviour.on=false", "network.seeds=1")
TRUNKS = ("none", "shared_bottom", "mmoe", "ple")


@dataclass(frozen=True)
class World:
    """One draw of a set, ready for trainings that differ in tasks alone."""

    dataset: Dataset
    split: Split
    known: TrainingData
    validation: Validation
    ratings: RowExam

    @classmethod
    def of(cls, name: str, root: Path | None, draw: int, settings: Settings) -> World:
        bench = SETS[name]
        dataset = read_dataset(bench.source, root=root)
        split = split_events(dataset, draw, bench.rule)
        train = dataset.interactions.take(split.train)
        texts = read_texts(dataset, settings, CPU, None, Record(), None)
        graph = build(dataset, split.train)
        known = known_of(dataset, train, graph, texts, settings, returning=False)
        seen = known.seen_items()
        validation = Validation.of(full_exam(dataset, split, "valid"), seen)
        return cls(dataset, split, known, validation, stars_exam(dataset, split, "valid"))


def fitted(
    world: World, settings: Settings, only: str | None = None
) -> tuple[JointNetwork, float, dict[str, float]]:
    """A trained network, the processor seconds it took, and its marks on validation."""
    began = _seconds()
    train = world.dataset.interactions.take(world.split.train)
    inputs = training_inputs_of(world.dataset, train, world.known, settings, behaviour=False)
    kept = [one for one in inputs.tasks if one.task.name in (TASKS if only is None else (only,))]
    inputs = replace(inputs, tasks=tuple(kept))
    torch.manual_seed(settings.seed)
    generator = torch.Generator().manual_seed(settings.seed)
    config = config_of(settings, inputs, behaviour=False)
    network = JointNetwork(network_inputs_of(world.known, inputs, settings), config)
    inputs.start(network)
    rng = np.random.default_rng(settings.seed)
    trainer = Trainer(network, inputs, settings, generator, rng, CPU)
    stopping = trainer.learning.stopping["ranking"]
    mark = only or "ranking"
    best: dict[str, float] = {}
    for _ in trainer.rounds():
        averaged = trainer.learning.averaged
        marks = _validated(world, averaged, inputs)
        before = stopping.best
        stopping.look(marks[mark] if mark == "ranking" else 1 / marks[mark])
        best = marks if stopping.best > before else best
    stopping.restore()
    done = trainer.learning.averaged
    inputs.finish(done)
    return done.eval(), _seconds() - began, best


def _validated(world: World, network: JointNetwork, inputs: TrainingInputs) -> dict[str, float]:
    """Marks on validation: NDCG@10, cross-entropy, and root mean squared error."""
    plain = copy.deepcopy(network)
    inputs.finish(plain)
    ranked = world.validation.ndcg(order_scores(plain, world.validation.cases))
    told = _told(world, plain, full_exam(world.dataset, world.split, "valid"))
    return {"ranking": ranked, **told, **_rated(plain, world.ratings)}


def judged(world: World, network: JointNetwork) -> dict[str, float]:
    """The same on the test part."""
    exam = full_exam(world.dataset, world.split, "test")
    dense = Validation.of(replace(exam, part="valid"), world.validation.seen)
    ranked = dense.ndcg(order_scores(network, exam.cases))
    told = _told(world, network, exam)
    rated = _rated(network, stars_exam(world.dataset, world.split, "test"))
    return {"ranking": ranked, **told, **rated}


def _told(world: World, network: JointNetwork, exam: Exam) -> dict[str, float]:
    mark = Category().mark([network], exam, world.dataset.items)
    return {} if mark is None else {Category.name: mark}


def _rated(network: JointNetwork, exam: RowExam) -> dict[str, float]:
    if network.rating_head is None:
        return {}
    return {"rating": stars_result(NetworkScorer([network]), exam)["rmse"]}


def plans(which: Sequence[str]) -> dict[str, tuple[tuple[str, ...], str | None]]:
    """Rows of the table: changes of settings, and the only task where there is one."""
    found: dict[str, tuple[tuple[str, ...], str | None]] = {}
    for one in which:
        if one in TASKS:
            found[f"{one} alone"] = ((), one)
        else:
            weighting, _, trunk = one.partition("+")
            changes = (f"tasks.weighting={weighting}", f"tasks.trunk={trunk or 'none'}")
            found[one] = (changes, None)
    return found


def _seconds() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--set", default="movielens-100k", help="set of benchmarks.sets")
    parser.add_argument("--data-root", type=Path, help="folder of the set")
    parser.add_argument("--draws", type=int, nargs="+", default=[0], help="splits and starts")
    parser.add_argument("--rows", nargs="+", default=["static", *TASKS], help="WEIGHTING[+TRUNK]")
    parser.add_argument("--change", action="append", default=[], help="a.b=value")
    parser.add_argument("--json", type=Path, help="file that lines are appended to")
    args = parser.parse_args(argv)
    print(f"{'':26}" + "".join(f"{name:>10}" for name in TASKS) + f"{'CPU s':>8}")
    for draw in args.draws:
        base = load_settings(None, [*ALWAYS, *args.change, f"seed={draw}"])
        world = World.of(args.set, args.data_root, draw, base)
        for name, (changes, only) in plans(args.rows).items():
            settings = load_settings(None, changes, base=base)
            network, seconds, valid = fitted(world, settings, only)
            test = judged(world, network)
            row = {"set": args.set, "draw": draw, "row": name, "valid": valid, "test": test}
            cells = "".join(f"{test.get(t, float('nan')):10.4f}" for t in TASKS)
            print(f"{name:26}{cells}{seconds:8.0f}", flush=True)
            if args.json:
                with args.json.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row | {"seconds": seconds}) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
