"""Which label a node of several goes by, and which property holds its id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from trefoil.data.errors import StoreError
from trefoil.data.suggest import closest
from trefoil.kg.stores.base import chosen
from trefoil.kg.stores.neo4j.manifest import LABEL, Card

NO_LABEL = "Node"
ID = "id"
CONSTRAINTS = (
    "SHOW CONSTRAINTS YIELD type, entityType, labelsOrTypes, properties"
    " WHERE entityType = 'NODE' AND (type CONTAINS 'UNIQUENESS' OR type = 'NODE_KEY')"
    " RETURN labelsOrTypes[0], properties"
)
Labels = tuple[str, ...]


@dataclass(frozen=True)
class Homes:
    """The type of our graph to which nodes of each exact set of labels belong.

    A node of several labels belongs to the first that is asked for, or that Trefoil
    wrote, else to the one that most nodes bear; a label of all nodes says nothing and
    comes last. ``sets`` holds the sets of which some label is wanted.
    """

    sets: Mapping[Labels, str]
    order: tuple[str, ...]

    @classmethod
    def of(
        cls, found: Iterable[tuple[Sequence[str], int]], card: Card, wanted: Collection[str] | None
    ) -> Homes:
        """Raises StoreError for a wanted label that no node has."""
        sizes = {tuple(labels): count for labels, count in found if LABEL not in labels}
        members = Counter[str]()
        for labels, count in sizes.items():
            members.update(dict.fromkeys(labels or (NO_LABEL,), count))
        known = dict.fromkeys([*sorted(members), *card.nodes])
        kept = set(chosen(wanted, known, "label"))
        total = sum(sizes.values())
        plural = len(members) > 1

        def rank(name: str) -> tuple[bool, int, str]:
            return plural and members[name] == total, -members[name], name

        ranked = list(dict.fromkeys([*(wanted or ()), *card.nodes, *sorted(members, key=rank)]))
        sets = {}
        for labels in sorted(sizes):
            own = set(labels or (NO_LABEL,)) & kept
            if own:
                sets[labels] = next(name for name in ranked if name in own)
        written = [name for name in card.nodes if name in kept]
        return cls(sets, tuple(dict.fromkeys([*written, *sorted(set(sets.values()))])))

    def labels(self, home: str) -> list[str]:
        """All labels of nodes of a type, its own first."""
        mine = (labels for labels, name in self.sets.items() if name == home)
        return list(dict.fromkeys([home, *sorted(label for labels in mine for label in labels)]))


def keys_of(
    homes: Homes,
    constraints: Iterable[tuple[str, Sequence[str]]],
    asked: Mapping[str, str] | str,
    likely: Mapping[str, str],
) -> dict[str, str]:
    """The property that holds the id, by type: asked for, else unique in the database, else id.

    Of several unique ones ``id`` goes first, then the first in the alphabet; one of
    another label counts where all nodes of the type bear that label. Raises StoreError for a
    label in ``asked`` that is no type.
    """
    unique: dict[str, list[str]] = {}
    for label, properties in constraints:
        if len(properties) == 1:
            unique.setdefault(label, []).append(properties[0])
    if isinstance(asked, str):
        return dict.fromkeys(homes.order, asked)
    if missing := [name for name in asked if name not in homes.order]:
        raise StoreError(f"a key for label {missing[0]!r}; {closest(missing[0], homes.order)}")
    out = {}
    for home in homes.order:
        sets = [set(labels) for labels, name in homes.sets.items() if name == home]
        shared = set.intersection(*sets) if sets else set()
        near = [home, *sorted(shared - {home})]
        found = [name for label in near for name in sorted(unique.get(label, []))]
        out[home] = (
            asked.get(home) or likely.get(home) or (ID if ID in found or not found else found[0])
        )
    return out
