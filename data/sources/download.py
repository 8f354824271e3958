"""Fetch a named source from its publisher: licence first, checksum always, no half files."""

from __future__ import annotations

import hashlib
import logging
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from trefoil.data.errors import ConfigError, DataError
from trefoil.data.files import cache_folder
from trefoil.data.sources.source import Remote, Source

log = logging.getLogger(__name__)

TIMEOUT_S = 60
LARGEST = 2**30  # bytes; nothing named here comes near


def fetch(source: Source, cache: Path | None = None) -> Path:
    """The folder of a source, downloaded once.

    Everything is fetched and checked in a folder beside, which then takes its
    place as a whole: an interrupted download leaves nothing. Raises ConfigError
    where there is nothing to download, DataError where it fails.
    """
    if not source.remotes:
        raise ConfigError(
            f"{source.name} has no fixed file with a known checksum at its publisher"
            f"{f' ({source.home})' if source.home else ''}; "
            "get it yourself and name its folder with --data-root"
        )
    kept = (cache or cache_folder()) / source.name
    if kept.is_dir():
        return kept
    log.warning("%s: %s. Downloading to %s", source.name, source.licence, kept)
    kept.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{source.name}-", dir=kept.parent))
    try:
        for remote in source.remotes:
            _fetch_one(remote, beside)
        try:
            beside.rename(kept)
        except OSError:  # another process was quicker; its files are as good
            if not kept.is_dir():
                raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return kept


def _fetch_one(remote: Remote, folder: Path) -> None:
    expected = remote.checksum
    if remote.checksum_at is not None:
        expected = _published(remote.checksum_at)
    assert expected is not None, f"{remote.url} has no checksum"
    kind, _, wanted = expected.partition(":")
    packed = folder / "download.part"
    digest = hashlib.new(kind, usedforsecurity=False)
    with packed.open("wb") as file:
        for chunk in _stream(remote.url):
            digest.update(chunk)
            file.write(chunk)
    if digest.hexdigest() != wanted:
        raise DataError(
            f"{remote.url}: {kind} is {digest.hexdigest()}, expected {wanted}; the file was "
            "damaged on the way or replaced. Try again, or name a folder with --data-root"
        )
    if remote.members:
        _unzip(packed, remote, folder)
        packed.unlink()
    else:
        target = folder / (remote.save_as or remote.url.rpartition("/")[2])
        target.parent.mkdir(parents=True, exist_ok=True)
        packed.rename(target)


def _stream(url: str) -> Iterator[bytes]:
    """Chunks of a remote file. Raises DataError where it does not come whole."""
    got, length = 0, None
    try:
        with urlopen(Request(url, headers={"User-Agent": "trefoil"}), timeout=TIMEOUT_S) as answer:
            length = answer.headers.get("Content-Length")
            while chunk := answer.read(1 << 16):
                got += len(chunk)
                if got > LARGEST:
                    raise DataError(f"{url}: larger than {LARGEST} bytes; not what was expected")
                yield chunk
    except (URLError, HTTPException, OSError) as fault:
        if isinstance(fault, HTTPError):  # it is an answer too, and holds the connection
            fault.close()
        raise DataError(
            f"{url}: cannot be fetched ({getattr(fault, 'reason', None) or fault}); "
            "try again, or name a folder that holds the data with --data-root"
        ) from None
    if length is not None and got != int(length):
        raise DataError(f"{url}: broke off after {got} of {length} bytes; try again")


def _published(url: str) -> str:
    """The MD5 in a small text file of the publisher."""
    text = b"".join(_stream(url))[:1000].decode(errors="replace")
    found = re.search(r"\b[0-9a-f]{32}\b", text)
    if found is None:
        raise DataError(f"{url}: holds no MD5 but {text[:80]!r}; name a folder with --data-root")
    return f"md5:{found[0]}"


def _unzip(packed: Path, remote: Remote, folder: Path) -> None:
    """Only the members that are named, each under its last name."""
    try:
        with zipfile.ZipFile(packed) as archive:
            for member in remote.members:
                target = folder / Path(member).name
                with archive.open(member) as content, target.open("wb") as file:
                    shutil.copyfileobj(content, file)
    except (zipfile.BadZipFile, KeyError, OSError, EOFError) as fault:
        raise DataError(f"{remote.url}: not the archive expected ({fault})") from None
