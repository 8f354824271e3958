"""Texts with classes beside recommendations: ``python -m benchmarks.corpora --set scientific``.

The corpus are the texts of a shop's items, each with the rarest of its categories as class; a
tenth of the texts are kept aside, and the items that they are of keep their texts in the shop.
The network is trained three times with the same draws: on both, on the shop alone and on the
corpus alone, each until its own best look at validation (of the corpus a tenth of its texts).
Printed are NDCG@10 of the network on the test part, the accuracy of classes of the texts kept
aside, and CPU seconds.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import torch

from benchmarks.new_shop import read_scientific
from benchmarks.sequences import BEAUTY
from trefoil.data import Categorical, Dataset, Split, read_dataset, split_events
from trefoil.data.compression import read_bytes
from trefoil.data.corpus import Corpus
from trefoil.data.items import Labels
from trefoil.data.readers.columns import labels
from trefoil.data.readers.tables import delimited_table
from trefoil.evaluation.protocols.protocols import full_exam
from trefoil.evaluation.ranking import rank
from trefoil.evaluation.result import summarise
from trefoil.fusion.features.corpus import CorpusTexts, corpus_texts
from trefoil.fusion.features.preparation import known_of, read_texts
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.features.validation import Validation
from trefoil.fusion.network.inputs import network_inputs_of, training_inputs_of
from trefoil.fusion.network.module import JointNetwork
from trefoil.fusion.network.naming import own
from trefoil.fusion.network.scorers import NetworkScorer, order_scores
from trefoil.fusion.network.tasks.corpus import read_corpus
from trefoil.fusion.network.trainer import Trainer
from trefoil.fusion.network.training import config_of
from trefoil.fusion.record import Record
from trefoil.fusion.settings import load_settings
from trefoil.kg.construction.build import build

CPU = torch.device("cpu")
RANKING, CORPUS = "ranking", "corpus_class"
WORLDS = {"both": (RANKING, CORPUS), "shop alone": (RANKING,), "corpus alone": (CORPUS,)}
ALWAYS = ("threads=1", "behaviour.on=false", "graph.on=false", "tasks.category=0")


def read(name: str, root: Path) -> tuple[Dataset, Labels]:
    """A shop, and the categories of its items."""
    if name == "scientific":
        dataset = read_scientific(root)
        return dataset, dataset.items.category["categories"]
    dataset = read_dataset(BEAUTY, root=root)
    place = BEAUTY.root(root) / "items.tsv.gz"
    table = delimited_table(read_bytes(place), str(place), "\t").frame
    told = dict(zip(table["id"], table["categories"], strict=True))
    cells = pl.Series([told[one] for one in dataset.items.vocabulary.ids], dtype=pl.String)
    return dataset, labels(cells, "|", np.arange(len(cells)), len(cells))


def corpus_of(dataset: Dataset, filed: Labels, seed: int) -> tuple[Corpus, Corpus, Corpus]:
    """Texts with classes to learn from, to choose by and to judge by."""
    member = filed.matrix()
    count = member.sum(0)
    kept = np.flatnonzero(
        member.any(1) & np.array([one is not None for one in dataset.items.texts])
    )
    rarest = np.where(member[kept], count, np.iinfo(np.int64).max).argmin(1)
    texts = tuple(dataset.items.texts[row] or "" for row in kept)
    whole = Corpus(texts, Categorical(rarest, filed.names))
    order = np.random.default_rng(seed).permutation(len(whole))
    tenth = len(whole) // 10
    parts = order[2 * tenth :], order[tenth : 2 * tenth], order[:tenth]
    learn, choose, judge = (whole.take(np.sort(part)) for part in parts)
    return learn, choose, judge


@dataclass(frozen=True)
class World:
    """A shop and its corpus, ready for trainings that differ in tasks alone."""

    dataset: Dataset
    filed: Labels
    seed: int
    changes: tuple[str, ...]

    def trained(self) -> None:
        """Train by each list of tasks, and print what came of it."""
        settings = load_settings(None, [*ALWAYS, f"seed={self.seed}", *self.changes])
        learn, choose, judge = corpus_of(self.dataset, self.filed, self.seed)
        dataset, split = replace(self.dataset, corpus=learn), split_events(self.dataset, 0)
        train = dataset.interactions.take(split.train)
        texts = read_texts(dataset, settings, CPU, None, Record(), None)
        graph = build(dataset, split.train)
        known = known_of(dataset, train, graph, texts, settings, returning=False)
        seen = known.seen_items()
        validation = Validation.of(full_exam(dataset, split, "valid"), seen)
        held = corpus_texts(choose, texts), corpus_texts(judge, texts)
        names = len(np.unique(learn.classes.codes)) if learn.classes else 0
        print(f"seed {self.seed}: {len(learn)} texts learned from, {names} classes")
        for world, tasks in WORLDS.items():
            print(
                f"  {world:14} {self.one(tasks, dataset, split, known, validation, held)}",
                flush=True,
            )

    def one(
        self,
        tasks: Sequence[str],
        dataset: Dataset,
        split: Split,
        known: TrainingData,
        validation: Validation,
        held: Sequence[CorpusTexts | None],
    ) -> str:
        """What came of a training by some of the tasks; ``held`` texts choose and judge."""
        settings = load_settings(None, [*ALWAYS, f"seed={self.seed}", *self.changes])
        began = time.process_time()
        train = dataset.interactions.take(split.train)
        inputs = training_inputs_of(dataset, train, known, settings, behaviour=False)
        chosen = tuple(one for one in inputs.tasks if one.task.name in tasks)
        inputs = replace(inputs, tasks=chosen)
        torch.manual_seed(self.seed)
        generator = torch.Generator().manual_seed(self.seed)
        config = config_of(settings, inputs, behaviour=False)
        network = JointNetwork(network_inputs_of(known, inputs, settings), config)
        rng = np.random.default_rng(self.seed)
        trainer = Trainer(network, inputs, settings, generator, rng, CPU)
        best = {name: (-1.0, copy.deepcopy(network)) for name in tasks}
        for _ in trainer.rounds():
            now = trainer.learning.averaged
            marks = {}
            if RANKING in tasks:
                marks[RANKING] = validation.ndcg(order_scores(now, validation.cases))
            if CORPUS in tasks:
                marks[CORPUS] = accuracy(now, held[0])
            trainer.learning.stopping[RANKING].look(sum(marks.values()))
            for name, mark in marks.items():
                if mark > best[name][0]:
                    best[name] = mark, copy.deepcopy(now)
        said = f"{time.process_time() - began:6.0f} CPU s, {trainer.learning.epoch:3} epochs"
        if RANKING in tasks:
            ranks = rank(NetworkScorer([best[RANKING][1]]), full_exam(dataset, split, "test"), 10)
            means = summarise("network", ranks, ("recall@10", "ndcg@10")).means()
            said += f"  HR@10 {means['recall@10']:.4f} NDCG@10 {means['ndcg@10']:.4f}"
        if CORPUS in tasks:
            said += f"  accuracy {accuracy(best[CORPUS][1], held[1]):.4f}"
        return said


@torch.no_grad()
def accuracy(network: JointNetwork, texts: CorpusTexts | None) -> float:
    """Share of texts whose class comes first."""
    assert texts is not None
    assert texts.classes is not None
    told = network.heads[own(CORPUS)](read_corpus(network, CORPUS, texts.text.vectors))
    return float((told.argmax(1) == texts.classes).float().mean())


def main(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    print(args.set)
    World(*read(args.set, args.data_root), args.seed, tuple(args.change)).trained()
    return 0


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--set", choices=("beauty", "scientific"), required=True)
    parser.add_argument("--data-root", type=Path, required=True, help="folder of data folders")
    parser.add_argument("--seed", type=int, default=0, help="of networks and of the texts held")
    parser.add_argument("--change", action="append", default=[], help="a setting, a.b=value")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
