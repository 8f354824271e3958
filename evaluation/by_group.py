"""Whom and what an exam serves: exposure and accuracy by group of items and of users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trefoil.data.dataset import Dataset
from trefoil.data.errors import ConfigError
from trefoil.data.interactions import Bools, Ints
from trefoil.data.items import Items
from trefoil.data.split import Split
from trefoil.data.suggest import closest
from trefoil.evaluation.exam import Exam
from trefoil.evaluation.metrics.exposure_metrics import debiased, exposure, propensity_weights
from trefoil.evaluation.metrics.ranking_metrics import PerCase, ndcg
from trefoil.evaluation.ranking import Ranks

K = 10
FEWEST = 20  # cases of a group of users that a mean is told of
MOST = 12  # groups of a column, the largest first
PARTS = ("popular", "middle", "rare")
POWER = 0.5  # of training events, to which an item is taken to be observed
Told = Mapping[str, Mapping[str, Mapping[str, float]]]  # group -> model -> numbers


@dataclass(frozen=True)
class Grouping:
    """Groups of all items, or of the cases of an exam; they may overlap."""

    name: str
    of_items: bool
    members: Mapping[str, Bools]


def by_group(
    ranks: Mapping[str, Ranks],
    dataset: Dataset,
    split: Split,
    exam: Exam,
    columns: Sequence[str] = (),
) -> dict[str, Told]:
    """Per grouping, group and model, how much is shown of a group or how well it is served.

    Groups of items have ``catalogue`` (share of all items), ``events`` (of training),
    ``wanted`` (of what is held out), ``exposure@10`` (see ``exposure``) and ``ndcg@10`` with
    these items alone relevant. Groups of users have ``cases`` and ``ndcg@10``.
    """
    check_columns(dataset, columns)
    met = _met(dataset, split)
    found = {}
    for one in groupings(dataset, split, exam, columns):
        tell = _of_items if one.of_items else _of_users
        told = {
            group: {model: tell(own, rows, met) for model, own in ranks.items()}
            for group, rows in one.members.items()
        }
        found[one.name] = told
    return found


def without_popularity(
    ranks: Mapping[str, Ranks], dataset: Dataset, split: Split, power: float = POWER
) -> dict[str, dict[str, float]]:
    """Per model, accuracy with pairs weighed against popularity, see ``debiased``."""
    weights = propensity_weights(_met(dataset, split), power)
    return {
        model: {
            (name if name == "effective-pairs" else f"{name}@{K}"): value
            for name, value in debiased(own, K, weights).items()
        }
        for model, own in ranks.items()
    }


def groupings(
    dataset: Dataset, split: Split, exam: Exam, columns: Sequence[str] = ()
) -> list[Grouping]:
    """Items by popularity, users by their events, and what the columns say of either.

    Popular items are the most met that together hold a third of the training events,
    rare ones the least met that do. Users are divided in thirds of the cases by the
    length of their history; cases as long as a border stand below it. A category gives a
    group for each of its commonest values, a number thirds of those who have one.
    """
    popularity = popularity_parts(_met(dataset, split))
    lengths = exam.cases.history.lengths.astype(np.float64)
    found = [
        Grouping("items by popularity", True, popularity),
        _users("users by events", _thirds(lengths)),
    ]
    for column in columns:
        found += _column(dataset, exam, column)
    return [one for one in found if len(one.members) > 1]


def check_columns(dataset: Dataset, columns: Sequence[str]) -> None:
    """Raises ConfigError for a column that neither items nor users have."""
    names = [one for t in (dataset.items, dataset.users) for one in (*t.category, *t.score)]
    for column in columns:
        if column not in names:
            near = closest(column, dict.fromkeys(names), limit=9)
            raise ConfigError(f"--groups {column!r}: {near}")


def _column(dataset: Dataset, exam: Exam, column: str) -> list[Grouping]:
    """Groups by a column of the items, or of the users, or both."""
    found = []
    of_items = _values(dataset.items, column)
    if of_items is not None:
        found.append(Grouping(f"items by {column}", True, of_items))
    of_users = _values(dataset.users, column)
    if of_users is not None:
        asked = {name: rows[exam.cases.user] for name, rows in of_users.items()}
        found.append(_users(f"users by {column}", asked))
    return found


def _values(table: Items, column: str) -> dict[str, Bools] | None:
    if column in table.category:
        labels = table.category[column]
        row = np.repeat(np.arange(len(table)), np.diff(labels.start))
        count = np.bincount(labels.codes, minlength=len(labels.names))
        groups = {}
        for code in np.argsort(-count, kind="stable")[:MOST].tolist():
            groups[labels.names[code]] = np.zeros(len(table), bool)
            groups[labels.names[code]][row[labels.codes == code]] = True
        return groups
    if column in table.score:
        return _thirds(np.asarray(table.score[column], np.float64))
    return None


def _users(name: str, members: Mapping[str, Bools]) -> Grouping:
    return Grouping(
        name, False, {one: rows for one, rows in members.items() if rows.sum() >= FEWEST}
    )


def _thirds(values: PerCase) -> dict[str, Bools]:
    """Three groups of those who have a value, named by their borders; fewer where values tie."""
    known = np.isfinite(values)
    if not known.any():
        return {}
    low, high = np.quantile(values[known], [1 / 3, 2 / 3], method="lower")
    groups = {
        f"up to {low:g}": known & (values <= low),
        f"up to {high:g}": known & (values > low) & (values <= high),
        f"above {high:g}": known & (values > high),
    }
    return {name: rows for name, rows in groups.items() if rows.any()}


def popularity_parts(counts: Ints) -> dict[str, Bools]:
    """Popular, middle and rare items: parts that hold a third of the events each."""
    order = np.argsort(-counts, kind="stable")
    before = np.cumsum(counts[order]) - counts[order]
    part = np.minimum(3 * before // max(int(counts.sum()), 1), 2)
    parts = {name: np.zeros(len(counts), bool) for name in PARTS}
    for number, mask in enumerate(parts.values()):
        mask[order[part == number]] = True
    return parts


def _met(dataset: Dataset, split: Split) -> Ints:
    """Positive training events of each item."""
    train = dataset.interactions.take(split.train)
    return np.bincount(train.item[train.positive], minlength=len(dataset.items))


def _of_items(ranks: Ranks, group: Bools, met: Ints) -> dict[str, float]:
    own = ranks.of_items(group)
    wanted = ranks.relevant.item
    return {
        "catalogue": float(group.mean()),
        "events": float(met[group].sum() / max(met.sum(), 1)),
        "wanted": float(group[wanted].mean()) if len(wanted) else float("nan"),
        f"exposure@{K}": exposure(ranks, K, group),
        f"ndcg@{K}": float(ndcg(own, K).mean()) if len(own) else float("nan"),
    }


def _of_users(ranks: Ranks, group: Bools, met: Ints) -> dict[str, float]:
    del met
    own = ranks.of_cases(np.flatnonzero(group))
    return {"cases": float(len(own)), f"ndcg@{K}": float(ndcg(own, K).mean())}
