"""A manifest that notices what has happened to the files of a folder."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from trefoil.data.errors import DataError
from trefoil.data.files import file_digest, write_file

MANIFEST = "manifest.json"
FORMAT = 2  # of runs; another one is not read
REWRITING = "rewriting"  # names, and folders with a slash, whose digests are not certain


def files_in(folder: Path, under: str = "") -> dict[str, Path]:
    """Files by name that a manifest speaks of: all but itself and hidden ones.

    Desktops leave hidden files, such as .DS_Store, in folders that are only looked at.
    """
    found = {
        path.relative_to(folder).as_posix(): path
        for path in sorted((folder / under).rglob("*"))
        if path.is_file() and path != folder / MANIFEST
    }
    return {name: path for name, path in found.items() if not _hidden(name)}


def save_manifest(folder: Path, content: Mapping[str, Any]) -> None:
    """Write the manifest with a digest of its own."""
    content = {key: value for key, value in content.items() if key != "digest"}
    content["digest"] = _own_digest(content)
    write_file(folder / MANIFEST, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def load_manifest(folder: Path) -> dict[str, Any]:
    """The manifest, itself unchanged. Raises DataError otherwise, and for another format.

    A manifest without a digest of its own is taken as it is.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text("utf-8"))
        names = list(manifest["files"].keys())
        made = manifest.get("format")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: damaged ({error}); train again") from None
    if made != FORMAT:
        raise DataError(
            f"{path}: a run of format {made!r}, and this version reads {FORMAT}; train again"
        )
    for name in names:
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            raise DataError(f"{path}: names a file outside the run: {name!r}")
    if manifest.get("digest", _own_digest(manifest)) != _own_digest(manifest):
        raise DataError(f"{path}: damaged (its SHA-256 is not the one that it states); train again")
    return manifest


def check_files(
    folder: Path, manifest: Mapping[str, Any], under: str = "", unnamed: Iterable[str] = ()
) -> None:
    """Raises DataError for a file below ``under`` that is missing, damaged or not named.

    Files that are being rewritten, and those in ``unnamed``, need no name.
    """
    files = {name: digest for name, digest in manifest["files"].items() if name.startswith(under)}
    open_names = (*manifest.get(REWRITING, ()), *unnamed)
    for name, wanted in files.items():
        file = folder / name
        if not file.is_file():
            raise DataError(f"{file}: missing, though {MANIFEST} lists it; train again")
        if file_digest(file) != wanted:
            raise DataError(
                f"{file}: damaged (its SHA-256 is not the one in {MANIFEST}); "
                "copy the run anew, or train again"
            )
    for name, file in files_in(folder, under).items():
        if name not in files and not _covered(name, open_names):
            raise DataError(f"{file}: no file of this run ({MANIFEST} has no such); move it away")


def begin_rewriting(folder: Path, manifest: Mapping[str, Any], names: Iterable[str]) -> None:
    """Take the digests of files, or of folders with a slash, out before they change.

    A stop at any moment until ``end_rewriting`` leaves a run that is accepted.
    """
    names = sorted({*names, *manifest.get(REWRITING, ())})
    kept = {n: digest for n, digest in manifest["files"].items() if not _covered(n, names)}
    save_manifest(folder, {**manifest, "files": kept, REWRITING: names})


def end_rewriting(folder: Path) -> None:
    """Put the digests of all rewritten files back in."""
    manifest = load_manifest(folder)
    names = manifest.pop(REWRITING, ())
    fresh = {
        name: file_digest(path) for name, path in files_in(folder).items() if _covered(name, names)
    }
    files = dict(sorted({**manifest["files"], **fresh}.items()))
    save_manifest(folder, {**manifest, "files": files})


def _covered(name: str, names: Iterable[str]) -> bool:
    return any(name == one or (one.endswith("/") and name.startswith(one)) for one in names)


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def _own_digest(manifest: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in manifest.items() if key != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
