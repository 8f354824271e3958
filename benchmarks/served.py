"""Do people get what the exam measured? Metrics from ``recommend_many`` beside those of the exam.

python -m benchmarks.served RUN [--data DIR|NAME] [--data-root DIR]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import polars as pl

from trefoil.data import read_dataset
from trefoil.evaluation.exam import Exam
from trefoil.evaluation.protocols.protocols import exam_for
from trefoil.evaluation.ranking import rank
from trefoil.evaluation.result import PLAIN, deepest, summarise
from trefoil.fusion.features.preparation import split_of
from trefoil.fusion.recommender import Recommender

K = 10


def asked(recommender: Recommender, exam: Exam) -> pl.DataFrame:
    """One row per case: the user's id, and the values of the contexts that the exam names."""
    users, names = recommender.catalogue.users, recommender.catalogue.scenarios
    columns = {
        name: ["" if code < 0 else names[name][code] for code in codes.tolist()]
        for name, codes in exam.cases.scenario.items()
    }
    return pl.DataFrame({"user": [users[row] for row in exam.cases.user.tolist()], **columns})


def means(table: pl.DataFrame, exam: Exam, items: dict[str, int]) -> dict[str, float]:
    """Recall and NDCG at ``K`` of lists that follow one another in order of the cases."""
    case = np.cumsum(table["rank"].to_numpy() == 1) - 1
    relevant = [
        set(part.tolist()) for part in np.split(exam.relevant.item, exam.relevant.start[1:-1])
    ]
    hit = np.array(
        [items[item] in relevant[at] for at, item in zip(case, table["item"], strict=True)]
    )
    gain = hit / np.log2(table["rank"].to_numpy() + 1)
    sizes = np.array([len(one) for one in relevant])
    ideal = np.cumsum(1 / np.log2(np.arange(2, K + 2)))[np.minimum(sizes, K) - 1]
    found = np.bincount(case, hit, len(relevant)), np.bincount(case, gain, len(relevant))
    return {
        "recall@10": float((found[0] / sizes).mean()),
        "ndcg@10": float((found[1] / ideal).mean()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--data")
    parser.add_argument("--data-root", type=Path)
    args = parser.parse_args()
    recommender = Recommender.load(args.run)
    source = args.data or recommender.about["data"]["source"]
    dataset = read_dataset(source, root=args.data_root)
    exam = exam_for(dataset, split_of(dataset, recommender.settings), "test")
    judged = summarise("exam", rank(recommender, exam, deepest(PLAIN)), PLAIN).means()
    table = recommender.recommend_many(asked(recommender, exam), K, before="test")
    rows = {item: row for row, item in enumerate(dataset.items.vocabulary.ids)}
    served = means(table, exam, rows)
    for name, value in served.items():
        print(f"{name}: recommend_many {value:.6f}, exam {judged[name]:.6f}")


if __name__ == "__main__":
    main()
