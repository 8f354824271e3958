"""Which events train, which choose, which judge, with proof that nothing leaks back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from trefoil.data.dataset import Dataset, SplitRule
from trefoil.data.errors import SplitError
from trefoil.data.fingerprint import split_digest
from trefoil.data.interactions import UNKNOWN_TIME, Bools, Interactions, Ints
from trefoil.data.pairs import distinct_pairs, known_before
from trefoil.data.split_proof import SplitProof, histories_hold, prove

LEFT_OUT, TRAIN, VALID, TEST = -1, 0, 1, 2
IN_TIME = ("time", "leave-one-out")  # rules that ask for times


@dataclass(frozen=True)
class Split:
    """Rows of events by purpose, ascending. The test rows have to be asked for.

    ``digest`` is a SHA-256 of which events are in which part.
    """

    train: Ints
    valid: Ints
    proof: SplitProof
    rule: SplitRule
    seed: int
    digest: str
    _test: Ints = field(repr=False)

    def open_test(self) -> Ints:
        """The rows that judge. Only ``evaluate.py`` and the evaluation package may call this."""
        return self._test

    def among(self, kept: Bools, events: Interactions) -> Split:
        """The same parts of the events that are ``kept`` [all events]; ``events`` are those."""
        place = np.cumsum(kept) - 1
        train, valid, test = (place[r[kept[r]]] for r in (self.train, self.valid, self._test))
        part = np.full(len(events), LEFT_OUT)
        part[train], part[valid], part[test] = TRAIN, VALID, TEST
        digest = split_digest(events, part)
        return replace(self, train=train, valid=valid, digest=digest, _test=test)

    def about(self, dataset: Dataset) -> dict[str, str | int]:
        """Of which data, which events train and choose, and what a history holds at the test."""
        return {
            "name": dataset.name,
            "fingerprint": dataset.fingerprint,
            "users": len(dataset.users),
            "items": len(dataset.items),
            "train": len(self.train),
            "valid": len(self.valid),
            "split": self.digest,
            "history": histories_hold(self.proof),
        }


def split_events(dataset: Dataset, seed: int, rule: SplitRule | None = None) -> Split:
    """Divide the events of a dataset; the same seed gives the same parts.

    ``rule`` replaces the dataset's own. By ``time``: one border for everybody,
    so that no training event is later than any held-out one. By ``ratio``:
    each user's distinct positive pairs at random. ``leave-one-out``: each
    user's last positive event judges and the one before it chooses; equal times
    keep the order of the dataset, which content decides. ``given``: the
    part that came with each event; if no validation came, it is carved from
    training by ratio. ``rows``: events at random, whoever they belong to. Events
    without a time train where the rule asks for times. Raises SplitError where
    that is impossible.
    """
    rule = SplitRule.checked(Dataset.checked(dataset).rule if rule is None else rule)
    events = dataset.interactions
    rng = np.random.default_rng(seed)
    ties = 0
    if rule.by == "time":
        part = _by_time(events, rule)
    elif rule.by == "leave-one-out":
        part, ties = _leave_one_out(events)
    elif rule.by == "given":
        part = _given(events, rule, rng)
    elif rule.by == "rows":
        part = _by_rows(events, rule, rng)
    else:
        part = _by_ratio(events, rule, rng)
    untimed, dropped = _untimed(events) if rule.by in IN_TIME else 0, 0
    carved = rule.by == "given" and not (events.part == VALID).any()
    if not rule.repeats and rule.by != "rows":
        again = known_before(events, part)  # they ask nothing new
        part[again], dropped = LEFT_OUT, int(again.sum())
    told = {"seed": seed, "ties": ties, "repeats": dropped, "untimed": untimed}
    proof = prove(events, part, rule, **told, carved=carved)
    rows = [np.flatnonzero(part == one) for one in (TRAIN, VALID, TEST)]
    return Split(rows[0], rows[1], proof, rule, seed, split_digest(events, part), rows[2])


def _by_time(events: Interactions, rule: SplitRule) -> Ints:
    """Two borders in time; events at a border belong to the earlier part."""
    at, timed = _times(events, "time")
    ordered = np.sort(at[timed])
    n = len(ordered)
    first = ordered[max(int(np.ceil(n * (1 - rule.valid - rule.test) - 1e-9)), 1) - 1]
    second = ordered[max(int(np.ceil(n * (1 - rule.test) - 1e-9)), 1) - 1]
    part = np.where(at <= first, TRAIN, np.where(at <= second, VALID, TEST))
    part[~timed] = TRAIN
    moments = int((np.diff(ordered) > 0).sum()) + 1
    for name, one in (("validation", VALID), ("test", TEST)):
        if not (part == one).any():
            raise SplitError(
                f"split by time leaves no {name} event: {n} events at {moments} moments; "
                "split by ratio or by leave-one-out"
            )
    return part


def _by_ratio(events: Interactions, rule: SplitRule, rng: np.random.Generator) -> Ints:
    """Each user's distinct positive pairs, shuffled: floor(n * share) to test and validation.

    Where a share of n is less than one, test and then validation get one pair
    while training has more than one. Other rated pairs are divided by the same
    shares, to measure rating errors over the whole scale; further events of a
    pair follow it.
    """
    user, _, of_row = distinct_pairs(events)
    positive = np.zeros(len(user), bool)
    positive[of_row[events.asked]] = True
    part_of_pair = np.zeros(len(user), np.int64)
    part_of_pair[positive] = _shares(user[positive], rule, rng, at_least_one=True)
    if events.stars is not None:
        rated = np.zeros(len(user), bool)
        rated[of_row[~np.isnan(events.stars)]] = True
        rated &= ~positive
        part_of_pair[rated] = _shares(user[rated], rule, rng, at_least_one=False)
    return part_of_pair[of_row]


def _shares(
    user: Ints, rule: SplitRule, rng: np.random.Generator, *, at_least_one: bool, test: bool = True
) -> Ints:
    """A part for each pair; ``user`` says whose it is."""
    place, count = _shuffled_places(user, rng)
    n_test = np.floor(count * rule.test + 1e-9).astype(np.int64) * test
    n_valid = np.floor(count * rule.valid + 1e-9).astype(np.int64)
    if at_least_one:
        if test:
            n_test += (n_test == 0) & (count - n_test - n_valid > 1)
        n_valid += (n_valid == 0) & (count - n_test - n_valid > 1)
    turn = rule.fold * (n_test if test else n_valid)
    place = (place - turn) % np.maximum(count, 1)
    return np.where(place < n_test, TEST, np.where(place < n_test + n_valid, VALID, TRAIN))


def _shuffled_places(user: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Each entry's place among its user's entries after a shuffle, and how many those are."""
    if not len(user):
        return user, user
    order = np.lexsort((rng.random(len(user)), user))
    counts = np.bincount(user)
    starts = np.cumsum(counts) - counts
    place = np.empty(len(user), np.int64)
    place[order] = np.arange(len(user)) - starts[user[order]]
    return place, counts[user]


def _leave_one_out(events: Interactions) -> tuple[Ints, int]:
    """The last positive event of each user judges, the one before chooses.

    Users with fewer than three keep all in training. Events that are no
    positives follow the part of the moment they happened in. Also says for how
    many users a tie was divided, because their last events share one time.
    """
    at, timed = _times(events, "leave-one-out")
    rows = np.flatnonzero(timed)
    rows = rows[np.lexsort((rows, at[rows], events.user[rows]))]
    user = events.user[rows]
    positive = events.asked[rows]
    counts = np.bincount(user, minlength=int(events.user.max()) + 1)
    total = np.bincount(user[positive], minlength=len(counts))
    before = np.cumsum(positive) - positive  # positives ahead of each row, over all users
    starts = np.cumsum(counts) - counts
    first = before[np.minimum(starts, len(rows) - 1)]
    rank = before - first[user]  # positives of the same user ahead of this row
    left = np.asarray(total[user] - rank)  # this row's positive included, if it is one
    # A row that is no positive comes after the positive with `left` + 1 left.
    left = np.where(positive, left, left + 1)
    moved = np.where(left <= 1, TEST, np.where(left == 2, VALID, TRAIN))
    part = np.full(len(events), TRAIN)
    part[rows] = np.where(total[user] >= 3, moved, TRAIN)
    if not (part == TEST).any():
        raise SplitError("leave-one-out needs a user with three positive events; there is none")
    return part, _tied_users(events, part, at)


def _tied_users(events: Interactions, part: Ints, at: Ints) -> int:
    """Users whose test event shares its time with another positive event of theirs."""
    rows = np.flatnonzero(events.asked & (at != UNKNOWN_TIME))
    user = events.user[rows]
    asked = part[rows] == TEST
    moment = np.full(int(events.user.max()) + 1, UNKNOWN_TIME)
    moment[user[asked]] = at[rows][asked]
    return int((np.bincount(user[at[rows] == moment[user]]) > 1).sum())


def _given(events: Interactions, rule: SplitRule, rng: np.random.Generator) -> Ints:
    if events.part is None:
        raise SplitError("split by given needs a split column (train, valid, test) in the events")
    part = events.part.astype(np.int64)
    for name, one in (("train", TRAIN), ("test", TEST)):
        if not (part == one).any():
            raise SplitError(f"the given split has no {name} event")
    if (part == VALID).any():
        return part
    rows = np.flatnonzero((part == TRAIN) & events.asked)
    part[rows] = _carve(events.take(rows), rule, rng)
    return part if rule.repeats else _with_their_pairs(events, part)


def _carve(events: Interactions, rule: SplitRule, rng: np.random.Generator) -> Ints:
    """Training or validation for each of these positives: a share of each user's pairs."""
    user, _, of_row = distinct_pairs(events)
    return _shares(user, rule, rng, at_least_one=True, test=False)[of_row]


def _with_their_pairs(events: Interactions, part: Ints) -> Ints:
    """Where some kinds alone are asked for: other events of a pair go where it was carved off to.

    Who viewed an item has met it, and nobody is asked for what they have met.
    """
    if events.wished is None:
        return part
    _, _, of_row = distinct_pairs(events)
    carved = np.zeros(of_row.max(initial=-1) + 1, bool)
    carved[of_row[part == VALID]] = True
    return np.where((part == TRAIN) & carved[of_row], VALID, part)


def inner_split(dataset: Dataset, split: Split, share: float) -> Split:
    """A split within the training part: a share of each user's positives is its validation.

    Its test part is empty, and what ``split`` holds out takes no part at all.
    """
    rule = replace(split.rule, by="ratio", valid=share)
    events = dataset.interactions.take(split.train)
    part = np.full(len(events), TRAIN)
    positive = np.flatnonzero(events.asked)
    rng = np.random.default_rng(split.seed)
    part[positive] = _carve(events.take(positive), rule, rng)
    part = part if rule.repeats else _with_their_pairs(events, part)
    train, valid = (split.train[part == one] for one in (TRAIN, VALID))
    whole = np.full(len(dataset.interactions), LEFT_OUT)
    whole[train], whole[valid] = TRAIN, VALID
    digest, test = split_digest(dataset.interactions, whole), np.empty(0, np.int64)
    return replace(split, train=train, valid=valid, rule=rule, digest=digest, _test=test)


def _by_rows(events: Interactions, rule: SplitRule, rng: np.random.Generator) -> Ints:
    """Shuffled events: floor(n * share) to test and floor(n * valid) to validation."""
    n = len(events)
    n_test, n_valid = int(n * rule.test + 1e-9), int(n * rule.valid + 1e-9)
    if not (n_test and n_valid):
        raise SplitError(f"{n} events are too few for valid={rule.valid} and test={rule.test}")
    order = np.roll(rng.permutation(_canonical(events)), -rule.fold * n_test)
    part = np.full(n, TRAIN)
    part[order[:n_test]] = TEST
    part[order[n_test : n_test + n_valid]] = VALID
    return part


def _canonical(events: Interactions) -> Ints:
    """An order of rows by their content, so that a shuffle does not depend on file order."""
    keys = [column.codes for _, column in sorted(events.scenario.items(), reverse=True)]
    keys += [] if events.stars is None else [events.stars]
    keys += [] if events.kind is None else [events.kind.codes]
    keys += [] if events.at is None else [events.at]
    return np.lexsort([*keys, events.positive, events.item, events.user])


def _untimed(events: Interactions) -> int:
    return 0 if events.at is None else int((events.at == UNKNOWN_TIME).sum())


def _times(events: Interactions, rule: str) -> tuple[Ints, np.ndarray]:
    """Times, and which events have one. Raises SplitError where none has."""
    timed = None if events.at is None else events.at != UNKNOWN_TIME
    if events.at is None or timed is None or not timed.any():
        raise SplitError(
            f"split by {rule} needs times and there are none; name the time column, "
            "or split by ratio"
        )
    return events.at, timed
