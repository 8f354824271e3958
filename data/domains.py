"""Shops in one dataset: which items are of which, and one of them alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from trefoil.data.dataset import Dataset
from trefoil.data.fingerprint import fingerprint
from trefoil.data.interactions import Categorical, Ints
from trefoil.data.items import Items, Labels
from trefoil.data.split import Split

DOMAIN = "domain"  # the category of items, and the scenario of events, that names their shop


def domain_codes(items: Items, domains: tuple[str, ...]) -> Ints | None:
    """The place in ``domains`` of the domain of each item; -1 for an item of none.

    None where a dataset is of no domains.
    """
    if not domains:
        return None
    codes = np.full(len(items), -1, np.int64)
    labels = items.category.get(DOMAIN)
    if labels is None:
        return codes
    place = np.array([domains.index(name) if name in domains else -1 for name in labels.names])
    told = np.flatnonzero(np.diff(labels.start))
    codes[told] = place[labels.codes[labels.start[told]]]
    return codes


def alone(dataset: Dataset, split: Split, domain: str) -> tuple[Dataset, Split]:
    """The events and items of one domain, divided as they were among the others.

    Users keep their rows, those without an event in the domain too.
    """
    codes = domain_codes(dataset.items, dataset.domains)
    assert codes is not None
    kept = np.flatnonzero(codes == dataset.domains.index(domain))
    items = dataset.items.take(kept)
    label = Labels(np.arange(len(kept) + 1), np.zeros(len(kept), np.int64), (domain,))
    items = replace(items, category={**items.category, DOMAIN: label})
    place = np.full(len(codes), -1, np.int64)
    place[kept] = np.arange(len(kept))
    inside = place[dataset.interactions.item] >= 0
    events = dataset.interactions.take(inside)
    named = Categorical(np.zeros(len(events), np.int64), (domain,))
    scenario = {**events.scenario, DOMAIN: named}
    events = replace(events, item=place[events.item], scenario=scenario)
    digest = fingerprint(events, dataset.users, items, None)
    one = replace(
        dataset,
        name=f"{dataset.name}, {domain} alone",
        interactions=events,
        items=items,
        graph=None,
        fingerprint=digest,
        domains=(domain,),
    )
    return one, split.among(inside, events)
