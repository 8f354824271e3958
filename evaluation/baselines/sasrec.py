"""A causal Transformer over item sequences, trained at every position against all items."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from trefoil.data.histories import Cases, Histories
from trefoil.data.interactions import Interactions, Ints
from trefoil.evaluation.baselines.training import Watch, train_watched

BATCH = 64


class SASRec:
    """score_i = h . e_i + b_i, h the Transformer's state after the newest event.

    Kang & McAuley 2018 (arXiv:1808.09781), with softmax cross-entropy over all
    items instead of one negative (Klenitskiy & Vasilev 2023, arXiv:2309.07602)
    and windows of ``length`` events at a random offset in each epoch. Answers
    from the history alone; an empty one is scored by the bias.
    """

    name = "sasrec"

    def __init__(self, model: _Transformer) -> None:
        self.model = model

    @classmethod
    def fit(
        cls,
        train: Interactions,
        users: int,
        items: int,
        *,
        width: int = 64,
        layers: int = 2,
        heads: int = 2,
        length: int = 50,
        dropout: float = 0.3,
        rate: float = 1e-3,
        epochs: int = 100,
        watch: Watch | None = None,
        seed: int = 0,
    ) -> SASRec:
        """``watch`` takes a scorer and returns its validation value; it stops the training."""
        history = Histories.of(train, users)
        numbers = np.random.default_rng(seed)
        with torch.random.fork_rng():  # dropout and initialisation read the global generator
            torch.manual_seed(seed)
            model = _Transformer(items, width, layers, heads, length, dropout)
            scorer = cls(model)
            optimiser = torch.optim.AdamW(model.parameters(), rate)

            def epoch() -> None:
                windows = torch.from_numpy(cut_windows(history, length + 1, items, numbers))
                for batch in windows[numbers.permutation(len(windows))].split(BATCH):
                    states = model(batch[:, :-1])
                    target = batch[:, 1:]
                    kept = target < items
                    loss = nn.functional.cross_entropy(model.logits(states[kept]), target[kept])
                    optimiser.zero_grad()
                    loss.backward()
                    nn.utils.clip_grad_norm_(model.parameters(), 5.0)
                    optimiser.step()

            look = None if watch is None else lambda: watch(scorer)
            train_watched(model, epoch, look, epochs=epochs, every=2, patience=5)
        return scorer

    @torch.no_grad()
    def score(self, cases: Cases) -> torch.Tensor:
        model, history = self.model, cases.history
        length, items = len(model.position), len(model.bias)
        lengths = np.minimum(history.lengths, length)
        rows = np.full((len(cases), length), items)
        for case, size in enumerate(lengths):
            end = history.start[case + 1]
            rows[case, :size] = history.item[end - size : end]
        states = model(torch.from_numpy(rows))
        newest = states[torch.arange(len(cases)), torch.from_numpy(lengths - 1).clamp(min=0)]
        known = torch.from_numpy(lengths > 0)[:, None]
        return model.logits(torch.where(known, newest, 0.0))


def cut_windows(history: Histories, size: int, padding: int, random: np.random.Generator) -> Ints:
    """Each history of two events or more in pieces [n, size], padded on the right.

    Neighbouring pieces share one event, so that every transition is kept; the
    first piece has a random length.
    """
    pieces = []
    for case in np.flatnonzero(history.lengths > 1):
        row = history.item[history.start[case] : history.start[case + 1]]
        end = len(row) if len(row) <= size else int(random.integers(2, size + 1))
        start = 0
        while start < len(row) - 1:
            piece = np.full(size, padding)
            piece[: end - start] = row[start:end]
            pieces.append(piece)
            start, end = end - 1, min(end - 1 + size, len(row))
    return np.stack(pieces) if pieces else np.empty((0, size), np.int64)


class _Transformer(nn.Module):
    def __init__(
        self, items: int, width: int, layers: int, heads: int, length: int, dropout: float
    ) -> None:
        super().__init__()
        self.item = nn.Embedding(items + 1, width, padding_idx=items)
        nn.init.normal_(self.item.weight, 0, 0.05)
        self.position = nn.Parameter(0.05 * torch.randn(length, width))
        self.bias = nn.Parameter(torch.zeros(items))
        block = nn.TransformerEncoderLayer(
            width, heads, 2 * width, dropout, "gelu", batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(
            block, layers, nn.LayerNorm(width), enable_nested_tensor=False
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        size = rows.shape[1]
        later = torch.ones(size, size, dtype=torch.bool).triu(1)
        return self.blocks(self.dropout(self.item(rows) + self.position[:size]), mask=later)

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        return states @ self.item.weight[:-1].T + self.bias
