"""Reasons that a run holds beforehand: those of the first items of each person's list.

A reason depends on the person's history, the model and the graph; the list that it stands in may
be any. They are kept as codes of the graph's facts, and are those that would be found now.
"""

from trefoil.data.histories import Cases
from trefoil.data.interactions import Ints
from trefoil.fusion.plan.known import KnownReasons, row_of
from trefoil.fusion.requests.state import State
from trefoil.kg.paths.nearest import Cited


def known_reasons(state: State, cases: Cases, items: Ints) -> dict[int, Cited | None]:
    """What is known of the item rows of a single case, by their number; None for no reason."""
    held = state.scorer.parts.reasons
    user = None if held is None else row_of(cases, held.digest)
    if held is None or user is None or held.graph != state.held.paths.index.digest:
        return {}
    place = {item: at for at, item in enumerate(held.item[user].tolist())}
    found: dict[int, Cited | None] = {}
    for number, item in enumerate(items.tolist()):
        at = place.get(item)
        if at is not None:
            found[number] = _cited(held, number, (user, at))
    return found


def _cited(held: KnownReasons, number: int, cell: tuple[int, int]) -> Cited | None:
    kind = int(held.kind[cell])
    if kind < 0:
        return None
    codes = (int(one[cell]) for one in (held.seen, held.fact, held.other))
    row = (number, float(held.weight[cell]), 0.0, 0, kind, *codes, -1)
    return Cited(row, float(held.adds[cell]), bool(held.liked[cell]))
