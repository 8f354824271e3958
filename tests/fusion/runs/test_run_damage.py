"""Kills, umasks, several writers and foreign files: a run is whole, or the fault is named."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from trefoil.data.errors import ConfigError, DataError
from trefoil.data.files import write_file
from trefoil.data.manifest import MANIFEST, REWRITING, begin_rewriting, load_manifest
from trefoil.fusion.runs.folder import (
    carry_over,
    check_manifest,
    check_place,
    new_run,
    refresh,
    write_manifest,
)
from trefoil.fusion.runs.leftovers import claimed, new_and_old

ROOT = Path(__file__).parents[3]
DYING = """
import os, shutil, sys
from pathlib import Path
from trefoil.data.files import write_file
from trefoil.fusion.runs.folder import new_run, refresh, write_manifest
steps, died_at = [0], int(sys.argv[2])
def counted(call):
    def step(*given, **named):
        if steps[0] == died_at:
            os._exit(9)
        steps[0] += 1
        return call(*given, **named)
    return step
os.replace, os.rename = counted(os.replace), counted(os.rename)
shutil.rmtree = counted(shutil.rmtree)
"""
WRITES = """
with new_run(Path(sys.argv[1])) as folder:
    write_file(folder / "model", b"new")
    write_manifest(folder, {})
"""
REFRESHES = 'refresh(Path(sys.argv[1]), {"report.json": "new", "report.html": "new"})\n'


def fill(folder, text):
    write_file(folder / "model", text)
    write_file(folder / "report.json", text)
    write_manifest(folder, {"seed": 3})


@pytest.fixture
def run(tmp_path):
    with new_run(tmp_path / "run") as folder:
        fill(folder, "old")
    return tmp_path / "run"


def dies(code, run, step):
    """Whether a process that does this is dead after so many renames and removals."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    call = [sys.executable, "-c", DYING + code, str(run), str(step)]
    ended = subprocess.run(call, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode in (0, 9), ended.stderr
    return ended.returncode == 9


def leftovers(run):
    return [path.name for path in run.parent.iterdir() if path != run]


def test_a_writer_killed_at_any_step_leaves_a_run_that_loads(run):
    whole, step = [], 0
    while dies(WRITES, run, step):
        check_manifest(run)
        whole.append((run / "model").read_text())
        with new_run(run) as folder:
            fill(folder, "old")
        assert not leftovers(run)
        step += 1
    assert (run / "model").read_text() == "new"
    # two files, two renames, one removal: the old run until it is aside, the new one after
    assert whole == ["old", "old", "old", "new", "new"]


def test_a_refresh_killed_at_any_step_leaves_a_run_that_loads(run):
    step = 0
    while dies(REFRESHES, run, step):
        check_manifest(run)
        step += 1
    assert step == 4  # the manifest, two reports, the manifest
    assert set(check_manifest(run)["files"]) == {"model", "report.html", "report.json"}
    (run / "report.json").write_text("other")
    with pytest.raises(DataError, match=r"report\.json: damaged"):
        check_manifest(run)


def test_an_old_run_without_a_whole_new_one_is_put_back(run):
    new, old = new_and_old(run)
    run.rename(old)
    new.mkdir()
    (new / "model").write_text("half")
    check_manifest(run)
    assert (run / "model").read_text() == "old"
    assert not leftovers(run)


def test_a_second_writer_is_refused_and_a_dead_one_is_not_waited_for(run):
    with new_run(run) as folder:
        fill(folder, "first")
        other = subprocess.run(
            [sys.executable, "-c", DYING + WRITES, str(run), "99"],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert "another process is writing it" in other.stderr
    assert (run / "model").read_text() == "first"
    (run.parent / ".run.lock").touch()  # as of one that was killed
    with claimed(run):
        pass
    assert not leftovers(run)


@pytest.mark.parametrize(
    ("mask", "files", "folders"), [(0o002, 0o664, 0o775), (0o077, 0o600, 0o700)]
)
def test_every_file_and_folder_of_a_run_obeys_the_umask(tmp_path, mask, files, folders):
    before = os.umask(mask)
    try:
        with new_run(tmp_path / "run") as folder:
            save_file({"weight": torch.zeros(1)}, folder / "model.safetensors")
            write_file(folder / "graph/graph.json", "{}")
            write_manifest(folder, {})
        write_file(tmp_path / "run.partial/start.json", "{}")
    finally:
        os.umask(before)
    run = tmp_path / "run"
    for path in (run, *run.rglob("*"), *(tmp_path / "run.partial").rglob("*")):
        assert path.stat().st_mode & 0o777 == (folders if path.is_dir() else files), path


def test_a_manifest_that_was_edited_is_refused(run):
    manifest = json.loads((run / MANIFEST).read_text())
    (run / MANIFEST).write_text(json.dumps(manifest | {"seed": 4}))
    with pytest.raises(DataError, match=r"manifest\.json: damaged"):
        check_manifest(run)


def test_a_file_without_a_name_in_the_manifest_is_refused_unless_hidden(run):
    (run / ".DS_Store").write_text("of a desktop")
    check_manifest(run)
    (run / "text.safetensors").write_text("of another run")
    with pytest.raises(DataError, match=r"text\.safetensors: no file of this run.*move it away"):
        check_manifest(run)


def test_a_manifest_without_a_digest_and_without_its_reports_is_read(run):
    manifest = json.loads((run / MANIFEST).read_text())
    del manifest["digest"], manifest["files"]["report.json"]
    (run / MANIFEST).write_text(json.dumps(manifest))
    assert check_manifest(run)["seed"] == 3
    refresh(run, {"report.json": "new"})
    assert "digest" in check_manifest(run)


def test_a_part_that_is_rewritten_may_hold_anything_and_the_rest_may_not(run):
    begin_rewriting(run, load_manifest(run), ["graph/"])
    write_file(run / "graph/wal", "half")
    assert check_manifest(run)[REWRITING] == ["graph/"]
    write_file(run / "wal", "half")
    with pytest.raises(DataError, match="wal: no file of this run"):
        check_manifest(run)


def test_what_a_training_told_is_carried_over_and_nothing_else(run, tmp_path):
    write_file(run / "history.jsonl", "looks")
    write_file(run / "tensorboard/network-0/events", "curves")
    copy = tmp_path / "copy"
    write_file(copy / "model", "changed")
    write_file(copy / "history.jsonl", "")
    carry_over(run, copy)
    found = {p.relative_to(copy).as_posix(): p.read_text() for p in copy.rglob("*") if p.is_file()}
    assert found == {
        "model": "changed",
        "history.jsonl": "looks",
        "report.json": "old",
        "tensorboard/network-0/events": "curves",
    }


def test_lines_of_people_who_are_left_out_stay_behind_whatever_their_ids(run, tmp_path):
    values = ["u1", "pair u1 i2", ["x", "Ann Lee"], "user Ann Lee: twice", "u11", "Ann"]
    lines = [json.dumps({"line": at, "value": one}) + "\n" for at, one in enumerate(values)]
    write_file(run / "quarantine.jsonl", "".join(lines))
    carry_over(run, tmp_path / "copy", ["u1", "Ann Lee"])
    assert (tmp_path / "copy/quarantine.jsonl").read_text("utf-8") == "".join(lines[4:])
    assert not (tmp_path / "copy/report.json").exists()


@pytest.mark.parametrize(("place", "said"), [("notes/run", "notes is a file"), ("/", "no name")])
def test_a_place_that_cannot_be_is_refused_at_once(tmp_path, place, said):
    (tmp_path / "notes").write_text("dear")
    with pytest.raises(ConfigError, match=said):
        check_place(tmp_path / place)
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]
