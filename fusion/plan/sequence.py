"""A trained Transformer over events, computed by numpy: see ``encoders.behaviour``."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trefoil.data.histories import Histories
from trefoil.data.interactions import UNKNOWN_TIME, Ints
from trefoil.fusion.plan.gelu import gelu

Reals = NDArray[np.floating[Any]]
BATCH = 256  # histories that are padded to one length
EPSILON = np.float32(1e-5)  # of the layer norms


@dataclass(frozen=True)
class Norm:
    """A layer norm."""

    weight: Reals
    bias: Reals

    def __call__(self, x: Reals) -> Reals:
        x = x - x.mean(-1, keepdims=True)
        spread = np.sqrt(np.square(x).mean(-1, keepdims=True) + EPSILON)
        return x / spread * self.weight + self.bias


@dataclass(frozen=True)
class Affine:
    """``x W + b``."""

    weight: Reals  # width in x width out
    bias: Reals

    def __call__(self, x: Reals) -> Reals:
        return x @ self.weight + self.bias


@dataclass(frozen=True)
class Block:
    """Attention, then a small network; each reads a normed input and is added to it."""

    heads: int
    norm: Norm
    asked: Affine  # queries, keys and values, side by side
    mixed: Affine
    inner_norm: Norm
    inner: Affine
    outer: Affine

    def __call__(self, hidden: Reals, bias: Reals, rows: Ints | None) -> Reals:
        """``hidden`` [B, L, D], ``bias`` [B or 1, heads, L, L]; with ``rows`` only one
        state of each history, [B, 1, D].
        """
        size, length, width = hidden.shape
        parts = self.asked(self.norm(hidden)).reshape(size, length, 3, self.heads, -1)
        query, key, value = (parts[:, :, one].transpose(0, 2, 1, 3) for one in range(3))
        if rows is not None:
            every = np.arange(size)
            query, hidden = query[every, :, rows][:, :, None], hidden[every, rows][:, None]
            bias = bias[every if len(bias) > 1 else every * 0, :, rows][:, :, None]
        scale = np.float32((width // self.heads) ** -0.5)
        weight = (query * scale) @ key.transpose(0, 1, 3, 2) + bias
        weight = np.exp(weight - weight.max(-1, keepdims=True))
        weight /= weight.sum(-1, keepdims=True)
        told = (weight @ value).transpose(0, 2, 1, 3).reshape(hidden.shape)
        hidden = hidden + self.mixed(told)
        return hidden + self.outer(gelu(self.inner(self.inner_norm(hidden))))


@dataclass(frozen=True)
class Transformer:
    """The state after the newest event of a history."""

    max_events: int
    distance: Reals  # max_events x heads
    between: Reals | None  # spans of time x heads
    since: Reals | None  # spans of time x width
    blocks: tuple[Block, ...]
    norm: Norm

    def newest(self, table: Reals, past: Histories) -> Reals:
        """States [cases, width] for vectors ``table`` of the items; zero without an event."""
        size = np.minimum(past.lengths, self.max_events)
        out = np.zeros((len(past), table.shape[1]), np.float32)
        order = np.argsort(size, kind="stable")  # like lengths share a batch
        order = order[size[order] > 0]
        for first in range(0, len(order), BATCH):
            rows = order[first : first + BATCH]
            place = np.arange(int(size[rows[-1]]))
            there = place < size[rows, None]
            event = np.where(there, (past.start[1:] - size)[rows, None] + place, 0)
            at = None if past.at is None else np.where(there, past.at[event], 0)
            events = table[np.where(there, past.item[event], 0)]
            out[rows] = self._states(events, at, size[rows] - 1)
        return out

    def _states(self, events: Reals, at: Ints | None, last: Ints) -> Reals:
        """The state after event ``last`` of each [B, D] of ``events`` [B, L, D]."""
        length, width = events.shape[1:]
        apart = np.arange(length)[:, None] - np.arange(length)
        bias = self.distance[np.maximum(apart, 0)].transpose(2, 0, 1)[None]
        hidden = np.float32(width**0.5) * events
        if at is not None and self.between is not None and self.since is not None:
            before = np.concatenate([np.full_like(at[:, :1], UNKNOWN_TIME), at[:, :-1]], 1)
            hidden = hidden + self.since[_span(at, before, len(self.since))]
            spans = _span(at[:, :, None], at[:, None, :], len(self.between))
            bias = bias + self.between[spans].transpose(0, 3, 1, 2)
        bias = np.where(apart < 0, np.float32(-np.inf), bias)
        for block in self.blocks:
            final = block is self.blocks[-1]
            hidden = block(hidden, bias, last if final else None)
        states = hidden[:, 0] if self.blocks else hidden[np.arange(len(last)), last]
        return self.norm(states)


def _span(later: Ints, earlier: Ints, spans: int) -> NDArray[Any]:
    """Rows for spans of time: 1 + floor(log2(1 + seconds)), 0 where a time is not known."""
    known = (later != UNKNOWN_TIME) & (earlier != UNKNOWN_TIME)
    seconds = np.where(known, np.maximum(later - earlier, 0), 0)
    doublings = np.minimum(np.frexp((seconds + 1).astype(np.float32))[1], spans - 1)
    return np.where(known, doublings, 0)
