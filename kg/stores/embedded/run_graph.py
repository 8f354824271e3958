"""The graph of a run, for which the run's manifest answers."""

from __future__ import annotations

from pathlib import Path

from trefoil.data.manifest import (
    MANIFEST,
    begin_rewriting,
    check_files,
    end_rewriting,
    load_manifest,
)

FOLDER = "graph"  # of a run, where its store lies
FILES = f"{FOLDER}/"


def check_graph(store: Path) -> None:
    """Raises DataError where a run says that the files of this store were others."""
    if run := _run_of(store):
        check_files(run, load_manifest(run), under=FILES)


def graph_files(run: Path) -> dict[str, str]:
    """The digests that the manifest of a run gives for the files of its graph."""
    named = load_manifest(run)["files"]
    return {name: digest for name, digest in named.items() if name.startswith(FILES)}


def begin_changing(store: Path) -> None:
    """From here on the run does not answer for its graph."""
    if run := _run_of(store):
        begin_rewriting(run, load_manifest(run), [FILES])


def end_changing(store: Path) -> None:
    """The run answers for its graph as it is."""
    if run := _run_of(store):
        end_rewriting(run)


def _run_of(store: Path) -> Path | None:
    run = store.parent
    return run if store.name == FOLDER and (run / MANIFEST).is_file() else None
