"""Did the graph, the texts, and other parts earn their place? In words, from paired tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trefoil.data.interactions import Ints
from trefoil.evaluation.result import Result
from trefoil.evaluation.significance import Difference, Values, compare, holm

SOURCES = ("text", "graph")  # these can also be dealt to other items; other parts only left out


@dataclass(frozen=True)
class Verdict:
    """What one part gave; ``words`` is for people, ``tests`` for checking."""

    source: str
    earned: bool
    words: str
    tests: tuple[Difference, ...]


def verdicts(
    metric: str,
    users: Sequence,
    real: Sequence[Values],
    without: Mapping[str, Sequence[Values]],
    shuffled: Mapping[str, Sequence[Values]],
    *,
    resamples: int = 10_000,
) -> list[Verdict]:
    """One verdict per part (keys such as "graph", "text", "network"), corrected as one family.

    ``real``, and each value of ``without`` (retrained without the source) and
    ``shuffled`` (retrained with its facts dealt to other items), hold one array
    per seed, paired by ``users``. A source has earned its place only if the
    real one is significantly better than both: better than nothing, and not
    merely because there is more to fit. Of other parts, whose facts cannot be
    dealt out, the first is asked.
    """
    keys, family = [], []
    for kind, variants in (("without", without), ("shuffled", shuffled)):
        for source, values in variants.items():
            name = f"without {source}" if kind == "without" else f"shuffled {source}"
            keys.append((kind, source))
            family.append(compare("real", name, metric, users, real, values, resamples=resamples))
    tests = dict(zip(keys, holm(family), strict=True))
    sources = dict.fromkeys([*without, *shuffled])
    return [
        verdict(source, tests.get(("without", source)), tests.get(("shuffled", source)))
        for source in sources
    ]


def judged(results: Mapping[str, Result], users: Ints, metric: str = "ndcg@10") -> list[Verdict]:
    """Verdicts on the variants among results, named as "without graph"; the first is the real."""
    values = {
        name: [one.per_case[metric]] for name, one in results.items() if metric in one.per_case
    }
    without, shuffled = (
        {name.removeprefix(kind): one for name, one in values.items() if name.startswith(kind)}
        for kind in ("without ", "shuffled ")
    )
    return verdicts(metric, [users], values[next(iter(results))], without, shuffled)


def verdict(source: str, absent: Difference | None, shuffled: Difference | None) -> Verdict:
    """The words for one part; a test of a source may be missing and is then said to be missing."""
    tests = tuple(test for test in (absent, shuffled) if test is not None)
    if not tests:
        raise ValueError(f"no comparison for {source!r}: retrain without it or with it shuffled")
    better = [test.significant() and test.difference > 0 for test in tests]
    worse = [test.significant() and test.difference < 0 for test in tests]
    figures = "; ".join(f"against {test.second} {_figure(test)}" for test in tests)
    earned = all(better) and len(tests) == (2 if source in SOURCES else 1)
    if earned:
        head = f"The {source} earned its place"
    elif any(worse):
        head = f"The {source} did harm"
    elif absent is not None and better[0] and shuffled is not None:
        head = (
            f"Having the {source} helps, but a shuffled one helps about as much: "
            "the gain is not due to what it says"
        )
    elif shuffled is not None and better[-1] and absent is not None:
        head = (
            f"The real {source} beats a shuffled one, but is not shown to beat leaving it out: "
            "it did not earn its place"
        )
    elif any(better):
        head = f"The {source} helps in the one comparison made; the other is missing"
    else:
        head = f"The {source} made no significant difference: it did not earn its place"
    return Verdict(source, earned, f"{head} ({figures}).", tests)


def _figure(test: Difference) -> str:
    sure = f"p = {test.p:.3g}" if test.significant() else f"not significant, p = {test.p:.2f}"
    return f"{test.metric} {test.difference:+.4f} [{test.low:+.4f}, {test.high:+.4f}], {sure}"
