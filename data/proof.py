"""What can be said for a split, measured on the split itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.dataset import SplitRule
from data.errors import SplitError
from data.interactions import UNKNOWN_TIME, Interactions, Ints
from data.pairs import known_before

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
    before, ``untimed`` rows left out because nothing says when they happened,
    ``ties`` users for whom file order decided.
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
) -> SplitProof:
    """Measure a split; ``part`` is -1 for rows left out.

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
        late_users = _late_users(events, part, timed)
    shared = int(known_before(events, part).sum())
    proof = SplitProof(
        rule.by, seed, counts[0], counts[1], counts[2], repeats, untimed, ties, shared,
        borders[0], borders[1], borders[2], borders[3], late_rows, late_users,
        statement="",
    )  # fmt: skip
    _refuse(proof, rule)
    object.__setattr__(proof, "statement", _statement(proof))
    return proof


def _end(times: Ints, end: str) -> int | None:
    return int(getattr(times, end)()) if len(times) else None


def _late_users(events: Interactions, part: Ints, timed: np.ndarray) -> int:
    users = int(events.user.max()) + 1
    latest = np.full(users, np.iinfo(np.int64).min)
    first = np.full(users, np.iinfo(np.int64).max)
    train, test = timed & (part == 0), timed & (part == 2)
    assert events.at is not None
    np.maximum.at(latest, events.user[train], events.at[train])
    np.minimum.at(first, events.user[test], events.at[test])
    return int((latest > first).sum())


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
        (proof.untimed, "events were left out because they have no time"),
        (proof.ties, "users have their last events at one time; file order decided"),
    ):
        if count:
            said.append(f"{count:,} {text}.")
    return " ".join(said)


def _moment(seconds: int) -> str:
    return f"{np.datetime64(seconds, 's')}Z"
