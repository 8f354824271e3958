"""A run is a folder: written beside and renamed, with a manifest of digests."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

from data.errors import ConfigError, DataError

MANIFEST = "manifest.json"
FORMAT = 2  # of runs; another one is not read
REPORTS = ("report.json", "report.html")  # rewritten by an evaluation
LIBRARIES = ("torch", "torch-geometric", "sentence-transformers", "numpy", "polars", "ladybug")


def write_file(path: Path, content: str | bytes) -> None:
    """Write beside, flush to disk, rename: a reader never meets half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, 0o644)
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def new_run(folder: Path) -> Iterator[Path]:
    """A folder to fill beside ``folder``; renamed into place when all went well.

    An old run is replaced. Anything else that is there is left alone: ConfigError.
    """
    check_place(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    os.chmod(beside, 0o755)
    old = beside.with_name(beside.name + ".old")
    try:
        yield beside
        if folder.exists():
            folder.rename(old)
        beside.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    except BaseException:
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(beside, ignore_errors=True)
        raise


def check_place(folder: Path) -> None:
    """Raises ConfigError where ``folder`` holds something that is no run."""
    taken = folder.exists() and not (folder / MANIFEST).exists()
    if taken and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder}: exists and is no run; name a new folder with --out")


def write_manifest(folder: Path, about: Mapping[str, Any]) -> None:
    """Digests of every file in the folder, and what the run was made from."""
    files = {
        path.relative_to(folder).as_posix(): file_digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / MANIFEST
    }
    versions = {name: metadata.version(name) for name in LIBRARIES}
    content = {"format": FORMAT, **about, "versions": versions, "files": files}
    _write_json(folder / MANIFEST, content)


def refresh(folder: Path, contents: Mapping[str, str]) -> None:
    """Replace some files of a run, and their digests in the manifest.

    A stop between any two steps leaves a run that is accepted: the manifest
    names a file only while its digest is certain.
    """
    manifest = check_manifest(folder)
    kept = {name: digest for name, digest in manifest["files"].items() if name not in contents}
    _write_json(folder / MANIFEST, manifest | {"files": kept})
    for name, content in contents.items():
        write_file(folder / name, content)
    new = {name: file_digest(folder / name) for name in contents}
    _write_json(folder / MANIFEST, manifest | {"files": dict(sorted({**kept, **new}.items()))})


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    write_file(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def check_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run whose files are all as they were written.

    Raises DataError naming the file that is missing or damaged, and for a run of
    another format.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise DataError(f"{folder}: no {MANIFEST}, so this is no run; make one with train.py")
    try:
        manifest = json.loads(path.read_text("utf-8"))
        files = dict(manifest["files"].items())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: damaged ({error}); train again") from None
    if manifest.get("format") != FORMAT:
        made = f"format {manifest.get('format')!r}, and this version reads {FORMAT}"
        raise DataError(f"{path}: a run of {made}; train again")
    for name, wanted in files.items():
        file = folder / name
        if not file.resolve().is_relative_to(folder.resolve()):
            raise DataError(f"{path}: names a file outside the run: {name!r}")
        if not file.is_file():
            raise DataError(f"{file}: missing, though {MANIFEST} lists it; train again")
        if file_digest(file) != wanted:
            raise DataError(f"{file}: damaged (its SHA-256 is not the one in {MANIFEST})")
    return manifest
