"""Which questions are asked of a model, of whom, and what must not be answered.

The functions here are, with ``evaluate.py``, the only callers of ``Split.open_test``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from trefoil.data.dataset import Dataset
from trefoil.data.domains import DOMAIN, domain_codes
from trefoil.data.errors import SplitError
from trefoil.data.histories import Cases, Histories
from trefoil.data.interactions import UNKNOWN_TIME, Interactions, Ints
from trefoil.data.split import VALID, Split
from trefoil.evaluation.exam import Exam, Sets, Within
from trefoil.evaluation.protocols.drawn import among_drawn


def exam_for(dataset: Dataset, split: Split, part: str) -> Exam:
    """The exam that judges this dataset: by context where people return in it, else the full one.

    Choices are made on it at validation, and figures are of it at the test.
    """
    if people_return(dataset, split):
        exam = context_exam(dataset, split, part)
    else:
        exam = (domain_exam if dataset.domains else full_exam)(dataset, split, part)
    return among_drawn(exam, split.rule.negatives, split.seed)


def people_return(dataset: Dataset, split: Split) -> bool:
    """Whether held-out events may ask again for an item that was met in another context."""
    again = split.rule.repeats or split.rule.by == "rows"
    return again and bool(dataset.interactions.scenario)


def full_exam(dataset: Dataset, split: Split, part: str) -> Exam:
    """All items ranked for every user with held-out positives, ascending by user row.

    Part "valid" masks training events; "test" masks training and validation
    events, whether positive or not. A held-out item that is masked for its user
    is not asked for, and users left with nothing are left out. Where the rule
    keeps ``repeats``, nothing is masked. History is what the model may read of
    the user: positive training events; where the split follows time the test
    history also holds validation positives, as they are known by then
    (``SplitProof.reads_validation``). ``part`` must be "valid" or "test" (ValueError).
    """
    held = held_out(dataset, split, part)
    return _by_user(dataset, split, part, held.take(held.asked), "full")


def next_exam(dataset: Dataset, split: Split, part: str) -> Exam:
    """Each user's earliest held-out positive event alone; equal times keep the dataset's order.

    With a leave-one-out split this is the full exam. Raises SplitError without times.
    """
    held = held_out(dataset, split, part)
    held = held.take(held.asked)
    if held.at is None or (held.at == UNKNOWN_TIME).any():
        raise SplitError("the protocol 'next' needs a time for every held-out event")
    seen = _pairs(seen_before(dataset, split, part), len(dataset.items))
    new = np.flatnonzero(~np.isin(_pairs(held, len(dataset.items)), seen))
    rows = new[np.lexsort((new, held.at[new], held.user[new]))]
    _, first = np.unique(held.user[rows], return_index=True)
    return _by_user(dataset, split, part, held.take(rows[first]), "next")


def scenario_exams(dataset: Dataset, split: Split, part: str) -> dict[str, Exam]:
    """One full exam per scenario value ("device=phone"), of the events held out there.

    Cases name that value; other scenario columns are -1 (unknown).
    """
    held = held_out(dataset, split, part)
    exams = {}
    for column, values in held.scenario.items():
        for code, value in enumerate(values.names):
            rows = held.asked & (values.codes == code)
            if rows.any():
                there = dict.fromkeys(held.scenario, -1) | {column: code}
                exam = _by_user(dataset, split, part, held.take(rows), "scenario", there)
                exams[f"{column}={value}"] = exam
    return {name: exam for name, exam in exams.items() if len(exam)}


def context_exam(dataset: Dataset, split: Split, part: str) -> Exam:
    """One case per held-out positive event, with its scenario codes and time.

    Masked are the items that the same user met earlier (training; for the test
    also validation) in the same context, that is, with equal codes in all
    scenario columns; the same item in another context may be asked for. Events
    whose own item is masked so are left out. Where the rule keeps repeats nothing is.
    """
    items = len(dataset.items)
    held = held_out(dataset, split, part)
    held = held.take(held.asked)
    seen = seen_before(dataset, split, part)
    group, known = _groups(held, seen)
    fresh = np.flatnonzero(~np.isin(group * items + held.item, known * items + seen.item))
    held, group = held.take(fresh), group[fresh]
    per_group = Sets.of(
        known, seen.item, int(max(group.max(initial=-1), known.max(initial=-1))) + 1
    )
    n = len(held)
    cases = Cases(
        held.user,
        history_before(dataset, split, part).take(held.user),
        held.at,
        {name: column.codes for name, column in held.scenario.items()},
    )
    relevant = Sets(np.arange(n + 1), held.item)
    exam = Exam(cases, relevant, per_group.take(group), items, "context", part)
    return _in_domains(exam, dataset)


def domain_exam(dataset: Dataset, split: Split, part: str) -> Exam:
    """For every user and domain with held-out positives, the items of that domain ranked.

    Cases name their domain as scenario; other scenario columns are -1 (unknown). Histories
    hold events of all domains. Otherwise as ``full_exam``.
    """
    held = held_out(dataset, split, part)
    codes = held.scenario[DOMAIN].codes
    others = dict.fromkeys(held.scenario, -1)
    exams = [
        _by_user(
            dataset,
            split,
            part,
            held.take(held.asked & (codes == code)),
            "domains",
            others | {DOMAIN: code},
        )
        for code in range(len(dataset.domains))
    ]
    return _in_domains(together(exams), dataset)


def together(exams: Sequence[Exam]) -> Exam:
    """Exams of one dataset one after the other."""
    first = exams[0]
    cases = Cases.together([one.cases for one in exams])
    relevant = Sets.together([one.relevant for one in exams])
    masked = Sets.together([one.masked for one in exams])
    return Exam(cases, relevant, masked, first.items, first.protocol, first.part)


def _in_domains(exam: Exam, dataset: Dataset) -> Exam:
    """Only items of the domain of each case are ranked."""
    of_item = domain_codes(dataset.items, dataset.domains)
    if of_item is None:
        return exam
    return replace(exam, within=Within(exam.cases.scenario[DOMAIN], of_item))


def cold_exam(dataset: Dataset, split: Split, part: str, what: str = "items") -> Exam:
    """The full exam where something has no training event.

    "items": only cold items are ranked, for users who want one of them;
    "users": all items, for users without a positive training event;
    "both": cold items for cold users. Raises ValueError for another word.
    """
    if what not in ("items", "users", "both"):
        raise ValueError(f"cold {what!r}; say 'items', 'users' or 'both'")
    train = dataset.interactions.take(split.train)
    exam = (domain_exam if dataset.domains else full_exam)(dataset, split, part)
    candidates = None
    if what != "users":
        candidates = np.bincount(train.item, minlength=exam.items) == 0
        exam = only_items(exam, candidates)
    if what != "items":
        met = np.bincount(train.user[train.positive], minlength=len(dataset.users))
        exam = only_cases(exam, np.flatnonzero(met[exam.cases.user] == 0))
    return replace(exam, protocol=f"cold-{what}", candidates=candidates)


def only_cases(exam: Exam, rows: Ints) -> Exam:
    """The same questions to some cases."""
    return exam.take(rows)


def only_items(exam: Exam, relevant: np.ndarray) -> Exam:
    """Only these items [items, bool] count as relevant; cases that want none are left out."""
    case = np.repeat(np.arange(len(exam)), np.diff(exam.relevant.start))
    kept = relevant[exam.relevant.item]
    sets = Sets.of(case[kept], exam.relevant.item[kept], len(exam))
    narrowed = replace(exam, relevant=sets)
    return only_cases(narrowed, np.flatnonzero(np.diff(sets.start)))


def held_out(dataset: Dataset, split: Split, part: str) -> Interactions:
    """The events a part asks about. Raises ValueError for another part than valid or test."""
    if part not in ("valid", "test"):
        raise ValueError(f"part must be 'valid' or 'test', not {part!r}")
    return dataset.interactions.take(split.valid if part == "valid" else split.open_test())


def seen_before(dataset: Dataset, split: Split, part: str) -> Interactions:
    """The events whose items are not asked for again; none where the rule keeps repeats."""
    if split.rule.repeats and split.rule.by != "rows":
        return dataset.interactions.take(np.empty(0, np.int64))
    return earlier_events(dataset, split, part)


def earlier_events(dataset: Dataset, split: Split, part: str) -> Interactions:
    """The events of all parts before this one, ascending by row."""
    return dataset.interactions.take(_earlier(split, part))


def history_before(dataset: Dataset, split: Split, part: str) -> Histories:
    """Per user row, the positive events a model may read when the part is asked."""
    rows = _earlier(split, part) if split.proof.reads_validation else split.train
    return Histories.of(dataset.interactions.take(rows), len(dataset.users))


def carved(dataset: Dataset, split: Split) -> bool:
    """Whether validation was carved from training events that came with the data."""
    part = dataset.interactions.part
    return split.rule.by == "given" and part is not None and not (part == VALID).any()


def _earlier(split: Split, part: str) -> Ints:
    """Rows of earlier parts, ascending."""
    if part == "valid":
        return split.train
    return np.sort(np.concatenate([split.train, split.valid]))


def _by_user(
    dataset: Dataset,
    split: Split,
    part: str,
    held: Interactions,
    protocol: str,
    scenario: dict[str, int] | None = None,
) -> Exam:
    users, items = len(dataset.users), len(dataset.items)
    seen = seen_before(dataset, split, part)
    pairs = np.unique(_pairs(held, items))
    pairs = pairs[~np.isin(pairs, _pairs(seen, items))]
    asked = np.unique(pairs // items)
    case_of = np.full(users, -1, np.int64)
    case_of[asked] = np.arange(len(asked))
    hidden = case_of[seen.user] >= 0
    cases = Cases(
        asked,
        history_before(dataset, split, part).take(asked),
        _first_time(held, asked, users),
        {name: np.full(len(asked), code) for name, code in (scenario or {}).items()},
    )
    relevant = Sets.of(case_of[pairs // items], pairs % items, len(asked))
    masked = Sets.of(case_of[seen.user[hidden]], seen.item[hidden], len(asked))
    return Exam(cases, relevant, masked, items, protocol, part)


def _pairs(events: Interactions, items: int) -> Ints:
    return events.user * items + events.item


def _first_time(held: Interactions, asked: Ints, users: int) -> Ints | None:
    """The moment of asking: each user's first held-out event; None without times."""
    if held.at is None:
        return None
    at = np.full(users, np.iinfo(np.int64).max)
    np.minimum.at(at, held.user, held.at)
    return at[asked]


def _groups(held: Interactions, seen: Interactions) -> tuple[Ints, Ints]:
    """A number per distinct user and context, for the events of both tables."""
    columns = [np.concatenate([held.user, seen.user])]
    for name, column in held.scenario.items():
        columns.append(np.concatenate([column.codes, seen.scenario[name].codes]))
    _, group = np.unique(np.stack(columns, 1), axis=0, return_inverse=True)
    group = group.ravel().astype(np.int64)
    return group[: len(held)], group[len(held) :]


def hidden_rule(dataset: Dataset, split: Split) -> Literal["hide", "context", "show"]:
    """What of a user's earlier items is no candidate: all, those met in the same context, none."""
    if split.rule.repeats and split.rule.by != "rows":
        return "show"
    return "context" if people_return(dataset, split) else "hide"
