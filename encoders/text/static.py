"""Texts as weighted means of token vectors: a sentence encoder asked once for each token.

After Model2Vec (Tulkens & van Dongen 2024) and SIF (Arora et al. 2017, "A simple but
tough-to-beat baseline for sentence embeddings"). The order of words is lost; a text costs a
thousandth.
"""

from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from trefoil.encoders.text.cache import Reading, TextCache
from trefoil.encoders.text.sentence_model import SentenceModel

STATIC = "static"  # the name of the table of "minilm"; "static:NAME" is that of another encoder
COMMON = 1e-4  # probability of a token from which it loses weight: a / (a + p)
CHUNK = 8_192  # texts read at once


def encoder_of(model: str) -> tuple[str, bool]:
    """The sentence encoder behind a name, and whether only its table of tokens is asked."""
    name, _, other = model.partition(":")
    return (other or "minilm", True) if name == STATIC else (model, False)


def static_of(model: str) -> str:
    """The name of an encoder's table of tokens; n-grams are cheap, and stay."""
    _, static = encoder_of(model)
    if static or model == "ngrams":
        return model
    return STATIC if model == "minilm" else f"{STATIC}:{model}"


def read_static(
    model: SentenceModel,
    texts: Sequence[str],
    batch: int,
    cache: TextCache | None,
    tell: Callable[[int], None] | None = None,
) -> list[Reading]:
    """Readings in the order given; the vectors of tokens are kept in ``cache``, texts are not."""
    found: list[Reading] = []
    tokenizer = model.model.tokenizer
    table = _Table(model, batch, cache)
    for start in range(0, len(texts), CHUNK):
        part = list(texts[start : start + CHUNK])
        with model.alone():
            ids = tokenizer(
                part,
                add_special_tokens=False,
                truncation=True,
                max_length=model.model.max_seq_length,
            )["input_ids"]
        found += table.means(ids)
        if tell:
            tell(min(start + CHUNK, len(texts)))
    return found


class _Table:
    """Vectors of tokens, each made when it is first met."""

    def __init__(self, model: SentenceModel, batch: int, cache: TextCache | None) -> None:
        self.model, self.batch, self.cache = model, batch, cache
        tokenizer = model.model.tokenizer
        size = len(tokenizer)
        self.unknown = getattr(tokenizer, "unk_token_id", None)
        # Vocabularies are ordered by frequency, which follows Zipf's law about.
        share = 1 / np.arange(2, size + 2)
        self.weight = (COMMON / (COMMON + share / share.sum())).astype(np.float32)
        self.row = np.full(size, -1, np.int64)
        # The first row stands for texts without a token.
        self.vectors = np.zeros((1, model.width), np.float32)

    def means(self, ids: Sequence[Sequence[int]]) -> list[Reading]:
        """One reading a text: unit length, zero where nothing but unknown tokens is left."""
        lengths = np.array([len(one) for one in ids], np.int64)
        token = np.fromiter(chain.from_iterable(ids), np.int64, int(lengths.sum()))
        self._learn(np.unique(token))
        odd = token == (-1 if self.unknown is None else self.unknown)
        weight = np.where(odd, 0.0, self.weight[token]).astype(np.float32)
        start = np.concatenate([[0], np.cumsum(lengths)])[:-1]
        summed = F.embedding_bag(
            torch.from_numpy(self.row[token]),
            torch.from_numpy(self.vectors),
            torch.from_numpy(start),
            mode="sum",
            per_sample_weights=torch.from_numpy(weight),
        )
        told = F.normalize(summed, dim=1).half().numpy()
        case = np.repeat(np.arange(len(ids)), lengths)
        counts = np.bincount(case, odd, len(ids)).astype(np.int64)
        triples = zip(told, lengths.tolist(), counts.tolist(), strict=True)
        return [Reading(vector, tokens, unknown) for vector, tokens, unknown in triples]

    def _learn(self, tokens: NDArray[np.int64]) -> None:
        """Vectors of the tokens that were not met before."""
        new = tokens[self.row[tokens] < 0]
        if not len(new):
            return
        names = self.model.model.tokenizer.convert_ids_to_tokens(new.tolist())
        kept = self.cache.get(names) if self.cache else {}
        missing = [(one, int(at)) for one, at in zip(names, new, strict=True) if one not in kept]
        if missing:
            made = self.model.token_vectors([at for _, at in missing], self.batch)
            pairs = zip(missing, made, strict=True)
            fresh = {name: Reading(vector.astype(np.float16), 1, 0) for (name, _), vector in pairs}
            if self.cache:
                self.cache.add(fresh)
            kept |= fresh
        more = np.stack([kept[name].vector for name in names]).astype(np.float32)
        self.row[new] = len(self.vectors) + np.arange(len(new))
        self.vectors = np.concatenate([self.vectors, more])
