"""Pytest plugin: a test marked neo4j that is skipped, or none at all, is a failure."""

from collections.abc import Iterator

import pytest

ran: set[str] = set()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Turn the skip of a test marked neo4j into a failure that gives the skip's reason."""
    report = yield
    if item.get_closest_marker("neo4j") is not None:
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            report.outcome, report.longrepr = "failed", f"must not be skipped here: {reason}"
        elif report.when == "call":
            ran.add(item.nodeid)
    return report


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Without any test of Neo4j the session fails."""
    if exitstatus == pytest.ExitCode.OK and not ran:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why a session without tests of Neo4j failed."""
    if not ran:
        terminalreporter.write_line("no test marked neo4j ran, and here they must", red=True)
