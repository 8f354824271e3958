"""Pytest plugin: a test marked neo4j that is skipped, or none at all, is a failure."""

from collections.abc import Iterator

import pytest

ran: set[str] = set()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Turn the skip of a test marked neo4j into a failure that gives the skip's reason."""
    report = yield
    if item.get_closest_marker("neo4j") is not None:
        report.user_properties.append(("neo4j", True))
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            report.outcome, report.longrepr = "failed", f"must not be skipped here: {reason}"
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Take note of tests that ran, in this process or in a worker of it."""
    if report.when == "call" and ("neo4j", True) in report.user_properties:
        ran.add(report.nodeid)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Without any test of Neo4j the session fails; a worker leaves that to its controller."""
    if exitstatus == pytest.ExitCode.OK and not ran and not hasattr(session.config, "workerinput"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why a session without tests of Neo4j failed."""
    if not ran:
        terminalreporter.write_line("no test marked neo4j ran, and here they must", red=True)
