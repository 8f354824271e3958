"""Reasons that a run holds beforehand: those of the first items of each person's list.

A reason depends on the person's history, the model and the graph; the list that it stands in may
be any. They are kept as codes of the graph's facts, and are those that would be found now.
"""

from trefoil.data.histories import Cases
from trefoil.data.interactions import Ints
from trefoil.fusion.plan.known import row_of
from trefoil.fusion.requests.state import State
from trefoil.kg.paths.nearest import Cited


def known_reasons(state: State, cases: Cases, items: Ints) -> dict[int, Cited | None]:
    """What is known of the item rows of a single case, by their number; None for no reason."""
    held = state.scorer.parts.reasons
    user = None if held is None else row_of(cases, held.digest)
    if held is None or user is None or held.graph != state.held.paths.index.digest:
        return {}
    rows = zip(
        *(
            column[user].tolist()
            for column in (
                *(held.item, held.weight, held.kind, held.seen, held.fact, held.other),
                *(held.adds, held.liked),
            )
        ),
        strict=True,
    )
    place = {item: own for item, *own in rows}
    found: dict[int, Cited | None] = {}
    for number, item in enumerate(items.tolist()):
        if item in place:
            weight, kind, seen, fact, other, adds, liked = place[item]
            row = (number, weight, 0.0, 0, kind, seen, fact, other, -1)
            found[number] = Cited(row, adds, liked) if kind >= 0 else None
    return found
