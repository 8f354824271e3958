"""The texts of a catalogue as vectors, and how a new text is read the same way."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from encoders.text import TextEncoder, Whitening
from encoders.view import View


@dataclass
class Texts:
    """Item texts as vectors, and what it takes to read a new text the same way."""

    encoder: TextEncoder
    whitening: Whitening
    items: View  # whitened, unit length


def as_read(encoder: TextEncoder, warnings: Sequence[str]) -> TextEncoder:
    """The encoder that really read the texts: n-grams where it warned that it falls back."""
    return replace(encoder, model="ngrams") if warnings else encoder
