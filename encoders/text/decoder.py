"""Decoders as sentence encoders: the states of a causal language model, pooled to one vector."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

POOLINGS = {"mean": "mean", "last": "lasttoken", "weighted": "weightedmean"}  # ours, and theirs


class Decoder(nn.Module):
    """A causal model that is asked as a sentence encoder is. Vectors have unit length.

    ``pooling`` "last" takes the state of the last token, which alone has read all others,
    "mean" the mean of all, "weighted" a mean in which the n-th token weighs n (SGPT,
    Muennighoff 2022, arXiv:2202.08904).
    """

    def __init__(self, inner: nn.Module, tokenizer: Any, pooling: str) -> None:
        super().__init__()
        if pooling not in POOLINGS:
            raise ValueError(f"pooling={pooling!r} is none of {', '.join(POOLINGS)}")
        self.inner, self.tokenizer, self.pooling = inner, tokenizer, pooling
        self.max_seq_length = 64

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.inner.parameters()).device

    def get_embedding_dimension(self) -> int:
        """Numbers of a vector."""
        return int(self.inner.config.hidden_size)  # type: ignore[union-attr]

    def forward(self, told: Mapping[str, Tensor]) -> dict[str, Tensor]:
        mask = told["attention_mask"]
        states = self.inner(
            input_ids=told["input_ids"], attention_mask=mask, use_cache=False
        ).last_hidden_state
        return {"sentence_embedding": F.normalize(pooled(states, mask, self.pooling), dim=1)}

    @torch.no_grad()
    def encode(
        self,
        sentences: Sequence[str],
        *,
        batch_size: int,
        show_progress_bar: bool = False,
        convert_to_numpy: bool = True,
    ) -> NDArray[np.float32]:
        """Vectors in the order given; texts that stand together share a batch."""
        del show_progress_bar, convert_to_numpy  # as SentenceTransformer has them
        found = [np.zeros((0, self.get_embedding_dimension()), np.float32)]
        for start in range(0, len(sentences), batch_size):
            told = self.tokenizer(
                list(sentences[start : start + batch_size]),
                padding=True,
                truncation=True,
                max_length=self.max_seq_length,
                return_tensors="pt",
            ).to(self.device)
            found.append(self(told)["sentence_embedding"].float().cpu().numpy())
        return np.concatenate(found)


def pooled(
    states: Float[Tensor, "B L D"], mask: Int[Tensor, "B L"], pooling: str
) -> Float[Tensor, "B D"]:
    """One vector of the states of right-padded tokens; zero of a text without any."""
    there = mask.to(states.dtype)
    if pooling == "last":
        last = (mask.sum(1) - 1).clamp(min=0)
        return states[torch.arange(len(states)), last] * there[:, :1]
    weight = there.cumsum(1) * there if pooling == "weighted" else there
    return (states * weight[:, :, None]).sum(1) / weight.sum(1, keepdim=True).clamp(min=1)


def load_decoder(weights: Path, device: str, pooling: str) -> Decoder:
    """A decoder from a GGUF file, its weights made whole again: float32."""
    from transformers import AutoModel, AutoTokenizer

    place = {"pretrained_model_name_or_path": str(weights.parent), "gguf_file": weights.name}
    tokenizer = AutoTokenizer.from_pretrained(**place)
    tokenizer.padding_side = "right"
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    inner = AutoModel.from_pretrained(**place, dtype=torch.float32)
    return Decoder(inner.to(device).eval(), tokenizer, pooling)
