"""What a user does next, from what was done before and when."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from trefoil.data.interactions import UNKNOWN_TIME
from trefoil.encoders.view import View

SPANS = 33  # doublings of a span of time, from within a second to a century; 0: not known


class BehaviourEncoder(nn.Module):
    """Causal Transformer over item vectors; the newest event's state is the user.

    After SASRec (Kang & McAuley 2018, arXiv:1808.09781). Where an event lies is
    told by its distances: attention gets a learned term for how many events and for
    how much time lie between two of them (relative biases of HSTU, Zhai et al. 2024,
    arXiv:2402.17152), and each event a vector for the time since the one before.
    Histories are padded on the right, so the causal mask alone keeps padding out of
    the answer. Without ``time_gaps`` times are not read. Raises ValueError where
    ``heads`` do not divide the width.
    """

    def __init__(
        self,
        width: int,
        *,
        max_events: int,
        layers: int = 2,
        heads: int = 2,
        dropout: float = 0.3,
        time_gaps: bool = True,
    ) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width={width} cannot be shared between heads={heads}")
        self.distance = nn.Embedding(max_events, heads)
        self.between = nn.Embedding(SPANS, heads) if time_gaps else None
        self.since = nn.Embedding(SPANS, width) if time_gaps else None
        for table in (self.distance, self.between, self.since):
            if table is not None:
                nn.init.zeros_(table.weight)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def states(
        self, events: Float[Tensor, "B L D"], at: Int[Tensor, "B L"] | None = None
    ) -> Float[Tensor, "B L D"]:
        """The state after each event: what is expected next.

        ``at`` are their times in seconds, UNKNOWN_TIME where missing; None where
        nothing is known of them.
        """
        length, width = events.shape[1:]
        place = torch.arange(length, device=events.device)
        apart = place[:, None] - place
        bias = self.distance(apart.clamp(min=0)).permute(2, 0, 1)[None]
        hidden = width**0.5 * events
        if at is not None and self.between is not None and self.since is not None:
            before = torch.cat([torch.full_like(at[:, :1], UNKNOWN_TIME), at[:, :-1]], 1)
            hidden = hidden + self.since(span(at, before))
            between = self.between(span(at[:, :, None], at[:, None, :]))
            bias = bias + between.permute(0, 3, 1, 2)
        bias = bias.masked_fill(apart < 0, -torch.inf)
        hidden = self.dropout(hidden)
        for block in self.blocks:
            hidden = block(hidden, bias)
        return self.norm(hidden)

    def forward(
        self,
        events: Float[Tensor, "B L D"],
        lengths: Int[Tensor, " B"],
        at: Int[Tensor, "B L"] | None = None,
    ) -> View:
        states = self.states(events, at)
        known = lengths > 0
        newest = (lengths - 1).clamp(min=0)
        vectors = states[torch.arange(len(states), device=events.device), newest]
        return View(vectors.masked_fill(~known[:, None], 0.0), known)


class Block(nn.Module):
    """Attention, then a small network; each reads a normed input and is added to it.

    Of its own because torch's fused layer takes a learned bias for a mask of yes and no.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.drop = heads, dropout
        self.asked = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 3 * width))
        self.mixed = nn.Sequential(nn.Linear(width, width), nn.Dropout(dropout))
        self.inner = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, width),
            nn.Dropout(dropout),
        )

    def forward(
        self, hidden: Float[Tensor, "B L D"], bias: Float[Tensor, "#B heads L L"]
    ) -> Float[Tensor, "B L D"]:
        asked = self.asked(hidden).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        drop = self.drop if self.training else 0.0
        told = F.scaled_dot_product_attention(*asked, attn_mask=bias, dropout_p=drop)
        hidden = hidden + self.mixed(told.transpose(1, 2).flatten(2))
        return hidden + self.inner(hidden)


def span(later: Int[Tensor, "..."], earlier: Int[Tensor, "..."]) -> Int[Tensor, "..."]:
    """Rows for spans of time: 1 + floor(log2(1 + seconds)), 0 where a time is not known."""
    known = (later != UNKNOWN_TIME) & (earlier != UNKNOWN_TIME)
    seconds = (later - earlier).clamp(min=0).where(known, 0)
    doublings = torch.frexp((seconds + 1).float()).exponent.clamp(max=SPANS - 1)
    return doublings.where(known, 0).long()
