"""The same text in other words: what augmentation reads beside it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from trefoil.data.errors import ConfigError

SENTENCE = re.compile(r"(?<=[.!?。！？])\s+")
REPLACED = 0.5  # share of words with synonyms that are replaced

Synonyms = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Wording:
    """How a text is said another way.

    Words are left out at random (as Wei & Zou 2019, arXiv:1901.11196), sentences are put in
    another order, and words give way to ``synonyms`` of theirs, which are listed in lower
    case. At least one word stays.
    """

    word_dropout: float = 0.0
    sentence_shuffle: bool = False
    synonyms: Synonyms = field(default_factory=dict)

    def of(self, text: str, rng: np.random.Generator) -> str:
        """One wording of a text."""
        sentences = SENTENCE.split(text.strip())
        if self.sentence_shuffle and len(sentences) > 1:
            sentences = [sentences[at] for at in rng.permutation(len(sentences))]
        words = [self._said(word, rng) for word in " ".join(sentences).split()]
        if not self.word_dropout or len(words) < 2:
            return " ".join(words)
        kept = rng.random(len(words)) >= self.word_dropout
        kept[rng.integers(len(words))] = True
        return " ".join(word for word, stays in zip(words, kept, strict=True) if stays)

    def _said(self, word: str, rng: np.random.Generator) -> str:
        bare = word.strip(".,;:!?()\"'").casefold()
        others = self.synonyms.get(bare, ())
        if not others or rng.random() >= REPLACED:
            return word
        return others[int(rng.integers(len(others)))]


def read_synonyms(path: Path) -> Synonyms:
    """Words that mean the same: a line for each group, with commas between them, UTF-8.

    Empty lines and those that begin with ``#`` say nothing; a word of several lines has the
    synonyms of all. Raises ConfigError where there is no such file, or no group in it.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(f"text.synonyms = {str(path)!r}: cannot be read ({fault})") from None
    found: dict[str, dict[str, None]] = {}
    for line in lines:
        words = [word.strip() for word in line.split(",") if word.strip()]
        if line.lstrip().startswith("#") or len(words) < 2:
            continue
        for word in words:
            others = {one: None for one in words if one.casefold() != word.casefold()}
            found.setdefault(word.casefold(), {}).update(others)
    if not found:
        raise ConfigError(
            f"text.synonyms = {str(path)!r}: no line with two words; write such as: film, movie"
        )
    return {word: tuple(others) for word, others in found.items()}
