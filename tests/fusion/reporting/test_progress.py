"""Progress in a pipe: what is done is said at once, and that it goes on now and then."""

import time

import pytest

from trefoil.fusion.reporting import progress
from trefoil.fusion.reporting.progress import Progress


def test_lines_tell_what_is_done_and_since_when(capsys):
    with Progress("reading", time.monotonic() - 70) as told:
        told(3, 10, "texts")
        told(4, 10, "texts")  # too soon after the line before
        told(10, 10, "texts")
    lines = [line.partition("] ") for line in capsys.readouterr().err.splitlines()]
    assert [what for _, _, what in lines] == ["reading", "texts 3/10", "texts 10/10"]
    assert float(lines[0][0].strip("[ s")) == pytest.approx(70, abs=5)


def test_silent_work_is_said_to_go_on(capsys, monkeypatch):
    monkeypatch.setattr(progress, "SILENT_S", 0.5)
    with Progress("writing"):
        time.sleep(2.2)
    said = capsys.readouterr().err
    assert "writing goes on, for" in said
