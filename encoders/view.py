"""What every encoder returns. Axis letters: B batch, L history, D width, n labelled rows."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True)
class View:
    """One vector per row, and whether there was anything to go on; unknown rows are zero."""

    vectors: Float[Tensor, "rows D"]
    known: Bool[Tensor, " rows"]

    def __post_init__(self) -> None:
        if len(self.vectors) != len(self.known):
            raise ValueError(f"{len(self.vectors)} vectors, {len(self.known)} known flags")
