"""Is the difference between two models more than chance over users?

The unit is the user: values of one user in several seeds are averaged first,
since they are not independent. Cases that only one model answered are an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trefoil.data.interactions import Ints

Values = NDArray[np.float64]
CHUNK = 256  # resamples held at a time


@dataclass(frozen=True)
class Difference:
    """Mean of first minus second over users, its 95 % interval, and a two-sided p.

    ``p`` is corrected by Holm over the family it was tested in when ``corrected``.
    """

    first: str
    second: str
    metric: str
    difference: float
    low: float
    high: float
    p: float
    users: int
    seeds: int
    corrected: bool = False

    def significant(self, level: float = 0.05) -> bool:
        return self.p < level

    def __str__(self) -> str:
        words = f"p = {self.p:.3g}" if self.significant() else f"not significant (p = {self.p:.2f})"
        return (
            f"{self.first} minus {self.second}, {self.metric}: {self.difference:+.4f} "
            f"[{self.low:+.4f}, {self.high:+.4f}], {words}"
        )


def by_user(users: Sequence[Ints], values: Sequence[Values]) -> tuple[Ints, Values]:
    """Mean value of each user over seeds (and over the user's cases); NaN cases left out."""
    user, value = np.concatenate(list(users)), np.concatenate(list(values))
    kept = np.isfinite(value)
    distinct, place = np.unique(user[kept], return_inverse=True)
    place = place.ravel()
    return distinct, np.bincount(place, value[kept], len(distinct)) / np.bincount(
        place, minlength=len(distinct)
    )


def compare(
    first: str,
    second: str,
    metric: str,
    users: Sequence[Ints],
    firsts: Sequence[Values],
    seconds: Sequence[Values],
    *,
    resamples: int = 10_000,
    seed: int = 0,
) -> Difference:
    """Paired comparison; one array per seed in ``users``, ``firsts`` and ``seconds``.

    ``p`` by the randomisation test: the sign of each user's difference is flipped
    at random; p = (1 + #{|mean of flipped| >= |mean|}) / (1 + resamples). Fisher
    1935; for retrieval Smucker et al. 2007, "A comparison of statistical
    significance tests". The interval by the bootstrap over users. Raises
    ValueError where the arrays do not pair.
    """
    lengths = [[len(x) for x in column] for column in (users, firsts, seconds)]
    if not (lengths[0] == lengths[1] == lengths[2]):
        raise ValueError(f"{first} and {second} answered different cases: {lengths[1:]}")
    gaps = [one - two for one, two in zip(firsts, seconds, strict=True)]
    _, gap = by_user(users, gaps)
    random = np.random.default_rng(seed)
    low, high = interval(gap, resamples=resamples, seed=seed)
    mean = float(gap.mean()) if len(gap) else float("nan")
    p = randomisation(gap, resamples, random)
    return Difference(first, second, metric, mean, low, high, p, len(gap), len(users))


def randomisation(gap: Values, resamples: int, random: np.random.Generator) -> float:
    """Two-sided p of the mean of paired differences under random signs; 1 without any."""
    gap = gap[gap != 0]  # a flipped zero changes nothing
    if not len(gap):
        return 1.0
    bar = abs(gap.sum()) * (1 - 1e-12)
    beyond = 0
    for done in range(0, resamples, CHUNK):
        rows = min(CHUNK, resamples - done)
        signs = random.integers(0, 2, (rows, len(gap)), dtype=np.int8)
        beyond += int((np.abs(2.0 * (signs @ gap) - gap.sum()) >= bar).sum())
    return (1 + beyond) / (1 + resamples)


def interval(
    values: Values, *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean over rows; NaN without rows. Efron 1979."""
    values = values[np.isfinite(values)]
    if not len(values):
        return float("nan"), float("nan")
    random = np.random.default_rng(seed)
    share = np.full(len(values), 1 / len(values))
    means = [
        random.multinomial(len(values), share, min(CHUNK, resamples - done)) @ values / len(values)
        for done in range(0, resamples, CHUNK)
    ]
    low, high = np.quantile(np.concatenate(means), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def holm(family: Sequence[Difference]) -> list[Difference]:
    """Corrected p of a family of tests, in the given order.

    With p_(1) <= ... <= p_(m): p'_(i) = max_{j <= i} min(1, (m - j + 1) p_(j)). Holm
    1979, "A simple sequentially rejective multiple test procedure".
    """
    order = np.argsort([test.p for test in family], kind="stable")
    worst, out = 0.0, list(family)
    for rank, row in enumerate(order):
        worst = max(worst, min(1.0, (len(family) - rank) * family[row].p))
        out[row] = replace(family[row], p=worst, corrected=True)
    return out


def as_json(family: Sequence[Difference]) -> Mapping[str, Mapping[str, object]]:
    """The ``significance`` part of an evaluation report, keyed "first vs second"."""
    keys = [f"{test.first} vs {test.second}" for test in family]
    return {
        key if keys.count(key) == 1 else f"{key} ({test.metric})": {
            "metric": test.metric,
            "difference": test.difference,
            "low": test.low,
            "high": test.high,
            "p": test.p,
            "significant": test.significant(),
            "corrected": test.corrected,
            "users": test.users,
            "seeds": test.seeds,
        }
        for key, test in zip(keys, family, strict=True)
    }
