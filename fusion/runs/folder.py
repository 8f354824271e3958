"""A run is a folder: written beside and renamed, with a manifest of digests."""

import json
import os
import re
import shutil
from collections.abc import Collection, Container, Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from trefoil.data.command import check_output
from trefoil.data.errors import ConfigError, DataError
from trefoil.data.files import file_digest, write_file, writing
from trefoil.data.manifest import (
    FORMAT,
    MANIFEST,
    REWRITING,
    begin_rewriting,
    check_files,
    end_rewriting,
    files_in,
    load_manifest,
    save_manifest,
)
from trefoil.data.privacy import ForgottenPeople
from trefoil.fusion.runs.leftovers import claimed, new_and_old, put_back, restore

MODEL, TEXT, STRUCTURE = "model.safetensors", "text.safetensors", "model.json"
ADAPTER = "text-adapter.safetensors"  # what fine-tuning changed in the text encoder
MODELS = (MODEL, TEXT, ADAPTER, STRUCTURE)  # what was learned
REPORTS = ("report.json", "report.html")  # rewritten by an evaluation
TOLD = (*REPORTS, "history.jsonl", "MODEL_CARD.md", "quarantine.jsonl")  # of a training
CURVES = "tensorboard/"
BETWEEN = r"[\s,;|\"']+"  # what stands between words of a line
WORDS_OF_AN_ID = 8  # at most, where it is looked for in a line: the list tells no id itself
OWN_KEYS = ("format", "versions", "files", "digest", REWRITING)  # made anew with each manifest
LIBRARIES = ("torch", "torch-geometric", "sentence-transformers", "numpy", "polars", "ladybug")


@contextmanager
def new_run(folder: Path) -> Iterator[Path]:
    """A folder to fill beside ``folder``; renamed into place when all went well.

    An old run is replaced. Raises ConfigError, and leaves all as it is, where
    anything else is there, nothing can be written or another process is writing this run.
    """
    with writing(folder):
        check_place(folder)
        folder = folder.absolute()
        folder.parent.mkdir(parents=True, exist_ok=True)
    with writing(folder), claimed(folder):
        put_back(folder)
        beside, old = new_and_old(folder)
        beside.mkdir()
        try:
            yield beside
            _settle(beside)
            if folder.exists():
                folder.rename(old)
            beside.rename(folder)
        except BaseException as error:
            if old.exists() and not folder.exists():
                old.rename(folder)
            shutil.rmtree(beside, ignore_errors=True)
            if isinstance(error, SafetensorError):
                raise DataError(f"{folder}: cannot be written: {error}") from None
            raise
        shutil.rmtree(old, ignore_errors=True)


def _settle(folder: Path) -> None:
    """Every file on the disk, and as open to others as the umask lets it be.

    Writers of tensors make files that nobody else may read; the new folder shows
    what the umask is without changing it for other threads.
    """
    open_to = folder.stat().st_mode & 0o666
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(open_to)
            with path.open("rb") as file:
                os.fsync(file.fileno())


def check_place(folder: Path) -> None:
    """Raises ConfigError where ``folder`` holds something that is no run, or cannot be made."""
    if folder.absolute().name in ("", ".."):
        raise ConfigError(f"{folder}: is no name for a run; name a new folder with --out")
    taken = folder.exists() and not (folder / MANIFEST).exists()
    if taken and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder}: exists and is no run; name a new folder with --out")
    check_output(folder.absolute())


def write_manifest(folder: Path, about: Mapping[str, Any]) -> None:
    """Digests of every file in the folder, and what the run was made from."""
    files = {name: file_digest(path) for name, path in files_in(folder).items()}
    versions = {name: metadata.version(name) for name in LIBRARIES}
    about = {key: value for key, value in about.items() if key != REWRITING}
    save_manifest(folder, {"format": FORMAT, **about, "versions": versions, "files": files})


def refresh(folder: Path, contents: Mapping[str, str]) -> None:
    """Replace some files of a run, and their digests in the manifest.

    A stop between any two steps leaves a run that is accepted.
    """
    with claimed(folder.absolute()):
        begin_rewriting(folder, check_manifest(folder), contents)
        for name, content in contents.items():
            write_file(folder / name, content)
        end_rewriting(folder)


def check_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run whose files are all as they were written, and no others.

    A run that a killed writer left beside its place is put back first. Raises
    DataError naming the file that is missing, damaged or foreign, and for a run of
    another format.
    """
    restore(folder.absolute())
    if not (folder / MANIFEST).is_file():
        raise DataError(f"{folder}: no {MANIFEST}, so this is no run; make one with train.py")
    manifest = load_manifest(folder)
    # a manifest without a digest is of a version that forgot reports while it rewrote them
    check_files(folder, manifest, unnamed=() if "digest" in manifest else REPORTS)
    return manifest


def carry_over(source: Path, folder: Path, without: ForgottenPeople | Collection[str] = ()) -> None:
    """Copy what a training told of itself from a run into the copy of it in ``folder``.

    What ``folder`` has words in already stays. Of lines that name one of the people ``without``
    nothing is copied; a page may show anybody, so it stays behind.
    """
    for name, path in files_in(source).items():
        target = folder / name
        empty = not target.exists() or not target.stat().st_size
        if empty and (name in TOLD or name.startswith(CURVES)):
            target.parent.mkdir(parents=True, exist_ok=True)
            if without and name in REPORTS:
                continue
            if without and name.endswith(".jsonl"):
                lines = path.read_text("utf-8").splitlines(keepends=True)
                kept = [line for line in lines if not _names(json.loads(line), without)]
                target.write_text("".join(kept), "utf-8")
            else:
                shutil.copyfile(path, target)


def _names(told: object, people: Container[str]) -> bool:
    """Whether JSON values hold an id of one of these people, alone or as words of a line."""
    if isinstance(told, Mapping):
        return any(_names(one, people) for one in told.values())
    if isinstance(told, list):
        return any(_names(one, people) for one in told)
    line = str(told)
    between = [one.span() for one in re.finditer(BETWEEN, line)]
    begins, ends = [0, *(end for _, end in between)], [*(begin for begin, _ in between), len(line)]
    parts = {line} | {
        line[begin:end] for at, begin in enumerate(begins) for end in ends[at : at + WORDS_OF_AN_ID]
    }
    parts |= {one.strip(".:!?()[]{}") for one in parts}  # as sentences write them
    return any(one in people for one in parts)
