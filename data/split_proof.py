"""What can be said for a split, measured on the split itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trefoil.data.dataset import SplitRule
from trefoil.data.errors import SplitError
from trefoil.data.interactions import UNKNOWN_TIME, Bools, Interactions, Ints
from trefoil.data.pairs import distinct_pairs, known_before

MAY_FOLLOW_TIME = ("time", "leave-one-out", "given")  # not by luck, as a random split may
_BY = {
    "time": "by time, one border for everybody",
    "ratio": "by ratio, each user's distinct positive pairs at random",
    "leave-one-out": "each user's last positive event, the one before for validation",
    "given": "as given with the data",
    "rows": "by rows, events at random",
}


@dataclass(frozen=True)
class SplitProof:
    """Counts and borders of a split; times are UTC seconds, None without times.

    ``late_rows`` are training rows later than the first test row of anyone,
    ``late_users`` users with a training row later than one of their own test
    rows. ``repeats`` are held-out rows left out because their pair was known
    before, ``untimed`` rows that train although nothing says when they happened,
    ``ties`` users whose last events share one time. ``in_time``: of no user is
    an event of one part later than one of the next. ``reads_validation``: at the
    test, validation events are history. ``lacks`` says in words which part has
    nothing to ask.
    """

    by: str
    seed: int
    train: int
    valid: int
    test: int
    repeats: int
    untimed: int
    ties: int
    shared_pairs: int
    train_until: int | None
    valid_from: int | None
    valid_until: int | None
    test_from: int | None
    late_rows: int | None
    late_users: int | None
    in_time: bool
    reads_validation: bool
    lacks: tuple[str, ...]
    statement: str


def prove(
    events: Interactions,
    part: Ints,
    rule: SplitRule,
    *,
    seed: int,
    ties: int,
    repeats: int,
    untimed: int,
    carved: bool = False,
) -> SplitProof:
    """Measure a split; ``part`` is -1 for rows left out.

    ``carved`` says that validation was drawn from training events that came
    with the data.

    Raises SplitError where the split breaks its own rule.
    """
    counts = [int((part == one).sum()) for one in (0, 1, 2)]
    if not counts[0]:
        raise SplitError("the split leaves nothing to train on; lower valid and test")
    at = events.at
    borders: list[int | None] = [None] * 4
    late_rows = late_users = None
    if at is not None:
        timed = at != UNKNOWN_TIME
        train, valid, test = (at[timed & (part == one)] for one in (0, 1, 2))
        borders = [_end(train, "max"), _end(valid, "min"), _end(valid, "max"), _end(test, "min")]
        late_rows = int((train > test.min()).sum()) if len(test) else 0
        late_users = _late_users(events, part == 0, part == 2)
    in_time = _in_time(events, part)
    shared = int(known_before(events, part).sum())
    proof = SplitProof(
        rule.by, seed, counts[0], counts[1], counts[2], repeats, untimed, ties, shared,
        borders[0], borders[1], borders[2], borders[3], late_rows, late_users, in_time,
        reads_validation=carved or (in_time and rule.by in MAY_FOLLOW_TIME),
        lacks=_lacks(events, part, rule),
        statement="",
    )  # fmt: skip
    _refuse(proof, rule)
    object.__setattr__(proof, "statement", _statement(proof))
    return proof


def _end(times: Ints, end: str) -> int | None:
    return int(getattr(times, end)()) if len(times) else None


def _late_users(events: Interactions, before: Bools, after: Bools) -> int:
    """Users with an event among ``before`` that is later than one of theirs among ``after``."""
    users = int(events.user.max()) + 1
    latest = np.full(users, np.iinfo(np.int64).min)
    first = np.full(users, np.iinfo(np.int64).max)
    assert events.at is not None
    timed = events.at != UNKNOWN_TIME
    before, after = before & timed, after & timed
    np.maximum.at(latest, events.user[before], events.at[before])
    np.minimum.at(first, events.user[after], events.at[after])
    return int((latest > first).sum())


def _in_time(events: Interactions, part: Ints) -> bool:
    """Whether every user's parts follow one another, ties allowed; no where times are missing."""
    if events.at is None or (events.at[part > 0] == UNKNOWN_TIME).any():
        return False
    return not (
        _late_users(events, part == 0, part > 0) or _late_users(events, part == 1, part == 2)
    )


def _lacks(events: Interactions, part: Ints, rule: SplitRule) -> tuple[str, ...]:
    """A sentence for each held-out part without a positive event, with cause and remedy."""
    positive, n = int(events.asked.sum()), len(events)
    if not positive:
        return (f"0 of {n:,} events are positives, so nothing can be asked: lower positive_from",)
    user = distinct_pairs(events.take(events.asked))[0]
    most = int(np.bincount(user).max())
    cause = f"{len(np.unique(user)):,} users have at most {most} distinct positive item(s) each"
    return tuple(
        f"the split by {rule.by} leaves no {name} event: {cause}; add events, raise the shares "
        "of valid and test, or split by another rule"
        for name, one in (("validation", 1), ("test", 2))
        if not (events.asked & (part == one)).any()
    )


def _refuse(proof: SplitProof, rule: SplitRule) -> None:
    if rule.by == "time":
        ends = [proof.train_until, proof.valid_from, proof.valid_until, proof.test_from]
        known = [end for end in ends if end is not None]
        if proof.late_rows or known != sorted(known):
            raise SplitError(
                f"{proof.late_rows} training events are later than the first test event"
            )
    if rule.by == "leave-one-out" and proof.late_users:
        raise SplitError(f"{proof.late_users} users train on events later than their test event")
    if rule.by != "rows" and not rule.repeats and proof.shared_pairs:
        raise SplitError(f"{proof.shared_pairs} held-out pairs are known from an earlier part")


def _statement(proof: SplitProof) -> str:
    said = [
        f"Split {_BY[proof.by]} (seed {proof.seed}): {proof.train:,} train, {proof.valid:,} "
        f"validation, {proof.test:,} test events."
    ]
    if proof.train_until is not None and proof.test_from is not None:
        said.append(
            f"Training ends {_moment(proof.train_until)}, testing begins "
            f"{_moment(proof.test_from)}; {proof.late_rows:,} training events are later than the "
            f"first test event, {proof.late_users:,} users train on events later than a test event "
            "of their own."
        )
    else:
        said.append("Without times, order cannot be checked.")
    if proof.shared_pairs:
        said.append(f"{proof.shared_pairs:,} held-out pairs are also known from an earlier part.")
    else:
        said.append("No held-out pair is known from an earlier part.")
    for count, text in (
        (proof.repeats, "held-out events were left out because their pair was known"),
        (proof.untimed, "events have no time; they train and are never held out"),
        (proof.ties, "users have their last events at one time; a hash of content decided"),
    ):
        if count:
            said.append(f"{count:,} {text}.")
    said.append(f"At the test a history holds {histories_hold(proof)} events.")
    return " ".join(said)


def histories_hold(proof: SplitProof) -> str:
    """Of which parts a history is made when the test is asked."""
    return "training and validation" if proof.reads_validation else "training"


def _moment(seconds: int) -> str:
    return f"{np.datetime64(seconds, 's')}Z"
