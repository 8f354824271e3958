"""The leak meter: could the order of equal times, or knowledge of the future, make the figures?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from trefoil.data.dataset import Dataset
from trefoil.data.interactions import UNKNOWN_TIME, Bools, Ints
from trefoil.data.order import ascending_ties
from trefoil.data.split import Split
from trefoil.evaluation.exam import Exam, Scorer
from trefoil.evaluation.protocols.protocols import earlier_events, held_out, only_cases
from trefoil.evaluation.ranking import Ranks, rank
from trefoil.evaluation.result import summarise

MEASURED = ("ndcg@10", "recall@10", "hit@10")
MOST_CASES = 2000  # asked again with ties shuffled; more are sampled evenly
NEAR_HALF = 0.1  # a share of ascending neighbours this far from a half is told as a pattern


def leaks(
    scorers: Mapping[str, Scorer],
    dataset: Dataset,
    split: Split,
    exam: Exam | None,
    ranks: Mapping[str, Ranks],
    *,
    seed: int = 0,
) -> dict[str, Any]:
    """The ``leaks`` of an evaluation, and the same in ``words``.

    ``tied_at_split``: users of the test part with a held-out event at the moment
    of one that an earlier part holds. ``tie_order``: how ties lie in the file
    and in the dataset. ``strictly_later``: results on the cases asked at a
    moment after all that the case's history holds. ``ties_shuffled``: results
    where each history has its events of one moment in another order, beside
    the same cases as they are. The last two need an ``exam`` and its ``ranks``.
    """
    told: dict[str, Any] = {
        "untimed": split.proof.untimed,
        "tied_at_split": tied_at_split(dataset, split),
        "tie_order": tie_order(dataset),
    }
    if exam is not None and exam.cases.at is not None:
        later = strictly_later(exam)
        kept = {name: one.of_cases(np.flatnonzero(later)) for name, one in ranks.items()}
        told["strictly_later"] = {
            "cases": int(later.sum()),
            "of": len(exam),
            "results": measured(kept),
        }
        told["ties_shuffled"] = _shuffled(scorers, exam, ranks, seed)
    return told | {"words": in_words(told, next(iter(scorers)))}


def tied_at_split(dataset: Dataset, split: Split) -> dict[str, float | int | None]:
    """Users with a held-out event at the moment of an earlier part's, of all who are asked."""
    held, before = held_out(dataset, split, "test"), earlier_events(dataset, split, "test")
    asked = np.unique(held.user)
    if held.at is None or before.at is None or not len(asked):
        return {"users": 0, "of": len(asked), "share": None}
    moments = np.stack([np.append(held.user, before.user), np.append(held.at, before.at)], 1)
    _, moment = np.unique(moments, axis=0, return_inverse=True)
    moment = moment.ravel()
    tied = np.isin(moment[: len(held)], moment[len(held) :]) & (held.at != UNKNOWN_TIME)
    users = len(np.unique(held.user[tied]))
    return {"users": users, "of": len(asked), "share": users / len(asked)}


def tie_order(dataset: Dataset) -> dict[str, float | int | str | None]:
    """Neighbours in ties, and the share whose item ids ascend: in the file, and as divided."""
    found = dataset.report.file_order
    neighbours, used = ascending_ties(dataset.interactions, dataset.items.vocabulary.ids)
    return {
        "neighbours": neighbours,
        "ascending_in_file": None if found is None else found.ascending,
        "file_sorted": None if found is None else found.sorted_by,
        "ascending_as_divided": used,
    }


def strictly_later(exam: Exam) -> Bools:
    """Cases asked at a known moment after every event of their history whose time is known."""
    history, at = exam.cases.history, exam.cases.at
    assert at is not None
    newest = np.full(len(exam), UNKNOWN_TIME)
    if history.at is not None:
        np.maximum.at(newest, _case(exam), history.at)
    return (at != UNKNOWN_TIME) & (at > newest)


def measured(ranks: Mapping[str, Ranks]) -> dict[str, dict[str, float | None]]:
    """Means by model; None where there is no case."""
    found = {name: summarise(name, one, MEASURED).means() for name, one in ranks.items()}
    return {
        name: {key: value if np.isfinite(value) else None for key, value in means.items()}
        for name, means in found.items()
    }


def _shuffled(
    scorers: Mapping[str, Scorer], exam: Exam, ranks: Mapping[str, Ranks], seed: int
) -> dict[str, Any]:
    """Only cases with a tie in their history are asked again."""
    rows = tied_histories(exam)
    places = np.linspace(0, len(rows) - 1, min(MOST_CASES, len(rows)))
    rows = rows[np.unique(places.astype(np.int64))]
    some = only_cases(exam, rows)
    history = some.cases.history.with_ties_shuffled(np.random.default_rng(seed))
    turned = replace(some, cases=replace(some.cases, history=history))
    again = {name: rank(one, turned, 10, seed=seed) for name, one in scorers.items()}
    return {
        "cases": len(rows),
        "results": measured(again),
        "as_they_are": measured({name: one.of_cases(rows) for name, one in ranks.items()}),
    }


def tied_histories(exam: Exam) -> Ints:
    """The cases with two events of one known moment in their history."""
    history = exam.cases.history
    if history.at is None:
        return np.empty(0, np.int64)
    case = _case(exam)
    tied = (np.diff(case) == 0) & (np.diff(history.at) == 0) & (history.at[1:] != UNKNOWN_TIME)
    return np.unique(case[1:][tied])


def _case(exam: Exam) -> Ints:
    """The case of every event of the histories."""
    return np.repeat(np.arange(len(exam)), exam.cases.history.lengths)


def in_words(told: Mapping[str, Any], ours: str) -> list[str]:
    """The meter as sentences for a terminal."""
    ties, order = told["tied_at_split"], told["tie_order"]
    said = [
        f"{ties['users']:,} of {ties['of']:,} users have a test event at the same moment as an "
        "event of an earlier part."
    ]
    share = order["ascending_in_file"]
    if share is not None:
        chance = order["neighbours"] ** -0.5 if order["neighbours"] else 1  # two standard errors
        follows = abs(share - 0.5) > max(NEAR_HALF, chance)
        said.append(
            f"The file lies {order['file_sorted']}; {share:.0%} of neighbours in ties have "
            f"ascending item ids, which {'is a pattern' if follows else 'is like chance'}; "
            f"as divided {order['ascending_as_divided']:.0%}."
        )
    if told["untimed"]:
        said.append(f"{told['untimed']:,} events have no time: they train and are not held out.")
    if "strictly_later" in told:
        later, shuffled = told["strictly_later"], told["ties_shuffled"]
        said.append(
            f"{later['cases']:,} of {later['of']:,} cases are strictly later than their history; "
            f"on them ndcg@10 of {ours} is {_figure(later['results'][ours])}."
        )
        said.append(
            f"{shuffled['cases']:,} cases have ties in their history; with these shuffled ndcg@10 "
            f"of {ours} on them is {_figure(shuffled['results'][ours])}, as they are "
            f"{_figure(shuffled['as_they_are'][ours])}."
            if shuffled["cases"]
            else "No case has ties in its history."
        )
    return said


def _figure(values: Mapping[str, float | None]) -> str:
    value = values["ndcg@10"]
    return "unknown" if value is None else f"{value:.4f}"
