"""A run folder: whole or not there, every damage named, nothing foreign overwritten."""

import json
import os

import pytest

from trefoil.data.errors import ConfigError, DataError
from trefoil.data.files import write_file
from trefoil.data.manifest import MANIFEST
from trefoil.fusion.runs.folder import check_manifest, new_run, write_manifest


def fill(folder, text="weights"):
    write_file(folder / "model.safetensors", text.encode())
    write_file(folder / "graph/nodes.parquet", b"nodes" * 100)
    write_file(folder / "graph" / MANIFEST, "{}")  # a file of that name further down is content
    write_manifest(folder, {"seed": 3})


@pytest.fixture
def run(tmp_path):
    with new_run(tmp_path / "runs/one") as folder:
        fill(folder)
    return tmp_path / "runs/one"


def leftovers(run):
    return [path.name for path in run.parent.iterdir() if path != run]


def test_a_run_as_written_is_accepted_and_says_what_it_was_made_from(run):
    manifest = check_manifest(run)
    assert manifest["seed"] == 3
    assert set(manifest["files"]) == {
        "model.safetensors",
        "graph/nodes.parquet",
        f"graph/{MANIFEST}",
    }
    assert not leftovers(run)


@pytest.mark.parametrize("name", ["model.safetensors", "graph/nodes.parquet", f"graph/{MANIFEST}"])
def test_one_flipped_bit_is_detected_and_the_file_named(run, name):
    content = bytearray((run / name).read_bytes())
    content[len(content) // 2] ^= 1
    (run / name).write_bytes(content)
    with pytest.raises(DataError, match=f"{name}: damaged"):
        check_manifest(run)


@pytest.mark.parametrize("change", [lambda b: b[:-1], lambda b: b + b"x", lambda _: b""])
def test_a_file_of_another_length_is_detected(run, change):
    file = run / "graph/nodes.parquet"
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(DataError, match=r"nodes\.parquet: damaged"):
        check_manifest(run)


def test_a_missing_file_is_named(run):
    (run / "model.safetensors").unlink()
    with pytest.raises(DataError, match=r"model\.safetensors: missing"):
        check_manifest(run)


def test_a_folder_without_a_manifest_is_no_run(tmp_path):
    with pytest.raises(DataError, match=r"no manifest\.json.*train\.py"):
        check_manifest(tmp_path)
    with pytest.raises(DataError, match="no run"):
        check_manifest(tmp_path / "nothing")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b"\xff", b'{"files": 3}', b'{"files": ["a"]}', b"null"]
)
def test_a_damaged_manifest_is_named(run, content):
    (run / MANIFEST).write_bytes(content)
    with pytest.raises(DataError, match=r"manifest\.json: damaged"):
        check_manifest(run)


@pytest.mark.parametrize("other", [1, "2", None])
def test_a_run_of_another_format_is_not_read(run, other):
    manifest = json.loads((run / MANIFEST).read_text())
    manifest["format"] = other
    (run / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(DataError, match=rf"format {other!r}, .* reads 2; train again"):
        check_manifest(run)


@pytest.mark.parametrize("name", ["../outside", "{root}/outside"])
def test_a_manifest_cannot_point_outside_the_run(run, tmp_path, name):
    (run.parent / "outside").write_bytes(b"x")
    (tmp_path / "outside").write_bytes(b"x")
    manifest = json.loads((run / MANIFEST).read_text())
    manifest["files"][name.format(root=tmp_path)] = "0" * 64
    (run / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="outside the run"):
        check_manifest(run)


@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_interrupted_write_leaves_the_old_run_intact(run, fault):
    def interrupted():
        with new_run(run) as folder:
            write_file(folder / "model.safetensors", b"half of something new")
            raise fault

    with pytest.raises(fault):
        interrupted()
    assert (run / "model.safetensors").read_bytes() == b"weights"
    check_manifest(run)
    assert not leftovers(run)


def test_a_rename_that_fails_puts_the_old_run_back(run, monkeypatch):
    rename, names = type(run).rename, []

    def failing(path, target):
        names.append(path.name)
        if len(names) == 2:
            raise OSError("the disk went away")
        return rename(path, target)

    monkeypatch.setattr(type(run), "rename", failing)
    with pytest.raises(OSError, match="went away"), new_run(run) as folder:
        fill(folder, "new")
    monkeypatch.undo()
    check_manifest(run)
    assert (run / "model.safetensors").read_bytes() == b"weights"
    assert not leftovers(run)


def test_a_new_run_replaces_an_old_one_whole(run):
    (run / "extra.txt").write_text("of the old run")
    with new_run(run) as folder:
        fill(folder, "new weights")
        assert (run / "model.safetensors").read_bytes() == b"weights"
    assert (run / "model.safetensors").read_bytes() == b"new weights"
    assert not (run / "extra.txt").exists()
    assert not leftovers(run)


def test_a_folder_that_is_no_run_is_refused_and_left_alone(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/one.jpg").write_bytes(b"dear")
    refused = pytest.raises(ConfigError, match=r"photos: exists and is no run.*--out")
    with refused, new_run(tmp_path / "photos") as folder:
        fill(folder)
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["one.jpg"]


def test_a_file_in_the_place_of_the_run_is_refused_and_left_alone(tmp_path):
    (tmp_path / "notes").write_text("dear")
    refused = pytest.raises(ConfigError, match=r"notes: exists and is no run.*--out")
    with refused, new_run(tmp_path / "notes") as folder:
        fill(folder)
    assert (tmp_path / "notes").read_text() == "dear"


def test_an_empty_folder_may_become_a_run(tmp_path):
    (tmp_path / "fresh").mkdir()
    with new_run(tmp_path / "fresh") as folder:
        fill(folder)
    check_manifest(tmp_path / "fresh")


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    file = tmp_path / "settings.toml"
    write_file(file, "seed = 1\n")

    def failing(_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OSError, match="disk full"):
        write_file(file, "seed = 2\n")
    assert file.read_text() == "seed = 1\n"
    assert [path.name for path in tmp_path.iterdir()] == ["settings.toml"]
