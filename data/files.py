"""Files written whole, their digests, and the folder of what may be fetched or made again."""

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trefoil.data.errors import ConfigError

OF_THE_PLACE = {
    getattr(errno, name)
    for name in (
        "EACCES", "EPERM", "ENOENT", "ENOTDIR", "EISDIR", "EEXIST", "ENOTEMPTY", "EROFS",
        "ENOSPC", "EDQUOT", "EFBIG", "ENAMETOOLONG", "ELOOP", "EBUSY", "EMFILE", "EIO",
    )
}  # fmt: skip


def cache_folder() -> Path:
    """``TREFOIL_CACHE``, or ``.cache/trefoil`` at home."""
    named = os.environ.get("TREFOIL_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "trefoil"


def write_file(path: Path, content: str | bytes) -> None:
    """Write beside, flush to disk, rename: a reader never meets half a file.

    The umask says who may read it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def file_digest(path: Path) -> str:
    """SHA-256 of the content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """While ``place`` is written, what the system refuses there is raised as ConfigError."""
    try:
        yield
    except OSError as error:
        if error.errno not in OF_THE_PLACE:
            raise
        raise ConfigError(
            f"{place}: cannot be written ({reason(error)}); name another place"
        ) from error


def reason(error: OSError) -> str:
    """The file and what the system says of it, in one line."""
    names = [os.fsdecode(name) for name in (error.filename, error.filename2) if name]
    said = (error.strerror or str(error)).lower()
    return f"{' to '.join(names)}: {said}" if names else said
