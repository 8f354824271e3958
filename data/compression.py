"""Files plain or packed, as streams or whole; damage is named, never read as an early end."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import zstandard

from trefoil.data.errors import DataError
from trefoil.data.suggest import closest

PACKED = (".gz", ".zst", ".bz2", ".xz", ".zip")
_CHUNK = 1 << 20
_OPEN = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_DAMAGE = (
    EOFError, zlib.error, zstandard.ZstdError, gzip.BadGzipFile, lzma.LZMAError, zipfile.BadZipFile,
)  # fmt: skip
SMALL, FACTOR = 1 << 30, 200  # a larger content that is so many times its file is refused
IN_MEMORY = 64 << 20  # bytes of unpacked content beyond which they go to a temporary file


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
    """The content of a file, piece by piece; ``a.zip/b.ttl`` is a file inside a zip archive.

    A ``.zip`` by itself stands for the one file in it. Raises ``error`` where the file is
    missing, empty though it is packed, damaged, cut short or locked by a password.
    """
    archive = archive_of(path)
    suffix = ".zip" if archive else path.suffix.lower()
    try:
        with (archive or path).open("rb") as file:
            if suffix in PACKED and not (archive or path).stat().st_size:
                raise EOFError("no bytes at all")
            if archive:
                with (
                    zipfile.ZipFile(file) as inside,
                    inside.open(_member(inside, path)) as unpacked,
                ):
                    yield unpacked
            elif suffix in _OPEN:
                with _OPEN[suffix](file) as unpacked:
                    yield unpacked  # type: ignore[misc]
            elif suffix == ".zst":
                yield io.BufferedReader(_Zst(file), _CHUNK)
            else:
                yield file
    except FileNotFoundError:
        raise error(f"{path}: no such file; {_near(path)}") from None
    except _NoMember as fault:
        raise error(f"{path}: {fault}") from None
    except _DAMAGE as fault:
        raise error(
            f"{path}: damaged or cut short, cannot be decompressed ({fault}); fetch it again"
        ) from None
    except OSError as fault:
        if suffix == ".bz2" and fault.errno is None:  # what bz2 raises for damage
            raise error(f"{path}: damaged, cannot be decompressed ({fault}); fetch again") from None
        raise error(f"{path}: cannot be read ({fault.strerror or fault})") from None


class _NoMember(Exception):
    """A zip archive has no such file in it, or one that cannot be opened; said with a remedy."""


def unpacked_suffix(path: Path) -> str:
    """The suffix that tells the format: ``.nt`` of ``a.nt.gz``; empty where there is none."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in PACKED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def is_packed(path: Path) -> bool:
    """Whether a file is packed, or lies in an archive."""
    return path.suffix.lower() in PACKED or archive_of(path) is not None


def archive_of(path: Path) -> Path | None:
    """The zip archive that a path names or leads into."""
    for one in (path, *path.parents):
        if one.suffix.lower() == ".zip" and one.is_file():
            return one
    return None


def members_of(archive: Path, error: type[DataError] = DataError) -> list[Path]:
    """The files in a zip archive, each as ``a.zip/name``, by name. Raises ``error`` for damage."""
    try:
        with zipfile.ZipFile(archive) as inside:
            names = [one.filename for one in inside.infolist() if not one.is_dir()]
    except (OSError, *_DAMAGE) as fault:
        raise error(f"{archive}: damaged or no zip archive ({fault}); fetch it again") from None
    return sorted(archive / name for name in names if not name.startswith("__MACOSX/"))


def _member(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    named = Path(str(archive.filename or archive.fp.name))  # type: ignore[union-attr]
    files = {named / one.filename: one for one in archive.infolist() if not one.is_dir()}
    if path == named and len(files) == 1:
        path = next(iter(files))
    if path not in files:
        some = ", ".join(sorted(one.filename for one in files.values())[:5])
        raise _NoMember(f"name one of the {len(files)} files in the archive ({some}): {named}/NAME")
    if files[path].flag_bits & 1:
        raise _NoMember("locked by a password; unpack it yourself")
    return files[path]


def read_bytes(path: Path, small: int = SMALL) -> bytes:
    """The whole content of a file. Raises DataError, as ``open_bytes`` does.

    A packed file whose content is larger than ``small`` and than ``FACTOR`` times the
    file is refused: it would fill the memory.
    """
    if not is_packed(path):
        with open_bytes(path) as stream:
            return stream.read()
    return b"".join(_unpacked(path, small))


@contextmanager
def open_seekable(path: Path, small: int = SMALL) -> Iterator[IO[bytes]]:
    """As ``open_bytes``, for a reader that goes back and forth.

    Packed content is unpacked first, that of more than ``IN_MEMORY`` bytes into a temporary
    file. What ``read_bytes`` refuses is refused.
    """
    if not is_packed(path):
        with open_bytes(path) as stream:
            yield stream
        return
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as place:
        for part in _unpacked(path, small):
            place.write(part)
        place.seek(0)
        yield place  # type: ignore[misc]


def _unpacked(path: Path, small: int) -> Iterator[bytes]:
    """The content of a packed file, piece by piece, up to the size that is refused."""
    size = 0
    with open_bytes(path) as stream:
        most = max(small, FACTOR * (archive_of(path) or path).stat().st_size)
        while part := stream.read(_CHUNK):
            size += len(part)
            if size > most:
                raise DataError(f"{path}: unpacks to more than {most} bytes; unpack it yourself")
            yield part


def _near(path: Path) -> str:
    if not path.parent.is_dir():
        return f"the folder {path.parent} does not exist either"
    names = sorted(entry.name for entry in path.parent.iterdir() if entry.is_file())
    return closest(path.name, names) if names else f"the folder {path.parent} is empty"
