"""Texts of rows read by a language model that learns: tokens kept, gradients allowed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from trefoil.encoders.text.adapters import Tuner

AT_ONCE = 64  # texts read without gradients


class Reader:
    """The texts of all rows as tokens, cut short, and the model that reads them.

    ``checkpointing`` keeps the states of no layer and computes them again, which costs a third
    more and saves memory; ``half`` multiplies in bfloat16.
    """

    def __init__(
        self,
        model: Any,
        tuner: Tuner,
        texts: Sequence[str | None],
        max_tokens: int,
        *,
        checkpointing: bool = False,
        half: bool = False,
    ) -> None:
        self.model, self.tuner, self.half = model, tuner, half
        tokenizer = model.tokenizer
        read = tokenizer([one or "" for one in texts], truncation=True, max_length=max_tokens)
        self.ids: list[list[int]] = read["input_ids"]
        self.lengths = np.array([len(one) for one in self.ids])
        self.padding = tokenizer.pad_token_id or 0
        if checkpointing:
            tuner.inner.activation_checkpointing_enable()  # type: ignore[operator]
        for module in tuner.inner.modules():  # noise would be of another kind than the events'
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        tuner.inner.train()

    def read(self, rows: np.ndarray) -> Float[Tensor, "B D"]:
        """Vectors of the texts of these rows, with gradients."""
        length = max(1, int(self.lengths[rows].max()))
        ids = torch.full((len(rows), length), self.padding)
        mask = torch.zeros(len(rows), length, dtype=torch.int64)
        for at, row in enumerate(rows.tolist()):
            own = self.ids[row]
            ids[at, : len(own)] = torch.tensor(own)
            mask[at, : len(own)] = 1
        device = self.model.device
        told = {"input_ids": ids.to(device), "attention_mask": mask.to(device)}
        with torch.autocast(device.type, torch.bfloat16, enabled=self.half):
            return self.model(told)["sentence_embedding"].float().cpu()

    @torch.no_grad()
    def read_all(self, rows: np.ndarray) -> Float[Tensor, "rows D"]:
        """The same without gradients, however many rows there are."""
        order = np.argsort(self.lengths[rows], kind="stable")
        found = torch.zeros(len(rows), self.model.get_embedding_dimension())
        for start in range(0, len(rows), AT_ONCE):
            at = order[start : start + AT_ONCE]
            found[torch.from_numpy(at)] = self.read(rows[at])
        return found
