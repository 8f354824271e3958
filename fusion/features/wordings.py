"""Vectors of other wordings of the items' texts, which steps of training draw from."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from trefoil.encoders.text.encoder import TextEncoder, Whitening
from trefoil.encoders.text.wordings import Wording, read_synonyms
from trefoil.encoders.view import View
from trefoil.fusion.settings.branches import Text


def wordings_of(
    texts: Sequence[str | None],
    items: View,
    encoder: TextEncoder,
    whitening: Whitening,
    part: Text,
    seed: int,
) -> Float[Tensor, "wordings items T"] | None:
    """Every text said in ``part.wordings`` other ways, whitened as the texts are.

    A wording that cannot be read is the text as it stands. None where settings ask for none.
    Raises ConfigError for synonyms that cannot be read.
    """
    if not part.wordings:
        return None
    synonyms = read_synonyms(Path(part.synonyms)) if part.synonyms else {}
    wording = Wording(part.word_dropout, part.sentence_shuffle, synonyms)
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(part.wordings):
        said = [text and wording.of(text, rng) for text in texts]
        raw, warnings = encoder.encode(said, store=False)
        if warnings:  # read in another way, whose vectors mean something else
            found.append(items.vectors)
            continue
        own = whitening(raw)
        found.append(torch.where(own.known[:, None], own.vectors, items.vectors))
    return torch.stack(found)
