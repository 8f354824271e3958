"""What a user does next, from what was done before."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from encoders.view import View


class BehaviourEncoder(nn.Module):
    """Causal Transformer over item vectors; the newest event's state is the user.

    After SASRec (Kang & McAuley 2018, arXiv:1808.09781). Histories are padded on
    the right, so the causal mask alone keeps padding out of the answer.
    """

    def __init__(
        self, width: int, *, max_events: int, layers: int = 2, heads: int = 2, dropout: float = 0.3
    ) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width={width} cannot be shared between heads={heads}")
        self.position = nn.Embedding(max_events, width)
        nn.init.normal_(self.position.weight, std=0.02)
        self.dropout = nn.Dropout(dropout)
        block = nn.TransformerEncoderLayer(
            width, heads, 2 * width, dropout, "gelu", batch_first=True, norm_first=True
        )
        norm = nn.LayerNorm(width)
        self.blocks = nn.TransformerEncoder(block, layers, norm, enable_nested_tensor=False)

    def states(self, events: Float[Tensor, "B L D"]) -> Float[Tensor, "B L D"]:
        """The state after each event: what is expected next."""
        length, width = events.shape[1:]
        later = torch.ones(length, length, dtype=torch.bool, device=events.device).triu(1)
        return self.blocks(
            self.dropout(width**0.5 * events + self.position.weight[:length]), mask=later
        )

    def forward(self, events: Float[Tensor, "B L D"], lengths: Int[Tensor, " B"]) -> View:
        states = self.states(events)
        known = lengths > 0
        newest = (lengths - 1).clamp(min=0)
        vectors = states[torch.arange(len(states), device=events.device), newest]
        return View(vectors.masked_fill(~known[:, None], 0.0), known)
