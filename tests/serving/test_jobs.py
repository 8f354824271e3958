"""Jobs end with the service, write no folder twice, and bring nobody back."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from trefoil.data.manifest import load_manifest, save_manifest
from trefoil.data.privacy import FORGOTTEN, ForgottenPeople
from trefoil.serving.jobs.runner import Runner, environment, refit
from trefoil.serving.jobs.store import JobStore
from trefoil.train import keep_forgotten


def test_a_job_that_waits_is_not_begun_by_a_service_that_ends(tmp_path):
    store = JobStore(tmp_path / "jobs.sqlite")
    runner = Runner(store)
    first, second = (store.add("shop", "refit", name) for name in ("a", "b"))
    runner.start(first, [sys.executable, "-c", "import time; time.sleep(60)"])
    mark = tmp_path / "begun"
    runner.start(second, [sys.executable, "-c", f"open({str(mark)!r}, 'w')"])
    until = time.monotonic() + 20
    while runner._process is None and time.monotonic() < until:
        time.sleep(0.01)
    runner.close()
    found = [store.find(one.id) for one in (first, second)]
    assert [one.state for one in found] == ["stopped", "waiting"]
    assert not mark.exists()


@pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="the policy is Linux's")
def test_a_job_has_what_the_service_leaves(tmp_path):
    store = JobStore(tmp_path / "jobs.sqlite")
    runner = Runner(store)
    told = (
        "import os, time; time.sleep(0.5); "
        f"print(os.sched_getscheduler(0) == os.SCHED_IDLE, os.getsid(0) == {os.getsid(0)})"
    )
    job = store.add("shop", "refit", "a")
    runner.start(job, [sys.executable, "-c", told])
    until = time.monotonic() + 20
    while store.find(job.id).state != "done" and time.monotonic() < until:
        time.sleep(0.01)
    runner.close()
    assert store.find(job.id).said == "True True"


def test_services_that_share_a_table_leave_each_others_jobs_alone(tmp_path):
    path = tmp_path / "jobs.sqlite"
    first = JobStore(path)
    job = first.add("shop", "refit", "a")
    first.change(job.id, "running")
    second = JobStore(path)
    assert second.find(job.id).state == "running"
    assert (first.owns(job.id), second.owns(job.id)) == (True, False)
    assert second.add("shop", "refit", "a") is None  # the first is writing it
    other = second.add("shop", "refit", "b")
    first.close()
    assert second.add("shop", "refit", "a") is not None
    assert second.find(job.id).said == "the service stopped"
    assert second.find(other.id).state == "waiting"
    second.close()
    assert [one.name for one in tmp_path.glob(".*.lock")] == []


def test_a_killed_service_leaves_its_jobs_to_be_ended(tmp_path):
    path = tmp_path / "jobs.sqlite"
    script = (
        "import os, pathlib, signal, sys; from trefoil.serving.jobs.store import JobStore; "
        "JobStore(pathlib.Path(sys.argv[1])).add('shop', 'refit', 'a'); "
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    command = [sys.executable, "-c", script, str(path)]
    assert subprocess.run(command, env=environment(), check=False).returncode == -signal.SIGKILL
    store = JobStore(path)
    assert [one.state for one in store.of("shop")] == ["failed"]
    store.close()


def test_a_table_of_an_earlier_version_is_read(tmp_path):
    path = tmp_path / "jobs.sqlite"
    with closing(sqlite3.connect(path)) as db:
        columns = "id, run, kind, out, state, said, made, began, ended"
        db.execute(f"CREATE TABLE job ({columns.replace(',', ' TEXT,')} TEXT) STRICT")
        db.execute("INSERT INTO job VALUES ('x', 'shop', 'refit', 'a', 'running', '', '', '', '')")
        db.commit()
    store = JobStore(path)
    assert store.find("x").state == "failed"
    assert store.add("shop", "refit", "a") is not None
    store.close()


def test_a_job_of_another_service_is_not_stopped_here(client, tmp_path):
    other = JobStore(tmp_path / "jobs.sqlite")
    job = other.add("shop", "update", "later")
    refused = client.delete(f"/v1/jobs/{job.id}")
    assert refused.status_code == 409
    assert "another service" in refused.text
    other.close()


def test_two_jobs_do_not_write_one_folder(client, service):
    service.jobs.add("shop", "update", "later")
    refused = client.post("/v1/jobs", json={"kind": "update", "out": "later"})
    assert refused.status_code == 409


def test_a_refit_leaves_out_whom_the_run_forgot(client, service):
    folder = service.host(None).current.folder
    refused = client.post("/v1/jobs", json={"kind": "refit", "out": "again"})
    assert refused.status_code == 422  # saved in Python: nobody knows of what data
    assert client.get("/v1/jobs").json()["jobs"] == []
    told = {"data": {"source": "shop", "at": "/shop", "root": None}, "max_bad_share": 0.2}
    save_manifest(folder, {**load_manifest(folder), **told})
    command = refit(folder, folder.with_name("again"))
    assert "--forgotten" not in command
    assert command[command.index("--data") + 1] == "/shop"
    assert command[command.index("--max-bad-share") + 1] == "0.2"
    people = ForgottenPeople.nobody().with_user("u3")
    people.write(folder.with_name("shop.live") / FORGOTTEN)
    command = refit(folder, folder.with_name("again"))
    keep_forgotten(command[command.index("--forgotten") + 1], folder.with_name("again"))
    assert "u3" in ForgottenPeople.read(folder.with_name("again.live") / FORGOTTEN)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells a process that its parent ended")
def test_a_job_ends_with_a_service_that_is_killed(tmp_path):
    service = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from trefoil.serving.jobs.runner import Runner\n"
        "from trefoil.serving.jobs.store import JobStore\n"
        "store = JobStore(Path(sys.argv[1]))\n"
        "job = store.add('shop', 'refit', 'a')\n"
        "work = 'import os, time; print(os.getpid(), flush=True); time.sleep(60)'\n"
        "Runner(store).start(job, [sys.executable, '-c', work])\n"
        "while not (said := store.find(job.id).said).isdigit(): time.sleep(0.01)\n"
        "print(said, flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", service, str(tmp_path / "jobs.sqlite")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as parent:
        assert parent.stdout is not None
        job = Path("/proc", parent.stdout.readline().strip(), "stat")
        assert _runs(job)
        parent.kill()
    until = time.monotonic() + 20
    while _runs(job) and time.monotonic() < until:
        time.sleep(0.01)
    assert not _runs(job)


def _runs(stat: Path) -> bool:
    """Whether a process is there and no mere entry that waits to be read."""
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
