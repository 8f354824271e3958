"""Files plain, .gz or .zst, as streams or whole; damage is named, never read as an early end."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import zstandard

from trefoil.data.errors import DataError
from trefoil.data.suggest import closest

_CHUNK = 1 << 20
SMALL, FACTOR = 1 << 30, 200  # a larger content that is so many times its file is refused


class _Zst(io.RawIOBase):
    """Frames one after another. The stream reader of zstandard ends quietly on a cut frame."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._rest, self._frame = file, b"", None
        self._fed = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
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
def open_bytes(path: Path, error: type[DataError] = DataError) -> Iterator[IO[bytes]]:
    """The content of a file, piece by piece.

    Raises ``error`` where the file is missing, empty though it is packed, damaged or cut short.
    """
    try:
        with path.open("rb") as file:
            packed = path.suffix.lower() in (".gz", ".zst")
            if packed and not path.stat().st_size:
                raise EOFError("no bytes at all")
            if path.suffix.lower() == ".gz":
                with gzip.open(file) as unpacked:
                    yield unpacked  # type: ignore[misc]
            elif path.suffix.lower() == ".zst":
                yield io.BufferedReader(_Zst(file), _CHUNK)
            else:
                yield file
    except FileNotFoundError:
        raise error(f"{path}: no such file; {_near(path)}") from None
    except (EOFError, zlib.error, zstandard.ZstdError, gzip.BadGzipFile) as fault:
        raise error(
            f"{path}: damaged or cut short, cannot be decompressed ({fault}); fetch it again"
        ) from None
    except OSError as fault:
        raise error(f"{path}: cannot be read ({fault.strerror or fault})") from None


def read_bytes(path: Path, small: int = SMALL) -> bytes:
    """The whole content of a file. Raises DataError, as ``open_bytes`` does.

    A packed file whose content is larger than ``small`` and than ``FACTOR`` times the
    file is refused: it would fill the memory.
    """
    if path.suffix.lower() not in (".gz", ".zst"):
        with open_bytes(path) as stream:
            return stream.read()
    parts, size = [], 0
    with open_bytes(path) as stream:
        most = max(small, FACTOR * path.stat().st_size)
        while part := stream.read(_CHUNK):
            parts.append(part)
            size += len(part)
            if size > most:
                raise DataError(f"{path}: unpacks to more than {most} bytes; unpack it yourself")
    return b"".join(parts)


def _near(path: Path) -> str:
    if not path.parent.is_dir():
        return f"the folder {path.parent} does not exist either"
    names = sorted(entry.name for entry in path.parent.iterdir() if entry.is_file())
    return closest(path.name, names) if names else f"the folder {path.parent} is empty"
