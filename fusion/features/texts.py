"""The texts of a catalogue as vectors, and how a new text is read the same way."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from trefoil.encoders.text.encoder import TextEncoder, Whitening
from trefoil.encoders.view import View

log = logging.getLogger(__name__)


def name_vectors(
    columns: Mapping[str, Sequence[str]], encoder: TextEncoder
) -> dict[str, Float[Tensor, "values T"]]:
    """Vectors of unit length of the names of values, read with the column: ``weather: sunny``.

    Centred over all values, for what they have in common tells none from another; zero where
    a name cannot be read.
    """
    said = [f"{column}: {name}" for column, names in columns.items() for name in names]
    view, _ = encoder.encode(said)
    if not bool(view.known.any()):
        return {}
    centred = view.vectors - view.vectors[view.known].mean(0)
    whole = F.normalize(centred, dim=1).masked_fill(~view.known[:, None], 0.0)
    parts = whole.split([len(names) for names in columns.values()])
    return dict(zip(columns, parts, strict=True))


@dataclass
class Texts:
    """Item texts as vectors, and what it takes to read a new text the same way."""

    encoder: TextEncoder
    whitening: Whitening
    items: View  # whitened, unit length
    wordings: Tensor | None = None  # [wordings, items, T], for training alone


def as_read(encoder: TextEncoder, warnings: Sequence[str]) -> TextEncoder:
    """The encoder that really read the texts: n-grams where it warned that it falls back."""
    return replace(encoder, model="ngrams") if warnings else encoder


def text_scores(texts: Texts | None, text: str, items: int) -> Tensor:
    """z-scores [1, items] of the cosine between a text and the items' texts.

    Zeros where no texts were learned, or where this one is read in another way.
    """
    if texts is None:
        log.warning("no item texts were learned, so the text query is left out")
        return torch.zeros(1, items)
    view, warnings = texts.encoder.encode([text], store=False)
    if warnings or not bool(view.known.any()):
        return torch.zeros(1, items)
    cosine = texts.whitening(view).vectors @ texts.items.vectors.T
    known = texts.items.known
    spread = cosine[:, known].std().clamp(min=1e-6)
    z = (cosine - cosine[:, known].mean()) / spread
    return z.masked_fill(~known, 0.0)
