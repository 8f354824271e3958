"""Whose a log is: it is set aside whole, and never because it could not be read just now."""

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from trefoil.data.errors import DataError
from trefoil.fusion.live.log import FILE, Log

KILLED = """
import os, sys
from pathlib import Path
from trefoil.fusion.live.log import EVENT, Log
log = Log(Path(sys.argv[1]), "theirs", "", 0)
log.claim()
log.append(EVENT, [("e-1", "stranger", "i1", 1, None, None, None, None)])
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def killed(tmp_path):
    """The folder of a log whose writer was killed."""
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    return tmp_path


def test_a_log_that_cannot_be_read_now_is_neither_passed_over_nor_set_aside(killed):
    shared = killed / f"{FILE}-shm"
    shared.unlink()
    shared.symlink_to(killed / "nowhere" / "file")  # SQLite cannot make its file, as on a full disk
    later = Log(killed, "theirs", "", 0)
    with pytest.raises(DataError, match="cannot be read"):
        list(later.rows(0))
    with pytest.raises(DataError, match="cannot be read"):
        later.claim()
    assert not later.writing
    shared.unlink()
    assert [one.event[1] for one in Log(killed, "theirs", "", 0).rows(0)] == ["stranger"]


def test_a_log_of_another_run_whose_writer_was_killed_is_set_aside_whole(killed):
    log = Log(killed, "ours", "", 0)
    log.claim()
    assert list(log.rows(0)) == []
    (aside,) = killed.glob("log-*.sqlite")
    with closing(sqlite3.connect(aside)) as sql:
        assert sql.execute("SELECT user FROM changes").fetchall() == [("stranger",)]
