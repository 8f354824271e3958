"""Files as byte streams, plain, .gz or .zst; damage is named, never read as an early end."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import zstandard

from trefoil.data.errors import GraphDataError
from trefoil.data.suggest import closest

_CHUNK = 1 << 20


class _Zst(io.RawIOBase):
    """Frames one after another. The stream reader of zstandard ends quietly on a cut frame."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._rest, self._frame = file, b"", None
        self._fed = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[override]
        while not self._rest:
            data = self._fed or self._file.read(_CHUNK // 8)
            self._fed = b""
            if not data:
                if self._frame is not None:
                    raise EOFError("the last frame is incomplete")
                return 0
            if self._frame is None:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._rest = self._frame.decompress(data)
            if self._frame.eof:
                self._fed, self._frame = self._frame.unused_data, None
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """The content of a file. Raises GraphDataError where it is missing, damaged or cut short."""
    try:
        with path.open("rb") as file:
            if path.suffix.lower() == ".gz":
                with gzip.open(file) as unpacked:
                    yield unpacked  # type: ignore[misc]
            elif path.suffix.lower() == ".zst":
                yield io.BufferedReader(_Zst(file), _CHUNK)
            else:
                yield file
    except FileNotFoundError:
        folder = path.parent
        names = sorted(one.name for one in folder.iterdir()) if folder.is_dir() else []
        raise GraphDataError(f"{path}: no such file; {closest(path.name, names)}") from None
    except (EOFError, zlib.error, zstandard.ZstdError, gzip.BadGzipFile) as fault:
        raise GraphDataError(
            f"{path}: damaged or cut short, cannot be decompressed ({fault}); fetch it again"
        ) from None
    except OSError as fault:
        raise GraphDataError(f"{path}: cannot be read ({fault.strerror or fault})") from None
