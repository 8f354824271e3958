"""Jobs end with the service, write no folder twice, and bring nobody back."""

import sys
import time

from trefoil.data.privacy import FORGOTTEN, ForgottenPeople
from trefoil.serving.jobs.runner import Runner, refit
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


def test_two_jobs_do_not_write_one_folder(client, service):
    service.jobs.add("shop", "update", "later")
    refused = client.post("/v1/jobs", json={"kind": "update", "out": "later"})
    assert refused.status_code == 409


def test_a_refit_leaves_out_whom_the_run_forgot(client, service):
    folder = service.host(None).current.folder
    assert "--forgotten" not in refit(folder, folder.with_name("again"))
    assert client.delete("/v1/users/u3").status_code == 200
    command = refit(folder, folder.with_name("again"))
    named = command[command.index("--forgotten") + 1]
    keep_forgotten(named, folder.with_name("again"))
    for place in (folder.with_name("shop.live"), folder.with_name("again.live")):
        assert "u3" in ForgottenPeople.read(place / FORGOTTEN)
