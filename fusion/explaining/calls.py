"""The questions about a list, in ids: why not, what if, and how much each base model says."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from trefoil.data.errors import ConfigError
from trefoil.data.given import given
from trefoil.fusion.explaining.rewording import reworded
from trefoil.fusion.explaining.standing import Life, item_rows, user_row
from trefoil.fusion.explaining.what_if import WhatIf, what_if
from trefoil.fusion.explaining.why_not import WhyNot, why_not
from trefoil.fusion.requests import arguments
from trefoil.fusion.requests.state import State
from trefoil.kg.paths.explain import Reason

if TYPE_CHECKING:
    from trefoil.encoders.text.writer import Writer


@runtime_checkable
class HasState(Protocol):
    """Whoever has a state: a ``Recommender``."""

    @property
    def state(self) -> State: ...

    def state_without(self, state: State, triples: Any) -> State | None:
        """The state as it would be without these facts; None where there are none."""
        ...


class Explaining:
    """What a ``Recommender`` is asked about a list; each reads one ``State``."""

    def why_not(self: HasState, user: str | int | None, item: str | int, k: int = 10) -> WhyNot:
        """Why an item is not among the first ``k`` of a user, or of someone never seen (None).

        Is it kept out, where does it stand, which base models and events favour the last
        item listed, and what that has. ``str`` of it is a sentence. Raises UnknownId.
        """
        state, k = self.state, arguments.whole("k", k, 1)
        row = item_rows(state, "item", [item])
        return why_not(state, user_row(state, user), int(row[0]), k)

    def what_if(
        self: HasState,
        user: str | int | None = None,
        *,
        without: Iterable[str | int] | str = (),
        with_: Iterable[str | int] | str = (),
        without_facts: Any = (),
        k: int = 10,
    ) -> WhatIf:
        """The first ``k`` of a user before and after, had they not met some items, or met others.

        Items that were not met become candidates; items met come last in the history. The
        model is asked with that history. ``without_facts`` are triples as ``remove_triples``
        takes them: the items are described without them, for everybody, and that needs the whole
        model. What it learned stays: it is not trained again. ``str`` of the answer says what
        moves. Raises UnknownId, GraphDataError for a fact that is not there, and ConfigError
        where nothing would be different.
        """
        state, k = self.state, arguments.whole("k", k, 1)
        gone, come = item_rows(state, "without", without), item_rows(state, "with_", with_)
        other = self.state_without(state, without_facts)
        if not len(gone) and not len(come) and other is None:
            raise ConfigError(
                "what_if: nothing is different; give items as without= or with_=, or facts as "
                "without_facts="
            )
        return what_if(state, user_row(state, user), gone, come, k, other)

    def shares(self: HasState, user: str | int | None, item: str | int) -> dict[str, float]:
        """What each base model adds to the score of an item, before the reranker.

        Of an item that came after training nothing is told (NaN). Raises UnknownId.
        """
        state = self.state
        rows = item_rows(state, "item", [item])
        life = Life.of(state, user_row(state, user))
        told = state.scorer.shares(life.cases, np.asarray(rows))
        return {name: float(share[0, 0]) for name, share in told.items()}

    def reword(
        self: HasState, reasons: "Iterable[Reason]", writer: "Writer | None" = None
    ) -> list[Reason]:
        """The same reasons, in words of a language model where these say the path and no more.

        Each word is checked (``fusion.explaining.rewording``); where one fails, the plain
        wording stays. Without ``writer`` it is SmolLM2. Raises ConfigError without its weights.
        """
        from trefoil.encoders.text.writer import Writer

        told = given("reasons", reasons, Iterable, "give reasons, as explain returns them")
        return reworded(list(told), (writer or Writer(of_people=True)).write)
