"""Scenarios by name: a value that was never seen in training still means something."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from trefoil.fusion.network.naming import own


class NamedScenarios(nn.Module):
    """``f(s) + W n(s)`` for each value s: a learned part, and its name's text vector n mapped.

    Maps start at zero and are shared by all columns, so that values of like names are alike,
    and a value without events is what its name says.
    """

    def __init__(self, names: Mapping[str, Tensor], width: int) -> None:
        super().__init__()
        for name, vectors in names.items():
            self.register_buffer(f"of_{own(name)}", vectors)
        size = next(iter(names.values())).shape[1]
        self.scale = nn.Parameter(torch.zeros(size, width))
        self.shift = nn.Parameter(torch.zeros(size, width))

    def forward(
        self, column: str, scale: Float[Tensor, "values D"], shift: Float[Tensor, "values D"]
    ) -> tuple[Float[Tensor, "values D"], Float[Tensor, "values D"]]:
        """The learned tables of a column with what the names say added.

        A column without values has tables of one row all the same, which nobody reads.
        """
        vectors = getattr(self, f"of_{column}", None)
        if vectors is None or not len(vectors):
            return scale, shift
        return scale + vectors @ self.scale, shift + vectors @ self.shift

    def vectors(self) -> dict[str, Tensor]:
        """The vectors of names, by column as the network calls it."""
        return {name.removeprefix("of_"): one for name, one in self.named_buffers()}
