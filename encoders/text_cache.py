"""Text vectors on disk, keyed by model, revision, length and the text's digest."""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file


def cache_folder() -> Path:
    """``TREFOIL_CACHE`` or ``~/.cache/trefoil``."""
    return Path(os.environ.get("TREFOIL_CACHE") or Path.home() / ".cache" / "trefoil")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class TextCache:
    """Vectors of one encoder. A damaged file counts as empty: it only saves time."""

    def __init__(self, encoder: str, folder: Path | None = None) -> None:
        self.path = (folder or cache_folder()) / "text" / f"{digest(encoder)[:16]}.safetensors"
        self._vectors: dict[str, NDArray[np.float16]] = {}
        if self.path.is_file():
            try:
                stored = load_file(self.path)
                keys = stored["keys"].tobytes().decode("ascii")
                for row, vector in enumerate(stored["vectors"]):
                    self._vectors[keys[64 * row : 64 * row + 64]] = vector
            except Exception:  # any damage: the texts are encoded again
                self._vectors = {}

    def missing(self, texts: Sequence[str]) -> list[str]:
        """Distinct texts without a vector, in order of first occurrence."""
        return [text for text in dict.fromkeys(texts) if digest(text) not in self._vectors]

    def add(self, texts: Sequence[str], vectors: NDArray[np.floating]) -> None:
        """Keep vectors and write the file beside, then rename."""
        for text, vector in zip(texts, vectors, strict=True):
            self._vectors[digest(text)] = vector.astype(np.float16)
        keys = np.frombuffer("".join(self._vectors).encode("ascii"), np.uint8)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=self.path.parent, suffix=".part")
        os.close(handle)
        save_file({"keys": keys, "vectors": np.stack(list(self._vectors.values()))}, beside)
        os.replace(beside, self.path)

    def get(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors [texts, D] as stored in half precision, so a hit and a miss agree exactly."""
        return np.stack([self._vectors[digest(text)] for text in texts]).astype(np.float32)
