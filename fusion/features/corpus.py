"""The texts of a corpus as vectors, read as item texts are, with what is told of each."""

from dataclasses import dataclass

import torch
from torch import Tensor

from trefoil.data.corpus import Corpus
from trefoil.encoders.view import View
from trefoil.fusion.features.texts import Texts


@dataclass(frozen=True)
class CorpusTexts:
    """Whitened vectors; ``classes`` are below ``names``, -1 where unknown; ``numbers`` or NaN."""

    text: View
    classes: Tensor | None
    names: int
    numbers: Tensor | None


def corpus_texts(corpus: Corpus | None, texts: Texts | None) -> CorpusTexts | None:
    """None without a corpus, and where no texts of items are read."""
    if corpus is None or texts is None:
        return None
    raw, _ = texts.encoder.encode(corpus.texts)
    classes, numbers = corpus.classes, corpus.numbers
    return CorpusTexts(
        texts.whitening(raw),
        None if classes is None else torch.from_numpy(classes.codes),
        0 if classes is None else len(classes.names),
        None if numbers is None else torch.from_numpy(numbers),
    )
