"""Several datasets as one: each a domain, with items of its own and perhaps the same people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np

from trefoil.data.dataset import Dataset, SplitRule
from trefoil.data.domains import DOMAIN
from trefoil.data.errors import ConfigError
from trefoil.data.fingerprint import fingerprint
from trefoil.data.interactions import UNKNOWN_TIME, Categorical, Interactions, Ints
from trefoil.data.items import Entities, Labels
from trefoil.data.order import canonical_order
from trefoil.data.readers.events import EventColumns
from trefoil.data.report import DataReport
from trefoil.data.vocabulary import Vocabulary

Parts = Mapping[str, Dataset]  # by the name of the domain


def joined(
    name: str,
    parts: Parts,
    rule: SplitRule | None = None,
    *,
    users_shared: bool = True,
    licence: str | None = None,
) -> Dataset:
    """All domains together; ids of items are ``domain:id``.

    Users of one id are one person where ``users_shared``, else they are ``domain:id``, too.
    What is told of a person is what the first domain that knows them tells. Without a
    ``rule`` events are divided by time where all have times, else by ratio. Raises ConfigError
    for a graph, which no domain may bring yet, and for a column called domain.
    """
    for domain, part in parts.items():
        _check(domain, part)
    items, item_rows = _together([_items(domain, part.items) for domain, part in parts.items()])
    people = [
        part.users if users_shared else _named(domain, part.users) for domain, part in parts.items()
    ]
    users, user_rows = _together(people)
    rows = zip(user_rows, item_rows, strict=True)
    events = _events(
        parts,
        [
            Interactions(u[p.interactions.user], i[p.interactions.item], p.interactions.positive)
            for (u, i), p in zip(rows, parts.values(), strict=True)
        ],
    )
    events = events.take(canonical_order(events))
    if rule is None:
        whole = events.at is not None and (events.at != UNKNOWN_TIME).all()
        rule = SplitRule("time" if whole else "ratio")
    return Dataset(
        name,
        events,
        users,
        items,
        None,
        rule,
        _report(parts, events, users, items),
        fingerprint(events, users, items, None),
        licence,
        asdict(_columns(parts, events)),
        domains=tuple(parts),
    )


def _check(domain: str, part: Dataset) -> None:
    if part.graph is not None:
        raise ConfigError(
            f"domain {domain!r}: graphs of several domains are not read together yet; leave "
            "[graph] out of its dataset.toml"
        )
    if part.corpus is not None:
        raise ConfigError(
            f"domain {domain!r}: a corpus beside several domains is not read yet; leave [corpus] "
            "out of its dataset.toml"
        )
    if DOMAIN in part.items.category or DOMAIN in part.interactions.scenario:
        raise ConfigError(
            f"domain {domain!r}: a column is called {DOMAIN!r}, which names the domains; "
            "give it another name"
        )


def _named(domain: str, entities: Entities) -> Entities:
    ids = Vocabulary(f"{domain}:{one}" for one in entities.vocabulary.ids)
    return replace(entities, vocabulary=ids)


def _items(domain: str, items: Entities) -> Entities:
    """Items under their new ids, with the domain as a category."""
    rows = np.arange(len(items) + 1)
    label = Labels(rows, np.zeros(len(items), np.int64), (domain,))
    return replace(_named(domain, items), category={**items.category, DOMAIN: label})


def _together(parts: Sequence[Entities]) -> tuple[Entities, list[Ints]]:
    """All of them in order of their ids, and of each part the rows where they stand now."""
    whole = parts[0]
    for part in parts[1:]:
        fresh = np.flatnonzero(whole.vocabulary.rows(part.vocabulary.ids) < 0)
        whole = whole.followed_by(part.take(fresh))
    ids = whole.vocabulary.ids
    whole = whole.take(np.array(sorted(range(len(ids)), key=ids.__getitem__), np.int64))
    return whole, [whole.vocabulary.rows(part.vocabulary.ids) for part in parts]


def _events(parts: Parts, pairs: Sequence[Interactions]) -> Interactions:
    """Events one domain after the other; what one lacks and another has is unknown there."""
    told = [part.interactions for part in parts.values()]
    sizes = [len(one) for one in told]

    def column(values: Sequence[np.ndarray | None], missing: float) -> np.ndarray | None:
        there = next((one for one in values if one is not None), None)
        if there is None:
            return None
        filled = [
            np.full(size, missing, there.dtype) if one is None else one
            for one, size in zip(values, sizes, strict=True)
        ]
        return np.concatenate(filled)

    def coded(values: Sequence[Categorical | None]) -> Categorical | None:
        there = [one for one in values if one is not None]
        if not there:
            return None
        names = tuple(dict.fromkeys(name for one in there for name in one.names))
        place = {name: code for code, name in enumerate(names)}
        codes = []
        for one, size in zip(values, sizes, strict=True):
            found = np.full(size, -1, np.int64)
            if one is not None and len(one.names):
                moved = np.array([place[name] for name in one.names], np.int64)
                found = np.where(one.codes >= 0, moved[one.codes], -1)
            codes.append(found)
        return Categorical(np.concatenate(codes), names)

    scenarios = dict.fromkeys(name for one in told for name in one.scenario)
    scenario = {name: coded([one.scenario.get(name) for one in told]) for name in scenarios}
    domain = Categorical(np.repeat(np.arange(len(told)), sizes), tuple(parts))
    given = all(one.part is not None for one in told)
    whole = all(one.wished is None for one in told)
    return Interactions(
        np.concatenate([one.user for one in pairs]),
        np.concatenate([one.item for one in pairs]),
        np.concatenate([one.positive for one in pairs]),
        column([one.stars for one in told], np.nan),
        column([one.at for one in told], UNKNOWN_TIME),
        coded([one.kind for one in told]),
        {**{name: one for name, one in scenario.items() if one is not None}, DOMAIN: domain},
        np.concatenate([one.part for one in told if one.part is not None]) if given else None,
        None if whole else np.concatenate([one.asked for one in told]),
    )


def _columns(parts: Parts, events: Interactions) -> EventColumns:
    """Names under which later events are told: those of the events here."""
    least = {part.columns.get("positive_from") for part in parts.values()}
    rated = events.stars is not None
    return EventColumns(
        "user",
        "item",
        "rating" if rated else None,
        least.pop() if rated and len(least) == 1 else None,
        None if events.at is None else "time",
        None if events.kind is None else "behaviour",
        tuple(events.scenario),
    )


def _report(parts: Parts, events: Interactions, users: Entities, items: Entities) -> DataReport:
    """What the reports of the domains say, and how many people come to several."""
    seen = [
        np.unique(events.user[events.scenario[DOMAIN].codes == code]) for code in range(len(parts))
    ]
    shared = np.bincount(np.concatenate(seen), minlength=len(users)) > 1
    counts: dict[str, int | float | str] = {
        "users": len(users),
        "items": len(items),
        "events": len(events),
        "users_of_several_domains": int(shared.sum()),
    }
    for domain, part in parts.items():
        counts |= {
            f"{domain}_{name}": part.report.counts[name]
            for name in ("users", "items", "events")
            if name in part.report.counts
        }
    reports = {domain: part.report for domain, part in parts.items()}
    low = {one.low_below for one in reports.values()}
    kinds: dict[str, int] = {}
    for one in reports.values():
        for kind, number in one.kinds.items():
            kinds[kind] = kinds.get(kind, 0) + number
    return DataReport(
        counts,
        tuple(row for one in reports.values() for row in one.quarantined),
        tuple(f"{domain}: {said}" for domain, one in reports.items() for said in one.warnings),
        low.pop() if len(low) == 1 else None,
        kinds,
    )
