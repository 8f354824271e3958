"""What a base model of the ensemble is."""

from typing import Protocol, TypeVar, runtime_checkable

from torch import Tensor

from trefoil.data.histories import Cases


@runtime_checkable
class Leaf(Protocol):
    """One voice of the fusion."""

    def score(self, cases: Cases) -> Tensor:
        """Scores [cases, items]; any scale, finite."""
        ...


LeafT = TypeVar("LeafT", bound=Leaf)
